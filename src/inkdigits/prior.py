"""Readings of a page's lines come in; the same, knowing how much of what stands on this page is no digit, come out.

The network that tells digits from dirt sees a candidate with its neighbours and has learned from pages of every kind. On a sheet of
digits alone a lonely stroke is a 1; on a page full of print it is a letter. How common dirt is shows on the page itself.

Source: Saerens, Latinne, Decaestecker 2002, adjusting a classifier to new prior probabilities; with caution where a page holds little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .assemble import Readings, best_path
from .kinds import DIGIT, OTHER
from .segment import Line

USUAL = 0.2  # what is something else for one digit, on the pages that were learned from
CAUTION = 4.0  # as if so many digits of a usual page had been seen as well
MOST = 4.0  # how much rarer or more common than usual it may be
ROUNDS = 2

Lattice = Sequence[tuple[Line, Readings]]


def settle(lattice: Lattice) -> list[tuple[Line, Readings]]:
    """Return the readings of a page's lines with the chance of "something else" as it is on this page.

    Args:
        lattice: each line and what is known of its candidates; `kinds` must be there.
    """
    settled = list(lattice)
    for _ in range(ROUNDS):
        share = _share_of_dirt(settled)
        settled = [(line, _reweighed(readings, share)) for line, readings in lattice]
    return settled


def _share_of_dirt(lattice: Lattice) -> float:
    """Return how much more common than usual what is something else is, from the best path through every line."""
    dirt = digits = 0.0
    for line, readings in lattice:
        if readings.kinds is None:
            continue
        taken = {item.candidate for item in best_path(line, readings)}
        covered = {atom for k in taken for atom in range(line.candidates[k].start, line.candidates[k].stop)}
        left = {
            k
            for k, c in enumerate(line.candidates)
            if c.stop == c.start + 1 and c.start not in covered and not line.atoms[c.start].is_minor
        }
        for k in taken | left:
            dirt += float(readings.kinds[k, OTHER])
            digits += float(readings.kinds[k, DIGIT])
    share = (dirt + CAUTION * USUAL) / (digits + CAUTION) / USUAL
    return float(np.clip(share, 1 / MOST, MOST))


def _reweighed(readings: Readings, share: float) -> Readings:
    if readings.kinds is None:
        return readings
    kinds = readings.kinds.copy()
    kinds[:, OTHER] *= share
    return replace(readings, kinds=kinds / kinds.sum(1, keepdims=True))
