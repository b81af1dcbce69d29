"""A flat sheet comes in, a photo of it comes out: seen at an angle, lit by a lamp, blurred, noisy, compressed."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .dirt import Dirt
from .noise import grain, noise, swell

Picture = NDArray[np.uint8]  # of shape (height, width, 3), RGB


@dataclass(frozen=True)
class View:
    """How the sheet appears in the picture: points of the one become points of the other.

    Attributes:
        matrix: homography (3, 3) from the sheet to the picture, after the bulge.
        bulge: height of the paper's wave, in pixels of the sheet.
        period: length of that wave, in pixels of the sheet.
        phase: where it begins, in radians.
    """

    matrix: NDArray[np.float64]
    bulge: float = 0.0
    period: float = 1.0
    phase: float = 0.0

    def _rise(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(self.bulge * np.sin(2 * np.pi * x / self.period + self.phase))

    def forward(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where points (n, 2) of the sheet stand in the picture."""
        x, y = points[:, 0], points[:, 1] + self._rise(points[:, 0])
        mapped = np.stack([x, y, np.ones_like(x)], axis=1) @ self.matrix.T
        return np.asarray(mapped[:, :2] / mapped[:, 2:])

    def backward(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where points (n, 2) of the picture stand on the sheet."""
        mapped = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ np.linalg.inv(self.matrix).T
        x, y = (mapped[:, :2] / mapped[:, 2:]).T
        return np.stack([x, y - self._rise(x)], axis=1)

    def shifted(self, dx: float, dy: float) -> View:
        """Return the view of a sheet whose origin stands at (dx, dy) of the old one."""
        moved = self.matrix @ np.array([[1, 0, dx], [0, 1, dy], [0, 0, 1.0]])
        return View(moved, self.bulge, self.period, self.phase + 2 * np.pi * dx / self.period)

    def shoot(self, sheet: Picture, background: Picture) -> Picture:
        """Return the sheet as it appears before `background`, whose size the picture takes."""
        height, width = background.shape[:2]
        if not self.bulge:
            flags = cv2.INTER_LINEAR
            return np.asarray(
                cv2.warpPerspective(sheet, self.matrix, (width, height), background.copy(), flags, cv2.BORDER_TRANSPARENT), np.uint8
            )
        x, y = self._maps(width, height)
        return np.asarray(cv2.remap(sheet, x, y, cv2.INTER_LINEAR, background.copy(), cv2.BORDER_TRANSPARENT), np.uint8)

    def _maps(self, width: int, height: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return where on the sheet each pixel of the picture comes from, two arrays of shape (height, width)."""
        inverse = np.linalg.inv(self.matrix).astype(np.float32)
        columns, rows = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
        depth = 1 / (inverse[2, 0] * columns + inverse[2, 1] * rows + inverse[2, 2])
        x = (inverse[0, 0] * columns + inverse[0, 1] * rows + inverse[0, 2]) * depth
        y = (inverse[1, 0] * columns + inverse[1, 1] * rows + inverse[1, 2]) * depth
        return x, y - np.float32(self.bulge) * np.sin(x * np.float32(2 * np.pi / self.period) + np.float32(self.phase))


def choose_view(
    sheet: tuple[int, int], picture: tuple[int, int], keep: tuple[float, float, float, float], dirt: Dirt, rng: np.random.Generator
) -> View:
    """Return a view of a sheet in which a region of it stays visible.

    Args:
        sheet: its (width, height).
        picture: (width, height) of the picture.
        keep: left, top, right, bottom on the sheet: what must be seen.
        dirt: tilt, perspective, bend, and whether the whole sheet is seen.
        rng: where the chance comes from.
    """
    width, height = sheet
    turn = np.radians(dirt.tilt)
    centred = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1.0]])
    rotated = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1.0]])
    away = rng.uniform(0, 2 * np.pi)
    slope = dirt.perspective / max(width, height)
    tipped = np.array([[1, 0, 0], [0, 1, 0], [slope * np.cos(away), slope * np.sin(away), 1.0]])
    bulge, period = dirt.bend * height, float(width * rng.uniform(0.9, 2.5))
    view = View(tipped @ rotated @ centred, bulge, period)
    left, top, right, bottom = keep
    outline = np.array([[x, y] for x in np.linspace(left, right, 7) for y in (top, bottom)])
    seen = view.forward(outline)
    low, high = seen.min(axis=0), seen.max(axis=0)
    room = np.array(picture) * (rng.uniform(0.8, 0.94) if dirt.has_desk else 1.0)
    scale = min(1.0 if not dirt.has_desk else np.inf, *(room / (high - low)))
    # what is to be seen stands anywhere that it fits
    slack = np.array(picture) - (high - low) * scale
    offset = (slack * rng.uniform(0.3, 0.7, 2) - low * scale).round()  # whole pixels: what is not turned stays sharp
    placed = np.array([[scale, 0, offset[0]], [0, scale, offset[1]], [0, 0, 1.0]])
    return View(placed @ view.matrix, bulge, period)


