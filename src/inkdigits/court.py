"""Labels that look wrong come in; a page to judge them on comes out. Its verdicts come in; labels that are put right come out."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
from importlib import resources
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .audit import Audit
from .errors import DataError, UsageError, one_line
from .files import safe_name, sha256, write_bytes, write_text
from .labelled import Answers, Labelled
from .review import embedded, policy

CASES, ABOUT, POLICY = "<!-- cases -->", "<!-- about -->", "<!-- policy -->"  # what the template leaves open
THUMBNAIL = 160  # pixels: larger pictures are shown smaller
GUESSES = 3  # digits whose probabilities are shown
MAX_VERDICTS = 50 * 2**20  # bytes of a file of verdicts

Bytes = NDArray[np.uint8]


def identity(labelled: Labelled) -> str:
    """Return what tells these labels, and what they stand on, from all others."""
    return sha256(json.dumps([labelled.names_or_places(), labelled.labels.tolist()]).encode())


def write_court(path: str | os.PathLike[str], labelled: Labelled, answers: Answers, found: Audit, places: list[int]) -> Path:
    """Write the page and return its path.

    Args:
        path: where to write it.
        labelled: the labelled pictures.
        answers: their names and pictures, as far as they could be read.
        found: what confidences say of their labels.
        places: which of the answers are to be judged, the most suspicious first.
    """
    cases = [_case(answers.names[i], i, found, answers.thumbnail(i)) for i in places]
    about = {
        "id": identity(labelled),
        "data": one_line(labelled.name),
        "n": len(found.labels),
        "file": f"{safe_name(Path(path).stem)}.verdicts.json",
    }
    page = (resources.files(__package__) / "templates" / "court.html").read_text("utf-8")
    page = page.replace(POLICY, policy(page)).replace(ABOUT, embedded(about)).replace(CASES, embedded(cases))
    return write_text(path, page)


def _case(name: str, index: int, found: Audit, picture: Bytes) -> dict[str, Any]:
    p = found.probabilities[index]
    return {
        "name": name,
        "label": int(found.labels[index]),
        "suggestion": int(found.suggestions[index]),
        "guesses": [[int(d), round(float(p[d]), 4)] for d in np.argsort(-p, kind="stable")[:GUESSES]],
        "picture": base64.b64encode(cv2.imencode(".png", _small(picture))[1].tobytes()).decode(),
    }


def _small(picture: Bytes) -> Bytes:
    """Return a picture in OpenCV's order of colours, at most `THUMBNAIL` pixels a side."""
    shown = picture if picture.ndim == 2 else np.ascontiguousarray(picture[..., ::-1])
    share = THUMBNAIL / max(shown.shape[:2])
    if share >= 1:
        return shown
    size = (max(1, round(shown.shape[1] * share)), max(1, round(shown.shape[0] * share)))
    return np.asarray(cv2.resize(shown, size, interpolation=cv2.INTER_AREA), np.uint8)


def read_verdicts(path: str | os.PathLike[str], labelled: Labelled) -> dict[str, int | None]:
    """Return name → the right label, None for a picture to be left out, from a file that the page saved.

    Raises:
        DataError: it is missing, no such file, or one about other labels.
    """
    try:
        if Path(path).stat().st_size > MAX_VERDICTS:
            raise DataError(f"{path} is too large for a file of verdicts")
        told = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise DataError(f"cannot read the verdicts {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is no file of verdicts: expected what the page of inkdigits audit saves") from error
    verdicts = told.get("verdicts") if isinstance(told, dict) else None
    if not isinstance(verdicts, dict):
        raise DataError(f"{path} is no file of verdicts: expected what the page of inkdigits audit saves")
    if told.get("id") != identity(labelled):
        raise DataError(f"{path} was made for other labels than {labelled.name} has now: judge them again with inkdigits audit")
    known = set(labelled.names_or_places())
    for name, label in verdicts.items():
        if name not in known or not (label is None or (type(label) is int and 0 <= label <= 9)):
            raise DataError(
                f"{path}: expected a label 0–9 or null for a picture of {labelled.name}, got {one_line(name, 40)}: {label!r:.20}"
            )
    return verdicts


def write_corrected(path: str | os.PathLike[str], labelled: Labelled, verdicts: dict[str, int | None]) -> tuple[int, int]:
    """Write labels with verdicts applied; return how many changed and how many were left out.

    Args:
        path: a `.csv` (`file,label`; the file is the index where the pictures are no files), or for glyphs an `.npz` with `x, y`.
        labelled: the labels as they are.
        verdicts: see `read_verdicts`.

    Raises:
        UsageError: the file's name ends in something else, or pictures that are no glyphs were to go into an `.npz`.
    """
    names = labelled.names_or_places()
    judged = [verdicts.get(name, int(label)) for name, label in zip(names, labelled.labels, strict=True)]
    kept = [i for i, label in enumerate(judged) if label is not None]
    labels = np.array([judged[i] for i in kept], np.uint8)
    ending = Path(path).suffix
    if ending == ".csv":
        table = io.StringIO()
        csv.writer(table, lineterminator="\n").writerows([("file", "label"), *((names[i], judged[i]) for i in kept)])
        write_text(path, table.getvalue())
    elif ending == ".npz" and labelled.glyphs is not None:
        archive = io.BytesIO()
        np.savez_compressed(archive, x=labelled.glyphs[kept], y=labels)
        write_bytes(path, archive.getvalue())
    else:
        raise UsageError(f"corrected labels are written to a .csv file, or glyphs with them to an .npz file; got {path}")
    return int((labels != labelled.labels[kept]).sum()), len(names) - len(kept)
