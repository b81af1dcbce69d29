"""bulk/finished.py: finished results → the same tables that `read` makes, crops too."""

from pathlib import Path

import piles
import pytest
from test_review import Reviewed

from inkdigits import cli
from inkdigits.bulk.finished import read_again
from inkdigits.bulk.results import open_finished
from inkdigits.errors import Damaged, ReadError
from inkdigits.records import Page


def test_tables_are_those_of_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    monkeypatch.chdir(tmp_path)
    pile = piles.put(Path("pile"), 3)
    (pile / "two.tif").write_bytes(piles.two_pages())
    (pile / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    piles.read_uncut(pile, Path("out"), shard_files=2)
    assert cli.run(["read", "-r", "pile", "--csv", "--numbers-per-picture", "2"]) == 1
    csv = capfdbinary.readouterr().out
    assert cli.run(["read", "-r", "pile", "--xlsx", "r.xlsx", "--review", "r.html", "--numbers-per-picture", "2"]) == 1
    tables = ["--csv", "b.csv", "--xlsx", "b.xlsx", "--review", "b.html", "--numbers-per-picture", "2"]
    capfdbinary.readouterr()
    assert cli.run(["bulk", "--out", "out", *tables]) == 0
    said = capfdbinary.readouterr()
    assert said.out == b"" and said.err.startswith(b"6 pictures: ") and said.err.endswith(b", 1 failed\n")
    assert Path("b.csv").read_bytes() == csv
    assert Reviewed(Path("b.html")).entries == Reviewed(Path("r.html")).entries
    assert abs(Path("b.xlsx").stat().st_size - Path("r.xlsx").stat().st_size) < 50


def test_a_picture_that_has_changed_or_gone_gives_no_crop_and_keeps_its_row(tmp_path: Path) -> None:
    pile = piles.put(tmp_path / "pile", 3)
    (pile / "x.zip").write_bytes(piles.zipped({"a.png": piles.png("7"), "b.png": piles.png("8")}))
    piles.read_uncut(pile, tmp_path / "out")
    (pile / "p1.png").unlink()
    (pile / "p2.png").write_bytes(piles.png("999"))
    told = list(read_again(open_finished(tmp_path / "out"), pictures=True))
    assert [isinstance(page, Page) and page.picture is not None for _, page, _ in told] == [False, False, True, True, True]
    assert all(isinstance(page, Page) for _, page, _ in told)
    page = told[-1][1]
    assert isinstance(page, Page) and page.picture is not None and page.picture().shape[:2] == (160, 300)


def test_errors_come_back_with_their_class(tmp_path: Path) -> None:
    pile = piles.put(tmp_path / "pile", 0)
    (pile / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    piles.read_uncut(pile, tmp_path / "out")
    ((_, error, number),) = read_again(open_finished(tmp_path / "out"), pictures=True)
    assert isinstance(error, Damaged) and isinstance(error, ReadError) and number is None


def test_results_that_are_not_whole_give_no_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pile = piles.put(tmp_path / "pile", 3)
    piles.read_uncut(pile, tmp_path / "out", shard_files=1)
    (tmp_path / "out" / "part-00001.parquet").unlink()
    assert cli.run(["bulk", "--out", str(tmp_path / "out"), "--csv", str(tmp_path / "t.csv")]) == 1
    assert "1 of 3 shards" in capsys.readouterr().err
    assert not (tmp_path / "t.csv").exists()
