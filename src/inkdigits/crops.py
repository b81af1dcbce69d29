"""A picture and a place in it come in; a small JPEG of that place comes out: pixels alone, nothing of what the file told beside them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .records import Box, Number, Page, scaled

NUMBER_SIZE = (480, 96)  # width and height that a number's crop fits in, in pixels: twice what a cell of a spreadsheet shows
PAGE_SIZE = (800, 800)  # of a whole page: writing can still be read, and a hundred of them are 5 MB
QUALITY = 75  # of the JPEG, 0–100
MINUS = 0.8  # of the height of digits, before which a minus may stand so far
MARGIN = 0.25  # paper left around a number, as a part of its shorter side


class Crop(NamedTuple):
    """A small picture: the bytes of a JPEG file, its width and height in pixels."""

    jpeg: bytes
    width: int
    height: int


def crop_number(image: NDArray[np.uint8], page: Page, number: Number) -> Crop:
    """Return a number of a page cut out with a little paper around it, turned as it was read.

    Args:
        image: the picture that was read, uint8 of shape (H, W) or (H, W, 3) RGB; it may be smaller than the page says.
        page: what was read in it.
        number: one of its numbers.
    """
    box = scaled(number.box, image.shape[1] / page.width)
    margin = max(4, round(MARGIN * min(box.width, box.height)))
    if number.marks and number.marks[0].after_digit == 0:  # a leading minus stands before the hull of the digits
        box = _with_minus(box, page.rotation)
    top, left = max(0, box.y - margin), max(0, box.x - margin)
    return _shrunk(image[top : box.y + box.height + margin, left : box.x + box.width + margin], page.rotation, NUMBER_SIZE)


def _with_minus(box: Box, rotation: int) -> Box:
    """Return the box of a number with what stands before it, as wide as a digit is high; `rotation` turned it upright."""
    x, y, w, h = box
    before = round(MINUS * (w if rotation in (90, 270) else h))
    return {
        0: Box(max(0, x - before), y, w + min(x, before), h),
        90: Box(x, y, w, h + before),
        180: Box(x, y, w + before, h),
        270: Box(x, max(0, y - before), w, h + min(y, before)),
    }[rotation]


def crop_page(image: NDArray[np.uint8], page: Page) -> Crop:
    """Return the whole picture, small, turned as it was read; arguments as for `crop_number`."""
    return _shrunk(image, page.rotation, PAGE_SIZE)


def crop_as_it_is(image: NDArray[np.uint8]) -> Crop:
    """Return a picture that has been cut out already, of shape (H, W) or (H, W, 3) RGB, as a crop."""
    return _shrunk(image, 0, PAGE_SIZE)


def place_in(crop: Crop, page: Page, box: Box) -> Box:
    """Return where a box of the page stands in the crop of the whole page, in its pixels."""
    x, y, w, h = box
    if page.rotation == 90:
        x, y, w, h = page.height - (y + h), x, h, w
    elif page.rotation == 180:
        x, y = page.width - (x + w), page.height - (y + h)
    elif page.rotation == 270:
        x, y, w, h = y, page.width - (x + w), h, w
    return scaled(Box(x, y, w, h), crop.width / (page.height if page.rotation in (90, 270) else page.width))


def _shrunk(image: NDArray[np.uint8], rotation: int, size: tuple[int, int]) -> Crop:
    """Return the picture turned and, where it is larger than `size`, made smaller; never larger."""
    import cv2  # here, because importing it takes a tenth of a second that a CSV need not wait for

    turned = np.rot90(image, -rotation // 90)
    height, width = turned.shape[:2]
    part = min(1.0, size[0] / width, size[1] / height)
    width, height = max(1, round(width * part)), max(1, round(height * part))
    small = cv2.resize(np.ascontiguousarray(turned), (width, height), interpolation=cv2.INTER_AREA)
    blue_first = small if small.ndim == 2 else small[:, :, ::-1]
    _, jpeg = cv2.imencode(".jpg", blue_first, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return Crop(jpeg.tobytes(), width, height)
