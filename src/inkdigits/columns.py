"""Items of a line and the picture they stand in come in; where a rule of a table parts the next one from those before comes out.

The rule itself is no ink any more. What marks it, beside being straight and thin, is that it goes on above and below the line, and
that there is no other so near that squares or boxes for single digits would be ruled.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from .assemble import Item
from .records import Box
from .segment import Line
from .spacing import APART

NARROWEST = 0.25  # heights: digits so close together stand in one cell
BEYOND = 0.35  # heights by which a rule goes on above and below the digits beside it
THICKEST = 0.3  # heights: a rule is thinner
WHOLE, PARTLY = 0.8, 0.6  # of its rows are seen, at least, where level ones cross it less; and of others near it
STEEPEST, SLOPES = 0.06, 7  # a rule is as upright as that, and so many slopes are tried
FAINTEST, CLEARER = 8.0, 4.0  # grey levels that it differs from the paper beside it, and how many times as much as most of that does
SQUARE = 1.6  # heights: rules no farther apart are of squares

Image = NDArray[np.uint8]
Mask = NDArray[np.bool_]


def ruled_off(image: Image, line: Line, items: list[Item]) -> Mask:
    """Tell for each item but the first whether a rule stands between it and the digit before it, of shape (n - 1,).

    Args:
        image: uint8 of shape (height, width) or (height, width, 3).
        line: of the page.
        items: of that line, from left to right; a mark between two cells, such as remains of the rule, is parted from both.
    """
    parted = np.zeros(max(0, len(items) - 1), np.bool_)
    for i, j in pairwise(k for k, item in enumerate(items) if not item.is_mark):
        left, right = items[i].box, items[j].box
        gap = right.x - left.x - left.width
        if NARROWEST * line.height <= gap <= APART * line.height and _stands_between(image, left, right, line.height):
            parted[i:j] = True
    return parted


def _stands_between(image: Image, left: Box, right: Box, height: float) -> bool:
    """Tell whether one rule stands between two digits, and no other near it."""
    top, bottom = min(left.y, right.y), max(left.y + left.height, right.y + right.height)
    first, last = max(0, round(top - BEYOND * height)), round(bottom + BEYOND * height)
    start = max(0, round(left.x + left.width - SQUARE * height))
    crop = image[first:last, start : round(right.x + SQUARE * height)]
    thin = _thin(crop if crop.ndim == 2 else crop.mean(2).astype(np.uint8), height)
    whole, beyond = _upright(thin, WHOLE), _upright(np.concatenate([thin[: top - first], thin[bottom - first :]]), PARTLY)
    between = np.flatnonzero(whole[left.x + left.width - start : right.x - start])
    if not len(between) or np.ptp(between) > THICKEST * height:
        return False
    at = left.x + left.width - start + int(between.mean())
    others = np.flatnonzero(beyond)
    away = np.abs(others - at)
    return not ((away > THICKEST * height) & (away < SQUARE * height)).any()


def _thin(grey: Image, height: float) -> Mask:
    """Return what is thin from left to right and differs from the paper beside it, bool of the same shape."""
    across = np.ones((1, max(3, round(THICKEST * height)) | 1), np.uint8)
    differs = np.maximum(cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, across), cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, across))
    clear = differs > max(FAINTEST, CLEARER * float(np.median(differs)))
    return cv2.dilate(clear.astype(np.uint8), np.ones((1, 3), np.uint8)) > 0


def _upright(thin: Mask, share: float) -> Mask:
    """Tell at which columns, told in the middle row, an upright line stands of which so large a share is seen, bool of shape (width,)."""
    rows, columns = np.indices(thin.shape)
    found = np.zeros(thin.shape[1], np.bool_)
    if not thin.size:
        return found
    for slope in np.linspace(-STEEPEST, STEEPEST, SLOPES):
        leaning = np.clip(columns + np.rint(slope * (rows - thin.shape[0] / 2)).astype(int), 0, thin.shape[1] - 1)
        found |= np.take_along_axis(thin, leaning, 1).mean(0) >= share
    return found
