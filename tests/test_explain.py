"""Maps of what the network looked at: from the maps and the last layer, as the network itself adds them up."""

from pathlib import Path

import models
import numpy as np
import pytest

from inkdigits import Classifier, mnist
from inkdigits.classify import FEATURES, LOGITS
from inkdigits.explain import explain

GLYPHS = mnist.load_data()[1][0][:20]


def test_the_kernel_is_the_last_layers() -> None:
    classifier = Classifier.load()
    assert classifier.kernel is not None
    out = classifier.outputs(mnist.load_data()[1][0][:500], [LOGITS, FEATURES])
    rest = out[LOGITS] - out[FEATURES] @ classifier.kernel
    assert np.ptp(rest, axis=0).max() < 1e-3  # what is left is the bias, the same for every glyph


def test_a_map_is_of_the_glyphs_size_and_loudest_at_one() -> None:
    maps = explain(Classifier.load(), GLYPHS)
    assert maps is not None
    assert maps.shape == (20, 28, 28)
    assert maps.min() >= 0 and np.allclose(maps.max(axis=(1, 2)), 1, atol=0.1)


def test_what_speaks_is_where_the_ink_is() -> None:
    classifier = Classifier.load()
    left = np.zeros((1, 28, 28), np.uint8)
    left[0, :, :14] = GLYPHS[0, :, 8:22]  # a 7, far to the left
    right = np.roll(left, 14, axis=2)
    for glyph, is_left in ((left, True), (right, False)):
        found = explain(classifier, glyph, [7])
        assert found is not None
        x = (found[0].sum(axis=0) * np.arange(28)).sum() / found[0].sum()
        assert (x < 14) == is_left


def test_another_digit_has_another_map() -> None:
    classifier = Classifier.load()
    first, second = explain(classifier, GLYPHS[:1], [7]), explain(classifier, GLYPHS[:1], [1])
    assert first is not None and second is not None
    assert not np.allclose(first, second)


def test_no_glyphs_no_maps() -> None:
    maps = explain(Classifier.load(), GLYPHS[:0])
    assert maps is not None and maps.shape == (0, 28, 28)


@pytest.mark.parametrize("digits", [None, [7] * 20])
def test_a_network_that_cannot_tell_says_so(digits: list[int] | None, tmp_path: Path) -> None:
    (tmp_path / "flat.onnx").write_bytes(models.without_maps())
    assert explain(Classifier.load(tmp_path / "flat.onnx"), GLYPHS, digits) is None
