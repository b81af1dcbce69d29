"""Logits of a network and the labels they should have had come in; what makes confidences true, and a threshold, come out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .errors import DataError

Float = NDArray[np.float64]

NO_DIGIT = 10
DIGITS = 10
ERROR_RATE = 0.005  # of the answers at the stored threshold: about 1 in 200
NO_DIGIT_SHARE = 0.005  # of what people give to read as one digit is taken to be none: trainings and test sets of ours hold far more of it
LEAST = 200  # labelled glyphs below which nothing is calibrated
TEMPERATURES = np.exp(np.linspace(np.log(0.3), np.log(4), 160))
SHIFTS = np.linspace(-8, 8, 161)
WRONG_LABELS = (0, 1e-4, 2e-4, 3e-4, 5e-4, 1e-3, 2e-3)  # shares of them that are tried
ROUNDS = 4  # temperature and shift, each fitted with the other as it is: after three nothing moves


class Calibration(NamedTuple):
    """How to turn logits into confidences that are true.

    Attributes:
        temperature: logits are divided by it.
        no_digit_shift: added to the logit of "no digit" after that: below 0 where it is rarer than it was in training.
        threshold: confidence below which a reader abstains.
    """

    temperature: float
    no_digit_shift: float
    threshold: float


def calibrate(logits: NDArray[np.float32], labels: NDArray[np.integer], error_rate: float = ERROR_RATE) -> Calibration:
    """Return the calibration that makes confidences true on this data, which must not have trained the network.

    Args:
        logits: of shape (n, 10), or (n, 11) with "no digit" last.
        labels: of shape (n,), 0–9, or 10 for what is no digit: there every answer is wrong.
        error_rate: share of wrong answers that the threshold allows here.

    Raises:
        DataError: there are fewer than 200 labels, or none of a digit.

    Source: temperature scaling after Guo et al. 2017, fitted to whether the best answer is right; the shift corrects a class's prior, after
    Saerens, Latinne, Decaestecker 2002.
    """
    is_digit = labels < DIGITS
    if len(labels) < LEAST or not is_digit.any():
        raise DataError(f"calibration needs at least {LEAST} labelled glyphs, digits among them, got {len(labels)}")
    temperature, shift = 1.0, 0.0
    for _ in range(ROUNDS):
        temperature = fit_temperature(logits, labels, shift)
        shift = fit_shift(logits, labels, temperature) if logits.shape[1] > NO_DIGIT and not is_digit.all() else 0.0
    confidence, best = confidences(logits, temperature, shift)
    return Calibration(temperature, shift, choose_threshold(confidence, best == labels, error_rate, _weights(is_digit)))


def confidences(logits: NDArray[np.float32], temperature: float, shift: float = 0.0) -> tuple[Float, NDArray[np.int64]]:
    """Return the confidence in the best digit, 0–1, and the digit, both of shape (n,): as `Classifier` computes them."""
    scaled = logits.astype(np.float64) / temperature
    scaled[:, NO_DIGIT:] += shift
    scaled -= scaled.max(1, keepdims=True)
    weights = np.exp(scaled)
    best = weights[:, :DIGITS].argmax(1)
    return weights[:, :DIGITS].max(1) / weights.sum(1), best


def fit_temperature(logits: NDArray[np.float32], labels: NDArray[np.integer], shift: float = 0.0) -> float:
    """Return the temperature with which confidences tell right answers from wrong ones best; `labels` as in `calibrate`."""
    weight = _weights(labels < DIGITS)
    return round(float(min(TEMPERATURES, key=lambda t: _surprise(logits, labels, weight, t, shift))), 4)


def fit_shift(logits: NDArray[np.float32], labels: NDArray[np.integer], temperature: float, share: float = NO_DIGIT_SHARE) -> float:
    """Return the shift with which confidences tell right answers from wrong ones best, where `share` of all glyphs is no digit."""
    weight = _weights(labels < DIGITS, share)
    return round(float(min(SHIFTS, key=lambda shift: _surprise(logits, labels, weight, temperature, shift))), 4)


def _surprise(logits: NDArray[np.float32], labels: NDArray[np.integer], weight: Float, temperature: float, shift: float) -> float:
    """Return the negative log-likelihood of which answers are right, were as many labels wrong as makes it least.

    Without that share a few wrong labels, each of which costs more the surer the answer, would decide how cautious all confidences are.
    """
    confidence, best = confidences(logits, temperature, shift)
    seen = np.where(best == labels, confidence, 1 - confidence)
    return min(float(-(weight * np.log(np.maximum(seen + wrong * (1 - 2 * seen), 1e-9))).sum()) for wrong in WRONG_LABELS)


def choose_threshold(confidence: Float, right: NDArray[np.bool_], error_rate: float, weight: Float | None = None) -> float:
    """Return the lowest confidence above which at most `error_rate` of the answers are wrong; 1 where there is none.

    Args:
        confidence: of each answer, 0–1, of shape (n,).
        right: whether each is right, of shape (n,).
        error_rate: 0–1.
        weight: how often each stands for what people show, of shape (n,); None for all alike.
    """
    order = np.argsort(-confidence, kind="stable")
    weight = np.ones(len(right)) if weight is None else weight
    wrong = np.cumsum((weight * ~right)[order]) / np.cumsum(weight[order])
    good = np.flatnonzero(wrong <= error_rate)
    return round(float(confidence[order][good[-1]]), 4) if len(good) else 1.0


def _weights(is_digit: NDArray[np.bool_], share: float = NO_DIGIT_SHARE) -> Float:
    """Return weights with which `share` of all glyphs is no digit, summing to 1; alike where all are digits."""
    if is_digit.all():
        return np.full(len(is_digit), 1 / len(is_digit))
    return np.where(is_digit, (1 - share) / is_digit.sum(), share / (~is_digit).sum())
