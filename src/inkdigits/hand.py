"""Digits of a page come in; those that are not surely read come out compared with the sure ones: whoever wrote one wrote the others.

A 7 of one hand is the 1 of another. Which it is shows nowhere but beside it: in how this hand writes a 7 and a 1 where that is plain.

Source: Sarkar and Nagy 2005, "Style Consistent Classification of Isogenous Patterns".
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .second_look import DOUBTFUL, Read, Revision, digits_of, revised

SURE = 0.9  # confidence from which a digit shows how this hand writes
ALIKE = 3  # so many of them, those most alike, are compared
SOFT = 1.0  # pixels of blur: a hand does not repeat itself to the pixel
NEUTRAL = 0.77  # correlation that speaks neither for a digit nor against it
WEIGHT = 14.0  # nats for a correlation higher by 1
LEAST, MOST = -2.0, 2.5  # nats for or against a digit: a hand is not of one kind either
CAUTION = 20.0  # as if so many of each digit stood on the page as well: what it is full of stands there more likely again
FAINTEST = 1e-3  # no digit is less likely

Float = NDArray[np.float32]


def compare_within(read: list[Read]) -> list[Read]:
    """Return the lines of a page with its doubtful digits read as the hand that wrote the sure ones would have written them.

    Args:
        read: each line, the best path through it, and what is known of its candidates, with their glyphs.
    """
    digits = digits_of(read)
    confidence = np.array([read[n][2].answer_confidence(k) for n, k in digits])
    sure = np.flatnonzero(confidence >= SURE)
    doubtful = np.flatnonzero(confidence < DOUBTFUL)
    if not len(sure) or not len(doubtful):
        return read
    glyphs = [read[n][2].glyphs for n, _ in digits]
    looks = _looks([g[k] for g, (_, k) in zip(glyphs, digits, strict=True) if g is not None])
    values = np.array([read[n][2].probabilities[k].argmax() for n, k in digits])[sure]
    likeness = looks[doubtful] @ looks[sure].T
    compared = {digits[i]: Revision(_reweighed(read, digits[i], alike, values)) for i, alike in zip(doubtful, likeness, strict=True)}
    return revised(read, compared)


def _looks(glyphs: Sequence[NDArray[np.uint8]]) -> Float:
    """Return glyphs so that their products are correlations, float32 of shape (n, 784)."""
    soft = np.stack([cv2.GaussianBlur(g.astype(np.float32), (0, 0), SOFT).ravel() for g in glyphs])
    soft -= soft.mean(1, keepdims=True)
    return np.asarray(soft / np.maximum(np.linalg.norm(soft, axis=1, keepdims=True), 1e-6), np.float32)


def _reweighed(read: list[Read], at: tuple[int, int], alike: Float, values: NDArray[np.int64]) -> Float:
    """Return how likely each digit is, float32 of shape (10,), summing to 1, for the digit `at`.

    Args:
        read: see `compare_within`.
        at: line and candidate.
        alike: correlation with each sure digit.
        values: what these are; how this hand writes a digit that is not among them is not known.
    """
    line, k = at
    said = read[line][2].probabilities[k]
    nats = np.log(np.bincount(values, minlength=len(said)) + CAUTION)
    for value in np.unique(values):
        most_alike = np.sort(alike[values == value])[-ALIKE:]
        nats[value] += np.clip(WEIGHT * (most_alike.mean() - NEUTRAL), LEAST, MOST)
    weights = (said + FAINTEST) * np.exp(nats)
    return np.asarray(weights / weights.sum(), np.float32)
