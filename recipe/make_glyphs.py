"""Fonts, MNIST and chance come in; shards of labelled glyphs come out, cut from made pictures as the reader will cut them from photos.

    python recipe/fetch_fonts.py fonts
    python recipe/make_glyphs.py fonts glyphs [--crops 160000] [--clean 80000] [--workers 2]

A crop is a made photo, scan or drawing of one digit (or of no digit: label 10) whose ink was measured (`find_ink`) or seen (`inknet`,
which is trained before) and went through `propose`; a clean glyph is the same hand without the photo. Shards that exist are kept, so that
an interrupted run goes on; each depends on its number alone. The shards `held-*` are of hands that never train: MNIST's last 10,000
training digits and the held-out fonts.
"""

from __future__ import annotations

import argparse
import tomllib
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import cv2
import numpy as np
from fetch_fonts import file_name

from inkdigits.files import replacing
from inkdigits.glyph import make_glyph
from inkdigits.ink import find_ink
from inkdigits.inknet import default_inknet
from inkdigits.single import propose
from inkdigits.synthetic import Font, Hands, make_digit, make_glyph_source

SHARD = 4000  # glyphs
NO_DIGIT = 10
SECOND_SHARE = 0.15  # of the crops: the reader looks at more than the likeliest cut
SEEN_SHARE = 0.4  # of the crops: their ink is seen, not measured
NO_DIGIT_SHARE = 0.13  # of the crops
KINDS = {"crops": 1, "clean": 2, "held-crops": 3, "held-clean": 4, "strokes": 5}


def hands(fonts: Path, roles: tuple[str, ...], split: str, shares: tuple[float, float, float]) -> Hands:
    """Return the hands of the fonts with these roles, and of one part of MNIST."""
    listed = tomllib.loads((Path(__file__).parent / "fonts.toml").read_text())["font"]
    files = {f.name: f for f in fonts.iterdir()}
    chosen = [Font(str(files[file_name(f)]), "".join(map(str, f.get("skip", [])))) for f in listed if f["role"] in roles]
    return Hands(split=split, fonts=tuple(chosen), mnist=shares[0], strokes=shares[1], font=shares[2])


def crop(rng: np.random.Generator, hand: Hands) -> tuple[np.ndarray, int] | None:
    """Return one glyph cut from a made picture and its label; None where no ink was found."""
    label = None if rng.random() < NO_DIGIT_SHARE else int(rng.integers(10))
    picture = make_digit(label, rng, hands=hand)
    proposals = propose(find_ink(picture)) if rng.random() > SEEN_SHARE else []
    proposals = proposals or propose(default_inknet().find(picture).ink)  # as the reader does where measuring finds little
    if not proposals:
        return None
    second = len(proposals) > 1 and rng.random() < SECOND_SHARE
    return make_glyph(proposals[int(second)].ink), NO_DIGIT if label is None else label


def clean(rng: np.random.Generator, hand: Hands) -> tuple[np.ndarray, int]:
    """Return one glyph of a hand without a photo."""
    label = int(rng.integers(10))
    return make_glyph(make_glyph_source(label, rng, hands=hand, height=int(rng.integers(24, 110)))), label


def make_shard(kind: str, number: int, fonts: Path, out: Path) -> Path:
    """Write one shard, `x` uint8 of shape (n, 28, 28) and `y` uint8 of shape (n,)."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng([KINDS[kind], number])
    held = kind.startswith("held")
    written = hands(fonts, ("held-out",) if held else ("train",), "validation" if held else "train", (0.25, 0.4, 0.35))
    if kind == "strokes":  # templates alone: the shapes that neither MNIST nor the fonts have
        written = hands(fonts, (), "train", (0, 1, 0))
    printed = hands(fonts, ("print-held-out",) if held else ("print",), "validation" if held else "train", (0, 0, 1))
    pairs = []
    for _ in range(SHARD):
        hand = printed if kind != "strokes" and rng.random() < 0.12 else written
        pair = crop(rng, hand) if kind.endswith("crops") else clean(rng, hand)
        if pair is not None:
            pairs.append(pair)
    path = out / f"{kind}-{number:04d}.npz"
    with replacing(path) as beside:
        np.savez_compressed(beside, x=np.stack([x for x, _ in pairs]), y=np.array([y for _, y in pairs], np.uint8))
    return path


def main() -> None:
    """Make what is missing, `--workers` shards at a time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fonts", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--crops", type=int, default=160_000)
    parser.add_argument("--clean", type=int, default=80_000)
    parser.add_argument("--strokes", type=int, default=32_000)
    parser.add_argument("--held", type=int, default=12_000)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    wanted = {"held-crops": args.held, "held-clean": args.held, "strokes": args.strokes, "clean": args.clean, "crops": args.crops}
    jobs = [(kind, i) for kind, n in wanted.items() for i in range(-(-n // SHARD)) if not (args.out / f"{kind}-{i:04d}.npz").exists()]
    with ProcessPoolExecutor(args.workers) as pool:
        running = [pool.submit(make_shard, kind, i, args.fonts, args.out) for kind, i in jobs]
        for done, future in enumerate(as_completed(running), 1):
            print(f"{done}/{len(jobs)} {future.result().name}", flush=True)


if __name__ == "__main__":
    main()
