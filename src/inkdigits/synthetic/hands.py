"""A label comes in, the ink of one digit comes out, in the hand of MNIST's writers, of handwriting fonts, or of the templates.

Every hand is bent, slanted and squeezed anew, and written with a pen of its own.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from .. import mnist
from ..errors import DataError, UsageError
from .pens import Pen, choose_pen, draw_strokes, fatten, rub, stroke_width
from .shapes import DIGITS, LETTERS, MARKS, Strokes, bend, draw_character, tremble
from .trace import trace

SPLITS = ("train", "validation", "test")
HELD_BACK = 10_000  # the last of the training pictures: for tuning, never for training
TRACED = 84  # height in pixels at which digits are traced
MOST_MISSED = 0.04  # share of the ink that traced lines may leave uncovered
OWN_MARKS, OTHERS_MARKS = 0.7, 0.3  # how often marks are the font's own; how often another hand's are a font's
# of a digit's height: how high a font's mark is, at least and at most; where it begins at least and ends at most, from the digit's top
MARK_SIZES = {".": (0.04, 0.3, 0.6, 1.2), ",": (0.1, 0.7, 0.6, 1.6), "-": (0.02, 0.3, 0.2, 0.9), "/": (0.7, 1.8, -0.5, 1.5)}
MARK_SIZES[":"] = (0.25, 0.9, 0.0, 1.3)
LEAST_SEEN = 5  # pixels of a mark: fewer may be lost where the page is seen at a slant
FONT_SIZE = 96  # of a font's digits when they are drawn first, pixels


@dataclass(frozen=True, slots=True)
class Font:
    """A font file, and the characters of it that are not to be drawn (ornamental, or easily taken for another digit)."""

    path: str | os.PathLike[str]
    skip: str = ""


@dataclass(frozen=True)
class Hands:
    """Where shapes come from.

    Attributes:
        split: whose MNIST digits: "train" (the first 50,000 training pictures), "validation" (the last 10,000 of them) or "test".
        fonts: font files of handwriting, or `Font`s.
        mnist: how often MNIST's digits are chosen, against the other two.
        strokes: how often the templates.
        font: how often a font, where there is one.

    Raises:
        UsageError: there is no such split, or a share is negative, or all of them are 0.
    """

    split: str = "train"
    fonts: tuple[str | os.PathLike[str] | Font, ...] = ()
    mnist: float = 1.0
    strokes: float = 1.0
    font: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a split or shares that make no sense."""
        if self.split not in SPLITS:
            raise UsageError(f"split must be one of {', '.join(SPLITS)}, got {self.split!r}")
        shares = (self.mnist, self.strokes, self.font if self.fonts else 0.0)
        if min(self.mnist, self.strokes, self.font) < 0 or sum(shares) <= 0:
            raise UsageError(f"the shares of mnist, strokes and font must be 0 or more and not all 0, got {shares}")

    def choose_source(self, rng: np.random.Generator) -> str:
        """Return "mnist", "strokes" or "font"."""
        shares = np.array([self.mnist, self.strokes, self.font if self.fonts else 0.0])
        return ("mnist", "strokes", "font")[int(rng.choice(3, p=shares / shares.sum()))]


@dataclass(frozen=True, slots=True)
class Writer:
    """One person at one moment: what stays the same from digit to digit.

    Attributes:
        pen: what they write with.
        source: "mnist", "strokes" or "font".
        font: the font's number, where that is the source.
        slant: how far a digit leans to the right, as a share of its height.
        squeeze: the digits' width, 1 as they come.
        tilt: how far each digit is turned, in radians, on average.
        shake: how shaky the lines are, as a share of the height.
        keeps_outline: whether MNIST's and fonts' own outlines are kept, or written again with `pen` along their centre lines.
    """

    pen: Pen = field(default_factory=Pen)
    source: str = "strokes"
    font: int = 0
    slant: float = 0.0
    squeeze: float = 1.0
    tilt: float = 0.0
    shake: float = 0.0
    keeps_outline: bool = False


