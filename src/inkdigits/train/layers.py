"""Layers of a Keras network come in; the nodes of an ONNX graph come out, a handful of lines a layer.

Pictures run through the graph as (n, channels, height, width), the order ONNX Runtime is quick in; Keras's own order (n, height, width,
channels) is restored where it can be seen: before flattening and in the output `maps`. Batch normalisation right after a convolution or a
dense layer is folded into its weights; dropout, noise and augmentation do nothing when a network is used, and are left out.

Source: the operators' definitions of ONNX (opset 20), and the layers' documentation of Keras 3.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .structure import LayerError, as_float64, nodes_in_order, pads_of, per_channel, storable

OPSET = 20  # the first with Gelu; ONNX Runtime 1.17 and later run it
IR_VERSION = 9
TRAINING_ONLY = {
    "ActivityRegularization", "AlphaDropout", "CutMix", "Dropout", "GaussianDropout", "GaussianNoise", "Identity", "InputLayer",
    "MixUp", "RandomBrightness", "RandomContrast", "RandomElasticTransform", "RandomErasing", "RandomFlip", "RandomGaussianBlur",
    "RandomInvert", "RandomPerspective", "RandomRotation", "RandomShear", "RandomTranslation", "RandomZoom", "SpatialDropout1D",
    "SpatialDropout2D",
}  # fmt: skip
# activations that are one node without settings
PLAIN = {"relu": "Relu", "tanh": "Tanh", "sigmoid": "Sigmoid", "hard_silu": "HardSwish", "softplus": "Softplus", "selu": "Selu"}

Array = NDArray[Any]


@dataclass(frozen=True)
class Flow:
    """A tensor on its way through the graph.

    Attributes:
        name: its name in the ONNX graph.
        shape: its shape in Keras's order, without the batch axis; three axes are (height, width, channels) and run as (channels, height,
            width).
        weights: kernel and bias of the layer that made it, as long as no activation has been applied; batch normalisation folds into them.
    """

    name: str
    shape: tuple[int, ...]
    weights: tuple[str, str] | None = None


class Writer:
    """Writes one Keras model as an ONNX graph."""

    def __init__(self, model: Any, scale: float) -> None:
        """Take a built Sequential or functional model, and the factor between glyphs of 0–255 and its input."""
        self._nodes: list[Any] = []
        self._constants: dict[str, Array] = {}
        self._features: Flow | None = None
        self._maps: Flow | None = None
        self._convolved = False
        self._check_model(model)
        self._logits = self._model(model, [self._prepared(model, scale)], is_last=True)
        if self._logits.shape not in ((10,), (11,)):
            raise LayerError(f"expected a network that ends in 10 or 11 classes, got an output of shape {self._logits.shape}")
        self.classes = self._logits.shape[0]

    def graph(self) -> tuple[Any, dict[str, tuple[int, ...]]]:
        """Return the graph and its outputs' shapes without the batch axis."""
        from onnx import TensorProto, helper, numpy_helper

        outputs = {"logits": self._logits.shape}
        names = {self._logits.name: "logits"}
        if self._features is not None and self._features.name not in names:
            names[self._features.name] = "features"
            outputs["features"] = self._features.shape
        if self._maps is not None:
            maps = self._in_keras_order(self._maps)
            names[maps] = "maps"
            outputs["maps"] = self._maps.shape
        for node in self._nodes:
            node.input[:] = [names.get(name, name) for name in node.input]
            node.output[:] = [names.get(name, name) for name in node.output]
        given = helper.make_tensor_value_info("glyphs", TensorProto.UINT8, ["n", 28, 28])
        made = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *shape]) for name, shape in outputs.items()]
        constants = [numpy_helper.from_array(storable(value), name) for name, value in self._constants.items()]
        return helper.make_graph(self._nodes, "inkdigits", [given], made, constants), outputs

    def _check_model(self, model: Any) -> None:
        inputs, outputs = getattr(model, "inputs", None), getattr(model, "outputs", None)
        if not inputs or not outputs:
            raise LayerError("expected a built Sequential or functional Keras model: give it a keras.Input, or call it once")
        if len(inputs) != 1 or len(outputs) != 1:
            raise LayerError(f"expected a network with one input and one output, got {len(inputs)} and {len(outputs)}")

    def _prepared(self, model: Any, scale: float) -> Flow:
        """Return the network's input: glyphs as floats, scaled, in the shape it wants."""
        shape = tuple(model.inputs[0].shape[1:])
        if shape not in ((784,), (28, 28), (28, 28, 1)):
            raise LayerError(f"expected a network for glyphs of shape (28, 28), (28, 28, 1) or (784,), got one for {shape}")
        name = self._add("Cast", ["glyphs"], to=1)
        if scale != 1:
            name = self._add("Mul", [name, self._constant(np.float32(scale))])
        return self._from_keras_order(name, shape) if shape != (28, 28) else Flow(name, shape)

    def _model(self, model: Any, flows: list[Flow], is_last: bool) -> Flow:
        """Write a model, or a model inside a model, and return what it gives."""
        done = {id(tensor): flow for tensor, flow in zip(model.inputs, flows, strict=True)}
        users: Counter[int] = Counter()
        order = nodes_in_order(model, users)
        output = model.outputs[0]
        for node in order:
            layer, inputs = node.operation, node.input_tensors
            taken = [done[id(t)] for t in inputs]
            taken = [f if users[id(t)] == 1 else replace(f, weights=None) for f, t in zip(taken, inputs, strict=True)]
            ends = is_last and any(t is output for t in node.outputs)
            done[id(node.outputs[0])] = self._layer(layer, taken, ends)
        return done[id(output)]

    def _layer(self, layer: Any, flows: list[Flow], ends: bool) -> Flow:
        kind = type(layer).__name__
        if kind in TRAINING_ONLY:
            return flows[0]
        if getattr(layer, "data_format", "channels_last") not in ("channels_last", None):
            raise LayerError(f"layer {layer.name!r}: only data_format channels_last can be exported")
        if kind in ("Sequential", "Functional"):
            return self._model(layer, flows, ends)
        if kind not in HANDLERS:
            raise LayerError(f"layer {layer.name!r} is a {kind}, which cannot be exported; these can: {', '.join(sorted(HANDLERS))}")
        flow = HANDLERS[kind](self, layer, flows)
        activation = getattr(layer, "activation", None)
        if activation is not None:
            flow = self._activation(layer, flow, activation, ends)
        elif ends and kind == "Softmax":
            return flows[0]
        if kind.endswith(("Conv2D", "DepthwiseConv2D")):
            self._convolved = True
        if self._convolved and len(flow.shape) == 3 and flow.shape[0] * flow.shape[1] > 1 and kind != "ZeroPadding2D":
            self._maps = flow
        return flow

    # --- layers -----------------------------------------------------------------------------------------------------------------

    def _dense(self, layer: Any, flows: list[Flow]) -> Flow:
        (flow,) = flows
        if len(flow.shape) != 1:
            raise LayerError(
                f"layer {layer.name!r}: a dense layer needs vectors to be exported, not shape {flow.shape}; put a Flatten before it"
            )
        self._features = flow
        kernel = as_float64(layer.kernel)  # (in, out)
        bias = as_float64(layer.bias) if layer.use_bias else np.zeros(kernel.shape[1])
        names = self._constant(kernel), self._constant(bias)
        return Flow(self._add("Gemm", [flow.name, *names]), (kernel.shape[1],), names)

    def _conv(self, layer: Any, flows: list[Flow]) -> Flow:
        kernel = as_float64(layer.kernel).transpose(3, 2, 0, 1)  # (h, w, in, out) → (out, in, h, w)
        return self._convolution(layer, flows[0], kernel, layer.groups, layer.bias if layer.use_bias else None)

    def _depthwise(self, layer: Any, flows: list[Flow]) -> Flow:
        return self._convolution(layer, flows[0], per_channel(layer.kernel), flows[0].shape[-1], layer.bias if layer.use_bias else None)

    def _separable(self, layer: Any, flows: list[Flow]) -> Flow:
        depthwise = self._convolution(layer, flows[0], per_channel(layer.depthwise_kernel), flows[0].shape[-1], None)
        pointwise = as_float64(layer.pointwise_kernel).transpose(3, 2, 0, 1)
        return self._convolution(layer, depthwise, pointwise, 1, layer.bias if layer.use_bias else None, is_pointwise=True)

    def _convolution(self, layer: Any, flow: Flow, kernel: Array, groups: int, bias: Any, is_pointwise: bool = False) -> Flow:
        """Write one convolution; `kernel` of shape (out, in / groups, height, width)."""
        strides, dilation = ((1, 1), (1, 1)) if is_pointwise else (tuple(layer.strides), tuple(layer.dilation_rate))
        size = kernel.shape[2:]
        pads, spatial = pads_of("valid" if is_pointwise else layer.padding, flow.shape[:2], size, strides, dilation)
        biases = np.zeros(len(kernel)) if bias is None else as_float64(bias)
        names = self._constant(kernel), self._constant(biases)
        settings = {"kernel_shape": size, "strides": strides, "dilations": dilation, "pads": pads, "group": groups}
        return Flow(self._add("Conv", [flow.name, *names], **settings), (*spatial, len(kernel)), names)

    def _batch_norm(self, layer: Any, flows: list[Flow]) -> Flow:
        (flow,) = flows
        axis = layer.axis if isinstance(layer.axis, int) else layer.axis[0]
        if axis not in (-1, len(flow.shape)):
            raise LayerError(f"layer {layer.name!r}: only batch normalisation over the last axis can be exported")
        scale = 1 / np.sqrt(as_float64(layer.moving_variance) + layer.epsilon)
        if layer.scale:
            scale = scale * as_float64(layer.gamma)
        shift = (as_float64(layer.beta) if layer.center else 0) - as_float64(layer.moving_mean) * scale
        if flow.weights is None:
            return self._affine(flow, scale, shift)
        kernel, bias = flow.weights
        per_output = scale if len(flow.shape) == 1 else scale[:, None, None, None]
        self._constants[kernel] = self._constants[kernel] * per_output
        self._constants[bias] = self._constants[bias] * scale + shift
        return flow

    def _affine(self, flow: Flow, scale: Array, shift: Array) -> Flow:
        shape = (-1, 1, 1) if len(flow.shape) == 3 else (-1,)
        name = self._add("Mul", [flow.name, self._constant(scale.reshape(shape))])
        return Flow(self._add("Add", [name, self._constant(shift.reshape(shape))]), flow.shape)

    def _rescaling(self, layer: Any, flows: list[Flow]) -> Flow:
        name = self._add("Mul", [flows[0].name, self._constant(np.float32(layer.scale))])
        return Flow(self._add("Add", [name, self._constant(np.float32(layer.offset))]), flows[0].shape)

    def _pool(self, layer: Any, flows: list[Flow]) -> Flow:
        (flow,) = flows
        size, strides = tuple(layer.pool_size), tuple(layer.strides or layer.pool_size)
        pads, spatial = pads_of(layer.padding, flow.shape[:2], size, strides, (1, 1))
        kind = "MaxPool" if type(layer).__name__.startswith("Max") else "AveragePool"
        return Flow(self._add(kind, [flow.name], kernel_shape=size, strides=strides, pads=pads), (*spatial, flow.shape[2]))

    def _global_pool(self, layer: Any, flows: list[Flow]) -> Flow:
        kind = "GlobalMaxPool" if "Max" in type(layer).__name__ else "GlobalAveragePool"
        channels = flows[0].shape[2]
        name = self._add(kind, [flows[0].name])
        return Flow(name, (1, 1, channels)) if layer.keepdims else Flow(self._reshape(name, (channels,)), (channels,))

    def _zero_padding(self, layer: Any, flows: list[Flow]) -> Flow:
        (top, bottom), (left, right) = layer.padding
        h, w, c = flows[0].shape
        pads = self._constant(np.array([0, 0, top, left, 0, 0, bottom, right], np.int64))
        return Flow(self._add("Pad", [flows[0].name, pads]), (h + top + bottom, w + left + right, c))

    def _flatten(self, layer: Any, flows: list[Flow]) -> Flow:
        size = math.prod(flows[0].shape)
        return Flow(self._reshape(self._in_keras_order(flows[0]), (size,)), (size,))

    def _reshape_layer(self, layer: Any, flows: list[Flow]) -> Flow:
        shape, size = list(layer.target_shape), math.prod(flows[0].shape)
        if -1 in shape:
            shape[shape.index(-1)] = size // -math.prod(shape)
        return self._from_keras_order(self._in_keras_order(flows[0]), tuple(shape))

    def _merge(self, layer: Any, flows: list[Flow]) -> Flow:
        operator = {"Add": "Add", "Multiply": "Mul", "Subtract": "Sub"}[type(layer).__name__]
        if len(flows) < 2 or len({len(f.shape) for f in flows}) != 1:
            raise LayerError(f"layer {layer.name!r}: {type(layer).__name__} is exported for two or more tensors with as many axes each")
        name = flows[0].name
        for flow in flows[1:]:
            name = self._add(operator, [name, flow.name])
        return Flow(name, tuple(np.broadcast_shapes(*(f.shape for f in flows))))

    def _concatenate(self, layer: Any, flows: list[Flow]) -> Flow:
        axes = len(flows[0].shape)
        if layer.axis not in (-1, axes):
            raise LayerError(f"layer {layer.name!r}: only concatenation over the last axis can be exported")
        channels = sum(f.shape[-1] for f in flows)
        return Flow(self._add("Concat", [f.name for f in flows], axis=1), (*flows[0].shape[:-1], channels))

    def _relu_layer(self, layer: Any, flows: list[Flow]) -> Flow:
        (flow,) = flows
        if layer.threshold:
            raise LayerError(f"layer {layer.name!r}: a ReLU with a threshold cannot be exported")
        name = (
            self._add("LeakyRelu", [flow.name], alpha=float(layer.negative_slope))
            if layer.negative_slope
            else self._add("Relu", [flow.name])
        )
        if layer.max_value is not None:
            lowest, highest = self._constant(np.float32(-np.inf)), self._constant(np.float32(layer.max_value))
            name = self._add("Clip", [name, lowest, highest])
        return Flow(name, flow.shape)

    def _leaky_relu_layer(self, layer: Any, flows: list[Flow]) -> Flow:
        return Flow(self._add("LeakyRelu", [flows[0].name], alpha=float(layer.negative_slope)), flows[0].shape)

    def _pass(self, layer: Any, flows: list[Flow]) -> Flow:
        return flows[0]

    # --- activations ------------------------------------------------------------------------------------------------------------

    def _activation(self, layer: Any, flow: Flow, function: Any, ends: bool) -> Flow:
        import keras

        name = getattr(function, "__name__", "?")
        try:
            is_keras_own = keras.activations.get(name) is function
        except ValueError:
            is_keras_own = False
        if is_keras_own and name == "linear":
            return flow
        if is_keras_own and name == "softmax" and ends:
            return flow  # the graph gives logits: whoever calibrates needs them
        write = ACTIVATIONS.get(name) if is_keras_own else None
        if write is None or ends:
            raise LayerError(
                f"layer {layer.name!r}: the activation {name} cannot be exported here; "
                + ("a network ends in softmax or linear" if ends else f"these can: {', '.join(sorted(ACTIVATIONS))}")
            )
        return Flow(write(self, flow.name), flow.shape)

    def _relu6(self, name: str) -> str:
        return self._add("Clip", [name, self._constant(np.float32(0)), self._constant(np.float32(6))])

    def _silu(self, name: str) -> str:
        return self._add("Mul", [name, self._add("Sigmoid", [name])])

    # --- nodes ------------------------------------------------------------------------------------------------------------------

    def _add(self, operator: str, inputs: list[str], **settings: Any) -> str:
        """Add a node and return the name of its output."""
        from onnx import helper

        name = f"{operator.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [name], name=name, **settings))
        return name

    def _constant(self, value: Array | np.float32) -> str:
        """Add a constant and return its name; floats stay in double precision until the graph is made: folding costs nothing."""
        name = f"constant_{len(self._constants)}"
        self._constants[name] = np.asarray(value)
        return name

    def _reshape(self, name: str, shape: tuple[int, ...]) -> str:
        return self._add("Reshape", [name, self._constant(np.array([-1, *shape], np.int64))])

    def _in_keras_order(self, flow: Flow) -> str:
        """Return the tensor as (n, h, w, c) where it runs as (n, c, h, w)."""
        return self._add("Transpose", [flow.name], perm=[0, 2, 3, 1]) if len(flow.shape) == 3 else flow.name

    def _from_keras_order(self, name: str, shape: tuple[int, ...]) -> Flow:
        """Return values that lie in Keras's order as a tensor of `shape`."""
        if len(shape) != 3:
            return Flow(self._reshape(name, shape), shape)
        h, w, c = shape
        if c == 1:  # one channel: both orders are the same values in the same places
            return Flow(self._reshape(name, (1, h, w)), shape)
        return Flow(self._add("Transpose", [self._reshape(name, shape)], perm=[0, 3, 1, 2]), shape)


