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
from .inknet import default_inknet
from .kinds import default_kinds, reading_of
from .limits import Limits
from .prior import settle
from .promises import Promises
from .records import Box, Number, Page
from .second_look import look_again, opinion, pooled, sighted
from .segment import Line, segment
from .sheet import level, straighten
from .single import propose
from .source import Picture, load_image, load_pages, open_image
from .surroundings import show_surroundings
from .wanted import Wanted

TURNS = (0, 90, 180, 270)  # clockwise, degrees
ENOUGH_TO_TURN = 6  # digits a page must have before it may be taken for one that lies on its side
SURE_ENOUGH = 0.8  # mean confidence above which nobody looks whether the page lies on its side
FIRST_LOOK = 2.2e6  # pixels: a larger page is looked at in this size first
SMALL = 22  # pixels in that size: smaller digits are read again in full
SURE_ALONE = 0.97  # confidence in one digit from which nobody looks again
LEVEL, STEEPEST = 0.05, 0.75  # slopes: lines that fall or rise by less are read as they are, by more they were meant to
KEPT = 0.8  # of the digits of the sheet as it lies, a straightened one must show
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


@dataclass(frozen=True)
class View:
    """What part of a picture was looked at, and how.

    Attributes:
        rotation: clockwise turn that was applied, degrees.
        shape: (height, width) of what was looked at, before it was turned.
        scale: how many pixels of the upright original one pixel of it is.
        back: homography from its pixels, before they are scaled, to those of the picture it was cut from; None where it is all of that.
    """

    rotation: int
    shape: tuple[int, ...]
    scale: float
    back: NDArray[np.float64] | None = None


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
        return self._read(open_image(picture, self.limits), picture, single, settings)

    def read_pages(self, picture: Any, *, single: bool = False, **options: Any) -> Iterator[Page]:
        """Yield every page of a document, as `read` returns the first; each keeps its picture in memory as long as it is kept itself."""
        settings = self.check(**options, single=single)
        for page in load_pages(picture, self.limits):
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
        if single:
            turn = settings.turn or 0
            ink = find_ink(picture.image)
            view = View(turn, ink.shape, 1 / picture.scale)
            numbers = self._single(_turned(picture.image, turn), _turned(ink, turn), settings.least)
        else:
            view, numbers = self._sheet(picture, settings)
        numbers = [n if n.confidence >= settings.least_number else _unanswered(n) for n in numbers]
        placed = tuple(_placed(n, view, (picture.width, picture.height)) for n in numbers)
        show = partial(load_image, source, self.limits)
        return Page(picture.width, picture.height, placed, view.rotation, picture.page_number, show)

    def _sheet(self, picture: Picture, settings: Settings) -> tuple[View, list[Number]]:
        """Return the numbers of a page and how they were looked at: what lies askew is straightened where that reads surer."""
        image, shrunk = _shrunk(picture.image)
        ink = find_ink(image, ruled=True)
        view, numbers = self._upright(image, ink, shrunk * picture.scale, settings)
        if shrunk < 1 and _is_small(numbers):  # what is small needs every pixel
            image, shrunk, ink = picture.image, 1.0, find_ink(picture.image, ruled=True)
            view, numbers = self._upright(image, ink, picture.scale, settings)
        flat = straighten(image)
        if flat is not None:
            levelled = find_ink(flat.image, ruled=True)
        else:
            slope = _slope(numbers) if view.rotation == 0 else 0.0
            if not LEVEL < abs(slope) < STEEPEST:
                return view, numbers
            flat, levelled = level(image, slope), level(ink, slope).image
        other, surer = self._upright(flat.image, levelled, shrunk * picture.scale, settings)
        if _sureness(surer) <= _sureness(numbers) or _count(surer) < KEPT * _count(numbers):
            return view, numbers
        return replace(other, back=flat.back), surer

    def _single(self, image: NDArray[np.uint8], ink: NDArray[np.uint8], least: float) -> list[Number]:
        """Return the one digit of a picture, or nothing where no ink is to be seen in it."""
        first = opinion(propose(ink), self.classifier)
        if first is not None and first.reading.max() >= SURE_ALONE:
            both, reading = first, first.reading
        else:  # where measuring finds little, a network that learned to see looks too
            second = sighted(default_inknet().find(image), self.classifier)
            opinions = [o for o in (first, second) if o is not None]
            if not opinions:
                return []
            both = max(opinions, key=lambda o: float(o.reading.max()))
            reading = pooled(opinions[0].reading, opinions[1].reading) if len(opinions) > 1 else both.reading
        readings = Readings((reading / reading.sum())[None], reading.max(keepdims=True), glyphs=both.glyph[None])
        return [number([digit(both.box, readings, 0, least)], 0)]

    def _page(self, image: NDArray[np.uint8], ink: NDArray[np.uint8], settings: Settings) -> list[Number]:
        """Return the numbers on a page and in its ink."""
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
        return _numbers(look_again(image, read, self.classifier), settings)

    def _upright(self, image: NDArray[np.uint8], ink: NDArray[np.uint8], scale: float, settings: Settings) -> tuple[View, list[Number]]:
        """Return how a page is looked at, and its numbers: as it lies, unless it is clearly surer on its side."""
        view = View(settings.turn or 0, ink.shape, 1 / scale)
        best = self._page(_turned(image, view.rotation), _turned(ink, view.rotation), settings)
        if settings.turn is not None or _sureness(best) >= SURE_ENOUGH:
            return view, best
        for side in (90, 270):
            other = self._page(_turned(image, side), _turned(ink, side), settings)
            margin = 0 if view.rotation else TURN_MARGIN
            if _count(other) >= ENOUGH_TO_TURN and _sureness(other) > _sureness(best) + margin:
                best, view = other, replace(view, rotation=side)
        return view, best


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


