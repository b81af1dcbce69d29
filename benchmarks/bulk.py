"""A pile on one machine: pages a second, what a second worker adds, what `bulk` and Ray add, planning, memory, resuming, kills.

    python benchmarks/bulk.py [--quick] [--pages 60] [--kills 0] [--json results.json]

Pages are made (20 digits each, clean); a few stand under many names. Beside the clock's seconds stand the processor's: on a machine that is
shared with other work only these, and ratios within the run, say something. --kills N ends a run of --files files N times with -9 and
compares the bytes. --quick takes about three minutes: pages of 0.5 MP alone, fewer files.
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


def measure_overhead(place: Path, pages: int) -> dict[str, Any]:
    """Return the processor's seconds that a page takes in a plain loop and in `bulk` with one worker.

    Two piles, one three times the other: the difference is free of what starting takes.
    """
    found: dict[str, Any] = {"pages": [pages, 3 * pages]}
    loops, bulks = [], []
    for count in found["pages"]:
        pile = make_pile(place / f"overhead{count}", count, SIZES["0.5 MP"])
        command = [sys.executable, "-c", LOOP, str(pile)]
        loops.append(float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[1]))
        bulks.append(run(pile, "--out", place / f"overhead{count}-out", "--workers", 1)[1])
    found["loop"], found["bulk"] = ((large - small) / (2 * pages) for small, large in (loops, bulks))
    return found | {"ratio": found["bulk"] / found["loop"]}


def measure_ray(place: Path, pages: int) -> dict[str, Any]:
    """Return the clock's seconds from the first shard on the disk to the last, with Ray on this machine and with `local`."""
    pile = make_pile(place / "ray", pages, SIZES["0.5 MP"])
    found: dict[str, Any] = {"pages": pages}
    for engine in ("local", "ray"):
        out = place / f"ray-{engine}"
        whole, _, _ = run(pile, "--out", out, "--workers", 2, "--shard-files", 4, "--engine", engine)
        times = sorted(p.stat().st_mtime for p in out.glob("part-*.parquet"))
        found[engine] = {"once_running": times[-1] - times[0], "with_start": whole}
    pairs = [[(place / f"ray-{e}" / p.name).read_bytes() for e in ("local", "ray")] for p in (place / "ray-local").glob("part-*.parquet")]
    return found | {"same_bytes": all(a == b for a, b in pairs), "ratio": found["ray"]["once_running"] / found["local"]["once_running"]}


def measure_memory(place: Path, counts: tuple[int, int]) -> dict[str, Any]:
    """Return the most memory that the command and its reading process held, for so many tiny files and for so many more."""
    blank = cv2.imencode(".png", np.full((30, 40), 255, np.uint8))[1].tobytes()
    found: dict[str, Any] = {"files": counts}
    for count in counts:
        folder = place / f"memory{count}"
        folder.mkdir()
        for n in range(count):
            (folder / f"{n}.png").write_bytes(blank)
        command = [sys.executable, __file__, "--memory-of", str(folder), str(place / f"memory{count}-out")]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        found[str(count)] = dict(zip(("command_mb", "reading_mb"), (int(n) / 1e3 for n in said), strict=True))
    return found


def tell_memory(pile: str, out: str) -> None:
    """Read a pile and print the greatest kilobytes of this process and of the one that read."""
    from inkdigits.bulk.running import run as read

    read([pile], Path(out), workers=1, shard_files=100)
    # not ru_maxrss of this process, which begins with that of the one that started it
    own = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
    print(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)


def measure_planning(place: Path, files: int) -> dict[str, float]:
    """Plan so many tiny files, without reading them."""
    folder = place / "tiny"
    folder.mkdir()
    for n in range(files):
        (folder / f"p{n}.png").touch()
    code = (
        "import sys, time; from pathlib import Path\n"
        "from inkdigits.bulk.plan import expand, write_plan; from inkdigits.bulk.walking import find_files\n"
        "start, busy = time.perf_counter(), time.process_time()\n"
        "write_plan(Path(sys.argv[2]), expand(find_files([sys.argv[1]])), 500)\n"
        "peak = int(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0]) * 1024\n"
        "print(time.perf_counter() - start, time.process_time() - busy, peak)"
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


def tell(found: dict[str, Any], name: str, figures: dict[str, Any]) -> None:
    """Add figures to what was found, and show them: a run that is cut short has shown something."""
    found[name] = figures
    print(name, json.dumps(figures), file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=60, help="pages of each size; of 12 MP a quarter")
    parser.add_argument("--planned", type=int, default=100_000)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--memory-of", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.memory_of:
        tell_memory(*args.memory_of)
        return
    found: dict[str, Any] = {"date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "command": " ".join(sys.argv), "cores": os.cpu_count()}
    found["load_before"] = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        pages = 24 if args.quick else args.pages
        for name in ("0.5 MP",) if args.quick else SIZES:
            tell(found, name, measure_size(place, name, pages // 4 if name == "12 MP" else pages))
        tell(found, "overhead", measure_overhead(place, pages))
        tell(found, "ray", measure_ray(place, 2 * pages))
        tell(found, "memory", measure_memory(place, (500, 2000) if args.quick else (1000, 20_000)))
        if args.planned:
            tell(found, "planning", measure_planning(place, 20_000 if args.quick else args.planned))
        if args.kills:
            tell(found, "kills", measure_kills(place, args.files, args.kills))
    found["load_after"] = os.getloadavg()[0]
    print(json.dumps(found))
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
