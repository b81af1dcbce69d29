"""A caller's array of any type and shape comes in; a fresh uint8 array of picture shape comes out, or a one-line reason."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import Damaged, TooManyPixels, Unsupported
from .limits import Limits

SHAPES = "(H, W), (H, W, 1), (H, W, 3) or (H, W, 4)"
DEPTHS = (255, 1023, 4095, 16383, 65535)  # white in 8, 10, 12, 14 and 16 bits
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
    if low < -OVERSHOOT * white or high > (1 + OVERSHOOT) * white:
        raise Unsupported(f"values from {low:.6g} to {high:.6g}, expected 0–1 or 0–255")
    scaled = np.clip(array.astype(np.float32) * (255.0 / white), 0, 255)
    return np.ascontiguousarray(np.rint(scaled), dtype=np.uint8)
