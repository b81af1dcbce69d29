"""The commands that say how far an answer is to be trusted: calibrate."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def add_commands(app: typer.Typer) -> None:
    """Add `calibrate` to `app`."""
    app.command("calibrate")(calibrate)


def calibrate(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="Labelled pictures: labels.csv (file,label, or file,text for pages), or a sub-folder a digit."),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE.json", help="Where to write the promise.")] = Path("promise.json"),
    model: Annotated[
        str | None, typer.Option("--model", help="reader, mnist, or an .onnx that `inkdigits export` wrote.  [default: reader]")
    ] = None,
) -> int:
    """Tell what error rates can be promised for pictures like yours; `read --promise FILE --max-error P` keeps the promise."""
    from ..calibrating import describe, make_promises
    from ..errors import one_line
    from ..files import write_json
    from ..reader import Reader

    promises, failures = make_promises(folder, Reader.load(model))
    write_json(out, promises.to_dict())
    print(describe(promises))
    print(f"{one_line(str(out))}: to be kept by inkdigits read --promise {one_line(str(out))} --max-error P")
    for file, reason in failures:
        print(f"inkdigits: {one_line(f'{file}: {reason}')}", file=sys.stderr)
    return 1 if failures else 0
