"""Made pictures of one digit and their ink come in; the weights that see the ink of a stranger's digit come out.

    python recipe/train_ink.py inks --out runs/ink [--epochs 5] [--weights src/inkdigits/weights]

Torch. The shards `train-*` of `make_inks.py` teach; the held ones, of hands and fonts that never train, only tell how it went. After every
epoch all is saved; started again, it goes on.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")

import numpy as np
import torch
from graphs import Graph
from onnx import TensorProto
from torch import nn
from torch.nn import functional

from inkdigits import modelfile
from inkdigits.files import replacing, sha256, write_bytes, write_json
from inkdigits.inknet import SIDE

CHANNELS = (16, 32, 48, 64)  # at 40, 20, 10 and 5 pixels a side: nothing is worked out at 80, where it would cost most
DEEP = 2  # convolutions at the coarsest, where the whole picture is seen at once
BATCH = 64
RATE, DECAY = 3e-3, 0.01
INVERTED, RECOLOURED = 0.15, 0.5  # how often a picture is shown as its negative, or with its channels in another order
LEAST_SPREAD = 4.0  # grey levels: a picture with less contrast than this is not stretched further


class Block(nn.Sequential):
    """A convolution of 3 × 3, batch normalisation, ReLU."""

    def __init__(self, before: int, channels: int, stride: int = 1) -> None:
        super().__init__(nn.Conv2d(before, channels, 3, stride, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU())


class InkNetwork(nn.Module):
    """Pictures (n, 3, 80, 80), their light and contrast evened out → logits of ink (n, 80, 80).

    Down to 5 × 5, where a shadow can be told from a stroke, and up again, where every level adds what it saw on the way down.
    """

    def __init__(self) -> None:
        super().__init__()
        first, *others = CHANNELS
        stem = nn.Sequential(nn.Conv2d(3, first, 4, 2, 1, bias=False), nn.BatchNorm2d(first), nn.ReLU())
        self.first = nn.Sequential(stem, Block(first, first))
        self.down = nn.ModuleList(
            nn.Sequential(Block(a, b, 2), *(Block(b, b) for _ in range(DEEP if b == CHANNELS[-1] else 1)))
            for a, b in zip(CHANNELS, others, strict=False)
        )
        self.narrow = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in zip(CHANNELS, others, strict=False))
        self.up = nn.ModuleList(Block(a, a) for a in CHANNELS[:-1])
        self.last = nn.Conv2d(first, 4, 1)  # the four pixels of 80 × 80 that each of 40 × 40 is

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        levels = [self.first(x)]
        for down in self.down:
            levels.append(down(levels[-1]))
        x = levels.pop()
        for narrow, up in zip(reversed(self.narrow), reversed(self.up), strict=True):
            x = up(functional.interpolate(narrow(x), scale_factor=2.0) + levels.pop())
        return functional.pixel_shuffle(self.last(x), 2)[:, 0]


def evened(pictures: torch.Tensor) -> torch.Tensor:
    """Return pictures (n, 3, 80, 80), 0–255, with each channel's mean at 0 and their common deviation at 1."""
    centred = pictures - pictures.mean((2, 3), keepdim=True)
    spread = centred.square().mean((1, 2, 3), keepdim=True).sqrt()
    return centred / (spread + LEAST_SPREAD)


class Shards:
    """The shards of one name, which stay on the disk until they are asked for."""

    def __init__(self, folder: Path, name: str) -> None:
        self.paths = sorted(folder.glob(f"{name}-*.npz"))
        parts = [np.load(path) for path in self.paths]
        self.x, self.y = (np.concatenate([p[key] for p in parts]) for key in ("x", "y"))

    def batches(self, rng: np.random.Generator) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield all pictures once, in another order each time, some as negatives, some in other colours."""
        for which in np.array_split(rng.permutation(len(self.x)), len(self.x) // BATCH):
            x = self.x[which]
            for i in range(len(x)):
                if rng.random() < RECOLOURED:
                    x[i] = x[i][:, :, rng.permutation(3)]
                if rng.random() < INVERTED:
                    x[i] = 255 - x[i]
            yield pictures(x), torch.from_numpy(self.y[which].astype(np.float32) / 255)


def pictures(x: np.ndarray) -> torch.Tensor:
    """Return uint8 pictures (n, 80, 80, 3) as the network takes them."""
    return evened(torch.from_numpy(x).permute(0, 3, 1, 2).float())


def loss_of(logits: torch.Tensor, ink: torch.Tensor) -> torch.Tensor:
    """Return the loss: every pixel's, and how far the two inks overlap, which counts a thin stroke as much as a thick one."""
    pixels = functional.binary_cross_entropy_with_logits(logits, ink)
    sure = torch.sigmoid(logits)
    overlap = (2 * (sure * ink).sum((1, 2)) + 20) / (sure.sum((1, 2)) + ink.sum((1, 2)) + 20)
    return pixels + 0.5 * (1 - overlap).mean()


