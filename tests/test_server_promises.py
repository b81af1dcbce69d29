"""Promises 10 to 14 as they are written: bad requests, gigabytes, slow clients, overload, a large photo; the long ones under `stress`."""

import io
import json
import random
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest
from pictures import BOMBS, FOREIGN, GOOD
from PIL import Image
from served import JPEG, Served, check_error, command, photo, serving, until_closed

import inkdigits

PHOTO = photo("2071")
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as server:
        yield server


def bad_pictures() -> list[bytes]:
    """Pictures that no decoder reads: cut off in the middle or in the head, of foreign kinds, bombs, noise."""
    chance = random.Random(10)
    cut = [good()[: int(len(good()) * part)] for name, good in GOOD.items() if name not in ("bmp", "tiff-fax") for part in (0.01, 0.1, 0.4)]
    noise = [chance.randbytes(n) for n in (1, 7, 100, 5000, 100_000) for _ in range(4)]
    return [*cut, *noise, *(make() for make in FOREIGN.values()), *(make() for make, _ in BOMBS.values())]


def bad_requests() -> list[httpx.Request]:
    """Two hundred requests that are wrong in ways of their own."""
    url = "http://127.0.0.1"
    pictures = [httpx.Request("POST", f"{url}/v1/read", content=p, headers=JPEG) for p in bad_pictures()]
    queries = [
        "threshold=-1",
        "threshold=x",
        "threshold=inf",
        "threshold=",
        "single=2",
        "single=no+way",
        "rotate=91",
        "rotate=",
        "rotate=0&single=?",
    ]
    settings = [httpx.Request("POST", f"{url}/v1/{route}?{q}", content=PHOTO, headers=JPEG) for route in ("read", "look") for q in queries]
    kinds = ["", "text/html", "application/pdf", "multipart/form-data; boundary=x", "imagejpeg", "image", ";", "application/json"]
    typed = [httpx.Request("POST", f"{url}/v1/read", content=PHOTO, headers={"Content-Type": kind}) for kind in kinds]
    glyphs = [
        "",
        "{",
        "[]",
        "null",
        "7",
        '"glyphs"',
        "{}",
        '{"glyphs":{}}',
        '{"glyphs":[1]}',
        '{"glyphs":[[["a"]]]}',
        '{"glyphs":[[[1e999]]]}',
    ]
    odd = [
        json.dumps({"glyphs": np.full(shape, value).tolist()})
        for shape in ((1, 28, 27), (28,), (2, 28, 28, 3))
        for value in (0, 300, -1, 0.5)
    ]
    classified = [httpx.Request("POST", f"{url}/v1/classify", content=body, headers=JSON) for body in [*glyphs, *odd, "[" * 99_999, "\x00"]]
    corrections = [httpx.Request("POST", f"{url}/v1/corrections", content=body, headers=JSON) for body in ("", "{}", '{"label":"../x"}')]
    methods = [
        httpx.Request(m, f"{url}{p}")
        for m in ("PUT", "DELETE", "PATCH", "BREW")
        for p in ("/", "/v1/read", "/v1/model", "/livez", "/metrics")
    ]
    paths = [
        "/v2/read",
        "/v1",
        "/v1/read/",
        "//",
        "/%00",
        "/web/",
        "/web/%2e%2e/%2e%2e/etc/passwd",
        "/web//etc/passwd",
        "/" + "a" * 9000,
        "/ä",
        "/?a",
    ]
    places = [httpx.Request("GET", url + path) for path in paths[:-1]]
    strangers = [
        httpx.Request("GET", f"{url}/v1/model", headers={"Host": h})
        for h in ("evil.example", "", "a b", "127.0.0.1.nip.example", "[::", "x" * 300)
    ]
    return [*pictures, *settings, *typed, *classified, *corrections, *methods, *places, *strangers]


def test_two_hundred_bad_requests_are_each_refused_with_a_reason(served: Served) -> None:
    requests = bad_requests()
    assert len(requests) >= 200
    for made in requests:
        sent = served.client.build_request(made.method, served.url + made.url.raw_path.decode(), content=made.content, headers=made.headers)
        if made.headers["host"] == "127.0.0.1":  # the others mean it
            sent.headers["host"] = f"127.0.0.1:{served.port}"
        answer = served.client.send(sent)
        assert 400 <= answer.status_code < 500, (made, made.content[:40], answer.text)
        check_error(answer, answer.status_code, answer.json()["error"]["code"])
    assert served.read(PHOTO).status_code == 200


