"""struck: a piece of ink in; whether it is several digits that one stroke was drawn through out."""

import cv2
import numpy as np
import pytest
from rows import TALL, cut_out, rows_of

from inkdigits import Reader
from inkdigits.struck import is_struck


def joined(text, *strokes, within=2):
    """Digits side by side as ink, and strokes over them: x0, y0, x1, y1, in heights of a digit from the upper left one."""
    digits = [cut_out(int(c), 5 + k) for k, c in enumerate(text)]
    ink = np.zeros((2 * TALL, sum(d.shape[1] + within for d in digits) + TALL), np.uint8)
    x = TALL // 2
    for digit in digits:
        part = ink[TALL // 2 : TALL // 2 + TALL, x : x + digit.shape[1]]
        np.maximum(part, digit, out=part)
        x += digit.shape[1] + within
    for stroke in strokes:
        x0, y0, x1, y1 = (round((v + 0.5) * TALL) for v in stroke)
        cv2.line(ink, (x0, y0), (x1, y1), 255, 6)
    return ink


def cropped(ink):
    x, y, w, h = cv2.boundingRect(ink)
    return ink[y : y + h, x : x + w]


@pytest.mark.parametrize("text", ["306", "9936", "58", "5083"])
@pytest.mark.parametrize("slope", [-0.15, 0.0, 0.12])
def test_a_number_with_a_stroke_through_it_is_struck(text, slope):
    width = (joined(text).shape[1] - TALL) / TALL
    assert is_struck(cropped(joined(text, (-0.2, 0.5 - slope * width / 2, width + 0.2, 0.5 + slope * width / 2))), TALL)


def test_large_digits_are_seen_as_well():
    ink = cropped(joined("9936", (-0.2, 0.5, 3.2, 0.5)))
    assert is_struck(cv2.resize(ink, None, fx=20, fy=20, interpolation=cv2.INTER_CUBIC), 20 * TALL)


@pytest.mark.parametrize(
    ("text", "stroke"),
    [
        ("306", (-0.2, 1.02, 2.4, 1.02)),  # a line to write on
        ("306", (-0.2, -0.02, 2.4, -0.02)),
        ("306", (0.2, 0.5, 1.0, 0.5)),  # from digit to digit
        ("7", (-0.2, 0.5, 0.8, 0.5)),
        ("44", (0.1, 0.6, 1.2, 0.6)),  # whose bars are one
        ("55", (0.2, 0.02, 1.4, 0.02)),
    ],
)
def test_other_strokes_strike_nothing(text, stroke):
    assert not is_struck(cropped(joined(text, stroke)), TALL)


@pytest.mark.parametrize("text", ["11111", "44444", "77777", "22222", "00000", "55555", "98765"])
def test_digits_that_touch_are_not_struck(text):
    assert not is_struck(cropped(joined(text, within=-4)), TALL)


def test_what_stands_beside_a_number_that_was_struck_is_read():
    page, _ = rows_of("936 482|208 715|590 314", 0.1, 0.8)
    for row in range(3):
        top = 110 * row + 60
        right = 70 + int(np.flatnonzero(np.convolve((page[top : top + TALL, 70:400] < 200).any(0), np.ones(30), "valid") == 0)[0])
        cv2.line(page, (56, top + 34), (right + 12, top + 28), 50, 5, cv2.LINE_AA)
    assert Reader.load().read(page).text == "? 482\n? 715\n? 314"
