"""Labels and probabilities come in; accuracy with its interval, calibration, confusion and mistakes come out. NumPy alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import DataError, UsageError, one_line
from .measures import auroc, bootstrap, ece, smooth_ece, wilson

DIGITS = 10
SMALLEST_PROBABILITY = 1e-7  # a probability of 0 would make the loss infinite; as in Keras

# Labels of MNIST's test set that are known to be wrong (index: the right label) or unclear (index).
# Source: Northcutt, Athalye, Mueller 2021, "Pervasive Label Errors in Test Sets Destabilize Machine Learning Benchmarks"; five votes each.
WRONG_TEST_LABELS = {947: 9, 6651: 6, 2462: 0, 2597: 3, 3558: 0, 5937: 3, 1621: 6, 1901: 4, 6783: 6, 9729: 6}
UNCLEAR_TEST_LABELS = (2130, 8527, 2654, 3520, 9679)

FEW = 100  # pictures: with fewer, all of them read right, the true accuracy may still be below 96 %

Float = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """How well answers agree with labels.

    Attributes:
        labels: the truth, int64 of shape (n,), 0–9.
        probabilities: float64 of shape (n, 10), rows summing to 1.
        confidence: float64 of shape (n,), 0–1: how far each best answer is to be trusted.
    """

    labels: Labels
    probabilities: Float
    confidence: Float

    @property
    def n(self) -> int:
        """Pictures that were answered."""
        return len(self.labels)

    @cached_property
    def predictions(self) -> Labels:
        """The most probable digit of each picture: int64 of shape (n,)."""
        return np.asarray(self.probabilities.argmax(axis=1), np.int64)

    @cached_property
    def is_right(self) -> NDArray[np.bool_]:
        """Whether each prediction is the label: bool of shape (n,)."""
        return np.asarray(self.predictions == self.labels)

    @property
    def correct(self) -> int:
        """Predictions that are right."""
        return int(self.is_right.sum())

    @property
    def accuracy(self) -> float:
        """Share of predictions that are right."""
        return self.correct / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy. See `wilson`."""
        return wilson(self.correct, self.n)

    @property
    def missing(self) -> list[int]:
        """The digits that no picture shows, by the labels."""
        return sorted(set(range(DIGITS)) - set(self.labels.tolist()))

    @property
    def caution(self) -> str | None:
        """What keeps these figures from telling how well digits are read, in words; None where nothing does."""
        low, high = self.interval
        said = [f"no label is {_listed(self.missing)}: nothing is known of such digits"] if self.missing else []
        if self.n < FEW:
            said.append(f"n = {self.n} is too small to conclude: the true accuracy may lie anywhere from {low:.0%} to {high:.0%}")
        return "; ".join(said) or None

    @cached_property
    def confusion(self) -> Labels:
        """Counts of shape (10, 10): row the label, column the prediction."""
        return np.bincount(self.labels * DIGITS + self.predictions, minlength=DIGITS**2).reshape(DIGITS, DIGITS)

    @cached_property
    def losses(self) -> tuple[Float, Float]:
        """Negative logarithm of the label's probability, in nats, and Brier score of each picture: float64 of shape (n,) each."""
        of_label = self.probabilities[np.arange(self.n), self.labels]
        squares = ((self.probabilities - np.eye(DIGITS)[self.labels]) ** 2).sum(axis=1)
        return -np.log(np.maximum(of_label, SMALLEST_PROBABILITY)), squares

    @property
    def nll(self) -> float:
        """Mean negative logarithm of the label's probability, in nats."""
        return float(self.losses[0].mean())

    @property
    def brier(self) -> float:
        """Mean squared distance between the ten probabilities and the truth, 0–2."""
        return float(self.losses[1].mean())

    @property
    def ece(self) -> float:
        """Expected calibration error of the confidence. See `ece`."""
        return ece(self.confidence, self.is_right)

    @property
    def smooth_ece(self) -> float:
        """Expected calibration error of the confidence without bins. See `smooth_ece`."""
        return smooth_ece(self.confidence, self.is_right)

    @property
    def auroc(self) -> float | None:
        """How well the confidence tells right answers from wrong ones; None where all are alike. See `auroc`."""
        return auroc(self.confidence, self.is_right)

    @cached_property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """The 95 % intervals of `nll`, `brier`, `ece`, `smooth_ece` and, where there is one, `auroc`, by their names. See `bootstrap`."""
        nll, brier = self.losses
        found = {"nll": bootstrap(_mean, nll), "brier": bootstrap(_mean, brier)}
        for name, measure in (("ece", ece), ("smooth_ece", smooth_ece)):
            found[name] = bootstrap(measure, self.confidence, self.is_right, leans_upwards=True)
        return found if self.auroc is None else found | {"auroc": bootstrap(auroc, self.confidence, self.is_right)}

    @cached_property
    def mistakes(self) -> Labels:
        """Indices of the wrong predictions, the most confident first."""
        wrong = np.flatnonzero(~self.is_right)
        return np.asarray(wrong[np.argsort(-self.confidence[wrong], kind="stable")], np.int64)

    def corrected(self) -> Evaluation:
        """Return the evaluation on MNIST's test set with its ten wrong labels put right and its five unclear ones left out.

        Raises:
            UsageError: these are not the 10,000 test pictures.
        """
        if self.n != 10_000:
            raise UsageError(f"labels are known to be wrong in MNIST's test set of 10,000 pictures alone, got {self.n}")
        labels = self.labels.copy()
        labels[list(WRONG_TEST_LABELS)] = list(WRONG_TEST_LABELS.values())
        kept = np.setdiff1d(np.arange(self.n), UNCLEAR_TEST_LABELS)
        return Evaluation(labels[kept], self.probabilities[kept], self.confidence[kept])

    def constant(self) -> Evaluation:
        """Return what the same answers would be worth, were each as sure as the next: a bar that confidences have to clear."""
        p = np.full((self.n, DIGITS), (1 - self.accuracy) / (DIGITS - 1))
        p[np.arange(self.n), self.predictions] = self.accuracy
        return Evaluation(self.labels, p, np.full(self.n, self.accuracy))

    def uncalibrated(self, temperature: float) -> Evaluation:
        """Return what the network's softmax would be worth as it is, given the temperature that its logits were divided by."""
        p = np.maximum(self.probabilities, np.finfo(np.float32).tiny) ** temperature
        p /= p.sum(axis=1, keepdims=True)
        return Evaluation(self.labels, p, p.max(axis=1))

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON-safe values, under the names of the command line's JSON."""
        return {
            "n": self.n,
            "correct": self.correct,
            "accuracy": self.accuracy,
            "interval": list(self.interval),
            "nll": self.nll,
            "brier": self.brier,
            "ece": self.ece,
            "smooth_ece": self.smooth_ece,
            "auroc": self.auroc,
            "intervals": {name: list(interval) for name, interval in self.intervals.items()},
            "confusion": self.confusion.tolist(),
            "caution": self.caution,
        }


