"""spreadsheet.py: an Excel file of text cells and crops, whole or not at all."""

import io
import re
import tempfile
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image
from readings import HOSTILE, made_entry

from inkdigits import spreadsheet
from inkdigits.errors import Damaged
from inkdigits.spreadsheet import HEAD, open_spreadsheet
from inkdigits.tables import Entry, enter_failure, shown

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


class Sheet:
    """What a spreadsheet program finds in a file: kinds and texts of the cells, colours, pictures."""

    def __init__(self, path: Path, number: int = 1) -> None:
        self.archive = zipfile.ZipFile(path)
        self.xml = self.archive.read(f"xl/worksheets/sheet{number}.xml").decode()
        self.root = ElementTree.fromstring(self.xml)
        fills = [f.find(f"{MAIN}patternFill/{MAIN}fgColor") for f in self.part("styles").iter(f"{MAIN}fill")]
        formats = self.part("styles").find(f"{MAIN}cellXfs")
        assert formats is not None
        self.colours = [None if fills[int(x.get("fillId", 0))] is None else fills[int(x.get("fillId", 0))].get("rgb") for x in formats]  # type: ignore[union-attr]
        self.rows = [self.cells(row) for row in self.root.iter(f"{MAIN}row")]

    def part(self, name: str) -> ElementTree.Element:
        return ElementTree.fromstring(self.archive.read(f"xl/{name}.xml"))

    def cells(self, row: ElementTree.Element) -> dict[str, tuple[str | None, str, str | None]]:
        """Column → (type of the cell, its text, colour)."""
        found = {}
        for cell in row.iter(f"{MAIN}c"):
            name = HEAD["ABCDEFGHIJ".index(cell.get("r", "")[0])]
            text = "".join(t.text or "" for t in cell.iter() if t.tag in (f"{MAIN}t", f"{MAIN}v"))
            found[name] = (cell.get("t"), re.sub("_x005F_", "_", text), self.colours[int(cell.get("s", 0))])
        return found

    def pictures(self) -> list[bytes]:
        return [self.archive.read(n) for n in sorted(self.archive.namelist()) if n.startswith("xl/media/")]


def written(path: Path, *entries: Entry) -> Sheet:
    with open_spreadsheet(path) as table:
        for entry in entries:
            table.add(entry)
    return Sheet(path)


def test_numbers_are_text_and_what_is_doubtful_is_coloured(tmp_path: Path) -> None:
    sheet = written(
        tmp_path / "n.xlsx", made_entry("a.jpg", "007 19?7~1987"), made_entry("b.jpg"), enter_failure("c.jpg", Damaged("damaged PNG"))
    )
    head, sure, doubtful, blank, failed = sheet.rows
    assert [head[name][1] for name in HEAD] == list(HEAD)
    assert [sure[name][:2] for name in ("file", "text", "guess", "check")] == [("inlineStr", t) for t in ("a.jpg", "007", "007", "no")]
    assert [sure[name][1] for name in ("page", "line", "position", "confidence")] == ["1", "0", "0", "0.9"]
    assert (doubtful["text"][1], doubtful["guess"][1], doubtful["check"][1]) == ("19?7", "1987", "yes")
    assert (blank["file"][1], blank["text"][1], blank["check"][1], blank["remark"][1]) == ("b.jpg", "", "yes", "no number found")
    assert (failed["file"][1], failed["page"][1], failed["check"][1], failed["remark"][1]) == ("c.jpg", "", "yes", "damaged PNG")
    colours = [{cell[2] for cell in row.values()} for row in sheet.rows[1:]]
    assert [len(c) for c in colours] == [1] * 4
    assert colours[0] == {None} and colours[1] == colours[2] != colours[3] and None not in colours[1] | colours[3]


def test_the_header_stays_in_sight_and_filters(tmp_path: Path) -> None:
    sheet = written(tmp_path / "n.xlsx", made_entry("Photos/" + 40 * "long " + ".jpg", "1 2", "3"))
    pane = sheet.root.find(f".//{MAIN}pane")
    assert pane is not None and (pane.get("ySplit"), pane.get("state")) == ("1", "frozen")
    found = sheet.root.find(f"{MAIN}autoFilter")
    assert found is not None and found.get("ref") == "A1:J4"
    widths = [float(column.get("width", 0)) for column in sheet.root.iter(f"{MAIN}col")]
    assert 55 < widths[0] < 65 and all(6 < width < 40 for width in widths[1:])


def test_every_number_has_its_crop_and_a_crop_fits_its_cell(tmp_path: Path) -> None:
    sheet = written(tmp_path / "n.xlsx", made_entry("a.jpg", "12 345 6"), made_entry("b.jpg"))
    drawing = sheet.archive.read("xl/drawings/drawing1.xml").decode()
    assert drawing.count("<xdr:pic>") == 4 == len(sheet.pictures())
    corners = [int(n) for n in re.findall(r"<xdr:row>(\d+)</xdr:row>", drawing)]
    assert corners[::2] == corners[1::2] == [1, 2, 3, 4]  # from and to: within one row
    assert set(re.findall(r"<xdr:col>(\d+)</xdr:col>", drawing)) == {str(HEAD.index("crop"))}
    for jpeg in sheet.pictures():
        with Image.open(io.BytesIO(jpeg)) as opened:
            assert opened.format == "JPEG" and "exif" not in opened.info


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_a_text_cell(name: str, tmp_path: Path) -> None:
    sheet = written(tmp_path / "n.xlsx", made_entry(name, "-3.5"), enter_failure(name, Damaged(name)))
    assert all(row["file"][:2] == ("inlineStr", shown(name)) for row in sheet.rows[1:])
    assert sheet.rows[1]["text"][:2] == ("inlineStr", "-3.5")
    assert "<f>" not in sheet.xml and "hyperlink" not in sheet.xml
    assert not any("externalLink" in part or "vba" in part for part in sheet.archive.namelist())


def test_a_full_sheet_is_followed_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheet, "MAX_ROWS", 2)
    first = written(tmp_path / "n.xlsx", made_entry("a.jpg", "1 2 3"), made_entry("b.jpg", "4 5"))
    sheets = [Sheet(tmp_path / "n.xlsx", n) for n in (1, 2, 3)]
    assert [[row["text"][1] for row in sheet.rows] for sheet in sheets] == [["text", *t] for t in (["1", "2"], ["3", "4"], ["5"])]
    assert b'name="numbers 3"' in first.archive.read("xl/workbook.xml")


def test_without_any_entry_there_is_the_header(tmp_path: Path) -> None:
    assert len(written(tmp_path / "n.xlsx").rows) == 1


def test_when_something_fails_the_old_file_stays_and_nothing_is_left_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "t"))
    path = tmp_path / "n.xlsx"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), open_spreadsheet(path) as table:
        table.add(made_entry("a.jpg", "1"))
        assert list((tmp_path / "t").iterdir())
        raise ZeroDivisionError
    assert path.read_bytes() == b"old"
    written(path, made_entry("a.jpg", "1"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["n.xlsx", "t"]
    assert not list((tmp_path / "t").iterdir())
