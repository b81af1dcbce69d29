"""A recipe and its glyphs come in; trained, calibrated weights come out. One command; started again, it goes on where it was.

    python recipe/train.py recipe/reader.toml --glyphs glyphs --extra DIR --out runs/reader --weights src/inkdigits/weights

Keras runs on torch here (pip install torch): its bfloat16 convolutions make this twice as fast on two cores. `--extra` is the folder with
`optdigits.npz` and `singles/hwd1000-drawn` (see docs/data.md). Nothing here looks at MNIST's test set.
"""

from __future__ import annotations

import argparse
import csv
import os
import time
import tomllib
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "torch")

import numpy as np
from unfold import load_exported

from inkdigits import mnist
from inkdigits.files import write_json
from inkdigits.glyph import make_glyph
from inkdigits.ink import find_ink
from inkdigits.single import propose
from inkdigits.source import load_image
from inkdigits.train.mixture import Mixture, Source, worker_pool

HELD_BACK = 10_000  # the last training digits of MNIST, which choose and calibrate
Labelled = tuple[np.ndarray, np.ndarray]


def shards(folder: Path, kind: str) -> Labelled:
    """Return the glyphs and labels of all shards of one kind, as `make_glyphs.py` left them."""
    parts = [np.load(path) for path in sorted(folder.glob(f"{kind}-*.npz"))]
    return np.concatenate([p["x"] for p in parts]), np.concatenate([p["y"] for p in parts])


def pages(folder: Path, name: str) -> Labelled:
    """Return the glyphs and labels that `make_candidates.py` kept for the reader."""
    parts = [np.load(path) for path in sorted(folder.glob(f"{name}-*.npz"))]
    return tuple(np.concatenate([p[key][p["kept"]] for p in parts]) for key in ("glyphs", "labels"))  # type: ignore[return-value]


