"""The commands that teach: tutorial and show."""

from __future__ import annotations

import enum
import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer


class Split(enum.StrEnum):
    """The two heaps of MNIST."""

    train = "train"
    test = "test"


def add_commands(app: typer.Typer) -> None:
    """Add `tutorial` and `show` to `app`."""
    app.command("tutorial")(tutorial)
    app.command("show")(show)


def tutorial(
    epochs: Annotated[int, typer.Option(help="Epochs of steps 8 and 8b; the lesson has 10.")] = 10,
    out: Annotated[Path | None, typer.Option(help="New folder for the model, the pictures and report.html; by default `lesson`.")] = None,
    notebook: Annotated[
        Path | None, typer.Option(help="Run nothing: put the lesson's notebook into this folder and tell how to open it.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Where chance begins; another seed gives a slightly different network.")] = 0,
) -> None:
    """Walk through the whole lesson: a network learns to read digits, step by step, in a few minutes."""
    if notebook is not None:
        _hand_out_notebook(notebook)
        return
    from ..train import announce_backend
    from ..train.telling import Teller
    from ..train.tutorial import choose_folder, teach
    from ..train.watching import watcher_for

    folder = choose_folder(out)
    announce_backend()
    teach(folder, epochs=epochs, seed=seed, listener=Teller(), watcher=watcher_for())
    print(f"model: {folder / 'model.keras'}\nreport: {folder / 'report.html'}")


def _hand_out_notebook(folder: Path) -> None:
    """Copy the notebook into `folder`, never over another, and print the command that opens it."""
    from .. import notebook
    from ..errors import install_hint

    path = notebook.copy(folder)
    print(path)
    print(f"open it with: {shlex.quote(sys.executable)} -m jupyterlab {shlex.quote(str(path))}")
    if not notebook.can_open():
        print(f"inkdigits: JupyterLab is not installed; type: {install_hint('notebook')}", file=sys.stderr)


def show(
    index: Annotated[int, typer.Argument(help="Which sample, counted from 0.")],
    split: Annotated[Split, typer.Option(help="From the training pictures or from the test pictures.")] = Split.train,
    out: Annotated[Path | None, typer.Option(help="Write it as a PNG, ten times as large, here.")] = None,
) -> None:
    """Show a sample of MNIST and its label."""
    from .. import mnist, textart
    from ..errors import UsageError
    from ..files import write_bytes

    x, y = mnist.load_data()[split is Split.test]
    if not 0 <= index < len(x):
        raise UsageError(f"there is no {split} sample {index}: expected 0 to {len(x) - 1}")
    print(textart.draw(x[index], sys.stdout.encoding))
    print(f"{split} sample {index}, label {y[index]}")
    if out is not None:
        import cv2

        large = x[index].repeat(10, 0).repeat(10, 1)  # (280, 280)
        path = out if out.suffix.lower() == ".png" else Path(f"{os.fspath(out)}.png")
        print(f"picture: {write_bytes(path, cv2.imencode('.png', large)[1].tobytes())}")
