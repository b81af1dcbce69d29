"""A Keras model comes in; the order of its calls, its paddings and its weights, as ONNX counts them, come out."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError

Array = NDArray[Any]


class LayerError(ModelError):
    """A network, or a layer of it, that `inkdigits export` cannot write."""


def nodes_in_order(model: Any, users: Counter[int]) -> list[Any]:
    """Return the model's calls of layers, each after those it needs; count in `users` how often each tensor is used."""
    given = {id(tensor) for tensor in model.inputs}
    order: list[Any] = []
    seen: set[int] = set()
    waiting = [(_maker(tensor), False) for tensor in model.outputs if id(tensor) not in given]
    while waiting:  # a loop, not recursion: networks may be deep
        node, is_ready = waiting.pop()
        if is_ready:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            users.update(id(tensor) for tensor in node.input_tensors)
            waiting.append((node, True))
            waiting += [(_maker(tensor), False) for tensor in node.input_tensors if id(tensor) not in given]
    users.update(id(tensor) for tensor in model.outputs)
    return order


def _maker(tensor: Any) -> Any:
    """Return the call of a layer that made a Keras tensor."""
    history = tensor._keras_history
    return history.operation._inbound_nodes[history.node_index]


def pads_of(
    padding: str, shape: tuple[int, ...], size: tuple[int, ...], strides: tuple[int, ...], dilation: tuple[int, ...]
) -> tuple[list[int], tuple[int, ...]]:
    """Return ONNX's pads (top, left, bottom, right) and the output's height and width.

    "same" puts the odd pixel below and right, as TensorFlow and Keras do; ONNX's own automatic padding is deprecated.
    """
    spans = [(k - 1) * d + 1 for k, d in zip(size, dilation, strict=True)]
    if padding == "valid":
        return [0, 0, 0, 0], tuple((n - span) // s + 1 for n, span, s in zip(shape, spans, strides, strict=True))
    if padding != "same":
        raise LayerError(f"padding {padding!r} cannot be exported; expected same or valid")
    outputs = tuple(-(-n // s) for n, s in zip(shape, strides, strict=True))
    lacking = [max((o - 1) * s + span - n, 0) for o, s, span, n in zip(outputs, strides, spans, shape, strict=True)]
    before = [n // 2 for n in lacking]
    return [*before, *(n - b for n, b in zip(lacking, before, strict=True))], outputs


def per_channel(kernel: Any) -> Array:
    """Return a depthwise kernel (h, w, channels, multiplier) as ONNX's (channels × multiplier, 1, h, w)."""
    values = as_float64(kernel)
    h, w, channels, multiplier = values.shape
    return values.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, h, w)


def storable(value: Array) -> Array:
    """Return a constant as the graph keeps it: float32, or whole numbers as they are."""
    return np.array(value, np.float32 if value.dtype.kind == "f" else value.dtype, order="C")


def as_float64(variable: Any) -> Array:
    """Return a Keras variable's values in double precision."""
    import keras

    return np.asarray(keras.ops.convert_to_numpy(variable), np.float64)
