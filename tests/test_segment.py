"""segment: what on a page may be a digit."""

import cv2
import numpy as np
import pytest
from rows import lengths, rows_of

from inkdigits import Reader
from inkdigits.segment import segment, without_edges


def wired(shapes):
    """A page with a 4 and a column along its left side: `shapes` are drawn into 16 × 16 pixels each, from the top to the bottom."""
    ink = np.zeros((600, 420), np.uint8)
    cv2.putText(ink, "4", (200, 200), cv2.FONT_HERSHEY_SIMPLEX, 2, 255, 6)
    for i, shape in enumerate(shapes):
        shape(ink[20 + 48 * i : 40 + 48 * i, 8:28])
    return ink


def test_the_wire_of_a_notebook_is_no_writing():
    ring = wired([lambda tile: cv2.circle(tile, (10, 10), 7, 255, 3)] * 12)
    assert len(segment(ring)) == 1
    assert len(segment(np.ascontiguousarray(np.rot90(ring)))) == 1


def test_numbered_lines_are_no_wire():
    rows = wired(
        [lambda tile, n=n: cv2.putText(tile, str(n), (3, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 255, 2) for n in (*range(1, 10), 0, 1, 2)]
    )
    assert sum(any(atom.box.x < 40 for atom in line.atoms) for line in segment(rows)) == 12


def test_what_stands_far_above_every_line_is_no_mark():
    ink = np.zeros((300, 400), np.uint8)
    for x in (100, 150, 200):
        cv2.line(ink, (x, 150), (x, 200), 255, 5)
    for x, y in ((125, 105), (165, 108), (175, 196)):  # two specks 0.8 heights above, a point on the line
        cv2.circle(ink, (x, y), 3, 255, -1)
    (line,) = segment(ink)
    assert [atom.is_minor for atom in line.atoms] == [False, False, True, False]


def test_what_lies_along_the_edge_is_left_out_before_a_picture_is_turned():
    ink = np.zeros((300, 400), np.uint8)
    ink[60:200, 385:400] = 255  # the edge of a desk
    cv2.line(ink, (200, 100), (200, 150), 255, 5)
    cv2.line(ink, (0, 120), (30, 160), 255, 5)  # a digit that is cut off is as wide as one
    left = without_edges(ink, 50.0)
    assert not left[:, 380:].any()
    assert (left[:, :380] == ink[:, :380]).all()


def runs_of(ink):
    (line,) = segment(ink)
    return line, {(c.box.x, c.box.y, c.box.width, c.box.height) for c in line.candidates}


def test_a_wide_5_in_one_stroke_is_a_candidate_whole():
    ink = np.zeros((300, 800), np.uint8)
    for x in (60, 130, 500, 570):
        cv2.ellipse(ink, (x, 140), (22, 40), 0, 0, 360, 255, 8)
    five = np.array([(420, 100), (300, 104), (290, 138), (330, 140), (345, 160), (320, 180), (220, 178)])
    cv2.polylines(ink, [five], False, 255, 8)
    line, runs = runs_of(ink)
    whole = cv2.boundingRect(five)
    assert whole[2] > 2 * line.height
    assert any(np.abs(np.subtract(run, whole)).max() <= 10 for run in runs)


def test_a_digit_whose_line_is_broken_into_small_pieces_is_a_candidate_whole():
    ink = np.zeros((300, 400), np.uint8)
    for x in (60, 130, 270):
        cv2.line(ink, (x, 100), (x, 180), 255, 8)
    for start in range(0, 360, 72):
        cv2.ellipse(ink, (200, 140), (24, 40), 0, start, start + 50, 255, 5)
    line, runs = runs_of(ink)
    assert sum(atom.is_minor for atom in line.atoms) >= 4
    assert any(abs(x - 176) < 8 and abs(y - 100) < 8 and abs(w - 48) < 12 and abs(h - 80) < 12 for x, y, w, h in runs)


def test_a_comma_between_two_lines_belongs_to_the_upper():
    ink = np.zeros((300, 400), np.uint8)
    for y, xs in ((60, (100, 150, 190)), (112, (100, 172, 220))):
        for x in xs:
            cv2.line(ink, (x, y), (x, y + 44), 255, 5)
    cv2.line(ink, (175, 97), (173, 104), 255, 3)
    upper, lower = segment(ink)
    assert [len(upper.atoms), len(lower.atoms)] == [4, 3]


def test_the_hat_of_a_small_5_is_not_taken_for_a_part_of_the_tall_7_above_it():
    ink = np.zeros((400, 400), np.uint8)
    for x in (60, 110, 210):
        cv2.line(ink, (x, 100), (x, 150), 255, 6)
    cv2.polylines(ink, [np.array([(140, 80), (170, 80), (150, 178)])], False, 255, 6)
    cv2.line(ink, (70, 196), (70, 246), 255, 6)
    cv2.ellipse(ink, (110, 240), (16, 16), 0, -110, 160, 255, 6)  # the body of a 5, and its hat that does not touch it
    cv2.line(ink, (112, 215), (140, 201), 255, 5)
    upper, lower = segment(ink)
    assert [len(upper.atoms), len(lower.atoms)] == [4, 3]


def test_a_digit_broken_in_two_halves_is_in_one_line():
    ink = np.zeros((500, 700), np.uint8)
    for x, y in ((100, 60), (150, 60), (200, 60), (550, 300)):
        cv2.line(ink, (x, y), (x, y + 100), 255, 12)
    cv2.polylines(ink, [np.array([(160, 304), (120, 310), (116, 344)])], False, 255, 12)
    cv2.polylines(ink, [np.array([(134, 356), (156, 380), (116, 394)])], False, 255, 12)
    _, line = segment(ink)
    assert any(c.box.height > 95 and c.box.x < 200 for c in line.candidates)


def test_a_dash_of_one_pixel_is_a_piece():
    ink = np.zeros((200, 300), np.uint8)
    cv2.line(ink, (106, 50), (100, 100), 255, 1)
    cv2.line(ink, (70, 75), (86, 75), 255, 1)
    (line,) = segment(ink)
    assert [atom.box.height for atom in line.atoms] == [1, 51]


def test_a_straight_1_is_kept_beside_digits_as_tall_whatever_the_dirt():
    rng = np.random.default_rng(0)
    ink = np.zeros((480, 640), np.uint8)
    for x, y in zip(rng.integers(0, 620, 45), rng.integers(0, 150, 45), strict=True):
        ink[y : y + 12, x : x + 10] = 255
    cv2.line(ink, (60, 200), (60, 340), 255, 8)
    for x in (150, 260, 370):
        cv2.ellipse(ink, (x, 270), (36, 70), 0, 0, 360, 255, 12)
    line = segment(ink)[-1]
    assert [atom.box.height > 130 for atom in line.atoms if atom.box.x < 70] == [True]


def test_a_long_line_beside_small_digits_is_no_1():
    ink = np.zeros((480, 640), np.uint8)
    cv2.line(ink, (60, 120), (60, 260), 255, 5)
    for x in range(150, 350, 40):
        cv2.ellipse(ink, (x, 190), (12, 20), 0, 0, 360, 255, 5)
    assert all(atom.box.x > 100 for line in segment(ink) for atom in line.atoms)


def test_what_is_in_a_corner_of_the_picture_is_a_desk():
    ink = np.zeros((600, 800), np.uint8)
    for x in (300, 350, 400):
        cv2.ellipse(ink, (x, 100), (15, 25), 0, 0, 360, 255, 5)
    cv2.fillPoly(ink, [np.array([[760, 0], [799, 0], [799, 120], [792, 30]])], 255)  # beside a sheet that lies a little askew
    (line,) = segment(ink)
    assert [atom.box.x < 500 for atom in line.atoms] == [True] * 3
    large = cv2.resize(ink[60:140, 282:430], None, fx=3, fy=3)  # a number that fills its picture is in all corners
    assert len(segment(large)[0].atoms) == 3


def test_small_numbers_below_a_very_large_one_are_kept():
    ink = np.zeros((700, 900), np.uint8)
    cv2.putText(ink, "48", (60, 330), cv2.FONT_HERSHEY_SIMPLEX, 12, 255, 50)
    for x, y in ((100, 420), (560, 600)):
        cv2.putText(ink, "173", (x, y), cv2.FONT_HERSHEY_SIMPLEX, 1, 255, 3)
    large, *small = segment(ink)
    assert large.height > 200
    assert [sum(not atom.is_minor for atom in line.atoms) >= 3 for line in small] == [True, True]
    assert all(line.height < 40 for line in small)


def test_crumbs_beside_a_large_digit_make_no_line():
    ink = np.zeros((500, 500), np.uint8)
    cv2.putText(ink, "4", (60, 330), cv2.FONT_HERSHEY_SIMPLEX, 12, 255, 20)
    x, y, width, height = cv2.boundingRect(ink)
    right = x + width + 8
    ink[y + height - 20 : y + height - 6, right : right + 6] = ink[y + height - 20 : y + height - 6, right + 12 : right + 18] = 255
    assert len(segment(ink)) == 1


def test_a_speck_near_a_large_digit_is_dirt_and_a_fine_point_is_none():
    ink = np.zeros((500, 700), np.uint8)
    for x in (100, 350, 550):
        cv2.rectangle(ink, (x, 100), (x + 90, 300), 255, 12)
    ink[340:344, 145:150] = 255
    ink[290:300, 270:280] = 255
    (line,) = segment(ink)
    assert [a.box.height for a in line.atoms if a.is_minor] == [10]


def test_numbers_beside_print_are_told_by_their_own_height():
    ink = np.zeros((300, 900), np.uint8)
    for x in range(30, 150, 20):
        ink[130:150, x : x + 12] = 255
    cv2.putText(ink, "25", (190, 155), cv2.FONT_HERSHEY_SIMPLEX, 2.0, 255, 5)
    label, number = segment(ink)
    assert label.row == number.row == 0
    assert number.height > 1.7 * label.height


@pytest.mark.parametrize("scale", [2.1, 2.4, 2.8])
def test_small_numbers_above_large_ones_are_numbers(scale):
    small, _ = rows_of("487 352 604", 0.1, 4.0)
    large, _ = rows_of("918 275", 0.2, 2.0)
    large = cv2.resize(large[40:140], None, fx=scale, fy=scale)[:, :1400]
    page = np.vstack([np.full((40, 1400), 240, np.uint8), small[40:150], large])
    assert lengths(Reader.load().read(page).text) == [[3, 3, 3], [3, 3]]


@pytest.mark.parametrize(("top", "is_small"), [(194, True), (160, False)])
def test_a_long_stroke_at_the_foot_of_what_stands_beside_it_is_small(top, is_small):
    ink = np.zeros((300, 400), np.uint8)
    for x in (100, 200):
        cv2.rectangle(ink, (x, 150), (x + 30, 210), 255, 5)
    cv2.line(ink, (170, top), (160, 226), 255, 5)
    (line,) = segment(ink)
    assert [atom.is_minor for atom in line.atoms] == [False, is_small, False]
