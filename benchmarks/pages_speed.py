"""How long it takes to read a page, and how much memory: photos of 2, 12 and 48 megapixels, and pages of noise.

    python benchmarks/pages_speed.py [--rounds 3] [--threads N] [--json]

The photos are made (20 digits each, `clean` and `light`) and read as JPEG files; noise is made of grey values and read as arrays. Each case
runs in a process of its own, after one reading of a small page; the best of the rounds counts. Beside the clock's seconds stand the
processor's, of all threads, and how many times those are of decoding the file alone in the same run: on a machine that is shared with other
work only these say something. Memory is the most that the process has had, weights and libraries included.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from inkdigits import Reader
from inkdigits.errors import ReadError
from inkdigits.source import load_image
from inkdigits.synthetic import make_page

SIZES = {"2 MP": (1632, 1224), "12 MP": (4032, 3024), "48 MP": (8064, 6048)}
LEVELS = ("clean", "light")
SHAPE = (1224, 1632)  # of a page of noise


def make_photo(path: Path, size: tuple[int, int], dirt: str) -> None:
    """Write a JPEG of one page with four numbers of five digits."""
    rng = np.random.default_rng(1)
    a, b, c, d = ("".join(map(str, rng.integers(0, 10, 5))) for _ in range(4))
    image, _ = make_page(f"{a} {b}|{c} {d}", seed=1, split="validation", dirt=dirt, size=size)
    path.write_bytes(cv2.imencode(".jpg", image[:, :, ::-1])[1].tobytes())


def grains() -> np.ndarray:
    """Every pixel of any grey."""
    return np.random.default_rng(0).integers(0, 256, SHAPE, np.uint8)


def specks() -> np.ndarray:
    """100,000 single black pixels on 12 megapixels of white."""
    rng = np.random.default_rng(0)
    page = np.full((3000, 4000), 255, np.uint8)
    page[rng.integers(0, 3000, 100_000), rng.integers(0, 4000, 100_000)] = 0
    return page


def blots() -> np.ndarray:
    """Hundreds of blots as large as digits."""
    smooth = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 1, SHAPE).astype(np.float32), (0, 0), 6)
    return np.where(smooth > smooth.std(), 30, 230).astype(np.uint8)


NOISE: dict[str, Callable[[], np.ndarray]] = {"grains": grains, "specks": specks, "blots": blots}


def measure(case: str, rounds: int, threads: int | None) -> dict[str, Any]:
    """Return what reading one case takes: a file, or a name of `NOISE`."""
    if threads:
        cv2.setNumThreads(threads)
    reader = Reader.load()
    page = NOISE[case]() if case in NOISE else case
    reader.read(make_page("2071", seed=1, size=(480, 200))[0])
    told: dict[str, Any] = {}
    for _ in range(rounds):
        start, busy = time.perf_counter(), time.process_time()
        try:
            told["answer"] = f"{sum(len(n.digits) for n in reader.read(page).numbers)} digits"
        except ReadError as error:
            told["answer"] = error.code
        _least(told, "seconds", time.perf_counter() - start)
        _least(told, "processor_seconds", time.process_time() - busy)
    # not ru_maxrss: a process begins with that of the one that started it
    told["peak_MB"] = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) // 1024
    for _ in range(rounds if case not in NOISE else 0):
        busy = time.process_time()
        load_image(page)
        _least(told, "decode_processor_seconds", time.process_time() - busy)
    if "decode_processor_seconds" in told:
        told["times_decoding"] = round(told["processor_seconds"] / told["decode_processor_seconds"], 1)
    return told


def _least(told: dict[str, Any], name: str, value: float) -> None:
    told[name] = round(min(value, told.get(name, value)), 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, help="threads of OpenCV (default: its own)")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line: of photos, not of noise")
    parser.add_argument("--case", help=argparse.SUPPRESS)  # a process of its own for each: the most memory it has had is told once
    options = parser.parse_args()
    if options.case:
        print(json.dumps(measure(options.case, options.rounds, options.threads)))
        return
    with tempfile.TemporaryDirectory() as place:
        cases = {}
        for name, size in SIZES.items():
            for dirt in LEVELS:
                cases[f"{name} {dirt}"] = os.path.join(place, f"{name}-{dirt}.jpg")
                make_photo(Path(cases[f"{name} {dirt}"]), size, dirt)
        told: list[dict[str, Any]] = []
        for name, case in (cases | {name: name for name in NOISE}).items():
            done = subprocess.run([sys.executable, __file__, *sys.argv[1:], "--case", case], check=True, capture_output=True, text=True)
            told.append({"case": name} | json.loads(done.stdout))
            print("  ".join(f"{k} {v}" for k, v in told[-1].items()), flush=True)
    if options.json:
        print(json.dumps({"cases": [row for row in told if "times_decoding" in row]}))


if __name__ == "__main__":
    main()
