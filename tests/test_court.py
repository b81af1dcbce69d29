"""`audit` as a user types it: what looks wrong, a page to judge on, verdicts that are applied, and refused where they don't belong."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from inkdigits import cli, mnist
from inkdigits.labelled import load_labelled

Run = Callable[..., tuple[int, str, str]]
WRONG = "b & <i>.png"  # says 3, is another


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def running(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.run([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Eight pictures, the second with a wrong label."""
    _, (x, y) = mnist.load_data()
    home = tmp_path / "own"
    home.mkdir()
    rows = [("file", "label")]
    for i in range(8):
        name = WRONG if i == 1 else f"{i}.png"
        cv2.imwrite(str(home / name), 255 - cv2.resize(x[i], (84, 84)))
        rows.append((name, "3" if i == 1 else str(y[i])))
    with (home / "labels.csv").open("w", newline="") as f:
        csv.writer(f).writerows(rows)
    return home


def verdicts(page: Path, given: dict[str, int | None]) -> Path:
    """Return a file as the page saves it."""
    about = json.loads(re.search(r'id="about">(.*?)</script>', page.read_text())[1])
    path = page.with_name("verdicts.json")
    path.write_text(json.dumps({"data": about["data"], "id": about["id"], "verdicts": given}))
    return path


def test_from_suspicion_to_corrected_labels(folder: Path, tmp_path: Path, run: Run) -> None:
    page = tmp_path / "court.html"
    code, out, err = run("audit", folder, "--out", page, "--top", 4, "--json")
    answer = json.loads(out)
    assert (code, err) == (0, "") and answer["n"] == 8 and len(answer["labels"]) == 4 and answer["by"] == "reader"
    first = answer["labels"][0]
    assert (first["file"], first["label"], first["suggestion"]) == (WRONG, 3, 2) and first["probability"] < 0.25
    text = page.read_text()
    assert "<i>.png" not in text and "://" not in text and "default-src 'none'" in text
    judged = verdicts(page, {WRONG: 2, "0.png": None, "2.png": 1})
    code, out, err = run("audit", folder, "--apply", judged, "--out", tmp_path / "labels.csv")
    assert (code, err) == (0, "") and "7 labels, 1 of them changed; 1 left out" in out
    with (tmp_path / "labels.csv").open(newline="") as f:
        corrected = {row["file"]: row["label"] for row in csv.DictReader(f)}
    assert corrected[WRONG] == "2" and "0.png" not in corrected and corrected["2.png"] == "1"
    (folder / "labels.csv").write_bytes((tmp_path / "labels.csv").read_bytes())
    code, out, err = run("audit", folder, "--apply", judged, "--out", tmp_path / "again.csv")
    assert code != 0 and "made for other labels" in err and err.count("\n") == 1


def test_labels_that_nothing_speaks_against_are_not_named(folder: Path, run: Run) -> None:
    _, out, _ = run("audit", folder)
    named = [line for line in out.splitlines() if "perhaps" in line]
    assert len(named) == 1 and "label 3, perhaps 2" in named[0]
    labels = (folder / "labels.csv").read_text("utf-8")
    (folder / "labels.csv").write_text(labels.replace(",3", ",2"), "utf-8")
    code, out, err = run("audit", folder)
    assert (code, err) == (0, "") and out.count("\n") == 1 and ": 0 of 8 labels are less probable than another digit" in out


def test_glyphs_are_corrected_in_their_own_form(tmp_path: Path, run: Run) -> None:
    _, (x, y) = mnist.load_data()
    labels = y[:20].copy()
    labels[4] = 9 - labels[4]
    np.savez(tmp_path / "own.npz", x=x[:20], y=labels)
    code, out, _ = run("audit", tmp_path / "own.npz", "--model", "mnist", "--model", "reader", "--out", tmp_path / "court.html")
    assert code == 0 and "by mnist and reader" in out and f"\n  4: label {labels[4]}, perhaps {y[4]} " in out
    judged = verdicts(tmp_path / "court.html", {"4": int(y[4]), "7": None})
    assert run("audit", tmp_path / "own.npz", "--apply", judged, "--out", tmp_path / "new.npz")[0] == 0
    found = load_labelled(tmp_path / "new.npz")
    kept = np.setdiff1d(np.arange(20), [7])
    assert (found.labels == y[kept]).all() and (found.glyphs == x[kept]).all()
    for out_file in ("new.txt", "new"):
        code, _, err = run("audit", tmp_path / "own.npz", "--apply", judged, "--out", tmp_path / out_file)
        assert code == 2 and ".csv" in err and not (tmp_path / out_file).exists()


