"""Glyphs in, probabilities out; and every model that is not ours, whole and unchanged is refused."""

import io
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import models
import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import inkdigits
from inkdigits import classify, modelfile
from inkdigits.calibration import confidences
from inkdigits.classify import Classifier
from inkdigits.errors import ModelError, ReadError, UsageError
from inkdigits.files import sha256

GLYPHS = models.glyphs(20)


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier(models.onnx_bytes())


@pytest.fixture(scope="module")
def refusing() -> Classifier:
    """A network with an eleventh class."""
    return Classifier(models.onnx_bytes(11))


def one_line(error: pytest.ExceptionInfo[Exception]) -> str:
    text = str(error.value)
    assert "\n" not in text and 0 < len(text) <= 200
    return text


# --- answers ---


def test_probabilities(classifier: Classifier) -> None:
    probabilities, confidence = classifier.classify(GLYPHS)
    assert probabilities.shape == (20, 10) and probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(confidence, probabilities.max(axis=1))
    np.testing.assert_array_equal(classifier.predict(GLYPHS), probabilities.argmax(axis=1))
    np.testing.assert_array_equal(classifier.predict_proba(GLYPHS), probabilities)
    np.testing.assert_array_equal(classifier.confidence(GLYPHS), confidence)


def test_no_digit_takes_from_the_confidence_not_from_the_ten(refusing: Classifier) -> None:
    logits = refusing.logits(GLYPHS).astype(np.float64)
    assert logits.shape == (20, 11)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    probabilities, confidence = refusing.classify(GLYPHS)
    np.testing.assert_allclose(probabilities, p[:, :10] / p[:, :10].sum(axis=1, keepdims=True), atol=1e-5)
    np.testing.assert_allclose(confidence, p[:, :10].max(axis=1), atol=1e-5)  # p(best | digit) × p(digit) = p(best)


def test_what_is_surely_no_digit_still_has_ten_finite_probabilities() -> None:
    def shift(graph: onnx.GraphProto) -> None:
        bias = next(c for c in graph.initializer if list(c.dims) == [11])
        values = onnx.numpy_helper.to_array(bias).copy()
        values[10] += 500
        bias.CopyFrom(onnx.numpy_helper.from_array(values, bias.name))

    probabilities, confidence = Classifier(models.resealed(models.onnx_bytes(11), shift, check=None)).classify(GLYPHS)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert confidence.max() < 1e-6


def test_the_temperature_cools_confidence_and_changes_no_answer() -> None:
    plain = Classifier(models.onnx_bytes())
    cool = Classifier(models.resealed(models.onnx_bytes(), temperature=4.0, threshold=0.4))
    assert (cool.confidence(GLYPHS) < plain.confidence(GLYPHS)).all()
    np.testing.assert_array_equal(cool.predict(GLYPHS), plain.predict(GLYPHS))
    assert cool.threshold == 0.4


def test_the_shift_says_how_much_rarer_no_digit_is() -> None:
    plain = Classifier(models.onnx_bytes(11))
    rarer = Classifier(models.resealed(models.onnx_bytes(11), temperature=1.5, no_digit_shift=-2.0))
    assert (rarer.confidence(GLYPHS) > Classifier(models.resealed(models.onnx_bytes(11), temperature=1.5)).confidence(GLYPHS)).all()
    expected, best = confidences(plain.logits(GLYPHS), 1.5, -2.0)
    np.testing.assert_allclose(rarer.confidence(GLYPHS), expected, rtol=1e-4)
    np.testing.assert_array_equal(rarer.predict(GLYPHS), best)
    np.testing.assert_allclose(rarer.predict_proba(GLYPHS).sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("n", [0, 1, 2, 255, 256, 257, 600])
def test_any_batch_size(classifier: Classifier, n: int) -> None:
    many = models.glyphs(n, seed=1)
    together, confidence = classifier.classify(many)
    assert together.shape == (n, 10) and confidence.shape == (n,)
    some = range(0, n, 97)
    alone = [classifier.predict_proba(many[i])[0] for i in some]
    np.testing.assert_allclose(together[list(some)], np.reshape(alone, (-1, 10)), atol=1e-5)


def test_other_outputs(classifier: Classifier) -> None:
    outputs = classifier.outputs(GLYPHS, ["logits", "features", "maps"])
    assert outputs["features"].shape == (20, 8) and outputs["maps"].shape == (20, 12, 12, 8)
    np.testing.assert_allclose(outputs["maps"].mean(axis=(1, 2)), outputs["features"], atol=1e-4)  # this network pools its maps
    assert classifier.outputs(GLYPHS[:0], ["maps"])["maps"].shape == (0, 12, 12, 8)
    with pytest.raises(UsageError, match="no output 'gradients'"):
        classifier.outputs(GLYPHS, ["gradients"])


def test_threads_at_once_get_the_same_answers(classifier: Classifier) -> None:
    many = models.glyphs(300, seed=2)
    expected = classifier.predict_proba(many)
    found: list[bool] = []

    def ask() -> None:
        found.extend(bool(np.allclose(classifier.predict_proba(many), expected, atol=1e-6)) for _ in range(10))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 60


# --- glyphs of every form ---


def test_accepted_forms(classifier: Classifier) -> None:
    expected = classifier.predict_proba(GLYPHS)
    forms = [
        GLYPHS / 255, (GLYPHS / 255).astype(np.float32), GLYPHS.astype(np.float64), GLYPHS.astype(np.int64), GLYPHS[..., None],
        GLYPHS.reshape(-1, 784), GLYPHS.tolist(), list(GLYPHS), np.asfortranarray(GLYPHS), GLYPHS.astype(">i2"),
        (GLYPHS / 255).astype(np.float16),
    ]  # fmt: skip
    for form in forms:
        np.testing.assert_allclose(classifier.predict_proba(form), expected, atol=1e-3)
    for one in (GLYPHS[0], GLYPHS[0].ravel(), GLYPHS[0][..., None]):
        np.testing.assert_allclose(classifier.predict_proba(one), expected[:1], atol=1e-5)
    backwards = GLYPHS[::-1, ::-1, ::-1]
    np.testing.assert_array_equal(classifier.predict_proba(backwards), classifier.predict_proba(backwards.copy()))
    mask = GLYPHS > 127
    np.testing.assert_array_equal(classifier.predict_proba(mask), classifier.predict_proba(mask * np.uint8(255)))
    np.testing.assert_array_equal(classifier.predict_proba(mask.astype(np.uint8)), classifier.predict_proba(mask))
    assert classifier.predict_proba([]).shape == (0, 10)


def test_the_callers_array_stays_as_it_is(classifier: Classifier) -> None:
    for form in (GLYPHS.copy(), GLYPHS / 255):
        before = form.copy()
        form.setflags(write=False)
        classifier.predict(form)
        np.testing.assert_array_equal(form, before)


@pytest.mark.parametrize(
    ("glyphs", "told"),
    [
        (np.full((28, 28), np.nan), "NaN"),
        (np.full((2, 28, 28), np.inf), "infinity"),
        (np.full((28, 28), -0.4), "standardised"),
        (np.full((28, 28), 256), "0–255"),
        (np.zeros((28, 28, 3)), "grey"),
        (np.zeros((5, 28, 28, 4)), "grey"),
        (np.zeros((32, 32)), "make_glyph"),
        (np.zeros((2, 2, 28, 28)), "shape"),
        (np.zeros(()), "shape"),
        (np.zeros((3, 0, 28)), "shape"),
        ("seven.png", "numbers"),
        (None, "numbers"),
        ([[1, 2], [3]], "uneven"),
        (np.zeros((28, 28), complex), "numbers"),
        (np.array([b"x" * 28] * 28), "numbers"),
        (255 - GLYPHS, "invert"),
        (255 - GLYPHS[0], "invert"),
        (1 - GLYPHS / 255, "invert"),
    ],
)
def test_what_is_no_glyph_is_refused_in_one_line(classifier: Classifier, glyphs: object, told: str) -> None:
    with pytest.raises(ReadError) as error:
        classifier.predict(glyphs)
    assert told in one_line(error)


@given(
    hnp.arrays(st.sampled_from(["u1", "i2", "f4", "f8", "?", "c8", "U1", "M8[s]"]), hnp.array_shapes(min_dims=0, max_dims=4, min_side=0))
)
def test_any_array_is_answered_or_refused(array: np.ndarray) -> None:
    try:
        assert classify.as_glyphs(array).shape[1:] == (28, 28)
    except ReadError as error:
        assert "\n" not in str(error)


def test_strangers_among_glyphs_are_no_mistake_of_the_callers(classifier: Classifier) -> None:
    some = GLYPHS.copy()
    some[3] = 255
    assert classifier.predict(some).shape == (20,)
    blots = np.zeros((5, 28, 28), np.uint8)
    blots[:, 4:24, 4:24] = 255  # ink all over the box is still ink on black
    assert classifier.predict(blots).shape == (5,)
    noise = np.random.default_rng(0).integers(0, 256, (5, 28, 28), np.uint8)
    assert classifier.predict(noise).shape == (5,)


# --- loading ---


def test_load_from_a_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(models.onnx_bytes())
    for given_path in (path, str(path)):
        np.testing.assert_array_equal(Classifier.load(given_path).predict(GLYPHS), Classifier(models.onnx_bytes()).predict(GLYPHS))
    assert inkdigits.Classifier is Classifier
    assert Classifier.load(path).meta["name"] == "tiny" and "tiny" in repr(Classifier.load(path))


def test_packaged_weights_are_held_against_their_checksum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        classify,
        "_packaged",
        lambda name: Path(__file__).parent.parent / "src/inkdigits/weights" / name if "ten" in name else tmp_path / name,
    )
    with pytest.raises(ModelError, match="not installed"):
        Classifier.load()
    data = models.onnx_bytes()
    (tmp_path / "reader.onnx").write_bytes(data)
    (tmp_path / "reader.json").write_text(json.dumps({"sha256": sha256(data), "threshold": 0.7, "temperature": 2.0}))
    loaded = Classifier.load("reader")
    assert loaded.threshold == 0.7 and loaded.meta["temperature"] == 2.0 and loaded.classes == 10
    np.testing.assert_array_equal(Classifier.load().predict(GLYPHS), loaded.predict(GLYPHS))
    # another model of ours, whole and well sealed, is still not the one that was shipped
    (tmp_path / "reader.onnx").write_bytes(models.resealed(data, threshold=0.1))
    with pytest.raises(ModelError, match="does not match the sha256"):
        Classifier.load()
    (tmp_path / "reader.json").write_text("{")
    with pytest.raises(ModelError, match="no JSON"):
        Classifier.load()


