"""Text comes in, the ink of its characters comes out, each in its place on a sheet: lines, numbers, marks, boxes of a form."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..records import NUMBER
from .decoys import strike_out, trim
from .dirt import Dirt
from .hands import Hands, Writer, characters, write, write_mark
from .shapes import MARKS

Ink = NDArray[np.uint8]
Rectangle = tuple[float, float, float, float]  # left, top, right, bottom

SMALLEST_DIGIT = 12  # pixels: below it nothing is read

ROOM, CLOSE = (0.02, 0.12), (-0.06, 0.02)  # heights before a mark; where characters touch


@dataclass
class Placed:
    """One character on the sheet: its ink, its top left corner, and the number (line, place) it belongs to."""

    character: str
    ink: Ink
    x: float
    y: float
    number: tuple[int, int]
    value: int | None = None


@dataclass
class Layout:
    """All characters of a page, the printed boxes, and the widest line, in pixels."""

    placed: list[Placed] = field(default_factory=list)
    boxes: list[tuple[int, int, int, int]] = field(default_factory=list)
    width: float = 0.0


@dataclass(frozen=True, slots=True)
class Style:
    """How a page is set: distances as shares of the digits' height."""

    gap: float
    word_gap: float
    pitch: float
    indent: float
    slope: float
    touching: float
    cell: float  # width of a form's box, 0 for none
    uneven: float = 0.06  # deviation of the digits' heights
    unsteady: float = 0.03  # deviation of where they stand above the line
    tails: float = 0.0  # how far below the line 7 and 9 reach, and at times 1 and 4, at most


def parse_text(text: str) -> list[list[str]]:
    """Return the numbers of each line.

    Raises:
        UsageError: a character cannot be written, or a word is no number.
    """
    strange = sorted(set(text) - set(characters()) - set(" |\n"))
    if strange:
        raise UsageError(
            f"cannot write {''.join(strange)!r}: only digits, the marks {' '.join(MARKS)}, ? for one struck out, spaces and | are known"
        )
    lines = [line.split() for line in re.split(r"[|\n]", text)]
    for word in itertools.chain(*lines):
        if not NUMBER.fullmatch(word):
            raise UsageError(f"{word!r} is no number: expected digits with single marks between them, such as 37.5 or -120/80")
    return [line for line in lines if line]


def digit_that_fits(lines: list[list[str]], room: tuple[float, float]) -> float:
    """Return about how high the digits may be, in pixels."""
    longest = max((sum(map(len, line)) + 1.6 * len(line) for line in lines), default=4.0)
    return min(room[0] / (0.75 * longest), room[1] / (1.9 * max(len(lines), 1)), room[1] * 0.6)


def choose_style(dirt: Dirt, touching: float, rng: np.random.Generator) -> Style:
    """Return distances that suit the circumstances; `touching` is the share of neighbours that touch."""
    if not 0 <= touching <= 1:
        raise UsageError(f"touching must be from 0 to 1, got {touching}")
    gap = float(rng.uniform(0.1, 0.4))
    careless = rng.random() < 0.4
    spread = rng.random() < 0.12 and not touching  # digits that stand far apart, as in a table without lines
    steep = rng.random() < 0.2 and dirt.surface != "screen"
    return Style(
        gap=float(rng.uniform(0.5, 1.2)) if spread else gap,
        word_gap=float(rng.uniform(1.1, 2.2)) + gap + 2.5 * spread,
        pitch=float(rng.uniform(1.5, 2.3)) + 0.5 * careless,
        indent=float(rng.choice([0.0, 0.3, 1.5], p=[0.4, 0.4, 0.2])),
        slope=float(np.radians(rng.normal(0, 5 if steep else 0.8))) if dirt.surface != "screen" else 0.0,
        touching=touching,
        cell=float(rng.uniform(1.0, 1.3)) if dirt.has_boxes else 0.0,
        uneven=float(rng.uniform(0.06, 0.2)) if careless else 0.06,
        unsteady=float(rng.uniform(0.03, 0.15)) if careless else 0.03,
        tails=float(rng.uniform(0, 1.1)) if careless and rng.random() < 0.6 and not dirt.has_boxes else 0.0,
    )


