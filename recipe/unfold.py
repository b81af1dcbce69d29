"""An exported network comes in; its weights stand in an untrained Keras network of the same shape, to go on training from.

`inkdigits export` folds batch normalisation into the convolution before it. Here it is unfolded: what each convolution gives is measured on
glyphs, and the normalisation set so that it changes nothing but can be trained.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from inkdigits import modelfile


def load_exported(network: Any, path: Path, glyphs: np.ndarray) -> None:
    """Put the weights of an .onnx file into `network`, one of `train.compact`.

    Args:
        network: built, its weights of no matter. It may have more convolutions than the file, each with as many channels as the one before.
        path: what `inkdigits export` made of such a network.
        glyphs: uint8 of shape (n, 28, 28): some hundred of what it is to be trained on.

    Raises:
        SystemExit: the file is of a network of another shape.
    """
    import torch

    from inkdigits.train.engine import forward

    data = path.read_bytes()
    modelfile.describe(data)
    graph = onnx.load_from_string(data).graph
    tensors = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    kept = [[tensors[name] for name in node.input[1:]] for node in graph.node if node.op_type in ("Conv", "Gemm")]
    weighty = [i for i, layer in enumerate(network.layers) if type(layer).__name__ in ("Conv2D", "Dense")]
    pictures = torch.from_numpy(glyphs[:, None].astype(np.float32) / 255)
    for i in weighty:
        layer = network.layers[i]
        if type(layer).__name__ == "Dense":
            layer.set_weights(kept.pop(0))
            continue
        high, wide, given_channels, channels = layer.kernel.shape
        if kept[0][0].shape == (channels, given_channels, high, wide):
            weights, bias = kept.pop(0)
        elif given_channels == channels:  # one more than the file has: it gives on what it gets
            weights, bias = np.zeros((channels, channels, high, wide), np.float32), np.zeros(channels, np.float32)
            weights[range(channels), range(channels), high // 2, wide // 2] = 1
        else:
            raise SystemExit(f"{path} is of a network of another shape: {kept[0][0].shape} where {channels} channels are needed")
        layer.set_weights([weights.transpose(2, 3, 1, 0)])  # (out, in, h, w) → (h, w, in, out)
        with torch.inference_mode():
            given = forward(_Part(network.layers[: i + 1]), pictures, False).numpy()
        mean, variance = given.mean((0, 2, 3)), given.var((0, 2, 3))
        norm = network.layers[i + 1]
        norm.set_weights([np.sqrt(variance + norm.epsilon), bias + mean, mean, variance])


class _Part:
    """The first layers of a network, as the engine runs them."""

    def __init__(self, layers: list[Any]) -> None:
        self.layers = layers
