"""Corrections come in; a folder of labelled glyphs comes out: a sub-folder a digit, a PNG each, named by what is in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..classify import SIZE
from ..errors import Busy, Refused, Unsupported
from ..files import sha256, write_bytes
from .jobs import Answer, from_json

MAX_BODY = 64 * 2**10  # bytes of one correction: 784 numbers are 3 kB, or 20 when each has a line of its own


class Collector:
    """A desk where corrected digits are kept, so many and no more, one after the other.

    A glyph is kept as dark ink on white paper: what training reads it with finds the same ink again.
    """

    is_ready = True

    def __init__(self, folder: str | Path, most: int) -> None:
        """Keep up to `most` files in `folder`.

        Raises:
            OSError: it cannot be made.
        """
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._most = most
        self._there = sum(1 for _ in self.folder.glob("[0-9]/*.png"))

    def do(self, seconds: float, job: str, data: bytes, options: dict[str, Any]) -> Answer:
        """Keep a correction, which takes no time to speak of."""
        self.keep(data)
        return Answer(b'{"status":"kept"}')

    def close(self) -> None:
        """Nothing is held."""

    def keep(self, data: bytes) -> Path:
        """Keep `{"glyph": 28 × 28 whole numbers, "label": 0–9}` and return its file; the last word on a glyph is the one that counts.

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
        name = f"{sha256(glyph.tobytes())[:20]}.png"
        path = self.folder / str(label) / name
        before = [file for value in range(10) if (file := self.folder / str(value) / name).exists()]
        if not before and self._there >= self._most:
            raise Refused(f"the folder holds {self._most:,} corrections, which is the limit")
        try:
            if path not in before:
                write_bytes(path, cv2.imencode(".png", 255 - glyph)[1].tobytes())
            for file in before:
                if file != path:
                    file.unlink()
        except OSError as error:
            raise Busy(f"the correction could not be written: {error.strerror}") from error
        self._there += 1 - len(before)
        return path


def _glyph(sent: object) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    rows = sent if isinstance(sent, list) and len(sent) == SIZE else []
    if (
        not all(isinstance(row, list) and len(row) == SIZE and all(type(v) is int and 0 <= v <= 255 for v in row) for row in rows)
        or not rows
    ):
        raise Unsupported("expected a glyph of 28 × 28 whole numbers, 0–255")
    return np.array(rows, np.uint8)
