"""What is inked on a page comes in; the straight, thin, nearly level lines in it come out, whatever stands on them.

A line is known by a straight piece of it, and followed both ways through what touches it. It strays by less than half a pixel on average,
printed or drawn along a ruler; the feet of digits in a row stray by more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from .components import label
from .rules import run_at_middle

Mask = NDArray[np.uint8]

RUN, LEAST = 13, 24  # pixels of ink in a row that a line has everywhere, and in all
THICKEST = 14  # pixels: what is thicker is no line
STEEPEST = 0.1  # slope against the page's edges
STRAIGHT, STRAY = 1.5, 3.0  # pixels by which a line strays from a straight one; lines that lie nearer to each other are one
ROUGH = 0.45  # pixels by which a line strays on average: the feet of digits in a row stray by more
ALIKE = 1.5  # pixels by which it is as thick as usual where nothing touches it
SAME = 1.6  # times as thick as usual, and a pixel: still the line
BREAK, SLACK = 8, 2  # pixels: a line that is missing for longer has ended; how far beside its path it is seen
ROUNDS, LONG_ENOUGH = 4, 150  # how often a line is followed anew, each time twice as far; pixels: a line that may be seen to bend
MANY, MOST = 400, 100  # straight pieces, and lines that they belong to: what has more is wood or noise, no form
SEEN, COVERED = 0.4, 0.3  # share of a piece's columns that lie on a straight line; of a line's where it is seen alone
TALLEST = 160  # pixels: nobody looks further for what rises from a line


@dataclass(frozen=True)
class Line:
    """A line that is nearly level.

    Attributes:
        start: its first column, in pixels.
        path: y at each of its columns.
        thick: pixels.
        alone: whether it is about as thick at each column: at the others something stands on it.
    """

    start: int
    path: NDArray[np.float64]
    thick: float
    alone: NDArray[np.bool_]

    @property
    def even(self) -> float:
        """Share of its columns where it is seen alone, 0–1."""
        return float(self.alone.mean())

    @property
    def stop(self) -> int:
        """The column just beyond its last."""
        return self.start + len(self.path)

    @property
    def columns(self) -> NDArray[np.int64]:
        """Every column it runs through."""
        return np.arange(self.start, self.stop)

    def at(self, x: float) -> float:
        """Return y at a column; before and after it, where its ends are."""
        return float(self.path[int(np.clip(round(x) - self.start, 0, len(self.path) - 1))])

    def prolonged(self, by: int) -> Line:
        """Return the line going on level for so many pixels both ways."""
        return replace(self, start=self.start - by, path=np.pad(self.path, by, "edge"), alone=np.pad(self.alone, by))

    def beside(self, inked: Mask, way: int, far: int) -> NDArray[np.bool_]:
        """Return what is inked above the line (`way` -1) or below it (1), of shape (far, columns), the nearest row first."""
        rows = np.round(self.path).astype(int) + way * (self._half + np.arange(far)[:, None])
        there = inked[np.clip(rows, 0, len(inked) - 1), np.clip(self.columns, 0, inked.shape[1] - 1)] > 0
        return np.asarray(there & (rows >= 0) & (rows < len(inked)))

    def rises(self, inked: Mask, way: int) -> NDArray[np.int64]:
        """Return how far ink goes on above each column of the line (`way` -1) or below it (1), in pixels from its middle."""
        there = self.beside(inked, way, TALLEST)
        return np.where(there.all(0), TALLEST, there.argmin(0)) + self._half

    @property
    def _half(self) -> int:
        return int(np.ceil(self.thick / 2)) + 1


def find_lines(inked: Mask) -> list[Line]:
    """Return the straight, thin, nearly level lines in what is inked, 0 or 1, of shape (height, width), the longest first."""
    if not inked.size:
        return []
    runs = cv2.morphologyEx(inked, cv2.MORPH_OPEN, np.ones((1, RUN), np.uint8))
    runs &= 1 - cv2.morphologyEx(runs, cv2.MORPH_OPEN, np.ones((THICKEST + 1, 1), np.uint8))
    n, labels, stats, _ = label(runs > 0)
    w, h = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    able = np.flatnonzero((w >= LEAST) & (h <= STEEPEST * w + 2 * THICKEST) & (np.arange(n) > 0))
    found: list[Line] = []
    if len(able) > MANY:
        return found
    for i in able[np.argsort(-w[able], kind="stable")]:
        x, y = stats[i, :2]
        seed = _seed(labels[y : y + h[i], x : x + w[i]] == i, int(x), int(y))
        if seed is None or any(_runs_along(line, seed) for line in found):
            continue
        line = _traced(inked, seed)
        if line is not None and not any(_runs_along(other, line) for other in found):
            found.append(line)
        if len(found) > MOST:
            return []
    return found


def _seed(part: NDArray[np.bool_], x: int, y: int) -> Line | None:
    """Return the straight line that a piece of ink is, None where it is none; (x, y) is where it stands."""
    count = part.sum(0)
    thick = float(np.median(count))
    own = count <= SAME * thick + 1
    if own.sum() < LEAST:
        return None
    columns = np.arange(part.shape[1])
    middle = (part * np.arange(len(part))[:, None]).sum(0) / np.maximum(count, 1)
    path = _fitted(columns[own], middle[own], columns, 1)
    if np.mean(np.abs(middle - path)[own] <= STRAIGHT) < SEEN or abs(path[-1] - path[0]) > STEEPEST * len(path):
        return None
    return Line(x, y + path, thick, own)


def _fitted(x: NDArray[np.int64], y: NDArray[np.float64], at: NDArray[np.int64], degree: int) -> NDArray[np.float64]:
    """Return, at other places, the curve on which most of some lie, whatever lies beside it."""
    scale = 1 / max(1, int(np.ptp(x)))
    powers = _powers((x - x[0]) * scale, degree)
    some, heights, least = powers, y, 1e-9 * np.eye(degree + 1)
    for reach in (2 * STRAIGHT, STRAIGHT, None):
        curve = np.linalg.solve(some @ some.T + least, some @ heights)
        if reach is not None:
            off = np.abs(curve @ powers - y)
            near = off <= max(reach, float(np.partition(off, len(off) // 2)[len(off) // 2]))
            some, heights = powers[:, near], y[near]
    return np.asarray(curve @ _powers((at - x[0]) * scale, degree))


def _powers(x: NDArray[np.float64], degree: int) -> NDArray[np.float64]:
    return x ** np.arange(degree, -1, -1)[:, None]


def _runs_along(line: Line, other: Line) -> bool:
    """Tell whether the middle of another line lies on this one."""
    x = (other.start + other.stop) // 2
    return line.start <= x < line.stop and abs(line.at(x) - other.at(x)) <= STRAY


def _traced(inked: Mask, seed: Line) -> Line | None:
    """Return the whole line of which `seed` is a piece, followed both ways through all that stands on it; None where it is none."""
    line, middle = seed, (seed.start + seed.stop) // 2
    for _ in range(ROUNDS):
        ahead = len(line.path)
        columns = np.arange(max(0, line.start - ahead), min(inked.shape[1], line.stop + ahead))
        inside = columns[(columns >= line.start) & (columns < line.stop)]
        path = _fitted(inside, line.path, columns, 2 if len(inside) > LONG_ENOUGH else 1)
        reach = THICKEST + SLACK
        rows = np.round(path).astype(int) + np.arange(-reach, reach + 1)[:, None]
        band = inked[np.clip(rows, 0, len(inked) - 1), columns] > 0
        top, bottom = run_at_middle(band & (rows >= 0) & (rows < len(inked)), SLACK)
        seen = bottom > top
        thin = seen & (bottom - top <= SAME * seed.thick + 1)
        unseen = np.flatnonzero(cv2.erode((~seen).astype(np.uint8)[None], np.ones((1, BREAK), np.uint8))[0])
        first = int(max([u for u in unseen if columns[u] < middle], default=-1)) + 1
        last = int(min([u for u in unseen if columns[u] > middle], default=len(columns))) - 1
        own = np.flatnonzero(thin[first : last + 1]) + first
        if len(own) < max(LEAST, COVERED * (own[-1] - own[0] + 1) if len(own) else 0):
            return None
        there = np.arange(own[0], own[-1] + 1)
        followed = np.round(path[own]) - reach + (top[own] + bottom[own] - 1) / 2
        smooth = _fitted(columns[own], followed, columns[there], 2 if len(own) > LONG_ENOUGH else 1)
        grown = len(there) > 1.1 * len(line.path)
        thick = (bottom - top)[own]
        line = Line(int(columns[own[0]]), smooth, float(np.median(thick)), np.isin(there, own))
        if not grown:
            break
    pure = np.abs(thick - line.thick) <= ALIKE  # elsewhere the foot of a digit goes over into it
    if not pure.any() or np.abs(followed - smooth[own - own[0]])[pure].mean() > ROUGH:
        return None
    return line if abs(line.path[-1] - line.path[0]) <= STEEPEST * len(line.path) else None
