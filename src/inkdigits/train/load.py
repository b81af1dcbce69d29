"""A `.keras` file or a run folder comes in, from anywhere; a Keras model comes out, or one line that says why the file is refused.

A `.keras` file is a zip archive whose `config.json` names the classes to make. Keras's safe mode refuses Lambda layers; here the file is
read first, and everything it names must be on a list of Keras's own plain layers, so that no class with side effects is ever made.
"""

from __future__ import annotations

import io
import json
import math
import os
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..classify import DIGITS, SIZE, Classifier, Float
from ..errors import MissingExtra, ModelError

RUN_MODEL = "model.keras"
KERAS_SUFFIXES = (".keras", ".h5", ".hdf5")  # the last two are Keras 2's; they are told from foreign files, not read
MAX_CONFIG_BYTES = 16 * 2**20
MAX_WEIGHTS_BYTES = 512 * 2**20
MEMBERS = {"metadata.json", "config.json", "model.weights.h5"}

LAYERS = frozenset(
    {
        "Activation", "ActivityRegularization", "Add", "AlphaDropout", "Average", "AveragePooling1D", "AveragePooling2D",
        "BatchNormalization", "Bidirectional", "Concatenate", "Conv1D", "Conv2D", "Conv2DTranspose", "Cropping2D", "Dense",
        "DepthwiseConv2D", "Dot", "Dropout", "ELU", "EinsumDense", "Embedding", "Flatten", "GRU", "GaussianDropout", "GaussianNoise",
        "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GroupNormalization",
        "Identity", "InputLayer", "LSTM", "LayerNormalization", "LeakyReLU", "MaxPooling1D", "MaxPooling2D", "Maximum", "Minimum",
        "MultiHeadAttention", "Multiply", "Normalization", "PReLU", "Permute", "RandomBrightness", "RandomContrast", "RandomErasing",
        "RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom", "ReLU", "RepeatVector", "Rescaling", "Reshape", "Resizing",
        "SeparableConv2D", "SimpleRNN", "Softmax", "SpatialDropout2D", "Subtract", "TimeDistributed", "UnitNormalization",
        "UpSampling2D", "ZeroPadding2D",
    }
)  # fmt: skip
MODELS = frozenset({"Sequential", "Functional", "Model"})
# modules whose classes hold nothing but numbers
PLAIN_MODULES = frozenset({"keras.initializers", "keras.regularizers", "keras.constraints", "keras.dtype_policies"})
PLAIN_CLASSES = frozenset({"DTypePolicy", "SeedGenerator", "__keras_tensor__"})


def load_model(model: str | os.PathLike[str]) -> Any:
    """Return the Keras model of a run folder or a `.keras` file, not compiled.

    Raises:
        ModelError: it is missing, damaged, no `.keras` file, or holds anything but Keras's own plain layers.
        MissingExtra: Keras is not installed.
    """
    path = Path(model)
    if path.is_dir():
        if not (path / RUN_MODEL).is_file():
            raise ModelError(f"{path} is no finished run: it holds no {RUN_MODEL}")
        path = path / RUN_MODEL
    if not path.is_file():
        raise ModelError(f"no such model: {path}; expected a run folder or a .keras file")
    if path.suffix != ".keras":
        raise ModelError(
            f"{path} is no .keras file" + (": old .h5 files must be saved anew by Keras" if path.suffix in KERAS_SUFFIXES else "")
        )
    _check_file(path)
    try:
        import keras
    except ModuleNotFoundError as error:
        raise MissingExtra("a Keras model", "train") from error
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # whatever Keras, h5py or the backend meet in a file from elsewhere
        raise ModelError(f"{path} cannot be loaded by Keras: {error}") from error


def open_classifier(model: str | os.PathLike[str] | None) -> Classifier | KerasClassifier:
    """Return what answers for a model of any kind: reader, mnist, an `.onnx` file, a run folder or a `.keras` file.

    A Keras network runs on ONNX Runtime too, exported in memory; where it has layers that cannot be exported, Keras itself answers.

    Raises:
        ModelError: see `load_model` and `Classifier.load`.
    """
    path = None if model is None else Path(model)
    if path is None or not (path.suffix in KERAS_SUFFIXES or path.is_dir()) or str(model) in ("reader", "mnist"):
        return Classifier.load(model)
    loaded = load_model(path)
    from .export import to_onnx
    from .structure import LayerError

    try:
        return Classifier(to_onnx(loaded), name=str(path))
    except LayerError:
        return KerasClassifier(loaded)


