"""Glyphs come in; maps of what the network looked at, for the digit it read in each, come out."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from .classify import FEATURES, MAPS, SIZE, Classifier, Float

CLOSE = 1e-3  # how far the features may be from the mean of the maps, in parts of the largest, and still be that mean


def explain(classifier: Classifier, glyphs: ArrayLike, digits: ArrayLike | None = None) -> Float | None:
    """Return how much each place of a glyph spoke for a digit.

    Args:
        classifier: any; only networks that take the mean of their last maps and send it through one dense layer can tell.
        glyphs: see `Classifier.classify`.
        digits: the digit asked about, one a glyph, 0–9; None asks about the most probable.

    Returns:
        float32 of shape (n, 28, 28), 0–1: the place that spoke loudest for it 1, what spoke against it 0; None where it cannot tell.

    Source: class activation maps after Zhou, Khosla, Lapedriza, Oliva, Torralba 2016.
    """
    if classifier.kernel is None or not classifier.has_output(MAPS):
        return None
    outputs = classifier.outputs(glyphs, [MAPS, FEATURES])
    maps, features = outputs[MAPS], outputs[FEATURES]
    if not _is_mean(features, maps):
        return None
    asked = classifier.predict(glyphs) if digits is None else np.asarray(digits, np.int64)
    weights = classifier.kernel[:, asked].T  # (n, c)
    spoke = np.maximum(np.einsum("nhwc,nc->nhw", maps, weights), 0)
    spoke /= np.maximum(spoke.max(axis=(1, 2), keepdims=True, initial=0), np.finfo(np.float32).tiny)
    return _enlarged(spoke)


def _is_mean(features: Float, maps: Float) -> bool:
    if features.shape[1] != maps.shape[3]:
        return False
    return bool(np.allclose(features, maps.mean(axis=(1, 2)), atol=CLOSE * max(1.0, float(np.abs(features).max(initial=0)))))


def _enlarged(spoke: Float) -> Float:
    """Return small maps at the size of glyphs."""
    large: list[NDArray[np.float32]] = [cv2.resize(one, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC) for one in spoke]
    return np.clip(np.stack(large), 0, 1) if large else np.zeros((0, SIZE, SIZE), np.float32)
