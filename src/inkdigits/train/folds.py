"""Glyphs and labels come in; for each glyph, the probabilities of a network that learned from the others come out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, UsageError
from .estimator import DigitClassifier

LEAST = 10  # labelled pictures a fold: fewer teach a network nothing
EPOCHS = 6


def cross_validate(
    glyphs: NDArray[np.uint8],
    labels: NDArray[np.int64],
    folds: int = 5,
    *,
    seed: int = 0,
    epochs: int = EPOCHS,
    tell: Callable[[str], None] = lambda _: None,
) -> NDArray[np.float32]:
    """Return probabilities, float32 of shape (n, 10): each glyph answered by a network that learned from the other folds alone.

    Args:
        glyphs: uint8 of shape (n, 28, 28).
        labels: int64 of shape (n,), 0–9.
        folds: parts the glyphs are dealt into, each label evenly.
        seed: of the dealing and of the networks.
        epochs: of each network.
        tell: is told what is under way.

    Raises:
        UsageError: `folds` is not 2 to 20.
        DataError: there are too few pictures, or too few of a label that there is.
    """
    _check(labels, folds)
    fold = _dealt(labels, folds, seed)
    found = np.zeros((len(labels), 10), np.float32)
    for k in range(folds):
        tell(f"fold {k + 1} of {folds}: a network learns from {int((fold != k).sum()):,} pictures and answers the rest")
        network = DigitClassifier("tutorial", epochs=epochs, augment=True, random_state=seed + k)
        network.fit(glyphs[fold != k], labels[fold != k])
        found[np.ix_(fold == k, network.classes_)] = network.predict_proba(glyphs[fold == k])
    return found


def _check(labels: NDArray[np.int64], folds: int) -> None:
    """Refuse what no network could learn from: the labels of a digit that it hardly met would all look wrong."""
    if not 2 <= folds <= 20:
        raise UsageError(f"expected 2 to 20 folds, got {folds}")
    if len(labels) < folds * LEAST:
        raise DataError(f"{folds} folds need at least {folds * LEAST} labelled pictures, got {len(labels)}")
    digits, counts = np.unique(labels, return_counts=True)
    if len(digits) < 2:
        raise DataError(f"{folds} folds need at least two different labels, got {digits[0]} alone")
    if counts.min() < folds:
        raise DataError(
            f"{folds} folds need at least {folds} pictures of each label, got {counts.min()} of label {digits[counts.argmin()]}"
        )


def _dealt(labels: NDArray[np.int64], folds: int, seed: int) -> NDArray[np.int64]:
    """Return the fold of each picture; each label is dealt out evenly."""
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    by_label = shuffled[np.argsort(labels[shuffled], kind="stable")]
    fold = np.empty(len(labels), np.int64)
    fold[by_label] = np.arange(len(labels)) % folds
    return fold
