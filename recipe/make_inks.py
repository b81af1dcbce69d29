"""Fonts, MNIST and chance come in; shards of made pictures of one digit and their ink come out, as `train_ink.py` learns from them.

    python recipe/make_inks.py fonts inks [--pictures 60000] [--held 4000] [--workers 2]

`x`, uint8 of shape (n, 80, 80, 3), is a photo, scan or drawing as `inknet.shown` shows it; `y`, uint8 of shape (n, 80, 80), the ink of its
digit alone, thin strokes widened as `glyph.widen` does it. `held-*` are of hands and fonts that never train. Shards that exist are kept.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import cv2
import numpy as np
from make_glyphs import NO_DIGIT_SHARE, hands

from inkdigits.files import replacing
from inkdigits.glyph import BOX, widen
from inkdigits.inknet import SIDE, shown
from inkdigits.synthetic import make_labelled_digit

SHARD = 4000
NAMES = ("train", "held")
PRINTED_SHARE = 0.1
AFAR = (0.15, 0.45)  # how high the digit is against the picture, where it is seen from farther off
AFAR_SHARE = 0.15
FULL = 0.7  # of a pen's own darkest ink: what is darker counts as ink in full


def true_ink(ink: np.ndarray) -> np.ndarray:
    """Return the ink of a made picture as the network is to see it: uint8 of shape (80, 80)."""
    height, width = ink.shape
    peak = float(np.percentile(ink[ink > 0], 90)) if ink.any() else 255.0
    even = np.clip(ink / (FULL * peak), 0, 1) * 255
    x, y, w, h = cv2.boundingRect((even > 127).astype(np.uint8))
    if w:  # as wide as the glyph will need it, in proportion to the digit
        part = even[y : y + h, x : x + w].astype(np.uint8)
        even[y : y + h, x : x + w] = widen(part, min(BOX / max(w, h), 0.8 * SIDE / max(height, width)))
    small, (height, width) = shown(even.astype(np.uint8))
    small[height:] = small[:, width:] = 0  # beyond the picture there is no ink
    return small[:, :, 0]


def make_shard(name: str, number: int, fonts: Path, out: Path) -> Path:
    """Write one shard."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng([20 + NAMES.index(name), number])
    held = name == "held"
    split = "validation" if held else "train"
    written = hands(fonts, ("held-out",) if held else ("train",), split, (0.3, 0.35, 0.35))
    printed = hands(fonts, ("print-held-out",) if held else ("print",), split, (0, 0, 1))
    xs, ys = np.empty((SHARD, SIDE, SIDE, 3), np.uint8), np.empty((SHARD, SIDE, SIDE), np.uint8)
    for i in range(SHARD):
        label = None if rng.random() < NO_DIGIT_SHARE else int(rng.integers(10))
        hand = printed if rng.random() < PRINTED_SHARE else written
        afar = {"fill": AFAR, "size": int(rng.integers(90, 400))} if rng.random() < AFAR_SHARE else {}
        picture, ink = make_labelled_digit(label, rng, hands=hand, **afar)
        xs[i], ys[i] = shown(picture)[0], true_ink(ink)
    path = out / f"{name}-{number:04d}.npz"
    with replacing(path) as beside:
        np.savez(beside, x=xs, y=ys)
    return path


def main() -> None:
    """Make what is missing, `--workers` shards at a time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fonts", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--pictures", type=int, default=60_000)
    parser.add_argument("--held", type=int, default=4000)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    wanted = [(name, i) for name, n in (("held", args.held), ("train", args.pictures)) for i in range(-(-n // SHARD))]
    missing = [(n, i) for n, i in wanted if not (args.out / f"{n}-{i:04d}.npz").exists()]
    with ProcessPoolExecutor(args.workers) as pool:
        for k, job in enumerate(as_completed([pool.submit(make_shard, n, i, args.fonts, args.out) for n, i in missing])):
            print(f"{k + 1} of {len(missing)}: {job.result().name}", flush=True)


if __name__ == "__main__":
    main()
