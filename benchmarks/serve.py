"""How quick the server answers a photo of 2 megapixels with ten digits, and glyphs, to 1, 4 and 16 clients; and what overload does.

    python benchmarks/serve.py [--seconds 15 | --quick] [--workers 2]

The peer is the library itself in this process, one picture after the other, in the same run: `per_library` says how many times as many
answers the server gave in a second. With 16 clients there are more than can be read and can wait; those beyond get 503 and ask again,
which is counted. Under overload, four times as many clients as can be read and can wait ask without a pause; every answer must be right
or 503. `load_average` says how busy the machine was with other things. Prints a line a figure, then one JSON object.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from inkdigits import Reader, mnist
from inkdigits.classify import Classifier
from inkdigits.limits import ServerLimits
from inkdigits.synthetic import make_page

CLIENTS = (1, 4, 16)
GLYPHS = 100  # of one request to /v1/classify
SIZE = (1632, 1224)
TEXT = "2071 438|196"
Request = tuple[str, bytes, dict[str, str]]


@contextmanager
def serving(workers: int) -> Iterator[tuple[str, int]]:
    """Give the address and the number of a server's process."""
    command = [sys.executable, "-m", "inkdigits", "serve", "--port", "0", "--workers", str(workers)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr
        found = re.search(r"http://\S+", process.stderr.readline())
        assert found
        yield found[0], process.pid
    finally:
        process.terminate()
        process.wait()


def photo() -> bytes:
    """Return a photo of 2 megapixels with ten digits."""
    image, _ = make_page(TEXT, seed=3, dirt="light", size=SIZE)
    out = io.BytesIO()
    Image.fromarray(image).save(out, "JPEG", quality=90)
    return out.getvalue()


def ask(url: str, request: Request, expected: Any, clients: int, seconds: float) -> dict[str, float]:
    """Return what so many clients, each asking again as soon as it is answered, saw in this time."""
    path, body, headers = request
    times: list[float] = []
    counts = {"busy": 0, "wrong": 0}
    end = time.monotonic() + seconds

    def client() -> None:
        with httpx.Client(base_url=url, timeout=60, trust_env=False) as http:
            while time.monotonic() < end:
                start = time.perf_counter()
                answer = http.post(path, content=body, headers=headers)
                if answer.status_code == 200 and answer.json() == expected:
                    times.append(time.perf_counter() - start)
                elif answer.status_code == 503 and "retry-after" in answer.headers:
                    counts["busy"] += 1
                    time.sleep(0.05)
                else:
                    counts["wrong"] += 1

    threads = [threading.Thread(target=client) for _ in range(clients)]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - start
    if len(times) < 2:
        raise SystemExit(
            f"{clients} clients got {len(times)} answers from {path} in {took:.0f} s: too few to tell anything; give it more --seconds"
        )
    cuts = statistics.quantiles(times, n=20)
    return {"p50_ms": 1e3 * cuts[9], "p95_ms": 1e3 * cuts[18], "per_second": len(times) / took, "answers": float(len(times))} | counts


def library_rate(work: Any, seconds: float) -> float:
    """Return how often a second the library does it, alone."""
    work()
    done, start = 0, time.monotonic()
    while time.monotonic() < start + seconds:
        work()
        done += 1
    return done / (time.monotonic() - start)


def memory(pid: int) -> float:
    """Return the MiB that a process and its children hold; 0 where the system does not tell."""
    if not Path("/proc/self/status").exists():
        return 0.0
    pids = [pid, *(int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    return sum(int(Path(f"/proc/{p}/status").read_text().partition("VmRSS:")[2].split()[0]) for p in pids) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=15, help="for each figure")
    parser.add_argument(
        "--quick", action="store_const", dest="seconds", const=5, help="5 seconds for each figure: under two minutes in all"
    )
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    picture, glyphs = photo(), mnist.load_data()[1][0][:GLYPHS]
    reader = Reader(Classifier.load(threads=1))
    read: Request = ("/v1/read", picture, {"Content-Type": "image/jpeg"})
    classify: Request = ("/v1/classify", json.dumps({"glyphs": glyphs.tolist()}).encode(), {"Content-Type": "application/json"})
    figures: dict[str, float] = {"cores": os.cpu_count() or 1, "workers": args.workers}
    figures["read_library_per_second"] = library_rate(lambda: reader.read(picture), args.seconds / 2)
    figures["classify_library_per_second"] = library_rate(lambda: reader.classifier.classify(glyphs), args.seconds / 4)
    with serving(args.workers) as (url, pid):
        answered = httpx.post(url + classify[0], content=classify[1], headers=classify[2], trust_env=False).json()
        for name, request, expected in (("read", read, reader.read(picture).to_dict()), ("classify", classify, answered)):
            for clients in CLIENTS:
                seen = ask(url, request, expected, clients, args.seconds)
                figures |= {f"{name}_{clients}_{key}": value for key, value in seen.items()}
            figures[f"{name}_per_library"] = figures[f"{name}_4_per_second"] / figures[f"{name}_library_per_second"]
        before = memory(pid)
        overload = ask(url, read, reader.read(picture).to_dict(), 4 * (args.workers + ServerLimits().max_waiting), args.seconds)
        figures |= {f"overload_{key}": value for key, value in overload.items()} | {"overload_more_memory_mib": memory(pid) - before}
    figures["load_average"] = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    for name, value in figures.items():
        print(f"{name:32} {value:,.1f}")
    print(json.dumps({name: round(value, 2) for name, value in figures.items()}))
    if figures["overload_wrong"]:
        raise SystemExit("an answer under overload was neither right nor 503")


if __name__ == "__main__":
    main()
