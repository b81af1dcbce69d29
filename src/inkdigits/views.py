"""A picture comes in at the size at which it is looked at; what was found in it comes out in pixels of the upright original."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from .records import Box, Number
from .source import Picture

TURNS = (0, 90, 180, 270)  # clockwise, degrees
FIRST_LOOK = 2_200_000  # pixels: a larger page is looked at in this size first
SECOND_LOOK = 10_000_000  # pixels: it is the most that is ever looked at: more would take more memory and time than a stranger may have
CLEARLY = 0.8  # of its sides: a page that would become no smaller than that is read as it is


@dataclass(frozen=True)
class View:
    """What part of a picture was looked at, and how.

    Attributes:
        rotation: clockwise turn that was applied, degrees.
        shape: (height, width) of what was looked at, before it was turned.
        scale: how many pixels of the upright original one pixel of it is.
        back: homography from its pixels, before they are scaled, to those of the picture it was cut from; None where it is all of that.
    """

    rotation: int
    shape: tuple[int, ...]
    scale: float
    back: NDArray[np.float64] | None = None


def shrunk(picture: Picture, most: int) -> tuple[NDArray[np.uint8], float]:
    """Return a page at about `most` pixels, where it has clearly more, and pixels of that per pixel of the original."""
    image = picture.image
    share = float(np.sqrt(most / (image.shape[0] * image.shape[1])))
    if share > (CLEARLY if picture.closer is None else 1):
        return image, picture.scale
    size = (max(1, round(image.shape[1] * share)), max(1, round(image.shape[0] * share)))
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return small, picture.scale * size[0] / image.shape[1]


def turned(image: NDArray[np.uint8], turn: int) -> NDArray[np.uint8]:
    """Return a picture or its ink, turned clockwise by 0, 90, 180 or 270 degrees."""
    return image if turn == 0 else np.asarray(cv2.rotate(image, TURNS.index(turn) - 1), np.uint8)  # OpenCV counts from 90 as 0


def moved(view: View, x: float, y: float) -> View:
    """Return how a picture was looked at of which but the part was seen that begins at x, y, in pixels of the upright original."""
    shift = np.eye(3)
    shift[:2, 2] = x / view.scale, y / view.scale
    return replace(view, back=shift if view.back is None else shift @ view.back)


def placed(number: Number, view: View, size: tuple[int, int]) -> Number:
    """Return the number with its boxes in pixels of the upright original, whose (width, height) is `size`."""
    digits = tuple(replace(d, box=_box_back(d.box, view, size)) for d in number.digits)
    return replace(number, box=Box.around(d.box for d in digits), digits=digits)


def _box_back(box: Box, view: View, size: tuple[int, int]) -> Box:
    height, width = view.shape
    x, y, w, h = box
    if view.rotation == 90:
        x, y, w, h = y, height - (x + w), h, w
    elif view.rotation == 180:
        x, y = width - (x + w), height - (y + h)
    elif view.rotation == 270:
        x, y, w, h = width - (y + h), x, h, w
    corners = np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], float)
    if view.back is not None:
        corners = cv2.perspectiveTransform(corners[None], view.back)[0]
    (x0, y0), (x1, y1) = corners.min(0) * view.scale, corners.max(0) * view.scale
    left, top = min(max(0, int(x0)), size[0] - 1), min(max(0, int(y0)), size[1] - 1)
    return Box(left, top, max(1, min(size[0], int(np.ceil(x1))) - left), max(1, min(size[1], int(np.ceil(y1))) - top))
