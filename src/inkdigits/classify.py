"""Glyphs come in; ten probabilities each, and how far to trust the best of them, come out. The only door to ONNX Runtime."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import modelfile
from .errors import ModelError, Unsupported, UsageError
from .files import sha256

SIZE = 28  # side of a glyph, pixels
DIGITS = 10
NO_DIGIT = 10  # place of the class "no digit" in the logits of a network with eleven classes
INPUT = "glyphs"
LOGITS, FEATURES, MAPS = "logits", "features", "maps"
DEFAULT = "reader"
WEIGHTS = "weights"  # folder of the package that holds NAME.onnx and NAME.json
TEN_GLYPHS = "ten-glyphs.npy"  # one glyph of each digit, 0 to 9, that a model is checked with when it is loaded
CHUNK = 256  # glyphs a call of ONNX Runtime: enough to keep it busy, few enough for its memory to stay small
# ONNX Runtime's kernels differ from machine to machine in the last bits of a float; whole numbers saturate differently on old processors.
TOLERANCE = {"fp32": 0.01, "int8": 0.2}

Float = NDArray[np.float32]
Bytes = NDArray[np.uint8]


class Classifier:
    """A trained network that says which digit a glyph shows.

    It may be used from several threads at once.

    Attributes:
        meta: what the model says of itself: name, classes, calibration, how it was trained.
        threshold: confidence below which a reader should not answer, 0–1.
        kernel: weights of the last layer, float32 of shape (f, classes), None where it is no plain dense layer; `explain` needs them.
    """

    def __init__(self, data: bytes, *, name: str = "the model", meta: dict[str, Any] | None = None, threads: int | None = None) -> None:
        """Make a classifier from the bytes of an ONNX file that `inkdigits export` wrote.

        Args:
            data: the whole file.
            name: what to call it in errors.
            meta: entries that take the place of the file's own metadata, such as a newer calibration.
            threads: threads one call may use; None takes one a core this process may run on, at most four.

        Raises:
            ModelError: the bytes are damaged, foreign, or answer wrongly on the ten built-in glyphs.
            UsageError: `threads` is below 1.
        """
        if threads is not None and threads < 1:
            raise UsageError(f"threads must be at least 1, got {threads}")
        self.meta: dict[str, Any] = modelfile.describe(data, name) | (meta or {})
        self.name = name
        self._session = open_session(data, name, threads or default_threads())
        self._has = _check_signature(self._session, self.meta, name)
        self._temperature = _number(self.meta, "temperature", 1.0, name)
        self.threshold = _number(self.meta, "threshold", 0.0, name)
        self._no_digit_shift = _number(self.meta, "no_digit_shift", 0.0, name)
        self.kernel = _kernel(data)
        self._check_answers()

    @classmethod
    def load(cls, model: str | os.PathLike[str] | None = None, *, threads: int | None = None) -> Self:
        """Return the classifier of packaged weights or of a file.

        Args:
            model: None or "reader" for the default weights, "mnist" for those that learned from MNIST alone, or the path of an `.onnx`
                file that `inkdigits export` wrote.
            threads: see `Classifier`.

        Raises:
            ModelError: there is no such model, or it is damaged, tampered with, or not ours.
        """
        data, name, meta = read_model(model)
        return cls(data, name=name, meta=meta, threads=threads)

    def __repr__(self) -> str:
        """Return a line that names the model."""
        return f"Classifier({self.meta.get('name')!r}, classes={self.classes}, threshold={self.threshold:g})"

    def has_output(self, name: str) -> bool:
        """Whether the network has an output of this name; see `outputs`."""
        return name in self._has

    @property
    def classes(self) -> int:
        """Classes the network tells apart: 10, or 11 where the last is "no digit"."""
        return int(self.meta["classes"])

    def predict(self, glyphs: ArrayLike) -> NDArray[np.int64]:
        """Return the most probable digit of each glyph: int64 of shape (n,). See `classify` for `glyphs`."""
        predictions: NDArray[np.int64] = self.logits(glyphs)[:, :DIGITS].argmax(axis=1)
        return predictions

    def predict_proba(self, glyphs: ArrayLike) -> Float:
        """Return the ten probabilities of each glyph: float32 of shape (n, 10), rows summing to 1. See `classify` for `glyphs`."""
        return self.classify(glyphs)[0]

    def confidence(self, glyphs: ArrayLike) -> Float:
        """Return how far to trust the best answer for each glyph: float32 of shape (n,), 0–1. See `classify`."""
        return self.classify(glyphs)[1]

    def classify(self, glyphs: ArrayLike) -> tuple[Float, Float]:
        """Return probabilities and confidence of each glyph in one pass.

        Args:
            glyphs: ink bright on black, of shape (28, 28) for one, (n, 28, 28), (n, 28, 28, 1) or (n, 784) for many; whole numbers or
                floats, 0–255 or 0–1 (a highest value of at most 1 means 0–1).

        Returns:
            Probabilities of the ten digits given that it is a digit, float32 of shape (n, 10), rows summing to 1; and confidence, float32
            of shape (n,): the calibrated probability that the best answer is right. It is low for what is no digit.

        Raises:
            ReadError: the array holds no glyphs: NaN, another shape, values out of range, black ink on white.
        """
        return self._answers(self.logits(glyphs))

    def logits(self, glyphs: ArrayLike) -> Float:
        """Return the network's raw outputs: float32 of shape (n, 10), or (n, 11) with "no digit" last. See `classify` for `glyphs`."""
        return self.outputs(glyphs, [LOGITS])[LOGITS]

    def outputs(self, glyphs: ArrayLike, names: Sequence[str] = (LOGITS, FEATURES)) -> dict[str, Float]:
        """Return chosen outputs of the network by name.

        Args:
            glyphs: see `classify`.
            names: of "logits", "features" (n, f: what the last layer sees) and, where the network is convolutional, "maps" (n, h, w, c: the
                last layer that still knows where things are).

        Raises:
            UsageError: the network has no output of that name.
            ReadError: see `classify`.
        """
        for name in names:
            if name not in self._has:
                raise UsageError(f"this model has no output {name!r}; it has {', '.join(self._has)}")
        batch = as_glyphs(glyphs)
        if len(batch) == 0:
            return {name: np.zeros((0, *self._has[name]), np.float32) for name in names}
        parts = [self._run(batch[start : start + CHUNK], names) for start in range(0, len(batch), CHUNK)]
        if len(parts) == 1:
            return dict(zip(names, parts[0], strict=True))
        return {name: np.concatenate([part[i] for part in parts]) for i, name in enumerate(names)}

    def _run(self, batch: Bytes, names: Sequence[str]) -> list[Float]:
        try:
            answers: list[Float] = self._session.run(list(names), {INPUT: batch})
            return answers
        except Exception as error:  # ONNX Runtime's exceptions have no common base of their own
            raise ModelError(f"{self.name} cannot be run: {error}") from error

    def _answers(self, logits: Float) -> tuple[Float, Float]:
        scaled = logits / np.float32(self._temperature)
        digits = scaled[:, :DIGITS]
        top = digits.max(axis=1, keepdims=True)
        weights = np.exp(digits - top)  # 1 for the best of the ten, so that even for what is surely no digit something is left of them
        total = weights.sum(axis=1, keepdims=True)
        probabilities = weights / total
        if scaled.shape[1] > NO_DIGIT:
            with np.errstate(over="ignore"):  # infinitely surer that it is no digit: a confidence of 0
                total = total + np.exp(scaled[:, NO_DIGIT:] + np.float32(self._no_digit_shift) - top)
        return probabilities, (1 / total)[:, 0]  # the best of the ten × (1 − p(no digit))

    def _check_answers(self) -> None:
        """Answer the ten built-in glyphs as the exporter saw the network answer them, or refuse to serve."""
        check = self.meta.get("check")
        if check is None:
            return
        try:
            answers, expected = np.asarray(check["answers"], np.int64), np.asarray(check["probabilities"], np.float32)
            tolerance = TOLERANCE[self.meta.get("precision", "fp32")]
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{self.name}: its metadata holds no readable check: {error}") from error
        logits = self.logits(ten_glyphs())[:, :DIGITS]
        found = np.exp(logits - logits.max(axis=1, keepdims=True))
        found /= found.sum(axis=1, keepdims=True)
        if answers.shape != (DIGITS,) or expected.shape != (DIGITS,) or not set(answers.tolist()) <= set(range(DIGITS)):
            raise ModelError(f"{self.name}: its metadata holds no readable check: expected ten answers with their probabilities")
        off = float(np.abs(found[np.arange(DIGITS), answers] - expected).max())
        if not off <= tolerance:
            raise ModelError(f"{self.name} does not answer the ten built-in glyphs as it did when it was exported (off by {off:.3f})")


