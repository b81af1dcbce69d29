"""What a reading is made of: Box, Digit, Number, Page; frozen, JSON-safe both ways, drawable."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Self

if TYPE_CHECKING:  # only drawing needs NumPy and OpenCV; loading them takes most of the time of `import inkdigits`
    import numpy as np
    from numpy.typing import NDArray

UNSURE = "?"
NUMBER = re.compile(r"-?[0-9?]+([.,/:-][0-9?]+)*")  # what a number's text looks like
# Okabe & Ito's colours, told apart by colour-blind people too; RGB
SURE_COLOUR, DOUBTFUL_COLOUR, UNSURE_COLOUR = (0, 114, 178), (230, 159, 0), (213, 94, 0)
DOUBTFUL = 0.95  # confidence below which a drawn box is coloured as doubtful


class Box(NamedTuple):
    """A rectangle in integer pixels of the upright original, origin at the top left."""

    x: int
    y: int
    width: int
    height: int

    @classmethod
    def around(cls, boxes: Iterable[Box]) -> Self:
        """Return the smallest box that holds all of `boxes` (at least one)."""
        all_boxes = list(boxes)
        x = min(b.x for b in all_boxes)
        y = min(b.y for b in all_boxes)
        return cls(x, y, max(b.x + b.width for b in all_boxes) - x, max(b.y + b.height for b in all_boxes) - y)


def scaled(box: Box, factor: float) -> Box:
    """Return the box in a picture `factor` times as large, in whole pixels, none of it lost."""
    if factor == 1:
        return box
    x, y = math.floor(box.x * factor), math.floor(box.y * factor)
    return Box(x, y, math.ceil((box.x + box.width) * factor) - x, math.ceil((box.y + box.height) * factor) - y)


class Mark(NamedTuple):
    """A mark between digits: `after_digit` counts the digits before it (0 is a leading minus)."""

    after_digit: int
    mark: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Digit:
    """One digit as it was read.

    Attributes:
        value: 0–9, or None where the reader abstains.
        confidence: calibrated probability that the best guess is right, 0–1.
        box: where it stands.
        alternatives: all ten (value, probability), most probable first, summing to 1.
        glyph: what the network saw of it, uint8 of shape (28, 28); None where a page was made in another way. It is not in `to_dict`.
    """

    value: int | None
    confidence: float
    box: Box
    alternatives: tuple[tuple[int, float], ...]
    glyph: NDArray[np.uint8] | None = field(default=None, compare=False, repr=False)

    @property
    def text(self) -> str:
        """The digit as a character, `?` where the reader abstains."""
        return UNSURE if self.value is None else str(self.value)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of the contract."""
        return {
            "value": self.value,
            "confidence": self.confidence,
            "box": list(self.box),
            "alternatives": [list(a) for a in self.alternatives],
        }

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> Self:
        """Return the digit that `to_dict` wrote."""
        return cls(d["value"], d["confidence"], Box(*d["box"]), tuple((v, p) for v, p in d["alternatives"]))


