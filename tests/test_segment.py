"""segment: what on a page may be a digit."""

import cv2
import numpy as np

from inkdigits.segment import segment


def test_the_dots_of_dotted_paper_are_no_marks():
    rng = np.random.default_rng(0)
    ink = np.zeros((600, 800), np.uint8)
    for y in range(20, 600, 30):
        for x in range(20, 800, 30):
            cv2.circle(ink, (x + int(rng.integers(-1, 2)), y), 1, 255, -1)
    for x in (304, 345):
        cv2.line(ink, (x, 250), (x, 290), 255, 4)
    cv2.circle(ink, (325, 286), 2, 255, -1)  # a decimal point among them
    (line,) = segment(ink)
    assert len(line.atoms) == 3


def test_digits_in_rows_and_columns_are_no_dots():
    ink = np.zeros((600, 800), np.uint8)
    for y in range(30, 570, 60):
        for x in range(30, 770, 40):
            cv2.ellipse(ink, (x, y), (9, 16), 0, 0, 360, 255, 3)
    assert sum(len(line.atoms) for line in segment(ink)) == 9 * 19
