"""How networks stand noise, blur, bad paper and careless hands: MNIST's test set, spoilt in fifteen ways, beside each other.

    python benchmarks/corruptions.py [--model runs/lesson/digits.onnx …] [--n 10000] [--each 1000]

Networks see the spoilt 28 × 28 pixels as they are: no paper is taken away, nothing is centred anew. The first table has each corruption
at the strength of the published data set, on --n pictures; the second one the mean over all at strengths 1 to 5, on --each pictures; the
third one what `read --single` makes of --each pictures at the strength of the published data set. The last line is JSON.
"""

import argparse
import json

import numpy as np

from inkdigits import Classifier, Reader, mnist
from inkdigits.corruptions import CORRUPTIONS, PUBLISHED, STRENGTHS, corrupt
from inkdigits.measures import wilson


def row(name: str, cells: list[str]) -> None:
    """Print a row of a table."""
    print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", default=[], help="an .onnx file besides reader and mnist")
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--each", type=int, default=1000)
    args = parser.parse_args()
    _, (x, y) = mnist.load_data()
    x, y = x[: args.n], y[: args.n]
    networks = {name: Classifier.load(name) for name in [*args.model, "mnist", "reader"]}

    def right(spoilt: np.ndarray) -> list[int]:
        return [int((network.predict(spoilt) == y[: len(spoilt)]).sum()) for network in networks.values()]

    print(f"n = {len(y):,} a row; in brackets the 95 % interval")
    row("spoilt by (strength)", list(networks))
    row("---", ["---"] * len(networks))
    found = []
    for name in CORRUPTIONS:
        found.append(right(corrupt(x, name)))
        intervals = [wilson(k, len(y)) for k in found[-1]]
        row(
            f"{name} ({PUBLISHED[name]})",
            [f"{k / len(y):.2%} ({100 * a:.1f}–{100 * b:.1f})" for k, (a, b) in zip(found[-1], intervals, strict=True)],
        )
    accuracy = np.array(found) / len(y)
    row("mean", [f"{share:.2%}" for share in accuracy.mean(0)])
    row("worst", [f"{share:.2%} ({list(CORRUPTIONS)[at]})" for share, at in zip(accuracy.min(0), accuracy.argmin(0), strict=True)])
    untouched = right(x)
    row("untouched", [f"{k / len(y):.2%}" for k in untouched])
    told = {
        name: {"mean": of.mean(), "worst": of.min(), "worst_of": list(CORRUPTIONS)[of.argmin()], "untouched": k / len(y)}
        for name, of, k in zip(networks, accuracy.T, untouched, strict=True)
    }
    print(f"\nmean over the fifteen, n = {args.each:,} each")
    row("strength", list(networks))
    row("---", ["---"] * len(networks))
    for strength in STRENGTHS:
        shares = np.array([right(corrupt(x[: args.each], name, strength)) for name in CORRUPTIONS]) / len(x[: args.each])
        row(str(strength), [f"{share:.1%}" for share in shares.mean(0)])

    print(f"\nread as pictures, n = {args.each:,} each")
    row("spoilt by (strength)", ["reader"])
    row("---", ["---"])
    reader, shares = Reader(networks["reader"]), []
    for name in CORRUPTIONS:
        pages = [reader.read(one, single=True, threshold=0) for one in corrupt(x[: args.each], name)]
        shares.append(np.mean([page.text == str(label) for page, label in zip(pages, y, strict=False)]))
        row(f"{name} ({PUBLISHED[name]})", [f"{shares[-1]:.1%}"])
    row("mean", [f"{np.mean(shares):.1%}"])
    print(json.dumps({"n": len(y), "each": len(x[: args.each]), "networks": told, "read": float(np.mean(shares))}))


if __name__ == "__main__":
    main()
