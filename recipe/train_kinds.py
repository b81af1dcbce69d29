"""Labelled candidates come in; the weights that tell digits from parts, marks and dirt come out, with a table of what they confuse.

    python recipe/train_kinds.py candidates --out runs/kinds [--epochs 8] [--weights src/inkdigits/weights]

Keras on torch. The held shards, of hands and fonts that never train, choose nothing but the temperature.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
from keras import layers
from onnx import TensorProto, helper, numpy_helper

from inkdigits import __version__, modelfile
from inkdigits.files import sha256, write_bytes, write_json
from inkdigits.kinds import KINDS
from inkdigits.surroundings import CHANNELS, SIDE
from inkdigits.train.export import seal

STACK = ((16, 5, 2), (32, 3, 2), (48, 3, 1), (64, 3, 2), (96, 3, 1))  # channels, side, stride
DENSE = 64
SMOOTHING = 0.02


def build() -> keras.Model:
    """Return the network, untrained: (40, 40, 3) → 9."""
    stack: list[Any] = [keras.Input((SIDE, SIDE, CHANNELS))]
    for channels, side, stride in STACK:
        stack += [layers.ZeroPadding2D(side // 2), layers.Conv2D(channels, side, stride, use_bias=False)]
        stack += [layers.BatchNormalization(momentum=0.97), layers.ReLU()]
    stack += [layers.Flatten(), layers.Dropout(0.3), layers.Dense(DENSE, activation="relu"), layers.Dropout(0.2), layers.Dense(len(KINDS))]
    return keras.Sequential(stack, name="kinds")


def load(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return all shards of one name: uint8 of shape (n, 40, 40, 3) and (n,)."""
    parts = [np.load(path) for path in sorted(folder.glob(f"{name}-*.npz"))]
    return np.concatenate([p["x"] for p in parts]).transpose(0, 2, 3, 1), np.concatenate([p["y"] for p in parts])


