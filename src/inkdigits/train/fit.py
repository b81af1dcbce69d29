"""Settings and a folder come in; a trained network, its history and its measures are in the folder in the end.

The order of epoch e is `default_rng([seed, e]).permutation`, and a picture's changes hang on seed, epoch and step alone: so training that
was cut anywhere and resumed sees what an uncut one sees, and on jax ends with the same weights, bit for bit.
"""

from __future__ import annotations

import math
import os
import platform
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from .. import __version__, mnist
from ..errors import DataError, UsageError
from ..files import replacing, sha256
from . import BACKEND, BACKENDS, checkpoint
from .checkpoint import Progress
from .config import Config
from .distort import distort
from .extra import load_extra, times_shown
from .learners import EVALUATED_AT_ONCE, Learner, make_learner, make_optimizer
from .networks import build
from .runs import Run
from .schedules import rate_at
from .stopping import Stopped, Stopping
from .watching import Watcher

Data = tuple[mnist.Split, mnist.Split]
HELD_OUT = 10_000  # the last pictures of the training set, on which choices are made
LOOK_EVERY = 8  # steps between two looks at the result and at the signals: rare enough not to slow the work, often enough to stop soon


def train(
    config: Config, out: str | Path, *, data: Data | None = None, resume: bool = False, watcher: Watcher | None = None
) -> dict[str, Any]:
    """Train a network as `config` says, and return its metrics.

    Args:
        config: all settings.
        out: the folder of the run. In the end it holds `model.keras`, `history.csv` and `metrics.json`.
        data: `(x_train, y_train), (x_test, y_test)` as `mnist.load_data` returns it; None to load what `config.data` says.
        resume: go on from the checkpoint in `out`.
        watcher: is told how training goes on.

    Returns:
        What `metrics.json` holds: the settings, `train_accuracy` and `train_loss` measured after training without dropout,
        `train_accuracy_running` as it was summed up in the last epoch with dropout, `test_accuracy`, `test_loss`, `accuracy_first_100`,
        `first_mistake` of the test set, `seconds`. With `config.validate` the test set stays shut: its values are None, and
        `validation_accuracy` and `validation_loss` are there. With `config.extra`: `extra_pictures`, how many were learned from, and
        `extra_accuracy`, the part of them that is read right afterwards.

    Raises:
        UsageError: `out` holds a complete run, or the checkpoint is of another config, or the rate is so high that the loss is no number.
        DataError: there is nothing to resume, or the data cannot be read.
        Stopped: SIGINT or SIGTERM came; a checkpoint is saved.
        OSError: the disk is full, or `out` can't be written to.
    """
    began = perf_counter()
    run = Run(out)
    run.refuse_complete()
    watcher = watcher or Watcher()
    with Stopping() as stopping:
        try:
            splits = _split(data or mnist.load_data(config.data), config)
            if config.extra is not None:
                splits = _with_extra(splits, config.extra, watcher)
            loaded = perf_counter()
            training = Training(config, run, splits, *_begin(config, run, splits, resume), watcher, stopping)
            training.fit()
            fitted = perf_counter()
            metrics = training.measure()
            _save_network(training.learner, config, run)
        finally:
            watcher.end()
        now = perf_counter()
        seconds = {"load": loaded - began, "fit": training.progress.seconds, "evaluate": now - fitted, "total": now - began}
        metrics["seconds"] = {name: round(value, 3) for name, value in seconds.items()}
        run.finish(metrics)
    return metrics


@dataclass(frozen=True)
class Splits:
    """The pictures to learn from, and those the result is measured on: the test set, or the pictures held out of the training set.

    Of the pictures to learn from, the last `extra` are a user's own; an epoch shows each of them `times` times, all others once.
    """

    x: NDArray[np.uint8]
    y: NDArray[np.uint8]
    x_measured: NDArray[np.uint8]
    y_measured: NDArray[np.uint8]
    extra: int = 0
    times: int = 1

    @cached_property
    def shown(self) -> NDArray[np.int64]:
        """Which pictures an epoch shows, in no order yet."""
        own = np.arange(len(self.x) - self.extra, len(self.x))
        return np.concatenate([np.arange(len(self.x)), np.tile(own, self.times - 1)])


