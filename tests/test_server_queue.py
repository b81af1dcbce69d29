"""The queue is bounded, what hangs or dies is replaced, and a server that is stopped ends what it began."""

import asyncio
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from served import JPEG, check_error, command, photo, serving, wait_for

import inkdigits
from inkdigits import Limits, Reader
from inkdigits.commands.serve import serve
from inkdigits.errors import Damaged, InkdigitsError, ModelError, ReadTimeout
from inkdigits.limits import ServerLimits
from inkdigits.server import jobs, running
from inkdigits.server.app import create_app
from inkdigits.server.queue import Queue, ThreadDesk
from inkdigits.server.running import listen
from inkdigits.server.watching import JsonLines
from inkdigits.server.workers import ProcessDesk
from inkdigits.signals import Signals

PHOTO = photo("2071")


class Slow(Reader):
    """Reads when it is told to."""

    def __init__(self) -> None:
        super().__init__(inkdigits.Classifier.load())
        self.may_go = threading.Event()
        self.begun = 0

    def read(self, picture: Any, **options: Any) -> inkdigits.Page:
        self.begun += 1
        assert self.may_go.wait(4)
        return super().read(picture, **options)


def test_those_beyond_the_queue_are_told_to_come_back() -> None:
    reader, limits = Slow(), ServerLimits(max_reading=1, max_waiting=2)
    with serving(create_app(reader, limits), limits) as server, ThreadPoolExecutor(3) as clients:
        first = [clients.submit(server.read, PHOTO) for _ in range(3)]
        wait_for(lambda: "inkdigits_waiting 2.0" in server.client.get("/metrics").text)
        start = time.monotonic()
        busy = server.read(PHOTO)
        assert time.monotonic() - start < 2
        check_error(busy, 503, "busy")
        assert int(busy.headers["retry-after"]) >= 1
        reader.may_go.set()
        assert [f.result().status_code for f in first] == [200, 200, 200]
        assert server.read(PHOTO).status_code == 200


def test_who_waits_too_long_is_told_so_and_what_takes_too_long_too() -> None:
    reader, limits = Slow(), ServerLimits(max_reading=1, max_waiting=2, max_seconds=0.5)
    with serving(create_app(reader, limits), limits) as server, ThreadPoolExecutor(2) as clients:
        taken = clients.submit(server.read, PHOTO)
        wait_for(lambda: reader.begun == 1)
        check_error(server.read(PHOTO), 503, "busy")  # after half of the time
        check_error(taken.result(), 503, "timeout")
        assert reader.begun == 1  # the desk is not free before its work ends
        reader.may_go.set()
        wait_for(lambda: "inkdigits_reading 0.0" in server.client.get("/metrics").text)
        assert server.read(PHOTO).status_code == 200


def test_errors_travel_between_processes() -> None:
    import pickle

    for error in (Damaged("torn"), inkdigits.errors.MissingExtra("this", "serve"), ReadTimeout("x" * 500)):
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again)) == (type(error), str(error))


@pytest.fixture(scope="module")
def desk() -> Iterator[ProcessDesk]:
    desk = ProcessDesk(None, Limits())
    yield desk
    desk.close()


def test_a_process_answers_as_a_thread_does(desk: ProcessDesk) -> None:
    for job, options in (("read", {"single": False}), ("look", {"rotate": "0"})):
        ours, theirs = desk.do(60, job, PHOTO, options), ThreadDesk(Reader.load()).do(60, job, PHOTO, options)
        assert ours._replace(signs=None) == theirs._replace(signs=None)  # whose digit the signs are of falls by lot
        assert ours.signs is not None and theirs.signs is not None
    with pytest.raises(Damaged):
        desk.do(60, "read", PHOTO[:700], {})


def test_a_process_that_dies_costs_one_picture(desk: ProcessDesk) -> None:
    desk.do(60, "read", PHOTO, {})
    before = desk.pid
    assert before
    os.kill(before, signal.SIGKILL)
    with pytest.raises(Damaged, match="died"):
        desk.do(60, "read", PHOTO, {})
    assert desk.do(60, "read", PHOTO, {}).digits > 0
    assert desk.pid != before


def test_a_process_that_takes_too_long_is_ended(desk: ProcessDesk) -> None:
    desk.do(60, "read", PHOTO, {})
    before = desk.pid
    with pytest.raises(ReadTimeout):
        desk.do(0.001, "read", photo("1" * 8, size=(2000, 1500)), {})
    assert desk.do(60, "read", PHOTO, {}).digits > 0
    assert desk.pid != before


