"""Signs: plus, equals and ticks are none of the numbers they stand between; digits are no signs."""

import cv2
import numpy as np
import pytest

from inkdigits import mnist
from inkdigits.components import Components
from inkdigits.signs import find_signs


def digits_with(draw):
    """Return the pieces of three digits, and what `draw` puts behind them."""
    (x, y), _ = mnist.load_data()
    ink = np.zeros((200, 500), np.uint8)
    for n, value in enumerate((8, 3, 6)):
        glyph = cv2.resize(x[np.flatnonzero(y == value)[n]], (100, 100), interpolation=cv2.INTER_CUBIC)
        ink[50:150, 20 + 90 * n : 120 + 90 * n] = np.maximum(ink[50:150, 20 + 90 * n : 120 + 90 * n], glyph)
    draw(ink)
    return Components.of(np.where(ink > 60, ink, 0).astype(np.uint8))


def plus(ink):
    cv2.line(ink, (350, 101), (386, 99), 255, 6)
    cv2.line(ink, (368, 82), (367, 119), 255, 6)


def equals(ink):
    cv2.line(ink, (350, 92), (390, 90), 255, 6)
    cv2.line(ink, (351, 108), (392, 107), 255, 6)


def tick(ink):
    cv2.polylines(ink, [np.array([(345, 110), (362, 138), (402, 60)])], False, 255, 6)


def per_cent(ink):
    cv2.line(ink, (356, 135), (401, 65), 255, 6)
    cv2.ellipse(ink, (358, 78), (13, 15), 0, 0, 360, 255, 5)
    cv2.ellipse(ink, (404, 122), (13, 15), 0, 0, 360, 255, 5)


def per_cent_whose_ring_touches(ink):
    cv2.line(ink, (350, 135), (395, 65), 255, 6)
    cv2.ellipse(ink, (364, 84), (13, 15), 0, 0, 360, 255, 5)
    cv2.ellipse(ink, (396, 122), (13, 15), 0, 0, 360, 255, 5)


@pytest.mark.parametrize(("draw", "pieces"), [(plus, 1), (equals, 2), (tick, 1), (per_cent, 3), (per_cent_whose_ring_touches, 2)])
def test_signs_are_found(draw, pieces):
    found = digits_with(draw)
    signs = find_signs(found)
    assert signs.sum() == pieces
    assert (found.boxes[signs, 0] >= 340).all()


def minus(ink):
    cv2.line(ink, (350, 100), (390, 98), 255, 6)


def two_dashes_far_apart(ink):
    cv2.line(ink, (350, 20), (390, 20), 255, 6)
    cv2.line(ink, (350, 170), (390, 170), 255, 6)


def slanted_one(ink):
    cv2.polylines(ink, [np.array([(350, 85), (385, 60), (372, 140)])], False, 255, 6)


def open_four(ink):
    cv2.polylines(ink, [np.array([(348, 95), (350, 108), (364, 124), (396, 58)])], False, 255, 7)
    cv2.line(ink, (364, 124), (358, 140), 255, 7)


def small_four_whose_hole_is_filled(ink):
    plus(ink)
    cv2.fillPoly(ink, [np.array([(352, 100), (368, 84), (368, 100)])], 255)


def zeros_about_a_slash(ink):
    cv2.line(ink, (390, 145), (420, 55), 255, 6)
    cv2.ellipse(ink, (362, 100), (20, 38), 0, 0, 360, 255, 6)
    cv2.ellipse(ink, (450, 100), (20, 38), 0, 0, 360, 255, 6)


def nine_and_six_that_touch(ink):
    cv2.ellipse(ink, (372, 80), (20, 20), 0, 0, 360, 255, 6)
    cv2.line(ink, (392, 80), (380, 140), 255, 6)
    cv2.line(ink, (400, 60), (386, 120), 255, 6)
    cv2.ellipse(ink, (406, 120), (20, 20), 0, 0, 360, 255, 6)


@pytest.mark.parametrize(
    "draw",
    [
        minus,
        two_dashes_far_apart,
        slanted_one,
        open_four,
        small_four_whose_hole_is_filled,
        zeros_about_a_slash,
        nine_and_six_that_touch,
        lambda ink: None,
    ],
)
def test_what_is_no_sign_stays(draw):
    assert not find_signs(digits_with(draw)).any()


def test_hardly_a_digit_is_a_sign():
    (x, _), _ = mnist.load_data()
    found = 0
    for rows in range(0, 2000, 100):  # a hundred digits a page
        tiles = [cv2.resize(glyph, (84, 84), interpolation=cv2.INTER_CUBIC) for glyph in x[rows : rows + 100]]
        ink = np.vstack([np.hstack(tiles[k : k + 10]) for k in range(0, 100, 10)])
        found += int(find_signs(Components.of(np.where(ink > 100, ink, 0).astype(np.uint8))).sum())
    assert found <= 4


def test_no_pieces_and_very_many_are_no_signs():
    assert not len(find_signs(Components.of(np.zeros((50, 50), np.uint8))))
    ink = np.zeros((600, 600), np.uint8)
    ink[::8, ::8] = 255
    assert not find_signs(Components.of(ink)).any()


def test_the_arms_of_an_f_are_no_equals_sign():
    def f(ink):
        equals(ink)
        cv2.line(ink, (344, 84), (342, 150), 255, 4)

    assert not find_signs(digits_with(f)).any()
