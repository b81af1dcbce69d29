"""A picture comes in; how to look at it comes out: where its paper is, and whether its ink is dark or light.

Both are seen on a small picture, once, before any ink is sought. Where they may be otherwise than they seem, only reading tells.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from .labels import find_labels
from .records import Box
from .sheet import find_sheet, grey_of

WORK_SIDE = 480  # paper is smooth: it is looked at on a picture of at most this side
STROKE_SHARE = 0.28  # a stroke is narrower than this share of the picture's shorter side, or it is no stroke
PAGE_STROKE = 0.055  # on a page, where digits are small, paper follows the light more closely
PAGE_SIDE = 320  # a picture with a shorter side of at least this, in pixels, may be a page
COARSE = 64  # pixels: what is seen through a wider window is seen as well in half the size
TIED = 0.5  # a vote for light on dark that is weaker is none, on a page: dark on light is far commoner
NEAR = 0.02  # of a digit's size: what is nearer to an edge is cut off by it
SMALLER = 0.7  # of a sheet: labels that cover less of the picture stick on it, else they are that sheet
EDGE = 6  # pixels of the shrunk picture: what is nearer to a sheet's edge does not say how the sheet would go on


class Look(NamedTuple):
    """How a picture is looked at.

    Attributes:
        dark: ink is dark on light, not light on dark.
        sheet: what of the shrunk picture is a sheet, beside which nothing is ink, bool of its shape; None where all of it is looked at.
        beside: what lies beside a sheet is looked at, too: it may be paper in a shadow.
    """

    dark: bool
    sheet: NDArray[np.bool_] | None = None
    beside: bool = False


def looks(image: NDArray[np.uint8]) -> Iterator[Look]:
    """Yield how a picture is to be looked at, the usual way first.

    That may be wrong, and only reading tells. What lies beside a sheet may be a desk, or the rest of it in a shadow; and shadows and desks
    have more of a say in what is dark on light than thin strokes, which may see it otherwise. Labels that stick on something are looked at
    first, and alone where that is no sheet. For most pictures there is one look.

    Args:
        image: uint8 of shape (height, width) or (height, width, 3), upright.
    """
    small = small_of(grey_of(image))
    is_page = may_be_page(image.shape)
    sheet, labels = (find_sheet(small), find_labels(small)) if is_page else (None, None)
    if labels is not None and (sheet is None or labels.sum() < SMALLER * sheet.sum()):
        yield Look(_is_dark_on_light(spread(small, labels), is_page), labels)
        if sheet is None:
            return
    on_sheet = spread(small, sheet)
    dark = _is_dark_on_light(on_sheet, is_page)
    yield Look(dark, sheet)
    if is_page and (_thin_vote(on_sheet) >= -TIED) != dark:
        yield Look(not dark, sheet)
    if sheet is not None:
        yield Look(_thin_vote(small) >= -TIED, beside=True)


def usual_look(image: NDArray[np.uint8]) -> Look:
    """Return how a picture is looked at first; see `looks`."""
    return next(looks(image))


def is_cut(box: Box, look: Look, shape: tuple[int, ...]) -> bool:
    """Tell whether what stands in `box` reaches the edge of what is looked at, in a picture of this shape, and may go on beyond it."""
    reach = max(2, round(NEAR * max(box.width, box.height)))
    height, width = shape[:2]
    x0, y0, x1, y1 = box.x - reach, box.y - reach, box.x + box.width + reach, box.y + box.height + reach
    if min(x0, y0) < 0 or x1 > width or y1 > height:
        return True
    if look.sheet is None:
        return False
    rows, columns = look.sheet.shape
    return not look.sheet[y0 * rows // height : -(-y1 * rows // height), x0 * columns // width : -(-x1 * columns // width)].all()


def may_be_page(shape: tuple[int, ...]) -> bool:
    """Tell whether a picture of this shape, (height, width, …), has room for more than one digit."""
    return min(shape[:2]) >= PAGE_SIDE


def small_of(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture, grey or in colour, so small that its longer side has `WORK_SIDE` pixels, or as it is where it has no more."""
    scale = WORK_SIDE / max(picture.shape[:2])
    if scale >= 1:
        return picture
    size = tuple(max(1, round(side * scale)) for side in picture.shape[1::-1])
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def halved(small: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture half as wide and half as high."""
    height, width = small.shape
    return np.asarray(cv2.resize(small, (width // 2, height // 2), interpolation=cv2.INTER_AREA), np.uint8)


def spread(small: NDArray[np.uint8], sheet: NDArray[np.bool_] | None) -> NDArray[np.uint8]:
    """Return the picture as if the sheet went on beyond its edges, in light and shadow: what lies beside it has no say in what paper is."""
    if sheet is None:
        return small
    within = cv2.erode(sheet.astype(np.uint8), np.ones((2 * EDGE + 1, 2 * EDGE + 1), np.uint8))
    if not within.any():
        return np.where(sheet, small, np.uint8(np.median(small[sheet])))
    _, nearest = cv2.distanceTransformWithLabels(1 - within, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    values = np.zeros(int(nearest.max()) + 1, np.uint8)
    values[nearest[within > 0]] = cv2.medianBlur(small, 2 * EDGE - 1)[within > 0]  # a stroke that ends at the edge does not go on
    return np.where(sheet, small, values[nearest])


def window_of(small: NDArray[np.uint8], share: float) -> int:
    """Return the odd side, in pixels of `small`, of a window that no stroke of at most `share` of the shorter side fills."""
    return max(3, round(min(small.shape) * share)) | 1


def _is_dark_on_light(small: NDArray[np.uint8], is_page: bool) -> bool:
    """Tell whether what is thin is darker than what surrounds it: strokes cover less than half of every window, or of a larger one."""
    shares = (PAGE_STROKE, STROKE_SHARE) if is_page else (STROKE_SHARE,)
    return max((_vote(small, window_of(small, share)) for share in shares), key=abs) >= (-TIED if is_page else 0)


def _thin_vote(small: NDArray[np.uint8]) -> float:
    """Return what `_vote` does for what is thin alone, whatever is large and dark or bright about it."""
    window = window_of(small, PAGE_STROKE)
    kernel = np.ones((window, window), np.uint8)
    hats = (cv2.morphologyEx(small, kind, kernel, borderType=cv2.BORDER_REPLICATE) for kind in (cv2.MORPH_BLACKHAT, cv2.MORPH_TOPHAT))
    difference = _local(small, window) - small.astype(np.float32)
    floor = max(6.0, 3 * float(np.median(np.abs(difference))))
    # the edge of a shadow has no hat, the paper between two strokes is as bright as most of what is about it
    darker, brighter = (np.minimum(hat, side) for hat, side in zip(hats, (difference, -difference), strict=True))
    return float(np.log((darker[darker > floor].sum() + 1) / (brighter[brighter > floor].sum() + 1)))


def _vote(small: NDArray[np.uint8], window: int) -> float:
    """Return the logarithm of how much more there is that is darker than its surroundings than there is that is brighter."""
    if window > COARSE:
        return _vote(halved(small), window // 2 | 1)
    difference = small.astype(np.float32) - _local(small, window)
    floor = max(6.0, 3 * float(np.median(np.abs(difference))))
    darker, brighter = -difference[difference < -floor].sum(), difference[difference > floor].sum()
    return float(np.log((darker + 1) / (brighter + 1)))


def _local(small: NDArray[np.uint8], window: int) -> NDArray[np.uint8]:
    """Return what most of a window about each pixel is like."""
    side = min(2 * window + 1, 255)
    half = side // 2
    return cv2.medianBlur(cv2.copyMakeBorder(small, half, half, half, half, cv2.BORDER_REFLECT_101), side)[half:-half, half:-half]
