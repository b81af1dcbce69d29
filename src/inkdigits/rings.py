"""The pieces of ink come in; which of them are rings and brackets that somebody drew about digits and numbers comes out.

Where a ring touches what it was drawn about, both are one piece: its outermost curve is the ring, the rest stays.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .components import Components

MANY = 3000  # pieces: of more nobody drew a ring about some
FULL = 0.5  # of its box: a ring has less ink
WITHIN, PIECE = 0.35, 0.2  # of a ring's height or breadth: what it was drawn about is larger, and so are its pieces; dirt in a 0 is smaller
STICK = 0.25  # as broad as it is long: one such piece within a ring is a 1, or the stroke through a 0
UPRIGHT, BROAD = 0.9, 0.75  # of their height: a 1 reaches no further aside, a 0 is not as broad as a ring
SECTORS, AROUND = 36, 0.9  # of all sides, as seen from what lies within: a ring is there on so many
THIN = 0.25  # of the way to where it ends on one side, there is nothing of it: digits that lines join go around others, too
OUTLINE, THICK = 120, 0.15  # sides from which the outer edge of a ring is seen; of its breadth: it is no thicker
FIGURE, TALL = 0.2, 0.45  # of a ring's ink and height: a figure that it goes around and touches has more
NARROW, BOWED = 0.5, 0.05  # of its height: a bracket is no broader, and bends by more; a 1 is straighter
ALONG, EVENLY = 0.9, 0.4  # share of its rows that it crosses but once; of its bow, so much is there above and below the middle, too
TALLER, AS_TALL = 1.1, 0.75  # than what it holds; and a bracket has its like on the other side


def find_rings(pieces: Components) -> NDArray[np.bool_]:
    """Tell which pieces, bool of shape (n,), go all around others: a ringed 7 is a 7, not a 0."""
    rings = (pieces.areas < FULL * pieces.boxes[:, 2:].prod(1)) & (len(pieces) <= MANY)
    rings[rings] = [_is_ring(pieces, int(i)) for i in np.flatnonzero(rings)]
    return rings


def without_rings(pieces: Components, rings: NDArray[np.bool_], ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return `ink`, from which `rings` are gone, with what touched them put back."""
    for ring in np.flatnonzero(rings):
        x, y, w, h = pieces.boxes[ring]
        touching = _within_curve(pieces.labels[y : y + h, x : x + w] == ring + 1)
        ink[y : y + h, x : x + w][touching] = pieces.ink[y : y + h, x : x + w][touching]
    return ink


def find_brackets(pieces: Components) -> NDArray[np.bool_]:
    """Tell which pieces, bool of shape (n,), are brackets, one on each side of others: they would be read as 1."""
    brackets = np.zeros(len(pieces), bool)
    if len(pieces) > MANY:
        return brackets
    sizes = pieces.boxes[:, 2:]
    narrow = np.flatnonzero((sizes[:, 0] < NARROW * sizes[:, 1]) & (sizes[:, 1] > 8))
    bows = {int(i): _bow(pieces, int(i)) for i in narrow}
    opening, closing = [i for i, bow in bows.items() if bow > BOWED], [i for i, bow in bows.items() if bow < -BOWED]
    for left in opening:
        pairs = [right for right in closing if _are_pair(pieces, left, right)]
        if pairs:
            brackets[[left, min(pairs, key=lambda right: pieces.boxes[right, 0])]] = True
    return brackets


def _bow(pieces: Components, which: int) -> float:
    """Return how far a piece's middle lies to the left of its ends, as a share of its height; 0 where it is not bent evenly."""
    rows, columns = _pixels(pieces, which)
    tall = int(np.ptp(rows)) + 1
    at = rows - rows.min()
    first, last = (np.full(tall, start) for start in (columns.max(), columns.min()))
    np.minimum.at(first, at, columns)
    np.maximum.at(last, at, columns)
    if (np.bincount(at, minlength=tall) > last - first).mean() < ALONG:
        return 0.0
    middle = (first + last) / 2
    top, high, half, low, foot = (float(part.mean()) for part in np.array_split(middle, 5))
    left = [(top + foot) / 2 - half, (2 * top + foot) / 3 - high, (top + 2 * foot) / 3 - low]  # of a line from end to end
    return left[0] / tall if min(abs(left[1]), abs(left[2])) > EVENLY * abs(left[0]) and np.ptp(np.sign(left)) == 0 else 0.0


def _are_pair(pieces: Components, left: int, right: int) -> bool:
    """Tell whether two pieces stand on both sides of others that are less tall."""
    (x, y, w, h), (p, q, _, t) = pieces.boxes[left], pieces.boxes[right]
    level = abs(y + h / 2 - q - t / 2) < 0.5 * h
    if not (x + w < p and level and AS_TALL * h < t < h / AS_TALL):
        return False
    begins, sizes = pieces.boxes[:, :2], pieces.boxes[:, 2:]
    middle = begins + sizes / 2
    within = (middle[:, 0] > x + w) & (middle[:, 0] < p) & (np.abs(middle[:, 1] - y - h / 2) < 0.5 * h) & (sizes[:, 1] > 0.3 * h)
    if not within.any():
        return False
    (x0, y0), (x1, y1) = begins[within].min(0), (begins + sizes)[within].max(0)
    around = max(y, q) < y0 and min(y + h, q + t) > y1
    return bool(around and x0 - (x + w) < h and p - x1 < h and TALLER * sizes[within, 1].max() < min(h, t))


