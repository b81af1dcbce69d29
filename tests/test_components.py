"""Connected pieces: counted as OpenCV counts them, however many there are; some of them taken alone."""

import cv2
import numpy as np
import pytest

from inkdigits.components import Components, label


@pytest.mark.parametrize("step", [2, 40])  # of 2: 90,000 pieces, more than 16 bits can count
def test_pieces_are_those_of_opencv(step):
    mask = np.zeros((600, 600), bool)
    mask[::step, ::step] = True
    mask[:, -30:] = np.random.default_rng(0).random((600, 30)) < 0.3
    mask[:, -32:-30] = False
    n, labels, stats, centres = label(mask)
    n_theirs, _, stats_theirs, centres_theirs = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    assert n == n_theirs
    assert labels.dtype == np.int32
    assert labels.max() == n - 1
    in_order, in_theirs = (np.lexsort(s.T) for s in (stats[1:], stats_theirs[1:]))
    assert (stats[1:][in_order] == stats_theirs[1:][in_theirs]).all()
    assert centres[1:].mean() == pytest.approx(centres_theirs[1:].mean())


def test_some_pieces_alone_are_what_their_ink_has():
    rng = np.random.default_rng(1)
    ink = np.where(rng.random((80, 120)) < 0.08, rng.integers(1, 256, (80, 120)), 0).astype(np.uint8)
    pieces = Components.of(ink)
    large = pieces.areas > 1
    assert 0 < large.sum() < len(pieces)
    some = pieces.only(large)
    anew = Components.of(some.ink)
    assert (some.ink == pieces.without(~large)).all()
    for name in ("labels", "boxes", "areas", "centres"):
        assert (getattr(some, name) == getattr(anew, name)).all(), name
    assert pieces.only(np.ones(len(pieces), bool)) is pieces
