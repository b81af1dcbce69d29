"""How high the label court puts the labels of MNIST that are known to be wrong, beside cleanlab on the same probabilities.

    python benchmarks/court.py [--learners 5] [--published pyx.npy] [--flips SEED] [--gallery docs/suspicious.png]

The ten wrong and five unclear labels of the test set are those of Northcutt et al. 2021; what ranks never sees them. `--learners` asks
small networks besides, half a minute each. `--published` takes the probabilities that the list's authors published (cleanlab/label-errors).
`--flips` plants 600 wrong labels among the 60,000 training labels, then cross-validates: some minutes. `--gallery` does so with the labels
as they are, draws the 50 that look most wrong, and lists them. The last line is JSON.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores

from inkdigits import Classifier, mnist
from inkdigits.audit import audit, pool
from inkdigits.evaluate import UNCLEAR_TEST_LABELS, WRONG_TEST_LABELS

AT = (15, 50, 100)
FLIPS, AMONG, DRAWN = 600, 700, 50
PAPER = 247  # grey of the gallery's pictures where there is no ink: a white one would have no edge


def tell(name: str, order: np.ndarray) -> list[tuple[int, int]]:
    """Print and return how many of the labels known to be wrong, and of the unclear ones, are among the first of an order."""
    found = [(int(np.isin(list(WRONG_TEST_LABELS), order[:k]).sum()), int(np.isin(UNCLEAR_TEST_LABELS, order[:k]).sum())) for k in AT]
    print(f"| {name} | " + " | ".join(f"{wrong} of 10, {unclear} of 5" for wrong, unclear in found) + " |", flush=True)
    return found


def doubts(y: np.ndarray, p: np.ndarray) -> str:
    """Return how many labels are doubted, and how many of those known to be wrong or unclear are among them."""
    found = audit(y, p)
    wrong, unclear = (int(found.is_doubted[list(known)].sum()) for known in (WRONG_TEST_LABELS, UNCLEAR_TEST_LABELS))
    return f"{found.describe()}; of those known {wrong} wrong and {unclear} unclear ones are doubted"


def plant(y: np.ndarray, seed: int) -> int:
    """Plant wrong labels among those of the training set; print and return how many are found."""
    from inkdigits.train.folds import cross_validate

    (x, _), _ = mnist.load_data()
    random = np.random.default_rng(seed)
    planted = random.choice(len(y), FLIPS, replace=False)
    y[planted] = (y[planted] + random.integers(1, 10, FLIPS)) % 10
    order = audit(y, cross_validate(x, y, tell=print)).order
    found = int(np.isin(planted, order[:AMONG]).sum())
    print(f"planted among {len(y):,} training labels: {found} of {FLIPS} among the first {AMONG} ({found / FLIPS:.1%})")
    return found


def draw(path: Path) -> None:
    """Draw the most suspicious of the training labels, and list them: number from 0 in the training set, label, what the networks say."""
    from inkdigits import plots
    from inkdigits.files import write_bytes
    from inkdigits.train.folds import cross_validate

    (x, y), _ = mnist.load_data()
    found = audit(y, cross_validate(x, y.astype(np.int64), tell=print))
    first = found.order[:DRAWN]
    titles = [f"label {found.labels[i]}, we say {found.suggestions[i]}\nno. {i}" for i in first]
    on_paper = (PAPER - x[first] * (PAPER / 255)).astype(np.uint8)
    write_bytes(path, plots.to_bytes(plots.gallery(list(on_paper), titles, columns=10, size=1.05)))
    print(f"{found.describe()}; the first {DRAWN}:\n\n| no. | label | we say | probability of the label |")
    print("|---|---|---|---|")
    for i in first:
        print(f"| {i} | {found.labels[i]} | {found.suggestions[i]} | {found.support[i]:.2g} |")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--learners", type=int, default=0, help="how many small networks learn and are asked")
    parser.add_argument("--published", type=Path, help="probabilities of shape (10000, 10), as .npy")
    parser.add_argument("--flips", type=int, metavar="SEED", help="plant wrong training labels and look for them")
    parser.add_argument("--gallery", type=Path, help="where to draw the most suspicious training labels")
    args = parser.parse_args()
    (_, y_train), (x, y) = mnist.load_data()
    by = {name: Classifier.load(name).predict_proba(x).astype(np.float64) for name in ("reader", "mnist")}
    by["both"] = pool(list(by.values()))
    if args.learners:
        from inkdigits.train.committee import ask_committee

        members = ask_committee(x, args.learners)
        by["the learners"] = pool(members)
        by["reader and the learners"] = pool([by["reader"], *members])
        by["both and the learners"] = pool([by["reader"], by["mnist"], *members])
    if args.published:
        by["published"] = np.load(args.published).astype(np.float64)
        by["published"] /= by["published"].sum(axis=1, keepdims=True)  # half precision
    print("| asked | " + " | ".join(f"first {k}" for k in AT) + " |\n|---|" + "---|" * len(AT))
    told: dict[str, object] = {"at": AT}
    for name, p in by.items():
        told[name] = tell(name, audit(y, p).order)
        tell(f"{name}, ranked by cleanlab", np.argsort(get_label_quality_scores(y, p), kind="stable"))
    for name, p in by.items():
        print(f"{name}: {doubts(y, p)}; cleanlab finds {find_label_issues(y, p).sum()}")
    if args.flips is not None:
        told["planted"] = {"n": FLIPS, "among": AMONG, "found": plant(y_train.astype(np.int64), args.flips)}
    if args.gallery:
        draw(args.gallery)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