class KerasClassifier:
    """Answers as `Classifier` does, by Keras: for networks that cannot be exported.

    Attributes:
        model: the Keras model.
        threshold: 0, as nothing has been calibrated.
    """

    threshold = 0.0

    def __init__(self, model: Any) -> None:
        """Take a built Keras model for glyphs that ends in ten classes."""
        if model.output_shape[1:] != (DIGITS,) or math.prod(side or 0 for side in model.input_shape[1:]) != SIZE * SIZE:
            raise ModelError(f"expected a network from glyphs of 28 × 28 to 10 classes, got {model.input_shape} to {model.output_shape}")
        self.model = model

    def predict_proba(self, glyphs: ArrayLike) -> Float:
        """Return the ten probabilities of each glyph: float32 of shape (n, 10). See `Classifier.classify`."""
        from ..classify import as_glyphs
        from .export import keras_probabilities

        return keras_probabilities(self.model, as_glyphs(glyphs))

    def predict(self, glyphs: ArrayLike) -> NDArray[np.int64]:
        """Return the most probable digit of each glyph: int64 of shape (n,)."""
        return np.asarray(self.predict_proba(glyphs).argmax(axis=1), np.int64)

    def classify(self, glyphs: ArrayLike) -> tuple[Float, Float]:
        """Return probabilities, and the highest of each row as confidence."""
        probabilities = self.predict_proba(glyphs)
        return probabilities, probabilities.max(axis=1)


def _check_file(path: Path) -> None:
    """Refuse a `.keras` file that names anything but plain layers, or whose weights lie in other files."""
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {member.filename: member.file_size for member in archive.infolist()}
            foreign = sorted(set(sizes) - MEMBERS)
            if foreign or not {"config.json", "model.weights.h5"} <= set(sizes):
                raise ModelError(f"{path} is no plain .keras file: {f'it holds {foreign[0]!r}' if foreign else 'parts are missing'}")
            if sizes["config.json"] > MAX_CONFIG_BYTES or sizes["model.weights.h5"] > MAX_WEIGHTS_BYTES:
                raise ModelError(f"{path} is too large: {sum(sizes.values()) / 2**20:.0f} MiB unpacked")
            config = json.loads(archive.read("config.json"))
            weights = archive.read("model.weights.h5")
        _check_config(config, path)
        _check_weights(weights, path)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError) as error:
        # RuntimeError: zipfile's for a password and, by its subclass, for a packing it does not know; also JSON nested without end
        raise ModelError(f"{path} is damaged or no .keras file: {error}") from error
    except OSError as error:
        # h5py's errors are OSErrors too, without a number
        reason = f"cannot be read: {error.strerror}" if error.strerror else f"is damaged or no .keras file: {error}"
        raise ModelError(f"{path} {reason}") from error


def _check_config(config: Any, path: Path) -> None:
    if not isinstance(config, dict) or config.get("class_name") not in ("Sequential", "Functional"):
        raise ModelError(f"{path}: expected a Sequential or functional model")
    # what compiling would make (optimizer, loss) is not made here
    waiting: list[Any] = [{key: value for key, value in config.items() if key != "compile_config"}]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "class_name" in value:
                _check_class(value, path)
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _check_class(named: dict[str, Any], path: Path) -> None:
    kind, module = named["class_name"], named.get("module")
    is_ours = isinstance(kind, str) and (module is None or (isinstance(module, str) and module.split(".")[0] == "keras"))
    holds_numbers = module in PLAIN_MODULES and str(kind).isidentifier() and kind != "function" and not str(kind).startswith("_")
    is_plain = holds_numbers or kind in LAYERS or kind in MODELS or kind in PLAIN_CLASSES
    # a registered name would let Keras make another class than the one that is named
    if not (is_ours and is_plain and named.get("registered_name") in (None, kind)):
        raise ModelError(f"{path} holds {kind!r} of {module!r}, which is not loaded from a file: only Keras's own plain layers are")


def _check_weights(data: bytes, path: Path) -> None:
    """Refuse an HDF5 file that refers to other files."""
    import h5py  # type: ignore[import-untyped]

    def check(group: Any) -> None:
        for name in group:
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise ModelError(f"{path}: its weights refer to another place ({name!r})")
            item = group[name]
            if isinstance(item, h5py.Group):
                check(item)
            elif item.external or item.is_virtual:
                raise ModelError(f"{path}: its weights lie in another file ({name!r})")

    with h5py.File(io.BytesIO(data), "r") as file:
        check(file)
