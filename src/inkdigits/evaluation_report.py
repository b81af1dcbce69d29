"""An evaluation comes in; one self-contained HTML page comes out: the figures, what confidence is worth, every mistake as a picture."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from . import __version__, plots
from .cards import Card, make_cards
from .classify import Classifier
from .comparison import Comparison
from .errors import one_line
from .evaluate import DIGITS, Evaluation, Labels
from .labelled import Answers
from .measures import BINS, risk_coverage, wilson
from .report import Table, embed_figure, write

SHOWN = 300  # of the most confident mistakes; a page with thousands of pictures is no use to anybody
SHOWN_DIFFERENCES = 60  # of each kind, where two models differ
MEASURES = {
    "ece": "expected calibration error (15 bins of equal mass)",
    "smooth_ece": "the same without bins (smooth ECE)",
    "nll": "negative log-likelihood",
    "brier": "Brier score",
    "auroc": "AUROC: right answers told from wrong ones",
}
COVERAGES = (1.0, 0.995, 0.99, 0.98, 0.95, 0.9)


def write_report(
    path: str | os.PathLike[str],
    answer: dict[str, Any],
    evaluation: Evaluation,
    answers: Answers,
    classifier: Classifier,
    comparison: Comparison | None = None,
) -> Path:
    """Write the page and return its path.

    Args:
        path: where to write it.
        answer: the JSON object of `inkdigits evaluate`.
        evaluation: what it was made from.
        answers: the pictures and their names, to be shown.
        classifier: what answered.
        comparison: how it does beside another model, where there is one.

    Raises:
        MissingExtra: matplotlib or Jinja2 is not installed.
    """

    def cards(chosen: Labels) -> list[Card]:
        return make_cards(chosen, evaluation, answers, classifier)

    model = one_line(answer["model"])
    data = {
        "title": f"How well {model} reads {one_line(answer['data'])}",
        "version": __version__,
        "caution": answer["caution"],
        "tiles": _tiles(answer),
        "classes": _classes(evaluation),
        "confusion": embed_figure(
            plots.confusion(evaluation.confusion), "A row a label, a column what was read. Shaded: mistakes.", wide=False
        ),
        "sureness": [
            embed_figure(
                plots.reliability(*_bins(evaluation)),
                "Reliability: answers sorted by confidence into bins of equal mass. On the line, a confidence means what it says; "
                "above it, answers are better than they say.",
            ),
            embed_figure(
                plots.risk_coverage(*risk_coverage(evaluation.confidence, evaluation.is_right)),
                "Risk and coverage: when only the surest share is answered, what share of the answers is wrong.",
            ),
        ],
        "measures": _measures(answer),
        "worth": _worth(answer),
        "coverage": _coverage(evaluation),
        "mistakes": cards(evaluation.mistakes[:SHOWN]),
        "many": len(evaluation.mistakes),
        "failures": Table("Pictures that could not be read", ("file", "reason"), [(f, one_line(r)) for f, r in answers.failures]),
        "against": comparison
        and {
            "title": f"Beside {one_line(answer['against']['model'])}",
            "said": comparison.describe(),
            "sides": [
                (f"{len(found):,} read right by {who} alone", cards(found[:SHOWN_DIFFERENCES]), len(found) > SHOWN_DIFFERENCES)
                for who, found in ((model, comparison.gained), (one_line(answer["against"]["model"]), comparison.lost))
            ],
            "digits": _by_digit(comparison),
        },
    }
    return write(path, "evaluation", data)


def _by_digit(comparison: Comparison) -> Table:
    """Return a row a digit: how many each of two models alone reads right."""
    gained, lost = (np.bincount(comparison.one.labels[found], minlength=DIGITS) for found in (comparison.gained, comparison.lost))
    rows = [(digit, int(gained[digit]), int(lost[digit]), f"{gained[digit] - lost[digit]:+d}") for digit in range(DIGITS)]
    return Table(
        "Pictures that one of the two alone reads right: gained by the first, or lost", ("digit", "gained", "lost", "together"), rows
    )


def _coverage(evaluation: Evaluation) -> Table:
    """Return a row a share that is answered, the surest first: how many of the answers are wrong, and how sure the last of them is."""
    order = np.argsort(-evaluation.confidence, kind="stable")
    rows = []
    for share in COVERAGES:
        given = order[: max(1, round(share * evaluation.n))]
        wrong = int((~evaluation.is_right[given]).sum())
        rows.append(
            (
                f"{share:.1%}",
                f"{wrong:,}",
                f"{wrong / len(given):.2%}",
                _range(*wilson(wrong, len(given))),
                f"{evaluation.confidence[given[-1]]:.4f}",
            )
        )
    return Table("When only the surest are answered", ("answered", "wrong", "of the answers", "95 % interval", "least confidence"), rows)


def _worth(answer: dict[str, Any]) -> Table:
    """Return what the probabilities are worth, beside what they have to beat."""
    bars = (
        ("as they are", answer),
        ("the network's own, uncalibrated", answer["uncalibrated"]),
        ("were all answers equally sure", answer["constant"]),
    )
    rows = [(name, f"{told['nll']:.4f}", f"{told['brier']:.4f}") for name, told in bars]
    return Table("What the probabilities are worth: less is better", ("probabilities", "negative log-likelihood", "Brier score"), rows)


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


def _measures(answer: dict[str, Any]) -> Table:
    """Return what the confidence is worth, each figure with its interval."""
    rows = []
    for key, name in MEASURES.items():
        if answer[key] is None:
            continue
        low, high = answer["intervals"][key]
        is_share = key.endswith("ece")
        rows.append((name, *(f"{100 * v:.2f}\xa0%" if is_share else f"{v:.4f}" for v in (answer[key], low, high))))
    return Table("What the confidence is worth, with bootstrapped 95 % intervals", ("", "figure", "from", "to"), rows)


def _classes(evaluation: Evaluation) -> Table:
    """Return a row a digit: how many there are, how many were found, how many answers were right."""
    rows = []
    for digit in range(DIGITS):
        found, there = int(evaluation.confusion[digit, digit]), int(evaluation.confusion[digit].sum())
        answered = int(evaluation.confusion[:, digit].sum())
        interval = "–" if not there else _range(*wilson(found, there))
        rows.append((digit, f"{there:,}", _share(found, there), interval, f"{answered:,}", _share(found, answered)))
    return Table("Digit by digit", ("digit", "pictures", "read right", "95 % interval", "answers", "answers right"), rows)


def _range(low: float, high: float) -> str:
    return f"{100 * low:.2f}–{100 * high:.2f}\xa0%"  # which no narrow column parts


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
