"""Labels and confidences of who never saw them come in; which labels look wrong, the worst first, comes out. NumPy alone.

Source: confident learning after Northcutt, Jiang, Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset Labels": a picture
counts as a digit where its probability is at least what pictures with that label have on average.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .evaluate import DIGITS, SMALLEST_PROBABILITY, Float, Labels, evaluate

UNLIKELY = 0.1  # a label with a smaller probability is told apart from those that are merely doubted


@dataclass(frozen=True, eq=False)
class Audit:
    """What confidences say of labels.

    Attributes:
        labels: as they are given, int64 of shape (n,), 0–9.
        probabilities: float64 of shape (n, 10), rows summing to 1, of who never saw these labels.
    """

    labels: Labels
    probabilities: Float

    @cached_property
    def usual(self) -> Float:
        """What probability of a digit the pictures with that label have on average: float64 of shape (10,), 2 where there are none."""
        return np.array([self.probabilities[self.labels == d, d].mean() if (self.labels == d).any() else 2.0 for d in range(DIGITS)])

    @cached_property
    def counted(self) -> Labels:
        """The digit that each picture counts as, −1 where it counts as none: int64 of shape (n,)."""
        reached = np.where(self.probabilities >= self.usual - 1e-12, self.probabilities, -1.0)
        return np.where(reached.max(axis=1) >= 0, reached.argmax(axis=1), -1)

    @cached_property
    def joint(self) -> Labels:
        """How many pictures with a label (row) count as a digit (column): of shape (10, 10)."""
        sure = self.counted >= 0
        return np.bincount(self.labels[sure] * DIGITS + self.counted[sure], minlength=DIGITS**2).reshape(DIGITS, DIGITS)

    @cached_property
    def is_suspicious(self) -> NDArray[np.bool_]:
        """Whether each picture counts as another digit than its label says: bool of shape (n,)."""
        return (self.counted >= 0) & (self.counted != self.labels)

    @property
    def estimated_wrong(self) -> float:
        """How many labels are wrong, by the shares that `joint` has in each row."""
        rows = self.joint.sum(axis=1)
        off = rows - np.diag(self.joint)
        there = np.bincount(self.labels, minlength=DIGITS)
        return float((off / np.maximum(rows, 1) * there).sum())

    @cached_property
    def suggestions(self) -> Labels:
        """The most probable digit that is not the label: int64 of shape (n,)."""
        others = self.probabilities.copy()
        others[np.arange(len(others)), self.labels] = -1
        return np.asarray(others.argmax(axis=1), np.int64)

    @cached_property
    def support(self) -> Float:
        """The probability of the label: float64 of shape (n,). The lower, the more suspicious."""
        return np.asarray(self.probabilities[np.arange(len(self.labels)), self.labels])

    @cached_property
    def is_doubted(self) -> NDArray[np.bool_]:
        """Whether another digit is more probable than each label: bool of shape (n,)."""
        return np.asarray(self.probabilities.max(axis=1) > self.support)

    @property
    def is_unlikely(self) -> NDArray[np.bool_]:
        """Whether each label is less probable than `UNLIKELY`: bool of shape (n,)."""
        return np.asarray(self.support < UNLIKELY)

    @cached_property
    def order(self) -> Labels:
        """Indices of all pictures, the most suspicious label first."""
        return np.asarray(np.argsort(self.support, kind="stable"), np.int64)

    def describe(self) -> str:
        """Return how many labels are doubted, in words.

        What confident learning counts stands last: networks that are cautious never say of a wrong label what it asks for.
        """
        return (
            f"{self.is_doubted.sum():,} of {len(self.labels):,} labels are less probable than another digit, "
            f"{self.is_unlikely.sum():,} less than {UNLIKELY:.0%}; confident learning counts {self.is_suspicious.sum():,}"
        )

    def tell(self, index: int) -> dict[str, Any]:
        """Return what is said of one label as JSON-safe values."""
        return {
            "label": int(self.labels[index]),
            "suggestion": int(self.suggestions[index]),
            "probability": round(float(self.support[index]), 6),
            "suspicious": bool(self.is_suspicious[index]),
        }


def audit(labels: ArrayLike, probabilities: ArrayLike) -> Audit:
    """Return what confidences say of labels.

    Args:
        labels: whole numbers 0–9 of shape (n,).
        probabilities: of shape (n, 10), rows summing to 1, of a network that did not learn from these labels: one that did knows them by
            heart, the wrong ones too.

    Raises:
        DataError: see `evaluate`.
    """
    checked = evaluate(labels, probabilities)
    return Audit(checked.labels, checked.probabilities)


def pool(answers: Sequence[ArrayLike]) -> Float:
    """Return what several networks say together: the geometric mean of their probabilities, float64 of shape (n, 10), rows summing to 1.

    One that doubts a label weighs more than in the arithmetic mean, where those that are sure of it drown its voice.

    Args:
        answers: probabilities of shape (n, 10) of each network, at least one.

    Source: the logarithmic opinion pool after Genest and Zidek 1986, "Combining Probability Distributions".
    """
    together = np.exp(np.mean([np.log(np.maximum(np.asarray(p, np.float64), SMALLEST_PROBABILITY)) for p in answers], axis=0))
    return np.asarray(together / together.sum(axis=1, keepdims=True))
