"""Glyphs come in; the same glyphs come out as noise, blur, bad paper or a careless hand would have spoilt them. Seeded, in five strengths.

The fifteen corruptions of MNIST-C, written anew from their definitions. Four of them have but one strength there (stripe, dotted line,
zigzag, Canny edges), the others are around it here. `PUBLISHED` tells at which strength each stands in that data set.

Source: Mu and Gilmer 2019, "MNIST-C: A Robustness Benchmark for Computer Vision"; noise, blur, fog and spatter after Hendrycks and
Dietterich 2019, "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from .errors import UsageError

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]  # of shape (n, 28, 28), ink 1, paper 0

SIZE = 28
MIDDLE = (SIZE - 1) / 2
STRENGTHS = (1, 2, 3, 4, 5)
AT_ONCE = 200  # pictures: a fog is cut from a map of 256 × 256
FOG_MAP = 256
PEN = 2.3  # pixels from a drawn line at which it ends


def shot_noise(x: Floats, photons: float, rng: Generator) -> Floats:
    """Count so many photons where the ink is brightest."""
    return (rng.poisson(x * photons) / photons).astype(np.float32)


def impulse_noise(x: Floats, share: float, rng: Generator) -> Floats:
    """Make a share of the pixels black or white."""
    drawn = rng.random(x.shape)
    return np.where(drawn < share / 2, 0, np.where(drawn > 1 - share / 2, 1, x)).astype(np.float32)


def glass_blur(x: Floats, glass: tuple[float, int, int], rng: Generator) -> Floats:
    """Blur, swap half of the pixels with one at most so far away, several times, and blur again."""
    sigma, reach, times = glass
    found, every = _blurred(x, sigma), np.arange(len(x))
    for _ in range(times):
        for row in range(SIZE - reach, reach, -1):
            for column in range(SIZE - reach, reach, -1):
                there = [place + rng.integers(-reach, reach, len(x)) * rng.integers(0, 2, len(x)) for place in (row, column)]
                other = (every, there[0].clip(0, SIZE - 1), there[1].clip(0, SIZE - 1))
                one = (every, min(row, SIZE - 1), min(column, SIZE - 1))
                found[one], found[other] = found[other], found[one]
    return _blurred(found, sigma)


def motion_blur(x: Floats, motion: tuple[int, float], rng: Generator) -> Floats:
    """Smear in a direction within 45 degrees of the writing line, ever fainter."""
    radius, sigma = motion
    steps = np.arange(2 * radius + 1)
    weight = np.exp(-(steps**2) / (2 * sigma**2))
    reach = int(steps[weight > 1e-3].max())
    found = np.empty_like(x)
    for i, angle in enumerate(rng.uniform(-np.pi / 4, np.pi / 4, len(x))):
        kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
        for step in range(reach + 1):
            kernel[reach + round(step * np.sin(angle)), reach + round(step * np.cos(angle))] += weight[step]
        found[i] = cv2.filter2D(x[i], -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
    return found


def shear(x: Floats, angle: float, rng: Generator) -> Floats:
    """Slant to the left or to the right."""
    return _moved(x, [((1, -np.sin(a)), (0, np.cos(a))) for a in angle * _signs(rng, len(x))])


def scale(x: Floats, size: float, rng: Generator) -> Floats:
    """Make smaller."""
    return _moved(x, [((1 / size, 0), (0, 1 / size))] * len(x))


def rotate(x: Floats, angle: float, rng: Generator) -> Floats:
    """Turn to the left or to the right, in radians."""
    return _moved(x, [((np.cos(a), -np.sin(a)), (np.sin(a), np.cos(a))) for a in angle * _signs(rng, len(x))])


def brightness(x: Floats, more: float, rng: Generator) -> Floats:
    """Make all brighter, the paper too."""
    return x + np.float32(more)


def translate(x: Floats, pixels: float, rng: Generator) -> Floats:
    """Shift along both axes."""
    return _moved(x, [((1, 0), (0, 1))] * len(x), pixels * _signs(rng, (len(x), 2)))


def stripe(x: Floats, width: int, rng: Generator) -> Floats:
    """Invert a stripe at the left edge and one at the right."""
    found = x.copy()
    for part in (slice(None, width), slice(SIZE - width, None)):
        found[:, :, part] = 1 - found[:, :, part]
    return found


def fog(x: Floats, thick: tuple[float, float], rng: Generator) -> Floats:
    """Lay a cloud over it: so thick, its detail fading so fast."""
    depth, fading = thick
    clouds = np.concatenate([_clouds(len(part), fading, rng) for part in np.split(x, range(AT_ONCE, len(x), AT_ONCE))])
    brightest = x.max(axis=(1, 2), keepdims=True)
    return np.asarray((x + depth * clouds) * brightest / (brightest + depth), np.float32)


def spatter(x: Floats, drops: tuple[float, float, float, float, float], rng: Generator) -> Floats:
    """Hide parts under drops of grey mud."""
    mean, spread, size, level, edge = drops
    liquid = _blurred(rng.normal(mean, spread, x.shape).astype(np.float32), size)
    mud = _blurred((liquid > level).astype(np.float32), edge)
    mud[mud < 0.8] = 0
    return x * (1 - mud) + np.float32(63 / 255) * mud


def dotted_line(x: Floats, pen: float, rng: Generator) -> Floats:
    """Draw a dashed straight line from edge to edge."""
    start, end = rng.integers(0, SIZE - 1, (2, len(x), 1, 1))
    rows, columns = np.mgrid[:SIZE, :SIZE]
    drawn = _inked(np.abs(rows - (start + (end - start) * columns / (SIZE - 1))), pen)
    return x + drawn * (columns // 2 % 2 == 1)


def zigzag(x: Floats, pen: float, rng: Generator) -> Floats:
    """Draw a zigzag line, two pixels to either side of a straight one."""
    left, right, half = 2, SIZE - 3, 2.0
    start, rise = rng.integers(0, SIZE - 1, (len(x), 1, 1)), rng.integers(-5, 5, (len(x), 1, 1))
    angle = np.arctan(rise / (right - left))
    rows, columns = np.mgrid[:SIZE, :SIZE]
    along = (columns - left) * np.cos(angle) + (rows - start) * np.sin(angle)
    across = (rows - start) * np.cos(angle) - (columns - left) * np.sin(angle)
    wave = half * (np.abs((along / half - 1) % 4 - 2) - 1)  # 0, up to 2, down to −2, … with a turn every 4 pixels
    inside = (along >= 0) & (along <= (right - left) / np.cos(angle))
    return x + _inked(np.abs(across - wave), pen) * inside


def canny_edges(x: Floats, sigma: float, rng: Generator) -> Floats:
    """Keep nothing but the edges."""
    return np.stack([_edges(smooth) for smooth in _blurred(x * np.float32(255), sigma)])


def _edges(smooth: Floats) -> Floats:
    slopes = [np.rint(cv2.Sobel(smooth, cv2.CV_32F, *axis)).astype(np.int16) for axis in ((1, 0), (0, 1))]
    return np.asarray(cv2.Canny(slopes[0], slopes[1], 25.5, 51, L2gradient=True), np.float32) / np.float32(255)


# what each is given at strengths 1 to 5
CORRUPTIONS: dict[str, tuple[Callable[[Floats, Any, Generator], Floats], tuple[Any, ...]]] = {
    "shot_noise": (shot_noise, (60, 25, 12, 5, 3)),
    "impulse_noise": (impulse_noise, (0.03, 0.06, 0.09, 0.17, 0.27)),
    "glass_blur": (glass_blur, ((0.7, 1, 2), (0.9, 2, 1), (1.0, 2, 3), (1.1, 3, 2), (1.5, 4, 2))),
    "motion_blur": (motion_blur, ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15))),
    "shear": (shear, (0.2, 0.4, 0.6, 0.8, 1.0)),
    "scale": (scale, (0.9, 0.8, 0.7, 0.6, 0.5)),
    "rotate": (rotate, (0.2, 0.4, 0.6, 0.8, 1.0)),
    "brightness": (brightness, (0.1, 0.2, 0.3, 0.4, 0.5)),
    "translate": (translate, (1, 2, 3, 4, 5)),
    "stripe": (stripe, (3, 4, 5, 6, 7)),
    "fog": (fog, ((1.5, 2.0), (2.0, 2.0), (2.5, 1.7), (2.5, 1.5), (3.0, 1.4))),
    "spatter": (
        spatter,
        (
            (0.65, 0.3, 4, 0.69, 0.6),
            (0.65, 0.3, 3, 0.68, 0.6),
            (0.65, 0.3, 2, 0.68, 0.5),
            (0.65, 0.3, 1, 0.65, 1.5),
            (0.67, 0.4, 1, 0.65, 1.5),
        ),
    ),
    "dotted_line": (dotted_line, (1.3, 1.8, PEN, 2.8, 3.3)),
    "zigzag": (zigzag, (1.3, 1.8, PEN, 2.8, 3.3)),
    "canny_edges": (canny_edges, (0.6, 0.8, 1.0, 1.3, 1.6)),
}
PUBLISHED = dict.fromkeys(CORRUPTIONS, 3) | {"shot_noise": 5, "impulse_noise": 4, "glass_blur": 1, "motion_blur": 1, "shear": 2}
PUBLISHED |= {"rotate": 2, "brightness": 5, "stripe": 5, "fog": 5, "spatter": 4}


def corrupt(glyphs: Bytes, name: str, strength: int | None = None, seed: int = 0) -> Bytes:
    """Return spoilt copies of glyphs; the same seed gives the same copies.

    Args:
        glyphs: uint8 of shape (n, 28, 28), ink bright.
        name: one of `CORRUPTIONS`.
        strength: 1 to 5; None takes that of the published data set.
        seed: of all that is drawn by lot.

    Raises:
        UsageError: there is no such corruption or strength.
    """
    if name not in CORRUPTIONS:
        raise UsageError(f"expected a corruption of {', '.join(CORRUPTIONS)}, got {name!r}")
    strength = PUBLISHED[name] if strength is None else strength
    if strength not in STRENGTHS:
        raise UsageError(f"expected a strength of 1 to 5, got {strength}")
    spoil, given = CORRUPTIONS[name]
    rng = np.random.default_rng([seed, list(CORRUPTIONS).index(name), strength])
    spoilt = spoil(glyphs.astype(np.float32) / np.float32(255), given[strength - 1], rng)
    return (np.clip(spoilt, 0, 1) * 255).astype(np.uint8)


def _signs(rng: Generator, shape: int | tuple[int, ...]) -> NDArray[np.float64]:
    return rng.choice([-1.0, 1.0], shape)


def _blurred(x: Floats, sigma: float) -> Floats:
    side = 2 * round(4 * sigma) + 1
    return np.stack([cv2.GaussianBlur(one, (side, side), sigma, borderType=cv2.BORDER_REPLICATE) for one in x])


def _moved(x: Floats, matrices: list[Any], shift: NDArray[np.float64] | None = None) -> Floats:
    """Return each picture with the pixel at the middle + v taken from the middle + matrix · v + shift."""
    found = np.empty_like(x)
    for i, matrix in enumerate(matrices):
        m = np.array(matrix, np.float64)
        rest = MIDDLE - m.sum(axis=1) * MIDDLE + (0 if shift is None else shift[i])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        found[i] = cv2.warpAffine(x[i], np.column_stack([m, rest]), (SIZE, SIZE), flags=flags)
    return found


def _inked(distance: NDArray[Any], pen: float) -> Floats:
    """Return how much ink a pen leaves at a distance from the middle of its line, in pixels: 1 to 0, falling faster and faster."""
    left = np.maximum(1 - distance / pen, np.exp(-1))
    return (np.log(left) + 1).astype(np.float32)


def _clouds(n: int, fading: float, rng: Generator) -> Floats:
    """Return pieces of clouds, 0–1, of shape (n, 28, 28): midpoints between known points, moved by less the closer these are.

    Source: the diamond-square algorithm of Fournier, Fussell, Carpenter 1982, "Computer Rendering of Stochastic Models".
    """
    height = np.zeros((n, FOG_MAP, FOG_MAP), np.float32)  # a torus: the right edge goes on at the left one
    step, size = FOG_MAP, 1.0

    def moved(four: Any) -> Any:
        return four / 4 + size * rng.uniform(-1, 1, four.shape).astype(np.float32)

    while step > 1:
        half = step // 2
        corners = height[:, ::step, ::step]
        below, right = np.roll(corners, -1, 1), np.roll(corners, -1, 2)
        middles = moved(corners + below + right + np.roll(below, -1, 2))
        height[:, half::step, half::step] = middles
        height[:, ::step, half::step] = moved(corners + right + middles + np.roll(middles, 1, 1))
        height[:, half::step, ::step] = moved(corners + below + middles + np.roll(middles, 1, 2))
        step, size = half, size / fading**2
    low, high = height.min(axis=(1, 2), keepdims=True), height.max(axis=(1, 2), keepdims=True)
    return np.asarray(((height - low) / (high - low))[:, :SIZE, :SIZE], np.float32)
