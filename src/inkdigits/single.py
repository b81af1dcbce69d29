"""The ink of a picture that holds one digit comes in; what may be that digit comes out, the likeliest first.

A photo of one digit holds more than one digit's ink: the edge of the paper, a grid line, a piece of a neighbour, specks. No rule tells them
apart for certain, so several sets of pieces are proposed and the classifier has the last word.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .components import Components
from .records import Box
from .rules import remove_rules

SPECK = 0.004  # a piece with less than this share of the ink of the largest is dust
NEAR = 0.22  # pieces closer than this share of the digit's size belong together
RULE = 0.92  # a straight thin line along this share of the picture's side is a rule or a frame
SMALL = 48  # pixels: in a picture with a shorter side than this, a digit's own bar looks like a rule
WITH_RULES = 0.85  # how likely the ink is the digit's with what looks like a rule left in it, against without
LINE = 0.86  # a piece that runs along this share of the picture's side may be a rule or a frame


@dataclass(frozen=True)
class Proposal:
    """Ink that may be the one digit.

    Attributes:
        ink: uint8, cropped to the digit.
        box: where it stands.
        prior: how likely the cut is before anything was read, 0–1.
    """

    ink: NDArray[np.uint8]
    box: Box
    prior: float


def propose(ink: NDArray[np.uint8]) -> list[Proposal]:
    """Return what may be the one digit in `ink`, uint8 of shape (height, width); an empty list where there is no ink."""
    bare = remove_rules(ink, RULE) if min(ink.shape) >= SMALL else ink
    if bare is ink:
        return _proposals(ink, 1.0)
    ruled = _proposals(ink, WITH_RULES)
    return sorted((_proposals(bare, 1.0) if int(bare.max()) else []) + ruled, key=lambda p: -p.prior)


def _proposals(ink: NDArray[np.uint8], trust: float) -> list[Proposal]:
    """Return the proposals from one ink, their priors multiplied by `trust`."""
    pieces = Components.of(ink)
    if not len(pieces):
        return []
    sets: dict[tuple[int, ...], float] = {}
    core = _core(pieces)
    for prior, which in (
        (1.0, _grown(pieces, core, _inner(pieces, core))),
        (0.8, [core]),
        (0.7, _grown(pieces, core, _sizeable(pieces, core))),
        (0.6, [int(i) for i in np.flatnonzero(pieces.weights > SPECK * pieces.weights.max())]),
    ):
        key = tuple(sorted(which))
        sets[key] = max(prior, sets.get(key, 0))
    proposals = [Proposal(pieces.cut_out(list(key)), _box(pieces, key), trust * prior) for key, prior in sets.items()]
    return sorted(proposals, key=lambda p: -p.prior)


def _box(pieces: Components, which: tuple[int, ...]) -> Box:
    x0, y0, x1, y1 = pieces.span(list(which))
    return Box(x0, y0, x1 - x0, y1 - y0)


def _core(pieces: Components) -> int:
    """Return the piece that is surely part of the digit: much ink, near the middle, not along the edge."""
    height, width = pieces.ink.shape
    off = np.abs(pieces.centres / (width, height) - 0.5).max(1)  # 0 in the middle, 0.5 at the edge
    score = np.sqrt(pieces.weights) * pieces.boxes[:, 2:].max(1) * (1.05 - 1.6 * np.clip(off - 0.1, 0, 0.4))
    score = np.where(_edging(pieces), 0.05 * score, score)
    return int(score.argmax())


def _edging(pieces: Components) -> NDArray[np.bool_]:
    """Tell which pieces look like rules, frames and the edges of paper: along the picture's edge and long or hollow."""
    height, width = pieces.ink.shape
    x, _, w, h = pieces.boxes.T
    across = (w > LINE * width) & (h < 0.2 * height) | (h > LINE * height) & (w < 0.2 * width) & (
        (x < 0.12 * width) | (x + w > 0.88 * width)
    )
    around = (w > LINE * width) & (h > LINE * height) & (pieces.areas < 0.2 * w * h)
    sides = pieces.at_sides(2)
    return np.asarray((across & sides.any(1)) | (around & (sides.sum(1) >= 3)))


def _sizeable(pieces: Components, core: int) -> list[int]:
    """Return the pieces with enough ink to be a stroke."""
    return [int(i) for i in np.flatnonzero((pieces.weights > 0.02 * pieces.weights[core]) & ~_edging(pieces))]


def _inner(pieces: Components, core: int) -> list[int]:
    """Return the pieces that may be strokes of the digit: sizeable, and not what a neighbour or a frame left at the edge."""
    edge = pieces.at_edge(2)
    own_edge = bool(edge[core])
    return [i for i in _sizeable(pieces, core) if own_edge or not edge[i] or pieces.weights[i] > 0.4 * pieces.weights[core]]


def _grown(pieces: Components, core: int, allowed: list[int]) -> list[int]:
    """Return `core` and every allowed piece that is near it or near what is near it."""
    chosen, waiting = [core], set(allowed) - {core}
    size = float(pieces.boxes[core, 2:].max())
    while waiting:
        x0, y0, x1, y1 = pieces.span(chosen)
        reach = NEAR * max(size, x1 - x0, y1 - y0)
        near = {i for i in waiting if _gap(pieces.boxes[i], (x0, y0, x1, y1)) <= reach}
        if not near:
            break
        chosen += sorted(near)
        waiting -= near
    return chosen


def _gap(box: NDArray[np.int64], span: tuple[int, int, int, int]) -> float:
    """Return the distance between a box (x, y, width, height) and a span (x0, y0, x1, y1), 0 where they overlap."""
    x, y, w, h = box
    x0, y0, x1, y1 = span
    return float(np.hypot(max(x0 - (x + w), x - x1, 0), max(y0 - (y + h), y - y1, 0)))
