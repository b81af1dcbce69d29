"""Answers of a network come in; what a page tells of each comes out: its picture, what was looked at, the digits it is like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from .classify import Classifier, Float
from .errors import one_line
from .evaluate import UNCLEAR_TEST_LABELS, WRONG_TEST_LABELS, Evaluation
from .explain import explain
from .labelled import Answers
from .neighbours import nearest
from .report import Picture, embed

THUMBNAIL = 96  # pixels: larger pictures are shown smaller
LOOKED = 56  # pixels of a map of what was looked at
GUESSES = 3  # digits whose probabilities are shown
WARM = np.array([213, 94, 0], np.float32)  # the colour of what was looked at: vermilion, as in the plots

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Card:
    """What is told of one answer.

    Attributes:
        title: "4 read as 9".
        name: which picture it is.
        note: what else is known of it; empty where nothing is.
        confidence: 0–1.
        picture: what was read.
        looked: the same with the places that spoke for the answer in colour; None where the network cannot tell.
        guesses: the most probable digits with their probabilities, 0–1.
        neighbours: training pictures that the network takes for most alike.
    """

    title: str
    name: str
    note: str
    confidence: float
    picture: Picture
    looked: Picture | None
    guesses: list[tuple[int, float]]
    neighbours: list[Picture]


def make_cards(chosen: Sequence[int] | NDArray[np.int64], evaluation: Evaluation, answers: Answers, classifier: Classifier) -> list[Card]:
    """Return a card for each chosen answer.

    Args:
        chosen: indices of the answers.
        evaluation: what came out.
        answers: the pictures and their names.
        classifier: what answered.
    """
    if not len(chosen):
        return []
    glyphs = np.stack([answers.glyph(i) for i in chosen])
    maps, alike = explain(classifier, glyphs), nearest(classifier, glyphs)
    cards = []
    for row, i in enumerate(chosen):
        label, answer = int(evaluation.labels[i]), int(evaluation.predictions[i])
        p = evaluation.probabilities[i]
        cards.append(
            Card(
                title=f"{label} read as {answer}" if label != answer else f"{label} read right",
                name=one_line(Path(answers.names[i]).name, 24),
                note=_note(int(i)) if answers.is_mnist_test else "",
                confidence=float(evaluation.confidence[i]),
                picture=_embedded(_square(answers.thumbnail(i)), f"{label} in the picture"),
                looked=None if maps is None else _embedded(_heated(glyphs[row], maps[row]), f"what spoke for {answer}"),
                guesses=[(int(d), float(p[d])) for d in np.argsort(-p, kind="stable")[:GUESSES]],
                neighbours=[]
                if alike is None
                else [_embedded(x, f"a {y}") for x, y in zip(alike.pictures[row], alike.labels[row], strict=True)],
            )
        )
    return cards


def _note(index: int) -> str:
    """Return what is known of the label of a picture of MNIST's test set."""
    if index in WRONG_TEST_LABELS:
        return f"the label is known to be wrong: it is a {WRONG_TEST_LABELS[index]}"
    return "the label is known to be unclear" if index in UNCLEAR_TEST_LABELS else ""


def _embedded(picture: Bytes, caption: str) -> Picture:
    return embed(cv2.imencode(".png", picture if picture.ndim == 2 else picture[..., ::-1])[1].tobytes(), caption)


def _heated(glyph: Bytes, looked: Float) -> Bytes:
    """Return a glyph with a map laid over it in colour: uint8 RGB of shape (56, 56, 3)."""
    ink = cv2.resize(glyph, (LOOKED, LOOKED), interpolation=cv2.INTER_LINEAR).astype(np.float32)[..., None]
    heat = cv2.resize(looked, (LOOKED, LOOKED), interpolation=cv2.INTER_LINEAR)[..., None] ** 1.5  # what spoke softly is left dark
    return np.asarray(np.clip(ink * (1 - 0.6 * heat) + heat * 0.75 * WARM, 0, 255), np.uint8)


def _square(picture: Bytes) -> Bytes:
    """Return a picture of any size, grey, at most `THUMBNAIL` pixels a side, padded to a square."""
    grey = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    side = max(grey.shape)
    if side > THUMBNAIL:
        size = tuple(max(1, round(n * THUMBNAIL / side)) for n in grey.shape[::-1])
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    side = max(grey.shape)
    top, left = (side - grey.shape[0]) // 2, (side - grey.shape[1]) // 2
    bottom, right = side - grey.shape[0] - top, side - grey.shape[1] - left
    return np.asarray(cv2.copyMakeBorder(grey, top, bottom, left, right, cv2.BORDER_REPLICATE), np.uint8)
