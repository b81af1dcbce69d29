"""bulk/on_ray.py: Ray has the shards read: the same bytes as with `local`, whatever dies on the way."""

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import piles
import pytest
from conftest import ROOT
from test_package import BLOCK, python

from inkdigits import __version__, cli
from inkdigits.bulk import on_ray
from inkdigits.errors import DataError

ALONE = ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "alone"]
CAN_BE_ALONE = sys.platform == "linux" and subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode == 0
needs_namespace = pytest.mark.skipif(not CAN_BE_ALONE, reason="Ray's head listens on every address, and no network can be cut off here")


@pytest.fixture
def mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A word in the environment of all that a test starts; and a quicker start for Ray."""
    # jsonschema takes a second to load where JupyterLab brought this, in each of Ray's eight processes
    (tmp_path / "quick").mkdir()
    (tmp_path / "quick" / "rfc3987_syntax.py").write_text("raise ImportError\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "quick"))
    monkeypatch.setenv("INKDIGITS_TEST", word := uuid.uuid4().hex)
    return word


def wait_until_gone(mark: str) -> None:
    """Fail if what a test started is there after ten seconds."""
    deadline = time.monotonic() + 10
    while left := piles.marked(mark):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def read_by_local(pile: Path, out: Path, shard_files: int) -> dict[str, bytes]:
    assert piles.bulk(pile, "--out", out, "--shard-files", shard_files).returncode == 0
    return piles.shards_of(out)


def ray_folders() -> set[Path]:
    return set(Path("/tmp").glob("ink-*"))


@pytest.mark.stress
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_soon_and_cleanly(number: signal.Signals, mark: str, tmp_path: Path) -> None:
    pile, out, before = piles.put(tmp_path / "pile", 500), tmp_path / "out", ray_folders()
    process = piles.start(pile, "--out", out, "--shard-files", 2, "--engine", "ray")
    while not piles.shards_of(out) and process.poll() is None:
        time.sleep(0.05)
    began = time.monotonic()
    os.killpg(process.pid, number)  # as Ctrl-C in a terminal does
    said = process.communicate(timeout=60)
    assert process.returncode == 128 + number, (process.returncode, said)
    assert time.monotonic() - began < 10
    assert said[0] == "" and said[1] in ("", "inkdigits: interrupted\n")
    wait_until_gone(mark)
    assert not (out / "_writing").exists() and ray_folders() == before


@pytest.mark.stress
def test_killed_it_leaves_nobody_behind_and_goes_on_to_the_bytes_of_local(mark: str, tmp_path: Path) -> None:
    pile, out = piles.put(tmp_path / "pile", 60), tmp_path / "out"
    (pile / "bad.jpg").write_bytes(b"\xff\xd8\xff")
    (pile / "two.tif").write_bytes(piles.two_pages())
    (pile / "x.tar.gz").write_bytes(piles.tar({"a.png": piles.png("7"), "b.png": piles.png("8")}))
    arguments = [pile, "--out", out, "--shard-files", 3, "--engine", "ray"]
    process = piles.start(*arguments)
    while len(piles.shards_of(out)) < 3 and process.poll() is None:
        time.sleep(0.02)
    process.kill()
    process.communicate()
    wait_until_gone(mark)
    expected = read_by_local(pile, tmp_path / "whole", 3)
    assert 3 <= len(piles.shards_of(out)) < len(expected) == 22
    done = piles.bulk(*arguments)
    assert (done.returncode, done.stdout) == (0, "") and done.stderr.count("\n") == 1
    assert done.stderr.startswith("64 files, 65 pages: 64 read, 1 with an error; ")
    assert piles.shards_of(out) == expected
    wait_until_gone(mark)


@pytest.mark.stress
@needs_namespace
def test_ray_on_this_machine_is_for_this_machine_and_errors_come_back_as_they_were(mark: str) -> None:
    code = f"""
