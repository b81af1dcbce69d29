"""Does the confidence tell digits from what is none, and right answers from wrong ones? AUROC on MNIST's test digits against strangers.

    python benchmarks/strangers.py [--model reader] [--fashion DIR] [--fonts DIR]

Strangers: clothes (the 10,000 test pictures of Fashion-MNIST; Debian's package dataset-fashion-mnist brings them), letters in the held-out
fonts (--fonts, a folder that `recipe/fetch_fonts.py` filled; none of them look like digits), and no ink or noise. None of these pictures
trained or calibrated the weights. Prints a line a figure, then one JSON object; what is not there is left out, and told.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from inkdigits import Classifier, mnist
from inkdigits.evaluate import evaluate
from inkdigits.glyph import make_glyph
from inkdigits.measures import auroc, bootstrap
from inkdigits.synthetic import Font, Hands
from inkdigits.synthetic.hands import choose_writer, write
from inkdigits.synthetic.shapes import LETTERS

sys.path.insert(0, str(Path(__file__).parent.parent / "recipe"))
from fetch_fonts import file_name

FASHION = Path("/usr/share/datasets/fashion-mnist")  # where the Debian package puts it
MANY = 3000  # letters, and pictures of noise


def clothes(folder: Path) -> np.ndarray:
    """Return Fashion-MNIST's test pictures, uint8 of shape (10000, 28, 28)."""
    return mnist.read_idx(folder / "t10k-images-idx3-ubyte.gz")


def letters(folder: Path) -> np.ndarray:
    """Return letters in the held-out fonts, each bent and inked anew: uint8 of shape (n, 28, 28)."""
    listed = tomllib.loads((Path(__file__).parent.parent / "recipe" / "fonts.toml").read_text())["font"]
    fonts = tuple(Font(folder / file_name(font)) for font in listed if font["role"] == "held-out")
    hands, rng = Hands(fonts=fonts, mnist=0, strokes=0), np.random.default_rng(0)
    names = [name for name in LETTERS if name.isascii() and name.isalpha()]
    inks = (write(names[i % len(names)], choose_writer(rng, hands), hands, 64, rng) for i in range(MANY))
    return np.stack([make_glyph(ink) for ink in inks])


def noise() -> np.ndarray:
    """Return a blank glyph, then noise of all sorts: grains, specks, clouds; uint8 of shape (n, 28, 28)."""
    rng = np.random.default_rng(0)
    return np.stack([np.zeros((28, 28), np.uint8), *(picture for _ in range(MANY // 3) for picture in _noises(rng))])


def _noises(rng: np.random.Generator) -> Iterator[np.ndarray]:
    yield rng.integers(0, 256, (28, 28)).astype(np.uint8)
    yield np.where(rng.random((28, 28)) < rng.uniform(0.01, 0.3), 255, 0).astype(np.uint8)
    cloud = cv2.GaussianBlur(rng.normal(0, 1, (28, 28)), (0, 0), float(rng.uniform(1, 4)))
    yield np.clip(127 + 100 * cloud / cloud.std(), 0, 255).astype(np.uint8)


def against(digits: np.ndarray, strangers: np.ndarray) -> dict[str, object]:
    """Return how well confidence parts digits from strangers: AUROC with its interval, and what the strangers' confidences are like."""
    confidence = np.concatenate([digits, strangers])
    is_digit = np.arange(len(confidence)) < len(digits)
    return {
        "n": len(strangers),
        "auroc": auroc(confidence, is_digit),
        "interval": bootstrap(auroc, confidence, is_digit),
        "above_90": float((strangers > 0.9).mean()),
    }


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="reader", help="reader, mnist or an .onnx file")
    parser.add_argument("--fashion", type=Path, default=FASHION)
    parser.add_argument("--fonts", type=Path)
    args = parser.parse_args()
    classifier = Classifier.load(args.model)
    _, (x, y) = mnist.load_data()
    found = evaluate(y, *classifier.classify(x))
    strangers = {"noise": noise()}
    if args.fashion.is_dir():
        strangers["clothes"] = clothes(args.fashion)
    else:
        print(f"{args.fashion} is not there: no clothes (Debian: dataset-fashion-mnist)", file=sys.stderr)
    if args.fonts:
        strangers["letters"] = letters(args.fonts)
    else:
        print("no --fonts: no letters", file=sys.stderr)
    figures = {name: against(found.confidence, classifier.confidence(glyphs)) for name, glyphs in strangers.items()}
    figures["all"] = against(found.confidence, classifier.confidence(np.concatenate(list(strangers.values()))))
    for name, seen in (("mistakes", found), ("mistakes_corrected", found.corrected())):
        figures[name] = {"n": seen.n - seen.correct, "auroc": seen.auroc, "interval": seen.intervals["auroc"]}
    for name, figure in figures.items():
        low, high = figure["interval"]
        more = f"; {figure['above_90']:.1%} of them above a confidence of 0.9" if "above_90" in figure else ""
        print(f"{name:20} n {figure['n']:6,}  AUROC {figure['auroc']:.4f} ({low:.4f} to {high:.4f}){more}")
    print(json.dumps({"model": args.model, "digits": found.n} | figures))


if __name__ == "__main__":
    main()
