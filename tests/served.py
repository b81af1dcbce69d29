"""Servers for the tests: one in a thread with limits of the test's choosing, and the real command in a process of its own."""

from __future__ import annotations

import contextlib
import io
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import numpy as np
import uvicorn
from PIL import Image

from inkdigits import Reader
from inkdigits.limits import ServerLimits
from inkdigits.server.app import create_app
from inkdigits.server.running import configure, listen
from inkdigits.synthetic import make_page

JPEG = {"Content-Type": "image/jpeg"}


def photo(text: str = "2071", seed: int = 3, size: tuple[int, int] = (480, 200)) -> bytes:
    """A made photo as a JPEG."""
    image, _ = make_page(text, seed=seed, dirt="clean", size=size)
    out = io.BytesIO()
    Image.fromarray(image).save(out, "JPEG", quality=90)
    return out.getvalue()


def white(width: int, height: int) -> bytes:
    """An empty page as a PNG, as small as it can be."""
    out = io.BytesIO()
    Image.fromarray(np.full((height, width), 255, np.uint8)).save(out, "PNG")
    return out.getvalue()


class Served:
    """A server that runs: its address, a client for it, and what it said when it started."""

    def __init__(self, port: int, pid: int, told: str = "") -> None:
        self.port, self.pid, self.told = port, pid, told
        self.url = f"http://127.0.0.1:{port}"
        self.client = httpx.Client(base_url=self.url, timeout=60, trust_env=False)

    def connect(self) -> socket.socket:
        """A bare connection."""
        return socket.create_connection(("127.0.0.1", self.port), 30)

    def raw(self, request: bytes, seconds: float = 15) -> bytes:
        """Send bytes as they are; return all that comes until the server hangs up."""
        with self.connect() as s:
            s.settimeout(seconds)
            with contextlib.suppress(OSError):
                s.sendall(request)
            return until_closed(s)

    def read(self, picture: bytes, **options: Any) -> httpx.Response:
        return self.client.post("/v1/read", content=picture, headers=JPEG, params=options)


def until_closed(s: socket.socket) -> bytes:
    """All that comes until the other side hangs up."""
    got = b""
    try:
        while part := s.recv(65536):
            got += part
    except ConnectionResetError:
        pass
    return got


@contextlib.contextmanager
def serving(app: Any = None, limits: ServerLimits | None = None, **options: Any) -> Iterator[Served]:
    """Run an app in a thread, by default ours with the default weights."""
    limits = limits or ServerLimits()
    app = app or create_app(Reader.load(), limits, **options)
    server = uvicorn.Server(configure(app, limits))
    listening = listen("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    wait_for(lambda: server.started)
    served = Served(listening.getsockname()[1], os.getpid())
    try:
        yield served
    finally:
        served.client.close()
        server.should_exit = True
        thread.join(60)
        assert not thread.is_alive()


@contextlib.contextmanager
def command(*arguments: object, **environment: str) -> Iterator[tuple[Served, subprocess.Popen[str]]]:
    """Run `inkdigits serve` in a process, on a free port."""
    words = [sys.executable, "-m", "inkdigits", "serve", "--port", "0", *map(str, arguments)]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | environment)
    lines: list[str] = []
    try:
        assert process.stderr
        for line in process.stderr:
            lines.append(line)
            found = re.search(r"http://[\w.\[\]:]+:(\d+)", line)
            if found:
                break
        else:
            raise AssertionError("".join(lines))
        yield Served(int(found[1]), process.pid, "".join(lines)), process
    finally:
        process.kill()
        process.communicate()


def wait_for(is_so: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it did not become so in time"
        time.sleep(0.01)


def check_error(answer: httpx.Response, status: int, code: str) -> str:
    """An error has the one shape; its detail is returned."""
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"}
    error = answer.json()["error"]
    assert set(error) == {"code", "detail"}
    assert error["code"] == code
    assert 5 <= len(error["detail"]) <= 200
    assert error["detail"].isprintable()
    assert "Traceback" not in answer.text
    return str(error["detail"])