Handler = Callable[[Writer, Any, list[Flow]], Flow]
HANDLERS: dict[str, Handler] = {
    "Activation": Writer._pass,
    "Add": Writer._merge,
    "AveragePooling2D": Writer._pool,
    "BatchNormalization": Writer._batch_norm,
    "Concatenate": Writer._concatenate,
    "Conv2D": Writer._conv,
    "Dense": Writer._dense,
    "DepthwiseConv2D": Writer._depthwise,
    "Flatten": Writer._flatten,
    "GlobalAveragePooling2D": Writer._global_pool,
    "GlobalMaxPooling2D": Writer._global_pool,
    "LeakyReLU": Writer._leaky_relu_layer,
    "MaxPooling2D": Writer._pool,
    "Multiply": Writer._merge,
    "ReLU": Writer._relu_layer,
    "Rescaling": Writer._rescaling,
    "Reshape": Writer._reshape_layer,
    "SeparableConv2D": Writer._separable,
    "Softmax": Writer._pass,
    "Subtract": Writer._merge,
    "ZeroPadding2D": Writer._zero_padding,
}
ACTIVATIONS: dict[str, Callable[[Writer, str], str]] = {
    "elu": lambda w, x: w._add("Elu", [x]),
    "gelu": lambda w, x: w._add("Gelu", [x]),
    "hard_sigmoid": lambda w, x: w._add("HardSigmoid", [x], alpha=1 / 6, beta=0.5),
    "leaky_relu": lambda w, x: w._add("LeakyRelu", [x], alpha=0.2),
    "relu6": Writer._relu6,
    "silu": Writer._silu,
} | {name: (lambda w, x, operator=operator: w._add(operator, [x])) for name, operator in PLAIN.items()}
