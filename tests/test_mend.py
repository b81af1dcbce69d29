"""mend: strokes that broke are whole again, and what is whole stays as it is."""

import cv2
import numpy as np
import pytest

from inkdigits import read
from inkdigits.mend import mend

SHAPES = {
    "7": [[(0, 0), (50, 2), (22, 80)]],
    "4": [[(30, 0), (0, 50), (60, 48)], [(42, 18), (38, 82)]],
    "0": [[(round(28 + 26 * np.cos(t)), round(40 + 40 * np.sin(t))) for t in np.linspace(0, 2 * np.pi, 40)]],
    "3": [[(2, 8), (25, 0), (46, 14), (38, 34), (20, 38), (42, 46), (50, 64), (34, 80), (6, 76)]],
}


def written(text="7403"):
    ink = np.zeros((300, 700), np.uint8)
    for i, digit in enumerate(text):
        for stroke in SHAPES[digit]:
            cv2.polylines(ink, [np.add(stroke, (90 + 110 * i, 110)).astype(np.int32)], False, 255, 4, cv2.LINE_AA)
    return ink


def broken(ink):
    """The same as a scan in black and white leaves a faint pencil: with gaps twice as wide as its strokes."""
    scraps = ink.copy()
    rng = np.random.default_rng(1)
    rows, columns = np.nonzero(ink > 127)
    for at in rng.choice(len(rows), 50, replace=False):
        cv2.circle(scraps, (int(columns[at]), int(rows[at])), 4, 0, cv2.FILLED)
    return scraps


def count(ink):
    return cv2.connectedComponents((ink > 127).astype(np.uint8), connectivity=8)[0] - 1


def test_broken_strokes_are_whole_again():
    whole = written()
    scraps = broken(whole)
    assert count(scraps) > 4 * count(whole)
    mended = mend(scraps)
    assert count(mended) < 0.35 * count(scraps)
    assert (mended >= scraps).all()


@pytest.mark.parametrize("ink", [written(), np.zeros((50, 70), np.uint8), np.full((9, 9), 255, np.uint8)])
def test_what_is_whole_is_left_alone(ink):
    assert mend(ink) is None


def test_a_scan_of_faint_pencil_in_black_and_white_is_read():
    scan = np.where(broken(written()) > 127, 0, 255).astype(np.uint8)
    assert read(scan, threshold=0).text == "7403"
