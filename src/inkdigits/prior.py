"""Readings of a page's lines come in; the same, knowing what else stands on this page, come out.

The network that tells digits from dirt sees a candidate with its neighbours and has learned from pages of every kind. On a sheet of
digits alone a lonely stroke is a 1; on a page full of print it is a letter. How common dirt is shows on the page itself. Likewise a
slanting stroke between digits is seldom a slash where there is no other; and what hangs at the foot of its neighbours is a comma.

Source: Saerens, Latinne, Decaestecker 2002, adjusting a classifier to new prior probabilities; with caution where a page holds little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .assemble import Readings, best_path
from .kinds import DIGIT, KINDS, OTHER, SLASH, STRUCK
from .segment import FOOT, STEEP, Atom, Line

USUAL = 0.2  # what is something else for one digit, on the pages that were learned from
CAUTION = 4.0  # as if so many digits of a usual page had been seen as well
MOST = 4.0  # how much rarer or more common than usual it may be
SELDOM = 1 / 3  # of the pages that were learned from, where slashes are common: how likely one is that stands alone on its page
SURE, NEAR = 0.8, 0.7  # what is so surely a digit, and stands so near, in heights of its line, says that what is beside it is one, too
LONG = 0.3  # heights of the line: a comma with a tail is longer; a speck may be a part of a digit
SELDOM_HANGS = 0.05  # as often as usual what hangs below its neighbours is a digit
ROUNDS = 2

Float = NDArray[np.float64]
Lattice = Sequence[tuple[Line, Readings]]


def settle(lattice: Lattice) -> list[tuple[Line, Readings]]:
    """Return the readings of a page's lines with the chances of each kind as they are on this page, and where a candidate stands.

    Args:
        lattice: each line and what is known of its candidates; `kinds` must be there.
    """
    settled = list(lattice)
    for _ in range(ROUNDS):
        taken = [{item.candidate for item in best_path(line, readings)} for line, readings in settled]
        dirt = _share_of_dirt(settled, taken)
        slashes = _slashes(settled, taken)
        everywhere = sum(float(each.sum()) for each in slashes)
        settled = [
            (line, _reweighed(line, readings, _where_it_stands(line, now, on_path, dirt), np.clip(everywhere - own, SELDOM, 1)))
            for (line, readings), (_, now), on_path, own in zip(lattice, settled, taken, slashes, strict=True)
        ]
    return settled


def _share_of_dirt(lattice: Lattice, taken: Sequence[set[int]]) -> float:
    """Return how much more common than usual what is something else is, from the best path through every line."""
    dirt = digits = 0.0
    for (line, readings), on_path in zip(lattice, taken, strict=True):
        if readings.kinds is None:
            continue
        covered = {atom for k in on_path for atom in range(line.candidates[k].start, line.candidates[k].stop)}
        left = {
            k
            for k, c in enumerate(line.candidates)
            if c.stop == c.start + 1 and c.start not in covered and not line.atoms[c.start].is_minor
        }
        for k in on_path | left:
            dirt += float(readings.kinds[k, OTHER])
            digits += float(readings.kinds[k, DIGIT])
    share = (dirt + CAUTION * USUAL) / (digits + CAUTION) / USUAL
    return float(np.clip(share, 1 / MOST, MOST))


def _where_it_stands(line: Line, readings: Readings, on_path: set[int], dirt: float) -> Float:
    """Return how much more common than usual what is something else is, for each candidate of a line.

    Between digits stands a digit, however many letters the page has elsewhere: on forms they have words of their own.
    """
    common = np.full(len(line.candidates), dirt)
    if dirt <= 1 or readings.kinds is None:
        return common
    sure = sorted((line.candidates[k] for k in on_path if readings.digit_confidence(k) >= SURE), key=lambda c: c.start)
    for k, candidate in enumerate(line.candidates):
        left = [c for c in sure if c.stop <= candidate.start and candidate.box.x - c.box.x - c.box.width < NEAR * line.height]
        right = [c for c in sure if c.start >= candidate.stop and c.box.x - candidate.box.x - candidate.box.width < NEAR * line.height]
        common[k] = dirt ** (1 - 0.75 * bool(left or right) - 0.25 * bool(left and right))
    return common


def _hanging(line: Line) -> NDArray[np.bool_]:
    """Tell which candidates are, or begin or end with, a small piece at the foot of the digits on both sides: a long comma, no digit."""
    foot = [None if a.is_minor else a.box.y + a.box.height for a in line.atoms]
    hangs = np.zeros(len(foot), bool)
    for k, atom in enumerate(line.atoms):
        left = next((f for f in reversed(foot[:k]) if f is not None), None)
        right = next((f for f in foot[k + 1 :] if f is not None), None)
        _, _, width, height = atom.box
        if width < STEEP * height and height > LONG * line.height and foot[k] is None and left is not None and right is not None:
            begins, ends = atom.box.y - (left + right) / 2, atom.box.y + atom.box.height - max(left, right)
            hangs[k] = begins > -FOOT[0] * line.height and FOOT[1] * line.height < ends < FOOT[2] * line.height
    return np.array([_holds(line.atoms[c.start : c.stop], hangs[c.start : c.stop]) for c in line.candidates], bool)


def _holds(run: Sequence[Atom], hangs: NDArray[np.bool_]) -> bool:
    """Tell whether a run of atoms is one that hangs, or has one beside all others."""
    if len(run) == 1 or not hangs.any():
        return bool(hangs.any())
    inner = [(a.box.x, a.box.x + a.box.width) for a, h in zip(run, hangs, strict=True) if not h]
    outer = [(a.box.x, a.box.x + a.box.width) for a, h in zip(run, hangs, strict=True) if h]
    return any(all(o[1] <= i[0] or i[1] <= o[0] for i in inner) for o in outer)


def _slashes(lattice: Lattice, taken: Sequence[set[int]]) -> list[NDArray[np.float32]]:
    """Return how likely each candidate of every line is a slash, 0 where the best path leaves it out."""
    found = []
    for (line, readings), on_path in zip(lattice, taken, strict=True):
        likely = np.zeros(len(line.candidates), np.float32)
        if readings.kinds is not None and on_path:
            likely[list(on_path)] = readings.kinds[list(on_path), SLASH]
        found.append(likely)
    return found


def _reweighed(line: Line, readings: Readings, dirt: Float, slash: NDArray[np.float32]) -> Readings:
    if readings.kinds is None:
        return readings
    kinds = readings.kinds.copy()
    kinds[:, OTHER] *= dirt
    kinds[:, SLASH] *= slash
    kinds[_hanging(line), DIGIT] *= SELDOM_HANGS
    kinds[[any(atom.is_struck for atom in line.atoms[c.start : c.stop]) for c in line.candidates]] = np.eye(len(KINDS))[STRUCK]
    return replace(readings, kinds=kinds / kinds.sum(1, keepdims=True))
