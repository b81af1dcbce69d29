"""`evaluate`, `predict` and `export` as a user types them: their JSON, their exit codes, and one line for whatever is wrong."""

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from models import keras
from models import layers as kl

from inkdigits import cli, mnist
from inkdigits.classify import Classifier, ten_glyphs
from inkdigits.errors import ModelError
from inkdigits.train import load

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def running(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.run([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with a network that has learned a little, its export, and pictures of digits."""
    home = tmp_path_factory.mktemp("models")
    (x, y), _ = mnist.load_data()
    keras.utils.set_random_seed(0)
    network = keras.Sequential([keras.Input((784,)), kl.Dense(32, activation="relu"), kl.Dense(10, activation="softmax")])
    network.compile("adam", "sparse_categorical_crossentropy")
    network.fit(x[:10_000].reshape(-1, 784) / np.float32(255), y[:10_000], batch_size=64, epochs=3, verbose=0)
    (home / "run").mkdir()
    network.save(home / "run" / "model.keras")
    (home / "run" / "metrics.json").write_text(json.dumps({"network": "tutorial", "epochs": 3}))
    from inkdigits.train.export import export

    export(home / "run", home / "digits.onnx")
    pictures = home / "pictures"
    pictures.mkdir()
    for digit, glyph in enumerate(ten_glyphs()):
        cv2.imwrite(str(pictures / f"{digit}.png"), 255 - cv2.resize(glyph, (140, 140), interpolation=cv2.INTER_CUBIC))
    rows = "".join(f"{digit}.png,{digit}\n" for digit in range(10))
    (pictures / "labels.csv").write_text("file,label\n" + rows)
    return home


def told(err: str) -> str:
    assert err.startswith("inkdigits: ") and err.count("\n") == 1 and len(err) <= 215, err
    return err


# --- evaluate ---


def test_evaluate_on_mnist(run: Run, folder: Path) -> None:
    code, out, err = run("evaluate", folder / "digits.onnx", "--json")
    answer = json.loads(out)
    assert code == 0 and not err
    keys = {"model", "data", "n", "correct", "accuracy", "interval", "accuracy_corrected", "nll", "ece", "confusion", "seconds"}
    assert keys <= set(answer) and answer["n"] == 10_000 and answer["data"] == "mnist" and answer["model"] == str(folder / "digits.onnx")
    _, (x, y) = mnist.load_data()
    predictions = Classifier.load(folder / "digits.onnx").predict(x)
    assert answer["correct"] == (predictions == y).sum() > 8500 and answer["accuracy"] == answer["correct"] / 10_000
    assert answer["interval"][0] < answer["accuracy"] < answer["interval"][1]
    assert answer["corrected"]["n"] == 9995 and answer["accuracy_corrected"] == answer["corrected"]["accuracy"] != answer["accuracy"]
    assert np.sum(answer["confusion"]) == 10_000 and np.trace(answer["confusion"]) == answer["correct"]
    code, out, _ = run("evaluate", folder / "digits.onnx")
    assert code == 0 and f"{answer['correct']:,} of 10,000 right" in out and "most confident mistakes" in out


def test_every_form_of_a_model_gives_the_same_figures(run: Run, folder: Path) -> None:
    found = []
    for model in (folder / "digits.onnx", folder / "run", folder / "run" / "model.keras"):
        code, out, _ = run("evaluate", model, "--data", folder / "pictures", "--json")
        found.append(json.loads(out))
        assert code == 0
    for other in found[1:]:
        assert other["confusion"] == found[0]["confusion"] and other["nll"] == pytest.approx(found[0]["nll"], abs=1e-4)
    assert found[0]["accuracy"] >= 0.8 and found[0]["accuracy_corrected"] is None and found[0]["n"] == 10


def test_folders_of_classes_and_npz_files(run: Run, folder: Path, tmp_path: Path) -> None:
    expected = json.loads(run("evaluate", folder / "digits.onnx", "--data", folder / "pictures", "--json")[1])
    for digit in range(10):
        (tmp_path / "classes" / str(digit)).mkdir(parents=True)
        os.link(folder / "pictures" / f"{digit}.png", tmp_path / "classes" / str(digit) / "some.png")
    np.savez(tmp_path / "pictures.npz", x=[cv2.imread(str(folder / "pictures" / f"{d}.png")) for d in range(10)], y=np.arange(10))
    np.savez(tmp_path / "glyphs.npz", x_test=ten_glyphs() / 255, y_test=np.arange(10))
    for data in ("classes", "pictures.npz"):
        assert (
            json.loads(run("evaluate", folder / "digits.onnx", "--data", tmp_path / data, "--json")[1])["confusion"]
            == expected["confusion"]
        )
    answer = json.loads(run("evaluate", folder / "digits.onnx", "--data", tmp_path / "glyphs.npz", "--json")[1])
    assert answer["correct"] == (Classifier.load(folder / "digits.onnx").predict(ten_glyphs()) == np.arange(10)).sum()


def test_a_picture_that_cannot_be_read_costs_that_one(run: Run, folder: Path, tmp_path: Path) -> None:
    for file in (folder / "pictures").iterdir():
        os.link(file, tmp_path / file.name)
    (tmp_path / "3.png").unlink()
    (tmp_path / "3.png").write_bytes((folder / "pictures" / "3.png").read_bytes()[:200])
    code, out, err = run("evaluate", folder / "digits.onnx", "--data", tmp_path, "--json")
    answer = json.loads(out)
    mind, unread = err.splitlines(keepends=True)
    assert code == 1 and answer["n"] == 9 and answer["unreadable"] == 1 and "3.png" in told(unread)
    assert told(mind).startswith("inkdigits: no label is 3: ") and "n = 9 is too small to conclude" in mind and answer["caution"] in mind


def test_a_report(run: Run, folder: Path, tmp_path: Path) -> None:
    os.link(folder / "pictures" / "1.png", tmp_path / "<b>$1$.png")
    (tmp_path / "labels.csv").write_text("file,label\n<b>$1$.png,7\n")
    code, out, err = run("evaluate", folder / "digits.onnx", "--data", tmp_path, "--report", tmp_path / "out.html")
    page = (tmp_path / "out.html").read_text()
    assert out.endswith(f"\n{tmp_path / 'out.html'}: the figures and 1 mistake, to be looked at in a browser\n") and code == 0
    assert "n = 1 is too small" in told(err) and "n = 1 is too small" in page and "<b>$1" not in page and "://" not in page
    assert "1 mistake<" in page and page.count("data:image/") == 3 + 1 + 3  # plots, the mistake, what it is like


def test_a_report_shows_the_interval_of_every_figure(run: Run, folder: Path, tmp_path: Path) -> None:
    _, (x, y) = mnist.load_data()
    np.savez(tmp_path / "own.npz", x=x[:300], y=y[:300])
    code, out, err = run("evaluate", folder / "digits.onnx", "--data", tmp_path / "own.npz", "--report", tmp_path / "a.html", "--json")
    page, answer = (tmp_path / "a.html").read_text(), json.loads(out)
    assert code == 0 and not err and answer["caution"] is None and "Mind:" not in page
    for name in ("ece", "smooth_ece"):
        for value in (answer[name], *answer["intervals"][name]):
            assert f"{100 * value:.2f}\xa0%" in page, name
    for name in ("nll", "brier", "auroc"):
        assert all(f"{value:.4f}" in page for value in answer["intervals"][name]), name


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda d: d / "none", "no such data"),
        (lambda d: d, "labels.csv"),
        (lambda d: write(d / "a.npz", b"PK\3\4 nothing"), "npz"),
        (lambda d: savez(d / "a.npz", images=np.zeros(3)), "x and y"),
        (lambda d: savez(d / "a.npz", x=np.zeros((2, 28, 28)), y=[0, 12]), "a.npz: expected labels to be whole numbers 0–9, got 12"),
        (lambda d: savez(d / "a.npz", x=np.zeros((2, 28, 28)), y=[0, np.nan]), "got nan at index 1"),
        (lambda d: savez(d / "a.npz", x=np.zeros((2, 28, 28)), y=["a", "b"]), "got 'a'"),
        (lambda d: lying(d / "a.npz"), "npz"),
        (lambda d: write(d / "labels.csv", b"file,label\na.png,\n").parent, "a file and its label"),
        (lambda d: savez(d / "a.npz", x=np.zeros((3, 28, 28)), y=[0, 1]), "as many"),
        (lambda d: savez(d / "a.npz", x=np.full((2, 28, 28), np.nan), y=[0, 1]), "NaN"),
        (lambda d: savez(d / "a.npz", x=np.zeros((0, 28, 28)), y=np.zeros(0)), "no pictures"),
        (lambda d: savez(d / "a.npz", x=np.array([{}], object), y=[0]), "npz"),
        (lambda d: write(d / "labels.csv", b"file,text\na.png,12\n").parent, "file and label"),
        (lambda d: write(d / "labels.csv", b"file,label\na.png,x\n").parent, "label 0–9"),
        (lambda d: write(d / "labels.csv", b"file,label\n../a.png,1\n").parent, "inside the folder"),
        (lambda d: write(d / "labels.csv", b"file,label\n").parent, "no labelled pictures"),
        (lambda d: write(d / "labels.csv", b"file,label\nnone.png,1\n").parent, "none of the 1 pictures"),
        (lambda d: write(d / "labels.csv", b"\xff\xfe\0").parent, "cannot read"),
        (lambda d: write(d / "cats" / "a.png", b"").parent.parent, "cats"),
    ],
)
def test_data_that_cannot_be_used_is_one_line(run: Run, folder: Path, tmp_path: Path, make: Callable[[Path], Path], said: str) -> None:
    code, out, err = run("evaluate", folder / "digits.onnx", "--data", make(tmp_path))
    assert code == 1 and not out and said in told(err)


def write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


def lying(path: Path) -> Path:
    """Write an .npz file whose pictures claim to be more than any memory holds."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (10**13, 28, 28)})
    savez(path, y=np.arange(10))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x.npy", header.getvalue())
    return path


def savez(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


# --- predict ---


@pytest.mark.parametrize("model", ["digits.onnx", "run"])
def test_predict(run: Run, folder: Path, model: str) -> None:
    files = [folder / "pictures" / f"{d}.png" for d in (7, 1)]
    code, out, err = run("predict", folder / model, *files, "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 0 and not err and [r["file"] for r in rows] == [str(f) for f in files]
    for row in rows:
        assert list(row) == ["file", "value", "confidence", "probabilities"] and len(row["probabilities"]) == 10
        assert sum(row["probabilities"]) == pytest.approx(1, abs=1e-4) and row["value"] == np.argmax(row["probabilities"])
        assert row["confidence"] == pytest.approx(max(row["probabilities"]), abs=1e-4)
    assert [r["value"] for r in rows] == [7, 1]
    assert run("predict", folder / model, files[0])[1].startswith(f"{files[0]}: 7 (")


def test_predict_goes_on_after_a_bad_picture(run: Run, folder: Path, tmp_path: Path) -> None:
    blank = tmp_path / "blank.png"
    cv2.imwrite(str(blank), np.full((60, 60), 255, np.uint8))
    bad = [write(tmp_path / "cut.png", b"\x89PNG\r\n\x1a\n"), write(tmp_path / "empty.png", b""), tmp_path, tmp_path / "none.png", blank]
    code, out, err = run("predict", folder / "digits.onnx", *bad, folder / "pictures" / "7.png", "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 1 and not err and len(rows) == 6 and rows[-1]["value"] == 7
    for row in rows[:-1]:
        assert set(row["error"]) == {"code", "detail"} and "\n" not in row["error"]["detail"]
    assert [row["error"]["code"] for row in rows[2:4]] == ["not_a_file", "not_found"] and "blank" in rows[4]["error"]["detail"]
    code, out, err = run("predict", folder / "digits.onnx", bad[0], folder / "pictures" / "7.png")
    assert code == 1 and out.count("\n") == 1 and "cut.png" in told(err)


def test_predict_from_standard_input(folder: Path) -> None:
    code = f"import sys; from inkdigits.cli import main; main(['predict', {str(folder / 'digits.onnx')!r}, '-', '--json'])"
    done = subprocess.run([sys.executable, "-c", code], input=(folder / "pictures" / "7.png").read_bytes(), capture_output=True, check=True)
    assert json.loads(done.stdout)["value"] == 7 and json.loads(done.stdout)["file"] == "-"


@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_models_that_cannot_be_used_are_one_line(run: Run, folder: Path, tmp_path: Path, command: str) -> None:
    picture = [folder / "pictures" / "7.png"] if command == "predict" else []
    for model, said in (
        (tmp_path / "none.onnx", "no such model"),
        (tmp_path / "none.keras", "no such model"),
        (tmp_path, "no finished run"),
        (folder / "pictures" / "7.png", "no whole ONNX file"),
        (write(tmp_path / "old.h5", b"\x89HDF"), "saved anew"),
        (write(tmp_path / "bad.keras", b"PK"), "damaged"),
        (write(tmp_path / "cut.keras", (folder / "run" / "model.keras").read_bytes()[:-500]), "damaged"),
    ):
        code, out, err = run(command, model, *picture)
        assert code == 3 and not out and said in told(err)


# --- Keras files from elsewhere ---


def changed(path: Path, out: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Write a `.keras` file anew with its members changed."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out


def in_config(old: str, new: str) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        assert old.encode() in members["config.json"]
        members["config.json"] = members["config.json"].replace(old.encode(), new.encode())

    return change


def outside_weights(members: dict[str, bytes]) -> None:
    import h5py

    buffer = io.BytesIO(members["model.weights.h5"])
    with h5py.File(buffer, "r+") as file:
        file["elsewhere"] = h5py.ExternalLink("/etc/passwd", "/x")
    members["model.weights.h5"] = buffer.getvalue()


def raw_weights(members: dict[str, bytes]) -> None:
    import h5py

    buffer = io.BytesIO(members["model.weights.h5"])
    with h5py.File(buffer, "r+") as file:
        file.create_dataset("raw", (4,), "u1", external=[("/etc/passwd", 0, 4)])
    members["model.weights.h5"] = buffer.getvalue()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (in_config('"class_name": "Dense"', '"class_name": "Lambda"'), "Lambda"),
        (in_config('"class_name": "Dense"', '"class_name": "TFSMLayer"'), "TFSMLayer"),
        (in_config('"class_name": "Dense"', '"class_name": "TorchModuleWrapper"'), "TorchModuleWrapper"),
        (in_config('"module": "keras.layers"', '"module": "os"'), "'os'"),
        (in_config('"registered_name": null', '"registered_name": "Evil>Dense"'), "not loaded"),
        (in_config('"class_name": "Zeros"', '"class_name": "__lambda__"'), "__lambda__"),
        (in_config('"class_name": "Zeros"', '"class_name": "function"'), "function"),
        (in_config('"class_name": "Sequential"', '"class_name": "Evil"'), "Sequential or functional"),
        (lambda m: m.update({"assets/x": b""}), "assets/x"),
        (lambda m: m.pop("model.weights.h5"), "missing"),
        (lambda m: m.update({"config.json": b"{"}), "damaged"),
        (lambda m: m.update({"config.json": b"[" * 100_000}), "damaged"),
        (lambda m: m.update({"model.weights.h5": b"no HDF5"}), "file signature"),
        (lambda m: m.update({"model.weights.h5": m["model.weights.h5"][: len(m["model.weights.h5"]) // 2]}), "damaged"),
        (in_config('"units": 32', '"units": 31'), "Keras"),
        (outside_weights, "another place"),
        (raw_weights, "another file"),
    ],
)
def test_a_keras_file_from_elsewhere(run: Run, folder: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], None], said: str) -> None:
    path = changed(folder / "run" / "model.keras", tmp_path / "model.keras", change)
    code, out, err = run("predict", path, folder / "pictures" / "7.png")
    assert code == 3 and not out and said in told(err)


@pytest.mark.parametrize(
    ("local", "central", "value", "said"),
    [(8, 10, 97, "compression method is not supported"), (6, 8, 1, "encrypted")],  # where both headers of a member say so
    ids=["packed", "locked"],
)
def test_a_keras_file_that_cannot_be_unpacked(
    run: Run, folder: Path, tmp_path: Path, local: int, central: int, value: int, said: str
) -> None:
    data = bytearray((folder / "run" / "model.keras").read_bytes())
    for header, place in ((b"PK\3\4", local), (b"PK\1\2", central)):
        at = data.find(header)
        while at >= 0:
            data[at + place : at + place + 2] = value.to_bytes(2, "little")
            at = data.find(header, at + 4)
    (tmp_path / "model.keras").write_bytes(data)
    code, out, err = run("predict", tmp_path / "model.keras", folder / "pictures" / "7.png")
    assert code == 3 and not out and said in told(err)


def test_a_lambda_layer_as_keras_saves_it_never_runs(run: Run, folder: Path, tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((784,)), kl.Lambda(lambda x: x * 2), kl.Dense(10)])
    model.save(tmp_path / "model.keras")
    code, out, err = run("predict", tmp_path / "model.keras", folder / "pictures" / "7.png")
    assert code == 3 and not out and "Lambda" in told(err)


def test_what_cannot_be_exported_is_answered_by_keras(folder: Path, tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((28, 28)), kl.LSTM(8), kl.Dense(10, activation="softmax")])
    model.save(tmp_path / "model.keras")
    classifier = load.open_classifier(tmp_path / "model.keras")
    assert isinstance(classifier, load.KerasClassifier)
    probabilities, confidence = classifier.classify(ten_glyphs())
    expected = np.asarray(model(ten_glyphs().astype(np.float32) / 255))
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)
    np.testing.assert_array_equal(confidence, probabilities.max(axis=1))
    np.testing.assert_array_equal(classifier.predict(ten_glyphs()), expected.argmax(axis=1))
    for shape in ((28, 28), (5, 5)):
        wrong = keras.Sequential([keras.Input(shape), kl.LSTM(8), kl.Dense(3 if shape == (28, 28) else 10)])
        with pytest.raises(ModelError):
            load.KerasClassifier(wrong)


# --- export ---


def test_without_the_training_parts_one_line_names_the_command(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "keras", None)
    for arguments in (
        ("export", folder / "run", "--out", tmp_path / "a.onnx"),
        ("predict", folder / "run", "x.png"),
        ("evaluate", folder / "run"),
    ):
        code, out, err = run(*arguments)
        assert code == 4 and not out and 'pip install "inkdigits[train]"' in told(err)
    assert run("predict", folder / "digits.onnx", folder / "pictures" / "7.png")[0] == 0  # ONNX Runtime is enough for this


def test_export(run: Run, folder: Path, tmp_path: Path) -> None:
    code, out, err = run("export", folder / "run", "--out", tmp_path / "mine.onnx")
    assert code == 0 and not err and "1000 of 1000" in out
    assert Classifier.load(tmp_path / "mine.onnx").meta["trained"]["epochs"] == 3
    code, out, _ = run("export", folder / "run" / "model.keras", "--out", tmp_path / "small.onnx", "--int8")
    assert code == 0 and (tmp_path / "small.onnx").stat().st_size < 0.6 * (tmp_path / "mine.onnx").stat().st_size


def test_export_that_fails_leaves_nothing(run: Run, folder: Path, tmp_path: Path) -> None:
    code, out, err = run("export", folder / "run", "--out", tmp_path / "mine.pb")
    assert code == 2 and not out and "onnx" in told(err)
    code, out, err = run("export", tmp_path / "none", "--out", tmp_path / "mine.onnx")
    assert code == 3 and not out and "no such model" in told(err)
    (tmp_path / "file").write_text("")
    code, out, err = run("export", folder / "run", "--out", tmp_path / "file" / "mine.onnx")
    assert code == 1 and not out and told(err)
    code, _, err = run("export", folder / "run")
    assert code == 2 and told(err)
    keras.Sequential([keras.Input((28, 28)), kl.LSTM(8), kl.Dense(10)]).save(tmp_path / "m.keras")
    code, out, err = run("export", tmp_path / "m.keras", "--out", tmp_path / "mine.onnx")
    assert code == 3 and "LSTM" in told(err)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "m.keras"]
