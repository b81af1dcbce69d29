"""Made readings for the tests of tables: pages whose numbers are as wanted, without reading anything."""

import itertools

import cv2
import numpy as np
from numpy.typing import NDArray

from inkdigits.records import Box, Digit, Mark, Number, Page
from inkdigits.tables import Entry, enter_page

HOSTILE = (
    "=cmd|'/c calc'!A0.png",
    "+1.png",
    "-1+1.png",
    "@SUM(A1).png",
    "a;=1+1.png",
    " \t=1.png",
    "</script><script>alert(1)</script>.png",
    '"><img src=x onerror=alert(1)>.png',
    "<!-- entries -->.png",
    "a\nb\r\x1b[2J\u202egnp.png",
    "Zähler ß 日本 😀.png",
    "caf\udce9.png",
    "https://example.test/a.png",
    "_x0041_.png",
    "\ufffe\x00.png",
)


def made_digit(value: int | None, guess: int, x: int, y: int) -> Digit:
    others = [v for v in range(10) if v != guess]
    sure = value is not None
    rest = tuple((v, (0.02 if sure else 0.5) / 9) for v in others)
    return Digit(value, 0.98 if sure else 0.5, Box(x, y, 20, 30), ((guess, 0.98 if sure else 0.5), *rest))


def made_number(text: str, guess: str, line: int = 0, x: int = 10) -> Number:
    """A number as it was read, `19?7`, and the best guess at it, `1987`; the marks of both are the same."""
    digits, marks = [], []
    for read, guessed in zip(text, guess, strict=True):
        if guessed.isdecimal():
            digits.append(made_digit(None if read == "?" else int(read), int(guessed), x + 25 * len(digits), 10 + 60 * line))
        else:
            marks.append(Mark(len(digits), guessed, 0.9))
    return Number(text, 0.9, line, Box.around(d.box for d in digits), tuple(digits), tuple(marks))


def made_page(*lines: str, page_number: int | None = None) -> Page:
    """A page of these lines; `19?7~1987` is a number with its guess."""
    numbers = []
    for line, texts in enumerate(lines):
        starts = itertools.count(10, 130)
        for word in texts.split():
            text, _, guess = word.partition("~")
            numbers.append(made_number(text, guess or text, line, next(starts)))
    return Page(400, 200, tuple(numbers), page_number=page_number)


def picture() -> NDArray[np.uint8]:
    """A picture of the size of `made_page`, every spot of another colour."""
    y, x = np.mgrid[:200, :400]
    return cv2.GaussianBlur(np.dstack([x % 256, y, 255 - y]).astype(np.uint8), (5, 5), 0)


def made_entry(file: str, *lines: str, **options: int) -> Entry:
    """The rows of such a page, with crops."""
    return enter_page(file, made_page(*lines), image=picture(), **options)  # type: ignore[arg-type]
