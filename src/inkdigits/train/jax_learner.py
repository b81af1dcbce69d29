"""The step of training written out for JAX: glyphs, labels and a rate come in; new weights come out, in one compiled function."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from numpy.typing import NDArray

from .networks import to_input

State = tuple[list[Any], list[Any], list[Any], Any]  # weights, other variables (seeds, moving means), the optimizer's, [loss, correct]


class JaxLearner:
    """Learns by one function of all state, compiled once; pictures travel as bytes and become numbers inside it."""

    def __init__(self, network: keras.Sequential, optimizer: keras.Optimizer) -> None:
        """Take over a network and an optimizer that has not been used; both go on being the caller's."""
        self.network, self.optimizer = network, optimizer
        optimizer.build(network.trainable_variables)
        self._rate_at = next(i for i, v in enumerate(optimizer.variables) if v is optimizer.learning_rate)
        self._step = jax.jit(self._stepped, donate_argnums=0)
        self._predict = jax.jit(self._predicted)
        self._state = self._from_network()

    def start(self, loss: float, correct: float) -> None:
        """Begin an epoch with these sums; the variables are read anew."""
        self._state = self._from_network(loss, correct)

    def step(self, glyphs: NDArray[np.uint8], labels: NDArray[np.uint8], rate: float) -> None:
        """Learn from one batch; returns before the work is done."""
        self._state = self._step(self._state, self._batch(glyphs), labels, np.float32(rate))

    def totals(self) -> tuple[float, float]:
        """Wait for all steps; return the summed loss and the number of right answers."""
        loss, correct = np.asarray(self._state[3]).tolist()
        return loss, correct

    def to_network(self) -> None:
        """Copy the state into the variables of the network and the optimizer."""
        variables = (self.network.trainable_variables, self.network.non_trainable_variables, self.optimizer.variables)
        for kept, values in zip(variables, self._state[:3], strict=True):
            for variable, value in zip(kept, values, strict=True):
                variable.assign(np.array(value))

    def probabilities(self, glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the probabilities for a batch."""
        return np.asarray(self._predict(self._state[0], self._state[1], JaxLearner._batch(self, glyphs)))

    def _batch(self, glyphs: NDArray[np.uint8]) -> Any:
        """Return glyphs as `_answers` takes them."""
        return to_input(glyphs, self.network.input_shape)

    def _from_network(self, loss: float = 0.0, correct: float = 0.0) -> State:
        # copies: the compiled step gives its arguments' memory away, and the variables must outlive that
        weights, others, slots = (
            [jnp.array(variable.value, copy=True) for variable in kept]
            for kept in (self.network.trainable_variables, self.network.non_trainable_variables, self.optimizer.variables)
        )
        return weights, others, slots, jnp.array([loss, correct], jnp.float32)

    def _stepped(self, state: State, batch: Any, labels: Any, rate: Any) -> State:
        weights, others, slots, totals = state
        graded = jax.value_and_grad(self._loss, has_aux=True)
        (loss, (correct, others)), gradients = graded(weights, others, batch, labels.astype(jnp.int32))
        slots = [rate if i == self._rate_at else slot for i, slot in enumerate(slots)]
        weights, slots = self.optimizer.stateless_apply(slots, gradients, weights)
        n = labels.shape[0]
        return weights, others, slots, totals + jnp.stack([loss * n, correct])

    def _answers(self, weights: list[Any], others: list[Any], batch: Any) -> tuple[Any, list[Any]]:
        x = batch.astype(jnp.float32) / 255
        answers: tuple[Any, list[Any]] = self.network.stateless_call(weights, others, x, training=True)
        return answers

    def _loss(self, weights: list[Any], others: list[Any], batch: Any, labels: Any) -> tuple[Any, tuple[Any, list[Any]]]:
        probabilities, others = self._answers(weights, others, batch)
        losses = keras.ops.sparse_categorical_crossentropy(labels, probabilities)
        correct = (probabilities.argmax(axis=1) == labels).sum()
        return losses.mean(), (correct.astype(jnp.float32), others)

    def _predicted(self, weights: list[Any], others: list[Any], batch: Any) -> Any:
        x = batch.astype(jnp.float32) / 255
        return self.network.stateless_call(weights, others, x, training=False)[0]
