"""A picture comes in; what lies within a frame of one colour, such as the bars of a screenshot or a document's white, comes out."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from .source import Picture

SAME, OTHER = 6, 16  # grey levels: what differs by no more is the frame, what differs by more is not
SMALLEST = 64  # pixels: what lies within a frame is no lower and no narrower
EDGE, DEEP = 0.01, 0.05  # of its sides: just within them all is of another colour, and deeper most still is
ALL, MOST = 0.9, 0.7


class Framed(NamedTuple):
    """What lies within a frame.

    Attributes:
        picture: that part alone; the whole where there is no frame.
        x: how far from the left it begins, in pixels of the upright original.
        y: how far from the top.
    """

    picture: Picture
    x: float = 0.0
    y: float = 0.0


def within_frame(picture: Picture) -> Framed:
    """Return what lies within the frame of a picture. Nothing but one colour is ever cut off."""
    box = _find(picture.image)
    if box is None:
        return Framed(picture)
    original = np.array(box) / picture.scale
    return Framed(_cropped(picture, original), float(original[0]), float(original[1]))


def _cropped(picture: Picture, original: NDArray[np.float64]) -> Picture:
    """Return the part of a picture from x, y to x, y (just outside), in pixels of the upright original."""
    x0, y0, x1, y1 = (original * picture.scale).round().astype(int)
    closer = picture.closer
    image = np.ascontiguousarray(picture.image[y0:y1, x0:x1])
    return replace(picture, image=image, closer=(lambda enough: _cropped(closer(enough), original)) if closer else None)


def _find(image: NDArray[np.uint8]) -> tuple[int, int, int, int] | None:
    """Return where what lies within the frame begins and ends, x0, y0, x1, y1, None where there is no frame."""
    height, width = image.shape[:2]
    if min(height, width) < SMALLEST:
        return None
    colour = image[0, 0].astype(np.int16)
    same = cv2.inRange(image, np.atleast_1d(colour - SAME), np.atleast_1d(colour + SAME))
    rows, columns = (cv2.reduce(same, axis, cv2.REDUCE_MIN).ravel() == 0 for axis in (1, 0))  # those that hold something else
    if not rows.any():
        return None
    (y0, y1), (x0, x1) = (_ends(of) for of in (rows, columns))
    if min(y1 - y0, x1 - x0) < SMALLEST:
        return None
    within = image[y0:y1, x0:x1]
    sides = (within, within[::-1], within.swapaxes(0, 1), within.swapaxes(0, 1)[::-1])
    cut = [side for side, margin in zip(sides, (y0, height - y1, x0, width - x1), strict=True) if margin]
    return (x0, y0, x1, y1) if cut and all(_is_edge(side, colour) for side in cut) else None


def _is_other(part: NDArray[np.uint8], colour: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Tell which pixels clearly differ from a colour, bool of shape (height, width)."""
    other = np.abs(part - colour) > OTHER
    return np.asarray(other if other.ndim == 2 else other.any(2))


def _ends(there: NDArray[np.bool_]) -> tuple[int, int]:
    """Return the first that is there, and what follows the last."""
    return int(there.argmax()), len(there) - int(there[::-1].argmax())


def _is_edge(side: NDArray[np.uint8], colour: NDArray[np.int16]) -> bool:
    """Tell whether a picture begins at the top of `side`, not only ink, or a line that is drawn there."""
    just, deep = (max(2, round(share * len(side))) for share in (EDGE, DEEP))
    return bool(_is_other(side[just : just + 1], colour).mean() > ALL and _is_other(side[deep : deep + 1], colour).mean() > MOST)