def choose_writer(rng: np.random.Generator, hands: Hands, pen: Pen | None = None) -> Writer:
    """Return someone who writes with `pen`, or with any."""
    source = hands.choose_source(rng)
    pen = pen or choose_pen(rng)
    outline = source != "strokes" and pen.kind not in ("hairline", "mouse") and not pen.nib and rng.random() < 0.55
    return Writer(
        pen,
        source,
        int(rng.integers(len(hands.fonts))) if hands.fonts else 0,
        # MNIST's own writers lean already
        float(np.clip(rng.normal(0.06, 0.14), -0.25, 0.5)) * (0.5 if source == "mnist" else 1.0),
        float(np.exp(rng.normal(0, 0.16))),
        float(rng.normal(0, 0.05)),
        float(rng.choice([0.0, 0.004, 0.010], p=[0.6, 0.3, 0.1])),
        bool(outline),
    )


def write(character: str, writer: Writer, hands: Hands, height: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the ink of one character.

    Args:
        character: a digit, a mark, or a letter of `LETTERS`.
        writer: who writes it.
        hands: where the shapes come from.
        height: of a digit of this writer, in pixels.
        rng: where the chance comes from.

    Returns:
        uint8 of shape (rows, columns), 0 paper to 255 full ink; paper on every side. For a digit, the ink is about `height` high.
    """
    drawn = find_shape(character, writer, hands, rng)
    if isinstance(drawn, tuple):
        return draw_strokes(_pose(drawn, writer, rng), writer.pen, height, rng)
    return _ink_of_mask(drawn, writer, height, height, rng)


def write_mark(mark: str, writer: Writer, hands: Hands, height: float, rng: np.random.Generator) -> tuple[NDArray[np.uint8], float]:
    """Return the ink of a mark, and how far below the digits' top it begins, in pixels."""
    drawn = _mark_of_font(mark, writer, hands, height, rng)
    if drawn:
        return drawn
    pen, strokes = writer.pen, draw_character(mark, rng)
    if mark in ".,:":  # a dot is pressed, else nobody would see it
        pen = replace(
            pen, width=max(pen.width * float(rng.uniform(1.2, 1.9)), 2.2 / height), opacity=max(pen.opacity, 0.75), grain=0.3 * pen.grain
        )
    if mark == "/":  # a slash leans more than this writer's 1
        lean = np.array([[1, -max(writer.slant, 0.0)], [0, 1]], np.float32)
        strokes = tuple(s @ lean.T for s in strokes)
    ink = draw_strokes(strokes, pen, height, rng)
    top = float(min(s[:, 1].min() for s in strokes)) * height - pen.width * height - 2
    return ink, top


def _mark_of_font(
    mark: str, writer: Writer, hands: Hands, height: float, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], float] | None:
    """Return what `write_mark` does, as a font has it; None where no font is chosen, or what it has is no such mark, or can't be seen."""
    is_font = writer.source == "font"
    if not hands.fonts or rng.random() >= (OWN_MARKS if is_font else OTHERS_MARKS):
        return None
    found = font_mark(_font_of(hands, writer.font if is_font else int(rng.integers(len(hands.fonts))))[0], mark)
    if not found:
        return None
    mask, of_digits, begins = found
    ink = _ink_of_mask(mask, writer, height * len(mask) / of_digits, height, rng)
    return (ink, height * begins / of_digits - 2) if np.count_nonzero(ink > 127) > LEAST_SEEN else None


def find_shape(character: str, writer: Writer, hands: Hands, rng: np.random.Generator) -> Strokes | NDArray[np.uint8]:
    """Return a character's centre lines in units of the height, or, where its outline is to be kept, its mask (uint8, ink bright)."""
    if character in MARKS or (character in LETTERS and writer.source != "font") or writer.source == "strokes":
        return draw_character(character, rng)
    if writer.source == "font":
        font = find_font(hands, writer.font, character)
        if font is None:
            return draw_character(character, rng)
        mask = render_font(font, character)
        return mask if writer.keeps_outline or not _is_simple(font, character) else bend(traced_font(font, character), rng)
    pictures = mnist_digits(hands.split)[int(character)]
    for _ in range(4):
        mask = _enlarge(pictures[int(rng.integers(len(pictures)))])
        if writer.keeps_outline:
            return mask
        strokes = trace(mask)
        if _is_whole(strokes, mask):
            return bend(_to_units(strokes, mask.shape), rng, 0.5)
    return mask


