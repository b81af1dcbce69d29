"""Entries of a table come in, an Excel file comes out: a row a number, with its crop; what a person should look at is coloured.

Every text is a text cell: a number keeps its leading zeros, a file name is never a formula or a link.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

from .crops import Crop
from .files import replacing
from .tables import COLUMNS, Entry, Row

HEAD = (*COLUMNS[:-1], "crop", COLUMNS[-1])
WIDTHS = (24, 7, 7, 10, 15, 15, 12, 9, 33, 30)  # of the columns of `HEAD`, in characters
GROWING = {"file": 60, "text": 40, "guess": 40, "remark": 80}  # columns that widen with what they hold, up to here
ROW_HEIGHT = 46  # pixels
CROP_SIZE = (232, 42)  # width and height that a crop is shown in, in pixels: less than its cell, so that sorting takes it along
MAX_ROWS = 2**20 - 1  # of a sheet, its header not counted; Excel's own ceiling
HEADER, DOUBTFUL, FAILED = "#DDE7F0", "#FFEBC2", "#F9D9CC"
LINE = "#D0D0D0"


@contextmanager
def open_spreadsheet(path: str | os.PathLike[str]) -> Iterator[Spreadsheet]:
    """Give a spreadsheet to add entries to; when the block ends well it stands at `path`, else all is as before.

    Raises:
        OSError: the place cannot be written to (before anything is added), or the disk is full.
    """
    import xlsxwriter
    from xlsxwriter.exceptions import XlsxFileError

    # rows wait in a file until the end, so that thousands cost little memory
    with replacing(path) as beside, TemporaryDirectory(ignore_cleanup_errors=True) as waiting:
        book = xlsxwriter.Workbook(str(beside), {"constant_memory": True, "tmpdir": waiting, "strings_to_urls": False})
        spreadsheet = Spreadsheet(book)
        yield spreadsheet
        spreadsheet.finish()
        try:
            book.close()
        except XlsxFileError as error:
            raise (error.args[0] if isinstance(error.args[0], OSError) else OSError(str(error))) from error


def write_spreadsheet(entries: Iterable[Entry]) -> bytes:
    """Return the Excel file of a few thousand entries, made in memory."""
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_urls": False})
    spreadsheet = Spreadsheet(book)
    for entry in entries:
        spreadsheet.add(entry)
    spreadsheet.finish()
    book.close()
    return out.getvalue()


class Spreadsheet:
    """A workbook under way, made by `open_spreadsheet`; it goes on to another sheet where one is full."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._formats = {colour: _formats(book, colour) for colour in ("", DOUBTFUL, FAILED, HEADER)}
        self._start()

    def add(self, entry: Entry) -> None:
        """Write the rows of one page."""
        for row in entry.rows:
            if self._rows == MAX_ROWS:
                self.finish()
                self._start()
            self._rows += 1
            self._write(entry, row)

    def finish(self) -> None:
        """Set what depends on all rows of the sheet: its widths, its filter."""
        sheet = self._sheet
        for column, (name, width) in enumerate(zip(HEAD, WIDTHS, strict=True)):
            sheet.set_column(column, column, max(width, min(self._longest.get(name, 0) + 2, GROWING.get(name, 0))))
        sheet.autofilter(0, 0, self._rows, len(HEAD) - 1)
        sheet.ignore_errors({"number_stored_as_text": f"E2:F{self._rows + 1}"})  # else Excel marks each with a green corner

    def _start(self) -> None:
        """Begin a sheet."""
        sheets = len(self._book.worksheets())
        self._sheet = sheet = self._book.add_worksheet(f"numbers {sheets + 1}" if sheets else "numbers")
        self._rows, self._longest = 0, dict.fromkeys(GROWING, 0)
        sheet.freeze_panes(1, 0)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        sheet.set_row_pixels(0, 28)
        for column, name in enumerate(HEAD):
            sheet.write_string(0, column, name, self._formats[HEADER].get(name, self._formats[HEADER]["file"]))

    def _write(self, entry: Entry, row: Row) -> None:
        sheet, at = self._sheet, self._rows
        sheet.set_row_pixels(at, ROW_HEIGHT)
        formats = self._formats[FAILED if entry.failed else DOUBTFUL if row.check else ""]
        cells = (entry.file, entry.page, row.line, row.position, row.text, row.guess, row.confidence, "yes" if row.check else "no")
        for column, (name, cell) in enumerate(zip(HEAD, (*cells, None, row.remark), strict=True)):
            style = formats.get(name, formats["file"])
            if isinstance(cell, str) and cell:
                sheet.write_string(at, column, cell, style)
                self._longest[name] = max(self._longest.get(name, 0), len(cell))
            elif isinstance(cell, int | float):
                sheet.write_number(at, column, cell, style)
            else:
                sheet.write_blank(at, column, None, style)
        crop = row.crop or entry.crop
        if crop:
            self._insert(crop, row.guess)

    def _insert(self, crop: Crop, said: str) -> None:
        """Put a crop into its cell, as large as it goes in."""
        scale = min(CROP_SIZE[0] / crop.width, CROP_SIZE[1] / crop.height)
        options = {
            "image_data": io.BytesIO(crop.jpeg),
            "x_scale": scale,
            "y_scale": scale,
            "x_offset": 2,
            "y_offset": 2,
            "object_position": 1,  # it moves, and hides, with its row
            "description": said or "the whole picture",
        }
        self._sheet.insert_image(self._rows, HEAD.index("crop"), "crop.jpg", options)


def _formats(book: Any, colour: str) -> dict[str, Any]:
    """Return the formats of the cells of a row, by column; `file` stands for all that are not named."""
    every = {"valign": "vcenter"} | ({"bg_color": colour, "bottom": 1, "bottom_color": LINE} if colour else {})
    every |= {"bold": True} if colour == HEADER else {}
    number = every | {"num_format": "@", "indent": 1} | ({} if colour == HEADER else {"font_size": 14})
    count = every | {"align": "center"}
    styles = {"file": every, "text": number, "guess": number, "confidence": count | {"num_format": "0.000"}}
    styles |= dict.fromkeys(("page", "line", "position", "check"), count)
    return {name: book.add_format(style) for name, style in styles.items()}
