"""A Keras network, batches and rates come in; the network learns, one step a batch. Two ways of doing the same step.

`JaxLearner` writes the step out: Keras's layers, loss and optimizer, compiled into one function with all state as its arguments.
`KerasLearner` leaves it to Keras's `train_on_batch`, which every backend has.
"""

from __future__ import annotations

from typing import Any, Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from . import BACKEND
from .networks import to_input

EVALUATED_AT_ONCE = 1000  # pictures; enough to keep two cores busy, few enough to stop soon


class Learner(Protocol):
    """What trains a network; `totals` are the sums over the steps since `start`."""

    network: keras.Sequential
    optimizer: keras.Optimizer

    def start(self, loss: float, correct: float) -> None:
        """Begin an epoch, or go on in the middle of one whose sums so far are given."""

    def step(self, glyphs: NDArray[np.uint8], labels: NDArray[np.uint8], rate: float) -> None:
        """Learn from one batch."""

    def totals(self) -> tuple[float, float]:
        """Return the summed loss and the number of right answers, when all steps given so far are done."""

    def to_network(self) -> None:
        """Put what was learned into the variables of `network` and `optimizer`."""

    def probabilities(self, glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return what the network, as learned so far, says to at most `EVALUATED_AT_ONCE` glyphs: of shape (n, classes)."""


class KerasLearner:
    """Learns by Keras's own `train_on_batch`."""

    def __init__(self, network: keras.Sequential, optimizer: keras.Optimizer) -> None:
        """Take over a network and an optimizer that has not been used; both go on being the caller's."""
        self.network, self.optimizer = network, optimizer
        optimizer.build(network.trainable_variables)
        network.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        self._loss = self._correct = 0.0

    def start(self, loss: float, correct: float) -> None:
        """Begin an epoch with these sums."""
        self._loss, self._correct = loss, correct

    def step(self, glyphs: NDArray[np.uint8], labels: NDArray[np.uint8], rate: float) -> None:
        """Learn from one batch."""
        self.optimizer.learning_rate.assign(rate)
        self.network.reset_metrics()
        told = self.network.train_on_batch(self._to_values(glyphs), labels.astype(np.int32), return_dict=True)
        self._loss += float(told["loss"]) * len(labels)
        self._correct += float(told["accuracy"]) * len(labels)

    def totals(self) -> tuple[float, float]:
        """Return the summed loss and the number of right answers."""
        return self._loss, self._correct

    def to_network(self) -> None:
        """Nothing to do: Keras keeps the state in the variables."""

    def probabilities(self, glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the probabilities for a batch."""
        return np.asarray(self.network.predict_on_batch(self._to_values(glyphs)), np.float32)

    def _to_values(self, glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
        return to_input(glyphs, self.network.input_shape).astype(np.float32) / np.float32(255)


def make_learner(network: keras.Sequential, optimizer: keras.Optimizer) -> Learner:
    """Return the quickest learner for the backend that is in use and the network."""
    if BACKEND != "jax":
        return KerasLearner(network, optimizer)
    from .dense_learner import DenseLearner, is_dense
    from .jax_learner import JaxLearner

    return DenseLearner(network, optimizer) if is_dense(network) else JaxLearner(network, optimizer)


def make_optimizer(name: str, rate: float) -> Any:
    """Return a Keras optimizer with its usual settings and this rate; sgd gets a momentum of 0.9, without which it is slow."""
    settings = {"momentum": 0.9} if name == "sgd" else {}
    return keras.optimizers.get({"class_name": name, "config": {"learning_rate": rate, **settings}})
