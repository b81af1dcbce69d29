"""A pile on one machine: pages a second, what a second worker adds, what `bulk` adds to a plain loop, planning, memory, resuming, kills.

    python benchmarks/bulk.py [--pages 60] [--kills 0] [--json results.json]

Pages are made (20 digits each, clean); a few stand under many names. Beside the clock's seconds stand the processor's: on a machine that is
shared with other work only these, and ratios within the run, say something. --kills N ends a run of --files files N times with -9 and
compares the bytes.
"""

import argparse
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from inkdigits.synthetic import make_page

SIZES = {"0.5 MP": (816, 612), "2 MP": (1632, 1224), "12 MP": (4000, 3000)}
LOOP = """
import cv2, sys, time, resource
from inkdigits.bulk.desk import Work, _prepare
from inkdigits.classify import read_model
from pathlib import Path
reader, _ = _prepare(Work(read_model()))
files = sorted(Path(sys.argv[1]).iterdir())
reader.read(files[0])
start, busy = time.perf_counter(), time.process_time()
for file in files:
    reader.read(file)
print(time.perf_counter() - start, time.process_time() - busy)
"""


def make_pile(folder: Path, count: int, size: tuple[int, int]) -> Path:
    """Write so many JPEGs of this size, four of them different."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(1)
    for n in range(min(count, 4)):
        lines = ["".join(map(str, rng.integers(0, 10, 5))) for _ in range(4)]
        image, _ = make_page(f"{lines[0]} {lines[1]}|{lines[2]} {lines[3]}", seed=n, split="validation", dirt="clean", size=size)
        (folder / f"{n}.jpg").write_bytes(cv2.imencode(".jpg", image[:, :, ::-1])[1].tobytes())
    for n in range(4, count):
        os.link(folder / f"{n % 4}.jpg", folder / f"{n}.jpg")
    return folder


def run(*arguments: object) -> tuple[float, float, str]:
    """Run `inkdigits bulk`; return the clock's seconds, the processor's, and its last line."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    command = [sys.executable, "-m", "inkdigits", "bulk", *map(str, arguments)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, busy, said.splitlines()[-1]


def timings(out: Path) -> dict[str, float]:
    """Return what the shards took together."""
    lines = [json.loads(line) for line in (out / "_timings.jsonl").read_text().splitlines()]
    return {name: round(sum(line[name] for line in lines), 3) for name in ("seconds", "decode_seconds", "read_seconds")}


def measure_size(place: Path, name: str, pages: int) -> dict[str, Any]:
    """Read the same pages in a plain loop, with one worker, and with two."""
    pile = make_pile(place / name / "pile", pages, SIZES[name])
    loop = subprocess.run([sys.executable, "-c", LOOP, str(pile)], check=True, capture_output=True, text=True).stdout.split()
    found: dict[str, Any] = {"pages": pages, "jpeg_bytes": sum(p.stat().st_size for p in pile.iterdir()) // pages}
    found["loop"] = {"seconds": float(loop[0]), "processor_seconds": float(loop[1])}
    for what, workers in (("one_worker", 1), ("two_workers", 2)):
        out = place / name / what
        seconds, busy, _ = run(pile, "--out", out, "--workers", workers, "--shard-files", max(1, pages // 8))
        shards = sorted(out.glob("part-*.parquet"))
        found[what] = {"seconds": seconds, "processor_seconds": busy, **{f"shards_{k}": v for k, v in timings(out).items()}}
        found["parquet_bytes"] = sum(p.stat().st_size for p in shards) // pages
        first = place / name / "one_worker"
        found[what]["same_bytes"] = all(p.read_bytes() == (first / p.name).read_bytes() for p in shards)
    seconds, busy, said = run(pile, "--out", place / name / "one_worker", "--workers", 1, "--shard-files", max(1, pages // 8))
    found["nothing_left"] = {"seconds": seconds, "processor_seconds": busy, "said": said}
    return found


def measure_planning(place: Path, files: int) -> dict[str, float]:
    """Plan so many tiny files, without reading them."""
    folder = place / "tiny"
    folder.mkdir()
    for n in range(files):
        (folder / f"p{n}.png").touch()
    code = (
        "import resource, sys, time; from pathlib import Path\n"
        "from inkdigits.bulk.plan import expand, write_plan; from inkdigits.bulk.walking import find_files\n"
        "start, busy = time.perf_counter(), time.process_time()\n"
        "write_plan(Path(sys.argv[2]), expand(find_files([sys.argv[1]])), 500)\n"
        "print(time.perf_counter() - start, time.process_time() - busy, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)"
    )
    said = subprocess.run([sys.executable, "-c", code, folder, place / "plan"], check=True, capture_output=True, text=True).stdout
    seconds, busy, memory = map(float, said.split())
    return {"files": files, "seconds": seconds, "processor_seconds": busy, "memory_mb": memory / 1e6}


def measure_kills(place: Path, files: int, kills: int) -> dict[str, Any]:
    """Kill the whole process group at random moments, go on each time; compare with a run that nobody cut."""
    pile = make_pile(place / "kills" / "pile", files, SIZES["0.5 MP"])
    options = ["--shard-files", 20]
    uncut, _, _ = run(pile, "--out", place / "kills" / "whole", *options)
    out, rng = place / "kills" / "cut", random.Random(1)
    start = time.perf_counter()
    for _ in range(kills):
        command = [sys.executable, "-m", "inkdigits", "bulk", str(pile), "--out", str(out), *map(str, options)]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
        time.sleep(rng.uniform(1, 2 * uncut / kills))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    run(pile, "--out", out, *options)
    shards = {p.name: p.read_bytes() for p in (place / "kills" / "whole").glob("part-*.parquet")}
    same = shards == {p.name: p.read_bytes() for p in out.glob("part-*.parquet")}
    return {"files": files, "kills": kills, "same_bytes": same, "seconds_uncut": uncut, "seconds_cut": time.perf_counter() - start}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=60, help="pages of each size; of 12 MP a quarter")
    parser.add_argument("--planned", type=int, default=100_000)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    found: dict[str, Any] = {"date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "command": " ".join(sys.argv), "cores": os.cpu_count()}
    found["load_before"] = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        for name in SIZES:
            found[name] = measure_size(place, name, args.pages // 4 if name == "12 MP" else args.pages)
            print(name, json.dumps(found[name]), file=sys.stderr, flush=True)
        if args.planned:
            found["planning"] = measure_planning(place, args.planned)
        if args.kills:
            found["kills"] = measure_kills(place, args.files, args.kills)
    found["load_after"] = os.getloadavg()[0]
    text = json.dumps(found, indent=1)
    print(text)
    if args.json:
        args.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
