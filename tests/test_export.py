"""Keras and ONNX Runtime say the same of every network that can be exported; what cannot be is refused in one line."""

import json
import os
from pathlib import Path

import models
import numpy as np
import onnx
import pytest
from models import keras
from models import layers as kl

from inkdigits import mnist, modelfile
from inkdigits.classify import Classifier
from inkdigits.errors import DataError, ModelError, UsageError
from inkdigits.files import sha256
from inkdigits.train import networks
from inkdigits.train.compact import STACKS
from inkdigits.train.export import export, network_scale, parity, rewrite_weights, to_onnx, weights_sha256, write_weights
from inkdigits.train.structure import LayerError, pads_of

CLOSE = 1e-4  # promise 18


def sequential(*stack: object, shape: tuple[int, ...] = (28, 28, 1)) -> keras.Model:
    return models.shake(keras.Sequential([keras.Input(shape), *stack]))


def head(x: object, classes: int = 10) -> object:
    return kl.Dense(classes, activation="softmax")(kl.GlobalAveragePooling2D()(x))


def residual() -> keras.Model:
    x = i = keras.Input((28, 28, 1))
    x = kl.Conv2D(8, 3, 2, padding="same")(x)
    y = kl.BatchNormalization()(x)  # x is used twice: nothing may be folded into its convolution
    y = kl.ReLU()(y)
    y = kl.Conv2D(8, 3, padding="same", use_bias=False)(y)
    x = kl.BatchNormalization()(kl.Add()([x, y]))
    return models.shake(keras.Model(i, head(x)))


def branches() -> keras.Model:
    i = keras.Input((28, 28, 1))
    a = kl.Conv2D(6, 5, strides=2, padding="same", activation="relu")(i)
    b = kl.Conv2D(4, 3, strides=(2, 2), padding="same", activation="tanh")(i)
    x = kl.Concatenate()([a, b])
    s = kl.Conv2D(10, 1, activation="sigmoid")(kl.GlobalAveragePooling2D(keepdims=True)(x))
    return models.shake(keras.Model(i, head(kl.Multiply()([x, s]), 11)))


def nested() -> keras.Model:
    inner = keras.Sequential([keras.Input((14, 14, 4)), kl.Conv2D(6, 3), kl.BatchNormalization(), kl.Activation("silu")])
    i = keras.Input((28, 28))
    x = kl.Reshape((28, 28, 1))(i)
    x = inner(kl.Conv2D(4, 2, strides=2)(x))
    return models.shake(keras.Model(i, head(x)))


def logits_out() -> keras.Model:
    return sequential(kl.Flatten(), kl.Dense(16, activation="gelu"), kl.Dense(10), shape=(28, 28))


NETWORKS = {
    "tutorial": lambda: models.shake(networks.build("tutorial", layers=(32, 16)), 1),
    "convnet": lambda: models.shake(networks.build("convnet"), 2),
    "reader": lambda: models.shake(networks.build("reader"), 3),
    "residual": residual,
    "branches": branches,
    "nested": nested,
    "logits": logits_out,
    "normalised dense": lambda: sequential(
        kl.Dense(16),
        kl.BatchNormalization(scale=False),
        kl.ReLU(),
        kl.Dropout(0.5),
        kl.BatchNormalization(center=False),
        kl.Dense(10),
        kl.Softmax(),
        shape=(784,),
    ),
    "depthwise": lambda: sequential(
        kl.Conv2D(4, 3, groups=1, dilation_rate=2),
        kl.DepthwiseConv2D(3, depth_multiplier=2, padding="same"),
        kl.BatchNormalization(),
        kl.Activation("hard_swish"),
        kl.SeparableConv2D(9, 3, strides=2, padding="same", activation="elu"),
        kl.Conv2D(12, 3, groups=3),
        kl.LeakyReLU(),
        kl.GlobalMaxPooling2D(),
        kl.Dense(10, activation="softmax"),
    ),
    "pooling": lambda: sequential(
        kl.RandomRotation(0.1),
        kl.Conv2D(5, 3, padding="same"),
        kl.MaxPooling2D(3, strides=2, padding="same"),
        kl.ZeroPadding2D(((1, 2), (0, 3))),
        kl.AveragePooling2D(2),
        kl.AveragePooling2D(3, strides=2, padding="same"),
        kl.MaxPooling2D(2),
        kl.GaussianNoise(0.1),
        kl.Flatten(),
        kl.Dense(10, activation="softmax"),
    ),
    "rescaling": lambda: sequential(
        kl.Rescaling(1 / 127.5, offset=-1),
        kl.Conv2D(4, 5, 3, activation="relu6"),
        kl.ReLU(max_value=2.0),
        kl.Flatten(),
        kl.Dense(12, "selu"),
        kl.Dense(8, "softplus"),
        kl.Dense(8, "leaky_relu"),
        kl.Dense(8, "hard_sigmoid"),
        kl.Reshape((8,)),
        kl.Dense(11, activation="softmax"),
    ),
    "reshapes": lambda: sequential(
        kl.Dense(98, "relu"),
        kl.Reshape((7, 7, 2)),
        kl.Conv2D(3, 3),
        kl.Reshape((5, -1)),
        kl.Flatten(),
        kl.Dense(10, "softmax"),
        shape=(784,),
    ),
}


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    _, (x_test, _) = mnist.load_data()
    return x_test


