"""What a user knows of the numbers comes in; whether a text may be one of them, and the likeliest reading that may, come out."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from .errors import UsageError
from .records import NUMBER, UNSURE

BEAM = 200  # readings kept while one is put together
MOST_DIGITS = 40
LONGEST_PATTERN = 200


@dataclass(frozen=True)
class Wanted:
    """What a number may look like.

    Attributes:
        digits: how many digits it has, 1–40; None for any.
        pattern: a regular expression that its whole text matches; None for any.
        between: the least and the greatest value it may have; None for any.

    Raises:
        UsageError: a setting makes no sense.
    """

    digits: int | None = None
    pattern: str | None = None
    between: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        """Refuse what no number can be."""
        if self.digits is not None and not 1 <= self.digits <= MOST_DIGITS:
            raise UsageError(f"digits must be from 1 to {MOST_DIGITS}, got {self.digits}")
        if self.pattern is not None:
            if len(self.pattern) > LONGEST_PATTERN:
                raise UsageError(f"pattern must have at most {LONGEST_PATTERN} characters, got {len(self.pattern)}")
            try:
                with warnings.catch_warnings(action="ignore"):
                    re.compile(self.pattern)
            except re.error as error:
                raise UsageError(f"pattern is no regular expression: {error}") from error
        if self.between is not None and not self.between[0] <= self.between[1]:
            raise UsageError(f"between must be the least and the greatest value, got {self.between[0]:g} and {self.between[1]:g}")

    def __bool__(self) -> bool:
        """Whether anything is known at all."""
        return self != Wanted()

    def allows(self, text: str) -> bool:
        """Tell whether a number of this text may be one of them; a `?` is a digit."""
        if self.digits is not None and sum(c.isdigit() or c == UNSURE for c in text) != self.digits:
            return False
        if self.pattern is not None and not re.fullmatch(self.pattern, text):
            return False
        return self.between is None or self._is_between(text)

    def _is_between(self, text: str) -> bool:
        try:
            value = Decimal(text.replace(",", "."))
        except InvalidOperation:  # 120/80 is no value
            return False
        low_high = self.between or (0, 0)
        return Decimal(repr(low_high[0])) <= value <= Decimal(repr(low_high[1]))


def likeliest(choices: Sequence[Sequence[tuple[str, float]]], wanted: Wanted) -> tuple[str, float, float] | None:
    """Return the likeliest text that may be a number, how likely it is, and how likely among those that may; None where none may.

    Args:
        choices: for each place its characters with how likely each is, 0–1.
        wanted: what is known of the number.
    """
    beam: list[tuple[str, float]] = [("", 1.0)]
    for place in choices:
        grown = [(text + character, p * q) for text, p in beam for character, q in place if q > 0]
        beam = sorted(grown, key=lambda g: -g[1])[:BEAM]
    allowed = [(text, p) for text, p in beam if NUMBER.fullmatch(text) and wanted.allows(text)]
    if not allowed:
        return None
    return *allowed[0], allowed[0][1] / sum(p for _, p in allowed)
