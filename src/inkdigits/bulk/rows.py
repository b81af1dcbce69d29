"""Rows come in, the bytes of a Parquet file come out, the same bytes for the same rows; and such a file is looked over, and read again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

GROUP = 500  # rows that are kept in memory before they are written; documents may have hundreds of pages
FINGERPRINT, FILES, ERRORS = b"inkdigits.fingerprint", b"inkdigits.files", b"inkdigits.errors"

_BOX = pa.struct([pa.field(name, pa.int32(), nullable=False) for name in ("x", "y", "width", "height")])
_NUMBER = pa.struct([("text", pa.string()), ("confidence", pa.float64()), ("box", _BOX)])
SCHEMA = pa.schema(
    [
        pa.field("file", pa.string(), nullable=False),
        ("page_number", pa.int32()),
        ("sha256", pa.string()),
        ("text", pa.string()),
        ("numbers", pa.list_(_NUMBER)),
        ("page", pa.string()),  # the JSON of `inkdigits read --json`, without its `file`
        ("error", pa.struct([("code", pa.string()), ("detail", pa.string())])),
        pa.field("model", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class Counts:
    """What a shard holds: files, rows (a page of a document is one), rows that are errors."""

    files: int = 0
    pages: int = 0
    errors: int = 0

    def __add__(self, other: Counts) -> Counts:
        """Return both together."""
        return Counts(self.files + other.files, self.pages + other.pages, self.errors + other.errors)


class ShardWriter:
    """A Parquet file under way, in memory: packed, a page takes about a kilobyte."""

    def __init__(self, fingerprint: str, model: str) -> None:
        """Begin the file of a job with this fingerprint, read by this model."""
        self._fingerprint, self._model = fingerprint, model
        self._out = pa.BufferOutputStream()
        self._writer = pq.ParquetWriter(self._out, SCHEMA, compression="zstd")
        self._waiting: list[dict[str, Any]] = []
        self.counts = Counts()

    def add(self, rows: list[dict[str, Any]]) -> None:
        """Add the rows of one file."""
        self._waiting += [row | {"model": self._model} for row in rows]
        self.counts += Counts(1, len(rows), sum(row["error"] is not None for row in rows))
        while len(self._waiting) >= GROUP:
            self._flush()

    def finish(self) -> bytes:
        """Return the file."""
        if self._waiting:
            self._flush()
        told = {FINGERPRINT: self._fingerprint, FILES: str(self.counts.files), ERRORS: str(self.counts.errors)}
        self._writer.add_key_value_metadata(told)
        self._writer.close()
        return self._out.getvalue().to_pybytes()

    def _flush(self) -> None:
        group, self._waiting = self._waiting[:GROUP], self._waiting[GROUP:]
        self._writer.write_table(pa.Table.from_pylist(group, SCHEMA))


def look_over(path: Path, fingerprint: str) -> Counts | None:
    """Return what a finished shard holds; None where there is none, or none that is whole and of this job."""
    try:
        with path.open("rb") as file:  # PyArrow opens no path that is no UTF-8
            metadata = pq.read_metadata(file)
        told = metadata.metadata or {}
        if told.get(FINGERPRINT) != fingerprint.encode():
            return None
        return Counts(int(told[FILES]), metadata.num_rows, int(told[ERRORS]))
    except (OSError, ValueError, KeyError, pa.ArrowException):
        return None


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a shard, a group of them in memory."""
    with path.open("rb") as opened, pq.ParquetFile(opened) as file:
        for group in range(file.num_row_groups):
            yield from file.read_row_group(group).to_pylist()
