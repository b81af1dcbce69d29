"""Every figure against its definition, and against scikit-learn's where it has the same."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
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


def test_json_keys_of_the_contract() -> None:
    found = judge.evaluate(*some()).to_dict()
    assert {"n", "correct", "accuracy", "interval", "nll", "ece", "confusion"} <= set(found)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.parametrize(("correct", "n"), [(50, 100), (0, 10), (10, 10), (1, 1), (9970, 10000)])
def test_wilson(correct: int, n: int) -> None:
    expected = stats.binomtest(correct, n).proportion_ci(method="wilson")
    assert judge.wilson(correct, n) == pytest.approx((expected.low, expected.high), abs=1e-6)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_share(case: tuple[int, int]) -> None:
    low, high = judge.wilson(*case)
    assert 0 <= low <= case[0] / case[1] + 1e-12 and case[0] / case[1] - 1e-12 <= high <= 1


def test_wilson_of_nothing() -> None:
    for correct, n in ((0, 0), (3, 2), (-1, 5)):
        with pytest.raises(UsageError):
            judge.wilson(correct, n)


def test_ece() -> None:
    right = np.array([True] * 90 + [False] * 10)
    assert judge.ece(np.full(100, 0.9), right, bins=1) == pytest.approx(0)
    assert judge.ece(np.full(100, 1.0), right, bins=1) == pytest.approx(0.1)
    # two bins of equal mass: off by 0.2 and by 0.1
    confidence = np.array([0.5] * 50 + [1.0] * 50)
    truth = np.array([True] * 35 + [False] * 15 + [True] * 45 + [False] * 5)
    assert judge.ece(confidence, truth, bins=2) == pytest.approx((0.2 + 0.1) / 2)
    random = np.random.default_rng(0)
    honest = random.uniform(0.3, 1, 200_000)
    assert judge.ece(honest, random.random(200_000) < honest) < 0.006 < judge.ece(honest**0.5, random.random(200_000) < honest)
    assert judge.ece([0.7], [True]) == pytest.approx(0.3)


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.5, 0.5, 0.9]), st.booleans()), min_size=2, max_size=60))
def test_auroc_with_ties(pairs: list[tuple[float, bool]]) -> None:
    score, positive = zip(*pairs, strict=True)
    if len(set(positive)) == 1:
        assert judge.auroc(score, positive) is None
    else:
        assert judge.auroc(score, positive) == pytest.approx(metrics.roc_auc_score(positive, score))


def test_risk_and_coverage() -> None:
    coverage, risk = judge.risk_coverage([0.9, 0.8, 0.8, 0.1], [True, True, False, False])
    np.testing.assert_allclose(coverage, [0.25, 0.75, 1])
    np.testing.assert_allclose(risk, [0, 1 / 3, 0.5])


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
