"""Corrections come in; a folder of labelled glyphs comes out: a sub-folder a digit, a PNG each, named by what is in it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ..classify import SIZE
from ..errors import Busy, Refused, Unsupported
from ..files import sha256, write_bytes
from .jobs import from_json


class Collector:
    """Keeps corrected digits, so many and no more.

    A glyph is kept as dark ink on white paper: what training reads it with finds the same ink again.
    """

    def __init__(self, folder: str | Path, most: int) -> None:
        """Keep up to `most` files in `folder`.

        Raises:
            OSError: it cannot be made.
        """
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._most = most
        self._there = sum(1 for _ in self.folder.glob("[0-9]/*.png"))

    def keep(self, data: bytes) -> Path:
        """Keep `{"glyph": 28 × 28 whole numbers, "label": 0–9}` and return its file.

        Raises:
            Unsupported: it is something else.
            Refused: the folder is full.
            Busy: the disk is.
        """
        sent = from_json(data)
        label = sent.get("label") if isinstance(sent, dict) else None
        if not (isinstance(label, int) and not isinstance(label, bool) and 0 <= label <= 9):
            raise Unsupported('expected {"glyph": 28 × 28 whole numbers 0–255, "label": 0–9}')
        glyph = _glyph(sent.get("glyph"))
        if self._there >= self._most:
            raise Refused(f"the folder holds {self._most:,} corrections, which is the limit")
        path = self.folder / str(label) / f"{sha256(glyph.tobytes())[:20]}.png"
        if path.exists():
            return path
        try:
            write_bytes(path, cv2.imencode(".png", 255 - glyph)[1].tobytes())
        except OSError as error:
            raise Busy(f"the correction could not be written: {error.strerror}") from error
        self._there += 1
        return path


def _glyph(sent: object) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    rows = sent if isinstance(sent, list) and len(sent) == SIZE else []
    if (
        not all(isinstance(row, list) and len(row) == SIZE and all(type(v) is int and 0 <= v <= 255 for v in row) for row in rows)
        or not rows
    ):
        raise Unsupported("expected a glyph of 28 × 28 whole numbers, 0–255")
    return np.array(rows, np.uint8)
