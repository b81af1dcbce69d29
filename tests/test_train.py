"""Training: a run folder as it must be, the same bits after a cut, and nothing half-written when the disk is full."""

import csv
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from train_data import CONFIG, small_data

from inkdigits.errors import DataError, UsageError
from inkdigits.train.checkpoint import read_about
from inkdigits.train.config import Config
from inkdigits.train.fit import train
from inkdigits.train.runs import Run
from inkdigits.train.stopping import Stopped
from inkdigits.train.watching import Watcher

DATA = small_data()
KEYS = {
    *("network", "parameters", "epochs", "batch_size", "optimizer", "seed", "backend", "versions", "train_accuracy", "train_loss"),
    *("train_accuracy_running", "test_accuracy", "test_loss", "accuracy_first_100", "first_mistake", "seconds"),
}


class Signaller(Watcher):
    """Sends this process a signal when a step of an epoch is done."""

    def __init__(self, number: int, epoch: int, step: int) -> None:
        self.number, self.at = number, (epoch, step)

    def step(self, epoch: int, step: int, loss: float, accuracy: float) -> None:
        if (epoch, step) == self.at:
            os.kill(os.getpid(), self.number)


def weights(folder: Path) -> list[np.ndarray]:
    import keras

    return keras.saving.load_model(folder / "model.keras", compile=False).get_weights()


def assert_same_bits(one: Path, other: Path) -> None:
    pairs = list(zip(weights(one), weights(other), strict=True))
    assert pairs
    assert all(np.array_equal(a, b) for a, b in pairs)


