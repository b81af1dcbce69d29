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

from scoreboard_pages import write_pages

from inkdigits.files import write_json
from inkdigits.measures import wilson

ROOT = Path(__file__).parent.parent
BOARD = ROOT / "docs" / "scoreboard.json"
WEIGHTS = ROOT / "src" / "inkdigits" / "weights"

Figure = dict[str, Any]  # value, and where they are known n and interval


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


def of_evaluation(told: dict[str, Any]) -> Iterator[tuple[str, Figure]]:
    n = told["n"]
    yield "accuracy", {"value": told["accuracy"], "n": n, "interval": told["interval"]}
    if told.get("corrected"):
        yield (
            "accuracy with wrong labels put right",
            {k: told["corrected"][k] for k in ("n", "interval")} | {"value": told["accuracy_corrected"]},
        )
    for key, name in (
        ("ece", "ECE"),
        ("smooth_ece", "smooth ECE"),
        ("nll", "NLL"),
        ("brier", "Brier score"),
        ("auroc", "AUROC of mistakes"),
    ):
        yield name, {"value": told[key], "n": n, "interval": told["intervals"][key]}
    for key, name in (("nll", "NLL"), ("brier", "Brier score")):
        yield f"{name}, were all answers equally sure", {"value": told["constant"][key], "n": n}
        yield f"{name}, uncalibrated softmax", {"value": told["uncalibrated"][key], "n": n}


def of_strangers(told: dict[str, Any]) -> Iterator[tuple[str, Figure]]:
    for key, name in (("clothes", "clothes"), ("letters", "letters"), ("noise", "blank and noise"), ("all", "all strangers")):
        if key in told:
            yield f"AUROC, {name}", {"value": told[key]["auroc"], "n": told["digits"] + told[key]["n"], "interval": told[key]["interval"]}
    corrected = told["mistakes_corrected"]
    yield (
        "AUROC of mistakes, wrong labels put right",
        {"value": corrected["auroc"], "n": told["digits"] - 5, "interval": corrected["interval"]},
    )


def share(count: int, n: int) -> Figure:
    return {"value": count / n, "n": n, "interval": list(wilson(count, n))}


def of_promises(told: dict[str, Any]) -> Iterator[tuple[str, Figure]]:
    for name, model in told.items():
        for rate, kept in model["promises"].items():
            yield f"`{name}` answered, of what may be {rate} wrong", share(kept["n"], model["n"])
            bound = {"interval": [0.0, kept["at_most"]]}
            yield f"`{name}` wrong, of what may be {rate} wrong", share(kept["wrong"], kept["n"]) | bound
        yield f"`{name}` wrong, of the surest 99 %", share(model["wrong_of_the_surest"], model["surest"])


def of_singles(told: dict[str, Any]) -> Iterator[tuple[str, Figure]]:
    yield from of_evaluation(told["reader"])
    yield from of_promises(told)


def of_court(told: dict[str, Any]) -> Iterator[tuple[str, Figure]]:
    for who in ("both", "both and the learners"):
        for k, (wrong, _) in zip(told["at"], told.get(who, []), strict=False):
            yield f"recall of known wrong labels among the first {k}, {who}", share(wrong, 10)
    if "planted" in told:
        planted = told["planted"]
        yield f"recall of planted labels among the first {planted['among']}", share(planted["found"], planted["n"])


def of_corruptions(told: dict[str, Any]) -> Iterator[tuple[str, Figure]]:
    for name, network in told["networks"].items():
        yield f"accuracy of `{name}`, mean of fifteen", {"value": network["mean"], "n": 15 * told["n"]}
        yield f"accuracy of `{name}`, the worst ({network['worst_of']})", {"value": network["worst"], "n": told["n"]}
        yield f"accuracy of `{name}`, not spoilt", {"value": network["untouched"], "n": told["n"]}
    yield "accuracy of `read --single`, mean of fifteen", {"value": told["read"], "n": 15 * told["each"]}


def of_speed(told: dict[str, Any]) -> Iterator[tuple[str, Figure]]:
    names = {
        "one_glyph_ms": "one glyph, ms (p50)",
        "glyphs_per_second": "glyphs a second",
        "import_s": "import inkdigits, s",
        "first_answer_s": "first answer of the command line, s",
        "times_quicker_one": "times quicker than Keras, one glyph",
        "times_quicker_many": "times quicker than Keras, many glyphs",
        "load_average": "other programs running meanwhile (load average)",
    }
    yield from ((name, {"value": told[key]}) for key, name in names.items() if key in told)


STRANGERS = "`reader` on single digits of strangers: photos and scans from public repositories, not redistributed"
SINGLES = "python benchmarks/promises.py --dev {%s} --leave-out {without}"
BOTH, READ = ("reader", "mnist"), ("reader", "mnist", "ink")  # asked about glyphs; about pictures of one digit
MEASUREMENTS = {
    "mnist-reader": Measurement("`reader` on MNIST's test set", "inkdigits evaluate reader --data mnist --json", of_evaluation),
    "mnist-mnist": Measurement("`mnist` on MNIST's test set", "inkdigits evaluate mnist --data mnist --json", of_evaluation, ("mnist",)),
    "promises": Measurement("What is promised, on MNIST's test set", "python benchmarks/promises.py", of_promises, BOTH),
    "dev": Measurement(f"{STRANGERS}; looked at while it was made", SINGLES % "dev", of_singles, READ),
    "extra": Measurement(f"{STRANGERS}; not looked at before", SINGLES % "extra", of_singles, READ),
    "corruptions": Measurement(
        "MNIST's test set, spoilt in fifteen ways", "python benchmarks/corruptions.py --n 2000 --each 200", of_corruptions, READ
    ),
    "court": Measurement("Labels that look wrong", "python benchmarks/court.py --learners 5 --flips 1", of_court, BOTH),
    "strangers": Measurement(
        "`reader`: digits told from strangers, right answers from mistakes", "python benchmarks/strangers.py --fonts {fonts}", of_strangers
    ),
    "speed": Measurement("`reader`: speed", "python benchmarks/inference.py", of_speed),
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
    write_json(BOARD, {name: board[name] for name in MEASUREMENTS if name in board})
    write_pages(ROOT)


if __name__ == "__main__":
    main()
