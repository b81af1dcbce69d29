"""The ink of a page comes in; lines of a lattice come out: what may be a digit, and what may follow it.

Nothing is decided here that only reading can decide. Each line is cut into atoms, finer than digits where digits may touch; every run of
atoms that is no wider than a digit is a candidate, and the classifier chooses among the ways through them (`assemble`).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .captions import find_rows
from .components import Components, checked
from .cuts import cut
from .lines import find_lines, parted
from .records import Box
from .rules import remove_rules
from .struck import is_struck

Ink = NDArray[np.uint8]

RULE = 0.55  # a straight thin line along this share of the page's side is a rule
SMALLEST = 7  # pixels: what is lower and narrower than this is no digit
MINOR = 0.5  # a piece beside one more than 1 / MINOR times as tall makes no line: it is a small digit, a mark, a stroke, or dirt
TINIEST = 0.03  # of its height: what is smaller is dirt, for a full stop is about as large as strokes are thick
AS_USUAL = 0.75  # of the usual height: what is as tall is not minor
BELOW_ALL = 0.3  # of the usual height: less is no digit on this page, but in a row of its like
WIDEST = 1.45  # heights: a candidate is no wider
WIDEST_PIECE = 2.5  # heights, of a candidate that is all of one piece: a 5 with a long hat and a long tail
MOST_ATOMS = 5  # a candidate has at most, but one that is all of one piece
BROKEN = 0.5  # heights: what is as tall and all of minor pieces may be a digit whose line is broken
SLIVER = 0.4  # of the usual height: what is thinner and touches the picture's edge is no digit that somebody wanted read
CORNER = 0.25  # of the picture's shorter side: of digits that are smaller, none is in its corner, where a desk looks out beside the paper
TALLEST = 3.0  # of the usual height: a line taller than this is no 1
ASTRAY = 0.5  # of the height of the nearest piece: what stands as far above or below it is no part of a digit, and no mark
HAT = 0.35  # so does what stands so far above it: captions and dirt do, the hat of a 5 does not
PEER, NEAR_PEER = 0.6, 3.0  # heights of a piece: so tall at least is its peer, and so near
THIN = 0.3  # of the longer side: an upright line may be a 1 unless it is as long
HEM, HOLES, LIKE, MOSTLY = 0.07, 8, 0.2, 0.7  # see `_is_binding`: of the side, at least so many, so like, most of them
MOST_HOLES = 120
FOOT = (0.4, 0.1, 0.6)  # heights of a piece: what begins no higher above its foot, and ends so far below, from, to, is a comma beside it
STEEP = 0.65  # times as high: a comma is no wider
BROKEN_OFF = 0.15  # heights of a piece: so near to it, even what stands beside its like is a part of it
LEAST_IN_ROW, WIDEST_IN_ROW = 12, 2.0  # pixels it must be high there; times as wide as high
LEAST_LETTER, WIDEST_LETTERS, BELOW_WORD = 5, 6.0, 0.4  # the same for what may be letters, some of them joined; of the usual height
WORD = 0.6  # times as long as a piece is high: a row that is longer is of letters, or of digits
ROW = 0.8  # of the usual height: what stands in a row so long is not the pieces of one broken digit
TILE, SAME = 12, 0.85  # shapes are compared in squares of so many pixels, of which so many are the same
JUNK_SIDE = 0.4  # a piece at the picture's edge along this share of its side is a desk, a finger or a shadow


@dataclass(frozen=True)
class Atom:
    """A piece of ink that is not cut any further.

    Attributes:
        ink: uint8, cropped.
        box: where it stands, in pixels of the ink.
        is_minor: too small to be a digit beside its neighbours.
        piece: of which piece of ink it is all or a part.
        is_struck: it is digits that one stroke was drawn through.
    """

    ink: Ink
    box: Box
    is_minor: bool = False
    piece: int = 0
    is_struck: bool = False


@dataclass(frozen=True)
class Candidate:
    """Atoms `start` to `stop` (exclusive) of a line, taken as one digit.

    Attributes:
        start: first atom.
        stop: the atom after the last.
        ink: uint8, cropped to the candidate.
        box: where it stands.
        spread: widest gap of paper between its atoms, in heights of the line.
    """

    start: int
    stop: int
    ink: Ink
    box: Box
    spread: float


@dataclass(frozen=True)
class Line:
    """One line of a page, or a part of it where what is written is of one size.

    Attributes:
        atoms: from left to right.
        candidates: what may be a digit among them.
        height: of a digit, in pixels.
        row: which line of the page it is, or is a part of, from 0.
    """

    atoms: tuple[Atom, ...]
    candidates: tuple[Candidate, ...]
    height: float
    row: int = 0


def segment(ink: Ink, most: int = 2000) -> list[Line]:
    """Return the lines of a page from top to bottom, each in parts from left to right where these differ in size.

    Args:
        ink: uint8 of shape (height, width).
        most: pieces of ink a page may have.

    Raises:
        TooManyMarks: there are more, after specks are dropped.
    """
    pieces = _without_specks(Components.of(remove_rules(ink, RULE)))
    usable = np.flatnonzero(~_is_junk(pieces))
    if not len(usable):
        return []
    checked(len(usable), most)
    major, minor = _sorted_out(pieces, usable)
    whole = _halves_joined(pieces.boxes, major)
    hulls = np.array([[*low, *(high - low)] for low, high in (_hull(pieces.boxes[some]) for some in whole)])
    rows = [[i for k in line for i in whole[k]] for line in find_lines(hulls.reshape(-1, 4))]
    parts = [(part, n) for n, row in enumerate(rows) for part in parted(pieces.boxes, row)]
    owned = _owned(pieces, [part for part, _ in parts], minor)
    usual = [_height(pieces, row) for row in rows]  # what is lower is told as such: print is as high as most of its row, dirt is not
    return [_line(pieces, part, owned[k], n, max(usual[n], _height(pieces, part))) for k, (part, n) in enumerate(parts)]


def _without_specks(pieces: Components) -> Components:
    """Return all pieces but those of a few pixels, which no digit misses: it makes all that follows short."""
    speck = (pieces.boxes[:, 2:] <= 2).all(1) | (pieces.areas <= 4)
    return pieces.only(~speck)


def _is_junk(pieces: Components) -> NDArray[np.bool_]:
    """Tell which pieces are no writing at all: along the picture's edge, as large as the picture, or frames about the rest."""
    height, width = pieces.ink.shape
    w, h = pieces.boxes[:, 2], pieces.boxes[:, 3]
    edge = pieces.at_edge(2)
    along = edge & ((w > JUNK_SIDE * width) & (h < 0.5 * height) | (h > JUNK_SIDE * height) & (w < 0.25 * width))
    large = (w > 0.75 * width) & (h > 0.75 * height) & (len(pieces) > 1)
    hollow = (w > 0.3 * width) & (h > 0.3 * height) & (pieces.areas < 0.12 * w * h) & (len(pieces) > 1)
    thin = (h * 14 < w) & (w > 0.12 * max(height, width)) | (w * 14 < h) & (h > THIN * max(height, width))
    # what is full of ink and fat is a stain or a stretch of table
    fat = (pieces.areas > 0.7 * w * h) & (np.minimum(w, h) > 0.1 * min(height, width)) & edge
    return np.asarray(along | large | hollow | thin | fat | _is_binding(pieces))


