"""A size comes in, ink of running text comes out: words that no one means as numbers, printed or written, upright or on their side.

Words are made of letters as often as English has them, with those that look like digits (o, l, I, S, Z, B) among the rest: what stands in a
word is no digit, and only its neighbours say so. Where there are to be numbers they stand among the words, as in a letter or on a bill.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ..errors import DataError
from ..records import Box
from .hands import Font

Ink = NDArray[np.uint8]
Characters = list[tuple[str, Box]]

LETTERS = "etaoinshrdlcumwfgypbvkxjqz"
OFTEN = np.array([12.7, 9.1, 8.2, 7.5, 7, 6.7, 6.3, 6.1, 6, 4.3, 4, 2.8, 2.8, 2.4, 2.4, 2.2, 2, 2, 1.9, 1.5, 1, 0.8, 0.2, 0.2, 0.1, 0.1])
CAPITAL, SHOUTED, LABELLED = 0.22, 0.08, 0.03  # share of words with a capital, all in capitals, and of such as A4 or H2O
NUMBERS = 0.25  # share of words that are numbers, where there are numbers
LINES, WORDS = 14, 9  # at most, of a text and of a line
ON_SIDE, UPSIDE_DOWN = 0.25, 0.06  # share of texts that lie so


def print_text(
    height: float, room: tuple[float, float], fonts: Sequence[Font], rng: np.random.Generator, numbers: Sequence[str] = ()
) -> tuple[Ink, Characters]:
    """Return running text, its capitals about `height` pixels high, in one of `fonts`, cut to its ink.

    Args:
        height: in pixels.
        room: (width, height) that it is to keep to, in pixels, as far as one word a line does.
        fonts: one is chosen by lot.
        rng: where all chance comes from.
        numbers: are put among the words, by lot; but not in a text that lies on its side or on its head.

    Returns:
        The ink, and every character of the numbers with where it stands in it.

    Raises:
        DataError: the font cannot be read.
    """
    size = max(9, round(1.4 * height))
    chosen = fonts[int(rng.integers(len(fonts)))]
    font = load_font(str(Path(chosen.path)), size)
    turn = int(rng.choice([0, 1, 2, 3], p=[1 - ON_SIDE - UPSIDE_DOWN, ON_SIDE / 2, UPSIDE_DOWN, ON_SIDE / 2]))
    width, tall = room if turn % 2 == 0 else room[::-1]
    numbers = [n for n in numbers if n and turn == 0 and not set(n) & set(chosen.skip)]
    most = int(rng.integers(1, LINES + 1))
    lines: list[list[str]] = []
    while len(lines) < most and (len(lines) + 1) * 1.5 * size < tall:
        lines.append(_line(font, width, numbers, rng))
    lines = lines or [[_word(numbers, rng)]]
    text, spacing = "\n".join(map(" ".join, lines)), round(size * float(rng.uniform(0.1, 0.8)))
    measure = ImageDraw.Draw(Image.new("L", (1, 1)))
    left, top, right, bottom = (int(v) for v in measure.multiline_textbbox((0, 0), text, font, spacing=spacing))
    picture = Image.new("L", (right - left + 4, bottom - top + 4))
    ImageDraw.Draw(picture).multiline_text((2 - left, 2 - top), text, 255, font, spacing=spacing)
    pitch = measure.textbbox((0, 0), "A", font)[3] + spacing  # as Pillow sets lines
    places = [(2 - left, 2 - top + round(i * pitch)) for i in range(len(lines))]
    found = [c for line, place in zip(lines, places, strict=True) for c in _characters(line, place, font, set(numbers))]
    return np.rot90(np.asarray(picture), turn), found


def _characters(words: list[str], place: tuple[int, int], font: ImageFont.FreeTypeFont, numbers: set[str]) -> Characters:
    """Return the characters of the numbers in a line that is set at `place`, and their boxes."""
    found: Characters = []
    for i, word in enumerate(words):
        for k in range(len(word) if word in numbers else 0):
            before = " ".join([*words[:i], word[:k]])
            left, top, right, bottom = font.getbbox(word[k])
            x = place[0] + font.getlength(before) + left
            found.append((word[k], Box(round(x), round(place[1] + top), round(right - left), round(bottom - top))))
    return found


def _line(font: ImageFont.FreeTypeFont, width: float, numbers: Sequence[str], rng: np.random.Generator) -> list[str]:
    words = [_word(numbers, rng)]
    for _ in range(int(rng.integers(WORDS))):
        word = _word(numbers, rng)
        if font.getlength(" ".join([*words, word])) > width:
            break
        words.append(word)
    return words


def _word(numbers: Sequence[str], rng: np.random.Generator) -> str:
    if numbers and rng.random() < NUMBERS:
        return numbers[int(rng.integers(len(numbers)))]
    count = int(np.clip(rng.poisson(4.5), 2, 12))
    word = "".join(rng.choice(list(LETTERS), count, p=OFTEN / OFTEN.sum()))
    kind = rng.random()
    if kind < CAPITAL:
        word = word.capitalize()
    elif kind < CAPITAL + SHOUTED:
        word = word.upper()
    elif kind < CAPITAL + SHOUTED + LABELLED:
        word = f"{word[:2].upper()}{rng.integers(1, 10)}"
    return word + str(rng.choice(["", ",", ".", ":", "?"], p=[0.8, 0.08, 0.08, 0.03, 0.01]))


@lru_cache(maxsize=256)
def load_font(path: str, size: int) -> ImageFont.FreeTypeFont:
    """Return a font at a size in pixels.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return ImageFont.truetype(path, size)
    except OSError as error:
        raise DataError(f"cannot read the font {Path(path).name}: {error}") from error
