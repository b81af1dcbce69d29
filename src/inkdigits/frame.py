"""A picture comes in; what lies within a frame of one colour, such as the bars of a screenshot or a document's white, comes out."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

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
    if all(_is_other(side, colour).any() for side in (image[:1], image[-1:], image[:, :1], image[:, -1:])):
        return None  # as most pictures
    rows = np.asarray(_is_other(image[:, :: max(1, width // 200)], colour).any(1))
    columns = np.asarray(_is_other(image[:: max(1, height // 200)], colour).any(0))
    if not rows.any():
        return None
    (y0, y1), (x0, x1) = (_ends(of) for of in (rows, columns))
    strips = (image[:y0], image[y1:], image[:, :x0], image[:, x1:])
    if min(y1 - y0, x1 - x0) < SMALLEST or any(_is_other(strip, colour).any() for strip in strips):
        return None
    within = image[y0:y1, x0:x1]
    sides = (within, within[::-1], within.swapaxes(0, 1), within.swapaxes(0, 1)[::-1])
    cut = [side for side, strip in zip(sides, strips, strict=True) if strip.size]
    return (x0, y0, x1, y1) if cut and all(_is_edge(side, colour) for side in cut) else None


def _is_other(part: NDArray[np.uint8], colour: NDArray[np.int16], by: int = SAME) -> NDArray[np.bool_]:
    """Tell which pixels differ from a colour, bool of shape (height, width)."""
    other = np.abs(part - colour) > by
    return np.asarray(other if other.ndim == 2 else other.any(2))


def _ends(there: NDArray[np.bool_]) -> tuple[int, int]:
    """Return the first that is there, and what follows the last."""
    return int(there.argmax()), len(there) - int(there[::-1].argmax())


def _is_edge(side: NDArray[np.uint8], colour: NDArray[np.int16]) -> bool:
    """Tell whether a picture begins at the top of `side`, not only ink, or a line that is drawn there."""
    just, deep = (max(2, round(share * len(side))) for share in (EDGE, DEEP))
    return bool(
        _is_other(side[just : just + 1], colour, OTHER).mean() > ALL and _is_other(side[deep : deep + 1], colour, OTHER).mean() > MOST
    )
