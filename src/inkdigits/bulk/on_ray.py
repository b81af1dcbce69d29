"""The engine for a cluster: Ray has one shard after the other read, by whichever of its machines has a core to spare.

The shard itself is read as everywhere, by `shard.read_shard` with a desk; Ray does again what a machine that is lost had under way. Files
are opened where they are read, so that every machine has to find them under the same path.
Where no cluster is named, Ray is started on this machine alone: on loopback, behind a token, reporting to nobody, gone with this process.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import secrets
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from ..errors import DataError, InkdigitsError, UsageError
from .desk import PATIENCE, Desk, Work, leave_with_keeper
from .items import Item
from .progress import Progress
from .results import Results
from .shard import Done, read_shard

TRIES = 20  # machines that a shard may lose: if these are so many, it is the shard
STORE = 2**27  # bytes of shared memory for Ray on this machine: it holds the weights, and shards on their way to the disk
STARTS = 3  # of Ray on this machine: it gives up where a busy one takes 15 seconds for one of its processes
SHORT = "/tmp" if os.path.isdir("/tmp") else None  # the path of a socket has 107 characters at most
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_NUM_REDIS_GET_RETRIES": "1",  # or it asks a cluster that has gone for ten minutes
    "RAY_BACKEND_LOG_LEVEL": "fatal",  # what ends a run is raised; its core would write to standard error besides
}
ALONE = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # what keeps Ray on loopback, on every system
    "RAY_AUTH_MODE": "token",  # others on this machine may reach its ports
    "RAY_AUTH_TOKEN": secrets.token_hex(32),
}
# even when told to report nothing Ray's head asks the addresses that clouds have for their machines; this leads nowhere
NOWHERE = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")


def check(address: str) -> None:
    """Find a mistyped address before anything is made.

    Raises:
        UsageError: it is no address of a cluster.
        DataError: nobody is there.
    """
    if address == "auto":  # Ray knows
        return
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdecimal():
        raise UsageError(f"--address must be HOST:PORT of a Ray cluster's head, or auto, got {address!r}")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise DataError(f"there is no Ray cluster at {address} ({_first_line(error)})") from error


def run(results: Results, work: Work, shards: Sequence[int], progress: Progress, *, workers: int | None, address: str | None) -> None:
    """Read shards, each on this machine's disk as soon as it is read; a signal, or the first failure, abandons those under way.

    Args:
        results: where they go.
        work: settings.
        shards: those still to be read.
        progress: told after every shard what it held.
        workers: shards that are read at a time; None takes all cores of the cluster, those that join later too.
        address: of the cluster, as `check` takes it; None starts Ray on this machine.

    Raises:
        DataError: there is no such cluster, Ray cannot be started, or the machines do not do what they should.
        ModelError: a reading process cannot be started.
        OSError: a shard cannot be written.
    """
    with _connected(address, workers) as (ray, ask):
        read = ray.remote(num_cpus=1, max_retries=TRIES)(_read)
        held, version = [ray.put(work)], results.job.described["version"]
        waiting, under_way = iter(shards), dict[Any, int]()
        while True:
            room = (workers or _cores(ray)) - len(under_way)
            for shard in itertools.islice(waiting, max(0, room)):
                under_way[read.remote(held, results.items(shard), version, results.fingerprint, results.job.model)] = shard
            if not under_way:
                return
            ready, _ = ray.wait(list(under_way), timeout=PATIENCE)
            ask()
            for one in ready:
                done = _result(ray, one)
                results.put(under_way.pop(one), done)
                progress.tick(done.counts)
            progress.show()


def _read(held: list[Any], items: list[Item], version: str, fingerprint: str, model: str) -> Done:
    """Read a shard, in one of Ray's processes; the work is held in a list so that Ray gives its name, not a copy for each shard."""
    from .. import __version__

    if version != __version__:
        raise DataError(f"a machine of this cluster has inkdigits {__version__}; the one that asks has {version}")
    return read_shard(_desk(held[0]), items, fingerprint, model)


@functools.cache
def _desk(work: Any) -> Desk:
    """Return the desk of this process, which stays for its next shards and leaves with it."""
    import ray

    vars(sys.modules["__main__"]).pop("__file__", None)  # a program of Ray's, which the reading process would load, too
    return Desk(ray.get(work))


