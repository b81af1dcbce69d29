"""cli.py: every command explains itself, every mistake is one line with the right exit code, and only answers go to standard output."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

import inkdigits
from inkdigits import cli
from inkdigits.errors import MAX_REASON

COMMANDS: dict[str, Any] = dict(typer.main.get_command(cli.app).commands)  # type: ignore[attr-defined]


def fails(capsys: pytest.CaptureFixture[str], code: int, *arguments: object) -> str:
    """Run a command line that must fail; return its one-line reason."""
    assert cli.run([str(a) for a in arguments]) == code, capsys.readouterr().err
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("inkdigits: ") and said.err.count("\n") == 1, said.err
    assert len(said.err) <= MAX_REASON + len("inkdigits: \n")
    return said.err


def test_the_commands_of_the_lesson_are_there() -> None:
    assert {"compare", "doctor", "evaluate", "export", "predict", "read", "sample", "show", "train", "tutorial"} <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_every_flag_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = COMMANDS[name]
    assert command.help and command.help.strip().endswith(".")
    for parameter in command.params:
        assert parameter.help, f"{name}: {parameter.name} says nothing"
    assert cli.run([name, "--help"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"Usage: inkdigits {name}") and said.err == ""


@pytest.mark.parametrize("name", COMMANDS)
def test_a_flag_that_does_not_exist_is_one_line_and_exit_code_2(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--nonsense" in fails(capsys, 2, name, "--nonsense")


def test_without_arguments_comes_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("Usage: inkdigits") and all(name in said.out for name in COMMANDS)


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr() == (f"{inkdigits.__version__}\n", "")


def test_usage_errors(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "nonsense" in fails(capsys, 2, "nonsense")
    assert "--nonsense" in fails(capsys, 2, "--nonsense")
    assert "0 to 59999" in fails(capsys, 2, "show", 60000)
    assert "0 to 9999" in fails(capsys, 2, "show", 10000, "--split", "test")
    fails(capsys, 2, "show", "seven")
    fails(capsys, 2, "show", 0, "--split", "exam")
    fails(capsys, 2, "sample", "--text", "", "--out", tmp_path / "p.jpg")
    fails(capsys, 2, "sample", "--text", "12", "--out", tmp_path / "p.doc")
    fails(capsys, 2, "sample", "--text", "12")
    assert list(tmp_path.iterdir()) == []


def test_a_hostile_name_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    reason = fails(capsys, 2, "\x1b[2Jnonsense\nsecond line")
    assert reason.rstrip("\n").isprintable()


def test_missing_models_and_data(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    fails(capsys, 3, "evaluate", tmp_path / "nowhere")
    fails(capsys, 3, "predict", tmp_path / "nowhere.onnx", tmp_path / "p.png")
    for command in (["evaluate"], ["predict", tmp_path / "p.png"]):
        said = fails(capsys, 3, command[0], tmp_path / "nowhere.keras", *command[1:])
        assert all(kind in said for kind in ("reader", "mnist", "run folder", ".keras", ".onnx"))
    fails(capsys, 3, "export", tmp_path / "nowhere", "--out", tmp_path / "a.onnx")
    (tmp_path / "damaged.onnx").write_bytes(b"no model")
    fails(capsys, 3, "evaluate", tmp_path / "damaged.onnx")
    fails(capsys, 3, "read", "--model", tmp_path / "damaged.onnx", tmp_path / "p.png")
    assert [p.name for p in tmp_path.iterdir()] == ["damaged.onnx"]


def test_one_picture_that_cannot_be_read_costs_itself_only(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page, missing = str(tmp_path / "page.png"), str(tmp_path / "nowhere.png")
    assert cli.run(["sample", "--text", "7", "--out", page, "--dirt", "clean"]) == 0
    capsys.readouterr()
    assert cli.run(["read", "--json", "--threshold", "0", missing, page, missing]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["file"] for line in lines] == [missing, page, missing]
    assert [set(line) for line in lines[::2]] == [{"file", "error"}] * 2
    assert [line["error"]["code"] for line in lines[::2]] == ["not_found"] * 2
    assert list(lines[1]) == ["file", "width", "height", "rotation", "text", "numbers"]


def test_a_place_that_cannot_be_written_to_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert "file" in fails(capsys, 1, "sample", "--text", "12", "--out", tmp_path / "file" / "p.jpg")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def shell(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command line as a process of its own."""
    command = [sys.executable, "-m", "inkdigits", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False, **options)


def test_the_answer_alone_goes_to_standard_output() -> None:
    done = shell("show", 200)
    assert (done.returncode, done.stderr) == (0, "")
    assert "label 1" in done.stdout


def test_a_full_disk_is_one_line_and_nothing_half_written(tmp_path: Path) -> None:
    code = (
        "import resource, sys; from inkdigits import cli\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)); sys.exit(cli.run(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, "sample", "--text", "12", "--out", str(tmp_path / "p.jpg")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "inkdigits: disk: File too large\n"
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_stops_early_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "inkdigits", "show", "1"], stdout=writing, stderr=subprocess.PIPE, timeout=120, check=False
        )
    finally:
        os.close(writing)
    assert b"Traceback" not in done.stderr and b"Exception ignored" not in done.stderr
