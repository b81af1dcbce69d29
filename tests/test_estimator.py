"""DigitClassifier is a classifier in scikit-learn's sense, on the user's own glyphs."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

import inkdigits.train
from inkdigits import mnist
from inkdigits.classify import Classifier
from inkdigits.errors import UsageError
from inkdigits.train import DigitClassifier, estimator, networks
from inkdigits.train.config import Config
from inkdigits.train.estimator import DigitClassifier as Same

SMALL: dict[str, Any] = {"network": "tutorial", "layers": (32,), "dropout": 0.0, "epochs": 4, "batch_size": 64, "random_state": 0}


class OfVectors(DigitClassifier):
    """Takes vectors of any length, so that scikit-learn's checks have something to feed it: each value becomes a patch of a picture."""

    def _glyphs(self, X: Any) -> np.ndarray:
        values = 255 / (1 + np.exp(-np.asarray(X, float)))
        patches = np.repeat(values, 400 // values.shape[1] or 1, axis=1)[:, :400]
        inner = np.zeros((len(values), 400), np.uint8)
        inner[:, : patches.shape[1]] = patches
        pictures = np.zeros((len(values), 28, 28), np.uint8)
        pictures[:, 4:24, 4:24] = inner.reshape(-1, 20, 20)  # the ring around it is paper
        return pictures


# name of a check: why it is left out
LEFT_OUT: dict[str, str] = {}


@pytest.mark.stress
@parametrize_with_checks([OfVectors(**{**SMALL, "epochs": 30, "batch_size": 32})], expected_failed_checks=lambda estimator: LEFT_OUT)
def test_scikit_learns_checks(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray]:
    (x, y), _ = mnist.load_data()
    return x[:3000], y[:3000]


@pytest.fixture(scope="module")
def fitted(data: tuple[np.ndarray, np.ndarray]) -> DigitClassifier:
    return DigitClassifier(**SMALL).fit(*data)


def test_it_learns(fitted: DigitClassifier) -> None:
    _, (x, y) = mnist.load_data()
    assert DigitClassifier is Same and inkdigits.train.DigitClassifier is Same
    assert fitted.score(x[:2000], y[:2000]) > 0.8
    assert len(fitted.history_) == 4 and fitted.history_[-1]["accuracy"] > fitted.history_[0]["accuracy"]
    p = fitted.predict_proba(x[:50])
    assert p.shape == (50, 10) and np.allclose(p.sum(axis=1), 1)
    np.testing.assert_array_equal(fitted.predict(x[:50]), p.argmax(axis=1))
    np.testing.assert_allclose(fitted.predict_proba(x[:50].reshape(-1, 784) / 255) if fitted.n_features_in_ == 784 else p, p)


def test_the_same_seed_gives_the_same_network(fitted: DigitClassifier, data: tuple[np.ndarray, np.ndarray]) -> None:
    state = np.random.get_state()[1].copy()
    again = clone(fitted).fit(*data)
    np.testing.assert_allclose(again.predict_proba(data[0][:100]), fitted.predict_proba(data[0][:100]), atol=1e-6)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # nobody else's dice were touched
    other = clone(fitted).set_params(random_state=1).fit(*data)
    assert not np.allclose(other.predict_proba(data[0][:100]), fitted.predict_proba(data[0][:100]), atol=1e-3)


def test_pickle_and_export(fitted: DigitClassifier, data: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> None:
    copy = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(copy.predict_proba(data[0][:20]), fitted.predict_proba(data[0][:20]))
    path = fitted.export(tmp_path / "mine.onnx")
    np.testing.assert_array_equal(Classifier.load(path).predict(data[0][:20]), fitted.predict(data[0][:20]))
    with pytest.raises(UsageError, match="onnx"):
        fitted.export(tmp_path / "mine.h5")


def test_labels_that_are_words(data: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> None:
    x, y = data[0][data[1] < 2], data[1][data[1] < 2]
    words = DigitClassifier(**SMALL).fit(x, np.array(["ring", "bar"])[y])
    assert list(words.classes_) == ["bar", "ring"] and words.score(x, np.array(["ring", "bar"])[y]) > 0.97
    assert words.predict_proba(x[:3]).shape == (3, 2)
    with pytest.raises(UsageError, match="digits"):
        words.export(tmp_path / "words.onnx")


def test_some_digits_keep_their_own_outputs(data: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> None:
    chosen = np.isin(data[1], (3, 7))
    some = DigitClassifier(**SMALL).fit(data[0][chosen], data[1][chosen])
    assert set(some.predict(data[0][chosen])) == {3, 7} == set(some.classes_)
    assert set(Classifier.load(some.export(tmp_path / "some.onnx")).predict(data[0][chosen][:50])) == {3, 7}


def test_within_scikit_learn(data: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = data[0][:600].reshape(-1, 784), data[1][:600]
    pipeline = make_pipeline(FunctionTransformer(lambda v: v / 255), DigitClassifier(**{**SMALL, "epochs": 2}))
    assert cross_val_score(pipeline, x, y, cv=2).shape == (2,)
    search = GridSearchCV(DigitClassifier(**SMALL), {"epochs": [1, 3]}, cv=2).fit(x, y)
    assert search.best_params_["epochs"] in (1, 3)


def test_a_convolutional_one_with_changed_pictures(data: tuple[np.ndarray, np.ndarray]) -> None:
    learned = DigitClassifier("tiny", epochs=1, augment=True, random_state=0).fit(data[0][:512], data[1][:512])
    assert learned.predict(data[0][:5]).shape == (5,)


@pytest.mark.parametrize(
    ("settings", "x", "told"),
    [
        ({"network": "resnet"}, np.zeros((20, 784)), "network"),
        ({"epochs": 0}, np.zeros((20, 784)), "epochs"),
        ({"network": "convnet", "layers": (3,)}, np.zeros((20, 784)), "layers"),
        ({}, np.zeros((20, 64)), "make_glyph"),
        ({}, np.full((20, 28, 28), 255), "invert"),
        ({}, np.full((20, 28, 28), np.nan), "NaN"),
    ],
)
def test_what_makes_no_sense_is_a_value_error(settings: dict[str, Any], x: np.ndarray, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        DigitClassifier(**{**SMALL, **settings}).fit(x, np.arange(20) % 10)


def test_a_loss_that_is_no_number_is_told() -> None:
    network = networks.build("tutorial", layers=(8,))
    network.set_weights([np.full_like(w, np.nan) for w in network.get_weights()])
    with pytest.raises(UsageError, match="learning_rate"):
        estimator._learn(network, np.zeros((4, 28, 28), np.uint8), np.zeros(4, np.uint8), Config.of("tutorial", layers=(8,)))


def test_more_than_ten_classes() -> None:
    with pytest.raises(ValueError, match="at most 10 classes, got 20"):
        DigitClassifier(**SMALL).fit(np.zeros((20, 784)), np.arange(20))
