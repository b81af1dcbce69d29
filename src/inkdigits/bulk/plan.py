"""Items come in, a plan comes out: a file with a line an item, cut into shards of so many; both stay as they are until the end."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..files import replacing
from .archives import is_archive, list_members
from .items import Item


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the shards are.

    Attributes:
        files: items in all.
        starts: the byte of the plan's file at which each shard begins.
        sha256: of the plan's file.
    """

    files: int
    starts: list[int]
    sha256: str


def expand(found: Iterable[Item], root: str = "") -> Iterator[Item]:
    """Yield the items with archives opened: each one's members take its place."""
    for item in found:
        if item.error is None and is_archive(item.path):
            yield from list_members(item.path, root)
        else:
            yield item


def write_plan(path: Path, items: Iterable[Item], shard_files: int) -> Plan:
    """Write the plan and return where its shards are; `path` stands whole or not at all."""
    digest, starts, place, files = hashlib.sha256(), [], 0, 0
    with replacing(path) as beside, beside.open("wb") as out:
        for item in items:
            if files % shard_files == 0:
                starts.append(place)
            line = item.to_line().encode()
            place += out.write(line)
            digest.update(line)
            files += 1
    return Plan(files, starts, digest.hexdigest())


def read_shard(path: Path, plan: Plan, shard: int, shard_files: int) -> list[Item]:
    """Return the items of a shard."""
    with path.open("rb") as lines:
        lines.seek(plan.starts[shard])
        return [Item.from_line(line) for line in itertools.islice(lines, shard_files)]


def find_new(plan: Path, found: Iterable[Item]) -> str | None:
    """Return the name of the first item that was found and is not in the plan, None where all are; what has gone since does not matter.

    Both are in the same order, so that one pass over the two is enough.
    """
    with plan.open("rb") as lines:
        planned = _by_path(map(Item.from_line, lines))
        for path, items in _by_path(found):
            known = next((there for other, there in planned if other == path), None)  # goes on from where it stands
            if known is None:
                return next(items).name
            members = (item.member for item in known)
            for item in items:
                if item.member is not None and item.member not in members:
                    return item.name
    return None


def _by_path(items: Iterable[Item]) -> Iterator[tuple[str, Iterator[Item]]]:
    """Yield each file with its items: itself, or the members of an archive."""
    return itertools.groupby(items, key=lambda item: item.path)
