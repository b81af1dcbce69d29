"""Lines of a lattice and what the classifier says of every candidate come in; numbers come out: the best path, confidences, abstention."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .records import UNSURE, Box, Digit, Number
from .segment import Candidate, Line

SKIP_MINOR = 0.9  # cost of leaving out a small piece: dirt is common
SKIP_MAJOR = 4.0  # cost of leaving out a piece as tall as a digit
SPREAD_COST = 8.0  # a height of paper inside a digit costs as much
SIZE_COST = 1.2  # a digit twice as tall or half as tall as its line costs as much
GAP = 0.9  # heights of paper between two digits that start a new number, where the line does not tell better
NOTHING = 0.12  # a piece less likely than this to be a digit is none: it is left out, not asked about


@dataclass(frozen=True)
class Readings:
    """What the classifier says of candidates.

    Attributes:
        probabilities: of the ten digits, float of shape (n, 10), rows summing to 1.
        confidence: that the best is right, float of shape (n,), 0–1.
    """

    probabilities: NDArray[np.float32]
    confidence: NDArray[np.float32]


def best_path(line: Line, confidence: NDArray[np.float32]) -> list[int]:
    """Return the candidates, by their place in `line.candidates`, of the cheapest way through the line.

    A candidate costs the negative logarithm of its confidence for each atom it takes, so that one digit of two atoms and two digits of one
    are weighed alike; what is left out costs too.
    """
    n = len(line.atoms)
    cost = np.full(n + 1, np.inf)
    cost[0] = 0.0
    came: list[tuple[int, int | None]] = [(0, None)] * (n + 1)
    by_start: dict[int, list[int]] = {}
    for k, candidate in enumerate(line.candidates):
        by_start.setdefault(candidate.start, []).append(k)
    for node in range(n):
        skip = cost[node] + (SKIP_MINOR * _weight(line, node) if line.atoms[node].is_minor else SKIP_MAJOR)
        if skip < cost[node + 1]:
            cost[node + 1], came[node + 1] = skip, (node, None)
        for k in by_start.get(node, []):
            candidate = line.candidates[k]
            total = cost[node] + candidate_cost(line, candidate, float(confidence[k]))
            if total < cost[candidate.stop]:
                cost[candidate.stop], came[candidate.stop] = total, (node, k)
    path, node = [], n
    while node > 0:
        node, chosen = came[node]
        if chosen is not None:
            path.append(chosen)
    return path[::-1]


def _weight(line: Line, i: int) -> float:
    """Return how much of a digit the size of an atom is, 0–1."""
    box = line.atoms[i].box
    return min(1.0, max(box.width, box.height) / (0.45 * line.height))


def candidate_cost(line: Line, candidate: Candidate, confidence: float) -> float:
    """Return what taking a candidate as one digit costs, in nats."""
    majors = sum(not a.is_minor for a in line.atoms[candidate.start : candidate.stop])
    reading = -np.log(max(confidence, 1e-4)) * max(1, majors)
    size = abs(np.log2(max(candidate.box.height, 0.5 * candidate.box.width) / line.height))
    return float(reading + SPREAD_COST * candidate.spread + SIZE_COST * max(0.0, size - 0.3))


def numbers_of(line: Line, path: list[int], readings: Readings, least: float, index: int) -> list[Number]:
    """Return the numbers of one line: digits in reading order, parted where the gap is wide."""
    chosen = [k for k in path if readings.confidence[k] >= NOTHING]
    if not chosen:
        return []
    boxes = [line.candidates[k].box for k in chosen]
    gaps = np.array([b.x - (a.x + a.width) for a, b in pairwise(boxes)], float)
    wide = gaps > max(GAP * line.height, 2.2 * float(np.median(gaps))) if len(gaps) else np.zeros(0, bool)
    groups: list[list[int]] = [[chosen[0]]]
    for k, is_wide in zip(chosen[1:], wide, strict=True):
        if is_wide:
            groups.append([k])
        else:
            groups[-1].append(k)
    return [number([digit(line.candidates[k].box, readings, k, least) for k in group], index) for group in groups]


def digit(box: Box, readings: Readings, k: int, least: float) -> Digit:
    """Return one digit; it abstains where the confidence is below `least`."""
    order = np.argsort(-readings.probabilities[k], kind="stable")
    confidence = float(np.clip(readings.confidence[k], 0, 1))
    alternatives = tuple((int(v), round(float(readings.probabilities[k, v]), 6)) for v in order)
    return Digit(int(order[0]) if confidence >= least else None, round(confidence, 6), box, alternatives)


def number(digits: list[Digit], line: int) -> Number:
    """Return digits as one number."""
    answered = [d.confidence for d in digits if d.value is not None]
    text = "".join(UNSURE if d.value is None else str(d.value) for d in digits)
    return Number(text, round(float(np.prod(answered)) if answered else 0.0, 6), line, Box.around(d.box for d in digits), tuple(digits))
