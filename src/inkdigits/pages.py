"""A picture of a page comes in; its numbers come out, and how the page was looked at: turned, straightened, from nearer."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .assemble import Item, Readings, best_path, numbers_of
from .classify import Classifier
from .columns import ruled_off
from .components import Components
from .errors import TooManyMarks
from .glyph import make_glyphs
from .hand import compare_within
from .ink import find_ink
from .kinds import default_kinds, reading_of
from .limits import Limits
from .looks import Look, looks, usual_look
from .mend import mend
from .pens import changes_of_pen
from .prior import settle
from .records import Number
from .second_look import look_again
from .segment import Line, segment, without_edges
from .sheet import level, straighten
from .source import Picture
from .spacing import gaps_of
from .surroundings import show_surroundings
from .views import FIRST_LOOK, SECOND_LOOK, View, shrunk, turned
from .wanted import Wanted
from .whole import Beside, look_beside, trusted

ENOUGH_TO_TURN, SURE_DIGIT = 6, 0.75  # digits so sure a page must have before it may be taken for one that lies on its side
MANY, SURE_SIDE = 12, 0.87  # so many of them, or all of it as sure: letters on their side look like a few digits
SURE_WHOLE, MOST_BROKEN = 0.9, 1500  # sureness above which nobody looks whether strokes are broken, and candidates: of more it takes long
SURE_ENOUGH = 0.8  # sureness above which nobody looks whether the page lies on its side
UPSIDE_DOWN = (0, 1, 6, 8, 9)  # read as digits from below, too: the others tell
SURE_UPRIGHT, FEW_TELLING = 0.95, 0.35  # as sure, or so large a share of others among its digits: a page does not lie upside down
OVER_MARGIN = 0.06  # how much surer the reading of a page upside down must be
TELLING, MORE_TELLING = 4, 1.75  # of the others it must have, and so many times as many as before
TURN_MARGIN = 0.12  # how much surer the reading of the turned page must be
UNREAD = 0.5  # of the pieces of ink on a page are taken for digits, when it is asked how sure its reading is
MUCH, HOPELESS = 100, 0.25  # a page that should have more digits and reads less surely is dirt: nobody looks closer
GLANCE = 600  # candidates that show which way a page lies
SMALL = 22  # pixels in the first size: smaller digits are read again
STREAK, LARGE = 0.15, 3.0  # of its length: what is narrower is grain of wood; of a digit's: what is larger at the edge is a desk
CLEARLY_MORE = 1.1  # times what was read before, on the sheet alone or of strokes as they are: grain of wood makes a 1 or two
LEVEL, STEEPEST = 0.05, 0.75  # slopes: lines that fall or rise by less are read as they are, by more they were meant to

Image = NDArray[np.uint8]
Seen = tuple[View, list[Number], float]  # how a page is looked at, its numbers, and how many digits it should have


@dataclass(frozen=True)
class Settings:
    """How a picture is to be read: the least confidence of an answer, the clockwise turn (None for auto), what the numbers look like.

    `least_number` is the least confidence of a whole number: below it, none of its digits is answered.
    """

    least: float
    turn: int | None = None
    wanted: Wanted = field(default_factory=Wanted)
    least_number: float = 0.0


def read_page(picture: Picture, classifier: Classifier, limits: Limits, settings: Settings) -> tuple[View, list[Number]]:
    """Return how a page was looked at, and the numbers on it, their boxes in pixels of that view.

    What lies askew is straightened where that reads surer.

    Raises:
        TooManyMarks: there are more pieces of ink than `limits` allow.
    """
    at = _PageReader(classifier, limits, settings)
    image, scale = shrunk(picture, FIRST_LOOK)
    look, ink, (view, numbers, expected) = at.surest(image, 1 / scale)
    if expected > MUCH and _sureness(numbers, expected) < HOPELESS and straighten(image) is None:
        return view, numbers
    if scale < 1 and ink.any() and _is_small(numbers):  # what is small needs more of the pixels
        picture = picture.closer(SECOND_LOOK) if picture.closer else picture
        image, scale = shrunk(picture, SECOND_LOOK)
        del picture  # three times as large, it is let go
        ink = find_ink(image, ruled=True, look=look)
        with suppress(TooManyMarks):  # from nearer there is more dirt: what was read from farther off stands
            view, numbers, _ = at.upright(image, ink, 1 / scale, _known_turn(view, numbers))
    flat = straighten(image)
    if flat is not None:
        levelled = find_ink(flat.image, ruled=True, look=usual_look(flat.image))
    else:
        slope = _slope(numbers) if view.rotation == 0 else 0.0
        if not LEVEL < abs(slope) < STEEPEST:
            return view, numbers
        flat, levelled = level(image, slope), level(without_edges(ink, float(np.median(_heights(numbers)))), slope).image
    with suppress(TooManyMarks):
        other, surer, _ = at.upright(flat.image, levelled, 1 / scale, _known_turn(view, numbers))
        if _surely_worth(surer) > _surely_worth(numbers):
            return replace(other, back=flat.back), surer
    return view, numbers


class _Side(NamedTuple):
    """A page that was turned: its lines, those that were glanced at, and the numbers on these."""

    rotation: int
    lines: list[Line]
    some: list[Line]
    numbers: list[Number]


@dataclass(frozen=True)
class _PageReader:
    """What reads every view of one page."""

    classifier: Classifier
    limits: Limits
    settings: Settings

    def surest(self, image: Image, scale: float) -> tuple[Look, Image, Seen]:
        """Return how a page is looked at, its ink, and what is read in that: of all the ways that come into question, the most.

        Raises:
            TooManyMarks: there are more pieces of ink than may be, however it is looked at.
        """
        best: tuple[Look, Image, Seen] | None = None
        refused: TooManyMarks | None = None
        for look in looks(image):
            ink = find_ink(image, ruled=True, look=look)
            known = None
            if look.beside and best and best[2][1]:
                ink = _without_desk(ink, best[2][1])
                if not _shows_more(ink, best[1], best[2][1]):
                    continue
                known = _known_turn(*best[2][:2])
            try:
                seen = self.upright(image, ink, scale, known)
            except TooManyMarks as error:
                refused = error
                continue
            if best and look.beside and _is_grain(seen[1], best[2][1]):
                continue
            if best is None or _surely_worth(seen[1]) > _surely_worth(best[2][1]):
                best = look, ink, seen
        if best is None:
            raise refused or TooManyMarks
        return best

    def upright(self, image: Image, ink: Image, scale: float, known: int | None = None) -> Seen:
        """Return how a page is looked at, its numbers, and how many digits it should have.

        It is looked at as it lies, unless it is clearly surer on its side; turned by `known` or as the user wishes where that is given.
        """
        turn = known if self.settings.turn is None else self.settings.turn
        view = View(turn or 0, ink.shape, scale)
        image, ink = turned(image, view.rotation), turned(ink, view.rotation)
        ink, lines, best = self._whole(image, ink)
        expected = _expected(lines)
        if turn is not None:
            return view, best, expected
        side = self._surer_side(image, ink, _Side(0, lines, lines, best))
        if side is None:
            return view, best, expected
        if len(side.some) == len(side.lines):
            best = side.numbers
        else:
            best = self.on_lines(side.lines, turned(image, side.rotation), turned(ink, side.rotation))
        return replace(view, rotation=side.rotation), best, _expected(side.lines)

    def _whole(self, image: Image, ink: Image) -> tuple[Image, list[Line], list[Number]]:
        """Return the ink of a page, its strokes mended where that reads clearly better, its lines, and the numbers on these."""
        plain = replace(self, settings=replace(self.settings, wanted=Wanted()))  # what numbers should look like says nothing of strokes
        lines = segment(ink, self.limits.max_components)
        numbers = plain.on_lines(lines, image, ink)
        few = sum(len(line.candidates) for line in lines) <= MOST_BROKEN
        if few and _sureness(numbers, _expected(lines)) < SURE_WHOLE and (mended := mend(ink)) is not None:
            with suppress(TooManyMarks):
                others = segment(mended, self.limits.max_components)
                read = plain.on_lines(others, image, mended)
                if _surely_worth(read) > CLEARLY_MORE * _surely_worth(numbers):
                    ink, lines, numbers = mended, others, read
        return ink, lines, numbers if plain.settings == self.settings else self.on_lines(lines, image, ink)

    def _surer_side(self, image: Image, ink: Image, upright: _Side) -> _Side | None:
        """Return the side on which a page reads clearly surer than as it lies, None where there is none."""
        sure = _sureness(upright.numbers, _expected(upright.lines))
        if sure < SURE_ENOUGH:
            sides = [self._glance(turned(image, side), turned(ink, side), side) for side in (90, 270)]
            # lying on one side or the other, the same ink reads as so many digits: only how sure they are tells them apart
            side = max(filter(_is_page, sides), key=lambda s: _sureness(s.numbers), default=None)
            if side is not None and _sureness(side.numbers, _expected(side.some)) > sure + TURN_MARGIN:
                return side
        telling = _telling(upright.numbers)
        if sure < SURE_UPRIGHT and telling < FEW_TELLING * _count(upright.numbers):
            over = self._glance(turned(image, 180), turned(ink, 180), 180)
            surer = _sureness(over.numbers, _expected(over.some)) > sure + OVER_MARGIN
            enough = _surely(over.numbers) >= ENOUGH_TO_TURN and _telling(over.numbers) >= max(TELLING, MORE_TELLING * telling)
            if surer and enough:
                return over
        return None

    def _glance(self, image: Image, ink: Image, rotation: int) -> _Side:
        """Return how a page reads that was turned, by some of its lines."""
        lines = segment(ink, self.limits.max_components)
        some = _some(lines)
        return _Side(rotation, lines, some, self.on_lines(some, image, ink))

    def on_lines(self, lines: list[Line], image: Image, ink: Image) -> list[Number]:
        """Return the numbers on lines of a page."""
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
        read = compare_within(look_again(image, read, self.classifier))
        return _numbers(read, self.settings, partial(changes_of_pen, image, ink), partial(ruled_off, image))


def _without_desk(ink: Image, numbers: list[Number]) -> Image:
    """Return ink without what reaches the picture's edge and is much larger than the digits that were read."""
    pieces = Components.of(ink)
    desk = pieces.at_edge(2) & (pieces.boxes[:, 2:].max(1, initial=0) > LARGE * _usual_size(numbers))
    return pieces.without(desk)


