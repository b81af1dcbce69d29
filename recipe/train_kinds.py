"""Labelled candidates come in; the weights that tell digits from parts, marks and dirt come out, with a table of what they confuse.

    python recipe/train_kinds.py candidates --out runs/kinds [--epochs 12] [--rate 2e-3] [--start kinds.onnx [--kept 0.5]] [--weights DIR]

Torch. The network sees a candidate in its surroundings and what the packaged reader made of its glyph, so train the reader first; from the
shards `others-*` it learns, which that reader has never seen. The held shards, of hands and fonts that never train, choose nothing but the
temperatures. After every epoch all is saved; started again, it goes on. With `--start`, it begins with weights that were exported before.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "torch")

import numpy as np
import onnx
import torch
from graphs import Graph
from onnx import TensorProto, numpy_helper
from torch import nn
from torch.nn import functional

from inkdigits import Classifier, modelfile
from inkdigits.files import replacing, sha256, write_bytes, write_json
from inkdigits.kinds import FAINTEST, KINDS, reading_of
from inkdigits.surroundings import CHANNELS, SIDE

STACK = ((24, 5, 2), (40, 3, 2), (56, 3, 1), (80, 3, 2), (112, 3, 1))  # channels, side, stride
DENSE, HIDDEN, DIGITS = 80, 64, 10
SMOOTHING = 0.02
VALUE_SHARE = 0.7  # of the loss: which digit it is, beside what kind of thing
BLIND = 0.2  # of the candidates are shown without a reading: surroundings must say much by themselves
BATCH = 256
NO_DIGIT = 10
SHORT_FLOATS = torch.cpu._is_avx512_bf16_supported()  # where the machine has none of its own, they take twice as long


class KindsNetwork(nn.Module):
    """(n, 4, 40, 40) and readings (n, 10) → logits of the kinds (n, 9) and of the digits (n, 10)."""

    def __init__(self) -> None:
        super().__init__()
        before, stack = CHANNELS, []
        for channels, side, stride in STACK:
            convolution = nn.Conv2d(before, channels, side, stride, side // 2, bias=False)
            stack.append(nn.Sequential(convolution, nn.BatchNorm2d(channels), nn.ReLU()))
            before = channels
        self.stack = nn.Sequential(*stack)
        self.dense = nn.Linear(before * 25, DENSE)
        self.hidden = nn.Linear(DENSE + DIGITS, HIDDEN)
        self.kinds = nn.Linear(HIDDEN, len(KINDS))
        self.values = nn.Linear(HIDDEN, DIGITS)
        self.trust = nn.Parameter(torch.ones(1))

    def forward(self, shown: torch.Tensor, reading: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        seen = functional.dropout(self.stack(shown).flatten(1), 0.3, self.training)
        seen = functional.dropout(functional.relu(self.dense(seen)), 0.2, self.training)
        told = reading.clamp(min=FAINTEST).log()
        both = functional.relu(self.hidden(torch.cat([seen, told], 1)))
        return self.kinds(both), self.values(both) + self.trust * told


def folded(data: bytes) -> list[torch.Tensor]:
    """Return the weights that `to_onnx` wrote: what each layer multiplies with and what it adds, then how far the reading is trusted."""
    modelfile.describe(data)
    graph = onnx.load_from_string(data).graph
    tensors = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in graph.initializer}
    *_, last = (node for node in graph.node if node.op_type == "Mul")
    weighty = [node for node in graph.node if node.op_type in ("Conv", "Gemm")]
    return [tensors[name] for node in [*weighty, last] for name in node.input if name in tensors]


def start_from(model: KindsNetwork, weights: list[torch.Tensor], shown: torch.Tensor) -> None:
    """Put weights into `model`, batch normalisation unfolded so that on `shown` it changes nothing.

    Args:
        model: its own weights of no matter.
        weights: as from `folded`.
        shown: some hundred candidates, float32 of shape (n, 4, 40, 40), 0–1.
    """
    left = iter(weights)
    with torch.no_grad():
        for convolution, norm, _ in model.stack:
            convolution.weight.copy_(next(left))
            bias = next(left)
            shown = convolution(shown)
            variance, mean = torch.var_mean(shown, (0, 2, 3), correction=0)
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(variance)
            norm.weight.copy_(torch.sqrt(variance + norm.eps))
            norm.bias.copy_(bias + mean)
            shown = functional.relu(shown + bias[:, None, None])
        for layer in (model.dense, model.hidden, model.kinds, model.values):
            layer.weight.copy_(next(left))
            layer.bias.copy_(next(left))
        model.trust.copy_(next(left))


def load(folder: Path, name: str, classifier: Classifier) -> dict[str, np.ndarray]:
    """Return all shards of one name, and what the reader makes of every candidate."""
    parts = [np.load(path) for path in sorted(folder.glob(f"{name}-*.npz"))]
    data = {key: np.concatenate([p[key] for p in parts]) for key in ("x", "y", "labels")}
    return data | {"reading": reading_of(*classifier.classify(np.concatenate([p["glyphs"] for p in parts])))}


def batch(data: dict[str, np.ndarray], which: np.ndarray, rng: np.random.Generator | None) -> tuple[torch.Tensor, torch.Tensor]:
    """Return candidates and readings; with `rng`, shifted, thinned or thickened, rescaled a little, and some without their reading."""
    x = data["x"][which].astype(np.float32) / 255
    reading = data["reading"][which]
    if rng is not None:
        x[:, :3] = np.roll(x[:, :3], tuple(rng.integers(-1, 2, 2)), (2, 3))
        # how far ink reaches beside the stroke depends on threshold, blur and JPEG
        x[:, :3] **= rng.choice([0.6, 1.0, 1.0, 1.5], (len(x), 1, 1, 1)).astype(np.float32)
        x[:, 3] += rng.normal(0, 0.05, (len(x), 1, 1)).astype(np.float32)
        reading = np.where(rng.random((len(x), 1)) < BLIND, 0, reading ** rng.uniform(0.6, 1.2, (len(x), 1))).astype(np.float32)
    return torch.from_numpy(x).to(memory_format=torch.channels_last), torch.from_numpy(reading)


def losses(out: tuple[torch.Tensor, torch.Tensor], y: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the loss: of the kinds, and of the values where there are some."""
    kinds = functional.cross_entropy(out[0].float(), y, label_smoothing=SMOOTHING)
    values = functional.cross_entropy(out[1].float(), torch.where(labels < NO_DIGIT, labels, -100), ignore_index=-100)
    return kinds + VALUE_SHARE * values


