"""Sources of labelled glyphs come in; endless batches come out, mixed by given shares, changed by `augment`, the same for the same seed.

A process of its own makes the batches while the network trains: on two cores that costs the training little and keeps it fed.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ..classify import Classifier
from ..errors import DataError
from .augment import augment
from .spoil import spoil

AHEAD = 6  # batches made before they are asked for
CLASSES = 11  # ten digits and "no digit"

Batch = tuple[NDArray[np.uint8], NDArray[np.uint8] | NDArray[np.float32]]


@dataclass(frozen=True)
class Source:
    """Labelled glyphs of one kind.

    Attributes:
        name: for logs.
        x: glyphs, uint8 of shape (n, 28, 28).
        y: labels, uint8 of shape (n,): 0–9, or 10 for what is no digit.
        share: part of every batch, relative to the other sources.
        teacher: path of an exported network whose probabilities are learned instead of the labels.
    """

    name: str
    x: NDArray[np.uint8]
    y: NDArray[np.uint8]
    share: float
    teacher: str | None = None

    def __post_init__(self) -> None:
        """Refuse arrays that do not fit each other."""
        if self.x.shape != (len(self.y), 28, 28) or not len(self.y):
            raise DataError(f"source {self.name}: expected glyphs of shape (n, 28, 28) and n labels, got {self.x.shape} and {self.y.shape}")


@dataclass(frozen=True)
class Mixture:
    """Sources and how they are mixed.

    Attributes:
        sources: at least one.
        batch_size: glyphs a batch.
        strength: of `augment`.
        dirt: of `augment`.
        spoilt: share of the glyphs that `spoil` changes after that, 0–1.
        seed: batch `step` of epoch `epoch` depends on nothing but this seed and those two.
    """

    sources: tuple[Source, ...]
    batch_size: int = 256
    strength: float = 1.0
    dirt: float = 1.0
    spoilt: float = 0.0
    seed: int = 0

    def batch(self, epoch: int, step: int) -> Batch:
        """Return glyphs of shape (batch_size, 28, 28), and labels of shape (batch_size,) or, with a teacher, (batch_size, 11)."""
        rng = np.random.default_rng([self.seed, epoch, step])
        shares = np.array([s.share for s in self.sources])
        counts = rng.multinomial(self.batch_size, shares / shares.sum())
        picks = [rng.integers(0, len(s.y), n) for s, n in zip(self.sources, counts, strict=True)]
        x = np.concatenate([s.x[i] for s, i in zip(self.sources, picks, strict=True)])
        y = np.concatenate([s.y[i] for s, i in zip(self.sources, picks, strict=True)])
        x = augment(x, rng, self.strength, self.dirt)
        # the teacher sees a glyph as it was before it was spoilt: that is what it knows more of
        return spoil(x, rng, self.spoilt), self._taught(x, y, counts)

    def _taught(self, x: NDArray[np.uint8], y: NDArray[np.uint8], counts: NDArray[np.int64]) -> NDArray[np.uint8] | NDArray[np.float32]:
        """Return `y`, or for glyphs of a source with a teacher what that makes of them; `counts` glyphs are of each source, in order."""
        if not any(s.teacher for s in self.sources):
            return y
        labels = np.eye(CLASSES, dtype=np.float32)[y]
        for source, end, n in zip(self.sources, counts.cumsum(), counts, strict=True):
            if source.teacher and n:
                labels[end - n : end, :10] = _teacher(source.teacher).predict_proba(x[end - n : end])
        return labels

    def epoch(self, epoch: int, steps: int, pool: ProcessPoolExecutor) -> Iterator[Batch]:
        """Yield the `steps` batches of one epoch, made ahead in `pool` (see `worker_pool`)."""
        waiting: list[Future[Batch]] = []
        for step in range(steps + AHEAD):
            if step < steps:
                waiting.append(pool.submit(_batch, epoch, step))
            if step >= AHEAD or step >= steps:
                if not waiting:
                    return
                yield waiting.pop(0).result()


@cache
def _teacher(path: str) -> Classifier:
    return Classifier.load(path, threads=1)  # beside a training that has the other cores


_own: Mixture | None = None  # of a worker process: sent once, not with every batch


def worker_pool(mixture: Mixture, workers: int = 1) -> ProcessPoolExecutor:
    """Return spawned processes that make the batches of `mixture` (forking a process that runs a network can hang it)."""
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _take, (mixture,))


def _take(mixture: Mixture) -> None:
    global _own  # noqa: PLW0603 - the only way to give a pool's process something to keep
    _own = mixture


def _batch(epoch: int, step: int) -> Batch:
    assert _own is not None
    return _own.batch(epoch, step)
