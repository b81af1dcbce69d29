"""Weights and benchmarks come in; every figure that is told of them comes out: docs/scoreboard.json and .md, MODEL_CARD.md.

    python scripts/scoreboard.py [--only NAME…] [--fonts DIR] [--dev DIR] [--extra DIR] [--without SOURCE]

Each measurement is a command that anybody can type; its last line is JSON. A measurement that was not asked for, or whose pictures are not
at hand, keeps the figures that it had. `--dev` and `--extra` are folders of strangers' pictures (singles/SOURCE/labels.csv);
`--without` leaves out a source that is another problem.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from scoreboard_figures import (
    Figure,
    of_bulk,
    of_corruptions,
    of_court,
    of_drift,
    of_evaluation,
    of_labelled_pages,
    of_lesson,
    of_office,
    of_page_speed,
    of_pages,
    of_promises,
    of_server,
    of_singles,
    of_speed,
    of_strangers,
)
from scoreboard_pages import write_pages

from inkdigits.files import write_json

ROOT = Path(__file__).parent.parent
BOARD = ROOT / "docs" / "scoreboard.json"
WEIGHTS = ROOT / "src" / "inkdigits" / "weights"


@dataclass(frozen=True)
class Measurement:
    """One command and what is taken from its answer.

    Attributes:
        title: what was measured, for the tables.
        command: as it is typed in the project's folder; {fonts}, {dev}, {extra} are folders that have to be given, {without} a source.
        figures: the JSON object of its last line → name and figure.
        weights: those that its figures hang on; when they change, it has to be made again.
    """

    title: str
    command: str
    figures: Callable[[dict[str, Any]], Iterator[tuple[str, Figure]]]
    weights: tuple[str, ...] = ("reader",)


FROM = "of strangers: photos and scans from public repositories, not redistributed"
STRANGERS, PAGES = f"`reader` on single digits {FROM}", f"Pages {FROM}"
SINGLES = "python benchmarks/promises.py --dev {%s} --leave-out {without}"
LABELLED = "python benchmarks/labelled_pages.py {%s} --sheets painterdrown aiano --threshold 0"
# asked about glyphs; about pictures of one digit; about pages
BOTH, READ, WHOLE = ("reader", "mnist"), ("reader", "ink"), ("reader", "kinds")
MEASUREMENTS = {
    "mnist-reader": Measurement("`reader` on MNIST's test set", "inkdigits evaluate reader --data mnist --json", of_evaluation),
    "mnist-mnist": Measurement("`mnist` on MNIST's test set", "inkdigits evaluate mnist --data mnist --json", of_evaluation, ("mnist",)),
    "promises": Measurement("What is promised, on MNIST's test set", "python benchmarks/promises.py", of_promises, BOTH),
    "dev": Measurement(f"{STRANGERS}; looked at while it was made", SINGLES % "dev", of_singles, READ),
    "extra": Measurement(f"{STRANGERS}; not looked at before", SINGLES % "extra", of_singles, READ),
    "dev-pages": Measurement(f"{PAGES}; looked at while it was made", LABELLED % "dev", of_labelled_pages, WHOLE),
    "extra-pages": Measurement(f"{PAGES}; not looked at before", LABELLED % "extra", of_labelled_pages, WHOLE),
    "pages": Measurement(
        "Made pages, by level of dirt",
        "python benchmarks/pages.py --pages 40 --levels clean,light,medium --kinds whole,marks,none --fonts {fonts} --json",
        of_pages,
        WHOLE,
    ),
    "office": Measurement("300 made photos, one command, a spreadsheet", "python benchmarks/office.py", of_office, WHOLE),
    "corruptions": Measurement(
        "MNIST's test set, spoilt in fifteen ways", "python benchmarks/corruptions.py --n 2000 --each 200", of_corruptions, (*BOTH, "ink")
    ),
    "court": Measurement("Labels that look wrong", "python benchmarks/court.py --learners 7 --flips 1", of_court, BOTH),
    "strangers": Measurement(
        "`reader`: digits told from strangers, right answers from mistakes", "python benchmarks/strangers.py --fonts {fonts}", of_strangers
    ),
    "drift": Measurement(
        "Pictures unlike those promised on: in how many of 20 orders of 100 it is said",
        "python benchmarks/drift.py --n 100",
        of_drift,
        READ,
    ),
    "speed": Measurement("`reader`: speed", "python benchmarks/inference.py", of_speed),
    "page-speed": Measurement("Pages: speed and memory", "python benchmarks/pages_speed.py --json", of_page_speed, WHOLE),
    "lesson": Measurement("The lesson: `inkdigits train`", "python benchmarks/lesson.py --json", of_lesson, ()),
    "server": Measurement("The server, two workers on two cores", "python benchmarks/serve.py --quick", of_server, WHOLE),
    "bulk": Measurement("A pile on one machine", "python benchmarks/bulk.py --quick", of_bulk, WHOLE),
}


def measure(measurement: Measurement, folders: dict[str, str]) -> dict[str, Any]:
    """Run a command and return its figures with all that is needed to make them again."""
    command = measurement.command.format(**{name: shlex.quote(folder) for name, folder in folders.items()})
    program, *arguments = shlex.split(command)
    head = [sys.executable] if program == "python" else [sys.executable, "-m", program]
    done = subprocess.run([*head, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    told = json.loads(done.stdout.splitlines()[-1])
    return {
        "title": measurement.title,
        "command": measurement.command.format(**{name: name.upper() for name in folders}),
        "date": datetime.now(UTC).date().isoformat(),
        "commit": git("rev-parse", "--short", "HEAD"),
        "device": device(),
        "weights": {name: checksum(name) for name in measurement.weights},
        "figures": dict(measurement.figures(told)),
    }


def checksum(weights: str) -> str:
    """Return the sha256 of weights by their name, as it stands beside them."""
    return str(json.loads((WEIGHTS / f"{weights}.json").read_text("utf-8"))["sha256"])


def device() -> str:
    """Return what the figures were made on."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        processor = platform.machine()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{processor}, {cores} cores, {platform.system()}, Python {platform.python_version()}, ONNX Runtime {version('onnxruntime')}"


def git(*arguments: str) -> str:
    """Return what git answers, nothing where there is no git."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def main() -> None:
    """Measure what can be measured, and write the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=list(MEASUREMENTS), help="measure these alone; nothing: write the pages again")
    for name in ("fonts", "dev", "extra"):
        parser.add_argument(f"--{name}", default="")
    parser.add_argument("--without", default="none")
    args = parser.parse_args()
    folders = {name: getattr(args, name) for name in ("fonts", "dev", "extra", "without")}
    board = json.loads(BOARD.read_text("utf-8")) if BOARD.exists() else {}
    for name, measurement in MEASUREMENTS.items():
        missing = [f"--{folder}" for folder in folders if f"{{{folder}}}" in measurement.command and not folders[folder]]
        if args.only is not None and name not in args.only:
            continue
        if missing:
            print(f"{name}: as it was; it needs {', '.join(missing)}", file=sys.stderr)
            continue
        print(f"{name} …", file=sys.stderr, flush=True)
        board[name] = measure(measurement, folders)
        keep(board)
    keep(board)


def keep(board: dict[str, Any]) -> None:
    """Write the board and its pages: what was measured is kept when the next measurement is cut short."""
    write_json(BOARD, {name: board[name] for name in MEASUREMENTS if name in board})
    write_pages(ROOT)


if __name__ == "__main__":
    main()
