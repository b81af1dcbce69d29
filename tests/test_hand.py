"""hand: a digit that is not surely read is read as the hand wrote it that wrote the rest of the page."""

import numpy as np
import pytest

from inkdigits import mnist
from inkdigits.assemble import Item, Readings
from inkdigits.hand import compare_within
from inkdigits.records import Box
from inkdigits.segment import Candidate, Line

(GLYPHS, LABELS), _ = mnist.load_data()


def drawn(value, how=0):
    """One digit of MNIST's, the same for the same `how`."""
    return GLYPHS[np.flatnonzero(value == LABELS)[how]]


def page_of(*digits):
    """A page of one line of (glyph, {value: how likely})."""
    box = Box(0, 0, 20, 20)
    candidates = tuple(Candidate(k, k + 1, np.full((20, 20), 255, np.uint8), box, 0.0) for k in range(len(digits)))
    probabilities = np.zeros((len(digits), 10), np.float32)
    for k, (_, said) in enumerate(digits):
        probabilities[k, list(said)] = list(said.values())
    readings = Readings(probabilities, probabilities.max(1), None, np.stack([glyph for glyph, _ in digits]))
    return [(Line((), candidates, 20.0), [Item(k, "digit", box) for k in range(len(digits))], readings)]


def after(read):
    return compare_within(read)[0][2]


def test_a_doubtful_digit_goes_with_those_that_it_resembles():
    seven, bar = drawn(7), drawn(1)
    doubtful = (seven, {1: 0.55, 7: 0.45})
    for sure, other in ((7, 1), (1, 7)):  # the same shape, on pages where it is plainly the one and plainly the other
        page = page_of((seven, {sure: 1.0}), (seven, {sure: 1.0}), (bar if sure == 7 else drawn(7, 5), {other: 1.0}), doubtful)
        assert after(page).probabilities[3].argmax() == sure
        assert after(page).confidence[3] > 0.65


def test_what_resembles_none_of_its_kind_becomes_less_sure():
    page = page_of((drawn(0), {0: 1.0}), (drawn(0, 3), {0: 1.0}), (drawn(1), {0: 0.6, 6: 0.4}))
    assert after(page).probabilities[2, 0] < 0.3


def test_what_a_page_is_full_of_is_likelier():
    sheet = page_of(*[(drawn(3, how), {3: 1.0}) for how in range(40)], (drawn(5), {3: 0.5, 5: 0.5}))
    few = page_of(*[(drawn(3, how), {3: 1.0}) for how in range(2)], (drawn(5), {3: 0.5, 5: 0.5}))
    assert after(sheet).probabilities[-1, 3] > after(few).probabilities[-1, 3]


def test_sure_digits_and_pages_without_any_stay_as_they_are():
    sure = page_of((drawn(7), {7: 0.99}), (drawn(1), {1: 0.97}))
    assert compare_within(sure) is sure
    lost = page_of((drawn(7), {7: 0.5, 1: 0.5}), (drawn(7), {7: 0.6, 1: 0.4}))
    assert compare_within(lost) is lost
    assert compare_within([]) == []


def test_nothing_is_lost_and_nothing_of_the_page_itself_changed():
    page = page_of((drawn(7), {7: 1.0}), (drawn(7, 1), {1: 0.6, 7: 0.4}))
    before = page[0][2].probabilities.copy()
    found = after(page)
    assert (page[0][2].probabilities == before).all()
    assert found.probabilities[1].sum() == pytest.approx(1, abs=1e-5) and found.confidence[1] == found.probabilities[1].max()
    assert (found.probabilities[0] == before[0]).all()
