"""`inkdigits bulk`: its command, running.py, shard.py, local.py: every file has its row, once, whatever happens (promises 21, 22)."""

import json
import os
import pty
import random
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pictures
import piles
import pytest
from piles import bulk, rows_of, shards_of, start

import inkdigits
from inkdigits import cli
from inkdigits.bulk import local
from inkdigits.bulk.running import run
from inkdigits.errors import NotFound, UsageError
from inkdigits.synthetic import make_page


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pages in folders and archives, a document, and all sorts of poison."""
    folder = piles.put(tmp_path_factory.mktemp("bulk") / "pile", 9)
    piles.put(folder / "sub" / "folder", 4, first=20)
    (folder / "two.tif").write_bytes(piles.two_pages())
    (folder / "x.tar.gz").write_bytes(piles.tar({"a/1.png": piles.png("7"), "bad.jpg": b"none", "b.png": piles.png("8")}))
    (folder / "y.zip").write_bytes(piles.zipped({"1.png": piles.png("9"), "n.txt": b"none"}))
    (folder / "cut.zip").write_bytes(piles.zipped({"1.png": piles.png("9")})[:200])
    (folder / "bad.jpg").write_bytes(b"\xff\xd8\xff")
    (folder / "empty.png").touch()
    (folder / "circle").symlink_to(folder)
    (folder / "loop.png").symlink_to("loop.png")
    os.mkfifo(folder / "pipe.png")
    (folder / os.fsdecode(b"caf\xe9\n.png")).write_bytes(piles.png("5"))
    return folder


@pytest.fixture(scope="module")
def whole(pile: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What comes out when nothing happens."""
    out = tmp_path_factory.mktemp("whole") / "out"
    run([str(pile)], out, shard_files=4, workers=1)
    return out


def test_every_file_has_its_rows_in_natural_order(pile: Path, whole: Path) -> None:
    rows = rows_of(whole)
    names = [os.path.relpath(row["file"], pile) for row in rows]
    assert names == [
        *("bad.jpg", "caf\\xe9\\n.png", "circle", "cut.zip", "empty.png", "loop.png"),
        *(f"p{n}.png" for n in range(1, 10)),
        "pipe.png",
        *(f"sub/folder/p{n}.png" for n in range(20, 24)),
        *("two.tif", "two.tif", "x.tar.gz/a/1.png", "x.tar.gz/bad.jpg", "x.tar.gz/b.png", "y.zip/1.png"),
    ]
    codes = {name: row["error"]["code"] for name, row in zip(names, rows, strict=True) if row["error"]}
    assert codes == {
        **{"bad.jpg": "damaged", "circle": "not_a_file", "cut.zip": "damaged", "empty.png": "damaged", "loop.png": "not_a_file"},
        **{"pipe.png": "not_a_file", "x.tar.gz/bad.jpg": "unsupported"},
    }
    reader = inkdigits.Reader.load()
    for name, row in zip(names, rows, strict=True):
        if row["error"] is None and name.startswith(("p", "sub")):
            page = reader.read(pile / name)
            assert json.loads(row["page"]) == page.to_dict() and row["text"] == page.text
    assert {row["model"] for row in rows} == {rows[0]["model"]} and rows[0]["model"].startswith("reader ")
    assert not any(str(pile) in json.dumps(row["error"]) for row in rows)


def test_rows_are_the_same_bytes_however_many_workers(pile: Path, whole: Path, tmp_path: Path) -> None:
    done = bulk(pile, "--out", tmp_path / "out", "--shard-files", 4, "--workers", 3)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("25 files, 26 pages: 19 read, 7 with an error; ") and done.stderr.count("\n") == 1
    assert shards_of(tmp_path / "out") == shards_of(whole)
    again = bulk(pile, "--out", tmp_path / "out", "--shard-files", 4)
    assert (again.returncode, again.stderr) == (0, "25 files, 26 pages: 19 read, 7 with an error; nothing was left to do\n")


def kill_at_random(arguments: list[object], out: Path, kills: int, files: int) -> None:
    """Begin, kill the whole group with -9, begin again; between two kills all that is there is whole."""
    rng = random.Random(7)
    for kill in range(kills):
        before = len(shards_of(out))
        process = start(*arguments)
        while kill % 4 and len(shards_of(out)) == before and process.poll() is None:  # three of four when it is at work
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.4) if kill % 4 else rng.uniform(0, 1.5))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert piles.ended(process.pid)
        there = [row["file"] for row in rows_of(out)]
        assert len(there) == len(set(there)) <= files


