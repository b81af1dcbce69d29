"""A request's body comes in piece by piece; bytes come out, never more than may be, and never more of all requests than fits."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from ..errors import Busy, TooLarge
from ..limits import ServerLimits


class Bodies:
    """The bodies that are held now, of all requests together."""

    def __init__(self, limits: ServerLimits, desks: int) -> None:
        """Let as many bodies in as may be read and may wait at once, of the largest size."""
        self._seconds = limits.max_seconds
        self._most = (desks + limits.max_waiting) * limits.max_body
        self.held = 0

    @contextlib.asynccontextmanager
    async def receive(self, request: Request, most: int) -> AsyncIterator[bytes]:
        """Give the body of a request; its room is free again when the block ends.

        Raises:
            TooLarge: it has, or says it has, more than `most` bytes.
            Busy: the bodies of others take all the room.
            HTTPException: it did not come in time, or was cut off.
        """
        claimed = request.headers.get("content-length", "")
        if claimed.isdecimal() and int(claimed) > most:
            raise _too_large(most)
        body = bytearray()
        try:
            await self._fill(body, request, most)
            yield bytes(body)
        finally:
            self.held -= len(body)

    async def _fill(self, body: bytearray, request: Request, most: int) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                async for part in request.stream():
                    if len(body) + len(part) > most:
                        raise _too_large(most)
                    if self.held + len(part) > self._most:
                        raise Busy("too much is being sent at once; try again in a second")
                    self.held += len(part)
                    body += part
        except TimeoutError as error:
            raise HTTPException(408, f"the request did not arrive within {self._seconds:g} s") from error
        except ClientDisconnect as error:
            raise HTTPException(400, "the request was cut off") from error


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"the body is larger than {most:,} bytes, which is the limit")
