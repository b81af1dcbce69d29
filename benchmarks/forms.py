"""How numbers are read where people write them: in the fields of forms, under and over lines, ringed, ticked, in sums, on labels.

    python benchmarks/forms.py [--only NAME...] [--pages 6] [--json]

Every page holds numbers of one to six digits in hands of MNIST's validation pictures, which train no default weights, and is read twice:
as it is, and the same digits in the same places on bare paper, which tells what the digits themselves cost. A digit is *right* where it is
answered as it was written in its place, *wrong* where another is, *doubted* where `?` stands, and else *left out*. A number is right where
its whole text is. All at the default threshold.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np

from inkdigits import Reader, mnist
from inkdigits.records import Page

HEIGHT, WIDTH = 1200, 1600
TALL = 62  # pixels: a digit
Place = tuple[float, float, float, float]  # x, y, width, height


@dataclass
class Sheet:
    """A page under way: its paper, the same digits on bare paper, and what is written where."""

    rng: np.random.Generator
    digits: list[list[np.ndarray]]
    image: np.ndarray = field(default_factory=lambda: np.full((HEIGHT, WIDTH), 232, np.uint8))
    bare: np.ndarray = field(default_factory=lambda: np.full((HEIGHT, WIDTH), 232, np.uint8))
    numbers: list[list[tuple[str, Place]]] = field(default_factory=list)

    def number(self, text: str, x: float, foot: float, pitch: float | None = None) -> float:
        """Write a number with its foot on a line, its digits `pitch` apart, and return where it ends."""
        places: list[tuple[str, Place]] = []
        for i, character in enumerate(text):
            ink = self.digits[int(character)][int(self.rng.integers(len(self.digits[int(character)])))]
            tall = TALL * float(self.rng.uniform(0.93, 1.07))
            ink = cv2.resize(ink, (max(4, round(ink.shape[1] * tall / ink.shape[0])), round(tall)), interpolation=cv2.INTER_CUBIC)
            left = x if pitch is None else x + i * pitch + (pitch - ink.shape[1]) / 2
            top = foot - ink.shape[0] + float(self.rng.uniform(-2, 2))
            for page in (self.image, self.bare):
                part = page[round(top) : round(top) + ink.shape[0], round(left) : round(left) + ink.shape[1]]
                part[:] = np.minimum(part, 255 - np.clip(ink[: part.shape[0], : part.shape[1]].astype(int) * 0.8, 0, 255).astype(np.uint8))
            places.append((character, (left, top, ink.shape[1], ink.shape[0])))
            x = left + ink.shape[1] + (TALL * float(self.rng.uniform(0.12, 0.25)) if pitch is None else -left + x - ink.shape[1])
        self.numbers.append(places)
        return places[-1][1][0] + places[-1][1][2]

    def line(self, x0: float, y0: float, x1: float, y1: float, thick: int = 3, tone: int = 90) -> None:
        """Draw a straight line."""
        cv2.line(self.image, (round(x0), round(y0)), (round(x1), round(y1)), tone, thick, cv2.LINE_AA)

    def text(self, most: int = 6) -> str:
        """Return a number that nobody has chosen."""
        return "".join(map(str, self.rng.integers(0, 10, int(self.rng.integers(1, most + 1)))))


def rows(page: Sheet, one: Callable[[Sheet, float, float], None], apart: int = 150) -> None:
    """Put one of something in every place of a page, x and the foot of its number given, `apart` pixels below another."""
    for foot in range(apart + 10, HEIGHT - 80, apart):
        for left in (150, 850):
            one(page, left + float(page.rng.uniform(0, 60)), foot + float(page.rng.uniform(-8, 8)))


def comb(page: Sheet, x: float, foot: float, high: float = 78.0, pitch: float = 58.0) -> None:
    """Cells side by side, touched by what is written in them; lower than that is high, they are open above."""
    text = page.text()
    cells, bottom = len(text) + int(page.rng.integers(0, 3)), foot + 5
    for i in range(cells + 1):
        page.line(x + i * pitch, bottom, x + i * pitch, bottom - (high if high > TALL or i in (0, cells) else high / 3))
    page.line(x, bottom, x + cells * pitch, bottom)
    if high > TALL:
        page.line(x, bottom - high, x + cells * pitch, bottom - high)
    page.number(text, x, foot, pitch)


def box(page: Sheet, x: float, foot: float) -> None:
    """One box about a number, too low for it."""
    bottom = foot - float(page.rng.uniform(-2, 8))
    corners = np.array([(x - 14, bottom), (x + 420, bottom), (x + 420, bottom - 62), (x - 14, bottom - 62)]).round().astype(np.int32)
    cv2.polylines(page.image, [corners], True, 90, 3, cv2.LINE_AA)
    page.number(page.text(5), x, foot)


def to_write_on(page: Sheet, x: float, foot: float) -> None:
    """A printed line that a number stands on."""
    y = foot - float(page.rng.uniform(-4, 6))
    page.line(x - 60, y, x + 480, y)
    page.number(page.text(5), x, foot)


def leader(page: Sheet, x: float, foot: float) -> None:
    """A dotted line that a number stands on."""
    for at in range(round(x) - 60, round(x) + 480, 14):
        cv2.circle(page.image, (at, round(foot)), 2, 90, cv2.FILLED, cv2.LINE_AA)
    page.number(page.text(5), x, foot - 4)


def underlined(page: Sheet, x: float, foot: float) -> None:
    """A number with a stroke under it that touches some of its digits."""
    end = page.number(page.text(), x, foot)
    page.line(x - 8, foot + float(page.rng.uniform(-2, 6)), end + 8, foot + float(page.rng.uniform(-2, 6)), 5, 50)


def ringed(page: Sheet, x: float, foot: float, room: float = 0.25) -> None:
    """A number in a ring, near to its digits or across some."""
    end = page.number(page.text(5), x, foot)
    axes = round((end - x) / 2 * 1.12 + room * TALL), round(TALL / 2 * (1.3 + room))
    cv2.ellipse(page.image, (round((x + end) / 2), round(foot - TALL / 2)), axes, 0, 0, 360, 60, 4, cv2.LINE_AA)


def fraction(page: Sheet, x: float, foot: float) -> None:
    """One number over another, a stroke between them."""
    ends = page.number(page.text(2), x, foot - 50), page.number(page.text(2), x, foot + 38)
    page.line(x - 16, foot - 37, max(ends) + 16, foot - 40, 5, 50)


def added(page: Sheet, x: float, foot: float) -> None:
    """Two numbers, plus between them and equals behind, and a third."""
    middle = foot - TALL / 2
    x = page.number(page.text(2), x, foot) + 34
    page.line(x, middle, x + 28, middle + 1, 5, 50)
    page.line(x + 14, middle - 14, x + 13, middle + 14, 5, 50)
    x = page.number(page.text(2), x + 60, foot) + 34
    for off in (-7, 8):
        page.line(x, middle + off, x + 30, middle + off + 1, 5, 50)
    page.number(page.text(3), x + 64, foot)


def ticked(page: Sheet, x: float, foot: float) -> None:
    """A number, and the tick of who has checked it."""
    x = page.number(page.text(5), x, foot) + 36
    bend = np.array([(x, foot - 26), (x + 15, foot), (x + 48, foot - 68)]).round().astype(np.int32)
    cv2.polylines(page.image, [bend], False, 60, 5, cv2.LINE_AA)


def labels(page: Sheet) -> None:
    """Six labels on a dark table."""
    page.image[:] = 70
    for row in range(3):
        for column in range(2):
            x, y = 100 + column * 760, 90 + row * 380
            cv2.rectangle(page.image, (x, y), (x + 600, y + 260), 225, cv2.FILLED)
            page.number(page.text(5), x + 100, y + 160)


FORMS: dict[str, Callable[[Sheet], None]] = {
    "combs": lambda page: rows(page, comb),
    "open combs": lambda page: rows(page, lambda p, x, y: comb(p, x, y, high=48.0)),
    "boxes": lambda page: rows(page, box),
    "lines": lambda page: rows(page, to_write_on),
    "dotted lines": lambda page: rows(page, leader),
    "underlined": lambda page: rows(page, underlined),
    "ringed": lambda page: rows(page, ringed),
    "ringed closely": lambda page: rows(page, lambda p, x, y: ringed(p, x, y, 0.05)),
    "fractions": lambda page: rows(page, fraction, 260),
    "sums": lambda page: rows(page, added),
    "ticks": lambda page: rows(page, ticked),
    "labels": labels,
}


def digits_of_validation() -> list[list[np.ndarray]]:
    """Return digits of MNIST's last 10,000 training pictures by their value, cut out, uint8, ink bright."""
    (x, y), _ = mnist.load_data()
    found: list[list[np.ndarray]] = [[] for _ in range(10)]
    for glyph, value in zip(x[-10_000::5], y[-10_000::5], strict=True):
        large = cv2.resize(glyph, (112, 112), interpolation=cv2.INTER_CUBIC)
        left, top, width, height = cv2.boundingRect((large > 90).astype(np.uint8))
        found[int(value)].append(large[top : top + height, left : left + width])
    return found


