"""A picture comes in; ink comes out: paper, shadows, polarity and noise taken away, soft edges kept.

There is no one threshold. The paper is estimated everywhere by a closing, which keeps the hard edge of a shadow and removes strokes; what
is left is measured as reflectance, so that a shadow halves paper and ink alike; and every piece of ink is judged against its own darkest
part, so that a pale pencil beside a marker keeps its edges.
"""

from __future__ import annotations

from functools import reduce
from typing import NamedTuple, overload

import cv2
import numpy as np
from numpy.typing import NDArray

from .boxes import grain, remove_boxes
from .components import Components, label
from .dots import find_dots
from .fields import remove_fields
from .ghosts import find_ghosts
from .highlights import find_highlights
from .hues import without_other_ink
from .looks import PAGE_SIDE, WORK_SIDE, Look, may_be_page, small_of, spread, usual_look
from .paper import contrast_of, find_paper
from .rings import find_brackets, find_rings, without_rings
from .ruling import remove_ruling
from .sheet import grey_of
from .signs import find_signs

Float = NDArray[np.float32]

FEWEST_RULES = 4  # alike, on a smaller page: one might be a stroke
TILE = 48  # side, in pixels of the shrunk picture, of the tiles whose noise is measured apart: a desk is rougher than the sheet on it
NOISE_LOW, NOISE_HIGH = 3.0, 6.0  # in deviations of the paper's noise: what may belong to ink, what must be ink
HIGH_AT_LARGE, LARGE = 5.2, 60  # a piece of so many pixels is surely ink sooner: no grain hangs together so far
BLOCK, ECHO = 8, 5.0  # a piece that is so many times fainter than ink so near, in pixels, is what JPEG made of that
FAINTEST = 0.04  # reflectance: fainter than this is paper, however quiet the picture
PALE, PALEST = 0.12, 0.012  # where a page's ink is fainter than the first, what is paper is fainter, too, in proportion, down to the second
GRAINY, SMOOTH = 0.007, 1.2  # grain from which on a page is smoothed, and by how many pixels
NEARBY = 0.02  # of the shorter side: how wide the surroundings of a stroke are
EDGE_LOW, EDGE_HIGH = 0.22, 0.78  # share of a stroke's contrast: below it is paper, above it is full ink


class Flat(NamedTuple):
    """A picture without its light.

    Attributes:
        contrast: float32 of shape (height, width): 0 paper, 1 ink that reflects nothing; negative where brighter than paper.
        noise: deviation of `contrast` on blank paper thereabouts, float32 of shape (height, width), or (1, 1) where it is one for all.
        dark_on_light: polarity that was found.
    """

    contrast: Float
    noise: Float
    dark_on_light: bool


def find_ink(image: NDArray[np.uint8], *, ruled: bool = False, look: Look | None = None) -> NDArray[np.uint8]:
    """Return the ink of a picture.

    Args:
        image: uint8 of shape (height, width) or (height, width, 3), upright.
        ruled: the picture is a page whose paper may be ruled: long thin lines along its edges are no ink.
        look: how it is looked at, as `looks` tells; None for the usual way.

    Returns:
        uint8 of shape (height, width), 0 where there is paper, up to 255 where there is ink; soft at the edges.
    """
    look = look or usual_look(image)
    pieces = Components.of(_written(flatten(image, look), ruled))
    if ruled and look.dark and image.ndim == 3:
        ink = without_other_ink(image, pieces)
        pieces = pieces if ink is pieces.ink else Components.of(ink)
    rings = find_rings(pieces)
    bare = pieces.without(rings | find_brackets(pieces) | find_dots(pieces) | find_signs(pieces) if ruled else rings)
    return without_rings(pieces, rings, bare) if rings.any() else bare


def _written(flat: Flat, ruled: bool) -> NDArray[np.uint8]:
    """Return the ink of a flattened picture: all but its ruling and boxes."""
    if not ruled:  # one digit: what runs along the edges may be its strokes, and is sought in its ink
        return soften(flat._replace(contrast=remove_ruling(flat.contrast, FEWEST_RULES, leaning=True)))
    if not may_be_page(flat.contrast.shape):
        return soften(flat._replace(contrast=remove_ruling(flat.contrast, FEWEST_RULES)))
    boxless = remove_boxes(flat.contrast, flat.noise)
    bare = remove_ruling(boxless)  # paper and tables first: what is left of lines belongs to fields
    flat = _calmed(flat._replace(contrast=remove_fields(bare, flat.noise, boxless)))
    return soften(flat, _faintest(flat))


