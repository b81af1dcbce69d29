"""The command that looks after the house: doctor."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def add_commands(app: typer.Typer) -> None:
    """Add `doctor` to `app`."""
    app.command("doctor")(doctor)


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Tell what is installed, whether it is whole, and what to type for what is missing."""
    from .. import doctor as house

    diagnosis = house.diagnose()
    print(json.dumps(diagnosis, ensure_ascii=False) if as_json else house.describe(diagnosis))