def test_killed_at_random_it_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    pile = piles.put(tmp_path / "pile", 40)
    expected = piles.read_uncut(pile, tmp_path / "whole", shard_files=2)
    out = tmp_path / "out"
    kill_at_random([pile, "--out", out, "--shard-files", 2], out, 3, 40)
    done = bulk(pile, "--out", out, "--shard-files", 2)
    assert done.returncode == 0
    differing = sorted(name for name in expected if expected[name] != shards_of(out).get(name))
    assert not differing and len(shards_of(out)) == len(expected) == 20


@pytest.mark.stress
def test_300_files_and_20_kills(tmp_path: Path) -> None:
    pile = piles.put(tmp_path / "pile", 290)
    for n in range(9):
        (pile / f"poison{n}.jpg").write_bytes(b"\xff\xd8\xff" + bytes(n))
    (pile / "x.zip").write_bytes(piles.zipped({"a.png": piles.png("7")}))
    expected = piles.read_uncut(pile, tmp_path / "whole", shard_files=2)
    out = tmp_path / "out"
    kill_at_random([pile, "--out", out, "--shard-files", 2], out, 20, 300)
    assert bulk(pile, "--out", out, "--shard-files", 2).returncode == 0
    assert shards_of(out) == expected and len(expected) == 150
    files = [row["file"] for row in rows_of(out)]
    assert len(files) == len(set(files)) == 300


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_soon_and_cleanly(number: signal.Signals, tmp_path: Path) -> None:
    pile, out = piles.put(tmp_path / "pile", 500), tmp_path / "out"
    process = start(pile, "--out", out, "--shard-files", 2)
    deadline = time.monotonic() + 60
    while not shards_of(out) and time.monotonic() < deadline:
        time.sleep(0.05)
    began = time.monotonic()
    os.killpg(process.pid, number)  # as Ctrl-C in a terminal does
    said = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert time.monotonic() - began < 5
    assert said[0] == "" and said[1] in ("", "inkdigits: interrupted\n")
    assert piles.ended(process.pid) and not (out / "_writing").exists() and shards_of(out)


def test_a_full_disk_is_one_line_and_the_same_command_goes_on(pile: Path, whole: Path, tmp_path: Path) -> None:
    code = (
        "import resource, sys; from inkdigits import cli\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000)); sys.exit(cli.run(sys.argv[1:]))"
    )
    arguments = ["bulk", str(pile), "--out", str(tmp_path), "--shard-files", "4"]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1 and done.stderr.endswith(".parquet: File too large\n")
    assert len(shards_of(tmp_path)) < len(shards_of(whole))
    assert cli.run(arguments) == 0
    assert shards_of(tmp_path) == shards_of(whole)


def test_files_may_go_and_change_while_it_runs(tmp_path: Path) -> None:
    pile, out = piles.put(tmp_path / "pile", 4), tmp_path / "out"
    run([str(pile)], out, shard_files=1)
    for name in ("part-00001.parquet", "part-00002.parquet"):
        (out / name).unlink()
    (pile / "p2.png").unlink()
    (pile / "p3.png").write_bytes(piles.png("5", seed=9))
    run([str(pile)], out, shard_files=1)
    assert [row["error"] and row["error"]["code"] for row in rows_of(out)] == [None, "not_found", None, None]
    piles.put(pile, 1, first=9)
    with pytest.raises(UsageError, match=r"p9\.png is not in the plan"):
        run([str(pile)], out, shard_files=1)


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz"])
def test_an_archive_that_changed_gives_no_file_the_digits_of_another(name: str, tmp_path: Path) -> None:
    def archive(*members: str) -> bytes:
        files = {f"{member}.png": piles.png(member) for member in members}
        return piles.zipped(files) if name == "x.zip" else piles.tar(files, "gz" if name.endswith("gz") else "")

    pile, out = piles.put(tmp_path / "pile", 0), tmp_path / "out"
    (pile / name).write_bytes(archive("1", "2", "3"))
    run([str(pile)], out, shard_files=1)
    for shard in ("part-00001.parquet", "part-00002.parquet"):
        (out / shard).unlink()
    (pile / name).write_bytes(archive("1", "3"))
    run([str(pile)], out, shard_files=1)
    assert [row["error"] and row["error"]["detail"] for row in rows_of(out)] == [
        None,
        *["this archive has changed since it was listed"] * 2,
    ]


