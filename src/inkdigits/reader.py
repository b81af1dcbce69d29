"""A picture comes in, a `Page` comes out: the one place that knows the order of the six steps.

source ─ open_image ─ within_frame ─▶ image ─ find_ink ─▶ ink ─ segment | propose ─▶ candidates
       ─ show_surroundings ─▶ kinds: which of them are whole digits, marks, parts, dirt
       ─ make_glyphs ─▶ glyphs ─ classify ─▶ probabilities ─ look_again, compare_within ─▶ of what is doubtful
       ─ assemble ─▶ Page

`pages` does it for a page, `Reader` for one digit.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from .assemble import Readings, number, number_alone
from .classify import Classifier
from .errors import UsageError
from .frame import within_frame
from .ink import find_ink
from .inknet import default_inknet
from .limits import Limits
from .looks import Look, is_cut, looks
from .pages import Settings, read_page
from .promises import Promises
from .records import Number, Page
from .second_look import Opinion, opinion, pooled, sighted
from .sheet import sheet_alone
from .single import propose
from .source import Picture, load_image, load_pages, open_image
from .views import FIRST_LOOK, SECOND_LOOK, TURNS, View, moved, placed, shrunk, turned
from .wanted import Wanted

SURE_ALONE = 0.97  # confidence in one digit from which nobody looks again
HARDLY = 0.1  # confidence in a number below which what the user knows of numbers has made it one: it is none, whatever its digits are
NONE = 0.02  # below this it is none anyway: half of a number, or a letter
SURE_ON_SHEET = 0.7  # the same, from which a sheet that the digit stands on is one, not a thick stroke


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
            threshold: confidence below which a digit is `?`, 0–1; 0 answers everything, None takes the one stored with the weights. No
                digit of a number is answered where the confidence in the number is below that and below 0.02.
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
        if hasattr(picture, "read"):  # it can be read but once, and a `Page` may be drawn later
            picture = picture.read(self.limits.max_bytes + 1)
        show = partial(load_image, picture, self.limits)
        return self._read(self.open(picture, single=single), show, single, settings)

    def open(self, picture: Any, *, single: bool = False) -> Picture:
        """Return a picture as `read` looks at it, which takes it too: a large JPEG is decoded smaller.

        Raises:
            ReadError: it cannot be read.
        """
        return open_image(picture, self.limits, _enough(single))

    def open_pages(self, picture: Any, *, single: bool = False) -> Iterator[Picture]:
        """Yield every page of a document, as `open` returns the first.

        Raises:
            ReadError: it, or one of its pages, cannot be read.
        """
        return load_pages(picture, self.limits, _enough(single))

    def read_pages(self, picture: Any, *, single: bool = False, **options: Any) -> Iterator[Page]:
        """Yield every page of a document, as `read` returns the first; each keeps its picture in memory as long as it is kept itself."""
        settings = self.check(**options, single=single)
        for page in self.open_pages(picture, single=single):
            yield self._read(page, partial(load_image, page), single, settings)

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
        wanted = Wanted(digits, pattern, between)
        if wanted and least:
            least_number = max(least_number, HARDLY)
        if max_error is None:  # a promise is kept as it was made
            least_number = max(least_number, min(least, NONE))
        return Settings(least, _turn(rotate), wanted, least_number)

    def _read(self, picture: Picture, show: Callable[[], NDArray[np.uint8]], single: bool, settings: Settings) -> Page:
        within, x, y = within_frame(picture)
        if single:
            view, numbers = self._single(within, settings)
        else:
            view, numbers = read_page(within, self.classifier, self.limits, settings)
        view = moved(view, x, y) if x or y else view
        numbers = [n if n.confidence >= settings.least_number else _unanswered(n) for n in numbers]
        found = tuple(placed(n, view, (picture.width, picture.height)) for n in numbers)
        return Page(picture.width, picture.height, found, view.rotation, picture.page_number, show)

    def _single(self, picture: Picture, settings: Settings) -> tuple[View, list[Number]]:
        """Return the one digit of a picture, or nothing where no ink is to be seen in it."""
        turn, (image, scale) = settings.turn or 0, shrunk(picture, SECOND_LOOK)
        view = View(turn, image.shape[:2], 1 / scale)
        sheet = sheet_alone(image)
        found = self._only(turned(sheet.image, turn)) if sheet else None
        if sheet and found and found.reading.max() >= SURE_ON_SHEET:
            view = replace(view, shape=sheet.image.shape[:2], back=sheet.back)
        else:
            found = self._only(turned(image, turn))
        if found is None:
            return view, []
        readings = Readings((found.reading / found.reading.sum())[None], found.reading.max(keepdims=True), glyphs=found.glyph[None])
        return view, [number_alone(found.box, readings, settings.least, settings.wanted)]

    def _only(self, image: NDArray[np.uint8]) -> Opinion | None:
        """Return what the one digit of an upright picture reads as, None where no ink is to be seen in it."""
        first = self._measured(image)
        if first is not None and first.trust >= SURE_ALONE:
            return first
        # where measuring finds little, a network that learned to see looks too
        second = sighted(default_inknet().find(image), self.classifier)
        if first is None or second is None:
            return first or second
        surer = max(first, second, key=lambda o: float(o.reading.max()))
        return surer._replace(reading=pooled(first.reading, second.reading))

    def _measured(self, image: NDArray[np.uint8]) -> Opinion | None:
        """Return what the ink that can be measured reads as, of all the ways to look at a picture the surest."""
        best: Opinion | None = None
        for look in looks(image):
            found = self._looked(image, look)
            if found is not None and (best is None or found.trust > best.trust):
                best = found
            if best is not None and best.trust >= SURE_ALONE:
                break
        return best

    def _looked(self, image: NDArray[np.uint8], look: Look) -> Opinion | None:
        """Return what the ink of one look at a picture reads as."""
        found = opinion(propose(find_ink(image, look=look)), self.classifier)
        return found and found._replace(is_whole=not is_cut(found.box, look, image.shape))


def _enough(single: bool) -> int:
    """Return the pixels at which a picture is looked at first: a JPEG that has many more is decoded smaller."""
    return SECOND_LOOK if single else FIRST_LOOK


def _unanswered(sighted: Number) -> Number:
    """Return a number none of whose digits is answered."""
    return number([replace(d, value=None) for d in sighted.digits], sighted.line, sighted.marks)


def read(picture: Any, **options: Any) -> Page:
    """Return what stands in a picture, read with the default weights; see `Reader.read`."""
    return _default().read(picture, **options)


@lru_cache(maxsize=1)
def _default() -> Reader:
    return Reader.load()


def _turn(rotate: str | int) -> int | None:
    """Return the turn asked for, None for "auto"."""
    if rotate == "auto":
        return None
    if str(rotate) not in map(str, TURNS):
        raise UsageError(f"rotate must be 0, 90, 180, 270 or auto, got {rotate!r}")
    return int(rotate)
