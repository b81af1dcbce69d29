"""spacing: where a number ends and the next begins, by the gaps of the line and of the page."""

import numpy as np
import pytest
from rows import lengths, rows_of

from inkdigits import Reader
from inkdigits.records import Box
from inkdigits.spacing import APART, NARROWEST, find_break, gaps_of, wide_gap


def test_gaps_are_told_in_heights():
    assert gaps_of([Box(0, 0, 20, 40), Box(30, 0, 20, 40), Box(45, 0, 20, 40)], 40).tolist() == [0.25, -0.125]
    assert gaps_of([Box(0, 0, 20, 40)], 40).shape == (0,)


@pytest.mark.parametrize(
    ("page", "expected"),
    [([], 0.85), ([0.9], 0.85), ([0.2, 0.2, 1.4], 0.75), ([0.35] * 4, 0.85), ([0.7] * 4, 1.4), ([0.8] * 4, APART), ([2.0] * 9, APART)],
)
def test_what_counts_as_a_wide_gap(page, expected):
    assert wide_gap(np.array(page)) == pytest.approx(expected)


def test_gaps_of_two_sizes_are_parted_between_these():
    within = [0.1, 0.12, 0.15, 0.18, 0.2, 0.2]
    assert find_break(np.array([*within, 0.5, 0.5, 0.6])) == pytest.approx(0.35)
    assert find_break(np.array([*within, 0.35, 0.38, 0.4])) == NARROWEST  # halfway is 0.275
    assert find_break(np.array([0.0, 0.0, 0.01, 0.02, 0.02, 0.2, 0.2, 0.2])) == NARROWEST


@pytest.mark.parametrize("more", [[], [0.5], [0.5, 0.6], [0.25, 0.3, 0.35, 0.4], [0.27, 0.27, 0.27]])
def test_few_wide_gaps_and_gaps_of_all_sizes_show_no_break(more):
    assert find_break(np.array([0.1, 0.12, 0.15, 0.18, 0.2, 0.2, *more])) == np.inf


def test_evenly_ruled_squares_are_no_two_sizes():
    assert find_break(np.array([0.33, 0.35, 0.35, 0.36, 0.36, 0.37, 0.5, 0.5, 0.5])) == np.inf


@pytest.mark.parametrize("within, between", [(0.1, 0.45), (0.1, 0.6), (0.2, 0.8), (0.3, 1.1), (0.1, 1.4), (0.5, 2.0)])
def test_numbers_a_word_apart_are_read_apart(within, between):
    written = "4872 352 63|92 4065 287|7 83 24 5 90"
    page, _ = rows_of(written, within, between)
    assert lengths(Reader.load().read(page).text) == lengths(written)


@pytest.mark.parametrize("between", [1.6, 2.0, 3.0])
def test_single_digits_far_apart_are_numbers_of_their_own(between):
    written = "7 2 5|3 0 4|8 9 6"
    assert lengths(Reader.load().read(rows_of(written, 0.1, between)[0]).text) == lengths(written)


@pytest.mark.parametrize("within", [0.1, 0.3, 0.6, 0.9])
def test_digits_evenly_apart_are_one_number(within):
    written = "48723|92065|70834"
    assert lengths(Reader.load().read(rows_of(written, within, 3.0)[0]).text) == lengths(written)