def _pose(strokes: Strokes, writer: Writer, rng: np.random.Generator) -> Strokes:
    """Return strokes leaning, squeezed and turned as this writer does, as high as before."""
    slant = writer.slant + float(rng.normal(0, 0.04))
    squeeze = writer.squeeze * float(np.exp(rng.normal(0, 0.06)))
    turn = writer.tilt + float(rng.normal(0, 0.04))
    matrix = _pose_matrix(slant, squeeze, turn)
    posed = [tremble(s, rng, writer.shake) @ matrix.T for s in strokes]
    low, high = min(float(s[:, 1].min()) for s in posed), max(float(s[:, 1].max()) for s in posed)
    scale = np.float32(1 / max(high - low, 0.25))
    return tuple(s * scale for s in posed)


def _pose_matrix(slant: float, squeeze: float, turn: float) -> NDArray[np.float32]:
    c, s = np.cos(turn), np.sin(turn)
    lean = np.array([[squeeze, -slant], [0, 1]])
    return np.asarray(np.array([[c, -s], [s, c]]) @ lean, np.float32)


def _ink_of_mask(mask: NDArray[np.uint8], writer: Writer, tall: float, height: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a mask posed, bent, fattened and inked, `tall` pixels high where a digit has `height`."""
    rows, columns = mask.shape
    scale = tall / rows
    matrix = _pose_matrix(writer.slant + float(rng.normal(0, 0.04)), writer.squeeze * float(np.exp(rng.normal(0, 0.06))), writer.tilt)
    corners = np.array([[0, 0], [columns, 0], [0, rows], [columns, rows]], np.float32) @ matrix.T * np.float32(scale)
    low, high = corners.min(axis=0) - 2, corners.max(axis=0) + 2
    size = tuple(int(v) for v in np.ceil(high - low))
    affine = np.concatenate([matrix * scale, -low[:, None]], axis=1).astype(np.float32)
    placed = cv2.warpAffine(_sharpen(mask, scale), affine, size, flags=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    wave = _wave(np.asarray(placed, np.uint8), height, rng)
    # some way from the width it has to the width that this pen draws, as far as the shape bears it
    change = 0.7 * (writer.pen.width * height - stroke_width(mask) * scale) + float(rng.normal(0, 0.008)) * height
    return rub(fatten(wave, float(np.clip(change, -0.06 * tall, 0.07 * height))), writer.pen, rng)


def _sharpen(mask: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """Return the mask blurred when it is to shrink, so that it does not alias."""
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.4 / scale), np.uint8) if scale < 0.7 else mask


def _wave(ink: NDArray[np.uint8], height: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the picture bent by a slow random field."""
    rows, columns = ink.shape
    field_ = rng.standard_normal((2, 4, 4), np.float32) * np.float32(0.022 * height)
    dx, dy = (cv2.resize(f, (columns, rows), interpolation=cv2.INTER_CUBIC) for f in field_)
    x, y = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
    return np.asarray(cv2.remap(ink, x + dx, y + dy, cv2.INTER_LINEAR), np.uint8)


@lru_cache(maxsize=3)
def mnist_digits(split: str) -> tuple[NDArray[np.uint8], ...]:
    """Return MNIST's pictures of each digit 0–9 in one split, each of shape (n, 28, 28)."""
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    cut = len(x_train) - HELD_BACK
    x, y = {"train": (x_train[:cut], y_train[:cut]), "validation": (x_train[cut:], y_train[cut:]), "test": (x_test, y_test)}[split]
    return tuple(x[y == digit] for digit in range(10))


def _enlarge(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a digit of 28 × 28 cut to its ink and `TRACED` pixels high, with crisp smooth edges, at half of the grey."""
    x, y, w, h = cv2.boundingRect((picture > 64).astype(np.uint8))
    cut = cv2.copyMakeBorder(picture, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=0)[y : y + h + 4, x : x + w + 4]
    scale = TRACED / max(h, w * 0.6)  # a wide flat digit is not blown up to the height of the others
    size = (max(8, round(cut.shape[1] * scale)), max(8, round(cut.shape[0] * scale)))
    smooth = np.maximum(cv2.resize(cut, size, interpolation=cv2.INTER_CUBIC), 77)
    edged = cv2.convertScaleAbs(smooth, alpha=2.5, beta=-192.5)  # grey 77–179 becomes 0–255: half stays half
    x, y, w, h = cv2.boundingRect(edged)
    return np.ascontiguousarray(edged[y : y + h, x : x + w])


def _is_whole(strokes: Strokes, mask: NDArray[np.uint8]) -> bool:
    """Tell whether centre lines (in pixels of the mask) say all that it does; where ink ran together, as in a filled loop, they don't."""
    drawn = np.zeros_like(mask)
    lines = [s.round().astype(np.int32) for s in strokes]
    cv2.polylines(drawn, lines, False, 255, max(1, round(1.35 * stroke_width(mask))))
    missed = cv2.countNonZero(((mask > 127) & (drawn == 0)).astype(np.uint8))
    return missed < MOST_MISSED * cv2.countNonZero((mask > 127).astype(np.uint8))


def _to_units(strokes: Strokes, shape: tuple[int, ...]) -> Strokes:
    return tuple(s / np.float32(shape[0]) for s in strokes)


def find_font(hands: Hands, number: int, character: str) -> str | None:
    """Return the font that draws `character`: this one, or the next that may; None where none may."""
    for i in range(len(hands.fonts)):
        path, skip = _font_of(hands, number + i)
        if character not in skip and render_font(path, character).size:
            return path
    return None


def _font_of(hands: Hands, number: int) -> tuple[str, str]:
    """Return the path of a font, and the characters of it that are not to be drawn."""
    font = hands.fonts[number % len(hands.fonts)]
    return (os.fspath(font.path), font.skip) if isinstance(font, Font) else (os.fspath(font), "")


@lru_cache(maxsize=8192)
def font_mark(path: str, mark: str) -> tuple[NDArray[np.uint8], float, float] | None:
    """Return a font's mark (uint8, ink bright), how high its digits are, and how far below their top it begins, both in pixels.

    None where it is none such as people write: a box for what the font lacks, a comma as large as a digit.
    """
    font = _load_font(path)
    mask, height = render_font(path, mark), float(len(render_font(path, "0")))
    if not mask.size or not height:
        return None
    begin = font.getbbox(mark)[1] - font.getbbox("0")[1]
    low, high, begins, ends = MARK_SIZES[mark]
    fits = low <= len(mask) / height <= high and begin >= begins * height and begin + len(mask) <= ends * height
    return (mask, height, float(begin)) if fits else None


@lru_cache(maxsize=256)
def _load_font(path: str) -> ImageFont.FreeTypeFont:
    try:
        return ImageFont.truetype(path, FONT_SIZE)
    except OSError as error:
        raise DataError(f"cannot read the font {Path(path).name}: {error}") from error


@lru_cache(maxsize=8192)
def render_font(path: str, character: str) -> NDArray[np.uint8]:
    """Return a character of a font: uint8 of shape (rows, columns), ink bright, cut to the ink; shape (0, 0) where the font draws nothing.

    Raises:
        DataError: the file is missing or no font.
    """
    picture = Image.new("L", (3 * FONT_SIZE, 3 * FONT_SIZE))
    ImageDraw.Draw(picture).text((FONT_SIZE, FONT_SIZE // 2), character, font=_load_font(path), fill=255)
    ink = np.asarray(picture)
    x, y, w, h = cv2.boundingRect(ink)
    return np.ascontiguousarray(ink[y : y + h, x : x + w])


@lru_cache(maxsize=8192)
def traced_font(path: str, character: str) -> Strokes:
    """Return the centre lines of a font's character, in units of its height."""
    mask = render_font(path, character)
    scale = TRACED / mask.shape[0]
    size = (max(1, round(mask.shape[1] * scale)), TRACED)
    return _to_units(trace(np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_LINEAR), np.uint8)), (TRACED,))


@lru_cache(maxsize=8192)
def _is_simple(path: str, character: str) -> bool:
    """Tell whether a font draws a character in plain strokes; hollow or stippled ones have no centre line worth following."""
    contours, _ = cv2.findContours((render_font(path, character) > 127).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return sum(len(c) > 12 for c in contours) <= 3  # an 8 has three outlines, nothing has more


def characters() -> str:
    """Return all that can be written as text: digits, marks and the `?` of a digit struck out."""
    return "".join(DIGITS) + "".join(MARKS) + "?"
