"""second_look: doubtful digits of a page are looked at again by themselves, and two opinions pooled into one."""

import numpy as np
import pytest

from inkdigits import Classifier
from inkdigits import second_look as module
from inkdigits.assemble import Readings, best_path
from inkdigits.classify import DIGITS
from inkdigits.glyph import make_glyphs
from inkdigits.ink import find_ink
from inkdigits.kinds import default_kinds, reading_of
from inkdigits.records import Box
from inkdigits.second_look import DOUBTFUL, look_again, opinion, pooled
from inkdigits.segment import segment
from inkdigits.surroundings import show_surroundings
from inkdigits.synthetic import Hands, make_labelled_page


def says(digit, confidence):
    reading = np.full(DIGITS, 0.02 * confidence / (DIGITS - 1), np.float32)
    reading[digit] = 0.98 * confidence
    return reading


def test_two_that_agree_are_surer_than_each():
    both = pooled(says(7, 0.8), says(7, 0.85))
    assert both.argmax() == 7 and both[7] > 0.9
    assert both.sum() == pytest.approx(1, abs=1e-5)


def test_two_that_disagree_leave_a_doubt_and_the_surer_ahead():
    both = pooled(says(7, 0.9), says(1, 0.99))
    assert both.argmax() == 1 and both[1] < 0.9 and both[7] > 0.05


def test_who_sees_no_digit_makes_the_other_less_sure():
    nothing = np.full(DIGITS, 0.001, np.float32)
    assert 0.3 < pooled(says(4, 0.9), nothing)[4] < 0.9
    assert pooled(nothing, nothing).max() < 0.2
    assert np.allclose(pooled(says(4, 0.9), nothing), pooled(nothing, says(4, 0.9)), atol=1e-6)


def test_there_is_no_opinion_of_nothing():
    assert opinion([], Classifier.load()) is None


def read_page(seed, dirt):
    picture, _, characters = make_labelled_page(
        "2071 438|915 60|7734 21", seed=seed, hands=Hands(split="validation", strokes=0.0), dirt=dirt, touching=0.2, size=(800, 600)
    )
    ink = find_ink(picture, ruled=True)
    read = []
    for line in segment(ink):
        glyphs = make_glyphs(c.ink for c in line.candidates)
        kinds, values = default_kinds().classify(show_surroundings([line], ink), reading_of(*Classifier.load().classify(glyphs)))
        readings = Readings(values, values.max(1, initial=0), kinds, glyphs)
        read.append((line, best_path(line, readings), readings))
    return picture, read, characters


def right(read, characters):
    """How many of the page's digits have a reading in their place, and the right one."""
    count = 0
    for _, items, readings in read:
        for item in items:
            x, y, w, h = item.box
            for character, (left, top, wide, high) in characters:
                near = abs(x + w / 2 - left - wide / 2) < 0.3 * wide + 2 and abs(y + h / 2 - top - high / 2) < 0.3 * high + 2
                count += near and character.isdigit() and int(readings.probabilities[item.candidate].argmax()) == int(character)
    return count


def test_doubtful_digits_are_read_better_and_sure_ones_left_alone():
    before = after = changed = 0
    for seed in range(48):
        picture, read, characters = read_page(seed, "heavy")
        again = look_again(picture, read, Classifier.load())
        before, after = before + right(read, characters), after + right(again, characters)
        for (_, items, old), (_, same, new) in zip(read, again, strict=True):
            assert items == same
            for item in items:
                k = item.candidate
                is_same = np.array_equal(old.probabilities[k], new.probabilities[k])
                changed += not is_same
                assert is_same or old.answer_confidence(k) < DOUBTFUL
                assert new.probabilities[k].sum() == pytest.approx(1, abs=1e-4)
    assert changed > 8
    assert after >= before + 1


def test_a_neighbour_is_no_second_opinion():
    assert module._is_same(Box(0, 0, 20, 40), Box(3, 2, 18, 36))
    assert module._is_same(Box(0, 0, 20, 120), Box(2, 70, 18, 40))  # the digit without the specks above it
    assert not module._is_same(Box(0, 0, 20, 40), Box(15, 0, 30, 40))


def test_a_page_full_of_doubt_is_left_as_it_is(monkeypatch):
    picture, read, _ = read_page(1, "medium")
    monkeypatch.setattr(module, "MOST", 0)
    assert look_again(picture, read, Classifier.load()) is read