class Batches(keras.utils.PyDataset):
    """Candidates in a new order each epoch, shifted, thinned and rescaled a little, their line heights told less exactly."""

    def __init__(self, x: np.ndarray, y: np.ndarray, size: int, seed: int) -> None:
        super().__init__()
        self.x, self.y, self.size, self.rng = x, y, size, np.random.default_rng(seed)
        self.on_epoch_end()

    def __len__(self) -> int:
        return len(self.y) // self.size

    def on_epoch_end(self) -> None:
        self.order = self.rng.permutation(len(self.y))

    def __getitem__(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        which = np.sort(self.order[i * self.size : (i + 1) * self.size])
        x = self.x[which].astype(np.float32) / 255
        dx, dy = self.rng.integers(-1, 2, 2)
        x[..., :2] = np.roll(x[..., :2], (dy, dx), (1, 2))
        # how far ink reaches beside the stroke depends on threshold, blur and JPEG
        x[..., :2] **= self.rng.choice([0.6, 1.0, 1.0, 1.5], (len(x), 1, 1, 1))
        x[..., 2] += self.rng.normal(0, 0.05, (len(x), 1, 1))
        return x, keras.ops.convert_to_numpy(keras.ops.one_hot(self.y[which], len(KINDS)))


def to_onnx(model: keras.Model, **describing: Any) -> bytes:
    """Return the network as ONNX: uint8 `candidates` of shape (n, 3, 40, 40) → `kinds`, probabilities of shape (n, 9)."""
    nodes, tensors = [], []

    def tensor(name: str, value: np.ndarray) -> str:
        tensors.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(kind: str, inputs: list[str], **attributes: Any) -> str:
        name = f"t{len(nodes)}"
        nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    at = node("Cast", ["candidates"], to=TensorProto.FLOAT)
    at = node("Mul", [at, tensor("scale", np.array(1 / 255, np.float32))])
    convolutions = [layer for layer in model.layers if isinstance(layer, layers.Conv2D)]
    norms = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
    for i, (convolution, norm, (_, side, stride)) in enumerate(zip(convolutions, norms, STACK, strict=True)):
        gamma, beta, mean, variance = norm.get_weights()
        factor = gamma / np.sqrt(variance + norm.epsilon)
        weights = (convolution.get_weights()[0] * factor).transpose(3, 2, 0, 1)  # (h, w, in, out) → (out, in, h, w)
        inputs = [at, tensor(f"w{i}", weights.astype(np.float32)), tensor(f"b{i}", (beta - mean * factor).astype(np.float32))]
        at = node("Relu", [node("Conv", inputs, kernel_shape=[side, side], strides=[stride, stride], pads=[side // 2] * 4)])
    at = node("Flatten", [node("Transpose", [at], perm=[0, 2, 3, 1])])
    dense = [layer.get_weights() for layer in model.layers if isinstance(layer, layers.Dense)]
    at = node("Relu", [node("Gemm", [at, tensor("w8", dense[0][0]), tensor("b8", dense[0][1])])])
    nodes.append(helper.make_node("Gemm", [at, tensor("w9", dense[1][0]), tensor("b9", dense[1][1])], ["kinds"]))
    graph = helper.make_graph(
        nodes,
        "kinds",
        [helper.make_tensor_value_info("candidates", TensorProto.UINT8, ["n", CHANNELS, SIDE, SIDE])],
        [helper.make_tensor_value_info("kinds", TensorProto.FLOAT, ["n", len(KINDS)])],
        tensors,
    )
    meta = {"format": modelfile.FORMAT, "name": "kinds", "kinds": list(KINDS), "exporter": f"inkdigits {__version__}"} | describing
    return bytes(seal(graph, meta))


def temperature(logits: np.ndarray, y: np.ndarray) -> float:
    """Return the temperature of least negative log-likelihood."""
    tried = np.exp(np.linspace(-0.7, 1.0, 60))

    def loss(t: float) -> float:
        z = logits / t
        z = z - z.max(1, keepdims=True)
        return float((np.log(np.exp(z).sum(1)) - z[np.arange(len(y)), y]).mean())

    return float(min(tried, key=loss))


def main() -> None:
    """Train, tell what is confused, export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("candidates", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--weights", type=Path)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(args.seed)
    x, y = load(args.candidates, "train")
    held_x, held_y = load(args.candidates, "held")
    print(f"{len(y):,} candidates, {len(held_y):,} held back:", {k: int((y == i).sum()) for i, k in enumerate(KINDS)}, flush=True)
    batches = Batches(x, y, 256, args.seed)
    model = build()
    steps = args.epochs * len(batches)
    rate = keras.optimizers.schedules.CosineDecay(2e-4, steps - steps // 10, warmup_target=2e-3, warmup_steps=steps // 10)
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=SMOOTHING)
    model.compile(keras.optimizers.AdamW(rate, weight_decay=0.01), loss, metrics=["accuracy"])
    held = (held_x.astype(np.float32) / 255, keras.ops.convert_to_numpy(keras.ops.one_hot(held_y, len(KINDS))))
    model.fit(batches, epochs=args.epochs, validation_data=held, validation_batch_size=512, verbose=2)
    model.save(args.out / "kinds.keras")
    logits = model.predict(held[0], batch_size=512, verbose=0)
    found = logits.argmax(1)
    confusion = [[int(((held_y == i) & (found == j)).sum()) for j in range(len(KINDS))] for i in range(len(KINDS))]
    print("true \\ found", *KINDS)
    for kind, row in zip(KINDS, confusion, strict=True):
        print(kind, row)
    told = {
        "epochs": args.epochs,
        "seed": args.seed,
        "candidates": len(y),
        "held": len(held_y),
        "accuracy": float((found == held_y).mean()),
    }
    best = temperature(logits, held_y)
    print(told, "temperature", best)
    write_json(args.out / "kinds.json", told | {"confusion": confusion})
    if args.weights:
        data = to_onnx(model, temperature=best, trained=told)
        write_bytes(args.weights / "kinds.onnx", data)
        meta = modelfile.describe(data)
        write_json(args.weights / "kinds.json", {"name": "kinds", "sha256": sha256(data), "bytes": len(data)} | meta)
        print(json.dumps({"bytes": len(data)}))


if __name__ == "__main__":
    main()
