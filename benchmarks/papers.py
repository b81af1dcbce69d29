"""How labelled pages of strangers are read on other paper, in other light: digits that are right, by what was done to the pages.

    python benchmarks/papers.py DIR [--only NAME …] [--without SOURCE …] [--workers 2]

DIR is laid out as for `labelled_pages.py`. Each page is read as it is and in every made surrounding: ruled, squared and dotted paper,
shadows, desks, a notebook's wire, coloured paper, highlighters, the other side written on, phones. A `?` is no answer, best guesses do not
count. The last line is JSON.
"""

import argparse
import csv
import json
import re
import zlib
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from labelled_pages import judge

from inkdigits import Reader
from inkdigits.errors import InkdigitsError
from inkdigits.limits import Limits
from inkdigits.source import load_image

USUAL = 1100  # pixels: of a picture whose longer side is so long, widths are in pixels; of larger ones, in proportion
BLUE = (1.0, 0.6, 0.2)  # share of a line's strength by which it darkens red, green and blue

Image = np.ndarray
Change = Callable[[Image, np.random.Generator], Image]


def shaded(image: Image, light: np.ndarray) -> Image:
    """Return a picture in a light of shape (height, width) or (height, width, 3), 1 as it was."""
    return np.clip(image * light.reshape(*light.shape[:2], -1).astype(np.float32), 0, 255).astype(np.uint8)


def paper_grid(image: Image, angle: float, bend: float) -> tuple[np.ndarray, np.ndarray]:
    """Return across and down of the paper at every pixel, where it is turned by degrees and bends by a share of its longer side."""
    height, width = image.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    turn, side = np.deg2rad(angle), max(height, width)
    across, down = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    return across + 2 * bend * side * (y / height - 0.5) ** 2, down + 4 * bend * side * (x / width - 0.5) ** 2


def ruled(image, _, pitch=28, strength=0.3, width=1.0, angle=0.0, bend=0.0, squares=False, colour=(1.0, 1.0, 1.0)):  # type: ignore[no-untyped-def]
    """Return a page on ruled or squared paper, `pitch` lines along its longer side."""
    side = max(image.shape[:2])
    across, down = paper_grid(image, angle, bend)
    half = width * max(1, side / USUAL) / 2 + 0.5
    lines = [
        np.clip(half - np.abs((at * pitch / side + 0.37) % 1 - 0.5) * side / pitch, 0, 1) for at in ([down, across] if squares else [down])
    ]
    return shaded(image, 1 - strength * np.max(lines, axis=0)[..., None] * np.array(colour))


def dotted(image, _, pitch=40, strength=0.5, radius=1.5, angle=0.0):  # type: ignore[no-untyped-def]
    """Return a page on dotted paper."""
    side = max(image.shape[:2])
    off = [np.abs((at * pitch / side + 0.3) % 1 - 0.5) * side / pitch for at in paper_grid(image, angle, 0)]
    return shaded(image, 1 - strength * np.clip(radius * max(1, side / USUAL) + 0.5 - np.hypot(*off), 0, 1))


def in_shadow(image, rng, left=0.5, soft=0.004):  # type: ignore[no-untyped-def]
    """Return a page half of which lies in a shadow."""
    height, width = image.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    turn = rng.uniform(0, 2 * np.pi)
    return shaded(image, 1 - (1 - left) / (1 + np.exp(-(np.cos(turn) * (x / width - 0.5) + np.sin(turn) * (y / height - 0.5)) / soft)))


