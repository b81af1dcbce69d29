"""A network's name and its options come in; a Keras network that has learned nothing comes out.

Every network takes values between 0 and 1 and ends with one probability a class: `tutorial` takes vectors of shape (n, 784), the others
pictures of shape (n, 28, 28, 1).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras
import numpy as np
from keras import layers as kl
from numpy.typing import NDArray

from ..errors import UsageError
from .compact import STACKS, build_compact

SIZE = 28
PIXELS = SIZE * SIZE
CLASSES = 10
HIDDEN = (1024, 128, 64)
ACTIVATIONS = ("relu", "tanh", "relu")


def build_tutorial(layers: Sequence[int] = HIDDEN, dropout: float = 0.2, activation: str | None = None) -> keras.Sequential:
    """Return the lesson's dense network: 784-1024-128-64-10, 943,946 parameters.

    Args:
        layers: neurons of each hidden layer.
        dropout: the share of a hidden layer's outputs that is left out at each step of training, 0 up to but not including 1.
        activation: of all hidden layers; None for the lesson's relu, tanh, relu (and relu for what comes after the third).
    """
    stack: list[Any] = [keras.Input((PIXELS,))]
    for i, neurons in enumerate(layers):
        own = ACTIVATIONS[i] if i < len(ACTIVATIONS) else "relu"
        stack.append(kl.Dense(neurons, activation=activation or own))
        if dropout:
            stack.append(kl.Dropout(dropout))
    stack.append(kl.Dense(CLASSES, activation="softmax"))
    return keras.Sequential(stack, name="tutorial")


def build_convnet() -> keras.Sequential:
    """Return a small convolutional network in the lesson's frame: three convolutions, then two dense layers; 99,034 parameters.

    The first convolution moves on by two pixels, which costs little and makes an epoch three times as quick: most of the work lies where
    pictures are large.
    """
    stack: list[Any] = [keras.Input((SIZE, SIZE, 1))]
    stack += [*_convolution(16, 5, strides=2, padding="valid")]  # (28, 28, 1) → (12, 12, 16)
    stack += [*_convolution(32, 3, padding="same"), kl.MaxPooling2D(2)]  # → (6, 6, 32)
    stack += [*_convolution(64, 3, padding="same"), kl.MaxPooling2D(2)]  # → (3, 3, 64)
    stack += [kl.Flatten(), kl.Dense(128, activation="relu"), kl.Dropout(0.3), kl.Dense(CLASSES, activation="softmax")]
    return keras.Sequential(stack, name="convnet")


def _convolution(channels: int, side: int, **settings: Any) -> list[Any]:
    # quicker to forget than Keras's 0.99, as a training of a few epochs needs it
    return [kl.Conv2D(channels, side, use_bias=False, **settings), kl.BatchNormalization(momentum=0.9), kl.ReLU()]


BUILDERS: dict[str, Callable[..., keras.Sequential]] = {
    "tutorial": build_tutorial,
    "convnet": build_convnet,
    **{name: partial(build_compact, name) for name in STACKS},
}


def build(name: str, **options: Any) -> keras.Sequential:
    """Return the network called `name`, untrained.

    Args:
        name: one of `BUILDERS`.
        options: the network's own: `layers`, `dropout`, `activation` of `tutorial`.

    Raises:
        UsageError: there is no such network, or it has no such option.
    """
    if name not in BUILDERS:
        raise UsageError(f"network must be one of {', '.join(BUILDERS)}, got {name!r}")
    if options and name != "tutorial":
        raise UsageError(f"{', '.join(options)}: only the network tutorial takes these, not {name}")
    return BUILDERS[name](**options)


def to_input(glyphs: NDArray[np.uint8], shape: tuple[int | None, ...]) -> NDArray[np.uint8]:
    """Return glyphs of shape (n, 28, 28) in the shape a network takes, values as they are.

    Args:
        glyphs: pictures, 0 paper to 255 ink.
        shape: the network's `input_shape`, such as (None, 784).
    """
    if math.prod(side or 1 for side in shape[1:]) != PIXELS:
        raise UsageError(f"the network takes {shape[1:]}, not pictures of {SIZE} × {SIZE}")
    return glyphs.reshape(-1, *(side or 1 for side in shape[1:]))  # (n, 28, 28) → (n, 784) or (n, 28, 28, 1)
