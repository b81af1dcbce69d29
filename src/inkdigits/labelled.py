"""MNIST, an `.npz` file or a folder of labelled pictures comes in; what a classifier answers to it comes out, beside the labels."""

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
from .classify import DIGITS, Classifier, Float, as_glyphs
from .errors import DataError, ReadError
from .evaluate import Labels, check_labels
from .glyph import SIZE
from .limits import Limits
from .reader import Reader
from .records import Page

MAX_UNPACKED = 2 * 2**30  # bytes an .npz file may unpack to
KEYS = (("x", "y"), ("x_test", "y_test"))
TABLE = "labels.csv"

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Labelled:
    """Digits with their labels: glyphs that are ready, or pictures that hold one digit each.

    Attributes:
        name: what was asked for: "mnist", or a path.
        labels: int64 of shape (n,), 0–9.
        glyphs: uint8 of shape (n, 28, 28), ink bright; None where there are pictures.
        pictures: paths or arrays, n of them; empty where there are glyphs.
        names: the file's name in the folder; empty where there are glyphs.
    """

    name: str
    labels: Labels
    glyphs: Bytes | None = None
    pictures: list[Any] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def names_or_places(self) -> list[str]:
        """What to call each of them: the file's name in the folder, or its index."""
        return self.names or [str(i) for i in range(len(self.labels))]

    @property
    def is_mnist_test(self) -> bool:
        """Whether this is MNIST's own test set, whose wrong labels are known."""
        return self.name == "mnist"


@dataclass(frozen=True, eq=False)
class Answers:
    """What a classifier answered to labelled digits; pictures that could not be read are not among them.

    Attributes:
        labels: int64 of shape (n,).
        probabilities: float32 of shape (n, 10).
        confidence: float32 of shape (n,).
        names: what to call each picture.
        thumbnails: for each, a small grey picture to show, or where to cut it from: see `thumbnail`.
        failures: (name, reason) of the pictures that could not be read.
        is_mnist_test: whether these are MNIST's own test pictures, whose wrong labels are known.
    """

    labels: Labels
    probabilities: Float
    confidence: Float
    names: list[str]
    thumbnails: list[Bytes | Page]
    failures: list[tuple[str, str]]
    is_mnist_test: bool = False

    def glyph(self, index: int) -> Bytes:
        """Return what the classifier was asked about: uint8 of shape (28, 28), ink bright."""
        shown = self.thumbnails[index]
        return _glyph(shown) if isinstance(shown, Page) else shown

    def thumbnail(self, index: int) -> Bytes:
        """Return a picture of one digit: the glyph, or what was read cut out of its picture; uint8 of shape (h, w) or (h, w, 3)."""
        shown = self.thumbnails[index]
        return _cut(shown) if isinstance(shown, Page) else shown


def load_labelled(data: str | Path) -> Labelled:
    """Return labelled digits.

    Args:
        data: "mnist" for its 10,000 test pictures, "mnist-train" for those that networks learn from; an `.npz` file with `x, y` or
            `x_test, y_test`; or a folder with `labels.csv` (`file,label`) or one sub-folder a class, named 0 to 9.

    Raises:
        DataError: it is missing, damaged, empty, or its labels are not 0–9.
    """
    if str(data) in ("mnist", "mnist-train"):
        x, y = mnist.load_data()[str(data) == "mnist"]
        return Labelled(str(data), y.astype(np.int64), x)
    path = Path(data)
    if path.is_dir():
        return _folder(path)
    if path.is_file():
        return _npz(path)
    raise DataError(f"no such data: {path}; expected mnist, mnist-train, a folder of labelled pictures, or an .npz file")


def answer(labelled: Labelled, classifier: Classifier, limits: Limits | None = None) -> Answers:
    """Return what `classifier` answers: to glyphs as they are, to pictures as `inkdigits.read(…, single=True)` reads them.

    Raises:
        DataError: not one picture could be read, or the glyphs are none.
    """
    if labelled.glyphs is not None:
        probabilities, confidence = classifier.classify(labelled.glyphs)
        return Answers(
            labelled.labels, probabilities, confidence, labelled.names_or_places(), list(labelled.glyphs), [], labelled.is_mnist_test
        )
    reader = Reader(classifier, limits)
    rows: list[tuple[NDArray[Any], float, int, Page]] = []
    failures = []
    for i, picture in enumerate(labelled.pictures):
        try:
            page = reader.read(picture, single=True, threshold=0)
        except ReadError as error:
            failures.append((labelled.names[i], str(error)))
            continue
        rows.append((*_of_page(page, classifier), i, page))
    if not rows:
        raise DataError(
            f"none of the {len(failures)} pictures of {labelled.name} can be read; the first: {failures[0][0]}: {failures[0][1]}"
        )
    probabilities, confidence, kept, pages = zip(*rows, strict=True)
    names = [labelled.names[i] for i in kept]
    return Answers(labelled.labels[list(kept)], np.stack(probabilities), np.array(confidence, np.float32), names, list(pages), failures)


