"""Layers of a torch network come in, an ONNX graph of ours comes out: how the recipes that train with torch alone write their weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from inkdigits import __version__, modelfile
from inkdigits.train.export import seal

Shape = list[int | str]
TYPES = {"uint8": TensorProto.UINT8, "float": TensorProto.FLOAT}


class Graph:
    """An ONNX graph under way: every method adds a node and returns the name of what it gives."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._tensors: list[Any] = []

    def tensor(self, value: torch.Tensor | np.ndarray | float | list[float], kind: type = np.float32) -> str:
        """Keep a constant."""
        name = f"w{len(self._tensors)}"
        array = value.detach().numpy() if isinstance(value, torch.Tensor) else np.array(value)
        self._tensors.append(numpy_helper.from_array(np.ascontiguousarray(array, kind), name))
        return name

    def node(self, kind: str, inputs: list[str], name: str = "", **attributes: Any) -> str:
        """Add any operator that `modelfile` lets pass."""
        name = name or f"t{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def linear(self, at: str, layer: nn.Linear, name: str = "") -> str:
        """Add a dense layer."""
        return self.node("Gemm", [at, self.tensor(layer.weight), self.tensor(layer.bias)], name, transB=1)

    def convolution(self, at: str, layer: nn.Conv2d, norm: nn.BatchNorm2d | None = None, name: str = "") -> str:
        """Add a convolution, the batch normalisation that follows it folded in."""
        weights, bias = layer.weight, layer.bias
        if norm is not None:
            factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            weights, bias = weights * factor[:, None, None, None], norm.bias - norm.running_mean * factor
        side, pad = list(layer.kernel_size), list(layer.padding)
        inputs = [at, self.tensor(weights), self.tensor(bias)]
        return self.node("Conv", inputs, name, kernel_shape=side, strides=list(layer.stride), pads=pad * 2)

    def relu(self, at: str) -> str:
        """Add a ReLU."""
        return self.node("Relu", [at])

    def finish(self, name: str, inputs: dict[str, tuple[str, Shape]], outputs: dict[str, Shape], **describing: Any) -> bytes:
        """Return the whole file, our metadata in it."""
        graph = helper.make_graph(
            self._nodes,
            name,
            [helper.make_tensor_value_info(key, TYPES[kind], shape) for key, (kind, shape) in inputs.items()],
            [helper.make_tensor_value_info(key, TensorProto.FLOAT, shape) for key, shape in outputs.items()],
            self._tensors,
        )
        meta = {"format": modelfile.FORMAT, "name": name, "exporter": f"inkdigits {__version__}"} | describing
        return bytes(seal(graph, meta))
