"""Weights of the package and what never trained them come in; what `--max-error` promises comes out, in NAME.json and NAME.onnx.

    python recipe/promise.py reader --glyphs glyphs --fonts fonts [--pictures 6000] [--pages 600] [--workers 2]

For pictures of one digit: MNIST's last 10,000 training digits, the shards `held-clean-*` of `make_glyphs.py`, and made photos, scans and
drawings; for pages: made pages; both in hands and fonts that never trained, read as a user's are. Signs of 600 pictures of each sort, by
lot, are kept beside the promises, for `read` to compare the user's with (`drift.py`). To be done after every calibration, and when pages
are read otherwise; not for weights that learned from all 60,000 digits (`train.py --final`): of those, nothing is left to promise on.
"""

from __future__ import annotations

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from random import Random

import cv2
import numpy as np
from calibrate import SHARES, WEIGHTS
from make_candidates import make_text
from make_glyphs import hands
from train import held

from inkdigits import Classifier, Reader
from inkdigits.calibrating import describe
from inkdigits.calibration import NO_DIGIT_SHARE
from inkdigits.drift import Signs, choose_signs, make_reference, measure_signs
from inkdigits.errors import InkdigitsError
from inkdigits.page_accuracy import judge
from inkdigits.promises import Promises, identity, make_promise
from inkdigits.records import Page
from inkdigits.synthetic import make_digit, make_page
from inkdigits.train.export import rewrite_weights

LEVELS = {"clean": 0.4, "light": 0.4, "medium": 0.2}
SEEDS = 5_000_000  # of the pages: none that trained or measures anything
Outcomes = list[tuple[float, bool]]
Told = list[tuple[float, bool, Signs]]  # confidence, whether it was right, signs


def of_glyphs(classifier: Classifier, sets: dict[str, tuple[np.ndarray, np.ndarray]]) -> Told:
    """Return confidence, rightness and signs of glyphs that need no photo."""
    x, y = (np.concatenate([part[i][: SHARES[name]] for name, part in sets.items()]) for i in (0, 1))
    confidence, right = classifier.confidence(x), classifier.predict(x) == y
    return [(float(c), bool(r), measure_signs(float(c), glyph)) for c, r, glyph in zip(confidence, right, x, strict=True)]


def of_picture(job: tuple[str, str, int]) -> tuple[float, bool, Signs] | None:
    """Make and read one picture of one digit, or one in 200 times of none; None where nothing was answered."""
    name, fonts, number = job
    cv2.setNumThreads(1)
    rng = np.random.default_rng([SEEDS, 1, number])
    label = None if rng.random() < NO_DIGIT_SHARE else int(rng.integers(10))
    hand = hands(Path(fonts), ("held-out",), "validation", (0.5, 0.0, 0.5))
    page = Reader.load(name).read(make_digit(label, rng, hands=hand), single=True, threshold=0)
    if not page.numbers:
        return None
    digit = page.numbers[0].digits[0]
    return digit.confidence, digit.value == label, measure_signs(digit.confidence, digit.glyph)


def make_labelled(fonts: Path, seeds: int, number: int) -> tuple[np.ndarray, Page]:
    """Return a made page as users' are, in hands and fonts that never trained, and its truth.

    Raises:
        InkdigitsError: its text does not fit.
    """
    rng = np.random.default_rng([seeds, number])
    hand = hands(fonts, ("held-out",), "validation", (0.5, 0.0, 0.5))
    dirt = str(rng.choice(list(LEVELS), p=list(LEVELS.values())))
    return make_page(make_text(rng), seed=seeds + number, hands=hand, dirt=dirt)


def of_page(job: tuple[str, str, int]) -> tuple[Outcomes, Outcomes, Signs | None]:
    """Make and read one page; return confidence and rightness of its digits and of its numbers, and the signs of one of its digits."""
    name, fonts, number = job
    cv2.setNumThreads(1)
    try:
        picture, truth = make_labelled(Path(fonts), SEEDS, number)
        page = Reader.load(name).read(picture, threshold=0)
        return *judge(page, truth), choose_signs(page, Random(number))
    except InkdigitsError:  # a text that does not fit, or far too much dirt: nothing is answered
        return [], [], None


def main() -> None:
    """Make the promises and write them into the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="reader or mnist")
    parser.add_argument("--glyphs", type=Path, help="folder of shards; without it MNIST alone is promised on")
    parser.add_argument("--fonts", type=Path, help="folder of fonts; without it nothing is promised for pages")
    parser.add_argument("--pictures", type=int, default=6000)
    parser.add_argument("--pages", type=int, default=600)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    sets = held({"shares": ["crops"] if args.glyphs else []}, args.glyphs)
    sets.pop("held-crops", None)  # pictures are read here as a user's are
    made_on = "MNIST's last 10,000 training digits" + (", digits in held-out fonts" if args.glyphs else "")
    told, pages = of_glyphs(Classifier.load(args.name), sets), []
    if args.fonts:
        jobs = [(args.name, str(args.fonts), i) for i in range(max(args.pages, args.pictures))]
        with ProcessPoolExecutor(args.workers) as pool:
            told += [one for one in pool.map(of_picture, jobs[: args.pictures], chunksize=16) if one]
            pages = list(pool.map(of_page, jobs[: args.pages], chunksize=4))
    confidence, right, signs = zip(*told, strict=True)
    promises, references = {"single": make_promise(confidence, right)}, {"single": make_reference(signs)}
    if pages:
        for i, subject in enumerate(("digit", "number")):
            promises[subject] = make_promise(*zip(*(outcome for page in pages for outcome in page[i]), strict=True))
        references["digit"] = make_reference(signs for *_, signs in pages if signs)
        made_on += f"; {args.pictures} made photos of one digit and {args.pages} made pages in both hands"
    meta = json.loads((WEIGHTS / f"{args.name}.json").read_text())
    made = Promises(identity(meta), made_on, promises, references)
    rewrite_weights(WEIGHTS, args.name, promises=made.to_dict())
    print(describe(made))


if __name__ == "__main__":
    main()