def lay_out(
    lines: list[list[str]],
    room: tuple[float, float],
    most: float | None,
    style: Style,
    writer: Writer,
    hands: Hands,
    rng: np.random.Generator,
) -> tuple[Layout, float]:
    """Return the page's characters, starting at (0, 0), and the height of the digits."""
    if most is not None and most < SMALLEST_DIGIT:
        raise UsageError(f"digit_height must be at least {SMALLEST_DIGIT} pixels, got {most}")
    roomy = digit_that_fits(lines, room)
    digit = max(roomy * float(rng.uniform(0.55, 1.1)), min(roomy, 1.5 * SMALLEST_DIGIT))
    digit = min(digit, most or digit)
    layout = Layout()
    for _ in range(8):
        if digit < SMALLEST_DIGIT:
            break
        layout = _set_lines(lines, digit, style, writer, hands, rng)
        tall = style.pitch * digit * max(len(lines) - 1, 0) + 1.6 * digit
        share = min(room[0] / max(layout.width, 1.0), room[1] / tall)
        if share >= 1:
            break
        digit *= 0.96 * share
    if digit < SMALLEST_DIGIT:
        raise UsageError(
            f"the text does not fit: its digits would be {digit:.0f} pixels high, at least {SMALLEST_DIGIT} are needed; take a larger size"
        )
    return layout, digit


def _set_lines(lines: list[list[str]], digit: float, style: Style, writer: Writer, hands: Hands, rng: np.random.Generator) -> Layout:
    layout = Layout()
    for row, line in enumerate(lines):
        x = float(rng.uniform(0, style.indent)) * digit
        base = (1.2 + row * style.pitch) * digit
        slope = style.slope + float(np.radians(rng.normal(0, 0.3)))
        for place, word in enumerate(line):
            x = _set_number(layout, word, (row, place), (x, base, slope), digit, style, writer, hands, rng)
            layout.width = max(layout.width, x)
            x += style.word_gap * digit * float(rng.uniform(0.9, 1.3))
    return layout


def _set_number(
    layout: Layout,
    word: str,
    number: tuple[int, int],
    start: tuple[float, float, float],
    digit: float,
    style: Style,
    writer: Writer,
    hands: Hands,
    rng: np.random.Generator,
) -> float:
    """Add the characters of one number to the layout; return where it ends."""
    x, base, slope = start
    for i, character in enumerate(word):
        level = base + slope * x
        if character in MARKS:
            x = _set_mark(layout, character, number, (x, level), digit, style, writer, hands, rng)
            continue
        value = None if character == "?" else int(character)
        shown = str(rng.integers(10)) if value is None else character
        tail = float(rng.uniform(0, style.tails)) * digit if shown in "79" or (shown in "14" and rng.random() < 0.3) else 0.0
        height = digit * float(np.clip(rng.normal(1, style.uneven), 1 - 2.5 * style.uneven, 1 + 2.5 * style.uneven)) + tail
        ink = trim(write(shown, writer, hands, height, rng))
        if tail and rng.random() < 0.5:  # longer, but no wider than its neighbours
            ink = cv2.resize(ink, (max(2, round(ink.shape[1] * (height - tail) / height)), ink.shape[0]), interpolation=cv2.INTER_AREA)
        if value is None:
            ink = strike_out(ink, writer.pen, height, rng)
        rows, columns = ink.shape
        if style.cell:
            wide = max(style.cell * digit, columns * 1.15)
            tall = max(1.45 * digit, rows * 1.12)
            layout.boxes.append((round(x), round(level - 0.5 * digit - tall / 2), round(wide), round(tall)))
            layout.placed.append(Placed(character, ink, x + (wide - columns) / 2, level - 0.5 * digit - rows / 2, number, value))
            x += wide
        else:
            placed = Placed(character, ink, x, level - rows + tail + float(rng.normal(0, style.unsteady)) * digit, number, value)
            if i and word[i - 1] not in MARKS and rng.random() < style.touching:
                placed.x -= _clearance(layout.placed[-1], placed) + max(2.0, 0.02 * digit)
            layout.placed.append(placed)
            x = placed.x + columns + max(0.06, style.gap * float(rng.uniform(0.6, 1.4))) * digit
    return x


