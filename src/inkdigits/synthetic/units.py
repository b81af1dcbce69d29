"""The numbers of a page come in; units come out, beside some of them: kg, °C, % or € are written close by, and are none of their digits."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from .decoys import Ink, trim
from .hands import Font
from .layout import Placed, Rectangle
from .prose import load_font

BEHIND = [
    "kg",
    "g",
    "mg",
    "t",
    "m",
    "cm",
    "mm",
    "km",
    "°",
    "°C",
    "°F",
    "%",
    "€",
    "EUR",
    "USD",
    "CHF",
    "ml",
    "cl",
    "L",
    "h",
    "min",
    "sec",
    "V",
    "W",
    "kWh",
    "A",
    "Hz",
    "x",
    "Stk",
    "pcs",
    "lb",
    "ft",
    "in",
    "#",
    ")",
    "a",
    "b",
    "c",
    "am",
    "pm",
    "Uhr",
    "bpm",
    "th",
]
BEFORE = ["$", "€", "£", "¥", "#", "№", "(", "No", "Nr.", "x", "="]
FIRST = 0.2  # share of units that stand before their number
SIZES = (0.5, 1.15)  # of the digits' height: how high a digit of their font would be
GAPS = (0.05, 0.7)  # of it: how far they stand from the number
CLEAR = 0.15  # of it: as near to them is no other number


def add_units(placed: Sequence[Placed], digit: float, share: float, fonts: Sequence[Font], rng: np.random.Generator) -> list[Placed]:
    """Return units beside `share` of the numbers, all in one font, where there is room for them.

    Args:
        placed: the characters of all numbers, in the order of writing.
        digit: their height, in pixels.
        share: 0–1.
        fonts: one is chosen by lot.
        rng: where all chance comes from.

    Raises:
        DataError: the font cannot be read.
    """
    numbers = [list(parts) for _, parts in itertools.groupby(placed, key=lambda p: p.number)]
    spots = [_around(parts) for parts in numbers]
    chosen = fonts[int(rng.integers(len(fonts)))]
    height, lift = digit * float(rng.uniform(*SIZES)), 0.1 * digit
    usual = str(rng.choice(BEHIND)), str(rng.choice(BEFORE))  # most pages have but one
    added: list[Placed] = []
    for i, spot in enumerate(list(spots)):
        if rng.random() >= share:
            continue
        first, known = rng.random() < FIRST, rng.random() < 0.6
        unit = usual[first] if known else str(rng.choice(BEFORE if first else BEHIND))
        ink, top = _set(unit, height, chosen)
        gap = digit * float(rng.uniform(*GAPS))
        x = spot[0] - gap - ink.shape[1] if first else spot[2] + gap
        y = spot[3] - height + top + float(rng.normal(0, 1)) * lift
        own = (x - CLEAR * digit, y, x + ink.shape[1] + CLEAR * digit, y + ink.shape[0])
        if ink.size and not any(k != i and _meet(own, other) for k, other in enumerate(spots)):
            added.append(Placed(unit, ink, x, y, (-1, i)))
            spots.append(own)
    return added


def _around(parts: Sequence[Placed]) -> Rectangle:
    """Return the box around a number's ink."""
    corners = []
    for p in parts:
        rows, columns = np.nonzero(p.ink > 0.3 * p.ink.max())
        corners.append((p.x + columns.min(), p.y + rows.min(), p.x + columns.max() + 1, p.y + rows.max() + 1))
    left, top, right, bottom = zip(*corners, strict=True)
    return min(left), min(top), max(right), max(bottom)


def _meet(a: Rectangle, b: Rectangle) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _set(unit: str, height: float, chosen: Font) -> tuple[Ink, float]:
    """Return a unit's ink, and how far below the top of the digits of its font it begins, where these are `height` pixels high."""
    _, top, _, bottom = load_font(str(chosen.path), 100).getbbox("0")
    font = load_font(str(chosen.path), max(8, round(100 * height / max(20.0, bottom - top))))
    _, high, _, _ = font.getbbox("0")
    left, upper, right, lower = (int(v) for v in font.getbbox(unit))
    picture = Image.new("L", (max(1, right - left + 4), max(1, lower - upper + 4)))
    ImageDraw.Draw(picture).text((2 - left, 2 - upper), unit, 255, font)
    return trim(np.asarray(picture)), upper - high
