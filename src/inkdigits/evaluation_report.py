"""An evaluation comes in; one self-contained HTML page comes out: the figures, the confusion matrix, every mistake as a picture."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from . import __version__, plots
from .errors import one_line
from .evaluate import DIGITS, Evaluation
from .labelled import Answers
from .measures import BINS, risk_coverage, wilson
from .report import Table, embed_figure, write

if TYPE_CHECKING:
    from .report import Picture

SHOWN_MISTAKES = 400  # of the most confident; a page with thousands of pictures is no use to anybody
COLUMNS = 8
THUMBNAIL = 96  # pixels


def write_report(path: str | os.PathLike[str], answer: dict[str, Any], evaluation: Evaluation, answers: Answers) -> Path:
    """Write the page and return its path.

    Args:
        path: where to write it.
        answer: the JSON object of `inkdigits evaluate`.
        evaluation: what it was made from.
        answers: the pictures and their names, for the gallery of mistakes.

    Raises:
        MissingExtra: matplotlib or Jinja2 is not installed.
    """
    data = {
        "title": f"How well {one_line(answer['model'])} reads {one_line(answer['data'])}",
        "version": __version__,
        "tiles": _tiles(answer),
        "classes": _classes(evaluation),
        "figures": [
            embed_figure(
                plots.confusion(evaluation.confusion), "Confusion matrix: a row a label, a column what was read. Shaded: mistakes."
            ),
            embed_figure(
                plots.reliability(*_bins(evaluation)),
                "Reliability: answers sorted by confidence into bins of equal mass; on the line, a confidence means what it says.",
            ),
            embed_figure(
                plots.risk_coverage(*risk_coverage(evaluation.confidence, evaluation.is_right)),
                "Risk and coverage: when only the most confident share is answered, what share of the answers is wrong.",
            ),
        ],
        "mistakes": _gallery(evaluation, answers),
        "many": len(evaluation.mistakes),
        "failures": Table("Pictures that could not be read", ("file", "reason"), [(f, one_line(r)) for f, r in answers.failures]),
    }
    return write(path, "evaluation", data)


def _tiles(answer: dict[str, Any]) -> list[tuple[str, str]]:
    low, high = answer["interval"]
    tiles = [(f"{answer['accuracy']:.2%}", f"right: {answer['correct']:,} of {answer['n']:,} (95 % interval {low:.2%} to {high:.2%})")]
    if answer["corrected"] is not None:
        corrected = answer["corrected"]
        tiles.append(
            (f"{corrected['accuracy']:.2%}", f"with MNIST's wrong labels put right: {corrected['correct']:,} of {corrected['n']:,}")
        )
    tiles.append((f"{answer['ece']:.2%}", "expected calibration error (15 bins of equal mass)"))
    tiles.append((f"{answer['nll']:.4f}", f"negative log-likelihood; Brier score {answer['brier']:.4f}"))
    if answer["auroc"] is not None:
        tiles.append((f"{answer['auroc']:.4f}", "AUROC of the confidence: right answers told from wrong ones"))
    return tiles


def _classes(evaluation: Evaluation) -> Table:
    """Return a row a digit: how many there are, how many were found, how many answers were right."""
    rows = []
    for digit in range(DIGITS):
        found, there = int(evaluation.confusion[digit, digit]), int(evaluation.confusion[digit].sum())
        answered = int(evaluation.confusion[:, digit].sum())
        interval = "–" if not there else "{:.2%} to {:.2%}".format(*wilson(found, there))
        rows.append((digit, f"{there:,}", _share(found, there), interval, f"{answered:,}", _share(found, answered)))
    return Table("Digit by digit", ("digit", "pictures", "read right", "95 % interval", "answers", "answers right"), rows)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2%}" if whole else "–"


def _bins(evaluation: Evaluation) -> tuple[list[float], list[float], list[tuple[float, float]]]:
    """Return the mean confidence, the share that is right, and its interval, of each bin."""
    order = np.argsort(evaluation.confidence, kind="stable")
    parts = np.array_split(order, min(BINS, evaluation.n))
    right = [int(evaluation.is_right[part].sum()) for part in parts]
    return (
        [float(evaluation.confidence[part].mean()) for part in parts],
        [r / len(part) for r, part in zip(right, parts, strict=True)],
        [wilson(r, len(part)) for r, part in zip(right, parts, strict=True)],
    )


def _gallery(evaluation: Evaluation, answers: Answers) -> Picture | None:
    chosen = evaluation.mistakes[:SHOWN_MISTAKES]
    if not len(chosen):
        return None
    titles = [
        f"{evaluation.labels[i]} read as {evaluation.predictions[i]}\n{evaluation.confidence[i]:.3f} · "
        + one_line(Path(answers.names[i]).name, 14).replace("$", r"\$")  # a dollar would start a formula
        for i in chosen
    ]
    figure = plots.gallery([_square(answers.thumbnail(i)) for i in chosen], titles, COLUMNS)
    return embed_figure(figure, "Mistakes, the most confident first: label and answer, confidence, and which picture it is.", "png")


def _square(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture of any size as one for the gallery: grey, at most `THUMBNAIL` pixels a side, padded to a square."""
    grey = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    side = max(grey.shape)
    if side > THUMBNAIL:
        size = tuple(max(1, round(n * THUMBNAIL / side)) for n in grey.shape[::-1])
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    side = max(grey.shape)
    top, left = (side - grey.shape[0]) // 2, (side - grey.shape[1]) // 2
    bottom, right = side - grey.shape[0] - top, side - grey.shape[1] - left
    return np.asarray(cv2.copyMakeBorder(grey, top, bottom, left, right, cv2.BORDER_REPLICATE), np.uint8)
