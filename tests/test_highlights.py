"""highlights: what was highlighted is read as what was not, in any colour; thick coloured pens stay ink."""

import cv2
import numpy as np
import pytest

from inkdigits import Reader
from inkdigits.highlights import find_highlights
from inkdigits.ink import find_ink
from inkdigits.synthetic import Hands, make_page

COLOURS = {"yellow": (1, 1, 0.35), "pink": (1, 0.6, 0.75), "green": (0.55, 1, 0.5), "blue": (0.5, 0.85, 1)}


def page(seed):
    image, truth = make_page("2071 438|5566 912", seed=seed, hands=Hands(split="validation", strokes=0.0), dirt="clean", size=(900, 640))
    image = np.asarray(image)
    return (image if image.mean() > 120 else 255 - image), truth


def highlighted(image, truth, colour):
    """Every other number under a band of a highlighter."""
    light = np.ones(image.shape, np.float32)
    for number in truth.numbers[::2]:
        x, y, w, h = number.box
        light[max(0, y - h // 8) : y + h + h // 8, max(0, x - h // 4) : x + w + h // 4] = colour
    return (image * cv2.GaussianBlur(light, (0, 0), 1.5)).astype(np.uint8)


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("seed", range(2))
def test_what_was_highlighted_is_read(seed, colour):
    image, truth = page(seed)
    reader = Reader.load()
    plain, marked = (reader.read(picture, threshold=0).text for picture in (image, highlighted(image, truth, COLOURS[colour])))
    assert sum(a != b for a, b in zip(plain, marked, strict=False)) + abs(len(plain) - len(marked)) <= 1


def test_a_highlighter_is_found_where_it_is_and_nowhere_else():
    image, truth = page(0)
    assert find_highlights(image) is None
    found = find_highlights(highlighted(image, truth, COLOURS["yellow"]))
    for k, number in enumerate(truth.numbers):
        x, y, w, h = number.box
        assert (found[y : y + h, x : x + w].mean() > 0.9) == (k % 2 == 0)


@pytest.mark.parametrize("colour", [(240, 220, 40), (250, 120, 170), (90, 220, 110)])
def test_a_thick_bright_pen_stays_ink(colour):
    picture = np.full((400, 600, 3), 250, np.uint8)
    cv2.ellipse(picture, (180, 200), (60, 110), 0, 0, 360, colour, 34)
    cv2.line(picture, (380, 90), (400, 310), colour, 34)
    drawn = (picture != 250).any(2)
    assert (find_ink(picture, ruled=True)[drawn] > 127).mean() > 0.85
