"""A Keras network comes in; an ONNX file of a few plain nodes comes out, with all that a reader must know of it in its metadata.

The file is what `inkdigits.Classifier` and `--model` take. Its graph does the preparation itself: uint8 glyphs of shape (n, 28, 28) go
in, `logits` (n, 10 or 11), `features` (n, f) and, for convolutional networks, `maps` (n, h, w, c) come out. `layers.py` beside this module
knows how each layer is written.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import __version__, modelfile
from ..classify import Classifier, as_glyphs, load_runtime, ten_glyphs
from ..errors import DataError, ModelError, UsageError
from ..files import safe_name, sha256, write_bytes, write_json

SCALE = 1 / 255  # what the networks of this package learn from: glyphs between 0 and 1
QUANTISING_GLYPHS = 1000  # glyphs that show the quantiser what ranges the layers' outputs have

Bytes = NDArray[np.uint8]


class Parity(NamedTuple):
    """How well two forms of one network agree.

    Attributes:
        n: glyphs compared.
        same: glyphs whose most probable class is the same.
        difference: largest difference of a probability.
    """

    n: int
    same: int
    difference: float


def export(model: Any, out: str | os.PathLike[str], *, int8: bool = False, **describing: Any) -> Path:
    """Write a network as an ONNX file that `Classifier.load` takes, and return the path.

    Args:
        model: a built Keras model, a run folder that `inkdigits train` left, or a `.keras` file.
        out: where to write it; an existing file is replaced in one step.
        int8: quantise weights and activations to whole numbers: a quarter of the size, a little less exact.
        **describing: further metadata, such as `name`, `temperature`, `no_digit_shift`, `threshold`, `trained`.

    Raises:
        ModelError: the network has a layer that cannot be written, is damaged, or does not end in 10 or 11 classes.
        UsageError: `out` does not end in `.onnx`.
    """
    path = Path(out)
    if path.suffix != ".onnx":
        raise UsageError(f"the model's file must end in .onnx, got {path.name!r}")
    model, described = _opened(model)
    data = to_onnx(model, int8=int8, **({"name": safe_name(path.stem)} | described | describing))
    return write_bytes(path, data)


def write_weights(model: Any, name: str, folder: str | os.PathLike[str], *, int8: bool = False, **describing: Any) -> tuple[Path, Path]:
    """Write NAME.onnx and, beside it, NAME.json with its checksum and metadata; return both paths.

    The package loads what stands in its `weights` folder this way.
    """
    model, described = _opened(model)
    return _write_pair(to_onnx(model, int8=int8, **(described | describing | {"name": name})), name, Path(folder))


def rewrite_weights(folder: str | os.PathLike[str], name: str, **describing: Any) -> tuple[Path, Path]:
    """Replace entries of the metadata of NAME.onnx, such as its calibration, in it and in NAME.json; the network stays as it is."""
    import onnx

    data = (Path(folder) / f"{name}.onnx").read_bytes()
    return _write_pair(seal(onnx.load_from_string(data).graph, modelfile.describe(data) | describing), name, Path(folder))


def _write_pair(data: bytes, name: str, folder: Path) -> tuple[Path, Path]:
    described = {"name": name, "sha256": sha256(data), "bytes": len(data)} | modelfile.describe(data)
    return write_bytes(folder / f"{name}.onnx", data), write_json(folder / f"{name}.json", described)


def to_onnx(model: Any, *, int8: bool = False, scale: float | None = None, **describing: Any) -> bytes:
    """Return a built Keras model as the bytes of an ONNX file; see `export`.

    Args:
        model: a built Sequential or functional model for glyphs of shape (28, 28), (28, 28, 1) or (784,), ending in 10 or 11 classes.
        int8: see `export`.
        scale: factor between glyphs of 0–255 and what the network takes; None takes 1/255, or 1 where the network rescales by itself.
        **describing: see `export`.
    """
    from .layers import Writer

    scale = network_scale(model) if scale is None else scale
    writer = Writer(model, scale)
    graph, outputs = writer.graph()
    probabilities = keras_probabilities(model, ten_glyphs(), scale)
    meta = {
        "format": modelfile.FORMAT,
        "name": model.name,
        "classes": writer.classes,
        "input": {"name": "glyphs", "dtype": "uint8", "shape": ["n", 28, 28]},
        "preparation": {"scale": scale, "shift": 0.0},
        "outputs": {name: ["n", *shape] for name, shape in outputs.items()},
        "parameters": int(model.count_params()),
        "precision": "fp32",
        "temperature": 1.0,
        "threshold": 0.0,
        "check": _check(probabilities),
        "keras_sha256": weights_sha256(model),
        "exporter": f"inkdigits {__version__}",
    } | describing
    data = seal(graph, meta)
    if int8:
        data = _quantised(data, meta)
    Classifier(data, name="the exported model", threads=1)  # it must load, and answer as Keras does, before anybody gets it
    return data


def seal(graph: Any, meta: dict[str, Any]) -> bytes:
    """Return an ONNX graph with metadata and checksum as the bytes of a file.

    Raises:
        DataError: the metadata holds what JSON cannot.
    """
    from onnx import helper

    from .layers import IR_VERSION, OPSET

    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="inkdigits", ir_version=IR_VERSION)
    try:
        text = json.dumps(meta, ensure_ascii=False, allow_nan=False, sort_keys=True)
    except (TypeError, ValueError) as error:
        raise DataError(f"the model's metadata must be plain JSON: {error}") from error
    digest = modelfile.fingerprint(modelfile.graph_bytes(model.SerializeToString()), text)
    helper.set_model_props(model, {modelfile.KEY: text, modelfile.DIGEST_KEY: digest})
    return bytes(model.SerializeToString())


def parity(model: Any, data: bytes, glyphs: Bytes) -> Parity:
    """Return how well an exported file agrees with the Keras model it was made from, on `glyphs` of shape (n, 28, 28)."""
    expected = keras_probabilities(model, glyphs)
    logits = Classifier(data, name="the exported model").logits(glyphs)
    found = _softmax(logits)
    same = int((found.argmax(axis=1) == expected.argmax(axis=1)).sum())
    return Parity(len(glyphs), same, float(np.abs(found - expected).max(initial=0.0)))


def keras_probabilities(model: Any, glyphs: Bytes, scale: float | None = None) -> NDArray[np.float32]:
    """Return what Keras itself says of glyphs: float32 of shape (n, 10) or (n, 11), rows summing to 1."""
    scale = network_scale(model) if scale is None else scale
    x = as_glyphs(glyphs).astype(np.float32) * np.float32(scale)
    answers = np.asarray(model.predict(x.reshape(-1, *model.input_shape[1:]), batch_size=500, verbose=0), np.float32)
    is_softmax = np.allclose(answers.sum(axis=1), 1, atol=1e-3) and answers.min(initial=0) >= 0
    return answers if is_softmax else _softmax(answers)


def network_scale(model: Any) -> float:
    """Return the factor between glyphs of 0–255 and the network's input: 1 where its first layer rescales, else 1/255."""
    first = next((layer for layer in model.layers if type(layer).__name__ != "InputLayer"), None)
    return 1.0 if type(first).__name__ == "Rescaling" else SCALE


