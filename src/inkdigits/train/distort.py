"""A batch of glyphs comes in; the same digits, each shifted, turned, sized, slanted and bent a little, come out.

It is quick enough to be done in every step: all pictures of a batch lie below each other on a strip, with paper between them, and are moved
by one call.

Source: elastic deformation after Simard, Steinkraus, Platt 2003, "Best Practices for Convolutional Neural Networks".
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Glyphs = NDArray[np.uint8]
Floats = NDArray[np.float32]

TURN, SIZE_CHANGE, SLANT, SHIFT = 0.2, 0.13, 0.2, 1.7  # radians, share, share, pixels: the most to either side
BEND, KNOTS = 1.1, 5  # pixels (standard deviation), and points a side between which bending is interpolated
MARGIN = 8  # rows of paper between two pictures of the strip, more than any pixel is moved
AT_ONCE = 512  # OpenCV moves strips of fewer than 32,767 rows


def distort(glyphs: Glyphs, rng: Generator) -> Glyphs:
    """Return changed copies of `glyphs`, of shape (n, 28, 28); the same generator state gives the same changes."""
    return np.concatenate([_distort(glyphs[i : i + AT_ONCE], rng) for i in range(0, len(glyphs), AT_ONCE)])


def _distort(glyphs: Glyphs, rng: Generator) -> Glyphs:
    n, side, _ = glyphs.shape
    x, y = _sources(n, side, rng)  # each (n, side, side): where a pixel of the result is taken from
    inside = (y > -MARGIN / 2) & (y < side + MARGIN / 2)
    height = side + MARGIN
    y = y + np.arange(n, dtype=np.float32)[:, None, None] * height
    strip = np.pad(glyphs, ((0, 0), (0, MARGIN), (0, 0))).reshape(n * height, side)
    x = np.where(inside, x, -side)  # far outside is paper
    moved = cv2.remap(
        strip, x.reshape(n * side, side), y.reshape(n * side, side), cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0
    )
    return np.asarray(moved, np.uint8).reshape(n, side, side)


def _sources(n: int, side: int, rng: Generator) -> tuple[Floats, Floats]:
    turn, slant = (rng.uniform(-most, most, n) for most in (TURN, SLANT))
    wide, high = np.exp(rng.uniform(-SIZE_CHANGE, SIZE_CHANGE, (2, n)))
    shift = rng.uniform(-SHIFT, SHIFT, (2, n)) + (side - 1) / 2
    cos, sin = np.cos(turn), np.sin(turn)
    u, v = np.meshgrid(np.arange(side, dtype=np.float32) - (side - 1) / 2, np.arange(side, dtype=np.float32) - (side - 1) / 2)
    between = _interpolation(side)
    bent = between @ rng.normal(0, BEND, (2, n, KNOTS, KNOTS)).astype(np.float32) @ between.T  # (2, n, KNOTS, KNOTS) → (2, n, side, side)
    rows = ((cos * wide, cos * slant - sin, shift[0]), (sin * wide, (cos + sin * slant) * high, shift[1]))
    x, y = ((a[:, None, None] * u + b[:, None, None] * v + c[:, None, None]).astype(np.float32) for a, b, c in rows)
    return x + bent[0], y + bent[1]


@lru_cache(maxsize=1)
def _interpolation(side: int) -> Floats:
    """Return the weights of shape (side, KNOTS) that draw a smooth line through KNOTS points."""
    at = np.linspace(0, KNOTS - 1, side)[:, None] - np.arange(KNOTS)
    weights = np.exp(-(at**2) / (2 * 0.7**2))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)
