"""Shapes of digits, marks and letters as people draw them: a character and a generator of chance come in, centre lines of strokes come out.

MNIST was written by Americans. What the rest of the world writes and MNIST lacks stands here as templates: the European 1 with flag
and foot, the crossed 7, open and closed 4, 9 with a hook, 5 whose hat is a stroke of its own, 2 with a loop, 6 that curls in, 8 of two
circles, 0 that does not close. Every template is bent, squeezed and jittered before use, so that no two digits are alike.

A template is a string: points "x,y" in percent of the height (y down), joined by a smooth curve; `!` after a point makes the pen turn
sharply there; `;` lifts the pen.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Stroke = NDArray[np.float32]  # of shape (n, 2): points x, y of a centre line
Strokes = tuple[Stroke, ...]
Template = tuple[tuple[NDArray[np.float32], ...], ...]  # strokes of smooth pieces of control points

POINTS_A_SPAN = 7  # points of the curve between two control points

# (how often, template)
DIGITS: dict[str, tuple[tuple[float, str], ...]] = {
    "0": (
        (4, "34,1 14,14 4,50 12,86 32,99 52,86 60,50 52,14 34,1"),
        (2, "46,6 30,1 12,16 4,50 12,86 32,99 52,84 58,50 52,20 38,8"),  # does not close
        (2, "30,2 10,18 4,54 14,90 32,99 50,84 56,48 46,12 26,0 16,6"),  # closes beyond its start
        (1, "40,9 28,3 10,20 4,52 12,86 32,99 54,84 59,48 48,10 32,6 30,14"),  # a curl at the top
        (1, "26,3 10,22 6,52 12,84 26,98 40,84 46,50 40,18 26,3"),  # tall
        (0.15, "34,1 14,14 4,50 12,86 32,99 52,86 60,50 52,14 34,1 ; 58,4 6,96"),  # slashed
    ),
    "1": (
        (3, "30,0 29,50 28,100"),
        (1, "42,0 28,50 16,100"),
        (3, "10,28 32,2! 31,50 29,100"),
        (2, "0,46 18,28 33,0! 31,50 29,100"),  # European, a long flag
        (1.5, "4,38 32,0! 32,98"),
        (0.8, "0,62 32,0! 34,100"),  # a flag nearly as long as the stem
        (3, "8,26 31,2! 30,98 ; 6,99 56,98"),  # flag and foot
        (1, "14,18 31,2! 30,97! 8,98! 54,97"),
        (1, "6,30 24,22 32,2! 30,98 ; 2,99 30,97 58,99"),
        (0.5, "31,0 30,98 ; 10,100 52,99"),
        (0.7, "18,12 30,2! 27,60 34,98 44,94"),  # a tail to the right
    ),
    "2": (
        (4, "6,24 14,6 34,0 54,12 52,34 30,66 5,97! 60,96"),
        (2, "7,20 18,3 38,1 54,16 46,42 24,72 5,95 3,88 14,84 32,94 60,97"),  # a loop at the foot
        (2, "6,22 16,4 36,0 53,14 48,40 26,74 4,98! 22,90 40,97 62,90"),  # a wave for a foot
        (1, "16,26 6,22 10,6 32,0 52,14 47,42 22,78 5,97! 58,98"),  # a curl at the head
        (1, "4,14 30,2 50,10 48,34 4,96! 56,99"),
        (0.5, "4,4 54,3! 6,96! 58,96"),  # like a Z
        (1, "10,18 28,0 50,10 50,32 34,62 14,88 4,92 6,82 20,82 38,98 58,92"),
    ),
    "3": (
        (4, "5,12 26,0 51,12 46,36 22,46! 48,50 58,74 36,99 3,88"),
        (2, "8,10 30,0 51,14 42,38 30,46 46,52 57,74 34,100 5,90"),
        (2, "6,14 28,0 50,14 42,38 22,48 18,43 28,42 52,54 56,80 30,100 4,88"),  # a loop at the waist
        (2, "6,4 54,3! 26,40! 48,44 59,70 38,99 4,90"),  # flat top
        (1, "4,8 28,2 48,20 14,44! 40,46 56,68 36,98 2,94"),
        (1, "6,5 50,2! 22,42! 50,50 56,78 32,98 4,92"),
    ),
    "4": (
        (3, "16,0 10,30 3,58! 60,56 ; 45,26 43,100"),  # open
        (2, "22,0 4,62! 64,58 ; 48,4 44,100"),
        (3, "46,1 24,34 2,65! 64,65 ; 47,0 46,100"),  # closed
        (2, "44,100 46,0! 2,66! 62,66"),  # closed, one stroke
        (2, "6,2 4,38 16,52 46,46 ; 52,0 50,50 46,100"),  # like a chair
        (1, "8,4 6,34 18,50 38,46 52,26 54,2! 50,50 44,100"),
        (1, "30,0 2,54! 58,52 ; 38,32 34,100"),
        (1, "12,4 5,56! 56,54 ; 50,0 49,58 46,99"),
        (0.7, "10,6 2,34 16,54 40,46 54,20 50,2 43,12 44,50 36,100"),  # written on, with a loop at its top
    ),
    "5": (
        (3, "54,2 14,3! 9,44! 32,37 55,54 53,84 28,100 3,90"),
        (3, "13,4 9,44! 32,37 56,56 52,86 26,100 3,91 ; 13,4 56,1"),  # the hat is a stroke of its own
        (1.5, "13,10 9,46! 32,39 55,58 50,87 26,100 3,92 ; 21,2 60,-3"),  # and does not touch
        (2, "52,5 26,2 12,16 13,38 34,44 54,62 46,92 20,100 3,88"),  # like an S
        (1, "50,0 16,2! 12,48! 40,42 56,62 44,90 8,100"),
        (1, "16,4 10,42 26,44 52,54 50,86 24,99 2,90 ; 15,4 54,6"),
        (1, "16,12 8,40! 40,36 52,60 40,90 4,98 ; 16,8 36,4 58,6"),
        (1, "16,5 11,46! 30,37 54,52 54,84 30,100 9,90 4,72 ; 15,5 68,2"),  # a long hat over a belly that nearly closes
        (0.8, "20,12 12,46! 32,38 52,54 52,84 30,99 12,90 6,76 ; 2,4 66,1"),
        (0.8, "15,6 12,50! 30,42 52,58 50,88 28,100 9,90 8,70 13,54 ; 13,5 70,0"),  # whose belly closes: only the hat tells it from a 6
        (0.8, "72,0 42,4 18,6! 13,48! 34,40 52,60 46,92 24,100 8,88 10,68"),
        (0.6, "66,8 58,0 22,4! 12,50! 30,46 48,62 44,90 22,100 4,94"),
    ),
    "6": (
        (3, "44,0 22,22 6,58 12,90 32,100 53,86 51,64 32,55 8,72"),
        (2, "52,12 42,0 20,18 5,56 10,90 32,100 54,84 50,60 30,55 9,70"),  # curls in at the top
        (1.5, "36,0 16,36 5,70 14,95 34,99 50,82 44,62 24,60 6,76"),
        (1.5, "30,0 8,40 6,78 22,99 44,94 50,74 38,60 18,66 8,80"),
        (1, "50,4 26,10 8,44 6,80 26,100 52,90 56,66 34,52 12,66"),
        (1, "24,0 8,44 8,84 28,100 48,86 44,66 26,62 10,82 14,92"),
    ),
    "7": (
        (3, "4,6 56,4! 38,46 24,100"),
        (1.5, "6,20 6,5! 56,4! 36,50 24,100"),
        (3, "4,7 57,4! 38,46 24,100 ; 16,52 54,48"),  # crossed
        (2, "4,18 6,5! 56,3! 36,48 26,100 ; 18,54 52,48"),
        (1.5, "2,14 14,4 36,9 59,2! 34,48 26,100"),
        (1.5, "2,14 14,4 36,9 59,2! 34,48 26,100 ; 14,50 56,50"),
        (1, "6,4 5,28 ; 6,5 54,4! 50,46 34,100"),  # as in Japan
        (1, "2,4 52,4! 48,40 44,100"),
        (0.8, "6,6 54,4! 18,99 ; 10,46 46,60"),
        (1.5, "2,26 12,8 24,19 40,21 60,0! 38,50 22,100 ; 8,57 56,52"),  # a wave for a top, crossed, as in Russia
        (1.2, "4,30 14,6! 24,24 40,20 58,2! 36,50 18,99 ; 6,59 54,54"),
        (0.8, "2,30 10,10 20,22 38,20 56,4! 36,48 20,88 26,100 44,92 ; 8,56 54,51"),
        (1, "2,24 15,2! 18,28 30,34 54,2! 40,50 24,100 ; 10,68 58,64"),  # a deep wave: the bar tells it from a 4
        (1, "0,30 16,6 20,12 20,30 30,36 56,4! 40,52 26,100 ; 8,70 56,69"),
        (0.8, "8,20 20,2 26,10 14,26 22,38 40,24 52,2! 38,46 22,100 ; 10,66 60,70"),
        (0.8, "4,20 18,0! 14,32 26,36 50,0! 38,50 22,92 30,97 44,90 ; 12,64 52,62"),
        (1, "8,14 10,6! 38,2! 26,50 14,100"),  # narrow
        (1, "10,9 42,3! 31,50 22,100"),
    ),
    "8": (
        (3, "48,14 30,0 10,14 24,42 50,64 46,94 22,99 6,80 22,52 48,26 46,10"),
        (2, "30,0 11,10 12,36 31,46 49,34 48,9 30,0 ; 30,47 6,58 4,88 30,100 56,90 54,58 30,47"),  # two circles
        (1.5, "54,10 32,0 12,14 26,44 52,66 44,96 16,98 8,76 28,50 58,2"),  # open at the top
        (1.5, "30,46 12,30 16,6 36,0 50,16 44,36 14,58 6,82 28,100 54,86 50,62 30,46"),
        (1, "44,4 20,4 12,24 32,46 50,70 34,100 10,88 12,66 34,44 50,22 42,3"),
        (1, "31,1 12,12 13,38 32,45 50,34 49,10 31,1 ; 31,44 8,60 8,86 30,99 52,86 52,60 31,44"),
    ),
    "9": (
        (3, "52,14 30,0 6,18 10,44 32,51 50,32 54,8! 52,52 48,100"),
        (2.5, "51,14 30,0 6,20 11,44 32,50 50,32 54,8! 54,68 40,97 10,93"),  # with a hook
        (2, "50,24 34,0 8,14 10,42 32,48 50,26 49,58 40,86 28,100"),
        (1.5, "30,48 8,36 10,8 32,0 50,14 48,38 30,48 ; 52,6 50,54 44,100"),
        (1, "50,10 28,2 6,24 14,46 38,44 54,16! 46,70 22,99 4,88"),
        (1, "54,2 20,6 6,28 20,46 46,36 54,4! 44,60 34,100"),
        (1, "48,12 30,1 8,18 12,42 34,46 50,22 48,10! 52,60 60,96"),
        (0.6, "40,8 24,0 10,14 16,32 36,34 44,12! 34,42 46,58 38,82 20,100"),  # a wavering tail
    ),
}

# marks stand on the same scale: 0 is the top of a digit, 100 its baseline
MARKS: dict[str, tuple[tuple[float, str], ...]] = {
    ".": ((3, "3,98 5,99"), (1, "2,97 6,97 6,101 2,101 3,97")),
    ",": ((3, "8,94 8,104 1,118"), (1, "6,93 1,112"), (1, "4,94 9,96 9,106 0,120"), (1, "18,84 16,106 0,136")),
    "-": ((3, "0,54 30,52"), (1, "0,52 14,50 34,54")),
    "/": ((3, "46,-14 0,112"), (1, "52,-20 24,50 0,116"), (1, "40,-6 0,108")),
    ":": ((3, "3,42 5,43 ; 3,92 5,93"), (1, "2,38 5,39 ; 4,88 5,90")),
}

# letters and signs that cannot be taken for a digit; look-alikes (O, l, I, S, Z, B, g, q, b …) are left out on purpose
LETTERS: dict[str, str] = {
    "A": "2,100 30,0! 60,100 ; 14,62 48,60",
    "E": "52,2 6,3! 6,98! 54,98 ; 6,50 42,48",
    "F": "52,2 6,3! 5,100 ; 6,48 42,47",
    "H": "5,0 5,100 ; 56,0 55,100 ; 6,52 55,49",
    "K": "6,0 5,100 ; 54,0 8,54! 56,100",
    "M": "2,100 10,0! 36,64! 62,0! 70,100",
    "N": "4,100 6,2! 54,98! 56,0",
    "R": "6,0 5,100 ; 6,3 40,0 52,22 36,46 6,50! 56,100",
    "W": "0,0 16,98! 35,30! 54,98! 72,0",
    "X": "2,0 58,100 ; 56,0 2,100",
    "a": "46,52 24,42 6,66 16,96 38,90 48,50! 46,90 58,98",
    "e": "8,70 44,66 36,46 14,50 6,76 22,98 52,90",
    "h": "8,0 6,100 ; 7,66 26,44 42,56 42,100",
    "k": "8,0 6,100 ; 40,42 8,70! 44,100",
    "m": "4,44 5,100 ; 5,58 18,44 32,56 32,100 ; 32,58 48,44 62,56 62,100",
    "n": "6,44 6,100 ; 6,60 24,44 40,56 41,100",
    "r": "8,44 8,100 ; 8,64 22,46 42,48",
    "t": "22,10 20,86 32,100 46,94 ; 4,40 44,38",
    "w": "2,44 14,98! 28,56! 42,98! 56,44",
    "x": "4,44 46,100 ; 46,44 4,100",
    "f": "46,4 30,2 22,24 20,100 ; 4,44 40,42",
    "d": "44,52 24,44 6,68 16,97 36,92 47,60 ; 48,0 46,98",
    "+": "30,20 30,80 ; 2,50 58,49",
    "=": "4,40 54,39 ; 4,62 54,61",
    "*": "30,20 30,80 ; 6,34 54,66 ; 54,34 6,66",
    "#": "22,4 14,96 ; 46,4 38,96 ; 2,36 60,34 ; 0,66 58,64",
    "€": "56,12 36,4 14,28 12,70 36,98 58,88 ; 0,42 44,40 ; 0,60 40,58",
    "~": "2,56 16,42 36,58 54,44",
    "?": "8,22 20,2 46,8 44,34 28,52 28,70 ; 28,94 29,97",
    "√": "0,56 10,50 22,98! 36,4! 74,4",
    "△": "30,4 2,96! 60,94! 31,4",
    "→": "0,50 68,48 ; 50,30 70,48! 52,66",
    "☆": "10,98 30,0! 52,98! 0,36! 62,34! 10,98",
}


def draw_character(character: str, rng: np.random.Generator, jitter: float = 1.0) -> Strokes:
    """Return one way of writing a digit, a mark or a letter.

    Args:
        character: one of `DIGITS`, `MARKS` or `LETTERS`.
        rng: where the chance comes from.
        jitter: how far from its template, 1 as people vary.

    Returns:
        Centre lines in units of a digit's height: y from about 0 (top) to about 1 (baseline), x from about 0.

    Raises:
        KeyError: there is no template of this character.
    """
    letter = LETTERS.get(character)
    template = parse(letter) if letter else _choose(DIGITS.get(character) or MARKS[character], rng)
    if character in MARKS:
        return tuple(_curve(stroke, rng, 0.008 * jitter) for stroke in template)
    strokes = tuple(_curve(stroke, rng, 0.022 * jitter) for stroke in template)
    return bend(strokes, rng, jitter)


def _choose(variants: tuple[tuple[float, str], ...], rng: np.random.Generator) -> Template:
    shares = np.cumsum([weight for weight, _ in variants])
    return parse(variants[int(np.searchsorted(shares, rng.random() * shares[-1], side="right"))][1])


@lru_cache(maxsize=512)
def parse(template: str) -> Template:
    """Return the strokes of a template, each a tuple of smooth pieces, each of shape (n, 2) in units of the height."""
    strokes = []
    for stroke in template.split(";"):
        pieces: list[NDArray[np.float32]] = []
        piece: list[tuple[float, float]] = []
        for word in stroke.split():
            x, y = (float(v) / 100 for v in word.rstrip("!").split(","))
            piece.append((x, y))
            if word.endswith("!"):
                pieces.append(np.array(piece, np.float32))
                piece = [(x, y)]
        pieces.append(np.array(piece, np.float32))
        strokes.append(tuple(pieces))
    return tuple(strokes)


def _curve(pieces: tuple[NDArray[np.float32], ...], rng: np.random.Generator, jitter: float) -> Stroke:
    """Return the smooth curve through the jittered control points of one stroke."""
    parts = []
    corner: NDArray[np.float32] | None = None
    for piece in pieces:
        points = piece + rng.standard_normal(piece.shape, np.float32) * np.float32(jitter)
        if corner is not None:
            points[0] = corner
        corner = points[-1]
        is_closed = len(piece) > 3 and bool((piece[0] == piece[-1]).all())
        parts.append(spline(points, is_closed))
    return np.concatenate(parts)


@lru_cache(maxsize=8)
def _basis(n: int) -> NDArray[np.float32]:
    t = np.linspace(0, 1, n, dtype=np.float32)[:, None]
    rows = [-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, -(t**2) + t**3]
    return np.asarray(np.concatenate(rows, axis=1) / 2, np.float32)  # (n, 4)


def spline(points: NDArray[np.float32], is_closed: bool = False) -> Stroke:
    """Return the Catmull-Rom curve through `points` (n, 2), n at least 2; a closed one arrives as smoothly as it left."""
    if is_closed:
        before, after = points[-2], points[1]
    else:
        before, after = 2 * points[0] - points[1], 2 * points[-1] - points[-2]
    padded = np.concatenate([before[None], points, after[None]])
    windows = np.stack([padded[i : len(padded) - 3 + i] for i in range(4)], axis=1)  # (spans, 4, 2)
    spans = (_basis(POINTS_A_SPAN + 1) @ windows)[:, :-1]  # (spans, POINTS_A_SPAN, 2)
    return np.concatenate([spans.reshape(-1, 2), points[-1:]])


def bend(strokes: Strokes, rng: np.random.Generator, amount: float = 1.0) -> Strokes:
    """Return strokes bent by one smooth random field, so that the waist moves, bellies grow and lines bow."""
    a = rng.standard_normal(6).astype(np.float32) * np.float32(amount)
    phase = rng.random(4).astype(np.float32) * np.float32(2 * np.pi)
    bent = []
    for stroke in strokes:
        x, y = stroke[:, 0], stroke[:, 1]
        rise = 0.035 * a[0] * np.sin(np.pi * y) + 0.012 * a[1] * np.sin(5 * x + phase[0]) + 0.010 * a[2] * np.sin(8 * y + phase[1])
        shift = 0.040 * a[3] * np.sin(np.pi * y) + 0.016 * a[4] * np.sin(6 * y + phase[2]) + 0.012 * a[5] * np.sin(7 * x + phase[3])
        bent.append(np.stack([x + shift, y + rise], axis=1))
    return tuple(bent)


def tremble(stroke: Stroke, rng: np.random.Generator, amount: float) -> Stroke:
    """Return the stroke drawn by a shaky hand or a mouse; `amount` in units of the height."""
    if len(stroke) < 3:
        return stroke
    noise = rng.standard_normal((len(stroke) + 4, 2), np.float32)
    smooth = (noise[:-4] + 2 * noise[1:-3] + 3 * noise[2:-2] + 2 * noise[3:-1] + noise[4:]) / np.float32(4.4)
    return stroke + smooth * np.float32(amount)
