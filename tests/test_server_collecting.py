"""Corrections are kept where that was asked for, as pictures that training reads as the same ink; elsewhere nothing is kept."""

import json
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from served import check_error, serving

import inkdigits
from inkdigits import Reader
from inkdigits.errors import Refused
from inkdigits.server import collecting, create_app
from inkdigits.server.collecting import MAX_BODY, Collector
from inkdigits.train.extra import load_extra

JSON = {"Content-Type": "application/json"}
GLYPHS, LABELS = inkdigits.mnist.load_data()[1]


def sent(index: int, **more: object) -> bytes:
    return json.dumps({"glyph": GLYPHS[index].tolist(), "label": int(LABELS[index])} | more).encode()


def test_without_the_folder_nothing_is_kept() -> None:
    with serving() as server:
        check_error(server.client.post("/v1/corrections", json=json.loads(sent(0))), 403, "refused")


def test_what_is_kept_is_what_training_reads(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    with serving(create_app(Reader.load(), collect=folder)) as server:
        assert server.client.get("/v1/model").json()["collects"] is True
        for i in range(12):
            assert server.client.post("/v1/corrections", json=json.loads(sent(i))).status_code == 201
        server.client.post("/v1/corrections", json=json.loads(sent(3)))  # the same again is the same
    extra = load_extra(folder)
    learned = {(int(label), glyph.tobytes()) for glyph, label in zip(extra.x, extra.y, strict=True)}
    assert learned == {(int(label), glyph.tobytes()) for glyph, label in zip(GLYPHS[:12], LABELS[:12], strict=True)}
    assert len(extra.y) == 12 and not extra.left_out


def test_names_tell_nothing_and_files_are_plain(tmp_path: Path) -> None:
    path = Collector(tmp_path, 10).keep(sent(0))
    assert path.parent == tmp_path / "7"
    assert path.suffix == ".png" and len(path.stem) == 20
    assert stat.S_IMODE(path.stat().st_mode) & 0o111 == 0


def test_the_last_word_on_a_digit_is_the_one_that_is_kept(tmp_path: Path) -> None:
    collector = Collector(tmp_path, 1)
    for label in (7, 1, 7):
        path = collector.keep(sent(0, label=label))
        assert list(tmp_path.rglob("*.png")) == [path]
        assert path.parent.name == str(label)
    with pytest.raises(Refused, match="limit"):
        collector.keep(sent(1))


def test_a_correction_is_no_longer_than_one_can_be(tmp_path: Path) -> None:
    with serving(create_app(Reader.load(), collect=tmp_path)) as server:
        wide = json.dumps(json.loads(sent(0)), indent=8).encode()
        assert server.client.post("/v1/corrections", content=wide, headers=JSON).status_code == 201
        check_error(server.client.post("/v1/corrections", content=sent(0) + b" " * MAX_BODY, headers=JSON), 413, "too_large")


def test_a_slow_disk_keeps_nobody_else_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, may_go = threading.Event(), threading.Event()

    def write_slowly(*_: object) -> None:
        begun.set()
        assert may_go.wait(8)

    monkeypatch.setattr(collecting, "write_bytes", write_slowly)
    with serving(create_app(Reader.load(), collect=tmp_path)) as server, ThreadPoolExecutor(1) as clients:
        first = clients.submit(server.client.post, "/v1/corrections", content=sent(0), headers=JSON)
        assert begun.wait(8)
        start = time.monotonic()
        assert server.client.get("/livez").status_code == 200
        assert time.monotonic() - start < 2
        may_go.set()
        assert first.result().status_code == 201


ROWS = np.zeros((28, 28), int).tolist()
BAD = [
    *(
        b"",
        b"[]",
        b"{}",
        b'{"label": 3}',
        sent(0, label="3"),
        sent(0, label=True),
        sent(0, label=10),
        sent(0, label="../../x"),
        sent(0, label=None),
    ),
    *(sent(0, glyph=[]), sent(0, glyph=ROWS[:27]), sent(0, glyph=[r[:27] for r in ROWS]), sent(0, glyph=[[300] * 28] * 28)),
    *(sent(0, glyph=[[0.5] * 28] * 28), sent(0, glyph=[["0"] * 28] * 28), sent(0, glyph="x" * 28), sent(0, glyph=7)),
]


def test_what_is_no_correction_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with serving(create_app(Reader.load(), collect=tmp_path)) as server:
        for body in BAD:
            answer = server.client.post("/v1/corrections", content=body, headers={"Content-Type": "application/json"})
            check_error(answer, 415, "unsupported")
    assert list(tmp_path.iterdir()) == []


def test_the_folder_has_a_limit(tmp_path: Path) -> None:
    collector = Collector(tmp_path, 2)
    collector.keep(sent(0))
    Collector(tmp_path, 2).keep(sent(1))
    with pytest.raises(Refused, match="limit"):
        Collector(tmp_path, 2).keep(sent(2))
    assert len(list(tmp_path.rglob("*.png"))) == 2
