"""Bytes to disk and back: atomic writes, checksums, names that are safe to create, in the order people count in."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".mpo", ".pdf"}


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path beside `path`; when the block ends well, it takes the place of `path` in one step.

    When the block fails, `path` is as it was before and the temporary file is gone: a full disk leaves nothing half-written.

    Raises:
        OSError: the folder cannot be written to, or the disk is full.
    """
    target = Path(path)
    # the suffix stays, because libraries such as Keras choose the format by it
    beside = target.with_name(f".writing-{secrets.token_hex(6)}{target.suffix}")
    try:  # from before the file is there: a signal may come at any moment
        # taken now, so that a place that cannot be written to is found before the work
        with _naming(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                target.open("r+b").close()  # a folder, a file that may not be changed, or one that Excel holds open on Windows
            _create(beside)
        yield beside
        with beside.open("rb") as f:
            os.fsync(f.fileno())
        with _naming(target):
            os.replace(beside, target)
    except BaseException:
        with contextlib.suppress(OSError):  # there is none, or the folder is none
            beside.unlink()
        raise


def make_folder(path: str | os.PathLike[str]) -> Path:
    """Make a folder unless it is there, see that files can be written to it, and return its path.

    Raises:
        OSError: it cannot be made or written to.
    """
    folder = Path(path)
    probe = folder / f".writing-{secrets.token_hex(6)}"
    with _naming(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _create(probe)
        probe.unlink()
    return folder


def _create(path: Path) -> None:
    """Create an empty file that is not there yet; an ordinary one, private to nobody."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))


@contextlib.contextmanager
def _naming(target: Path) -> Iterator[None]:
    """Let an error name the file that was asked for, not the temporary one beside it."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = str(target), None
        raise


def write_bytes(path: str | os.PathLike[str], data: bytes) -> Path:
    """Write `data` to `path` atomically and return the path."""
    with replacing(path) as beside:
        beside.write_bytes(data)
    return Path(path)


def write_text(path: str | os.PathLike[str], text: str) -> Path:
    """Write `text` to `path` atomically, as UTF-8 with plain newlines, and return the path."""
    return write_bytes(path, text.encode())


def write_json(path: str | os.PathLike[str], value: Any) -> Path:
    """Write `value` to `path` atomically as indented JSON and return the path; NaN is refused."""
    return write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def sha256(data: bytes) -> str:
    """Return the SHA-256 of `data` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def safe_name(name: str, limit: int = 80) -> str:
    """Return `name` as a file name that every system accepts: letters, digits, `.`, `_` and `-`."""
    return re.sub(r"[^\w.-]+", "_", name, flags=re.ASCII).strip("._")[:limit].rstrip("._") or "unnamed"


def looks_like_picture(name: str) -> bool:
    """Tell by its name whether a file in a folder is a picture or a document; hidden ones, which systems leave there, are none."""
    return os.path.splitext(name)[1].lower() in SUFFIXES and not name.startswith(".")


def natural(path: str) -> tuple[list[list[tuple[int, int | str]]], str]:
    """Return a key that sorts page10 after page9, ä beside a, and a folder's files together."""
    return [_natural(name) for name in re.split(r"[\\/]", path)], path


def _natural(name: str) -> list[tuple[int, int | str]]:
    folded = unicodedata.normalize("NFKD", name).casefold()
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in re.split(r"(\d+)", folded) if part]
