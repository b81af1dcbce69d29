"""Text comes in, a made photo of it comes out, with its truth: where every digit stands, and which marks there are."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..records import Box, Digit, Mark, Number, Page
from .camera import Picture, View, choose_view, expose, light_up
from .decoys import blot, print_word, scribble, trim, write_word
from .dirt import Dirt, keep_legible, sample_dirt
from .hands import Font, Hands, Writer, choose_writer
from .layout import SMALLEST_DIGIT, Layout, Placed, Rectangle, choose_style, digit_that_fits, lay_out, move, parse_text, position
from .paper import fold, make_desk, make_paper, print_box, rule, show_through, stain
from .pens import Pen, choose_pen, lay
from .prose import Characters, print_text
from .shapes import MARKS
from .units import add_units

Ink = NDArray[np.uint8]
Prose = tuple[Sequence[Font], Sequence[str]]  # what running text is set in, and the numbers among its words

SIZES = ((1600, 1200), (1200, 1600), (1280, 960), (1024, 768), (900, 1200), (800, 600), (1000, 400))
SMALLEST_SIDE, LARGEST_SIDE = 32, 12_000
PROSE_SHARE, PROSE_SIZES = 2 / 3, (0.3, 0.45, 0.6, 0.8, 1.0, 1.3)  # of decoys; heights of its capitals, in heights of the digits
UNITS = 0.8  # share of numbers that have one, where there are any
TOUCHING = {"clean": 0.0, "light": 0.01, "medium": 0.04, "heavy": 0.1}  # share of neighbours that touch


def make_page(
    text: str,
    *,
    seed: int = 0,
    split: str = "train",
    size: tuple[int, int] | None = None,
    hands: Hands | None = None,
    dirt: str | Dirt = "light",
    pen: Pen | None = None,
    digit_height: float | None = None,
    touching: float | None = None,
) -> tuple[Picture, Page]:
    """Return a made picture of handwritten numbers and the truth about it.

    Args:
        text: lines parted by a line break or `|`, numbers by spaces, each a number as the reader writes it, such as `-3.5` or `120/80`;
            `?` is a digit that was written and struck out. An empty text gives a page without any number.
        seed: the same arguments and seed give the same bytes.
        split: whose MNIST digits: "train" (the first 50,000 training pictures), "validation" (the last 10,000 of them) or "test".
        size: (width, height) of the picture in pixels; None for one of the usual sizes.
        hands: where the shapes come from; None for MNIST's digits of `split` alone.
        dirt: a level ("clean", "light", "medium", "heavy") or the circumstances themselves.
        pen: what it is written with; None for any that suits the surface.
        digit_height: of the digits on the sheet, in pixels, at most; None for any that fits.
        touching: share of neighbouring digits that touch; None for what the level has, 0 for a `Dirt`.

    Returns:
        The picture, uint8 RGB of shape (height, width, 3), and the `Page` that a perfect reader would answer: each digit's box is the hull
        of its ink in whole pixels of this picture, every confidence is 1.

    Raises:
        UsageError: the text holds what cannot be written or does not fit, or the size, split or dirt makes no sense.
        DataError: a font cannot be read.
    """
    picture, truth, _ = make_labelled_page(
        text, seed=seed, split=split, size=size, hands=hands, dirt=dirt, pen=pen, digit_height=digit_height, touching=touching
    )
    return picture, truth


def make_labelled_page(
    text: str,
    *,
    seed: int = 0,
    split: str = "train",
    size: tuple[int, int] | None = None,
    hands: Hands | None = None,
    dirt: str | Dirt = "light",
    pen: Pen | None = None,
    digit_height: float | None = None,
    touching: float | None = None,
    decoys: int | None = None,
    prose: Sequence[Font] = (),
    prose_numbers: Sequence[str] = (),
    units: Sequence[Font] = (),
) -> tuple[Picture, Page, list[tuple[str, Box]]]:
    """Return what `make_page` does and, besides, every character in the order of writing, marks too, with the hull of its ink.

    `decoys` says how many words, scribbles and blots there are; None for as many as the circumstances have. With
    fonts of `prose`, two of three are running text in one of these, and `prose_numbers` stand here and there among its words: their
    characters come after all others, and the `Page` is without them. With fonts of `units`, most numbers have a unit beside them, in one of
    these.
    """
    lines = parse_text(text)
    hands = hands or Hands(split=split, strokes=0.0)
    rng = np.random.default_rng([seed, 0x1D]) if seed >= 0 else _refuse_seed(seed)
    level = dirt if isinstance(dirt, str) else ""
    conditions = sample_dirt(level, rng) if isinstance(dirt, str) else dirt
    conditions = conditions if decoys is None else replace(conditions, decoys=decoys)
    touching = TOUCHING.get(level, 0.0) if touching is None else touching
    width, height = size = _choose_size(lines, size, rng)
    writer = choose_writer(rng, hands, pen or _choose_pen(conditions, rng))
    sheet_size = _sheet_size(size, conditions, rng)
    room = (sheet_size[0] * 0.88, sheet_size[1] * 0.86)
    style = choose_style(conditions, touching, rng)
    layout, digit = lay_out(lines, room, digit_height, style, writer, hands, rng)
    if level:
        conditions = keep_legible(conditions, writer.pen.colour, writer.pen.opacity, writer.pen.width * digit)
    region = position(layout, sheet_size, digit, rng)
    keep = (0.0, 0.0, float(sheet_size[0]), float(sheet_size[1])) if conditions.has_desk else region
    view = choose_view(sheet_size, size, keep, conditions, rng)
    x, y, columns, rows = (0, 0, *sheet_size) if conditions.has_desk else _seen(view, size)
    view = view.shifted(x, y)
    move(layout, -x, -y)
    sheet = make_paper((rows, columns), conditions, rng)
    beside = add_units(layout.placed, digit, UNITS, units, rng) if units and layout.placed else []
    among = _print_sheet(sheet, layout, beside, conditions, digit, writer, hands, (prose, prose_numbers), rng)
    _dirty_sheet(sheet, conditions, rng)
    background = make_desk((height, width), rng) if conditions.has_desk else np.zeros((height, width, 3), np.uint8)
    lit = light_up(view.shoot(sheet, background), conditions, rng)
    characters = [(p.character, _box(p, view, size)) for p in [*layout.placed, *among]]
    return expose(lit, conditions, rng), _truth(layout, view, size), characters


def _refuse_seed(seed: int) -> np.random.Generator:
    raise UsageError(f"seed must be 0 or more, got {seed}")


def _choose_size(lines: list[list[str]], size: tuple[int, int] | None, rng: np.random.Generator) -> tuple[int, int]:
    if size is not None:
        if not all(SMALLEST_SIDE <= side <= LARGEST_SIDE for side in size):
            raise UsageError(f"size must be from {SMALLEST_SIDE} to {LARGEST_SIDE} pixels a side, got {size[0]} × {size[1]}")
        return size
    width, height = SIZES[int(rng.integers(len(SIZES)))]
    digit = digit_that_fits(lines, (width * 0.7, height * 0.7))
    grown = max(1.0, 26 / digit)  # long texts get larger pictures
    return round(width * grown), round(height * grown)


def _choose_pen(dirt: Dirt, rng: np.random.Generator) -> Pen:
    if dirt.surface == "screen":
        return choose_pen(rng, "mouse" if rng.random() < 0.4 else "screen")
    if dirt.surface == "blackboard":
        return choose_pen(rng, "chalk")
    if dirt.surface == "whiteboard":
        return choose_pen(rng, "felt")
    return choose_pen(rng)


def _sheet_size(size: tuple[int, int], dirt: Dirt, rng: np.random.Generator) -> tuple[int, int]:
    if not dirt.has_desk:
        return size
    long_side = max(size)
    aspect = float(rng.uniform(0.65, 1.5))
    return round(min(size[0] * 1.1, long_side * min(aspect, 1))), round(min(size[1] * 1.1, long_side * min(1 / aspect, 1)))


def _seen(view: View, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the box (x, y, width, height) of the sheet that fills a picture of `size`."""
    width, height = size
    edge = [(x, y) for x in np.linspace(0, width - 1, 9) for y in (0, height - 1)] + [
        (x, y) for y in np.linspace(0, height - 1, 9) for x in (0, width - 1)
    ]
    seen = view.backward(np.array(edge, float))
    low, high = np.floor(seen.min(axis=0)), np.ceil(seen.max(axis=0))
    if view.bulge or view.matrix[2, 0] or view.matrix[2, 1] or view.matrix[0, 1]:  # a straight view stays exact to the pixel
        low, high = low - 2 - view.bulge, high + 2 + view.bulge
    x, y = (int(v) for v in low)
    return x, y, int(high[0]) - x + 1, int(high[1]) - y + 1


