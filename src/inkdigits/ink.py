"""A picture comes in; ink comes out: paper, shadows, polarity and noise taken away, soft edges kept.

There is no one threshold. The paper is estimated everywhere by a closing, which keeps the hard edge of a shadow and removes strokes; what
is left is measured as reflectance, so that a shadow halves paper and ink alike; and every piece of ink is judged against its own darkest
part, so that a pale pencil beside a marker keeps its edges.
"""

from __future__ import annotations

from functools import reduce
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from .boxes import grain, remove_boxes
from .components import label
from .dots import remove_dots
from .ruling import remove_ruling
from .sheet import find_sheet

Float = NDArray[np.float32]

WORK_SIDE = 480  # the paper is smooth: it is estimated on a picture of at most this side
STROKE_SHARE = 0.28  # a stroke is narrower than this share of the picture's shorter side, or it is no stroke
PAGE_STROKE = 0.055  # on a page, where digits are small, paper follows the light more closely
PAGE_SIDE = 320  # a picture with a shorter side of more than this, in pixels, may be a page
FEWEST_RULES = 4  # alike, on a smaller page: one might be a stroke
COARSE = 64  # pixels: what is seen through a wider window is seen as well in half the size
TIED = 0.5  # a vote for light on dark that is weaker is none, on a page: dark on light is far commoner
EDGE = 6  # pixels of the shrunk picture: what is nearer to a sheet's edge does not say how the sheet would go on
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


class Look(NamedTuple):
    """How a page is looked at.

    Attributes:
        beside: what lies beside a sheet may be ink, too: it is paper in a shadow.
        dark: ink is dark on light, or it is light on dark; None where the page tells.
    """

    beside: bool = False
    dark: bool | None = None


USUAL = Look()


def find_ink(image: NDArray[np.uint8], *, ruled: bool = False, look: Look = USUAL) -> NDArray[np.uint8]:
    """Return the ink of a picture.

    Args:
        image: uint8 of shape (height, width) or (height, width, 3), upright.
        ruled: the picture is a page whose paper may be ruled: long thin lines along its edges are no ink.
        look: how it is looked at, see `other_looks`.

    Returns:
        uint8 of shape (height, width), 0 where there is paper, up to 255 where there is ink; soft at the edges.
    """
    flat = flatten(image, look)
    if not ruled:  # one digit: what runs along the edges may be its strokes, and is sought in its ink
        return soften(flat._replace(contrast=remove_ruling(flat.contrast, FEWEST_RULES, leaning=True)))
    if min(flat.contrast.shape) < PAGE_SIDE:
        return remove_dots(soften(flat._replace(contrast=remove_ruling(flat.contrast, FEWEST_RULES))))
    flat = _calmed(flat._replace(contrast=remove_ruling(remove_boxes(flat.contrast, flat.noise))))
    return remove_dots(soften(flat, _faintest(flat)))


def _calmed(flat: Flat) -> Flat:
    """Return a grainy page with its grain smoothed: strokes, even thin ones, lose less by it than grain does."""
    if grain(flat.noise) < GRAINY:
        return flat
    smooth = cv2.GaussianBlur(flat.contrast, (0, 0), SMOOTH)
    smooth[flat.contrast == 0] = 0  # beside the sheet
    return flat._replace(contrast=smooth, noise=_noise(smooth, smooth != 0))


def other_looks(image: NDArray[np.uint8]) -> list[Look]:
    """Return how a page is to be looked at beside the usual way, which may be wrong: only reading tells. There are none for most pages.

    What lies beside a sheet may be a desk, or the rest of it in a shadow. Shadows and desks have more of a
    say in what is dark on light than thin strokes, which may see it otherwise.
    """
    small = _shrunk(_grey(image))
    if min(image.shape[:2]) < PAGE_SIDE:
        return []
    sheet = find_sheet(small)
    looks = []
    spread = _spread(small, sheet)
    thin = _thin_vote(spread) >= -TIED
    if thin != _is_dark_on_light(spread, is_page=True):
        looks.append(Look(dark=thin))
    if sheet is not None:
        looks.append(Look(beside=True, dark=_thin_vote(small) >= -TIED))
    return looks


