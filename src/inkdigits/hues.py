"""A picture in colour and its ink come in; the ink without the strokes of another colour that run across it comes out.

A stain, a stamp's frame, a teacher's ring or a line through a table is one piece with every digit that it touches. Where its colour is not
that of the writing, both can be told apart, even where one lies over the other: what two inks keep from the light adds up.

Source: what layers of colour absorb adds up as densities (Beer and Lambert); two known colours are told apart by least squares.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from .components import Components
from .looks import small_of, window_of

Ink = NDArray[np.uint8]
Float = NDArray[np.float32]

WRITING, LARGE, HUGE = 0.4, 2.0, 6.0  # times as long as writing usually is: where writing begins, what holds more, what is none
FEWEST, MANY = 3, 3000  # pieces of one colour that make it one of writing; of more than the second nobody made a form
FULL = 127  # ink that tells a colour: edges are mixed with paper
LEAST = 12  # pixels: dots and specks say nothing of how long writing is
APART = 0.97  # cosine between two colours: above it they are one
ALIKE = 0.985  # cosine between the colour of writing and most of its pixels: else it has no one colour
SHARE, WRITTEN = 0.15, 0.02  # of a piece's ink has the other colour, and that of writing, or more
KEPT = (0.35, 0.65)  # of the usual density of writing: below there is none, above there is all of it
RING, DRAWN = 1.3, 0.2  # times as high and broad as writing, and less ink, for its box, than any digit so large: a ring
ACROSS = 0.2  # of how long writing is: so far a stroke of another colour is hidden by writing across it
STRAIGHT = 0.25  # of its length: a line is no broader
WINDOW = 0.06  # of the shorter side: paper is seen through so much, past every stroke


def without_other_ink(image: NDArray[np.uint8], pieces: Components) -> Ink:
    """Return the ink of `pieces` without what is of another colour than the writing, in those that are far larger than it.

    Args:
        image: uint8 of shape (height, width, 3), dark ink on light paper.
        pieces: all ink of it; where nothing is taken away, their own ink comes back.
    """
    shortest, longest = np.sort(pieces.boxes[:, 2:], 1).T
    sized = longest >= LEAST
    if not FEWEST <= sized.sum() <= MANY:
        return pieces.ink
    usual = _usual(longest[sized], pieces.weights[sized])
    large = (longest > LARGE * usual) & (shortest > WRITING * usual)
    ordinary = (longest < LARGE * usual) & (longest > WRITING * usual)
    if not large.any() or ordinary.sum() < FEWEST:
        return pieces.ink
    dense = _densities(image)
    ink = pieces.ink
    writing = _colour(dense[np.concatenate([[False], ordinary])[pieces.labels] & (ink > FULL)], ALIKE)
    if writing is None:
        return ink
    written = _mean_colours(dense, pieces)[(longest > WRITING * usual) & (longest < HUGE * usual)]
    bare = ink.copy()
    for piece in np.flatnonzero(large):
        x, y, w, h = pieces.boxes[piece]
        at = np.s_[y : y + h, x : x + w]
        own = pieces.labels[at] == piece + 1
        bare[at][own] = _unmixed(ink[at], own, dense[at], _Writing(writing, usual, written))[own]
    return bare


class _Writing(NamedTuple):
    """The colour of most writing, of length 1; how long its pieces usually are; the colours of all that may be some, of shape (n, 3)."""

    colour: Float
    usual: float
    colours: Float


def _unmixed(ink: Ink, own: NDArray[np.bool_], dense: Float, writing: _Writing) -> Ink:
    """Return the ink of one piece without its strokes of another colour, where these were drawn about or across writing."""
    full = own & (ink > FULL)
    strength = np.linalg.norm(dense, axis=2)
    cosine = dense @ writing.colour / np.maximum(strength, 1e-6)
    foreign = full & (cosine < APART)
    clear = full & (cosine > ALIKE)
    if foreign.sum() < SHARE * full.sum() or clear.sum() < WRITTEN * full.sum():
        return ink
    other = _colour(dense[foreign], 0)
    if other is None or other.min() < 0 or float(other @ writing.colour) > APART or (writing.colours @ other > ALIKE).sum() >= FEWEST:
        return ink
    both = np.stack([writing.colour, other])
    parts = dense @ np.linalg.pinv(both).astype(np.float32)  # how dense each of the two is
    density = float(np.median(parts[..., 0][clear]))
    there = (own & (parts[..., 1] > KEPT[0] * np.median(parts[..., 1][foreign]))).astype(np.uint8)
    wide = round(ACROSS * writing.usual) | 1  # black ink hides what lies beneath it
    layers = Components.of(cv2.morphologyEx(there, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (wide, wide))))
    gone = np.concatenate([[False], _are_drawn(layers, writing.usual)])[layers.labels]
    if not gone.any():
        return ink
    gone = cv2.dilate(gone.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    low, high = KEPT
    left = np.clip((parts[..., 0] / density - low) / (high - low), 0, 1)
    bare = Components.of(np.where(gone, np.minimum(ink, 255 * left), np.where(own, ink, 0)).astype(np.uint8))
    longest = bare.boxes[:, 2:].max(1, initial=0)
    if not ((longest > WRITING * writing.usual) & (longest < LARGE * writing.usual)).any():
        return ink  # nothing that was written: one stroke of two shades
    return bare.without(longest < WRITING * writing.usual)


def _are_drawn(layers: Components, usual: float) -> NDArray[np.bool_]:
    """Tell which strokes go around or across writing: rings, larger than it and with little ink for their box, and long straight lines."""
    short, long = np.sort(layers.boxes[:, 2:], 1).T
    large = long > LARGE * usual
    rings = ((short > RING * usual) | large) & (layers.areas < DRAWN * short * long)
    return np.asarray(rings | (large & (short < STRAIGHT * long)))


def _usual(longest: NDArray[np.int64], weights: NDArray[np.float64]) -> float:
    """Return how long a piece of writing is: half of all the ink, weighed by its root, is in shorter ones."""
    order = np.argsort(longest)
    weight = np.cumsum(np.sqrt(weights[order]))
    return float(longest[order][np.searchsorted(weight, weight[-1] / 2)])


def _mean_colours(dense: Float, pieces: Components) -> Float:
    """Return the colour of each piece, of length 1: float32 of shape (n, 3)."""
    at = np.flatnonzero(pieces.ink > FULL)
    labels = pieces.labels.ravel()[at]
    total = np.stack([np.bincount(labels, channel.ravel()[at], len(pieces) + 1)[1:] for channel in np.moveaxis(dense, 2, 0)], 1)
    return np.asarray(total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-6), np.float32)


def _densities(image: NDArray[np.uint8]) -> Float:
    """Return how much of each colour is kept from the light, float32 of the picture's shape: 0 on paper."""
    small = small_of(image)
    window = window_of(small, WINDOW)
    paper = cv2.blur(cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((window, window), np.uint8)), (window, window))
    paper = cv2.resize(paper, image.shape[1::-1])
    dense = np.log((paper.astype(np.float32) + 8) / (image.astype(np.float32) + 8))
    return cv2.blur(dense, (3, 3))


def _colour(densities: Float, alike: float) -> Float | None:
    """Return the colour, of length 1, that half of the densities, of shape (n, 3), are `alike` to at least; None where there is none."""
    strength = np.linalg.norm(densities, axis=1, keepdims=True)
    if not len(densities) or not (strength > 0).all():
        return None
    colour = np.median(densities / strength, axis=0)
    colour /= np.linalg.norm(colour)
    return colour if float(np.median(densities @ colour / strength[:, 0])) >= alike else None
