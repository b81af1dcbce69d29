"""A picture of a digit comes in, the centre lines of its strokes come out: thinned, followed, smoothed.

With its centre lines, a digit that somebody wrote with one pen can be written again with any other.

Source: Zhang & Suen 1984, "A Fast Parallel Algorithm for Thinning Digital Patterns" (here as a look-up in a table of neighbourhoods).
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from .shapes import Strokes

SHORTEST_SPUR = 0.09  # of the height: shorter dead ends are an accident of thinning
# neighbours clockwise from above: (dy, dx), bit i of the neighbourhood's code
AROUND = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))

Pixel = tuple[int, int]


def trace(picture: NDArray[np.uint8], smoothing: int = 3) -> Strokes:
    """Return the centre lines of a digit.

    Args:
        picture: uint8 of shape (height, width), ink bright on 0, cut to the digit or not; about 60 to 120 pixels high serves best.
        smoothing: how often the lines are smoothed.

    Returns:
        Lines of shape (n, 2), x and y in pixels of `picture`; nothing where there is no ink.
    """
    skeleton = thin(picture)
    pixels = {(int(y), int(x)) for y, x in np.argwhere(skeleton)}
    paths = _prune(_follow(pixels), SHORTEST_SPUR * picture.shape[0])
    return tuple(_smooth(path, smoothing) for path in paths)


@lru_cache(maxsize=2)
def _deletable(second: bool) -> NDArray[np.uint8]:
    """Return 0 for each of the 256 neighbourhoods whose middle may go in this half step, else 1."""
    table = np.ones(256, np.uint8)
    for code in range(256):
        p = [code >> i & 1 for i in range(8)]
        turns = sum(p[i] == 0 and p[(i + 1) % 8] == 1 for i in range(8))
        first_side, second_side = ((p[0], p[2], p[6]), (p[0], p[4], p[6])) if second else ((p[0], p[2], p[4]), (p[2], p[4], p[6]))
        if 2 <= sum(p) <= 6 and turns == 1 and not all(first_side) and not all(second_side):
            table[code] = 0
    return table


@lru_cache(maxsize=1)
def _kernel() -> NDArray[np.float32]:
    kernel = np.zeros((3, 3), np.float32)
    for bit, (dy, dx) in enumerate(AROUND):
        kernel[1 + dy, 1 + dx] = 1 << bit
    return kernel


def thin(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the skeleton of the ink, 0 or 1, of the picture's shape."""
    mask = np.pad((picture > 127).astype(np.uint8), 1)
    while True:
        before = cv2.countNonZero(mask)
        for second in (False, True):
            codes = cv2.filter2D(mask, cv2.CV_8U, _kernel(), borderType=cv2.BORDER_CONSTANT)
            mask = mask & _deletable(second)[codes]
        if cv2.countNonZero(mask) == before:
            return mask[1:-1, 1:-1]


def _links(pixels: set[Pixel]) -> dict[Pixel, list[Pixel]]:
    """Return each pixel's neighbours; a diagonal counts only where no straight way round leads there."""
    links = {}
    for y, x in pixels:
        found = []
        for dy, dx in AROUND:
            if (y + dy, x + dx) in pixels and not (dy and dx and ((y + dy, x) in pixels or (y, x + dx) in pixels)):
                found.append((y + dy, x + dx))
        links[y, x] = found
    return links


def _follow(pixels: set[Pixel]) -> list[list[Pixel]]:
    """Return the paths between ends and crossings, then the rings."""
    links = _links(pixels)
    seen: set[tuple[Pixel, Pixel]] = set()
    paths = []
    starts = [p for p in sorted(pixels) if len(links[p]) != 2]
    for start in starts + sorted(pixels):
        for step in links[start]:
            if (start, step) in seen or (start not in starts and any((start, q) in seen for q in links[start])):
                continue
            path = [start, step]
            seen |= {(start, step), (step, start)}
            while len(links[path[-1]]) == 2 and path[-1] != start:
                here = path[-1]
                onward = links[here][0] if links[here][0] != path[-2] else links[here][1]
                if (here, onward) in seen:
                    break
                seen |= {(here, onward), (onward, here)}
                path.append(onward)
            paths.append(path)
    alone = [[p, p] for p in sorted(pixels) if not links[p]]
    return paths + alone


def _prune(paths: list[list[Pixel]], shortest: float) -> list[list[Pixel]]:
    """Return the paths without short dead ends that hang on a crossing."""
    ends: dict[Pixel, int] = {}
    for path in paths:
        for end in (path[0], path[-1]):
            ends[end] = ends.get(end, 0) + 1
    kept = [p for p in paths if len(p) >= shortest or (ends[p[0]] > 1) == (ends[p[-1]] > 1)]
    return kept or paths


def _smooth(path: list[Pixel], times: int) -> NDArray[np.float32]:
    """Return the path as points x, y without its stairs; its two ends stay."""
    line = np.array(path, np.float32)[:, ::-1]
    if len(line) < 5:
        return np.ascontiguousarray(line)
    for _ in range(times):
        padded = np.concatenate([line[:1], line, line[-1:]])
        line = np.concatenate([line[:1], ((padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4)[1:-1], line[-1:]])
    return np.concatenate([line[:-1:3], line[-1:]])
