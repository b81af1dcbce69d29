"""Batches mixed from sources: by their shares, the same for the same seed, in order also when another process makes them."""

import numpy as np
import pytest
from models import glyphs

from inkdigits import Classifier, mnist
from inkdigits.errors import DataError
from inkdigits.train.mixture import AHEAD, Mixture, Source, worker_pool


def source(name="a", label=0, n=40, share=1.0):
    return Source(name, glyphs(n, label), np.full(n, label, np.uint8), share)


def test_a_batch_holds_the_sources_by_their_shares():
    mixture = Mixture((source("a", 0, share=3.0), source("b", 1, share=1.0)), batch_size=400, strength=0)
    x, y = mixture.batch(0, 0)
    assert x.shape == (400, 28, 28) and x.dtype == np.uint8 and y.shape == (400,)
    assert (y == 0).mean() == pytest.approx(0.75, abs=0.07)


def test_seed_epoch_and_step_decide_and_nothing_else():
    mixture = Mixture((source(),), batch_size=16, seed=1)
    x, y = mixture.batch(2, 3)
    mixture.batch(0, 0)  # what was asked before makes no difference
    again, labels = mixture.batch(2, 3)
    assert np.array_equal(x, again) and np.array_equal(y, labels)
    others = [mixture.batch(2, 4), mixture.batch(3, 3), Mixture((source(),), batch_size=16, seed=2).batch(2, 3)]
    assert not any(np.array_equal(x, other) for other, _ in others)


@pytest.mark.parametrize("steps", [0, 2, AHEAD + 3])
def test_another_process_makes_the_same_batches_in_order(steps):
    mixture = Mixture((source("a", 3), source("b", 10)), batch_size=8)
    with worker_pool(mixture) as pool:
        made = list(mixture.epoch(1, steps, pool))
    assert len(made) == steps
    for step, (x, y) in enumerate(made):
        own_x, own_y = mixture.batch(1, step)
        assert np.array_equal(x, own_x) and np.array_equal(y, own_y)


def test_a_teacher_tells_what_the_glyphs_of_its_source_are():
    (x, _), _ = mnist.load_data()
    taught = Source("a", x[:50], np.full(50, 3, np.uint8), 1.0, teacher="mnist")
    plain = Source("b", x[:50], np.full(50, 10, np.uint8), 1.0)
    glyphs_of, labels = Mixture((taught, plain), batch_size=40, strength=0, dirt=0).batch(0, 0)
    told = labels[:, 10] < 1
    assert labels.shape == (40, 11) and labels.dtype == np.float32 and labels.sum(1) == pytest.approx(1, abs=1e-5)
    assert 0 < told.sum() < 40 and (labels[~told] == np.eye(11)[10]).all()
    assert labels[told, :10] == pytest.approx(Classifier.load("mnist").predict_proba(glyphs_of[told]), abs=1e-5)


@pytest.mark.parametrize(("n", "labels"), [(3, 2), (0, 0)])
def test_glyphs_and_labels_go_together(n, labels):
    with pytest.raises(DataError, match=r"source a: expected glyphs of shape \(n, 28, 28\) and n labels"):
        Source("a", np.zeros((n, 28, 28), np.uint8), np.zeros(labels, np.uint8), 1.0)
