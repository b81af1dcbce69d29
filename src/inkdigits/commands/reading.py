"""The command that reads: pictures in, numbers out, as lines, JSON, CSV, a spreadsheet or a page to check them on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ReadError, UsageError, about
from ..limits import Limits
from .inputs import MANY, find_files, source_of, watched
from .outputs import Answer, Drawings, Drift, Lines, Tables, print_json, print_named

if TYPE_CHECKING:
    from ..reader import Reader
    from ..records import Page
    from ..source import Picture


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
        bool, typer.Option("--csv", help="Print a row a number: file, page, line, position, text, guess, confidence, check, remark.")
    ] = False,
    xlsx: Annotated[
        Path | None, typer.Option("--xlsx", help="Write the same rows as an Excel file, each with its crop; then no lines are printed.")
    ] = None,
    review: Annotated[
        Path | None, typer.Option("--review", help="Write one HTML page to check and correct the numbers on, doubtful ones first.")
    ] = None,
    per_picture: Annotated[
        int | None,
        typer.Option("--numbers-per-picture", min=1, help="Every picture holds so many numbers; any other count is marked for checking."),
    ] = None,
    draw: Annotated[
        Path | None, typer.Option("--draw", help="Write each picture with what was read drawn in, as PNG, to this folder.")
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option("--threshold", help="Confidence below which a digit is ?, 0–1; 0 answers everything.  [default: the weights']"),
    ] = None,
    max_error: Annotated[
        float | None,
        typer.Option(
            "--max-error", help="In place of a threshold: at most this share of the answers is wrong, as promised; the rest is ?."
        ),
    ] = None,
    per: Annotated[str, typer.Option("--per", help="What --max-error counts: digit, or number (answered whole or not at all).")] = "digit",
    promise: Annotated[
        Path | None, typer.Option("--promise", help="What `inkdigits calibrate` wrote for pictures of yours.  [default: the weights']")
    ] = None,
    rotate: Annotated[str, typer.Option("--rotate", help="Clockwise turn before reading: 0, 90, 180, 270, or auto.")] = "auto",
    digits: Annotated[int | None, typer.Option("--digits", help="Every number has so many digits.")] = None,
    pattern: Annotated[str | None, typer.Option("--pattern", help="Every number matches this regular expression as a whole.")] = None,
    between: Annotated[
        tuple[float, float] | None, typer.Option("--between", help="Every number is at least the first and at most the second of these.")
    ] = None,
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
    reader = Reader.load(model, limits, promise)
    options: dict[str, Any] = {"threshold": threshold, "rotate": rotate, "digits": digits, "pattern": pattern, "between": between}
    options |= {"max_error": max_error, "per": per, "single": single}
    reader.check(**options)
    files = find_files(pictures, recursive)
    silent = bool(xlsx) and not as_json and not as_csv
    with ExitStack() as opened:
        tables = Tables(opened, sys.stdout.buffer if as_csv else None, xlsx, review, per_picture)
        outputs: list[Callable[[Answer], None]] = [tables]
        watch = reader.promises.watch(single)
        if watch:
            outputs.append(Drift(watch))
        if as_json:
            outputs.append(print_json)
        elif not silent and not as_csv:
            outputs.append(Lines(single) if len(files) == 1 and not recursive else print_named)
        if draw:
            outputs.append(Drawings(draw))
        for file in watched(files, silent):
            for answer in _answers(reader, file, recursive, **options):
                for output in outputs:
                    output(answer)
                if isinstance(answer.result, ReadError):
                    print(f"inkdigits: {about(file, answer.result)}", file=sys.stderr)
    if max(len(files), tables.done) > MANY:
        print(tables.describe(), file=sys.stderr)
    if tables.failed:
        raise typer.Exit(1)


def _answers(reader: Reader, file: str, recursive: bool, **options: Any) -> Iterator[Answer]:
    """Yield an answer a page; a file that cannot be opened, or goes on damaged, ends with the reason."""
    try:
        for picture in reader.open_pages(source_of(file, recursive, reader.limits.max_bytes), single=options["single"]):
            yield Answer(file, _read(reader, picture, options), picture.page_number)
    except ReadError as error:
        yield Answer(file, error)


def _read(reader: Reader, picture: Picture, options: dict[str, Any]) -> Page | ReadError:
    """Return what stands on one page, which keeps its picture for crops and drawings; a page of noise costs that page only."""
    try:
        page = reader.read(picture, **options)
    except ReadError as error:
        return error
    closer = picture.closer  # what was decoded smaller to be read is cut and drawn as large as it is
    return replace(page, picture=lambda: closer(reader.limits.max_pixels).image) if closer else page
