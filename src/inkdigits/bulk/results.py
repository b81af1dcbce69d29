"""The folder of results: its manifest, its plan, its shards. What is not of the same job is refused; what is half-written is cleared away.

part-00000.parquet …   the rows, a file a shard: whatever opens Parquet opens them at any time
_timings.jsonl         how long each shard took
_manifest.json _plan.jsonl _lock _writing/    ours; with _ in front, since pandas takes all else in the folder for Parquet
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import DataError, UsageError, one_line
from ..files import make_folder, write_text
from .items import Item
from .plan import Plan, expand, find_new, read_shard, write_plan
from .progress import counted
from .rows import Counts, look_over
from .shard import Done

MANIFEST, PLAN, TIMINGS, LOCK, WRITING = "_manifest.json", "_plan.jsonl", "_timings.jsonl", "_lock", "_writing"
OURS = (PLAN, LOCK, WRITING, ".writing-")  # what may be there before the manifest


@dataclass(frozen=True)
class Job:
    """What is to be done with what; two jobs with the same `described` give the same bytes.

    Attributes:
        described: inputs, model and settings, JSON-safe.
        shard_files: files a shard.
        root: folder that relative paths start from; "" where there are none.
        model: what the column `model` says.
    """

    described: dict[str, Any]
    shard_files: int
    root: str
    model: str


class Results:
    """The results of one job, made by `begin` or `open_finished`."""

    def __init__(self, folder: Path, job: Job, plan: Plan) -> None:
        self.folder, self.job, self.plan = folder, job, plan
        text = json.dumps([job.described, plan.sha256], sort_keys=True)
        self.fingerprint = hashlib.sha256(text.encode()).hexdigest()

    @property
    def shards(self) -> int:
        """How many shards there are."""
        return len(self.plan.starts)

    def items(self, shard: int) -> list[Item]:
        """Return what a shard is made of."""
        return read_shard(self.folder / PLAN, self.plan, shard, self.job.shard_files)

    def path(self, shard: int) -> Path:
        """Return where a shard's rows are, or will be."""
        return self.folder / f"part-{shard:05}.parquet"

    def look_over(self, shard: int) -> Counts | None:
        """Return what a finished shard holds, None where it is still to be done."""
        return look_over(self.path(shard), self.fingerprint)

    def find_new(self, found: Iterable[Item]) -> str | None:
        """Return the name of the first file, or member of an archive, that came after the plan; see `plan.find_new`."""
        with counted(expand(found, self.job.root), "looking for what is new") as items:
            return find_new(self.folder / PLAN, items)

    def put(self, shard: int, done: Done) -> None:
        """Keep a shard that is read: it is there whole, or not at all.

        Raises:
            OSError: the disk is full, or may not be written to.
        """
        beside = self.folder / WRITING / f"{shard:05}"
        with _naming(self.path(shard)):
            with beside.open("wb") as file:
                file.write(done.data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, self.path(shard))
            told = {"shard": shard, **asdict(done.counts)} | {
                name: round(getattr(done, name), 4) for name in ("seconds", "decode_seconds", "read_seconds")
            }
            with (self.folder / TIMINGS).open("a", encoding="utf-8") as file:
                file.write(json.dumps(told) + "\n")


@contextlib.contextmanager
def begin(folder: Path, job: Job, found: Iterable[Item]) -> Iterator[Results]:
    """Give the results of a job, planned anew or gone on with, to this process alone.

    Args:
        folder: where they are to be.
        job: what is to be done.
        found: the files, as `walking.find_files` finds them.

    Raises:
        UsageError: the folder holds something else: results of another job, or of this one before files were added.
        DataError: another process is at it, or the manifest is damaged.
        NotFound: there is nothing to read.
    """
    _check_ours(folder)
    make_folder(folder)
    with _locked(folder):
        known = _read_manifest(folder)
        if known is None:
            results = _plan(folder, job, found)
        else:
            results = Results(folder, *known)
            _check_same(folder, results.job, job)
            new = results.find_new(found)
            if new is not None:
                raise UsageError(f"{new} is not in the plan of {folder}: it came after; choose another --out")
        shutil.rmtree(folder / WRITING, ignore_errors=True)  # what a run that was killed left
        (folder / WRITING).mkdir()
        try:
            yield results
        finally:
            shutil.rmtree(folder / WRITING, ignore_errors=True)


def open_finished(folder: Path) -> Results:
    """Return results that are whole.

    Raises:
        DataError: there are none, or shards are missing.
    """
    known = _read_manifest(folder)
    if known is None:
        raise DataError(f"{folder} holds no results of inkdigits bulk")
    results = Results(folder, *known)
    missing = sum(results.look_over(shard) is None for shard in range(results.shards))
    if missing:
        raise DataError(f"{missing} of {results.shards} shards in {folder} are still to be read; run the same command again to go on")
    return results


def _plan(folder: Path, job: Job, found: Iterable[Item]) -> Results:
    with counted(expand(found, job.root), "planning") as items:
        plan = write_plan(folder / PLAN, items, job.shard_files)
    if not plan.files:
        (folder / PLAN).unlink()
        raise DataError("there is no picture in what is to be read")
    results = Results(folder, job, plan)
    said = {"format": 1, "fingerprint": results.fingerprint, "job": asdict(job), "plan": asdict(plan)}
    write_text(folder / MANIFEST, json.dumps(said, indent=2) + "\n")  # as ASCII: the name of a folder may be no UTF-8
    return results


def _read_manifest(folder: Path) -> tuple[Job, Plan] | None:
    try:
        said = json.loads((folder / MANIFEST).read_text("utf-8"))
        return Job(**said["job"]), Plan(**said["plan"])
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{folder / MANIFEST} is damaged; choose another --out") from error


def _check_ours(folder: Path) -> None:
    """Refuse a folder that holds something else: nothing of anybody's is mixed with ours."""
    if folder.is_dir() and not (folder / MANIFEST).exists():
        foreign = next((entry.name for entry in os.scandir(folder) if not entry.name.startswith(OURS)), None)
        if foreign is not None:
            raise UsageError(f"{folder} holds something else ({foreign}); --out takes an empty folder, or results to go on with")


def _check_same(folder: Path, known: Job, job: Job) -> None:
    there, now = json.loads(json.dumps(asdict(known))), json.loads(json.dumps(asdict(job)))
    there, now = (said["described"] | {"shard-files": said["shard_files"]} for said in (there, now))
    for name in there | now:
        if there.get(name) != now.get(name):
            was, is_ = json.dumps(there.get(name)), json.dumps(now.get(name))
            raise UsageError(f"{folder} was begun with another {name} ({one_line(was, 40)}, now {one_line(is_, 40)}); choose another --out")


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other processes out; the lock is gone with this one, however it ends."""
    with (folder / LOCK).open("a") as file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:  # Windows: two at once are the user's own care
            pass
        except OSError as error:
            raise DataError(f"another process is writing to {folder}") from error
        yield


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Let an error name the file that was to be written."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise
