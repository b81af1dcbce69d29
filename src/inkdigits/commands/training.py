"""The commands that train and compare: train, compare."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import UsageError


def add_commands(app: typer.Typer) -> None:
    """Add `train` and `compare` to `app`."""
    app.command("train")(train)
    app.command("compare")(compare)


def train(
    out: Annotated[Path, typer.Option("--out", help="The folder of the run; it must not hold a complete one.")],
    network: Annotated[str | None, typer.Option("--network", help="tutorial, convnet, reader, mnist or tiny.  [default: tutorial]")] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", help="How often every picture is seen.")] = None,
    batch_size: Annotated[int | None, typer.Option("--batch-size", help="Pictures that make one update.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="The same seed gives the same network.  [default: 0]")] = None,
    fast: Annotated[bool | None, typer.Option("--fast", help="The preset of the network tutorial that ends soonest.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out; settings that are not given are its own.")] = False,
    optimizer: Annotated[str | None, typer.Option("--optimizer", help="adam, adamw, nadam, sgd, rmsprop, adagrad, lamb or lion.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option("--learning-rate", help="The rate, or the peak of a schedule that rises and falls.")
    ] = None,
    schedule: Annotated[str | None, typer.Option("--schedule", help="onecycle (rises and falls) or constant.")] = None,
    layers: Annotated[str | None, typer.Option("--layers", help="Neurons of the tutorial's hidden layers.  [default: 1024,128,64]")] = None,
    dropout: Annotated[
        float | None, typer.Option("--dropout", help="Share that is left out after each hidden layer.  [default: 0.2]")
    ] = None,
    activation: Annotated[str | None, typer.Option("--activation", help="Of all hidden layers.  [default: relu, tanh, relu]")] = None,
    augment: Annotated[bool | None, typer.Option("--augment", help="Shift, turn and bend the pictures, anew in every epoch.")] = None,
    validate: Annotated[
        bool | None, typer.Option("--validate", help="Measure on the last 10,000 training pictures, not on the test set.")
    ] = None,
    data: Annotated[str | None, typer.Option("--data", help="Your own data: an .npz as Keras has it, or a folder of IDX files.")] = None,
    extra: Annotated[
        str | None,
        typer.Option(
            "--extra", metavar="DIR", help="Learn from a folder of labelled pictures too, such as the corrections of `serve --collect`."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the metrics as one JSON object.")] = False,
) -> None:
    """Train a network on MNIST; leaves model.keras, history.csv and metrics.json in --out."""
    given: dict[str, Any] = {
        "network": network, "epochs": epochs, "batch_size": batch_size, "seed": seed, "fast": fast, "optimizer": optimizer,
        "learning_rate": learning_rate, "schedule": schedule, "layers": _numbers(layers), "dropout": dropout, "activation": activation,
        "augment": augment, "validate": validate, "data": data, "extra": extra,
    }  # fmt: skip
    given = {name: value for name, value in given.items() if value is not None}
    from ..train.config import Config
    from ..train.runs import Run

    Run(out).refuse_complete()  # and bad settings too are refused before the second that importing Keras takes
    config = None if resume else Config.of(**given)

    from ..train import announce_backend, load_keras

    announce_backend()
    load_keras()
    from ..train import checkpoint, fit
    from ..train.watching import watcher_for

    if config is None:
        _, origin = checkpoint.read_about(Run(out).checkpoint)
        config = Config.from_dict(origin["config"] | given)
    _cache_compiled()
    metrics = fit.train(config, out, resume=resume, watcher=watcher_for(sys.stderr))
    print(json.dumps(metrics, ensure_ascii=False) if as_json else _summary(metrics, out))


def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN…", help="Folders of complete runs.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a run.")] = False,
) -> None:
    """Lay runs side by side: what differed, what came out."""
    from ..train import comparing
    from ..train.runs import Run

    rows = comparing.compare([Run(folder) for folder in runs])
    print("\n".join(json.dumps(row, ensure_ascii=False) for row in rows) if as_json else comparing.as_table(rows))


def _numbers(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"--layers must be whole numbers parted by commas, such as 1024,128,64, got {text!r}") from None


def _cache_compiled() -> None:
    """Let JAX keep what it compiles in the user's cache folder: the second training of a kind starts two seconds sooner."""
    from ..train import BACKEND

    if BACKEND != "jax" or "JAX_COMPILATION_CACHE_DIR" in os.environ:
        return
    import jax

    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    jax.config.update("jax_compilation_cache_dir", str(home / "inkdigits" / "jax"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)


def _summary(metrics: dict[str, Any], out: Path) -> str:
    split = "test" if metrics["test_accuracy"] is not None else "validation"
    first = metrics["first_mistake"]
    lines = [
        f"{split} accuracy       {100 * metrics[f'{split}_accuracy']:.2f} %   loss {metrics[f'{split}_loss']:.4f}",
        f"training accuracy   {100 * metrics['train_accuracy']:.2f} %   loss {metrics['train_loss']:.4f}",
        f"running accuracy    {100 * metrics['train_accuracy_running']:.2f} %   (with dropout, while it learned)",
    ]
    if own := metrics.get("extra_pictures"):
        lines.append(f"extra pictures      {own:,} learned from, {100 * metrics['extra_accuracy']:.2f} % of them read right now")
    if first:
        lines.append(f"first mistake       picture {first['index']}: a {first['label']}, read as {first['prediction']}")
    return "\n".join([*lines, f"saved in {out} after {metrics['seconds']['total']:.1f} s"])
