"""Every figure against its definition, and against scikit-learn's where it has the same."""

import json

import numpy as np
import pytest
from sklearn import metrics

from inkdigits import evaluate as judge
from inkdigits import mnist
from inkdigits.errors import DataError, UsageError


def some(n: int = 400, seed: int = 0, skill: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 10, n)
    logits = random.normal(0, 1.5, (n, 10))
    logits[np.arange(n), labels] += skill
    p = np.exp(logits)
    return labels, p / p.sum(axis=1, keepdims=True)


def test_figures_agree_with_scikit_learn() -> None:
    labels, p = some()
    found = judge.evaluate(labels, p)
    predictions = p.argmax(axis=1)
    assert 0.5 < found.accuracy < 1
    assert found.accuracy == pytest.approx(metrics.accuracy_score(labels, predictions)) and found.correct == (labels == predictions).sum()
    np.testing.assert_array_equal(found.confusion, metrics.confusion_matrix(labels, predictions, labels=range(10)))
    assert found.nll == pytest.approx(metrics.log_loss(labels, p, labels=range(10)))
    assert found.auroc == pytest.approx(metrics.roc_auc_score(labels == predictions, p.max(axis=1)))
    assert found.brier == pytest.approx(np.mean([((row - np.eye(10)[y]) ** 2).sum() for row, y in zip(p, labels, strict=True)]))


def test_calibrated_probabilities_beat_a_constant_and_those_that_are_too_sure() -> None:
    labels, p = some(4000)  # true by how they are made
    found = judge.evaluate(labels, p)
    constant = found.constant()
    assert (constant.predictions == found.predictions).all() and set(constant.confidence) == {found.accuracy}
    sharp = p**2 / (p**2).sum(axis=1, keepdims=True)  # a temperature of 2 makes of these what they were
    tempered = np.sqrt(sharp) / np.sqrt(sharp).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(judge.evaluate(labels, tempered).uncalibrated(2).probabilities, sharp, rtol=1e-9)
    for bar in (constant, found.uncalibrated(2)):
        assert found.nll < bar.nll and found.brier < bar.brier
    assert found.uncalibrated(1).nll == pytest.approx(found.nll)
    never = judge.evaluate([3], np.eye(10)[[3]])  # probabilities of 0 stay finite
    assert np.isfinite(never.uncalibrated(0.5).nll) and never.constant().nll < 1e-6


def test_json_keys_of_the_contract() -> None:
    found = judge.evaluate(*some()).to_dict()
    assert {"n", "correct", "accuracy", "interval", "nll", "ece", "confusion"} <= set(found)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_mistakes_come_the_most_confident_first() -> None:
    labels, p = some()
    found = judge.evaluate(labels, p)
    assert len(found.mistakes) == found.n - found.correct > 10
    assert (found.predictions[found.mistakes] != labels[found.mistakes]).all()
    assert (np.diff(found.confidence[found.mistakes]) <= 0).all()


def test_corrected_labels_of_mnist() -> None:
    _, (_, y) = mnist.load_data()
    perfect = judge.evaluate(y, np.eye(10)[y])
    assert perfect.accuracy == 1
    corrected = perfect.corrected()
    assert corrected.n == 9995 and corrected.correct == 9985  # who repeats the ten wrong labels is wrong
    truth = y.copy()
    for index, label in judge.WRONG_TEST_LABELS.items():
        assert y[index] != label
        truth[index] = label
    assert judge.evaluate(y, np.eye(10)[truth]).corrected().accuracy == 1
    with pytest.raises(UsageError, match="10,000"):
        judge.evaluate(*some()).corrected()


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ([10], "0–9"),
        ([-1], "0–9"),
        ([3, 12, float("nan")], "got 12 at index 1"),
        ([3, float("nan")], "got nan at index 1"),
        ([0.5], "whole"),
        ([float("nan")], "whole"),
        (["a"], "whole"),
        ([[0, 1]], "argmax"),
        ([], "nothing"),
    ],
)
def test_labels_that_are_none(labels: list[object], told: str) -> None:
    with pytest.raises(DataError, match=told) as error:
        judge.evaluate(labels, np.full((len(labels), 10), 0.1))
    assert "\n" not in str(error.value)


def test_what_is_not_known_is_said() -> None:
    assert judge.evaluate(*some()).caution is None
    two = judge.evaluate([7, 2], np.eye(10)[[7, 2]])
    assert two.missing == [0, 1, 3, 4, 5, 6, 8, 9]
    assert two.caution is not None and "0, 1, 3, 4, 5, 6, 8 or 9" in two.caution and "n = 2 is too small" in two.caution
    labels, p = some()
    assert judge.evaluate(labels[labels != 4], p[labels != 4]).caution == "no label is 4: nothing is known of such digits"
    assert "34% to 100%" in two.caution and judge.evaluate(np.arange(99) % 10, np.eye(10)[np.arange(99) % 10]).caution.startswith("n = 99")


@pytest.mark.parametrize("p", [np.full((2, 9), 1 / 9), np.full((3, 10), 0.1), np.full((2, 10), 0.2), np.full((2, 10), np.nan)])
def test_probabilities_that_are_none(p: np.ndarray) -> None:
    with pytest.raises(DataError):
        judge.evaluate([1, 2], p)


def test_confidence_of_its_own() -> None:
    labels, p = some(50)
    assert judge.evaluate(labels, p, np.full(50, 0.25)).to_dict()["auroc"] == 0.5
    for wrong in (np.full(49, 0.5), np.full(50, 1.5), np.full(50, np.nan)):
        with pytest.raises(DataError):
            judge.evaluate(labels, p, wrong)
