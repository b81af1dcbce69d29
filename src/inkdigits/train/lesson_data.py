"""MNIST comes in; steps 1 to 4 of the lesson come out: what the data are, how they look, reshaped and normalised. Needs no Keras."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .. import mnist, plots
from .chapter import Chapter, Plot
from .steps import Step

Data = tuple[mnist.Split, mnist.Split]
CLEAR, DOUBTFUL = 200, 500  # the two training samples that the lesson looks at
KNOWN_WRONG, KNOWN_UNCLEAR = 10, 5  # test labels; Northcutt, Athalye, Mueller 2021


def load_step(step: Step, data: Data) -> Chapter:
    """Step 1: shapes and type of what `load_data` returned."""
    (x_train, y_train), (x_test, y_test) = data
    chapter = Chapter(step)
    chapter.fact("training pictures", x_train.shape)
    chapter.fact("training labels", y_train.shape)
    chapter.fact("test pictures", x_test.shape)
    chapter.fact("test labels", y_test.shape)
    chapter.fact("type of a pixel", x_train.dtype)
    return chapter


def look_step(step: Step, data: Data) -> Chapter:
    """Step 2: the clear sample, the doubtful one, and a gallery of each class."""
    (x, y), _ = data
    chapter = Chapter(step)
    for i in (CLEAR, DOUBTFUL):
        chapter.fact(f"label of sample {i}", y[i])
        chapter.sketch(f"sample {i}, label {y[i]}", x[i])
    titles = [f"sample {i}, label {y[i]}" for i in (CLEAR, DOUBTFUL)]
    caption = f"Training samples {CLEAR} and {DOUBTFUL}: a clear {y[CLEAR]}, and one whose label says {y[DOUBTFUL]}."
    chapter.plots.append(Plot("samples", plots.pictures([x[CLEAR], x[DOUBTFUL]], titles, width=4.6), caption, wide=False))
    chapter.plots.append(Plot("classes", plots.classes(x, y), "The first 18 training pictures of each class: no two hands write alike."))
    return chapter


def reshape(x: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return pictures of shape (n, 28, 28) as rows of shape (n, 784)."""
    return x.reshape((-1, 28 * 28))


def reshape_step(step: Step, data: Data) -> Chapter:
    """Step 3: pictures as vectors."""
    (x_train, _), (x_test, _) = data
    chapter = Chapter(step)
    chapter.fact("training pictures", reshape(x_train).shape)
    chapter.fact("test pictures", reshape(x_test).shape)
    return chapter


def normalise(x: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return pixels 0–255 as 0–1; float32, which is what a network computes in."""
    return x.astype(np.float32) / np.float32(255)


def normalise_step(step: Step, data: Data) -> Chapter:
    """Step 4: the range of the pixels, before and after."""
    (x, _), _ = data
    after = normalise(x)
    chapter = Chapter(step)
    chapter.fact("smallest and largest, before", f"{x.min()}–{x.max()}")
    chapter.fact("smallest and largest, after", f"{after.min()}–{after.max()}")
    chapter.fact("mean and standard deviation, after", f"{after.mean(dtype=np.float64):.4f} and {after.std(dtype=np.float64):.4f}")
    caption = "How often each pixel value occurs; each mark of the scale is ten times the one below. Only the values change, not the shape."
    chapter.plots.append(Plot("pixels", plots.histogram(x, after), caption, "svg"))
    return chapter
