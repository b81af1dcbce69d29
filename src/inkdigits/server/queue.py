"""Jobs come in from the event loop; they wait their turn in a bounded queue and are done at desks, off the loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from ..errors import Busy, ReadTimeout
from ..limits import ServerLimits
from ..reader import Reader
from . import jobs
from .jobs import Answer


class Desk(Protocol):
    """A place where one job at a time is done; called from a thread of its own."""

    @property
    def is_ready(self) -> bool:
        """Whether a job would be begun at once."""

    def do(self, seconds: float, job: str, data: bytes, options: dict[str, Any]) -> Answer:
        """Do a job, within `seconds` if it can be stopped."""

    def close(self) -> None:
        """Give back what the desk holds."""


class ThreadDesk:
    """A desk in this process: the caller's own reader. What runs too long cannot be stopped, and keeps its desk until it ends."""

    is_ready = True

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def do(self, seconds: float, job: str, data: bytes, options: dict[str, Any]) -> Answer:
        """Do a job; `seconds` is the caller's to watch."""
        return jobs.do(self._reader, job, data, options)

    def close(self) -> None:
        """Nothing is held."""


class Queue:
    """Desks, and a bounded number of jobs that wait for one."""

    def __init__(self, desks: Sequence[Desk], limits: ServerLimits) -> None:
        self.desks = list(desks)
        self.waiting = 0
        self._limits = limits
        self._free: asyncio.Queue[Desk] = asyncio.Queue()
        for desk in self.desks:
            self._free.put_nowait(desk)
        self._threads = ThreadPoolExecutor(len(self.desks), thread_name_prefix="inkdigits-desk")

    @property
    def is_ready(self) -> bool:
        """Whether any desk is."""
        return any(desk.is_ready for desk in self.desks)

    @property
    def reading(self) -> int:
        """How many desks are at work."""
        return len(self.desks) - self._free.qsize()

    async def do(self, job: str, data: bytes, options: dict[str, Any] | None = None) -> Answer:
        """Return the answer to a job.

        Raises:
            Busy: too many wait already, or no desk became free in time.
            ReadTimeout: the job was begun and took too long.
            InkdigitsError: see `jobs.do`.
        """
        end = time.monotonic() + self._limits.max_seconds
        desk = await self._desk(self._limits.max_seconds / 2)
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._threads, desk.do, max(0.1, end - time.monotonic()), job, data, options or {})
        work.add_done_callback(lambda done: self._give_back(desk, done))
        try:
            # a desk that can stop its work does so by itself; the half second lets it say so
            return await asyncio.wait_for(asyncio.shield(work), end - time.monotonic() + 0.5)
        except TimeoutError as error:
            raise ReadTimeout(f"reading took longer than {self._limits.max_seconds:g} s; send a smaller picture") from error

    def close(self) -> None:
        """Wait for what was begun, then give everything back."""
        self._threads.shutdown()
        for desk in self.desks:
            desk.close()

    def check(self) -> None:
        """Raise `Busy` where a job would find no place to wait: to be asked before its body is received."""
        if self._free.empty() and self.waiting >= self._limits.max_waiting:
            raise Busy("too much is being read already; try again in a second")

    async def _desk(self, seconds: float) -> Desk:
        """Return a free desk; half of the time may go by before, so that what is begun has time to end."""
        self.check()
        if not self.waiting and not self._free.empty():
            return self._free.get_nowait()  # at once: who has a desk must not be counted as waiting when the next one asks
        self.waiting += 1
        try:
            return await asyncio.wait_for(self._free.get(), seconds)
        except TimeoutError as error:
            raise Busy(f"no turn came within {seconds:g} s; try again in a second") from error
        finally:
            self.waiting -= 1

    def _give_back(self, desk: Desk, done: asyncio.Future[Answer]) -> None:
        if not done.cancelled():
            done.exception()  # seen: nobody may be waiting for it any more
        self._free.put_nowait(desk)
