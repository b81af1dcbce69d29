"""The ink of one piece comes in; the pieces it falls into when it is cut where two digits may touch come out.

Where digits touch, little ink stands in the way of somebody who walks down between them, a step to the left or right a row. The ways that
meet the least ink are found all at once, for every column they may end in, and the best that stand well apart are cuts.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

Ink = NDArray[np.uint8]

WIDE = 0.72  # a piece wider than this many of its heights may be more than one digit
APART = 0.14  # heights: cuts are no nearer to each other or to the end
SAME = 0.45  # heights: nearer than this, two cuts through one level stroke are one
HILL = 0.05  # heights: more ink than this between two cuts parts them
MOST_EACH = 4.0  # cuts in a piece as wide as high; in wider ones more
THIN = 0.34  # heights: who meets more ink than this cuts no joint
SIDEWAYS = 0.25  # a step to the side costs as much as this many pixels of ink
ROWS = 48  # a piece is walked through at this height


def cut(ink: Ink, height: float) -> list[Ink]:
    """Return the parts of `ink` between its cuts, from left to right, each uint8 of its shape; `ink` alone where it is not cut.

    Args:
        ink: uint8 of shape (height, width), one piece, cropped.
        height: usual height of the line, pixels.
    """
    tall = max(float(ink.shape[0]), 0.7 * height)
    if ink.shape[1] < WIDE * tall:
        return [ink]
    scale = min(1.0, ROWS / tall)
    size = (max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale)))
    small = cv2.resize(ink, size, interpolation=cv2.INTER_AREA) if scale < 1 else ink
    ways = _ways(small, tall * scale)
    if not ways:
        return [ink]
    rows = np.minimum((np.arange(ink.shape[0]) * scale).astype(int), len(small) - 1)
    stops = [np.zeros(len(rows)), *(way[rows] / scale for way in ways), np.full(len(rows), ink.shape[1])]
    columns = np.arange(ink.shape[1])
    return [
        np.where((columns >= left[:, None]) & (columns < np.maximum(left, right)[:, None]), ink, 0).astype(np.uint8)
        for left, right in pairwise(np.maximum.accumulate(stops))
    ]


def _ways(small: Ink, tall: float) -> list[NDArray[np.int64]]:
    """Return for each cut the column at which it passes each row, from left to right."""
    height, width = small.shape
    toll = small.astype(np.float32) / 255 + 0.004  # the shorter way of two through paper
    totals = np.full((height, width + 2), np.inf)  # what the cheapest way to each pixel has met, with walls to the left and right
    totals[0, 1:-1] = toll[0]
    for y in range(1, height):
        before = totals[y - 1]
        totals[y, 1:-1] = np.minimum(np.minimum(before[:-2], before[2:]) + SIDEWAYS, before[1:-1]) + toll[y]
    total = totals[-1, 1:-1]
    ways = _back(totals)
    most = round(MOST_EACH * max(1.0, width / tall))
    kept: list[tuple[int, float, NDArray[np.int64]]] = []
    for x in map(int, np.argsort(total, kind="stable")):
        if total[x] > THIN * tall or len(kept) == most:
            break
        way = ways[:, x]
        middle = float(way.mean())
        inside = APART * tall <= middle <= width - APART * tall
        if inside and all(_are_apart(abs(middle - m) / tall, total[min(x, e) : max(x, e) + 1] / tall) for e, m, _ in kept):
            kept.append((x, middle, way))
    return [way for _, _, way in sorted(kept, key=lambda k: k[1])]


def _are_apart(distance: float, between: NDArray[np.float64]) -> bool:
    """Tell whether two cuts, `distance` heights apart, are two: there is a hill of ink between them, or much room."""
    hill = float(between.max() - max(between[0], between[-1]))
    return distance >= SAME or (distance >= APART and hill > HILL)


def _back(totals: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return for every column the cheapest way that ends in it, from the top row down: of shape (height, width)."""
    left, straight, right = totals[:-1, :-2] + SIDEWAYS, totals[:-1, 1:-1], totals[:-1, 2:] + SIDEWAYS
    came = np.where(left < straight, np.where(left < right, -1, 1), np.where(right < straight, 1, 0))
    ways = np.empty((len(totals), totals.shape[1] - 2), np.int64)
    ways[-1] = np.arange(totals.shape[1] - 2)
    for y in range(len(ways) - 1, 0, -1):
        ways[y - 1] = ways[y] + came[y - 1, ways[y]]
    return ways
