"""A step of training and the number of steps come in; the learning rate for it comes out."""

from __future__ import annotations

import math

SCHEDULES = ("onecycle", "constant")
RISE = 0.25  # share of the steps in which a one-cycle rate rises
START = 0.04  # a one-cycle rate starts at this share of its peak


def rate_at(schedule: str, peak: float, step: int, steps: int) -> float:
    """Return the learning rate of one step.

    Args:
        schedule: "constant", or "onecycle": up in a straight line, then down along half a cosine, to nearly nothing at the last step.
        peak: the highest rate, the only one when it is constant.
        step: counted from 0 over the whole training.
        steps: of the whole training.

    Source: Smith and Topin 2018, "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates".
    """
    if schedule == "constant":
        return peak
    done = (step + 0.5) / steps  # the middle of the step, so that neither end is wasted on a rate of nothing
    if done < RISE:
        return peak * (START + (1 - START) * done / RISE)
    return peak * (1 + math.cos(math.pi * (done - RISE) / (1 - RISE))) / 2
