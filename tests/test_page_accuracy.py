"""page_accuracy: a reading and the truth in, counts out."""

from dataclasses import replace

import pytest

from inkdigits.page_accuracy import compare, edit_distance, judge, judge_by_text
from inkdigits.records import Box, Digit, Mark, Number, Page


def page(*texts):
    """Return a page with a number a line, digits 20 pixels wide, `x` pixels apart."""
    numbers = []
    for line, text in enumerate(texts):
        digits, marks, x = [], [], 0
        for character in text:
            if character in ".,-/:":
                marks.append(Mark(len(digits), character, 1.0))
            else:
                value = None if character == "?" else int(character)
                alternatives = tuple((v, 0.1) for v in sorted(range(10), key=lambda v: v != value))
                digits.append(Digit(value, 1.0, Box(x, 50 * line, 20, 40), alternatives))
            x += 25
        numbers.append(Number(text, 1.0, line, Box.around(d.box for d in digits), tuple(digits), tuple(marks)))
    return Page(1000, 800, tuple(numbers))


def test_a_perfect_reading():
    counts = compare(page("12", "3.5"), page("12", "3.5"))
    assert counts["numbers_right"] == counts["numbers"] == counts["lines_right"] == 2
    assert (counts["digit_errors"], counts["marks_right"], counts["silent_joins"], counts["marks_false"]) == (0, 1, 0, 0)


@pytest.mark.parametrize(
    ("read", "true", "expected"),
    [
        ("13", "12", {"numbers_wrong": 1, "digit_errors": 1}),
        ("1?", "12", {"numbers_flagged": 1, "numbers_wrong": 0}),
        ("3.5", "3,5", {"numbers_wrong": 1, "marks_right": 0, "marks_false": 1}),
        ("3?", "3?", {"numbers_right": 1, "numbers_flagged": 0}),
    ],
)
def test_what_is_counted(read, true, expected):
    counts = compare(page(read), page(true))
    assert {k: counts[k] for k in expected} == expected


def test_a_join_across_a_mark_is_silent_only_where_nothing_is_asked():
    true = page("3.5")
    left, right = true.numbers[0].digits
    joined = replace(true.numbers[0], text="35", marks=())
    assert compare(replace(true, numbers=(joined,)), true)["silent_joins"] == 1
    asked = replace(joined, text="3?", digits=(left, replace(right, value=None)))
    assert compare(replace(true, numbers=(asked,)), true)["silent_joins"] == 0


def test_what_stands_nowhere_is_false_and_what_was_not_read_is_missed():
    counts = compare(page("12"), Page(1000, 800))
    assert (counts["numbers_false"], counts["digits"]) == (1, 0)
    assert compare(Page(1000, 800), page("12"))["numbers_missed"] == 1


def test_edit_distance():
    assert [edit_distance(a, b) for a, b in (("", ""), ("12", ""), ("123", "13"), ("12", "21"))] == [0, 2, 1, 2]


def test_digits_and_numbers_are_judged_by_their_places():
    read = page("12", "3.5", "77")
    digits, numbers = judge(read, page("13", "3.5"))
    assert [right for _, right in digits] == [True, False, True, True, False, False]
    assert [right for _, right in numbers] == [False, True, False]
    assert judge(page("1?"), page("12")) == ([(1.0, True)], [])


@pytest.mark.parametrize(
    ("read", "text", "digits", "numbers"),
    [
        (("12", "34"), "12|34", "1111", "11"),
        (("12", "34"), "12|35", "1110", "10"),
        (("12", "34"), "34", "0011", "01"),  # what is not written is wrong
        (("34",), "12 34", "11", "1"),  # what was missed is no answer
        (("1?", "4"), "12 4", "11", "1"),
        (("1.5",), "15", "11", "0"),
        (("1",), "", "0", "0"),
    ],
)
def test_digits_and_numbers_are_judged_by_a_text(read, text, digits, numbers):
    found = judge_by_text(page(*read), text)
    assert ["".join(str(int(right)) for _, right in part) for part in found] == [digits, numbers]
