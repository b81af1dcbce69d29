"""Your own glyphs and labels come in; a classifier in scikit-learn's manner comes out, which learns the networks of this package."""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import keras
import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from ..classify import DIGITS, Classifier, as_glyphs
from ..errors import ReadError, UsageError
from ..files import safe_name, write_bytes
from .config import Config
from .distort import distort
from .export import to_onnx
from .learners import make_learner, make_optimizer
from .networks import build
from .schedules import rate_at

Bytes = NDArray[np.uint8]


class DigitClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A network for glyphs with `fit`, `predict`, `predict_proba` and `score`, to be used wherever scikit-learn takes a classifier.

    It learns by Keras and answers by ONNX Runtime, so that a fitted one is quick, can be pickled, and can be exported as a model that
    `inkdigits read --model` takes.

    Args:
        network: "convnet", "tutorial", "mnist", "reader" or "tiny".
        epochs: how many times every picture is seen; None, here and below, for what suits the network.
        batch_size: pictures that make one update.
        learning_rate: the peak of a rate that rises and falls once.
        layers: neurons of each hidden layer of "tutorial".
        dropout: of "tutorial".
        activation: of the hidden layers of "tutorial".
        augment: pictures are shifted, turned and bent a little, anew in every epoch.
        random_state: seed of weights, dropout and order; an int makes results repeatable.

    Attributes:
        classes_: the labels, sorted; at most ten of them.
        n_features_in_: length of the second axis of what it was fitted on.
        history_: a dictionary an epoch with its mean `loss` and its `accuracy` while learning.
        onnx_: the trained network as the bytes of an ONNX file.
    """

    def __init__(
        self,
        network: str = "convnet",
        *,
        epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        layers: tuple[int, ...] | None = None,
        dropout: float | None = None,
        activation: str | None = None,
        augment: bool = False,
        random_state: Any = None,
    ) -> None:
        """Keep the settings as they are; `fit` looks at them."""
        self.network = network
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.layers = layers
        self.dropout = dropout
        self.activation = activation
        self.augment = augment
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn from glyphs and their labels, from the beginning.

        Args:
            X: glyphs with bright ink on black, of shape (n, 28, 28), (n, 28, 28, 1) or (n, 784); 0–255 or 0–1.
            y: labels of shape (n,), of at most ten kinds: the digits, or others such as "A" and "B".

        Raises:
            UsageError: a setting is out of range, the pictures are no glyphs, or there are more than ten classes. (It is a ValueError.)
        """
        X, y = validate_data(self, X, y, allow_nd=True)
        check_classification_targets(y)
        self.classes_, found = np.unique(y, return_inverse=True)
        if len(self.classes_) > DIGITS:
            raise UsageError(f"expected at most {DIGITS} classes, got {len(self.classes_)}")
        glyphs, config = self._glyphs(X), self._config()
        labels = self._codes()[found].astype(np.uint8)
        with _seeded(config.seed):
            network = build(config.network, **config.options)
            self.history_ = _learn(network, glyphs, labels, config)
        self.onnx_ = to_onnx(
            network, name=safe_name(self.network), trained={"epochs": config.epochs, "n": len(labels), "seed": config.seed}
        )
        self._classifier = Classifier(self.onnx_, name="the fitted network")
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of each class, in the order of `classes_`: float64 of shape (n, classes), rows summing to 1."""
        check_is_fitted(self)
        glyphs = self._glyphs(validate_data(self, X, allow_nd=True, reset=False))
        p = self._classifier.predict_proba(glyphs)[:, self._codes()].astype(np.float64) + np.finfo(np.float32).tiny
        probabilities: NDArray[np.float64] = p / p.sum(axis=1, keepdims=True)
        return probabilities

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the most probable label of each glyph: of shape (n,)."""
        probabilities = self.predict_proba(X)  # before `classes_` is asked for: it says so when nothing has been fitted
        labels: NDArray[Any] = self.classes_[probabilities.argmax(axis=1)]
        return labels

    def export(self, out: str | os.PathLike[str]) -> Path:
        """Write the fitted network as an ONNX file that `Classifier.load` and `--model` take, and return its path.

        Raises:
            UsageError: the labels are not the digits 0–9, or `out` does not end in `.onnx`.
        """
        check_is_fitted(self)
        if not self._are_digits():
            raise UsageError(f"only a classifier of the digits 0–9 can be exported, this one tells {list(self.classes_)[:3]} apart")
        if Path(out).suffix != ".onnx":
            raise UsageError(f"the model's file must end in .onnx, got {Path(out).name!r}")
        return write_bytes(out, self.onnx_)

    def _config(self) -> Config:
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        settings = {name: getattr(self, name) for name in ("epochs", "batch_size", "learning_rate", "layers", "dropout", "activation")}
        return Config.of(self.network, **settings, augment=self.augment, seed=seed)

    def _glyphs(self, X: ArrayLike) -> Bytes:
        try:
            return as_glyphs(X)
        except ReadError as error:
            raise UsageError(error) from error

    def _are_digits(self) -> bool:
        return self.classes_.dtype.kind in "iu" and self.classes_.min() >= 0 and self.classes_.max() < DIGITS

    def _codes(self) -> NDArray[np.int64]:
        """Return the network's output for each class: a digit's own, so that it can be exported, else one after the other."""
        return np.asarray(self.classes_ if self._are_digits() else np.arange(len(self.classes_)), np.int64)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the session of ONNX Runtime, which cannot be pickled; `onnx_` holds all it needs."""
        return {key: value for key, value in super().__getstate__().items() if key != "_classifier"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Start the session again."""
        super().__setstate__(state)
        if "onnx_" in state:
            self._classifier = Classifier(self.onnx_, name="the fitted network")

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that pictures are taken too."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def _learn(network: keras.Sequential, glyphs: Bytes, labels: Bytes, config: Config) -> list[dict[str, float]]:
    """Train a network and return loss and accuracy of each epoch."""
    learner = make_learner(network, make_optimizer(config.optimizer, config.learning_rate))
    n = len(labels)
    size = min(config.batch_size, n)
    steps = -(-n // size)
    history = []
    for epoch in range(config.epochs):
        rng = np.random.default_rng([config.seed, epoch])
        order = np.resize(rng.permutation(n), steps * size)  # the last batch is filled up: one size of batch is compiled once
        learner.start(0.0, 0.0)
        for step, chosen in enumerate(order.reshape(steps, size)):
            batch = distort(glyphs[chosen], rng) if config.augment else glyphs[chosen]
            rate = rate_at(config.schedule, config.learning_rate, epoch * steps + step, config.epochs * steps)
            learner.step(batch, labels[chosen], rate)
        loss, correct = learner.totals()
        if not np.isfinite(loss):
            raise UsageError(f"the loss is no number any more: try a smaller learning_rate than {config.learning_rate:g}")
        history.append({"loss": loss / len(order), "accuracy": correct / len(order)})
        learner.to_network()  # the next epoch starts from what the network holds
    return history


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed what Keras draws weights from, and give Python's and NumPy's generators back as they were."""
    before = random.getstate(), np.random.get_state()
    keras.utils.set_random_seed(seed)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