@pytest.mark.parametrize("name", NETWORKS)
def test_parity(name: str, pictures: np.ndarray) -> None:
    model = NETWORKS[name]()
    data = to_onnx(model)
    found = parity(model, data, pictures[:100])
    assert found.n == 100 and found.same == 100 and found.difference <= CLOSE
    # the networks above must tell pictures apart, or their agreement would say nothing
    assert np.ptp(Classifier(data).logits(pictures[:100]), axis=0).max() > 1e-2


def test_parity_on_all_test_pictures(pictures: np.ndarray) -> None:
    """Promise 18, for a network that has learned something."""
    (x, y), _ = mnist.load_data()
    keras.utils.set_random_seed(0)
    model = networks.build("tutorial", layers=(64,), dropout=0.0)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x[:20_000].reshape(-1, 784) / np.float32(255), y[:20_000], batch_size=256, epochs=2, verbose=0)
    found = parity(model, to_onnx(model), pictures)
    assert found.n == 10_000 and found.same == 10_000 and found.difference <= CLOSE
    int8 = parity(model, to_onnx(model, int8=True), pictures)
    assert int8.same >= 9_950


def test_folding_leaves_few_plain_nodes() -> None:
    def operators(name: str) -> list[str]:
        return [node.op_type for node in onnx.load_from_string(to_onnx(NETWORKS[name]())).graph.node]

    assert operators("tutorial") == ["Cast", "Mul", "Reshape", "Gemm", "Relu", "Gemm", "Tanh", "Gemm"]
    assert operators("reader").count("Conv") == len(STACKS["reader"]) and "BatchNormalization" not in operators("reader")
    assert operators("reader")[-3:] == ["Reshape", "Gemm", "Transpose"]  # nothing but the output `maps` needs Keras's order
    assert operators("residual").count("Mul") == 3  # the preparation and two normalisations that have no convolution of their own


def test_the_file_is_a_valid_onnx_model_with_a_free_batch_axis() -> None:
    model = onnx.load_from_string(models.onnx_bytes())
    onnx.checker.check_model(model, full_check=True)
    assert [o.version for o in model.opset_import] == [20]
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "n"
    assert {o.name for o in model.graph.output} == {"logits", "features", "maps"}


def test_metadata() -> None:
    model = models.convnet(11)
    meta = modelfile.describe(to_onnx(model, name="mine", threshold=0.5, trained={"epochs": 3}))
    assert meta["name"] == "mine" and meta["classes"] == 11 and meta["threshold"] == 0.5 and meta["trained"] == {"epochs": 3}
    assert meta["preparation"] == {"scale": 1 / 255, "shift": 0.0} and meta["parameters"] == model.count_params()
    assert meta["keras_sha256"] == weights_sha256(model) != weights_sha256(models.shake(models.convnet(11), 5))
    assert meta["outputs"] == {"logits": ["n", 11], "features": ["n", 8], "maps": ["n", 12, 12, 8]}
    assert len(meta["check"]["answers"]) == 10
    with pytest.raises(DataError, match="JSON"):
        to_onnx(model, trained={"loss": float("nan")})


def test_the_same_model_gives_the_same_bytes() -> None:
    model = models.convnet()
    assert to_onnx(model, name="a") == to_onnx(model, name="a")


def test_rescaling_networks_take_pixels() -> None:
    assert network_scale(NETWORKS["rescaling"]()) == 1 and network_scale(models.convnet()) == 1 / 255


def test_export_writes_a_file(tmp_path: Path) -> None:
    model = models.convnet()
    path = export(model, tmp_path / "new" / "digits.onnx", threshold=0.25)
    assert Classifier.load(path).threshold == 0.25 and Classifier.load(path).meta["name"] == "digits"
    assert os.listdir(path.parent) == ["digits.onnx"]
    with pytest.raises(UsageError, match="onnx"):
        export(model, tmp_path / "digits.keras")


