"""rings: what is ringed is read, and the ring is not; a 0 that holds a dot or a stroke stays a 0."""

import cv2
import numpy as np
import pytest

from inkdigits import Reader, mnist
from inkdigits.components import Components
from inkdigits.rings import find_brackets, find_rings, without_rings
from inkdigits.synthetic import Hands, make_page


def remove_rings(ink):
    pieces = Components.of(ink)
    return pieces.without(find_rings(pieces))


def page_with(draw, shape=(300, 400)):
    ink = np.zeros(shape, np.uint8)
    draw(ink)
    return ink


def four(ink):
    cv2.polylines(ink, [np.array([(190, 120), (170, 165), (225, 165)])], False, 255, 6)
    cv2.line(ink, (208, 130), (206, 195), 255, 6)


@pytest.mark.parametrize("gap", [0, 20])
def test_a_ring_goes_and_what_it_holds_stays(gap):
    held = page_with(four)
    ringed = held.copy()
    cv2.ellipse(ringed, (197, 158), (80, 70), 5, 30, 390 - gap, 255, 5)
    assert np.array_equal(remove_rings(ringed), held)


@pytest.mark.parametrize(
    "inside",
    [
        lambda ink: None,
        lambda ink: cv2.circle(ink, (200, 150), 6, 255, cv2.FILLED),  # a dotted 0
        lambda ink: cv2.line(ink, (185, 185), (218, 110), 255, 6),  # one with a stroke through it
    ],
)
def test_a_zero_stays(inside):
    def zero(ink):
        cv2.ellipse(ink, (200, 150), (55, 90), 0, 0, 360, 255, 7)
        inside(ink)

    ink = page_with(zero)
    assert np.array_equal(remove_rings(ink), ink)


def test_what_is_open_to_one_side_is_no_ring():
    def bracket(ink):
        four(ink)
        cv2.ellipse(ink, (197, 158), (80, 70), 0, 60, 300, 255, 5)

    ink = page_with(bracket)
    assert np.array_equal(remove_rings(ink), ink)


def test_ringed_numbers_of_a_page_are_read():
    reader = Reader.load()
    right = of = 0
    for seed in range(6):
        image, truth = make_page("47 305\n86 29", seed=seed, hands=Hands(split="validation", strokes=0.0), dirt="clean")
        for number in truth.numbers:
            box = number.box
            middle = round(box.x + box.width / 2), round(box.y + box.height / 2)
            axes = round(0.62 * box.width + 0.2 * box.height), round(0.85 * box.height)
            cv2.ellipse(image, middle, axes, 3, 0, 360, (60, 60, 90), max(2, box.height // 16), cv2.LINE_AA)
        found = [n.text for n in reader.read(image, threshold=0).numbers]
        right += sum(n.text in found for n in truth.numbers)
        of += len(truth.numbers)
    assert right > 0.8 * of


def test_a_ringed_digit_is_read_alone():
    (x, y), _ = mnist.load_data()
    reader = Reader.load()
    digits = range(-40, 0)
    right = 0
    for i in digits:
        drawn = 255 - cv2.resize(x[i], (200, 200), interpolation=cv2.INTER_CUBIC)
        picture = cv2.copyMakeBorder(drawn, 60, 60, 60, 60, cv2.BORDER_CONSTANT, value=255)
        cv2.ellipse(picture, (160, 160), (145, 140), 0, 0, 360, 40, 6, cv2.LINE_AA)
        page = reader.read(picture, single=True, threshold=0)
        right += page.numbers[0].digits[0].value == y[i]
    assert right >= 0.95 * len(digits)


@pytest.mark.parametrize("height", [75, 90])
def test_brackets_go_and_what_they_hold_stays(height):
    held = page_with(four)
    bracketed = held.copy()
    for x, begin in ((155, 110), (240, -70)):
        cv2.ellipse(bracketed, (x, 158), (30, height), 0, begin, begin + 140, 255, 4)
    pieces = Components.of(bracketed)
    assert np.array_equal(pieces.without(find_brackets(pieces)), held)


def test_ones_are_no_brackets():
    def ones(ink):
        four(ink)
        cv2.line(ink, (140, 100), (138, 210), 255, 5)
        cv2.line(ink, (260, 100), (256, 210), 255, 5)

    assert not find_brackets(Components.of(page_with(ones))).any()


def test_a_four_and_a_seven_are_no_brackets():
    def digits(ink):
        cv2.line(ink, (200, 130), (200, 190), 255, 6)
        cv2.polylines(ink, [np.array([(152, 114), (145, 160), (160, 158), (158, 112), (174, 215)])], False, 255, 6)
        cv2.polylines(ink, [np.array([(232, 125), (238, 112), (258, 112), (262, 135), (250, 165), (236, 215)])], False, 255, 6)

    assert not find_brackets(Components.of(page_with(digits))).any()


def test_one_bracket_alone_is_none():
    def half(ink):
        four(ink)
        cv2.ellipse(ink, (150, 158), (30, 80), 0, 110, 250, 255, 4)

    assert not find_brackets(Components.of(page_with(half))).any()


@pytest.mark.parametrize("centre", [(197, 158), (186, 158), (197, 170)])
def test_a_ring_that_touches_what_it_holds_leaves_it(centre):
    held = page_with(four)
    ringed = held.copy()
    cv2.ellipse(ringed, centre, (48, 52), 0, 0, 360, 255, 4)
    pieces = Components.of(ringed)
    rings = find_rings(pieces)
    assert rings.any()
    bare = without_rings(pieces, rings, pieces.without(rings))
    inner = cv2.ellipse(np.zeros_like(held), centre, (40, 44), 0, 0, 360, 255, cv2.FILLED) > 0
    assert ((bare > 0) & inner & (held == 0)).sum() == 0
    assert (bare > 0)[inner & (held > 0)].mean() > 0.95
    assert (bare > 0)[(ringed > 0) & (held == 0)].mean() < 0.05


def test_no_digit_is_a_ring_with_something_in_it():
    (x, _), _ = mnist.load_data()
    for glyph in x[:600]:
        ink = cv2.copyMakeBorder(cv2.resize(glyph, (112, 112), interpolation=cv2.INTER_CUBIC), 20, 20, 20, 20, cv2.BORDER_CONSTANT)
        assert not find_rings(Components.of(np.where(ink > 80, ink, 0).astype(np.uint8))).any()


@pytest.mark.parametrize(("bar", "low"), [(5, 20), (12, 12), (20, 8), (28, 20)])
def test_an_eight_that_is_thick_at_its_bar_and_below_is_no_ring(bar, low):
    ink = np.zeros((160, 120), np.uint8)
    cv2.circle(ink, (60, 45), 26, 255, 3)
    cv2.circle(ink, (60, 100), 28, 255, 3)
    cv2.ellipse(ink, (60, 100), (28, 28), 0, 60, 120, 255, low)
    cv2.line(ink, (45, 71), (75, 71), 255, bar)
    assert not find_rings(Components.of(ink)).any()
