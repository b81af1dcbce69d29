"""The circumstances of a picture come in, the empty surface comes out: paper with its fibres, rules, stains and folds; boards; desks."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .dirt import Dirt
from .noise import grain, noise, swell
from .pens import Colour, lay

Picture = NDArray[np.uint8]
MARGIN_COLOUR = (224, 120, 130)


def make_paper(shape: tuple[int, int], dirt: Dirt, rng: np.random.Generator) -> Picture:
    """Return a surface without anything on it: uint8 RGB of shape (rows, columns, 3)."""
    if dirt.surface == "scene":
        return make_scene(shape, rng)
    paper = np.empty((*shape, 3), np.uint8)
    paper[:] = dirt.paper
    if dirt.surface == "screen" or not dirt.texture:
        return paper
    rough = np.float32(dirt.texture)
    relief = rough * (0.5 * noise(shape, rng, 0.7) + 0.35 * noise(shape, rng, 1.6) + 0.4 * noise(shape, rng, 5)) + 0.4 * rough * swell(
        shape, rng
    )
    if dirt.surface == "blackboard":  # smears of the sponge
        relief += 2 * rough * np.abs(noise(shape, rng, 24)) + rough * grain(shape, rng)
    grey = relief.astype(np.int16)
    return np.asarray(cv2.add(paper, cv2.merge([grey, grey, grey]), dtype=cv2.CV_8U), np.uint8)


def rule(image: Picture, dirt: Dirt, spacing: float, rng: np.random.Generator) -> None:
    """Print lines, squares or dots every `spacing` pixels into `image`, and a margin line."""
    rows, columns = image.shape[:2]
    thick = max(1, round(spacing * float(rng.uniform(0.015, 0.05))))
    start = rng.uniform(0, spacing, 2)
    xs, ys = (np.arange(begin, end, spacing).astype(int).tolist() for begin, end in zip(start, (columns, rows), strict=True))
    strength = dirt.ruling_strength
    if dirt.ruling == "dots":
        dot = np.zeros((2 * thick + 3, 2 * thick + 3), np.uint8)
        cv2.circle(dot, (thick + 1, thick + 1), thick, round(255 * strength), -1, cv2.LINE_AA)
        for y in ys:
            for x in xs:
                lay(image, dot, (x, y), dirt.ruling_colour)
    elif dirt.ruling:
        for y in ys:
            _tint(image[y : y + thick], dirt.ruling_colour, strength)
        for x in xs if dirt.ruling == "squares" else ():
            _tint(image[:, x : x + thick], dirt.ruling_colour, strength)
    if dirt.has_margin:
        x = int(columns * rng.uniform(0.03, 0.14))
        _tint(image[:, x : x + thick], MARGIN_COLOUR, strength)


def _tint(part: Picture, colour: Colour, strength: float) -> None:
    part[:] = part + (np.array(colour, np.float32) - part) * np.float32(strength)


def print_box(image: Picture, box: tuple[int, int, int, int], thick: int, colour: Colour, strength: float) -> None:
    """Print the frame (x, y, width, height) of a form's box into `image`."""
    x, y, width, height = box
    frame = np.zeros((height + 2 * thick, width + 2 * thick), np.uint8)
    cv2.rectangle(frame, (thick, thick), (thick + width - 1, thick + height - 1), round(255 * strength), thick)
    lay(image, frame, (x - thick, y - thick), colour)


def show_through(image: Picture, strength: float, scribble: NDArray[np.uint8]) -> None:
    """Let the writing on the back, an ink of the image's shape, shine through the paper, mirrored and blurred."""
    back = cv2.GaussianBlur(scribble[:, ::-1], (0, 0), max(1.0, image.shape[0] / 500))
    lay(image, np.asarray(back * np.float32(strength), np.uint8), (0, 0), (90, 90, 100))


