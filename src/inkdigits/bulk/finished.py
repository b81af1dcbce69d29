"""Finished results come in; pages come out again, each with its picture where it is asked for, as `read` gave them: for the same tables."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from functools import cache
from typing import Any

from ..errors import ReadError
from ..files import sha256
from ..limits import Limits
from ..records import Page
from ..source import load_pages
from .archives import Unpacker
from .desk import Work
from .items import Item
from .reading import load
from .results import Results
from .rows import read_rows

Told = tuple[str, Page | ReadError, int | None]  # file, what was read, page of a document


def read_again(results: Results, *, pictures: bool) -> Iterator[Told]:
    """Yield every row of finished results, in order.

    Args:
        results: what `results.open_finished` gave.
        pictures: whether pages get their pictures, from the same files; one that is gone or has changed since gives none.
    """
    limits = Limits(**{f.name: results.job.described[f.name] for f in fields(Limits)})
    work = Work((b"", "", None), limits=limits, root=results.job.root)
    unpacker = Unpacker()
    for shard in range(results.shards):
        for item, rows in zip(results.items(shard), _by_item(read_rows(results.path(shard))), strict=True):
            pages = _pictures(item, rows[0]["sha256"], unpacker, work) if pictures else itertools.repeat(None)
            for row in rows:
                yield row["file"], _result(row, next(pages, None)), row["page_number"]


def _by_item(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of each item: those of a document follow its first page."""
    together: list[dict[str, Any]] = []
    for row in rows:
        if together and row["page_number"] in (None, 1):
            yield together
            together = []
        together.append(row)
    if together:
        yield together


def _pictures(item: Item, digest: str | None, unpacker: Unpacker, work: Work) -> Iterator[Any]:
    """Yield the pictures of an item's pages, as far as they can be had, each as what `Page.picture` is."""
    try:
        data = load(item, unpacker, work) if digest else b""
        if sha256(data) != digest:
            return
        for picture in load_pages(data, work.limits):
            yield lambda image=picture.image: image
    except ReadError:
        return


def _result(row: dict[str, Any], picture: Callable[[], Any] | None) -> Page | ReadError:
    if row["page"] is None:
        return _errors().get(row["error"]["code"], ReadError)(row["error"]["detail"])
    return replace(Page.from_dict(json.loads(row["page"])), picture=picture)


@cache
def _errors() -> dict[str, type[ReadError]]:
    return {kind.code: kind for kind in ReadError.__subclasses__()}
