"""Weights of the package and what never trained them come in; what `--max-error` promises comes out, in NAME.json and NAME.onnx.

    python recipe/promise.py reader --glyphs glyphs --fonts fonts [--pages 600] [--workers 2]

For pictures of one digit: MNIST's last 10,000 training digits, and the shards `held-*` of `make_glyphs.py`. For pages: made pages in hands
and fonts that never trained, read as a user's are. Signs of 600 pictures of each sort, by lot, are kept beside the promises, for `read` to
compare the user's with (`drift.py`). To be done after every calibration, and when pages are read otherwise; not for weights
that learned from all 60,000 digits (`train.py --final`): of those, nothing is left to promise on.
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
from make_glyphs import NO_DIGIT, hands
from train import held

from inkdigits import Classifier, Reader
from inkdigits.calibrating import describe
from inkdigits.calibration import NO_DIGIT_SHARE
from inkdigits.drift import Reference, Signs, choose_signs, make_reference, measure_signs
from inkdigits.errors import InkdigitsError
from inkdigits.page_accuracy import judge
from inkdigits.promises import Promise, Promises, identity, make_promise
from inkdigits.synthetic import make_page
from inkdigits.train.export import rewrite_weights

LEVELS = {"clean": 0.4, "light": 0.4, "medium": 0.2}
SEEDS = 5_000_000  # of the pages: none that trained or measures anything
Outcomes = list[tuple[float, bool]]


def of_singles(classifier: Classifier, sets: dict[str, tuple[np.ndarray, np.ndarray]]) -> tuple[Promise, Reference]:
    """Return the promise for pictures of one digit, one in 200 of which is none, and their reference."""
    x, y = (np.concatenate([sets[name][i][:n] for name, n in SHARES.items() if name in sets]) for i in (0, 1))
    confidence, right = classifier.confidence(x), classifier.predict(x) == y
    none = np.flatnonzero(y == NO_DIGIT)
    kept = np.setdiff1d(np.arange(len(y)), none[round(NO_DIGIT_SHARE * (len(y) - len(none))) :])
    signs = [measure_signs(float(confidence[i]), x[i]) for i in kept]
    return make_promise(confidence[kept], right[kept]), make_reference(signs)


def of_page(job: tuple[str, str, int]) -> tuple[Outcomes, Outcomes, Signs | None]:
    """Make and read one page; return confidence and rightness of its digits and of its numbers, and the signs of one of its digits."""
    name, fonts, number = job
    cv2.setNumThreads(1)
    rng = np.random.default_rng([SEEDS, number])
    hand = hands(Path(fonts), ("held-out",), "validation", (0.5, 0.0, 0.5))
    dirt = str(rng.choice(list(LEVELS), p=list(LEVELS.values())))
    try:
        picture, truth = make_page(make_text(rng), seed=SEEDS + number, hands=hand, dirt=dirt)
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
    parser.add_argument("--pages", type=int, default=600)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    sets = held({"shares": ["crops"] if args.glyphs else []}, args.glyphs)
    made_on = "MNIST's last 10,000 training digits" + (", digits in held-out fonts, crops of made photos of both" if args.glyphs else "")
    promise, reference = of_singles(Classifier.load(args.name), sets)
    promises, references = {"single": promise}, {"single": reference}
    if args.fonts:
        with ProcessPoolExecutor(args.workers) as pool:
            pages = list(pool.map(of_page, [(args.name, str(args.fonts), i) for i in range(args.pages)], chunksize=4))
        for i, subject in enumerate(("digit", "number")):
            promises[subject] = make_promise(*zip(*(outcome for page in pages for outcome in page[i]), strict=True))
        references["digit"] = make_reference(signs for *_, signs in pages if signs)
        made_on += f"; {args.pages} made pages in both hands"
    meta = json.loads((WEIGHTS / f"{args.name}.json").read_text())
    made = Promises(identity(meta), made_on, promises, references)
    rewrite_weights(WEIGHTS, args.name, promises=made.to_dict())
    print(describe(made))


if __name__ == "__main__":
    main()
