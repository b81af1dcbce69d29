"""The command that reads: pictures in, numbers out, one line or one JSON object a picture."""

from __future__ import annotations

import csv
import glob
import io
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import NotAFile, NotFound, ReadError, UsageError, one_line
from ..limits import Limits

if TYPE_CHECKING:
    from ..reader import Reader
    from ..records import Page

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".mpo"}
STDIN = "-"
MANY = 3  # more files than this on a terminal get a progress bar and a last line that counts them


def add_commands(app: typer.Typer) -> None:
    """Add `read` to `app`."""
    app.command("read")(read)


def read(
    pictures: Annotated[
        list[str], typer.Argument(metavar="PICTURE…", help="Files, folders with -r, globs; - is standard input.", show_default=False)
    ],
    recursive: Annotated[bool, typer.Option("-r", "--recursive", help="Read every picture in the folders named, and in theirs.")] = False,
    single: Annotated[bool, typer.Option("--single", help="Each picture holds one digit.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a picture.")] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print a row a number: file, page, line, position, text, guess, confidence, check.")
    ] = False,
    draw: Annotated[
        Path | None, typer.Option("--draw", help="Write each picture with what was read drawn in, as PNG, to this folder.")
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option("--threshold", help="Confidence below which a digit is ?, 0–1; 0 answers everything.  [default: the weights']"),
    ] = None,
    rotate: Annotated[str, typer.Option("--rotate", help="Clockwise turn before reading: 0, 90, 180, 270, or auto.")] = "auto",
    model: Annotated[
        str | None, typer.Option("--model", help="reader, mnist, or an .onnx that `inkdigits export` wrote.  [default: reader]")
    ] = None,
    max_bytes: Annotated[int, typer.Option("--max-bytes", help="Largest file that is read, in bytes.")] = Limits().max_bytes,
    max_pixels: Annotated[int, typer.Option("--max-pixels", help="Most pixels that are decoded.")] = Limits().max_pixels,
) -> None:
    """Read the digits in pictures: one line of numbers a line, ? for what it will not vouch for."""
    from ..reader import Reader

    if as_json and as_csv:
        raise UsageError("--json and --csv do not go together")
    limits = Limits(max_bytes=max_bytes, max_pixels=max_pixels, max_header_pixels=max(max_pixels, Limits().max_header_pixels))
    reader = Reader.load(model, limits)
    reader.check(threshold, rotate)
    answer = _json if as_json else _Csv() if as_csv else _plain if len(pictures) == 1 and not recursive else _named
    failed = unsure = done = 0
    files = list(_files(pictures, recursive))
    for file in _watched(files):
        done += 1
        try:
            for page in _pages(reader, file, single, threshold, rotate):
                unsure += any(d.value is None for n in page.numbers for d in n.digits)
                print(answer(file, page), flush=True)
                if draw:
                    _draw(draw, file, page)
        except ReadError as error:
            failed += 1
            if as_json:
                print(json.dumps({"file": file, "error": error.to_dict()}, ensure_ascii=False), flush=True)
            print(f"inkdigits: {one_line(file)}: {error}", file=sys.stderr)
    if len(files) > MANY:
        print(f"{done} pictures: {done - failed - unsure} read, {unsure} to check, {failed} failed", file=sys.stderr)
    if failed:
        raise typer.Exit(1)


def _files(arguments: list[str], recursive: bool) -> Iterator[str]:
    """Yield every file in the order of the arguments; folders and globs in natural order."""
    for argument in arguments:
        if recursive and os.path.isdir(argument):
            yield from sorted(_inside(argument), key=natural)
        elif glob.has_magic(argument) and not os.path.lexists(argument):  # a shell that expands no globs, as on Windows
            yield from sorted(glob.glob(argument), key=natural) or [argument]
        else:
            yield argument


def _inside(folder: str) -> Iterator[str]:
    """Yield the pictures of a folder and of its folders, judged by their names."""
    for parent, _, names in os.walk(folder):
        for name in names:
            if os.path.splitext(name)[1].lower() in SUFFIXES:
                yield os.path.join(parent, name)


def natural(name: str) -> list[tuple[int, int | str]]:
    """Return a key that sorts page10 after page9."""
    return [(0, int(part)) if part.isdigit() else (1, part.lower()) for part in re.split(r"(\d+)", name) if part]


def _pages(reader: Reader, file: str, single: bool, threshold: float | None, rotate: str) -> Iterator[Page]:
    source: Any = file
    if file == STDIN:
        source = sys.stdin.buffer.read(reader.limits.max_bytes + 1)
    elif not os.path.lexists(file):
        raise NotFound("no such file")
    elif os.path.isdir(file):
        raise NotAFile("it is a folder; -r reads the pictures in it")
    yield from reader.read_pages(source, single=single, threshold=threshold, rotate=rotate)


def _plain(_: str, page: Page) -> str:
    return page.text


def _named(file: str, page: Page) -> str:
    shown = page.text.replace("\n", " | ")
    return f"{one_line(file)}\t{shown}"


def _json(file: str, page: Page) -> str:
    return json.dumps({"file": file} | page.to_dict(), ensure_ascii=False)


class _Csv:
    """Writes the header once, then a row a number; a picture without a number has its row too."""

    def __init__(self) -> None:
        self.header = True

    def __call__(self, file: str, page: Page) -> str:
        out = io.StringIO()
        rows = csv.writer(out, lineterminator="\n")
        if self.header:
            rows.writerow(["file", "page", "line", "position", "text", "guess", "confidence", "check"])
            self.header = False
        place = 0, -1
        for number in page.numbers:
            place = (place[0] + 1 if number.line == place[1] else 0, number.line)
            guess = "".join(str(d.alternatives[0][0]) for d in number.digits)
            check = "yes" if any(d.value is None for d in number.digits) else "no"
            rows.writerow(
                [inert(file), page.page_number or 1, number.line, place[0], number.text, guess, f"{number.confidence:.4f}", check]
            )
        if not page.numbers:
            rows.writerow([inert(file), page.page_number or 1, "", "", "", "", "", "yes"])
        return out.getvalue().rstrip("\n")


def inert(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return "'" + cell if cell[:1] in "=+-@\t\r" else cell


def _draw(folder: Path, file: str, page: Page) -> None:
    from PIL import Image

    from ..files import replacing, safe_name

    number = f"-{page.page_number}" if page.page_number else ""
    name = "standard-input" if file == STDIN else safe_name(os.path.splitext(file.lstrip("./"))[0].replace(os.sep, "-"))
    with replacing(folder / f"{name}{number}.png") as beside:
        Image.fromarray(page.draw()).save(beside, format="PNG")


def _watched(files: list[str]) -> Iterator[str]:
    """Yield the files, with a progress bar on a terminal when there are more than a few."""
    if len(files) <= MANY or not sys.stderr.isatty() or sys.stdout.isatty():
        yield from files
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(files, description="reading", console=Console(stderr=True))
