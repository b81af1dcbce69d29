"""Calibration: a temperature, a shift for what is no digit, a threshold that holds what it says."""

import numpy as np
import pytest

from inkdigits.calibration import calibrate, choose_threshold, confidences, fit_shift
from inkdigits.errors import DataError


def drawn(classes=10, n=6000, seed=0):
    """Return true logits of shape (n, classes) and labels drawn from what they say."""
    rng = np.random.default_rng(seed)
    true = rng.normal(0, 1.6, (n, classes))
    p = np.exp(true) / np.exp(true).sum(1, keepdims=True)
    return true.astype(np.float32), np.array([rng.choice(classes, p=row) for row in p], np.uint8)


def test_the_temperature_undoes_overconfidence():
    logits, labels = drawn()
    found = calibrate(3 * logits, labels)
    assert found.temperature == pytest.approx(3, rel=0.1)
    assert found.no_digit_shift == 0


def test_a_few_wrong_labels_do_not_make_all_confidences_cautious():
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 1, (10_000, 10)).astype(np.float32)
    labels = rng.integers(0, 10, 10_000).astype(np.uint8)
    logits[np.arange(10_000), labels] += 12  # right, and sure of it
    sure = calibrate(logits, labels).temperature
    labels[:10] = (labels[:10] + 1) % 10  # one label in a thousand is wrong
    assert calibrate(logits, labels).temperature < 1.3 * sure


@pytest.mark.parametrize("sharper", [0.5, 3])
def test_confidences_are_true_on_fresh_data(sharper):
    logits, labels = drawn(seed=1)
    found = calibrate(sharper * logits, labels)
    logits, labels = drawn(seed=2)
    confidence, best = confidences(sharper * logits, found.temperature)
    for part in np.array_split(np.argsort(confidence), 5):
        assert confidence[part].mean() == pytest.approx((best == labels)[part].mean(), abs=0.04)


def test_the_shift_is_that_of_the_rarer_no_digit():
    logits, labels = drawn(11, 30_000)  # one in eleven is no digit: odds of 1 to 10
    assert fit_shift(logits, labels, 1.0, share=1 / 11) == pytest.approx(0, abs=0.25)
    assert fit_shift(logits, labels, 1.0, share=0.01) == pytest.approx(np.log(0.01 / 0.99 * 10), abs=0.3)


def test_confidences_are_true_where_no_digit_is_rarer_than_it_was():
    logits, labels = drawn(11, 30_000)
    found = calibrate(logits, labels)
    assert found.no_digit_shift < -1.5
    confidence, best = confidences(logits, found.temperature, found.no_digit_shift)
    digits = labels < 10
    assert confidence[digits].mean() == pytest.approx((best == labels)[digits].mean(), abs=0.02)
    assert confidence[~digits].mean() < confidence[digits].mean() - 0.04


def test_the_threshold_holds_its_rate():
    confidence = np.linspace(0, 1, 2000)
    right = np.random.default_rng(0).random(2000) < 0.5 + confidence / 2
    least = choose_threshold(confidence, right, 0.02)
    assert (~right[confidence >= least]).mean() <= 0.021
    assert choose_threshold(confidence, np.zeros(2000, bool), 0.02) == 1.0


@pytest.mark.parametrize(("n", "label"), [(10, 0), (500, 10)])
def test_too_few_labels_or_no_digits_are_refused(n, label):
    with pytest.raises(DataError, match="at least 200 labelled glyphs, digits among them"):
        calibrate(np.zeros((n, 11), np.float32), np.full(n, label, np.uint8))


def test_a_threshold_counts_what_is_rare_as_rare():
    confidence = np.linspace(1, 0, 1000)
    right = np.ones(1000, bool)
    right[400:500] = False  # shown ten times as often as people do
    weight = np.where(right, 1.0, 0.1)
    assert choose_threshold(confidence, right, 0.02, weight) < 0.3 < choose_threshold(confidence, right, 0.02)