def stain(image: Picture, rng: np.random.Generator) -> None:
    """Put a ring of coffee or a pale blot somewhere into `image`."""
    rows, columns = image.shape[:2]
    radius = int(min(rows, columns) * rng.uniform(0.02, 0.14)) + 2
    side = 2 * radius + 9
    ink = np.zeros((side, side), np.uint8)
    thick = -1 if rng.random() < 0.5 else max(1, radius // 8)
    axes = (radius, int(radius * rng.uniform(0.75, 1)))
    cv2.ellipse(ink, (side // 2, side // 2), axes, float(rng.uniform(0, 180)), 0, 360, int(rng.integers(30, 90)), thick, cv2.LINE_AA)
    rough = 1 + 0.25 * swell((side, side), rng)
    blot = cv2.GaussianBlur(np.asarray(np.clip(ink * rough, 0, 255), np.uint8), (0, 0), max(0.6, radius / 25))
    lay(image, np.asarray(blot, np.uint8), (int(rng.integers(columns)) - radius, int(rng.integers(rows)) - radius), (120, 84, 44))


def fold(image: Picture, rng: np.random.Generator) -> None:
    """Crease the paper: one side a little darker, a thin light or dark line between."""
    rows, columns = image.shape[:2]
    is_across = rng.random() < 0.5
    length = rows if is_across else columns
    at = int(length * rng.uniform(0.15, 0.85))
    width = max(3, int(length * rng.uniform(0.02, 0.1)))
    profile = np.zeros(length, np.float32)
    reach = min(width, length - at)
    profile[at : at + reach] = -np.float32(rng.uniform(4, 14)) * np.linspace(1, 0, reach, dtype=np.float32)
    profile[at : at + max(1, length // 900)] += np.float32(rng.uniform(-25, 18))
    shade = profile[:, None, None] if is_across else profile[None, :, None]
    image[:] = np.clip(image + shade, 0, 255)


def make_desk(shape: tuple[int, int], rng: np.random.Generator) -> Picture:
    """Return a dark or brown table top: uint8 RGB of shape (rows, columns, 3)."""
    dark = np.array(
        [(26, 26, 28), (58, 40, 28), (90, 66, 44), (70, 72, 78), (110, 104, 98), (30, 44, 60)][int(rng.integers(6))], np.float32
    )
    desk = np.empty((*shape, 3), np.float32)
    desk[:] = dark
    if rng.random() < 0.6:  # wood: waves drawn out along one side
        veins = cv2.resize(rng.standard_normal((shape[0] // 6 + 2, 6), np.float32), shape[::-1], interpolation=cv2.INTER_CUBIC)
        desk += 7 * veins[:, :, None]
    desk += 2.5 * noise(shape, rng, 1.6)[:, :, None]
    return np.asarray(np.clip(desk, 0, 255), np.uint8)


def make_scene(shape: tuple[int, int], rng: np.random.Generator) -> Picture:
    """Return something like a photo of a room or a garden: overlapping coloured shapes with texture, no writing."""
    rows, columns = shape
    scene = np.empty((rows, columns, 3), np.uint8)
    scene[:] = rng.integers(40, 220, 3)
    for _ in range(int(rng.integers(8, 26))):
        colour = tuple(int(c) for c in rng.integers(0, 256, 3))
        centre = (int(rng.integers(columns)), int(rng.integers(rows)))
        if rng.random() < 0.5:
            axes = (int(columns * rng.uniform(0.02, 0.3)) + 1, int(rows * rng.uniform(0.02, 0.3)) + 1)
            cv2.ellipse(scene, centre, axes, float(rng.uniform(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)
        else:
            corners = np.array(centre) + (rng.uniform(-0.25, 0.25, (4, 2)) * (columns, rows))
            cv2.fillConvexPoly(scene, cv2.convexHull(corners.round().astype(np.int32)), colour, cv2.LINE_AA)
    soft = cv2.GaussianBlur(scene, (0, 0), max(0.8, rows / float(rng.uniform(80, 600))))
    textured = soft + (10 * noise(shape, rng, 1.6) + 14 * noise(shape, rng, 5))[:, :, None]
    return np.asarray(np.clip(textured, 0, 255), np.uint8)
