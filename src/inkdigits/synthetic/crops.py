"""A label comes in, a small picture of one digit comes out, as a stranger would send it: photographed, scanned, or drawn on a screen."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from .camera import Picture, expose, light_up
from .decoys import no_digit, trim
from .dirt import BOARDS, PAPERS, Dirt, keep_legible, sample_dirt
from .hands import Hands, Writer, choose_writer, write
from .paper import make_desk, make_paper, print_box, rule
from .pens import Pen, choose_pen, lay

Ink = NDArray[np.uint8]

# how a picture came about, and how often
STYLES: dict[str, float] = {"photo": 0.5, "scan": 0.15, "screen": 0.12, "mouse": 0.08, "small": 0.08, "board": 0.07}
SMALLEST, LARGEST = 16, 400  # longer side of a crop, pixels
EVERYTHING = Hands()


def make_glyph_source(label: int, rng: np.random.Generator, *, hands: Hands = EVERYTHING, pen: Pen | None = None, height: int = 120) -> Ink:
    """Return the clean ink of one handwritten digit.

    Args:
        label: 0–9.
        rng: where the chance comes from.
        hands: where the shapes come from.
        pen: what it is written with; None for any.
        height: of the digit, in pixels, about.

    Returns:
        uint8 of shape (rows, columns), 0 paper to 255 ink, cut to the ink.

    Raises:
        UsageError: the label is no digit.
    """
    writer = choose_writer(rng, hands, replace(pen or choose_pen(rng), opacity=1.0))
    return trim(write(_character(label), writer, hands, height, rng))


def make_digit(
    label: int | None,
    rng: np.random.Generator,
    *,
    hands: Hands = EVERYTHING,
    style: str | None = None,
    size: int | None = None,
) -> Picture:
    """Return a picture of one digit, or of something that is none; see `make_labelled_digit`."""
    return make_labelled_digit(label, rng, hands=hands, style=style, size=size)[0]


def make_labelled_digit(
    label: int | None,
    rng: np.random.Generator,
    *,
    hands: Hands = EVERYTHING,
    style: str | None = None,
    size: int | None = None,
    fill: tuple[float, float] = (0.45, 0.95),
) -> tuple[Picture, Ink]:
    """Return a picture of one digit, or of something that is none, and where in it the ink of that digit stands.

    Args:
        label: 0–9; None for a letter, a scribble, a blot, half a digit, digits run together, or nothing.
        rng: where the chance comes from; the same state gives the same bytes.
        hands: where the shapes come from.
        style: one of `STYLES`, None for any.
        size: longer side in pixels; None for any from 16 to 400, small ones as often as large ones.
        fill: how high the digit is against the picture, from and to.

    Returns:
        The picture, uint8 RGB of shape (rows, columns, 3), and the ink, uint8 of shape (rows, columns): 0 paper, and up to 255 as the pen
        covered it. What a neighbour, a frame or a line left in the picture is not in it.

    Raises:
        UsageError: the label is no digit, or there is no such style.
    """
    if style is None:
        style = str(rng.choice(list(STYLES), p=list(STYLES.values())))
    elif style not in STYLES:
        raise UsageError(f"style must be one of {', '.join(STYLES)}, got {style!r}")
    side = size or _choose_side(style, rng)
    dirt = _crop_dirt(style, side, rng)
    height = max(9.0, side * float(rng.uniform(*fill)))
    writer = choose_writer(rng, hands, _choose_pen(style, height, rng))
    dirt = keep_legible(dirt, writer.pen.colour, writer.pen.opacity, writer.pen.width * height)
    ink = no_digit(writer, hands, height, rng) if label is None else trim(write(_character(label), writer, hands, height, rng))
    ink = _fit(ink, side)
    canvas, at = _place(ink, side, rng)
    image = make_paper(canvas, dirt, rng)
    if dirt.ruling:
        rule(image, dirt, height * float(rng.uniform(0.45, 1.8)), rng)
    _leave_remains(image, ink, at, writer, hands, style, rng)
    lay(image, ink, at, writer.pen.colour)
    if style in ("photo", "board") and rng.random() < 0.08:
        _end_sheet(image, ink.shape, at, rng)
    return expose(light_up(image, dirt, rng), dirt, rng), _on_canvas(ink, canvas, at)


def _on_canvas(ink: Ink, canvas: tuple[int, int], at: tuple[int, int]) -> Ink:
    """Return the ink where it stands in the picture; what hangs over is cut."""
    whole = np.zeros((*canvas, 3), np.uint8)
    lay(whole, ink, at, (255, 255, 255))
    return np.ascontiguousarray(whole[:, :, 0])


def _end_sheet(image: Picture, ink: tuple[int, int], at: tuple[int, int], rng: np.random.Generator) -> None:
    """Let the sheet end and the desk begin along one side of the picture, beyond the ink."""
    rows, columns = image.shape[:2]
    beyond = {"left": at[0], "top": at[1], "right": columns - at[0] - ink[1], "bottom": rows - at[1] - ink[0]}
    side = str(rng.choice(list(beyond)))
    depths = rng.uniform(0.1, 0.9, 2) * max(0, beyond[side])
    mask = np.zeros((rows, columns), np.uint8)
    along, across = (rows, columns) if side in ("left", "right") else (columns, rows)
    near, far = (
        ((0, depths[0]), (0, depths[1])) if side in ("left", "top") else ((across, across - depths[0]), (across, across - depths[1]))
    )
    corners = np.array([(0, near[0]), (0, near[1]), (along, far[1]), (along, far[0])])
    corners = corners[:, ::-1] if side in ("left", "right") else corners
    cv2.fillPoly(mask, [corners.round().astype(np.int32)], 1)
    image[mask > 0] = make_desk((rows, columns), rng)[mask > 0]


def _character(label: int) -> str:
    if isinstance(label, bool) or label not in range(10):
        raise UsageError(f"label must be a digit 0–9, got {label!r}")
    return str(int(label))


def _choose_side(style: str, rng: np.random.Generator) -> int:
    largest = 40 if style == "small" else 250 if style == "mouse" else LARGEST
    return round(float(np.exp(rng.uniform(np.log(SMALLEST if style == "small" else 24), np.log(largest)))))


def _crop_dirt(style: str, side: int, rng: np.random.Generator) -> Dirt:
    """Return circumstances that suit the style; blur in keeping with the size."""
    if style in ("screen", "mouse"):
        white = 255 if rng.random() < 0.8 else int(rng.integers(200, 255))
        quality = int(rng.integers(60, 96)) if style == "screen" and rng.random() < 0.3 else 0
        return Dirt(surface="screen", paper=(white, white, white), is_inverted=bool(rng.random() < 0.35), jpeg=quality)
    if style == "small":
        blur = float(rng.uniform(0, 0.8))
        return Dirt(
            surface="screen", paper=(255, 255, 255), is_inverted=bool(rng.random() < 0.5), defocus=blur, noise=float(rng.uniform(0, 5))
        )
    level = ("light", "medium", "heavy")[int(rng.choice(3, p=[0.4, 0.4, 0.2]))]
    dirt = replace(sample_dirt("clean" if style == "scan" and rng.random() < 0.5 else level, rng), tilt=0.0, perspective=0.0)
    softest = 0.35 + side / 110
    if dirt.surface == "blackboard":
        dirt = replace(dirt, paper=PAPERS[int(rng.integers(3))])
    dirt = replace(dirt, surface="paper", defocus=float(rng.uniform(0.25, softest)), motion=min(dirt.motion, side / 40), is_inverted=False)
    if style == "scan":
        return replace(dirt, exposure=1.0, shadow=0.0, falloff=0.0, vignette=0.0, motion=0.0, contrast=1.0, noise=min(dirt.noise, 3.0))
    if style == "board":
        return replace(dirt, surface="blackboard", paper=BOARDS[int(rng.integers(len(BOARDS)))], ruling="")
    return dirt


def _choose_pen(style: str, height: float, rng: np.random.Generator) -> Pen:
    kind = {"screen": "screen", "mouse": "mouse", "board": "chalk", "small": None}.get(style)
    if style == "small":
        kind = "screen" if rng.random() < 0.7 else "mouse"
    pen = choose_pen(rng, kind)
    if style == "mouse" and rng.random() < 0.6:
        return replace(pen, width=1 / height)  # a line of single pixels
    # what is thinner than this is no line any more but a trace of grey
    return replace(pen, width=max(pen.width, 0.9 / height), colour=(0, 0, 0) if style == "small" else pen.colour)


def _fit(ink: Ink, side: int) -> Ink:
    """Return an ink cut where it is longer than half as much again as the picture's side."""
    longest = round(1.5 * side)
    return ink[:longest, :longest]


