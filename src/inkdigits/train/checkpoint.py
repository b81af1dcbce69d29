"""Training under way goes to one file and comes back to the bit: weights, seeds, the optimizer's memory, and how far it had come.

A `.keras` file alone does not do that: Keras leaves the state of dropout's seed generators out of it. One `.npz`, replaced in one step,
holds everything; there is no pickle in it.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ..errors import DataError
from ..files import write_bytes


@dataclass
class Progress:
    """How far a training has come.

    Attributes:
        epoch: whole epochs done.
        step: steps done in the epoch under way.
        loss: summed over the pictures of these steps.
        correct: right answers among them.
        seconds: of learning so far, over all sittings.
        history: a row an epoch, as in `history.csv`.
    """

    epoch: int = 0
    step: int = 0
    loss: float = 0.0
    correct: float = 0.0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)


def _variables(network: keras.Sequential, optimizer: keras.Optimizer) -> dict[str, Any]:
    kinds = {"weight": network.trainable_variables, "other": network.non_trainable_variables, "optimizer": optimizer.variables}
    return {f"{kind}{i}": variable for kind, variables in kinds.items() for i, variable in enumerate(variables)}


def save(path: Path, network: keras.Sequential, optimizer: keras.Optimizer, progress: Progress, origin: dict[str, Any]) -> None:
    """Write the state of a training to `path`, in one step.

    Args:
        path: of the `.npz`.
        network: its variables hold what was learned so far.
        optimizer: built for it.
        progress: how far it has come.
        origin: what must be the same for going on: config, backend, data.

    Raises:
        OSError: the disk is full, or the folder can't be written to.
    """
    arrays = {name: keras.ops.convert_to_numpy(variable.value) for name, variable in _variables(network, optimizer).items()}
    about = json.dumps({"progress": asdict(progress), "origin": origin})
    packed = io.BytesIO()  # in memory first: a zip that fails half-way says it in many ways, a plain write in one
    np.savez(packed, about=np.frombuffer(about.encode(), np.uint8), **arrays)
    write_bytes(path, packed.getvalue())


def read_about(path: Path) -> tuple[Progress, dict[str, Any]]:
    """Return how far the training in `path` has come, and its origin.

    Raises:
        DataError: the file is missing, or is no checkpoint.
    """
    about = json.loads(_arrays(path)["about"].tobytes())
    return Progress(**about["progress"]), about["origin"]


def restore(path: Path, network: keras.Sequential, optimizer: keras.Optimizer) -> None:
    """Put the state in `path` into the variables of a network and an optimizer that were built alike.

    Raises:
        DataError: the file is missing, is no checkpoint, or belongs to another network.
    """
    arrays = _arrays(path)
    variables = _variables(network, optimizer)
    if set(arrays) != {*variables, "about"} or any(arrays[name].shape != tuple(v.shape) for name, v in variables.items()):
        raise DataError(f"{path} belongs to another network")
    for name, variable in variables.items():
        variable.assign(arrays[name])


def _arrays(path: Path) -> dict[str, Any]:
    try:
        with np.load(path, allow_pickle=False) as packed:
            arrays = dict(packed)
    except FileNotFoundError:
        raise DataError(f"nothing to resume: there is no checkpoint {path}") from None
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is no checkpoint, or a damaged one: {error}") from error
    if "about" not in arrays:
        raise DataError(f"{path} is no checkpoint of a training")
    return arrays
