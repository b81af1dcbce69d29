"""The command that reads piles: folders, lists and archives in, Parquet out; and tables of what was read."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from ..errors import MissingExtra, UsageError
from ..files import replacing
from ..limits import Limits
from .outputs import Answer, Tables, ends_in


def add_commands(app: typer.Typer) -> None:
    """Add `bulk` to `app`."""
    app.command("bulk")(bulk)


def bulk(
    out: Annotated[Path, typer.Option("--out", help="Folder of the results: new, empty, or to be gone on with.", show_default=False)],
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="DIR…", help="Folders with theirs, zip and tar archives, globs, files.", show_default=False),
    ] = None,
    listing: Annotated[
        str | None, typer.Option("--list", help="Read the files named in this text file, one a line, or parted by zero bytes.")
    ] = None,
    engine: Annotated[
        str, typer.Option("--engine", help="local: processes on this machine. ray: a cluster, or Ray on this machine.")
    ] = "local",
    address: Annotated[
        str | None, typer.Option("--address", help="Of the Ray cluster: HOST:PORT of its head, or auto.  [default: Ray on this machine]")
    ] = None,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Processes that read.  [default: one a core]")] = None,
    shard_files: Annotated[int, typer.Option("--shard-files", min=1, help="Files a shard, which is one Parquet file.")] = 500,
    csv: Annotated[
        Path | None, typer.Option("--csv", help="Write the rows of the finished results as CSV, as `read --csv` prints them.")
    ] = None,
    xlsx: Annotated[Path | None, typer.Option("--xlsx", help="Write them as an Excel file, each number with its crop.")] = None,
    review: Annotated[
        Path | None, typer.Option("--review", help="Write them as one HTML page to check and correct the numbers on.")
    ] = None,
    per_picture: Annotated[
        int | None,
        typer.Option("--numbers-per-picture", min=1, help="In these tables, any other count of numbers is marked for checking."),
    ] = None,
    single: Annotated[bool, typer.Option("--single", help="Each picture holds one digit.")] = False,
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
    max_seconds: Annotated[float, typer.Option("--max-seconds", help="Longest that a page may take, twice, before it is an error.")] = 60.0,
) -> None:
    """Read a pile of any size into Parquet files; the same command again goes on where it was ended."""
    try:
        from ..bulk.running import run
    except ModuleNotFoundError as error:
        raise MissingExtra("inkdigits bulk", "bulk") from error
    if not sources and listing is None and not (csv or xlsx or review):
        raise UsageError("say what to read (a folder, an archive, --list), or which table to write (--csv, --xlsx, --review)")
    if sources or listing is not None:
        limits = Limits(
            max_bytes=max_bytes,
            max_pixels=max_pixels,
            max_header_pixels=max(max_pixels, Limits().max_header_pixels),
            max_seconds=max_seconds,
        )
        options = {
            **{"single": single, "threshold": threshold, "max_error": max_error, "per": per},
            **{"rotate": rotate, "digits": digits, "pattern": pattern, "between": between},
        }
        said = run(
            sources or [],
            out,
            listing=listing,
            engine=engine,
            address=address,
            workers=workers,
            shard_files=shard_files,
            model=model,
            limits=limits,
            promise=promise,
            options=options,
        )
        print(said, file=sys.stderr)
    if csv or xlsx or review:
        _write_tables(out, csv, xlsx, review, per_picture)


def _write_tables(out: Path, csv: Path | None, xlsx: Path | None, review: Path | None, per_picture: int | None) -> None:
    from ..bulk.finished import read_again
    from ..bulk.results import open_finished

    results = open_finished(out)
    with ExitStack() as opened:
        file = opened.enter_context(opened.enter_context(replacing(ends_in(csv, ".csv", "--csv"))).open("wb")) if csv else None
        tables = Tables(opened, file, xlsx, review, per_picture)
        for name, result, page_number in read_again(results, pictures=bool(xlsx or review)):
            tables(Answer(name, result, page_number))
    print(tables.describe(), file=sys.stderr)
