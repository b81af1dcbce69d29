"""Handwritten digits in, numbers out. The public names, nothing else; importing changes nothing in the process."""

from typing import TYPE_CHECKING, Any

from .errors import InkdigitsError, ReadError
from .limits import Limits
from .records import Box, Digit, Mark, Number, Page

if TYPE_CHECKING:
    from . import mnist
    from .classify import Classifier
    from .reader import Reader, read

__version__ = "0.1.0"
__all__ = [
    "Box",
    "Classifier",
    "Digit",
    "InkdigitsError",
    "Limits",
    "Mark",
    "Number",
    "Page",
    "ReadError",
    "Reader",
    "__version__",
    "mnist",
    "read",
]

# names whose module is loaded when they are first asked for: `import inkdigits` stays quick
_LATER = {"Classifier": "classify", "Reader": "reader", "mnist": "mnist", "read": "reader"}


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    module = importlib.import_module(f".{_LATER[name]}", __name__)
    return module if name == _LATER[name] else getattr(module, name)
