"""Glyphs changed by `augment`: still glyphs, still the same digits, and nothing but the seed decides."""

import numpy as np
import pytest
from models import glyphs

from inkdigits import Classifier, mnist
from inkdigits.train import augment as changes
from inkdigits.train.augment import LARGE, augment, bend, repen


@pytest.fixture(scope="module")
def digits():
    (x, y), _ = mnist.load_data()
    return x[:400], y[:400]


def test_what_comes_out_are_glyphs_and_what_came_in_stays(digits):
    x = digits[0].copy()
    changed = augment(x, np.random.default_rng(0))
    assert changed.shape == x.shape and changed.dtype == np.uint8
    assert np.array_equal(x, digits[0])
    assert (changed != x).any((1, 2)).mean() > 0.9
    assert (changed.max((1, 2)) > 100).all()  # no digit is lost
    assert augment(x[:0], np.random.default_rng(0)).shape == (0, 28, 28)


def test_the_seed_alone_decides(digits):
    x = digits[0][:50]
    once, again, other = (augment(x, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(once, again)
    assert not np.array_equal(once, other)


def test_a_digit_stays_the_digit_it_was(digits):
    x, y = digits
    classifier = Classifier.load()
    assert (classifier.predict(augment(x, np.random.default_rng(1), 0.8)) == y).mean() > 0.95


def test_the_stronger_the_further_away(digits):
    def distance(strength):
        rng = np.random.default_rng(2)
        return np.mean([np.abs(bend(g, rng, strength, 28).astype(int) - bend(g, rng, 0.0, 28)).mean() for g in digits[0][:60]])

    assert distance(0.0) == 0
    assert 0 < distance(0.3) < distance(1.0)


def test_bending_leaves_the_ink_on_its_canvas(digits):
    rng = np.random.default_rng(5)
    for glyph in digits[0][:100]:
        bent = bend(glyph, rng, 1.0, LARGE)
        assert bent.shape == (LARGE, LARGE)
        # twice the side, over 1.2 times the ink: its area is kept but for what it was stretched
        assert 0.4 < bent.sum() / (glyph.sum() * (2 / 1.2) ** 2) < 2.5


def test_pens_grow_wider_and_narrower_but_never_run_dry():
    widths = []
    for seed in range(60):
        glyph = glyphs(1, seed)[0]
        changed = repen(glyph, np.random.default_rng(seed))
        assert changed.max() > 100
        widths.append(changed.sum() / glyph.sum())
    assert min(widths) < 0.85 and max(widths) > 1.3
    hair = np.zeros((28, 28), np.uint8)
    hair[5:24, 14] = 255  # one pixel wide: narrower would be nothing
    assert all(repen(hair, np.random.default_rng(seed)).max() > 100 for seed in range(20))


@pytest.mark.parametrize("name", ["_shift", "_soil", "_erase"])
def test_each_small_fault_changes_a_little(name, digits):
    fault = getattr(changes, name)
    shares = [(fault(g, np.random.default_rng(i)).astype(int) != g).mean() for i, g in enumerate(digits[0][:80])]
    assert 0 < np.mean(shares) < 0.5
    kept = [np.minimum(fault(g, np.random.default_rng(i)), g).sum() / g.sum() for i, g in enumerate(digits[0][:80])]
    assert np.mean(kept) > 0.6  # most of the ink is where it was