def test_a_process_is_ready_when_it_has_loaded_the_model() -> None:
    desk = ProcessDesk(None, Limits())
    assert not desk.is_ready
    wait_for(lambda: desk.is_ready, 120)
    assert desk.do(60, "read", PHOTO, {}).digits > 0
    assert desk.is_ready
    desk.close()


def test_a_process_without_a_model_says_so(tmp_path: Path) -> None:
    desk = ProcessDesk(tmp_path / "no.onnx", Limits())
    with pytest.raises(ModelError, match="no such model"):
        desk.do(60, "read", PHOTO, {})
    desk.close()


def test_a_closed_client_does_not_stop_the_queue() -> None:
    queue = Queue([ThreadDesk(Reader.load())], ServerLimits())

    async def gone() -> int:
        task = asyncio.create_task(queue.do("read", PHOTO))
        await asyncio.sleep(0.01)
        task.cancel()
        return (await queue.do("read", PHOTO)).digits

    assert asyncio.run(gone()) > 0
    queue.close()


def test_the_command_serves_logs_and_stops(tmp_path: Path) -> None:
    with command("--log", "--workers", 1) as (server, process):
        assert server.read(PHOTO).json() == inkdigits.read(PHOTO).to_dict()
        big = photo("2071 438", size=(1600, 1200))
        with ThreadPoolExecutor(1) as clients:
            under_way = clients.submit(server.read, big)
            wait_for(lambda: "inkdigits_reading 1.0" in server.client.get("/metrics").text)
            process.send_signal(signal.SIGTERM)
            assert under_way.result().json() == inkdigits.read(big).to_dict()  # begun, so it is ended
        out, err = process.communicate(timeout=30)
        assert process.returncode == 143  # deploy/inkdigits.service says that this is no failure
        assert out == ""
    entries = [json.loads(line) for line in err.splitlines() if line.startswith("{")]
    requests = [e for e in entries if e["event"] == "request" and e["route"] == "/v1/read"]
    assert [(e["method"], e["status"], e["bytes"]) for e in requests] == [("POST", 200, len(PHOTO)), ("POST", 200, len(big))]
    assert "Traceback" not in err


def test_ctrl_c_is_130_and_leaves_no_process() -> None:
    with command("--workers", 1) as (server, process):
        server.read(PHOTO)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode == 130