def _calmed(flat: Flat) -> Flat:
    """Return a grainy page with its grain smoothed: strokes, even thin ones, lose less by it than grain does."""
    if grain(flat.noise) < GRAINY:
        return flat
    smooth = cv2.GaussianBlur(flat.contrast, (0, 0), SMOOTH)
    smooth[flat.contrast == 0] = 0  # beside the sheet
    return flat._replace(contrast=smooth, noise=_noise(smooth, smooth != 0))


def flatten(image: NDArray[np.uint8], look: Look | None = None) -> Flat:
    """Return the picture's contrast against its paper, dark on light and light on dark alike. See `find_ink`."""
    look = look or usual_look(image)
    grey = grey_of(image)
    if image.ndim == 3:  # coloured ink is darkest in one of its channels (on a blackboard, brightest)
        extreme = reduce(np.minimum if look.dark else np.maximum, np.moveaxis(image, 2, 0))  # plane by plane: min(2) takes 20 times as long
        grey = cv2.addWeighted(grey, 0.5, extreme, 0.5, 0)
        if look.dark and (marked := find_highlights(image)) is not None:
            grey[marked] = image[marked].max(1)
    small = small_of(grey)
    sheet = _resized(look.sheet, small.shape)
    small = spread(small, sheet)
    if not look.dark:
        grey, small = 255 - grey, 255 - small
    contrast = contrast_of(grey, find_paper(grey, small, image))
    if sheet is not None:  # what lies beside the sheet is no ink
        contrast[~_resized(sheet, contrast.shape)] = 0
    return Flat(contrast, _noise(contrast, sheet), look.dark)


@overload
def _resized(sheet: None, shape: tuple[int, ...]) -> None: ...
@overload
def _resized(sheet: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]: ...
def _resized(sheet: NDArray[np.bool_] | None, shape: tuple[int, ...]) -> NDArray[np.bool_] | None:
    """Return the mask of a sheet as it lies in a picture of another size."""
    if sheet is None or sheet.shape == shape:
        return sheet
    return np.asarray(cv2.resize(sheet.astype(np.uint8), shape[::-1], interpolation=cv2.INTER_NEAREST) > 0)


