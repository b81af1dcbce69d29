"""The contrast of a page comes in; the same without the printed boxes of a form or the cells of a table comes out.

A cell is paper that lines close in, with four corners; a loop of a digit has none. Where several are alike, all of their size are sought:
what is written often touches its box. A lonely empty cell may be somebody's 0 and stays. The lines are then taken out one by one, as the
rules of paper are, and what is written across them stays.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .ruling import take_out

Float = NDArray[np.float32]
Mask = NDArray[np.uint8]

SURE = 2.5  # deviations of the noise: what may belong to a line
FAINTEST = 0.03  # contrast: likewise
GAPS = (3, 1, 5)  # pixels: lines broken by less still close a cell
GRAINY, ALONG, CALMED = 0.007, 7, 2.0  # noise from which paper is smoothed, over how many pixels, and by how much that calms it
SMALLEST = 12  # pixels: the shorter side of a cell
LARGEST = 0.6  # of the page's sides
LONGEST = 12.0  # how much longer than wide a cell may be
CORNER = 0.1  # of the shorter side: how near to each corner of its rectangle the cell reaches
SQUARE = 0.9  # share of its rectangle that the cell's hull covers
STEEPEST = 21.0  # degrees
THICKEST = 0.16  # of the shorter side: lines are no thicker
WRITING = 0.3  # of the cell's height: what stands in it is as high
ALIKE = 0.12  # cells differ by this share of their sides at most
SEVERAL, MANY = 3, 40  # so many alike are a form; so many, little used, are squared paper at the first look
USED, STACKED = 0.25, 0.5  # cells of which less is used, and so many stand right above or below another, are squared paper
DRAWN = 0.75  # share of each side that is line, where a cell is sought by its size
NEARER = 0.05  # a line is likelier near where its cell ends: what a pixel costs, in the faintest contrast
BEYOND = (0.15, 0.6)  # of the shorter side: where a lonely cell's sides have ended
NEIGHBOURS = np.array([(dx, dy) for dx in (-2, 0, 2) for dy in (-2, -1, 0, 1, 2)])
FEW = 12  # cells that show what all are
MOST = 1000  # a form has no more cells
SLACK = 5  # pixels: how far a line may stray from its straight path


@dataclass(frozen=True)
class Cell:
    """Paper that is closed in.

    Attributes:
        corners: of shape (4, 2), in pixels, from the upper left one clockwise.
        is_used: whether ink stands in it or touches its lines.
        holds: whether ink stands in it, clear of its lines.
    """

    corners: NDArray[np.float64]
    is_used: bool
    holds: bool

    @property
    def side(self) -> float:
        """Length of the shorter side, in pixels."""
        return min(self.size)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, in pixels."""
        return float(np.linalg.norm(self.corners[1] - self.corners[0])), float(np.linalg.norm(self.corners[3] - self.corners[0]))

    @property
    def middle(self) -> NDArray[np.float64]:
        """Where its diagonals cross."""
        return np.asarray(self.corners.mean(0))

    @property
    def angle(self) -> float:
        """Slope of its upper side, in radians clockwise."""
        dx, dy = self.corners[1] - self.corners[0]
        return float(np.arctan2(dy, dx))


def remove_boxes(contrast: Float, noise: Float) -> Float:
    """Return `contrast` without the lines about cells, or `contrast` itself where there are none.

    Args:
        contrast: float32 of shape (height, width), 0 for paper.
        noise: its deviation on blank paper, of the same shape or (1, 1).
    """
    cells = find_cells(contrast, noise)
    if not cells:
        return contrast
    bare = contrast.copy()
    for cell in cells:
        reach = max(3, round(THICKEST * cell.side))
        upper_left, upper_right, lower_right, lower_left = cell.corners
        for (x0, y0), (x1, y1) in ((upper_left, upper_right), (lower_left, lower_right)):
            _take_side_out(bare, x0, y0, x1, y1, reach)
        for (x0, y0), (x1, y1) in ((upper_left, lower_left), (upper_right, lower_right)):
            _take_side_out(bare.T, y0, x0, y1, x1, reach)
    return bare


