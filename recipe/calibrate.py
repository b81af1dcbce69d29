"""A trained network and held-back glyphs come in; NAME.onnx and NAME.json with their calibration come out. `train.py` calls it.

    python recipe/calibrate.py reader --glyphs glyphs

calibrates weights that stand in the package anew, on MNIST's last 10,000 training digits and the shards `held-*` of `make_glyphs.py`; the
network stays as it is.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from inkdigits import calibration

SHARES = {"mnist-validation": 10_000, "held-clean": 12_000, "held-crops": 6_000}  # glyphs of each that calibrate
WEIGHTS = Path(__file__).parent.parent / "src" / "inkdigits" / "weights"

Labelled = tuple[np.ndarray, np.ndarray]


def calibrated(logits: Callable[[np.ndarray], np.ndarray], sets: dict[str, Labelled]) -> tuple[dict[str, float], dict[str, int]]:
    """Return the calibration of a network on `sets`, which trained nothing, and how much of each set made it."""
    used = {k: (sets[k][0][:n], sets[k][1][:n]) for k, n in SHARES.items() if k in sets}
    x, y = (np.concatenate(parts) for parts in zip(*used.values(), strict=True))
    found = calibration.calibrate(logits(x), y)
    print(", ".join(f"{key} {value}" for key, value in found._asdict().items()), flush=True)
    return found._asdict(), {k: len(v) for k, (_, v) in used.items()}


def calibrate(network: Any, name: str, sets: dict[str, Labelled], out: Path, recipe: dict[str, Any]) -> None:
    """Write the weights `name` with a calibration made on `sets`; a final network has learned from these: it keeps what stands in `out`."""
    from inkdigits.train.engine import predict
    from inkdigits.train.export import write_weights

    trained = {key: recipe[key] for key in ("network", "seed", "epochs", "steps", "batch_size", "learning_rate", "strength", "shares")}
    if recipe["final"]:
        before = json.loads((out / f"{name}.json").read_text())
        found, used = {key: before[key] for key in calibration.Calibration._fields}, before["trained"]["calibrated_on"]
        trained["final"] = True
    else:
        found, used = calibrated(lambda x: predict(network, x), sets)
    write_weights(network, name, out, trained=trained | {"calibrated_on": used}, **found)


def main() -> None:
    """Calibrate weights of the package anew."""
    from train import held

    from inkdigits import Classifier
    from inkdigits.train.export import rewrite_weights

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="reader or mnist")
    parser.add_argument("--glyphs", type=Path, help="folder of shards; without it MNIST alone calibrates")
    args = parser.parse_args()
    found, used = calibrated(Classifier.load(args.name).logits, held({"shares": ["crops"] if args.glyphs else []}, args.glyphs))
    trained = json.loads((WEIGHTS / f"{args.name}.json").read_text())["trained"]
    rewrite_weights(WEIGHTS, args.name, trained=trained | {"calibrated_on": used}, **found)


if __name__ == "__main__":
    main()
