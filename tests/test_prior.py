"""prior: readings of a page in, the same with how common dirt is on that page out."""

import numpy as np
import pytest
from test_assemble import line_of, readings_of

from inkdigits.assemble import Readings
from inkdigits.kinds import DIGIT, KINDS, OTHER, PART, SLASH
from inkdigits.prior import SELDOM, SELDOM_HANGS, settle

COMMA = KINDS.index(",")


def page_of(what, count=12):
    """Return a page of `count` single pieces of which all are `what`, and one more of which nobody can say."""
    boxes = [(60 * i, 0, 20, 40) for i in range(count + 1)]
    line = line_of(*boxes)
    readings = readings_of(line, {(i, i + 1): what for i in range(count)} | {(count, count + 1): 1})
    doubtful = next(k for k, c in enumerate(line.candidates) if (c.start, c.stop) == (count, count + 1))
    readings.kinds[doubtful] = 0.001
    readings.kinds[doubtful, [DIGIT, OTHER]] = 0.7, 0.3
    return line, readings, doubtful


def test_among_digits_what_is_doubtful_is_a_digit_and_among_letters_it_is_not():
    line, readings, k = page_of(4)
    ((_, among_digits),) = settle([(line, readings)])
    line, readings, k = page_of("other")
    ((_, among_letters),) = settle([(line, readings)])
    assert among_digits.kinds[k, DIGIT] > 0.85
    assert among_letters.kinds[k, DIGIT] < 0.5
    for settled in (among_digits, among_letters):
        assert np.allclose(settled.kinds.sum(1), 1, atol=1e-5)


def test_a_page_with_little_on_it_stays_as_it_was():
    line, readings, k = page_of(4, count=0)
    ((_, settled),) = settle([(line, readings)])
    assert settled.kinds[k, DIGIT] == pytest.approx(0.7, abs=0.06)


def test_what_came_in_is_not_changed_and_the_reading_of_digits_stays():
    line, readings, _ = page_of("other")
    before = readings.kinds.copy()
    ((same, settled),) = settle([(line, readings)])
    assert same is line
    assert np.array_equal(readings.kinds, before)
    assert settled.probabilities is readings.probabilities
    assert settled.kinds.shape == (len(line.candidates), len(KINDS))


def test_where_nothing_but_digits_was_asked_nothing_changes():
    line, readings, _ = page_of(4)
    plain = Readings(readings.probabilities, readings.confidence)
    assert settle([(line, plain)]) == [(line, plain)]
    assert settle([]) == []


@pytest.mark.parametrize(("others", "expected"), [(0, SELDOM), (1, 1.0)])
def test_a_slash_is_doubted_where_there_is_no_other(others, expected):
    line = line_of(*((60 * i, 0, 20, 40) for i in range(3 + 2 * others)))
    readings = readings_of(line, {(i, i + 1): "/" if i % 2 else 4 for i in range(len(line.atoms))})
    k = next(k for k, c in enumerate(line.candidates) if (c.start, c.stop) == (1, 2))
    readings.kinds[k] = 0.001
    readings.kinds[k, [DIGIT, SLASH]] = 0.3, 0.7
    ((_, settled),) = settle([(line, readings)])
    before, after = (r.kinds[k, SLASH] / r.kinds[k, DIGIT] for r in (readings, settled))
    assert after / before == pytest.approx(expected, abs=0.02)


def test_beside_digits_letters_are_no_commoner_than_elsewhere():
    count = 12
    boxes = [(60 * i, 0, 20, 40) for i in range(count)] + [(60 * count + step, 0, 20, 40) for step in (0, 30, 60)]
    line = line_of(*boxes)
    readings = readings_of(line, {(i, i + 1): "other" for i in range(count)} | {(count + i, count + i + 1): 4 for i in range(3)})
    doubtful = next(k for k, c in enumerate(line.candidates) if (c.start, c.stop) == (count + 1, count + 2))
    readings.kinds[doubtful] = 0.001
    readings.kinds[doubtful, [DIGIT, OTHER]] = 0.7, 0.3
    ((_, settled),) = settle([(line, readings)])
    assert settled.kinds[doubtful, DIGIT] == pytest.approx(0.7, abs=0.06)


@pytest.mark.parametrize(("box", "factor"), [((33, 28, 10, 24), SELDOM_HANGS), ((33, 14, 10, 24), 1.0), ((33, 28, 10, 14), 1.0)])
def test_a_small_piece_that_begins_at_the_foot_of_its_neighbours_and_ends_below_is_no_digit(box, factor):
    line = line_of((0, 0, 20, 40), box, (60, 0, 20, 40), minor={1})
    readings = readings_of(line, {(0, 1): 7, (1, 2): 1, (2, 3): 7})
    spans = [(c.start, c.stop) for c in line.candidates]
    readings.kinds[spans.index((1, 2))] = 0.001
    readings.kinds[spans.index((1, 2)), [DIGIT, COMMA]] = 0.5, 0.5
    ((_, settled),) = settle([(line, readings)])
    for span, other in (((1, 2), COMMA), ((1, 3), PART)):  # alone, and as a part of the digit beside it
        k = spans.index(span)
        before, after = (r.kinds[k, DIGIT] / r.kinds[k, other] for r in (readings, settled))
        assert after / before == pytest.approx(factor, rel=0.02)


def test_what_hangs_below_a_digit_may_be_its_tail():
    line = line_of((0, 0, 20, 40), (30, 0, 20, 32), (34, 34, 10, 18), (60, 0, 20, 40), minor={2})
    readings = readings_of(line, {(0, 1): 7, (1, 3): 9, (3, 4): 7})
    ((_, settled),) = settle([(line, readings)])
    k = [(c.start, c.stop) for c in line.candidates].index((1, 3))
    assert settled.kinds[k, DIGIT] > 0.98
