"""Finished runs come in; steps 8, 8b, 9, 14 and 16 of the lesson come out: learning, judging, and runs compared."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import plots
from ..report import Table
from .chapter import Chapter, Plot
from .config import Config
from .runs import Run
from .schedules import rate_at
from .steps import Step

CURVES = {"loss": "running training loss", "accuracy": "running training accuracy"}
PLAY_EPOCHS = 2
PLAY_PICTURES = 20_000  # a third of the training set: four runs are to take seconds
# what step 14 changes, one thing at a time
PLAYED: dict[str, dict[str, Any]] = {
    "as it was": {},
    "batch-size 2048": {"batch_size": 2048},
    "optimizer sgd": {"optimizer": "sgd"},
    "layers 32": {"layers": (32,)},
}


@dataclass(frozen=True, slots=True)
class Trained:
    """A finished run: its settings, its measures, and its history by column, one value an epoch."""

    config: Config
    metrics: Mapping[str, Any]
    history: Mapping[str, Sequence[float]]

    @classmethod
    def of(cls, config: Config, metrics: Mapping[str, Any], folder: Path) -> Trained:
        """Return the run that was written to `folder`."""
        return cls(config, metrics, Run(folder).read_history())


def fit_step(step: Step, plain: Trained, pictures: int) -> Chapter:
    """Step 8: what the plain run saw, how long it took, and how it went.

    Args:
        step: the step's texts.
        plain: the run.
        pictures: training pictures of one epoch.
    """
    config, chapter = plain.config, Chapter(step)
    chapter.fact("pictures seen", f"{config.epochs * pictures:,}")
    chapter.fact("updates an epoch", math.ceil(pictures / config.batch_size))
    chapter.fact("seconds", f"{plain.metrics['seconds']['fit']:.0f}")
    chapter.fact("running training accuracy", f"{plain.metrics['train_accuracy_running']:.4f}")
    chapter.tables.append(_history_table(plain))
    caption = "Step 8: loss and accuracy while learning, with dropout at work."
    chapter.plots.append(Plot("curves", plots.curves({"step 8": plain.history}, CURVES), caption, "svg"))
    return chapter


def _history_table(run: Trained) -> Table:
    columns = zip(run.history["epoch"], run.history["loss"], run.history["accuracy"], strict=True)
    rows = [(f"{epoch:.0f}", f"{loss:.4f}", f"{accuracy:.4f}") for epoch, loss, accuracy in columns]
    return Table("The History: one line an epoch.", ("epoch", "running loss", "running accuracy"), rows)


def fit_better_step(step: Step, better: Trained, plain: Trained, pictures: int) -> Chapter:
    """Step 8b: the one-cycle run beside the plain one."""
    config, chapter = better.config, Chapter(step)
    updates = math.ceil(pictures / config.batch_size)
    for name, run in (("step 8", plain), ("step 8b", better)):
        chapter.fact(f"seconds, {name}", f"{run.metrics['seconds']['fit']:.0f}")
        chapter.fact(f"test accuracy, {name}", f"{run.metrics['test_accuracy']:.4f}")
    chapter.fact("updates an epoch", updates)
    chapter.fact("highest learning rate", f"{config.learning_rate:g}")
    steps = config.epochs * updates
    shown = max(1, steps // 200)  # 200 points make a smooth line
    rates = [rate_at(config.schedule, config.learning_rate, i, steps) for i in range(0, steps, shown)]
    rate = plots.line([i * shown for i in range(len(rates))], rates, "learning rate", "update")
    chapter.plots.append(
        Plot("learning-rate", rate, "The learning rate over all updates: it rises, then falls almost to nothing.", "svg", wide=False)
    )
    both = {"step 8": plain.history, "step 8b": better.history}
    chapter.plots.append(Plot("curves", plots.curves(both, CURVES), "Both runs while learning.", "svg"))
    return chapter


def evaluate_step(step: Step, better: Trained, plain: Trained) -> Chapter:
    """Step 9: both runs on the test set, and both gaps; the lesson's figures stand beside those of the plain run, which is its network."""
    chapter, lesson = Chapter(step), step.figures
    rows: list[tuple[str, ...]] = []
    for name in ("test loss", "test accuracy", "running training accuracy", "evaluated training accuracy"):
        key = {"running training accuracy": "train_accuracy_running", "evaluated training accuracy": "train_accuracy"}.get(
            name, name.replace(" ", "_")
        )
        rows.append((name, f"{plain.metrics[key]:.4f}", f"{better.metrics[key]:.4f}", lesson.get(name, "–")))
    for name, key in (("running", "train_accuracy_running"), ("evaluated", "train_accuracy")):
        gaps = [f"{100 * (run.metrics[key] - run.metrics['test_accuracy']):.2f} points".replace("-", "−") for run in (plain, better)]
        title = f"gap to the {name} training accuracy"
        rows.append((title, *gaps, lesson.get(title, "–")))
    chapter.tables.append(Table("", ("", "step 8", "step 8b", "the lesson"), rows))
    gap = 100 * (better.metrics["train_accuracy"] - better.metrics["test_accuracy"])
    verdict = "no sign of trouble" if gap < 2 else "a warning: overfitting" if gap <= 4 else "clear overfitting"
    chapter.notes.append(f"The honest gap of step 8b is {gap:.2f} points: {verdict}.")
    return chapter


def play_step(step: Step, runs: Mapping[str, Trained]) -> Chapter:
    """Step 14: short runs in which one thing was changed, side by side."""
    chapter = Chapter(step)
    rows = [
        (name, f"{run.metrics['parameters']:,}", f"{run.metrics['seconds']['fit']:.1f}", f"{run.metrics['test_accuracy']:.4f}")
        for name, run in runs.items()
    ]
    epochs = next(iter(runs.values())).config.epochs
    caption = f"What {epochs} epochs of {PLAY_PICTURES:,} training pictures gave, each time with one thing changed."
    chapter.tables.append(Table(caption, ("changed", "parameters", "seconds", "test accuracy"), rows))
    return chapter


def convnet_step(step: Step, convnet: Trained, better: Trained) -> Chapter:
    """Step 16: the convolutional network beside the dense one."""
    chapter = Chapter(step)
    rows: list[tuple[object, ...]] = []
    for name, run in (("dense (step 8b)", better), ("convolutional", convnet)):
        accuracy = run.metrics["test_accuracy"]
        measures = (f"{run.metrics['parameters']:,}", run.config.epochs, f"{run.metrics['seconds']['fit']:.0f}", f"{accuracy:.4f}")
        rows.append((name, *measures, f"{1e4 * (1 - accuracy):.0f}"))
    head = ("network", "parameters", "epochs", "seconds", "test accuracy", "mistakes in 10,000")
    chapter.tables.append(Table("", head, rows))
    return chapter