def test_what_comes_while_it_runs_is_told_and_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    pile, out, read = piles.put(Path("pile"), 1), Path("out"), local.run
    (pile / "x.tar.gz").write_bytes(piles.tar({"1.png": piles.png("1")}))

    def read_and_grow(*given: Any, **options: Any) -> None:
        read(*given, **options)
        (pile / "x.tar.gz").write_bytes(piles.tar({"1.png": piles.png("1"), "2.png": piles.png("2")}))

    monkeypatch.setattr(local, "run", read_and_grow)
    arguments = ["bulk", str(pile), "--out", str(out)]
    assert cli.run(arguments) == 1
    said = capsys.readouterr()
    assert said.err.startswith("inkdigits: 2 files, 2 pages: 2 read, 0 with an error; ") and said.err.count("\n") == 1
    assert said.err.endswith("; but what came after the plan has no row, such as pile/x.tar.gz/2.png\n")
    assert cli.run(arguments) == 2
    assert "x.tar.gz/2.png is not in the plan" in capsys.readouterr().err
    assert cli.run(["bulk", "--out", str(out), "--csv", "t.csv"]) == 0  # what was read stays of use


def test_a_source_that_goes_while_it_runs_leaves_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pile, read = piles.put(tmp_path / "pile", 1), local.run

    def read_and_go(*given: Any, **options: Any) -> None:
        read(*given, **options)
        (pile / "p1.png").unlink()
        pile.rmdir()

    monkeypatch.setattr(local, "run", read_and_go)
    assert run([str(pile)], tmp_path / "out").startswith("1 files, 1 pages: 1 read, 0 with an error")


def test_a_folder_whose_name_is_no_utf_8_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / os.fsdecode(b"caf\xe9")
    piles.put(place / "pile", 3)
    monkeypatch.chdir(place)
    for out in (Path("out"), place / "results"):  # relative and not
        run(["pile"], out, shard_files=1)
        before = shards_of(out)
        (out / "part-00001.parquet").unlink()
        assert "1 files of these now" in run(["pile"], out, shard_files=1)
        assert "nothing was left to do" in run(["pile"], out, shard_files=1)
        assert shards_of(out) == before and len(before) == 3
        assert cli.run(["bulk", "--out", str(out), "--csv", "t.csv"]) == 0
    with pytest.raises(UsageError, match="another threshold"):
        run(["pile"], Path("out"), shard_files=1, options={"threshold": 0.5})


