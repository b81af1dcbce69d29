"""What a user asked for comes in; a complete, checked set of settings of one training comes out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from ..errors import UsageError
from .compact import STACKS
from .schedules import SCHEDULES

OPTIMIZERS = ("adam", "adamw", "nadam", "sgd", "rmsprop", "adagrad", "lamb", "lion")
ACTIVATIONS = ("relu", "tanh", "sigmoid", "gelu", "elu", "selu", "silu", "softplus", "leaky_relu", "linear")
NETWORKS = ("tutorial", "convnet", *STACKS)
TUTORIAL_ONLY = ("layers", "dropout", "activation")

# rates that go with a schedule: a constant one must be small enough for the last step, a peak only for the middle
CONSTANT_RATES = {"sgd": 0.1, "adagrad": 0.05, "lion": 1e-4}
PRESETS: dict[str, dict[str, Any]] = {
    "tutorial": {},
    "convnet": {"epochs": 6, "batch_size": 128, "learning_rate": 3e-3},
    "reader": {"epochs": 8, "batch_size": 256},
    "mnist": {"epochs": 8, "batch_size": 256},
    "tiny": {"epochs": 8, "batch_size": 256},
}
FAST: dict[str, Any] = {"epochs": 4, "batch_size": 250, "learning_rate": 4e-3}


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of one training; two trainings of the same config and data give the same network on the same machine.

    Attributes:
        network: one of `NETWORKS`.
        epochs: how many times every picture is seen, at least 1.
        batch_size: pictures that make one update.
        seed: of weights, dropout, the order of the pictures and their changes; 0 to 2³¹ − 1.
        optimizer: one of `OPTIMIZERS`, with Keras's settings but for the rate (sgd: momentum 0.9).
        learning_rate: the peak of the schedule.
        schedule: "onecycle" or "constant".
        layers: neurons of the tutorial's hidden layers; None for the lesson's 1024, 128, 64.
        dropout: of the tutorial, 0 to below 1; None for the lesson's 0.2.
        activation: of the tutorial's hidden layers; None for the lesson's.
        fast: the preset that ends soonest.
        augment: pictures are shifted, turned and bent, anew in every epoch.
        validate: learn from the first 50,000 pictures and measure on the last 10,000; the test set stays shut.
        data: path of the user's own data, as `mnist.load_data` takes it; None for the embedded one.
        extra: folder of labelled pictures to learn from as well; None for none.
    """

    network: str = "tutorial"
    epochs: int = 10
    batch_size: int = 512
    seed: int = 0
    optimizer: str = "adam"
    learning_rate: float = 3e-3
    schedule: str = "onecycle"
    layers: tuple[int, ...] | None = None
    dropout: float | None = None
    activation: str | None = None
    fast: bool = False
    augment: bool = False
    validate: bool = False
    data: str | None = None
    extra: str | None = None

    @classmethod
    def of(cls, network: str = "tutorial", **given: Any) -> Config:
        """Return the config of `network` with what is given; the rest is what suits it, the schedule and `fast`. None is not given."""
        given = {key: value for key, value in given.items() if value is not None}
        if network not in NETWORKS:
            raise UsageError(f"network must be one of {', '.join(NETWORKS)}, got {network!r}")
        suited = dict(PRESETS[network])
        if given.get("fast"):
            suited.update(FAST)
        if given.get("schedule") == "constant":
            suited["learning_rate"] = CONSTANT_RATES.get(given.get("optimizer", "adam"), 1e-3)
        elif given.get("optimizer", "adam") != "adam":
            suited["learning_rate"] = 3 * CONSTANT_RATES.get(given["optimizer"], 1e-3)
        return cls(network=network, **(suited | given))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Config:
        """Return the config that `to_dict` told; unknown keys are left aside.

        Raises:
            UsageError: a value is out of range.
        """
        known = {field.name for field in fields(cls)}
        kept = {key: value for key, value in values.items() if key in known}
        if kept.get("layers") is not None:
            kept["layers"] = tuple(kept["layers"])
        return cls(**kept)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as a JSON-safe dictionary."""
        values = asdict(self)
        return values | {"layers": list(self.layers) if self.layers else None}

    @property
    def options(self) -> dict[str, Any]:
        """What `networks.build` is given beside the name."""
        return {key: getattr(self, key) for key in TUTORIAL_ONLY if getattr(self, key) is not None}

    def __post_init__(self) -> None:
        """Refuse what cannot be trained, in one line."""
        for name, choices in (
            ("network", NETWORKS),
            ("optimizer", OPTIMIZERS),
            ("schedule", SCHEDULES),
            ("activation", (None, *ACTIVATIONS)),
        ):
            if getattr(self, name) not in choices:
                raise UsageError(f"{name} must be one of {', '.join(c for c in choices if c)}, got {getattr(self, name)!r}")
        for name, low, high in (("epochs", 1, 10_000), ("batch_size", 1, 60_000), ("seed", 0, 2**31 - 1)):
            if not low <= getattr(self, name) <= high:
                raise UsageError(f"{name} must be {low} to {high}, got {getattr(self, name)}")
        if not (math.isfinite(self.learning_rate) and 0 < self.learning_rate <= 100):
            raise UsageError(f"learning_rate must be above 0 and at most 100, got {self.learning_rate}")
        if self.dropout is not None and not 0 <= self.dropout < 1:
            raise UsageError(f"dropout must be 0 or more and below 1, got {self.dropout}")
        if self.layers is not None and not (
            self.layers and all(1 <= neurons <= 16_384 for neurons in self.layers) and len(self.layers) <= 32
        ):
            raise UsageError(f"layers must be 1 to 32 numbers of 1 to 16384 neurons, such as 1024,128,64, got {self.layers}")
        if self.network != "tutorial" and (self.options or self.fast):
            given = [*self.options, *(["fast"] if self.fast else [])]
            raise UsageError(f"{', '.join(given)}: only the network tutorial takes this, not {self.network}")
