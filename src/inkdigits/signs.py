"""The pieces of ink come in; which are signs between or behind numbers comes out: plus, equals, per cent, and the tick of who has checked.

None of them is a digit, and none belongs to a number, though a plus looks much like a 4, a tick like a 1 and a per cent sign like 96.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .components import Components

Part = NDArray[np.bool_]

MANY = 3000  # pieces: on a page with more nobody can have written each
SMALLEST = 8  # pixels: what is smaller in both ways is dirt
LEVEL, LONG = 0.3, 2.2  # a stroke of an equals sign rises by so much of its length at most, and is so much longer than thick
EVEN = 0.3  # times as thick as it is: it strays no farther from a straight line
THIN = 0.5  # of its box: a plus or a tick has less ink
LIKE, OVER = 0.6, 0.6  # the shorter of them for the longer; what of it lies above the other
NEAR, FAR = 0.12, 0.9  # of their length: how far they lie apart
ROOM = 0.25  # of their length: as near to their ends there is nothing
ARM, MIDDLE = 0.8, 0.25  # of a plus: how much of its width or height an arm takes; how near to its ends the other may cross it
BARE = 0.025  # share of its ink: so much more stands nowhere to the upper left of its arms
SQUARE = 0.75  # of a plus, the shorter side for the longer
END, BESIDE = 0.2, 0.25  # of its sides: what of a plus are its ends; how near to its arms they lie
LOW, TALL = 0.8, 0.9  # of what is written: a plus is no higher, a tick no lower
STRAIGHT = 0.62  # times as thick as it is: how far a tick's ink lies from its two strokes
VERTEX, SHORT, RISING = 0.6, 0.15, 0.12  # of its width: where the two meet at most; of its height and width: the short one's at least
OPEN, PARTED = 1.2, 0.5  # times as thick as it is above its foot: from there up to the short one's end, so many rows hold two strokes
FOOT = 1.2  # times as wide as the long stroke: where both meet they are wider, and no farther from the lower end
BROAD, SLANTED = 2.0, 0.5  # times as long as thick is the short one; of its height, a tick is as wide
STEEP = (0.2, 1.6)  # of its height: how wide the stroke of a per cent sign is, the rings included where they touch it
INKED = 0.93  # of that stroke's middle line is ink
RING_LOW, RING_HIGH, ASIDE = 0.15, 0.68, 0.45  # of its height: how high each of its rings is; how far aside it lies
APART = 0.16  # of its height: its rings' middles lie so far from its stroke


def find_signs(pieces: Components) -> NDArray[np.bool_]:
    """Tell which pieces, bool of shape (n,), are a plus, one of the two strokes of an equals sign, a part of a per cent sign, or a tick."""
    signs = np.zeros(len(pieces), bool)
    able = np.flatnonzero((pieces.boxes[:, 2:].max(1, initial=0) >= SMALLEST) & (len(pieces) <= MANY))
    usual = float(np.quantile(pieces.boxes[able, 3], 0.7)) if len(able) else 0.0
    strokes: list[int] = []
    for i in map(int, able):
        x, y, w, h = pieces.boxes[i]
        part = pieces.labels[y : y + h, x : x + w] == i + 1
        if w > h and _is_level(part):
            strokes.append(i)
        elif pieces.areas[i] < THIN * w * h:
            signs[i] = (h <= LOW * usual and _is_plus(part)) or (h >= TALL * usual and _is_tick(part))
        if h >= LOW * usual / 2:
            signs[_per_cent(pieces, i, part)] = True
    for n, i in enumerate(strokes):
        for j in strokes[n + 1 :]:
            if _are_equals(pieces.boxes[i], pieces.boxes[j], LOW * usual) and _stand_free(pieces, i, j):
                signs[[i, j]] = True
    return signs


def _is_level(part: Part) -> bool:
    """Tell whether a piece is one nearly level stroke."""
    height, width = part.shape
    count = part.sum(0)
    thick = float(np.median(count))
    middle = (part * np.arange(height)[:, None]).sum(0) / np.maximum(count, 1)
    slope, begin = np.polyfit(np.arange(width), middle, 1)
    off = np.abs(begin + slope * np.arange(width) - middle)
    return bool(width >= LONG * thick and abs(slope) <= LEVEL and off.max() <= EVEN * thick + 0.7 and count.max() <= 2 * thick + 1)


def _are_equals(one: NDArray[np.int64], other: NDArray[np.int64], highest: float) -> bool:
    """Tell whether two level strokes lie one above the other as those of an equals sign do, no higher than it may be."""
    shorter, longer = sorted((int(one[2]), int(other[2])))
    overlap = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    apart = abs(one[1] + one[3] / 2 - other[1] - other[3] / 2)
    high = max(one[1] + one[3], other[1] + other[3]) - min(one[1], other[1])
    return bool(high <= highest and shorter >= LIKE * longer and overlap >= OVER * shorter and NEAR * longer <= apart <= FAR * longer)


def _stand_free(pieces: Components, i: int, j: int) -> bool:
    """Tell whether nothing stands at the ends of two strokes, as the stem of an E or an F does."""
    x0, y0, x1, y1 = pieces.span([i, j])
    room = ROOM * (x1 - x0)
    x, y, w, h = pieces.boxes.T
    near = (x < x1 + room) & (x + w > x0 - room) & (y < y1) & (y + h > y0)
    near[[i, j]] = False
    return not near.any()


def _per_cent(pieces: Components, i: int, part: Part) -> list[int]:
    """Return the pieces of a per cent sign whose stroke is piece `i`: none where it is no such stroke, or has no ring on either side."""
    height, width = part.shape
    if not STEEP[0] * height <= width <= STEEP[1] * height:
        return []
    rows, columns = np.nonzero(part)
    ends = (rows * width - columns * height).argmax(), (columns * height - rows * width).argmax()
    start, stop = (np.array([columns[k], rows[k]], float) for k in ends)
    along = stop - start
    if along[0] <= 0 or -along[1] < ARM * height:
        return []
    rings = _rings_beside(pieces, i)  # one of them at least: where both touch the stroke, they and it may be 96
    if not rings or _inked(part, start, stop) < INKED:
        return []
    middles = [(x + w / 2, y + h / 2) for x, y, w, h in _holes(part)]
    middles += [(x, y) for x, y in pieces.centres[rings] - pieces.boxes[i, :2]]
    across = np.array([-along[1], along[0]]) / np.hypot(*along)
    off = (np.array(middles).reshape(-1, 2) - start - along / 2) @ np.stack([across, [0, 1]], 1) / height  # to the lower right; down
    least = np.array([APART, 0])
    return [i, *rings] if (off < -least).all(1).any() and (off > least).all(1).any() else []


def _inked(part: Part, start: NDArray[np.float64], stop: NDArray[np.float64]) -> float:
    """Return the share of a straight line that lies on a piece, or not half as far beside it as its strokes are thick."""
    x, y = np.rint(start + np.linspace(0, 1, 50)[:, None] * (stop - start)).astype(int).T
    reach = round(_thickness(part) / 3) | 1
    return float((cv2.dilate(part.astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0)[y, x].mean())


def _rings_beside(pieces: Components, i: int) -> list[int]:
    """Return the pieces beside piece `i` that are small rings."""
    x, y, w, h = pieces.boxes[i]
    off = np.abs(pieces.centres - (x + w / 2, y + h / 2)) * 2
    small = (pieces.boxes[:, 3] >= RING_LOW * h) & (pieces.boxes[:, 3] <= RING_HIGH * h)
    near = small & (off[:, 0] <= w + 2 * ASIDE * h) & (off[:, 1] <= h)
    near[i] = False
    boxes = ((k, *pieces.boxes[k]) for k in map(int, np.flatnonzero(near)))
    return [k for k, x, y, w, h in boxes if _has_hole(pieces.labels[y : y + h, x : x + w] == k + 1)]


def _is_plus(part: Part) -> bool:
    """Tell whether a piece is two strokes, one level and one upright, that cross in their middles."""
    height, width = part.shape
    if min(height, width) < SQUARE * max(height, width):
        return False
    rows, columns = part.sum(1), part.sum(0)
    y, x = int(rows.argmax()), int(columns.argmax())
    crossed = rows[y] >= ARM * width and columns[x] >= ARM * height
    middle = MIDDLE * height <= y <= (1 - MIDDLE) * height and MIDDLE * width <= x <= (1 - MIDDLE) * width
    if not (crossed and middle):
        return False
    high, wide = max(1, round(END * height)), max(1, round(END * width))
    level = np.flatnonzero(part[:, :wide].any(1) | part[:, -wide:].any(1))  # where its four ends are
    upright = np.flatnonzero(part[:high].any(0) | part[-high:].any(0))
    near = np.abs(level - y).max() <= BESIDE * height and np.abs(upright - x).max() <= BESIDE * width
    return bool(near and not _has_hole(part) and _is_bare(part, float(level.mean()), float(upright.mean())))


def _is_bare(part: Part, y: float, x: float) -> bool:
    """Tell whether there is not much more to the upper left of both arms, which lie about row `y` and column `x`, than elsewhere.

    Blur fills the hole of a 4, and a plus that leans has ink on two sides of its arms.
    """
    height, width = part.shape
    high, wide = max(1, round(END * height)), max(1, round(END * width))
    thick = np.median([*part[:, :wide].sum(0), *part[:, -wide:].sum(0)]), np.median([*part[:high].sum(1), *part[-high:].sum(1)])
    rows, columns = np.nonzero(part)
    up, left = y - thick[0] / 2 - rows, x - thick[1] / 2 - columns
    down, right = -up - thick[0], -left - thick[1]
    shares = [((one > 1) & (other > 1)).mean() for one in (up, down) for other in (left, right)]
    return bool(shares[0] - max(shares[1:]) < BARE)


def _has_hole(part: Part) -> bool:
    """Tell whether strokes close something in, as those of many a 4 do."""
    return bool(_holes(part))


def _holes(part: Part) -> list[tuple[int, int, int, int]]:
    """Return what strokes close in, as boxes: x, y, width, height."""
    outlines, nesting = cv2.findContours(part.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    return [cv2.boundingRect(line) for line, (*_, around) in zip(outlines, nesting[0], strict=True) if around >= 0]


def _is_tick(part: Part) -> bool:
    """Tell whether a piece is two straight strokes: a short one down, and from its end a long one up to the right."""
    height, width = part.shape
    rows, columns = np.nonzero(part)
    bottom, left, top = int(rows.argmax()), int(columns.argmin()), int(rows.argmin())
    vertex, begin, end = (np.array([columns[i], rows[i]], float) for i in (bottom, left, top))
    down, up = vertex - begin, end - vertex
    if vertex[0] > VERTEX * width or end[0] < (1 - MIDDLE) * width or down[0] < RISING * width or down[1] < SHORT * height:
        return False
    if begin[1] < SHORT * height or -up[1] < ARM * height or np.hypot(*down) > ARM * np.hypot(*up):
        return False
    thick = _thickness(part)
    if np.hypot(*down) < BROAD * thick or width < SLANTED * height:
        return False
    if not _is_open(part, int(begin[1]), int(vertex[1] - OPEN * thick)) or _has_foot(part):
        return False
    half = thick / 2  # from the edge of a stroke to its middle
    begin[0], vertex[1], end[1] = begin[0] + half, vertex[1] - half, end[1] + half
    places = np.stack([columns, rows], 1)
    return bool(np.minimum(_off(places, begin, vertex), _off(places, vertex, end)).max() <= STRAIGHT * thick + 0.9)


def _is_open(part: Part, start: int, stop: int) -> bool:
    """Tell whether a piece is two strokes in nearly all rows of some: those of a tick part at its foot, those of a 4 higher up."""
    rows = np.pad(part[start:stop], ((0, 0), (1, 0)))
    return len(rows) > 0 and bool(((~rows[:, :-1] & rows[:, 1:]).sum(1) > 1).mean() >= PARTED)


def _has_foot(part: Part) -> bool:
    """Tell whether two strokes go on as one below where they meet, as those of an open 4 do."""
    back = part[:, ::-1]
    ended = np.logical_or.accumulate(np.logical_or.accumulate(back, 1) & ~back, 1)  # the long stroke, at the right of every row
    stem = float(np.median((back & ~ended).sum(1)))
    return int((part.sum(1)[::-1] > FOOT * stem + 1).argmax()) > stem


def _thickness(part: Part) -> float:
    """Return how thick the strokes of a piece are, in pixels."""
    return 2 * float(cv2.distanceTransform(np.pad(part, 1).astype(np.uint8), cv2.DIST_L2, 3).max())


def _off(places: NDArray[np.int64], start: NDArray[np.float64], stop: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far places lie from a straight stroke."""
    along = stop - start
    share = np.clip((places - start) @ along / max(float(along @ along), 1e-9), 0, 1)
    return np.asarray(np.linalg.norm(places - start - share[:, None] * along, axis=1))
