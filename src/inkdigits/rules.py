"""Ink with ruled, squared or boxed paper in it comes in; the same ink without the lines comes out, strokes that cross them left whole.

A rule is straight and evenly thin over a length that no stroke of a digit has. Along it, ink that is no thicker than the rule goes; where
the ink is thicker, a stroke crosses, and stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Ink = NDArray[np.uint8]

LOOK_SIDE = 900  # lines are sought on a picture of at most this side
STEEPEST = 0.09  # slope against the picture's edges; paper is photographed nearly straight
THICKEST = 0.022  # of the picture's longer side: thicker than this is no rule
MOST_GAPS = 0.25  # share of a rule that may be missing
SAME_WIDTH = 1.6  # ink up to this many times as thick as the rule is the rule


@dataclass(frozen=True)
class Rule:
    """A straight line, nearly level, in pixels: from (x0, y0) to (x1, y1) with x0 < x1."""

    x0: float
    y0: float
    x1: float
    y1: float

    def heights(self, xs: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return y at each of `xs`."""
        return (self.y0 + (self.y1 - self.y0) * (xs - self.x0) / max(self.x1 - self.x0, 1e-9)).astype(np.float64)


def remove_rules(ink: Ink, shortest: float) -> Ink:
    """Return `ink` without its rules, or `ink` itself where there are none.

    Args:
        ink: uint8 of shape (height, width).
        shortest: how long a line must be to be a rule, as a share of the picture's side along it.
    """
    scale = min(1.0, LOOK_SIDE / max(ink.shape))
    small = _shrunk(ink, scale)
    level = _wipe(ink, small, scale, shortest)
    if level is not ink:
        small = _shrunk(level, scale)
    across = level.T  # a view: pages without rules are not copied
    wiped = _wipe(across, np.ascontiguousarray(small.T), scale, shortest)
    return level if wiped is across else np.ascontiguousarray(wiped.T)


def _shrunk(ink: Ink, scale: float) -> Ink:
    """Return where there is ink in a smaller picture, 0 or 1."""
    size = (max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale)))
    return ((cv2.resize(ink, size, interpolation=cv2.INTER_AREA) if scale < 1 else ink) > 40).astype(np.uint8)


def _wipe(ink: Ink, small: Ink, scale: float, shortest: float) -> Ink:
    """Return `ink` without its nearly level rules, or `ink` itself; they are sought in `small`, which is the same at `scale`."""
    rules = _find(small, scale, shortest)
    if not rules:
        return ink
    wiped = ink.copy(order="K")
    for rule in rules:
        _wipe_one(ink, wiped, rule)
    return ink if np.array_equal(wiped, ink) else wiped


def _find(small: Ink, scale: float, shortest: float) -> list[Rule]:
    """Return the nearly level rules, longest first."""
    length = max(12.0, shortest * small.shape[1])
    # only what runs along for a while can be a level rule: digits drop out here, and the search is short
    run = max(5, round(length / 12))
    level = cv2.morphologyEx(small, cv2.MORPH_OPEN, np.ones((1, run), np.uint8))
    if np.count_nonzero(level.any(0)) < length * (1 - MOST_GAPS):
        return []
    found = cv2.HoughLinesP(level, 1, np.pi / 720, round(length * 0.5), minLineLength=length * 0.8, maxLineGap=max(4, length * 0.12))
    rules = []
    for x0, y0, x1, y1 in [] if found is None else found.reshape(-1, 4).tolist():
        if x1 - x0 >= 0.8 * length and abs(y1 - y0) <= STEEPEST * (x1 - x0) + 1:
            rules.append(Rule(x0 / scale, y0 / scale, x1 / scale, y1 / scale))
    return _distinct(sorted(rules, key=lambda r: r.x0 - r.x1))


def _distinct(rules: list[Rule]) -> list[Rule]:
    """Return the rules without those that run along a longer one."""
    kept: list[Rule] = []
    for rule in rules[:400]:
        middle = np.array([round((rule.x0 + rule.x1) / 2)])
        y = float(rule.heights(middle)[0])
        if all(abs(float(k.heights(middle)[0]) - y) > 2.5 or not k.x0 <= middle[0] <= k.x1 for k in kept):
            kept.append(rule)
    return kept


def _wipe_one(ink: Ink, wiped: Ink, rule: Rule) -> None:
    """Take one rule out of `wiped`, judging by `ink`."""
    height, width = ink.shape
    reach = max(3, round(THICKEST * max(ink.shape)))
    slack = max(2, reach // 3)  # the line was found to the pixel of a smaller picture
    xs = np.arange(max(0, round(rule.x0)), min(width, round(rule.x1) + 1))
    ys = np.clip(np.round(rule.heights(xs)).astype(int), 0, height - 1)
    rows = np.clip(ys + np.arange(-reach - slack, reach + slack + 1)[:, None], 0, height - 1)
    band = ink[rows, xs] > 0  # of shape (2 · (reach + slack) + 1, columns): the ink about the line
    top, bottom = run_at_middle(band, slack)
    thick = bottom - top
    on = thick > 0
    if on.mean() < 1 - MOST_GAPS:
        return
    usual = float(np.median(thick[on]))
    if usual > reach:
        return
    own = on & (thick <= SAME_WIDTH * usual + 1)
    if own.sum() < 0.5 * on.sum():  # more crossings than rule: a row of digits that touch
        return
    steps = np.arange(len(rows))[:, None]
    gone = own & (steps >= top) & (steps < bottom)
    wiped[rows[gone], np.broadcast_to(xs, rows.shape)[gone]] = 0


def run_at_middle(band: NDArray[np.bool_], slack: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where each column's run of ink nearest to the middle row starts and stops; the same where none is within `slack`."""
    rows, columns = band.shape
    middle = rows // 2
    order = sorted(range(middle - slack, middle + slack + 1), key=lambda r: abs(r - middle))
    seed = np.full(columns, -1)
    for row in order:
        seed = np.where((seed < 0) & band[row], row, seed)
    # the run about the seed: up to the nearest paper above and below
    index = np.arange(rows)[:, None]
    above = np.where(~band & (index < seed), index, -1).max(0) + 1
    below = np.where(~band & (index > seed), index, rows).min(0)
    none = seed < 0
    return np.where(none, 0, above), np.where(none, 0, below)
