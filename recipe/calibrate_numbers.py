"""Made pages in hands and fonts that never trained come in; how sure to be of a whole number comes out: the weights in `whole.py`.

    python recipe/calibrate_numbers.py --fonts fonts [--pages 1200] [--workers 2]

To be done after the weights of `reader` and `kinds` have changed, before `promise.py`. The pages are none of those that it promises on. It
prints the weights, and what they give on the fifth of the pages that they were not fitted on, five times over.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from promise import make_labelled
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict

import inkdigits.pages
from inkdigits import Reader
from inkdigits.errors import InkdigitsError
from inkdigits.page_accuracy import judge
from inkdigits.whole import measure

SEEDS = 6_000_000  # of the pages: none that trained, is promised on, or measures anything
Row = tuple[int, tuple[float, ...], bool]


def of_page(job: tuple[str, int]) -> list[Row]:
    """Make and read one page; return, of each number that is answered, the page, its signs, and whether it is right."""
    fonts, number = job
    cv2.setNumThreads(1)
    rows: list[tuple[float, ...]] = []

    def keep(numbers, beside):  # type: ignore[no-untyped-def]
        """Give every number the place of its signs for its confidence, for a page is looked at more than once."""
        first = len(rows) + 1
        rows.extend(map(tuple, measure(numbers, beside)) if numbers else [])
        return [replace(n, confidence=first + i) for i, n in enumerate(numbers)]

    inkdigits.pages.trusted = keep
    try:
        picture, truth = make_labelled(Path(fonts), SEEDS, number)
        _, numbers = judge(Reader.load().read(picture, threshold=0), truth)
    except InkdigitsError:  # a text that does not fit, or far too much dirt
        return []
    return [(number, rows[int(place) - 1], right) for place, right in numbers]


def told(name: str, sure: np.ndarray, right: np.ndarray) -> str:
    """Return in one line how true confidences are."""
    sure = sure.clip(1e-6, 1 - 1e-6)
    nll, high = -np.log(np.where(right, sure, 1 - sure)).mean(), sure >= 0.9
    says = f"{name}: NLL {nll:.4f}, Brier {((sure - right) ** 2).mean():.4f}"
    return f"{says}; of {high.mean():.1%}, sure by {sure[high].mean():.3f}, {(~right[high]).mean():.1%} are wrong"


def main() -> None:
    """Fit, and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fonts", type=Path, required=True)
    parser.add_argument("--pages", type=int, default=1200)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    with ProcessPoolExecutor(args.workers) as pool:
        jobs = [(str(args.fonts), i) for i in range(args.pages)]
        rows = [row for page in pool.map(of_page, jobs, chunksize=4) for row in page]
    page, signs, right = (np.array(column) for column in zip(*rows, strict=True))
    model = LogisticRegression(C=10, max_iter=10_000)
    held = cross_val_predict(model, signs, right, groups=page, cv=GroupKFold(5), method="predict_proba")[:, 1]
    model.fit(signs, right)
    print(f"{len(right):,} numbers on {len(set(page)):,} pages, {right.mean():.1%} right")
    print(told("as the product of their digits", 1 / (1 + np.exp(-signs[:, 0])), right))
    print(told("calibrated", held, right))
    print("WEIGHTS =", tuple(round(float(w), 3) for w in model.coef_[0]), "CONSTANT =", round(float(model.intercept_[0]), 3))


if __name__ == "__main__":
    main()