def test_a_picture_that_cannot_be_read_costs_that_one(folder: Path, run: Run) -> None:
    (folder / "3.png").write_bytes(b"\x89PNG no more")
    code, out, err = run("audit", folder, "--json")
    assert code == 1 and json.loads(out)["n"] == 7 and err.startswith("inkdigits: 3.png: ") and err.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "no file of verdicts"),
        ("[" * 100_000, "no file of verdicts"),
        ("[1]", "no file of verdicts"),
        ('{"verdicts": {}}', "other labels"),
    ],
)
def test_verdicts_that_are_none(content: str, said: str, folder: Path, tmp_path: Path, run: Run) -> None:
    (tmp_path / "v.json").write_text(content)
    code, _, err = run("audit", folder, "--apply", tmp_path / "v.json", "--out", tmp_path / "l.csv")
    assert code != 0 and said in err and err.count("\n") == 1 and not (tmp_path / "l.csv").exists()


@pytest.mark.parametrize("given", [{"nobody.png": 3}, {"0.png": 12}, {"0.png": True}, {"0.png": "7"}])
def test_verdicts_that_make_no_sense(given: dict[str, object], folder: Path, tmp_path: Path, run: Run) -> None:
    assert run("audit", folder, "--out", tmp_path / "court.html")[0] == 0
    judged = verdicts(tmp_path / "court.html", given)  # type: ignore[arg-type]
    code, _, err = run("audit", folder, "--apply", judged, "--out", tmp_path / "l.csv")
    assert code != 0 and "expected a label 0–9" in err and err.count("\n") == 1


def test_what_does_not_go_together(folder: Path, run: Run) -> None:
    for options in (("--folds", 5, "--model", "reader"), ("--apply", "v.json"), ("--top", 0)):
        code, out, err = run("audit", folder, *options)
        assert (code, out) == (2, "") and err.count("\n") == 1
    code, _, err = run("audit", folder, "--folds", 2)
    assert code != 0 and "at least 20 labelled pictures, got 8" in err


@pytest.mark.parametrize(("flags", "asked"), [([], 7), (["--learners", "0"], 0), (["--learners", "2"], 2), (["--model", "mnist"], 0)])
def test_small_networks_are_asked_about_mnist_unless_told_otherwise(
    flags: list[str], asked: int, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    learners: list[int] = []

    def ask(glyphs: np.ndarray, members: int, **_: object) -> list[np.ndarray]:
        learners.append(members)
        return [np.full((len(glyphs), 10), 0.1)]

    monkeypatch.setattr("inkdigits.train.committee.ask_committee", ask)
    code, out, err = run("audit", "mnist", *flags)
    assert (code, err) == (0, "") and sum(learners) == asked
    assert (f"and {asked} networks that learned from MNIST: " in out) == (asked > 0)
    head = re.search(r": (\d+) of 10,000 labels are less probable than another digit, \d+ less than 10%", out)
    assert head and int(head[1]) >= 20  # it does not say of what it puts first that nothing looks wrong


def test_without_the_extra_the_weights_are_asked_alone_and_it_says_what_to_type(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inkdigits.commands.trust._can_train", lambda: False)
    code, out, err = run("audit", "mnist", "--json")
    assert code == 0 and 'pip install "inkdigits[train]"' in err and err.count("\n") == 1
    answer = json.loads(out)
    assert answer["by"] == "reader" and answer["doubted"] > answer["unlikely"] > 0


@pytest.mark.parametrize(
    ("arrays", "flags", "said", "expected"),
    [
        ({"y": [1, 12]}, [], "got 12 at index 1", 1),
        ({"y": [1, np.nan]}, [], "got nan at index 1", 1),
        ({"x": np.full((2, 28, 28), np.nan)}, [], "finite", 1),
        ({}, ["--folds", "5"], "5 folds need at least 50 labelled pictures, got 2", 1),
        ({}, ["--folds", "0"], "--folds", 2),
        ({}, ["--model", "none.onnx"], "no such model", 3),
    ],
)
def test_what_cannot_be_audited_is_one_line(
    arrays: dict[str, object], flags: list[str], said: str, expected: int, tmp_path: Path, run: Run
) -> None:
    np.savez(tmp_path / "own.npz", **({"x": np.zeros((2, 28, 28)), "y": [1, 2]} | arrays))
    code, out, err = run("audit", tmp_path / "own.npz", *flags)
    assert (code, out) == (expected, "") and said in err and err.startswith("inkdigits: ") and err.count("\n") == 1
