"""Items of a line and the picture they stand in come in; where the next one is of another pen comes out: a number is written with one.

The tick of whoever looks a sum over stands close behind it, and is no digit of it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .assemble import Item
from .records import Box
from .segment import Line

FULL = 127  # ink that tells a colour: edges are mixed with paper
ROOM = 4  # pixels about an item where its paper shows
FEWEST = 12  # pixels that tell a colour
FINE = 20  # of an item's shorter side: so many pixels across it are looked at, or up to twice as many
FAINT = 0.25  # density: the colour of fainter ink is that of noise
OTHER = 0.9  # cosine between two colours: below it no light makes one pen of them

Ink = NDArray[np.uint8]
Float = NDArray[np.float32]


def changes_of_pen(image: NDArray[np.uint8], ink: Ink, line: Line, items: list[Item]) -> NDArray[np.bool_]:
    """Tell for each item but the first whether it was clearly written in another colour than the one before it.

    Args:
        image: uint8 of shape (height, width, 3); of any other shape it shows no colour.
        ink: uint8 of shape (height, width): what of the picture is ink, 0–255.
        line: of the page.
        items: of that line, from left to right.

    Source: densities add up as Beer and Lambert say, so that more or less of one ink is of one direction.
    """
    if image.ndim != 3 or len(items) < 2:
        return np.zeros(max(0, len(items) - 1), np.bool_)
    colours = np.stack([_colour(image, ink, line.candidates[i.candidate].ink, i.box) for i in items])
    colours[[i.is_mark for i in items]] = 0  # a dash may be a remains of the form
    return np.asarray((colours[1:] * colours[:-1]).sum(1) < OTHER) & (colours[1:].any(1) & colours[:-1].any(1))


def _colour(image: NDArray[np.uint8], ink: Ink, own: Ink, box: Box) -> Float:
    """Return what an item keeps from the light of each colour, of length 1; zeros where that cannot be told."""
    step = max(1, min(box.width, box.height) // FINE)
    around = np.s_[max(0, box.y - ROOM) : box.y + box.height + ROOM : step, max(0, box.x - ROOM) : box.x + box.width + ROOM : step]
    within = np.s_[box.y : box.y + box.height : step, box.x : box.x + box.width : step]
    paper, written = image[around][ink[around] == 0], image[within][own[::step, ::step] > FULL]
    if min(len(paper), len(written)) < FEWEST:
        return np.zeros(3, np.float32)
    # the edge of a sheet beside a digit must not tint its paper: hence a median
    dense = np.log((np.median(paper, axis=0) + 8) / (written.mean(0) + 8)).astype(np.float32)
    strength = float(np.linalg.norm(dense))
    return dense / strength if strength > FAINT and dense.min() > -FAINT * strength else np.zeros(3, np.float32)
