"""Ctrl-C and SIGTERM come in; a word that training looks at between two steps comes out, so that work under way can be saved."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

from ..errors import InkdigitsError


class Stopped(InkdigitsError):
    """Training was asked to stop and did; what it had learned is saved, and the message says how to go on."""

    code = "stopped"

    def __init__(self, reason: object, number: int) -> None:
        """Take the line to be said and the number of the signal."""
        super().__init__(reason)
        self.exit_code = 128 + number  # 130 for SIGINT, 143 for SIGTERM, as shells count


class Stopping:
    """While the block runs, the first SIGINT or SIGTERM is noted in `number` instead of ending the process; a second one ends it at once.

    Outside the main thread Python cannot take signals; there `number` stays 0.
    """

    def __init__(self) -> None:
        """Note nothing yet."""
        self.number = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stopping:
        """Take the two signals over."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Give the signals back."""
        self._give_back()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.number = number
        self._give_back()

    def _give_back(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()
