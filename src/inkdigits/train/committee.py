"""Glyphs come in; the probabilities of small networks come out, each of which learned from another part of MNIST's training digits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .. import mnist
from ..errors import UsageError
from .estimator import DigitClassifier

PART = 20_000  # training digits of each: networks that learned from the same ones make the same mistakes
EPOCHS = 3
MOST = 20


def ask_committee(
    glyphs: NDArray[np.uint8], members: int, *, epochs: int = EPOCHS, part: int = PART, tell: Callable[[str], None] = lambda _: None
) -> list[NDArray[np.float64]]:
    """Return the probabilities of each member, float64 of shape (n, 10).

    Args:
        glyphs: uint8 of shape (n, 28, 28); not from MNIST's training set, which members know by heart.
        members: how many networks learn and answer.
        epochs: of each.
        part: how many training digits each learns from, by lot.
        tell: is told what is under way.

    Raises:
        UsageError: `members` is not 1 to 20.
    """
    if not 1 <= members <= MOST:
        raise UsageError(f"expected 1 to {MOST} learners, got {members}")
    (x, y), _ = mnist.load_data()
    answers = []
    for seed in range(members):
        tell(f"learner {seed + 1} of {members}: a network learns from {part:,} of MNIST's training digits")
        chosen = np.random.default_rng(seed).choice(len(x), part, replace=False)
        network = DigitClassifier("convnet", epochs=epochs, augment=True, random_state=seed).fit(x[chosen], y[chosen])
        answers.append(network.predict_proba(glyphs))
    return answers
