"""docs/http.md: its commands are run as they stand, against a server that is really there; `deploy/` uses flags that exist."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT
from PIL import Image
from served import Served, check_error, command, photo

import inkdigits
from inkdigits import cli

TEXT = (ROOT / "docs" / "http.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(sh|python|json)\n(.*?)^```", TEXT, re.M | re.S)
RUN = [(language, code) for language, code in BLOCKS if language != "json"]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with command("--workers", 1) as (server, _):
        yield server


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the two pictures that the page speaks of."""
    folder = tmp_path_factory.mktemp("http")
    (folder / "page.jpg").write_bytes(photo("2071 438", size=(900, 500)))
    Image.fromarray(255 - inkdigits.mnist.load_data()[1][0][0]).save(folder / "seven.png")
    return folder


@pytest.mark.parametrize(("language", "code"), RUN, ids=[f"{i}-{language}" for i, (language, _) in enumerate(RUN)])
def test_what_stands_on_the_page_works(served: Served, place: Path, language: str, code: str) -> None:
    code = code.replace("http://127.0.0.1:8000", served.url)
    words = [sys.executable, "-c", code] if language == "python" else ["bash", "-euo", "pipefail", "-c", code]
    done = subprocess.run(words, cwd=place, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert '"error"' not in done.stdout, done.stdout
    assert done.stdout or "app.mount" in code


def test_the_page_speaks_of_what_is_run() -> None:
    assert sum("curl" in code for _, code in RUN) >= 4
    assert sum(language == "python" for language, _ in RUN) >= 3


def test_the_json_shown_is_json_of_the_contract() -> None:
    shown = [json.loads(code) for language, code in BLOCKS if language == "json"]
    assert inkdigits.Page.from_dict(shown[0]).text == shown[0]["text"]
    assert set(shown[1]["error"]) == {"code", "detail"}


def test_what_the_service_and_the_container_start_has_those_flags() -> None:
    import typer

    flags = {name for parameter in typer.main.get_command(cli.app).commands["serve"].params for name in parameter.opts}  # type: ignore[attr-defined]
    for file, line in (("inkdigits.service", "ExecStart="), ("Containerfile", "ENTRYPOINT")):
        text = (ROOT / "deploy" / file).read_text("utf-8")
        start = next(row for row in text.splitlines() if row.startswith(line))
        used = set(re.findall(r"--[a-z-]+", start))
        assert used and used <= flags, file
        assert set(re.findall(r"--allow-host", text)) <= flags


def test_the_local_network_needs_the_token_that_was_printed() -> None:
    with command("--lan", "--host", "127.0.0.1", "--workers", 0) as (server, _):
        assert server.told.count("\n") > 15  # a QR code, before the address
        token = re.search(r"\?token=([a-z0-9]{12})\s", server.told)
        assert token
        check_error(server.client.get("/v1/model"), 401, "refused")
        assert server.client.get(f"/?token={token[1]}", follow_redirects=True).status_code == 200
        assert server.client.get("/v1/model").json()["name"] == "reader"
