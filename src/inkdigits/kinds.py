"""Candidates in their surroundings come in; what each is comes out: a whole digit, a mark, struck out, a part of one, or something else."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from . import modelfile
from .classify import default_threads, open_session, read_packaged
from .errors import ModelError

KINDS = ("digit", ".", ",", "-", "/", ":", "struck", "part", "other")
DIGIT, STRUCK, PART, OTHER = (KINDS.index(kind) for kind in ("digit", "struck", "part", "other"))
MARKS = slice(1, 6)  # the places of the marks
CHUNK = 128  # candidates a call: their memory stays small

Float = NDArray[np.float32]


class KindClassifier:
    """A small network that looks at a candidate with what stands around it; it may be used from several threads at once."""

    def __init__(self, data: bytes, meta: dict[str, Any], *, threads: int | None = None) -> None:
        """Make one of the bytes of `weights/kinds.onnx` and their description.

        Raises:
            ModelError: the bytes are damaged or foreign.
        """
        name = "the weights 'kinds'"
        modelfile.describe(data, name)
        if tuple(meta.get("kinds", ())) != KINDS:
            raise ModelError(f"{name}: expected the kinds {', '.join(KINDS)}, got {meta.get('kinds')!r}")
        self._session = open_session(data, name, threads or default_threads())
        self._temperature = np.float32(meta.get("temperature", 1.0))

    @classmethod
    def load(cls) -> Self:
        """Return the packaged weights.

        Raises:
            ModelError: they are missing or damaged.
        """
        return cls(*read_packaged("kinds"))

    def probabilities(self, shown: NDArray[np.uint8]) -> Float:
        """Return how likely each candidate is of each of `KINDS`: float32 of shape (n, 9), rows summing to 1.

        Args:
            shown: what `show_surroundings` made of them, uint8 of shape (n, 3, 40, 40).
        """
        parts = [self._session.run(["kinds"], {"candidates": shown[i : i + CHUNK]})[0] for i in range(0, len(shown), CHUNK)]
        if not parts:
            return np.zeros((0, len(KINDS)), np.float32)
        scaled = np.concatenate(parts) / self._temperature
        weights = np.exp(scaled - scaled.max(1, keepdims=True))
        return np.asarray(weights / weights.sum(1, keepdims=True), np.float32)


@lru_cache(maxsize=1)
def default_kinds() -> KindClassifier:
    """Return the packaged weights, loaded once."""
    return KindClassifier.load()