def grain(noise: Float) -> float:
    """Return the usual deviation of a page's paper; it changes slowly, so that few of the pixels of `noise` tell it."""
    return float(np.median(noise[::8, ::8]))


def find_cells(contrast: Float, noise: Float) -> list[Cell]:
    """Return the cells on a page, where one at least has something in it. See `remove_boxes`."""
    found: list[Cell] = []
    for inked in _drawn(contrast, noise):
        closed_in: list[Cell] = []
        for gap in GAPS:
            more = _closed_in(inked, gap)
            if more is None:
                return []
            closed_in += more
            alike = _most_alike(closed_in)
            if len(alike) >= MANY and _are_squares_of_paper(alike):
                return []  # its rules are long, and sought as such; so many leave no doubt
        if len(alike) >= SEVERAL and any(cell.is_used for cell in alike):
            found = _of_one_size(inked, alike)
            if _are_squares_of_paper(alike) or _are_rules(inked, alike, closed_in + found):
                return []
            if found and _is_little_used(alike) and _are_stacked(found):
                return []
            return found + [c for c in closed_in if c.holds and not any(_stands_in(c, other) for other in found)]
        found = found or [cell for cell in closed_in if cell.holds and not _goes_on(inked, cell, closed_in)]
    return found


def _drawn(contrast: Float, noise: Float) -> Iterator[Mask]:
    """Yield what may belong to a line; on grainy paper again, after smoothing along the lines, by which long ones lose nothing."""
    yield (contrast > np.maximum(SURE * noise, FAINTEST)).astype(np.uint8)
    if grain(noise) >= GRAINY:
        smooth = np.maximum(cv2.blur(contrast, (ALONG, 1)), cv2.blur(contrast, (1, ALONG)))
        yield (smooth > np.maximum(SURE * noise / CALMED, FAINTEST)).astype(np.uint8)


