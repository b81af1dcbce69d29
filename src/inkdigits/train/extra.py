"""A folder of labelled pictures comes in; glyphs and labels to learn from beside MNIST come out.

What `serve --collect` keeps are the 28 × 28 pictures that the network saw: they are taken as they are. A digit is cut out of any other
picture as `read --single` does it, so that the network learns from what the reader will show it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, ReadError
from ..glyph import SIZE
from ..labelled import load_labelled
from ..reader import Reader
from ..source import load_image

SHARE = 0.1  # of an epoch that extra pictures may fill by being shown again
MOST_TIMES = 10  # an epoch that a picture is shown: a few corrections among 60,000 pictures would else hardly count


@dataclass(frozen=True, eq=False)
class Extra:
    """Labelled digits of one's own.

    Attributes:
        x: glyphs, uint8 of shape (n, 28, 28).
        y: labels, uint8 of shape (n,).
        left_out: (name, reason) of the pictures that could not be used.
    """

    x: NDArray[np.uint8]
    y: NDArray[np.uint8]
    left_out: list[tuple[str, str]]


def load_extra(folder: str | Path) -> Extra:
    """Return the digits of a labelled folder: `labels.csv` with `file,label`, or one sub-folder a class, named 0 to 9.

    Raises:
        DataError: there is no such folder, its labels are not 0–9, or not one of its pictures can be used.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder of labelled pictures")
    labelled = load_labelled(folder.absolute())  # absolute: a folder may bear the name of a data set
    reader = Reader.load()
    glyphs, labels, left_out = [], [], []
    for name, picture, label in zip(labelled.names, labelled.pictures, labelled.labels, strict=True):
        try:
            glyphs.append(_glyph(picture, reader))
            labels.append(label)
        except ReadError as error:
            left_out.append((name, str(error)))
    if not glyphs:
        name, reason = left_out[0]
        raise DataError(f"none of the {len(left_out)} pictures in {folder} can be used; the first: {name}: {reason}")
    return Extra(np.stack(glyphs), np.array(labels, np.uint8), left_out)


def _glyph(picture: Path, reader: Reader) -> NDArray[np.uint8]:
    image = load_image(picture, reader.limits)
    if image.shape[:2] == (SIZE, SIZE):
        return _bright_ink(image)
    numbers = reader.read(image, single=True).numbers
    glyph = numbers[0].digits[0].glyph if numbers else None
    if glyph is None:
        raise ReadError("there is no digit on it")
    return glyph


def _bright_ink(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture of a glyph's size as a glyph: ink bright, whichever way it was drawn; its edge is taken for paper."""
    grey = image if image.ndim == 2 else image.mean(axis=2).astype(np.uint8)  # (28, 28)
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    return 255 - grey if np.median(edge) > 127 else grey


def times_shown(extra: int, base: int) -> int:
    """Return how often an epoch shows each of `extra` pictures beside `base` others."""
    return int(np.clip(SHARE * base // max(extra, 1), 1, MOST_TIMES))
