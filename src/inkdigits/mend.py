"""Ink whose strokes are broken comes in; the same with the gaps closed comes out: a faint pencil on a scan in black and white, a dry pen.

Whether that reads better only reading can tell: digits that stand near to each other grow together, too.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .components import label

Ink = NDArray[np.uint8]

THICK = 90  # percentile of the depths of ink that tells how thick strokes are: only their middles are so deep, and blots are few
GAP, WIDEST = 3.0, 25  # times as wide as a stroke is thick, and pixels: the gaps that are closed
CRUMB = 4  # pixels: what has no more is none of a stroke
JOINED = 0.8  # so large a share of the pieces is left, or less: else strokes are hardly broken


def mend(ink: Ink) -> Ink | None:
    """Return `ink`, uint8 of shape (height, width), with the gaps of its strokes closed, None where there are few."""
    full = (ink > 127).astype(np.uint8)
    if not full.any():
        return None
    depths = cv2.distanceTransform(full, cv2.DIST_L2, 3)
    thick = 2 * float(np.percentile(depths[full > 0], THICK)) - 1
    wide = min(round(GAP * thick), WIDEST) | 1
    closed = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (wide, wide)))
    return closed if _pieces(closed) <= JOINED * _pieces(ink) else None


def _pieces(ink: Ink) -> int:
    return int((label(ink > 0)[2][1:, cv2.CC_STAT_AREA] > CRUMB).sum())
