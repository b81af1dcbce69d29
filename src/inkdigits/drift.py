"""Pages come in as they are read; whether they are unlike the pictures that error rates were promised on comes out.

Of each picture one digit is taken by lot, for the digits of one picture are alike, and three signs of it are looked at. By how many of the
reference, and of the pictures before it, show a sign as strongly, it gets a conformal p-value: were today's pictures drawn as those of the
reference were, these would be uniform and independent, whatever the pictures are. A bettor who wagers that they are small then multiplies
the capital by `ODDS` in at most one of `ODDS` stretches of pictures (Ville's inequality): that is when it is said.

Surer answers than those of the reference raise no alarm, nor do strokes that are all of one usual kind, as one writer's are.

Source: Vovk, Nouretdinov, Gammerman 2003, "Testing Exchangeability On-Line"; a bettor who goes over from one bet to another: Vovk et al.
2021, "Retrain or Not Retrain: Conformal Test Martingales for Change-Point Detection".
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from .errors import ModelError
from .records import Page

ODDS = 1000  # stretches, in one of which at most there is a false alarm
STRETCH = 10_000  # pictures; after them the test begins anew, so that a change late in a long life is found as soon
SAMPLE = 600  # pictures of a reference
SMALLEST = 1e-9  # p-value that is told from 0
JUMP = 0.001  # of the capital goes over to the other bets with each picture


class Signs(NamedTuple):
    """What is looked at of one digit; to three figures each, as they are kept, so that equal ones stay equal.

    Attributes:
        doubt: 1 − confidence, 0–1.
        thickness: of the strokes, in pixels of the glyph.
        softness: how grey the ink is, 0 for black and white alone.
    """

    doubt: float
    thickness: float
    softness: float


class Suspicion(NamedTuple):
    """What is wagered on.

    Attributes:
        sign: its name.
        side: 1: it is stronger than usual; −1: weaker.
        said: how that is said.
        tail: share of the reference that shows the sign so strongly that it counts: pictures that are all like a part of the reference as
            large as this raise no alarm.
    """

    sign: str
    side: int
    said: str
    tail: float


# Harder pictures break a promise even where the reference has some of them. But pictures are written with one pen or scanned by one machine
# at a time, and there is nothing to say of that: strokes as at least a fifth of the reference has them raise no alarm.
SUSPICIONS = (
    Suspicion("doubt", 1, "answers are less sure", 1.0),
    Suspicion("thickness", 1, "strokes are thicker", 0.2),
    Suspicion("thickness", -1, "strokes are thinner", 0.2),
    Suspicion("softness", 1, "edges are softer", 0.2),
)


def measure_signs(confidence: float, glyph: NDArray[np.uint8]) -> Signs:
    """Return the signs of one digit: its confidence, 0–1, and its glyph, uint8 of shape (28, 28)."""
    ink = glyph.astype(np.float32) / np.float32(255)
    area, grey = float(ink.sum()), float((ink * (1 - ink)).sum())
    edge = sum(float(np.abs(np.diff(ink, axis=axis)).sum()) for axis in (0, 1))
    found = (round(1 - confidence, 6), 2 * area / max(edge, 1.0), 4 * grey / max(area, 1.0))
    return Signs(*(float(f"{value:.3g}") for value in found))


def choose_signs(page: Page, lot: Random) -> Signs | None:
    """Return the signs of one digit of a page, by lot; None where there is none, or none that knows its glyph."""
    seen = [(digit.confidence, digit.glyph) for number in page.numbers for digit in number.digits if digit.glyph is not None]
    return measure_signs(*lot.choice(seen)) if seen else None


@dataclass(frozen=True)
class Reference:
    """Signs of pictures that error rates were promised on, a picture each."""

    samples: tuple[Signs, ...]

    def to_dict(self) -> dict[str, str]:
        """Return the JSON object of a reference: for each sign, its values as one text."""
        return {name: " ".join(f"{getattr(one, name):g}" for one in self.samples) for name in Signs._fields}

    @classmethod
    def from_dict(cls, d: Any) -> Self:
        """Return the reference that `to_dict` wrote.

        Raises:
            ModelError: it did not write that.
        """
        try:
            values = [[float(value) for value in d[name].split()] for name in Signs._fields]
            if not all(math.isfinite(value) for row in values for value in row):
                raise ValueError("expected finite values")
            return cls(tuple(Signs(*one) for one in zip(*values, strict=True)))
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            raise ModelError(f"this is no reference of a promise: {error!r}") from error


def make_reference(signs: Iterable[Signs], seed: int = 0) -> Reference:
    """Return a reference made of the signs of pictures: `SAMPLE` of them, by lot, where there are more."""
    found = list(signs)
    return Reference(tuple(Random(seed).sample(found, min(SAMPLE, len(found)))))


class Bettor:
    """Wagers that p-values are small: nothing, a little or a lot at a time, and goes over from one to the other.

    Attributes:
        capital: 1 at first. Its mean stays 1 for as long as p-values are uniform, and does not grow where they are larger.
    """

    def __init__(self) -> None:
        """Begin with a capital of 1."""
        self._shares = [1 / 3, 1 / 3, 1 / 3]
        self.capital = 1.0

    def bet(self, p: float) -> None:
        """Take the outcome of a bet: a p-value, 0–1."""
        gains = (1.0, 2 * (1 - p), 0.5 / math.sqrt(max(p, SMALLEST)))
        shares = [share * gain for share, gain in zip(self._shares, gains, strict=True)]
        self.capital = sum(shares)
        self._shares = [(1 - JUMP) * share + JUMP / 3 * self.capital for share in shares]


class Watch:
    """Looks at pictures one after another; it is not for several threads at once.

    Attributes:
        seen: pictures of this stretch.
        is_alarmed: whether it has been plain in this stretch that they are others.
    """

    def __init__(self, reference: Reference, seed: int = 0) -> None:
        """Compare with a reference; the same seed and the same pictures give the same answers."""
        self._reference = reference
        self._lot = Random(seed)
        self.seen, self.is_alarmed = 0, False
        self._bags: dict[str, list[float]] = {}
        self._bettors: list[Bettor] = []
        self._begin()

    @property
    def capital(self) -> float:
        """What has become of a capital of 1 that was parted among `SUSPICIONS`."""
        return sum(bettor.capital for bettor in self._bettors) / len(self._bettors)

    def see(self, signs: Signs | None) -> str | None:
        """Look at one more picture; return what there is to say when it becomes plain that these pictures are others.

        Args:
            signs: those of one digit of it, by lot; None where it has none, which tells nothing.
        """
        if signs is None:
            return None
        if self.seen == STRETCH:
            self._begin()
        self.seen += 1
        larger = {name: self._rank(self._bags[name], getattr(signs, name)) for name in Signs._fields}
        for bettor, (name, side, _, tail) in zip(self._bettors, SUSPICIONS, strict=True):
            p = larger[name] if side > 0 else 1 - larger[name]
            bettor.bet(min(1.0, p / tail))
        if self.is_alarmed or self.capital < ODDS:
            return None
        self.is_alarmed = True
        _, plainest = max(zip(self._bettors, SUSPICIONS, strict=True), key=lambda pair: pair[0].capital)
        return f"after {self.seen} pictures: they are unlike those that error rates were promised on ({plainest.said})"

    def see_page(self, page: Page) -> str | None:
        """Look at one more page; see `see`."""
        return self.see(choose_signs(page, self._lot))

    def _begin(self) -> None:
        self.seen, self.is_alarmed = 0, False
        self._bags = {name: sorted(getattr(one, name) for one in self._reference.samples) for name in Signs._fields}
        self._bettors = [Bettor() for _ in SUSPICIONS]

    def _rank(self, bag: list[float], value: float) -> float:
        """Return the share of the bag, the value in it, that is larger, those as large by lot; 0–1."""
        larger, equal = len(bag) - bisect_right(bag, value), bisect_right(bag, value) - bisect_left(bag, value) + 1
        insort(bag, value)
        return (larger + equal * (1 - self._lot.random())) / len(bag)