def as_glyphs(glyphs: ArrayLike) -> Bytes:
    """Return glyphs of any accepted form as contiguous uint8 of shape (n, 28, 28), 0–255; the caller's array stays as it is.

    Raises:
        ReadError: see `Classifier.classify`.
    """
    if isinstance(glyphs, np.ndarray) and glyphs.dtype == np.uint8 and glyphs.ndim == 3 and glyphs.shape[1:] == (SIZE, SIZE):
        array = glyphs  # the reader's own case, and the quickest
    else:
        array = _shaped(_numeric(glyphs))
    if array.size == 0:
        return np.zeros((0, SIZE, SIZE), np.uint8)
    batch = _scaled(array)
    _refuse_white_paper(batch)
    return batch


def ten_glyphs() -> Bytes:
    """Return the ten built-in glyphs, one of each digit in order: uint8 of shape (10, 28, 28)."""
    import io

    try:
        return np.asarray(np.load(io.BytesIO(_packaged(TEN_GLYPHS).read_bytes()), allow_pickle=False), np.uint8)
    except (OSError, ValueError, EOFError) as error:
        raise ModelError(f"the built-in glyphs ({TEN_GLYPHS}) are missing or damaged; install inkdigits again") from error


def default_threads() -> int:
    """Return the threads one call uses when nothing is asked for: one a core this process may run on, at most four."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, 4)


def _numeric(glyphs: ArrayLike) -> NDArray[Any]:
    try:
        array = np.asarray(glyphs)
    except (ValueError, TypeError) as error:
        raise Unsupported(f"expected glyphs as an array of shape (n, 28, 28), got something uneven: {error}") from error
    if array.dtype.kind not in "buif":
        raise Unsupported(f"expected glyphs as numbers, got an array of {array.dtype}")
    return array


def _shaped(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array as (n, 28, 28)."""
    shape = array.shape
    if array.size == 0 and array.ndim and shape[0] == 0:
        return np.zeros((0, SIZE, SIZE), array.dtype)
    if shape in ((SIZE, SIZE), (SIZE * SIZE,), (SIZE, SIZE, 1)) or shape[1:] in ((SIZE, SIZE), (SIZE * SIZE,), (SIZE, SIZE, 1)):
        return array.reshape(-1, SIZE, SIZE)  # one glyph gets its batch axis, vectors become pictures again
    if shape[-1:] in ((3,), (4,)) and shape[-3:-1] == (SIZE, SIZE):
        raise Unsupported(f"expected grey glyphs of shape (n, 28, 28), got colour {shape}: take the mean over the last axis")
    raise Unsupported(f"expected glyphs of shape (28, 28) or (n, 28, 28), got {shape}: make_glyph prepares a picture of any size")