def _shows_more(ink: Image, known: Image, numbers: list[Number]) -> bool:
    """Tell whether ink has a piece as large as the digits that were read in what was known of it before: on a desk there seldom is one."""
    usual = _usual_size(numbers)
    pieces = Components.of(np.where(known > 0, 0, ink).astype(np.uint8))
    least, most = np.sort(pieces.boxes[:, 2:], 1).T
    return bool(((most > 0.6 * usual) & (most < 1.6 * usual) & (least > STREAK * most) & ~pieces.at_edge(2)).any())


def _usual_size(numbers: list[Number]) -> float:
    """Return how high, or how wide on a page on its side, a digit is, in pixels."""
    return float(np.median([max(d.box.width, d.box.height) for n in numbers for d in n.digits]))


def _is_grain(numbers: list[Number], known: list[Number]) -> bool:
    """Tell whether what was read beside a sheet, too, is hardly more than 1s: that is the grain of wood."""
    more, before = ([n for n in some if set(n.text) - {"1", "?"}] for some in (numbers, known))
    return _surely_worth(more) <= CLEARLY_MORE * _surely_worth(before)


def _known_turn(view: View, numbers: list[Number]) -> int | None:
    """Return how a page is to be turned that was looked at before, None where so little was read that nobody knows."""
    return view.rotation if int((_confidences(numbers) >= SURE_DIGIT).sum()) >= MANY else None


