"""An item comes in, its rows come out: a row a page, or the reason why there is none. What runs in a reading process."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ..errors import ReadError
from ..files import sha256
from ..records import Page
from ..source import Picture, read_bytes

if TYPE_CHECKING:
    from ..reader import Reader
    from .archives import Unpacker
    from .desk import Seconds, Work
    from .items import Item

Row = dict[str, Any]  # a value for each column of `rows.SCHEMA` but the model
# reasons that would name the path, which differs from machine to machine; the row's own `file` tells it
PLAIN = {"not_found": "there is no such file", "refused": "no permission to read it", "not_a_file": "expected an ordinary file"}


def read_item(item: Item, reader: Reader, unpacker: Unpacker, work: Work, seconds: Seconds, beat: Callable[[], None]) -> Iterator[Row]:
    """Yield the rows of an item, in the order of its pages.

    Args:
        item: what to read.
        reader: what reads.
        unpacker: what opens archives.
        work: settings.
        seconds: where the time goes is added to this.
        beat: called now and then while an archive is run through.
    """
    if item.error is not None:
        yield _row(item.name, error={"code": item.error[0], "detail": item.error[1]})
        return
    start = time.perf_counter()
    try:
        data = load(item, unpacker, work, beat)
    except ReadError as error:
        yield failure(item.name, error)
        return
    digest, number = sha256(data), None
    pages = reader.open_pages(data, single=work.options.get("single", False))
    while True:
        try:
            picture = next(pages, None)
        except ReadError as error:
            yield failure(item.name, error, number and number + 1, digest)
            return
        seconds.decode += time.perf_counter() - start
        if picture is None:
            return
        start, number = time.perf_counter(), picture.page_number
        row = _read(item.name, picture, digest, reader, work.options)
        seconds.read += time.perf_counter() - start
        yield row
        start = time.perf_counter()


def load(item: Item, unpacker: Unpacker, work: Work, beat: Callable[[], None] = lambda: None) -> bytes:
    """Return the bytes of an item.

    Raises:
        ReadError: they cannot be had; the reason names no path.
    """
    if item.member is not None:
        return unpacker.read(item, work.root, work.limits.max_bytes, beat)
    try:
        return read_bytes(os.path.join(work.root, item.path), work.limits)
    except ReadError as error:
        raise type(error)(PLAIN.get(error.code, str(error))) from error


def _read(file: str, picture: Picture, digest: str, reader: Reader, options: dict[str, Any]) -> Row:
    try:
        page = reader.read(picture, **options)
    except ReadError as error:  # a page of noise costs that page only
        return failure(file, error, picture.page_number, digest)
    return _page_row(file, page, digest)


def _page_row(file: str, page: Page, digest: str) -> Row:
    numbers = [{"text": n.text, "confidence": n.confidence, "box": n.box._asdict()} for n in page.numbers]
    said = json.dumps(page.to_dict(), separators=(",", ":"), allow_nan=False)
    return _row(file, page_number=page.page_number, sha256=digest, text=page.text, numbers=numbers, page=said)


def failure(file: str, error: ReadError, page_number: int | None = None, digest: str | None = None) -> Row:
    """Return the row of a file, or of a page of it, that could not be read."""
    return _row(file, page_number=page_number, sha256=digest, error=error.to_dict())


def _row(file: str, **known: Any) -> Row:
    return {"file": file, "page_number": None, "sha256": None, "text": None, "numbers": None, "page": None, "error": None} | known
