"""The pieces of a page's ink come in; which of them are the dots of dotted paper, or of a dotted line to write on, comes out."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .components import Components

SPECK = 4  # pixels: what has no more is dropped anyway
LARGEST = 1.2  # a dot is no larger than most pieces, which are dots
FEWEST, MOST = 30, 4000  # dots of a page
TINY = 0.25  # of the way from one to the next: digits in rows and columns are larger
ROUND, FULL, LESS_TINY = 0.7, 0.5, 0.5  # what is as round and as full of ink as no digit is may be larger, too
NEAREST = 12  # neighbours of a piece that are looked at
ROW, APART, EVEN = 8, (1.1, 6.0), 0.3  # dots of a dotted line; how far from each other, in their sizes; how unevenly, as a share of that

OFF_LINE, LIKE, DASH = 0.35, 1.35, 1.8  # of its height, how far off lies what goes on with it; how unlike in size it is; times as wide
LONGEST, LOW = 0.5, 0.15  # of the size of what is large on the page: dashes are no longer, and no higher
FARTHEST, OUT_OF_STEP, DRIFT = 14, 0.15, 0.01  # steps to the next of its dots; how far out of step that is, and more for every step


def find_dots(pieces: Components) -> NDArray[np.bool_]:
    """Tell which pieces, bool of shape (n,), are small, alike, and stand in rows and columns, or many of them in one row.

    A speck that stands out of line, as a decimal point does, is none.
    """
    dots = np.zeros(len(pieces), bool)
    seen = np.flatnonzero(pieces.areas > SPECK)
    dots[seen] = _are_dots(pieces.boxes[seen, 2:].astype(float), pieces.areas[seen], pieces.centres[seen])
    return dots | _in_a_row(pieces)


def _in_a_row(pieces: Components) -> NDArray[np.bool_]:
    """Tell which pieces, bool of shape (n,), are small, alike, and stand evenly one beside the other, `ROW` of them or more."""
    found = np.zeros(len(pieces), bool)
    if not len(pieces):
        return found
    sizes, (w, h) = pieces.boxes[:, 2:].max(1), pieces.boxes[:, 2:].T
    large = np.quantile(sizes, 0.95)
    dash = (w > DASH * h) & (w < LONGEST * large) & (h < LOW * large)
    small = np.flatnonzero((dash | (sizes < TINY * large)) & (pieces.areas > 1))
    if not ROW <= len(small) <= MOST:
        return found
    small = small[pieces.centres[small, 0].argsort()]
    x, y = pieces.centres[small].T
    ends: dict[int, list[int]] = {}  # of every row, by its last dot
    for n, size in enumerate(sizes[small]):
        first = int(np.searchsorted(x, x[n] - APART[1] * size))
        before = [m for m in range(first, n) if abs(y[n] - y[m]) < 0.5 * size and x[n] - x[m] > APART[0] * size]
        last = max((m for m in before if m in ends), key=lambda m: len(ends[m]), default=None)
        ends[n] = [*(ends.pop(last) if last is not None else []), n]
    for row in (part for whole in ends.values() for part in _without_gaps(whole, x)):
        steps = np.diff(x[row])
        if len(row) >= ROW and steps.std() < EVEN * steps.mean():
            found[small[_gone_on_with(row, x, y, pieces.boxes[small, 2:])]] = True
    return found


def _without_gaps(row: list[int], x: NDArray[np.float64]) -> list[list[int]]:
    """Return a row in parts, parted where it goes on farther off than usual."""
    steps = np.diff(x[row])
    if not len(steps):
        return [row]
    far = np.flatnonzero(steps > (1 + 2 * EVEN) * np.median(steps)) + 1
    return [part.tolist() for part in np.split(np.array(row), far)]


def _gone_on_with(row: list[int], x: NDArray[np.float64], y: NDArray[np.float64], sizes: NDArray[np.int64]) -> list[int]:
    """Return a row of dots, or dashes, and those that go on with it where digits hide some: as large, on its line, and in step.

    Args:
        row: which of the small pieces, from left to right.
        x: their middles, of shape (n,), ascending.
        y: likewise.
        sizes: their widths and heights, of shape (n, 2).
    """
    step, (wide, high) = float(np.median(np.diff(x[row]))), np.median(sizes[row], axis=0)
    slope, begin = np.polyfit(x[row], y[row], 1)
    like = (np.abs(np.log(sizes / (wide, high))) < np.log(LIKE)).all(1)
    slack = OUT_OF_STEP
    if wide > DASH * high:  # of which a digit may hide a part
        like = (sizes[:, 0] < LIKE * wide) & (np.abs(np.log(sizes[:, 1] / high)) < np.log(LIKE))
        slack += wide / step / 2
    on_line = like & (np.abs(begin + slope * x - y) < OFF_LINE * high)
    for way, end in ((-1, row[0]), (1, row[-1])):
        near = x[end]
        for n in np.flatnonzero(on_line & (way * (x - near) > 0))[::way].tolist():
            steps = abs(x[n] - near) / step
            if steps > FARTHEST:
                break
            if abs(steps - round(steps)) < slack + DRIFT * steps:
                row = [*row, n]
                near = x[n] if sizes[n, 0] * LIKE > wide else near  # half a dash is out of step
    return row


def _are_dots(sizes: NDArray[np.float64], area: NDArray[np.int64], centres: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which pieces are dots, by their widths and heights, of shape (n, 2), areas, and centres, of shape (n, 2)."""
    dots = np.zeros(len(sizes), bool)
    w, h = sizes.T
    if len(sizes) < FEWEST:
        return dots
    small = np.flatnonzero(np.maximum(w, h) < LARGEST * np.sqrt(np.median(w * h) + 1))
    if not FEWEST <= len(small) <= MOST:
        return dots
    w, h, area = w[small], h[small], area[small]
    nearest, steps = _neighbours(centres[small])
    far = np.abs(steps).max(2)
    pitch = float(np.median(far[:, 0]))
    at_pitch = np.abs(far - pitch) < 0.2 * pitch
    in_line = at_pitch & (np.abs(steps).min(2) < 0.25 * pitch)
    sure = in_line.sum(1) >= 2
    is_round = np.median(np.minimum(w, h) / np.maximum(w, h)) > ROUND and np.median(area / (w * h)) > FULL
    if sure.sum() >= FEWEST and at_pitch.any(1).mean() > 0.5 and np.median(np.maximum(w, h)) < (LESS_TINY if is_round else TINY) * pitch:
        dots[small] = sure | (in_line & sure[nearest]).any(1)  # others of its neighbours may be hidden under strokes
    return dots


def _neighbours(centres: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the nearest pieces of each, of shape (n, k), the nearest first, and the way to them, of shape (n, k, 2)."""
    points = centres.astype(np.float32)
    _, nearest = cv2.batchDistance(points, points, cv2.CV_32F, normType=cv2.NORM_L2, K=NEAREST + 1)
    nearest = nearest[:, 1:].astype(np.int64)  # the nearest of all is itself
    return nearest, centres[nearest] - centres[:, None]
