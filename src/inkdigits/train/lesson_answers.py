"""A trained network's probabilities come in; steps 10 to 13 and 15 come out: answers, mistakes, a fresh Python, a picture of one's own."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import plots
from ..errors import ModelError
from ..report import Table
from .chapter import Chapter, Plot
from .lesson_data import normalise, reshape
from .steps import Step, parts

FIRST = 100  # test pictures that the lesson looks at
HARD = 8  # the test picture that the lesson's network reads wrong
SHOWN = 40  # mistakes in the gallery


@dataclass(frozen=True, slots=True)
class Mistake:
    """A picture read wrong: its place in the test set, its label, and what it was read as."""

    index: int
    label: int
    prediction: int


@dataclass(frozen=True, slots=True)
class Answers:
    """The test set as a network reads it: pictures (n, 28, 28), labels (n,), probabilities (n, 10)."""

    pictures: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    probabilities: NDArray[np.float32]

    @property
    def answers(self) -> NDArray[np.int64]:
        """The most probable digit of each picture, of shape (n,)."""
        return np.asarray(self.probabilities.argmax(axis=1), np.int64)

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether each answer is the label, of shape (n,)."""
        return np.asarray(self.answers == self.labels)


def first_mistake(test: Answers, among: int | None = None) -> Mistake | None:
    """Return the first picture that is read wrong among the first `among` (None: all); None when there is none.

    `argmin` finds the first False, but answers 0 when there is none: hence `.all()` first.
    """
    right = test.right[:among]
    if right.all():
        return None
    i = int(right.argmin())
    return Mistake(i, int(test.labels[i]), int(test.answers[i]))


def mistakes_by_confidence(test: Answers) -> NDArray[np.int64]:
    """Return the places of all mistakes, the most confident first."""
    wrong = np.flatnonzero(~test.right)
    return wrong[np.argsort(-test.probabilities[wrong].max(axis=1), kind="stable")]


def confusion(test: Answers) -> NDArray[np.int64]:
    """Return how often each label (row) was read as each digit (column), of shape (10, 10)."""
    counts = np.zeros((10, 10), np.int64)
    np.add.at(counts, (test.labels, test.answers), 1)
    return counts


def predict_step(step: Step, test: Answers) -> Chapter:
    """Step 10: the ten probabilities of each of the first pictures, the first of them in full."""
    probabilities, chapter = test.probabilities, Chapter(step)
    chapter.fact("shape of the predictions", probabilities[:FIRST].shape)
    chapter.fact("first test picture", f"{test.answers[0]} at {probabilities[0].max():.6f}")
    row = ("probability", *(f"{p:.0e}" if p < 0.0001 else f"{p:.4f}" for p in probabilities[0]))
    chapter.tables.append(Table("The ten probabilities of the first test picture.", ("digit", *range(10)), [row]))
    chapter.notes.append("The first hundred answers: " + " ".join(str(a) for a in test.answers[:FIRST]))
    chapter.sketch(f"test picture 0, read as {test.answers[0]}", test.pictures[0])
    reading = plots.Reading(test.pictures[0], probabilities[0], f"read as {test.answers[0]}", int(test.labels[0]))
    caption = "The first test picture, drawn back at 28 × 28, and its ten probabilities. The bar of the label is hatched."
    chapter.plots.append(Plot("first", plots.readings([reading]), caption))
    return chapter


def compare_step(step: Step, test: Answers) -> Chapter:
    """Step 11: answers beside labels; the accuracy as the mean of True and False."""
    right, chapter = test.right[:FIRST], Chapter(step)
    chapter.fact("right of the first 100 (their sum)", int(right.sum()))
    chapter.fact("accuracy on the first 100", f"{right.mean():.2f}")
    rows = [("prediction", *test.answers[:10]), ("label", *test.labels[:10]), ("the same?", *right[:10])]
    chapter.tables.append(Table("The first ten.", ("element", *range(10)), rows))
    return chapter


def mistakes_step(step: Step, test: Answers, plain: Answers) -> Chapter:
    """Step 12: the first mistake, element 8 in any case, all mistakes by confidence, and the confusion matrix.

    Args:
        step: the step's texts.
        test: the better network's answers (step 8b).
        plain: the plain network's (step 8).
    """
    chapter = Chapter(step)
    early, first = first_mistake(test, FIRST), first_mistake(test)
    chapter.fact("first mistake among the first 100", _told(early) if early else "none: all are right")
    chapter.fact("first mistake in the whole test set", _told(first) if first else "none")
    chapter.fact(f"element {HARD}", _read_as(test))
    chapter.fact(f"element {HARD}, by the plain network of step 8", _read_as(plain))
    chapter.fact("mistakes in the whole test set", f"{(~test.right).sum()} of {len(test.right)}")
    chapter.fact("mistakes of the plain network of step 8", f"{(~plain.right).sum()} of {len(plain.right)}")
    if early is None:
        chapter.notes.append("The first hundred are all right; so all the test pictures were searched.")
    rows = [(name, *(f"{p:.4f}" for p in answers.probabilities[HARD])) for name, answers in (("step 8b", test), ("step 8", plain))]
    chapter.tables.append(Table(f"The ten probabilities of element {HARD}; its label is {test.labels[HARD]}.", ("digit", *range(10)), rows))
    chapter.sketch(f"element {HARD}: {_read_as(test)}", test.pictures[HARD])
    chapter.plots += _mistake_plots(test, plain, first)
    return chapter


