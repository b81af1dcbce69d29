"""A shrunk grey picture comes in; where the sheet of paper lies in it comes out, when it lies on something much darker."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

LEAST, MOST = 0.06, 0.95  # share of the picture that a sheet takes
DARKER = 0.5  # what surrounds a sheet is at most this bright against it: darker than a shadow makes paper
SOLID = 0.9  # share of its convex hull that a sheet fills
MARGIN = 0.012  # of the longer side: the sheet's own edge is no ink


def find_sheet(small: NDArray[np.uint8]) -> NDArray[np.bool_] | None:
    """Return the mask of the sheet, bool of the shape of `small`, or None where the whole picture is to be looked at.

    Args:
        small: grey picture, uint8 of shape (height, width), a few hundred pixels wide.
    """
    quiet = cv2.GaussianBlur(small, (0, 0), 2)
    level, _ = cv2.threshold(quiet, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    for factor in (1.0, 1.15, 1.3, 0.85):  # something bright beside the sheet may touch it at one level and not at another
        inside = _solid(quiet, min(250.0, factor * level))
        if inside is not None and np.median(small[~inside]) <= DARKER * np.median(small[inside]):
            edge = max(2, round(MARGIN * max(small.shape)))
            kernel = np.ones((2 * edge + 1, 2 * edge + 1), np.uint8)
            # what lies beyond the picture is taken for sheet: only the sheet's own edge is trimmed
            kept = cv2.erode(inside.astype(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=1)
            return np.asarray(kept > 0)
    return None


def _solid(quiet: NDArray[np.uint8], level: float) -> NDArray[np.bool_] | None:
    """Return the largest stretch brighter than `level`, holes filled, where it is of a sheet's size and has no bays."""
    bright = cv2.morphologyEx((quiet > level).astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    outlines, _ = cv2.findContours(bright, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not outlines:
        return None
    outline = max(outlines, key=cv2.contourArea)
    hull = cv2.convexHull(outline)
    if cv2.contourArea(outline) < SOLID * cv2.contourArea(hull):
        return None
    inside = cv2.drawContours(np.zeros_like(bright), [outline], -1, 1, cv2.FILLED) > 0
    return np.asarray(inside) if LEAST <= inside.mean() <= MOST else None
