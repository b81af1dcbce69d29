"""bulk/plan.py: items → a file of lines cut into shards; what came since is found in one pass."""

import itertools
import resource
import subprocess
import sys
import time
from pathlib import Path

import piles
import pytest

from inkdigits.bulk.items import Item
from inkdigits.bulk.plan import expand, find_new, read_shard, write_plan


@pytest.mark.parametrize("count", [1, 4, 5, 10, 11])
def test_every_item_is_in_one_shard_in_order(count: int, tmp_path: Path) -> None:
    items = [Item(f"ä {n}\n.png") for n in range(count)]
    plan = write_plan(tmp_path / "plan", iter(items), 5)
    assert (plan.files, len(plan.starts)) == (count, -(-count // 5))
    read = [read_shard(tmp_path / "plan", plan, shard, 5) for shard in range(len(plan.starts))]
    assert list(itertools.chain(*read)) == items
    assert write_plan(tmp_path / "again", iter(items), 5) == plan


def test_the_members_of_an_archive_take_its_place(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(piles.zipped({"a.png": b"", "b.png": b""}))
    found = [Item("1.png"), Item("x.zip"), Item("2.png"), Item("y.zip", error=("refused", "no"))]
    assert [(i.path, i.member) for i in expand(found, str(tmp_path))] == [
        *(("1.png", None), ("x.zip", "a.png"), ("x.zip", "b.png"), ("2.png", None), ("y.zip", None))
    ]


def test_a_file_that_came_later_is_found_and_one_that_went_is_not_missed(tmp_path: Path) -> None:
    one, a, b, three = items = [Item("1.png"), Item("x.zip", "a.png"), Item("x.zip", "b.png"), Item("3.png")]
    write_plan(tmp_path / "plan", items, 2)
    for found, new in [
        (items, None),
        ([one, three], None),
        ([one, b, three], None),
        ([one, Item("x.zip", error=("damaged", "since")), three], None),
        ([], None),
        ([one, Item("2.png"), three], "2.png"),
        ([*items, Item("4.png")], "4.png"),
        ([Item("0.png"), one], "0.png"),
        ([one, a, b, Item("x.zip", "c.png"), three], "x.zip/c.png"),
        ([one, a, Item("x.zip", "a2.png"), b, three], "x.zip/a2.png"),
        ([one, a, b, Item("y.zip", "a.png"), three], "y.zip/a.png"),
    ]:
        assert find_new(tmp_path / "plan", found) == new


@pytest.mark.stress
def test_a_hundred_thousand_files_are_planned_in_20_seconds_and_300_megabytes(tmp_path: Path) -> None:
    for n in range(100_000):
        (tmp_path / f"p{n}.png").touch()
    code = (
        "import re, sys; from pathlib import Path\n"
        "from inkdigits.bulk.plan import expand, write_plan; from inkdigits.bulk.walking import find_files\n"
        "print(write_plan(Path(sys.argv[2]), expand(find_files([sys.argv[1]])), 500).files)\n"
        # not ru_maxrss: a process begins with that of the one that started it
        "print(int(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1]) * 1024)"
    )
    start = time.process_time() + resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    command = [sys.executable, "-c", code, str(tmp_path), str(tmp_path / "plan.jsonl")]
    files, memory = map(int, subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    taken = time.process_time() + resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - start
    assert files == 100_000 and memory < 300e6 and taken < 20
