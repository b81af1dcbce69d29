"""Suspicious labels: confident learning as cleanlab has it, planted mistakes found, and one line for data that make no sense."""

import re

import numpy as np
import pytest
from cleanlab.count import compute_confident_joint, get_confident_thresholds
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from conftest import ROOT

from inkdigits import Classifier, mnist
from inkdigits.audit import audit, pool
from inkdigits.errors import DataError, UsageError
from inkdigits.train.committee import ask_committee
from inkdigits.train.folds import cross_validate


def noisy(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return labels, 9 % of them wrong, and probabilities of a reader that is mostly right."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 10, n)
    logits = random.normal(0, 1.2, (n, 10)) + 4 * np.eye(10)[truth]
    p = np.exp(logits)
    return np.where(random.random(n) < 0.1, random.integers(0, 10, n), truth), p / p.sum(1, keepdims=True)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_counts_and_ranks_as_cleanlab_does(seed: int) -> None:
    labels, p = noisy(2000, seed)
    found = audit(labels, p)
    assert np.allclose(found.usual, get_confident_thresholds(labels, p), atol=1e-5)
    assert (found.joint == compute_confident_joint(labels, p, calibrate=False)).all()
    theirs = get_label_quality_scores(labels, p, method="self_confidence")
    assert np.allclose(found.support, theirs)
    assert (np.diff(theirs[found.order]) >= 0).all()
    issues = find_label_issues(labels, p, filter_by="confident_learning")
    assert (found.is_suspicious == issues).mean() > 0.995  # it lets off a label that is the likeliest digit after all
    assert (found.is_doubted == find_label_issues(labels, p, filter_by="predicted_neq_given")).all()
    assert found.estimated_wrong == pytest.approx(2000 * 0.09, rel=0.2)


def test_planted_mistakes_come_first() -> None:
    (x, y), _ = mnist.load_data()
    x, y = x[-10_000:], y[-10_000:].astype(np.int64)  # the reader learned from the others
    random = np.random.default_rng(0)
    planted = random.choice(len(y), 100, replace=False)
    y[planted] = (y[planted] + random.integers(1, 10, 100)) % 10
    order = audit(y, Classifier.load().predict_proba(x)).order
    assert np.isin(planted, order[:150]).sum() >= 95


def test_labels_that_cautious_networks_doubt_are_told_where_confident_learning_counts_none() -> None:
    labels = np.arange(1000) % 10
    p = np.full((1000, 10), 0.001) + 0.99 * np.eye(10)[labels]
    p[:3] = 0.01 + 0.9 * np.eye(10)[labels[:3] + 1]  # sure of another digit, but not as sure as of the others
    p[3, 3:5] = 0.4, 0.59
    p[3] /= p[3].sum()
    found = audit(labels, p)
    assert found.is_suspicious.sum() == 0 and found.is_doubted.nonzero()[0].tolist() == [0, 1, 2, 3] and found.is_unlikely.sum() == 3
    assert found.describe() == "4 of 1,000 labels are less probable than another digit, 3 less than 10%; confident learning counts 0"


def test_what_ranks_never_sees_which_labels_are_known_to_be_wrong() -> None:
    for module in ("audit.py", "court.py", "commands/trust.py", "train/committee.py", "train/folds.py"):
        text = (ROOT / "src" / "inkdigits" / module).read_text("utf-8")
        assert "TEST_LABELS" not in text and "corrected()" not in text and "6651" not in text


def test_a_class_without_pictures_and_two_pictures() -> None:
    found = audit([3, 5], np.eye(10)[[3, 3]])
    assert found.order.tolist() == [1, 0] and found.suggestions[1] == 3
    assert found.tell(1) == {"label": 5, "suggestion": 3, "probability": 0.0, "suspicious": True}
    assert not np.isnan(found.usual).any()


def test_the_published_list_names_fifty_training_labels_as_they_are() -> None:
    (_, y), _ = mnist.load_data()
    page = (ROOT / "docs" / "audit.md").read_text("utf-8")
    listed = {int(no): (int(label), int(says)) for no, label, says in re.findall(r"\| (\d+) \| (\d) \| (\d) \| [\d.e-]+ \|", page)}
    assert len(listed) == 50 and "](suspicious.png)" in page and (ROOT / "docs" / "suspicious.png").stat().st_size > 50_000
    assert all(label == y[no] != says for no, (label, says) in listed.items())


@pytest.mark.parametrize(
    ("labels", "p"),
    [([1, 12], np.full((2, 10), 0.1)), ([1, 2], np.full((2, 10), np.nan)), ([], np.zeros((0, 10))), ([1], np.ones((1, 9)) / 9)],
)
def test_data_that_make_no_sense(labels: list[int], p: np.ndarray) -> None:
    with pytest.raises(DataError):
        audit(labels, p)


def test_nobody_answers_what_he_learned_from() -> None:
    (x, y), _ = mnist.load_data()
    x, labels = x[:1200], y[:1200].astype(np.int64)
    labels[:30] = (labels[:30] + 5) % 10  # whoever learned these would say so
    told: list[str] = []
    p = cross_validate(x, labels, folds=2, epochs=8, tell=told.append)
    assert p.shape == (1200, 10) and np.allclose(p.sum(1), 1, atol=1e-3) and len(told) == 2
    assert (p.argmax(1) == y[:1200]).mean() > 0.8
    assert (p[:30].argmax(1) == labels[:30]).sum() <= 3
    assert np.isin(np.arange(30), audit(labels, p).order[:120]).sum() >= 25


@pytest.mark.parametrize(("n", "folds", "error"), [(100, 1, UsageError), (100, 21, UsageError), (49, 5, DataError)])
def test_folds_that_cannot_be(n: int, folds: int, error: type[Exception]) -> None:
    with pytest.raises(error, match="folds"):
        cross_validate(np.zeros((n, 28, 28), np.uint8), np.arange(n) % 10, folds)


@pytest.mark.parametrize(
    ("labels", "said"),
    [([0] * 60, "two different labels, got 0 alone"), ([0] * 30 + [1] * 29 + [7], "5 pictures of each label, got 1 of label 7")],
)
def test_labels_that_nobody_could_learn_are_refused(labels: list[int], said: str) -> None:
    with pytest.raises(DataError, match=said):
        cross_validate(np.zeros((60, 28, 28), np.uint8), np.array(labels))


def test_one_who_doubts_is_heard_among_those_who_are_sure() -> None:
    sure, doubts = np.eye(10)[[3, 3]] * 0.99 + 0.001, np.eye(10)[[3, 5]] * 0.99 + 0.001
    together = pool([sure, sure, doubts])
    assert np.allclose(together.sum(1), 1) and together[0, 3] == pytest.approx(0.991)
    assert together[1].argmax() == 3 and together[1, 3] < np.mean([0.991, 0.991, 0.001]) + 0.3
    assert together[1, 5] > 5 * together[1, 7]
    assert pool([sure]) == pytest.approx(sure) and np.isfinite(pool([np.eye(10), np.eye(10)[::-1]])).all()


def test_learners_learn_from_different_digits_and_answer_others() -> None:
    _, (x, y) = mnist.load_data()
    told: list[str] = []
    answers = ask_committee(x[:500], 2, epochs=2, part=2500, tell=told.append)
    assert len(told) == 2 and not np.allclose(*answers)
    assert all(p.shape == (500, 10) and np.allclose(p.sum(1), 1) and (p.argmax(1) == y[:500]).mean() > 0.7 for p in answers)
    for members in (0, 21):
        with pytest.raises(UsageError, match="1 to 20 learners"):
            ask_committee(x[:5], members)
