"""The commands that read pictures: read."""

from __future__ import annotations

import typer


def add_commands(app: typer.Typer) -> None:
    """Add the reading commands to `app`."""