def on_desk(image, rng, angle=6.0, room=0.18, colour=(70, 50, 38)):  # type: ignore[no-untyped-def]
    """Return a page as a sheet in perspective on a desk of wood, `room` of its sides about it."""
    height, width = image.shape[:2]
    size = np.array([width * (1 + 2 * room), height * (1 + 2 * room)]).astype(int)
    grain = cv2.resize(rng.normal(0, 6, (size[1] // 3, max(2, size[0] // 60))).astype(np.float32), size)
    turn, corners = np.deg2rad(angle), np.array([[0, 0], [width, 0], [width, height], [0, height]])
    spun = (0.98 * (corners - [width / 2, height / 2])) @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    goal = spun + size / 2 + rng.uniform(-0.06, 0.06, (4, 2)) * min(height, width)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), goal.astype(np.float32))
    mask = cv2.warpPerspective(np.ones((height, width), np.float32), matrix, size)
    desk = (np.array(colour) + grain[..., None]) * (1 - 0.4 * cv2.GaussianBlur(mask, (0, 0), 0.01 * max(size)))[..., None]
    sheet = cv2.warpPerspective(image, matrix, size)
    return np.clip(desk * (1 - mask[..., None]) + sheet * mask[..., None], 0, 255).astype(np.uint8)


def cut_off(image: Image, _: np.random.Generator, share: float = 0.15) -> Image:
    """Return a picture without its left and its lower edge."""
    return np.ascontiguousarray(image[: int((1 - share) * image.shape[0]), int(share * image.shape[1]) :])


def bound(image: Image, _: np.random.Generator) -> Image:
    """Return a page from a notebook with a wire along its left side."""
    image, (height, width) = image.copy(), image.shape[:2]
    for i in range(22):
        y = int((i + 0.5) / 22 * height)
        cv2.circle(image, (int(0.025 * width), y), int(0.008 * max(height, width)), (60, 60, 62), -1, cv2.LINE_AA)
        cv2.line(image, (0, y), (int(0.025 * width), y), (90, 90, 95), max(2, int(0.003 * width)), cv2.LINE_AA)
    return image


def framed(image: Image, _: np.random.Generator, room: float = 0.5) -> Image:
    """Return a picture as it stands in a document, on white."""
    up, aside = (int(room * side) for side in image.shape[:2])
    return cv2.copyMakeBorder(image, up, up, aside, aside, cv2.BORDER_CONSTANT, value=(255, 255, 255))


def by_phone(image: Image, rng: np.random.Generator) -> Image:
    """Return a picture as a phone takes it in bad light."""
    soft = cv2.GaussianBlur(image, (0, 0), 0.8 * max(image.shape) / 1000)
    noisy = np.clip(soft + rng.normal(0, 5, soft.shape), 0, 255).astype(np.uint8)
    return cv2.imdecode(cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 50])[1], cv2.IMREAD_COLOR)


def tinted(image: Image, _: np.random.Generator, colour: tuple[float, float, float]) -> Image:
    """Return a page on coloured paper."""
    return shaded(image, np.ones(image.shape) * np.array(colour))


def written_through(image: Image, _: np.random.Generator, strength: float = 0.2) -> Image:
    """Return a page through which the same, written on its back, is to be seen."""
    side = max(3, round(0.06 * min(image.shape[:2]))) | 1
    paper = cv2.morphologyEx(image, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8)).astype(np.float32) + 1
    back = cv2.GaussianBlur(np.clip(1 - image / paper, 0, 1)[:, ::-1], (0, 0), 2 * max(image.shape) / 1000)
    return shaded(image, 1 - strength * np.clip(back / 0.7, 0, 1))


