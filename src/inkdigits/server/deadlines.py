"""uvicorn's HTTP protocol with an end to its patience: a connection that owes us bytes, or will not take ours, is closed in time.

uvicorn has no deadline for a request that never comes whole: neither for its head nor for its body. What HTTP needs is all there, so
only the clock is added.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from ..limits import ServerLimits

GRACE = 1.0  # seconds the app has to tell the client that its body came too late, before we hang up
LINGER_SECONDS = 1.0  # how long a client that was answered early may go on sending, so that it reads the answer
LINGER_BYTES = 32 * 2**20
WRITE_SECONDS = 30.0  # how long a client may take to make room for our answer


class DeadlineProtocol(H11Protocol):
    """One connection; see `protocol` for its limits."""

    limits = ServerLimits()
    _timer: asyncio.TimerHandle | None = None
    _write_timer: asyncio.TimerHandle | None = None
    _thrown_away = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request, or hang up where too many are here."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.max_connections:
            self._refuse(b"503 Service Unavailable", "busy", "too many connections are open; try again in a second")
            return
        self._arm(self.limits.max_seconds)

    def data_received(self, data: bytes) -> None:
        """Take bytes; the clock runs until the request is whole."""
        if self.transport.is_closing():
            return
        if self._timer is None:
            self._arm(self.limits.max_seconds)
        throws_away = self._is_answered_early()
        if throws_away:
            self._thrown_away += len(data)
            if self._thrown_away > LINGER_BYTES:
                self.transport.abort()
                return
        super().data_received(data)
        if self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            self._disarm()
        elif throws_away and not self._is_answered_early():  # all of it came: the next request has time of its own
            self._arm(self.limits.max_seconds)

    def on_response_complete(self) -> None:
        """Wait for the next request, a moment only for a client that is still sending this one."""
        super().on_response_complete()
        self._disarm()
        if self._is_answered_early():
            self._arm(LINGER_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all clocks."""
        self._disarm()
        self.resume_writing()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Begin to wait for a client that does not take our answer."""
        super().pause_writing()
        self._write_timer = self.loop.call_later(WRITE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """The client takes our answer again."""
        super().resume_writing()
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        self._refuse(b"400 Bad Request", "usage", "this is no valid HTTP request")

    def _is_answered_early(self) -> bool:
        return self.cycle is not None and self.cycle.response_complete and self.conn.their_state is h11.SEND_BODY

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._timer = self.loop.call_later(seconds, self._too_late)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_late(self) -> None:
        self._timer = None
        if self.transport.is_closing():
            return
        if self.conn.their_state is h11.SEND_BODY:
            if self.cycle.response_complete:
                self.transport.close()
            else:  # the app's own deadline falls now: its answer is better than none
                self._timer = self.loop.call_later(GRACE, self.transport.abort)
        elif self.conn.trailing_data[0]:
            self._refuse(b"408 Request Timeout", "timeout", f"the request did not arrive within {self.limits.max_seconds:g} s")
        else:  # not a byte: nobody to tell
            self.transport.close()

    def _refuse(self, status: bytes, code: str, detail: str) -> None:
        """Answer without the app, and hang up."""
        body = json.dumps({"error": {"code": code, "detail": detail}}).encode()
        more = b"Retry-After: 1\r\n" if status.startswith(b"503") else b""
        self.transport.write(
            b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n%b\r\n%b"
            % (status, len(body), more, body)
        )
        self.transport.close()


def protocol(limits: ServerLimits) -> type[Any]:
    """Return the protocol class with these limits, as uvicorn's `http` setting takes it."""
    return type("LimitedProtocol", (DeadlineProtocol,), {"limits": limits})