def _place(ink: Ink, side: int, rng: np.random.Generator) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the shape of the crop, and where in it the ink's top left corner comes to stand (x, y)."""
    rows, columns = ink.shape
    tight = 0.02 * side + 1
    free = max(0.0, side - rows), max(0.0, side - columns) * float(rng.uniform(0.1, 1.0))
    top, left = (float(rng.uniform(0.1, 0.9)) * f for f in free)
    bottom, right = free[0] - top, free[1] - left
    edges = [max(tight, e) for e in (top, left, bottom, right)]
    if rng.random() < 0.06:  # cut at an edge, by a little
        edges[int(rng.integers(4))] = -float(rng.uniform(0.0, 0.06)) * side
    top, left, bottom, right = (round(e) for e in edges)
    return (max(8, rows + top + bottom), max(8, columns + left + right)), (left, top)


def _leave_remains(
    image: Picture, ink: Ink, at: tuple[int, int], writer: Writer, hands: Hands, style: str, rng: np.random.Generator
) -> None:
    """Leave in the crop what is often cut out with a digit: the edge of a neighbour, a frame, a piece of a line."""
    if style in ("mouse", "small", "screen"):
        return
    rows, columns = image.shape[:2]
    x, y = at
    chance = rng.random()
    if chance < 0.08 and x > 3:  # a neighbour looks in at the left
        other = trim(write(str(rng.integers(10)), writer, hands, float(ink.shape[0]), rng))
        shown = round(float(rng.uniform(0.2, 0.75)) * x)
        lay(image, other, (shown - other.shape[1], y), writer.pen.colour)
    elif chance < 0.16 and columns - x - ink.shape[1] > 3:
        other = trim(write(str(rng.integers(10)), writer, hands, float(ink.shape[0]), rng))
        shown = round(float(rng.uniform(0.2, 0.75)) * (columns - x - ink.shape[1]))
        lay(image, other, (columns - shown, y), writer.pen.colour)
    elif chance < 0.25:  # the frame of a form's box, whole or in part
        inset = int(rng.integers(-1, 3))
        thick = max(1, round(max(rows, columns) * float(rng.uniform(0.008, 0.03))))
        shift = int(rng.integers(-3, 4)), int(rng.integers(-3, 4))
        box = (inset + shift[0], inset + shift[1], columns - 2 * inset - 1, rows - 2 * inset - 1)
        grey = int(rng.integers(20, 150))
        print_box(image, box, thick, (grey, grey, min(255, grey + 10)), float(rng.uniform(0.5, 1)))
    elif chance < 0.31:  # one line along an edge
        thick = max(1, round(min(rows, columns) * float(rng.uniform(0.01, 0.05))))
        line = np.full((thick, columns) if rng.random() < 0.5 else (rows, thick), int(rng.integers(120, 256)), np.uint8)
        grey = int(rng.integers(30, 160))
        far = rng.random() < 0.5
        where = (columns - thick, 0) if line.shape[0] == rows and far else (0, rows - thick) if far else (0, 0)
        lay(image, line, where, (grey, grey, grey))
