"""boxes: contrast of a page in, the same without printed cells out."""

import cv2
import numpy as np
import pytest

from inkdigits.boxes import find_cells, remove_boxes
from inkdigits.ink import find_ink
from inkdigits.page_accuracy import compare
from inkdigits.reader import Reader
from inkdigits.synthetic import Dirt, make_page

NOISE = np.full((1, 1), 0.004, np.float32)
LINE, INK = 0.3, 0.6


def page_with(boxes, strokes=(), angle=0.0):
    """Return the contrast of a page with frames (x, y, width, height) and strokes ((x, y), (x, y)), turned by some degrees."""
    contrast = np.zeros((400, 600), np.float32)
    for x, y, w, h in boxes:
        cv2.rectangle(contrast, (x, y), (x + w, y + h), LINE, 2)
    for start, stop in strokes:
        cv2.line(contrast, start, stop, INK, 5)
    turn = cv2.getRotationMatrix2D((300, 200), angle, 1.0)
    return cv2.warpAffine(contrast, turn, (600, 400), flags=cv2.INTER_LINEAR)


ROW = [(100 + 50 * i, 150, 50, 60) for i in range(5)]
STEMS = [((125 + 50 * i, 162), (125 + 50 * i, 198)) for i in range(5)]


@pytest.mark.parametrize("angle", [0.0, 3.0, -4.0])
def test_a_row_of_boxes_goes_and_what_stands_in_them_stays(angle):
    contrast = page_with(ROW, STEMS, angle)
    assert len(find_cells(contrast, NOISE)) == 5
    bare = remove_boxes(contrast, NOISE)
    only_ink = page_with([], STEMS, angle)
    assert bare[only_ink > 0.5].min() > 0.5
    assert (bare[only_ink == 0] > 0.15).mean() < 0.0005
    assert (contrast[only_ink == 0] > 0.15).mean() > 0.01


def test_a_box_that_is_touched_by_its_digit_goes_by_the_size_of_the_others():
    touching = [*STEMS[:4], ((325, 140), (325, 198))]  # it begins above the box
    bare = remove_boxes(page_with(ROW, touching), NOISE)
    assert bare[150, 340] < 0.1  # the upper line
    assert bare[145, 325] > 0.5
    assert bare[150, 325] > 0.5  # where the stroke crosses it


def test_boxes_go_where_every_other_is_parted_by_what_is_written_in_it():
    row = [(60 + 50 * i, 150, 50, 60) for i in range(9)]
    strokes = [((x + 70, 150), (x + 100, 210)) if i % 2 == 0 else ((x + 85, 162), (x + 85, 198)) for i, x in enumerate(range(0, 450, 50))]
    bare = remove_boxes(page_with(row, strokes), NOISE)
    only_ink = page_with([], strokes)
    assert bare[only_ink > 0.5].min() > 0.5
    assert (bare[cv2.dilate(only_ink, np.ones((5, 5))) == 0] > 0.15).mean() < 0.0005


@pytest.mark.parametrize("boxes", [[(100, 150, 40, 60)], [(100, 150, 40, 30), (100, 180, 40, 30)]])
def test_a_lonely_empty_box_may_be_a_digit_and_stays(boxes):
    contrast = page_with(boxes)
    assert remove_boxes(contrast, NOISE) is contrast


def test_round_loops_are_no_boxes():
    contrast = np.zeros((400, 600), np.float32)
    for i in range(5):
        cv2.ellipse(contrast, (120 + 60 * i, 200), (18, 28), 0, 0, 360, INK, 4)
        cv2.line(contrast, (120 + 60 * i, 190), (120 + 60 * i, 210), INK, 3)
    assert remove_boxes(contrast, NOISE) is contrast


def test_squared_paper_is_left_to_its_rules():
    grid = [(40 * i, 40 * k, 40, 40) for i in range(14) for k in range(9)]
    contrast = page_with(grid, STEMS)
    assert find_cells(contrast, NOISE) == []


@pytest.mark.parametrize("angle", [6.0, -18.0])
def test_squared_paper_that_lies_askew_is_left_to_its_rules_too(angle):
    grid = [(40 * i, 40 * k, 40, 40) for i in range(14) for k in range(9)]
    assert find_cells(page_with(grid, STEMS, angle), NOISE) == []


@pytest.mark.parametrize("angle", [0.0, -4.0])
def test_rules_with_strokes_between_them_are_no_boxes(angle):
    stems = [((x, 148), (x, 212)) for x in (120, 180, 240, 300)]  # a row of 1s from rule to rule
    dots = [((x, 180), (x, 195)) for x in (150, 210, 270)]
    ruled = page_with([(-50, y, 700, 60) for y in range(-30, 450, 60)], [*stems, *dots], angle)
    assert remove_boxes(ruled, NOISE) is ruled


def test_nothing_gives_nothing():
    empty = np.zeros((400, 600), np.float32)
    assert remove_boxes(empty, NOISE) is empty


def test_a_form_is_read():
    """Boxes of a form were read as digits, once."""
    reader, errors, digits = Reader.load(), 0, 0
    for seed in range(3):
        picture, truth = make_page("20714|3856 19", seed=seed, split="validation", dirt=Dirt(has_boxes=True, noise=1.0, defocus=0.5))
        assert (find_ink(picture, ruled=True) > 0).any()
        counts = compare(reader.read(picture, threshold=0), truth)
        errors, digits = errors + counts["digit_errors"], digits + counts["digits"]
    assert errors <= 0.1 * digits
