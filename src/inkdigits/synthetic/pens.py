"""Strokes or a digit's mask come in, ink comes out: ballpoint, pencil, felt-tip, marker, brush, chalk, mouse; and their colours."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .noise import grain, tooth
from .shapes import Stroke, Strokes

Colour = tuple[int, int, int]

INKS: dict[str, tuple[Colour, ...]] = {
    "black": ((20, 20, 22), (38, 36, 40), (52, 50, 52)),
    "blue": ((28, 42, 120), (30, 60, 160), (60, 70, 190), (22, 26, 80)),
    "red": ((180, 36, 40), (200, 60, 60)),
    "green": ((24, 100, 60), (40, 120, 50)),
    "graphite": ((70, 70, 74), (90, 90, 92), (58, 58, 62)),
    "brown": ((70, 44, 26), (94, 60, 34)),
    "light": ((250, 250, 250), (236, 236, 230), (240, 236, 190), (200, 226, 240)),
}
SIDE_OF_NIB = 0.7  # radians: the angle at which a broad nib draws its widest line


@dataclass(frozen=True, slots=True)
class Pen:
    """What draws a line.

    Attributes:
        kind: the name it has in `PENS`.
        width: of the line, as a share of the digit's height.
        colour: of full ink, RGB.
        opacity: of full ink, 0–1.
        grain: how much of the paper's tooth stays free, 0–1.
        pressure: how much the width changes along a stroke, 0–1.
        nib: how much it depends on the direction, 0–1.
        hard: pixels are either ink or not, as a mouse draws.
    """

    kind: str = "felt"
    width: float = 0.06
    colour: Colour = (30, 30, 34)
    opacity: float = 1.0
    grain: float = 0.0
    pressure: float = 0.0
    nib: float = 0.0
    hard: bool = False


# name: (how often on paper, narrowest, widest, opacity from, to, grain to, pressure to, inks)
PENS: dict[str, tuple[float, float, float, float, float, float, float, tuple[str, ...]]] = {
    "hairline": (1.2, 0.012, 0.024, 0.55, 1.0, 0.25, 0.1, ("black", "blue", "graphite")),
    "ballpoint": (4, 0.022, 0.05, 0.75, 1.0, 0.3, 0.25, ("blue", "blue", "black", "black", "red", "green")),
    "pencil": (3, 0.022, 0.07, 0.35, 0.85, 0.75, 0.35, ("graphite",)),
    "felt": (3, 0.05, 0.1, 0.85, 1.0, 0.1, 0.15, ("black", "black", "blue", "red", "green")),
    "marker": (1.5, 0.1, 0.165, 0.9, 1.0, 0.08, 0.1, ("black", "black", "blue", "red", "green")),
    "brush": (1, 0.06, 0.16, 0.8, 1.0, 0.1, 0.7, ("black", "brown", "blue")),
    "chalk": (0, 0.05, 0.12, 0.7, 1.0, 0.7, 0.3, ("light",)),
    "screen": (0, 0.03, 0.16, 1.0, 1.0, 0.0, 0.0, ("black", "black", "blue", "red")),
    "mouse": (0, 0.012, 0.12, 1.0, 1.0, 0.0, 0.0, ("black",)),
}


def choose_pen(rng: np.random.Generator, kind: str | None = None) -> Pen:
    """Return a pen of `kind`, or of any kind that people use on paper."""
    if kind is None:
        names = list(PENS)
        shares = np.array([PENS[n][0] for n in names])
        kind = names[int(rng.choice(len(names), p=shares / shares.sum()))]
    _, narrow, wide, pale, full, roughest, heaviest, inks = PENS[kind]
    colours = INKS[inks[int(rng.integers(len(inks)))]]
    red, green, blue = (int(np.clip(c + rng.integers(-10, 11), 0, 255)) for c in colours[int(rng.integers(len(colours)))])
    return Pen(
        kind,
        float(np.exp(rng.uniform(np.log(narrow), np.log(wide)))),
        (0, 0, 0) if kind == "mouse" else (red, green, blue),
        float(rng.uniform(pale, full)),
        float(rng.uniform(0, roughest)),
        float(rng.uniform(0, heaviest)),
        float(rng.uniform(0.2, 0.7)) if kind == "brush" and rng.random() < 0.5 else 0.0,
        kind == "mouse",
    )


def draw_strokes(strokes: Strokes, pen: Pen, height: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the ink of strokes.

    Args:
        strokes: centre lines in units of the height, anywhere in the plane.
        pen: what draws them.
        height: of the digit, in pixels.
        rng: for pressure and grain.

    Returns:
        uint8 of shape (rows, columns), 0 paper to 255 full ink, with a pixel or more of paper on every side.
    """
    width = pen.width * height
    lines = [s * np.float32(height) for s in strokes]
    low = np.min([line.min(axis=0) for line in lines], axis=0) - width - 2
    high = np.max([line.max(axis=0) for line in lines], axis=0) + width + 2
    columns, rows = (int(v) for v in np.ceil(high - low))
    if pen.hard:
        return _draw_hard([line - low for line in lines], (rows, columns), max(1, round(width)))
    # drawn larger and shrunk: OpenCV knows whole widths only
    zoom = int(np.clip(np.ceil(4 / max(width, 0.5)), 1, 4))
    canvas = np.zeros((rows * zoom, columns * zoom), np.uint8)
    for line in lines:
        _draw_line(canvas, (line - low) * np.float32(zoom), width * zoom, pen, rng)
    if zoom > 1:
        canvas = np.asarray(cv2.resize(canvas, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
    return rub(canvas, pen, rng)


def _draw_hard(lines: list[Stroke], shape: tuple[int, int], width: int) -> NDArray[np.uint8]:
    canvas = np.zeros(shape, np.uint8)
    for line in lines:
        cv2.polylines(canvas, [line.round().astype(np.int32)], False, 255, width, cv2.LINE_8)
    return canvas


def _draw_line(canvas: NDArray[np.uint8], line: Stroke, width: float, pen: Pen, rng: np.random.Generator) -> None:
    """Draw one line into `canvas`, its width changing as the pen's does."""
    points = (line * 16).round().astype(np.int32)  # OpenCV takes sixteenths of a pixel
    if len(points) < 4 or (pen.pressure < 0.05 and pen.nib == 0):
        cv2.polylines(canvas, [points], False, 255, max(1, round(width)), cv2.LINE_AA, 4)
        return
    widths = width * _profile(line, pen, rng)
    for i in range(len(points) - 1):
        ends = points[i].tolist(), points[i + 1].tolist()
        cv2.line(canvas, *ends, 255, max(1, round(float(widths[i]))), cv2.LINE_AA, 4)


def _profile(line: Stroke, pen: Pen, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the width of each piece of the line, relative to the pen's own, of shape (n - 1,)."""
    n = len(line) - 1
    phase, pace = rng.uniform(0, 2 * np.pi), rng.uniform(1, 4)
    along = np.linspace(0, 1, n, dtype=np.float32)
    profile = 1 + pen.pressure * 0.5 * np.sin(pace * np.pi * along + phase)
    if pen.nib:
        step = np.diff(line, axis=0)
        angle = np.arctan2(step[:, 1], step[:, 0])
        profile = profile * (1 - pen.nib + pen.nib * np.abs(np.sin(angle + SIDE_OF_NIB)))
    return np.asarray(profile, np.float32)


def fatten(mask: NDArray[np.uint8], change: float) -> NDArray[np.uint8]:
    """Return a soft-edged mask with its strokes wider by `change` pixels (narrower below 0; never by so much that they break up)."""
    radius = round(abs(change) / 2)
    if radius < 1:
        return mask
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    padded = np.asarray(cv2.copyMakeBorder(mask, radius, radius, radius, radius, cv2.BORDER_CONSTANT, value=0), np.uint8)
    if change > 0:
        fat = np.asarray(cv2.dilate(padded, kernel), np.uint8)
        return fat if _count_outlines(fat) >= _count_outlines(padded) else padded  # a filled loop makes another digit
    thinned = np.asarray(cv2.erode(padded, kernel), np.uint8)
    return thinned if cv2.countNonZero(thinned) > cv2.countNonZero(mask) * 0.35 else padded


def stroke_width(mask: NDArray[np.uint8]) -> float:
    """Return the mean width of the strokes of a mask, in pixels: its area over half its outline."""
    binary = (mask > 127).astype(np.uint8)
    contours, _ = cv2.findContours(binary, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return 2 * cv2.countNonZero(binary) / max(1.0, sum(cv2.arcLength(c, True) for c in contours))


def _count_outlines(mask: NDArray[np.uint8]) -> int:
    contours, _ = cv2.findContours((mask > 127).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return sum(len(c) > 8 for c in contours)


def rub(ink: NDArray[np.uint8], pen: Pen, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return ink as the paper's tooth takes it: pale where the pen is pale, broken where it is grainy."""
    if pen.grain < 0.03 and pen.opacity > 0.97:
        return ink
    cover = np.full(ink.shape, pen.opacity, np.float32)
    if pen.grain >= 0.03:
        cover *= 1 - pen.grain * np.clip(0.45 + 0.7 * tooth(ink.shape, rng) + 0.25 * grain(ink.shape, rng), 0, 1)
    return np.asarray(ink * cover, np.uint8)


def lay(image: NDArray[np.uint8], ink: NDArray[np.uint8], at: tuple[int, int], colour: Colour) -> None:
    """Lay ink of one colour over `image` (rows, columns, 3) in place, its top left corner at `at` (x, y); what hangs over is cut."""
    x, y = at
    left, top = max(0, -x), max(0, -y)
    right, bottom = min(ink.shape[1], image.shape[1] - x), min(ink.shape[0], image.shape[0] - y)
    if right <= left or bottom <= top:
        return
    cover = ink[top:bottom, left:right, None].astype(np.float32) / 255
    part = image[y + top : y + bottom, x + left : x + right]
    part[:] = part + (np.array(colour, np.float32) - part) * cover + 0.5
