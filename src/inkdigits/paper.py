"""A grey picture comes in; how bright its paper is under everything comes out, and how dark each pixel is against it.

The paper is estimated by a closing, which keeps the hard edge of a shadow and removes strokes. Through which window, is a question of what
is a stroke there: a large one for thick strokes, a small one where digits are small, the smallest where a narrow shadow lies.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .looks import COARSE, PAGE_STROKE, STROKE_SHARE, halved, may_be_page, small_of, window_of

Image = NDArray[np.uint8]
Labels = NDArray[np.int32]
Float = NDArray[np.float32]

DARK, DUSK, SHADE = 0.25, 0.1, 0.6  # contrast of a thick stroke; of a shadow, at least and at most
WIDE = 0.3  # of the window: how wide a shadow is, at least, that is no stroke
LEVEL, STEEP, LEVEL_SHARE = 12.0, 60.0, 0.2  # grey levels: of quiet paper, of what no grain is; how much of the paper is quiet, at least
CORE = 0.06  # of the window squared: how large what is so wide is, at least, for two strokes that meet are wide, too
EDGE = 3  # pixels of the shrunk picture: how wide the edge of a shadow is
GREY = 0.975  # cosine between what keeps light of all colours alike and what is taken for that: daylight in a shadow is a little blue
LETTER, FEWEST_LETTERS = 0.25, 3  # of the window: how high pieces of thin strokes are, and how many, where a page has such


def contrast_of(grey: Image, paper: Float) -> Float:
    """Return how much darker than its paper each pixel is, float32 of their shape: 0 paper, 1 ink that reflects nothing.

    Paper without any grain is a millionth: exactly 0 is said of what lies beside a sheet alone.
    """
    light = paper + np.float32(8)  # 8 grey levels of stray light keep black from dividing by nothing
    np.divide(grey + np.float32(8), light, out=light)
    return np.subtract(np.float32(1.000001), light, out=light)


def find_paper(grey: Image, small: Image, image: Image) -> Float:
    """Return the brightness of the paper under everything, float32 of the shape of `grey`.

    Args:
        grey: uint8 of shape (height, width), dark ink on light paper.
        small: the same, shrunk; beside a sheet on a desk it may show more of the sheet.
        image: the picture in its colours, where it has some: they tell a marker from a shadow.
    """
    paper = _seen_through(small, window_of(small, STROKE_SHARE))
    if not may_be_page(grey.shape):
        return _enlarged(paper, grey.shape)
    window = window_of(small, PAGE_STROKE)
    close = _closer(small, paper, window)
    paper = _enlarged(close, grey.shape)
    shades = _find_shades(small, close, window, image)
    if shades is not None:
        scale = max(grey.shape) / max(small.shape)
        inside = _enlarged(shades, grey.shape) > 0
        paper[inside] = _seen_through(grey, round(_closest(window) * scale) | 1)[inside]  # seen in full, it has no rims
    return paper


def _enlarged(small: Float | Image, shape: tuple[int, ...]) -> Float:
    return np.asarray(cv2.resize(small, shape[::-1], interpolation=cv2.INTER_LINEAR))


def _closest(window: int) -> int:
    """Return the window that takes thin strokes away and leaves narrow shadows."""
    return window // 3 | 1


def _seen_through(grey: Image, window: int) -> Float:
    """Return the brightness of the paper as it is seen through one window, float32 of the shape of `grey`."""
    if window > COARSE:
        return _enlarged(_seen_through(halved(grey), window // 2 | 1), grey.shape)
    quiet = cv2.medianBlur(grey, 3) if min(grey.shape) > 24 else grey
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (window, window))
    closed = cv2.morphologyEx(quiet, cv2.MORPH_CLOSE, kernel, borderType=cv2.BORDER_REPLICATE)
    # the closing follows the brightest grain: bring it down to the middle of the paper, where paper was seen
    gap = (closed.astype(np.float32) - grey).ravel()
    most = 2.5 * float(np.median(gap))
    if most > STEEP and (gap < LEVEL).mean() > LEVEL_SHARE:  # half of the paper lies in narrow shadows
        most = LEVEL
    seen = gap[gap < max(LEVEL, most)]
    return cv2.GaussianBlur(closed.astype(np.float32), (0, 0), max(0.6, window / 24)) - float(np.median(seen) if seen.size else 0)


def _closer(small: Image, paper: Float, window: int) -> Float:
    """Return the paper through a small window, which follows every shadow; through the large one where a stroke is too wide for it."""
    close = _seen_through(small, window)
    contrast = contrast_of(small, paper)
    dark = (contrast > DARK).astype(np.uint8)
    n, labels, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    depth = cv2.distanceTransform(dark, cv2.DIST_L2, 3)
    keep = np.zeros(n, bool)
    for i in np.flatnonzero(stats[1:, 2:4].max(1, initial=0) >= window) + 1:
        x, y, w, h = stats[i, :4]
        part = labels[y : y + h, x : x + w] == i
        width = 2 * float(depth[y : y + h, x : x + w][part].max())
        keep[i] = width > 0.6 * window and _is_stroke(contrast[y : y + h, x : x + w][part], width, (x, y, w, h), small.shape)
    if not keep.any():
        return close
    wide = cv2.dilate(keep[labels].astype(np.uint8), np.ones((5, 5), np.uint8))
    return np.where(wide > 0, paper, close).astype(np.float32)


def _is_stroke(contrasts: Float, width: float, box: tuple[int, int, int, int], shape: tuple[int, ...]) -> bool:
    """Tell a thick stroke from a shadow or a dark table: longer than wide, sharply edged, and not from side to side of the picture."""
    x, y, w, h = map(int, box)  # NumPy's truths do not add up: two of them are one
    sides = (x <= 0) + (y <= 0) + (x + w >= shape[1]) + (y + h >= shape[0])
    peak = float(np.percentile(contrasts, 90))
    return max(w, h) > 2.2 * width and sides < 2 and float((contrasts > 0.7 * peak).mean()) > 0.55


def _find_shades(small: Image, paper: Float, window: int, image: Image) -> Image | None:
    """Return 1 where shadows lie that are narrower than the window `paper` was seen through: of a pencil, blinds, leaves; None without any.

    Such a shadow is wider than the thin strokes of the page, no darker, and has no colour. On a page without thin strokes, all that is wide
    is ink.
    """
    contrast = contrast_of(small, paper)
    core = cv2.distanceTransform((contrast > DUSK).astype(np.uint8), cv2.DIST_L2, 3) > WIDE * window / 2
    n, labels, stats, _ = cv2.connectedComponentsWithStats(core.astype(np.uint8), connectivity=8)
    large = stats[:, cv2.CC_STAT_AREA] > CORE * window**2
    if not large[1:].any():
        return None
    thin = contrast_of(small, _seen_through(small, _closest(window)))
    strokes = thin > 2 * DUSK
    heights = cv2.connectedComponentsWithStats(strokes.astype(np.uint8), connectivity=8)[2][1:, 3]
    if (heights >= LETTER * window).sum() < FEWEST_LETTERS:
        return None
    labels[strokes] = 0
    most = min(SHADE, float(np.percentile(thin[strokes], 75)))
    shades = large & (_means(contrast, labels, n) < most) & _are_colourless(small_of(image), labels, n)
    shades[0] = False
    if not shades.any():
        return None
    side = (round(WIDE * window) | 1) + 2 * EDGE
    return cv2.dilate(shades[labels].astype(np.uint8), np.ones((side, side), np.uint8))


def _are_colourless(small: Image, labels: Labels, n: int) -> NDArray[np.bool_]:
    """Tell under which of `n` labels a picture is darker than its paper, which most of it is, in all colours alike."""
    if small.ndim == 2:
        return np.ones(n, np.bool_)
    planes = [plane.astype(np.float32) for plane in np.moveaxis(small, 2, 0)]
    dense = np.stack([np.log((np.median(p[::3, ::3]) + 8) / (_means(p, labels, n) + 8)) for p in planes])
    return np.asarray(dense.sum(0) > GREY * np.sqrt(3) * np.linalg.norm(dense, axis=0))


def _means(values: Float, labels: Labels, n: int) -> NDArray[np.float64]:
    """Return the mean of `values` under each of `n` labels, NaN where there is nothing."""
    areas = np.bincount(labels.ravel(), minlength=n)
    return np.asarray(np.bincount(labels.ravel(), values.ravel(), n) / np.where(areas, areas, np.nan))