def _print_sheet(
    sheet: Picture,
    layout: Layout,
    beside: list[Placed],
    dirt: Dirt,
    digit: float,
    writer: Writer,
    hands: Hands,
    prose: Prose,
    rng: np.random.Generator,
) -> list[Placed]:
    """Put everything on the sheet that is printed or written; return the characters that stand among words."""
    rows, columns = sheet.shape[:2]
    if dirt.ruling:
        rule(sheet, dirt, digit * float(rng.uniform(0.5, 1.8)), rng)
    if dirt.show_through:
        back = np.zeros((rows, columns), np.uint8)
        for _ in range(6):
            word = write_word(writer, hands, digit, rng)
            _paste(back, word, (int(rng.integers(columns)), int(rng.integers(rows))))
        show_through(sheet, dirt.show_through, back)
    thick = max(1, round(digit * float(rng.uniform(0.015, 0.05))))
    grey = int(rng.integers(30, 170))
    strength = float(rng.uniform(0.5, 1))
    for box in layout.boxes:
        print_box(sheet, box, thick, (grey, grey, min(255, grey + 15)), strength)
    written = [*layout.placed, *beside]
    among = _add_decoys(sheet, written, dirt.decoys, digit, writer, hands, prose, rng)
    for p in written:
        lay(sheet, p.ink, (round(p.x), round(p.y)), writer.pen.colour)
    return among


