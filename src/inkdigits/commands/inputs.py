"""The arguments of a command come in; the files to read come out, in the order of the arguments, folders and globs in natural order."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterator
from typing import Any

from ..errors import NotAFile, NotFound
from ..files import looks_like_picture, natural

STDIN = "-"
MANY = 3  # more files than this on a terminal get a progress bar, and a last line that counts them


def find_files(arguments: list[str], recursive: bool) -> list[str]:
    """Return every file that the arguments name; a folder that holds no picture stands for itself."""
    return [file for argument in arguments for file in _files(argument, recursive)]


def _files(argument: str, recursive: bool) -> list[str]:
    if recursive and os.path.isdir(argument):
        return sorted(_inside(argument), key=natural) or [argument]
    if glob.has_magic(argument) and not os.path.lexists(argument):  # a shell that expands no globs, as on Windows
        return sorted(glob.glob(argument), key=natural) or [argument]
    return [argument]


def _inside(folder: str) -> Iterator[str]:
    """Yield the pictures of a folder and of its folders, judged by their names."""
    for parent, _, names in os.walk(folder):
        for name in names:
            if looks_like_picture(name):
                yield os.path.join(parent, name)


def source_of(file: str, recursive: bool, max_bytes: int) -> Any:
    """Return what a reader opens for an argument: its path, or the bytes of standard input.

    Raises:
        NotFound: there is no such file, or no picture in the folder.
        NotAFile: it is a folder, and folders are not asked for.
    """
    if file == STDIN:
        return sys.stdin.buffer.read(max_bytes + 1)
    if not os.path.lexists(file):
        raise NotFound("no such file")
    if os.path.isdir(file):
        raise NotFound("no picture in this folder") if recursive else NotAFile("it is a folder; -r reads the pictures in it")
    return file


def watched(files: list[str], silent: bool) -> Iterator[str]:
    """Yield the files, with a progress bar on a terminal when there are more than a few.

    Args:
        files: what to read.
        silent: whether nothing is printed meanwhile; lines that appear on the same terminal are progress enough.
    """
    if len(files) <= MANY or not sys.stderr.isatty() or (sys.stdout.isatty() and not silent):
        yield from files
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("reading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # standard output is left alone: rich would otherwise print the answers to the terminal too, and not to where they belong
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=False, transient=True) as progress:
        yield from progress.track(files)