def _scaled(array: NDArray[Any]) -> Bytes:
    """Return values as uint8, 0–255, telling 0–1 and 0–255 apart."""
    low, high = array.min(), array.max()
    if array.dtype == np.uint8 and high > 1:
        return np.ascontiguousarray(array)
    if not (np.isfinite(low) and np.isfinite(high)):
        raise Unsupported("expected finite values, got NaN or infinity")
    if low < 0 or high > 255:
        raise Unsupported(f"expected values 0–1 or 0–255, got {low:g} to {high:g}: give the pixels before they are standardised")
    if high <= 1:  # no glyph of 0–255 is that dark: the brightest ink of a real one is near 255
        return np.ascontiguousarray(np.rint(array * np.float32(255)).astype(np.uint8))
    return np.ascontiguousarray(np.rint(array).astype(np.uint8))


def _refuse_white_paper(batch: Bytes) -> None:
    """Refuse glyphs that are black ink on white: they would get a confident answer that means nothing.

    The outermost ring of a glyph is paper. Looked at is what most of the glyphs are like: one odd stranger among many is no mistake of the
    caller's, and gets a low confidence instead.
    """
    sample = batch[: 4 * CHUNK]
    ring = np.concatenate([sample[:, 0], sample[:, -1], sample[:, 1:-1, 0], sample[:, 1:-1, -1]], axis=1) > 127
    white = (ring.mean(axis=1) > 0.75) & (sample.mean(axis=(1, 2)) > 127)
    if 2 * int(white.sum()) > len(sample):
        raise Unsupported("expected bright ink on black, got dark ink on white: invert the glyphs (255 - glyphs), or use inkdigits.read")


def _packaged(name: str) -> Any:
    return resources.files(__package__).joinpath(WEIGHTS, name)


