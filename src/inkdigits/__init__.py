"""Handwritten digits in, numbers out. The public names, nothing else; importing changes nothing in the process."""

from . import mnist
from .errors import InkdigitsError, ReadError
from .limits import Limits
from .records import Box, Digit, Mark, Number, Page

__version__ = "0.1.0"
__all__ = ["Box", "Digit", "InkdigitsError", "Limits", "Mark", "Number", "Page", "ReadError", "__version__", "mnist"]
