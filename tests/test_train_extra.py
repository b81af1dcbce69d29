"""`train --extra`: what people corrected, and other labelled folders, are learned from beside the data."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from served import JPEG, photo, serving
from train_data import CONFIG, small_data

import inkdigits
from inkdigits import Reader, mnist
from inkdigits.cli import run
from inkdigits.errors import DataError, UsageError
from inkdigits.server import create_app
from inkdigits.train.config import NETWORKS, Config
from inkdigits.train.extra import MOST_TIMES, load_extra, times_shown
from inkdigits.train.fit import Data, train
from inkdigits.train.load import open_classifier
from inkdigits.train.watching import Watcher

(X, Y), (X_TEST, Y_TEST) = mnist.load_data()


def keep(folder: Path, glyphs: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
    """A sub-folder a class, as `serve --collect` leaves it."""
    for i, (glyph, label) in enumerate(zip(glyphs, labels, strict=True)):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / str(label) / f"{i}.png"), 255 - glyph)


def without(digits: tuple[int, ...]) -> Data:
    """A small MNIST in which some digits never come."""
    chosen = np.flatnonzero(~np.isin(Y[:2000], digits))
    return (X[chosen], Y[chosen]), (X_TEST[:200], Y_TEST[:200])


def share_read(run_folder: Path, digits: tuple[int, ...]) -> float:
    """How many of MNIST's test pictures of some digits the network of a run reads."""
    chosen = np.isin(Y_TEST, digits)
    return float((open_classifier(run_folder).predict(X_TEST[chosen]) == Y_TEST[chosen]).mean())


def test_a_network_learns_digits_that_only_the_extra_folder_has(tmp_path: Path) -> None:
    rare = (8, 9)
    chosen = 3000 + np.flatnonzero(np.isin(Y[3000:3600], rare))
    keep(tmp_path / "own", X[chosen], Y[chosen])
    config = Config(epochs=8, batch_size=50, layers=(64, 32))
    train(config, tmp_path / "plain", data=without(rare))
    metrics = train(Config(**config.to_dict() | {"layers": (64, 32), "extra": str(tmp_path / "own")}), tmp_path / "run", data=without(rare))
    assert metrics["extra"] == str(tmp_path / "own")
    assert metrics["extra_pictures"] == len(chosen)
    assert metrics["extra_accuracy"] > 0.9
    assert share_read(tmp_path / "plain", rare) == 0
    assert share_read(tmp_path / "run", rare) > 0.6


def test_from_a_correction_on_the_server_to_a_network_that_learned_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept, data = tmp_path / "kept", tmp_path / "small.npz"
    with serving(create_app(Reader.load(), collect=kept)) as server:
        look = server.client.post("/v1/look", content=photo("2071"), headers=JPEG).json()
        assert look["page"]["text"] == "2071"
        correction = {"glyph": look["digits"][2]["glyph"], "label": 1}  # a person says that this 7 is a 1
        assert server.client.post("/v1/corrections", json=correction).status_code == 201
    (x, y), (x_test, y_test) = small_data()
    np.savez(data, x_train=x, y_train=y, x_test=x_test, y_test=y_test)
    words = ["train", "--layers", "64,32", "--epochs", "6", "--batch-size", "50", "--data", str(data)]
    assert run([*words, "--out", str(tmp_path / "plain")]) == 0
    capsys.readouterr()
    assert run([*words, "--out", str(tmp_path / "run"), "--extra", str(kept)]) == 0
    told = capsys.readouterr()
    assert f"extra pictures in {kept} to learn from: 1; an epoch shows each of them {MOST_TIMES} times" in told.err
    assert "extra pictures      1 learned from, 100.00 % of them read right now" in told.out
    glyph = np.array([correction["glyph"]], np.uint8)
    assert [open_classifier(tmp_path / name).predict(glyph).tolist() for name in ("plain", "run")] == [[7], [1]]
    assert run(["compare", str(tmp_path / "plain"), str(tmp_path / "run"), "--json"]) == 0
    assert [json.loads(line)["extra_pictures"] for line in capsys.readouterr().out.splitlines()] == [None, 1]


@pytest.mark.stress
@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_takes_them(network: str, tmp_path: Path) -> None:
    keep(tmp_path / "own", X[:5], Y[:5])
    (x, y), (x_test, y_test) = small_data()
    config = Config.of(network, epochs=1, batch_size=50, extra=str(tmp_path / "own"))
    assert train(config, tmp_path / "run", data=((x[:100], y[:100]), (x_test[:20], y_test[:20])))["extra_pictures"] == 5


