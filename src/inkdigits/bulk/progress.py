"""What was found and read comes in; a person sees it: a count and a bar on a terminal, a line a minute elsewhere."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self, TypeVar

from .rows import Counts

EVERY = 60.0  # seconds between two lines
T = TypeVar("T")


@contextlib.contextmanager
def counted(items: Iterable[T], doing: str) -> Iterator[Iterator[T]]:
    """Give the same items; while they are taken, a person sees how many there were."""
    count = 0

    def taken() -> Iterator[T]:
        nonlocal count
        for item in items:
            count += 1
            yield item

    with _told(lambda: f"{doing}: {count:,} files"):
        yield taken()


@contextlib.contextmanager
def _told(say: Callable[[], str]) -> Iterator[None]:
    """Have a line told again and again, whatever this thread is at: sorting a folder and unpacking an archive give no files for long."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        with Live(get_renderable=lambda: Text(say()), console=Console(stderr=True), redirect_stdout=False, transient=True):
            yield
        return
    over = threading.Event()

    def tell() -> None:
        while not over.wait(EVERY):
            print(say(), file=sys.stderr, flush=True)

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class Progress:
    """Counts what is read; may be told from several threads."""

    def __init__(self, files: int, before: Counts) -> None:
        """Begin.

        Args:
            files: how many there are in all.
            before: what earlier runs have read.
        """
        self._files, self._before = files, before
        self._now = Counts()
        self._lock = threading.Lock()
        self._start = self._told = time.monotonic()
        self._bar: Any = None

    def __enter__(self) -> Self:
        """Draw the bar, on a terminal."""
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
            from rich.progress import Progress as Bar

            columns = (TextColumn("reading"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[said]}"))
            self._bar = Bar(*columns, console=Console(stderr=True), redirect_stdout=False, transient=True)
            self._task = self._bar.add_task("", total=self._files, completed=self._before.files, said="")
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        if self._bar:
            self._bar.stop()

    def tick(self, counts: Counts) -> None:
        """Add what was read."""
        with self._lock:
            self._now += counts

    def show(self) -> None:
        """Move the bar, or say a line when it is time."""
        if self._bar:
            self._bar.update(self._task, completed=self._before.files + self._now.files, said=self._describe())
        elif time.monotonic() - self._told >= EVERY:
            self._told = time.monotonic()
            print(f"{self._before.files + self._now.files:,} of {self._files:,} files, {self._describe()}", file=sys.stderr, flush=True)

    def _describe(self) -> str:
        seconds, errors = time.monotonic() - self._start, self._before.errors + self._now.errors
        said = [f"{self._now.pages / seconds:.1f} pages/s", f"{errors:,} error{'s' * (errors != 1)}"]
        if self._now.files:
            left = (self._files - self._before.files - self._now.files) * seconds / self._now.files
            said.append(f"{_clock(left)} left")
        memory = resident()
        return ", ".join(said + ([f"{memory / 1e6:,.0f} MB"] if memory else []))

    def summary(self) -> str:
        """Return what was done, in one line."""
        seconds, now, all_ = time.monotonic() - self._start, self._now, self._before + self._now
        said = f"{all_.files:,} files, {all_.pages:,} pages: {all_.pages - all_.errors:,} read, {all_.errors:,} with an error"
        if now.files == all_.files:
            return f"{said}; {_clock(seconds)}, {now.pages / max(seconds, 1e-9):.1f} pages/s"
        if not now.files:
            return f"{said}; nothing was left to do"
        return f"{said}; {now.files:,} files of these now, in {_clock(seconds)}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"


def resident() -> int:
    """Return the bytes of memory that this process and those it started hold; 0 where the system does not tell."""
    waiting, held = [os.getpid()], 0
    while waiting:
        with contextlib.suppress(OSError, ValueError, IndexError):  # it may have ended
            pid = waiting.pop()
            held += _pages(f"/proc/{pid}/statm") * os.sysconf("SC_PAGE_SIZE")
            for thread in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{thread}/children") as file:
                    waiting += map(int, file.read().split())
    return held


def _pages(path: str) -> int:
    with open(path) as file:
        return int(file.read().split()[1])
