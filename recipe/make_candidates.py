"""Fonts, MNIST and chance come in; shards of labelled candidates in their surroundings come out, cut from made pages as the reader does.

    python recipe/make_candidates.py fonts candidates [--pages 1800] [--others 4300] [--held 200] [--workers 2]

Each made page goes through `find_ink` and `segment`; a candidate is labelled by what the truth has where it stands: a whole digit, a mark,
a digit struck out, a part (or more than one) of these, or something else. Shards that exist are kept. The reader of glyphs learns from
`train-*`; `train_kinds.py`, which sees what the reader makes of a candidate, from `others-*`, which the reader has never seen.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import cv2
import numpy as np
from make_glyphs import NO_DIGIT, hands

from inkdigits.errors import InkdigitsError
from inkdigits.files import replacing
from inkdigits.glyph import make_glyph
from inkdigits.ink import find_ink
from inkdigits.kinds import KINDS
from inkdigits.records import Box
from inkdigits.segment import Candidate, segment
from inkdigits.surroundings import show_surroundings
from inkdigits.synthetic import Font, Hands, make_labelled_page

PAGES = 25  # a shard
NAMES = ("train", "held", "others")
MOST = {"part": 60, "other": 70}  # of one page: the rest says the same again
LEVELS, LEVEL_SHARES = ("clean", "light", "medium", "heavy"), (0.25, 0.35, 0.3, 0.1)
PRINTED = 0.15  # share of pages whose numbers are printed
PROSE_SHARE = 0.4  # of the pages that hold running text besides
NUMBERED, LETTERS = 0.6, 0.5  # of these: with numbers among its words; with digits so small that there is room for much of it
UNITS = 0.2  # share of pages with units beside their numbers, printed or written
MARKS, DIGITS = ".,-/:", tuple("0123456789")


def make_text(rng: np.random.Generator) -> str:
    """Return the text of a page: numbers with and without marks, some digits struck out, now and then nothing."""
    if rng.random() < 0.1:
        return ""
    write = _number if rng.random() < 0.6 else _plain  # where one number holds a mark others do
    lines = [[write(rng) for _ in range(int(rng.integers(1, 5)))] for _ in range(int(rng.integers(1, 7)))]
    text = "|".join(" ".join(line) for line in lines)
    if rng.random() < 0.15:  # a sheet of practice: one digit, again and again
        text = re.sub("[0-9]", str(rng.choice(10, p=[0.07, 0.37, *[0.07] * 8])), text)
    return text


def _number(rng: np.random.Generator) -> str:
    parts = [
        "".join(map(str, rng.integers(0, 10, int(rng.integers(1, 6))))) for _ in range(int(rng.choice([1, 2, 3], p=[0.3, 0.45, 0.25])))
    ]
    mark = str(rng.choice(list(MARKS), p=[0.25, 0.25, 0.2, 0.15, 0.15]))
    text = "".join("?" if rng.random() < 0.025 else c for c in mark.join(parts))
    return ("-" if rng.random() < 0.06 else "") + text


def _plain(rng: np.random.Generator) -> str:
    return "".join(map(str, rng.integers(0, 10, int(rng.integers(1, 9)))))


def label(candidates: Sequence[Candidate], characters: Sequence[tuple[str, Box]], slack: float) -> list[str | None]:
    """Return what each candidate is by what stands in its box: a digit's value or another kind; None where the truth cannot tell.

    A whole character fills its box, and no other candidate fills it much better.
    """
    if not characters or not candidates:
        return ["other"] * len(candidates)
    own, boxes = _grown([c.box for c in candidates], slack), _grown([b for _, b in characters], slack)
    low, high = np.maximum(own[:, None, :2], boxes[None, :, :2]), np.minimum(own[:, None, 2:], boxes[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(2)  # of shape (candidates, characters)
    area, areas = (own[:, 2:] - own[:, :2]).prod(1)[:, None], (boxes[:, 2:] - boxes[:, :2]).prod(1)[None]
    overlap = shared / (area + areas - shared)
    best = overlap.max(0)  # of each character
    whats: list[str | None] = []
    for i, which in enumerate(overlap.argmax(1)):
        value = overlap[i, which]
        two = ((shared[i] > 0.6 * areas[0]) & (shared[i] < 0.9 * area[i])).sum() > 1
        touched = max((shared[i] / areas[0]).max(), (shared[i] / area[i]).max()) > 0.3
        if value >= max(0.62, best[which] - 0.05) and not two:
            whats.append("struck" if characters[which][0] == "?" else characters[which][0])
        elif value >= max(0.5, best[which] - 0.15) and not two:
            whats.append(None)
        else:
            whats.append("part" if touched else "other")
    return whats


def _grown(boxes: Sequence[Box], slack: float) -> np.ndarray:
    """Return left, top, right, bottom of boxes made larger by `slack` pixels on each side: float of shape (n, 4)."""
    x, y, w, h = np.array(boxes, float).reshape(-1, 4).T
    return np.stack([x - slack, y - slack, x + w + slack, y + h + slack], 1)


def make_shard(name: str, number: int, fonts: Path, out: Path) -> Path:
    """Write one shard.

    `x`, uint8 of shape (n, 4, 40, 40), `y`, places in `KINDS`, `glyphs`, uint8 of shape (n, 28, 28), and `labels`, their values or 10, of
    every kind of candidate; `kept`, which of them the reader of glyphs is to learn from: whole digits, and some parts and other things.
    """
    cv2.setNumThreads(1)
    held = name == "held"
    written = hands(fonts, ("held-out",) if held else ("train",), "validation" if held else "train", (0.4, 0.0 if held else 0.2, 0.5))
    printed = hands(fonts, ("print-held-out",) if held else ("print",), "validation" if held else "train", (0, 0, 1))
    found: list[tuple[np.ndarray, int, np.ndarray, int]] = []
    for i in range(PAGES):
        seed = (1 + NAMES.index(name)) * 1_000_000 + number * PAGES + i
        rng = np.random.default_rng([seed, 0xC0])
        hand = printed if rng.random() < PRINTED else written
        prose = () if rng.random() > PROSE_SHARE else printed.fonts if rng.random() < 0.7 else written.fonts
        units = () if rng.random() > UNITS else printed.fonts if rng.random() < 0.4 else written.fonts
        found += _page(seed, rng, hand, prose, units)
    path = out / f"{name}-{number:04d}.npz"
    with replacing(path) as beside:
        xs, ys, glyphs, labels = (np.array(part, np.uint8) for part in zip(*found, strict=True))
        is_digit = ys == KINDS.index("digit")
        # of what is no digit, as many as the digits would have at an eleventh of all, and half as many again: it is the most varied
        others = rng.permutation(np.flatnonzero((labels == NO_DIGIT) & ~np.isin(ys, [KINDS.index(m) for m in MARKS])))
        kept = np.sort(np.concatenate([np.flatnonzero(is_digit), others[: int(0.15 * is_digit.sum())]]))
        np.savez_compressed(beside, x=xs, y=ys, glyphs=glyphs, labels=labels, kept=kept)
    return path


def _page(
    seed: int, rng: np.random.Generator, hand: Hands, prose: Sequence[Font], units: Sequence[Font]
) -> list[tuple[np.ndarray, int, np.ndarray, int]]:
    touching = float(rng.choice([0.0, 0.1, 0.3], p=[0.6, 0.25, 0.15]))
    try:
        picture, truth, characters = make_labelled_page(
            make_text(rng),
            seed=seed,
            hands=hand,
            dirt=str(rng.choice(LEVELS, p=LEVEL_SHARES)),
            digit_height=float(rng.uniform(24, 70)) if prose and rng.random() < LETTERS else None,
            touching=touching or None,
            decoys=int(rng.integers(1, 14)) if prose or rng.random() < 0.6 else None,
            prose=prose,
            units=units,
            prose_numbers=re.split("[| ]", make_text(rng).replace("?", "0")) if prose and rng.random() < NUMBERED else (),
        )
        ink = find_ink(picture, ruled=True)
        lines = segment(ink)
    except InkdigitsError:  # a text that does not fit, or far too much dirt
        return []
    heights = [d.box.height for n in truth.numbers for d in n.digits]
    slack = 1 + 0.03 * float(np.median(heights)) if heights else 1.0
    candidates = [c for line in lines for c in line.candidates]
    whats = label(candidates, characters, slack)
    chosen = [i for i, what in enumerate(whats) if what is not None and what not in MOST]
    for kind, most in MOST.items():
        there = [i for i, what in enumerate(whats) if what == kind]
        chosen += list(rng.permutation(there)[:most]) if there else []
    shown = show_surroundings(lines, ink)
    return [(shown[i], _kind(whats[i]), make_glyph(candidates[i].ink), _value(whats[i])) for i in map(int, chosen)]


def _kind(what: str | None) -> int:
    return KINDS.index("digit" if what in DIGITS else str(what))


def _value(what: str | None) -> int:
    return DIGITS.index(str(what)) if what in DIGITS else NO_DIGIT


def main() -> None:
    """Make what is missing, `--workers` shards at a time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fonts", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--pages", type=int, default=1800)
    parser.add_argument("--others", type=int, default=4300)
    parser.add_argument("--held", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    pages = {"held": args.held, "others": args.others, "train": args.pages}
    wanted = [(name, i) for name, count in pages.items() for i in range(count // PAGES)]
    missing = [(n, i) for n, i in wanted if not (args.out / f"{n}-{i:04d}.npz").exists()]
    with ProcessPoolExecutor(args.workers) as pool:
        for k, job in enumerate(as_completed([pool.submit(make_shard, n, i, args.fonts, args.out) for n, i in missing])):
            print(f"{k + 1} of {len(missing)}: {job.result().name}", flush=True)


if __name__ == "__main__":
    main()