def test_pictures_become_glyphs_as_the_reader_sees_them(tmp_path: Path) -> None:
    picture = cv2.copyMakeBorder(cv2.resize(255 - X[0], None, fx=8, fy=8), *[60] * 4, cv2.BORDER_CONSTANT, value=255)
    cv2.imwrite(str(tmp_path / "photo.png"), picture)
    cv2.imwrite(str(tmp_path / "dark.png"), 255 - X[1])
    cv2.imwrite(str(tmp_path / "bright.png"), X[1])
    cv2.imwrite(str(tmp_path / "colour.png"), cv2.cvtColor(255 - X[1], cv2.COLOR_GRAY2BGR))
    (tmp_path / "labels.csv").write_text("file,label\nphoto.png,5\ndark.png,0\nbright.png,0\ncolour.png,0\n")
    extra = load_extra(tmp_path)
    assert extra.y.tolist() == [5, 0, 0, 0]
    read = inkdigits.read(tmp_path / "photo.png", single=True)
    assert (extra.x[0] == read.numbers[0].digits[0].glyph).all()
    assert (extra.x[1:] == X[1]).all()


def test_what_cannot_be_used_is_left_out_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep(tmp_path / "own", X[:3], Y[:3])
    (tmp_path / "own" / "3").mkdir()
    (tmp_path / "own" / "3" / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    cv2.imwrite(str(tmp_path / "own" / "3" / "white.png"), np.full((90, 90), 255, np.uint8))
    (x, y), (x_test, y_test) = small_data()
    np.savez(tmp_path / "d.npz", x_train=x, y_train=y, x_test=x_test, y_test=y_test)
    words = ["--data", str(tmp_path / "d.npz"), "--extra", str(tmp_path / "own"), "--epochs", "1", "--layers", "8"]
    assert run(["train", *words, "--out", str(tmp_path / "run"), "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["extra_pictures"] == 3
    assert "extra pictures that cannot be used: 2; the first: 3/torn.png: " in told.err


def test_a_folder_that_cannot_be_learned_from_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("empty", "bare/3", "words/cat", "torn/3", "pages"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "file.png").write_bytes(b"x")
    (tmp_path / "torn" / "3" / "a.png").write_bytes(b"no picture")
    (tmp_path / "pages" / "labels.csv").write_text("file,text\na.png,12\n")
    reasons = {
        "none": "is no folder of labelled pictures",
        "file.png": "is no folder of labelled pictures",
        "empty": "expected labels.csv or sub-folders named 0 to 9",
        "bare": "holds no labelled pictures",
        "words": "found cat",
        "torn": "none of the 1 pictures",
        "pages": "expected the columns file and label",
        "mnist": "is no folder of labelled pictures",  # the name of a data set, whose test pictures nothing learns from
    }
    for name, reason in reasons.items():
        folder = name if name == "mnist" else str(tmp_path / name)
        assert run(["train", "--extra", folder, "--out", str(tmp_path / "run")]) == 1
        told = capsys.readouterr()
        assert not told.out and "Traceback" not in told.err
        assert reason in told.err.splitlines()[-1]
        assert not (tmp_path / "run").exists()


def test_a_resumed_training_wants_the_same_folder(tmp_path: Path) -> None:
    keep(tmp_path / "own", X[:3], Y[:3])
    config = Config(**CONFIG.to_dict() | {"layers": CONFIG.layers, "extra": str(tmp_path / "own")})

    class Cut(Exception):
        pass

    class Cutter(Watcher):
        def end_epoch(self, row: dict[str, float]) -> None:
            raise Cut

    with pytest.raises(Cut):
        train(config, tmp_path / "run", data=small_data(), watcher=Cutter())
    keep(tmp_path / "own", X[3:5], Y[3:5])
    with pytest.raises(UsageError, match="other data"):
        train(config, tmp_path / "run", data=small_data(), resume=True)


def test_the_test_set_and_what_is_held_out_stay_as_they_are(tmp_path: Path) -> None:
    keep(tmp_path / "own", X[:3], Y[:3])
    config = Config(epochs=1, batch_size=50, layers=(8,), validate=True, extra=str(tmp_path / "own"))
    metrics = train(config, tmp_path / "run", data=small_data())
    assert metrics["extra_pictures"] == 3
    assert round(metrics["validation_accuracy"] * 100) / 100 == metrics["validation_accuracy"]  # of 100 pictures held out, not 103


def test_an_epoch_shows_few_pictures_often_and_many_once() -> None:
    assert [times_shown(n, 60_000) for n in (1, 600, 1200, 6000, 100_000)] == [10, 10, 5, 1, 1]
    with pytest.raises(DataError):
        load_extra("nowhere")