def weights_sha256(model: Any) -> str:
    """Return the SHA-256 over a Keras model's weights: shapes and float32 values in the model's order, names left out."""
    digest = hashlib.sha256()
    for value in model.get_weights():
        digest.update(repr(value.shape).encode())
        digest.update(np.ascontiguousarray(value, np.float32).tobytes())
    return digest.hexdigest()


def _opened(model: Any) -> tuple[Any, dict[str, Any]]:
    """Return the Keras model and what its run folder tells of its training."""
    if not isinstance(model, str | os.PathLike):
        return model, {}
    from .load import load_model

    path = Path(model)
    loaded = load_model(path)
    metrics = path / "metrics.json"
    if not metrics.is_file():
        return loaded, {}
    try:
        trained = json.loads(metrics.read_bytes())
    except (OSError, ValueError) as error:
        raise DataError(f"{metrics} is damaged: {error}") from error
    return loaded, {"trained": trained, "network": trained.get("network")} if isinstance(trained, dict) else {}


def _check(probabilities: NDArray[np.float32]) -> dict[str, list[Any]]:
    """Return what `Classifier` compares itself with: the answers to the ten built-in glyphs, among the ten digits."""
    digits = probabilities[:, :10] / np.maximum(probabilities[:, :10].sum(axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return {"answers": digits.argmax(axis=1).tolist(), "probabilities": [round(float(p), 6) for p in digits.max(axis=1)]}


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    weights = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)


def _quantised(data: bytes, meta: dict[str, Any]) -> bytes:
    """Return the model with weights and activations in eight bits; MNIST's training pictures show the ranges.

    The last layer stays in floats: it is small, and the confidences come from it.
    """
    import tempfile

    import onnx

    load_runtime()  # tells nobody, if it is loaded so
    from onnxruntime import quantization

    from ..mnist import load_data

    (x_train, _), _ = load_data()
    source = onnx.load_from_string(data)
    onnx.helper.set_model_props(source, {"onnx.quant.pre_process": "onnxruntime.quant"})  # nothing to prepare: the graph is written folded
    last = next(node.name for node in source.graph.node if "logits" in node.output)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "int8.onnx"
        try:
            quantization.quantize_static(
                source,
                target,
                _Glyphs(x_train[:QUANTISING_GLYPHS]),
                quant_format=quantization.QuantFormat.QDQ,
                per_channel=True,
                activation_type=quantization.QuantType.QUInt8,
                weight_type=quantization.QuantType.QInt8,
                nodes_to_exclude=[last],
            )
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"the network cannot be quantised: {error}") from error
        graph = onnx.load(target).graph
    draft = seal(graph, meta | {"precision": "int8", "check": None})
    logits = Classifier(draft, name="the quantised model", threads=1).logits(ten_glyphs())
    return seal(graph, meta | {"precision": "int8", "check": _check(_softmax(logits))})


class _Glyphs:
    """Glyphs in batches, as the quantiser asks for them."""

    def __init__(self, glyphs: Bytes) -> None:
        self._batches = iter(np.array_split(glyphs, max(1, len(glyphs) // 100)))

    def get_next(self) -> dict[str, Bytes] | None:
        """Return the next batch by input name, None after the last."""
        batch = next(self._batches, None)
        return None if batch is None else {"glyphs": batch}
