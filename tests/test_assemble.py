"""assemble: lattices and what is known of their candidates in, numbers out."""

import numpy as np
import pytest

from inkdigits.assemble import Readings, best_path, numbers_of
from inkdigits.kinds import DIGIT, KINDS, OTHER, PART, SLASH
from inkdigits.records import Box
from inkdigits.segment import Atom, Candidate, Line

SURE = 0.98


def line_of(*boxes, minor=()):
    """Return a line whose atoms stand in `boxes`, with every run of one or two of them as a candidate."""
    atoms = tuple(Atom(np.full((h, w), 255, np.uint8), Box(x, y, w, h), i in minor) for i, (x, y, w, h) in enumerate(boxes))
    spans = [(i, j) for i in range(len(atoms)) for j in (i + 1, i + 2) if j <= len(atoms)]
    candidates = tuple(Candidate(i, j, atoms[i].ink, Box.around(a.box for a in atoms[i:j]), 0.0) for i, j in spans)
    return Line(atoms, candidates, 40.0)


def readings_of(line, taken, confidence=SURE):
    """Return readings in which `taken` says for (start, stop) what stands there: a digit's value or another kind; the rest are parts."""
    n = len(line.candidates)
    kinds = np.full((n, len(KINDS)), 0.001, np.float32)
    probabilities = np.full((n, 10), 0.01, np.float32)
    for k, c in enumerate(line.candidates):
        what = taken.get((c.start, c.stop), "part")
        kinds[k, DIGIT if isinstance(what, int) else KINDS.index(what)] = 1
        probabilities[k, what if isinstance(what, int) else 0] = 0.91
    kinds /= kinds.sum(1, keepdims=True)
    return Readings(probabilities, np.full(n, confidence, np.float32), kinds)


def texts(line, readings, least=0.8):
    return [n.text for n in numbers_of(line, best_path(line, readings), readings, least, 0)]


def test_digits_side_by_side_are_one_number():
    line = line_of((0, 0, 20, 40), (30, 0, 20, 40), (60, 0, 20, 40))
    assert texts(line, readings_of(line, {(0, 1): 4, (1, 2): 0, (2, 3): 7})) == ["407"]


def test_a_wide_gap_starts_another():
    line = line_of((0, 0, 20, 40), (30, 0, 20, 40), (120, 0, 20, 40), (150, 0, 20, 40))
    assert texts(line, readings_of(line, {(0, 1): 4, (1, 2): 0, (2, 3): 7, (3, 4): 7})) == ["40", "77"]


def test_two_digits_far_apart_are_two_numbers():
    line = line_of((0, 0, 20, 40), (80, 0, 20, 40))
    assert texts(line, readings_of(line, {(0, 1): 4, (1, 2): 7})) == ["4", "7"]


def test_two_atoms_that_are_one_digit_are_read_as_one():
    line = line_of((0, 0, 20, 40), (22, 10, 15, 8), minor={1})
    assert texts(line, readings_of(line, {(0, 2): 5})) == ["5"]


@pytest.mark.parametrize("mark", KINDS[1:6])
def test_marks_stand_between_digits(mark):
    line = line_of((0, 0, 20, 40), (24, 34, 5, 5), (34, 0, 20, 40), minor={1})
    (number,) = numbers_of(line, best_path(line, r := readings_of(line, {(0, 1): 3, (1, 2): mark, (2, 3): 5})), r, 0.8, 0)
    assert number.text == f"3{mark}5"
    assert [(m.after_digit, m.mark) for m in number.marks] == [(1, mark)]
    assert number.confidence == pytest.approx(np.prod([d.confidence for d in number.digits]) * number.marks[0].confidence, abs=1e-4)


def test_a_minus_may_lead_and_a_full_stop_may_not_trail():
    line = line_of((0, 18, 14, 4), (20, 0, 20, 40), (44, 34, 5, 5), minor={0, 2})
    assert texts(line, readings_of(line, {(0, 1): "-", (1, 2): 7, (2, 3): "."})) == ["-7"]


def test_a_mark_that_nobody_vouches_for_is_a_question_mark():
    line = line_of((0, 0, 20, 40), (24, 34, 5, 5), (34, 0, 20, 40), minor={1})
    readings = readings_of(line, {(0, 1): 3, (1, 2): ".", (2, 3): 5})
    k = next(k for k, c in enumerate(line.candidates) if (c.start, c.stop) == (1, 2))
    readings.kinds[k] = 0
    readings.kinds[k, KINDS.index(".")], readings.kinds[k, KINDS.index(",")] = 0.55, 0.45
    assert texts(line, readings) == ["3?5"]
    assert texts(line, readings, least=0) == ["3.5"]


def test_digits_are_not_joined_across_what_may_be_a_mark():
    line = line_of((0, 0, 20, 40), (24, 34, 5, 5), (34, 0, 20, 40), minor={1})
    readings = readings_of(line, {(0, 1): 3, (1, 2): "other", (2, 3): 5})
    assert texts(line, readings) == ["35"]
    k = next(k for k, c in enumerate(line.candidates) if (c.start, c.stop) == (1, 2))
    readings.kinds[k, OTHER], readings.kinds[k, KINDS.index(".")] = 0.8, 0.2
    assert texts(line, readings) == ["3?5"]