def read_model(model: str | os.PathLike[str] | None = None) -> tuple[bytes, str, dict[str, Any] | None]:
    """Return what a classifier is made of (see `Classifier.load`): the bytes, what to call it, its description if it is packaged.

    Raises:
        ModelError: there is no such model.
    """
    model = DEFAULT if model is None else model
    if not isinstance(model, str | os.PathLike):
        raise ModelError(f"expected a model's name or the path of a file, got {type(model).__name__}")
    if isinstance(model, str) and model.isidentifier() and (model in (DEFAULT, "mnist") or _packaged(model + ".onnx").is_file()):
        data, meta = read_packaged(model)
        return data, f"the weights {model!r}", meta
    return _read_file(Path(model)), str(model), None


def read_packaged(name: str) -> tuple[bytes, dict[str, Any]]:
    """Return the bytes of packaged weights, checked against their description, and that description."""
    try:
        meta = json.loads(_packaged(f"{name}.json").read_bytes())
        data: bytes = _packaged(f"{name}.onnx").read_bytes()
    except OSError as error:
        raise ModelError(f"the weights {name!r} are not installed ({Path(str(error.filename)).name} is missing)") from error
    except ValueError as error:
        raise ModelError(f"the weights {name!r} are damaged ({name}.json is no JSON); install inkdigits again") from error
    if not isinstance(meta, dict) or sha256(data) != meta.get("sha256"):
        raise ModelError(f"the weights {name!r} are damaged: {name}.onnx does not match the sha256 in {name}.json; install inkdigits again")
    return data, meta


def _read_file(path: Path) -> bytes:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode) and (path / "model.keras").exists():
            raise ModelError(f"{path} is a run folder; make a model of it: inkdigits export {path} --out digits.onnx")
        if not stat.S_ISREG(status.st_mode):
            raise ModelError(f"{path} is no file; expected an .onnx file, reader or mnist")
        if path.suffix == ".keras":
            raise ModelError(f"{path} is a Keras file; make a model of it: inkdigits export {path} --out digits.onnx")
        if status.st_size > modelfile.MAX_BYTES:
            raise ModelError(f"{path} has {status.st_size / 2**20:.0f} MiB; a model of ours has at most {modelfile.MAX_BYTES // 2**20}")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ModelError(f"no such model: {path}; expected reader, mnist, or the path of an .onnx file") from error
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot read the model {path}: {getattr(error, 'strerror', None) or error}") from error


def load_runtime() -> Any:
    """Return ONNX Runtime, 0.1 s the first time: not before a model is loaded.

    Since 1.29 it sends its makers what is run, and keeps an identifier in the folder for temporary files, unless it is told not to before
    it starts.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    onnxruntime.disable_telemetry_events()  # Windows, or imported by somebody else before
    return onnxruntime


def open_session(data: bytes, name: str, threads: int) -> Any:
    """Return an ONNX Runtime session of bytes that `modelfile.describe` let through."""
    onnxruntime = load_runtime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1  # a chain of layers: nothing to run side by side
    options.log_severity_level = 4  # nothing but our own one line reaches standard error
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads sleep instead of burning the other cores
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions have no common base of their own
        raise ModelError(f"{name} cannot be loaded by ONNX Runtime: {error}") from error


def _kernel(data: bytes) -> Float | None:
    found = modelfile.last_kernel(data, LOGITS)
    if found is None or len(found[0]) != 2:
        return None
    return np.frombuffer(found[1], "<f4").astype(np.float32).reshape(found[0])


def _check_signature(session: Any, meta: dict[str, Any], name: str) -> dict[str, tuple[int, ...]]:
    """Return the outputs' shapes without the batch axis, after checking names, types and shapes of input and outputs."""
    classes = meta.get("classes")
    if classes not in (DIGITS, DIGITS + 1):
        raise ModelError(f"{name}: expected 10 or 11 classes, got {classes!r}")
    inputs = [(i.name, i.type, list(i.shape[1:])) for i in session.get_inputs()]
    if inputs != [(INPUT, "tensor(uint8)", [SIZE, SIZE])]:
        raise ModelError(f"{name}: expected one input {INPUT} of uint8 (n, 28, 28), got {inputs}")
    outputs = {o.name: tuple(o.shape[1:]) for o in session.get_outputs()}
    if outputs.get(LOGITS) != (classes,):
        raise ModelError(f"{name}: expected an output {LOGITS} of shape (n, {classes}), got {outputs}")
    return outputs


def _number(meta: dict[str, Any], key: str, default: float, name: str) -> float:
    """Return a number of the metadata; temperatures are above 0, thresholds not below it, a shift may be either."""
    value = meta.get(key, default)
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value)
    if not is_number or (value < 0 and key != "no_digit_shift") or (key == "temperature" and value == 0):
        raise ModelError(f"{name}: expected a sensible {key} in its metadata, got {value!r}")
    return float(value)
