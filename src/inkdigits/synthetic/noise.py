"""A shape and a generator of chance come in, textures come out: cut from tiles that are made once, because fresh noise costs too much."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 1024  # of a tile, pixels
SPARE = 448  # by so much a tile is repeated at its right and lower edge, so that small pictures are cut from it in one piece


@lru_cache(maxsize=8)
def _tile(sigma: float) -> NDArray[np.float32]:
    """Return a tile of noise of standard deviation 1, blurred by `sigma` pixels, that joins itself at its edges."""
    tile = np.random.default_rng(20_250_101).standard_normal((SIDE, SIDE), np.float32)
    if sigma:
        margin = int(4 * sigma) + 1
        wrapped = cv2.copyMakeBorder(tile, margin, margin, margin, margin, cv2.BORDER_WRAP)
        tile = np.asarray(cv2.GaussianBlur(wrapped, (0, 0), sigma), np.float32)[margin:-margin, margin:-margin]
        tile = (tile - tile.mean()) / tile.std()
    return np.pad(tile, (0, SPARE), mode="wrap")


def noise(shape: tuple[int, int], rng: np.random.Generator, sigma: float) -> NDArray[np.float32]:
    """Return noise of standard deviation 1 and of shape `shape`, its specks about `sigma` pixels wide (0, 0.7, 1.6, 5 or 24 are kept).

    It may be a view of what is kept: it is not to be written to.
    """
    rows, columns = shape
    y, x = (int(v) for v in rng.integers(0, SIDE, 2))
    tile = _tile(sigma)
    if rows <= SPARE and columns <= SPARE:
        return tile[y : y + rows, x : x + columns]
    repeated = np.take(np.take(tile, np.arange(y, y + rows) % SIDE, axis=0), np.arange(x, x + columns) % SIDE, axis=1)
    return np.asarray(repeated, np.float32)


def grain(shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return noise that is new in every pixel."""
    return noise(shape, rng, 0)


def tooth(shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the roughness of paper as a pencil meets it."""
    return noise(shape, rng, 0.7)


def swell(shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return slow waves over the whole shape, as of crumpled paper or uneven light; smallest to largest within about ±2."""
    rows, columns = shape
    coarse = rng.standard_normal((4, 5), np.float32)
    return np.asarray(cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC), np.float32)
