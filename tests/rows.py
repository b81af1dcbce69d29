"""Rows of numbers in MNIST's hands come out, with as much paper between digits and between numbers as is wanted."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from inkdigits import mnist

TALL, PITCH, LEFT = 60, 110, 70  # pixels: of a digit, from row to row, of the margin


@lru_cache
def cut_out(digit: int, which: int) -> NDArray[np.uint8]:
    """Return one of MNIST's training digits, `TALL` pixels high, ink bright, without paper about it."""
    (x, y), _ = mnist.load_data()
    glyph = cv2.resize(x[np.flatnonzero(y == digit)[which]], (112, 112), interpolation=cv2.INTER_CUBIC)
    left, top, width, height = cv2.boundingRect((glyph > 90).astype(np.uint8))
    part = glyph[top : top + height, left : left + width]
    return np.asarray(cv2.resize(part, (max(8, round(width * TALL / height)), TALL), interpolation=cv2.INTER_AREA), np.uint8)


def rows_of(text: str, within: float, between: float) -> tuple[NDArray[np.uint8], float]:
    """Return a grey page of rows parted by `|` of numbers parted by blanks, and the middle of the gap after the first number of each row.

    `within` and `between` are the gaps of digits and of numbers, in heights of a digit. The first numbers end in one column.
    """
    written = [row.split() for row in text.split("|")]
    rows = [[[cut_out(int(c), 5 + k + 7 * n) for k, c in enumerate(number)] for n, number in enumerate(row)] for row in written]
    widths = [[sum(d.shape[1] for d in number) + within * TALL * (len(number) - 1) for number in row] for row in rows]
    first = max(row[0] for row in widths)
    page = np.full((PITCH * (len(rows) + 1), 1400), 240, np.uint8)
    for r, (row, wide) in enumerate(zip(rows, widths, strict=True)):
        x, top = LEFT + first - wide[0], PITCH * r + 60
        for number in row:
            for digit in number:
                part = page[top : top + TALL, round(x) : round(x) + digit.shape[1]]
                np.minimum(part, 240 - (digit * 0.8).astype(np.uint8), out=part)
                x += digit.shape[1] + within * TALL
            x += (between - within) * TALL
    return page, LEFT + first + between * TALL / 2


def lengths(text: str) -> list[list[int]]:
    """Return how many digits the numbers of each row have."""
    return [[len(number) for number in row.split()] for row in text.replace("|", "\n").split("\n")]