def _shrunk(image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
    """Return a page at the size at which it is read first, and what part of its own that is."""
    share = float(np.sqrt(FIRST_LOOK / (image.shape[0] * image.shape[1])))
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


def _count(numbers: list[Number]) -> int:
    return sum(len(n.digits) for n in numbers)


def _slope(numbers: list[Number]) -> float:
    """Return by how much the lines of a page fall from left to right: most of its digits say so, 0 where there are too few."""
    lines: dict[int, list[tuple[float, float]]] = {}
    for n in numbers:
        lines.setdefault(n.line, []).extend((d.box.x + d.box.width / 2, d.box.y + d.box.height / 2) for d in n.digits)
    slopes: list[float] = []
    for line in lines.values():
        if len(line) >= 3:
            x, y = np.array(line).T
            slopes += [float(np.polyfit(x, y, 1)[0])] * len(line)
    return float(np.median(slopes)) if slopes else 0.0


def _placed(number: Number, view: View, size: tuple[int, int]) -> Number:
    """Return the number with its boxes in pixels of the upright original, whose (width, height) is `size`."""
    digits = tuple(replace(d, box=_box_back(d.box, view, size)) for d in number.digits)
    return replace(number, box=Box.around(d.box for d in digits), digits=digits)


def _box_back(box: Box, view: View, size: tuple[int, int]) -> Box:
    height, width = view.shape
    x, y, w, h = box
    if view.rotation == 90:
        x, y, w, h = y, height - (x + w), h, w
    elif view.rotation == 180:
        x, y = width - (x + w), height - (y + h)
    elif view.rotation == 270:
        x, y, w, h = width - (y + h), x, h, w
    corners = np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], float)
    if view.back is not None:
        corners = cv2.perspectiveTransform(corners[None], view.back)[0]
    (x0, y0), (x1, y1) = corners.min(0) * view.scale, corners.max(0) * view.scale
    left, top = min(max(0, int(x0)), size[0] - 1), min(max(0, int(y0)), size[1] - 1)
    return Box(left, top, max(1, min(size[0], int(np.ceil(x1))) - left), max(1, min(size[1], int(np.ceil(y1))) - top))
