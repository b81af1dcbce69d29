"""Lines of a lattice and what is known of every candidate come in; numbers come out: the best path, marks, confidences, abstention."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .kinds import DIGIT, KINDS, MARKS, OTHER, PART, SLASH, STRUCK
from .records import UNSURE, Box, Digit, Mark, Number
from .segment import Line
from .spacing import gaps_of, wide_gap
from .wanted import Wanted, likeliest

LEAST = 1e-4  # nothing is less likely
SPREAD_COST = 3.0  # a height of paper inside a digit costs as much, in nats
SIZE_COST = 0.4  # a digit twice as tall or half as tall as its line costs as much
HALF = 0.45  # heights of the line: what is as high may be a digit of its own
SMALLEST = 0.3  # heights of the line: what is lower is no digit
BESIDE_MARK = 0.85  # heights: a narrower gap beside a mark starts no new number, wherever digits do
BESIDE_STRUCK = 0.3  # heights: a wider gap beside a number that was struck through starts a new one
LED_BY_MARK = 1.6  # wide gaps: from where a mark and the digit close to it start a new number, for a mark seldom leads one
WAYS = 24  # ways through a number that are tried when the user knows what it looks like
DOUBTED = 0.01  # how often a number is not what the user knows it to be
LEAST_MARK = 0.01  # what was taken for a mark, and is less likely one than this, leaves a doubt where it is tall, at a number's end, too
MAYBE_MARK = 0.04  # what was left out between two digits and is likelier than this to be a mark leaves a doubt
SURELY_MARK = 0.5  # so does what was taken for the beginning or the end of a digit and is likelier than this
MAYBE_DIGIT = 0.3  # what was left out and is likelier than this to be a digit does, too
SURELY_PART = 0.5  # so is what is as tall as its line and is likelier than this to be more or less than one digit
MAYBE_OF_NUMBER, CLOSE, AS_TALL = 0.05, 0.5, 0.6  # so likely is enough where it stands as near to a digit, in heights, and is as tall
MAYBE_ONE = 0.1  # a slash that begins or ends a number is none: it is a 1 if it is likelier than this to be a digit
LEAST_SLASH = 0.9  # what is less surely one is `?`: it may be a 1, and among digits a 1 is far more common
LIKE_A_TICK = (1, 7)  # digits that a tick is read as

Float = NDArray[np.float32]


@dataclass(frozen=True)
class Readings:
    """What is known of candidates.

    Attributes:
        probabilities: of the ten digits, float of shape (n, 10), rows summing to 1.
        confidence: that the best digit is right, where it is a digit, float of shape (n,), 0–1.
        kinds: of `KINDS`, float of shape (n, 9), rows summing to 1; for one digit alone, where nothing else is asked, None.
        glyphs: what the network saw, uint8 of shape (n, 28, 28), where that is to be told.
    """

    probabilities: Float
    confidence: Float
    kinds: Float | None = None
    glyphs: NDArray[np.uint8] | None = None

    def digit_confidence(self, k: int) -> float:
        """Return how likely candidate `k` is one whole digit and rightly read, 0–1."""
        whole = 1.0 if self.kinds is None else float(self.kinds[k, DIGIT])
        return float(np.clip(float(self.confidence[k]) * whole, 0, 1))

    def answer_confidence(self, k: int) -> float:
        """Return how far to trust the answer for candidate `k` once the path has settled that it is no part of something, 0–1."""
        if self.kinds is None:
            return self.digit_confidence(k)
        return float(np.clip(self.digit_confidence(k) / max(LEAST, 1 - float(self.kinds[k, PART])), 0, 1))


@dataclass(frozen=True)
class Item:
    """What the best path takes a candidate for: a digit, one that was struck out, or the mark `text`."""

    candidate: int
    text: str
    box: Box

    @property
    def is_mark(self) -> bool:
        """Whether it stands between digits."""
        return self.text in KINDS[MARKS]


_Trail: TypeAlias = "tuple[_Trail, Item] | None"  # the way so far, its last item beside what came before
Way: TypeAlias = tuple[float, list[Item]]  # what it costs in nats, and what it takes candidates for


def best_path(line: Line, readings: Readings) -> list[Item]:
    """Return the cheapest way through a line: what each piece of it is taken for; dirt and letters are left out.

    Everything has to be something: a candidate costs the negative logarithm of how likely it is what it is taken for, for each atom it
    takes, so that one digit of two atoms and two digits of one are weighed alike.
    """
    return best_paths(line, readings, 0, len(line.atoms), 1)[0][1]


def best_paths(line: Line, readings: Readings, start: int, stop: int, most: int) -> list[Way]:
    """Return the `most` cheapest ways through the atoms from `start` to `stop`, the cheapest first, each with its cost in nats."""
    by_start: dict[int, list[int]] = {}
    for k, candidate in enumerate(line.candidates):
        by_start.setdefault(candidate.start, []).append(k)
    takes = _takes(line, readings)
    ways: dict[int, list[tuple[float, _Trail]]] = {start: [(0.0, None)]}
    for node in range(start, stop):
        here = sorted(ways.pop(node, []), key=lambda way: way[0])[:most]
        for k in by_start.get(node, []):
            to = line.candidates[k].stop
            if to <= stop:
                for extra, item in takes[k]:
                    ways.setdefault(to, []).extend((cost + extra, (trail, item) if item else trail) for cost, trail in here)
    return [(cost, _items(trail)) for cost, trail in sorted(ways.get(stop, [(0.0, None)]), key=lambda way: way[0])[:most]]


def _items(trail: _Trail) -> list[Item]:
    """Return the items of a way, the first one first."""
    items = []
    while trail:
        trail, item = trail
        items.append(item)
    return items[::-1]


def _takes(line: Line, readings: Readings) -> list[list[tuple[float, Item | None]]]:
    """Return what each candidate may be taken for, each with its cost in nats."""
    count = len(line.candidates)
    kinds = np.ones((count, len(KINDS)), np.float32) if readings.kinds is None else readings.kinds
    digits = [readings.digit_confidence(k) for k in range(count)]
    shares = np.stack([kinds[:, OTHER], digits, kinds[:, STRUCK], kinds[:, MARKS].sum(1)], 1)
    nats = -np.log(np.maximum(shares, LEAST))
    likeliest_mark = kinds[:, MARKS].argmax(1)
    takes = []
    for k, candidate in enumerate(line.candidates):
        atoms = line.atoms[candidate.start : candidate.stop]
        weight = max(1, sum(not a.is_minor or a.box.height > HALF * line.height for a in atoms))
        other, whole, struck, mark = (nats[k] * weight).tolist()
        size = abs(math.log2(max(candidate.box.height, 0.5 * candidate.box.width) / line.height))
        shape = SPREAD_COST * candidate.spread + SIZE_COST * max(0.0, size - 0.4)
        here: list[tuple[float, Item | None]] = [(other, None)] if len(atoms) == 1 else []
        if candidate.box.height > SMALLEST * line.height or any(not a.is_minor for a in atoms):
            here.append((whole + shape, Item(k, "digit", candidate.box)))
            here.append((struck + shape, Item(k, UNSURE, candidate.box)))
        if len(atoms) <= 2:
            here.append((mark, Item(k, KINDS[MARKS][likeliest_mark[k]], candidate.box)))
        takes.append(here)
    return takes


def with_doubts(line: Line, items: list[Item], readings: Readings) -> list[Item]:
    """Return the items of a path and, as struck out, what it leaves out, or takes for a mark, that may be a digit all the same.

    Beside a digit and as tall, it need not be as likely: a number that lacks one is another number.
    """
    if readings.kinds is None:
        return items
    surely = readings.kinds[:, MARKS].sum(1) > LEAST_MARK
    items = [replace(i, text=UNSURE) if i.is_mark and not surely[i.candidate] and _is_tall(i.box, line) else i for i in items]
    taken = {atom for i in items for atom in range(line.candidates[i.candidate].start, line.candidates[i.candidate].stop)}
    doubts: dict[int, Item] = {}
    for k in np.argsort(-readings.kinds[:, DIGIT], kind="stable").tolist():
        candidate = line.candidates[k]
        atoms = set(range(candidate.start, candidate.stop))
        likely = readings.digit_confidence(k)
        if len(atoms) == 1 and _is_tall(candidate.box, line) and readings.kinds[k, PART] > SURELY_PART:
            likely = max(likely, MAYBE_DIGIT)  # two digits that were not cut: somebody's, where it stands beside one
        if likely <= MAYBE_OF_NUMBER or atoms & taken:
            continue
        if likely <= MAYBE_DIGIT and not _is_beside(candidate.box, items, line.height):
            continue
        taken |= atoms
        doubts[candidate.start] = Item(k, UNSURE, candidate.box)
    return sorted([*items, *doubts.values()], key=lambda i: line.candidates[i.candidate].start) if doubts else items


def _is_tall(box: Box, line: Line) -> bool:
    """Tell whether something is about as tall as the digits of its line."""
    return box.height > AS_TALL * line.height


def _is_beside(box: Box, items: list[Item], height: float) -> bool:
    """Tell whether something stands as near to a digit as digits of one number do, or to a mark, and is about as tall as a digit."""
    sizes = ((i.box, height if i.is_mark else i.box.height) for i in items)
    return any(max(b.x - box.x - box.width, box.x - b.x - b.width) < CLOSE * h and box.height > AS_TALL * h for b, h in sizes)


def _beside_mark(items: list[Item]) -> list[bool]:
    """Tell for each gap whether a mark stands on one of its sides."""
    return [a.is_mark or b.is_mark for a, b in pairwise(items)]


def _beside_struck(line: Line, items: list[Item]) -> NDArray[np.bool_]:
    """Tell for each gap whether a number that was struck through stands on one of its sides: beside it stands what replaces it."""
    struck = [line.atoms[line.candidates[item.candidate].start].is_struck for item in items]
    return np.array([a != b for a, b in pairwise(struck)], bool)


def _led_by_mark(items: list[Item], gaps: NDArray[np.float64]) -> list[bool]:
    """Tell for each gap whether what follows is a mark, but no minus, that stands much closer to the digit after it."""
    after = [*gaps[1:], np.inf]
    return [item.is_mark and item.text != "-" and then < 0.5 * gap for item, gap, then in zip(items[1:], gaps, after, strict=False)]


def numbers_of(
    line: Line,
    items: list[Item],
    readings: Readings,
    least: float,
    index: int,
    page: NDArray[np.float64] | None = None,
    wanted: Wanted | None = None,
    is_parted: Callable[[list[Item]], NDArray[np.bool_]] | None = None,
    is_ruled_off: Callable[[list[Item]], NDArray[np.bool_]] | None = None,
) -> list[Number]:
    """Return the numbers of one line: items in reading order, parted where the gap is wide for `page`, the gaps of its page.

    They are parted where `is_ruled_off` or `is_parted` says so of neighbours, too; what by the latter stands alone so close to a number may
    be a tick, and is `?`.
    """
    if least > 0:
        items = with_doubts(line, items, readings)
    if not items:
        return []
    gaps = gaps_of([item.box for item in items], line.height)
    enough = np.where(_beside_mark(items), BESIDE_MARK, 0.0)
    wide = gaps > np.maximum(enough, wide_gap(gaps if page is None else page)) * np.where(_led_by_mark(items, gaps), LED_BY_MARK, 1)
    wide |= _beside_struck(line, items) & (gaps > BESIDE_STRUCK)
    if is_ruled_off:
        wide |= is_ruled_off(items)
    close = is_parted(items) & ~wide if is_parted else np.zeros(len(gaps), np.bool_)
    bounds = [0, *(np.flatnonzero(wide | close) + 1).tolist(), len(items)]
    groups = [items[start:stop] for start, stop in pairwise(bounds)]
    for group, (start, stop) in zip(groups, pairwise(bounds), strict=True):
        is_close = close[max(0, start - 1) : stop].any()
        if len(group) == 1 and is_close and int(readings.probabilities[group[0].candidate].argmax()) in LIKE_A_TICK:
            group[0] = replace(group[0], text=UNSURE)
    numbers = []
    for group in groups:
        found = _number_of(line, group, readings, least, index)
        if found and wanted and not wanted.allows(found.text):
            found = _as_wanted(line, group, readings, least, index, wanted)
        numbers += [found] if found else []
    return numbers


def _as_wanted(line: Line, group: list[Item], readings: Readings, least: float, index: int, wanted: Wanted) -> Number:
    """Return the likeliest reading of a number that is what the user knows it to be; all `?` where there is none.

    How far it is to be trusted falls with how much less likely it is than what stands there when nothing is known: a number that is
    not what it should be is not made so.
    """
    start, stop = line.candidates[group[0].candidate].start, line.candidates[group[-1].candidate].stop
    return _likeliest(best_paths(line, readings, start, stop, WAYS), group, readings, least, index, wanted)


def _likeliest(ways: list[Way], group: list[Item], readings: Readings, least: float, index: int, wanted: Wanted) -> Number:
    """Return the likeliest number on one of the ways, the cheapest first, that may be; `group`, all `?`, where there is none."""
    usual = max(_weight(cost - ways[0][0], likeliest([_choices(i, readings) for i in items], Wanted())) for cost, items in ways)
    best: tuple[float, list[Item], tuple[str, float, float]] | None = None
    for cost, items in ways:
        found = likeliest([_choices(item, readings) for item in items], wanted)
        weight = _weight(cost - ways[0][0], found)
        if found and (best is None or weight > best[0]):
            best = weight, items, found
    weight, items, (text, _, share) = best or (0.0, [i for i in group if not i.is_mark] or group, ("", 0.0, 0.0))
    trust = weight / (weight + DOUBTED * usual) if weight else 0.0
    digits: list[Digit] = []
    marks: list[Mark] = []
    for item, character in zip(items, text or UNSURE * len(items), strict=True):
        if character in KINDS[MARKS]:
            marks.append(Mark(len(digits), character, round(share * trust, 6)))
        else:
            given = UNSURE if item.text == UNSURE else character
            digits.append(_given(digit(item.box, readings, item.candidate, 0.0), given, share, trust, least))
    return number(digits, index, tuple(marks))


def number_alone(box: Box, readings: Readings, least: float, wanted: Wanted) -> Number:
    """Return the one number of a picture that holds one digit, the only one in `readings`."""
    found = number([digit(box, readings, 0, least)], 0)
    alone = [Item(0, "digit", box)]
    return found if wanted.allows(found.text) else _likeliest([(0.0, alone)], alone, readings, least, 0, wanted)


def _weight(cost: float, found: tuple[str, float, float] | None) -> float:
    """Return how likely a way and what is read on it are, against others of the same number; 0 where nothing is."""
    return math.exp(-cost) * found[1] if found else 0.0


def _choices(item: Item, readings: Readings) -> list[tuple[str, float]]:
    """Return what an item may be read as, each with how likely that is; what was struck out may have been any digit."""
    if item.is_mark and readings.kinds is not None:
        return list(zip(KINDS[MARKS], map(float, readings.kinds[item.candidate, MARKS]), strict=True))
    if item.text == UNSURE:
        return [(str(v), 0.1) for v in range(10)]
    return [(str(v), float(p)) for v, p in enumerate(readings.probabilities[item.candidate])]


def _given(read: Digit, character: str, share: float, trust: float, least: float) -> Digit:
    """Return a digit as what is known makes it: `share` is how likely its number is among those that may be, `trust` that it is one."""
    if character == UNSURE:
        return replace(read, value=None)
    sure = trust * (max(read.confidence, share) if int(character) == read.alternatives[0][0] else share)
    return replace(read, value=int(character) if sure >= least else None, confidence=round(sure, 6))


def _number_of(line: Line, group: list[Item], readings: Readings, least: float, index: int) -> Number | None:
    """Return one number, None where a group holds marks alone."""
    group = _without_outer_marks(group, readings)
    if not group:
        return None
    digits: list[Digit] = []
    marks: list[Mark] = []
    for i, item in enumerate(group):
        if item.is_mark:
            sure = float(readings.kinds[item.candidate, KINDS.index(item.text)]) if readings.kinds is not None else 1.0
            enough = max(least, LEAST_SLASH) if item.text == KINDS[SLASH] and least > 0 else least
            if sure >= enough and not (marks and marks[-1].after_digit == len(digits)):
                marks.append(Mark(len(digits), item.text, round(sure, 6)))
            else:
                digits.append(digit(item.box, readings, item.candidate, least, is_digit=False))
            continue
        before = group[i - 1] if i else None
        if before and not before.is_mark and (doubt := _missed_mark(line, before, item, readings)) is not None and least > 0:
            digits.append(digit(line.candidates[doubt].box, readings, doubt, least, is_digit=False))
        digits.append(digit(item.box, readings, item.candidate, least, is_digit=item.text != UNSURE))
    return number(digits, index, tuple(marks))


def _without_outer_marks(group: list[Item], readings: Readings) -> list[Item]:
    """Return what begins and ends with a digit, or begins with the dash of a negative number."""
    group = [_maybe_one(item, readings) if n in (0, len(group) - 1) else item for n, item in enumerate(group)]
    while group and group[-1].is_mark:  # a full stop, a dash that ends a sum
        group = group[:-1]
    while group and group[0].is_mark and not (group[0].text == "-" and len(group) > 1 and not group[1].is_mark):
        group = group[1:]
    return group


def _maybe_one(item: Item, readings: Readings) -> Item:
    """Return an item at the end of a number, a slash as the digit that it may be."""
    return replace(item, text="digit") if item.text == KINDS[SLASH] and readings.digit_confidence(item.candidate) > MAYBE_ONE else item


def _missed_mark(line: Line, left: Item, right: Item, readings: Readings) -> int | None:
    """Return what may be a mark between two digits: what was left out, or taken for a part of one of them; None where nothing was."""
    if readings.kinds is None:
        return None
    before, after = line.candidates[left.candidate], line.candidates[right.candidate]
    ends = {before.stop - 1} if before.stop > before.start + 1 else set()
    ends |= {after.start} if after.stop > after.start + 1 else set()
    for k, candidate in enumerate(line.candidates):
        inside = before.stop <= candidate.start and candidate.stop <= after.start
        least = MAYBE_MARK if inside else SURELY_MARK if candidate.stop == candidate.start + 1 and candidate.start in ends else 1.0
        if float(readings.kinds[k, MARKS].sum()) > least:
            return k
    return None


def digit(box: Box, readings: Readings, k: int, least: float, *, is_digit: bool = True) -> Digit:
    """Return one digit; it abstains where the confidence is below `least`, or where it is no digit that could be answered."""
    order = np.argsort(-readings.probabilities[k], kind="stable")
    confidence = readings.answer_confidence(k)
    alternatives = tuple((int(v), round(float(readings.probabilities[k, v]), 6)) for v in order)
    glyph = None if readings.glyphs is None else readings.glyphs[k]
    return Digit(int(order[0]) if is_digit and confidence >= least else None, round(confidence, 6), box, alternatives, glyph)


def number(digits: list[Digit], line: int, marks: tuple[Mark, ...] = ()) -> Number:
    """Return digits, and the marks between them, as one number."""
    text = ""
    for i, d in enumerate(digits):
        text += "".join(m.mark for m in marks if m.after_digit == i) + (UNSURE if d.value is None else str(d.value))
    sure = [d.confidence for d in digits if d.value is not None]
    confidence = round(float(np.prod(sure + [m.confidence for m in marks])), 6) if sure else 0.0
    return Number(text, confidence, line, Box.around(d.box for d in digits), tuple(digits), marks)