def test_digits_are_not_joined_across_a_mark_that_was_taken_for_a_part_of_one():
    line = line_of((0, 0, 20, 40), (24, 34, 5, 5), (34, 0, 20, 40), minor={1})
    readings = readings_of(line, {(0, 1): 3, (1, 2): ".", (2, 3): "part", (1, 3): 5})
    assert texts(line, readings) == ["3?5"]
    assert texts(line, readings, least=0) == ["35"]


@pytest.mark.parametrize(("gaps", "expected"), [((40, 8), ["0.5"]), ((60, 8), ["0", "5"]), ((40, 40), ["0", "5"])])
def test_a_mark_that_leads_a_digit_belongs_to_the_number_before_it(gaps, expected):
    line = line_of((0, 0, 20, 40), (20 + gaps[0], 34, 5, 5), (25 + sum(gaps), 0, 20, 40), minor={1})
    assert texts(line, readings_of(line, {(0, 1): 0, (1, 2): ".", (2, 3): 5})) == expected


def seven_and(kind, digit, box=(30, 0, 20, 40)):
    """Return a 7 and beside it what is a digit with this chance, a 1, and else of this kind."""
    line = line_of((0, 0, 20, 40), box)
    readings = readings_of(line, {(0, 1): 7, (1, 2): 1})
    last = next(k for k, c in enumerate(line.candidates) if (c.start, c.stop) == (1, 2))
    readings.kinds[last] = 0
    readings.kinds[last, [DIGIT, kind]] = digit, 1 - digit
    return line, readings


@pytest.mark.parametrize(("digit", "expected"), [(0.3, ["7?"]), (0.05, ["7"])])
def test_a_slash_that_ends_a_number_is_a_doubtful_1_or_nothing(digit, expected):
    assert texts(*seven_and(SLASH, digit)) == expected


CLOSE, FARTHER, LOW = (30, 0, 20, 40), (45, 0, 20, 40), (30, 20, 20, 20)


@pytest.mark.parametrize(
    ("digit", "box", "expected"),
    [(0.4, FARTHER, ["7?"]), (0.2, FARTHER, ["7"]), (0.2, CLOSE, ["7?"]), (0.2, LOW, ["7"]), (0.04, CLOSE, ["7"])],
)
def test_what_is_left_out_and_may_be_a_digit_is_a_question_mark(digit, box, expected):
    assert texts(*seven_and(OTHER, digit, box)) == expected
    assert texts(*seven_and(OTHER, digit, box), least=0) == ["7"]


@pytest.mark.parametrize(
    ("kind", "box", "expected"), [("part", CLOSE, ["7?"]), ("part", FARTHER, ["7"]), ("part", LOW, ["7"]), ("other", CLOSE, ["7"])]
)
def test_two_digits_that_were_not_cut_are_a_question_mark(kind, box, expected):
    line = line_of((0, 0, 20, 40), box)
    readings = readings_of(line, {(0, 1): 7, (1, 2): kind})
    readings.kinds[:, OTHER] += 0.01  # it is left out
    assert texts(line, readings) == expected


@pytest.mark.parametrize(("height", "expected"), [(40, ["7?"]), (20, ["7"])])
def test_what_is_tall_and_hardly_a_mark_is_a_question_mark_at_the_end_too(height, expected):
    line = line_of((0, 0, 20, 40), (50, 0, 60, height))
    readings = readings_of(line, {(0, 1): 7, (1, 2): "part"})
    readings.kinds[:, [OTHER, DIGIT]] *= [0.01, 1]
    assert texts(line, readings) == expected


@pytest.mark.parametrize(("slash", "expected"), [(0.95, ["7/7"]), (0.85, ["7?7"])])
def test_what_may_be_a_1_is_no_slash(slash, expected):
    line = line_of((0, 0, 20, 40), (30, 0, 10, 40), (50, 0, 20, 40))
    readings = readings_of(line, {(0, 1): 7, (1, 2): 1, (2, 3): 7})
    k = next(k for k, c in enumerate(line.candidates) if (c.start, c.stop) == (1, 2))
    readings.kinds[k] = 0
    readings.kinds[k, [SLASH, DIGIT]] = slash, 1 - slash
    assert texts(line, readings) == expected
    assert texts(line, readings, least=0) == ["7/7"]


def test_what_is_struck_out_is_a_question_mark():
    line = line_of((0, 0, 20, 40), (30, 0, 20, 40))
    assert texts(line, readings_of(line, {(0, 1): 4, (1, 2): "struck"})) == ["4?"]


def test_letters_and_dirt_are_left_out():
    line = line_of((0, 0, 20, 40), (30, 0, 20, 40))
    assert texts(line, readings_of(line, {(0, 1): "other", (1, 2): "other"})) == []


def test_a_digit_below_the_threshold_is_a_question_mark_with_its_best_guess_first():
    line = line_of((0, 0, 20, 40))
    readings = readings_of(line, {(0, 1): 6}, confidence=0.7)
    (number,) = numbers_of(line, best_path(line, readings), readings, 0.8, 0)
    assert (number.text, number.digits[0].value, number.digits[0].alternatives[0][0]) == ("?", None, 6)
    assert texts(line, readings, least=0) == ["6"]


def test_a_part_is_not_left_out_for_nothing():
    line = line_of((0, 0, 20, 40), (18, 10, 20, 8), minor={1})
    readings = readings_of(line, {(0, 1): 1, (1, 2): "part", (0, 2): 7}, confidence=0.9)
    assert readings.kinds[0, PART] < 0.01
    assert texts(line, readings) == ["7"]
