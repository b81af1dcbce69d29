"""files.py: what is written is written whole or not at all, on a full disk and when the process is killed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkdigits import files


def test_text_bytes_and_json_arrive_as_they_were(tmp_path: Path) -> None:
    assert files.write_bytes(tmp_path / "new" / "folder" / "a.bin", b"\0\r\n\xff").read_bytes() == b"\0\r\n\xff"
    assert files.write_text(tmp_path / "a.txt", "Zwölf\n").read_bytes() == "Zwölf\n".encode()
    assert json.loads(files.write_json(tmp_path / "a.json", {"ä": [1, None]}).read_text("utf-8")) == {"ä": [1, None]}
    with pytest.raises(ValueError):
        files.write_json(tmp_path / "a.json", float("nan"))
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == {"ä": [1, None]}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "a.txt", "new"]


def test_a_result_is_an_ordinary_file(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        path = files.write_text(tmp_path / "a.txt", "x")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("reason", [RuntimeError("no"), KeyboardInterrupt(), SystemExit(3)])
def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path, reason: BaseException) -> None:
    path = files.write_text(tmp_path / "a.txt", "old")
    with pytest.raises(type(reason)), files.replacing(path) as beside:
        assert beside.suffix == ".txt"
        assert beside.parent == tmp_path
        beside.write_text("half")
        raise reason
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def run(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own."""
    return subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)


def test_a_full_disk_leaves_the_old_file_and_says_so(tmp_path: Path) -> None:
    path = files.write_text(tmp_path / "a.txt", "old")
    code = (
        "import resource, sys; from inkdigits import files\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "files.write_bytes(sys.argv[1], b'x' * 1000); print('fits')\n"
        "try: files.write_bytes(sys.argv[1], b'y' * 1001)\n"
        "except OSError as error: print(error.strerror)\n"
    )
    done = run(code, path)
    assert done.stdout.splitlines() == ["fits", "File too large"], done.stderr
    assert path.read_bytes() == b"x" * 1000
    assert list(tmp_path.iterdir()) == [path]


def test_a_killed_process_leaves_the_old_file(tmp_path: Path) -> None:
    path = files.write_text(tmp_path / "a.txt", "old")
    code = (
        "import os, sys; from inkdigits import files\n"
        "with files.replacing(sys.argv[1]) as beside:\n"
        "    beside.write_text('half'); os.kill(os.getpid(), 9)\n"
    )
    assert run(code, path).returncode != 0
    assert path.read_text() == "old"


@pytest.mark.parametrize("place", ["file/a.txt", "folder"])
def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder" / "inside").mkdir(parents=True)
    with pytest.raises(OSError) as caught:
        files.write_text(tmp_path / place, "x")
    assert caught.value.filename == str(tmp_path / place)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


@given(st.text())
def test_a_safe_name_is_safe(name: str) -> None:
    safe = files.safe_name(name)
    assert 0 < len(safe) <= 80
    assert set(safe) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
    assert not safe.startswith(".")
    assert files.safe_name(safe) == safe


def test_safe_names_that_people_give() -> None:
    assert files.safe_name("../../etc/passwd") == "etc_passwd"
    assert files.safe_name("Foto 12 (Küche).jpg") == "Foto_12_K_che_.jpg"
    assert files.safe_name("…") == "unnamed"


def test_the_checksum_is_sha256() -> None:
    assert files.sha256(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