def light_up(image: Picture, dirt: Dirt, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the picture under its light, float32 of the same shape, 0–255."""
    height, width = image.shape[:2]
    lit = image.astype(np.float32)
    if dirt.cast:
        lit *= _cast(height, width, dirt.cast, rng)
    if dirt.exposure != 1:
        lit *= np.float32(dirt.exposure)
    if not (dirt.falloff or dirt.vignette or dirt.shadow or dirt.glare):
        return lit
    # light changes slowly: it is worked out on a small picture, but for the edge of a sharp shadow
    longest = max(height, width)
    small = min(16, longest // 48 + 1)
    if dirt.shadow:
        small = int(np.clip(dirt.shadow_edge * longest / 4, 1, small))
    rows, columns = -(-height // small), -(-width // small)
    field = _light(rows, columns, dirt, rng)
    if small > 1:
        field = np.asarray(cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    lit *= field[:, :, None]
    if dirt.glare:
        lit += _glare(height, width, dirt.glare, rng)[:, :, None]
    return lit


def _light(rows: int, columns: int, dirt: Dirt, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return how much light falls on each point, about 0.1 to 1, of shape (rows, columns)."""
    x = np.linspace(-1, 1, columns, dtype=np.float32)
    y = np.linspace(-1, 1, rows, dtype=np.float32)[:, None]
    angle = rng.uniform(0, 2 * np.pi)
    side = (np.cos(angle) * x + np.sin(angle) * y) / np.sqrt(2)
    field = 1 - np.float32(dirt.falloff) * (0.5 + 0.5 * side) - np.float32(0.5 * dirt.vignette) * (x * x + y * y)
    if dirt.falloff:
        field += np.float32(0.02 + 0.06 * dirt.falloff) * swell((rows, columns), rng)
    if dirt.shadow:
        field *= 1 - np.float32(dirt.shadow) * _shadow(rows, columns, dirt.shadow_edge, rng)
    return np.asarray(np.clip(field, 0.06, 1.2), np.float32)


def _cast(height: int, width: int, amount: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return how strong each colour is, about 1: of shape (1, 1, 3), or where it changes over the picture (height, width, 3)."""
    gains = 1 + 0.12 * amount * rng.standard_normal(3).astype(np.float32)
    if amount < 0.4:
        return gains[None, None]
    corners = gains + np.float32(0.07 * amount) * rng.standard_normal((2, 2, 3), np.float32)
    return np.asarray(cv2.resize(corners, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _shadow(rows: int, columns: int, edge: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return 1 in the shadow of a hand, a head or a window frame, 0 outside."""
    mask = np.zeros((rows, columns), np.float32)
    size = np.array([columns, rows])
    if rng.random() < 0.5:  # half a plane: an edge across the picture
        middle, angle = size * rng.uniform(0.15, 0.85, 2), rng.uniform(0, 2 * np.pi)
        along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        far = 3.0 * size.max()
        corners = np.array([middle - far * along, middle + far * along, middle + far * (along + across), middle + far * (across - along)])
    else:  # something with a rounded outline
        n = 9
        radius = rng.uniform(0.15, 0.5) * size.max() * rng.uniform(0.7, 1.3, n)
        angles = np.linspace(0, 2 * np.pi, n, endpoint=False)
        corners = size * rng.uniform(0, 1, 2) + np.stack([radius * np.cos(angles), radius * np.sin(angles) * 0.7], axis=1)
    cv2.fillPoly(mask, [corners.round().astype(np.int32)], 1.0, cv2.LINE_AA)
    sigma = edge * max(rows, columns) / 2
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), sigma), np.float32) if sigma > 0.4 else mask


