"""MNIST comes in as one verified file of the package; NumPy arrays come out: offline, at once, in Keras's own order.

The data set is the work of Yann LeCun, Corinna Cortes and Christopher Burges, licensed CC BY-SA 3.0 (see NOTICE). `scripts/embed_mnist.py`
makes the embedded file from the four original ones.
"""

from __future__ import annotations

import gzip
import io
import math
import os
import struct
import zipfile
import zlib
from importlib import resources
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..files import sha256

Split = tuple[NDArray[np.uint8], NDArray[np.uint8]]

FILE = "mnist.npz"
SHA256 = "e4c5331d81fa1f83fa247b2931f05ce6dce237ff4316c44fc118391e0d323354"
SHAPES = {"x_train": (60000, 28, 28), "y_train": (60000,), "x_test": (10000, 28, 28), "y_test": (10000,)}
IDX_NAMES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
IDX_UINT8 = 0x08  # the type code of unsigned bytes in an IDX header
MAX_AXES = 3  # pictures have three: which one, row, column
# what NumPy and zipfile raise on files that are damaged, encrypted, of another kind, or claim more than fits into memory
UNREADABLE = (ValueError, OSError, EOFError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error)


def load_data(path: str | os.PathLike[str] | None = None) -> tuple[Split, Split]:
    """Return MNIST as `(x_train, y_train), (x_test, y_test)`, as `keras.datasets.mnist.load_data` does.

    Args:
        path: None for the embedded copy; else an `.npz` with Keras's four arrays, or a folder of the four IDX files, gzipped or not. A bare
            file name is sought in the working directory, then where Keras caches its own (`~/.keras/datasets`).

    Returns:
        Fresh, writable uint8 arrays: pictures of shape (60000, 28, 28) and (10000, 28, 28), 0 black to 255 white, and labels 0–9 of
        shape (60000,) and (10000,). A file of your own may hold other numbers of pictures.

    Raises:
        DataError: the file is missing, damaged, or holds something else.
    """
    arrays = _embedded() if path is None else _own(Path(path))
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])


def _embedded() -> dict[str, NDArray[np.uint8]]:
    data = resources.files(__package__).joinpath(FILE).read_bytes()
    found = sha256(data)
    if found != SHA256:
        raise DataError(f"the embedded MNIST file is damaged: expected sha256 {SHA256[:12]}…, found {found[:12]}…; install inkdigits again")
    return _read_npz(io.BytesIO(data), FILE)


def _own(path: Path) -> dict[str, NDArray[np.uint8]]:
    path = _seek(path)
    if path.is_dir():
        return _checked({key: read_idx(_idx_file(path, name)) for key, name in IDX_NAMES.items()}, str(path))
    try:
        with path.open("rb") as f:
            arrays = _read_npz(f, str(path))
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    return arrays


def _seek(path: Path) -> Path:
    if path.exists():
        return path
    cached = Path.home() / ".keras" / "datasets" / path.name
    if path.parent == Path() and not path.is_absolute() and cached.exists():
        return cached
    raise DataError(f"no such file or folder: {path} (looked here{', then in ~/.keras/datasets' if path.parent == Path() else ''})")


def _read_npz(file: IO[bytes], name: str) -> dict[str, NDArray[np.uint8]]:
    try:
        npz = np.load(file, allow_pickle=False)
        if not isinstance(npz, np.lib.npyio.NpzFile):
            raise DataError(f"{name} holds a single array; expected an .npz with {', '.join(SHAPES)}")
        with npz:
            arrays = {key: npz[key] for key in SHAPES}
    except KeyError as error:
        raise DataError(f"{name} does not hold the four arrays {', '.join(SHAPES)}: {error.args[0]}") from error
    except UNREADABLE as error:
        raise DataError(f"{name} is not a readable .npz file: {error}") from error
    return _checked(arrays, name)


def _checked(arrays: dict[str, NDArray[np.uint8]], name: str) -> dict[str, NDArray[np.uint8]]:
    for key, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise DataError(f"{name}: {key} is not an array")
    for part in ("train", "test"):
        x, y = arrays[f"x_{part}"], arrays[f"y_{part}"]
        if x.dtype != np.uint8 or x.shape[1:] != (28, 28) or x.shape[:1] != y.shape or not np.issubdtype(y.dtype, np.integer):
            came = f"{x.dtype} {x.shape} and {y.dtype} {y.shape}"
            raise DataError(f"{name}: expected uint8 pictures of shape (n, 28, 28) with n labels, got {came} ({part})")
        if y.size and not (y.min() >= 0 and y.max() <= 9):
            raise DataError(f"{name}: labels must be 0–9, got {y.min()}–{y.max()} ({part})")
        arrays[f"y_{part}"] = y.astype(np.uint8, copy=False)
    return arrays


def _idx_file(folder: Path, name: str) -> Path:
    for candidate in (name, f"{name}.gz", name.replace("-idx", ".idx"), name.replace("-idx", ".idx") + ".gz"):
        if (folder / candidate).is_file():
            return folder / candidate
    raise DataError(f"{folder} holds no {name} (nor {name}.gz)")


def read_idx(path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """Return the array of one IDX file of unsigned bytes, gzipped or not.

    Raises:
        DataError: the file is missing, truncated, or of another type.

    Source: the format is described by MNIST's makers: two zero bytes, a type code, the number of axes, each axis as a big-endian uint32.
    """
    try:
        data = Path(path).read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != IDX_UINT8:
        raise DataError(f"{path} is not an IDX file of unsigned bytes")
    start = 4 + 4 * data[3]
    if data[3] > MAX_AXES or len(data) < start:
        raise DataError(f"{path} is not an IDX file of pictures or labels: its header says {data[3]} axes")
    shape = struct.unpack(f">{data[3]}I", data[4:start])
    if len(data) - start != math.prod(shape):
        raise DataError(f"{path} is truncated or too long: its header says {shape}, it holds {len(data) - start} bytes")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape).copy()
