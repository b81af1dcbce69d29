"""Gaps between neighbours of a line and those of the whole page come in; which of them begin a new number comes out."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .records import Box

WIDE, MORE, EVEN = 0.75, 0.5, 2.0  # heights; heights more than usual; times as wide as usual: all of these a gap has to be
APART = 1.5  # heights: room for two digits, which parts any
FEWEST, UNKNOWN = 3, 0.35  # gaps: fewer do not tell what is usual, which then is taken to be so many heights
CLOSE, ENOUGH = 0.25, 5  # of a page's gaps, and so many, are within numbers at least
CLEAR, FURTHER, WIDER, NARROWEST = 0.08, 0.8, 1.5, 0.3  # see `find_break`: in heights, but for the two in the middle

Gaps = NDArray[np.float64]


def gaps_of(boxes: list[Box], height: float) -> Gaps:
    """Return the gaps between neighbours of a line, in its heights, of shape (n - 1,)."""
    return np.array([b.x - (a.x + a.width) for a, b in pairwise(boxes)], float) / height


def wide_gap(page: Gaps) -> float:
    """Return the gap, in heights of its line, that begins a new number.

    Where digits stand evenly far apart they are one number, unless there is room for two between them.

    Args:
        page: gaps between neighbours of all of a page's lines, in heights.
    """
    usual = UNKNOWN if len(page) < FEWEST else max(0.0, float(np.quantile(page, 0.3, method="lower")))  # many may lie between numbers
    return min(max(WIDE, usual + MORE, EVEN * usual), APART, find_break(page))


def find_break(page: Gaps) -> float:
    """Return the gap that parts numbers where the page itself shows it, infinity where it does not.

    In print, and in a steady hand, gaps are of two sizes with nothing between them. The narrowest between numbers has to be clearly wider
    than the widest within them: by `CLEAR` and `FURTHER` times what that exceeds the usual, and `WIDER` times as wide.

    Args:
        page: gaps of all of the page's lines, in heights.
    """
    gaps = np.sort(page)
    first = max(ENOUGH, int(CLOSE * len(gaps)))
    widest, room = gaps[first - 1 : -FEWEST], np.diff(gaps)[first - 1 : len(gaps) - FEWEST]
    usual = np.array([np.median(gaps[:k]) for k in range(first, first + len(widest))])
    is_clear = (room >= np.maximum(FURTHER * (widest - usual) + CLEAR, (WIDER - 1) * widest)) & (widest > 0)
    if not is_clear.any():
        return np.inf
    k = int(np.where(is_clear, room, 0).argmax())
    return max(NARROWEST, float(widest[k] + room[k] / 2))
