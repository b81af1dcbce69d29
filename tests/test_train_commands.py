"""`inkdigits train` and `inkdigits compare`, typed as a user types them."""

import json
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from train_data import small_data

from inkdigits.cli import run
from inkdigits.train.runs import Run

QUICK = ["--layers", "16", "--epochs", "2", "--batch-size", "100"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    (x, y), (x_test, y_test) = small_data()
    path = tmp_path_factory.mktemp("data") / "small.npz"
    np.savez(path, x_train=x, y_train=y, x_test=x_test, y_test=y_test)
    return str(path)


def test_train_then_compare(data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, more in (("one", ["--json"]), ("two", ["--dropout", "0"])):
        assert run(["train", *QUICK, *more, "--data", data, "--out", str(tmp_path / name)]) == 0
        told = capsys.readouterr()
        assert "epoch 2/2" in told.err
        if name == "one":
            assert json.loads(told.out)["epochs"] == 2
        else:
            assert f"saved in {tmp_path / 'two'}" in told.out
    assert run(["compare", str(tmp_path / "one"), str(tmp_path / "two")]) == 0
    head, _, one, two = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["run", "dropout", "train"]
    assert one.split()[1:2] + two.split()[1:2] == ["–", "0"]
    assert run(["compare", "--json", str(tmp_path / "one"), str(tmp_path / "two")]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["dropout"] for row in rows] == [None, 0]
    assert all(0 < row["test_accuracy"] < 1 for row in rows)


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["--epochs", "0"], 2, "epochs must be 1 to 10000, got 0"),
        (["--epochs", "many"], 2, "epochs"),
        (["--layers", "a,b"], 2, "--layers must be whole numbers"),
        (["--network", "convnet", "--activation", "relu"], 2, "only the network tutorial"),
        (["--data", "/nowhere.npz"], 1, "no such file"),
        (["--resume"], 1, "nothing to resume"),
    ],
)
def test_what_cannot_be_is_one_line(
    arguments: list[str], code: int, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", *arguments, "--out", str(tmp_path / "x")]) == code
    told = capsys.readouterr()
    assert not told.out
    assert reason in told.err.splitlines()[-1]
    assert "Traceback" not in told.err
    assert not (tmp_path / "x").exists()


def test_a_folder_that_cannot_be_written_to_is_one_line(data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("mine")
    for out, code in ((tmp_path / "file", 2), (tmp_path / "file" / "x", 1), (Path("/proc/x"), 1)):
        assert run(["train", *QUICK, "--data", data, "--out", str(out)]) == code
        told = capsys.readouterr()
        assert not told.out
        assert "saved" not in told.err
        assert str(out) in told.err.splitlines()[-1]
    assert (tmp_path / "file").read_text() == "mine"


def test_compare_refuses_what_is_no_complete_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", str(tmp_path)]) == 1
    assert "no complete run" in capsys.readouterr().err


def start(data: str, out: Path, *arguments: str, largest_file: int = resource.RLIM_INFINITY) -> subprocess.Popen[str]:
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({largest_file}, {largest_file}))"
    lines = limit + "\nfrom inkdigits.cli import main; main()"
    command = [sys.executable, "-c", lines, "train", "--data", data, "--out", str(out), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_training_soon_with_a_way_on(data: str, tmp_path: Path, number: int, code: int) -> None:
    process = start(data, tmp_path / "r", "--layers", "16", "--epochs", "10000", "--batch-size", "10")
    deadline = time.monotonic() + 120
    while not Run(tmp_path / "r").history.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    sent = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert time.monotonic() - sent < 10
    assert not out
    assert err.splitlines()[-1].startswith("inkdigits: stopped in epoch")
    assert f"inkdigits train --resume --out {tmp_path / 'r'}" in err.splitlines()[-1]
    assert run(["train", "--resume", "--epochs", "3", "--out", str(tmp_path / "r")]) == 2  # begun with another number of epochs


def test_a_full_disk_is_one_line_and_never_saved(data: str, tmp_path: Path) -> None:
    process = start(data, tmp_path / "r", *QUICK, largest_file=50_000)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert not out
    assert "saved" not in err
    assert "File too large" in err.splitlines()[-1]
    assert "Traceback" not in err
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
