"""Settings of `inkdigits serve` come in; a server runs until it is stopped, and ends what it began."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
import sys
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from ..errors import UsageError
from ..limits import Limits, ServerLimits
from ..reader import Reader
from ..signals import Signals
from .app import create_app
from .deadlines import protocol
from .gate import LOOPBACK
from .jobs import warm_up
from .watching import LOG, JsonLines
from .workers import ProcessDesk

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # no letters that are taken for digits: people type it
TOKEN_LETTERS = 12  # 59 bits
ANYWHERE = ("0.0.0.0", "::")  # to listen on: any address of this machine


@dataclass(frozen=True)
class Settings:
    """What `inkdigits serve` was asked for; see its flags."""

    host: str = "127.0.0.1"
    port: int = 8000
    open_browser: bool = False
    token: str | None = None
    hosts: tuple[str, ...] = ()
    workers: int = 2
    model: str | None = None
    collect: Path | None = None
    log: bool = False
    name: str | None = None  # the address that others use, where the one listened on is any


def serve(settings: Settings, signals: Signals, tell: Callable[[str, str], None]) -> None:
    """Run the server until it is told to stop.

    Args:
        settings: what was asked for.
        signals: tells it to stop; whoever calls has it take the signals.
        tell: called once it listens, with the address to open and the same address without the token.

    Raises:
        ModelError: the model cannot be loaded.
        UsageError: the address cannot be used.
        SystemExit: a signal came.
    """
    limits = Limits()
    reader = Reader.load(settings.model, limits)
    signals.check()
    listening = listen(settings.host, settings.port)
    with contextlib.ExitStack() as closing:
        desks = [closing.enter_context(contextlib.closing(ProcessDesk(settings.model, limits))) for _ in range(settings.workers)]
        server_limits = ServerLimits()
        if not desks:
            warm_up(reader)
        name = settings.name or settings.host
        hosts = {*LOOPBACK, *settings.hosts, *_named(name)}
        app = create_app(reader, server_limits, hosts=hosts, token=settings.token, collect=settings.collect, desks=desks or None)
        _set_up_logging(settings.log)
        address = _address(name, listening.getsockname()[1])
        _Server(configure(app, server_limits), signals, desks, lambda: _started(settings, address, tell)).run([listening])
    signals.check()


def configure(app: Any, limits: ServerLimits) -> uvicorn.Config:
    """Return uvicorn's settings for an app of `create_app`: deadlines of ours, no access log, time to end what was begun."""
    return uvicorn.Config(
        app,
        http=protocol(limits),
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=int(2 * limits.max_seconds) + 2,
    )


def new_token() -> str:
    """Return a token that nobody can guess and anybody can type."""
    return "".join(secrets.choice(ALPHABET) for _ in range(TOKEN_LETTERS))


def local_address() -> str:
    """Return this machine's address in the local network.

    Raises:
        UsageError: it is in none.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.connect(("192.0.2.1", 9))  # an address that is nobody's: nothing is sent, but the system says which way it would go
            found = str(s.getsockname()[0])
        except OSError:
            found = "127.0.0.1"
    if found.startswith("127."):
        raise UsageError("--lan: this machine is in no network; --host ADDRESS names one")
    return found


class _Server(uvicorn.Server):
    """uvicorn's server that says when it listens, and that ends what it began at the first signal and gives it up at the second.

    uvicorn itself hears no signal before it listens, and tells of an error for each thing that it gives up.
    """

    def __init__(self, config: uvicorn.Config, signals: Signals, desks: Sequence[ProcessDesk], started: Callable[[], None]) -> None:
        super().__init__(config)
        self._signals, self._desks, self._tell_started = signals, desks, started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        loop = asyncio.get_running_loop()
        self._signals.again = lambda: loop.call_soon_threadsafe(self._give_up)
        if not self._signals.first:
            await loop.run_in_executor(None, self._tell_started)

    async def on_tick(self, counter: int) -> bool:
        return await super().on_tick(counter) or self._signals.first != 0

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # they are taken already
        self._signals.again = lambda: None

    def _give_up(self) -> None:
        for desk in self._desks:
            desk.give_up()
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def _started(settings: Settings, address: str, tell: Callable[[str, str], None]) -> None:
    full = f"{address}/?token={settings.token}" if settings.token else address
    tell(full, address)
    if settings.open_browser:
        webbrowser.open(full)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there; port 0 takes a free one.

    Raises:
        UsageError: the port is out of range, or nothing can listen there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    both = host == "::" and socket.has_dualstack_ipv6()  # any address is any of IPv4 too
    try:
        listening = socket.create_server((host, port), family=family, backlog=1024, dualstack_ipv6=both)
    except OverflowError as error:
        raise UsageError(f"--port must be 0 to 65535, got {port}") from error
    except OSError as error:
        raise UsageError(
            f"cannot listen on {_address(host, port)}: {os.strerror(error.errno) if error.errno and error.errno > 0 else error}"
        ) from error
    # an answer is written as head and body: unless both leave at once, the second waits 40 ms for the client's acknowledgement
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _address(host: str, port: int) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}"


def _named(host: str) -> list[str]:
    """Return how a Host header names the address listened on; one that means any address is no name."""
    return [] if host in ANYWHERE else [f"[{host}]" if ":" in host else host]


def _set_up_logging(all_requests: bool) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for name in (LOG, "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.INFO if all_requests else logging.WARNING)
