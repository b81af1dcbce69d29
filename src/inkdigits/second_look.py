"""Digits that are not surely read, and the picture they stand in, come in; how they read when each is looked at again by itself comes out.

What measuring made of a page is the ink of everything on it. `inknet` looks at one digit with its nearest surroundings and sees the ink of
that digit alone, without a neighbour that touches it, a line it stands on, what shines through. Two opinions are pooled: both have to
think an answer likely.

Source: Genest and Zidek 1986, "Combining Probability Distributions: A Critique and an Annotated Bibliography" (logarithmic pools).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .assemble import Item, Readings
from .classify import Classifier
from .components import Components
from .glyph import make_glyphs
from .inknet import Sighting, around, default_inknet
from .kinds import reading_of
from .records import UNSURE, Box
from .rings import find_rings
from .segment import Line
from .single import Proposal, propose

DOUBTFUL = 0.95  # confidence on a page below which a digit is looked at again
ROOM = 1.25  # how much more than the digit's own box is shown then
MOST = 150  # digits a page: where more are doubtful, the page is dirt
WEIGHT = 0.7  # of each of two opinions, which come from one picture: 0.5 as if they said the same, 1 as if they knew nothing of each other
SAME = 0.5  # of the smaller of two boxes lies in the other where both show the same digit
CUT_OFF = 0.6  # of its sureness is left to what a digit reads as that may go on where nobody looked: half a 7 is a sure 1
FAINTEST = 1e-3  # no digit is less likely in an opinion

Float = NDArray[np.float32]
Read = tuple[Line, list[Item], Readings]


class Opinion(NamedTuple):
    """What the likeliest of several cuts reads as.

    Attributes:
        box: where it stands.
        reading: how likely each digit is, float32 of shape (10,); they sum to less than 1 where it may be none.
        glyph: what was read, uint8 of shape (28, 28).
        is_whole: it ends within what was looked at, and is not cut off at an edge.
    """

    box: Box
    reading: Float
    glyph: NDArray[np.uint8]
    is_whole: bool = True

    @property
    def trust(self) -> float:
        """How sure the reading is, 0–1, less where part of the digit may be beyond the edge."""
        return float(self.reading.max()) * (1.0 if self.is_whole else CUT_OFF)


class Revision(NamedTuple):
    """What a digit reads as on second thoughts.

    Attributes:
        reading: how likely each digit is, float32 of shape (10,), summing to 1.
        glyph: what shows it better than what was read first, uint8 of shape (28, 28); None where nothing does.
    """

    reading: Float
    glyph: NDArray[np.uint8] | None = None


def opinion(proposals: Sequence[Proposal], classifier: Classifier) -> Opinion | None:
    """Return what the likeliest of the proposals reads as, None where there are none."""
    if not proposals:
        return None
    glyphs = make_glyphs(p.ink for p in proposals)
    readings = reading_of(*classifier.classify(glyphs))
    best = int((readings.max(1) * [p.prior for p in proposals]).argmax())
    return Opinion(proposals[best].box, readings[best], glyphs[best])


def sighted(seen: Sighting, classifier: Classifier) -> Opinion | None:
    """Return what the ink of a sighting reads as, None where nothing was seen."""
    pieces = Components.of(seen.ink)
    return opinion([replace(p, box=seen.place(p.box)) for p in propose(pieces.without(find_rings(pieces)))], classifier)


def pooled(first: Float, second: Float) -> Float:
    """Return two opinions as one: how likely each digit is, float32 of shape (10,), summing to 1.

    Args:
        first: how likely each digit is, float of shape (10,), summing to 1 or less; what is missing speaks for no digit.
        second: likewise.
    """
    both = [np.log(o + max(0.0, 1 - float(o.sum())) / len(o) + FAINTEST) for o in (first, second)]
    scores = WEIGHT * (both[0] + both[1])
    weights = np.exp(scores - scores.max())
    return np.asarray(weights / weights.sum(), np.float32)


def look_again(image: NDArray[np.uint8], read: list[Read], classifier: Classifier) -> list[Read]:
    """Return the lines of a page with those of their digits read again that are doubtful.

    Args:
        image: the page, uint8 of shape (height, width) or (height, width, 3), as its ink was found in.
        read: each line, the best path through it, and what is known of its candidates.
        classifier: what reads the glyphs.
    """
    doubtful = [(n, k) for n, k in digits_of(read) if read[n][2].answer_confidence(k) < DOUBTFUL]
    if not doubtful or len(doubtful) > MOST:
        return read
    boxes = [read[n][0].candidates[k].box for n, k in doubtful]
    sightings = default_inknet().look(image, [around(box, ROOM, image.shape) for box in boxes])
    revisions: dict[tuple[int, int], Revision] = {}
    for (n, k), seen in zip(doubtful, sightings, strict=True):
        second = sighted(seen, classifier)
        if second is not None and _is_same(second.box, read[n][0].candidates[k].box):
            first = read[n][2].probabilities[k]
            revisions[n, k] = Revision(pooled(first, second.reading), second.glyph if second.reading.max() > first.max() else None)
    return revised(read, revisions)


def _is_same(a: Box, b: Box) -> bool:
    """Tell whether two boxes show one digit, not that and its neighbour: most of the smaller one lies in the other."""
    common = [max(0, min(p + s, q + t) - max(p, q)) for p, s, q, t in ((a.x, a.width, b.x, b.width), (a.y, a.height, b.y, b.height))]
    return common[0] * common[1] > SAME * min(a.width * a.height, b.width * b.height)


def digits_of(read: list[Read]) -> list[tuple[int, int]]:
    """Return (line, candidate) of every digit that the best paths go through, but those struck out."""
    return [(n, item.candidate) for n, (_, items, _) in enumerate(read) for item in items if not item.is_mark and item.text != UNSURE]


def revised(read: list[Read], revisions: dict[tuple[int, int], Revision]) -> list[Read]:
    """Return the lines of a page with some digits, told by (line, candidate), read as revised."""
    readings = [_copied(r) for _, _, r in read]
    for (n, k), (reading, glyph) in revisions.items():
        readings[n].probabilities[k], readings[n].confidence[k] = reading, reading.max()
        if glyph is not None and (glyphs := readings[n].glyphs) is not None:
            glyphs[k] = glyph
    return [(line, items, r) for (line, items, _), r in zip(read, readings, strict=True)]


def _copied(r: Readings) -> Readings:
    glyphs = None if r.glyphs is None else r.glyphs.copy()
    return replace(r, probabilities=r.probabilities.copy(), confidence=r.confidence.copy(), glyphs=glyphs)
