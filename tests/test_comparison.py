"""Two models side by side: who gained what, and McNemar's exact test against SciPy's."""

import numpy as np
import pytest
from scipy import stats

from inkdigits.comparison import Comparison
from inkdigits.errors import DataError
from inkdigits.evaluate import Evaluation, evaluate


def answers(is_right: str, confidence: float = 0.9) -> Evaluation:
    """Return an evaluation of pictures of a 3, read right or as a 5; the surer, the further back."""
    read = np.where(np.array(list(is_right)) == "1", 3, 5)
    return evaluate(np.full(len(read), 3), np.eye(10)[read], confidence + np.arange(len(read)) / 1000)


def test_who_gained_what() -> None:
    found = Comparison(answers("110010"), answers("100111"))
    assert (found.gained.tolist(), found.lost.tolist(), found.both_wrong) == ([1], [5, 3], 1)  # the surest mistake first
    assert found.difference == pytest.approx(-1 / 6)
    assert found.to_dict()["gained"] == 1 and found.to_dict()["accuracy"] == pytest.approx(4 / 6)
    assert found.describe().startswith("1 gained, 2 lost, 1 wrong with both: -16.67 points")


@pytest.mark.parametrize(("gained", "lost"), [(0, 0), (0, 1), (5, 5), (1, 9), (45, 23), (9, 30)])
def test_mcnemar_is_the_exact_binomial_test(gained: int, lost: int) -> None:
    one, other = "1" * gained + "0" * lost + "1" * 100, "0" * gained + "1" * lost + "1" * 100
    expected = stats.binomtest(gained, gained + lost).pvalue if gained + lost else 1
    assert Comparison(answers(one, 0.5), answers(other, 0.5)).p_value == pytest.approx(expected, rel=1e-9)


def test_the_interval_holds_the_true_difference_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        one, other = ("".join("01"[int(hit)] for hit in random.random(300) < share) for share in (0.96, 0.92))
        low, high = Comparison(answers(one, 0.5), answers(other, 0.5)).interval
        held += low <= 0.04 <= high
    assert 0.92 <= held / 400 <= 0.99


def test_other_pictures_are_no_comparison() -> None:
    with pytest.raises(DataError, match="the same pictures"):
        Comparison(answers("11"), answers("111"))