@pytest.fixture(scope="module", autouse=True)
def _compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Most of these trainings are alike: what is compiled for one serves the next."""
    import jax

    jax.config.update("jax_compilation_cache_dir", str(tmp_path_factory.mktemp("compiled")))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    yield
    jax.config.update("jax_compilation_cache_dir", None)


@pytest.fixture(scope="module")
def uncut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "uncut"
    train(CONFIG, out, data=DATA)
    return out


def test_a_run_holds_model_history_and_metrics_and_nothing_else(uncut: Path) -> None:
    assert {path.name for path in uncut.iterdir()} == {"model.keras", "history.csv", "metrics.json"}
    metrics = json.loads((uncut / "metrics.json").read_text())
    assert metrics.keys() >= KEYS
    assert metrics["seconds"].keys() == {"load", "fit", "evaluate", "total"}
    assert metrics["parameters"] == 785 * 64 + 65 * 32 + 33 * 10
    history = Run(uncut).read_history()
    assert history["epoch"] == [1, 2, 3]
    assert history["loss"][-1] < history["loss"][0]
    with (uncut / "history.csv").open(newline="") as f:
        assert next(csv.reader(f)) == ["epoch", "loss", "accuracy", "learning_rate", "seconds"]


def test_the_metrics_are_what_keras_finds_in_the_saved_network(uncut: Path) -> None:
    import keras

    metrics = json.loads((uncut / "metrics.json").read_text())
    network = keras.saving.load_model(uncut / "model.keras")
    for split, (x, y) in zip(("train", "test"), DATA, strict=True):
        values = x.reshape(-1, 784).astype("float32") / 255
        loss, accuracy = network.evaluate(values, keras.utils.to_categorical(y, 10), verbose=0)
        assert metrics[f"{split}_accuracy"] == pytest.approx(accuracy, abs=1e-6)
        assert metrics[f"{split}_loss"] == pytest.approx(loss, rel=1e-4)
    predictions = network.predict(DATA[1][0].reshape(-1, 784) / np.float32(255), verbose=0).argmax(axis=1)
    index = int((predictions == DATA[1][1]).argmin())
    assert metrics["first_mistake"] == {"index": index, "label": int(DATA[1][1][index]), "prediction": int(predictions[index])}
    assert metrics["accuracy_first_100"] == pytest.approx((predictions == DATA[1][1])[:100].mean())


def test_the_same_settings_give_the_same_bits_and_another_seed_does_not(uncut: Path, tmp_path: Path) -> None:
    train(CONFIG, tmp_path / "again", data=DATA)
    assert_same_bits(uncut, tmp_path / "again")
    train(replace(CONFIG, seed=1), tmp_path / "other", data=DATA)
    assert not np.array_equal(weights(uncut)[0], weights(tmp_path / "other")[0])


@pytest.mark.parametrize(("number", "epoch", "step"), [(signal.SIGINT, 2, 8), (signal.SIGTERM, 1, 12), (signal.SIGTERM, 3, 12)])
def test_a_signal_saves_and_a_resumed_run_ends_with_the_same_bits(uncut: Path, tmp_path: Path, number: int, epoch: int, step: int) -> None:
    out = tmp_path / "cut"
    before = signal.getsignal(number)
    with pytest.raises(Stopped, match="saved; go on with: inkdigits train --resume --out") as stopped:
        train(CONFIG, out, data=DATA, watcher=Signaller(number, epoch, step))
    assert stopped.value.exit_code == 128 + number
    assert signal.getsignal(number) is before
    progress, _ = read_about(Run(out).checkpoint)
    assert (progress.epoch, progress.step) == ((epoch - 1, step) if step < 12 else (epoch, 0))  # 12 steps are a whole epoch
    with pytest.raises(DataError, match="no complete run"):
        Run(out).read_metrics()
    train(CONFIG, out, data=DATA, resume=True)
    assert_same_bits(uncut, out)
    assert Run(out).read_history()["loss"] == Run(uncut).read_history()["loss"]


def test_augmentation_too_goes_on_where_it_was_cut(tmp_path: Path) -> None:
    config = replace(CONFIG, augment=True, epochs=2)
    train(config, tmp_path / "uncut", data=DATA)
    with pytest.raises(Stopped):
        train(config, tmp_path / "cut", data=DATA, watcher=Signaller(signal.SIGINT, 1, 8))
    train(config, tmp_path / "cut", data=DATA, resume=True)
    assert_same_bits(tmp_path / "uncut", tmp_path / "cut")


def test_kill_9_loses_at_most_the_epoch_under_way(uncut: Path, tmp_path: Path) -> None:
    out = tmp_path / "killed"
    lines = "import sys; sys.path.insert(0, sys.argv[1]); import time; import train_data as t; from inkdigits.train import fit, watching\n"
    lines += "class Slow(watching.Watcher):\n    def step(self, *told): time.sleep(0.5)\n"
    lines += "fit.train(t.CONFIG, sys.argv[2], data=t.small_data(), watcher=Slow())"
    process = subprocess.Popen([sys.executable, "-c", lines, str(Path(__file__).parent), str(out)])
    history = Run(out).history
    deadline = time.monotonic() + 120
    while not history.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert read_about(Run(out).checkpoint)[0].epoch >= 1
    (out / ".writing-left.keras").write_bytes(b"what a killed process leaves")
    train(CONFIG, out, data=DATA, resume=True)
    assert_same_bits(uncut, out)
    assert {path.name for path in out.iterdir()} == {"model.keras", "history.csv", "metrics.json"}


def test_a_complete_run_is_refused(uncut: Path) -> None:
    before = (uncut / "model.keras").read_bytes()
    for resume in (False, True):
        with pytest.raises(UsageError, match="complete run; choose another --out"):
            train(CONFIG, uncut, data=DATA, resume=resume)
    assert (uncut / "model.keras").read_bytes() == before


def test_a_run_under_way_is_neither_written_over_nor_mixed(tmp_path: Path) -> None:
    out = tmp_path / "cut"
    with pytest.raises(Stopped):
        train(CONFIG, out, data=DATA, watcher=Signaller(signal.SIGINT, 1, 12))
    before = Run(out).checkpoint.read_bytes()
    with pytest.raises(UsageError, match="add --resume"):
        train(CONFIG, out, data=DATA)
    with pytest.raises(UsageError, match="begun with batch_size 50, not 60"):
        train(replace(CONFIG, batch_size=60), out, data=DATA, resume=True)
    (x, y), test = DATA
    with pytest.raises(UsageError, match="other data"):
        train(CONFIG, out, data=((x[::-1], y), test), resume=True)
    assert Run(out).checkpoint.read_bytes() == before


def test_nothing_to_resume_and_a_damaged_checkpoint_are_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing to resume"):
        train(CONFIG, tmp_path / "none", data=DATA, resume=True)
    checkpoint = Run(tmp_path / "bad").checkpoint
    checkpoint.parent.mkdir(parents=True)
    for rubbish in (b"", b"rubbish", b"PK\x03\x04" + bytes(100)):
        checkpoint.write_bytes(rubbish)
        with pytest.raises(DataError, match="no checkpoint"):
            train(CONFIG, tmp_path / "bad", data=DATA, resume=True)


class FullDisk(Watcher):
    """From the end of an epoch on, this process can write no file of more than 30 kB."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def end_epoch(self, row: dict[str, float]) -> None:
        if row["epoch"] == self.epoch:
            resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


