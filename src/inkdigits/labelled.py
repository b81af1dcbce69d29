"""MNIST, an `.npz` file or a folder of labelled pictures comes in; glyphs and their labels come out."""

from __future__ import annotations

import csv
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import mnist
from .classify import as_glyphs
from .errors import DataError, ReadError
from .evaluate import check_labels
from .glyph import SIZE, make_glyph
from .ink import find_ink
from .limits import Limits
from .single import propose
from .source import load_image

MAX_UNPACKED = 2 * 2**30  # bytes an .npz file may unpack to
KEYS = (("x", "y"), ("x_test", "y_test"))
TABLE = "labels.csv"

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Labelled:
    """Glyphs with their labels.

    Attributes:
        name: what was read: "mnist" or the path as it was given.
        glyphs: uint8 of shape (n, 28, 28), ink bright.
        labels: int64 of shape (n,), 0–9.
        files: the pictures' names in the folder; empty for MNIST and `.npz` files.
        failures: (file, reason) of the pictures that could not be read; they are not among the glyphs.
    """

    name: str
    glyphs: Bytes
    labels: NDArray[np.int64]
    files: list[str] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)

    @property
    def is_mnist_test(self) -> bool:
        """Whether this is MNIST's own test set, whose wrong labels are known."""
        return self.name == "mnist"


def load_labelled(data: str | Path, limits: Limits = Limits()) -> Labelled:  # noqa: B008 (Limits is frozen)
    """Return labelled glyphs.

    Args:
        data: "mnist" for its 10,000 test pictures; an `.npz` file with `x, y` or `x_test, y_test`; or a folder with `labels.csv`
            (`file,label`) or one sub-folder a class, named 0 to 9.
        limits: ceilings for each picture of a folder.

    Raises:
        DataError: it is missing, damaged, empty, or its labels are not 0–9.
    """
    if str(data) == "mnist":
        _, (x, y) = mnist.load_data()
        return Labelled("mnist", x, y.astype(np.int64))
    path = Path(data)
    if path.is_dir():
        return _folder(path, limits)
    if path.is_file():
        return _npz(path)
    raise DataError(f"no such data: {path}; expected mnist, a folder of labelled pictures, or an .npz file")


def picture_glyph(picture: Any, limits: Limits = Limits()) -> Bytes:  # noqa: B008 (Limits is frozen)
    """Return the glyph of a picture that holds one digit: uint8 of shape (28, 28), all zero where there is no ink.

    Raises:
        ReadError: the picture cannot be read.
    """
    proposals = propose(find_ink(load_image(picture, limits)))
    return make_glyph(proposals[0].ink) if proposals else np.zeros((SIZE, SIZE), np.uint8)


def _npz(path: Path) -> Labelled:
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > MAX_UNPACKED:
            raise DataError(f"{path} unpacks to {size / 2**30:.1f} GiB; at most {MAX_UNPACKED // 2**30} are read")
        with np.load(path, allow_pickle=False) as npz:
            for x_key, y_key in KEYS:
                if x_key in npz and y_key in npz:
                    return _arrays(str(path), npz[x_key], npz[y_key])
            found = ", ".join(sorted(npz.files)[:6]) or "nothing"
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path} is not a readable .npz file: {error}") from error
    raise DataError(f"{path}: expected the arrays x and y, or x_test and y_test; found {found}")


def _arrays(name: str, x: NDArray[Any], y: NDArray[Any]) -> Labelled:
    labels = check_labels(y)
    if x.ndim == 0 or len(x) != len(labels):
        raise DataError(f"{name}: expected as many pictures as labels, got {x.shape} and {y.shape}")
    if len(labels) == 0:
        raise DataError(f"{name} holds no pictures")
    try:
        is_ready = x.ndim == 2 or x.shape[1:3] == (SIZE, SIZE)
        glyphs = as_glyphs(x) if is_ready else np.stack([picture_glyph(picture) for picture in x])
    except ReadError as error:
        raise DataError(f"{name}: {error}") from error
    return Labelled(name, glyphs, labels)


def _folder(path: Path, limits: Limits) -> Labelled:
    named = _table(path / TABLE) if (path / TABLE).exists() else _classes(path)
    if not named:
        raise DataError(f"{path} holds no labelled pictures")
    glyphs, labels, files, failures = [], [], [], []
    for file, label in named:
        try:
            glyphs.append(picture_glyph(path / file, limits))
        except ReadError as error:
            failures.append((file, str(error)))
            continue
        labels.append(label)
        files.append(file)
    if not glyphs:
        raise DataError(f"none of the {len(named)} pictures in {path} can be read; the first: {failures[0][0]}: {failures[0][1]}")
    return Labelled(str(path), np.stack(glyphs), check_labels(labels), files, failures)


def _table(table: Path) -> list[tuple[str, int]]:
    """Return (file, label) of each row of a labels.csv; files must lie inside its folder."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as f:
            rows = list(csv.DictReader(f))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot read {table}: {error}") from error
    named = []
    for line, row in enumerate(rows, 2):
        file, label = row.get("file"), (row.get("label") or "").strip()
        if not file or not label:
            raise DataError(f"{table}, line {line}: expected the columns file and label, got {', '.join(k for k in row if k)}")
        if not (label.isdecimal() and len(label) == 1 and label.isascii()):
            raise DataError(f"{table}, line {line}: expected a label 0–9, got {label!r}")
        if Path(file).is_absolute() or ".." in Path(file).parts:
            raise DataError(f"{table}, line {line}: expected a file inside the folder, got {file!r}")
        named.append((file, int(label)))
    return named


def _classes(path: Path) -> list[tuple[str, int]]:
    """Return (file, label) of the pictures in sub-folders named 0 to 9."""
    classes = [folder for folder in sorted(path.iterdir()) if folder.is_dir() and not folder.name.startswith(".")]
    wrong = [folder.name for folder in classes if folder.name not in set("0123456789")]
    if wrong or not classes:
        raise DataError(f"{path}: expected {TABLE} or sub-folders named 0 to 9, found {wrong[0] if wrong else 'none'}")
    return [
        (f"{folder.name}/{file.name}", int(folder.name))
        for folder in classes
        for file in sorted(folder.iterdir())
        if file.is_file() and not file.name.startswith(".")
    ]
