"""A run folder goes in; what was learned in it comes out: `model.keras`, `history.csv`, and `metrics.json`, which is written last.

While training is under way the folder holds `checkpoint/state.npz` as well. A run is complete when `metrics.json` is there.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import DataError, UsageError
from ..files import write_json, write_text

COLUMNS = ("epoch", "loss", "accuracy", "learning_rate", "seconds", "val_loss", "val_accuracy")


class Run:
    """One run's folder and the files in it."""

    def __init__(self, folder: str | Path) -> None:
        """Name the files; nothing is read or written."""
        self.folder = Path(folder)
        self.model = self.folder / "model.keras"
        self.history = self.folder / "history.csv"
        self.metrics = self.folder / "metrics.json"
        self.checkpoint = self.folder / "checkpoint" / "state.npz"

    @property
    def is_complete(self) -> bool:
        """Whether training has come to its end here."""
        return self.metrics.exists()

    def refuse_complete(self) -> None:
        """Raise UsageError when this run is complete: nothing that was learned is written over."""
        if self.folder.exists() and not self.folder.is_dir():
            raise UsageError(f"{self.folder} is a file; --out takes a folder")
        if self.is_complete:
            raise UsageError(f"{self.folder} holds a complete run; choose another --out")

    def write_history(self, rows: Sequence[dict[str, float]]) -> None:
        """Write a line an epoch to `history.csv`; columns that no epoch has are left out."""
        columns = [name for name in COLUMNS if any(name in row for row in rows)]
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: round(value, 6) for key, value in row.items()} for row in rows)
        write_text(self.history, text.getvalue())

    def read_history(self) -> dict[str, list[float]]:
        """Return `history.csv` as Keras's `History.history` is: a list of values, one an epoch, for each name.

        Raises:
            DataError: there is none, or it is no table of numbers.
        """
        try:
            with self.history.open(newline="", encoding="utf-8") as f:
                rows = list(csv.DictReader(f))
            return {name: [float(row[name]) for row in rows] for name in (rows[0] if rows else ())}
        except FileNotFoundError:
            raise DataError(f"{self.folder} holds no history.csv") from None
        except (ValueError, TypeError, csv.Error) as error:
            raise DataError(f"{self.history} is no table of numbers: {error}") from error

    def read_metrics(self) -> dict[str, Any]:
        """Return `metrics.json`.

        Raises:
            DataError: the run is not complete, or the file is damaged.
        """
        try:
            metrics = json.loads(self.metrics.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise DataError(f"{self.folder} holds no complete run (no metrics.json){self._advice()}") from None
        except NotADirectoryError:
            raise DataError(f"{self.folder} is not the folder of a run") from None
        except ValueError as error:
            raise DataError(f"{self.metrics} is not JSON: {error}") from error
        if not isinstance(metrics, dict):
            raise DataError(f"{self.metrics} does not hold the metrics of a run")
        return metrics

    def _advice(self) -> str:
        return f"; go on with: inkdigits train --resume --out {self.folder}" if self.checkpoint.exists() else ""

    def finish(self, metrics: dict[str, Any]) -> None:
        """Write `metrics.json`, which makes the run complete, then take away what only a run under way needs."""
        write_json(self.metrics, metrics)
        shutil.rmtree(self.checkpoint.parent, ignore_errors=True)
        self.sweep()

    def sweep(self) -> None:
        """Remove what a killed process left half-written."""
        for folder in (self.folder, self.checkpoint.parent):
            for left in folder.glob(".writing-*"):
                left.unlink(missing_ok=True)