@dataclass(frozen=True, slots=True)
class Number:
    """Digits that stand together, with the marks between them.

    Attributes:
        text: the reading, matching `[-]?[0-9?]+([.,/:-][0-9?]+)*`.
        confidence: probability that all answered digits and marks are right, 0–1.
        line: the line it stands on, from 0.
        box: the hull of its digits.
        digits: its digits in reading order.
        marks: its marks in reading order.
    """

    text: str
    confidence: float
    line: int
    box: Box
    digits: tuple[Digit, ...]
    marks: tuple[Mark, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of the contract."""
        return {
            "text": self.text,
            "confidence": self.confidence,
            "line": self.line,
            "box": list(self.box),
            "marks": [list(m) for m in self.marks],
            "digits": [d.to_dict() for d in self.digits],
        }

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> Self:
        """Return the number that `to_dict` wrote."""
        digits = tuple(Digit.from_dict(x) for x in d["digits"])
        return cls(d["text"], d["confidence"], d["line"], Box(*d["box"]), digits, tuple(Mark(*m) for m in d["marks"]))


@dataclass(frozen=True, slots=True)
class Page:
    """All that was read in one picture.

    Attributes:
        width: width of the picture after EXIF alone, in pixels.
        height: height of the picture after EXIF alone, in pixels.
        rotation: clockwise turn applied for reading: 0, 90, 180 or 270 degrees.
        numbers: the numbers in reading order.
        page_number: page of a document, from 1; None for a plain picture.
        picture: gives the upright picture, uint8 of shape (height, width) or (height, width, 3), for `draw`; not part of the record.
    """

    width: int
    height: int
    numbers: tuple[Number, ...] = ()
    rotation: int = 0
    page_number: int | None = None
    picture: Callable[[], NDArray[np.uint8]] | None = field(default=None, compare=False, repr=False)

    @property
    def text(self) -> str:
        """A line of numbers a line, numbers parted by one space."""
        lines = itertools.groupby(self.numbers, key=lambda n: n.line)
        return "\n".join(" ".join(n.text for n in numbers) for _, numbers in lines)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of the contract; `page_number` only for a page of a document."""
        page: dict[str, Any] = {} if self.page_number is None else {"page_number": self.page_number}
        numbers = [n.to_dict() for n in self.numbers]
        return page | {"width": self.width, "height": self.height, "rotation": self.rotation, "text": self.text, "numbers": numbers}

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> Self:
        """Return the page that `to_dict` wrote."""
        numbers = tuple(Number.from_dict(n) for n in d["numbers"])
        return cls(d["width"], d["height"], numbers, d["rotation"], d.get("page_number"))

    def draw(self, picture: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
        """Return the picture with boxes and readings drawn in, coloured by confidence.

        Args:
            picture: uint8 of shape (height, width) or (height, width, 3), or the same picture smaller, as a JPEG above the limit is
                decoded; None takes the one that was read.

        Returns:
            uint8 RGB array of shape (height, width, 3) of that picture.

        Raises:
            ValueError: the page was made from a dictionary and no picture was given.
        """
        import numpy as np

        if picture is None:
            if self.picture is None:
                raise ValueError("this page does not know its picture: draw(picture) needs it")
            picture = self.picture()
        canvas: NDArray[np.uint8] = np.ascontiguousarray(np.dstack([picture] * 3) if picture.ndim == 2 else picture.copy())
        for number in self.numbers:
            boxes = [scaled(digit.box, canvas.shape[1] / self.width) for digit in number.digits]
            for digit, box in zip(number.digits, boxes, strict=True):
                _draw_digit(canvas, digit, box)
            for mark in number.marks if boxes else ():
                _draw_mark(canvas, mark, boxes)
        return canvas


def _draw_digit(canvas: NDArray[np.uint8], digit: Digit, box: Box) -> None:
    """Draw one box with its reading above it (below where there is no room), into `canvas`."""
    import cv2

    x, y, w, h = box
    colour = UNSURE_COLOUR if digit.value is None else _colour(digit.confidence)
    cv2.rectangle(canvas, (x, y), (x + w, y + h), colour, _thickness(canvas))
    _write(canvas, digit.text, x + w / 2, y, y + h, colour)


def _draw_mark(canvas: NDArray[np.uint8], mark: Mark, boxes: list[Box]) -> None:
    """Write a mark beside the readings of the digits, whose boxes these are, between which it stands."""
    k = min(mark.after_digit, len(boxes))
    beside = boxes[max(0, k - 1) : k + 1]
    gap = min(b.width for b in beside) / 4
    left = boxes[k - 1].x + boxes[k - 1].width if k else boxes[0].x - 2 * gap
    right = boxes[k].x if k < len(boxes) else left + 2 * gap
    top, bottom = min(b.y for b in beside), max(b.y + b.height for b in beside)
    _write(canvas, mark.mark, (left + right) / 2, top, bottom, _colour(mark.confidence))


def _colour(confidence: float) -> tuple[int, int, int]:
    return DOUBTFUL_COLOUR if confidence < DOUBTFUL else SURE_COLOUR


def _thickness(canvas: NDArray[np.uint8]) -> int:
    return max(1, round(max(canvas.shape[:2]) / 700))


def _write(canvas: NDArray[np.uint8], text: str, middle: float, top: int, bottom: int, colour: tuple[int, int, int]) -> None:
    """Write text above what stands from `top` to `bottom`, below where there is no room, in white edges."""
    import cv2

    thick, scale = _thickness(canvas), max(0.4, (bottom - top) / 90)
    (wide, high), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thick + 1)
    above = top - thick - 3
    at = (round(middle - wide / 2), above if above > high else bottom + high + 3)
    cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, (255, 255, 255), 3 * thick + 3, cv2.LINE_AA)
    cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, thick + 1, cv2.LINE_AA)
