"""lines: boxes in, lines in reading order out."""

import numpy as np
import pytest

from inkdigits.lines import find_lines, parted


def row(x, y, n, step=30, slope=0.0, height=40):
    return [(x + i * step, round(y + slope * i * step), 20, height) for i in range(n)]


def test_nothing_gives_nothing():
    assert find_lines(np.zeros((0, 4), np.int64)) == []


@pytest.mark.parametrize("slope", [0.0, 0.12, -0.2])
def test_lines_are_told_apart_and_read_from_the_left(slope):
    boxes = row(0, 200, 6, slope=slope) + row(10, 290, 5, slope=slope)
    shuffled = np.random.default_rng(0).permutation(len(boxes))
    lines = find_lines(np.array(boxes)[shuffled])
    assert [[int(shuffled[i]) for i in line] for line in lines] == [list(range(6)), list(range(6, 11))]


def test_a_wide_gap_does_not_end_a_line():
    (line,) = find_lines(np.array(row(0, 0, 3) + row(500, 4, 3)))
    assert line == list(range(6))


def test_a_bent_line_is_one():
    boxes = [(30 * i, round(60 * np.sin(i / 6)), 20, 40) for i in range(16)]
    assert len(find_lines(np.array(boxes))) == 1


def test_a_digit_alone_is_a_line():
    assert find_lines(np.array([(5, 5, 20, 40)])) == [[0]]


def test_every_piece_stands_in_one_line():
    rng = np.random.default_rng(0)
    boxes = np.stack([rng.integers(0, 3000, 800), rng.integers(0, 3000, 800), np.full(800, 20), rng.integers(15, 60, 800)], 1)
    assert sorted(i for line in find_lines(boxes) for i in line) == list(range(800))


def test_a_small_digit_that_was_stepped_over_stands_between_its_neighbours():
    boxes = [(296, 457, 69, 83), (376, 440, 84, 105), (467, 481, 24, 64), (500, 456, 58, 79), (574, 438, 80, 91)]
    assert find_lines(np.array(boxes)) == [list(range(5))]


def test_a_line_goes_on_through_a_digit_in_two_pieces_that_lie_one_above_the_other():
    before, after = [(219, 633, 23, 36), (251, 641, 29, 38)], [(357, 633, 32, 36), (402, 629, 40, 42), (451, 619, 42, 50)]
    five = [(307, 656, 37, 19), (310, 635, 26, 19)]
    assert [sorted(line) for line in find_lines(np.array([*before, *five, *after]))] == [list(range(7))]


def test_across_a_gap_a_steep_line_goes_on_and_not_the_one_below():
    upper = [(426, 951, 49, 32), (483, 938, 27, 33), (517, 925, 30, 41), (553, 919, 46, 35), (609, 907, 25, 36), (642, 897, 38, 39)]
    upper += [(777, 865, 44, 37), (828, 856, 27, 34), (863, 846, 44, 35)]
    lower = [(492, 984, 33, 34), (532, 975, 28, 34), (566, 965, 30, 38), (602, 957, 29, 37), (637, 949, 36, 36), (767, 919, 35, 36)]
    lower += [(806, 910, 30, 36)]
    assert find_lines(np.array(upper + lower)) == [list(range(9)), list(range(9, 16))]


def test_print_and_what_is_written_behind_it_are_parts_of_one_line():
    boxes = np.array(row(0, 20, 6, step=12, height=18) + row(120, 0, 4, height=44) + row(400, 20, 3, step=12, height=18))
    boxes[:6, 2] = boxes[10:, 2] = 10
    assert parted(boxes, list(range(13))) == [list(range(6)), list(range(6, 10)), [10, 11, 12]]


@pytest.mark.parametrize("behind", [row(300, 0, 3, height=50), row(85, 0, 3, step=12, height=20), row(150, 20, 2, height=20), []])
def test_what_is_about_as_large_or_as_near_as_an_exponent_or_no_word_is_no_part(behind):
    boxes = np.array(row(0, 0, 3) + behind)
    assert parted(boxes, list(range(len(boxes)))) == [list(range(len(boxes)))]


@pytest.mark.parametrize("drop", [5, 10])
def test_letters_behind_numbers_do_not_tilt_the_page(drop):
    def words(x, y):  # two digits and a unit, whose letters are lower, or hang lower
        return [*row(x, y, 2), (x + 75, y + 10, 30, 30), (x + 110, y + drop, 20, 40 if drop == 10 else 30)]

    lines = find_lines(np.array([box for y in (100, 200, 300) for x in (50, 600) for box in words(x, y)]))
    assert lines == [list(range(k, k + 8)) for k in (0, 8, 16)]
