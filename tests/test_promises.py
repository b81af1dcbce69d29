"""Promises: kept as often as they say, refused where they cannot be supported; bounds against SciPy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mapie.risk_control import BinaryClassificationController, precision
from scipy import stats

from inkdigits.errors import ModelError, UsageError
from inkdigits.promises import LEVELS, Promise, binomial_tail, largest_share, make_promise, needed


def answers(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return confidences like a good reader's, somewhat too high, and whether each answer was right."""
    random = np.random.default_rng(seed)
    confidence = 1 - 10 ** -random.uniform(0, 4.5, n)
    return confidence, random.random(n) < 1 - 1.5 * (1 - confidence)


@pytest.mark.parametrize("max_error", [0.005, 0.01, 0.05])
def test_a_promise_is_broken_in_one_making_of_twenty_at_most(max_error: float) -> None:
    confidence, right = answers(2_000_000, 0)  # as good as endless
    broken = made = 0
    for seed in range(1, 201):
        try:
            least = make_promise(*answers(3000, seed)).threshold(max_error)
        except UsageError:
            continue
        made += 1
        broken += (~right[confidence >= least]).mean() > max_error
    assert made > 150
    assert broken / made <= 0.05 + 0.035  # two deviations of what 200 makings can show


def test_more_labels_promise_more_and_a_larger_error_answers_more() -> None:
    few, many = make_promise(*answers(2000, 1)), make_promise(*answers(50_000, 1))
    assert many.coverage(0.005) > few.coverage(0.005)
    assert many.threshold(0.02) < many.threshold(0.005) < many.threshold(0.001)
    assert many.smallest() < few.smallest()
    assert many.coverage(many.smallest()) > 0


def test_what_cannot_be_promised_is_refused_in_one_line() -> None:
    few = make_promise(np.full(100, 0.99), np.full(100, True))
    with pytest.raises(
        UsageError, match=r"0\.1 % can't be promised with 95 % confidence: it takes at least 2,995 labelled answers.*made on 100$"
    ):
        few.threshold(0.001)
    assert few.coverage(0.001) == 0
    bad = make_promise(np.full(5000, 0.99), np.arange(5000) % 50 != 0)
    with pytest.raises(
        UsageError, match=r"95 % confidence: of the surest 5,000 answers 100 are wrong, which leaves 2.47 % possible; 2.5 % can$"
    ):
        bad.threshold(0.005)
    with pytest.raises(UsageError, match=r"which leaves 100 % possible$"):  # nothing is cut off, nothing less can
        make_promise(np.full(9999, 0.9999), np.full(9999, False)).threshold(0.00123)
    for nonsense in (0, 1, -0.1, float("nan")):
        with pytest.raises(UsageError, match="between 0 and 1"):
            few.threshold(nonsense)


def test_one_wrong_answer_among_the_surest_does_not_end_a_promise() -> None:
    confidence = np.r_[np.full(60, 0.999), np.full(900, 0.9)]
    is_right = np.r_[False, np.full(959, True)]
    assert make_promise(confidence, is_right).coverage(0.05) == 1
    few = make_promise(np.full(60, 0.999), np.r_[False, np.full(59, True)])  # one wrong of so few cannot pass
    assert few.coverage(0.05) == 0 and make_promise(np.full(60, 0.999), np.full(60, True)).coverage(0.05) == 1


def test_a_few_wrong_answers_among_the_surest_end_no_promise_that_all_the_others_support() -> None:
    confidence = np.r_[np.full(100, 0.999), np.full(4000, 0.9)]
    is_right = np.r_[np.full(4, False), np.arange(4096) % 100 != 0]  # 4 % of the surest hundred, about 1 % of all
    promise = make_promise(confidence, is_right)
    assert promise.coverage(0.02) == 1 and promise.coverage(0.005) == 0
    rates = [0.02, 0.03, 0.05, 0.1, 0.3]
    assert [promise.coverage(rate) for rate in rates] == [1.0] * len(rates)


@pytest.mark.parametrize("max_error", [0.001, 0.003, 0.005, 0.01, 0.05])
def test_as_many_as_are_needed_are_enough_and_one_less_is_not(max_error: float) -> None:
    n = needed(max_error)
    assert make_promise(np.ones(n), np.full(n, True)).coverage(max_error) == 1
    assert make_promise(np.ones(n - 1), np.full(n - 1, True)).coverage(max_error) == 0


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n), st.floats(0.0005, 0.9))))
def test_the_binomial_tail(case: tuple[int, int, float]) -> None:
    assert binomial_tail(*case) == pytest.approx(stats.binom.cdf(*case), rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(("wrong", "n"), [(0, 100), (3, 500), (9, 2471), (499, 500), (5, 5), (0, 0)])
def test_the_largest_share(wrong: int, n: int) -> None:
    expected = stats.beta.ppf(0.95, wrong + 1, n - wrong) if wrong < n else 1
    assert largest_share(wrong, n) == pytest.approx(expected, abs=1e-9)


def test_promises_go_through_json() -> None:
    promise = make_promise(*answers(500, 2))
    assert Promise.from_dict(promise.to_dict()) == promise
    assert promise.n == 500 and len(promise.answered) == len(LEVELS)
    counts = promise.to_dict()
    for wrong in ({}, [], {"answered": [1], "wrong": [0]}, counts | {"wrong": [600] * 65}, counts | {"answered": counts["answered"][::-1]}):
        with pytest.raises(ModelError):
            Promise.from_dict(wrong)


@pytest.mark.parametrize("max_error", [0.005, 0.01, 0.05])
def test_mapie_promises_about_as_much(max_error: float) -> None:
    confidence, right = answers(20_000, 3)
    peer = BinaryClassificationController(
        lambda x: np.column_stack([1 - x[:, 0], x[:, 0]]),
        precision,
        target_level=1 - max_error,
        confidence_level=0.95,
        list_predict_params=LEVELS,
    )
    peer.calibrate(confidence[:, None], right.astype(int))
    least, theirs = make_promise(confidence, right).threshold(max_error), min(peer.valid_predict_params)
    # one test after the other, the strictest first, needs no correction for their number: ours may answer a little more
    assert least <= theirs <= LEVELS[np.searchsorted(LEVELS, least) + 3]
