"""A reading process: jobs go in through a pipe, answers come out; one that hangs or dies is replaced."""

from __future__ import annotations

import multiprocessing
import os
import signal
import traceback
from multiprocessing.connection import Connection
from typing import Any

import cv2

from ..classify import Classifier
from ..errors import Busy, Damaged, InkdigitsError, ModelError, ReadTimeout
from ..limits import Limits
from ..reader import Reader
from ..signals import STOPS, unheard
from . import jobs
from .jobs import Answer

START_SECONDS = 120.0  # a busy machine takes its time to start a process


class ProcessDesk:
    """A desk with a process of its own: a picture that hangs or kills it costs that picture, and nothing else."""

    def __init__(self, model: str | os.PathLike[str] | None, limits: Limits) -> None:
        """Start the process; it loads the model on its own."""
        self._given = model, limits
        self._is_given_up = False
        self._start()

    def do(self, seconds: float, job: str, data: bytes, options: dict[str, Any]) -> Answer:
        """Do a job, or end the process after `seconds`.

        Raises:
            ReadTimeout: it took longer.
            Damaged: the process died of it.
            Busy: it was given up.
            InkdigitsError: see `jobs.do`.
        """
        self._wait_until_ready()
        try:
            self._pipe.send((job, data, options))
            if not self._pipe.poll(seconds):
                self._replace()
                raise ReadTimeout("reading took too long; send a smaller picture")
            answer = self._pipe.recv()
        except (EOFError, OSError) as error:
            self._replace()
            raise Damaged("the process that read this picture died of it") from error
        if isinstance(answer, Answer):
            return answer
        raise answer

    @property
    def is_ready(self) -> bool:
        """Whether the process has loaded the model: the first that comes through the pipe says so, and waits there for the first job."""
        try:
            return self._is_ready or (self._process.is_alive() and self._pipe.poll())
        except OSError:  # it is being replaced
            return False

    @property
    def pid(self) -> int | None:
        """The process's number."""
        return self._process.pid

    def close(self) -> None:
        """Let the process end, after what it does; one that is still loading does nothing yet."""
        if not self.is_ready:
            self._process.kill()
        self._pipe.close()
        self._process.join(5)
        self._process.kill()
        self._process.join()

    def give_up(self) -> None:
        """End the process, whatever it does, and start no other."""
        self._is_given_up = True
        self._process.kill()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")  # ONNX Runtime's and the server's threads do not survive a fork
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, *self._given), name="inkdigits-reading", daemon=True)
        with unheard():
            self._process.start()
        theirs.close()
        self._is_ready = False

    def _wait_until_ready(self) -> None:
        if self._is_ready:
            return
        try:
            ready = self._pipe.poll(START_SECONDS) and self._pipe.recv()
        except (EOFError, OSError):
            ready = False
        if ready is not True:
            self._replace()
            raise ready if isinstance(ready, InkdigitsError) else ModelError("the process that reads could not be started")
        self._is_ready = True

    def _replace(self) -> None:
        if self._is_given_up:
            raise Busy("the server is being stopped")
        self._process.kill()
        self._process.join()
        self._pipe.close()
        self._start()


def _work(pipe: Connection, model: str | os.PathLike[str] | None, limits: Limits) -> None:
    """Answer jobs until the pipe is closed."""
    for stop in STOPS:  # the server, which gets them too, says when it is over: by closing the pipe
        signal.signal(stop, signal.SIG_IGN)
    cv2.setNumThreads(1)  # the other cores are for the other processes
    try:
        reader = Reader(Classifier.load(model, threads=1), limits)
        jobs.warm_up(reader)
        pipe.send(True)
        while True:
            job, data, options = pipe.recv()
            try:
                pipe.send(jobs.do(reader, job, data, options))
            except InkdigitsError as error:
                pipe.send(error)
            except Exception as error:
                # a mistake of ours; its place is for the server's log, its words are not: they may tell what the picture holds
                place = traceback.extract_tb(error.__traceback__)[-1]
                pipe.send(RuntimeError(f"{type(error).__name__} at {os.path.basename(place.filename)}:{place.lineno}"))
    except InkdigitsError as error:
        pipe.send(error)
    except (EOFError, OSError):  # the server is gone
        return