def highlighted(image: Image, _: np.random.Generator, colour: tuple[float, float, float] = (1.0, 1.0, 0.35)) -> Image:
    """Return a page with every other number, as it is read, under a highlighter."""
    light = np.ones(image.shape, np.float32)
    for number in Reader.load().read(image).numbers[::2]:
        x, y, w, h = number.box
        light[max(0, y - h // 10) : y + h + h // 10, max(0, x - h // 3) : x + w + h // 3] = colour
    return shaded(image, cv2.GaussianBlur(light, (0, 0), 1.5))


def turned_over(image: Image, _: np.random.Generator) -> Image:
    """Return a page upside down."""
    return np.ascontiguousarray(np.rot90(image, 2))


def one_by_one(*changes: Change) -> Change:
    """Return what does one change after the other."""

    def change(image: Image, rng: np.random.Generator) -> Image:
        for each in changes:
            image = each(image, rng)
        return image

    return change


squared = partial(ruled, squares=True)
CHANGES: dict[str, Change] = {
    "as they are": lambda image, _: image,
    "lines": ruled,
    "lines, 8°": partial(ruled, angle=8, strength=0.4),
    "lines, 2.5 pixels": partial(ruled, angle=1, strength=0.4, width=2.5),
    "blue lines": partial(ruled, angle=-2, strength=0.5, colour=BLUE),
    "lines that bend": partial(ruled, angle=-3, bend=0.02, strength=0.4),
    "squares": squared,
    "squares, 6°": partial(squared, angle=6),
    "squares, 18°": partial(squared, angle=18, strength=0.25),
    "squares, dark": partial(squared, angle=3, strength=0.6),
    "squares, small": partial(squared, angle=2, pitch=55),
    "squares, 2.5 pixels": partial(squared, angle=5, width=2.5, strength=0.35),
    "squares, 3.5 pixels": partial(squared, angle=1, width=3.5, strength=0.4),
    "squares that bend": partial(squared, angle=2, bend=0.015),
    "dots": dotted,
    "dots, 4°": partial(dotted, angle=4, strength=0.7),
    "dots, large": partial(dotted, pitch=25, radius=2.5, angle=-2),
    "wire": bound,
    "in a document": framed,
    "shadow": in_shadow,
    "shadow, hard": partial(in_shadow, left=0.3, soft=0.002),
    "shadow, soft": partial(in_shadow, left=0.4, soft=0.03),
    "shadow, squares": one_by_one(partial(squared, angle=3), in_shadow),
    "desk": on_desk,
    "desk, black": partial(on_desk, angle=-9, colour=(18, 18, 20)),
    "desk, bright": partial(on_desk, colour=(190, 180, 165)),
    "desk, far": partial(on_desk, room=0.8),
    "desk, cut off": one_by_one(on_desk, cut_off),
    "desk, cut off, shadow": one_by_one(on_desk, cut_off, partial(in_shadow, left=0.45, soft=0.003)),
    "desk, shadow": one_by_one(on_desk, partial(in_shadow, left=0.45, soft=0.003)),
    "desk, squares": one_by_one(squared, on_desk),
    "the back": written_through,
    "the back, faint": partial(written_through, strength=0.12),
    "the back, shadow": one_by_one(partial(written_through, strength=0.15), in_shadow),
    "highlighter": highlighted,
    "highlighter, pink": partial(highlighted, colour=(1.0, 0.6, 0.75)),
    "upside down": turned_over,
    "yellow paper": partial(tinted, colour=(1.0, 0.88, 0.35)),
    "brown paper": partial(tinted, colour=(0.72, 0.55, 0.38)),
    "phone, desk": one_by_one(on_desk, by_phone),
    "phone, desk, lines, shadow": one_by_one(
        partial(ruled, strength=0.4, colour=BLUE), partial(on_desk, angle=4), partial(in_shadow, left=0.55, soft=0.02), by_phone
    ),
}


def of_page(job: tuple[str, Path, list[str]]) -> dict[str, int]:
    """Change and read one page; return its counts, see `labelled_pages.judge`."""
    name, path, written = job
    cv2.setNumThreads(1)
    image = load_image(path, Limits())
    image = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) if image.ndim == 2 else image
    try:
        text = Reader.load().read(CHANGES[name](image, np.random.default_rng(zlib.crc32(f"{name} {path.name}".encode())))).text
    except InkdigitsError:
        text = ""
    lines = [line for line in (re.sub("[^0-9?]", "", line) for line in text.split("\n")) if line]
    return dict(judge(lines, written))


def main() -> None:
    """Print a line a surrounding."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", choices=list(CHANGES), default=list(CHANGES), metavar="NAME")
    parser.add_argument("--without", nargs="*", default=[], metavar="SOURCE")
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    pages = []
    for labels in sorted(args.folder.glob("pages/*/labels.csv")):
        if labels.parent.name not in args.without:
            with labels.open(encoding="utf-8", newline="") as file:
                pages += [(labels.parent / row["file"], row["text"].replace(" ", "").split("|")) for row in csv.DictReader(file)]
    right = {}
    with ProcessPoolExecutor(args.workers) as pool:
        for name in args.only:
            counts = list(pool.map(of_page, [(name, *page) for page in pages]))
            total = {what: sum(c.get(what, 0) for c in counts) for what in ("digits", "digits_right", "lines", "lines_right")}
            right[name] = total
            print(
                f"{name:28}{total['digits_right']:5} of {total['digits']} digits {total['lines_right']:4} of {total['lines']} lines",
                flush=True,
            )
    print(json.dumps(right))


if __name__ == "__main__":
    main()