def test_export_of_a_run_tells_how_it_was_trained(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    models.convnet().save(run / "model.keras")
    plain = modelfile.describe(export(run, tmp_path / "a.onnx").read_bytes())
    (run / "metrics.json").write_text(json.dumps({"network": "convnet", "epochs": 2, "test_accuracy": 0.99}))
    told = modelfile.describe(export(run, tmp_path / "b.onnx").read_bytes())
    assert told["trained"]["epochs"] == 2 and told["network"] == "convnet" and "trained" not in plain
    assert plain["keras_sha256"] == told["keras_sha256"] == weights_sha256(models.convnet())
    (run / "metrics.json").write_text("{")
    with pytest.raises(DataError, match="damaged"):
        export(run, tmp_path / "c.onnx")


def test_weights_of_the_package(tmp_path: Path) -> None:
    onnx_path, json_path = write_weights(models.convnet(11), "reader", tmp_path, threshold=0.9, temperature=1.5)
    meta = json.loads(json_path.read_text())
    assert meta["sha256"] == sha256(onnx_path.read_bytes()) and meta["bytes"] == onnx_path.stat().st_size
    assert meta["name"] == "reader" and meta["classes"] == 11 and meta["threshold"] == 0.9 and meta["temperature"] == 1.5
    before = Classifier(onnx_path.read_bytes()).logits(models.glyphs(4))
    rewrite_weights(tmp_path, "reader", threshold=0.8)
    again = Classifier(onnx_path.read_bytes())
    assert (
        json.loads(json_path.read_text())
        == {"name": "reader", "sha256": sha256(onnx_path.read_bytes()), "bytes": onnx_path.stat().st_size} | again.meta
    )
    assert (again.threshold, again.meta["temperature"]) == (0.8, 1.5)
    np.testing.assert_array_equal(again.logits(models.glyphs(4)), before)


def test_int8(tmp_path: Path, pictures: np.ndarray) -> None:
    model = NETWORKS["convnet"]()
    small, plain = to_onnx(model, int8=True), to_onnx(model)
    assert len(small) < 0.4 * len(plain) and modelfile.describe(small)["precision"] == "int8"
    assert parity(model, small, pictures[:200]).difference < 0.1
    assert {"logits", "features", "maps"} == set(Classifier(small).outputs(pictures[:2], ["logits", "features", "maps"]))


@pytest.mark.parametrize(
    ("build", "told"),
    [
        (lambda: sequential(kl.Flatten(), kl.Dense(7, activation="softmax")), "10 or 11 classes"),
        (lambda: sequential(kl.Flatten(), kl.Dense(10, activation="sigmoid")), "softmax or linear"),
        (lambda: sequential(kl.Flatten(), kl.Dense(10, activation="softmax"), kl.Dense(10)), "softmax"),
        (lambda: sequential(kl.Conv2D(4, 3), kl.UpSampling2D(), kl.Flatten(), kl.Dense(10)), "UpSampling2D"),
        (lambda: sequential(kl.Flatten(), kl.Dense(8, activation=lambda x: x), kl.Dense(10)), "activation"),
        (lambda: sequential(kl.Flatten(), kl.Dense(8, activation="mish"), kl.Dense(10)), "mish"),
        (lambda: sequential(kl.Conv2D(4, 3), kl.Dense(3), kl.Flatten(), kl.Dense(10)), "Flatten before"),
        (lambda: sequential(kl.Flatten(), kl.Dense(10), shape=(32, 32, 1)), "glyphs of shape"),
        (lambda: sequential(kl.ReLU(threshold=0.5), kl.Flatten(), kl.Dense(10)), "threshold"),
        (lambda: sequential(kl.BatchNormalization(axis=1), kl.Flatten(), kl.Dense(10)), "last axis"),
        (lambda: keras.Sequential([kl.Flatten(), kl.Dense(10)]), "built"),
    ],
)
def test_what_cannot_be_exported_is_refused_in_one_line(build: object, told: str) -> None:
    with pytest.raises(LayerError) as error:
        to_onnx(build())
    assert told in str(error.value) and "\n" not in str(error.value) and isinstance(error.value, ModelError)


def test_padding() -> None:
    assert pads_of("same", (28, 28), (3, 3), (1, 1), (1, 1)) == ([1, 1, 1, 1], (28, 28))
    assert pads_of("same", (28, 28), (3, 3), (2, 2), (1, 1)) == ([0, 0, 1, 1], (14, 14))  # the odd pixel is below and right
    assert pads_of("same", (7, 7), (2, 2), (2, 2), (1, 1)) == ([0, 0, 1, 1], (4, 4))
    assert pads_of("valid", (28, 14), (5, 3), (2, 1), (1, 2)) == ([0, 0, 0, 0], (12, 10))
    with pytest.raises(LayerError, match="causal"):
        pads_of("causal", (28, 28), (3, 3), (1, 1), (1, 1))
