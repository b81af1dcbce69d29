"""hues: what is drawn across digits in another colour goes, the digits stay; digits in two colours stay as they are."""

import cv2
import numpy as np
import pytest

from inkdigits import Reader
from inkdigits.components import Components
from inkdigits.hues import without_other_ink
from inkdigits.ink import find_ink
from inkdigits.synthetic import Hands, make_page

BROWN, RED, BLUE = (0.75, 0.55, 0.35), (0.8, 0.25, 0.25), (0.3, 0.35, 0.75)


def page(seed):
    image, truth = make_page("2071 438|5566 912", seed=seed, hands=Hands(split="validation", strokes=0.0), dirt="clean", size=(900, 640))
    grey = np.asarray(image).min(2)
    return np.repeat((grey if grey.mean() > 120 else 255 - grey)[:, :, None], 3, 2), truth


def drawn(image, colour, stroke):
    """The picture with strokes of a colour over it: what each keeps from the light adds up."""
    mask = np.zeros(image.shape[:2], np.uint8)
    stroke(mask)
    cover = cv2.GaussianBlur(mask, (0, 0), 1).astype(np.float32)[:, :, None] / 255
    return (image * (1 - cover * (1 - np.float32(colour)))).astype(np.uint8)


def stain(truth):
    """A ring through the middle of the first number and the one below it."""
    first, below = truth.numbers[0].box, truth.numbers[2].box
    x, y = first.x + first.width // 2, (first.y + first.height // 2 + below.y + below.height // 2) // 2
    radius = (below.y + below.height // 2 - first.y - first.height // 2) // 2
    return lambda mask: cv2.circle(mask, (x, y), radius, 255, 7)


def read(image):
    return Reader.load().read(image, threshold=0).text


@pytest.mark.parametrize("colour", [BROWN, RED, BLUE])
@pytest.mark.parametrize("seed", [0, 3])
def test_a_coloured_ring_through_digits_costs_none(seed, colour):
    image, truth = page(seed)
    soiled = drawn(image, colour, stain(truth))
    lost = sum(a != b for a, b in zip(read(image), read(soiled), strict=False))
    assert lost <= 1 and len(read(image)) == len(read(soiled))


def test_without_colour_nothing_tells_a_ring_from_ink():
    image, truth = page(0)
    soiled = drawn(image, (0.4, 0.4, 0.4), stain(truth))
    pieces = Components.of(find_ink(soiled))
    assert without_other_ink(soiled, pieces) is pieces.ink or np.array_equal(without_other_ink(soiled, pieces), pieces.ink)


def test_large_digits_in_another_colour_stay():
    picture = np.full((700, 700, 3), 245, np.uint8)
    for k in range(5):
        cv2.putText(picture, "1234", (40 + 120 * k, 80), cv2.FONT_HERSHEY_SIMPLEX, 1, (40, 40, 40), 3)
    for k, digit in enumerate("4703"):
        cv2.putText(picture, digit, (40 + 150 * k, 500), cv2.FONT_HERSHEY_SIMPLEX, 7, (60, 70, 190), 9)
    pieces = Components.of(find_ink(picture, ruled=True))
    assert np.array_equal(without_other_ink(picture, pieces), pieces.ink)
    assert (find_ink(picture, ruled=True)[300:][(picture[300:, :, 0] < 100)] > 127).mean() > 0.9
