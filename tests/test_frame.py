"""frame: pictures with margins of one colour in, what lies within these out, and boxes where they were."""

from itertools import product

import cv2
import numpy as np
import pytest

from inkdigits import Reader
from inkdigits.frame import within_frame
from inkdigits.source import Picture, open_image
from inkdigits.synthetic import Hands, make_page


def picture_of(image):
    return Picture(np.ascontiguousarray(image), image.shape[1], image.shape[0])


def photo(height=200, width=300):
    ys, xs = np.mgrid[:height, :width]
    return np.clip(120 + 0.2 * xs + 0.1 * ys + np.random.default_rng(0).normal(0, 4, (height, width)), 0, 200).astype(np.uint8)


@pytest.mark.parametrize(
    ("colour", "margins"), list(product([255, 0, 240], [(40, 40, 50, 50), (80, 60, 0, 0), (0, 0, 30, 90), (50, 0, 0, 0)]))
)
def test_what_lies_within_a_frame_is_found(colour, margins):
    top, bottom, left, right = margins
    inside = photo()
    framed = cv2.copyMakeBorder(inside, top, bottom, left, right, cv2.BORDER_CONSTANT, value=colour)
    within, x, y = within_frame(picture_of(framed))
    assert (x, y) == (left, top)
    assert np.array_equal(within.image, inside)


def test_of_a_large_jpeg_the_same_part_is_seen_from_nearer():
    framed = cv2.copyMakeBorder(cv2.resize(photo(), (2400, 1600)), 240, 160, 320, 320, cv2.BORDER_CONSTANT, value=255)
    data = cv2.imencode(".jpg", framed, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    far = open_image(data, enough=400_000)
    within, x, y = within_frame(far)
    assert abs(x - 320) < 12 and abs(y - 240) < 12
    near = within.closer(4_000_000)
    assert far.scale < near.scale
    assert np.allclose(np.array(near.image.shape) / near.scale, (1600, 2400), atol=24)


def blank_with(draw):
    page = np.full((400, 600), 255, np.uint8)
    draw(page)
    return page


@pytest.mark.parametrize(
    "image",
    [
        photo(),
        np.full((300, 400), 255, np.uint8),
        blank_with(lambda page: cv2.putText(page, "1987", (150, 250), cv2.FONT_HERSHEY_SIMPLEX, 4, 0, 10)),
        blank_with(lambda page: cv2.rectangle(page, (100, 100), (500, 300), 0, 6)),  # a box that somebody drew
        blank_with(lambda page: cv2.line(page, (100, 100), (500, 100), 0, 40)),
        np.zeros((1, 1), np.uint8),
        np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8),
    ],
)
def test_what_has_no_frame_stays_whole(image):
    picture = picture_of(image)
    assert within_frame(picture).picture is picture


def test_nothing_is_cut_off_that_stands_in_a_margin():
    framed = cv2.copyMakeBorder(photo(), 90, 40, 50, 50, cv2.BORDER_CONSTANT, value=255)
    framed[40, 201] = 0  # one pixel
    picture = picture_of(framed)
    within, _, y = within_frame(picture)
    assert within is picture or y <= 40


@pytest.mark.parametrize("single", [False, True])
def test_boxes_are_those_of_the_whole_picture(single):
    text = "7" if single else "2071 438"
    page, _ = make_page(text, seed=1, hands=Hands(split="validation", strokes=0.0), dirt="clean", size=(320, 240) if single else (800, 560))
    page = np.clip(page * 0.8, 0, 210).astype(np.uint8)
    alone = Reader.load().read(page, single=single, threshold=0)
    framed = cv2.copyMakeBorder(page, 100, 150, 60, 30, cv2.BORDER_CONSTANT, value=(255, 255, 255))
    found = Reader.load().read(framed, single=single, threshold=0)
    assert (found.width, found.height) == (page.shape[1] + 90, page.shape[0] + 250)
    assert found.text == alone.text
    for a, b in zip(alone.numbers, found.numbers, strict=True):
        assert np.abs(np.add(a.box, (60, 100, 0, 0)) - b.box).max() <= 2
