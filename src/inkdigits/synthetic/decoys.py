"""A size comes in, ink that is no number comes out: words, scribbles, blots, pieces of digits, digits run together or struck out."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from .hands import Hands, Writer, write
from .noise import swell
from .pens import Pen, draw_strokes
from .shapes import LETTERS, spline

Ink = NDArray[np.uint8]

WORDS = (
    "Name",
    "Date",
    "Total",
    "Room",
    "kg",
    "Sum",
    "Order",
    "Hour",
    "March",
    "Werte",
    "Raum",
    "Menge",
    "Nummer",
    "Fuer",
    "Water",
    "Meter",
    "Patient",
    "fee",
    "km",
    "Chart",
)
HANDWRITTEN = "AEFHKMNRWaehkmnrtwxfd"
PRINT_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_COMPLEX)
# which part of which digit is no digit itself: the lower half of a 6 would be a 0
HALVES = (
    ("0", "top"),
    ("0", "bottom"),
    ("2", "left"),
    ("2", "right"),
    ("3", "left"),
    ("4", "left"),
    ("5", "left"),
    ("5", "right"),
    ("5", "top"),
    ("8", "left"),
    ("9", "left"),
)


def trim(ink: Ink) -> Ink:
    """Return the part of an ink that its ink spans; shape (0, 0) where there is none."""
    x, y, w, h = cv2.boundingRect(ink)
    return np.ascontiguousarray(ink[y : y + h, x : x + w])


def join(inks: Sequence[Ink], gap: float) -> Ink:
    """Return inks side by side on one baseline, `gap` pixels apart (below 0 they overlap)."""
    cut = [trim(ink) for ink in inks]
    height = max(ink.shape[0] for ink in cut)
    width = sum(ink.shape[1] for ink in cut) + max(0, round(gap)) * len(cut)
    canvas = np.zeros((height, width), np.uint8)
    x = 0
    for ink in cut:
        h, w = ink.shape
        part = canvas[height - h :, x : x + w]
        np.maximum(part, ink[:, : part.shape[1]], out=part)
        x = max(0, x + w + round(gap))
    return trim(canvas)


def write_word(writer: Writer, hands: Hands, height: float, rng: np.random.Generator, letters: int = 0) -> Ink:
    """Return a handwritten word of letters that cannot be taken for digits."""
    count = letters or int(rng.integers(2, 8))
    chosen = [HANDWRITTEN[int(i)] for i in rng.integers(len(HANDWRITTEN), size=count)]
    return join([write(c, writer, hands, height, rng) for c in chosen], float(rng.uniform(0.04, 0.14)) * height)


def print_word(height: float, rng: np.random.Generator) -> Ink:
    """Return a printed word, about `height` pixels high."""
    word = WORDS[int(rng.integers(len(WORDS)))] + (":" if rng.random() < 0.3 else "")
    if rng.random() < 0.5:
        font = ImageFont.load_default(max(8, round(1.3 * height)))
        left, top, right, bottom = (int(v) for v in font.getbbox(word))
        picture = Image.new("L", (right - left + 4, bottom - top + 4))
        ImageDraw.Draw(picture).text((2 - left, 2 - top), word, font=font, fill=255)
        return trim(np.asarray(picture))
    face = PRINT_FONTS[int(rng.integers(len(PRINT_FONTS)))]
    scale, thick = height / 22, max(1, round(height / 12))
    (width, tall), below = cv2.getTextSize(word, face, scale, thick)
    canvas = np.zeros((tall + below + 8, width + 8), np.uint8)
    cv2.putText(canvas, word, (4, tall + 4), face, scale, 255, thick, cv2.LINE_AA)
    return trim(canvas)


def scribble(pen: Pen, height: float, rng: np.random.Generator) -> Ink:
    """Return a tangle, a zigzag or a flourish."""
    n = int(rng.integers(6, 18))
    if rng.random() < 0.5:
        points = rng.uniform(0, 1, (n, 2)) * (rng.uniform(0.6, 1.6), 1)
    else:
        along = np.linspace(0, rng.uniform(0.7, 2.2), n)
        points = np.stack([along + rng.normal(0, 0.05, n), 0.5 + 0.45 * (-1.0) ** np.arange(n) * rng.uniform(0.4, 1, n)], axis=1)
    return trim(draw_strokes((spline(points.astype(np.float32)),), pen, height, rng))


def blot(height: float, rng: np.random.Generator) -> Ink:
    """Return a spot of ink without any holes."""
    side = max(6, round(height))
    x = np.linspace(-1, 1, side, dtype=np.float32)
    hill = 0.75 - np.hypot(x[:, None] / rng.uniform(0.5, 1), x[None, :] / rng.uniform(0.5, 1)) + 0.16 * swell((side, side), rng)
    return trim(np.asarray(np.clip(hill * side * 0.6, 0, 1) * 255, np.uint8))


def half_digit(writer: Writer, hands: Hands, height: float, rng: np.random.Generator) -> Ink:
    """Return a part of a digit that is no digit."""
    digit, side = HALVES[int(rng.integers(len(HALVES)))]
    ink = trim(write(digit, writer, hands, height, rng))
    rows, columns = ink.shape
    share = rng.uniform(0.38, 0.52)
    cut = {
        "top": ink[: round(rows * share)],
        "bottom": ink[rows - round(rows * share) :],
        "left": ink[:, : round(columns * share)],
        "right": ink[:, columns - round(columns * share) :],
    }[side]
    return trim(np.ascontiguousarray(cut))


def joined_digits(writer: Writer, hands: Hands, height: float, rng: np.random.Generator) -> Ink:
    """Return two or three digits run together."""
    count = 2 if rng.random() < 0.8 else 3
    inks = [write(str(rng.integers(10)), writer, hands, height * float(rng.uniform(0.85, 1.1)), rng) for _ in range(count)]
    return join(inks, -float(rng.uniform(0.0, 0.1)) * height)


def strike_out(ink: Ink, pen: Pen, height: float, rng: np.random.Generator) -> Ink:
    """Return a digit with strokes across it, as people undo what they wrote; larger than it was where the strokes hang over."""
    rows, columns = ink.shape
    x, y = 1.25 * columns / height, rows / height
    count = int(rng.integers(2, 5))
    if rng.random() < 0.5:  # a zigzag
        points = np.array([[(x if i % 2 else 0), y * (0.2 + 0.6 * i / (2 * count))] for i in range(2 * count)])
    else:
        points = np.array([[(x if i % 2 else 0), y * (0.15 + 0.7 * ((i * 5) % 7) / 6)] for i in range(2 * count + 1)])
    points = points + rng.normal(0, 0.05, points.shape)
    strokes = tuple(np.stack([a, (a + b) / 2, b]).astype(np.float32) for a, b in itertools.pairwise(points))
    across = trim(draw_strokes(strokes, pen, height, rng))
    size = max(rows, across.shape[0]), max(columns, across.shape[1])
    both = np.zeros(size, np.uint8)
    for layer in (ink, across):
        y0, x0 = (size[0] - layer.shape[0]) // 2, (size[1] - layer.shape[1]) // 2
        part = both[y0 : y0 + layer.shape[0], x0 : x0 + layer.shape[1]]
        np.maximum(part, layer, out=part)
    return both


def no_digit(writer: Writer, hands: Hands, height: float, rng: np.random.Generator) -> Ink:
    """Return ink that no one should read as a digit; now and then none at all."""
    kinds: tuple[tuple[float, Callable[[], Ink]], ...] = (
        (0.32, lambda: _letter(writer, hands, height, rng)),
        (0.10, lambda: write_word(writer, hands, height * 0.7, rng, int(rng.integers(2, 4)))),
        (0.16, lambda: scribble(writer.pen, height, rng)),
        (0.06, lambda: blot(height * float(rng.uniform(0.2, 1)), rng)),
        (0.14, lambda: half_digit(writer, hands, height, rng)),
        (0.12, lambda: joined_digits(writer, hands, height, rng)),
        (0.06, lambda: strike_out(trim(write(str(rng.integers(10)), writer, hands, height, rng)), writer.pen, height, rng)),
        (0.04, lambda: np.zeros((round(height), round(height * 0.7)), np.uint8)),
    )
    make = kinds[int(rng.choice(len(kinds), p=[share for share, _ in kinds]))][1]
    return make()


def _letter(writer: Writer, hands: Hands, height: float, rng: np.random.Generator) -> Ink:
    letters = [c for c in LETTERS if c.isascii() or writer.source != "font"]
    return trim(write(letters[int(rng.integers(len(letters)))], writer, hands, height, rng))