def _clearance(left: Placed, right: Placed) -> float:
    """Return by how many pixels the right character can move to the left before the two touch."""
    top = max(round(left.y), round(right.y))
    bottom = min(round(left.y) + left.ink.shape[0], round(right.y) + right.ink.shape[0])
    ends = (left.ink[top - round(left.y) : max(0, bottom - round(left.y))] > 127)[:, ::-1]
    starts = right.ink[top - round(right.y) : max(0, bottom - round(right.y))] > 127
    both = ends.any(axis=1) & starts.any(axis=1)
    apart: float = right.x - (left.x + left.ink.shape[1])
    # where no row holds ink of both, they would pass each other by: half of the narrower one is far enough
    return apart + float((ends.argmax(axis=1) + starts.argmax(axis=1))[both].min(initial=min(left.ink.shape[1], right.ink.shape[1]) // 2))


def _set_mark(
    layout: Layout,
    mark: str,
    number: tuple[int, int],
    at: tuple[float, float],
    digit: float,
    style: Style,
    writer: Writer,
    hands: Hands,
    rng: np.random.Generator,
) -> float:
    """Add a mark to the layout; return where it ends."""
    x, level = at
    ink, top = write_mark(mark, writer, hands, digit, rng)
    _, inset, _, _ = cv2.boundingRect(ink)
    ink = trim(ink)
    x += float(rng.uniform(*(CLOSE if style.touching and rng.random() < style.touching else ROOM))) * digit
    layout.placed.append(Placed(mark, ink, x, level - digit + top + inset, number))
    return x + float(ink.shape[1]) + float(rng.uniform(0.08, 0.22)) * digit


def position(layout: Layout, sheet: tuple[int, int], digit: float, rng: np.random.Generator) -> Rectangle:
    """Move the layout to its place on the sheet; return the region it spans."""
    if not layout.placed:
        return sheet[0] * 0.1, sheet[1] * 0.1, sheet[0] * 0.9, sheet[1] * 0.9
    left, top, right, bottom = span(layout)
    margin = min(0.3 * digit, 0.03 * min(sheet))
    free = max(0.0, sheet[0] - (right - left) - 2 * margin), max(0.0, sheet[1] - (bottom - top) - 2 * margin)
    dx = margin - left + free[0] * float(rng.uniform(0.05, 0.95))
    dy = margin - top + free[1] * float(rng.uniform(0.05, 0.95))
    move(layout, dx, dy)
    left, top, right, bottom = span(layout)
    return left - margin, top - margin, right + margin, bottom + margin


def span(layout: Layout) -> Rectangle:
    """Return the rectangle that holds all characters and boxes."""
    corners = [(p.x, p.y, p.x + p.ink.shape[1], p.y + p.ink.shape[0]) for p in layout.placed]
    corners += [(x, y, x + w, y + h) for x, y, w, h in layout.boxes]
    lefts, tops, rights, bottoms = zip(*corners, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def move(layout: Layout, dx: float, dy: float) -> None:
    """Move everything by whole pixels."""
    for p in layout.placed:
        p.x, p.y = round(p.x + dx), round(p.y + dy)
    layout.boxes = [(round(x + dx), round(y + dy), w, h) for x, y, w, h in layout.boxes]
