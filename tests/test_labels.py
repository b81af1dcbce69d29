"""labels: numbers on labels, tape and lids are read, whatever they stick on; digits, tables and sheets are no labels."""

import cv2
import numpy as np
import pytest
from rows import TALL, cut_out, lengths

from inkdigits import Reader
from inkdigits.labels import find_labels

NUMBERS = (("4872", "35"), ("92", "4065"), ("705", "83"))


def stuck(ground, paper, ink, *, is_round=False, room=0.5, most=9):
    """A grey photo of labels two to a row, `room` heights of a digit wider than their number on each side."""
    page = np.full((700, 1000), float(ground))
    for r, row in enumerate(NUMBERS):
        for n, number in enumerate(row):
            digits = [cut_out(int(c), 5 + k + 7 * n) for k, c in enumerate(number[:most])]
            wide, x, y, edge = sum(d.shape[1] + 6 for d in digits), 100 + 450 * n, 110 + 200 * r, round(room * TALL)
            if is_round:
                cv2.circle(page, (x + wide // 2, y + TALL // 2), 90, paper, -1, cv2.LINE_AA)
            else:
                page[y - edge : y + TALL + edge, x - edge : x + wide + edge] = paper
            for digit in digits:
                part = page[y : y + TALL, x : x + digit.shape[1]]
                part += (ink - part) * (digit / 255.0)
                x += digit.shape[1] + 6
    soft = cv2.GaussianBlur(page, (0, 0), 0.8) + np.random.default_rng(0).normal(0, 3, page.shape)
    return np.clip(soft, 0, 255).astype(np.uint8)


def small_of(page):
    return cv2.resize(page, (480, 336), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("room", [0.35, 0.7])
@pytest.mark.parametrize("ground, paper, ink", [(45, 235, 40), (110, 235, 40), (185, 240, 50), (225, 30, 215)])
def test_numbers_on_labels_are_read_and_nothing_beside_them(ground, paper, ink, room):
    page = stuck(ground, paper, ink, room=room)
    assert find_labels(small_of(page)) is not None
    assert lengths(Reader.load().read(page).text) == [[len(n) for n in row] for row in NUMBERS]


def test_lids_are_no_0():
    page = stuck(60, 225, 40, is_round=True, most=2)
    assert lengths(Reader.load().read(page).text) == [[2, 2]] * 3


def test_labels_end_before_their_edges():
    page = np.full((300, 400), 40, np.uint8)
    page[100:160, 100:250] = 230
    cv2.line(page, (150, 115), (150, 145), 40, 4)
    labels = find_labels(page)
    assert labels.any() and labels[101:159, 101:249].all() and labels.sum() == 58 * 148


def test_light_writing_is_no_label():
    board = np.full((400, 480), 40, np.uint8)
    for x in (60, 160, 260, 360):
        cv2.ellipse(board, (x, 100), (24, 40), 0, 0, 360, 220, 6)
        cv2.circle(board, (x, 250), 20, 220, 8)
    assert find_labels(board) is None
    assert find_labels(255 - board) is None


def test_empty_patches_tables_and_flat_pictures_have_no_labels():
    patches = np.full((400, 480), 40, np.uint8)
    patches[100:160, 100:250] = patches[220:280, 100:250] = 230
    assert find_labels(patches) is None
    table = np.full((400, 480), 235, np.uint8)
    for at in range(40, 400, 60):
        cv2.line(table, (40, at), (440, at), 60, 2)
        cv2.line(table, (at, 40), (at, 340), 60, 2)
        cv2.line(table, (at + 20, at + 20), (at + 20, at + 45), 60, 3)
    assert find_labels(table) is None
    assert find_labels(np.full((400, 480), 200, np.uint8)) is None
    assert find_labels(np.random.default_rng(0).integers(0, 256, (400, 480)).astype(np.uint8)) is None
