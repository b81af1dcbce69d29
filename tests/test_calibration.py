"""Calibration: temperature, a rising map, a threshold that holds what it says."""

import numpy as np
import pytest

from inkdigits.calibration import calibrate, choose_threshold, fit_map, scores
from inkdigits.errors import DataError


def overconfident(n=6000, seed=0):
    """Return logits three times too sure of themselves, and labels drawn from what they would be if they were true."""
    rng = np.random.default_rng(seed)
    true = rng.normal(0, 1.6, (n, 10))
    p = np.exp(true) / np.exp(true).sum(1, keepdims=True)
    labels = np.array([rng.choice(10, p=row) for row in p], np.uint8)
    return (3 * true).astype(np.float32), labels


def test_the_temperature_undoes_overconfidence():
    logits, labels = overconfident()
    assert calibrate(logits, labels).temperature == pytest.approx(3, rel=0.15)


def test_confidences_are_true_on_fresh_data():
    found = calibrate(*overconfident(seed=1))
    logits, labels = overconfident(seed=2)
    score, best = scores(logits, found.temperature)
    confidence = np.interp(score, *found.knots)
    assert abs(confidence.mean() - (best == labels).mean()) < 0.02


def test_the_map_rises():
    score = np.random.default_rng(0).random(3000)
    xs, ys = fit_map(score, np.random.default_rng(1).random(3000) < score**2)
    assert (np.diff(xs) > 0).all()
    assert (np.diff(ys) >= 0).all()
    assert (xs[0], xs[-1]) == (0, 1)


def test_the_threshold_holds_its_rate():
    confidence = np.linspace(0, 1, 2000)
    right = np.random.default_rng(0).random(2000) < 0.5 + confidence / 2
    least = choose_threshold(confidence, right, 0.02)
    assert (~right[confidence >= least]).mean() <= 0.021
    assert choose_threshold(confidence, np.zeros(2000, bool), 0.02) == 1.0


def test_too_few_labels_are_refused():
    with pytest.raises(DataError, match="at least 200"):
        calibrate(np.zeros((10, 10), np.float32), np.zeros(10, np.uint8))
