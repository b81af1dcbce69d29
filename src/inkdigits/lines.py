"""The pieces of a page come in; which of them stand in one line, in reading order, comes out.

Neighbours are linked first, each piece to the one that follows it best when both agree, so that a line may slope or bend; chains that
continue each other across a wide gap are joined afterwards, and what a chain has stepped over is put into it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.int64]

FAR = 3.5  # heights: a neighbour is no further to the right than this
STEEP = 0.85  # heights: a neighbour's middle is no further up or down than this
UP_AND_DOWN = 2.2  # how much more a step up or down counts than one to the right
UNLIKE = 2.6  # heights of neighbours differ by this factor at most
JOIN = 0.55  # heights: chains go on in the same line when they meet within this
STACKED = 0.3  # heights: one may begin so far before the other ends, where both end in pieces of one digit
UNEVEN = 2.2  # their usual heights differ by this factor at most
APART, GAP = 1.5, 0.6  # their usual heights differ by this factor, and so many of them lie between: parts of a line
ALIKE, FEWEST = 1.3, 4  # heights of neighbours of one height differ by this factor at most; fewer do not tell how a line slopes
WORD = 3  # pieces that the smaller part has at least: two numbers of a row may differ in size
WITHIN = 0.45  # heights: what lies no further from the middle between two neighbours stands between them


@dataclass(frozen=True)
class Middles:
    """Middles and sizes of boxes: x, y, width, height, each float of shape (n,)."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    w: NDArray[np.float64]
    h: NDArray[np.float64]

    @classmethod
    def of(cls, boxes: Boxes) -> Middles:
        """Return the middles of boxes of shape (n, 4): x, y, width, height."""
        x, y, w, h = boxes.astype(float).T
        return cls(x + w / 2, y + h / 2, w, h)


def find_lines(boxes: Boxes) -> list[list[int]]:
    """Return the lines from top to bottom, each the numbers of its boxes from left to right.

    Args:
        boxes: of shape (n, 4): x, y, width, height of pieces as tall as a digit.
    """
    if not len(boxes):
        return []
    m = Middles.of(boxes)
    slope = _slope(m, _chains(_links(m)))
    m = replace(m, y=m.y - slope * m.x)  # levelled: across a gap, what is next in a line that slopes may stand farther than the next line
    lines = _filled(m, _joined(m, _chains(_links(m))))
    return sorted(lines, key=lambda line: float(np.median(m.y[line])))


def parted(boxes: Boxes, line: list[int]) -> list[list[int]]:
    """Return a line in parts, from left to right: what was written behind a gap, much larger or smaller than what stands before it.

    On forms, numbers stand beside print, and each is told best beside its like.

    Args:
        boxes: of shape (n, 4): x, y, width, height of pieces.
        line: the numbers of some, from left to right.
    """
    x, _, w, h = boxes[line].T.astype(float)
    size = np.maximum(h, np.minimum(0.5 * w, 1.5 * h))
    reached = np.maximum.accumulate(x + w)
    best, at = APART, 0
    for k in range(1, len(line)):
        left, right = float(np.median(size[:k])), float(np.median(size[k:]))
        few = min(k, len(line) - k) == 1  # one digit of a number may be of any size
        if x[k:].min() - reached[k - 1] >= (2 * GAP if few else GAP) * max(left, right):
            unlike = max(left, right) / min(left, right)
            if unlike > best and (k if left < right else len(line) - k) >= WORD:
                best, at = unlike, k
    return [*parted(boxes, line[:at]), *parted(boxes, line[at:])] if at else [line]


