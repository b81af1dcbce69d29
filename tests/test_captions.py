"""captions: words close above a number are none of its digits, and a pale pen beneath them stays ink."""

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from inkdigits import Reader
from inkdigits.captions import find_rows
from inkdigits.ink import find_ink
from inkdigits.segment import segment


def rows(boxes):
    x, y, w, h = np.array(boxes, float).T
    return find_rows(x, y, w, h, np.arange(len(boxes)))


def test_letters_in_a_row_are_as_long_together_as_their_word():
    word = [(100 + 22 * i, 50, 16, 20) for i in range(5)]
    assert rows([*word, (400, 50, 16, 20), (100, 200, 16, 20)]).tolist() == [104.0] * 5 + [0.0, 0.0]


def test_what_differs_in_height_or_stands_higher_is_in_no_row():
    assert not rows([(100, 50, 16, 20), (122, 50, 16, 50)]).any()
    assert not rows([(100, 50, 16, 20), (122, 65, 16, 20)]).any()
    assert not rows([(100, 50, 16, 20), (160, 50, 16, 20)]).any()


def test_nothing_and_very_many_are_no_rows():
    assert rows(np.zeros((0, 4))).shape == (0,)
    assert not rows([(10 * i, 50, 8, 12) for i in range(1000)]).any()


def field(gap, grey=60, thick=7):
    """Three times a 7 and a 4, each with a caption `gap` pixels above it."""
    page = Image.new("L", (700, 900), 245)
    for y, caption in ((150, "Room"), (400, "Score"), (650, "Volume")):
        ImageDraw.Draw(page).text((84, y - gap), caption, 25, ImageFont.load_default(24), anchor="ls")
    page = np.array(page)
    for y in (150, 400, 650):
        for stroke in ([(80, 0), (136, 0), (100, 88)], [(180, 0), (158, 55), (215, 55)], [(202, 30), (190, 90)]):
            cv2.polylines(page, [np.array([(x, y + down) for x, down in stroke])], False, grey, thick, cv2.LINE_AA)
    return cv2.GaussianBlur(page, (0, 0), 0.8)


@pytest.mark.parametrize("gap", [10, 20, 30, 40])
def test_a_caption_is_no_part_of_the_digit_below_it(gap):
    lines = segment(find_ink(field(gap), ruled=True))
    assert max(c.box.height for line in lines for c in line.candidates) < 105
    assert Reader.load().read(field(gap), threshold=0).text.split() == ["74", "74", "74"]


def test_a_thin_pale_pen_beneath_print_stays_ink():
    pale, dark = (find_ink(field(4, grey, 2), ruled=True) > 127 for grey in (195, 60))
    assert (pale & dark).sum() > 0.8 * dark.sum()