def _of_page(page: Page, classifier: Classifier) -> tuple[NDArray[Any], float]:
    """Return the ten probabilities and the confidence of the one digit of a page; a blank page is asked about as a blank glyph."""
    if not page.numbers:
        probabilities, confidence = classifier.classify(np.zeros((SIZE, SIZE), np.uint8))
        return probabilities[0], float(confidence[0])
    digit = page.numbers[0].digits[0]
    p = np.zeros(DIGITS, np.float32)
    for value, probability in digit.alternatives:
        p[value] = probability
    return p / p.sum(), digit.confidence


def _glyph(page: Page) -> Bytes:
    """Return the glyph of the one digit of a page; a blank one where there is none."""
    glyph = page.numbers[0].digits[0].glyph if page.numbers else None
    return np.zeros((SIZE, SIZE), np.uint8) if glyph is None else glyph


def _cut(page: Page) -> Bytes:
    """Return the digit of a page, with a margin, cut out of its picture."""
    picture = page.picture() if page.picture else np.zeros((SIZE, SIZE), np.uint8)
    if not page.numbers:
        return picture
    x, y, w, h = page.numbers[0].box
    margin = max(w, h) // 5 + 1
    return picture[max(0, y - margin) : y + h + margin, max(0, x - margin) : x + w + margin]


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
    except (ValueError, OSError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error) as error:  # a header may claim any shape
        raise DataError(f"{path} is not a readable .npz file: {error}") from error
    raise DataError(f"{path}: expected the arrays x and y, or x_test and y_test; found {found}")


def _arrays(name: str, x: NDArray[Any], y: NDArray[Any]) -> Labelled:
    try:
        labels = check_labels(y)
    except DataError as error:
        raise DataError(f"{name}: {error}") from error
    if x.ndim == 0 or len(x) != len(labels):
        raise DataError(f"{name}: expected as many pictures as labels, got {x.shape} and {y.shape}")
    if len(labels) == 0:
        raise DataError(f"{name} holds no pictures")
    if not (x.ndim == 2 or x.shape[1:3] == (SIZE, SIZE)):  # pictures of another size become glyphs as files do
        return Labelled(name, labels, pictures=list(x), names=[str(i) for i in range(len(x))])
    try:
        return Labelled(name, labels, as_glyphs(x))
    except ReadError as error:
        raise DataError(f"{name}: {error}") from error


def _folder(path: Path) -> Labelled:
    named = _table(path / TABLE) if (path / TABLE).exists() else _classes(path)
    if not named:
        raise DataError(f"{path} holds no labelled pictures")
    files = [file for file, _ in named]
    return Labelled(str(path), check_labels([label for _, label in named]), pictures=[path / file for file in files], names=files)


def _table(table: Path) -> list[tuple[str, int]]:
    """Return (file, label) of each row of a labels.csv of single digits."""
    named = []
    for line, file, label in _rows(table, "label"):
        if not (label.isdecimal() and len(label) == 1 and label.isascii()):
            raise DataError(f"{table}, line {line}: expected a label 0–9, got {label!r}")
        named.append((file, int(label)))
    return named


def load_page_texts(folder: str | Path) -> list[tuple[str, str]]:
    """Return (file, text) of each page of a folder whose labels.csv has the columns `file,text`; an empty list where it has not.

    Lines of a text are parted by `|`, numbers by spaces.

    Raises:
        DataError: the table is damaged, or a text holds what no number has.
    """
    table = Path(folder) / TABLE
    if not table.is_file() or "text" not in _head(table):
        return []
    pages = []
    for line, file, text in _rows(table, "text"):
        if not set(text) <= set("0123456789.,-/:?| "):
            raise DataError(f"{table}, line {line}: expected numbers, their lines parted by |, got {text!r}")
        pages.append((file, text))
    return pages


def _head(table: Path) -> list[str]:
    """Return the names of a table's columns."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as f:
            return next(csv.reader(f), [])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot read {table}: {error}") from error


def _rows(table: Path, column: str) -> list[tuple[int, str, str]]:
    """Return (line, file, value of `column`) of each row of a table; files must lie inside its folder."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as f:
            rows = list(csv.DictReader(f))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot read {table}: {error}") from error
    found = []
    for line, row in enumerate(rows, 2):
        file, value = row.get("file"), (row.get(column) or "").strip()
        if not {"file", column} <= set(row):
            raise DataError(f"{table}, line {line}: expected the columns file and {column}, got {', '.join(k for k in row if k)}")
        if not file or (not value and column == "label"):
            raise DataError(f"{table}, line {line}: expected a file and its {column}, got {file or 'no file'}: {value or 'nothing'}")
        if Path(file).is_absolute() or ".." in Path(file).parts:
            raise DataError(f"{table}, line {line}: expected a file inside the folder, got {file!r}")
        found.append((line, file, value))
    return found


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
