"""The training loop of the long recipes: it computes what Keras computes, learns, and goes on where it was cut, to the bit.

It runs on torch, which no extra of this package brings and CI does not have: `make recipe-test PYTHON=…` runs these tests where it is.
"""

import os

import numpy as np
import pytest

from inkdigits import mnist
from inkdigits.errors import DataError, UsageError
from inkdigits.train.schedules import Schedule

torch_only = pytest.mark.torch


def test_the_rate_rises_to_its_peak_and_falls_to_nothing():
    schedule = Schedule(epochs=4, steps=100, learning_rate=0.01, warm_up=0.25)
    rates = [schedule.rate(step) for step in range(400)]
    assert rates[0] == pytest.approx(0.0001)
    assert max(rates) == pytest.approx(0.01) and np.argmax(rates) in (99, 100)
    assert (np.diff(rates[:100]) > 0).all() and (np.diff(rates[101:]) < 0).all()
    assert 0 <= rates[-1] < 1e-6


def test_a_rate_without_warming_up_starts_at_its_peak():
    assert Schedule(1, 10, 0.01, warm_up=0).rate(0) == pytest.approx(0.01)


@pytest.fixture(scope="module")
def engine():
    os.environ["KERAS_BACKEND"] = "torch"  # conftest forgets what the caller chose; nothing has imported Keras yet
    from inkdigits.train import engine

    return engine


@pytest.fixture(scope="module")
def glyphs():
    return mnist.load_data()[0][0][:40]


def network(name="tiny", seed=0):
    import keras

    from inkdigits.train.compact import build_compact

    keras.utils.set_random_seed(seed)
    return build_compact(name)


def batches(epoch, steps=12, size=64):
    """Yield batches of two kinds of strokes, the same for the same epoch."""
    rng = np.random.default_rng(epoch)
    for _ in range(steps):
        labels = rng.integers(0, 2, size).astype(np.uint8)
        pictures = np.zeros((size, 28, 28), np.uint8)
        pictures[labels == 0, 6:22, 13:15] = 255
        pictures[labels == 1, 13:15, 6:22] = 255
        yield pictures + rng.integers(0, 40, pictures.shape).astype(np.uint8) * (pictures == 0), labels


@torch_only
@pytest.mark.parametrize("name", ["reader", "mnist", "tiny"])
def test_the_logits_are_those_of_keras(engine, glyphs, name):
    model, x = network(name), glyphs
    logits = engine.predict(model, x, size=16)
    own = np.exp(logits - logits.max(1, keepdims=True))
    expected = model.predict(x[..., None].astype(np.float32) / 255, verbose=0)
    assert np.abs(own / own.sum(1, keepdims=True) - expected).max() < 1e-5


@torch_only
def test_it_learns_and_leaves_the_averaged_weights(engine):
    model, losses = network(), []
    trainer = engine.Trainer(model, Schedule(3, 12, 5e-3, average=0.9))
    trainer.fit(batches, lambda epoch, loss: losses.append(loss))
    assert losses[-1] < 0.5 * losses[0]
    for variable, mean in zip(model.variables, trainer.averages, strict=True):
        assert np.array_equal(variable.value.detach().numpy(), mean.numpy())
    x, y = next(batches(9))
    assert (engine.predict(model, x).argmax(1) == y).mean() > 0.98


@torch_only
def test_a_cut_training_ends_as_an_uncut_one(engine, glyphs, tmp_path):
    import torch

    def after(epoch, loss):
        if path is not None and epoch == 0:
            raise KeyboardInterrupt

    ends = []
    for path in (None, tmp_path / "checkpoint.npz"):
        torch.manual_seed(0)
        model = network("reader")  # with dropout: the state of chance is kept too
        schedule = Schedule(2, 3, 5e-3)
        if path is not None:
            with pytest.raises(KeyboardInterrupt):
                engine.Trainer(model, schedule, path).fit(lambda e: batches(e, 3, 16), after)
            torch.manual_seed(99)
            model, after = network("reader", seed=5), lambda epoch, loss: None
        trainer = engine.Trainer(model, schedule, path)
        assert trainer.epoch == (path is not None)
        trainer.fit(lambda e: batches(e, 3, 16), after)
        ends.append(engine.predict(model, glyphs))
    assert np.array_equal(*ends)


@torch_only
def test_a_checkpoint_of_another_network_is_refused(engine, tmp_path):
    path = tmp_path / "checkpoint.npz"
    engine.Trainer(network("tiny"), Schedule(1, 2), path).fit(lambda e: batches(e, 2, 16), lambda epoch, loss: None)
    with pytest.raises(DataError, match="another network"):
        engine.Trainer(network("mnist"), Schedule(1, 2), path)


@torch_only
def test_a_layer_it_does_not_know_is_refused(engine):
    import keras
    from keras import layers

    model = keras.Sequential([keras.Input((28, 28, 1)), layers.MaxPooling2D(), layers.Flatten(), layers.Dense(10)])
    with pytest.raises(UsageError, match="does not know the layer MaxPooling2D"):
        engine.predict(model, next(batches(0))[0])
