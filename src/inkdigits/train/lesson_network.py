"""Networks come in; steps 5 to 7 of the lesson come out: the layers, what is to be learned, and the labels in the form of the answer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import plots
from ..report import Table
from .chapter import Chapter, Plot
from .lesson_data import Data, normalise, reshape
from .steps import Step

# Adam's usual rate, and what is compiled for the plain run of step 8
COMPILED = {"optimizer": "adam", "loss": "categorical_crossentropy", "metrics": ["accuracy"]}
TRIED = 256  # pictures with which the shape error is provoked


def network_step(step: Step, network: Any, picture: NDArray[np.uint8]) -> Chapter:
    """Step 5: the layers with their weights, as a table and as a picture, and the ten probabilities of an untrained network.

    Args:
        step: the step's texts.
        network: a `keras.Sequential` that has learned nothing.
        picture: the one that is shown to it, uint8 of shape (28, 28).
    """
    chapter = Chapter(step)
    chapter.fact("parameters (weights and biases)", f"{network.count_params():,}")
    probabilities = network.predict(normalise(reshape(picture)), verbose=0)[0]  # (1, 784) → (10,)
    chapter.fact("a picture's ten probabilities, before training", " ".join(f"{p:.2f}" for p in probabilities))
    chapter.fact("their sum", f"{probabilities.sum():.4f}")
    stack = stack_of(network)
    rows = [(layer.name, layer.size, layer.note.replace("\n", ", "), f"{layer.weights:,}" if layer.weights else "–") for layer in stack]
    chapter.tables.append(Table("The layers of the network.", ("layer", "numbers out", "", "weights and biases"), rows))
    caption = "The network: 784 numbers go in, ten probabilities come out. Between two layers, every number meets every neuron."
    chapter.plots.append(Plot("layers", plots.layers(stack, picture), caption, "svg"))
    return chapter


def stack_of(network: Any) -> list[plots.Layer]:
    """Return the layers of a `keras.Sequential` for a diagram; dropout is noted at the layer before it."""
    stack = [plots.Layer("input", int(np.prod(network.input_shape[1:])))]
    for layer in network.layers:
        if type(layer).__name__ == "Dropout":
            stack[-1] = stack[-1]._replace(note=f"{stack[-1].note}\ndropout {layer.rate:g}")
        elif layer.count_params():
            note = getattr(getattr(layer, "activation", None), "__name__", "")
            stack.append(plots.Layer(type(layer).__name__, int(layer.output.shape[-1]), note, layer.count_params()))
    return stack


def compile_step(step: Step) -> Chapter:
    """Step 6: what the plain run is compiled with, and what the loss costs at some probabilities."""
    chapter = Chapter(step)
    for name, value in COMPILED.items():
        chapter.fact(name, value if isinstance(value, str) else ", ".join(value))
    rows = [(f"{p:g}", f"{-np.log(p):.4f}") for p in (0.99, 0.9, 0.5, 0.1, 0.01)]
    chapter.tables.append(Table("What a guess costs.", ("probability given to the right digit", "loss"), rows))
    return chapter


def one_hot_step(step: Step, network: Any, data: Data) -> Chapter:
    """Step 7: labels as ten numbers, and the shape error that comes of forgetting it, really provoked.

    Args:
        step: the step's texts.
        network: one that may be spoilt: a `fit` that fails can leave a network without its weights.
        data: as `mnist.load_data` returns it.
    """
    from keras.utils import to_categorical

    (_, y), _ = data
    chapter = Chapter(step)
    chapter.fact("the error when it is forgotten", provoke_shape_error(network, data))
    encoded = to_categorical(y, 10)
    for label in (1, 5):
        row = encoded[int((y == label).argmax())]
        chapter.fact(f"{label} becomes", f"[{' '.join(str(int(v)) for v in row)}]")
    chapter.fact("shape of the labels, before and after", f"{y.shape} and {encoded.shape}")
    return chapter


def provoke_shape_error(network: Any, data: Data) -> str:
    """Return what Keras says when `network` is fitted to labels that are not one-hot; the network is spoilt by it."""
    (x, y), _ = data
    network.compile(**COMPILED)
    try:
        network.fit(normalise(reshape(x[:TRIED])), y[:TRIED], verbose=0)
    except Exception as error:  # each backend has its own kind of error for it
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return "none: this version of Keras put the labels right by itself"
