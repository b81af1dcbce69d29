"""The boxes of low pieces come in; how long a row each of them stands in comes out: small numbers do, and the words of a form."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST = 600  # pieces: more are dirt
BETWEEN, OFF = 0.8, 0.4  # of their height: how far apart two are, and how far one is above the other
PEER = 0.6  # of the other's height: so tall at least


def find_rows(x: Floats, y: Floats, w: Floats, h: Floats, some: NDArray[np.int64]) -> Floats:
    """Return how long the row is that each piece stands in, in pixels, of shape (n,): 0 for those that stand beside none of their like.

    Args:
        x, y, w, h: of the pieces' boxes, of shape (n,) each.
        some: the pieces to look at: beside a large number there are small ones on some pages, or a word above it.
    """
    long = np.zeros(len(x))
    if not 1 < len(some) <= MOST:
        return long
    x, y, w, tall = x[some], y[some], w[some], h[some]
    gap = np.abs(x + w / 2 - (x + w / 2)[:, None]) - (w + w[:, None]) / 2
    step = np.abs(y + tall / 2 - (y + tall / 2)[:, None])
    alike = (tall > PEER * tall[:, None]) & (tall < tall[:, None] / PEER)
    beside = alike & (gap < BETWEEN * tall) & (gap > -0.3 * tall) & (step < OFF * tall)
    np.fill_diagonal(beside, False)
    beside = beside | beside.T
    left, right = x, x + w
    for _ in range(len(some)):  # what one reaches, its neighbours reach
        reached = np.where(beside, left, left[:, None]).min(1), np.where(beside, right, right[:, None]).max(1)
        if (reached[0] == left).all() and (reached[1] == right).all():
            break
        left, right = reached
    long[some] = np.where(beside.any(1), right - left, 0)
    return long
