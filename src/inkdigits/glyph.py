"""Ink becomes glyphs: pictures of 28 × 28 in the form that MNIST's makers gave theirs.

A digit is scaled, keeping its aspect, until it fits a box of 20 × 20, antialiased, and put where its centre of mass falls
on the middle of 28 × 28. What the network learns from and what it meets are prepared by this one function.

Source: LeCun, Bottou, Bengio, Haffner 1998, "Gradient-Based Learning Applied to Document Recognition", section III-A.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

SIZE = 28  # side of a glyph, pixels
BOX = 20  # longest side of the digit inside it
# Pens of MNIST are about 2 px wide at this scale. A hairline would be averaged away to nothing by the shrinking, so it is
# widened first, to this width; MNIST's own digits are all wider and stay as they are.
MIN_STROKE = 1.5


def make_glyphs(inks: Iterable[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Return one glyph an ink.

    Args:
        inks: pictures of ink, each uint8 of shape (height, width), 0 where there is paper, up to 255 where there is ink.

    Returns:
        uint8 of shape (n, 28, 28), ink bright; all zero where there is no ink.
    """
    glyphs = [make_glyph(ink) for ink in inks]
    return np.stack(glyphs) if glyphs else np.zeros((0, SIZE, SIZE), np.uint8)


def make_glyph(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the glyph of one ink: uint8 of shape (28, 28). See `make_glyphs`."""
    ink = crop(ink)
    if ink.size == 0:
        return np.zeros((SIZE, SIZE), np.uint8)
    scale = BOX / max(ink.shape)
    ink = widen(ink, scale)
    small = _resize(ink, scale)
    peak = int(small.max())
    if 0 < peak < 255:  # pale ink is ink: the makers' digits were black and white before they were shrunk
        small = cv2.convertScaleAbs(small, alpha=255 / peak)
    return _centre(small)


def crop(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the part of `ink` that its non-zero pixels span; shape (0, 0) where there are none."""
    x, y, w, h = cv2.boundingRect(ink)
    return ink[y : y + h, x : x + w]


def stroke_width(ink: NDArray[np.uint8]) -> float:
    """Return the mean width of the strokes in pixels: a stroke's area is half its outline times its width."""
    mask = (ink > 127).astype(np.uint8)
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    outline = sum(cv2.arcLength(c, True) for c in contours)
    # contours run through pixel centres, half a pixel inside the outline: the area is short by half of it
    return 2 * float(mask.sum()) / max(outline + 4, 1.0)


def widen(ink: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """Return `ink`, uint8 of shape (height, width), with strokes at least `MIN_STROKE` wide after scaling by `scale`."""
    lacking = MIN_STROKE / scale - stroke_width(ink)
    if scale >= 1 or lacking < 1:
        return ink
    radius = int(np.ceil(lacking / 2))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    padded = cv2.copyMakeBorder(ink, radius, radius, radius, radius, cv2.BORDER_CONSTANT, value=0)
    # back to the old size, so that the box stays what the digit spans
    return cv2.resize(cv2.dilate(padded, kernel), ink.shape[::-1], interpolation=cv2.INTER_AREA)


def _resize(ink: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    width, height = (max(1, round(side * scale)) for side in ink.shape[::-1])
    if (height, width) == ink.shape:
        return ink
    return cv2.resize(ink, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def _centre(small: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return `small` on 28 × 28 with its centre of mass in the middle, as near as whole pixels and the edges allow."""
    moments = cv2.moments(small)
    height, width = small.shape
    # pixel 14 of 0–27, not 13.5: measured, the centres of mass of all of MNIST lie between 13.5 and 14.5
    x = round(SIZE / 2 - moments["m10"] / moments["m00"])
    y = round(SIZE / 2 - moments["m01"] / moments["m00"])
    x, y = min(max(x, 0), SIZE - width), min(max(y, 0), SIZE - height)
    glyph = np.zeros((SIZE, SIZE), np.uint8)
    glyph[y : y + height, x : x + width] = small
    return glyph
