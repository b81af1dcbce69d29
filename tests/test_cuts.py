"""cuts: one piece of ink in, its parts out."""

import cv2
import numpy as np
import pytest

from inkdigits.cuts import cut


def ink(height, width):
    return np.zeros((height, width), np.uint8)


def test_what_is_no_wider_than_a_digit_stays_whole():
    piece = cv2.circle(ink(60, 40), (20, 30), 15, 255, 4)
    (part,) = cut(piece, 60)
    assert np.array_equal(part, piece)


def touching(slant):
    """Return two upright strokes, joined by a thin bar and leaning by `slant`, and which pixels belong to the left one."""
    canvas = ink(80, 160)
    lean = round(40 * slant)
    cv2.line(canvas, (45 + lean, 5), (45 - lean, 75), 255, 7)
    left = canvas > 0
    cv2.line(canvas, (105 + lean, 5), (105 - lean, 75), 255, 7)
    cv2.line(canvas, (45, 40), (105, 40), 255, 3)
    return canvas, left


@pytest.mark.parametrize("slant", [0.0, 0.5, -0.4])
def test_digits_that_touch_are_parted_without_cutting_either(slant):
    canvas, left = touching(slant)
    parts = cut(canvas, 80)
    assert len(parts) >= 2
    shares = [float((part[left] > 0).mean()) for part in parts]
    assert max(shares) > 0.95  # one part holds all of the left stroke
    assert sorted(shares)[-2] < 0.05


def test_all_ink_is_in_one_part_and_no_more():
    rng = np.random.default_rng(0)
    canvas = cv2.GaussianBlur((rng.random((60, 200)) < 0.2).astype(np.uint8) * 255, (0, 0), 2)
    canvas[canvas < 40] = 0
    parts = cut(canvas, 60)
    assert np.array_equal(np.sum([part.astype(int) for part in parts], 0), canvas)


def test_a_fat_blot_is_not_cut_to_pieces():
    assert len(cut(np.full((60, 120), 255, np.uint8), 60)) == 1


def test_specks_and_single_rows_are_endured():
    for shape in ((1, 1), (1, 50), (50, 1), (3, 30)):
        assert sum(part.any() for part in cut(np.full(shape, 255, np.uint8), 10)) >= 1