def _noise(contrast: Float, sheet: NDArray[np.bool_] | None) -> Float:
    """Return the deviation of the paper's grain, of shape (height, width) for a page: most of every tile is paper."""
    height, width = contrast.shape
    step = max(1, round(max(height, width) / WORK_SIDE))
    sample = contrast[::step, ::step]  # picked, not averaged: averaging would hide the grain
    if not may_be_page(contrast.shape):
        return np.full((1, 1), _deviation(sample), np.float32)
    rows, columns = max(1, sample.shape[0] // TILE), max(1, sample.shape[1] // TILE)
    tiles = np.array([[_deviation(_on(sheet, tile)) for tile in band] for band in _tiled(sample, rows, columns)], np.float32)
    if sheet is not None:  # a tile beside the sheet has no grain of its own
        inside = cv2.resize(sheet.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA) > 0.2
        tiles = np.where(inside, tiles, np.median(tiles[inside]) if inside.any() else tiles.max())
    # a tile full of ink looks rough: its neighbours know better
    return cv2.resize(cv2.medianBlur(tiles, 3), (width, height), interpolation=cv2.INTER_LINEAR)


def _tiled(sample: Float, rows: int, columns: int) -> list[list[Float]]:
    return [np.array_split(band, columns, 1) for band in np.array_split(sample, rows, 0)]


def _on(sheet: NDArray[np.bool_] | None, tile: Float) -> Float:
    """Return the contrasts of a tile that lie on the sheet: beside it they are exactly 0."""
    if sheet is None:
        return tile
    seen = tile[tile != 0]
    return seen if seen.size >= 16 else tile


def _deviation(contrasts: Float) -> float:
    # ink is on the other side, and may fill more than half of a tile; as np.percentile has it, which takes twice as long for a tile
    at = np.array([0.1, 0.3]) * (contrasts.size - 1)
    below = at.astype(int)
    above = np.minimum(below + 1, contrasts.size - 1)
    ordered = np.partition(contrasts, [*below, *above], axis=None)
    low, high = ordered[below] + (at - below) * (ordered[above] - ordered[below])
    return float(max((high - low) / 0.757, 0.004))  # 0.757: from the 10th to the 30th percentile of a normal distribution


def _faintest(flat: Flat) -> float:
    """Return the contrast below which a page is paper: `FAINTEST`, or less where all of its ink is pale."""
    inked = flat.contrast > np.maximum(NOISE_HIGH * flat.noise, PALEST)
    inked &= cv2.erode(inked.astype(np.uint8), np.ones((2, 2), np.uint8)) > 0
    if not inked.any():
        return FAINTEST
    typical = float(np.percentile(flat.contrast[inked], 75))
    return float(np.clip(typical / PALE, PALEST / FAINTEST, 1)) * FAINTEST


def soften(flat: Flat, faintest: float = FAINTEST) -> NDArray[np.uint8]:
    """Return the ink of a flattened picture: every piece that is surely ink, at full strength, with its soft edges. See `find_ink`."""
    contrast = flat.contrast
    inked = contrast > np.maximum(NOISE_LOW * flat.noise, faintest)
    n, labels, stats, _ = label(inked)
    at = np.flatnonzero(inked)  # little of a page is ink: all that follows is done there alone
    which, values = labels.ravel()[at], contrast.ravel()[at]
    strength, darkest = _strengths(which, values, n)
    middle_x, middle_y = (stats[:, :2] + stats[:, 2:4] // 2).T
    noise = flat.noise[middle_y, middle_x] if flat.noise.size > 1 else flat.noise[0, 0]
    areas = stats[:, cv2.CC_STAT_AREA]
    high = np.where(areas >= LARGE, HIGH_AT_LARGE, NOISE_HIGH)
    sure = (strength >= np.maximum(high * noise, 1.6 * faintest)) & (areas >= 2)
    if may_be_page(contrast.shape) and (ghosts := find_ghosts(contrast, inked, np.where(sure, darkest, 0), areas)) is not None:
        return soften(flat._replace(contrast=np.where(ghosts, np.float32(1e-6), contrast)), faintest)  # strokes were one piece with them
    kept = (sure & ~_is_echo(contrast, at, which, strength, darkest))[which]
    at, values, piece = at[kept], values[kept], strength[which[kept]]
    # a stroke's own contrast: that of its piece, or of its surroundings where the pen ran dry or another pen joins it
    nearby = cv2.dilate(contrast, _surroundings(min(contrast.shape))).ravel()[at]
    own = np.maximum(np.minimum(nearby, piece), 0.5 * piece)
    soft = (values / own - EDGE_LOW) * (255 / (EDGE_HIGH - EDGE_LOW))
    ink = np.zeros(contrast.shape, np.uint8)
    ink.ravel()[at] = np.clip(soft, 0, 255)
    return ink


def _is_echo(contrast: Float, at: NDArray[np.int64], which: NDArray[np.int32], strength: Float, darkest: Float) -> NDArray[np.bool_]:
    """Tell which pieces lie in the shadow of ink many times as strong: what JPEG leaves about a stroke, in the blocks that it crosses."""
    strongest = cv2.dilate(contrast, np.ones((2 * BLOCK + 1, 2 * BLOCK + 1), np.uint8)).ravel()[at]
    count = np.bincount(which, minlength=len(strength))
    mean = np.bincount(which, strongest, minlength=len(strength)) / np.maximum(count, 1)
    return np.asarray((mean > ECHO * strength) & (mean > 0.5 * ECHO * darkest))  # not where that ink is its own


def _surroundings(side: int) -> NDArray[np.uint8]:
    """Return what is near a pixel, as a kernel, for a picture of this shorter side.

    On a page it is a square as large as the disc would be: a tenth of the time, and a stroke's soft edge is the same.
    """
    if side < PAGE_SIDE:
        reach = max(3, round(side * NEARBY)) | 1
        return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)), np.uint8)
    reach = round(side * NEARBY * np.sqrt(np.pi) / 2) | 1
    return np.ones((reach, reach), np.uint8)


def _strengths(which: NDArray[np.int32], values: Float, n: int) -> tuple[Float, Float]:
    """Return each piece's contrast at its darkest tenth, and where it is darkest, float32 of shape (n,), 0 where it has no pixels.

    Args:
        which: piece of each pixel, of shape (m,).
        values: its contrast, above 0, of shape (m,).
        n: pieces, the first of them paper.
    """
    # sorted by piece, then by contrast, as one whole number each: the bits of floats above 0 are in their order
    keys = np.sort((which.astype(np.uint64) << np.uint64(32)) | values.view(np.uint32))
    counts = np.bincount(which, minlength=n)
    there = counts > 0
    last = np.cumsum(counts)[there] - 1
    strength, darkest = np.zeros(n, np.float32), np.zeros(n, np.float32)
    strength[there] = keys[last - counts[there] // 10].astype(np.uint32).view(np.float32)  # the lower half of each key
    darkest[there] = keys[last].astype(np.uint32).view(np.float32)
    return strength, darkest
