"""The commands of the lesson: show, tutorial, train, evaluate, predict, compare, export, doctor."""

from __future__ import annotations

import typer


def add_commands(app: typer.Typer) -> None:
    """Add the lesson's commands to `app`."""
