"""A trained network and held-back glyphs come in; NAME.onnx and NAME.json with their calibration come out. `train.py` calls it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from inkdigits import calibration
from inkdigits.train.export import write_weights

SHARES = {"mnist-validation": 10_000, "held-clean": 12_000, "held-crops": 6_000}  # glyphs of each that calibrate


def calibrate(network: Any, name: str, sets: dict[str, tuple[np.ndarray, np.ndarray]], out: Path, recipe: dict[str, Any]) -> None:
    """Write the weights `name` with a calibration made on `sets`, which trained nothing."""
    from inkdigits.train.engine import predict

    x = np.concatenate([sets[k][0][:n] for k, n in SHARES.items() if k in sets])
    y = np.concatenate([sets[k][1][:n] for k, n in SHARES.items() if k in sets])
    found = calibration.calibrate(predict(network, x), y)
    trained = {key: recipe[key] for key in ("network", "seed", "epochs", "steps", "batch_size", "learning_rate", "strength", "shares")}
    trained["calibrated_on"] = {k: min(n, len(sets[k][1])) for k, n in SHARES.items() if k in sets}
    paths = write_weights(
        network,
        name,
        out,
        temperature=found.temperature,
        confidence_map={"scores": found.knots[0], "confidences": found.knots[1]},
        threshold=found.threshold,
        trained=trained,
    )
    print(f"{paths[0].name}: temperature {found.temperature}, threshold {found.threshold}", flush=True)
