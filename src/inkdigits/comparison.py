"""Two evaluations of the same pictures come in; who reads what the other does not, and whether that may be chance, comes out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .errors import DataError
from .evaluate import Evaluation, Labels
from .measures import Z95
from .promises import binomial_tail


@dataclass(frozen=True, eq=False)
class Comparison:
    """How one model reads beside another.

    Attributes:
        one: the evaluation of the model that is asked about.
        other: that of the model it is compared with, on the same pictures in the same order.
    """

    one: Evaluation
    other: Evaluation

    def __post_init__(self) -> None:
        """Refuse evaluations of other pictures."""
        if not np.array_equal(self.one.labels, self.other.labels):
            raise DataError(f"expected both models to have read the same pictures, got {self.one.n} and {self.other.n}")

    @cached_property
    def gained(self) -> Labels:
        """Indices of what `one` reads right and `other` wrong, where `other` was surest first."""
        return self._sorted(self.one.is_right & ~self.other.is_right, self.other)

    @cached_property
    def lost(self) -> Labels:
        """Indices of what `one` reads wrong and `other` right, where `one` was surest first."""
        return self._sorted(~self.one.is_right & self.other.is_right, self.one)

    @property
    def both_wrong(self) -> int:
        """How many pictures both read wrong."""
        return int((~self.one.is_right & ~self.other.is_right).sum())

    @property
    def p_value(self) -> float:
        """How often chance alone would part the pictures that one of them reads as unevenly as this, or more so, were both equally good.

        Source: McNemar 1947, "Note on the Sampling Error of the Difference between Correlated Proportions"; the exact, two-sided test.
        """
        gained, lost = len(self.gained), len(self.lost)
        return min(1.0, 2 * binomial_tail(min(gained, lost), gained + lost, 0.5))

    @property
    def difference(self) -> float:
        """Accuracy of `one` less that of `other`."""
        return self.one.accuracy - self.other.accuracy

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the difference.

        Source: Bonett and Price 2012, "Adjusted Wald Confidence Interval for a Difference of Binomial Proportions Based on Paired Data".
        """
        n = self.one.n + 2
        gained, lost = (len(self.gained) + 1) / n, (len(self.lost) + 1) / n
        half = Z95 * np.sqrt((gained + lost - (gained - lost) ** 2) / n)
        return max(-1.0, float(gained - lost - half)), min(1.0, float(gained - lost + half))

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON-safe values."""
        return {
            "correct": self.other.correct,
            "accuracy": self.other.accuracy,
            "gained": len(self.gained),
            "lost": len(self.lost),
            "both_wrong": self.both_wrong,
            "difference": self.difference,
            "interval": list(self.interval),
            "p_value": self.p_value,
        }

    def describe(self) -> str:
        """Return what came out as a sentence or two."""
        low, high = (100 * end for end in self.interval)
        verdict = f"p = {self.p_value:.2g}, chance alone {'hardly does' if self.p_value < 0.05 else 'may do'} that"
        return (
            f"{len(self.gained):,} gained, {len(self.lost):,} lost, {self.both_wrong:,} wrong with both: "
            f"{100 * self.difference:+.2f} points (95 % interval {low:+.2f} to {high:+.2f}); McNemar's exact test: {verdict}"
        )

    def _sorted(self, chosen: Any, wrong: Evaluation) -> Labels:
        found = np.flatnonzero(chosen)
        return np.asarray(found[np.argsort(-wrong.confidence[found], kind="stable")], np.int64)
