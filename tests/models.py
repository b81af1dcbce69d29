"""Small models for tests: networks with fixed random weights, and ONNX files of them."""

from __future__ import annotations

import functools
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

import inkdigits.train  # noqa: F401 (chooses the backend: before Keras is imported)

# isort: split
import keras
from keras import layers

from inkdigits import modelfile

__all__ = ["convnet", "glyphs", "keras", "layers", "metadata", "onnx_bytes", "resealed", "shake", "without_maps"]


def shake(model: Any, seed: int = 0) -> Any:
    """Give every weight of a Keras model a value that is no default, so that nothing cancels out; variances stay positive."""
    random = np.random.default_rng(seed)
    values = []
    for variable, value in zip(model.weights, model.get_weights(), strict=True):
        if any(word in variable.path for word in ("variance", "gamma")):
            values.append(np.abs(random.normal(1, 0.3, value.shape)) + 0.05)
        else:  # kernels keep the size of their inputs, biases and means are small
            values.append(random.normal(0, 0.1 if value.ndim == 1 else 1.4 / np.sqrt(np.prod(value.shape[:-1])), value.shape))
    model.set_weights(values)
    return model


def convnet(classes: int = 10) -> Any:
    """Return a tiny convolutional network with fixed weights."""
    stack = [keras.Input((28, 28, 1)), layers.Conv2D(8, 5, 2, use_bias=False), layers.BatchNormalization(), layers.ReLU()]
    stack += [layers.GlobalAveragePooling2D(), layers.Dropout(0.2), layers.Dense(classes, activation="softmax")]
    return shake(keras.Sequential(stack, name="tiny"))


@functools.cache
def without_maps() -> bytes:
    """Return an exported network whose last layer does not add up maps, so that it cannot tell where it looked."""
    from inkdigits.train.export import to_onnx
    from inkdigits.train.networks import build

    return to_onnx(shake(build("convnet")), name="flat")


@functools.cache
def onnx_bytes(classes: int = 10) -> bytes:
    """Return `convnet` as an exported file."""
    from inkdigits.train.export import to_onnx

    return to_onnx(convnet(classes), name="tiny")


def resealed(data: bytes, change: Any = None, **meta: Any) -> bytes:
    """Return an exported file with its graph changed by `change(graph)` and metadata replaced, under a checksum that is right again."""
    import onnx

    from inkdigits.train.export import seal

    graph = onnx.load_from_string(data).graph
    if change is not None:
        change(graph)
    return seal(graph, modelfile.describe(data) | meta)


def glyphs(n: int, seed: int = 0) -> NDArray[np.uint8]:
    """Return glyphs of random strokes: uint8 of shape (n, 28, 28)."""
    import cv2

    random = np.random.default_rng(seed)
    pictures = np.zeros((n, 28, 28), np.uint8)
    for picture in pictures:
        points = random.integers(5, 23, (4, 1, 2)).astype(np.int32)
        cv2.polylines(picture, [points], False, 255, 2, cv2.LINE_AA)
    return pictures


def metadata(data: bytes) -> dict[str, Any]:
    """Return the metadata of a file as onnx itself reads it."""
    import onnx

    entries = {entry.key: entry.value for entry in onnx.load_from_string(data).metadata_props}
    return dict(json.loads(entries[modelfile.KEY]))
