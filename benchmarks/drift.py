"""After how many pictures `inkdigits read` says that they are unlike those promised on: MNIST's test digits, spoilt in fifteen ways.

    python benchmarks/drift.py [--promise own.json] [--n 150] [--orders 20]

The digits are read one by one as pictures. Each row is of --n pictures in --orders orders: how many are misread, in how many of the
orders it is said at all, and the middle and the last of the pictures after which it is. The first row is of digits that nobody spoilt.
The last line is JSON.
"""

import argparse
import json
import sys
from random import Random

import numpy as np

from inkdigits import Reader, mnist
from inkdigits.corruptions import CORRUPTIONS, corrupt
from inkdigits.drift import Signs, choose_signs


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--promise", help="what `inkdigits calibrate` wrote; without it, what came with the weights")
    parser.add_argument("--n", type=int, default=150)
    parser.add_argument("--orders", type=int, default=20)
    args = parser.parse_args()
    reader = Reader.load(promises=args.promise)
    if reader.promises.watch(single=True) is None:
        print("these promises know no pictures of one digit to compare with", file=sys.stderr)
        return
    _, (x, y) = mnist.load_data()
    x, y = x[: args.n], y[: args.n]

    def after(signs: list[Signs | None], seed: int) -> int | None:
        watch = reader.promises.watch(single=True)
        assert watch is not None
        shuffled = Random(seed).sample(signs, len(signs))
        return next((i for i, one in enumerate(shuffled, 1) if watch.see(one)), None)

    print("| spoilt by | misread | said | after, middle | last |\n|---|---|---|---|---|")
    rows = {}
    for name in ("nothing", *CORRUPTIONS):
        glyphs = x if name == "nothing" else corrupt(x, name)
        pages = [reader.read(glyph, single=True, threshold=0) for glyph in glyphs]
        wrong = np.mean([page.text != str(label) for page, label in zip(pages, y, strict=True)])
        signs = [choose_signs(page, Random(0)) for page in pages]
        found = [at for at in (after(signs, seed) for seed in range(args.orders)) if at]
        when = f"{np.median(found):.0f} | {max(found)}" if found else "– | –"
        print(f"| {name} | {wrong:.1%} | {len(found)} of {args.orders} | {when} |", flush=True)
        rows[name] = {"misread": float(wrong), "said": len(found), "orders": args.orders}
    print(json.dumps({"n": args.n, "rows": rows}))


if __name__ == "__main__":
    main()
