"""Corruptions: each does what its definition says, alike for the same seed, and the more the stronger."""

import numpy as np
import pytest

from inkdigits import Classifier, mnist
from inkdigits.corruptions import CORRUPTIONS, PUBLISHED, STRENGTHS, corrupt
from inkdigits.errors import UsageError

GLYPHS, LABELS = (part[:40] for part in mnist.load_data()[1])


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_same_seed_spoils_alike_and_another_one_otherwise(name: str) -> None:
    before = GLYPHS.copy()
    first = corrupt(GLYPHS, name, seed=1)
    assert first.shape == GLYPHS.shape and first.dtype == np.uint8 and (before == GLYPHS).all()
    assert (corrupt(GLYPHS, name, PUBLISHED[name], seed=1) == first).all()
    drawn_by_lot = name not in ("scale", "brightness", "stripe", "canny_edges")
    assert (corrupt(GLYPHS, name, seed=2) != first).any() == drawn_by_lot
    assert (first != GLYPHS).any(axis=(1, 2)).all()


@pytest.mark.parametrize("name", [name for name in CORRUPTIONS if name not in ("canny_edges", "spatter", "fog", "glass_blur")])
def test_the_stronger_the_farther_from_what_was_written(name: str) -> None:
    away = [np.abs(corrupt(GLYPHS, name, strength).astype(int) - GLYPHS).mean() for strength in STRENGTHS]
    assert np.diff(away).min() > -0.5 and away[-1] > 1.2 * away[0]  # a grey more or less is chance


def test_what_the_definitions_say() -> None:
    assert (corrupt(GLYPHS, "brightness", 5)[GLYPHS == 0] == 127).all()
    stripes = corrupt(GLYPHS, "stripe")
    assert (stripes[:, :, 7:21] == GLYPHS[:, :, 7:21]).all() and np.abs(stripes[:, :, :7].astype(int) - (255 - GLYPHS[:, :, :7])).max() <= 1
    changed = (corrupt(GLYPHS, "impulse_noise", 5) != GLYPHS).mean()
    assert 0.12 < changed < 0.27  # half of what falls on paper is black, as paper is
    moved = corrupt(GLYPHS, "translate", 3)
    inner = np.pad(GLYPHS, ((0, 0), (3, 3), (3, 3)))
    for one, glyph in zip(moved, inner, strict=True):
        assert min(np.abs(one.astype(int) - glyph[a : a + 28, b : b + 28]).max() for a in (0, 6) for b in (0, 6)) <= 1
    small = corrupt(GLYPHS, "scale", 5).astype(float)
    assert small.sum() == pytest.approx(GLYPHS.sum() / 4, rel=0.1)
    counts = corrupt(np.full((20, 28, 28), 128, np.uint8), "shot_noise", 1) / 255
    assert counts.var() == pytest.approx(0.5 / 60, rel=0.1) and counts.mean() == pytest.approx(0.5, abs=0.01)
    turned = corrupt(GLYPHS, "rotate", 1).astype(float)
    assert turned.sum() == pytest.approx(GLYPHS.sum(), rel=0.03)
    lines = corrupt(np.zeros_like(GLYPHS), "dotted_line") > 0
    assert not lines[:, :, 0::4].any() and not lines[:, :, 1::4].any() and lines[:, :, 2::4].any(axis=1).all()
    assert set(np.unique(corrupt(GLYPHS, "canny_edges"))) == {0, 255}


def test_many_pictures_at_once_are_spoilt_each_in_its_own_way() -> None:
    clouds = corrupt(np.repeat(GLYPHS[:1], 450, axis=0), "fog")  # cut from maps that are made a few hundred at a time
    assert clouds.shape == (450, 28, 28) and len(np.unique(clouds.reshape(450, -1), axis=0)) == 450


def test_what_is_spoilt_can_mostly_still_be_read() -> None:
    reader = Classifier.load()
    (_, _), (x, y) = mnist.load_data()
    right = {name: (reader.predict(corrupt(x[:200], name, 1)) == y[:200]).mean() for name in CORRUPTIONS}
    assert np.mean(list(right.values())) > 0.9, right


@pytest.mark.parametrize("wrong", [{"name": "rain"}, {"name": "fog", "strength": 0}, {"name": "fog", "strength": 6}])
def test_what_there_is_not(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        corrupt(GLYPHS, **wrong)  # type: ignore[arg-type]
