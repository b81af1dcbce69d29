"""bulk/rows.py: rows → Parquet and back; the same rows, the same bytes."""

import io
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from inkdigits.bulk import rows
from inkdigits.bulk.reading import Row, _page_row, failure
from inkdigits.bulk.rows import Counts, ShardWriter, look_over, read_rows
from inkdigits.errors import NotFound
from inkdigits.records import Page

GOOD = _page_row("a.png", Page(3, 4), "ff")
BAD = failure("b.png", NotFound("gone"))


def written(*files: list[Row], fingerprint: str = "f") -> bytes:
    writer = ShardWriter(fingerprint, "m")
    for file in files:
        writer.add(file)
    return writer.finish()


def test_rows_come_back_and_the_file_tells_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(written([GOOD, GOOD], [BAD]))
    assert list(read_rows(tmp_path / "p")) == [row | {"model": "m"} for row in (GOOD, GOOD, BAD)]
    assert look_over(tmp_path / "p", "f") == Counts(2, 3, 1)
    assert pq.read_schema(tmp_path / "p").remove_metadata() == rows.SCHEMA


def test_the_same_rows_are_the_same_bytes_however_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "GROUP", 7)
    assert written([GOOD] * 20, [BAD]) == written([*[GOOD] * 20], [dict(BAD)])
    assert written([GOOD] * 20, [BAD]) != written([GOOD] * 20, [BAD | {"text": ""}])


def test_memory_is_bounded_by_the_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "GROUP", 10)
    writer = ShardWriter("f", "m")
    writer.add([GOOD] * 1003)
    assert len(writer._waiting) == 3
    writer.finish()


def test_what_is_no_whole_shard_of_this_job_is_none(tmp_path: Path) -> None:
    data = written([GOOD] * 30)
    path = tmp_path / "p"
    assert look_over(path, "f") is None
    for there in (b"", b"nothing", data[:-1], data[: len(data) // 2], written([GOOD], fingerprint="g")):
        path.write_bytes(there)
        assert look_over(path, "f") is None
    pq.write_table(pq.read_table(io.BytesIO(data)).replace_schema_metadata(None), path)
    assert look_over(path, "f") is None
