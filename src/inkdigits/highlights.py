"""A picture in colour comes in; where a highlighter went over its writing comes out."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .components import label

WORK_SIDE = 480  # a highlighter is broad: it is looked for on a picture of at most this side
COLOURED = 0.8  # its darkest channel against its brightest is at most so much of what that is on paper
BRIGHT = 0.7  # and its brightest is at least so much of the paper's: ink is darker
STROKE = 5  # pixels: coloured ink is no broader
INKED = (0.015, 0.6)  # of it is writing: on bare paper nothing was highlighted, and a broad yellow pen writes over nothing
MUCH = 0.5  # of a picture is the paper itself


def find_highlights(image: NDArray[np.uint8]) -> NDArray[np.bool_] | None:
    """Return where writing was highlighted, bool of shape (height, width) of a picture of shape (height, width, 3); None where none was.

    A highlighter leaves the brightest channel of the paper as it is, whatever its colour: in that, only the writing is to be seen.
    """
    step = max(1, -(-max(image.shape) // WORK_SIDE))
    small = image[::step, ::step]
    bright, dark = small.max(2), small.min(2)
    tint = dark / np.maximum(bright, 1)
    paper = float(np.percentile(bright, 75))
    coloured = (tint < COLOURED * float(np.median(tint))) & (bright > BRIGHT * paper)
    broad = cv2.morphologyEx(coloured.astype(np.uint8), cv2.MORPH_OPEN, np.ones((STROKE, STROKE), np.uint8))
    if not broad.any():
        return None
    # writing makes holes in it, and the edges of writing are coloured, too
    closed = cv2.morphologyEx(broad, cv2.MORPH_CLOSE, np.ones((3 * STROKE, 3 * STROKE), np.uint8), borderType=cv2.BORDER_REPLICATE)
    n, labels, stats, _ = label(closed > 0)
    inked = np.bincount(labels[bright < BRIGHT * paper], minlength=n) / np.maximum(stats[:, cv2.CC_STAT_AREA], 1)
    found = (inked > INKED[0]) & (inked < INKED[1]) & (stats[:, cv2.CC_STAT_AREA] < MUCH * labels.size)
    found[0] = False
    if not found.any():
        return None
    mask = cv2.dilate(found[labels].astype(np.uint8), np.ones((STROKE, STROKE), np.uint8))
    return np.asarray(cv2.resize(mask, image.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0)