def drawn(folder: Path) -> Labelled:
    """Return the digits drawn on a screen, cut out as the reader does."""
    with (folder / "labels.csv").open(encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    glyphs = [make_glyph(propose(find_ink(load_image(folder / r["file"])))[0].ink) for r in rows]
    return np.stack(glyphs), np.array([int(r["label"]) for r in rows], np.uint8)


def optdigits(path: Path) -> Labelled:
    """Return UCI's bitmaps of 32 × 32 as glyphs."""
    with np.load(path) as file:
        x, y = file["x"], file["y"]
    return np.stack([make_glyph((bitmap > 0).astype(np.uint8) * 255) for bitmap in x]), y.astype(np.uint8)


def sources(
    recipe: dict[str, Any], glyphs: Path | None, candidates: Path | None, extra: Path | None, teacher: Path | None = None
) -> tuple[Source, ...]:
    """Return what the recipe mixes; of MNIST's digits the `teacher` tells what they are."""
    (x, y), _ = mnist.load_data()
    own = len(x) if recipe.get("final") else len(x) - HELD_BACK
    made = {"mnist": lambda: (x[:own], y[:own])}
    if glyphs:
        made |= {kind: partial(shards, glyphs, kind) for kind in ("crops", "clean", "strokes")}
    if candidates:
        made |= {"pages": partial(pages, candidates, "train")}
    if extra:
        made |= {"drawn": lambda: drawn(extra / "singles" / "hwd1000-drawn"), "optdigits": lambda: optdigits(extra / "optdigits.npz")}
    missing = set(recipe["shares"]) - set(made)
    if missing:
        raise SystemExit(f"the recipe needs {', '.join(sorted(missing))}: give --glyphs, --candidates and --extra")
    return tuple(
        Source(name, *made[name](), share, str(teacher) if teacher and name == "mnist" else None)
        for name, share in recipe["shares"].items()
    )


def held(recipe: dict[str, Any], glyphs: Path | None, candidates: Path | None = None) -> dict[str, Labelled]:
    """Return what chooses and calibrates: nothing in it has trained."""
    (x, y), _ = mnist.load_data()
    sets = {"mnist-validation": (x[-HELD_BACK:], y[-HELD_BACK:])}
    if glyphs and "crops" in recipe["shares"]:
        sets |= {kind: shards(glyphs, kind) for kind in ("held-clean", "held-crops")}
    if candidates and "pages" in recipe["shares"]:
        sets |= {"held-pages": pages(candidates, "held")}
    return sets


def train(recipe: dict[str, Any], mixture: Mixture, sets: dict[str, Labelled], out: Path, start: Path | None) -> Any:
    """Return the trained network, which begins with the weights of `start` where there is one."""
    import torch

    from inkdigits.train.compact import build_compact
    from inkdigits.train.engine import Schedule, Trainer, predict

    torch.manual_seed(recipe["seed"])
    import keras

    keras.utils.set_random_seed(recipe["seed"])
    network = build_compact(recipe["network"])
    if start and start.suffix == ".onnx":
        load_exported(network, start, mixture.batch(0, 0)[0])
    elif start:
        network.load_weights(start)
    options = {k: recipe[k] for k in ("learning_rate", "weight_decay", "average")}
    schedule = Schedule(recipe["epochs"], recipe["steps"], **options)
    log, begun = out / "log.csv", time.time()

    def after(epoch: int, loss: float) -> None:
        right = {}
        for name, (x, y) in sets.items():
            digits = y < 10
            right[name] = float((predict(network, x[digits])[:, :10].argmax(1) == y[digits]).mean())
        line = (
            f"{epoch + 1},{loss:.4f}," + ",".join(f"{name}={value:.4f}" for name, value in right.items()) + f",{time.time() - begun:.0f}s"
        )
        print(line, flush=True)
        with log.open("a") as f:
            f.write(line + "\n")

    before = network.get_weights()
    with worker_pool(mixture) as pool:
        Trainer(network, schedule, out / "checkpoint.npz").fit(lambda e: mixture.epoch(e, recipe["steps"], pool), after)
    kept = recipe.get("kept", 0.0)  # of what it started from: between two networks one learned from the other, both are still known
    network.set_weights([kept * b + (1 - kept) * a for b, a in zip(before, network.get_weights(), strict=True)])
    return network


def main() -> None:
    """Train, save, and with --weights calibrate and export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--glyphs", type=Path)
    parser.add_argument("--candidates", type=Path)
    parser.add_argument("--extra", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="a network of an earlier stage (model.keras, or exported) to go on from")
    parser.add_argument(
        "--teacher", type=Path, help="an exported network that learned from the same MNIST digits: learn what it says of them"
    )
    parser.add_argument("--seed", type=int)
    parser.add_argument("--final", action="store_true", help="learn from all 60,000 MNIST digits, when every choice is made")
    parser.add_argument("--weights", type=Path, help="write NAME.onnx and NAME.json there")
    args = parser.parse_args()
    recipe = tomllib.loads(args.recipe.read_text())
    recipe |= {"seed": recipe["seed"] if args.seed is None else args.seed, "final": args.final or recipe.get("final", False)}
    args.out.mkdir(parents=True, exist_ok=True)
    options = {key: recipe[key] for key in ("batch_size", "strength", "dirt", "spoilt", "seed") if key in recipe}
    mixture = Mixture(sources(recipe, args.glyphs, args.candidates, args.extra, args.teacher), **options)
    print(", ".join(f"{s.name}: {len(s.y):,}" for s in mixture.sources), flush=True)
    sets = held(recipe, args.glyphs, args.candidates)
    network = train(recipe, mixture, sets, args.out, args.start)
    network.save(args.out / "model.keras")
    write_json(args.out / "recipe.json", recipe | {"sources": {s.name: len(s.y) for s in mixture.sources}})
    if args.weights:
        from calibrate import calibrate

        calibrate(network, recipe["name"], sets, args.weights, recipe)


if __name__ == "__main__":
    main()
