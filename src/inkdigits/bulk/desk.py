"""A reading process and its keeper: items go in through a pipe, rows come out; one that hangs or dies is replaced.

The keeper gives an item a second try in a fresh process; what hangs or kills that one too is recorded as an error, and the next is read.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any

from ..errors import Damaged, InkdigitsError, ModelError, ReadError, ReadTimeout
from ..limits import Limits
from ..promises import Promises
from .items import Item
from .reading import Row, failure, read_item

START_SECONDS = 120.0  # a busy machine takes its time to start a process
STARTS = 3  # processes that may die, or say nothing, before one is ready
TRIES = 2
PATIENCE = 0.2  # seconds after which the keeper looks up from the pipe


@dataclass(frozen=True)
class Work:
    """What a reading process needs to know, wherever it runs.

    Attributes:
        weights: what `classify.read_model` gave.
        options: those of `Reader.read`.
        limits: its ceilings; `max_seconds` is what one page may take.
        root: folder that relative paths start from.
        promises: for `max_error`; None takes those of the weights.
    """

    weights: tuple[bytes, str, dict[str, Any] | None]
    options: dict[str, Any] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    root: str = ""
    promises: Promises | None = None


@dataclass(slots=True)
class Seconds:
    """Where the time of a file went: unpacking and decoding it, reading what it shows."""

    decode: float = 0.0
    read: float = 0.0


class Stopped(Exception):
    """The keeper was told to stop: the shard is left as if it had not been begun."""


class _Lost(Exception):
    """The process is gone, after giving these rows."""

    def __init__(self, rows: list[Row], reason: ReadError) -> None:
        super().__init__(reason)
        self.rows, self.reason = rows, reason


class Desk:
    """The keeper of one reading process."""

    def __init__(self, work: Work, is_stopped: Callable[[], bool] = lambda: False) -> None:
        """Start the process; it loads the model on its own.

        Args:
            work: what it needs to know.
            is_stopped: asked now and then; once it says yes, `read` raises `Stopped`.
        """
        self._work, self._is_stopped = work, is_stopped
        self._start()

    def read(self, item: Item) -> tuple[list[Row], Seconds]:
        """Return the rows of an item, at least one, and where its time went.

        Raises:
            ModelError: the process cannot be started.
            Stopped: see `is_stopped`.
        """
        for _ in range(TRIES):
            self._wait_until_ready()
            try:
                return self._ask(item)
            except _Lost as error:
                lost = error
                self._replace()
        number = lost.rows[-1]["page_number"] if lost.rows else None
        digest = lost.rows[-1]["sha256"] if lost.rows else None
        return [*lost.rows, failure(item.name, lost.reason, number and number + 1, digest)], Seconds()

    def close(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.join()
        self._pipe.close()

    def _ask(self, item: Item) -> tuple[list[Row], Seconds]:
        rows: list[Row] = []
        try:
            self._pipe.send(item)
            while True:
                said = self._hear(self._work.limits.max_seconds)
                if isinstance(said, dict):
                    rows.append(said)
                elif isinstance(said, Seconds):
                    return rows, said
                elif said is not None:  # None is a sign of life
                    raise said
        except TimeoutError as error:
            raise _Lost(rows, ReadTimeout(f"reading took longer than {self._work.limits.max_seconds:g} s")) from error
        except (EOFError, OSError) as error:
            raise _Lost(rows, Damaged("the process that read this died of it")) from error

    def _hear(self, seconds: float) -> Any:
        """Return what the process says next.

        Raises:
            TimeoutError: it says nothing for so long.
            EOFError, OSError: it is gone.
            Stopped: see `is_stopped`.
        """
        end = time.monotonic() + seconds
        while not self._pipe.poll(min(PATIENCE, max(0.0, end - time.monotonic()))):
            if self._is_stopped():
                raise Stopped
            if time.monotonic() >= end:
                raise TimeoutError
        return self._pipe.recv()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")  # ONNX Runtime's threads do not survive a fork
        self._pipe, theirs = context.Pipe()
        # its work comes later: arguments that fill a pipe would hold the keeper for good if the process died before it took them
        self._process = context.Process(target=_work, args=(theirs,), name="inkdigits-bulk", daemon=True)
        self._process.start()
        theirs.close()
        self._is_ready = False

    def _wait_until_ready(self) -> None:
        """Have the process prepare itself; one that dies of it is replaced.

        Raises:
            ModelError: the model is none, or no process can be started.
            Stopped: see `is_stopped`.
        """
        for _ in range(STARTS):
            if self._is_ready or self._prepare():
                return
            self._replace()
        raise ModelError(f"the process that reads could not be started; it was tried {STARTS} times")

    def _prepare(self) -> bool:
        """Tell the process what it needs to know, once it is there to take it, and return whether it lives to say that it is ready."""
        try:
            self._hear(START_SECONDS)
            self._pipe.send(self._work)
            said = self._hear(START_SECONDS)
        except (EOFError, OSError):  # TimeoutError is one of these
            return False
        if said is not True:
            raise said
        self._is_ready = True
        return True

    def _replace(self) -> None:
        self.close()
        self._start()


def _work(pipe: Connection) -> None:
    """Say that it is there, take the `Work`, say that it is ready, and read items until the pipe is closed."""
    for stop in (signal.SIGINT, signal.SIGTERM):  # the keeper, which gets them too, says when it is over
        signal.signal(stop, signal.SIG_IGN)
    threading.Thread(target=leave_with_keeper, daemon=True).start()
    with contextlib.suppress(EOFError, OSError):  # the keeper is gone
        pipe.send(None)
        work = pipe.recv()
        try:
            reader, unpacker = _prepare(work)
        except InkdigitsError as error:
            pipe.send(error)
            return
        pipe.send(True)
        while True:
            item, seconds = pipe.recv(), Seconds()
            for row in _rows(item, reader, unpacker, work, seconds, lambda: pipe.send(None)):
                pipe.send(row)
            pipe.send(seconds)


def _rows(item: Item, reader: Any, unpacker: Any, work: Work, seconds: Seconds, beat: Callable[[], None]) -> Iterator[Row]:
    try:
        yield from read_item(item, reader, unpacker, work, seconds, beat)
    except InkdigitsError:
        raise
    except Exception as error:  # a mistake of ours costs this file only; its place is told, its words may tell what the picture holds
        place = traceback.extract_tb(error.__traceback__)[-1]
        yield failure(item.name, Damaged(f"{type(error).__name__} at {os.path.basename(place.filename)}:{place.lineno}"))


def _prepare(work: Work) -> tuple[Any, Any]:
    """Return a reader that uses one thread, and what opens archives."""
    import cv2

    from ..classify import Classifier
    from ..kinds import default_kinds
    from ..reader import Reader
    from .archives import Unpacker

    cv2.setNumThreads(1)  # the other cores are for the other processes
    data, name, meta = work.weights
    reader = Reader(Classifier(data, name=name, meta=meta, threads=1), work.limits, work.promises)
    with _on_one_core():
        default_kinds()  # takes a thread a core it may run on
    return reader, Unpacker()


@contextlib.contextmanager
def _on_one_core() -> Iterator[None]:
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def leave_with_keeper(leave: Callable[[int], object] = os._exit, argument: int = 1) -> None:
    """End this process with the one that started it, even where that was killed and this one hangs in a picture."""
    keeper = multiprocessing.parent_process()
    if keeper is not None:
        wait([keeper.sentinel])
        leave(argument)