@pytest.mark.parametrize("said", ["loading", "loaded", "ready", "listening", "told"])
def test_ctrl_c_while_it_starts_is_130_and_quiet(said: str) -> None:
    """However often it comes, and to the reading processes too, as from a terminal."""
    process = subprocess.Popen(
        [sys.executable, "-c", STARTING, said], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    told = [line for line in err.splitlines() if not line.startswith("{")]
    assert len(told) == (2 if said == "told" else 0), err  # where it is, and that Ctrl-C stops it
    assert "Traceback" not in err and "Error" not in err
    wait_for(lambda: is_empty(process.pid))  # no process is left


def is_empty(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


STARTING = """
import os, signal, sys, time

def interrupt():
    for _ in range(3):
        os.killpg(0, signal.SIGINT)

def interrupted(whole):
    def so(*arguments, **options):
        result = whole(*arguments, **options)
        interrupt()
        return result
    return so

if __name__ == "__main__":
    moment = sys.argv[1]
    from inkdigits import __main__, cli
    from inkdigits.commands import serve
    if moment == "loading":
        serve.Signals.__enter__ = interrupted(serve.Signals.__enter__)
    else:
        from inkdigits.server import running
        if moment == "loaded":
            running.Reader.load = interrupted(running.Reader.load)
        elif moment == "ready":
            running.ProcessDesk._start = interrupted(running.ProcessDesk._start)
        elif moment == "listening":
            running.uvicorn.Server.startup = interrupted(running.uvicorn.Server.startup)
        else:
            serve._tell = interrupted(serve._tell)
    sys.argv = ["inkdigits", "serve", "--port", "0", "--log"]
    __main__.main()
"""


def test_ctrl_c_while_python_loads_the_command_is_130_and_quiet(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n", "utf-8")
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    words = [sys.executable, "-m", "inkdigits", "serve"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_ctrl_c_once_more_gives_up_what_was_begun() -> None:
    with command("--log", "--workers", 1) as (server, process), server.connect() as slow:
        slow.sendall(b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 9\r\n\r\n")
        wait_for(lambda: server.client.get("/livez").status_code == 200)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)  # the client may still send the rest
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert time.monotonic() - began < ServerLimits().max_seconds / 2
        assert process.returncode == 130
    assert "Traceback" not in err and "Error" not in err


def test_the_command_listens_here_only_unless_told_otherwise() -> None:
    with command("--workers", 0) as (server, _):
        assert server.url in (f"http://127.0.0.1:{server.port}",)
        listening = Path("/proc/net/tcp").read_text().splitlines()[1:] + Path("/proc/net/tcp6").read_text().splitlines()[1:]
        addresses = {
            line.split()[1].split(":")[0]
            for line in listening
            if line.split()[1].endswith(f":{server.port:04X}") and line.split()[3] == "0A"
        }
        assert addresses == {"0100007F"}
        check_error(server.client.get("/v1/model", headers={"Host": "evil.example"}), 403, "refused")
        assert server.client.get("/v1/model", headers={"Host": "localhost"}).status_code == 200


@pytest.mark.parametrize(("host", "told"), [(None, "192.0.2.7"), ("0.0.0.0", "192.0.2.7"), ("::", "192.0.2.7"), ("127.0.0.1", "127.0.0.1")])
def test_phones_are_told_an_address_that_is_answered(
    host: str | None, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Started:
        """A server that stops as soon as it has said where it is."""

        def __init__(self, config: uvicorn.Config, signals: Signals, desks: list[Any], started: Callable[[], None]) -> None:
            apps.append(config.app)
            self.tell = started

        def run(self, sockets: list[socket.socket]) -> None:
            self.tell()

    apps: list[Any] = []
    monkeypatch.setattr(running, "_Server", Started)
    monkeypatch.setattr(running, "local_address", lambda: "192.0.2.7")
    monkeypatch.setattr(running, "listen", lambda _, port: listen("127.0.0.1", port))
    serve(host, port=0, lan=True, workers=0)
    address = capsys.readouterr().err.partition("network: ")[2].split()[0]
    assert address.startswith(f"http://{told}:")
    assert serving_once(apps[0], {"Host": told}).status_code == 401  # it asks for the token: it answers to that name
    assert serving_once(apps[0], {"Host": "192.0.2.8"}).status_code == 403


def serving_once(app: Any, headers: dict[str, str]) -> httpx.Response:
    with serving(app) as server:
        return server.client.get("/v1/model", headers=headers)


def test_any_address_of_ipv6_is_any_of_ipv4_too() -> None:
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    with listen("::", 0) as listening, socket.create_connection(("127.0.0.1", listening.getsockname()[1])):
        pass


def test_answers_are_sent_at_once() -> None:
    with listen("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        assert listening.accept()[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        *((["--port", "99999"], 2, "--port"), (["--workers", "-1"], 2, "--workers"), (["--model", "no.onnx"], 3, "no such model")),
        *((["--host", "192.0.2.7"], 2, "cannot listen"), (["--collect", "/proc/version/x"], 1, "/proc/version/x")),
    ],
)
def test_what_cannot_be_served_is_one_line(arguments: list[str], code: int, said: str) -> None:
    done = subprocess.run([sys.executable, "-m", "inkdigits", "serve", *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_port_that_is_taken_is_one_line() -> None:
    with serving() as server:
        words = [sys.executable, "-m", "inkdigits", "serve", "--port", str(server.port)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr == f"inkdigits: cannot listen on {server.url}: Address already in use\n"


def test_the_log_tells_where_but_not_what() -> None:
    try:
        jobs.from_json(b"{secret")
    except InkdigitsError as error:
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "it failed", (), (type(error), error, error.__traceback__))
    line = JsonLines().format(record)
    entry = json.loads(line)
    assert (entry["event"], entry["error"]) == ("it failed", "Unsupported")
    assert any(place.startswith("jobs.py:") for place in entry["at"])
    assert "secret" not in line


def test_names_do_not_reach_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    with command("--log", "--workers", 0) as (server, process):
        server.client.get("/secret-name.jpg?secret=1")
        server.client.request("SECRET", "/v1/read")
        server.client.post("/v1/read?file=secret-name.jpg", content=PHOTO, headers=JPEG | {"X-File-Name": "secret-name.jpg"})
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    assert err.count('"event": "request"') == 3
    assert "secret" not in err.lower()
