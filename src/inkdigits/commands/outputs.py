"""What was read comes in, page by page; it goes out as lines, JSON, tables and drawings, each to where it was asked for."""

from __future__ import annotations

import itertools
import json
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ..drift import Watch
from ..errors import ReadError, UsageError, one_line
from ..files import make_folder, replacing, safe_name
from ..records import Page
from ..tables import CsvTable, Entry, enter_failure, enter_page
from .inputs import STDIN


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a page: what was read, or the reason why it could not be; `file` is the argument as it was typed."""

    file: str
    result: Page | ReadError
    page_number: int | None = None  # of a document, from 1


class Tables:
    """Enters every answer into each of the tables that are asked for, and counts."""

    def __init__(self, opened: ExitStack, csv: BinaryIO | None, xlsx: Path | None, review: Path | None, expected: int | None) -> None:
        """Open the tables; `opened` closes them. One that cannot be written to is found here."""
        self._expected = expected
        self._illustrated = bool(xlsx or review)
        self._tables: list[Callable[[Entry], None]] = []
        self.read = self.to_check = self.failed = 0
        if xlsx:
            from ..spreadsheet import open_spreadsheet

            self._tables.append(opened.enter_context(open_spreadsheet(ends_in(xlsx, ".xlsx", "--xlsx"))).add)
        if review:
            from ..review import open_review

            self._tables.append(opened.enter_context(open_review(ends_in(review, ".html", "--review"))).add)
        if csv:
            self._tables.append(CsvTable(csv).add)

    def __call__(self, answer: Answer) -> None:
        """Enter one answer."""
        entry = self._entry(answer)
        for add in self._tables:
            add(entry)
        if isinstance(answer.result, ReadError):
            self.failed += 1
        elif entry.check:
            self.to_check += 1
        else:
            self.read += 1

    def _entry(self, answer: Answer) -> Entry:
        result = answer.result
        if isinstance(result, ReadError):
            return enter_failure(answer.file, result, answer.page_number)
        image = result.picture() if self._illustrated and result.picture else None
        return enter_page(answer.file, result, self._expected, image)

    @property
    def done(self) -> int:
        """How many answers there were."""
        return self.read + self.to_check + self.failed

    def describe(self) -> str:
        """Return the counts in one line."""
        return f"{self.done} pictures: {self.read} read, {self.to_check} to check, {self.failed} failed"


def ends_in(path: Path, suffix: str, flag: str) -> Path:
    """Return the path if its name ends as the programs that open such files want it.

    Raises:
        UsageError: it does not.
    """
    if path.suffix.lower() != suffix:
        raise UsageError(f"{flag} must end in {suffix}, got {path.name!r}")
    return path


class Lines:
    """Prints the numbers of a file, line by line; an empty line parts its pages, and standard error says where no number is."""

    def __init__(self, single: bool) -> None:
        """Say what was sought: one digit, or numbers."""
        self._sought = "digit" if single else "number"
        self._is_begun = False

    def __call__(self, answer: Answer) -> None:
        """Print one page."""
        if not isinstance(answer.result, Page):
            return
        if self._is_begun:
            print()
        self._is_begun = True
        print(answer.result.text, flush=True)
        if not answer.result.numbers:
            place = f", page {answer.page_number}" if answer.page_number else ""
            print(f"{one_line(answer.file)}{place}: no {self._sought} found", file=sys.stderr)


def print_named(answer: Answer) -> None:
    """Print the numbers of a page on one line, after the name of its file."""
    if isinstance(answer.result, Page):
        shown = answer.result.text.replace("\n", " | ")
        print(f"{one_line(answer.file)}\t{shown}", flush=True)


def print_json(answer: Answer) -> None:
    """Print one JSON object; a name that might steer a terminal, or that the output cannot hold, is written by its codes."""
    said = answer.result.to_dict()
    if isinstance(answer.result, ReadError):
        said = ({"page_number": answer.page_number} if answer.page_number else {}) | {"error": said}
    plain = answer.file.isprintable() and sys.stdout.encoding.lower() in ("utf-8", "utf8")
    print(json.dumps({"file": answer.file} | said, ensure_ascii=not plain), flush=True)


class Drift:
    """Says on standard error when pictures turn out to be unlike those that error rates were promised on."""

    def __init__(self, watch: Watch) -> None:
        """Look at answers with a watch of the reader's promises."""
        self._watch = watch

    def __call__(self, answer: Answer) -> None:
        """Look at one answer."""
        said = self._watch.see_page(answer.result) if isinstance(answer.result, Page) else None
        if said:
            print(f"inkdigits: {said}; inkdigits calibrate promises for pictures of yours", file=sys.stderr)


class Drawings:
    """Writes every page with what was read drawn in, as PNG."""

    def __init__(self, folder: Path) -> None:
        """Make the folder; one that cannot be written to is found here."""
        self._folder = make_folder(folder)
        self._taken: set[str] = set()

    def __call__(self, answer: Answer) -> None:
        """Draw one answer; there is nothing to draw of a failure. Names that come out alike are numbered."""
        from PIL import Image

        page = answer.result
        if isinstance(page, ReadError):
            return
        number = f"-{page.page_number}" if page.page_number else ""
        flat = os.path.splitext(answer.file.lstrip("./"))[0].replace(os.sep, "-")
        name = ("standard-input" if answer.file == STDIN else safe_name(flat)) + number
        free = next(n for n in itertools.chain([name], (f"{name}_{k}" for k in itertools.count(2))) if n not in self._taken)
        self._taken.add(free)
        with replacing(self._folder / f"{free}.png") as beside:
            Image.fromarray(page.draw()).save(beside, format="PNG")