from pathlib import Path
from inkdigits.bulk import on_ray
from inkdigits.bulk.items import Item
with on_ray._connected(None, 1) as (ray, _):
    lines = [line.split() for name in ("tcp", "tcp6") for line in Path("/proc/net", name).read_text().splitlines()[1:]]
    heard = {{line[1].partition(":")[0] for line in lines if line[3] == "0A"}}
    print(*sorted(heard))
    read = ray.remote(max_retries=0)(on_ray._read)
    work = ray.put("nothing to work with")
    for job in (([None], [], "0.0.0"), ([work], [Item("x")], {__version__!r}), ([None], [Item("x")], {__version__!r})):
        try:
            on_ray._result(ray, read.remote(*job, "f", "m"))
        except Exception as error:
            print(type(error).__name__, error)
"""
    done = subprocess.run([*ALONE, sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    heard, *errors = done.stdout.splitlines()
    # 127.0.0.1 as the kernel writes it, and as IPv6
    assert set(heard.split()) <= {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}
    assert errors[0] == f"DataError a machine of this cluster has inkdigits {__version__}; the one that asks has 0.0.0"
    assert errors[1].startswith("ModelError the process that reads could not be started")
    assert errors[2].startswith("DataError a machine of this cluster cannot read: ") and len(errors) == 3
    wait_until_gone(mark)


@pytest.mark.stress
@needs_namespace
def test_a_node_that_is_killed_costs_its_shards_under_way_which_are_read_again(mark: str, tmp_path: Path) -> None:
    pile, out = piles.put(tmp_path / "pile", 199), tmp_path / "out"
    (pile / "bad.jpg").write_bytes(b"\xff\xd8\xff")
    expected = read_by_local(pile, tmp_path / "whole", 5)
    command = [*ALONE, sys.executable, str(ROOT / "tests" / "cluster.py"), str(pile), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done
    code, before, reading, said = done.stdout.split(" ", 3)
    assert code == "0" and "200 files, 200 pages: 199 read, 1 with an error; " in said, done
    assert int(before) < len(expected) == 40 and reading == "1"  # it was in the middle of a shard
    assert piles.shards_of(out) == expected
    wait_until_gone(mark)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--address", "auto"], 2, "--address is that of a Ray cluster"),
        (["--engine", "ray", "--address", "ray://127.0.0.1:10001"], 2, "HOST:PORT"),
        (["--engine", "ray", "--address", "127.0.0.1"], 2, "HOST:PORT"),
        (["--engine", "ray", "--address", "127.0.0.1:1"], 1, "there is no Ray cluster at 127.0.0.1:1 "),
        (["--engine", "ray", "--address", "127.0.0.1:99999999"], 1, "there is no Ray cluster"),
    ],
)
def test_an_address_where_nobody_is(
    arguments: list[str], code: int, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pile = piles.put(tmp_path / "pile", 1)
    assert cli.run(["bulk", str(pile), "--out", str(tmp_path / "out"), *arguments]) == code
    said = capsys.readouterr()
    assert words in said.err and said.err.count("\n") == 1 and said.out == ""
    assert not (tmp_path / "out").exists()


def test_without_ray_one_line_tells_what_to_type_and_local_works(tmp_path: Path) -> None:
    pile = piles.put(tmp_path / "pile", 1)
    code = BLOCK.replace("'pyarrow'", "'none'") + (
        "import inkdigits.cli\n"
        "if __name__ == '__main__':\n"
        "    print(*(inkdigits.cli.run(['bulk', *sys.argv[1:], '--engine', e]) for e in ('ray', 'local')))"
    )
    assert python(code, pile, "--out", tmp_path / "out") == "4 0\n"


def test_a_machine_with_another_version_reads_nothing() -> None:
    with pytest.raises(DataError, match=r"has inkdigits .*; the one that asks has 0\.0\.1"):
        on_ray._read([None], [], "0.0.1", "fingerprint", "model")
