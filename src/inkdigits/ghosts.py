"""The contrast of a page comes in; what nobody wrote comes out, fainter than ink and softer: what shines through the sheet, and smears."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .components import label

Float = NDArray[np.float32]

FAINT, FAINTER = 0.5, 0.35  # of the strength of most ink: what shines through is fainter; where it is told by where it lies, still fainter
SOFT = 0.75  # of how steep the edges of most ink are, each measured by its own strength: paper blurs what shines through it
SHARP = 1.05  # the same: what is sharper and touches strong ink is a thin pale pen, close to print
ACROSS = 0.2  # of the faint pieces lie across strong ink: two people may write on one sheet, but not over each other
ALIKE = 0.7  # of those are clearly fainter: where a pen runs dry, one stroke is all shades from strong to faint
LARGE, FEWEST = 40, 5  # pixels; so many faint pieces so large there have to be: one alone is a stain, or a pale stroke
MUCH = 0.01  # of all ink lies in faint pieces, not in the soft edges of strokes
EDGE, EDGES = 5, 1.2  # pixels about strong ink that are its own soft edge; or so many times as far as its steepest edge takes to rise


def find_ghosts(contrast: Float, inked: NDArray[np.bool_], strengths: Float, areas: NDArray[np.int32]) -> NDArray[np.bool_] | None:
    """Return where ink shines through from the back, or is smeared or wiped away, bool of shape (height, width), None where none is.

    Args:
        contrast: how much darker than paper each pixel is, of shape (height, width).
        inked: where there may be ink, of the same shape.
        strengths: of each connected piece of these, how dark it is at its darkest, of shape (n,); 0 where it is no ink.
        areas: its pixels, of shape (n,).
    """
    large = np.flatnonzero((areas >= LARGE) & (strengths > 0))
    if not len(large):
        return None
    usual = _weighted(strengths[large], areas[large], 0.9)
    faint = (inked & (contrast < FAINTER * usual)).astype(np.uint8)
    if np.count_nonzero(cv2.erode(faint, np.ones((3, 3), np.uint8))) < MUCH * areas[large].sum():
        return None
    n_strong, of_strong, stats, _ = label(contrast > FAINT * usual)
    ink = np.flatnonzero(stats[1:, cv2.CC_STAT_AREA] >= LARGE) + 1
    if not len(ink):
        return None
    slope = np.hypot(cv2.Sobel(contrast, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(contrast, cv2.CV_32F, 0, 1, scale=1 / 8))
    as_sharp = float(np.median(_sharpness(of_strong, n_strong, contrast, slope)[1][ink]))
    edge = max(EDGE, round(EDGES / as_sharp))  # out of focus, points are faint and stand in the glow of digits
    near = cv2.dilate((of_strong > 0).astype(np.uint8), np.ones((2 * edge + 1, 2 * edge + 1), np.uint8))
    n, labels, apart, _ = label(inked & (near == 0))
    strongest, sharp = _sharpness(labels, n, contrast, slope)
    pieces = np.flatnonzero(apart[1:, cv2.CC_STAT_AREA] >= LARGE) + 1
    if len(pieces) < FEWEST:
        return None
    faint_ones = strongest < FAINTER * usual
    soft_ones = sharp < SOFT * as_sharp
    touching = np.unique(labels[cv2.dilate(near, np.ones((3, 3), np.uint8)) > near])
    across = _crosses(apart[pieces, :4], stats[ink, :4]) | (np.isin(pieces, touching) & (sharp[pieces] < SHARP * as_sharp))
    clearly = across & faint_ones[pieces]
    if clearly.sum() >= max(FEWEST, ACROSS * len(pieces), ALIKE * across.sum()):
        gone = faint_ones | soft_ones  # a sheet so thin: what is either is of its back
    else:
        gone = faint_ones & soft_ones & (apart[:, cv2.CC_STAT_AREA] >= LARGE)
    gone[0] = False
    if not gone.any():
        return None
    return np.asarray(gone[labels])


def _crosses(some: NDArray[np.int32], others: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Tell which of some boxes, x, y, width, height, of shape (n, 4), have their middle within others, or hold the middle of one."""
    return np.asarray((_holds(others, some) | _holds(some, others).T).any(0))


def _holds(boxes: NDArray[np.int32], others: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Tell which boxes, of shape (n, 4), hold the middle of which others, of shape (m, 4): bool of shape (n, m)."""
    middle = others[None, :, :2] + others[None, :, 2:] / 2
    return np.asarray(((middle >= boxes[:, None, :2]) & (middle <= boxes[:, None, :2] + boxes[:, None, 2:])).all(2))


def _sharpness(labels: NDArray[np.int32], n: int, contrast: Float, slope: Float) -> tuple[Float, Float]:
    """Return how strong each piece is where it is strongest, of shape (n,), and how steep at its steepest, in parts of that."""
    steepest, strongest = np.zeros(n, np.float32), np.full(n, 1e-6, np.float32)
    at = labels > 0
    np.maximum.at(steepest, labels[at], slope[at])
    np.maximum.at(strongest, labels[at], contrast[at])
    return strongest, steepest / strongest


def _weighted(values: Float, weights: NDArray[np.int32], share: float) -> float:
    """Return the value below which so large a share of the weights is."""
    order = values.argsort()
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, share * total[-1])])
