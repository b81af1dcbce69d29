"""As an office would: a folder of photos, one command, a spreadsheet; how long it takes, what is wrong in it, what is to be checked.

    python benchmarks/office.py [--photos 300] [--dirt clean] [--keep DIR]

The photos are made, each with four numbers of one to seven digits on two lines, in hands of MNIST's validation pictures, which train no
default weights. The command runs twice: as it is, and told that every photo holds four numbers. A number is *unflagged wrong* when it is
not in the table as it was written and nobody is asked to look: read wrong, left out, or never written. Beside the seconds stands
what it takes only to decode the photos. With LibreOffice installed, its opening the file is tried; --keep leaves photos and tables in DIR.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from inkdigits.page_accuracy import compare
from inkdigits.records import Page
from inkdigits.synthetic import make_page
from inkdigits.tables import enter_page

PER_PHOTO = 4


def make_photos(folder: Path, count: int, dirt: str) -> dict[str, Page]:
    """Write the photos and return the truth by file name."""
    rng = np.random.default_rng(1)
    truths = {}
    for n in range(count):
        numbers = ["".join(map(str, rng.integers(0, 10, int(rng.integers(1, 8))))) for _ in range(PER_PHOTO)]
        image, truth = make_page(f"{numbers[0]} {numbers[1]}|{numbers[2]} {numbers[3]}", seed=n, split="validation", dirt=dirt)
        path = folder / f"IMG_{n + 1}.jpg"
        path.write_bytes(cv2.imencode(".jpg", image[:, :, ::-1])[1].tobytes())
        truths[str(path)] = truth
    return truths


def read(photos: Path, table: Path, *options: str) -> tuple[dict[str, Page], float, str]:
    """Run the command; return what was read by file name, the seconds it took, and its last line."""
    command = [sys.executable, "-m", "inkdigits", "read", "-r", str(photos), "--xlsx", str(table), "--json", *options]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - start
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return {answer["file"]: Page.from_dict(answer) for answer in answers}, seconds, done.stderr.splitlines()[-1]


def judge(pages: dict[str, Page], truths: dict[str, Page], expected: int | None) -> dict[str, float]:
    """Return counts of numbers, and shares of them."""
    counts: Counter[str] = Counter()
    rows = flagged = wrong = 0
    for file, truth in truths.items():
        page = pages[file]
        found = compare(page, truth)
        counts += found
        marked = [row.check for row in enter_page(file, page, expected=expected).rows]
        rows += len(marked)
        flagged += sum(marked)
        unmarked = replace(page, numbers=tuple(n for n, check in zip(page.numbers, marked, strict=False) if not check))
        left = compare(unmarked, truth)
        # what is left out is seen only where something else calls for a look at the photo
        wrong += left["numbers_wrong"] + left["numbers_false"] + (0 if any(marked) else found["numbers_missed"])
    return {
        "numbers": counts["numbers"],
        "right": counts["numbers_right"],
        "unflagged_wrong": wrong,
        "unflagged_wrong_in_1000": 1000 * wrong / counts["numbers"],
        "rows": rows,
        "flagged": flagged,
        "flagged_share": flagged / rows,
    }


def decode(photos: Path) -> float:
    """Return the seconds that OpenCV takes to decode all photos."""
    start = time.perf_counter()
    for path in photos.iterdir():
        cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    return time.perf_counter() - start


def open_in_libreoffice(table: Path) -> float | None:
    """Have LibreOffice make a PDF of the table, and return the seconds; None where it is not installed."""
    office = shutil.which("soffice")
    if office is None:
        return None
    start = time.perf_counter()
    subprocess.run(
        [office, "--headless", "--convert-to", "pdf", "--outdir", str(table.parent), str(table)], check=True, capture_output=True
    )
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=300)
    parser.add_argument("--dirt", default="clean", choices=("clean", "light", "medium", "heavy"))
    parser.add_argument("--keep", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        place = args.keep or Path(temporary)
        photos = place / "photos"
        photos.mkdir(parents=True, exist_ok=True)
        truths = make_photos(photos, args.photos, args.dirt)
        figures: dict[str, object] = {"photos": args.photos, "dirt": args.dirt, "decoding_s": decode(photos)}
        for name, options in (("as_it_is", ()), ("told_four", ("--numbers-per-picture", str(PER_PHOTO)))):
            pages, seconds, said = read(photos, place / f"{name}.xlsx", *options)
            print(f"{name}: {said}")
            figures[name] = {"seconds": seconds, **judge(pages, truths, PER_PHOTO if options else None)}
        figures["xlsx_bytes"] = (place / "as_it_is.xlsx").stat().st_size
        figures["libreoffice_s"] = open_in_libreoffice(place / "as_it_is.xlsx")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
