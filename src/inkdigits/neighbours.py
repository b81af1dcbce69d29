"""Glyphs come in; the training pictures of MNIST that a network takes for most like them come out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import mnist
from .classify import FEATURES, Classifier, Float
from .evaluate import Labels

STEP = 6  # every sixth of the 60,000 is looked at: what a network sees of 10,000 is measured in seconds


class Neighbours(NamedTuple):
    """Training pictures that are nearest to each of n glyphs, the nearest first.

    Attributes:
        places: where they stand in the training set, int64 of shape (n, k).
        labels: int64 of shape (n, k).
        pictures: uint8 of shape (n, k, 28, 28).
    """

    places: Labels
    labels: Labels
    pictures: NDArray[np.uint8]


def nearest(classifier: Classifier, glyphs: ArrayLike, k: int = 3) -> Neighbours | None:
    """Return the `k` training pictures, of 10,000, whose features lie in the most similar direction to those of each glyph.

    The features are those of the network that is asked, as its last layer sees them: what is near for one is not for another. They are
    computed anew, so that they cannot be those of older weights.

    Args:
        classifier: any; None comes out where it does not tell its features.
        glyphs: see `Classifier.classify`.
        k: how many.
    """
    if not classifier.has_output(FEATURES):
        return None
    (x, y), _ = mnist.load_data()
    asked = _directions(classifier, glyphs)
    seen = _directions(classifier, x[::STEP])
    places = np.argsort(-(asked @ seen.T), axis=1, kind="stable")[:, :k] * STEP
    return Neighbours(places, y[places].astype(np.int64), x[places])


def _directions(classifier: Classifier, glyphs: ArrayLike) -> Float:
    """Return the features of each glyph, float32 of shape (n, f), as vectors of length 1."""
    features = classifier.outputs(glyphs, [FEATURES])[FEATURES]
    features = features.reshape(len(features), -1)
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), np.finfo(np.float32).tiny)
