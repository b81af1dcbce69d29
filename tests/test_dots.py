"""dots: the ink of dotted paper in, the same without its dots out."""

import cv2
import numpy as np
import pytest

from inkdigits import Reader
from inkdigits.components import Components
from inkdigits.dots import find_dots
from inkdigits.segment import segment
from inkdigits.synthetic import Hands, make_page


def dotted(pitch, radius, jitter=1, shape=(600, 800)):
    rng = np.random.default_rng(0)
    ink = np.zeros(shape, np.uint8)
    for y in range(20, shape[0], pitch):
        for x in range(20, shape[1], pitch):
            cv2.circle(ink, (x + int(rng.integers(-jitter, jitter + 1)), y), radius, 255, -1)
    return ink


def remove_dots(ink):
    pieces = Components.of(ink)
    return pieces.without(find_dots(pieces))


@pytest.mark.parametrize(("pitch", "radius"), [(30, 1), (30, 3), (16, 2), (50, 5)])
def test_dots_go(pitch, radius):
    assert not remove_dots(dotted(pitch, radius)).any()


def test_a_decimal_point_among_dots_stays():
    ink = dotted(30, 1)
    for x in (304, 345):
        cv2.line(ink, (x, 250), (x, 290), 255, 4)
    cv2.circle(ink, (325, 286), 2, 255, -1)
    (line,) = segment(remove_dots(ink))
    assert len(line.atoms) == 3


def test_digits_in_rows_and_columns_are_no_dots():
    ink = np.zeros((600, 800), np.uint8)
    for y in range(30, 570, 60):
        for x in range(90, 770, 40):
            cv2.ellipse(ink, (x, y), (9, 16), 0, 0, 360, 255, 3)
    assert remove_dots(ink) is ink
    assert sum(len(line.atoms) for line in segment(ink)) == 9 * 17


@pytest.mark.parametrize("shape", [(0, 0), (1, 1), (40, 40)])
def test_pages_without_dots_stay_as_they_are(shape):
    ink = np.full(shape, 255, np.uint8)
    assert remove_dots(ink) is ink


@pytest.mark.parametrize("seed", range(3))
def test_digits_on_dotted_paper_are_read(seed):
    page, truth = make_page("2071 4385|5566 912", seed=seed, hands=Hands(split="validation", strokes=0.0), dirt="clean", size=(800, 560))
    page = page if page.mean() > 120 else 255 - page
    dots = cv2.GaussianBlur(dotted(22, 2, 0, page.shape[:2]), (0, 0), 0.7).astype(np.float32)
    page = (page * (1 - 0.5 * dots.reshape(*dots.shape, *[1] * (page.ndim - 2)) / 255)).astype(np.uint8)
    found = Reader.load().read(page, threshold=0).text
    right = sum(a == b for a, b in zip(found, truth.text, strict=False))
    assert len(found) <= len(truth.text) + 1 and right >= len(truth.text) - 2


def test_a_dotted_line_to_write_on_goes_and_a_decimal_point_stays():
    ink = np.zeros((300, 700), np.uint8)
    for x in range(60, 640, 14):
        cv2.circle(ink, (x, 200 + x // 60), 2, 255, cv2.FILLED)
    cv2.ellipse(ink, (150, 130), (22, 40), 0, 0, 360, 255, 6)
    cv2.circle(ink, (200, 168), 3, 255, cv2.FILLED)
    cv2.ellipse(ink, (250, 130), (22, 40), 0, 0, 360, 255, 6)
    pieces = Components.of(ink)
    dots = find_dots(pieces)
    assert dots.sum() == len(range(60, 640, 14))
    assert (pieces.boxes[dots, 1] > 195).all()


@pytest.mark.parametrize("width", [5, 15])
def test_what_digits_leave_of_a_dotted_line_goes_with_it(width):
    ink = np.zeros((300, 800), np.uint8)
    cv2.rectangle(ink, (60, 30), (90, 80), 255, 4)  # written elsewhere
    xs = [60 + 24 * k for k in range(28)]
    between = [xs[k] for k in (5, 8, 11)]  # of all that lie under what is written
    for x in xs[:3] + between + xs[14:]:
        cv2.rectangle(ink, (x - width // 2, 198), (x + width // 2, 202), 255, -1)
    for x in between:
        cv2.rectangle(ink, (x + 20, 150), (x + 50, 195), 255, 4)
    cv2.circle(ink, (between[0] - 36, 199), 4, 255, -1)  # a point, out of step and larger
    left = Components.of(remove_dots(ink))
    assert len(left) == 1 + len(between) + 1
    assert left.boxes[left.boxes[:, 3] < 20].tolist() == [[between[0] - 40, 195, 9, 9]]
