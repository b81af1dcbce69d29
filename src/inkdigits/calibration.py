"""Logits of a network and the labels they should have had come in; a temperature, a map to true confidences and a threshold come out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .errors import DataError

Float = NDArray[np.float64]

NO_DIGIT = 10
DIGITS = 10
ERROR_RATE = 0.005  # of the answers at the stored threshold: about 1 in 200
KNOTS = 24  # points of the map
LEAST = 200  # labelled glyphs below which nothing is calibrated


class Calibration(NamedTuple):
    """How to turn logits into confidences that are true.

    Attributes:
        temperature: logits are divided by it.
        knots: scores and the shares of right answers they stand for, two lists of the same length, both rising from 0 to 1.
        threshold: confidence below which a reader abstains.
    """

    temperature: float
    knots: tuple[list[float], list[float]]
    threshold: float


def calibrate(logits: NDArray[np.float32], labels: NDArray[np.integer], error_rate: float = ERROR_RATE) -> Calibration:
    """Return the calibration that makes confidences true on this data, which must not have trained the network.

    Args:
        logits: of shape (n, 10), or (n, 11) with "no digit" last.
        labels: of shape (n,), 0–9, or 10 for what is no digit: there every answer is wrong.
        error_rate: share of wrong answers that the threshold allows here.

    Raises:
        DataError: there are fewer than 200 labels.

    Source: temperature scaling after Guo et al. 2017; isotonic regression after Zadrozny, Elkan 2002.
    """
    if len(labels) < LEAST:
        raise DataError(f"calibration needs at least {LEAST} labelled glyphs, got {len(labels)}")
    temperature = fit_temperature(logits, labels)
    score, best = scores(logits, temperature)
    right = best == labels
    knots = fit_map(score, right)
    confidence = np.interp(score, *knots)
    return Calibration(temperature, knots, choose_threshold(confidence, right, error_rate))


def scores(logits: NDArray[np.float32], temperature: float) -> tuple[Float, NDArray[np.int64]]:
    """Return the score of the best digit, 0–1, and the digit, both of shape (n,): as `Classifier` computes them before its map."""
    scaled = logits.astype(np.float64) / temperature
    scaled -= scaled.max(1, keepdims=True)
    weights = np.exp(scaled)
    best = weights[:, :DIGITS].argmax(1)
    return weights[:, :DIGITS].max(1) / weights.sum(1), best


def fit_temperature(logits: NDArray[np.float32], labels: NDArray[np.integer]) -> float:
    """Return the temperature with the least negative log-likelihood."""
    known = labels < logits.shape[1]
    z, y = logits[known].astype(np.float64), labels[known]
    candidates = np.exp(np.linspace(np.log(0.3), np.log(4), 80))
    return round(float(min(candidates, key=lambda t: _nll(z / t, y))), 4)


def _nll(z: Float, y: NDArray[np.integer]) -> float:
    top = z.max(1)
    return float((top + np.log(np.exp(z - top[:, None]).sum(1)) - z[np.arange(len(y)), y]).mean())


def fit_map(score: Float, right: NDArray[np.bool_]) -> tuple[list[float], list[float]]:
    """Return a rising map from scores to shares of right answers, by isotonic regression, thinned to a few knots."""
    order = np.argsort(score, kind="stable")
    blocks: list[tuple[float, float, float]] = []  # sum of scores, of right answers, count
    for s, r in zip(score[order], right[order].astype(float), strict=True):
        blocks.append((s, r, 1.0))
        while len(blocks) > 1 and blocks[-2][1] * blocks[-1][2] >= blocks[-1][1] * blocks[-2][2]:
            a, b = blocks.pop(), blocks.pop()
            blocks.append((a[0] + b[0], a[1] + b[1], a[2] + b[2]))
    x = np.array([b[0] / b[2] for b in blocks])
    # one wrong answer is added to each block's count: no finite number of right ones proves certainty
    y = np.array([b[1] / (b[2] + 1) for b in blocks])
    keep = np.unique(np.linspace(0, len(x) - 1, KNOTS).round().astype(int))
    xs, ys = [0.0, *x[keep].tolist()], [0.0, *np.maximum.accumulate(y[keep]).tolist()]
    if xs[-1] < 1:
        xs, ys = [*xs, 1.0], [*ys, ys[-1]]
    rising = [i for i in range(len(xs)) if i == 0 or xs[i] > xs[i - 1]]
    return [round(xs[i], 7) for i in rising], [round(ys[i], 7) for i in rising]


def choose_threshold(confidence: Float, right: NDArray[np.bool_], error_rate: float) -> float:
    """Return the lowest confidence above which at most `error_rate` of the answers are wrong; 1 where there is none."""
    order = np.argsort(-confidence, kind="stable")
    wrong = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(wrong <= error_rate)
    return round(float(confidence[order][good[-1]]), 4) if len(good) else 1.0
