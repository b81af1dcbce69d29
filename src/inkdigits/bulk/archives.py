"""An archive comes in; its members come out, listed without unpacking them to disk, and later read one by one, each within its limit.

A zip is read by its directory, a tar by the place of its members. What no longer stands where it was listed is refused: another's digits
would go by its name. A packed tar (.tar.gz and the like) can only be run through: reading goes on from where it stands, so that one process
unpacks such an archive once.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from typing import IO, Any

from ..errors import Damaged, InkdigitsError, NotAFile, NotFound, ReadError, TooLarge, Unsupported
from ..files import looks_like_picture
from .items import Item

PACKED: dict[str, Callable[..., Any]] = {
    ".tar.gz": gzip.open,
    ".tgz": gzip.open,
    ".tar.bz2": bz2.open,
    ".tbz2": bz2.open,
    ".tar.xz": lzma.open,
    ".txz": lzma.open,
}
MAX_RATIO = 200  # bytes that a packed tar may unpack to, for each of its own; pictures hardly shrink, paper in 1-bit TIFFs does
ALWAYS = 2**30  # bytes that any tar may unpack to
MAX_HEADER = 2**20  # bytes that a member's name and what else is told of it may take
STEP = 2**26  # bytes unpacked between two signs of life
CHANGED = "this archive has changed since it was listed"


def is_archive(name: str) -> bool:
    """Tell an archive by its name."""
    return name.lower().endswith((".zip", ".tar", *PACKED))


def list_members(path: str, root: str = "") -> Iterator[Item]:
    """Yield the pictures in an archive, in its order; what is wrong with it is an item too, and an archive without any gives one.

    Args:
        path: the archive, as it was named.
        root: folder that a relative path starts from.
    """
    count = 0
    try:
        for item in (_list_zip if path.lower().endswith(".zip") else _list_tar)(path, os.path.join(root, path)):
            count += 1
            yield item
        if not count:
            raise NotFound("no picture in this archive")
    except ReadError as error:
        yield Item.failed(path, error)
    except Exception as error:  # the modules that unpack raise what they like
        yield Item.failed(path, _damaged(error))


def _list_zip(path: str, place: str) -> Iterator[Item]:
    _check_ordinary(place)
    with zipfile.ZipFile(place) as archive:
        for index, member in enumerate(archive.infolist()):
            if not member.is_dir() and looks_like_picture(os.path.basename(member.filename)):
                yield Item(path, member.filename, index, member.file_size)


def _list_tar(path: str, place: str) -> Iterator[Item]:
    with _open_tar(place) as stream, _members(stream, _most(place)) as archive:
        while (member := archive.next()) is not None:
            if member.isreg() and not member.issparse() and looks_like_picture(os.path.basename(member.name)):
                yield Item(path, member.name, member.offset, member.size)
            archive.members.clear()  # it would keep them all
        _check_end(archive.fileobj.last)


def _check_end(block: bytes) -> None:
    """Refuse a tar whose list ended at this block if it is no end: the module takes a header that is none for that.

    Raises:
        Damaged: it is a header that is damaged, or a part of one.
    """
    if block.strip(b"\0") or len(block) % tarfile.BLOCKSIZE:
        raise Damaged("damaged archive: what comes behind this cannot be listed")


def _members(stream: IO[bytes], most: int) -> Any:
    """Return the members of a tar from where its stream stands, which is where the header of one begins."""
    return tarfile.TarFile(fileobj=_Measured(stream, most))  # type: ignore[arg-type]


def _most(place: str) -> int:
    return ALWAYS + MAX_RATIO * os.path.getsize(place)


def _open_tar(place: str) -> Any:
    """Return the bytes of a tar as a stream that can be sought in, unpacked if they are packed."""
    _check_ordinary(place)
    for suffix, opener in PACKED.items():
        if place.lower().endswith(suffix):
            return opener(place, "rb")
    return open(place, "rb")


def _check_ordinary(place: str) -> None:
    """Refuse a device or a pipe, which opening alone may hang."""
    try:
        if not stat.S_ISREG(os.stat(place).st_mode):
            raise NotAFile("expected an ordinary file")
    except FileNotFoundError as error:
        raise NotFound("there is no such file") from error


class _Measured:
    """The stream of a tar under way: it unpacks to no more than it may, and no header fills the memory."""

    def __init__(self, stream: IO[bytes], most: int) -> None:
        self._stream, self._most = stream, most
        self.last = b""  # what was read last

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MAX_HEADER:
            raise TooLarge(f"a header in this archive has more than {MAX_HEADER:,} bytes")
        self.last = self._stream.read(size)
        return self.last

    def seek(self, place: int) -> int:
        if place > self._most:
            raise TooLarge(f"this archive unpacks to more than {self._most:,} bytes")
        return self._stream.seek(place)

    def tell(self) -> int:
        return self._stream.tell()


class Unpacker:
    """Reads members; the archive that was read last stays open."""

    def __init__(self) -> None:
        """Open nothing yet."""
        self._path = ""
        self._opened: Any = None

    def read(self, item: Item, root: str, most: int, beat: Callable[[], None]) -> bytes:
        """Return the bytes of a member, at most `most`.

        Args:
            item: the member.
            root: folder that a relative path starts from.
            most: a member with more bytes is refused.
            beat: called now and then while a packed tar is run through, which may take long.

        Raises:
            ReadError: `TooLarge`, `Damaged` (or the archive has changed), `Unsupported` (a password), `NotFound`, `NotAFile`.
        """
        if item.size > most:
            raise TooLarge(f"more than {most:,} bytes, which is the limit for one file")
        try:
            place = os.path.join(root, item.path)
            if self._path != place:
                self.close()
                self._opened = (zipfile.ZipFile if place.lower().endswith(".zip") else _open_tar)(place)
                self._path = place
            if isinstance(self._opened, zipfile.ZipFile):
                return _read_zip(self._opened, item)
            return _read_tar(self._opened, item, beat)
        except InkdigitsError:
            raise
        except FileNotFoundError as error:
            raise NotFound("there is no such file") from error
        except Exception as error:
            self.close()  # what failed half-way may stand anywhere
            raise _damaged(error) from error

    def close(self) -> None:
        """Close what is open."""
        if self._opened is not None:
            self._opened.close()
        self._path, self._opened = "", None


def _read_zip(archive: zipfile.ZipFile, item: Item) -> bytes:
    members = archive.infolist()
    member = members[item.place] if item.place < len(members) else None
    if member is None or (member.filename, member.file_size) != (item.member, item.size):
        raise Damaged(CHANGED)
    if member.flag_bits & 1:
        raise Unsupported("this file is locked with a password")
    with archive.open(member) as file:
        return file.read(item.size)  # it unpacks no more than it is asked for


def _read_tar(stream: IO[bytes], item: Item, beat: Callable[[], None]) -> bytes:
    if stream.tell() > item.place:
        stream.seek(0)
    while stream.tell() < item.place:
        before = stream.tell()
        stream.seek(min(item.place, before + STEP))
        if stream.tell() == before:
            break  # a packed stream stays at its end
        beat()
    if not _stands(stream, item):
        raise Damaged(CHANGED)
    data = stream.read(item.size)
    if len(data) < item.size:
        raise Damaged("this archive ends early")
    return data


def _stands(stream: IO[bytes], item: Item) -> bool:
    """Tell whether the header of a member is the next thing in a tar, and leave the stream behind it, where its bytes begin."""
    try:
        with _members(stream, item.place + MAX_HEADER) as archive:
            member = archive.next()
    except (tarfile.TarError, TooLarge):  # it is no header
        return False
    return member is not None and member.isreg() and (member.name, member.size) == (item.member, item.size)


def _damaged(error: Exception) -> ReadError:
    # the module's own words stay with the cause: they may name the file
    if isinstance(error, PermissionError):
        return NotAFile("no permission to read this archive")
    cut = isinstance(error, EOFError) or "end of" in str(error)
    return Damaged(f"damaged archive: {'it ends early' if cut else 'it cannot be unpacked'}")