def _some(lines: list[Line]) -> list[Line]:
    """Return as many lines, evenly from the top down, as it takes to see which way a page lies; all of most pages."""
    candidates = sum(len(line.candidates) for line in lines)
    every = max(1, math.ceil(candidates / GLANCE))
    return lines[every // 2 :: every]


def _numbers(
    read: list[tuple[Line, list[Item], Readings]],
    settings: Settings,
    is_parted: Callable[[Line, list[Item]], NDArray[np.bool_]],
    is_ruled_off: Callable[[Line, list[Item]], NDArray[np.bool_]],
) -> list[Number]:
    """Return the numbers of all lines, counting rows that hold some."""
    gaps = np.concatenate([np.zeros(0), *(gaps_of([item.box for item in items], line.height) for line, items, _ in read)])
    numbers: list[Number] = []
    beside: list[Beside] = []
    row = -1  # of the last number
    for line, items, readings in read:
        index = numbers[-1].line + (line.row != row) if numbers else 0
        parted, ruled = partial(is_parted, line), partial(is_ruled_off, line)
        found = numbers_of(line, items, readings, settings.least, index, gaps, settings.wanted, parted, ruled)
        numbers += found
        row = line.row if found else row
        beside += look_beside(line, found)
    return trusted(numbers, beside)


def _is_small(numbers: list[Number]) -> bool:
    """Tell whether what was read, or nothing, calls for a closer look."""
    heights = _heights(numbers)
    return not heights or float(np.quantile(heights, 0.25)) < SMALL


def _heights(numbers: list[Number]) -> list[int]:
    """Return how high each digit is, in pixels."""
    return [d.box.height for n in numbers for d in n.digits]


def _confidences(numbers: list[Number]) -> NDArray[np.float64]:
    return np.array([d.confidence for n in numbers for d in n.digits])


def _expected(lines: list[Line]) -> float:
    """Return how many digits lines should have, by their ink."""
    return UNREAD * sum(not atom.is_minor for line in lines for atom in line.atoms)


def _sureness(numbers: list[Number], expected: float = 0.0) -> float:
    """Return the mean confidence of all digits, and of as many that were not read as there are fewer than `expected`: 0–1."""
    return float(_confidences(numbers).sum()) / max(1.0, expected, _count(numbers))


def _surely_worth(numbers: list[Number]) -> float:
    """Return how much was read, less what could not be, and much less where that is unsure: dirt makes a 1 here and there."""
    return max(0.0, float((_confidences(numbers) - 0.5).sum())) * _sureness(numbers) ** 2


def _count(numbers: list[Number]) -> int:
    return sum(len(n.digits) for n in numbers)


def _is_page(side: _Side) -> bool:
    """Tell whether what was glanced at are digits, not letters that lie on their side when the page does not.

    A 0 looks the same on its side.
    """
    sure = _surely(side.numbers, (0,))
    return sure >= (ENOUGH_TO_TURN if _sureness(side.numbers, _expected(side.some)) >= SURE_SIDE else MANY)


def _telling(numbers: list[Number]) -> int:
    """Return how many digits were surely read that tell what is up and what is down."""
    return _surely(numbers, UPSIDE_DOWN)


def _surely(numbers: list[Number], but: tuple[int, ...] = ()) -> int:
    """Return how many digits were surely read, but those of some values."""
    return sum(d.confidence >= SURE_DIGIT and d.alternatives[0][0] not in but for n in numbers for d in n.digits)


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