def _is_ring(pieces: Components, ring: int) -> bool:
    """Tell whether a piece goes all around others that may be digits."""
    begins, ends = pieces.boxes[:, :2], pieces.boxes[:, :2] + pieces.boxes[:, 2:]
    inside = (begins > begins[ring]).all(1) & (ends < ends[ring]).all(1)
    size = int(pieces.boxes[ring, 2:].min())
    large = pieces.boxes[:, 2:].max(1) > PIECE * size
    within = [int(i) for i in np.flatnonzero(inside & large)]
    if not within:
        return _is_ring_alone(pieces, ring)
    if len(within) == 1 and _is_stick(*_pixels(pieces, within[0])) and not _is_one(pieces.boxes[within[0]][2:], pieces.boxes[ring][2:]):
        return False
    x0, y0, x1, y1 = pieces.span(within)
    if max(x1 - x0, y1 - y0) < WITHIN * size:
        return False
    x, y, w, h = pieces.boxes[ring]
    part = pieces.labels[y : y + h, x : x + w] == ring + 1
    rows, columns = (at + begin for at, begin in zip(np.nonzero(part & ~_within_curve(part)), (y, x), strict=True))
    up, aside = rows - (y0 + y1) / 2, columns - (x0 + x1) / 2
    sectors = ((np.arctan2(up, aside) / (2 * np.pi) + 0.5) * SECTORS).astype(int) % SECTORS
    near, far = np.full(SECTORS, np.inf), np.zeros(SECTORS)
    np.minimum.at(near, sectors, np.hypot(up, aside))
    np.maximum.at(far, sectors, np.hypot(up, aside))
    return int(((far > 0) & (near > THIN * far)).sum()) >= AROUND * SECTORS


def _is_ring_alone(pieces: Components, ring: int) -> bool:
    """Tell whether a piece is a ring together with all that it goes around: a figure of its own, where an 8 has but a bar."""
    x, y, w, h = (int(v) for v in pieces.boxes[ring])
    part = pieces.labels[y : y + h, x : x + w] == ring + 1
    rest = Components.of(_within_curve(part).view(np.uint8))
    if not len(rest) or rest.areas.sum() < FIGURE * np.count_nonzero(part):
        return False
    rows, columns = _pixels(rest, int(rest.boxes[:, 3].argmax()))  # where an 8 is thick below its bar, that is no part of a figure
    tall, broad = int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1
    return tall >= TALL * h and (not _is_stick(rows, columns) or _is_one(np.array([broad, tall]), np.array([w, h])))


def _within_curve(part: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return what of a piece, bool of shape (height, width), is not its outermost curve; nothing where that is no curve.

    The curve is as thick as half of what lies so deep beneath its outer edge is ink. Scraps are no part of what is returned.
    """
    nothing = np.zeros_like(part)
    height, width = part.shape
    rows, columns = np.nonzero(part)
    up, aside = rows - (height - 1) / 2, columns - (width - 1) / 2
    sectors = ((np.arctan2(up, aside) / (2 * np.pi) + 0.5) * OUTLINE).astype(int) % OUTLINE
    order = np.lexsort([np.hypot(up, aside), sectors])
    farthest = order[np.flatnonzero(np.diff(sectors[order], append=OUTLINE))]  # of each sector, in their order around
    if len(farthest) < AROUND * OUTLINE:
        return nothing
    edge = np.stack([columns[farthest], rows[farthest]], 1)
    filled = cv2.fillPoly(np.zeros((height + 2, width + 2), np.uint8), [edge.astype(np.int32) + 1], 1)
    depth = np.minimum(cv2.distanceTransform(filled, cv2.DIST_L2, 3)[1:-1, 1:-1], max(height, width)).astype(int)
    drawn = np.bincount(depth[part], minlength=depth.max() + 1) / np.maximum(np.bincount(depth.ravel()), 1)
    thick = int((drawn[1:] < 0.5).argmax()) if (drawn[1:] < 0.5).any() else max(height, width)
    if thick > THICK * min(height, width):
        return nothing
    inner = part & (depth > thick + 2)
    labels = cv2.connectedComponentsWithStats(inner.view(np.uint8), connectivity=8)
    large = labels[2][:, 2:4].max(1) > PIECE * min(height, width)
    large[0] = False
    return np.asarray(large[labels[1]])


def _is_one(stick: NDArray[np.int64], ring: NDArray[np.int64]) -> bool:
    """Tell a 1 in a ring from the stroke through a 0, by how broad and how tall they are."""
    return bool(stick[0] < UPRIGHT * stick[1] and ring[0] > BROAD * ring[1])


def _is_stick(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> bool:
    """Tell whether pixels are those of one straight stroke."""
    short, long = sorted(cv2.minAreaRect(np.stack([rows, columns], 1).astype(np.float32))[1])
    return short + 1 < STICK * (long + 1)


def _pixels(pieces: Components, which: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows and columns of a piece's pixels."""
    x, y, w, h = pieces.boxes[which]
    rows, columns = np.nonzero(pieces.labels[y : y + h, x : x + w] == which + 1)
    return rows + y, columns + x
