"""The numbers of a page, and the ink beside each, come in; the same numbers come out, each as sure as it is likely to be right as a whole.

A number whose digits are all right may be half of one: the other half was left out, or stands beside it as another number. That is
likelier where ink beside it was left out, where its neighbour stands near, where the page reads badly, and where it is shorter than others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .records import Number
from .segment import Line

WEIGHTS = (0.807, 0.649, -4.647, 0.545, 0.482)  # of what `measure` gives, fitted by recipe/calibrate_numbers.py on 8,811 numbers
CONSTANT = -3.577
SUREST = 1e-3  # no log-odds are larger than those of so small a doubt
FAR = 3.0  # heights: what stands as far away is no part of a number

Float = NDArray[np.float64]


class Beside(NamedTuple):
    """What stands beside a number in its line, in heights of the line.

    Attributes:
        gap: paper between it and the nearer of its neighbours, `FAR` where there is none.
        left: height of the tallest ink between it and its neighbours that was left out, 0 where there is none.
    """

    gap: float
    left: float


def look_beside(line: Line, numbers: Sequence[Number]) -> list[Beside]:
    """Return what stands beside each number of one line; they are in reading order."""
    ends = [(n.box.x, n.box.x + n.box.width) for n in numbers]
    seen = []
    for i, (start, stop) in enumerate(ends):
        low = ends[i - 1][1] if i else -math.inf
        high = ends[i + 1][0] if i + 1 < len(ends) else math.inf
        left = (a.box.height for a in line.atoms if low <= _middle(a.box) <= start or stop <= _middle(a.box) <= high)
        gap = min(start - low, high - stop) / line.height
        seen.append(Beside(float(np.clip(gap, 0, FAR)), min(1.0, max(left, default=0) / line.height)))
    return seen


def trusted(numbers: Sequence[Number], beside: Sequence[Beside]) -> list[Number]:
    """Return the numbers of a page, in the confidence of each how likely it is to be whole, too; one without an answer stays at 0."""
    if not numbers:
        return []
    odds = measure(numbers, beside) @ np.array(WEIGHTS) + CONSTANT
    return [replace(n, confidence=round(1 / (1 + math.exp(-o)), 6)) if n.confidence else n for n, o in zip(numbers, odds, strict=True)]


def measure(numbers: Sequence[Number], beside: Sequence[Beside]) -> Float:
    """Return the signs of being right as a whole, of shape (n, 5).

    They are the log-odds of all its digits and marks being right; its gap; what was left out beside it; the log-odds of the page's digits
    being right, on average; the logarithm of how many digits it has for each of the usual number of the page.
    """
    digits = [d.confidence for n in numbers for d in n.digits]
    usual = float(np.median([len(n.digits) for n in numbers]))
    page = _log_odds(float(np.mean(digits)))
    return np.array([(_log_odds(n.confidence), *b, page, math.log(len(n.digits) / usual)) for n, b in zip(numbers, beside, strict=True)])


def _middle(box: tuple[int, int, int, int]) -> float:
    return box[0] + box[2] / 2


def _log_odds(share: float) -> float:
    share = min(max(share, SUREST), 1 - SUREST)
    return math.log(share / (1 - share))
