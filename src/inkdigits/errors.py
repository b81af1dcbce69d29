"""The exception tree: what can go wrong comes in, a one-line reason, an exit code and an HTTP status come out.

InkdigitsError
├── UsageError            2  422   an argument that makes no sense
├── ReadError             1  4xx   a picture that cannot be read; `code` says why
│   ├── NotFound · NotAFile · Unsupported · Damaged · Refused
│   ├── TooLarge · TooManyPixels · TooManyMarks · TooManyPages
│   └── ReadTimeout · Busy
├── DataError             1  422   a data set or a run that is missing, damaged or of the wrong shape
├── ModelError            3  500   weights that are missing, damaged or foreign
└── MissingExtra          4  501   an optional part that is not installed; the message names the command to type
"""

from __future__ import annotations

from typing import Any

MAX_REASON = 200  # characters: a reason is one line that fits a terminal


def one_line(text: object, limit: int = MAX_REASON) -> str:
    """Return `text` as one printable line of at most `limit` characters.

    Control characters become spaces, so that a hostile file name cannot steer a terminal or break a log line.
    """
    line = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def about(file: object, reason: object) -> str:
    """Return `file: reason` as one line, the name once where the reason begins with it."""
    return one_line(reason) if str(reason).startswith(f"{file}: ") else f"{one_line(file)}: {one_line(reason)}"


def install_hint(extra: str) -> str:
    """Return what to type for an extra, true for who has the package from an index and for who has it from its source."""
    return f'pip install "inkdigits[{extra}]", or ".[{extra}]" in a clone'


class InkdigitsError(Exception):
    """Base of every error this package raises on purpose; `str(error)` is one line for a person to read."""

    code = "error"
    exit_code = 1
    status = 500

    def __init__(self, reason: object) -> None:
        super().__init__(one_line(reason))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle class and reason, whatever the constructor takes: errors travel between processes."""
        return _again, (type(self), str(self))


def _again(kind: type[InkdigitsError], reason: str) -> InkdigitsError:
    error = kind.__new__(kind)
    Exception.__init__(error, reason)
    return error


class UsageError(InkdigitsError, ValueError):
    """An argument is out of range or does not go with another."""

    code, exit_code, status = "usage", 2, 422


class ReadError(InkdigitsError):
    """A picture cannot be read; `code` is one of the codes of the JSON contract."""

    code, exit_code, status = "damaged", 1, 422

    def to_dict(self) -> dict[str, str]:
        """Return `{"code", "detail"}`, as the CLI's JSON and the HTTP API answer it."""
        return {"code": self.code, "detail": str(self)}


class NotFound(ReadError):
    """There is no such file."""

    code, status = "not_found", 404


class NotAFile(ReadError):
    """The path is a folder, a device or a FIFO, or the string is a URL."""

    code, status = "not_a_file", 422


class Unsupported(ReadError):
    """The bytes or the array are no picture of a kind that is read here."""

    code, status = "unsupported", 415


class Damaged(ReadError):
    """The picture starts well and cannot be decoded to its end."""

    code, status = "damaged", 422


class TooLarge(ReadError):
    """The file has more bytes than `Limits.max_bytes`."""

    code, status = "too_large", 413


class TooManyPixels(ReadError):
    """The picture has more pixels, or a longer side, than `Limits` allows."""

    code, status = "too_many_pixels", 413


class TooManyMarks(ReadError):
    """The page has more pieces of ink than `Limits.max_components`: noise, or no page of numbers."""

    code, status = "too_many_marks", 422


class TooManyPages(ReadError):
    """The document has more pages than `Limits.max_pages`."""

    code, status = "too_many_pages", 413


class ReadTimeout(ReadError):
    """Reading took longer than it may."""

    code, status = "timeout", 503


class Busy(ReadError):
    """Too much is being read already; try again later."""

    code, status = "busy", 503


class Refused(ReadError):
    """What was asked is not allowed here."""

    code, status = "refused", 403


class DataError(InkdigitsError):
    """A data set, a labelled folder or a run is missing, damaged or of the wrong shape."""

    code, exit_code, status = "data", 1, 422


class ModelError(InkdigitsError):
    """Weights are missing, damaged, tampered with, or not ours."""

    code, exit_code, status = "model", 3, 500


class MissingExtra(InkdigitsError):
    """An optional part is not installed."""

    code, exit_code, status = "missing_extra", 4, 501

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f'{what} needs the extra "{extra}"; type: {install_hint(extra)}')
