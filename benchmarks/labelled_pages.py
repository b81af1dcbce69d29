"""How well labelled pages of strangers are read: digits, lines and pages that are right, by source.

    python benchmarks/labelled_pages.py DIR [--without SOURCE] [--sheets SOURCE …] [--threshold 0]

DIR holds pages/SOURCE/labels.csv (file, text; lines parted by `|`) and the pictures beside it. Digits are right by edit distance over all
of a page in reading order; a line when all of it is, a page when every line is, in order. --sheets are sources of sheets full of one
digit: each is told by itself and stays out of the sum. A page that is refused has nothing right. The last line is JSON.
"""

import argparse
import csv
import json
import re
from collections import Counter
from pathlib import Path

import cv2

from inkdigits import Reader
from inkdigits.errors import InkdigitsError
from inkdigits.page_accuracy import edit_distance


def judge(found: list[str], written: list[str]) -> Counter[str]:
    """Return counts for one page: its lines as they were read, and as they are, digits alone."""
    digits = len("".join(written))
    wrong = min(digits, edit_distance("".join(found), "".join(written)))
    return Counter(
        digits=digits,
        digits_right=digits - wrong,
        lines=len(written),
        lines_right=(Counter(found) & Counter(written)).total(),
        pages=1,
        pages_right=int(found == written),
    )


def read(reader: Reader, path: Path, threshold: float | None) -> list[str]:
    """Return the lines of a page, digits alone; none where it is refused."""
    try:
        text = reader.read(path, threshold=threshold).text
    except InkdigitsError:
        return []
    return [line for line in (re.sub("[^0-9]", "", line) for line in text.split("\n")) if line]


def main() -> None:
    """Print a line a source, then all together."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--without", nargs="*", default=[])
    parser.add_argument("--sheets", nargs="*", default=[])
    parser.add_argument("--threshold", type=float, help="as for read; default: the one of the weights")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    reader, total, sheets = Reader.load(), Counter[str](), {}
    for labels in sorted(args.folder.glob("pages/*/labels.csv")):
        name, source = labels.parent.name, Counter[str]()
        if name in args.without:
            continue
        with labels.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                source += judge(read(reader, labels.parent / row["file"], args.threshold), row["text"].replace(" ", "").split("|"))
        print(name, "  ".join(f"{what} {source[f'{what}_right']} of {source[what]}" for what in ("digits", "lines", "pages")), flush=True)
        if name in args.sheets:
            sheets[name] = dict(source)
        else:
            total += source
    print(json.dumps({**total, "sheets": sheets}))


if __name__ == "__main__":
    main()
