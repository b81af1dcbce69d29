"""A small grey picture comes in; where labels stick on something darker or lighter comes out: nothing beside them is paper.

A label is small, full and straight or round along its edge, and holds strokes and nothing else. What is written in light on a dark board
has no such strokes in it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

SMALLEST, LARGEST = 14, 0.45  # pixels of its shorter side; of the picture that all of them cover
FULL, FILLS, ROUND = 0.95, 0.88, 0.04  # of its convex hull; of the rectangle about it; by so much of that a lid differs from pi / 4
LEAST_INK, MOST_INK = 0.01, 0.5  # of it is covered with strokes
THICKEST = 0.3  # of its shorter side: the strokes in it are thinner, what a 0 encloses is not
MOSTLY = 0.8  # of all that is as light is such labels: else it is paper, or dirt
STEP, LEVELS = 25, 2  # grey levels by which they are lighter than what they stick on, which may itself be lighter than the writing
MOST = 400  # pieces: more are dirt

Mask = NDArray[np.bool_]


def find_labels(small: NDArray[np.uint8]) -> Mask | None:
    """Return where labels are, without their edges, bool of the picture's shape; None where there are none.

    Args:
        small: uint8 of shape (height, width).
    """
    for picture in (small, np.asarray(255 - small, np.uint8)):
        above = 0
        for _ in range(LEVELS):
            rest = picture[picture >= above]
            if rest.max() - above < STEP:
                break
            above = 1 + int(cv2.threshold(rest, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0])
            labels = _labels_among(picture, (picture >= above).astype(np.uint8))
            if labels is not None:
                return labels
    return None


def _labels_among(picture: NDArray[np.uint8], light: NDArray[np.uint8]) -> Mask | None:
    """Return the labels among light pieces of a picture, without their edges."""
    outlines, _ = cv2.findContours(light, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not 0 < len(outlines) <= MOST:
        return None
    whole = np.zeros_like(light)
    for outline in outlines:
        if _is_shaped(outline):
            piece = np.zeros_like(light)
            cv2.drawContours(piece, [outline], -1, 1, cv2.FILLED)
            if _holds_strokes(light, piece, min(cv2.minAreaRect(outline)[1])) and _has_edge(picture, piece):
                whole |= piece
    if not 0 < whole.mean() < LARGEST or (light & whole).sum() < MOSTLY * light.sum():
        return None
    return np.asarray(cv2.erode(whole, np.ones((3, 3), np.uint8), borderValue=0) > 0)


def _is_shaped(outline: NDArray[np.int32]) -> bool:
    """Tell whether an outline is that of a label."""
    area, sides = cv2.contourArea(outline), cv2.minAreaRect(outline)[1]
    fills = area / max(1.0, sides[0] * sides[1])
    full = area >= FULL * cv2.contourArea(cv2.convexHull(outline))
    return min(sides) >= SMALLEST and full and (fills >= FILLS or abs(fills - np.pi / 4) < ROUND)


def _has_edge(picture: NDArray[np.uint8], piece: NDArray[np.uint8]) -> bool:
    """Tell whether a piece of ground ends at once, as light and shadow do not."""
    within, beyond = cv2.erode(piece, np.ones((3, 3), np.uint8), borderValue=1), cv2.dilate(piece, np.ones((3, 3), np.uint8))
    inner = within - cv2.erode(within, np.ones((3, 3), np.uint8), borderValue=1)
    outer = cv2.dilate(beyond, np.ones((3, 3), np.uint8)) - beyond
    return bool(outer.any() and inner.any() and np.median(picture[inner > 0]) - np.median(picture[outer > 0]) >= STEP)


def _holds_strokes(light: NDArray[np.uint8], piece: NDArray[np.uint8], side: float) -> bool:
    """Tell whether what is dark within a piece of ground is strokes."""
    x, y, width, height = cv2.boundingRect(piece)
    within = np.s_[y : y + height, x : x + width]
    dark = np.asarray(piece[within] & ~light[within] & 1, np.uint8)
    thickness = 2 * float(cv2.distanceTransform(np.pad(dark, 1), cv2.DIST_L2, 3).max())
    return LEAST_INK < dark.sum() / piece.sum() < MOST_INK and thickness < THICKEST * side
