"""The ink of one piece comes in; where digits that touch may be parted comes out."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

WIDE = 0.95  # a piece wider than this many of its heights may be more than one digit
APART = 0.16  # heights: cuts are no nearer to each other or to the end
MOST = 6  # cuts in one piece
THIN = 0.22  # heights: ink in a column of more than this is no joint


def cut_positions(ink: NDArray[np.uint8], height: float) -> list[int]:
    """Return the columns at which `ink` may be cut, from left to right; an empty list for what is no wider than a digit.

    Digits touch where little ink stands in a column: the thinnest columns are cut, well apart from each other.

    Args:
        ink: uint8 of shape (height, width), one piece, cropped.
        height: usual height of the line, pixels.
    """
    tall = max(float(ink.shape[0]), 0.7 * height)
    width = ink.shape[1]
    if width < WIDE * tall:
        return []
    column = (ink > 0).sum(0).astype(np.float32)
    smooth = cv2.GaussianBlur(column[None], (0, 0), max(0.6, 0.02 * tall))[0]
    apart = max(2, round(APART * tall))
    cuts: list[int] = []
    for x in np.argsort(smooth, kind="stable"):
        if smooth[x] > THIN * tall or len(cuts) == MOST:
            break
        if apart <= x <= width - apart and all(abs(int(x) - c) >= apart for c in cuts):
            cuts.append(int(x))
    return sorted(cuts)