def _is_binding(pieces: Components) -> NDArray[np.bool_]:
    """Tell which pieces are the holes or the wire of a notebook: along one side, evenly apart, and as like as no writing is."""
    binding = np.zeros(len(pieces), bool)
    for axis in (0, 1):
        near, far = pieces.boxes[:, axis], pieces.boxes[:, axis] + pieces.boxes[:, axis + 2]
        side = pieces.ink.shape[1 - axis]
        for some in (np.flatnonzero(far < HEM * side), np.flatnonzero(near > (1 - HEM) * side)):
            if len(some) < HOLES:
                continue
            sizes = pieces.boxes[some, 2:] / np.median(pieces.boxes[some, 2:], axis=0)
            alike = some[(np.abs(sizes - 1) < LIKE).all(1)]
            steps = np.diff(np.sort(pieces.centres[alike, 1 - axis]))
            if not HOLES <= len(alike) <= MOST_HOLES:  # noise has more
                continue
            pitch = max(1.0, float(np.median(steps)))
            if (np.abs(steps / pitch - 1) < LIKE).mean() > MOSTLY and _look_alike(pieces, alike):
                binding[alike] = True
    return binding


def _look_alike(pieces: Components, some: NDArray[np.int64]) -> bool:
    """Tell whether most of some pieces have one shape."""
    tiles = np.array([cv2.resize(pieces.cut_out([int(i)]), (TILE, TILE), interpolation=cv2.INTER_AREA) > 127 for i in some])
    return bool(np.median((tiles == np.median(tiles, axis=0)).mean((1, 2))) > SAME)