def evaluate(labels: ArrayLike, probabilities: ArrayLike, confidence: ArrayLike | None = None) -> Evaluation:
    """Return how well answers agree with labels.

    Args:
        labels: the truth, whole numbers 0–9 of shape (n,).
        probabilities: of shape (n, 10), rows summing to 1.
        confidence: of shape (n,), 0–1; None takes the highest probability of each row.

    Raises:
        DataError: the shapes do not go together, there is nothing to evaluate, labels are not 0–9, probabilities are not finite or do not
            sum to 1.
    """
    truth = check_labels(labels)
    p = np.asarray(probabilities, np.float64)
    if len(truth) == 0:
        raise DataError("there is nothing to evaluate: no labelled picture")
    if p.shape != (len(truth), DIGITS):
        raise DataError(f"expected probabilities of shape ({len(truth)}, {DIGITS}) for as many labels, got {p.shape}")
    if not np.isfinite(p).all() or p.min() < 0 or np.abs(p.sum(axis=1) - 1).max() > 1e-3:
        raise DataError("expected probabilities between 0 and 1 whose rows sum to 1")
    trust = p.max(axis=1) if confidence is None else np.asarray(confidence, np.float64)
    if trust.shape != truth.shape or not ((trust >= 0) & (trust <= 1)).all():
        raise DataError(f"expected a confidence of 0–1 for each of {len(truth)} pictures, got an array of shape {trust.shape}")
    return Evaluation(truth, p, trust)


def check_labels(labels: ArrayLike) -> Labels:
    """Return labels as int64 of shape (n,).

    Raises:
        DataError: they are not whole numbers 0–9 in one row.
    """
    found = np.asarray(labels)
    if found.size == 0:
        return np.zeros(0, np.int64)
    if found.ndim != 1:
        raise DataError(f"expected labels of shape (n,), got {found.shape}: one-hot labels become digits by argmax(axis=1)")
    if found.dtype.kind not in "biuf":
        raise DataError(f"expected labels to be whole numbers 0–9, got {one_line(found.flat[0], 20)!r}")
    is_wrong = ~np.isin(found, range(DIGITS))
    if is_wrong.any():
        first = int(is_wrong.argmax())
        raise DataError(f"expected labels to be whole numbers 0–9, got {found[first]:g} at index {first}")
    return found.astype(np.int64)


def _listed(digits: list[int]) -> str:
    """Return digits as they are said: 0, 1 or 4."""
    *most, last = map(str, digits)
    return f"{', '.join(most)} or {last}" if most else last


def _mean(values: Float) -> float:
    return float(values.mean())