def _closed_in(inked: Mask, gap: int) -> list[Cell] | None:
    """Return the stretches of paper that have four corners, lines closed over a few pixels; None where there are too many for a form."""
    closed = cv2.morphologyEx(inked, cv2.MORPH_CLOSE, np.ones((1, gap), np.uint8))
    closed |= cv2.morphologyEx(inked, cv2.MORPH_CLOSE, np.ones((gap, 1), np.uint8))
    height, width = inked.shape
    # the inner outlines of ink tell where paper is closed in, for less than labelling all paper would take
    outlines, nesting = cv2.findContours(closed, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    inner = np.flatnonzero(nesting[0, :, 3] >= 0) if outlines else ()
    rooms = []
    for x, y, w, h in sorted((cv2.boundingRect(outlines[i]) for i in inner), key=lambda box: (box[1], box[0])):
        paper = closed[y + 1 : y + h - 1, x + 1 : x + w - 1]  # the outline is ink
        short, long = sorted(paper.shape)
        if short >= SMALLEST and w < LARGEST * width and h < LARGEST * height and long < LONGEST * short:
            rooms.append((paper, x + 1, y + 1))
    if len(rooms) > MOST:
        return None
    return [cell for room in rooms if (cell := _cell(*room)) is not None]


def _most_alike(cells: list[Cell]) -> list[Cell]:
    """Return the largest group of cells that are about as wide and as high as one of them, none twice."""
    middles = np.array([cell.middle for cell in cells]).reshape(-1, 2)
    reach = np.array([0.5 * cell.side for cell in cells])
    same = np.abs(middles[:, None] - middles[None]).max(2) < reach[None]
    distinct = [cell for i, cell in enumerate(cells) if not same[i, :i].any()]
    sizes = np.array([cell.size for cell in distinct]).reshape(-1, 2)
    if not len(sizes):
        return []
    near = (np.abs(np.log(sizes[:, None] / sizes[None])) < ALIKE).all(2)
    return [distinct[i] for i in np.flatnonzero(near[near.sum(1).argmax()])]


def _are_squares_of_paper(cells: list[Cell]) -> bool:
    return _is_little_used(cells) and _are_stacked(cells)


def _is_little_used(cells: list[Cell]) -> bool:
    return float(np.mean([cell.holds for cell in cells])) < USED


def _are_stacked(cells: list[Cell]) -> bool:
    """Tell whether most cells share a level line with another."""
    angle = float(np.median([cell.angle for cell in cells]))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middles = np.array([cell.middle for cell in cells]) @ turn  # as if the page did not lean
    wide, high = np.median([cell.size for cell in cells], 0)
    across, down = np.abs(middles[:, None] - middles[None]).transpose(2, 0, 1)
    right_below = (across < 0.3 * wide) & (np.abs(down - high) < 0.3 * high)
    return float(right_below.any(1).mean()) > STACKED


def _are_rules(inked: Mask, cells: list[Cell], all_cells: list[Cell]) -> bool:
    some = cells[:: math.ceil(len(cells) / FEW)]
    return float(np.mean([_goes_on(inked, cell, all_cells) for cell in some])) > 0.5


def _goes_on(inked: Mask, cell: Cell, cells: list[Cell]) -> bool:
    """Tell whether two opposite sides go on where no other cell stands: then they are rules of the paper, with a stroke between them."""
    corners = cell.corners
    for a, b, d in ((0, 1, 2), (1, 0, 3), (0, 3, 2), (3, 0, 1)):  # from corner a over b, and likewise beside it beyond d
        along = (corners[b] - corners[a]) / max(float(np.linalg.norm(corners[b] - corners[a])), 1.0)
        beyond = along * np.linspace(*BEYOND, 24)[:, None] * cell.side
        if min(_is_drawn(inked, corners[end] + beyond) for end in (b, d)) > DRAWN:
            next_to = (corners[b] + corners[d]) / 2 + along * 0.5 * cell.side
            if not any(_holds(other, next_to) for other in cells):
                return True
    return False


def _is_drawn(inked: Mask, places: NDArray[np.float64]) -> float:
    """Return the share of places, x and y, that have ink within a pixel or two."""
    height, width = inked.shape
    near = (places[:, None] + NEIGHBOURS).reshape(-1, 2)
    x, y = np.clip(np.rint(near), 0, (width - 1, height - 1)).astype(int).T
    return float(inked[y, x].reshape(len(places), -1).any(1).mean())


def _of_one_size(inked: Mask, cells: list[Cell]) -> list[Cell]:
    """Return all cells of the page that are of one size, whatever touches their lines."""
    wide, high = np.median([cell.size for cell in cells], 0) + 2  # from line to line
    angle = float(np.median([cell.angle for cell in cells]))
    height, width = inked.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), float(np.degrees(angle)), 1.0)
    straight = cv2.warpAffine(inked, turn, (width, height), flags=cv2.INTER_NEAREST)
    w, h = round(wide), round(high)
    level = cv2.blur(cv2.dilate(straight, np.ones((SLACK, 1), np.uint8)).astype(np.float32), (w, 1), borderType=cv2.BORDER_CONSTANT)
    upright = cv2.blur(cv2.dilate(straight, np.ones((1, SLACK), np.uint8)).astype(np.float32), (1, h), borderType=cv2.BORDER_CONSTANT)
    above, left = -(h // 2), -(w // 2)
    sides = (_seen(level, 0, above), _seen(level, 0, above + h), _seen(upright, left, 0), _seen(upright, left + w, 0))
    drawn = np.minimum.reduce(sides)  # at the middle of a cell: how much of its barest side is line
    total = cv2.blur(np.add.reduce(sides), (SLACK, SLACK))
    best = cv2.dilate(np.where(drawn >= DRAWN, total, 0), np.ones((SLACK, SLACK), np.uint8))  # near by: few of many pixels
    rows, columns = np.nonzero((drawn >= DRAWN) & (total >= best))
    places = _apart(np.stack([columns, rows], 1), total[rows, columns], 0.75 * np.array([w, h]))
    back = cv2.invertAffineTransform(turn)
    corners = np.array([(-w, -h), (w, -h), (w, h), (-w, h)]) / 2
    return [Cell((place + corners) @ back[:, :2].T + back[:, 2], True, True) for place in places]


def _seen(values: Float, dx: int, dy: int) -> Float:
    """Return at each pixel the value that stands (dx, dy) away from it; 0 beyond the page."""
    height, width = values.shape
    seen = np.zeros_like(values)
    if abs(dx) < width and abs(dy) < height:
        seen[max(0, -dy) : height - max(0, dy), max(0, -dx) : width - max(0, dx)] = values[
            max(0, dy) : height + min(0, dy), max(0, dx) : width + min(0, dx)
        ]
    return seen


def _apart(places: NDArray[np.int64], score: Float, least: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the best of the places that lie less than `least` (across, down) apart, the best first."""
    places = places[np.argsort(-score, kind="stable")]
    kept = []
    while len(places):
        kept.append(places[0])
        places = places[(np.abs(places - places[0]) >= least).any(1)]
    return np.array(kept).reshape(-1, 2)


def _stands_in(cell: Cell, other: Cell) -> bool:
    return _holds(other, cell.middle)


def _holds(cell: Cell, place: NDArray[np.float64]) -> bool:
    return cv2.pointPolygonTest(cell.corners.astype(np.float32), tuple(map(float, place)), False) >= 0


def _cell(closed: Mask, x: int, y: int) -> Cell | None:
    """Return the stretch of paper that spans all of `closed` as a cell, None where it has no four corners; (x, y) is where it stands."""
    h, w = closed.shape
    _, labels, stats, _ = cv2.connectedComponentsWithStats(1 - closed, connectivity=4)
    i = int((stats[1:, cv2.CC_STAT_WIDTH] + stats[1:, cv2.CC_STAT_HEIGHT]).argmax()) + 1
    if stats[i, cv2.CC_STAT_AREA] <= 0.25 * w * h:
        return None
    part = (labels == i).astype(np.uint8)
    contours, _ = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(contours, key=len)[:, 0]
    rectangle = cv2.minAreaRect(outline)
    (_, _), (long, short), angle = rectangle
    if min(long, short) < SMALLEST - 2 or min(angle % 90, 90 - angle % 90) > STEEPEST:
        return None
    hull = cv2.contourArea(cv2.convexHull(outline))
    if hull < SQUARE * long * short:
        return None
    corners = _ordered(cv2.boxPoints(rectangle).astype(float))
    far = np.sqrt(((corners[:, None] - outline[None]) ** 2).sum(2).min(1))
    if far.max() > CORNER * min(long, short) + 1.5:
        return None
    filled = cv2.drawContours(np.zeros_like(part), [outline[:, None]], -1, 1, cv2.FILLED)
    holds = _is_written_in(cv2.subtract(filled, part))
    dents = 1 - cv2.contourArea(outline) / max(hull, 1.0)  # what is written touches the line
    return Cell(corners + np.array([x, y]), holds or dents > 0.06, holds)


def _is_written_in(inside: Mask) -> bool:
    """Tell whether one piece of the ink inside a cell is as high as writing."""
    least = WRITING * len(inside)
    if cv2.boundingRect(inside)[3] <= least:  # most cells are empty
        return False
    _, _, pieces, _ = cv2.connectedComponentsWithStats(inside, connectivity=8)
    return bool((pieces[1:, cv2.CC_STAT_HEIGHT] > least).any())


def _ordered(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return four corners from the upper left one clockwise."""
    total, difference = corners.sum(1), corners[:, 1] - corners[:, 0]
    return corners[[total.argmin(), difference.argmin(), total.argmax(), difference.argmax()]]


def _take_side_out(contrast: Float, x0: float, y0: float, x1: float, y1: float, reach: int) -> None:
    """Take out the line that runs along one side of a cell, with the corners at its ends."""
    start, stop = max(0, round(x0) - reach // 2 - 1), min(contrast.shape[1], round(x1) + reach // 2 + 2)
    xs = np.arange(start, stop)
    path = y0 + (y1 - y0) * (xs - x0) / max(x1 - x0, 1.0)
    steps = np.arange(-reach, reach + 1)
    rows = np.round(path).astype(int) + steps[:, None]
    there = np.clip(rows, 0, contrast.shape[0] - 1)
    covered = np.minimum(contrast[there, xs], 2 * FAINTEST).mean(1) - NEARER * FAINTEST * np.abs(steps)
    take_out(contrast, xs, path + steps[covered.argmax()], reach)