def _paste(canvas: Ink, ink: Ink, at: tuple[int, int]) -> None:
    x, y = at
    part = canvas[y : y + ink.shape[0], x : x + ink.shape[1]]
    np.maximum(part, ink[: part.shape[0], : part.shape[1]], out=part)


def _add_decoys(
    sheet: Picture, written: list[Placed], count: int, digit: float, writer: Writer, hands: Hands, prose: Prose, rng: np.random.Generator
) -> list[Placed]:
    """Put words, scribbles and blots where there is room for them beside the numbers; return the characters of numbers among the words."""
    fonts, numbers = prose
    among: list[Placed] = []
    gap = 0.9 * digit
    taken = [(p.x - gap, p.y - 0.4 * digit, p.x + p.ink.shape[1] + gap, p.y + p.ink.shape[0] + 0.4 * digit) for p in written]
    rows, columns = sheet.shape[:2]
    for _ in range(count):
        told: Characters = []
        if fonts and rng.random() < PROSE_SHARE:
            room = (columns * float(rng.uniform(0.2, 0.95)), rows * float(rng.uniform(0.05, 0.9)))
            height = digit * float(rng.choice(PROSE_SIZES))
            (ink, told), colour = print_text(height, room, fonts, rng, numbers if height >= SMALLEST_DIGIT else ()), (40, 40, 44)
        else:
            ink, colour = _decoy(digit, writer, hands, rng)
        if float(sheet.mean()) < 100:  # nobody prints on a blackboard
            colour = writer.pen.colour
        for _ in range(12):
            x, y = float(rng.uniform(0, max(1, columns - ink.shape[1]))), float(rng.uniform(0, max(1, rows - ink.shape[0])))
            spot = (x, y, x + ink.shape[1], y + ink.shape[0])
            if not any(_overlap(spot, other) for other in taken):
                lay(sheet, ink, (int(x), int(y)), colour)
                taken.append(spot)
                for character, (left, top, width, height) in told:
                    own = ink[top : top + height, left : left + width]
                    among.append(Placed(character, own, int(x) + left, int(y) + top, (0, 0)))
                break
    return among


def _decoy(digit: float, writer: Writer, hands: Hands, rng: np.random.Generator) -> tuple[Ink, tuple[int, int, int]]:
    """Return the ink of one decoy, and its colour."""
    height = digit * float(rng.uniform(0.5, 1.1))
    kind = rng.random()
    if kind < 0.4:
        return trim(print_word(height * 0.8, rng)), (40, 40, 44)
    if kind < 0.75:
        return write_word(writer, hands, height, rng), writer.pen.colour
    if kind < 0.92:
        return scribble(writer.pen, height * 1.3, rng), writer.pen.colour
    return blot(height * 0.6, rng), writer.pen.colour


def _overlap(a: Rectangle, b: Rectangle) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _dirty_sheet(sheet: Picture, dirt: Dirt, rng: np.random.Generator) -> None:
    for _ in range(dirt.stains):
        stain(sheet, rng)
    for _ in range(dirt.folds):
        fold(sheet, rng)


def _truth(layout: Layout, view: View, size: tuple[int, int]) -> Page:
    """Return the page that a perfect reader would answer."""
    numbers = [_number(list(parts), line, view, size) for (line, _), parts in itertools.groupby(layout.placed, key=lambda p: p.number)]
    return Page(size[0], size[1], tuple(numbers))


def _number(parts: list[Placed], line: int, view: View, size: tuple[int, int]) -> Number:
    digits: list[Digit] = []
    marks: list[Mark] = []
    for p in parts:
        if p.character in MARKS:
            marks.append(Mark(len(digits), p.character, 1.0))
        else:
            digits.append(Digit(p.value, 1.0, _box(p, view, size), _alternatives(p.value)))
    text = "".join(p.character for p in parts)
    return Number(text, 1.0, line, Box.around(d.box for d in digits), tuple(digits), tuple(marks))


def _alternatives(value: int | None) -> tuple[tuple[int, float], ...]:
    """Return all ten digits, the true one first; all alike where it was struck out."""
    if value is None:
        return tuple((v, 0.1) for v in range(10))
    return ((value, 1.0), *((v, 0.0) for v in range(10) if v != value))


def _box(placed: Placed, view: View, size: tuple[int, int]) -> Box:
    """Return the whole pixels of the picture that a character's ink spans."""
    ink = placed.ink
    points = cv2.findNonZero((ink > 0.3 * ink.max()).astype(np.uint8))
    hull = cv2.convexHull(points).reshape(-1, 2).astype(np.float64) + np.array([round(placed.x), round(placed.y)])
    # pixels have a size: their corners lie half a pixel from their middle
    corners = np.concatenate([hull + np.array([dx, dy]) for dx in (-0.5, 0.5) for dy in (-0.5, 0.5)])
    seen = view.forward(corners) + 0.5
    low = np.clip(np.floor(seen.min(axis=0) + 1e-6), 0, None)
    high = np.clip(np.ceil(seen.max(axis=0) - 1e-6), None, size)
    return Box(int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1]))
