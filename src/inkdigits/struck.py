"""A piece of ink comes in; whether it is several digits that one stroke was drawn through comes out.

The network that tells digits from dirt knows a digit struck out by itself. Of a number that one long stroke crosses, it sees digits with a
bar each, and a 7 may have such.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Ink = NDArray[np.uint8]

WIDE, TALL = 1.5, 2.0  # heights of a digit: what is less wide is not several of them; what is taller is no line of them
LARGEST = 64.0  # pixels of a digit's height
STRAIGHT = 0.6  # heights that a stroke runs straight, somewhere; the bars and hats of digits are shorter
SLOPES = (-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3)
ACROSS = 0.9  # of the piece's width that the stroke spans
# heights at either end where nothing but the stroke is; how thick it is there, in times as thick as usual, and in heights
FREE, THICK, THICKEST = 0.1, 1.8, 0.5
CROSSED, CUT = 2, 0.12  # digits that are seen above it, and below; heights of what is seen of them, at least


def is_struck(ink: Ink, height: float) -> bool:
    """Tell whether one stroke with free ends crosses all of a piece of ink, and two digits or more.

    Args:
        ink: uint8, cropped to the piece.
        height: of a digit there, in pixels.
    """
    if ink.shape[1] < WIDE * height or ink.shape[0] > TALL * height:
        return False
    if height > LARGEST:  # it is seen as well from farther off, and sooner
        size = (max(1, round(side * LARGEST / height)) for side in ink.shape[::-1])
        ink, height = np.asarray(cv2.resize(ink, tuple(size), interpolation=cv2.INTER_AREA), np.uint8), LARGEST
    wide = ink.shape[1]
    mask = (ink > 127).astype(np.uint8)
    ends = max(2, round(FREE * height))
    tallest = max(_spans(mask[:, :ends]), _spans(mask[:, -ends:]))
    if tallest > THICKEST * height:
        return False
    level = _level_strokes(mask, round(STRAIGHT * height))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(level)
    for n in np.flatnonzero(stats[1:, cv2.CC_STAT_WIDTH] >= ACROSS * wide) + 1:
        stroke = (labels == n).astype(np.uint8)
        thick = float(np.median(stroke.sum(0)[stroke.any(0)]))
        if tallest <= THICK * thick + 1 and _crosses(mask, stroke, CUT * height):
            return True
    return False


def _level_strokes(mask: Ink, length: int) -> Ink:
    """Return what lies in nearly level strokes at least so many pixels long."""
    found = np.zeros_like(mask)
    for slope in SLOPES:
        rise = round(slope * length)
        kernel = np.zeros((abs(rise) + 1, length), np.uint8)
        cv2.line(kernel, (0, max(0, -rise)), (length - 1, max(0, rise)), 1)
        found |= cv2.morphologyEx(mask, cv2.MORPH_OPEN, kernel)
    return found


def _spans(end: Ink) -> int:
    """Return how many rows lie between the uppermost ink of a column and the lowest, in the tallest of some columns."""
    inked = end.any(0)
    return int((len(end) - end[::-1].argmax(0) - end.argmax(0))[inked].max(initial=0))


def _crosses(mask: Ink, stroke: Ink, least: float) -> bool:
    """Tell whether digits are seen above a stroke, and below."""
    rest = mask * (1 - cv2.dilate(stroke, np.ones((3, 3), np.uint8)))
    _, _, stats, centres = cv2.connectedComponentsWithStats(rest)
    seen = stats[1:, cv2.CC_STAT_HEIGHT] >= least
    middle = np.array([float(np.flatnonzero(column).mean()) if column.any() else np.nan for column in stroke.T])
    middle = np.interp(np.arange(len(middle)), np.flatnonzero(~np.isnan(middle)), middle[~np.isnan(middle)])
    below = centres[1:, 1] > middle[np.round(centres[1:, 0]).astype(int)] if len(seen) else np.zeros(0, bool)
    return bool((seen & below).sum() >= CROSSED and (seen & ~below).sum() >= CROSSED)
