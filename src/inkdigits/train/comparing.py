"""Complete runs come in; a table comes out: what differed between them, and what came out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .runs import Run

SETTINGS = (
    *("network", "layers", "dropout", "activation", "epochs", "batch_size", "optimizer", "learning_rate", "schedule", "fast", "augment"),
    *("seed", "validate", "data", "extra", "extra_pictures", "backend", "parameters"),
)
RESULTS = ("train_accuracy", "validation_accuracy", "test_accuracy", "test_loss", "accuracy_first_100")


def compare(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Return a dictionary a run: its name, the settings in which the runs differ, and the results that any of them has.

    Raises:
        DataError: one of them is not complete.
    """
    told = [run.read_metrics() for run in runs]
    differing = [name for name in SETTINGS if len({json.dumps(metrics.get(name)) for metrics in told}) > 1]
    results = [name for name in RESULTS if any(metrics.get(name) is not None for metrics in told)]
    rows = []
    for run, metrics in zip(runs, told, strict=True):
        row: dict[str, Any] = {"run": str(run.folder)} | {name: metrics.get(name) for name in (*differing, *results)}
        seconds = metrics.get("seconds")
        rows.append(row | {"seconds_fit": seconds.get("fit") if isinstance(seconds, dict) else None})
    return rows


def as_table(rows: Sequence[dict[str, Any]]) -> str:
    """Return what `compare` gave as aligned text, a line a run."""
    if not rows:
        return ""
    cells = [[name.replace("_", " ") for name in rows[0]], *([_cell(name, value) for name, value in row.items()] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    return "\n".join([lines[0], "  ".join("─" * width for width in widths), *lines[1:]])


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if "accuracy" in name:
        return f"{100 * value:.2f} %"
    if name.startswith("seconds"):
        return f"{value:.1f}"
    if isinstance(value, list):
        return ",".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