def _links(m: Middles) -> dict[int, int]:
    """Return for each piece the one that follows it, where each is the other's nearest."""
    height = np.maximum(m.h[:, None], m.h[None, :])
    gap = (m.x - m.w / 2)[None, :] - (m.x + m.w / 2)[:, None]
    step = np.abs(m.y[None, :] - m.y[:, None])
    cost = np.maximum(gap, 0) / height + UP_AND_DOWN * step / height
    unlike = height / np.minimum(m.h[:, None], m.h[None, :]) > UNLIKE
    impossible = (
        (m.x[None, :] <= m.x[:, None])
        | (gap > FAR * height)
        | (step > STEEP * height)
        | unlike
        | (gap < -0.6 * np.minimum(m.w[:, None], m.w))
    )
    # a step to the right of almost nothing with a large step down is the next line, not the next digit
    impossible |= step > 0.5 * height + 1.2 * np.maximum(m.x[None, :] - m.x[:, None], 0)
    cost = np.where(impossible, np.inf, cost)
    after, before = cost.argmin(1), cost.argmin(0)
    return {i: int(j) for i, j in enumerate(after) if np.isfinite(cost[i, j]) and before[j] == i}


def _chains(links: dict[int, int] | dict[int, int]) -> list[list[int]]:
    """Return the maximal chains of links (without pieces that have none)."""
    followers = set(links.values())
    chains = []
    for start in links:
        if start in followers:
            continue
        chain = [start]
        while chain[-1] in links:
            chain.append(links[chain[-1]])
        chains.append(chain)
    return chains


def _slope(m: Middles, chains: list[list[int]]) -> float:
    """Return the slope that most neighbours share, 0 where there are too few to tell.

    From the digits of `12 cm` to its letters it goes down on level paper, too: of what all neighbours say and what those of one height
    say, the lesser slope is taken.
    """
    threes, twos = ([chain[i : i + many] for chain in chains for i in range(len(chain) - many + 1)] for many in (3, 2))
    alike = [[run for run in runs if m.h[run].max() <= ALIKE * m.h[run].min()] for runs in (threes, twos)]
    slopes = [
        float(np.median([(m.y[b] - m.y[a]) / (m.x[b] - m.x[a]) for a, *_, b in runs])) for runs in (threes, *alike) if len(runs) >= FEWEST
    ]
    return min(slopes, key=abs, default=0.0)


def _joined(m: Middles, chains: list[list[int]]) -> list[list[int]]:
    """Return chains and lonely pieces joined into lines."""
    linked = {i for chain in chains for i in chain}
    lines = [*chains, *([i] for i in range(len(m.x)) if i not in linked)]
    lines.sort(key=lambda line: m.x[line[0]])
    first = np.array([line[0] for line in lines])
    last = np.array([line[-1] for line in lines])
    height = np.array([np.median(m.h[line]) for line in lines])
    left = np.ones(len(lines), bool)  # not yet part of a line further to the left
    for i, line in enumerate(lines):
        while left[i]:
            across = m.x[first] - m.x[last[i]]
            tall, low = np.maximum(height, height[i]), np.minimum(height, height[i])
            goes_on = left & (across > -STACKED * low) & (tall <= UNEVEN * low)
            goes_on &= np.abs(m.y[first] - m.y[last[i]]) < JOIN * tall
            goes_on[i] = False
            if not goes_on.any():
                break
            j = int(np.where(goes_on, across, np.inf).argmin())
            line.extend(lines[j])
            left[j] = False
            last[i], height[i] = line[-1], np.median(m.h[line])
    return [line for line, is_left in zip(lines, left, strict=True) if is_left]


def _filled(m: Middles, lines: list[list[int]]) -> list[list[int]]:
    """Return the lines with each lonely piece put between the neighbours that were linked past it: a small digit that stands low."""
    filled = [line for line in lines if len(line) > 1]
    for (lonely,) in (line for line in lines if len(line) == 1):
        for line in filled:
            k = int(np.searchsorted(m.x[line], m.x[lonely]))
            if 0 < k < len(line) and _is_between(m, lonely, line[k - 1], line[k]):
                line.insert(k, lonely)
                break
        else:
            filled.append([lonely])
    return filled


def _is_between(m: Middles, piece: int, left: int, right: int) -> bool:
    tall = max(m.h[left], m.h[right])
    share = (m.x[piece] - m.x[left]) / (m.x[right] - m.x[left])
    middle = m.y[left] + share * (m.y[right] - m.y[left])
    return bool(abs(m.y[piece] - middle) < WITHIN * tall and m.h[piece] < UNLIKE * tall)
