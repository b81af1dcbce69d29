"""Items of a shard come in, its Parquet file comes out: the one code path of every engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .desk import Desk
from .items import Item
from .rows import Counts, ShardWriter


@dataclass(frozen=True, slots=True)
class Done:
    """A shard that is read.

    Attributes:
        data: the bytes of its Parquet file.
        counts: what they hold.
        seconds: how long it took.
        decode_seconds: of these, opening and decoding files.
        read_seconds: of these, reading what they show.
    """

    data: bytes
    counts: Counts
    seconds: float
    decode_seconds: float
    read_seconds: float


def read_shard(desk: Desk, items: Iterable[Item], fingerprint: str, model: str, tick: Callable[[Counts], None] = lambda _: None) -> Done:
    """Return what stands in the files of a shard.

    Args:
        desk: what reads.
        items: the shard.
        fingerprint: of the job; it is written into the file.
        model: what the column of that name says.
        tick: told after every file what it added.

    Raises:
        ModelError, Stopped: see `Desk.read`.
    """
    start = time.perf_counter()
    writer = ShardWriter(fingerprint, model)
    decode = read = 0.0
    for item in items:
        before = writer.counts
        rows, seconds = desk.read(item)
        writer.add(rows)
        decode, read = decode + seconds.decode, read + seconds.read
        tick(Counts(1, writer.counts.pages - before.pages, writer.counts.errors - before.errors))
    return Done(writer.finish(), writer.counts, time.perf_counter() - start, decode, read)