def test_no_picture_is_left_in_a_temporary_file(tmp_path: Path) -> None:
    with command("--workers", 1, TMPDIR=str(tmp_path)) as (server, _):
        large = PHOTO + bytes(15 * 2**20)
        assert server.read(large).status_code == 200
        check_error(server.read(large + large), 413, "too_large")
        assert list(tmp_path.iterdir()) == []


KINDS = {
    "silent": b"",
    "half a head": b"POST /v1/read HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Ty",
    "half a body": b"POST /v1/read HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/jpeg\r\nContent-Length: 90000\r\n\r\n" + PHOTO[:999],
}


@pytest.mark.stress
def test_slow_clients_are_closed_in_time_and_hinder_nobody() -> None:
    with command("--workers", 2) as (server, _):
        server.read(PHOTO)
        start = time.monotonic()
        slow = [(kind, server.connect()) for kind in KINDS for _ in range(50)]
        for kind, s in slow:
            s.sendall(KINDS[kind])
        good = [server.read(PHOTO).status_code for _ in range(20)]
        assert good == [200] * 20
        assert time.monotonic() - start < 10  # while they were all there
        for kind, s in slow:
            s.settimeout(max(0.1, 12 - (time.monotonic() - start)))
            answer = until_closed(s)
            assert answer.startswith(b"HTTP/1.1 408") or kind == "silent"
            s.close()
        assert time.monotonic() - start < 12


def memory(pid: int) -> int:
    """Bytes that a process and its children hold."""
    pids = [pid, *(int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    statuses = [Path(f"/proc/{p}/status").read_text() for p in pids]
    return sum(int(s.partition("VmRSS:")[2].split()[0]) * 1024 for s in statuses if "VmRSS:" in s)


@pytest.mark.stress
def test_overload_gives_right_answers_or_503_and_memory_stays_bounded() -> None:
    picture = photo("2071 438", size=(800, 600))
    expected = inkdigits.read(picture).to_dict()
    with command("--workers", 2) as (server, _):
        assert server.read(picture).json() == expected
        before, end = memory(server.pid), time.monotonic() + 60
        peak = before

        def keep_asking(_: int) -> Counter[int]:
            seen: Counter[int] = Counter()
            with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as client:
                while time.monotonic() < end:
                    answer = client.post("/v1/read", content=picture, headers=JPEG)
                    seen[answer.status_code] += 1
                    if answer.status_code == 200:
                        assert answer.json() == expected
                    else:
                        check_error(answer, 503, answer.json()["error"]["code"])
                        time.sleep(0.1 * int(answer.headers["retry-after"]))  # ten times as impatient as asked
            return seen

        with ThreadPoolExecutor(40) as clients:  # four times what can be read and can wait
            results = [clients.submit(keep_asking, n) for n in range(40)]
            while time.monotonic() < end:
                time.sleep(1)
                peak = max(peak, memory(server.pid))
            total = sum((r.result() for r in results), Counter[int]())
        assert total[200] > 60 and total[503] > 60 and set(total) == {200, 503}
        assert peak - before < 200 * 2**20
        assert server.read(picture).json() == expected


@pytest.mark.stress
@pytest.mark.parametrize("workers", [0, 2])
def test_a_large_photo_keeps_nobody_waiting(workers: int) -> None:
    page = np.array(Image.open(io.BytesIO(photo("2071 438", size=(1600, 1200)))).resize((8000, 6000)))
    out = io.BytesIO()
    Image.fromarray(page).save(out, "JPEG", quality=85)
    with command("--workers", workers) as (server, _), ThreadPoolExecutor(1) as clients:
        server.read(PHOTO)
        readings = [clients.submit(server.read, out.getvalue()) for _ in range(10)]
        seconds = []
        end = time.monotonic() + 5
        while time.monotonic() < end and not readings[-1].done():
            start = time.perf_counter()
            assert server.client.get("/livez").status_code == 200
            seconds.append(time.perf_counter() - start)
            time.sleep(0.01)
        assert len(seconds) > 20
        assert statistics.quantiles(seconds, n=100)[98] < 0.1
        for reading in readings:
            assert reading.result().status_code == 200
            assert (reading.result().json()["width"], reading.result().json()["height"]) == (8000, 6000)


@pytest.mark.stress
def test_schemathesis_finds_nothing_on_any_route(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("schemathesis")
    # what a picture or a glyph must look like, a schema cannot tell: such bodies may be refused
    settings = ["--checks", "all", "--exclude-checks", "positive_data_acceptance", "--max-examples", "12", "--seed", "1", "--no-color"]
    with command("--workers", 1, "--collect", tmp_path / "kept") as (server, _):
        words = [program, "run", f"{server.url}/openapi.json", *settings]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout[-3000:]
        assert "Selected: 9/9" in done.stdout
        assert server.client.get("/livez").status_code == 200