def _told(mistake: Mistake) -> str:
    return f"element {mistake.index}: label {mistake.label}, read as {mistake.prediction}"


def _read_as(test: Answers) -> str:
    return f"label {test.labels[HARD]}, read as {test.answers[HARD]}"


def _mistake_plots(test: Answers, plain: Answers, first: Mistake | None) -> list[Plot]:
    shown = [_reading(test, HARD, "step 8b"), _reading(plain, HARD, "step 8")]
    found = [
        Plot(
            "element-8", plots.readings(shown), f"Element {HARD}, the hard case, as both networks read it. The bar of the label is hatched."
        )
    ]
    if first and first.index != HARD:
        caption = f"The first mistake: {_told(first)}. The bar of the label is hatched."
        found.append(Plot("first-mistake", plots.readings([_reading(test, first.index, "step 8b")]), caption))
    worst = mistakes_by_confidence(test)[:SHOWN]
    if len(worst):
        titles = [f"{test.labels[i]}, read as {test.answers[i]}\n{test.probabilities[i].max():.1%}" for i in worst]
        caption = f"The {len(worst)} most confident mistakes, the most confident first: label, answer, and how sure the network was."
        found.append(Plot("mistakes", plots.gallery(list(test.pictures[worst]), titles), caption))
    caption = "Which digit is taken for which: a row a label, a column an answer. Right answers stand on the diagonal; mistakes are shaded."
    return [*found, Plot("confusion", plots.confusion(confusion(test)), caption, "svg", wide=False)]


def _reading(test: Answers, i: int, network: str) -> plots.Reading:
    return plots.Reading(test.pictures[i], test.probabilities[i], f"{network}: read as {test.answers[i]}", int(test.labels[i]))


def fresh_lines(step: Step) -> str:
    """Return the lines that step 13 runs in a fresh Python, as the step's own text has them."""
    for part in parts(step.text):
        if part.kind != "prose":
            for node in ast.parse(part.text).body:
                if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "fresh":
                    return str(ast.literal_eval(node.value)).strip()
    raise LookupError(f"step {step.key} has no lines for a fresh Python")


def save_step(step: Step, folder: Path, test: Answers) -> Chapter:
    """Step 13: a fresh Python loads `model.keras` from `folder` and answers; are its answers the same?

    Raises:
        ModelError: the fresh Python could not load the model.
    """
    import keras

    environment = os.environ | {"KERAS_BACKEND": keras.backend.backend(), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-c", fresh_lines(step)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ModelError(
            f"a fresh Python could not load {folder / 'model.keras'}: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}"
        )
    chapter = Chapter(step)
    chapter.fact("size of model.keras", f"{(folder / 'model.keras').stat().st_size / 1e6:.1f} MB")
    same = ast.literal_eval(done.stdout.strip()) == test.answers[:FIRST].tolist()
    chapter.fact("a fresh Python gives the same hundred answers", "yes" if same else "NO")
    return chapter


def own_digit_step(step: Step, network: Any, picture: NDArray[np.uint8], label: int) -> Chapter:
    """Step 15: a picture that is not MNIST, shrunk naively and prepared as MNIST's makers did, and what the network says to each.

    Args:
        step: the step's texts.
        network: a trained network that takes (n, 784).
        picture: uint8 of shape (H, W) or (H, W, 3), holding one digit.
        label: the digit in it.
    """
    both = {"naive": resize_naively(picture), "prepared": prepare(picture)}
    probabilities = network.predict(normalise(reshape(np.stack(list(both.values())))), verbose=0)  # (2, 10)
    chapter = Chapter(step)
    chapter.fact("the digit in the picture", label)
    for name, p in zip(both, probabilities, strict=True):
        chapter.fact(f"{name}, read as", f"{p.argmax()} at {p.max():.1%}")
    images, titles = [picture, *both.values()], ["the picture", "naive: shrunk as it is", "prepared as MNIST was"]
    chapter.plots.append(
        Plot("own-digit", plots.pictures(images, titles), "A picture that is not MNIST, and the two ways to bring it to 28 × 28.")
    )
    shown = [
        plots.Reading(image, p, f"{name}: read as {p.argmax()}", label)
        for (name, image), p in zip(both.items(), probabilities, strict=True)
    ]
    chapter.plots.append(
        Plot("own-digit-read", plots.readings(shown), "What the network says to each. The bar of the true digit is hatched.")
    )
    for name, image in both.items():
        chapter.sketch(name, image)
    return chapter


def resize_naively(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the picture as beginners shrink it: grey, 28 × 28, nothing else; uint8 of shape (28, 28)."""
    from PIL import Image

    return np.asarray(Image.fromarray(picture).convert("L").resize((28, 28)))


def prepare(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the picture's digit as MNIST's makers prepared theirs; uint8 of shape (28, 28)."""
    from ..glyph import make_glyph
    from ..ink import find_ink

    return make_glyph(find_ink(picture))
