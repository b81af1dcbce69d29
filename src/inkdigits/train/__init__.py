"""Everything that needs Keras. Importing it chooses the backend and refuses, in one line, when Keras or the backend is not installed.

The environment variable KERAS_BACKEND decides. When it is not set it becomes `jax`: Keras by itself would ask for TensorFlow, and writes
that into its own settings file at its first import, so that file is no sign of anybody's choice.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

from ..errors import MissingExtra, UsageError

DEFAULT_BACKEND = "jax"
BACKENDS = {"jax": "jax", "tensorflow": "tensorflow", "torch": "torch"}  # Keras's word → the module it needs


def _choose_backend() -> tuple[str, bool]:
    """Return the backend's name and whether it was chosen here, by default; the environment is set for Keras to see."""
    chosen = os.environ.get("KERAS_BACKEND", "")
    if not chosen and "keras" in sys.modules:  # somebody's notebook: what runs already stays
        return str(sys.modules["keras"].backend.backend()), False
    if chosen and chosen not in BACKENDS:
        raise UsageError(f"KERAS_BACKEND must be one of {', '.join(BACKENDS)}, got {chosen!r}")
    name = chosen or DEFAULT_BACKEND
    if find_spec("keras") is None or (name == DEFAULT_BACKEND and find_spec(BACKENDS[name]) is None):
        raise MissingExtra("training", "train")
    if find_spec(BACKENDS[name]) is None:
        raise UsageError(f"KERAS_BACKEND={name}, but {name} is not installed; type: pip install {name}, or unset KERAS_BACKEND")
    os.environ["KERAS_BACKEND"] = name
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow's notes about CPU instructions would push ours off the screen
    return name, not chosen


BACKEND, CHOSEN_BY_DEFAULT = _choose_backend()


def announce_backend() -> None:
    """Say on standard error which backend is used when nobody chose one; for commands, which say it once."""
    if CHOSEN_BY_DEFAULT:
        print(f"Keras runs on {BACKEND} (set KERAS_BACKEND to choose another: {', '.join(BACKENDS)})", file=sys.stderr)


def __getattr__(name: str) -> object:
    if name != "DigitClassifier":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .estimator import DigitClassifier  # loads scikit-learn, which nobody else here needs

    return DigitClassifier


def load_keras() -> None:
    """Import Keras without what it imports only if it is there and training does not need; for commands, which start 1.5 seconds sooner.

    Keras offers wrappers for scikit-learn and draws galleries with matplotlib. For the time of its first import the two seem not to be
    installed; afterwards anybody can import them. Keras's own wrappers and galleries then can't be used in this process.
    """
    if "keras" in sys.modules:
        return
    hidden = [name for name in ("sklearn", "matplotlib") if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # a module that is None can't be imported
    try:
        import keras  # noqa: F401
    finally:
        for name in hidden:
            del sys.modules[name]
