"""Confidences, and whether each answer was right, come in; how sure an answer must be for a promised error rate comes out.

A promise is made on labelled answers that trained nothing. For answers to pictures like those it holds with 95 % confidence: among the
answers that are at least as sure as `Promise.threshold` says, no larger share than promised is wrong.

Source: fixed-sequence testing after Angelopoulos, Bates, Candès, Jordan, Lei 2021, "Learn then Test"; the share of wrong answers among
those that are given, "selective risk", after Geifman and El-Yaniv 2017. Each test is the exact binomial one, which stays valid for answers
that are not all equally likely to be wrong (Hoeffding 1956, "On the Distribution of the Number of Successes in Independent Trials").
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .drift import Reference, Watch
from .errors import ModelError, UsageError
from .files import sha256

DOUBT = 0.05  # how often, over makings of promises, one may be broken
SURE = f"{100 * (1 - DOUBT):g} % confidence"  # what a promise is said to hold with
LEVELS = 1 - 10 ** (-np.arange(65) / 16)  # confidences at which answers are counted: 0 to 0.9999, finer where answers are surer
ALLOWED = (1, 4, 16, 64)  # wrong answers among those that are tried first
PER = ("digit", "number")
SUBJECTS = {"single": "pictures of one digit", "digit": "digits on pages", "number": "numbers on pages"}  # what a promise is about


@dataclass(frozen=True)
class Promise:
    """Labelled answers, counted: all that is needed to promise any error rate that they can support.

    Attributes:
        answered: how many were at least as sure as each of `LEVELS`.
        wrong: how many of these were wrong.
    """

    answered: tuple[int, ...]
    wrong: tuple[int, ...]

    def __post_init__(self) -> None:
        """Refuse counts that cannot be."""
        counts = [np.asarray(c) for c in (self.answered, self.wrong)]
        falls = all(len(c) == len(LEVELS) and c.min() >= 0 and (np.diff(c) <= 0).all() for c in counts)
        if not falls or (counts[1] > counts[0]).any():
            raise ModelError(f"a promise needs {len(LEVELS)} falling counts of answers, and of wrong ones among them")

    @property
    def n(self) -> int:
        """Labelled answers that it was made on."""
        return self.answered[0]

    def threshold(self, max_error: float) -> float:
        """Return the least confidence of answers of which at most the share `max_error` is wrong.

        Raises:
            UsageError: `max_error` is not between 0 and 1, or this promise cannot support it.
        """
        level = self._level(max_error)
        if level is None:
            raise UsageError(f"an error of at most {100 * max_error:g} % can't be promised with {SURE}: {self.why_not(max_error)}")
        return float(LEVELS[level])

    def why_not(self, max_error: float) -> str:
        """Return why an error rate cannot be promised: too few labelled answers, or too many wrong ones among the surest of them."""
        if self.n < needed(max_error):
            return f"it takes at least {needed(max_error):,} labelled answers, all of them right, and it was made on {self.n:,}"
        (first, *_), doubt = self._starts(max_error)
        n, wrong = self.answered[first], self.wrong[first]
        can = f"; {100 * self.smallest():g} % can" if self.smallest() < 1 else ""
        return f"of the surest {n:,} answers {wrong:,} are wrong, which leaves {100 * largest_share(wrong, n, doubt):.3g} % possible{can}"

    def coverage(self, max_error: float) -> float:
        """Return the share of the labelled answers that are given under `max_error`; 0 where it cannot be promised."""
        level = self._level(max_error)
        return 0.0 if level is None else self.answered[level] / self.n

    def smallest(self) -> float:
        """Return the smallest error rate, of two digits, that can be promised."""
        rates = (float(f"{digits}e{power}") for power in (-6, -5, -4, -3, -2) for digits in range(10, 100))
        return next((rate for rate in rates if rate < 1 and self._level(rate) is not None), 1.0)

    def _level(self, max_error: float) -> int | None:
        """Return the lowest level that passes, trying them from each start down and stopping at the first that fails."""
        if self.n < needed(max_error):
            return None
        starts, doubt = self._starts(max_error)
        passed = []
        for start in starts:
            for level in reversed(range(start + 1)):
                if not _passes(self.wrong[level], self.answered[level], max_error, doubt):
                    break
                passed.append(level)
        return min(passed, default=None)

    def _starts(self, max_error: float) -> tuple[list[int], float]:
        """Return the levels from which others are tried, and how often one tried from each may pass though it should not.

        They are the surest whose answers can pass though 1, 4, 16 or 64 of them are wrong, as far as there are so many answers; else the
        surest whose answers can pass if all are right. That is known before anybody looks which are wrong. From one start alone, a few
        wrong answers among the surest would end it all; from several, the doubt is shared among them.
        """
        allowed = [wrong for wrong in ALLOWED if _passes(wrong, self.n, max_error, DOUBT)] or [0]
        doubt = DOUBT / len(allowed)
        can = [[_passes(wrong, n, max_error, doubt) for n in self.answered].count(True) for wrong in allowed]  # from level 0 up
        return [count - 1 for count in can if count], doubt

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of a promise."""
        return {"answered": list(self.answered), "wrong": list(self.wrong)}

    @classmethod
    def from_dict(cls, d: Any) -> Self:
        """Return the promise that `to_dict` wrote.

        Raises:
            ModelError: it did not write that.
        """
        try:
            return cls(*(tuple(int(v) for v in d[key]) for key in ("answered", "wrong")))
        except (TypeError, KeyError, ValueError) as error:
            raise ModelError(f"this is no promise: {error!r}") from error


