"""The lesson's training against Keras on TensorFlow: whole processes, in turn; ratios of time, and accuracies, come out.

    python benchmarks/lesson.py --peer-python PATH [--rounds 3]

PATH is a Python that has tensorflow-cpu (3.11: `python -m venv peer && peer/bin/pip install tensorflow-cpu`). The peer learns the same
network (784-1024-128-64-10, dropout 0.2, Adam at its usual rate, batch 128, 10 epochs) from the same pictures, handed over as an .npz, as a
learner would write it. Every round runs each program once, with another seed; what is compiled is cached from a first run on, which is told
apart, as a user's second run would find it. Without --peer-python only our own times are told.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from inkdigits import mnist

PEER = """
import sys
import keras
import numpy as np
from keras.layers import Dense, Dropout
from keras.utils import to_categorical

keras.utils.set_random_seed(int(sys.argv[2]))
with np.load(sys.argv[1]) as data:
    x_train, y_train, x_test, y_test = (data[key] for key in ("x_train", "y_train", "x_test", "y_test"))
x_train, x_test = x_train.reshape((-1, 784)).astype("float32") / 255, x_test.reshape((-1, 784)).astype("float32") / 255
y_train, y_test = to_categorical(y_train), to_categorical(y_test)
model = keras.Sequential([
    keras.Input((784,)),
    Dense(1024, activation="relu"), Dropout(0.2),
    Dense(128, activation="tanh"), Dropout(0.2),
    Dense(64, activation="relu"), Dropout(0.2),
    Dense(10, activation="softmax"),
])
assert model.count_params() == 943_946
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=10, batch_size=128, verbose=0)
print(model.evaluate(x_test, y_test, verbose=0)[1])
"""
OURS = {
    "train --network tutorial": ["--network", "tutorial"],
    "train --network tutorial --fast": ["--network", "tutorial", "--fast"],
}
PEER_NAME = "Keras on TensorFlow"


def run_peer(python: str, data: Path, seed: int) -> tuple[float, float]:
    """Return seconds and test accuracy of one whole process of the peer."""
    environment = os.environ | {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "2"}
    began = time.perf_counter()
    told = subprocess.run([python, "-c", PEER, str(data), str(seed)], env=environment, check=True, capture_output=True, text=True).stdout
    return time.perf_counter() - began, float(told.split()[-1])


def run_ours(arguments: list[str], out: Path, seed: int) -> tuple[float, float]:
    """Return seconds and test accuracy of one whole `inkdigits train`."""
    command = [sys.executable, "-m", "inkdigits", "train", *arguments, "--seed", str(seed), "--out", str(out), "--json"]
    environment = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"}
    began = time.perf_counter()
    told = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    return time.perf_counter() - began, json.loads(told)["test_accuracy"]


def main() -> None:
    parser = argparse.ArgumentParser(description="The lesson's training against Keras on TensorFlow, whole processes in turn.")
    parser.add_argument("--peer-python", help="a Python that has tensorflow-cpu and keras")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each program, with seeds 0, 1, … (default: 3)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told = measure(Path(folder), options.peer_python, options.rounds)
    print(json.dumps(told) if options.json else describe(told))


def measure(folder: Path, peer: str | None, rounds: int) -> dict:
    (x, y), (x_test, y_test) = mnist.load_data()
    data = folder / "mnist.npz"
    np.savez(data, x_train=x, y_train=y, x_test=x_test, y_test=y_test)
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")  # so that the first run of all is a first run
    first = {name: run_ours([*arguments, "--epochs", "1"], folder / f"first{i}", 0)[0] for i, (name, arguments) in enumerate(OURS.items())}
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in ([PEER_NAME] if peer else []) + list(OURS)}
    for seed in range(rounds):
        if peer:
            runs[PEER_NAME].append(run_peer(peer, data, seed))
        for i, (name, arguments) in enumerate(OURS.items()):
            runs[name].append(run_ours(arguments, folder / f"run{i}-{seed}", seed))
        print(f"round {seed + 1} of {rounds}: " + ", ".join(f"{name} {told[-1][0]:.1f} s" for name, told in runs.items()), file=sys.stderr)
    found = {}
    for name, pairs in runs.items():
        # the ratio of each round, then their median: what else runs on the machine changes from round to round
        ratios = [own / other for (own, _), (other, _) in zip(pairs, runs.get(PEER_NAME, []), strict=bool(peer))]
        found[name] = {
            "seconds": [round(seconds, 2) for seconds, _ in pairs],
            "ratio": round(statistics.median(ratios), 3) if ratios else None,
            "accuracies": [accuracy for _, accuracy in pairs],
            "mean_accuracy": statistics.mean(accuracy for _, accuracy in pairs),
        }
    where = {
        "when": datetime.now(UTC).date().isoformat(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
    }
    return {**where, "first_epoch_uncached": {name: round(seconds, 2) for name, seconds in first.items()}, "runs": found}


def describe(told: dict) -> str:
    lines = [f"{told['when']}, {told['machine']}, {told['cores']} cores, load {told['load']:.1f}", ""]
    lines.append(f"{'whole process':34}{'seconds (median)':>18}{'ratio':>8}{'test accuracy, mean (each)':>30}")
    for name, run in told["runs"].items():
        ratio = f"{run['ratio']:.3f}" if run["ratio"] is not None else "–"
        each = ", ".join(f"{100 * accuracy:.2f}" for accuracy in run["accuracies"])
        lines.append(f"{name:34}{statistics.median(run['seconds']):18.1f}{ratio:>8}   {100 * run['mean_accuracy']:.2f} % ({each})")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
