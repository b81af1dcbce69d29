"""A picture comes in; where in it a sheet of paper lies on something darker comes out, and that sheet straightened."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

LEAST, MOST = 0.06, 0.95  # share of the picture that a sheet takes
LEAST_ALONE = 0.015  # the same, where one digit is all there is to be seen
DARKER = 0.5  # what surrounds a sheet is at most this bright against it: darker than a shadow makes paper
LESS_BRIGHT = 0.8  # the same, where the sheet shows its four corners
STROKE = 21  # pixels of the picture that the sheet is sought on: a stroke is no wider, a desk is
DESK = np.ones((STROKE, STROKE), np.uint8)
WIDE = 0.4  # of what lies about a sheet is as wide as a desk
SHARP = 0.85  # so much darker it is just beyond its edge than just within
RING = np.ones((17, 17), np.uint8)  # what lies just beyond, in pixels of the picture that the sheet is sought on
SOLID = 0.9  # share of its convex hull that a sheet fills
OTHER = 0.1  # of a sheet: others beside it are as large
MARGIN = 0.012  # of the longer side: the sheet's own edge is no ink
LEVELS = (1.0, 1.15, 1.3, 0.85, 1.5, 0.65, 0.5)  # of Otsu's threshold: where bright begins; the last where a shadow parts the bright
BRIDGES = (5, 15, 31)  # pixels of the picture that corners are sought on: what is narrower does not join two bright stretches
LOOK_SIDE = 480  # pixels: the corners are sought on a picture of at most this side
SHADED = (0.75, 0.6, 0.45, 0.33)  # of a sheet's brightness: as bright may be what of it lies in a shadow
GROWN, SHARED, NEAR = 1.15, 0.4, 8  # so much larger the sheet is with it; so much of its edge is the same, to as many pixels
SMALLEST = 64  # pixels: in a picture with a shorter side, a digit leaves no room for what lies about a sheet
STRAIGHT = 0.035  # slope of a side, 2 degrees: a sheet that lies as straight as this is read as it lies
ROUGH, FOUR_SIDED = 0.03, 0.93  # how far its corners may be rounded, as a share of its outline, and what of its area they must span


class Straightened(NamedTuple):
    """A sheet as if seen from straight above, or a picture turned.

    Attributes:
        image: the sheet alone, or the whole, uint8 of shape (height, width) or (height, width, 3).
        back: homography, float of shape (3, 3), from its pixels to those of the picture.
    """

    image: NDArray[np.uint8]
    back: NDArray[np.float64]


def find_sheet(small: NDArray[np.uint8]) -> NDArray[np.bool_] | None:
    """Return the mask of the sheet, bool of the shape of `small`, or None where the whole picture is to be looked at.

    Args:
        small: grey picture, uint8 of shape (height, width), a few hundred pixels wide.
    """
    outline = _find_outline(small)
    if outline is None:
        return None
    whole = _with_shadow(outline, small, LEAST)
    outline = outline if whole is None else whole.round().astype(np.int32)[:, None]
    edge = max(2, round(MARGIN * max(small.shape)))
    kernel = np.ones((2 * edge + 1, 2 * edge + 1), np.uint8)
    # what lies beyond the picture is taken for sheet: only the sheet's own edge is trimmed
    sheets = [
        cv2.erode(_filled(one, small.shape), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=1)
        for one in (outline, *_others(outline, small))
    ]
    return np.asarray(np.maximum.reduce(sheets) > 0)


def _others(outline: NDArray[np.int32], small: NDArray[np.uint8]) -> list[NDArray[np.int32]]:
    """Return the outlines of other sheets, of shape (n, 1, 2), that lie beside one: labels, notes."""
    quiet, inside = cv2.GaussianBlur(small, (0, 0), 2), _filled(outline, small.shape) > 0
    level = (float(np.median(quiet[inside])) + float(np.median(quiet[~inside]))) / 2
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (BRIDGES[0], BRIDGES[0]))
    beside = (quiet > level) & (cv2.dilate(inside.astype(np.uint8), RING) == 0)
    found, _ = cv2.findContours(
        cv2.morphologyEx(beside.astype(np.uint8), cv2.MORPH_OPEN, kernel), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    outlines = [np.asarray(one, np.int32) for one in found if cv2.contourArea(one) >= OTHER * cv2.contourArea(outline)]
    return [one for one in outlines if _is_solid(one) and _is_sharp(_filled(one, small.shape), small)]


def straighten(image: NDArray[np.uint8]) -> Straightened | None:
    """Return the sheet in a picture as if seen from straight above, or None where none is seen whole, or where it lies straight.

    Args:
        image: upright, uint8 of shape (height, width) or (height, width, 3).
    """
    scale = min(1.0, LOOK_SIDE / max(image.shape))
    small = _resized(grey_of(image), scale)
    corners = _first_corners(_bright(small, LEAST), small, LEAST)
    if corners is None:
        return None
    corners = _whole(corners, small, LEAST) / scale
    across, down = _sides(corners)
    if np.abs(across[:, 1] / across[:, 0]).max() < STRAIGHT and np.abs(down[:, 0] / down[:, 1]).max() < STRAIGHT:
        return None
    return _flattened(image, corners)


def sheet_alone(image: NDArray[np.uint8]) -> Straightened | None:
    """Return the sheet in a picture of one digit as if seen from straight above, or None where none is seen whole.

    Args:
        image: upright, uint8 of shape (height, width) or (height, width, 3): a slip on a desk, or a black canvas on a bright screen.
    """
    if min(image.shape[:2]) < SMALLEST:
        return None
    scale = LOOK_SIDE / max(image.shape)
    grey = _resized(grey_of(image), scale)
    for small in (grey, 255 - grey):
        edge = float(np.median(np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])))
        if edge > LESS_BRIGHT * float(np.quantile(small[::4, ::4], 1 - LEAST_ALONE / 2)):
            continue  # nothing lies about a sheet
        # a digit has four corners, too, but is not solid; where there is one slip alone, no bridge has to be cut
        solid = (o for o in itertools.islice(_bright(small, LEAST_ALONE), len(LEVELS)) if _is_solid(o))
        corners = _first_corners(solid, small, LEAST_ALONE)
        if corners is not None:
            return _flattened(image, _whole(corners, small, LEAST_ALONE) / scale)
    return None


def _whole(corners: NDArray[np.float64], small: NDArray[np.uint8], least: float) -> NDArray[np.float64]:
    """Return the corners of the sheet of which some are those of what lies in the light, or these."""
    whole = _with_shadow(corners.round().astype(np.int32)[:, None], small, least)
    return corners if whole is None else whole


def grey_of(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture in grey, uint8 of shape (height, width)."""
    return image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def _resized(grey: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    if scale == 1:
        return grey
    size = tuple(max(1, round(side * scale)) for side in grey.shape[::-1])
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR), np.uint8)


