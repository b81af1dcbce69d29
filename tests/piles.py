"""Piles of made pictures for the tests of bulk, and what became of them."""

import io
import os
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path
from typing import Any

import cv2
import pictures
import pyarrow.parquet as pq

from inkdigits.bulk.running import run
from inkdigits.synthetic import make_page


def png(text: str = "71 42", seed: int = 1) -> bytes:
    """A small made page."""
    image, _ = make_page(text, seed=seed, size=(300, 160), dirt="clean")
    return bytes(cv2.imencode(".png", image[:, :, ::-1])[1])


def put(folder: Path, count: int, first: int = 1) -> Path:
    """Write pages p1.png, p2.png …, a few pictures under many names, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    made = [png(f"{n} 4{n}", n) for n in range(min(count, 5))]
    for n in range(count):
        (folder / f"p{n + first}.png").write_bytes(made[n % len(made)])
    return folder


def tar(files: dict[str, bytes], packing: str = "gz") -> bytes:
    """A tar of these files, in this order."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=f"w:{packing}") as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    """A zip of these files, in this order."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def two_pages() -> bytes:
    """A TIFF of two pages."""
    pages = [make_page(text, seed=3, size=(300, 160), dirt="clean")[0] for text in ("7", "42")]
    return pictures.saved(pages[0], "TIFF", save_all=True, append_images=[pictures.Image.fromarray(pages[1])])


def rows_of(out: Path) -> list[dict[str, Any]]:
    """All rows of results, in order."""
    return [row for path in sorted(out.glob("part-*.parquet")) for row in pq.read_table(path).to_pylist()]


def shards_of(out: Path) -> dict[str, bytes]:
    """The bytes of every Parquet file by its name."""
    return {path.name: path.read_bytes() for path in sorted(out.glob("*.parquet"))}


def read_uncut(pile: Path, out: Path, **options: Any) -> dict[str, bytes]:
    """Read a pile in one go and return what `shards_of` does."""
    run([str(pile)], out, **options)
    return shards_of(out)


def command(*arguments: object) -> list[str]:
    """The command line of `inkdigits bulk`."""
    return [sys.executable, "-m", "inkdigits", "bulk", *map(str, arguments)]


def bulk(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    return subprocess.run(command(*arguments), capture_output=True, text=True, timeout=300, check=False, **options)


def start(*arguments: object) -> subprocess.Popen[str]:
    """Run it in a process group of its own."""
    return subprocess.Popen(command(*arguments), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)


def ended(group: int) -> bool:
    """Whether the processes of a group all end, within ten seconds."""
    deadline = time.monotonic() + 10
    while alive(group) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(group)


def alive(group: int) -> list[int]:
    """The processes of a group that still run."""
    return [pid for pid, told in _processes() if int(told[2]) == group]


def marked(word: str) -> list[str]:
    """The commands of the processes that have a word in their environment, this one left out."""
    return [_proc(pid, "cmdline") for pid, _ in _processes() if pid != os.getpid() and word in _proc(pid, "environ")]


def reading_below(ancestor: int) -> list[int]:
    """The reading processes among a process's descendants."""
    parents = {pid: int(told[1]) for pid, told in _processes()}

    def is_below(pid: int) -> bool:
        return pid == ancestor or (pid in parents and is_below(parents[pid]))

    return [pid for pid in parents if "spawn_main" in _proc(pid, "cmdline") and is_below(pid)]


def _processes() -> list[tuple[int, list[str]]]:
    """Every process that is no zombie, with what its `stat` says after its name: state, parent, group and so on."""
    told = [(int(name), _proc(int(name), "stat").rpartition(")")[2].split()) for name in os.listdir("/proc") if name.isdecimal()]
    return [(pid, fields) for pid, fields in told if fields and fields[0] != "Z"]


def _proc(pid: int, what: str) -> str:
    try:
        return Path(f"/proc/{pid}/{what}").read_text(errors="replace")
    except OSError:  # it has ended
        return ""
