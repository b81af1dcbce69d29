"""A folder comes in; the lesson's notebook lies in it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from .errors import DataError, UsageError
from .files import write_bytes

NAME = "tutorial.ipynb"
HOME = Path(__file__).parent
# in the wheel it lies in the package; in a clone, where the package is used in place, it lies beside it
PLACES = (HOME / "train" / NAME, HOME.parents[1] / "notebooks" / NAME)


def copy(folder: Path) -> Path:
    """Copy the notebook into `folder`, which is made when it is not there, and return the copy's path.

    Raises:
        UsageError: there is one already, perhaps with somebody's own work in it.
        DataError: the notebook is missing from this installation.
    """
    source = next((place for place in PLACES if place.is_file()), None)
    if source is None:
        raise DataError(f"{NAME} is missing from this installation; install inkdigits again")
    target = folder / NAME
    if target.exists():
        raise UsageError(f"{target} is already there and may hold your own work; name another folder")
    return write_bytes(target, source.read_bytes())


def can_open() -> bool:
    """Tell whether JupyterLab, which opens notebooks, is installed."""
    return importlib.util.find_spec("jupyterlab") is not None