def test_foreign_and_unreadable(tmp_path: Path) -> None:
    for name, content in (("a.onnx", b"\x89PNG\r\n"), ("b.onnx", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ModelError) as error:
            Classifier.load(tmp_path / name)
        one_line(error)
    for path, told in (
        (tmp_path / "none.onnx", "no such model"),
        (tmp_path, "no file"),
        (Path("/dev/null"), "no file"),
        (Path("a\0b"), "cannot"),
    ):
        with pytest.raises(ModelError, match=told):
            Classifier.load(path)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "model.keras").touch()
    with pytest.raises(ModelError, match="inkdigits export"):
        Classifier.load(tmp_path / "run")


@pytest.mark.parametrize(
    ("meta", "told"),
    [
        ({"format": 99}, "format 1"),
        ({"classes": 12}, "10 or 11"),
        ({"classes": 11}, "shape"),
        ({"temperature": 0}, "temperature"),
        ({"temperature": "1"}, "temperature"),
        ({"threshold": -1}, "threshold"),
        ({"no_digit_shift": None}, "no_digit_shift"),
        ({"no_digit_shift": [1]}, "no_digit_shift"),
        ({"check": {"answers": [0] * 10, "probabilities": [1.0] * 10}}, "ten built-in glyphs"),
        ({"check": {"answers": [0, 11], "probabilities": [1.0, 1.0]}}, "check"),
        ({"check": {"answers": "x"}}, "check"),
    ],
)
def test_metadata_that_makes_no_sense(meta: dict[str, object], told: str) -> None:
    with pytest.raises(ModelError, match=told) as error:
        Classifier(models.resealed(models.onnx_bytes(), **meta))
    one_line(error)


