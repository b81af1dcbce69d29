"""A picture comes in, a `Page` comes out: the one place that knows the order of the six steps.

source ─ open_image ─▶ image ─ find_ink ─▶ ink ─ segment | propose ─▶ candidates
       ─ show_surroundings ─▶ kinds: which of them are whole digits, marks, parts, dirt
       ─ make_glyphs ─▶ glyphs ─ classify ─▶ probabilities ─ assemble ─▶ Page
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from .assemble import Item, Readings, best_path, digit, gaps_of, number, numbers_of
from .classify import Classifier
from .errors import UsageError
from .glyph import make_glyphs
from .ink import find_ink
from .kinds import default_kinds, reading_of
from .limits import Limits
from .prior import settle
from .promises import Promises
from .records import Box, Number, Page
from .segment import Line, segment
from .single import propose
from .source import Picture, load_image, load_pages, open_image
from .surroundings import show_surroundings
from .wanted import Wanted

TURNS = (0, 90, 180, 270)  # clockwise, degrees
ENOUGH_TO_TURN = 6  # digits a page must have before it may be taken for one that lies on its side
SURE_ENOUGH = 0.8  # mean confidence above which nobody looks whether the page lies on its side
FIRST_LOOK = 2.2e6  # pixels: a larger page is looked at in this size first
CLOSE_LOOK = 4 * FIRST_LOOK  # pixels: and in this one where that was too small; no picture is looked at in a larger one
SMALL = 22  # pixels in the first size: smaller digits are looked at more closely
TURN_MARGIN = 0.12  # how much surer, in mean confidence, the reading of the turned page must be


@dataclass(frozen=True)
class Settings:
    """How a picture is to be read: the least confidence of an answer, the clockwise turn (None for auto), what the numbers look like.

    `least_number` is the least confidence of a whole number: below it, none of its digits is answered.
    """

    least: float
    turn: int | None = None
    wanted: Wanted = field(default_factory=Wanted)
    least_number: float = 0.0


class Reader:
    """Reads pictures with one set of weights; it may be used from several threads at once."""

    def __init__(self, classifier: Classifier, limits: Limits | None = None, promises: Promises | None = None) -> None:
        """Make a reader of a loaded classifier; `load` is the usual way."""
        self.classifier = classifier
        self.limits = limits or Limits()
        self.promises = promises or Promises.of(classifier.meta)

    @classmethod
    def load(
        cls,
        model: str | os.PathLike[str] | None = None,
        limits: Limits | None = None,
        promises: str | os.PathLike[str] | None = None,
    ) -> Self:
        """Return a reader with the default weights, or those of `model` (see `Classifier.load`).

        Args:
            model: see `Classifier.load`.
            limits: ceilings on what is read.
            promises: the file that `inkdigits calibrate` wrote, for `max_error`; None takes the promises that came with the weights.

        Raises:
            ModelError: there are no such weights, or they or the promises are damaged, or the promises are those of other weights.
        """
        classifier = Classifier.load(model)
        return cls(classifier, limits, Promises.load(promises, classifier.meta) if promises is not None else None)

    def read(
        self,
        picture: Any,
        *,
        single: bool = False,
        threshold: float | None = None,
        max_error: float | None = None,
        per: str = "digit",
        rotate: str | int = "auto",
        digits: int | None = None,
        pattern: str | None = None,
        between: tuple[float, float] | None = None,
    ) -> Page:
        """Return what stands in a picture (the first page of a document).

        Args:
            picture: a path, bytes, a binary file object, a PIL image, or an array (see `source.open_image`).
            single: the picture holds one digit.
            threshold: confidence below which a digit is `?`, 0–1; 0 answers everything, None takes the one stored with the weights.
            max_error: in place of a threshold, the largest share of wrong answers, as promised for pictures like those that the promise was
                made on (see `promises`).
            per: "digit" or "number": what `max_error` counts. Per number, all digits of a number are answered or none.
            rotate: clockwise turn to apply before reading: 0, 90, 180, 270, or "auto".
            digits: how many digits every number has, where that is known; the likeliest reading that has so many is taken.
            pattern: a regular expression that the text of every number matches as a whole; likewise.
            between: the least and the greatest value a number may have; likewise.

        Raises:
            ReadError: the picture cannot be read.
            UsageError: an argument is out of range, or the error cannot be promised.
        """
        settings = self.check(threshold, rotate, digits, pattern, between, max_error=max_error, per=per, single=single)
        return self._read(self.open(picture), picture, single, settings)

    def open(self, picture: Any) -> Picture:
        """Return a picture as `read` looks at it: a large JPEG is decoded smaller.

        Raises:
            ReadError: it cannot be read.
        """
        return open_image(picture, self.limits, CLOSE_LOOK)

    def read_pages(self, picture: Any, *, single: bool = False, **options: Any) -> Iterator[Page]:
        """Yield every page of a document, as `read` returns the first; each keeps its picture in memory as long as it is kept itself."""
        settings = self.check(**options, single=single)
        for page in load_pages(picture, self.limits, CLOSE_LOOK):
            yield self._read(page, page, single, settings)

    def check(
        self,
        threshold: float | None = None,
        rotate: str | int = "auto",
        digits: int | None = None,
        pattern: str | None = None,
        between: tuple[float, float] | None = None,
        *,
        max_error: float | None = None,
        per: str = "digit",
        single: bool = False,
    ) -> Settings:
        """Return the settings of `read` as it uses them, before any picture is opened.

        Raises:
            UsageError: one is out of range.
        """
        if threshold is not None and not 0 <= threshold <= 1:
            raise UsageError(f"threshold must be from 0 to 1, got {threshold}")
        least, least_number = self.classifier.threshold if threshold is None else threshold, 0.0
        if max_error is not None:
            if threshold is not None:
                raise UsageError("a threshold and a largest error do not go together: give one of them")
            least, least_number = self.promises.thresholds(max_error, per, single)
        return Settings(least, _turn(rotate), Wanted(digits, pattern, between), least_number)

    def _read(self, picture: Picture, source: Any, single: bool, settings: Settings) -> Page:
        turn = settings.turn
        image, shrunk = _shrunk(picture.image, CLOSE_LOOK if single else FIRST_LOOK)
        ink = find_ink(image, ruled=not single)
        if single:
            rotation, numbers = turn or 0, self._single(_turned(ink, turn or 0), settings.least)
        else:
            rotation, numbers = self._upright(ink, settings)
            if shrunk < 1 and _is_small(numbers):
                image, shrunk = _shrunk(picture.image, CLOSE_LOOK)
                ink = find_ink(image, ruled=True)
                rotation, numbers = self._upright(ink, settings)
        scale = 1 / (picture.scale * shrunk)
        numbers = [n if n.confidence >= settings.least_number else _unanswered(n) for n in numbers]
        placed = tuple(_placed(n, rotation, ink.shape, scale, (picture.width, picture.height)) for n in numbers)
        show = partial(load_image, source, self.limits)
        return Page(picture.width, picture.height, placed, rotation, picture.page_number, show)

    def _single(self, ink: NDArray[np.uint8], least: float) -> list[Number]:
        """Return the one digit in `ink`, or nothing where there is no ink."""
        proposals = propose(ink)
        if not proposals:
            return []
        glyphs = make_glyphs(p.ink for p in proposals)
        readings = Readings(*self.classifier.classify(glyphs), glyphs=glyphs)
        best = int((readings.confidence * [p.prior for p in proposals]).argmax())
        return [number([digit(proposals[best].box, readings, best, least)], 0)]

    def _page(self, ink: NDArray[np.uint8], settings: Settings) -> list[Number]:
        """Return the numbers on a page."""
        lines = segment(ink, self.limits.max_components)
        shown = show_surroundings(lines, ink)
        glyphs = make_glyphs(c.ink for line in lines for c in line.candidates)
        alone = self.classifier.classify(glyphs)
        kinds, values = default_kinds().classify(shown, reading_of(*alone))
        lattice: list[tuple[Line, Readings]] = []
        start = 0
        for line in lines:
            part = slice(start, start + len(line.candidates))
            start += len(line.candidates)
            lattice.append((line, Readings(values[part], values[part].max(1, initial=0), kinds[part], glyphs[part])))
        read = [(line, best_path(line, readings), readings) for line, readings in settle(lattice)]
        return _numbers(read, settings)

    def _upright(self, ink: NDArray[np.uint8], settings: Settings) -> tuple[int, list[Number]]:
        """Return the turn at which the page is read, and its numbers: as it lies, unless it is clearly surer on its side."""
        if settings.turn is not None:
            return settings.turn, self._page(_turned(ink, settings.turn), settings)
        numbers = self._page(ink, settings)
        if _sureness(numbers) >= SURE_ENOUGH:
            return 0, numbers
        best, rotation = numbers, 0
        for side in (90, 270):
            other = self._page(_turned(ink, side), settings)
            if sum(len(n.digits) for n in other) >= ENOUGH_TO_TURN and _sureness(other) > _sureness(best) + (
                TURN_MARGIN if not rotation else 0
            ):
                best, rotation = other, side
        return rotation, best


def _unanswered(sighted: Number) -> Number:
    """Return a number none of whose digits is answered."""
    return number([replace(d, value=None) for d in sighted.digits], sighted.line, sighted.marks)


def _numbers(read: list[tuple[Line, list[Item], Readings]], settings: Settings) -> list[Number]:
    """Return the numbers of all lines, counting lines that hold some."""
    gaps = [gap for line, items, _ in read for gap in gaps_of(line, items)]
    usual = float(np.quantile(gaps, 0.3)) if gaps else 0.2
    numbers: list[Number] = []
    for line, items, readings in read:
        index = numbers[-1].line + 1 if numbers else 0
        numbers += numbers_of(line, items, readings, settings.least, index, usual, settings.wanted)
    return numbers


def read(picture: Any, **options: Any) -> Page:
    """Return what stands in a picture, read with the default weights; see `Reader.read`."""
    return _default().read(picture, **options)


@lru_cache(maxsize=1)
def _default() -> Reader:
    return Reader.load()


def _shrunk(image: NDArray[np.uint8], pixels: float) -> tuple[NDArray[np.uint8], float]:
    """Return a picture made as small as about so many pixels, and what part of its own size that is."""
    share = float(np.sqrt(pixels / (image.shape[0] * image.shape[1])))
    if share > 0.8:
        return image, 1.0
    size = (max(1, round(image.shape[1] * share)), max(1, round(image.shape[0] * share)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8), size[0] / image.shape[1]


def _is_small(numbers: list[Number]) -> bool:
    """Tell whether what was read, or nothing, calls for a closer look."""
    heights = [d.box.height for n in numbers for d in n.digits]
    return not heights or float(np.quantile(heights, 0.25)) < SMALL


def _turn(rotate: str | int) -> int | None:
    """Return the turn asked for, None for "auto"."""
    if rotate == "auto":
        return None
    if str(rotate) not in map(str, TURNS):
        raise UsageError(f"rotate must be 0, 90, 180, 270 or auto, got {rotate!r}")
    return int(rotate)


def _turned(ink: NDArray[np.uint8], turn: int) -> NDArray[np.uint8]:
    return np.ascontiguousarray(np.rot90(ink, -turn // 90))


def _sureness(numbers: list[Number]) -> float:
    """Return the mean confidence of all digits, 0 where there are none."""
    confidences = [d.confidence for n in numbers for d in n.digits]
    return float(np.mean(confidences)) if confidences else 0.0


def _placed(number: Number, turn: int, shape: tuple[int, ...], scale: float, size: tuple[int, int]) -> Number:
    """Return the number with its boxes in pixels of the upright original: turned back, and scaled where it was decoded smaller."""
    digits = tuple(replace(d, box=_box_back(d.box, turn, shape, scale, size)) for d in number.digits)
    return replace(number, box=Box.around(d.box for d in digits), digits=digits)


def _box_back(box: Box, turn: int, shape: tuple[int, ...], scale: float, size: tuple[int, int]) -> Box:
    height, width = shape
    x, y, w, h = box
    if turn == 90:
        x, y, w, h = y, height - (x + w), h, w
    elif turn == 180:
        x, y = width - (x + w), height - (y + h)
    elif turn == 270:
        x, y, w, h = width - (y + h), x, h, w
    left, top = max(0, int(x * scale)), max(0, int(y * scale))
    return Box(left, top, min(size[0], int(np.ceil((x + w) * scale))) - left, min(size[1], int(np.ceil((y + h) * scale))) - top)
