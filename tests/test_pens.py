"""pens: a number is written with one pen, and what stands close to it in another colour is none of its digits."""

import cv2
import numpy as np
import pytest

from inkdigits import Reader
from inkdigits.synthetic import Hands, make_page

RED, BLUE, BLACK, GREEN = (200, 40, 50), (40, 60, 170), (30, 30, 35), (20, 120, 60)


def written(seed, colour):
    """A page in one colour of ink, and its truth."""
    hands = Hands(split="validation", strokes=0.0)
    image, truth = make_page("2071 438|5566 912", seed=seed, hands=hands, dirt="clean", size=(1000, 640))
    grey = np.asarray(image).min(2).astype(np.float32)[:, :, None] / 255
    light = grey if grey.mean() > 0.5 else 1 - grey
    return (light * 250 + (1 - light) * np.float32(colour)).astype(np.uint8), truth


def ticked(image, truth, colour):
    """The picture with a slanting stroke, as high as a digit, close behind the first number."""
    last = truth.numbers[0].digits[-1].box
    x, y = last.x + last.width + last.height // 3, last.y
    return cv2.line(image.copy(), (x + 6, y), (x, y + last.height), colour, max(3, last.height // 14), cv2.LINE_AA)


def read(image):
    return Reader.load().read(image).text.split()


@pytest.mark.parametrize(("own", "other"), [(BLUE, RED), (BLACK, RED), (BLUE, GREEN), (RED, BLUE)])
@pytest.mark.parametrize("seed", [1, 2, 3, 5])
def test_a_tick_in_another_colour_is_no_digit_of_the_number_before_it(seed, own, other):
    image, truth = written(seed, own)
    before, after = read(image), read(ticked(image, truth, other))
    assert after[0] == before[0] and after[1] == "?" and after[2:] == before[1:]


def test_in_the_same_colour_it_may_be_one():
    image, truth = written(1, BLUE)
    assert len(read(ticked(image, truth, BLUE))[0]) == len(read(image)[0]) + 1


@pytest.mark.parametrize("seed", range(3))
def test_shadow_and_compression_make_no_two_pens_of_one(seed):
    image, _ = written(seed, BLUE)
    shade = np.linspace(1, 0.4, image.shape[1])[None, :, None] * np.float32([1, 0.97, 0.9])
    photo = cv2.imdecode(cv2.imencode(".jpg", (image * shade).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 40])[1], cv2.IMREAD_COLOR)
    assert [len(n) for n in read(photo)] == [len(n) for n in read(image)]
