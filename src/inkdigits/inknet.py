"""A picture of one digit comes in; the ink of that digit, as a small network that learned from made photos sees it, comes out.

`ink.find_ink` measures; it is exact where paper is quiet, and lost where grain, shadows or a pale pen leave less contrast than it asks for.
This network has seen such pictures. It works on the picture shrunk to 80 pixels: too coarse for a page, enough for one digit, and where
the digit turns out to be small, it looks again at the part of the picture where it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from . import modelfile
from .classify import default_threads, open_session, read_packaged
from .records import Box

SIDE = 80  # of the square picture that the network sees, pixels
CLOSER = 0.45  # ink that spans less than this share of the picture is looked at again, from nearer
ROOM = 1.7  # how much more than the ink's span is then looked at
CHUNK = 16  # parts a call: their memory stays small
FAINT = 100  # of 255: what the network is less sure of does not say where the digit stands

Float = NDArray[np.float32]


class Sighting(NamedTuple):
    """Ink that was seen in a part of a picture.

    Attributes:
        ink: uint8 of shape (height, width), at most 80 pixels a side.
        box: the part of the picture that it covers.
    """

    ink: NDArray[np.uint8]
    box: Box

    def place(self, box: Box) -> Box:
        """Return where a box of `ink` stands in the picture, whole pixels."""
        across, down = self.box.width / self.ink.shape[1], self.box.height / self.ink.shape[0]
        left, top = self.box.x + int(box.x * across), self.box.y + int(box.y * down)
        right, bottom = self.box.x + round((box.x + box.width) * across), self.box.y + round((box.y + box.height) * down)
        return Box(left, top, max(1, right - left), max(1, bottom - top))


class InkFinder:
    """A small network that sees the ink of one digit; it may be used from several threads at once."""

    def __init__(self, data: bytes, meta: dict[str, Any], *, threads: int | None = None) -> None:
        """Make one of the bytes of `weights/ink.onnx`.

        Raises:
            ModelError: the bytes are damaged or foreign.
        """
        modelfile.describe(data, "the weights 'ink'")
        self.meta = meta
        self._session = open_session(data, "the weights 'ink'", threads or default_threads())

    @classmethod
    def load(cls) -> Self:
        """Return the packaged weights.

        Raises:
            ModelError: they are missing or damaged.
        """
        return cls(*read_packaged("ink"))

    def find(self, image: NDArray[np.uint8]) -> Sighting:
        """Return the ink of the one digit in `image`, uint8 of shape (height, width) or (height, width, 3), upright."""
        whole = Box(0, 0, image.shape[1], image.shape[0])
        seen = self.look(image, [whole])[0]
        x, y, w, h = cv2.boundingRect((seen.ink > FAINT).astype(np.uint8))
        if not w or max(w / seen.ink.shape[1], h / seen.ink.shape[0]) > CLOSER or max(whole[2:]) <= SIDE:
            return seen
        return self.look(image, [around(seen.place(Box(x, y, w, h)), ROOM, image.shape)])[0]

    def look(self, image: NDArray[np.uint8], boxes: Sequence[Box]) -> list[Sighting]:
        """Return what the network sees in each of some parts of a picture, which lie inside it."""
        sightings = []
        for start in range(0, len(boxes), CHUNK):
            chunk = boxes[start : start + CHUNK]
            smalls = [shown(image[y : y + h, x : x + w]) for x, y, w, h in chunk]
            logits = self._session.run(["ink"], {"pictures": np.stack([small for small, _ in smalls])})[0]
            sure = np.asarray(255 / (1 + np.exp(-np.clip(logits, -30, 30))) + 0.5, np.uint8)
            sightings += [Sighting(ink[:height, :width], box) for ink, box, (_, (height, width)) in zip(sure, chunk, smalls, strict=True)]
        return sightings


def shown(image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """Return a picture as the network sees it, and what part of that is the picture.

    Returns:
        uint8 RGB of shape (80, 80, 3), the picture shrunk or enlarged until its longer side fits, its last rows or columns going on; and
        the (height, width) it has there.
    """
    image = image if image.ndim == 3 else cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    height, width = small_shape(image.shape)
    flags = cv2.INTER_AREA if max(image.shape[:2]) > SIDE else cv2.INTER_LINEAR
    small = cv2.resize(image, (width, height), interpolation=flags)
    padded = cv2.copyMakeBorder(small, 0, SIDE - height, 0, SIDE - width, cv2.BORDER_REPLICATE)
    return np.asarray(padded, np.uint8), (height, width)


def small_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the (height, width) that a picture of this shape has when its longer side is 80."""
    scale = SIDE / max(shape[:2])
    return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))


def around(box: Box, room: float, shape: tuple[int, ...]) -> Box:
    """Return the square about a box, `room` times as long as its longer side, as far as it lies in a picture of this shape."""
    half = room * max(box.width, box.height) / 2
    x, y = box.x + box.width / 2, box.y + box.height / 2
    x0, y0 = max(0, int(x - half)), max(0, int(y - half))
    return Box(x0, y0, max(1, min(shape[1], int(x + half) + 1) - x0), max(1, min(shape[0], int(y + half) + 1) - y0))


@lru_cache(maxsize=1)
def default_inknet() -> InkFinder:
    """Return the packaged weights, loaded once."""
    return InkFinder.load()
