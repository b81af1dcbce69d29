"""Glyphs come in; the same digits as other hands, pens and scans might have left them come out.

Every change is made to the ink and the result prepared again by `glyph.make_glyph`, so that what the network learns from stays what the
reader will show it; only the last step, small errors of the cut itself, is made to the finished glyph.

Source: elastic deformation after Simard, Steinkraus, Platt 2003, "Best Practices for Convolutional Neural Networks"; random erasing after
Zhong et al. 2017.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ..glyph import SIZE, make_glyph

Glyphs = NDArray[np.uint8]

LARGE = 2 * SIZE  # side of the canvas on which a glyph is bent: twice its size, so that it is resampled once and finely
GRID = 5  # an elastic field is drawn on this coarse grid and interpolated


def augment(glyphs: Glyphs, rng: Generator, strength: float = 1.0, dirt: float = 1.0) -> Glyphs:
    """Return changed copies of `glyphs`.

    Args:
        glyphs: uint8 of shape (n, 28, 28), ink bright.
        rng: where all chance comes from.
        strength: 0 leaves the shapes as they are, 1 is what the reader learns with.
        dirt: how often, 0 to 1 of the usual, a glyph is written with another pen, soiled, or partly wiped out.

    Returns:
        uint8 of shape (n, 28, 28).
    """
    return np.stack([_one(glyph, rng, strength, dirt) for glyph in glyphs]) if len(glyphs) else glyphs.copy()


def _one(glyph: Glyphs, rng: Generator, strength: float, dirt: float) -> Glyphs:
    chance = rng.random(5)
    if chance[0] < 0.85:
        ink = bend(glyph, rng, strength, LARGE)
        if chance[1] < 0.45 * dirt:
            ink = repen(ink, rng)
        glyph = make_glyph(ink)
    if chance[2] < 0.5:
        glyph = _shift(glyph, rng)
    if chance[3] < 0.25 * dirt:
        glyph = _soil(glyph, rng)
    if chance[4] < 0.12 * dirt:
        glyph = _erase(glyph, rng)
    return glyph


def bend(ink: Glyphs, rng: Generator, strength: float, side: int) -> Glyphs:
    """Return `ink` slanted, turned, squeezed and elastically bent, on a square canvas of `side` pixels."""
    height, width = ink.shape
    angle, slant = np.deg2rad(rng.normal(0, 7 * strength)), rng.normal(0, 0.16 * strength)
    stretch = np.exp(rng.normal(0, 0.11 * strength, 2))
    cos, sin = np.cos(angle), np.sin(angle)
    # output → input, about the middle; the canvas is a fifth larger than the ink so that nothing is bent out of it
    matrix = np.array([[cos, -sin], [sin, cos]]) @ np.array([[1, slant], [0, 1]]) @ np.diag(stretch) * (1.2 * max(height, width) / side)
    xs, ys = _plane(side)
    matrix = matrix.astype(np.float32)
    map_x = matrix[0, 0] * xs + matrix[0, 1] * ys + np.float32((width - 1) / 2)
    map_y = matrix[1, 0] * xs + matrix[1, 1] * ys + np.float32((height - 1) / 2)
    if strength and rng.random() < 0.6:
        field = rng.normal(0, 0.028 * strength * max(height, width), (GRID, GRID, 2)).astype(np.float32)
        field = cv2.resize(field, (side, side), interpolation=cv2.INTER_CUBIC)
        map_x, map_y = map_x + field[..., 0], map_y + field[..., 1]
    return cv2.remap(ink, map_x, map_y, cv2.INTER_LINEAR, borderValue=0)


@lru_cache(maxsize=8)
def _plane(side: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return x and y of every pixel of a square canvas, float32 of shape (side, side) each, 0 in the middle."""
    ys, xs = np.mgrid[0:side, 0:side].astype(np.float32) - np.float32((side - 1) / 2)
    return xs, ys


def repen(ink: Glyphs, rng: Generator) -> Glyphs:
    """Return `ink` as a wider or a narrower pen would have left it."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    change: Any = cv2.dilate if rng.random() < 0.5 else cv2.erode
    other = change(ink, kernel, iterations=int(rng.integers(1, 3)))
    share = float(rng.uniform(0.3, 1))
    blended = cv2.addWeighted(ink, 1 - share, other, share, 0)
    # a pen narrower than the stroke would have left nothing: keep the digit as it was
    return blended if int(blended.max()) > 100 and np.count_nonzero(blended > 80) > 0.35 * np.count_nonzero(ink > 127) else ink


def _shift(glyph: Glyphs, rng: Generator) -> Glyphs:
    """Return the glyph moved and scaled a little: what a speck or a cut edge does to the box and to the centre of mass."""
    scale = float(np.exp(rng.normal(0, 0.06)))
    x, y = rng.normal(0, 0.9, 2)
    middle = (SIZE - 1) / 2
    matrix = np.array([[scale, 0, middle * (1 - scale) + x], [0, scale, middle * (1 - scale) + y]], np.float32)
    return cv2.warpAffine(glyph, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR)


def _soil(glyph: Glyphs, rng: Generator) -> Glyphs:
    """Return the glyph blurred, paler, harder or grainy."""
    kind = rng.integers(4)
    picture: NDArray[np.floating] = glyph.astype(np.float32)
    if kind == 0:
        picture = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.4, 0.9)))
    elif kind == 1:
        picture = 255 * (picture / 255) ** float(np.exp(rng.normal(0, 0.5)))
    elif kind == 2:
        middle = float(rng.uniform(60, 150))
        picture = (picture - middle) * float(rng.uniform(1.5, 6)) + 127
    else:
        picture = picture * rng.normal(1, 0.25, picture.shape) * float(rng.uniform(0.7, 1))
    return np.clip(picture, 0, 255).astype(np.uint8)


def _erase(glyph: Glyphs, rng: Generator) -> Glyphs:
    """Return the glyph with a small patch wiped out, or with a stray stroke that a neighbour or a ruled line left at its edge."""
    glyph = glyph.copy()
    if rng.random() < 0.5:
        x, y = rng.integers(2, SIZE - 6, 2)
        glyph[y : y + int(rng.integers(2, 6)), x : x + int(rng.integers(2, 6))] = 0
        return glyph
    edge = int(rng.integers(0, 4)) if rng.random() < 0.5 else int(rng.integers(SIZE - 5, SIZE - 1))
    start, stop = sorted(rng.integers(0, SIZE, 2))
    stray = glyph if rng.random() < 0.5 else glyph.T  # a view: along a row or down a column
    stray[edge : edge + int(rng.integers(1, 3)), start:stop] = int(rng.integers(90, 256))
    return glyph