def _sorted_out(pieces: Components, usable: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pieces tall enough to be digits where they stand, and the small ones near them."""
    x, y, w, h = pieces.boxes[usable].T.astype(float)
    level = w > 3.5 * h  # a dash, or the edge of something: its length says nothing of how tall digits are
    size = np.where(level, h, np.maximum(h, 0.6 * w))
    # by the root of their ink: a stain does not outvote a page of digits, nor a thousand specks
    shaped = (w < 4 * h) & (h < 12 * w)
    usual = _weighted_median(size, np.sqrt(pieces.weights[usable]) * shaped)
    # slivers along the picture's edge, what is in its corners, lines much longer than any digit: the edges of paper, a desk, a shadow
    sliver = _slivers(pieces, usual)[usable]
    narrow = w < 0.35 * h
    edge = (level & (w > 3 * usual)) | ((h > TALLEST * usual) & (narrow & ~_has_peers(x, h, narrow) | pieces.at_edge(2)[usable]))
    row = find_rows(x, y, w, h, np.flatnonzero((size < MINOR * usual) & (h >= LEAST_IN_ROW) & (w < WIDEST_IN_ROW * h)))
    in_row = row > np.where(size < BELOW_ALL * usual, 0, ROW * usual)
    word = find_rows(x, y, w, h, np.flatnonzero((h < BELOW_WORD * usual) & (h >= LEAST_LETTER) & (w < WIDEST_LETTERS * h)))
    large = ~(edge | sliver) & (size >= SMALLEST) & ((size >= BELOW_ALL * usual) | in_row)
    # small beside something near and much taller: part of it, a mark, or dirt; what is as large as most is a digit even beside a stain
    low, tall = np.flatnonzero(size < AS_USUAL * usual), np.flatnonzero(large & (size < TALLEST * usual))
    gap_x = np.maximum(np.maximum(x[tall] - (x + w)[low, None], x[low, None] - (x + w)[tall]), 0)
    gap_y = np.maximum(np.maximum(y[tall] - (y + h)[low, None], y[low, None] - (y + h)[tall]), 0)
    # what stands beside its like is broken off at most, and a word not even that
    reach = np.where(word[low, None] > WORD * size[tall], 0, np.where(in_row[low, None], BROKEN_OFF, 1.1))
    near = np.hypot(gap_x, gap_y) < reach * size[tall]
    is_minor = np.zeros(len(size), bool)
    tiny = np.maximum(w, h)[low, None] < TINIEST * size[tall]
    small = size[low, None] < MINOR * size[tall]
    begins, ends = (v[low, None] - (y + h)[tall] for v in (y, y + h))  # of the neighbour's foot, downwards
    hangs = (begins > -FOOT[0] * size[tall]) & (begins < 0) & (ends > FOOT[1] * size[tall]) & (ends < FOOT[2] * size[tall])
    hangs &= (w < STEEP * h)[low, None]
    is_minor[low] = (near & (small | hangs)).any(1) & (near & ~tiny).any(1)
    return usable[large & ~is_minor], usable[is_minor & ~edge & ~sliver]


def _halves_joined(boxes: NDArray[np.int64], major: NDArray[np.int64]) -> list[list[int]]:
    """Return the pieces one by one, but together what is a digit broken in two: low pieces, one close above the other, as tall together."""
    usual = float(np.median(boxes[major, 3])) if len(major) else 0.0
    low = major[boxes[major, 3] < AS_USUAL * usual]
    x, y, w, h = boxes[low].T.astype(float)
    gap = y - (y + h)[:, None]  # of shape (upper, lower)
    shared = np.minimum((x + w)[:, None], x + w) - np.maximum(x[:, None], x)
    tall = (y + h) - y[:, None]
    halves = (np.abs(gap) < BROKEN_OFF * usual) & (shared > 0.5 * np.minimum(w[:, None], w))
    halves &= (tall > AS_USUAL * usual) & (tall < usual / AS_USUAL)
    lower_of: dict[int, int] = {}
    for upper, lower in low[np.argwhere(halves)].tolist():
        if not {upper, lower} & {*lower_of, *lower_of.values()}:
            lower_of[upper] = lower
    lowers = set(lower_of.values())
    return [[i, lower_of[i]] if i in lower_of else [i] for i in major.tolist() if i not in lowers]


def _hull(boxes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the upper left and the lower right corner of boxes."""
    return boxes[:, :2].min(0), (boxes[:, :2] + boxes[:, 2:]).max(0)


def _has_peers(x: NDArray[np.float64], h: NDArray[np.float64], narrow: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which pieces stand near something as tall that is no mere line: where dirt makes what is usual small, a 1 still has these."""
    wide = np.flatnonzero(~narrow)
    alike = (h[wide] > PEER * h[:, None]) & (h[wide] < h[:, None] / PEER) & (np.abs(x[wide] - x[:, None]) < NEAR_PEER * h[:, None])
    return np.asarray(alike.any(1))


def _slivers(pieces: Components, usual: float) -> NDArray[np.bool_]:
    """Tell which pieces are the edge of something, where a digit is `usual` pixels high: thin and at a side, or in a corner."""
    sides = pieces.at_sides(2)
    thin = sides.any(1) & (pieces.boxes[:, 2:].min(1, initial=1 << 30) < SLIVER * usual)
    corner = sides[:, :2].any(1) & sides[:, 2:].any(1) & (usual < CORNER * min(pieces.ink.shape))
    return np.asarray(thin | corner)


def without_edges(ink: Ink, usual: float) -> Ink:
    """Return `ink` without what is no writing along the picture's edge: for a picture that is turned, after which its edge is not known.

    Args:
        ink: uint8 of shape (height, width).
        usual: height of a digit, in pixels.
    """
    pieces = Components.of(ink)
    return pieces.without(pieces.at_edge(2) & (_is_junk(pieces) | _slivers(pieces, usual)))


def _weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    order = values.argsort()
    cumulative = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(cumulative, cumulative[-1] / 2)])


def _owned(pieces: Components, lines: list[list[int]], minor: NDArray[np.int64]) -> list[list[int]]:
    """Return for each line the small pieces that are nearest to it; what is far above or below every line is dirt.

    A piece that is nearest to a larger one of them goes where that goes: the hat of a small 5 hangs below a line with a tall 7 in it.
    """
    owned: list[list[int]] = [[] for _ in lines]
    if not lines:
        return owned
    boxes = pieces.boxes.astype(float)
    line_of = {i: n for n, line in enumerate(lines) for i in line}
    placed, major = list(line_of), len(line_of)
    for k in sorted(map(int, minor), key=lambda k: -boxes[k, 2:].prod()):
        x, y, w, h = boxes[k]
        near = boxes[placed]
        gap_x = np.maximum(np.maximum(near[:, 0] - (x + w), x - (near[:, 0] + near[:, 2])), 0)
        gap_y = np.maximum(np.maximum(near[:, 1] - (y + h), y - (near[:, 1] + near[:, 3])), 0)
        # commas hang below their line, nothing stands above one but over a part of a digit: between two lines a piece belongs to the upper
        above = np.where(np.arange(len(placed)) < major, np.maximum(near[:, 1] - (y + h / 2), 0), 0)
        far = np.hypot(gap_x, 1.3 * gap_y) + above
        far[(gap_y > ASTRAY * near[:, 3]) | (near[:, 1] - (y + h) > HAT * near[:, 3])] = np.inf
        nearest = int(far.argmin())
        if np.isfinite(far[nearest]):
            line_of[k] = line_of[placed[nearest]]
            owned[line_of[k]].append(k)
            placed.append(k)
    return owned


def _height(pieces: Components, line: list[int]) -> float:
    """Return how high a digit is in a line, in pixels."""
    _, _, w, h = pieces.boxes[line].T
    return float(np.median(np.maximum(h, np.minimum(0.5 * w, 1.5 * h))))


def _line(pieces: Components, line: list[int], minor: list[int], row: int, height: float) -> Line:
    """Return the lattice of one line, or of a part of it."""
    atoms = [atom for i in line for atom in _atoms(pieces, i, height)]
    atoms += [Atom(pieces.cut_out([i]), Box(*map(int, pieces.boxes[i])), True, i) for i in minor]
    atoms.sort(key=lambda a: a.box.x + a.box.width / 2)
    return Line(tuple(atoms), tuple(_candidates(atoms, height)), height, row)


def _atoms(pieces: Components, i: int, height: float) -> list[Atom]:
    """Return the piece whole, or cut where two digits may touch."""
    x, y, w, h = map(int, pieces.boxes[i])
    ink = pieces.cut_out([i])
    if is_struck(ink, height):
        return [Atom(ink, Box(x, y, w, h), piece=i, is_struck=True)]
    atoms = []
    for part in cut(ink, height):
        px, py, pw, ph = cv2.boundingRect(part)
        if pw and ph:
            atoms.append(Atom(part[py : py + ph, px : px + pw], Box(x + px, y + py, pw, ph), piece=i))
    return atoms


def _candidates(atoms: list[Atom], height: float) -> list[Candidate]:
    """Return every run of atoms that may be one digit."""
    found = []
    for start, stop in sorted(_runs(atoms, height) | _whole_pieces(atoms, height)):
        run = atoms[start:stop]
        box = Box.around(a.box for a in run)
        found.append(Candidate(start, stop, _joined(run, box), box, _spread(run, height)))
    return found


def _runs(atoms: list[Atom], height: float) -> set[tuple[int, int]]:
    """Return (start, stop) of neighbours that are together no wider than a digit."""
    runs = set()
    for start in range(len(atoms)):
        for stop in range(start + 1, min(start + MOST_ATOMS, len(atoms)) + 1):
            run = atoms[start:stop]
            box = Box.around(a.box for a in run)
            if stop > start + 1 and box.width > WIDEST * max(height, box.height):
                break
            if stop <= start + 2 or box.height > BROKEN * height or not all(a.is_minor for a in run):  # a mark has two pieces at most
                runs.add((start, stop))
    return runs


def _whole_pieces(atoms: list[Atom], height: float) -> set[tuple[int, int]]:
    """Return (start, stop) of every piece that was cut, if nothing but minor pieces stands among its parts."""
    ends: dict[int, tuple[int, int]] = {}
    for n, atom in enumerate(atoms):
        if not atom.is_minor:
            ends[atom.piece] = ends.get(atom.piece, (n, n))[0], n + 1
    whole = set()
    for piece, (start, stop) in ends.items():
        run = atoms[start:stop]
        box = Box.around(a.box for a in run)
        if box.width <= WIDEST_PIECE * max(height, box.height) and all(a.is_minor or a.piece == piece for a in run):
            whole.add((start, stop))
    return whole


def _joined(run: list[Atom], box: Box) -> Ink:
    ink = np.zeros((box.height, box.width), np.uint8)
    for atom in run:
        x, y = atom.box.x - box.x, atom.box.y - box.y
        part = ink[y : y + atom.box.height, x : x + atom.box.width]
        np.maximum(part, atom.ink, out=part)
    return ink


def _spread(run: list[Atom], height: float) -> float:
    """Return the widest distance from an atom to the nearest other of the run, in heights."""
    if len(run) == 1:
        return 0.0
    gaps = []
    for a in run:
        others = [_distance(a.box, b.box) for b in run if b is not a]
        gaps.append(min(others))
    return max(gaps) / height


def _distance(a: Box, b: Box) -> float:
    across = max(b.x - (a.x + a.width), a.x - (b.x + b.width), 0)
    down = max(b.y - (a.y + a.height), a.y - (b.y + b.height), 0)
    return float(np.hypot(across, down))
