"""Nothing comes in; a picture comes out that is not MNIST: a 4 in dark ink in a corner of a light sheet, unevenly lit.

It stands in for the reader's own photograph in step 15 of the lesson. The strokes are our own.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

LABEL = 4
HEIGHT, WIDTH = 480, 480
INK = (72, 48, 38)  # RGB of a brownish black pen
# two strokes in units of the digit's height: down, round and along; then the long stem
STROKES = (((0.44, 0.00), (0.30, 0.22), (0.13, 0.42), (0.04, 0.60), (0.30, 0.62), (0.72, 0.57)), ((0.60, 0.24), (0.57, 0.52), (0.50, 1.00)))


def draw() -> NDArray[np.uint8]:
    """Return the picture: uint8 RGB of shape (480, 480, 3)."""
    rng = np.random.default_rng(4)
    ink = np.zeros((HEIGHT, WIDTH), np.uint8)
    for stroke in STROKES:
        points = np.array(stroke) * 190 + (52, 46)  # in the upper left corner, 190 pixels high
        cv2.polylines(ink, [_smooth(points)], False, 255, 11, cv2.LINE_AA, 4)
    cover = cv2.GaussianBlur(ink, (0, 0), 1.2)[:, :, None] / 255  # (480, 480, 1), how much ink lies on each pixel
    y, x = np.mgrid[0 : 1 : HEIGHT * 1j, 0 : 1 : WIDTH * 1j]
    light = 0.97 - 0.12 * x - 0.08 * y  # the lamp stands at the upper left
    grain = cv2.GaussianBlur(rng.normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), 1.0) * 6
    paper = np.array((240, 236, 226)) * light[:, :, None] + grain[:, :, None]
    drawn: NDArray[np.uint8] = np.clip(paper * (1 - cover) + np.array(INK) * cover, 0, 255).astype(np.uint8)
    return drawn


def _smooth(points: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return a smooth line through `points` in sixteenths of a pixel, of shape (n, 1, 2)."""
    at = np.linspace(0, len(points) - 1, 60)
    line = np.stack([np.interp(at, range(len(points)), points[:, axis]) for axis in (0, 1)], axis=1)  # (60, 2)
    padded = np.concatenate([line[:1].repeat(4, 0), line, line[-1:].repeat(4, 0)])
    rounded = np.stack([np.convolve(padded[:, axis], np.ones(9) / 9, "valid") for axis in (0, 1)], axis=1)
    return np.round(rounded * 16).astype(np.int32)[:, None]