def flatten(image: NDArray[np.uint8], look: Look = USUAL) -> Flat:
    """Return the picture's contrast against its paper, dark on light and light on dark alike. See `find_ink`."""
    grey = _grey(image)
    small = _shrunk(grey)
    is_page = min(grey.shape) >= PAGE_SIDE
    sheet = find_sheet(small) if is_page and not look.beside else None
    dark = _is_dark_on_light(_spread(small, sheet), is_page) if look.dark is None else look.dark
    if image.ndim == 3:  # coloured ink is darkest in one of its channels (on a blackboard, brightest)
        extreme = reduce(np.minimum if dark else np.maximum, np.moveaxis(image, 2, 0))  # plane by plane: min(2) takes 20 times as long
        grey = cv2.addWeighted(grey, 0.5, extreme, 0.5, 0)
        small = _shrunk(grey)
    small = _spread(small, sheet)
    if not dark:
        grey, small = 255 - grey, 255 - small
    paper = _paper(small, _window(small, STROKE_SHARE))
    if is_page:
        paper = _closer_paper(small, paper, _window(small, PAGE_STROKE))
    paper = cv2.resize(paper, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    contrast = _contrast(grey, paper)
    if sheet is not None:  # what lies beside the sheet is no ink
        contrast[cv2.resize(sheet.astype(np.uint8), contrast.shape[::-1], interpolation=cv2.INTER_NEAREST) == 0] = 0
    return Flat(contrast, _noise(contrast, sheet), dark)


def _contrast(grey: NDArray[np.uint8], paper: Float) -> Float:
    """Return how much darker than its paper each pixel is, float32 of their shape: 0 paper, 1 ink that reflects nothing.

    Paper without any grain is a millionth: exactly 0 is said of what lies beside a sheet alone.
    """
    light = paper + np.float32(8)  # 8 grey levels of stray light keep black from dividing by nothing
    np.divide(grey + np.float32(8), light, out=light)
    return np.subtract(np.float32(1.000001), light, out=light)


def _grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def _shrunk(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    scale = WORK_SIDE / max(grey.shape)
    if scale >= 1:
        return grey
    size = tuple(max(1, round(side * scale)) for side in grey.shape[::-1])
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA)


def _halved(small: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = small.shape
    return np.asarray(cv2.resize(small, (width // 2, height // 2), interpolation=cv2.INTER_AREA), np.uint8)


def _spread(small: NDArray[np.uint8], sheet: NDArray[np.bool_] | None) -> NDArray[np.uint8]:
    """Return the picture as if the sheet went on beyond its edges, in light and shadow: what lies beside it has no say in what paper is."""
    if sheet is None:
        return small
    within = cv2.erode(sheet.astype(np.uint8), np.ones((2 * EDGE + 1, 2 * EDGE + 1), np.uint8))
    if not within.any():
        return np.where(sheet, small, np.uint8(np.median(small[sheet])))
    _, nearest = cv2.distanceTransformWithLabels(1 - within, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    values = np.zeros(int(nearest.max()) + 1, np.uint8)
    values[nearest[within > 0]] = cv2.medianBlur(small, 2 * EDGE - 1)[within > 0]  # a stroke that ends at the edge does not go on
    return np.where(sheet, small, values[nearest])


def _window(small: NDArray[np.uint8], share: float) -> int:
    """Return the odd side, in pixels of `small`, of a window that no stroke of at most `share` of the shorter side fills."""
    return max(3, round(min(small.shape) * share)) | 1


def _is_dark_on_light(small: NDArray[np.uint8], is_page: bool) -> bool:
    """Tell whether what is thin is darker than what surrounds it: strokes cover less than half of every window, or of a larger one."""
    shares = (PAGE_STROKE, STROKE_SHARE) if is_page else (STROKE_SHARE,)
    return max((_vote(small, _window(small, share)) for share in shares), key=abs) >= (-TIED if is_page else 0)


def _thin_vote(small: NDArray[np.uint8]) -> float:
    """Return what `_vote` does for what is thin alone, whatever is large and dark or bright about it."""
    window = _window(small, PAGE_STROKE)
    kernel = np.ones((window, window), np.uint8)
    hats = (cv2.morphologyEx(small, kind, kernel, borderType=cv2.BORDER_REPLICATE) for kind in (cv2.MORPH_BLACKHAT, cv2.MORPH_TOPHAT))
    difference = _local(small, window) - small.astype(np.float32)
    floor = max(6.0, 3 * float(np.median(np.abs(difference))))
    # the edge of a shadow has no hat, the paper between two strokes is as bright as most of what is about it
    darker, brighter = (np.minimum(hat, side) for hat, side in zip(hats, (difference, -difference), strict=True))
    return float(np.log((darker[darker > floor].sum() + 1) / (brighter[brighter > floor].sum() + 1)))


def _vote(small: NDArray[np.uint8], window: int) -> float:
    """Return the logarithm of how much more there is that is darker than its surroundings than there is that is brighter."""
    if window > COARSE:
        return _vote(_halved(small), window // 2 | 1)
    difference = small.astype(np.float32) - _local(small, window)
    floor = max(6.0, 3 * float(np.median(np.abs(difference))))
    darker, brighter = -difference[difference < -floor].sum(), difference[difference > floor].sum()
    return float(np.log((darker + 1) / (brighter + 1)))


def _local(small: NDArray[np.uint8], window: int) -> NDArray[np.uint8]:
    """Return what most of a window about each pixel is like."""
    side = min(2 * window + 1, 255)
    half = side // 2
    return cv2.medianBlur(cv2.copyMakeBorder(small, half, half, half, half, cv2.BORDER_REFLECT_101), side)[half:-half, half:-half]


def _paper(small: NDArray[np.uint8], window: int) -> Float:
    """Return the brightness of the paper under everything, float32 of the shape of `small`, for dark ink."""
    if window > COARSE:
        return np.asarray(cv2.resize(_paper(_halved(small), window // 2 | 1), small.shape[::-1]))
    quiet = cv2.medianBlur(small, 3) if min(small.shape) > 24 else small
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (window, window))
    closed = cv2.morphologyEx(quiet, cv2.MORPH_CLOSE, kernel, borderType=cv2.BORDER_REPLICATE)
    # the closing follows the brightest grain: bring it down to the middle of the paper, where paper was seen
    gap = (closed.astype(np.float32) - small).ravel()
    seen = gap[gap < max(12.0, 2.5 * float(np.median(gap)))]
    return cv2.GaussianBlur(closed.astype(np.float32), (0, 0), max(0.6, window / 24)) - float(np.median(seen) if seen.size else 0)


def _closer_paper(small: NDArray[np.uint8], paper: Float, window: int) -> Float:
    """Return the paper through a small window, which follows every shadow; through the large one where a stroke is too wide for it."""
    close = _paper(small, window)
    contrast = _contrast(small, paper)
    dark = (contrast > 0.25).astype(np.uint8)
    n, labels, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    depth = cv2.distanceTransform(dark, cv2.DIST_L2, 3)
    keep = np.zeros(n, bool)
    for i in np.flatnonzero(stats[1:, 2:4].max(1, initial=0) >= window) + 1:
        x, y, w, h = stats[i, :4]
        part = labels[y : y + h, x : x + w] == i
        width = 2 * float(depth[y : y + h, x : x + w][part].max())
        keep[i] = width > 0.6 * window and _is_stroke(contrast[y : y + h, x : x + w][part], width, (x, y, w, h), small.shape)
    if not keep.any():
        return close
    wide = cv2.dilate(keep[labels].astype(np.uint8), np.ones((5, 5), np.uint8))
    return np.where(wide > 0, paper, close).astype(np.float32)


def _is_stroke(contrasts: Float, width: float, box: tuple[int, int, int, int], shape: tuple[int, ...]) -> bool:
    """Tell a thick stroke from a shadow or a dark table: longer than wide, sharply edged, and not from side to side of the picture."""
    x, y, w, h = box
    sides = (x <= 0) + (y <= 0) + (x + w >= shape[1]) + (y + h >= shape[0])
    peak = float(np.percentile(contrasts, 90))
    return max(w, h) > 2.2 * width and sides < 2 and float((contrasts > 0.7 * peak).mean()) > 0.55


def _noise(contrast: Float, sheet: NDArray[np.bool_] | None) -> Float:
    """Return the deviation of the paper's grain, of shape (height, width) for a page: most of every tile is paper."""
    height, width = contrast.shape
    step = max(1, round(max(height, width) / WORK_SIDE))
    sample = contrast[::step, ::step]  # picked, not averaged: averaging would hide the grain
    if min(height, width) < PAGE_SIDE:
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
    low, high = np.percentile(contrasts, [10, 30])  # ink is on the other side, and may fill more than half of a tile
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
    strength = _strengths(which, values, n)
    middle_x, middle_y = (stats[:, :2] + stats[:, 2:4] // 2).T
    noise = flat.noise[middle_y, middle_x] if flat.noise.size > 1 else flat.noise[0, 0]
    areas = stats[:, cv2.CC_STAT_AREA]
    high = np.where(areas >= LARGE, HIGH_AT_LARGE, NOISE_HIGH)
    sure = (strength >= np.maximum(high * noise, 1.6 * faintest)) & (areas >= 2)
    kept = (sure & ~_is_echo(contrast, at, which, strength))[which]
    at, values, piece = at[kept], values[kept], strength[which[kept]]
    # a stroke's own contrast: that of its piece, or of its surroundings where the pen ran dry or another pen joins it
    nearby = cv2.dilate(contrast, _surroundings(min(contrast.shape))).ravel()[at]
    own = np.maximum(np.minimum(nearby, piece), 0.5 * piece)
    soft = (values / own - EDGE_LOW) * (255 / (EDGE_HIGH - EDGE_LOW))
    ink = np.zeros(contrast.shape, np.uint8)
    ink.ravel()[at] = np.clip(soft, 0, 255)
    return ink


def _is_echo(contrast: Float, at: NDArray[np.int64], which: NDArray[np.int32], strength: Float) -> NDArray[np.bool_]:
    """Tell which pieces lie in the shadow of ink many times as strong: what JPEG leaves about a stroke, in the blocks that it crosses."""
    strongest = cv2.dilate(contrast, np.ones((2 * BLOCK + 1, 2 * BLOCK + 1), np.uint8)).ravel()[at]
    count = np.bincount(which, minlength=len(strength))
    mean = np.bincount(which, strongest, minlength=len(strength)) / np.maximum(count, 1)
    return np.asarray(mean > ECHO * strength)


def _surroundings(side: int) -> NDArray[np.uint8]:
    """Return what is near a pixel, as a kernel, for a picture of this shorter side.

    On a page it is a square as large as the disc would be: a tenth of the time, and a stroke's soft edge is the same.
    """
    if side < PAGE_SIDE:
        reach = max(3, round(side * NEARBY)) | 1
        return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)), np.uint8)
    reach = round(side * NEARBY * np.sqrt(np.pi) / 2) | 1
    return np.ones((reach, reach), np.uint8)


def _strengths(which: NDArray[np.int32], values: Float, n: int) -> Float:
    """Return each piece's contrast at its darkest tenth, float32 of shape (n,), 0 where it has no pixels.

    Args:
        which: piece of each pixel, of shape (m,).
        values: its contrast, above 0, of shape (m,).
        n: pieces, the first of them paper.
    """
    # sorted by piece, then by contrast, as one whole number each: the bits of floats above 0 are in their order
    keys = np.sort((which.astype(np.uint64) << np.uint64(32)) | values.view(np.uint32))
    counts = np.bincount(which, minlength=n)
    there = counts > 0
    at = np.cumsum(counts)[there] - 1 - counts[there] // 10
    result = np.zeros(n, np.float32)
    result[there] = keys[at].astype(np.uint32).view(np.float32)  # the lower half of each key
    return result
