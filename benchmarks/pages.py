"""How well made pages are read, by level of dirt: digits, lines, numbers, marks, and what is wrong without a `?`.

    python benchmarks/pages.py [--pages 60] [--levels clean,light,medium] [--kinds whole,marks] [--fonts DIR] [--threshold 0] [--draw DIR]

Pages are written with digits of the last 10,000 of MNIST's training pictures, which train no default weights; with --fonts, a folder that
`recipe/fetch_fonts.py` filled, half of them with its held-out fonts. Kinds: `whole` numbers, numbers with `marks`, `struck` digits,
`none`: pages without any number, on which every answer is false, and, with --fonts, `prose` (numbers among running text in held-out
printed fonts) and `text` (nothing but such text). The same seed makes the same pages.
"""

import argparse
import json
import sys
import tomllib
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from inkdigits import Reader
from inkdigits.page_accuracy import compare
from inkdigits.records import Page
from inkdigits.synthetic import Font, Hands, make_labelled_page

sys.path.insert(0, str(Path(__file__).parent.parent / "recipe"))
from fetch_fonts import file_name

KINDS = ("whole", "marks", "struck", "none", "prose", "text")


@dataclass(frozen=True)
class Job:
    """One made page: what it is made of, and how it is to be read."""

    kind: str
    level: str
    seed: int
    fonts: str | None
    threshold: float | None
    draw: str | None


def make_text(kind: str, rng: np.random.Generator) -> str:
    """Return the text of one page, lines parted by `|`."""
    if kind in ("none", "text"):
        return ""
    lines = [[make_number(kind, rng) for _ in range(int(rng.integers(1, 4)))] for _ in range(int(rng.integers(1, 6)))]
    return "|".join(" ".join(line) for line in lines)


def make_number(kind: str, rng: np.random.Generator) -> str:
    """Return one number as a person might write it."""
    n = lambda low, high: "".join(map(str, rng.integers(0, 10, int(rng.integers(low, high + 1)))))  # noqa: E731
    if kind == "struck" and rng.random() < 0.4:
        digits = list(n(2, 5))
        digits[int(rng.integers(len(digits)))] = "?"
        return "".join(digits)
    if kind != "marks" or rng.random() < 0.3:
        return n(1, 7)
    forms = (f"{n(1, 3)}.{n(1, 2)}", f"{n(1, 3)},{n(1, 2)}", f"{n(2, 3)}/{n(2, 2)}", f"{n(2, 2)}:{n(2, 2)}", f"-{n(1, 3)}")
    more = (f"{n(2, 2)}.{n(2, 2)}.{n(4, 4)}", f"{n(3, 3)}-{n(3, 4)}", f"{n(1, 2)}/{n(1, 2)}/{n(4, 4)}", f"{n(1, 1)},{n(3, 3)}.{n(2, 2)}")
    return str(rng.choice([*forms, *more]))


@lru_cache(maxsize=2)
def hands_of(fonts: str | None) -> tuple[Hands, ...]:
    """Return MNIST's validation hands, and those of the held-out fonts where they were fetched."""
    own = Hands(split="validation", strokes=0.0)
    if not fonts:
        return (own,)
    return own, replace(own, fonts=fonts_of(fonts, "held-out"), mnist=0.0, font=1.0)


@lru_cache(maxsize=2)
def fonts_of(folder: str, role: str) -> tuple[Font, ...]:
    """Return the fetched fonts of one role."""
    listed = tomllib.loads((Path(__file__).parent.parent / "recipe" / "fonts.toml").read_text())["font"]
    return tuple(Font(str(Path(folder) / file_name(f)), "".join(map(str, f.get("skip", [])))) for f in listed if f["role"] == role)


@lru_cache(maxsize=1)
def reader() -> Reader:
    """Return this process's reader."""
    cv2.setNumThreads(1)
    return Reader.load()


def run(job: Job) -> tuple[Job, Counter[str], str, str]:
    """Make one page, read it, and compare."""
    rng = np.random.default_rng([job.seed, KINDS.index(job.kind)])
    hands = hands_of(job.fonts)
    text = make_text(job.kind, rng)
    dirt = job.level
    prose = fonts_of(job.fonts, "print-held-out") if job.kind in ("prose", "text") and job.fonts else ()
    decoys = int(rng.integers(2, 10)) if prose else None
    picture, truth, _ = make_labelled_page(text, seed=job.seed, dirt=dirt, hands=hands[job.seed % len(hands)], decoys=decoys, prose=prose)
    page = reader().read(picture, threshold=job.threshold)
    counts = compare(page, truth)
    if job.draw and not _is_good(counts):
        _draw(page, picture, Path(job.draw) / f"{job.level}-{job.kind}-{job.seed}.png")
    return job, counts, truth.text, page.text


def _is_good(counts: Counter[str]) -> bool:
    return not any(counts[k] for k in ("digit_errors", "numbers_wrong", "numbers_false", "silent_joins", "marks_false"))


def _draw(page: Page, picture: np.ndarray, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), page.draw()[..., ::-1])


def table(counts: Counter[str]) -> dict[str, float | int]:
    """Return the figures of one level and kind."""
    c = counts

    def share(part: str, whole: str) -> float | None:
        return round(100 * c[part] / c[whole], 2) if c[whole] else None

    return {
        "pages": c["pages"],
        "digits": c["digits"],
        "digits_right_%": round(100 - 100 * c["digit_errors"] / c["digits"], 2) if c["digits"] else None,
        "lines_right_%": share("lines_right", "lines"),
        "numbers": c["numbers"],
        "right_%": share("numbers_right", "numbers"),
        "flagged_%": share("numbers_flagged", "numbers"),
        "wrong_%": share("numbers_wrong", "numbers"),
        "missed_%": share("numbers_missed", "numbers"),
        "false_numbers": c["numbers_false"],
        "marks": c["marks"],
        "marks_right_%": share("marks_right", "marks"),
        "false_marks_per_digit_%": share("marks_false", "digits"),
        "silent_joins": c["silent_joins"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=60, help="of each level and kind (default: 60)")
    parser.add_argument("--levels", default="clean,light,medium,heavy")
    parser.add_argument("--kinds", default="whole,marks,struck,none")
    parser.add_argument("--fonts", help="a folder that recipe/fetch_fonts.py filled")
    parser.add_argument("--threshold", type=float, help="as for read; default: the one of the weights")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--draw", help="a folder for pictures of what was misread")
    parser.add_argument("--errors", action="store_true", help="print what was misread")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line, with all counts")
    options = parser.parse_args()
    jobs = [
        Job(kind, level, options.seed + i, options.fonts, options.threshold, options.draw)
        for level in options.levels.split(",")
        for kind in options.kinds.split(",")
        for i in range(options.pages)
    ]
    sums: dict[tuple[str, str], Counter[str]] = {}
    with ProcessPoolExecutor(options.workers) as pool:
        for job, counts, truth, found in pool.map(run, jobs, chunksize=4):
            sums.setdefault((job.level, job.kind), Counter()).update(counts)
            if options.errors and not _is_good(counts):
                print(f"{job.level} {job.kind} {job.seed}: {truth!r} read as {found!r}", file=sys.stderr)
    rows = [{"level": level, "kind": kind, **table(counts)} for (level, kind), counts in sums.items()]
    for row in rows:
        print("  ".join(f"{k} {v}" for k, v in row.items() if v is not None))
    if options.json:
        print(json.dumps({"rows": [row | {"counts": counts} for row, counts in zip(rows, sums.values(), strict=True)]}))


if __name__ == "__main__":
    main()
