"""The command line comes in; the library is called; answers go to standard output, everything else to standard error."""

from __future__ import annotations

import io
import os
import signal
import sys
from types import FrameType
from typing import Annotated

import typer

from . import __version__
from .commands import bulk, doctor, models, reading, sample, serve, training, trust, tutorial
from .errors import InkdigitsError, one_line

app = typer.Typer(
    name="inkdigits",
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
doctor.add_commands(app)
tutorial.add_commands(app)
training.add_commands(app)
models.add_commands(app)
reading.add_commands(app)
sample.add_commands(app)
serve.add_commands(app)
trust.add_commands(app)
bulk.add_commands(app)


@app.callback(invoke_without_command=True)
def tell_version(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Handwritten digits in, numbers out."""
    if version:
        print(__version__)
        raise typer.Exit


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with the exit code of the contract.

    0 well, 1 an input failed, 2 usage, 3 model, 4 missing extra, 130 and 143 interrupted.
    """
    signal.signal(signal.SIGTERM, _terminate)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name that the terminal cannot show stops nothing
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:  # noqa: PLR0911 (a return for each way to end)
    """Run one command line and return its exit code; errors become one line on standard error."""
    try:
        code = app(args=arguments or ["--help"], prog_name="inkdigits", standalone_mode=False)
        return int(code or 0)
    except typer.Exit as leaving:
        return leaving.exit_code
    except typer.TyperException as error:
        return _fail(error.format_message(), error.exit_code)
    except InkdigitsError as error:
        return _fail(error, error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("interrupted", 130)
    except BrokenPipeError:  # `inkdigits … | head` is no error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains when it flushes at exit
        return 0
    except OSError as error:
        return _fail(f"{error.filename or 'disk'}: {error.strerror or error}", 1)


def _terminate(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)  # as after Ctrl-C: what is half written is cleared away


def _fail(reason: object, code: int) -> int:
    print(f"inkdigits: {one_line(reason)}", file=sys.stderr)
    return code
