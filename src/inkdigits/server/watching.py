"""Requests and their answers pass by; counters for Prometheus and one JSON line each come out: no file names, no addresses, no pictures."""

from __future__ import annotations

import json
import logging
import os
import time
import traceback
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..drift import Signs
from ..promises import Promises
from .answers import unexpected
from .queue import Queue

LOG = "inkdigits.server"
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """What is counted, in a registry of its own: two apps in one process do not add up."""

    def __init__(self, queue: Queue, promises: Promises) -> None:
        """Count what passes, compare it with what was promised on, and look at `queue` when asked."""
        self.registry = CollectorRegistry()
        self.requests = Counter("inkdigits_requests", "Requests answered.", ["route", "status"], registry=self.registry)
        self.seconds = Histogram(
            "inkdigits_request_seconds", "Seconds from head to answer.", ["route"], buckets=SECONDS, registry=self.registry
        )
        self.digits = Counter("inkdigits_digits", "Digits read.", registry=self.registry)
        self.unsure = Counter("inkdigits_unsure_digits", "Digits that the reader would not vouch for.", registry=self.registry)
        Gauge("inkdigits_waiting", "Requests that wait for their turn.", registry=self.registry).set_function(lambda: queue.waiting)
        Gauge("inkdigits_reading", "Requests at work.", registry=self.registry).set_function(lambda: queue.reading)
        self._watches = {single: promises.watch(single) for single in (False, True)}
        unlike = Gauge("inkdigits_unlike", "1: pictures are unlike those promised on.", ["pictures"], registry=self.registry)
        for single, watch in self._watches.items():
            if watch:
                unlike.labels("single" if single else "page").set_function(partial(getattr, watch, "is_alarmed"))

    def compare(self, signs: Signs | None, single: bool) -> None:
        """Compare one more picture, of one digit or not, and log when it becomes plain that pictures are unlike those promised on."""
        watch = self._watches[single]
        said = watch.see(signs) if watch else None
        if said:
            logging.getLogger(LOG).warning("drift", extra={"entry": {"pictures": "single" if single else "page", "detail": said}})

    def text(self) -> bytes:
        """Return all of it in Prometheus's text format."""
        return generate_latest(self.registry)


class Watch:
    """ASGI middleware that counts and logs each request when it has been answered."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        """Watch `app`."""
        self.app = app
        self._metrics = metrics
        self._log = logging.getLogger(LOG)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and note what became of it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, received, start = 0, 0, time.perf_counter()

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        async def receiving() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            return message

        try:
            await self.app(scope, receiving, sending)
        except Exception:  # a mistake of ours: answered here, so that the connection lives on
            self._log.error("a request failed", exc_info=True)
            if status:
                raise
            await unexpected()(scope, receive, sending)
        finally:
            self._note(scope, status, received, time.perf_counter() - start)

    def _note(self, scope: Scope, status: int, received: int, seconds: float) -> None:
        # the route as we wrote it, never the path as it was sent: that may be somebody's file name
        route = getattr(scope.get("route"), "path", None) or "other"
        self._metrics.requests.labels(route, status).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        method = scope["method"] if scope["method"] in ("GET", "POST", "HEAD") else "other"
        entry = {"method": method, "route": route, "status": status, "seconds": round(seconds, 4), "bytes": received}
        self._log.info("request", extra={"entry": entry})


class JsonLines(logging.Formatter):
    """One JSON object a line; of an exception its kind and its places, not its words."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of one record."""
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))
        line = {"time": when, "level": record.levelname.lower(), "event": record.getMessage()} | getattr(record, "entry", {})
        if record.exc_info and record.exc_info[1]:
            error = record.exc_info[1]
            places = [f"{os.path.basename(f.filename)}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)]
            line["error"] = type(error).__name__
            line["at"] = places[-8:]
        return json.dumps(line, ensure_ascii=False)