@dataclass(frozen=True)
class Promises:
    """What was promised of one model.

    Attributes:
        model: the `identity` of the model that answered.
        made_on: what the labelled pictures were, in words.
        by_subject: promises by what they are about, of `SUBJECTS`; some or all may be missing.
        references: signs of the same pictures, by "single" and "digit", for `drift.Watch`; some or all may be missing.
    """

    model: str | None = None
    made_on: str = "nothing"
    by_subject: Mapping[str, Promise] = field(default_factory=dict)
    references: Mapping[str, Reference] = field(default_factory=dict)

    def thresholds(self, max_error: float, per: str = "digit", single: bool = False) -> tuple[float, float]:
        """Return the least confidence of a digit and of a whole number under which at most `max_error` of the answers are wrong.

        Args:
            max_error: the largest share of wrong answers, between 0 and 1.
            per: what the share is of: "digit" or "number".
            single: whether each picture holds one digit.

        Raises:
            UsageError: this cannot be promised.
        """
        if per not in PER:
            raise UsageError(f"an error is promised per {' or per '.join(PER)}, got {per!r}")
        subject = "single" if single else per
        if subject not in self.by_subject:
            raise UsageError(
                f"nothing is promised for {SUBJECTS[subject]} with this model; make a promise on labelled pictures: inkdigits calibrate DIR"
            )
        least = self.by_subject[subject].threshold(max_error)
        return (0.0, least) if subject == "number" else (least, 0.0)

    def watch(self, single: bool = False) -> Watch | None:
        """Return what tells when pictures, each of one digit or not, are unlike those promised on; None where these are not known."""
        reference = self.references.get("single" if single else "digit")
        return None if reference is None else Watch(reference)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of a file of promises."""
        told = {"model": self.model, "made_on": self.made_on} | {name: promise.to_dict() for name, promise in self.by_subject.items()}
        return told | {"references": {name: reference.to_dict() for name, reference in self.references.items()}}

    @classmethod
    def of(cls, meta: Mapping[str, Any]) -> Self:
        """Return the promises that came with a model, by its metadata; none where its weights or calibration have changed since.

        Raises:
            ModelError: they are no promises.
        """
        told = meta.get("promises")
        if told is None:
            return cls()
        found = cls._from_dict(told)
        return found if found.model == identity(meta) else cls()

    @classmethod
    def load(cls, path: str | os.PathLike[str], meta: Mapping[str, Any]) -> Self:
        """Return the promises of a file that `inkdigits calibrate` wrote, for the model with this metadata.

        Raises:
            ModelError: the file is missing, damaged, no promise, or one for other weights.
        """
        try:
            told = json.loads(Path(path).read_bytes())
        except OSError as error:
            raise ModelError(f"cannot read the promise {path}: {error.strerror}") from error
        except ValueError as error:
            raise ModelError(f"{path} is no promise: {error}") from error
        found = cls._from_dict(told)
        if found.model != identity(meta):
            raise ModelError(f"{path} was promised for other weights or another calibration: make it again with inkdigits calibrate")
        return found

    @classmethod
    def _from_dict(cls, d: Any) -> Self:
        if not isinstance(d, Mapping) or not isinstance(d.get("made_on"), str):
            raise ModelError("this is no promise: it does not say what it was made on")
        by_subject = {name: Promise.from_dict(d[name]) for name in SUBJECTS if name in d}
        kept = d.get("references", {})  # promises made before there were any have none
        if not isinstance(kept, Mapping):
            raise ModelError("this is no promise: its references are none")
        return cls(d.get("model"), d["made_on"], by_subject, {name: Reference.from_dict(kept[name]) for name in SUBJECTS if name in kept})


def identity(meta: Mapping[str, Any]) -> str:
    """Return what tells a model's confidences from those of any other: its weights and its calibration, by its metadata."""
    return sha256(json.dumps([meta.get(key) for key in ("keras_sha256", "temperature", "no_digit_shift")]).encode())


def make_promise(confidence: ArrayLike, is_right: ArrayLike) -> Promise:
    """Return the promise that labelled answers support: their confidences, 0–1, and whether each was right, of shape (n,) each."""
    trust, right = np.asarray(confidence, np.float64), np.asarray(is_right, np.bool_)
    reached: NDArray[np.bool_] = trust[None] >= LEVELS[:, None]
    return Promise(tuple(map(int, reached.sum(1))), tuple(map(int, (reached & ~right).sum(1))))


def needed(max_error: float) -> int:
    """Return how many answers, all of them right, it takes to promise an error rate.

    Raises:
        UsageError: it is not between 0 and 1.
    """
    if not 0 < max_error < 1:
        raise UsageError(f"the largest error must be between 0 and 1, got {max_error:g}")
    return math.ceil(math.log(DOUBT) / math.log1p(-max_error))


def binomial_tail(k: int, n: int, p: float) -> float:
    """Return the probability of at most `k` of `n` where each has the probability `p`, between 0 and 1."""
    i = np.arange(1, min(k, n) + 1)
    logs = n * math.log1p(-p) + np.concatenate([[0.0], np.cumsum(np.log((n - i + 1) / i * (p / (1 - p))))])
    return float(min(1.0, np.exp(logs - logs.max()).sum() * np.exp(logs.max())))


def _passes(wrong: int, n: int, max_error: float, doubt: float) -> bool:
    return n > wrong and binomial_tail(wrong, n, max_error) <= doubt


def largest_share(wrong: int, n: int, doubt: float = DOUBT) -> float:
    """Return the largest true share of wrong answers that `wrong` of `n` leaves possible, with 95 % confidence; 1 where n is 0.

    Source: Clopper and Pearson 1934, "The Use of Confidence or Fiducial Limits".
    """
    low, high = wrong / max(n, 1), 1.0
    if wrong >= n:
        return 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if binomial_tail(wrong, n, middle) > doubt else (low, middle)
    return high
