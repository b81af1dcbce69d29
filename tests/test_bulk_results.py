"""bulk/results.py: a folder that holds one job and nothing else, whole or to be gone on with."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import piles
import pytest

from inkdigits.bulk.items import Item
from inkdigits.bulk.reading import failure
from inkdigits.bulk.results import Job, Results, begin, open_finished
from inkdigits.bulk.rows import Counts, ShardWriter
from inkdigits.bulk.shard import Done
from inkdigits.errors import DataError, NotFound, UsageError

JOB = Job({"source": ["x"], "threshold": None, "model": ["abc"]}, 2, "", "m")
FOUND = [Item("1.png"), Item("2.png"), Item("3.png")]


def done(results: Results, shard: int) -> Done:
    writer = ShardWriter(results.fingerprint, "m")
    for item in results.items(shard):
        writer.add([failure(item.name, NotFound("gone"))])
    return Done(writer.finish(), writer.counts, 1.0, 0.25, 0.5)


def test_a_job_is_planned_once_and_gone_on_with(tmp_path: Path) -> None:
    out = tmp_path / "new" / "results"
    with begin(out, JOB, iter(FOUND)) as results:
        assert results.shards == 2 and results.look_over(0) is None
        results.put(1, done(results, 1))
        first = results.fingerprint
    with pytest.raises(DataError, match="1 of 2 shards"):
        open_finished(out)
    with begin(out, JOB, iter(FOUND[1:])) as results:  # one went: its row will say so
        assert results.fingerprint == first
        assert (results.look_over(0), results.look_over(1)) == (None, Counts(1, 1, 1))
        results.put(0, done(results, 0))
    assert open_finished(out).fingerprint == first
    told = [json.loads(line) for line in (out / "_timings.jsonl").read_text().splitlines()]
    assert [(t["shard"], t["files"], t["seconds"]) for t in told] == [(1, 1, 1.0), (0, 2, 1.0)]
    assert sorted(p.name for p in out.iterdir()) == [
        *("_lock", "_manifest.json", "_plan.jsonl", "_timings.jsonl", "part-00000.parquet", "part-00001.parquet")
    ]


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (replace(JOB, described=JOB.described | {"threshold": 0.5}), "another threshold (null, now 0.5)"),
        (replace(JOB, described=JOB.described | {"model": ["abd"]}), "another model"),
        (replace(JOB, described=JOB.described | {"source": ["y"]}), "another source"),
        (replace(JOB, described=JOB.described | {"new": 1}), "another new (null, now 1)"),
        (replace(JOB, shard_files=3), "another shard-files (2, now 3)"),
    ],
)
def test_another_job_is_refused_in_a_line_that_says_what_differs(job: Job, words: str, tmp_path: Path) -> None:
    with begin(tmp_path, JOB, FOUND) as results:
        results.put(0, done(results, 0))
    before = sorted((p.name, p.stat().st_mtime_ns) for p in tmp_path.iterdir())
    with pytest.raises(UsageError) as caught, begin(tmp_path, job, FOUND):
        pass
    assert words in str(caught.value)
    assert sorted((p.name, p.stat().st_mtime_ns) for p in tmp_path.iterdir()) == before


def test_files_that_came_later_are_refused_not_left_out(tmp_path: Path) -> None:
    with begin(tmp_path, JOB, FOUND):
        pass
    with pytest.raises(UsageError, match=r"2b\.png is not in the plan"), begin(tmp_path, JOB, [*FOUND[:2], Item("2b.png"), FOUND[2]]):
        pass


def test_members_that_came_later_are_refused_not_left_out(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(piles.tar({"a.png": b"1"}, ""))
    job = replace(JOB, root=str(tmp_path))
    with begin(tmp_path / "out", job, [Item("x.tar")]):
        pass
    (tmp_path / "x.tar").write_bytes(piles.tar({"a.png": b"1", "b.png": b"2"}, ""))
    with pytest.raises(UsageError, match=r"x\.tar/b\.png is not in the plan"), begin(tmp_path / "out", job, [Item("x.tar")]):
        pass


def test_a_folder_that_holds_something_else_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(UsageError, match=r"letter\.txt"), begin(tmp_path, JOB, FOUND):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["letter.txt"]
    with pytest.raises(DataError, match="no results"):
        open_finished(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"), begin(tmp_path / "file", JOB, FOUND):
        pass


def test_nothing_to_read_leaves_a_folder_that_can_be_used_again(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no picture"), begin(tmp_path, JOB, []):
        pass
    with begin(tmp_path, JOB, FOUND):
        pass


def test_a_run_that_was_killed_while_planning_or_writing_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "_plan.jsonl").write_text("half")
    (tmp_path / ".writing-12.jsonl").write_text("half")
    (tmp_path / "_lock").touch()
    with begin(tmp_path, JOB, FOUND) as results:
        results.put(0, done(results, 0))
    (tmp_path / "_writing").mkdir()
    (tmp_path / "_writing" / "00001").write_bytes(b"half")
    results.path(0).write_bytes(b"cut off by a failing disk")
    with begin(tmp_path, JOB, FOUND) as results:
        assert results.look_over(0) is None and list((tmp_path / "_writing").iterdir()) == []
    (tmp_path / "_manifest.json").write_text("{}")
    with pytest.raises(DataError, match="damaged"), begin(tmp_path, JOB, FOUND):
        pass


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    code = "import sys, fcntl; file = open(sys.argv[1], 'a'); fcntl.flock(file, fcntl.LOCK_EX); print('mine', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "_lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout and other.stdout.readline() == "mine\n"
        with pytest.raises(DataError, match="another process"), begin(tmp_path, JOB, FOUND):
            pass
        other.communicate("")
    with begin(tmp_path, JOB, FOUND):
        pass


def test_a_place_that_cannot_be_written_to_names_the_file(tmp_path: Path) -> None:
    with begin(tmp_path, JOB, FOUND) as results:
        os.rmdir(tmp_path / "_writing")
        with pytest.raises(OSError) as caught:
            results.put(0, done(results, 0))
    assert caught.value.filename == str(results.path(0))