@pytest.mark.parametrize("epoch", [1, 3])  # in the checkpoint after epoch 2, and in model.keras
def test_a_full_disk_leaves_nothing_half_written_and_a_way_on(uncut: Path, tmp_path: Path, epoch: int) -> None:
    out = tmp_path / "full"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with pytest.raises(OSError):
            train(CONFIG, out, data=DATA, watcher=FullDisk(epoch))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()} == {"history.csv", "checkpoint/state.npz"}
    train(CONFIG, out, data=DATA, resume=True)
    assert_same_bits(uncut, out)


def test_a_rate_that_is_too_high_is_said_in_one_line(tmp_path: Path) -> None:
    # Keras clips the loss of a sure mistake: it takes many linear layers to grow past what a float32 holds
    config = replace(CONFIG, learning_rate=100.0, optimizer="sgd", schedule="constant", activation="linear", layers=(32,) * 24, dropout=0.0)
    with pytest.raises(UsageError, match="smaller --learning-rate"):
        train(config, tmp_path / "x", data=DATA)
    assert not Run(tmp_path / "x").is_complete


def test_validation_leaves_the_test_set_shut(tmp_path: Path) -> None:
    (x, y), (_, y_test) = DATA
    unreadable = np.full((len(y_test), 1, 1), 255, np.uint8)  # a network cannot even be given these
    metrics = train(replace(CONFIG, validate=True, epochs=1), tmp_path / "v", data=((x, y), (unreadable, y_test)))
    assert metrics["test_accuracy"] is None
    assert 0 < metrics["validation_accuracy"] < 1
    assert len(Run(tmp_path / "v").read_history()["val_accuracy"]) == 1


def test_the_convolutional_network_learns_in_the_same_frame(tmp_path: Path) -> None:
    config = Config.of("convnet", epochs=2, batch_size=50)
    train(config, tmp_path / "uncut", data=DATA)
    with pytest.raises(Stopped):
        train(config, tmp_path / "cut", data=DATA, watcher=Signaller(signal.SIGTERM, 1, 8))
    train(config, tmp_path / "cut", data=DATA, resume=True)
    assert_same_bits(tmp_path / "uncut", tmp_path / "cut")  # the moving means of batch normalisation are kept too
    losses = Run(tmp_path / "cut").read_history()["loss"]
    assert losses[1] < 0.5 * losses[0]


def test_fast_training_draws_dropout_and_goes_on_to_the_bit(tmp_path: Path) -> None:
    config = Config.of(fast=True, epochs=6, batch_size=50, layers=(64, 32))
    metrics = train(config, tmp_path / "uncut", data=DATA)
    assert metrics["train_accuracy"] > 0.9
    assert metrics["train_accuracy_running"] < metrics["train_accuracy"]  # dropout was at work
    with pytest.raises(Stopped):
        train(config, tmp_path / "cut", data=DATA, watcher=Signaller(signal.SIGTERM, 2, 8))
    train(config, tmp_path / "cut", data=DATA, resume=True)
    assert_same_bits(tmp_path / "uncut", tmp_path / "cut")


@pytest.mark.parametrize("name", ["bfloat16", "float32"])
def test_the_first_product_of_dense_training_and_its_gradient(name: str) -> None:
    import jax

    from inkdigits.train.dense_learner import _first_product

    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (32, 784), np.uint8)
    kernel, wanted = rng.normal(size=(784, 16)).astype("float32"), rng.normal(size=(32, 16)).astype("float32")
    product, back = jax.vjp(lambda kernel: _first_product(name)(kernel, pictures, np.ascontiguousarray(pictures.T)), kernel)
    values = pictures.astype(float) / 255
    exact = 2.0**-8 if name == "bfloat16" else 2.0**-20  # the rounding of one factor, against the size of the sums
    assert np.allclose(product, values @ kernel, atol=exact * np.abs(values @ kernel).max())
    assert np.allclose(back(wanted)[0], values.T @ wanted, atol=exact * np.abs(values.T @ wanted).max())