def _sides(corners: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a sheet's sides as vectors: along the top and along the bottom, down the left and down the right, of shape (2, 2) each."""
    return corners[[1, 2]] - corners[[0, 3]], corners[[3, 2]] - corners[[0, 1]]


def _flattened(image: NDArray[np.uint8], corners: NDArray[np.float64]) -> Straightened:
    """Return the sheet that has these corners as if seen from straight above, without its own edge."""
    width, height = (max(2, round(float(np.hypot(*sides.T).mean()))) for sides in _sides(corners))
    edge = MARGIN * max(width, height)  # the sheet's own edge is no ink
    goal = np.array([(-edge, -edge), (width + edge, -edge), (width + edge, height + edge), (-edge, height + edge)], np.float32)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), goal)
    flat = cv2.warpPerspective(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return Straightened(np.asarray(flat, np.uint8), np.asarray(np.linalg.inv(matrix), np.float64))


def level(image: NDArray[np.uint8], slope: float) -> Straightened:
    """Return a picture, or its ink, turned so that lines that fall by `slope` run level: nothing is cut off, the corners are 0."""
    height, width = image.shape[:2]
    angle = np.arctan(slope)
    cos, sin = np.cos(angle), np.sin(angle)
    size = round(width * cos + height * abs(sin)), round(width * abs(sin) + height * cos)
    turn = np.array([[cos, sin], [-sin, cos]])
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = turn, np.array(size) / 2 - turn @ (width / 2, height / 2)
    flat = cv2.warpPerspective(image, matrix, size, flags=cv2.INTER_LINEAR)
    return Straightened(np.asarray(flat, np.uint8), np.asarray(np.linalg.inv(matrix), np.float64))


def _find_outline(small: NDArray[np.uint8]) -> NDArray[np.int32] | None:
    """Return the outline of the sheet, of shape (n, 1, 2), None where none lies on something much darker, or is seen whole."""
    outlines = list(_bright(small, LEAST))
    for outline in outlines:
        if _is_solid(outline) and _is_sheet(outline, small, DARKER, LEAST):
            return outline
    corners = _first_corners(outlines, small, LEAST)
    return None if corners is None else corners.round().astype(np.int32)[:, None]


def _is_solid(outline: NDArray[np.int32]) -> bool:
    """Tell whether an outline fills most of what a band around it would."""
    return cv2.contourArea(outline) >= SOLID * cv2.contourArea(cv2.convexHull(outline))


def _first_corners(outlines: Iterable[NDArray[np.int32]], small: NDArray[np.uint8], least: float) -> NDArray[np.float64] | None:
    """Return the corners of the first outline that has some; a shadow may cut into a sheet, four sides are seldom chance."""
    for outline in outlines:
        hull = cv2.convexHull(outline)
        corners = _corners(hull, small.shape)
        if corners is not None and _is_sheet(hull, small, LESS_BRIGHT, least):
            return corners
    return None


def _with_shadow(outline: NDArray[np.int32], small: NDArray[np.uint8], least: float) -> NDArray[np.float64] | None:
    """Return the corners of the sheet of which an outline holds but the part that lies in the light, None where there is no more of it.

    A sheet that lies on another, or on a bright table, shares no edge with that.
    """
    quiet, lit = cv2.GaussianBlur(small, (0, 0), 2), _filled(outline, small.shape)
    bright = float(np.median(quiet[lit > 0]))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (BRIDGES[1], BRIDGES[1]))
    for share in SHADED:
        opened = cv2.morphologyEx((quiet > share * bright).astype(np.uint8), cv2.MORPH_OPEN, kernel)
        outlines, _ = cv2.findContours(opened, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        larger = max(outlines, key=cv2.contourArea, default=outline)
        hull = cv2.convexHull(np.asarray(larger, np.int32))
        if cv2.contourArea(hull) < GROWN * cv2.contourArea(outline) or not _is_solid(np.asarray(larger, np.int32)):
            continue
        corners = _corners(hull, small.shape)
        edge = np.argwhere(lit != cv2.erode(lit, np.ones((3, 3), np.uint8)))[::5, ::-1]
        same = [abs(cv2.pointPolygonTest(hull.astype(np.float32), tuple(map(float, at)), True)) <= NEAR for at in edge]
        if corners is not None and np.mean(same) >= SHARED and _is_sheet(hull, small, LESS_BRIGHT, least):
            return corners
    return None


def _bright(small: NDArray[np.uint8], least: float) -> Iterator[NDArray[np.int32]]:
    """Yield the outline of the largest bright stretch, of shape (n, 1, 2): something bright that touches the sheet may part from it at
    another level of brightness, or where bridges are cut that are narrow, or wider. Nothing where there is no desk."""
    if _is_desk(small, LESS_BRIGHT * float(np.quantile(small, 1 - least / 2))).mean() < WIDE * (1 - MOST):
        return  # whatever is taken for a sheet, `_is_sheet` would find too little that is as dark and as wide
    quiet = cv2.GaussianBlur(small, (0, 0), 2)
    level, _ = cv2.threshold(quiet, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    for bridge in BRIDGES:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (bridge, bridge))
        for factor in LEVELS:
            bright = cv2.morphologyEx((quiet > min(250.0, factor * level)).astype(np.uint8), cv2.MORPH_OPEN, kernel)
            outlines, _ = cv2.findContours(bright, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
            if outlines:
                yield np.asarray(max(outlines, key=cv2.contourArea), np.int32)


def _is_sheet(outline: NDArray[np.int32], small: NDArray[np.uint8], darker: float, least: float) -> bool:
    """Tell whether an outline holds a sheet: of its size, sharp at its edge, and on something wide that is at most `darker` as bright."""
    filled = _filled(outline, small.shape)
    inside = filled > 0
    if not least <= inside.mean() <= MOST or np.median(small[~inside]) > darker * np.median(small[inside]):
        return False
    if _is_desk(np.where(inside, 255, small), darker * float(np.median(small[inside]))).sum() < WIDE * (~inside).sum():
        return False  # the strokes of a large digit, which part what is paper on both sides
    return _is_sharp(filled, small)


def _is_sharp(filled: NDArray[np.uint8], small: NDArray[np.uint8]) -> bool:
    """Tell whether it is darker just beyond the edge of what is filled: light that fades has no edge, a few pixels on it is as bright."""
    near, beyond = small[(filled > 0) & (cv2.erode(filled, RING) == 0)], small[(filled == 0) & (cv2.dilate(filled, RING) > 0)]
    return len(beyond) > 0 and bool(np.median(beyond) <= SHARP * np.median(near))


def _is_desk(small: NDArray[np.uint8], darkest: float) -> NDArray[np.uint8]:
    """Return 1 where a picture is at most so bright, and that not only in a stroke, else 0."""
    dark = cv2.copyMakeBorder((small <= darkest).astype(np.uint8), STROKE, STROKE, STROKE, STROKE, cv2.BORDER_REPLICATE)
    return np.asarray(cv2.morphologyEx(dark, cv2.MORPH_OPEN, DESK), np.uint8)[STROKE:-STROKE, STROKE:-STROKE]


def _filled(outline: NDArray[np.int32], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    return np.asarray(cv2.drawContours(np.zeros(shape, np.uint8), [outline], -1, 1, cv2.FILLED), np.uint8)


def _corners(hull: NDArray[np.int32], shape: tuple[int, ...]) -> NDArray[np.float64] | None:
    """Return the four corners, top left first and clockwise, of shape (4, 2); None where the hull is no such figure or is cut off."""
    figure = cv2.approxPolyDP(hull, ROUGH * cv2.arcLength(hull, True), True)[:, 0].astype(float)
    inside = (figure > 1).all() and (figure < np.array(shape[::-1]) - 2).all()
    if len(figure) != 4 or not inside or cv2.contourArea(figure.astype(np.float32)) < FOUR_SIDED * cv2.contourArea(hull):
        return None
    angles = np.arctan2(*(figure - figure.mean(0)).T[::-1])
    figure = figure[angles.argsort()]  # clockwise on the screen, where y points down
    return np.roll(figure, -int(figure.sum(1).argmin()), axis=0)
