"""What can be asked of a training: settings, networks, schedules, changed pictures; and what is refused."""

import numpy as np
import pytest

from inkdigits import mnist
from inkdigits.errors import UsageError
from inkdigits.train.config import Config
from inkdigits.train.distort import distort
from inkdigits.train.networks import BUILDERS, build, to_input
from inkdigits.train.schedules import rate_at


def test_the_lessons_network_has_its_943946_parameters() -> None:
    network = build("tutorial")
    assert network.count_params() == 943_946
    assert network.input_shape == (None, 784)
    told = [(type(layer).__name__, getattr(getattr(layer, "activation", None), "__name__", None)) for layer in network.layers]
    dropout = ("Dropout", None)
    assert told == [("Dense", "relu"), dropout, ("Dense", "tanh"), dropout, ("Dense", "relu"), dropout, ("Dense", "softmax")]


def test_options_change_the_lessons_network() -> None:
    network = build("tutorial", layers=(32, 16), dropout=0, activation="gelu")
    assert [type(layer).__name__ for layer in network.layers] == ["Dense"] * 3
    assert [layer.units for layer in network.layers] == [32, 16, 10]
    assert network.layers[1].activation.__name__ == "gelu"


@pytest.mark.parametrize("name", sorted(BUILDERS))
def test_every_network_gives_probabilities(name: str) -> None:
    network = build(name)
    glyphs = mnist.load_data()[1][0][:3]
    probabilities = network(to_input(glyphs, network.input_shape).astype("float32") / 255)
    assert probabilities.shape[0] == 3
    assert np.allclose(np.asarray(probabilities).sum(axis=1), 1, atol=1e-5)


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(UsageError, match="network must be one of tutorial, convnet"):
        build("resnet")
    with pytest.raises(UsageError, match="only the network tutorial"):
        build("convnet", dropout=0.5)
    with pytest.raises(UsageError, match="not pictures of 28"):
        to_input(np.zeros((1, 28, 28), np.uint8), (None, 32, 32, 1))


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"epochs": 0}, "epochs must be 1 to 10000, got 0"),
        ({"batch_size": 0}, "batch_size must be"),
        ({"seed": -1}, "seed must be"),
        ({"learning_rate": float("nan")}, "learning_rate must be"),
        ({"learning_rate": 0.0}, "learning_rate must be"),
        ({"dropout": 1.0}, "dropout must be"),
        ({"layers": (0,)}, "layers must be"),
        ({"layers": ()}, "layers must be"),
        ({"optimizer": "magic"}, "optimizer must be one of adam"),
        ({"schedule": "magic"}, "schedule must be one of onecycle, constant"),
        ({"activation": "magic"}, "activation must be one of relu"),
        ({"network": "magic"}, "network must be one of tutorial"),
        ({"network": "convnet", "fast": True}, "only the network tutorial"),
    ],
)
def test_settings_out_of_range_are_refused_in_one_line(settings: dict, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        Config.of(**settings)
    with pytest.raises(UsageError, match=reason):
        Config(**settings)


def test_a_config_survives_json() -> None:
    config = Config.of(layers=(10, 20), augment=True, seed=3)
    assert Config.from_dict(config.to_dict()) == config
    assert Config.from_dict(Config().to_dict()) == Config()


def test_a_rate_that_rises_and_falls() -> None:
    rates = [rate_at("onecycle", 2.0, step, 100) for step in range(100)]
    top = int(np.argmax(rates))
    assert rates[top] == pytest.approx(2.0, rel=0.01)
    assert all(np.diff(rates[: top + 1]) > 0)
    assert all(np.diff(rates[top:]) < 0)
    assert 0 < rates[-1] < 0.01
    assert {rate_at("constant", 2.0, step, 100) for step in range(100)} == {2.0}


def test_changed_pictures_are_other_pictures_of_the_same_digits() -> None:
    glyphs = mnist.load_data()[0][0][:600]
    changed = distort(glyphs, np.random.default_rng(1))
    assert changed.shape == glyphs.shape
    assert changed.dtype == np.uint8
    assert np.array_equal(changed, distort(glyphs, np.random.default_rng(1)))
    assert (changed != glyphs).any(axis=(1, 2)).all()
    ink = changed.sum(axis=(1, 2), dtype=float) / glyphs.sum(axis=(1, 2), dtype=float)
    assert 0.5 < ink.min() <= ink.max() < 1.7  # nobody's ink ran away, and no neighbour's ran in
    blank = glyphs.copy()
    blank[1::2] = 0
    assert not distort(blank, np.random.default_rng(2))[1::2].any()
