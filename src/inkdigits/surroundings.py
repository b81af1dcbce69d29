"""Candidates of a page come in; a small picture of each in its surroundings comes out: what tells a digit from a part of one, or of a word.

A glyph shows a candidate alone, as large as it may be: the stem of a crossed 7 looks like a 1, and so does a scrap of a ruled line. What
stands around it, and how large it is beside its line and the page, tells them apart.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .segment import Line

SIDE = 40  # pixels of one picture
HEIGHTS = 2.5  # of the line: how much of the page a picture shows
FAR = 7.0  # the same, seen from farther off: whether it stands in a word, in a number, or alone
CHANNELS = 4  # the page's ink, the candidate's own, the page from farther off, and how high the line is beside the others

Ink = NDArray[np.uint8]


def show_surroundings(lines: Sequence[Line], ink: Ink) -> Ink:
    """Return every candidate of `lines` in its surroundings, in the order of the lines.

    Args:
        lines: what `segment` made of `ink`.
        ink: uint8 of shape (height, width), the page.

    Returns:
        uint8 of shape (n, 4, 40, 40): the ink of the page about the candidate's middle, the candidate's own ink, the page from farther
        off, and the line's height against that of the page (128 alike, 32 more for twice as high).
    """
    count = sum(len(line.candidates) for line in lines)
    shown = np.zeros((count, CHANNELS, SIDE, SIDE), np.uint8)
    if not count:
        return shown
    usual = _usual_height(lines)
    pages = {1: ink}  # by how many times smaller they are
    at = 0
    for line in lines:
        level = np.clip(128 + 32 * np.log2(line.height / usual), 0, 255)
        half = max(4.0, HEIGHTS / 2 * line.height)
        times = max(1, int(half / SIDE))
        if times not in pages:
            pages[times] = _smaller(ink, times)
        far, corner, scale = _from_farther_off(ink, line)
        for candidate in line.candidates:
            x, y, w, h = candidate.box
            left, top = round((x + w / 2 - half) / times), round((y + h / 2 - half) / times)
            side = round(2 * half / times)
            shown[at, 0] = _shrunk(_window(pages[times], left, top, side))
            shown[at, 1] = _shrunk(_window(_smaller(candidate.ink, times, x, y), left - x // times, top - y // times, side))
            middle = ((x + w / 2 - corner[0]) * scale, (y + h / 2 - corner[1]) * scale)
            shown[at, 2] = _window(far, round(middle[0] - SIDE / 2), round(middle[1] - SIDE / 2), SIDE)
            shown[at, 3] = level
            at += 1
    return shown


def _from_farther_off(ink: Ink, line: Line) -> tuple[Ink, tuple[int, int], float]:
    """Return what stands about a line, so small that `FAR` heights are `SIDE` pixels, its corner on the page, and its scale."""
    scale = SIDE / (FAR * line.height)
    boxes = np.array([c.box for c in line.candidates])
    reach = FAR / 2 * line.height + 2
    low = np.maximum(np.floor((boxes[:, :2] + boxes[:, 2:] / 2).min(0) - reach), 0).astype(int)
    high = np.ceil((boxes[:, :2] + boxes[:, 2:] / 2).max(0) + reach).astype(int)
    part = ink[low[1] : high[1], low[0] : high[0]]
    size = max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale))
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return np.asarray(small, np.uint8), (int(low[0]), int(low[1])), scale


def _usual_height(lines: Sequence[Line]) -> float:
    """Return the height of most candidates' lines: a long line counts for more than a scrap."""
    heights = np.array([line.height for line in lines])
    counts = np.array([sum(not a.is_minor for a in line.atoms) for line in lines], float)
    order = heights.argsort()
    cumulative = np.cumsum(counts[order])
    return float(heights[order][np.searchsorted(cumulative, cumulative[-1] / 2)])


def _window(ink: Ink, left: int, top: int, side: int) -> Ink:
    """Return a square of `ink`, paper where it reaches beyond."""
    height, width = ink.shape
    x0, y0, x1, y1 = max(0, left), max(0, top), min(width, left + side), min(height, top + side)
    square = np.zeros((side, side), np.uint8)
    if x1 > x0 and y1 > y0:
        square[y0 - top : y1 - top, x0 - left : x1 - left] = ink[y0:y1, x0:x1]
    return square


def _smaller(ink: Ink, times: int, x: int = 0, y: int = 0) -> Ink:
    """Return `ink`, whose corner lies at (x, y), so many times smaller, its pixels where those of the whole page so reduced lie.

    A window of the page has thousands of pixels more than its small picture where the digits are large: this makes them few at once.
    """
    if times == 1:
        return ink
    height, width = ink.shape
    on_grid = cv2.copyMakeBorder(ink, y % times, -(y + height) % times, x % times, -(x + width) % times, cv2.BORDER_CONSTANT, value=0)
    size = on_grid.shape[1] // times, on_grid.shape[0] // times
    return np.asarray(cv2.resize(on_grid, size, interpolation=cv2.INTER_AREA), np.uint8)


def _shrunk(square: Ink) -> Ink:
    return cv2.resize(square, (SIDE, SIDE), interpolation=cv2.INTER_AREA if len(square) > SIDE else cv2.INTER_LINEAR)