def photo(page: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a page as a camera sees it: slightly askew, unevenly lit, a little blurred and grainy."""
    corners = np.array([(0, 0), (WIDTH, 0), (WIDTH, HEIGHT), (0, HEIGHT)], np.float32)
    moved = corners + rng.uniform(-14, 14, (4, 2)).astype(np.float32)
    seen = cv2.warpPerspective(page, cv2.getPerspectiveTransform(corners, moved), (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
    light = np.linspace(1.0, float(rng.uniform(0.75, 1.0)), WIDTH)[None]
    seen = cv2.GaussianBlur(seen, (0, 0), 0.8) * light + rng.normal(0, 2, page.shape)
    return np.clip(seen, 0, 255).astype(np.uint8)


def judge(read: Page, page: Sheet) -> Counter[str]:
    """Count what became of the digits and numbers of a page."""
    counts: Counter[str] = Counter()
    answers = [(d.box.x + d.box.width / 2, d.box.y + d.box.height / 2, d.text) for n in read.numbers for d in n.digits]
    for number in page.numbers:
        for value, (x, y, w, h) in number:
            near = [text for a, b, text in answers if abs(a - x - w / 2) < 0.5 * w + 8 and abs(b - y - h / 2) < 0.5 * h]
            counts["digits"] += 1
            counts["right" if value in near else "doubted" if "?" in near else "wrong" if near else "left_out"] += 1
    written, found = (Counter(texts) for texts in (["".join(v for v, _ in n) for n in page.numbers], [n.text for n in read.numbers]))
    counts["numbers"], counts["numbers_right"] = written.total(), (written & found).total()
    return counts


def main() -> None:
    """Read the pages and tell what became of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=FORMS, default=list(FORMS))
    parser.add_argument("--pages", type=int, default=6)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    reader, digits, told = Reader.load(), digits_of_validation(), {}
    for name in args.only:
        seen, plain = Counter[str](), Counter[str]()
        for seed in range(args.pages):
            page = Sheet(np.random.default_rng([seed, list(FORMS).index(name)]), digits)
            FORMS[name](page)
            seen += judge(reader.read(photo(page.image, np.random.default_rng(seed))), page)
            plain += judge(reader.read(photo(page.bare, np.random.default_rng(seed))), page)
        told[name] = {"as_it_is": dict(seen), "on_bare_paper": dict(plain)}
        if not args.json:
            of = [
                f"{kind} {c['right'] / c['digits']:.1%} of {c['digits']} digits right, {c['wrong']} wrong, {c['doubted']} doubted, "
                f"{c['left_out']} left out; numbers {c['numbers_right'] / c['numbers']:.1%}"
                for kind, c in (("as it is", seen), ("bare", plain))
            ]
            print(f"{name:15} " + " | ".join(of), flush=True)
    if args.json:
        print(json.dumps(told))


if __name__ == "__main__":
    main()
