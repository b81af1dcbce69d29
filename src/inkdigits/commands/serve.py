"""The command that serves the page and the API."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ..errors import MissingExtra, UsageError
from ..signals import Signals


def add_commands(app: typer.Typer) -> None:
    """Add `serve` to `app`."""
    app.command("serve")(serve)


def serve(
    host: Annotated[
        str | None, typer.Option("--host", help="Address to listen on.  [default: 127.0.0.1: this machine only]", show_default=False)
    ] = None,
    port: Annotated[int, typer.Option("--port", help="Port to listen on; 0 takes any that is free.")] = 8000,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    lan: Annotated[
        bool, typer.Option("--lan", help="Listen in the local network, for phones: asks for a token, prints the address and a QR code.")
    ] = False,
    allow_host: Annotated[
        list[str] | None, typer.Option("--allow-host", help="A further name the server answers to, as behind a proxy; * is any.")
    ] = None,
    workers: Annotated[int, typer.Option("--workers", help="Processes that read; 0 reads in threads of this one.")] = 2,
    model: Annotated[
        str | None, typer.Option("--model", help="reader, mnist, or an .onnx that `inkdigits export` wrote.  [default: reader]")
    ] = None,
    collect: Annotated[
        Path | None, typer.Option("--collect", help="Keep digits that people correct on the page in this folder, to learn from.")
    ] = None,
    log: Annotated[bool, typer.Option("--log", help="Print a JSON line a request on standard error.")] = False,
) -> None:
    """Serve the page to draw and drop photos on, and the API: http://127.0.0.1:8000 and nowhere else, unless told otherwise."""
    with Signals() as signals:  # from here on: what is loaded now takes a second or two
        try:
            from ..server.running import ANYWHERE, Settings, local_address, new_token
            from ..server.running import serve as run
        except ModuleNotFoundError as error:
            raise MissingExtra("inkdigits serve", "serve") from error
        signals.check()
        if workers < 0:
            raise UsageError(f"--workers must be 0 or more, got {workers}")
        host = host or (local_address() if lan else "127.0.0.1")
        name = local_address() if lan and host in ANYWHERE else host
        token = new_token() if lan else None
        run(Settings(host, port, open_browser, token, tuple(allow_host or ()), workers, model, collect, log, name), signals, _tell)


def _tell(address: str, plain: str) -> None:
    """Say on standard error where the server is; with a token, as a QR code too."""
    if address != plain:
        import segno

        segno.make(address).terminal(out=sys.stderr, compact=True)
        print(f"Phones in this network: {address}", file=sys.stderr)
    else:
        print(f"inkdigits is at {address}", file=sys.stderr)
    print("Ctrl-C stops it.", file=sys.stderr, flush=True)
