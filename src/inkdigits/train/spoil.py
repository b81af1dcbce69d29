"""Glyphs come in; the same come out as they look where nobody took the paper away: grey, grainy, crossed, half inverted, hollow, smeared.

`glyph.py` gives the reader clean glyphs, but others classify pictures of their own. These are families, wider than any one corruption of
`corruptions.py` and drawn otherwise, so that those still tell how a network stands what it did not learn from.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ..glyph import SIZE

Glyph = NDArray[np.uint8]
Floats = NDArray[np.float32]  # of shape (28, 28), ink 1, paper 0


def spoil(glyphs: NDArray[np.uint8], rng: Generator, share: float) -> NDArray[np.uint8]:
    """Return `glyphs`, uint8 of shape (n, 28, 28), with about a `share` of them (0–1) spoilt, each in one way."""
    glyphs = glyphs.copy()
    for i in np.flatnonzero(rng.random(len(glyphs)) < share):
        way = WAYS[rng.integers(len(WAYS))]
        glyphs[i] = np.clip(way(glyphs[i].astype(np.float32) / 255, rng) * 255, 0, 255)
    return glyphs


def _greyed(x: Floats, rng: Generator) -> Floats:
    """Lay ink on grey paper, even or cloudy."""
    paper = _clouds(rng) if rng.random() < 0.7 else np.ones_like(x)
    grey, kept = rng.uniform(0.1, 0.9), rng.uniform(0.25, 1)
    covered = 1 - grey if rng.random() < 0.5 else 1
    return np.asarray(kept * covered * x + grey * paper, np.float32)


def _grained(x: Floats, rng: Generator) -> Floats:
    """Add grain: pepper and salt, or what a sensor makes of little light."""
    if rng.random() < 0.6:
        drawn, part = rng.random(x.shape), rng.uniform(0.02, 0.35)
        return np.where(drawn < part / 2, 0, np.where(drawn > 1 - part / 2, rng.uniform(0.5, 1), x)).astype(np.float32)
    return np.asarray(x + rng.normal(0, rng.uniform(0.05, 0.4), x.shape) * np.sqrt(x + rng.uniform(0, 0.3)), np.float32)


def _inverted(x: Floats, rng: Generator) -> Floats:
    """Invert one or two bands, level or upright."""
    x = x.copy()
    for _ in range(rng.integers(1, 3)):
        band, width = (x if rng.random() < 0.3 else x.T), int(rng.integers(2, 10))
        start = int(rng.choice([0, SIZE - width, int(rng.integers(0, SIZE - width))]))
        band[start : start + width] = 1 - band[start : start + width]
    return x


def _crossed(x: Floats, rng: Generator) -> Floats:
    """Draw a line of several corners across it, whole or dashed."""
    count, fine = int(rng.integers(2, 16)), 4
    along = np.linspace(rng.uniform(-2, 6), rng.uniform(22, 30), count)
    begin, end = (float(at) for at in rng.uniform(0, SIZE, 2))
    across = np.linspace(begin, end, count) + rng.normal(0, rng.uniform(0, 3), count)
    points = np.stack([along, across], 1) if rng.random() < 0.7 else np.stack([across, along], 1)
    dashed, width = rng.random() < 0.3, int(rng.integers(2, 13))
    canvas = np.zeros((fine * SIZE, fine * SIZE), np.float32)
    corners = [(int(a), int(b)) for a, b in points * fine]
    for k, (a, b) in enumerate(pairwise(corners)):
        if not dashed or k % 2:
            cv2.line(canvas, a, b, float(rng.uniform(0.6, 1)), width)
    return np.maximum(x, cv2.resize(canvas, (SIZE, SIZE), interpolation=cv2.INTER_AREA))


def _hollow(x: Floats, rng: Generator) -> Floats:
    """Keep the outlines of the strokes."""
    inside = (cv2.GaussianBlur(x, (0, 0), rng.uniform(0.4, 1.2)) > rng.uniform(0.2, 0.6)).astype(np.uint8)
    outlines, _ = cv2.findContours(inside, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(np.zeros_like(x), outlines, -1, 1.0, 1) if outlines else x


def _smeared(x: Floats, rng: Generator) -> Floats:
    """Shake the camera, or look through rippled glass."""
    if rng.random() < 0.5:
        steps, angle = np.arange(-9, 10), rng.uniform(0, np.pi)
        kernel = np.zeros((19, 19), np.float32)
        length = rng.uniform(1.5, 6)
        rows, columns = np.rint(9 + steps * np.sin(angle)).astype(int), np.rint(9 + steps * np.cos(angle)).astype(int)
        np.add.at(kernel, (rows, columns), np.exp(-((steps / length) ** 2)) * (steps >= rng.choice([-9, 0])))
        return np.asarray(cv2.filter2D(x, -1, kernel / kernel.sum()) * rng.uniform(1, 1.5), np.float32)
    ys, xs = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    jitter = rng.normal(0, rng.uniform(0.5, 1.6), (2, SIZE, SIZE)).astype(np.float32)
    return cv2.GaussianBlur(cv2.remap(x, xs + jitter[0], ys + jitter[1], cv2.INTER_LINEAR), (0, 0), rng.uniform(0.4, 1.1))


def _splashed(x: Floats, rng: Generator) -> Floats:
    """Hide parts under drops of one grey."""
    field = cv2.GaussianBlur(rng.normal(0, 1, x.shape).astype(np.float32), (0, 0), rng.uniform(0.8, 3))
    return np.where(field > np.quantile(field, rng.uniform(0.7, 0.97)), rng.uniform(0, 0.5), x).astype(np.float32)


def _clouds(rng: Generator) -> Floats:
    """Return a smooth field of all sizes, 0–1, float32 of shape (28, 28)."""
    total = np.zeros((SIZE, SIZE), np.float32)
    for grid in (2, 4, 8, 16):
        field = rng.normal(0, 1, (grid, grid)).astype(np.float32) * rng.uniform(0.2, 1.2) / np.sqrt(grid)
        total += cv2.resize(field, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    return (total - total.min()) / max(float(np.ptp(total)), 1e-6)


WAYS: tuple[Callable[[Floats, Generator], Floats], ...] = (_greyed, _greyed, _grained, _inverted, _crossed, _hollow, _smeared, _splashed)
