"""bulk/desk.py, reading.py: items → rows, in a process that may hang or die without costing more than the file it was at."""

import functools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import piles
import pytest

import inkdigits
from inkdigits import Limits
from inkdigits.bulk.desk import Desk, Stopped, Work
from inkdigits.bulk.items import Item
from inkdigits.classify import read_model
from inkdigits.errors import ModelError
from inkdigits.files import sha256

WEIGHTS = read_model()


@pytest.fixture
def pile(tmp_path: Path) -> Path:
    """A page, a large one, one of thousands of digits that takes seconds, a document, and what cannot be read."""
    (tmp_path / "p.png").write_bytes(piles.png())
    (tmp_path / "slow.png").write_bytes(slow())
    (tmp_path / "heavy.png").write_bytes(bytes(cv2.imencode(".png", np.full((3000, 4000), 250, np.uint8))[1]))
    (tmp_path / "two.tif").write_bytes(piles.two_pages())
    (tmp_path / "bad.jpg").write_bytes(b"\xff\xd8\xff nothing")
    (tmp_path / "empty.png").touch()
    return tmp_path


@functools.cache
def slow() -> bytes:
    """Return a page of 12 megapixels full of numbers."""
    number = cv2.imdecode(np.frombuffer(piles.png("7"), np.uint8), 0)
    number = cv2.resize(number, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
    page = np.tile(number, (3000 // number.shape[0], 4000 // number.shape[1]))
    return bytes(cv2.imencode(".png", page)[1])


def desk_in(pile: Path, **limits: Any) -> Desk:
    return Desk(Work(WEIGHTS, {"threshold": 0.0}, Limits(**limits), str(pile)))


def kill_when_busy(desk: Desk, times: int, how: int = signal.SIGKILL) -> threading.Thread:
    """Kill (or stop) so many reading processes, each a little after it began to read."""

    def kill() -> None:
        seen: set[int | None] = set()
        while len(seen) < times:
            process = desk._process
            if desk._is_ready and process.pid not in seen and process.pid is not None:
                time.sleep(0.15)
                seen.add(process.pid)
                os.kill(process.pid, how)
            time.sleep(0.01)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    return thread


def test_rows_are_what_read_gives(pile: Path) -> None:
    desk = desk_in(pile)
    reader = inkdigits.Reader.load()
    (row,), seconds = desk.read(Item("p.png"))
    page = reader.read(pile / "p.png", threshold=0.0)
    assert page.numbers and json.loads(row["page"]) == page.to_dict()
    assert (row["file"], row["page_number"], row["text"], row["error"]) == ("p.png", None, page.text, None)
    assert row["sha256"] == sha256((pile / "p.png").read_bytes())
    assert row["numbers"][0] == {
        "text": page.numbers[0].text,
        "confidence": page.numbers[0].confidence,
        "box": page.numbers[0].box._asdict(),
    }
    assert seconds.decode > 0 and seconds.read > 0
    pages, _ = desk.read(Item("two.tif"))
    assert [(row["page_number"], row["text"]) for row in pages] == [(1, "7"), (2, "42")]
    desk.close()


def test_what_cannot_be_read_is_a_row_that_names_no_place(pile: Path) -> None:
    desk = desk_in(pile, max_components=1)
    os.mkfifo(pile / "pipe.png")
    (pile / "loop.png").symlink_to("loop.png")
    items = [Item(n) for n in ("bad.jpg", "empty.png", "gone.png", "pipe.png", "loop.png", ".", "n" * 300 + ".png", "a\0.png")]
    items += [Item("x", error=("refused", "no"))]
    rows = [row for item in items for row in desk.read(item)[0]]
    assert [row["error"]["code"] for row in rows] == ["damaged", "damaged", "not_found", *["not_a_file"] * 5, "refused"]
    assert str(pile) not in json.dumps(rows) and "n" * 20 not in json.dumps([row["error"] for row in rows])
    assert [row["sha256"] is None for row in rows] == [False, *[True] * 8]
    noise = [row["error"] and row["error"]["code"] for row in desk.read(Item("two.tif"))[0]]
    assert noise[-1] == "too_many_marks" and len(noise) == 2
    desk.close()


def test_a_file_that_takes_too_long_twice_is_recorded_and_the_next_is_read(pile: Path) -> None:
    desk = desk_in(pile, max_seconds=1.0)
    first = desk._process.pid
    (row,), _ = desk.read(Item("slow.png"))
    assert row["error"] == {"code": "timeout", "detail": "reading took longer than 1 s"}
    assert desk._process.pid != first
    assert desk.read(Item("p.png"))[0][0]["text"]
    desk.close()


def test_a_process_that_is_killed_once_costs_nothing(pile: Path) -> None:
    desk = desk_in(pile)
    whole = desk.read(Item("heavy.png"))[0]
    killing = kill_when_busy(desk, 1)
    assert desk.read(Item("heavy.png"))[0] == whole
    killing.join(10)
    desk.close()


def test_a_file_that_kills_two_processes_is_recorded_and_the_next_is_read(pile: Path) -> None:
    desk = desk_in(pile)
    desk._wait_until_ready()
    kill_when_busy(desk, 2)
    (row,), _ = desk.read(Item("heavy.png"))
    assert row["error"] == {"code": "damaged", "detail": "the process that read this died of it"}
    assert desk.read(Item("p.png"))[0][0]["text"]
    desk.close()


def test_a_process_that_hangs_leaves_with_the_pages_that_were_read(pile: Path) -> None:
    small = cv2.imdecode(np.frombuffer(piles.png("7"), np.uint8), 0)
    cv2.imwritemulti(str(pile / "slow.tif"), [small, cv2.imread(str(pile / "slow.png"), 0)])
    desk = desk_in(pile, max_seconds=1.0)
    rows, _ = desk.read(Item("slow.tif"))
    assert [(row["page_number"], row["error"] and row["error"]["code"]) for row in rows] == [(1, None), (2, "timeout")]
    desk.close()


def test_a_desk_that_is_told_to_stop_stops_in_the_middle(pile: Path) -> None:
    stop = threading.Event()
    desk = Desk(Work(WEIGHTS, {}, Limits(), str(pile)), stop.is_set)
    desk.read(Item("p.png"))
    threading.Timer(0.2, stop.set).start()
    start = time.monotonic()
    with pytest.raises(Stopped):
        desk.read(Item("slow.png"))
    desk.close()
    assert time.monotonic() - start < 2
    assert not desk._process.is_alive()


def run_with_python(script: str, tmp_path: Path, seconds: float = 100.0) -> str:
    """Return what a desk answers whose processes are started by a script; `$0.started` is there from the first on."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\ncase "$*" in *spawn_main*)\n{script}\nesac\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    code = f"""
import multiprocessing.spawn, sys
from inkdigits.bulk import desk
from inkdigits.bulk.items import Item
from inkdigits.classify import read_model
desk.START_SECONDS = {seconds}
multiprocessing.spawn.set_executable({str(python)!r})
at = desk.Desk(desk.Work(read_model(), root={str(tmp_path)!r}))
try:
    print(at.read(Item("p.png"))[0][0]["text"])
except Exception as error:
    print(type(error).__name__, error)
at.close()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


@pytest.mark.parametrize(("script", "seconds"), [("exit 1", 100.0), ("kill -9 $$", 100.0), ("exec sleep 60", 0.2)])
def test_processes_that_never_start_are_one_line_not_a_wait_without_end(script: str, seconds: float, tmp_path: Path) -> None:
    assert run_with_python(script, tmp_path, seconds) == "ModelError the process that reads could not be started; it was tried 3 times\n"


def test_a_process_that_dies_while_it_starts_is_replaced(pile: Path) -> None:
    assert run_with_python("[ -e $0.started ] || { touch $0.started; exit 1; }", pile).count("71") == 1


def test_a_model_that_cannot_be_loaded_is_told_as_such() -> None:
    desk = Desk(Work((b"no model", "the model", None)))
    with pytest.raises(ModelError, match="the model"):
        desk.read(Item("p.png"))
    desk.close()