def _split(data: Data, config: Config) -> Splits:
    (x, y), (x_test, y_test) = data
    held_out = min(HELD_OUT, len(x) // 6)  # a sixth of MNIST's 60,000, and of anybody's smaller set
    splits = (
        Splits(x[:-held_out], y[:-held_out], x[-held_out:], y[-held_out:]) if config.validate and held_out else Splits(x, y, x_test, y_test)
    )
    if not (len(splits.x) and len(splits.x_measured)):
        raise DataError(f"nothing to learn from or to measure on: {len(splits.x)} and {len(splits.x_measured)} pictures")
    return splits


def _with_extra(splits: Splits, folder: str, watcher: Watcher) -> Splits:
    """Return the splits with the pictures of a labelled folder to learn from too."""
    extra = load_extra(folder)
    n, times = len(extra.y), times_shown(len(extra.y), len(splits.y))
    watcher.note(f"extra pictures in {folder} to learn from: {n:,}; an epoch shows each of them {times} times")
    if extra.left_out:
        name, reason = extra.left_out[0]
        watcher.note(f"extra pictures that cannot be used: {len(extra.left_out):,}; the first: {name}: {reason}")
    x, y = np.concatenate([splits.x, extra.x]), np.concatenate([splits.y, extra.y])
    return replace(splits, x=x, y=y, extra=n, times=times)


def _begin(config: Config, run: Run, splits: Splits, resume: bool) -> tuple[dict[str, Any], Learner, Progress]:
    origin = {"config": config.to_dict(), "backend": BACKEND, "data": sha256(splits.x.tobytes() + splits.y.tobytes())}
    progress = Progress()
    if resume:
        progress, before = checkpoint.read_about(run.checkpoint)
        _refuse_other(origin, before, run)
    elif run.checkpoint.exists() and (under_way := checkpoint.read_about(run.checkpoint)[0]).epoch + under_way.step:
        raise UsageError(f"{run.folder} holds a training under way; add --resume to go on, or choose another --out")
    keras.utils.set_random_seed(config.seed)
    network = build(config.network, **config.options)
    learner = make_learner(network, make_optimizer(config.optimizer, config.learning_rate))
    if resume:
        checkpoint.restore(run.checkpoint, network, learner.optimizer)
        learner.start(progress.loss, progress.correct)  # what it read before is not what was restored
    run.sweep()
    return origin, learner, progress


def _refuse_other(origin: dict[str, Any], before: dict[str, Any], run: Run) -> None:
    asked, had = origin["config"], before["config"]
    differing = [f"{key} {had.get(key)}, not {asked[key]}" for key in asked if asked[key] != had.get(key)]
    if origin["backend"] != before["backend"]:
        differing.append(f"backend {before['backend']}, not {origin['backend']}")
    if not differing and origin["data"] != before["data"]:
        differing.append("other data")
    if differing:
        raise UsageError(f"{run.folder} was begun with {'; '.join(differing)}: resume it with the same settings, or choose another --out")


@dataclass
class Training:
    """One training, from its first epoch or from a checkpoint to its end."""

    config: Config
    run: Run
    splits: Splits
    origin: dict[str, Any]
    learner: Learner
    progress: Progress
    watcher: Watcher
    stopping: Stopping

    @property
    def steps(self) -> int:
        """Updates an epoch; the last one may have fewer pictures."""
        return math.ceil(len(self.splits.shown) / self.config.batch_size)

    def fit(self) -> None:
        """Learn until all epochs are done; a checkpoint stands at the beginning and after every epoch."""
        progress = self.progress
        self.save()  # before the first step: a folder that can't be written to is told now, not after an epoch
        self.watcher.begin(self.config, self.learner.network.count_params(), self.steps, progress.epoch)
        while progress.epoch < self.config.epochs:
            self.learner.start(progress.loss, progress.correct)
            before = perf_counter() - self._sitting()
            for step, (glyphs, labels, rate) in self._batches():
                self.learner.step(glyphs, labels, rate)
                if step % LOOK_EVERY == 0 or step == self.steps:
                    self._look(step, perf_counter() - before)
            self._end_epoch()

    def _sitting(self) -> float:
        """Return the seconds that the epoch under way has taken in earlier sittings."""
        return self.progress.seconds - sum(row["seconds"] for row in self.progress.history)

    def _batches(self) -> Iterator[tuple[int, tuple[NDArray[np.uint8], NDArray[np.uint8], float]]]:
        """Yield the rest of the epoch: steps done when the batch is learned, glyphs (b, 28, 28), labels (b,), and the rate."""
        config, epoch = self.config, self.progress.epoch
        order = np.random.default_rng([config.seed, epoch]).permutation(self.splits.shown)
        for step in range(self.progress.step, self.steps):
            chosen = order[step * config.batch_size : (step + 1) * config.batch_size]
            glyphs = self.splits.x[chosen]
            if config.augment:
                glyphs = distort(glyphs, np.random.default_rng([config.seed, epoch, step]))
            rate = rate_at(config.schedule, config.learning_rate, epoch * self.steps + step, config.epochs * self.steps)
            yield step + 1, (glyphs, self.splits.y[chosen], rate)

    def _look(self, step: int, seconds: float) -> None:
        """Wait for the work given so far, tell how it went, and stop here when a signal has come."""
        progress = self.progress
        progress.loss, progress.correct = self.learner.totals()
        progress.step = step
        progress.seconds = sum(row["seconds"] for row in progress.history) + seconds
        seen = min(step * self.config.batch_size, len(self.splits.shown))
        self.watcher.step(progress.epoch + 1, step, progress.loss / seen, progress.correct / seen)
        if not math.isfinite(progress.loss):
            rate = self.config.learning_rate
            raise UsageError(f"the loss is no number any more in epoch {progress.epoch + 1}: try a smaller --learning-rate than {rate:g}")
        if step < self.steps:
            self.stop_if_asked()

    def _end_epoch(self) -> None:
        progress, n = self.progress, len(self.splits.shown)
        last = rate_at(
            self.config.schedule, self.config.learning_rate, (progress.epoch + 1) * self.steps - 1, self.config.epochs * self.steps
        )
        row = {
            "epoch": progress.epoch + 1,
            "loss": progress.loss / n,
            "accuracy": progress.correct / n,
            "learning_rate": last,
            "seconds": self._sitting(),
        }
        if self.config.validate:
            row |= {f"val_{name}": value for name, value in self.evaluate(self.splits.x_measured, self.splits.y_measured)[0].items()}
        progress.history.append(row)
        progress.epoch, progress.step, progress.loss, progress.correct = progress.epoch + 1, 0, 0.0, 0.0
        self.save()
        self.run.write_history(progress.history)
        self.watcher.end_epoch(row)
        self.stop_if_asked(saved=True)

    def save(self) -> None:
        """Write the checkpoint."""
        self.learner.to_network()
        checkpoint.save(self.run.checkpoint, self.learner.network, self.learner.optimizer, self.progress, self.origin)

    def stop_if_asked(self, saved: bool = False) -> None:
        """Raise Stopped when a signal has come, with a checkpoint saved."""
        if not self.stopping.number:
            return
        if not saved:
            self.save()
        place = f"epoch {self.progress.epoch + 1} of {self.config.epochs}" if self.progress.epoch < self.config.epochs else "the last epoch"
        raise Stopped(f"stopped in {place}, saved; go on with: inkdigits train --resume --out {self.run.folder}", self.stopping.number)

    def evaluate(self, x: NDArray[np.uint8], y: NDArray[np.uint8]) -> tuple[dict[str, float], NDArray[np.int64]]:
        """Return loss and accuracy without dropout, and the predictions, of shape (n,)."""
        told = []
        for start in range(0, len(x), EVALUATED_AT_ONCE):
            told.append(self.learner.probabilities(x[start : start + EVALUATED_AT_ONCE]))
            if self.stopping.number and self.progress.step == 0:  # between epochs a checkpoint stands
                self.stop_if_asked(saved=True)
        probabilities = np.concatenate(told)  # (n, classes)
        predictions = probabilities.argmax(axis=1)
        given = probabilities[np.arange(len(y)), y].astype(np.float64)
        loss = float(-np.log(np.maximum(given, keras.config.epsilon())).mean())
        return {"loss": loss, "accuracy": float((predictions == y).mean())}, predictions

    def measure(self) -> dict[str, Any]:
        """Return the metrics, but for the seconds."""
        splits, config = self.splits, self.config
        learned, read = self.evaluate(splits.x, splits.y)
        measured, predictions = self.evaluate(splits.x_measured, splits.y_measured)
        wrong = np.flatnonzero(predictions != splits.y_measured)
        first = (
            {"index": int(wrong[0]), "label": int(splits.y_measured[wrong[0]]), "prediction": int(predictions[wrong[0]])}
            if len(wrong)
            else None
        )
        metrics = {
            "network": config.network,
            "parameters": self.learner.network.count_params(),
            **config.to_dict(),
            "backend": BACKEND,
            "versions": _versions(),
            "train_accuracy": learned["accuracy"],
            "train_loss": learned["loss"],
            "train_accuracy_running": self.progress.history[-1]["accuracy"],
            "test_accuracy": measured["accuracy"],
            "test_loss": measured["loss"],
            "accuracy_first_100": float((predictions[:100] == splits.y_measured[:100]).mean()),
            "first_mistake": first,
        }
        if splits.extra:
            own = slice(-splits.extra, None)
            metrics |= {"extra_pictures": splits.extra, "extra_accuracy": float((read[own] == splits.y[own]).mean())}
        if config.validate:
            shut = dict.fromkeys(("test_accuracy", "test_loss", "accuracy_first_100", "first_mistake"))
            metrics |= shut | {"validation_accuracy": measured["accuracy"], "validation_loss": measured["loss"]}
        return metrics


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {"inkdigits": __version__, "python": platform.python_version()}
    for name in ("keras", BACKENDS[BACKEND], "numpy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # tensorflow-cpu, for one, goes by another name than its module
            found[name] = getattr(__import__(name), "__version__", "unknown")
    return found


def _save_network(learner: Learner, config: Config, run: Run) -> None:
    """Write `model.keras` in one step, compiled as the lesson compiles it, so that a learner's own `evaluate` and `fit` work on it."""
    learner.to_network()
    network = learner.network
    network.compile(optimizer=make_optimizer(config.optimizer, config.learning_rate), loss="categorical_crossentropy", metrics=["accuracy"])
    with replacing(run.model) as beside:
        try:
            network.save(beside)
        except (OSError, RuntimeError, ValueError, zipfile.BadZipFile) as error:
            raise OSError(
                getattr(error, "errno", None) or 0,
                f"the network could not be written ({os.strerror(getattr(error, 'errno', None) or 5)})",
                str(run.model),
            ) from error
