"""Candidates in their surroundings, and what a reader makes of each alone, come in; what each is, and which digit if it is one, comes out.

It may be a whole digit, a mark, struck out, a part of one, or something else.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from . import modelfile
from .classify import default_threads, open_session, read_packaged
from .errors import ModelError

KINDS = ("digit", ".", ",", "-", "/", ":", "struck", "part", "other")
DIGIT, SLASH, STRUCK, PART, OTHER = (KINDS.index(kind) for kind in ("digit", "/", "struck", "part", "other"))
MARKS = slice(1, 6)  # the places of the marks
CHUNK = 128  # candidates a call: their memory stays small
FAINTEST = 1e-4  # a digit is no less likely than this in a reading

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
        self._temperatures = [float(meta.get(key, 1.0)) for key in ("temperature", "value_temperature")]

    @classmethod
    def load(cls) -> Self:
        """Return the packaged weights.

        Raises:
            ModelError: they are missing or damaged.
        """
        return cls(*read_packaged("kinds"))

    def classify(self, shown: NDArray[np.uint8], readings: Float) -> tuple[Float, Float]:
        """Return how likely each candidate is of each of `KINDS`, and how likely each digit is where it is one.

        Args:
            shown: what `show_surroundings` made of them, uint8 of shape (n, 4, 40, 40).
            readings: what a reader makes of each alone, float32 of shape (n, 10), as from `reading_of`; zeros where it was not asked.

        Returns:
            float32 of shape (n, 9) and (n, 10), rows summing to 1.
        """
        if not len(shown):
            return np.zeros((0, len(KINDS)), np.float32), np.zeros((0, readings.shape[1]), np.float32)
        chunks = [slice(i, i + CHUNK) for i in range(0, len(shown), CHUNK)]
        told = np.log(np.maximum(readings, FAINTEST))
        parts = [self._session.run(["kinds", "values"], {"candidates": shown[c], "readings": told[c]}) for c in chunks]
        kinds, values = (np.concatenate(logits) for logits in zip(*parts, strict=True))
        return _softmax(kinds, self._temperatures[0]), _softmax(values, self._temperatures[1])


def reading_of(probabilities: Float, confidence: Float) -> Float:
    """Return what a reader makes of glyphs: how likely each digit is, rows summing to less than 1 where it may be none.

    Args:
        probabilities: of the ten digits, float of shape (n, 10), rows summing to 1.
        confidence: that the best digit is right, float of shape (n,), 0–1.
    """
    return np.asarray(probabilities * (confidence / probabilities.max(1))[:, None], np.float32)


def _softmax(scores: Float, temperature: float) -> Float:
    weights = np.exp((scores - scores.max(1, keepdims=True)) / temperature)
    return np.asarray(weights / weights.sum(1, keepdims=True), np.float32)


@lru_cache(maxsize=1)
def default_kinds() -> KindClassifier:
    """Return the packaged weights, loaded once."""
    return KindClassifier.load()
