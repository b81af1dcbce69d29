"""SIGINT and SIGTERM come in; they are noted, and whoever serves looks at the note where it can end well."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker
from types import FrameType, TracebackType
from typing import Any

STOPS = (signal.SIGINT, signal.SIGTERM)


class Signals:
    """While the block runs, SIGINT and SIGTERM end nothing by themselves, however often they come.

    Attributes:
        first: number of the one that came first, 0 while none has.
        again: called at every one after the first.
    """

    def __init__(self) -> None:
        """Note nothing yet."""
        self.first = 0
        self.again: Callable[[], object] = lambda: None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Signals:
        """Take the two signals over."""
        self._before = {number: signal.signal(number, self._note) for number in STOPS}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Give the signals back; whoever asked for the end may go on asking while Python ends."""
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_IGN if self.first else handler)

    def check(self) -> None:
        """Leave with the exit code of the signal that came, if one came."""
        if self.first:
            sys.exit(128 + self.first)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.first:
            self.again()
        else:
            self.first = number


@contextlib.contextmanager
def unheard() -> Iterator[None]:
    """Have processes that are started in the block hear neither signal: a terminal sends Ctrl-C to all of them, even to one half begun."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # else it is started with the first process, and lifts the mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
