"""doctor.py: it tells the truth about what is there, what is missing and what is damaged, and always ends well."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from inkdigits import cli, doctor, mnist


def test_this_environment_is_told_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["doctor", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["python"] == "{}.{}.{}".format(*sys.version_info)
    assert told["extras"]["base"] == {
        "installed": True,
        "packages": sorted(told["extras"]["base"]["packages"]),
        "missing": [],
        "type": None,
    }
    assert {"numpy", "pillow", "onnxruntime", "typer"} <= set(told["extras"]["base"]["packages"])
    assert {"report", "train", "notebook", "formats", "all", "dev"} <= set(told["extras"])
    assert "keras" in told["extras"]["all"]["packages"]  # extras within extras are followed
    assert told["mnist"]["ok"] and mnist.SHA256[:12] in told["mnist"]["detail"]
    assert 1 <= told["cores"] <= (os.cpu_count() or 1)


def test_the_text_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["doctor"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    lines = said.out.splitlines()
    assert lines[0].startswith("inkdigits ") and "Python 3." in lines[0]
    for word in ("base", "train", "backend", "MNIST", "weights", "fonts"):
        assert any(line.startswith(word) for line in lines), said.out


def test_a_missing_extra_comes_with_what_to_type(tmp_path: Path) -> None:
    info = tmp_path / "inkdigits-9.9.dist-info"
    info.mkdir()
    wanted = [
        "numpy>=2",
        'mpl-of-nowhere>=3; extra == "report"',
        'inkdigits[report]; extra == "train"',
        "keras-of-nowhere; extra == 'train'",
        "linter-of-nowhere; extra == 'dev'",
    ]
    lines = ["Metadata-Version: 2.1", "Name: inkdigits", "Version: 9.9", *(f"Requires-Dist: {w}" for w in wanted)]
    (info / "METADATA").write_text("\n".join(lines))
    code = "import sys; sys.path.insert(0, sys.argv[1]); from inkdigits import cli; sys.exit(cli.run(['doctor', *sys.argv[2:]]))"
    command = [sys.executable, "-c", code, str(tmp_path)]
    told = json.loads(subprocess.run([*command, "--json"], capture_output=True, text=True, check=True).stdout)
    assert told["version"] == "9.9"
    assert told["extras"]["base"]["installed"]
    train = told["extras"]["train"]
    assert train["missing"] == ["keras-of-nowhere", "mpl-of-nowhere"]
    assert train["type"] == 'pip install "inkdigits[train]"'
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert 'type: pip install "inkdigits[report]", or ".[report]" in a clone\n' in said
    assert told["extras"]["dev"]["missing"] == ["linter-of-nowhere"] and "linter" not in said


@pytest.mark.parametrize(
    ("chosen", "wanted"),
    [
        ("", {"name": "jax", "chosen_by": "default", "installed": True}),
        ("jax", {"name": "jax", "chosen_by": "KERAS_BACKEND", "installed": True}),
        ("theano", {"name": "theano", "chosen_by": "KERAS_BACKEND", "installed": False}),
        ("json", {"name": "json", "chosen_by": "KERAS_BACKEND", "installed": False}),  # a module, and no backend
    ],
)
def test_the_backend(monkeypatch: pytest.MonkeyPatch, chosen: str, wanted: dict[str, object]) -> None:
    monkeypatch.setenv("KERAS_BACKEND", chosen)
    assert doctor.find_backend() == wanted


def test_weights_are_checked_against_their_cards(tmp_path: Path) -> None:
    def weights(name: str, model: bytes | None, card: str) -> None:
        (tmp_path / f"{name}.json").write_text(card)
        if model is not None:
            (tmp_path / f"{name}.onnx").write_bytes(model)

    weights("whole", b"abc", '{"sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}')
    weights("changed", b"abd", '{"sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}')
    weights("gone", None, '{"sha256": "00"}')
    weights("cardless", b"abc", "{")
    weights("listed", b"abc", "[]")
    found = doctor.check_weights(tmp_path)
    assert {name: state["ok"] for name, state in found.items()} == {
        "cardless": False, "changed": False, "gone": False, "listed": False, "whole": True,
    }  # fmt: skip
    assert "expected sha256 ba7816bf8f01…" in found["changed"]["detail"]
    assert all("install inkdigits again" in state["detail"] for state in found.values() if not state["ok"])
    assert doctor.check_weights(tmp_path / "nowhere") == {}


def test_a_damaged_data_set_is_a_finding_not_a_failure(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(mnist, "SHA256", "0" * 64)
    assert cli.run(["doctor"]) == 0
    assert any(line.startswith("MNIST     damaged") for line in capsys.readouterr().out.splitlines())