@pytest.mark.parametrize(("width", "height", "digits"), [(4000, 3000, "small"), (6000, 4000, "large")])
def test_a_large_jpeg_gives_what_reader_read_gives(
    width: int, height: int, digits: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, _ = make_page("2071 438\n65 19", seed=5, size=(width // 5, height // 5), dirt="clean")
    if digits == "small":  # which a closer look is taken at
        page = np.pad(page, ((0, 4 * page.shape[0]), (0, 4 * page.shape[1]), (0, 0)), "edge")
    picture = pictures.Image.fromarray(page).resize((width, height))
    (tmp_path / "p.jpg").write_bytes(pictures.saved(picture, "JPEG", quality=80))
    said = inkdigits.Reader.load().read(tmp_path / "p.jpg")
    assert (said.width, said.height) == (width, height) and len(said.numbers) == 4
    assert cli.run(["read", str(tmp_path / "p.jpg"), "--json", "--draw", str(tmp_path / "drawn")]) == 0
    assert json.loads(capsys.readouterr().out) == {"file": str(tmp_path / "p.jpg")} | said.to_dict()
    assert pictures.Image.open(tmp_path / "drawn" / os.listdir(tmp_path / "drawn")[0]).size == (width, height)
    run([str(tmp_path / "p.jpg")], tmp_path / "out", workers=1)
    assert json.loads(rows_of(tmp_path / "out")[0]["page"]) == said.to_dict()


def test_other_settings_inputs_or_models_are_refused(pile: Path, whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = shards_of(whole)
    same = ["--out", str(whole), "--shard-files", "4"]
    for arguments, word in [
        ([str(pile), *same, "--model", "mnist"], "model"),
        ([str(pile), *same, "--threshold", "0.5"], "threshold"),
        ([str(pile), *same, "--single"], "single"),
        ([str(pile), *same, "--max-pixels", "1000000"], "max_pixels"),
        ([str(pile / "sub"), *same], "source"),
        ([str(pile), *same[:2], "--shard-files", "5"], "shard-files"),
    ]:
        assert cli.run(["bulk", *arguments]) == 2
        said = capsys.readouterr()
        assert f"another {word}" in said.err and said.err.count("\n") == 1 and said.out == ""
    assert shards_of(whole) == before


def test_arguments_that_make_no_sense(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pile, out = str(piles.put(tmp_path / "pile", 1)), str(tmp_path / "out")
    (tmp_path / "bad.onnx").write_bytes(b"none")
    (tmp_path / "none").mkdir()
    for arguments, code, word in [
        (["--out", out], 2, "say what to read"),
        ([pile], 2, "--out"),
        ([pile, "--out", out, "--engine", "nonsense"], 2, "--engine must be local or ray, got 'nonsense'"),
        ([pile, "--out", out, "--workers", "0"], 2, "--workers"),
        ([pile, "--out", out, "--threshold", "2"], 2, "threshold"),
        ([pile, "--out", out, "--model", str(tmp_path / "bad.onnx")], 3, "bad.onnx"),
        ([pile, "--out", out, "--promise", str(tmp_path / "none.json")], 3, "promise"),
        ([pile, "--out", out, "--threshold", "0.5", "--max-error", "0.01"], 2, "do not go together"),
        ([pile + "x", "--out", out], 1, "no such file or folder"),
        (["--list", pile + "x", "--out", out], 1, "no such file or folder"),
        ([str(tmp_path / "none"), "--out", out], 1, "no picture"),
        ([pile, "--out", pile], 2, "something else"),
        (["--out", out, "--csv", str(tmp_path / "t.csv")], 1, "no results"),
    ]:
        assert cli.run(["bulk", *arguments]) == code, arguments
        said = capsys.readouterr()
        assert word in said.err and said.err.count("\n") == 1 and said.out == "", said
    assert not (tmp_path / "t.csv").exists()
    with pytest.raises(NotFound):
        run([str(tmp_path / "*.jpg")], tmp_path / "out")


def test_a_list_and_relative_paths_start_where_the_command_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    piles.put(tmp_path / "pile", 2)
    monkeypatch.chdir(tmp_path)
    Path("list.txt").write_text("pile/p2.png\npile/gone.png\n")
    run(["pile"], Path("out"), listing="list.txt")
    assert [(row["file"], row["error"] is None) for row in rows_of(Path("out"))] == [
        *(("pile/p1.png", True), ("pile/p2.png", True), ("pile/p2.png", True), ("pile/gone.png", False))
    ]
    monkeypatch.chdir(tmp_path / "pile")
    with pytest.raises(UsageError, match="folder"):
        (tmp_path / "pile" / "pile").symlink_to(tmp_path / "pile")
        (tmp_path / "pile" / "list.txt").symlink_to(tmp_path / "list.txt")
        run(["pile"], tmp_path / "out", listing="list.txt")


def test_a_bar_on_the_terminal(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    command = piles.command(piles.put(tmp_path / "pile", 5), "--out", tmp_path / "out")
    started = subprocess.Popen(command, stderr=theirs, stdout=subprocess.PIPE, env=os.environ | {"TERM": "xterm"})
    os.close(theirs)
    seen = b""
    while select.select([ours], [], [], 60)[0]:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        seen += part
    os.close(ours)
    assert started.communicate() == (b"", None) and started.returncode == 0
    assert b"planning" in seen and b"reading" in seen and b"/5" in seen and b"pages/s" in seen and b"5 files, 5 pages: 5 read" in seen


@pytest.mark.stress
def test_memory_stays_flat(tmp_path: Path) -> None:
    """Ten times the files, the same memory: the sum of the main process's and of its children's greatest."""
    code = (
        "import resource, sys; from pathlib import Path; from inkdigits.bulk.running import run\n"
        "run([sys.argv[1]], Path(sys.argv[2]), workers=1, shard_files=100)\n"
        "print(*[resource.getrusage(w).ru_maxrss * 1024 for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)])"
    )
    used: list[Any] = []
    blank = piles.pictures.saved(piles.pictures.pil("L", width=40, height=30), "PNG")
    for count in (500, 5000):
        folder = tmp_path / str(count)
        folder.mkdir()
        for n in range(count):
            (folder / f"{n}.png").write_bytes(blank)
        command = [sys.executable, "-c", f"if __name__ == '__main__':\n  exec({code!r})", str(folder), str(tmp_path / f"out{count}")]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        used.append([int(n) for n in done.stdout.split()])
    assert all(after - before < 25e6 for before, after in zip(*used, strict=True)), used