def logits(model: KindsNetwork, data: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the logits of kinds and values of all candidates."""
    model.eval()
    with torch.inference_mode():
        parts = [model(*batch(data, np.arange(i, min(i + 1024, len(data["y"]))), None)) for i in range(0, len(data["y"]), 1024)]
    return tuple(np.concatenate([p[i].numpy() for p in parts]) for i in (0, 1))  # type: ignore[return-value]


def train(
    model: KindsNetwork, data: dict[str, np.ndarray], held: dict[str, np.ndarray], *, epochs: int, rate: float, seed: int, out: Path
) -> KindsNetwork:
    """Return `model`, trained, its weights averaged over the last steps."""
    averaged = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.999), use_buffers=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.02, fused=True)
    steps = len(data["y"]) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=epochs * steps + 1, pct_start=0.1)
    state, begun = {"model": model, "averaged": averaged, "optimizer": optimizer}, 0
    path = out / "checkpoint.pt"
    if path.exists():
        saved = torch.load(path, weights_only=True)
        begun = saved.pop("epoch")
        for name, part in state.items():
            part.load_state_dict(saved[name])
    schedule.last_epoch = begun * steps  # not as saved: there may be more candidates now
    y, labels = (torch.from_numpy(data[key].astype(np.int64)) for key in ("y", "labels"))
    for epoch in range(begun, epochs):
        rng, started = np.random.default_rng([seed, epoch]), time.time()
        model.train()
        for which in rng.permutation(len(y))[: steps * BATCH].reshape(steps, BATCH):
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cpu", torch.bfloat16, enabled=SHORT_FLOATS):
                found = model(*batch(data, which, rng))
            losses(found, y[which], labels[which]).backward()
            optimizer.step()
            schedule.step()
            averaged.update_parameters(model)
        with replacing(path) as beside:
            torch.save({name: part.state_dict() for name, part in state.items()} | {"epoch": epoch + 1}, beside)
        kinds, values = logits(averaged.module, held)
        digits, truth = held["labels"] < NO_DIGIT, held["labels"]
        right, alone = ((scores.argmax(1) == truth)[digits].mean() for scores in (values, held["reading"]))
        kind = (kinds.argmax(1) == held["y"]).mean()
        print(
            f"epoch {epoch + 1}: kinds {kind:.4f}, values {right:.4f} (the reader alone {alone:.4f}), {time.time() - started:.0f} s",
            flush=True,
        )
    return averaged.module


def to_onnx(model: KindsNetwork, **describing: Any) -> bytes:
    """Return the network as ONNX: `candidates` (n, 4, 40, 40) and logarithms of `readings` (n, 10) → logits `kinds` and `values`."""
    graph = Graph()
    at = graph.node("Mul", [graph.node("Cast", ["candidates"], to=TensorProto.FLOAT), graph.tensor(1 / 255)])
    for convolution, norm, _ in model.stack:
        at = graph.relu(graph.convolution(at, convolution, norm))
    seen = graph.relu(graph.linear(graph.node("Flatten", [at]), model.dense))
    both = graph.relu(graph.linear(graph.node("Concat", [seen, "readings"], axis=1), model.hidden))
    graph.linear(both, model.kinds, "kinds")
    graph.node("Add", [graph.linear(both, model.values), graph.node("Mul", ["readings", graph.tensor(model.trust)])], "values")
    inputs = {"candidates": ("uint8", ["n", CHANNELS, SIDE, SIDE]), "readings": ("float", ["n", DIGITS])}
    return graph.finish("kinds", inputs, {"kinds": ["n", len(KINDS)], "values": ["n", DIGITS]}, kinds=list(KINDS), **describing)


def temperature(scores: np.ndarray, y: np.ndarray) -> float:
    """Return the temperature of least negative log-likelihood."""
    tried = np.exp(np.linspace(-0.7, 1.0, 60))

    def loss(t: float) -> float:
        z = scores / t
        z = z - z.max(1, keepdims=True)
        return float((np.log(np.exp(z).sum(1)) - z[np.arange(len(y)), y]).mean())

    return round(float(min(tried, key=loss)), 4)


def main() -> None:
    """Train, tell what is confused, export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("candidates", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--rate", type=float, default=2e-3, help="the highest rate of learning")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=Path, help="begin with these exported weights")
    parser.add_argument("--kept", type=float, default=0.0, help="share of what it began with, at the end")
    parser.add_argument("--weights", type=Path)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    classifier = Classifier.load()
    data, held = load(args.candidates, "others", classifier), load(args.candidates, "held", classifier)
    counts = {kind: int((data["y"] == i).sum()) for i, kind in enumerate(KINDS)}
    print(f"{len(data['y']):,} candidates, {len(held['y']):,} held back:", counts, flush=True)
    torch.manual_seed(args.seed)
    model = KindsNetwork()
    shown = batch(held, np.arange(min(1024, len(held["y"]))), None)[0]
    before = folded(args.start.read_bytes()) if args.start else []
    if before:
        start_from(model, before, shown)
    model = model.to(memory_format=torch.channels_last)
    model = train(model, data, held, epochs=args.epochs, rate=args.rate, seed=args.seed, out=args.out)
    if before:
        start_from(model, [torch.lerp(now, then, args.kept) for now, then in zip(folded(to_onnx(model)), before, strict=True)], shown)
    kinds, values = logits(model, held)
    found, digits = kinds.argmax(1), held["labels"] < NO_DIGIT
    confusion = [[int(((held["y"] == i) & (found == j)).sum()) for j in range(len(KINDS))] for i in range(len(KINDS))]
    print("true \\ found", *KINDS)
    for kind, row in zip(KINDS, confusion, strict=True):
        print(kind, row)
    right = {"accuracy": found == held["y"], "values": values[digits].argmax(1) == held["labels"][digits]}
    told = {"epochs": args.epochs, "seed": args.seed, "candidates": len(data["y"]), "held": len(found), "reader": classifier.meta["sha256"]}
    told |= {key: round(float(value.mean()), 5) for key, value in right.items()}
    warmth = {
        "temperature": temperature(kinds, held["y"]),
        "value_temperature": temperature(values[digits], held["labels"][digits].astype(int)),
    }
    print(told, warmth)
    write_json(args.out / "kinds.json", told | {"confusion": confusion})
    if args.weights:
        data_ = to_onnx(model, **warmth, trained=told)
        write_bytes(args.weights / "kinds.onnx", data_)
        write_json(args.weights / "kinds.json", {"name": "kinds", "sha256": sha256(data_), "bytes": len(data_)} | modelfile.describe(data_))
        print(json.dumps({"bytes": len(data_)}))


if __name__ == "__main__":
    main()
