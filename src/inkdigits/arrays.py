"""A caller's array of any type and shape comes in; fresh uint8 of picture shape comes out: opaque, turned upright, or a one-line reason."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import Damaged, TooManyPixels, Unsupported
from .limits import Limits

SHAPES = "(H, W), (H, W, 1), (H, W, 3) or (H, W, 4)"
DEPTHS = (255, 1023, 4095, 16383, 65535)  # white in 8, 10, 12, 14 and 16 bits
BAND = 2**18  # pixels copied at a time: fits the cache, and a second whole copy of a 48-megapixel photo would cost 144 MB
OVERSHOOT = 0.1  # share of the range that resampling may have gone beyond it; it is clipped


def check_size(width: int, height: int, limits: Limits) -> None:
    """Refuse a picture of no pixels or of more than the limits allow.

    Raises:
        Damaged: a side is 0.
        TooManyPixels: it has more than `max_pixels`, or a side longer than `max_side`.
    """
    if width < 1 or height < 1:
        raise Damaged(f"the picture is {width} × {height} pixels: it is empty")
    if width * height > limits.max_pixels:
        raise TooManyPixels(f"{width} × {height} pixels are too many, expected at most {limits.max_pixels:,} in all")
    if max(width, height) > limits.max_side:
        raise TooManyPixels(f"{width} × {height} pixels: a side is too long, expected at most {limits.max_side:,}")


def from_array(source: Any, limits: Limits) -> NDArray[np.uint8]:
    """Return the array as uint8 of shape (H, W), (H, W, 2), (H, W, 3) or (H, W, 4), C-contiguous, sharing no memory with the caller's.

    Booleans are black and white; integers are 0–1 (a mask), 0–255, or up to 16 bits; floats are 0–1 or 0–255.

    Raises:
        Unsupported: the shape, the type or the range of values is no picture's; NaN or inf is among them.
        Damaged: the array is empty.
        TooManyPixels: it is larger than the limits allow.
    """
    try:
        array = np.asarray(source)
    except Exception as error:  # a foreign __array__ may raise anything, as a tensor on another device does
        raise Unsupported(f"the {type(source).__name__} does not give an array: {error}") from error
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in {2, 3} or (array.ndim == 3 and array.shape[2] not in {2, 3, 4}):
        raise Unsupported(f"an array of shape {array.shape} is no picture, expected {SHAPES}")
    check_size(array.shape[1], array.shape[0], limits)
    return to_uint8(array)


def to_uint8(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the values of a non-empty array as 0–255, in fresh memory; see `from_array` for the ranges.

    Raises:
        Unsupported: the type or the range of values is no picture's.
    """
    kind = array.dtype.kind
    if kind == "b":
        return np.array(array, dtype=np.uint8, order="C") * np.uint8(255)
    if kind in "ui":
        return _from_integers(array)
    if kind == "f":
        return _from_floats(array)
    raise Unsupported(f"an array of {array.dtype} is no picture, expected numbers")


def _from_integers(array: NDArray[Any]) -> NDArray[np.uint8]:
    low, high = int(array.min()), int(array.max())
    if low < 0 or high > DEPTHS[-1]:
        raise Unsupported(f"values from {low} to {high}, expected 0–255 or 0–65535")
    if high == 1:  # a mask: as brightness, nothing would be seen
        return np.array(array, dtype=np.uint8, order="C") * np.uint8(255)
    white = next(depth for depth in DEPTHS if high <= depth)  # a 12-bit scan in 16-bit cells is not a dark picture
    if white == 255:
        return np.array(array, dtype=np.uint8, order="C")
    return np.ascontiguousarray((array.astype(np.uint32) * 255 + white // 2) // white, dtype=np.uint8)


def _from_floats(array: NDArray[Any]) -> NDArray[np.uint8]:
    low, high = float(array.min()), float(array.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise Unsupported("the array holds NaN or inf, expected values 0–1 or 0–255")
    white = 1.0 if high <= 1 + OVERSHOOT else 255.0
    if low < -OVERSHOOT * max(1.0, high) or high > (1 + OVERSHOOT) * white:  # standardised values (-2 to 2) are no brightness
        raise Unsupported(f"values from {low:.6g} to {high:.6g}, expected 0–1 or 0–255")
    scaled = np.clip(array.astype(np.float32) * (255.0 / white), 0, 255)
    return np.ascontiguousarray(np.rint(scaled), dtype=np.uint8)


def flatten(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return (H, W, 2) as (H, W) and (H, W, 4) as (H, W, 3), laid over the ground that shows the ink; others unchanged."""
    if image.ndim == 2 or image.shape[2] == 3:
        return image
    colour, alpha = image[:, :, :-1], image[:, :, -1]
    if colour.shape[2] == 1:
        colour = colour[:, :, 0]
    if int(alpha.min()) == 255:
        return np.ascontiguousarray(colour)
    ground = _ground(colour, alpha)
    out = np.empty(colour.shape, np.uint8)
    rows = max(1, BAND // image.shape[1])
    for top in range(0, image.shape[0], rows):
        part = slice(top, top + rows)
        a = alpha[part].astype(np.uint16)
        if colour.ndim == 3:
            a = a[:, :, np.newaxis]
        out[part] = (colour[part] * a + ground * (255 - a) + 127) // 255
    return out


def _ground(colour: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> int:
    """Return 0 or 255: what a picture with this transparency is laid over.

    Where little is opaque, or all that is opaque is of one shade, it is ink, and the ground is the shade farther from it. Else it is a
    picture with cut-off corners: the ground is the shade nearer to its own paper, so that the cut makes no ink.
    """
    grey = colour if colour.ndim == 2 else cv2.cvtColor(np.ascontiguousarray(colour), cv2.COLOR_RGB2GRAY)
    visible = alpha >= min(128, int(alpha.max()))
    shades = grey[visible & (alpha > 0)]
    if shades.size == 0:
        return 255
    dark = float(shades.mean()) < 128
    one_shade = float(shades.std()) < 16
    if one_shade or shades.size < 0.5 * alpha.size:
        return 255 if dark else 0
    return 0 if float(np.median(shades)) < 128 else 255


_TURNS = {3: cv2.ROTATE_180, 6: cv2.ROTATE_90_CLOCKWISE, 8: cv2.ROTATE_90_COUNTERCLOCKWISE}


def turn(image: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Return the picture upright; `orientation` is EXIF's, 1–8."""
    if orientation == 2:
        return np.asarray(cv2.flip(image, 1), dtype=np.uint8)
    if orientation == 4:
        return np.asarray(cv2.flip(image, 0), dtype=np.uint8)
    if orientation == 5:
        return np.asarray(cv2.transpose(image), dtype=np.uint8)
    if orientation == 7:
        return np.asarray(cv2.flip(cv2.transpose(image), -1), dtype=np.uint8)
    if orientation in _TURNS:
        return np.asarray(cv2.rotate(image, _TURNS[orientation]), dtype=np.uint8)
    return image