def _glare(height: int, width: int, strength: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the reflection of a lamp, 0 to about 200 grey levels."""
    x = (np.arange(width, dtype=np.float32) / width - np.float32(rng.uniform(0, 1))) / np.float32(rng.uniform(0.08, 0.3))
    y = (np.arange(height, dtype=np.float32)[:, None] / height - np.float32(rng.uniform(0, 1))) / np.float32(rng.uniform(0.08, 0.3))
    return np.asarray(200 * strength * np.exp(-(x * x + y * y)), np.float32)


def expose(lit: NDArray[np.float32], dirt: Dirt, rng: np.random.Generator) -> Picture:
    """Return what the camera makes of the light: blur, contrast, noise, JPEG."""
    image = _blur(lit, dirt, rng)
    if dirt.contrast < 1:
        image = image * np.float32(dirt.contrast) + np.float32(rng.uniform(60, 200) * (1 - dirt.contrast))
    if dirt.noise:
        image = image + _sensor_noise(image.shape[:2], dirt.noise, rng)
    exposed = np.asarray(np.clip(image + 0.5, 0, 255), np.uint8)
    if dirt.is_inverted:
        exposed = 255 - exposed
    return compress(exposed, dirt.jpeg)


def _blur(image: NDArray[np.float32], dirt: Dirt, rng: np.random.Generator) -> NDArray[np.float32]:
    if dirt.defocus > 0.2:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), dirt.defocus), np.float32)
    if dirt.motion >= 1.5:
        image = np.asarray(cv2.filter2D(image, -1, _motion_kernel(dirt.motion, rng.uniform(0, np.pi))), np.float32)
    if dirt.downscale > 1.05:
        height, width = image.shape[:2]
        small = cv2.resize(
            image, (max(1, round(width / dirt.downscale)), max(1, round(height / dirt.downscale))), interpolation=cv2.INTER_AREA
        )
        image = np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    return image


def _motion_kernel(length: float, angle: float) -> NDArray[np.float32]:
    side = 2 * int(np.ceil(length / 2)) + 3
    kernel = np.zeros((side, side), np.float32)
    step = np.array([np.cos(angle), np.sin(angle)]) * length / 2
    ends = [((side // 2 + sign * step) * 16).round().astype(int).tolist() for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0, 1, cv2.LINE_AA, 4)
    return np.asarray(kernel / kernel.sum(), np.float32)


def _sensor_noise(shape: tuple[int, int], strength: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return noise of each pixel and, as phones smear it, of specks; partly in colour, of shape (rows, columns, 3)."""
    fine, coarse = (0.8, 0.6) if rng.random() < 0.5 else (0.35, 0.95)
    grey = np.float32(strength * fine) * grain(shape, rng) + np.float32(strength * coarse) * noise(shape, rng, 0.7)
    colour = np.float32(0.5 * strength)
    return np.asarray(cv2.merge([grey + colour * noise(shape, rng, 1.6) for _ in range(3)]), np.float32)


def compress(image: Picture, quality: int) -> Picture:
    """Return the picture after a JPEG of `quality`; 0 leaves it as it is."""
    if not quality:
        return image
    _, data = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[:, :, ::-1])
