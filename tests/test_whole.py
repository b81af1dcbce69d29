"""whole: a number is less sure where it may be half of one."""

from dataclasses import replace

import numpy as np
import pytest

from inkdigits.assemble import Readings, number_alone
from inkdigits.records import Box
from inkdigits.segment import Atom, Line
from inkdigits.wanted import Wanted
from inkdigits.whole import FAR, Beside, look_beside, measure, trusted


def number_at(x, width=20, confidence=0.99):
    reading = np.full((1, 10), (1 - confidence) / 9, np.float32)
    reading[0, 3] = confidence
    return number_alone(Box(x, 0, width, 30), Readings(reading, np.array([confidence], np.float32)), 0.0, Wanted())


def line_of(*boxes):
    return Line([Atom(np.zeros((b.height, b.width), np.uint8), b) for b in boxes], [], 30)


def test_what_stands_beside_is_measured_in_heights():
    line = line_of(Box(0, 0, 20, 30), Box(30, 10, 10, 15), Box(80, 0, 20, 30), Box(400, 0, 20, 30))
    numbers = [number_at(0), number_at(80), number_at(400)]
    assert look_beside(line, numbers) == [Beside(2.0, 0.5), Beside(2.0, 0.5), Beside(FAR, 0.0)]
    assert look_beside(line_of(), []) == []


def test_what_may_be_half_a_number_is_less_sure():
    numbers = [number_at(0), number_at(200)]
    alone = Beside(FAR, 0.0)
    whole, _ = trusted(numbers, [alone, alone])
    for beside in (Beside(FAR, 0.8), Beside(0.7, 0.0)):
        half, other = trusted(numbers, [beside, alone])
        assert half.confidence < whole.confidence == other.confidence
        assert replace(half, confidence=0) == replace(numbers[0], confidence=0)  # nothing else changes
    unsure = trusted([*numbers, number_at(300, confidence=0.3)], [alone] * 3)
    assert unsure[0].confidence < whole.confidence
    assert all(0 < n.confidence < 1 for n in unsure)


def test_no_answer_stays_at_nothing():
    none = replace(number_at(0), confidence=0.0)
    assert trusted([none], [Beside(FAR, 0.0)]) == [none]
    assert trusted([], []) == []


def test_signs():
    (row,) = measure([number_at(0, confidence=0.9)], [Beside(1.0, 0.5)])
    assert row == pytest.approx([np.log(9), 1.0, 0.5, np.log(9), 0.0], abs=1e-3)
