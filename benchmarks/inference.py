"""How quick the weights are: one glyph, many glyphs, the import, the first answer of the command line; beside Keras with the same network.

    python benchmarks/inference.py [--model reader] [--network reader] [--repeats 300]

Both sides run in one go on one machine, so that the ratios hold elsewhere too. Keras runs the untrained `--network`, exported for ONNX
Runtime as well: how long an answer takes does not depend on what was learned. Beside the time that passed stands the processor's (`cpu`),
which other programs on the machine disturb less; `load_average` says how many of them there were. Prints a line a figure, then one JSON
object.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from inkdigits import mnist
from inkdigits.classify import Classifier, default_threads

BATCH = 4096
PROCESSES = 7  # starts of a process; the median of them is told


def median_seconds(work: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Return the median time of one call and the median of the processor's time for it, after a few calls that warm up."""
    for _ in range(min(5, repeats)):
        work()
    times = []
    for _ in range(repeats):
        start, busy = time.perf_counter(), processor_seconds()
        work()
        times.append((time.perf_counter() - start, processor_seconds() - busy))
    passed, worked = np.median(times, axis=0)
    return float(passed), float(worked)


def processor_seconds() -> float:
    """Return the processor's time of this process and of those it has waited for."""
    children = os.times()
    return time.process_time() + children.children_user + children.children_system


def process_seconds(*arguments: str) -> tuple[float, float]:
    """Return the median times of a whole process, after one that warms the disk's cache."""
    return median_seconds(lambda: subprocess.run(arguments, check=True, capture_output=True), PROCESSES)


def of_classifier(classifier: Classifier, glyphs: np.ndarray, repeats: int) -> dict[str, float]:
    one, one_cpu = median_seconds(lambda: classifier.classify(glyphs[:1]), repeats)
    many, many_cpu = median_seconds(lambda: classifier.classify(glyphs[:BATCH]), max(3, repeats // 60))
    return {
        "one_glyph_ms": one * 1e3,
        "one_glyph_cpu_ms": one_cpu * 1e3,
        "glyphs_per_second": BATCH / many,
        "glyphs_per_cpu_second": BATCH / many_cpu,
    }


def of_starting(model: str) -> dict[str, float]:
    """Return what a user waits for: Python alone, the import, the first answer of the command line."""
    import cv2

    _, (x, _) = mnist.load_data()
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "digit.png"
        cv2.imwrite(str(picture), 255 - cv2.resize(x[0], (140, 140)))
        run = "from inkdigits.cli import main; main()"
        answering, answering_cpu = process_seconds(sys.executable, "-c", run, "read", "--single", "--model", model, str(picture))
    bare, bare_cpu = process_seconds(sys.executable, "-c", "pass")
    importing, importing_cpu = process_seconds(sys.executable, "-c", "import inkdigits")
    return {
        "python_start_s": bare,
        "import_s": importing - bare,
        "import_cpu_s": importing_cpu - bare_cpu,
        "first_answer_s": answering,
        "first_answer_cpu_s": answering_cpu,
    }


def of_keras(network: str, glyphs: np.ndarray, repeats: int) -> dict[str, float]:
    """Return the figures of `keras.predict`, and of the same network exported."""
    from inkdigits.train import networks
    from inkdigits.train.export import to_onnx

    model = networks.build(network)
    exported = of_classifier(Classifier(to_onnx(model)), glyphs, repeats)
    x = glyphs.astype(np.float32).reshape(-1, *model.input_shape[1:]) / 255
    one, _ = median_seconds(lambda: model.predict(x[:1], verbose=0), max(10, repeats // 10))
    many, _ = median_seconds(lambda: model.predict(x[:BATCH], batch_size=256, verbose=0), max(2, repeats // 150))
    return {
        "exported_one_glyph_ms": exported["one_glyph_ms"],
        "exported_glyphs_per_second": exported["glyphs_per_second"],
        "keras_one_glyph_ms": one * 1e3,
        "keras_glyphs_per_second": BATCH / many,
        "times_quicker_one": one * 1e3 / exported["one_glyph_ms"],
        "times_quicker_many": exported["glyphs_per_second"] * many / BATCH,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="reader", help="reader, mnist or an .onnx file")
    parser.add_argument("--network", default="reader", help="network to compare Keras on; none to leave Keras out")
    parser.add_argument("--repeats", type=int, default=300)
    args = parser.parse_args()
    _, (glyphs, _) = mnist.load_data()
    load = {"load_average": os.getloadavg()[0]} if hasattr(os, "getloadavg") else {}
    figures: dict[str, object] = {"model": args.model, "cores": default_threads(), "machine": platform.machine(), **load}
    figures |= of_classifier(Classifier.load(args.model), glyphs, args.repeats)
    figures |= of_starting(args.model)
    if args.network != "none":
        figures |= {"network": args.network} | of_keras(args.network, glyphs, args.repeats)
    for name, value in figures.items():
        print(f"{name:28} {value:,.3f}" if isinstance(value, float) else f"{name:28} {value}")
    print(json.dumps({name: round(value, 4) if isinstance(value, float) else value for name, value in figures.items()}))


if __name__ == "__main__":
    main()
