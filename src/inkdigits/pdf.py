"""The bytes of a PDF come in, its pages come out as pictures, one rendered at a time: in a process of its own, within its time and memory.

What that process answers is taken for no more than a stranger's bytes, either: sizes are checked before anything is made of them.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from .arrays import check_size
from .errors import Damaged, InkdigitsError, ReadTimeout, TooManyPages, TooManyPixels, Unsupported, install_hint
from .limits import Limits

LONGEST_ANSWER = 200  # bytes of a line that the renderer tells


def render_pages(data: bytes, limits: Limits) -> Iterator[NDArray[np.uint8]]:
    """Yield the pages of a PDF, uint8 of shape (H, W, 3) RGB, at 200 pixels to the inch or as many as the limits allow.

    Raises:
        Unsupported: the extra `formats` is not installed, or the PDF is locked with a password.
        TooManyPages: it has more than `max_pages`; nothing was rendered.
        TooManyPixels: rendering a page needs more memory than it may have.
        ReadTimeout: a page takes longer than `max_seconds`.
        Damaged: it cannot be rendered.
    """
    if importlib.util.find_spec("pypdfium2") is None:
        # a ReadError, not a MissingExtra: one such file among hundreds costs that file only
        raise Unsupported(f"this is a PDF document; to read it, type: {install_hint('formats')}")
    with _Renderer(data, limits) as renderer:
        for _ in range(renderer.begin()):
            yield renderer.page()


class _Renderer:
    """The process that renders, and the clock that ends it."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        self._data, self._limits = data, limits
        ceilings = (limits.max_pages, limits.max_pixels, limits.max_side)
        command = [sys.executable, "-P", str(Path(__file__).with_name("pdf_renderer.py")), *map(str, ceilings)]
        # it finds what this process finds; but never what lies in the folder where somebody reads pictures
        here = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=here)
        self._in, self._out = cast(io.BufferedWriter, self._process.stdin), cast(io.BufferedReader, self._process.stdout)
        self._is_late = False

    def __enter__(self) -> _Renderer:
        return self

    def __exit__(self, *_: object) -> None:
        """End the process, which may be at the next page already."""
        self._process.kill()
        for pipe in (self._in, self._out):
            with contextlib.suppress(OSError):  # what was not sent yet need not be
                pipe.close()
        self._process.wait()

    def begin(self) -> int:
        """Hand the PDF over and return how many pages it has."""
        with self._watched():
            with contextlib.suppress(BrokenPipeError):  # it ended early, and its answer tells why
                self._in.write(self._data)
                self._in.close()
            (pages,) = self._answer("pages")
        if pages > self._limits.max_pages:
            raise self._reason("pages")
        return pages

    def page(self) -> NDArray[np.uint8]:
        """Return the next page."""
        with self._watched():
            width, height, stride = self._answer("width", "height", "stride")
            check_size(width, height, self._limits)
            if not 3 * width <= stride < 3 * width + 8:
                raise self._reason()
            rows = np.empty((height, stride), np.uint8)
            if self._out.readinto(rows.data.cast("B")) != rows.nbytes:
                raise self._reason()
        return np.ascontiguousarray(rows[:, : 3 * width]).reshape(height, width, 3)

    def _answer(self, *names: str) -> list[int]:
        """Return the numbers of these names that the process tells next."""
        line = self._out.readline(LONGEST_ANSWER)
        try:
            said = json.loads(line)
            if "error" in said:
                raise self._reason(said["error"])
            return [int(said[name]) for name in names]
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise self._reason() from error

    def _reason(self, code: object = None) -> InkdigitsError:
        """Return the error that tells why there is no answer."""
        if self._is_late:
            return ReadTimeout(f"a page of the PDF takes longer than {self._limits.max_seconds:g} s to render")
        if code == "pages":
            return TooManyPages(f"the PDF has more than {self._limits.max_pages} pages, which is the limit")
        if code == "password":
            return Unsupported("the PDF is locked with a password, expected one that opens without")
        if code == "memory":
            return TooManyPixels("the PDF needs more memory than it may have")
        return Damaged("damaged PDF: it cannot be rendered")

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """End the process when the block takes longer than it may; what it waits for then fails."""
        clock = threading.Timer(self._limits.max_seconds, self._end_late)
        clock.daemon = True
        clock.start()
        try:
            yield
        finally:
            clock.cancel()

    def _end_late(self) -> None:
        self._is_late = True
        self._process.kill()
