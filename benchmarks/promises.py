"""Whether confidences are true and promises kept: on MNIST's test set, and on pictures of strangers' single digits.

    python benchmarks/promises.py [--dev DIR] [--leave-out NAME …]

DIR/singles holds a labelled folder a source (`labels.csv`). For each largest error that `read --max-error` may be asked for, it tells what
share of the pictures is answered, and what share of the answers is wrong, with an upper bound that holds with 95 % confidence. Nothing is
chosen by these figures: what is promised was promised on other pictures.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from inkdigits import Reader
from inkdigits.errors import UsageError
from inkdigits.evaluate import Evaluation, evaluate
from inkdigits.labelled import answer, load_labelled
from inkdigits.promises import largest_share

RATES = (0.01, 0.005, 0.003)
COVERED = 0.99  # of MNIST's test set


def judge(found: Evaluation, reader: Reader) -> dict[str, Any]:
    """Return the figures of one set of pictures."""
    bars = {"constant": found.constant(), "uncalibrated": found.uncalibrated(float(reader.classifier.meta["temperature"]))}
    told: dict[str, Any] = found.to_dict() | {name: {"nll": bar.nll, "brier": bar.brier} for name, bar in bars.items()}
    told["promises"] = {}
    for rate in RATES:
        try:
            least, _ = reader.promises.thresholds(rate, single=True)
        except UsageError:  # these weights know of no promise, or of none that strict
            continue
        given = found.confidence >= least
        wrong = int((given & ~found.is_right).sum())
        told["promises"][f"{100 * rate:g} %"] = {
            "answered": float(given.mean()),
            "n": int(given.sum()),
            "wrong": wrong,
            "at_most": largest_share(wrong, int(given.sum())),
        }
    surest = np.argsort(-found.confidence, kind="stable")[: round(COVERED * found.n)]
    return told | {"wrong_of_the_surest": int((~found.is_right[surest]).sum()), "surest": len(surest)}


def strangers(folder: Path, left_out: list[str], reader: Reader) -> Evaluation:
    """Return how the reader reads the single digits of all sources but some."""
    sources = [source for source in sorted((folder / "singles").iterdir()) if source.name not in left_out]
    answers = [answer(load_labelled(source), reader.classifier) for source in sources]
    return evaluate(*(np.concatenate([getattr(a, part) for a in answers]) for part in ("labels", "probabilities", "confidence")))


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dev", type=Path)
    parser.add_argument("--leave-out", nargs="*", default=[], metavar="NAME", help="sources that are another problem")
    args = parser.parse_args()
    readers = {name: Reader.load(name) for name in ("reader", "mnist")}
    if args.dev:
        figures = {"reader": judge(strangers(args.dev, args.leave_out, readers["reader"]), readers["reader"])}
    else:
        test = load_labelled("mnist")
        answers = {name: answer(test, reader.classifier) for name, reader in readers.items()}
        figures = {name: judge(evaluate(a.labels, a.probabilities, a.confidence), readers[name]) for name, a in answers.items()}
    for name, told in figures.items():
        nll, constant, uncalibrated = told["nll"], told["constant"]["nll"], told["uncalibrated"]["nll"]
        print(f"{name}: {told['correct']:,} of {told['n']:,} right, {told['wrong_of_the_surest']} wrong of the surest {told['surest']:,}")
        print(f"  ECE {told['ece']:.2%}, NLL {nll:.4f}; were all equally sure {constant:.4f}, uncalibrated {uncalibrated:.4f}")
        for rate, kept in told["promises"].items():
            found = f"{kept['wrong']} of {kept['n']:,} wrong, that is at most {kept['at_most']:.2%}"
            print(f"  promised at most {rate} wrong: {kept['answered']:.2%} answered, {found}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