def test_a_wrong_signature_is_refused() -> None:
    def rename(graph: onnx.GraphProto) -> None:
        graph.input[0].name = "pictures"
        graph.node[0].input[0] = "pictures"

    def without_logits(graph: onnx.GraphProto) -> None:
        graph.output.remove(next(o for o in graph.output if o.name == "logits"))

    for change, told in ((rename, "one input glyphs"), (without_logits, "an output logits")):
        with pytest.raises(ModelError, match=told):
            Classifier(models.resealed(models.onnx_bytes(), change))


def test_a_graph_that_cannot_run_is_one_line() -> None:
    def break_wire(graph: onnx.GraphProto) -> None:
        graph.node[1].input[0] = "nowhere"

    with pytest.raises(ModelError, match="cannot be loaded") as error:
        Classifier(models.resealed(models.onnx_bytes(), break_wire))
    one_line(error)


def test_threads() -> None:
    np.testing.assert_allclose(
        Classifier(models.onnx_bytes(), threads=1).logits(GLYPHS), Classifier(models.onnx_bytes(), threads=2).logits(GLYPHS), atol=1e-4
    )
    with pytest.raises(UsageError, match="threads"):
        Classifier(models.onnx_bytes(), threads=0)
    assert 1 <= classify.default_threads() <= 4


def test_the_ten_built_in_glyphs() -> None:
    ten = classify.ten_glyphs()
    assert ten.shape == (10, 28, 28) and ten.dtype == np.uint8
    (x, y), _ = inkdigits.mnist.load_data()
    for digit, glyph in enumerate(ten):
        found = np.flatnonzero((x[-10_000:] == glyph).all(axis=(1, 2)))
        assert y[-10_000:][found[0]] == digit


def test_nothing_is_imported_before_it_is_needed() -> None:
    code = (
        "import sys, inkdigits; before = 'onnxruntime' in sys.modules; inkdigits.Classifier; "
        "print(before, [m for m in ('keras', 'jax', 'onnx', 'sklearn', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False []"


def test_the_runtime_is_told_to_tell_nobody_and_leaves_no_identifier(tmp_path: Path) -> None:
    code = "import os, inkdigits; inkdigits.Classifier.load(); print(os.environ['ORT_DISABLE_TELEMETRY'])"
    setting = {key: value for key, value in os.environ.items() if key not in ("ORT_DISABLE_TELEMETRY", "CI")} | {"TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=setting)
    assert done.stdout == "1\n"
    assert list(tmp_path.iterdir()) == []


def test_metadata_travels_with_the_file() -> None:
    meta = models.metadata(models.onnx_bytes())
    assert meta == modelfile.describe(models.onnx_bytes())
    assert re.fullmatch("[0-9a-f]{64}", meta["keras_sha256"])
    assert meta["input"] == {"name": "glyphs", "dtype": "uint8", "shape": ["n", 28, 28]} and meta["precision"] == "fp32"
    assert np.load(io.BytesIO(Path(classify.__file__).with_name("weights").joinpath("ten-glyphs.npy").read_bytes())).shape == (10, 28, 28)


@pytest.mark.parametrize("model", [3, 2.5, ["reader"], {}])
def test_what_names_no_model_is_refused_in_one_line(model):
    with pytest.raises(ModelError, match="expected a model's name"):
        Classifier.load(model)
