"""Measures against their definitions, and against SciPy's and scikit-learn's where they have the same."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from inkdigits import measures
from inkdigits.errors import UsageError


@pytest.mark.parametrize(("correct", "n"), [(50, 100), (0, 10), (10, 10), (1, 1), (9970, 10000)])
def test_wilson(correct: int, n: int) -> None:
    expected = stats.binomtest(correct, n).proportion_ci(method="wilson")
    assert measures.wilson(correct, n) == pytest.approx((expected.low, expected.high), abs=1e-6)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_share(case: tuple[int, int]) -> None:
    low, high = measures.wilson(*case)
    assert 0 <= low <= case[0] / case[1] + 1e-12 and case[0] / case[1] - 1e-12 <= high <= 1


def test_wilson_holds_all_and_none_whatever_is_rounded() -> None:
    assert all(measures.wilson(n, n)[1] == 1 and measures.wilson(0, n)[0] == 0 for n in range(1, 2000))


def test_wilson_of_nothing() -> None:
    for correct, n in ((0, 0), (3, 2), (-1, 5)):
        with pytest.raises(UsageError):
            measures.wilson(correct, n)


def test_ece() -> None:
    right = np.array([True] * 90 + [False] * 10)
    assert measures.ece(np.full(100, 0.9), right, bins=1) == pytest.approx(0)
    assert measures.ece(np.full(100, 1.0), right, bins=1) == pytest.approx(0.1)
    # two bins of equal mass: off by 0.2 and by 0.1
    confidence = np.array([0.5] * 50 + [1.0] * 50)
    truth = np.array([True] * 35 + [False] * 15 + [True] * 45 + [False] * 5)
    assert measures.ece(confidence, truth, bins=2) == pytest.approx((0.2 + 0.1) / 2)
    random = np.random.default_rng(0)
    honest = random.uniform(0.3, 1, 200_000)
    assert measures.ece(honest, random.random(200_000) < honest) < 0.006 < measures.ece(honest**0.5, random.random(200_000) < honest)
    assert measures.ece([0.7], [True]) == pytest.approx(0.3)


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.5, 0.5, 0.9]), st.booleans()), min_size=2, max_size=60))
def test_auroc_with_ties(pairs: list[tuple[float, bool]]) -> None:
    score, positive = zip(*pairs, strict=True)
    if len(set(positive)) == 1:
        assert measures.auroc(score, positive) is None
    else:
        assert measures.auroc(score, positive) == pytest.approx(metrics.roc_auc_score(positive, score))


def test_risk_and_coverage() -> None:
    coverage, risk = measures.risk_coverage([0.9, 0.8, 0.8, 0.1], [True, True, False, False])
    np.testing.assert_allclose(coverage, [0.25, 0.75, 1])
    np.testing.assert_allclose(risk, [0, 1 / 3, 0.5])


def honest(n: int, seed: int, power: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return confidences that are true where `power` is 1, and whether each answer was right."""
    random = np.random.default_rng(seed)
    true = random.uniform(0.3, 1, n)
    return true**power, random.random(n) < true


def by_hand(confidence: np.ndarray, right: np.ndarray, width: float, points: int = 2000) -> float:
    """Return the smooth calibration error of one width, from the definition: reflected Gaussians, one an answer."""
    t = (np.arange(points) + 0.5) / points
    kernel = sum(np.exp(-0.5 * ((t[:, None] - mirrored) / width) ** 2) for mirrored in (confidence, -confidence, 2 - confidence))
    r = (kernel * (right - confidence)).sum(axis=1) / (len(right) * width * np.sqrt(2 * np.pi))
    return float(np.abs(r).mean())


@pytest.mark.parametrize("power", [0.5, 0.8, 2.0])
def test_the_smooth_error_is_its_own_width(power: float) -> None:
    confidence, right = honest(500, 1, power)
    found = measures.smooth_ece(confidence, right)
    assert found == pytest.approx(by_hand(confidence, right, found), rel=0.01)


def test_the_smooth_error_of_plain_cases() -> None:
    right = np.array([True] * 90 + [False] * 10)
    assert measures.smooth_ece(np.full(100, 1.0), right) == pytest.approx(0.1, rel=0.01)
    assert measures.smooth_ece(np.full(100, 0.9), right) < 0.001
    assert measures.smooth_ece(*honest(100_000, 2)) < 0.01
    assert measures.smooth_ece(*honest(100_000, 2, 0.5)) > 0.05


def test_a_bootstrap_holds_the_truth_as_often_as_it_says() -> None:
    random = np.random.default_rng(3)
    held = 0
    for seed in range(200):
        low, high = measures.bootstrap(lambda x: float(np.mean(x)), random.normal(0.5, 1, 60), seed=seed)
        held += low <= 0.5 <= high
    assert 0.88 <= held / 200 <= 0.99


@pytest.mark.parametrize("measure", [measures.ece, measures.smooth_ece])
def test_the_interval_of_a_calibration_error_holds_what_endless_answers_would_show(measure: Callable[..., float]) -> None:
    truth = measure(*honest(400_000, 99, 0.6))
    held = 0
    for seed in range(40):
        low, high = measures.bootstrap(measure, *honest(800, seed, 0.6), leans_upwards=True, repeats=100)
        assert 0 <= low <= high
        held += low <= truth <= high
    assert held >= 33


def test_a_bootstrap_keeps_together_what_stands_together_and_the_seed_decides() -> None:
    confidence, right = honest(300, 4)
    assert measures.bootstrap(lambda a, b: float((a - b).max()), confidence, confidence) == (0, 0)
    first, second = (measures.bootstrap(measures.ece, confidence, right, seed=seed) for seed in (0, 0))
    assert first == second != measures.bootstrap(measures.ece, confidence, right, seed=1)


def test_a_bootstrap_of_nothing() -> None:
    with pytest.raises(UsageError, match="got 0"):
        measures.bootstrap(np.mean, [])
    with pytest.raises(UsageError, match="cannot be measured"):
        measures.bootstrap(measures.auroc, [0.5, 0.6], [True, True])
