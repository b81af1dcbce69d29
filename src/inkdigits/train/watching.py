"""What happens in training comes in; a person sees it: a live bar on a terminal, a plain line an epoch elsewhere."""

from __future__ import annotations

import sys
from typing import IO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from .config import Config


class Watcher:
    """Is told what happens in training, and does nothing with it; a base for those that do."""

    def begin(self, config: Config, parameters: int, steps: int, epoch: int) -> None:
        """Training begins, or goes on: `steps` updates an epoch, `epoch` epochs done already."""

    def step(self, epoch: int, step: int, loss: float, accuracy: float) -> None:
        """`step` updates of the epoch (counted from 1) are done; loss and accuracy are the running ones, with dropout at work."""

    def end_epoch(self, row: dict[str, float]) -> None:
        """An epoch is done; `row` is its line of `history.csv`."""

    def note(self, text: str) -> None:
        """Something else is worth a line."""

    def end(self) -> None:
        """Training is over, well or not."""


class Plain(Watcher):
    """Prints a line an epoch."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        """Write to `stream`, standard error by default."""
        self.stream = stream or sys.stderr
        self.epochs = 0

    def begin(self, config: Config, parameters: int, steps: int, epoch: int) -> None:
        """Say what is about to be done."""
        self.epochs = config.epochs
        self.note(describe(config, parameters, steps))

    def end_epoch(self, row: dict[str, float]) -> None:
        """Say how the epoch went."""
        self.note(describe_epoch(row, self.epochs))

    def note(self, text: str) -> None:
        """Print a line."""
        print(text, file=self.stream, flush=True)


class Live(Plain):
    """Draws a bar that moves within an epoch, and leaves the line of each epoch standing above it."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        """Draw on `stream`, standard error by default."""
        super().__init__(stream)
        told = TextColumn("loss {task.fields[loss]:.4f}  accuracy {task.fields[accuracy]:.4f}")
        self._console = Console(file=self.stream, highlight=False)
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), told, TimeRemainingColumn(), console=self._console, transient=True
        )
        self._task: TaskID | None = None
        self._steps = 0

    def begin(self, config: Config, parameters: int, steps: int, epoch: int) -> None:
        """Say what is about to be done and draw the empty bar."""
        super().begin(config, parameters, steps, epoch)
        self._steps = steps
        self._task = self._bar.add_task("learning", total=config.epochs * steps, completed=epoch * steps, loss=float("nan"), accuracy=0.0)
        self._bar.start()

    def step(self, epoch: int, step: int, loss: float, accuracy: float) -> None:
        """Move the bar."""
        if self._task is not None:
            done = (epoch - 1) * self._steps + step
            self._bar.update(self._task, completed=done, description=f"epoch {epoch}/{self.epochs}", loss=loss, accuracy=accuracy)

    def note(self, text: str) -> None:
        """Print a line above the bar."""
        self._console.print(text, markup=False, soft_wrap=True)

    def end(self) -> None:
        """Take the bar away."""
        self._bar.stop()


def watcher_for(stream: IO[str] | None = None) -> Watcher:
    """Return the watcher that suits `stream`, standard error by default."""
    stream = stream or sys.stderr
    return Live(stream) if stream.isatty() else Plain(stream)


def describe(config: Config, parameters: int, steps: int) -> str:
    """Return one line that says what will be trained, and how."""
    rate = (
        f"a rate that rises to {config.learning_rate:g} and falls"
        if config.schedule == "onecycle"
        else f"a constant rate of {config.learning_rate:g}"
    )
    epochs = "1 epoch" if config.epochs == 1 else f"{config.epochs} epochs"
    work = f"{epochs} of {steps} updates, {config.batch_size} pictures each"
    return f"{config.network}, {parameters:,} parameters: {work}, {config.optimizer} with {rate}"


def describe_epoch(row: dict[str, float], epochs: int) -> str:
    """Return one line that says how an epoch went."""
    validation = f"  validation accuracy {row['val_accuracy']:.4f}" if "val_accuracy" in row else ""
    return f"epoch {row['epoch']:.0f}/{epochs}  {row['seconds']:5.1f} s  loss {row['loss']:.4f}  accuracy {row['accuracy']:.4f}{validation}"
