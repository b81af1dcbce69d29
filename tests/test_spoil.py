"""Glyphs whose paper nobody took away: still digits to those who learned to look through it, and nothing but the seed decides."""

import numpy as np
import pytest

from inkdigits import Classifier, mnist
from inkdigits.train.spoil import WAYS, spoil


@pytest.fixture(scope="module")
def digits():
    (x, y), _ = mnist.load_data()
    return x[-400:], y[-400:]  # held back: no default weights learned from them


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_as_many_are_spoilt_as_were_asked_for(digits, share):
    x = digits[0].copy()
    spoilt = spoil(x, np.random.default_rng(0), share)
    assert spoilt.shape == x.shape and spoilt.dtype == np.uint8
    assert np.array_equal(x, digits[0])  # what came in stays
    assert (spoilt != x).any((1, 2)).mean() == pytest.approx(share, abs=0.07)
    assert spoil(x[:0], np.random.default_rng(0), share).shape == (0, 28, 28)


def test_the_seed_alone_decides(digits):
    once, again, other = (spoil(digits[0], np.random.default_rng(seed), 1) for seed in (3, 3, 4))
    assert np.array_equal(once, again)
    assert not np.array_equal(once, other)


@pytest.mark.parametrize("way", set(WAYS), ids=lambda way: way.__name__[1:])
def test_the_default_weights_read_through_each_way(digits, way):
    x, y = digits
    rng = np.random.default_rng(1)
    spoilt = np.stack([np.clip(way(glyph.astype(np.float32) / 255, rng) * 255, 0, 255) for glyph in x]).astype(np.uint8)
    assert (spoilt != x).any((1, 2)).mean() > 0.8
    assert (Classifier.load("reader").predict(spoilt) == y).mean() > 0.85
