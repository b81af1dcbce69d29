"""bulk/progress.py: counts → a line a minute, while planning too, and one in the end."""

import itertools
import os
import subprocess
import sys
import time

import pytest

from inkdigits.bulk import progress
from inkdigits.bulk.progress import Progress, counted, resident
from inkdigits.bulk.rows import Counts
from inkdigits.errors import NotFound


def test_a_line_when_it_is_time_and_not_before(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with Progress(1000, Counts(100, 120, 1)) as watched:
        for second in range(121):
            now[0] = 100.0 + second
            watched.tick(Counts(2, 4, second == 3))
            watched.show()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("222 of 1,000 files, 4.1 pages/s, 2 errors, 6:23 left, ") and lines[0].endswith(" MB")
    assert watched.summary() == "342 files, 604 pages: 602 read, 2 with an error; 242 files of these now, in 2:00"


@pytest.mark.parametrize(
    ("before", "now", "end"),
    [
        (Counts(), Counts(3, 6, 0), "3 files, 6 pages: 6 read, 0 with an error; 0:02, 3.0 pages/s"),
        (Counts(3, 6, 0), Counts(), "3 files, 6 pages: 6 read, 0 with an error; nothing was left to do"),
    ],
)
def test_the_last_line(before: Counts, now: Counts, end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 2.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(times))
    watched = Progress(3, before)
    watched.tick(now)
    assert watched.summary() == end


def test_who_waits_for_a_plan_is_told_how_far_it_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.02)
    with counted(range(1234), "planning") as items:
        assert list(itertools.islice(items, 1200)) == list(range(1200))
        time.sleep(0.2)  # one folder that takes long
        assert list(items) == list(range(1200, 1234))
    said = capsys.readouterr().err.splitlines()
    assert len(said) >= 2 and "planning: 1,200 files" in said
    time.sleep(0.1)
    assert capsys.readouterr().err == ""


def test_what_goes_wrong_meanwhile_is_told_as_ever(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.02)
    with pytest.raises(NotFound), counted(range(3), "planning"):
        raise NotFound("gone")
    capsys.readouterr()
    time.sleep(0.1)
    assert capsys.readouterr().err == ""


def test_memory_is_that_of_the_process_and_of_those_it_started() -> None:
    alone = resident()
    command = [sys.executable, "-c", "x = b'1' * 10**8; print(flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout and other.stdout.readline()
        both = resident()
        other.communicate(b"\n")
    assert alone > 10**7 and (both - alone > 9 * 10**7 or not os.path.exists(f"/proc/{os.getpid()}/task/{os.getpid()}/children"))