def _cores(ray: Any) -> int:
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def _result(ray: Any, one: Any) -> Done:
    try:
        return ray.get(one)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, InkdigitsError):
            raise error.cause from None
        raise DataError(f"a machine of this cluster cannot read: {error.cause!r}") from error
    except ray.exceptions.RayError as error:
        raise DataError(f"Ray could not have a shard read: {_first_line(error)}") from error


@contextlib.contextmanager
def _connected(address: str | None, workers: int | None) -> Iterator[tuple[Any, Callable[[], None]]]:
    """Give Ray, connected to its cluster, and what asks for a signal; leave it in the end."""
    with _environment(QUIET | ({} if address else ALONE)), contextlib.nullcontext(address) if address else _started(workers or 1) as place:
        import ray

        def connect() -> None:
            try:
                with _silent():  # its core says there which level of its log was asked for
                    ray.init(place, log_to_driver=False, logging_level="CRITICAL")
            except Exception as error:  # it raises what it likes
                raise DataError(f"there is no Ray cluster at {place} ({_first_line(error)})") from error

        try:
            with _patient(connect) as ask:
                yield ray, ask
        finally:
            ray.shutdown()


@contextlib.contextmanager
def _started(workers: int) -> Iterator[str]:
    """Run Ray on this machine and give its address."""
    for _ in range(STARTS):
        with tempfile.TemporaryDirectory(prefix="ink-", dir=SHORT, ignore_cleanup_errors=True) as folder:
            head = get_context("spawn").Process(target=_be_head, args=(folder, workers), name="inkdigits-ray", daemon=True)
            head.start()
            try:
                told = Path(folder, "ray_current_cluster")
                while head.is_alive() and not told.exists():
                    time.sleep(0.05)
                if told.exists():
                    yield told.read_text("utf-8").strip()
                    return
            finally:
                _kill_group(head.pid or 0)
                head.kill()  # if it had no group yet
                head.join()
    raise DataError("Ray could not be started on this machine, which may be too busy; --engine local needs none")


def _be_head(folder: str, workers: int) -> None:
    """Be Ray's head until the process that wants it ends."""
    if hasattr(os, "setsid"):
        os.setsid()  # Ctrl-C is for the process that started this one
    nobody = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(nobody, stream)
    threading.Thread(target=leave_with_keeper, args=(_kill_group, os.getpid()), daemon=True).start()
    os.environ.update(NOWHERE)
    from ray.scripts.scripts import cli

    settings = ("--port=0", "--min-worker-port=0", "--max-worker-port=0", "--include-dashboard=false", "--include-log-monitor=false")
    cli(["start", "--head", "--block", *settings, f"--temp-dir={folder}", f"--num-cpus={workers}", f"--object-store-memory={STORE}"])


def _kill_group(head: int) -> None:
    """Kill Ray's head and what it started, some of which would outlive it."""
    with contextlib.suppress(ProcessLookupError, AttributeError):  # it is gone; this system has no groups
        os.killpg(head, signal.SIGKILL)


@contextlib.contextmanager
def _environment(settings: dict[str, str]) -> Iterator[None]:
    """Set what Ray reads when it is imported, and what those inherit that it starts; afterwards all is as it was."""
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Have standard error lead nowhere, for code that is not Python's as well."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # it is closed
            kept = os.dup(2)
            stack.callback(os.close, kept)
            nobody = os.open(os.devnull, os.O_WRONLY)
            stack.callback(os.close, nobody)
            os.dup2(nobody, 2)
            stack.callback(os.dup2, kept, 2)
        yield


@contextlib.contextmanager
def _patient(connect: Callable[[], object]) -> Iterator[Callable[[], None]]:
    """Connect to Ray, and let SIGTERM wait until it is asked for: Ray takes it for itself, and within Ray it ends this process at once."""
    if threading.current_thread() is not threading.main_thread() or sys.platform == "win32":
        connect()
        yield lambda: None
        return
    came: list[int] = []
    handler, mask = signal.getsignal(signal.SIGTERM), signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def ask() -> None:
        if came:
            signal.signal(signal.SIGTERM, handler)
            signal.raise_signal(came.pop())

    try:
        try:
            connect()
        finally:
            signal.signal(signal.SIGTERM, lambda number, _: came.append(number))
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        yield ask
    finally:
        signal.signal(signal.SIGTERM, handler)


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
