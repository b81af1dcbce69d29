"""The contrast of a page comes in; the same without the fields of a form comes out: boxes and combs to write in, lines to write on.

What is written in a field touches its lines and goes beyond them, so that no paper is closed in by which `boxes.py` would know it. A line
is known here by being straight, evenly thin, and much longer than what stands on it; or by closing a box together with three others, or
parting one into cells that are equally wide.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import takewhile

import cv2
import numpy as np
from numpy.typing import NDArray

from .components import label
from .ruling import take_out
from .straight import LEAST, Line, find_lines

Float = NDArray[np.float32]
Mask = NDArray[np.uint8]

SURE = 2.5  # deviations of the noise: what may belong to a line
FAINTEST = 0.03  # contrast: likewise
EVEN = 0.4  # share of its columns where a line to write on is seen alone
LONG, SURELY = 2.0, 4.0  # times as long as writing is high: a line to write on where its ends are free, and whatever they are
ALONE, LONGER = 0.9, 1.4  # share where it is seen alone, and times as long: the line of a fraction, or under a number, that touches nothing
SHORTEST, WRITTEN_ON = 0.8, 0.6  # the same where digits stand on it: times as long; share of the rows with ink
FREE, FREER = 0.12, 0.25  # share of it that sticks out on either side; the same of a short one that digits touch
BARE_END = 1.2  # times as thick as usual: no more stands at a free end
WRITTEN, SPECK = 0.8, 6  # of the sizes of what is written, the one that counts; pixels: what is smaller is none
SAME_END, FARTHEST = 0.15, 12  # of a box's height, and pixels: how far its level lines may end from its corners
LOWEST, HOLDING = 12, 0.7  # pixels, and of what is written: a box is as high at least, and a cell as many pixels wide
NARROWEST, HIGHEST = 0.4, 3.0  # how wide a box is at least for its height, and how high for its width at most
DRAWN, CORNER = 0.8, 0.4  # share of a side that is line; of what lies about a corner that is
MOST_CELLS, NEXT = 24, 3  # of a comb; lines below another that may end a box with it
BARE, MANY_CELLS = 0.5, 4  # share of what parts cells that has paper on both sides; half of that for so many cells
# of what is written: how far it goes on on either side of a strike, and how near the strike ends; digits crossed
THROUGH, BEYOND, CROSSED = 0.2, 0.9, 2
LEANING = 0.1  # slope of an upright line
TICK, NEAR = 6, 0.09  # pixels that a tick rises, at least; of a cell's width: how far from its place


def remove_fields(contrast: Float, noise: Float, ruled: Float | None = None) -> Float:
    """Return `contrast` without the lines of fields, or `contrast` itself where there are none.

    Args:
        contrast: float32 of shape (height, width), 0 for paper.
        noise: its deviation on blank paper, of the same shape or (1, 1).
        ruled: `contrast` as it was with its ruling: combs below each other are much like a sheet's rules.
    """
    inked = _inked(contrast, noise)
    level = find_lines(inked)
    with_rules = inked if ruled is None or ruled is contrast else _inked(ruled, noise)
    rules = level if with_rules is inked else find_lines(with_rules)
    if not level and not rules:  # every field has a level line
        return contrast
    upright = find_lines(np.ascontiguousarray(inked.T))
    size = _size_of_writing(inked, level, upright)
    along, across = _fields(level, inked, size)
    if rules is not level:
        across += [tick for line in rules if line.even >= EVEN and len(line.path) >= LONG * size for tick in _ticks(line, with_rules)]
    if not along and not across:
        return contrast
    bare = contrast.copy()
    for page, lines in ((bare, along), (bare.T, across)):
        for line in lines:
            on_page = (line.columns >= 0) & (line.columns < page.shape[1])
            take_out(page, line.columns[on_page], line.path[on_page], max(3, round(2 * line.thick)), alone=line.alone[on_page])
    return bare


def _inked(contrast: Float, noise: Float) -> Mask:
    """Return where a page may have ink."""
    return np.asarray(contrast > np.maximum(SURE * noise, FAINTEST), np.uint8)


def _fields(level: list[Line], inked: Mask, size: float) -> tuple[list[Line], list[Line]]:
    """Return the level lines of all fields, and the upright ones, whose `start` is a row and whose path is x."""
    along: list[Line] = []
    across: list[Line] = []
    boxed: list[Line] = []
    wide = cv2.dilate(inked, np.ones((1, 5), np.uint8))  # sides lean
    by_height = sorted(level, key=lambda line: float(line.path.mean()))
    for n, line in enumerate(by_height):
        below = [other for other in by_height[n + 1 :] if _end_alike(line, other)][:NEXT]
        others = [*below, *(() if _is_among(line, boxed) else _unseen(line, wide))]
        for other in others:
            top, bottom = sorted((line, other), key=lambda one: float(one.path.mean()))
            if max(line.even, other.even) >= EVEN and (posts := _posts(top, bottom, inked, max(LOWEST, HOLDING * size))):
                boxed += [one for one in (top, bottom) if not _is_among(one, boxed)]
                across += posts
                break
    for line in level:
        if _is_among(line, boxed) or line.even < EVEN or _is_strike(line, inked, size):
            continue
        length = len(line.path) / max(size, LEAST)
        ticks = _ticks(line, inked) if length >= LONG else []
        if length >= SURELY or ticks or _is_bar(line, inked, max(size, LEAST)):
            along.append(line)
            across += ticks
    return along + boxed, across


def _unseen(line: Line, inked: Mask) -> list[Line]:
    """Return where the other level line of a box may run of which one is seen: as far off as both ends rise, or hang down."""
    found = []
    for way in (-1, 1):
        heights = line.rises(inked, way)
        near = min(len(heights), FARTHEST)
        height = min(int(heights[:near].max()), int(heights[-near:].max()))
        if height < LOWEST:
            continue
        half = round(line.thick / 2)
        moves = way * np.arange(height - 2 * half - 2, height + half + 3)
        rows = np.round(line.path).astype(int) + moves[:, None]
        drawn = ((inked[np.clip(rows, 0, len(inked) - 1), line.columns] > 0) & (rows >= 0) & (rows < len(inked))).mean(1)
        drawn = np.convolve(drawn, np.full(2 * half + 1, 1 / (2 * half + 1)), "same")  # the middle of a line
        if drawn.max() >= DRAWN:
            found.append(replace(line, path=line.path + float(moves[drawn.argmax()]), alone=np.zeros(len(line.path), bool)))
    return found


def _is_strike(line: Line, inked: Mask, size: float) -> bool:
    """Tell a stroke through several digits from a line to write on: these go on on both sides of it, and it ends where they do."""
    above, below = (line.rises(inked, way) > THROUGH * size for way in (-1, 1))
    reach = max(1, round(THROUGH * size))  # of one digit, what is above may stand so far from what is below
    near = np.convolve(above | below, np.ones(2 * reach + 1), "same") > 0
    begins, ends = (np.flatnonzero(np.diff(np.pad(near.astype(int), 1)) == step) for step in (1, -1))
    if not len(begins) or max(begins[0], len(near) - ends[-1]) > BEYOND * size:
        return False
    crossed = [above[a:b].any() and below[a:b].any() for a, b in zip(begins, ends, strict=True)]
    return bool(sum(crossed) >= CROSSED and sum(crossed) > len(crossed) / 2)


def _is_bar(line: Line, inked: Mask, size: float) -> bool:
    """Tell the bar of a fraction, or a stroke under a number, from the bars of digits and letters: its ends are free.

    It is long; or nothing crosses it, and something as high as writing stands on it, or such things are above and below.
    """
    around = round(line.thick)  # the corner of a 2 lies before its foot
    above, below = (line.prolonged(around).rises(inked, way) for way in (-1, 1))
    high, up, down = np.maximum(above, below), above > 2 * line.thick, below > 2 * line.thick

    def is_free(share: float) -> bool:
        ends = around + max(3, round(share * min(len(line.path), size)))
        return bool(high[[*range(ends), *range(-ends, 0)]].max() <= BARE_END * line.thick)

    hangs = down.any() and not up.any()  # as a 7, and the hats of 5s that are one line
    if hangs or not is_free(FREE):
        return False
    if len(line.path) >= (LONG if (up | down).any() else LONGER) * size:
        return True
    if len(line.path) < SHORTEST * size or down.any():
        return False
    over, under = (line.beside(inked, way, round(size)).any(1).mean() >= WRITTEN_ON for way in (-1, 1))
    on_it = len(line.path) >= size and is_free(FREER)  # no foot of a 1
    return bool(over and (on_it if up.any() else under))


def _is_among(line: Line, lines: list[Line]) -> bool:
    return any(line is other for other in lines)


def _size_of_writing(inked: Mask, level: list[Line], upright: list[Line]) -> float:
    """Return how high, or wide, what is written is."""
    bare = inked.copy()
    for page, lines in ((bare, level), (bare.T, upright)):
        for line in lines:
            if len(line.path) >= 4 * LEAST:
                _wipe(page, line)
    _, _, stats, _ = label(bare > 0)
    heights, areas = stats[1:, cv2.CC_STAT_HEIGHT], stats[1:, cv2.CC_STAT_AREA]
    stems = float(np.median([len(line.path) for line in upright])) if upright else 0.0  # of letters and digits: wiped like any line
    order = np.flatnonzero(heights > SPECK)
    if not order.size:
        return stems
    order = order[heights[order].argsort()]
    count = np.cumsum(np.sqrt(areas[order]))  # a thousand specks do not outvote a page of digits
    return max(stems, float(heights[order[np.searchsorted(count, WRITTEN * count[-1])]]))


def _wipe(page: Mask, line: Line) -> None:
    half = int(np.ceil(line.thick / 2)) + 1
    rows = np.clip(np.round(line.path).astype(int) + np.arange(-half, half + 1)[:, None], 0, len(page) - 1)
    page[rows, line.columns] = 0


def _posts(top: Line, bottom: Line, inked: Mask, lowest: float) -> list[Line]:
    """Return the upright lines of the box that two lines are the upper and the lower side of, none where it is lower, or none.

    They are its sides, and what parts it into cells of one width.
    """
    height = float(bottom.path.mean() - top.path.mean())
    slack = round(min(SAME_END * height + 3, FARTHEST))
    if height < lowest or len(top.path) < NARROWEST * height or height > HIGHEST * len(top.path):
        return []
    between = _Between(top, bottom, inked)
    left, right = (between.post(x, z, slack) for x, z in zip(_ends(top), _ends(bottom), strict=True))
    if left is None or right is None or not (between.has_corners(left) and between.has_corners(right)):
        return []
    for cells in range(MOST_CELLS, 1, -1):
        share = np.arange(1, cells) / cells
        upper = left.path[0] + (right.path[0] - left.path[0]) * share
        lower = left.path[-1] + (right.path[-1] - left.path[-1]) * share
        width = (right.path[0] - left.path[0]) / cells
        if width < LOWEST:
            continue
        reach = max(2, round(NEAR * width))
        inner = [post for post in takewhile(bool, (between.post(x, z, reach) for x, z in zip(upper, lower, strict=True))) if post]
        if len(inner) == len(share) and np.mean([post.even for post in inner]) >= BARE / (1 if cells < MANY_CELLS else 2):
            return [left, *inner, right]
    return [left, right]


def _end_alike(top: Line, bottom: Line) -> bool:
    """Tell whether two lines begin and end nearly one above the other."""
    reach = 2 * min(SAME_END * float(bottom.path.mean() - top.path.mean()) + 3, FARTHEST)
    return abs(top.start - bottom.start) <= reach and abs(top.stop - bottom.stop) <= reach


def _ends(line: Line) -> tuple[float, float]:
    return line.start, line.stop - 1


@dataclass(frozen=True)
class _Between:
    """What stands between two level lines."""

    top: Line
    bottom: Line
    inked: Mask

    def post(self, x: float, z: float, slack: int) -> Line | None:
        """Return the upright line that runs from near column `x` of the upper one to near column `z` of the lower, None where none does.

        It is as near as `slack` pixels, and is seen alone where there is paper on both sides of it.
        """
        y0, y1 = self.top.at(x), self.bottom.at(z)
        rows = np.arange(max(0, round(y0)), min(len(self.inked), round(y1) + 1))
        near_by = self.inked[rows[0] : rows[-1] + 1, max(0, round(min(x, z)) - slack) : round(max(x, z)) + slack + 1]
        if near_by.any(1).mean() < DRAWN:
            return None
        share = (rows - y0) / max(y1 - y0, 1.0)
        offsets = np.arange(-slack, slack + 1)
        first, last = (each.ravel() for each in np.meshgrid(offsets, offsets))
        near = np.abs(first - last) <= LEANING * len(rows) + 2
        first, last = first[near], last[near]
        columns = np.round(x + first[:, None] + (z - x + last - first)[:, None] * share).astype(int)
        half = max(1, round(self.top.thick / 2))
        on = [self._seen(rows, columns + aside) for aside in range(-half, half + 1)]
        aside = round(0.75 * self.top.thick) + 2
        lone = ~self._seen(rows, columns - aside) & ~self._seen(rows, columns + aside)  # a digit's stroke is broader, or has another near
        drawn = np.mean(on, axis=(0, 2))  # most in the middle of the line
        best = int((drawn + 0.5 * lone.mean(1) - 1e-3 * (np.abs(first - last) + np.abs(first))).argmax())
        if np.mean(on[half - 1][best] | on[half][best] | on[half + 1][best]) < DRAWN:
            return None
        inner, rows = rows, np.arange(max(0, round(y0) - 2), min(len(self.inked), round(y1) + 3))
        x, z = x + float(first[best]), z + float(last[best])
        path = np.asarray(x + (z - x) * (rows - y0) / max(y1 - y0, 1.0), np.float64)
        return Line(int(rows[0]), path, self.top.thick, np.isin(rows, inner[lone[best]]))

    def has_corners(self, post: Line) -> bool:
        """Tell whether an upright line and both level ones meet in corners: a loop of a digit is round."""
        reach = max(2, round(self.top.thick / 2))
        near = np.arange(-reach, reach + 1)
        places = ((post.path[0], self.top.at(post.path[0])), (post.path[-1], self.bottom.at(post.path[-1])))
        rows = [np.clip(round(y) + near, 0, len(self.inked) - 1)[:, None] for _, y in places]
        return all(self._seen(row, round(x) + near).mean() > CORNER for (x, _), row in zip(places, rows, strict=True))

    def _seen(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.asarray(self.inked[rows, np.clip(columns, 0, self.inked.shape[1] - 1)] > 0)


def _ticks(line: Line, inked: Mask) -> list[Line]:
    """Return the short upright lines that stand on a line at even distances, and those at its ends: a comb that is open above."""
    line = line.prolonged(FARTHEST)  # its ends lean, and stand on it but with a corner
    heights = line.rises(inked, -1)
    first = int(heights[: 2 * FARTHEST].argmax())
    last = len(heights) - 2 * FARTHEST + int(heights[-2 * FARTHEST :].argmax())
    for cells in range(MOST_CELLS, 2, -1):
        places = np.linspace(first, last, cells + 1)
        near = max(3, round(NEAR * (places[1] - first)))
        around = np.clip(np.round(places).astype(int)[:, None] + np.arange(-near, near + 1), 0, len(heights) - 1)
        exact = around[np.arange(cells + 1), heights[around].argmax(1)]
        if places[1] - first >= LOWEST and heights[exact].min() >= TICK + line.thick:
            usual = float(np.median(heights[exact]))
            tall = [float(heights[exact[0]]), *np.minimum(heights[exact[1:-1]], 1.2 * usual), float(heights[exact[-1]])]
            return [_tick(line, int(at), int(up)) for at, up in zip(exact, tall, strict=True)]
    return []


def _tick(line: Line, at: int, up: int) -> Line:
    foot = round(float(line.path[at]))
    start = max(0, foot - up - 1)
    path = np.full(foot + 3 - start, float(line.start + at))
    return Line(start, path, line.thick, np.ones(len(path), bool))
