"""Folders, globs, files and lists come in; the files to read come out one by one, in natural order, however many there are."""

from __future__ import annotations

import contextlib
import errno
import glob
import heapq
import itertools
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

from ..errors import NotAFile, NotFound, ReadError, Refused
from ..files import looks_like_picture, natural
from .archives import is_archive
from .items import Item

RUN = 100_000  # names of one folder that are sorted in memory; more are sorted in parts, on disk
DEEP = "**"  # of a glob: a folder and all below it


def find_files(sources: Sequence[str], listing: str | None = None) -> Iterator[Item]:
    """Yield every file that is named or found, archives unopened; what cannot be listed is an item with its reason.

    Args:
        sources: folders (with theirs), globs, files.
        listing: a text file of paths, one a line; or parted by zero bytes, as `find -print0` writes them.

    Raises:
        NotFound: a source, or the list, is not there.
    """
    for source in sources:
        yield from _files(source)
    if listing is not None:
        yield from map(Item, _listed(listing))


def is_there(source: str) -> bool:
    """Tell whether a source names anything."""
    return os.path.lexists(source) or next(_named(source), None) is not None


def _files(source: str) -> Iterator[Item]:
    if os.path.isdir(source):
        yield from _walk(source)
    elif os.path.lexists(source):
        yield Item(source)
    elif found := sorted(set(_named(source)), key=natural):  # two ** may name a file twice
        for path in found:
            if not os.path.isdir(path):
                yield Item(path)
            elif DEEP not in _parts(source):
                yield from _walk(path)
            elif os.path.islink(path):
                yield _link(path)
            # what is in other folders was found, too
    else:
        raise NotFound(f"{source}: there is no such file or folder")


def _named(source: str) -> Iterator[str]:
    """Yield the files and folders that a glob names; its ** goes through no link to a folder, since links may lead in circles."""
    parts = _parts(source)
    if DEEP not in parts:
        yield from glob.iglob(source)
        return
    deep = parts.index(DEEP)
    before, after = "/".join(parts[:deep]) or "/", "/".join(parts[deep + 1 :]) or "*"
    for top in glob.iglob(before) if deep else [""]:
        for folder in _folders(top):
            yield from _named(os.path.join(glob.escape(folder), after))


def _parts(source: str) -> list[str]:
    return source.replace(os.sep, "/").split("/")


def _folders(top: str) -> Iterator[str]:
    """Yield a folder and those below it, links and hidden ones left out; "" is the current one."""
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        yield folder
        with contextlib.suppress(OSError), os.scandir(folder or os.curdir) as entries:
            inside = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")]
            waiting += [os.path.join(folder, name) for name in inside]


def _walk(top: str) -> Iterator[Item]:
    """Yield the pictures and archives below a folder, judged by their names; links to folders are told, not followed."""
    folders = [_inside(top)]
    while folders:
        item = next(folders[-1], None)
        if item is None:
            folders.pop()
        elif isinstance(item, str):
            folders.append(_inside(item))
        else:
            yield item


def _inside(folder: str) -> Iterator[Item | str]:
    """Yield the files of a folder as items and its folders as paths, in natural order."""
    try:
        names = _sorted(_names(folder))
    except OSError as error:
        yield Item.failed(folder, _reason(error))
        return
    for name in names:
        path = os.path.join(folder, _plain(name))
        if name.endswith("/"):
            yield path
        elif name.endswith("@"):
            yield _link(path)
        else:
            yield Item(path)


def _link(path: str) -> Item:
    return Item.failed(path, NotAFile("this is a link to a folder, which is not followed"))


def _names(folder: str) -> Iterator[str]:
    """Yield what is wanted of a folder: names, folders with `/` behind them, links to folders with `@`, which no wanted name ends in."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield entry.name + "/"
            elif entry.is_symlink() and os.path.isdir(entry.path):
                yield entry.name + "@"
            elif looks_like_picture(entry.name) or (is_archive(entry.name) and not entry.name.startswith(".")):
                yield entry.name


def _sorted(names: Iterator[str]) -> Iterator[str]:
    """Return names in natural order, with no more than `RUN` of them in memory.

    Raises:
        OSError: the folder cannot be read; before any name is given.
    """
    runs: list[Iterator[str]] = []
    while run := sorted(itertools.islice(names, RUN), key=_order):
        if len(run) < RUN and not runs:
            return iter(run)
        runs.append(_spilled(run))
    return heapq.merge(*runs, key=_order)


def _order(name: str) -> Any:
    return natural(_plain(name))


def _plain(name: str) -> str:
    return name[:-1] if name.endswith(("/", "@")) else name


def _spilled(run: list[str]) -> Iterator[str]:
    """Return the same names, kept in a file that is gone with the process."""
    file = tempfile.TemporaryFile("w+", encoding="ascii")  # noqa: SIM115 (the iterator keeps it open)
    file.writelines(json.dumps(name) + "\n" for name in run)
    file.seek(0)
    return map(json.loads, file)


def _reason(error: OSError) -> ReadError:
    if isinstance(error, PermissionError):
        return Refused("no permission to open this folder")
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return NotFound("this folder is gone")
    return NotAFile(f"this folder cannot be opened: {error.strerror}")


def _listed(listing: str) -> Iterator[str]:
    """Yield the paths of a list file; empty lines are none."""
    try:
        with open(listing, "rb") as file:
            begin = file.read(2**16)
            file.seek(0)
            for line in _parted(file, b"\0") if b"\0" in begin else file:
                if path := line.rstrip(b"\r\n\0"):
                    yield os.fsdecode(path)
    except FileNotFoundError as error:
        raise NotFound(f"{listing}: there is no such list") from error


def _parted(file: IO[bytes], end: bytes) -> Iterable[bytes]:
    rest = b""
    while part := file.read(2**16):
        *whole, rest = (rest + part).split(end)
        yield from whole
    yield rest
