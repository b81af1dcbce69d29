"""A step of training and the number of steps come in; the learning rate for it comes out."""

from __future__ import annotations

import math
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Schedule:
    """How a long training goes.

    Attributes:
        epochs: how many.
        steps: batches an epoch.
        learning_rate: highest rate of AdamW; it rises over the first `warm_up` share of all steps and falls to nothing by a cosine.
        weight_decay: of kernels; biases and batch normalisation have none.
        average: how much of the moving average of the weights is kept at each step; the average is what is returned.
        smoothing: label smoothing, 0–1.
    """

    epochs: int
    steps: int
    learning_rate: float = 4e-3
    warm_up: float = 0.1
    weight_decay: float = 0.03
    average: float = 0.999
    smoothing: float = 0.0

    def rate(self, step: int) -> float:
        """Return the learning rate at `step`, counted from 0 over all epochs."""
        total, rising = self.epochs * self.steps, self.warm_up * self.epochs * self.steps
        if step < rising:
            return self.learning_rate * (step + 1) / rising
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, total - rising)))