def overlap(model: InkNetwork, held: Shards) -> float:
    """Return the mean overlap (Dice's coefficient) of found and true ink on held pictures."""
    model.eval()
    scores = []
    with torch.inference_mode():
        for i in range(0, len(held.x), 200):
            found = model(pictures(held.x[i : i + 200])).numpy() > 0
            true = held.y[i : i + 200] > 127
            scores.append((2 * (found & true).sum((1, 2)) + 1) / (found.sum((1, 2)) + true.sum((1, 2)) + 1))
    return float(np.concatenate(scores).mean())


def train(data: Shards, held: Shards, epochs: int, seed: int, out: Path) -> InkNetwork:
    """Return the trained network, its weights averaged over the last steps."""
    torch.manual_seed(seed)
    model = InkNetwork().to(memory_format=torch.channels_last)
    averaged = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.998), use_buffers=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY, fused=True)
    steps = epochs * (len(data.x) // BATCH) + 1
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps, pct_start=0.1)
    state, begun = {"model": model, "averaged": averaged, "optimizer": optimizer, "schedule": schedule}, 0
    path = out / "checkpoint.pt"
    if path.exists():
        saved = torch.load(path, weights_only=True)
        begun = saved.pop("epoch")
        for name, part in state.items():
            part.load_state_dict(saved[name])
    for epoch in range(begun, epochs):
        started, losses = time.time(), []
        model.train()
        for x, y in data.batches(np.random.default_rng([seed, epoch])):
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cpu", torch.bfloat16):
                logits = model(x.to(memory_format=torch.channels_last))
            loss = loss_of(logits.float(), y)
            loss.backward()
            optimizer.step()
            schedule.step()
            averaged.update_parameters(model)
            losses.append(float(loss.detach()))
        with replacing(path) as beside:
            torch.save({name: part.state_dict() for name, part in state.items()} | {"epoch": epoch + 1}, beside)
        told = f"loss {np.mean(losses):.4f}, overlap {overlap(averaged.module, held):.4f}, {time.time() - started:.0f} s"
        print(f"epoch {epoch + 1}: {told}", flush=True)
    return averaged.module


def to_onnx(model: InkNetwork, **describing: object) -> bytes:
    """Return the network as ONNX: `pictures` (n, 80, 80, 3), uint8 → logits `ink` (n, 80, 80)."""
    graph = Graph()
    at = graph.node("Transpose", [graph.node("Cast", ["pictures"], to=TensorProto.FLOAT)], perm=[0, 3, 1, 2])
    centred = graph.node("Sub", [at, graph.node("GlobalAveragePool", [at])])
    squares = graph.node("GlobalAveragePool", [graph.node("Mul", [centred, centred])])  # of each channel
    mean = graph.node("Conv", [squares, graph.tensor(np.full((1, 3, 1, 1), 1 / 3))], kernel_shape=[1, 1])
    at = graph.node("Div", [centred, graph.node("Add", [graph.node("Sqrt", [mean]), graph.tensor(LEAST_SPREAD)])])
    scales = graph.tensor([1, 1, 2, 2])

    def block(at: str, layers: nn.Sequential) -> str:
        return graph.relu(graph.convolution(at, layers[0], layers[1]))

    levels = [block(block(at, model.first[0]), model.first[1])]
    for down in model.down:
        at = levels[-1]
        for layers in down:
            at = block(at, layers)
        levels.append(at)
    at = levels.pop()
    for narrow, up in zip(reversed(model.narrow), reversed(model.up), strict=True):
        wide = graph.node("Resize", [graph.convolution(at, narrow), "", scales], mode="nearest")
        at = block(graph.node("Add", [wide, levels.pop()]), up)
    shape = graph.tensor([-1, SIDE, SIDE], np.int64)
    whole = graph.node("DepthToSpace", [graph.convolution(at, model.last)], blocksize=2, mode="CRD")
    graph.node("Reshape", [whole, shape], "ink")
    return graph.finish("ink", {"pictures": ("uint8", ["n", SIDE, SIDE, 3])}, {"ink": ["n", SIDE, SIDE]}, **describing)


def main() -> None:
    """Train and export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("inks", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--weights", type=Path)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    data, held = Shards(args.inks, "train"), Shards(args.inks, "held")
    print(f"{len(data.x):,} pictures, {len(held.x):,} held back", flush=True)
    model = train(data, held, args.epochs, args.seed, args.out)
    told = {
        "epochs": args.epochs,
        "seed": args.seed,
        "pictures": len(data.x),
        "held": len(held.x),
        "overlap": round(overlap(model, held), 4),
    }
    print(told)
    if args.weights:
        file = to_onnx(model, trained=told)
        write_bytes(args.weights / "ink.onnx", file)
        write_json(args.weights / "ink.json", {"name": "ink", "sha256": sha256(file), "bytes": len(file)} | modelfile.describe(file))


if __name__ == "__main__":
    main()
