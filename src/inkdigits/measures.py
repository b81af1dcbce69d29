"""Confidences, and whether each answer was right, come in; how much they are worth, with intervals, comes out. NumPy alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import UsageError

BINS = 15  # bins of the calibration error, each holding as many answers as the next
Z95 = 1.959964  # deviations that hold 95 % of a normal distribution
GRID = 2**14  # points between confidence 0 and 1 of the smooth calibration error
FINEST = 0.5 / GRID  # width of the narrowest Gaussian
NEAR = 1e-5  # a Gaussian is as wide as the error it finds when they differ by no larger a share
REPEATS = 300  # samples of a bootstrap: enough for the ends of a 95 % interval to two digits

Float = NDArray[np.float64]


def wilson(correct: int, n: int, z: float = Z95) -> tuple[float, float]:
    """Return the interval that holds the true share with 95 % confidence, given `correct` of `n`.

    Source: Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference".
    """
    if not 0 <= correct <= n or n == 0:
        raise UsageError(f"expected 0 to n right answers of n > 0, got {correct} of {n}")
    share = correct / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, min(share, float(middle - half))), min(1.0, max(share, float(middle + half)))  # rounding leaves the share inside


def ece(confidence: ArrayLike, is_right: ArrayLike, bins: int = BINS) -> float:
    """Return the expected calibration error: the mean distance between confidence and the share that is right.

    The answers are sorted by confidence and parted into bins of equal mass (as many answers in each), not of equal width: most confidences
    lie near 1, where bins of equal width would say nothing.

    Source: Naeini, Cooper, Hauskrecht 2015, "Obtaining Well Calibrated Probabilities Using Bayesian Binning"; bins of equal mass as in
    Nguyen and O'Connor 2015.
    """
    trust, right = np.asarray(confidence, np.float64), np.asarray(is_right, np.float64)
    order = np.argsort(trust, kind="stable")
    gaps = np.array_split((trust - right)[order], min(bins, len(order)))
    return float(sum(abs(float(gap.sum())) for gap in gaps) / len(order))


def smooth_ece(confidence: ArrayLike, is_right: ArrayLike) -> float:
    """Return the smooth calibration error: as `ece`, but without bins, whose edges are a matter of taste.

    What confidences promise too much or too little is smoothed by a Gaussian that is reflected at 0 and 1, and its size summed. The
    Gaussian is as wide as the error that it finds: no finer than what it is to show.

    Source: Błasiok and Nakkiran 2023, "Smooth ECE: Principled Reliability Diagrams via Kernel Smoothing".
    """
    trust, right = np.asarray(confidence, np.float64), np.asarray(is_right, np.float64)
    place = np.minimum((trust * GRID).astype(np.int64), GRID - 1)
    gaps = np.bincount(place, right - trust, minlength=GRID) / len(trust)
    spectrum = np.fft.rfft(np.concatenate([gaps, gaps[::-1]]))  # mirrored: a Gaussian on this circle is reflected at both ends
    frequency = np.pi * np.arange(len(spectrum))

    def excess(width: float) -> tuple[float, float]:
        """Return the error that a Gaussian of this width finds, and by what factor it is larger than the width, as a logarithm."""
        found = float(np.abs(np.fft.irfft(spectrum * np.exp(-0.5 * (width * frequency) ** 2), 2 * GRID)[:GRID]).sum())
        return found, float(np.log(max(found, FINEST) / width))

    # the error found falls a little as the Gaussian widens, so on a scale of logarithms a few secants meet it
    before, width = 1.0, max(excess(1.0)[0], FINEST)
    (found, over), over_before = excess(width), excess(before)[1]
    for _ in range(20):
        if abs(over) <= NEAR or over == over_before:
            break
        step = over * np.log(width / before) / (over_before - over)
        before, over_before = width, over
        width = float(np.clip(width * np.exp(step), FINEST, 1.0))
        found, over = excess(width)
    return found


def auroc(score: ArrayLike, is_positive: ArrayLike) -> float | None:
    """Return the probability that a positive scores higher than a negative, ties counting half; None without both kinds.

    Source: the rank statistic of Mann and Whitney 1947; its equality with the area under the ROC curve: Hanley and McNeil 1982.
    """
    values, positive = np.asarray(score, np.float64), np.asarray(is_positive, np.bool_)
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not positives or not negatives:
        return None
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]  # tied values share their mean rank
    return float((ranks[positive].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def risk_coverage(confidence: ArrayLike, is_right: ArrayLike) -> tuple[Float, Float]:
    """Return what share is wrong when only the most confident are answered.

    Returns:
        Coverage and risk, each float64 of shape (k,): with the answers of at least some confidence, the share of pictures answered, and the
        share of those that is wrong. Answers of equal confidence come in together.
    """
    trust, right = np.asarray(confidence, np.float64), np.asarray(is_right, np.bool_)
    order = np.argsort(-trust, kind="stable")
    answered = np.arange(1, len(order) + 1)
    wrong = np.cumsum(~right[order])
    is_last = np.append(np.diff(trust[order]) != 0, True) if len(order) else np.zeros(0, np.bool_)
    return answered[is_last] / max(len(order), 1), wrong[is_last] / answered[is_last]


def bootstrap(
    measure: Callable[..., float | None], *samples: ArrayLike, leans_upwards: bool = False, repeats: int = REPEATS, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % interval of a measure, from what it becomes when the answers are drawn again from themselves.

    Args:
        measure: of arrays of shape (n,); draws for which it is None are left out.
        *samples: the arrays of shape (n,) that it takes; what stands at one place stays together.
        leans_upwards: the measure is of distances, which chance can only make larger, and larger still when answers are drawn twice, as are
            `ece` and `smooth_ece`: by as much as the draws lie above the measure, the truth is taken to lie below it.
        repeats: draws.
        seed: of the draws; the same gives the same interval.

    Raises:
        UsageError: there is nothing to draw from, or it cannot be measured.

    Source: percentile and basic intervals after Davison and Hinkley 1997, "Bootstrap Methods and their Application".
    """
    arrays = [np.asarray(sample) for sample in samples]
    n = len(arrays[0])
    told = measure(*arrays) if n else None
    if told is None:
        raise UsageError(f"an interval needs answers of both kinds to draw from, got {n} that cannot be measured")
    rng = np.random.default_rng(seed)
    drawn = (measure(*(array[places] for array in arrays)) for places in (rng.integers(0, n, n) for _ in range(repeats)))
    low, high = np.quantile([value for value in drawn if value is not None], [0.025, 0.975])
    if leans_upwards:
        low, high = max(0.0, 2 * told - high), max(told, 2 * told - low)  # what was measured itself is never ruled out
    return float(low), float(high)
