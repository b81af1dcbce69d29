"""Pages come in; rows of a table come out, a row a number, ready for CSV, spreadsheet and review; the CSV is written here.

A file name or a reason is a stranger's text: `shown` makes it one harmless line, `inert` a cell that no spreadsheet takes for a formula.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO

from .errors import ReadError
from .records import NUMBER, UNSURE, Box, Number, Page

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .crops import Crop

COLUMNS = ("file", "page", "line", "position", "text", "guess", "confidence", "check", "remark")
EVENS = 0.5  # confidence in a number below which a person is asked to look, though every digit that was found is sure
# control characters, half characters (bytes of a name that are no UTF-8), and what turns the direction of writing or breaks a line
_UNSHOWABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_UNDECODED = range(0xDC80, 0xDD00)  # how Python keeps a byte of a file name that is no UTF-8
_ACTING = re.compile(r"((?:^|;)\s*)(?=[=+@＝＋－＠\t\r-])")  # where a cell may start, before a sign that acts


@dataclass(frozen=True, slots=True)
class Row:
    """One number, or one page without any, or one file that could not be read.

    Attributes:
        line: the line it stands on, from 0, as in `Number`; None where there is no number, and so for the next.
        position: its place on that line, from 0.
        text: as it was read, `19?7`; empty where there is no number.
        guess: the same with the best guess for every `?`, `1987`.
        confidence: probability that all answered digits and marks are right, 0–1.
        check: whether a person should look at it.
        remark: why; one line.
        crop: the number cut out of the picture, when pictures are wanted.
        place: where it stands in the picture of the page, in pixels of the `Entry`'s crop.
    """

    line: int | None = None
    position: int | None = None
    text: str = ""
    guess: str = ""
    confidence: float | None = None
    check: bool = True
    remark: str = ""
    crop: Crop | None = None
    place: Box | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """The rows of one page.

    Attributes:
        file: its name as it is shown.
        page: page of the document, from 1; None for a file that could not be read at all.
        rows: at least one.
        crop: the whole page, small, when pictures are wanted and a row is to be checked.
        failed: whether it could not be read.
    """

    file: str
    page: int | None
    rows: tuple[Row, ...]
    crop: Crop | None = None
    failed: bool = False

    @property
    def check(self) -> bool:
        """Whether a person should look at a row of it."""
        return any(row.check for row in self.rows)


def enter_page(file: str, page: Page, expected: int | None = None, image: NDArray[np.uint8] | None = None) -> Entry:
    """Return the rows of a page that was read: a row a number, in reading order; one row without a number where there is none.

    Args:
        file: the name of the file.
        page: what was read.
        expected: how many numbers every page has; a page with another count is to be checked. None: any.
        image: the upright picture, uint8 of shape (H, W) or (H, W, 3) RGB, to cut the crops from; None: no crops.
    """
    count = len(page.numbers)
    remark = "" if count else "no number found"
    if expected is not None and count != expected:
        remark = f"{count or 'no'} number{'s' * (count != 1)} found, {expected} expected"
    rows, line, position = [], -1, 0
    for number in page.numbers:
        position = position + 1 if number.line == line else 0
        line = number.line
        rows.append(_enter_number(number, position, remark))
    entry = Entry(shown(file), page.page_number or 1, tuple(rows) or (Row(remark=remark),))
    return entry if image is None else _illustrated(entry, page, image)


def with_crops(entry: Entry, crops: Sequence[Crop]) -> Entry:
    """Return the entry with a crop for each of its rows."""
    return replace(entry, rows=tuple(replace(row, crop=crop) for row, crop in zip(entry.rows, crops, strict=True)))


def enter_failure(file: str, error: ReadError, page: int | None = None) -> Entry:
    """Return the one row of a file, or of a page of it, that could not be read."""
    return Entry(shown(file), page, (Row(remark=shown(str(error))),), failed=True)


def _enter_number(number: Number, position: int, remark: str) -> Row:
    guess = guess_of(number)
    remarks = "; ".join(filter(None, (remark, _doubt(number))))
    return Row(number.line, position, number.text, guess, number.confidence, bool(remarks), remarks)


def _doubt(number: Number) -> str:
    """Return in words what of a number is not vouched for, places counted from 1; empty where all is."""
    if UNSURE not in number.text:
        return "more likely wrong than right" if number.confidence < EVENS else ""
    count = len(number.digits)
    places = [str(place) for place, digit in enumerate(number.digits, 1) if digit.value is None]
    if not places:
        return "a mark is doubtful"
    if len(places) == count:
        return "the digit is doubtful" if count == 1 else f"all {count} digits are doubtful"
    if len(places) == 1:
        return f"digit {places[0]} of {count} is doubtful"
    return f"digits {', '.join(places[:-1])} and {places[-1]} of {count} are doubtful"


def guess_of(number: Number) -> str:
    """Return the number with the best guess for every digit that is not vouched for, its marks in place."""
    marks = {mark.after_digit: mark.mark for mark in number.marks}
    guess = [str(d.alternatives[0][0] if d.value is None else d.value) for d in number.digits]
    return marks.get(0, "") + "".join(digit + marks.get(count, "") for count, digit in enumerate(guess, 1))


def _illustrated(entry: Entry, page: Page, image: NDArray[np.uint8]) -> Entry:
    """Return the entry with its crops; that of the page only where there is something to check."""
    from .crops import crop_number, crop_page, place_in

    whole = crop_page(image, page) if entry.check else None
    rows = entry.rows
    if page.numbers:
        places = [whole and place_in(whole, page, number.box) for number in page.numbers]
        rows = tuple(
            replace(row, crop=crop_number(image, page, number), place=place)
            for row, number, place in zip(rows, page.numbers, places, strict=True)
        )
    return replace(entry, rows=rows, crop=whole)


def shown(name: str) -> str:
    """Return a name or a reason as one line that is the same to every reader: what is no character to see is told by its code.

    Nothing is lost: a byte that is no UTF-8 becomes `\\xe9`, a line break `\\n`.
    """
    return _UNSHOWABLE.sub(_code, name)


def _code(found: re.Match[str]) -> str:
    character = ord(found[0])
    if character in _UNDECODED:
        return f"\\x{character - 0xDC00:02x}"
    return found[0].encode("unicode_escape", "surrogatepass").decode()


def inert(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: what might be one gets an apostrophe, numbers as they are read stay.

    Source: OWASP, "CSV Injection"; it names the semicolon too, at which spreadsheets of many countries part cells.
    """
    return cell if NUMBER.fullmatch(cell) else _ACTING.sub(r"\1'", cell)


class CsvTable:
    """Writes entries as CSV: UTF-8 with a byte order mark, without which Excel takes it for something else; RFC 4180 quotes."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._write([COLUMNS], codecs.BOM_UTF8)

    def add(self, entry: Entry) -> None:
        """Write the rows of one page."""
        self._write([_cells(entry, row) for row in entry.rows])

    def _write(self, rows: Iterable[Sequence[object]], before: bytes = b"") -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        self._out.write(before + text.getvalue().encode())
        self._out.flush()


def _cells(entry: Entry, row: Row) -> list[object]:
    """Return a row as CSV has it, in the order of `COLUMNS`; an unknown value is empty."""
    confidence = None if row.confidence is None else f"{row.confidence:.4f}"
    check = "yes" if row.check else "no"
    text = (inert(row.text), inert(row.guess))
    return [inert(entry.file), entry.page, row.line, row.position, *text, confidence, check, inert(row.remark)]
