"""commands/reading.py, inputs.py, outputs.py: a pile of photos becomes a table, and one bad file costs itself only."""

import csv
import io
import json
import os
import pty
import select
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import pictures
import pytest
from PIL import Image
from test_review import Reviewed
from test_spreadsheet import Sheet

from inkdigits import Limits, cli
from inkdigits.commands import reading
from inkdigits.commands.inputs import find_files, natural
from inkdigits.synthetic import make_page


def put(path: Path, text: str = "71 42", seed: int = 1) -> Path:
    """Write a small made photo of these numbers."""
    image, _ = make_page(text, seed=seed, size=(360, 200), dirt="clean")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", image[:, :, ::-1])[1].tobytes())
    return path


def run(*arguments: object) -> int:
    return cli.run(["read", *map(str, arguments)])


def rows_of(out: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(out.removeprefix("\ufeff"), newline="")))


# --- which files, in which order


def test_natural_order() -> None:
    names = ["p10.jpg", "p9.jpg", "P1.jpg", "öl.jpg", "zug.jpg", "o.jpg", "b/2.jpg", "b/10.jpg", "b 1/1.jpg", "1²³.jpg", "007.jpg", "7.jpg"]
    assert sorted(names, key=natural) == [
        *("007.jpg", "7.jpg", "1²³.jpg", "b/2.jpg", "b/10.jpg", "b 1/1.jpg", "o.jpg", "öl.jpg", "P1.jpg", "p9.jpg", "p10.jpg", "zug.jpg")
    ]


def test_a_folder_is_read_with_its_folders_and_without_what_is_no_picture(tmp_path: Path) -> None:
    for name in ("b/10.JPG", "b/9.jpg", "a.PDF", "b/c/1.heic", ".hidden.png", "b/._9.jpg", "notes.txt", "b/c/2.Png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [os.path.relpath(f, tmp_path) for f in find_files([str(tmp_path)], recursive=True)]
    assert found == ["a.PDF", "b/9.jpg", "b/10.JPG", "b/c/1.heic", "b/c/2.Png"]
    assert find_files([str(tmp_path / "b" / "*.jpg"), "x", "-"], recursive=False) == [str(tmp_path / "b" / "9.jpg"), "x", "-"]


def test_a_folder_without_pictures_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("-r", tmp_path) == 1
    assert "no picture in this folder" in capsys.readouterr().err
    assert run(tmp_path) == 1
    assert "-r" in capsys.readouterr().err


# --- tables


def test_a_pile_becomes_a_spreadsheet_and_a_page_in_one_go(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in (1, 2, 10):
        put(tmp_path / "Photos" / f"p{number}.png", "71 42", number)
    put(tmp_path / "Photos" / "p3.png", "7").write_bytes(cv2.imencode(".png", pictures.drawn(120, 90) * 0 + 250)[1].tobytes())
    (tmp_path / "Photos" / "p4.jpg").write_bytes(b"no picture")
    xlsx, review = tmp_path / "out" / "n.xlsx", tmp_path / "out" / "r.html"
    assert run("-r", tmp_path / "Photos", "--xlsx", xlsx, "--review", review, "--threshold", 0) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines()[-1] == "5 pictures: 3 read, 1 to check, 1 failed"
    assert len(said.err.splitlines()) == 2
    sheet = Sheet(xlsx)
    names = [Path(row["file"][1]).name for row in sheet.rows[1:]]
    assert list(dict.fromkeys(names)) == ["p1.png", "p2.png", "p3.png", "p4.jpg", "p10.png"]
    assert [row["check"][1] for row in sheet.rows[1:] if "p3" in row["file"][1] or "p4" in row["file"][1]] == ["yes", "yes"]
    page = Reviewed(review)
    assert [row["text"] for entry in page.entries for row in entry["rows"]] == [row["text"][1] for row in sheet.rows[1:]]
    assert run("-r", tmp_path / "Photos", "--csv", "--threshold", 0) == 1
    rows = rows_of(capsys.readouterr().out)
    assert [row["text"] for row in rows] == [row["text"][1] for row in sheet.rows[1:]]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["n.xlsx", "r.html"]


def test_the_csv_is_utf_8_with_a_byte_order_mark(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    path = put(tmp_path / "Zähler 1.png")
    assert run(path, "--csv") == 0
    out = capfdbinary.readouterr().out
    assert out.startswith(b"\xef\xbb\xbffile,page,line,position,text,guess,confidence,check")
    assert out.count(b"\xef\xbb\xbf") == 1 and "Zähler 1.png".encode() in out


@pytest.mark.parametrize("expected", [1, 2])
def test_another_count_of_numbers_is_to_be_checked(expected: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = put(tmp_path / "p.png")
    assert run(path, "--csv", "--threshold", 0, "--numbers-per-picture", expected) == 0
    rows = rows_of(capsys.readouterr().out)
    assert len(rows) == 2
    assert {row["check"] for row in rows} == ({"no"} if expected == 2 else {"yes"})
    assert {row["remark"] for row in rows} == ({""} if expected == 2 else {"2 numbers found, 1 expected"})


def test_lines_are_printed_beside_a_review_and_json_beside_a_spreadsheet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = put(tmp_path / "p.png")
    assert run(path, "--threshold", 0, "--review", tmp_path / "r.html") == 0
    plain = capsys.readouterr().out
    assert run(path, "--threshold", 0, "--json", "--xlsx", tmp_path / "n.xlsx") == 0
    assert json.loads(capsys.readouterr().out)["text"] == plain.rstrip("\n") != ""


def test_an_empty_line_parts_the_pages_of_a_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pages = [Image.fromarray(make_page(text, seed=1, size=(360, 200), dirt="clean")[0]) for text in ("71|42", "7")]
    pages.insert(1, Image.new("RGB", (360, 200), "white"))
    pages[0].save(tmp_path / "scan.tiff", save_all=True, append_images=pages[1:])
    assert run(tmp_path / "scan.tiff", "--threshold", 0) == 0
    said = capsys.readouterr()
    assert said.out == "71\n42\n\n\n\n7\n"
    assert said.err == f"{tmp_path / 'scan.tiff'}, page 2: no number found\n"
    assert run(tmp_path / "scan.tiff", "--threshold", 0, "--json") == 0
    said = capsys.readouterr()
    assert (len(said.out.splitlines()), said.err) == (3, "")


@pytest.mark.parametrize(("flags", "sought"), [([], "number"), (["--single"], "digit")])
def test_a_picture_without_a_number_is_told(flags: list[str], sought: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("L", (300, 200), 255).save(tmp_path / "white.png")
    assert run(tmp_path / "white.png", *flags) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("\n", f"{tmp_path / 'white.png'}: no {sought} found\n")
    assert run(tmp_path / "white.png", *flags, "--json") == 0
    assert capsys.readouterr().err == ""


def test_drawings_whose_names_come_out_alike_are_all_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("Ä.png", "Ö.png", "9.png"):
        put(tmp_path / "in" / name)
    (tmp_path / "in" / "9.jpeg").write_bytes((tmp_path / "in" / "9.png").read_bytes())
    assert run("-r", tmp_path / "in", "--draw", tmp_path / "drawn") == 0
    assert len(list((tmp_path / "drawn").iterdir())) == 4
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_a_glob_that_no_shell_expanded_names_its_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("1.png", "2.png"):
        put(tmp_path / name)
    assert run(tmp_path / "*.png") == 0
    assert [os.path.basename(line.split("\t")[0]) for line in capsys.readouterr().out.splitlines()] == ["1.png", "2.png"]


def test_a_name_that_the_terminal_cannot_show_stops_nothing(tmp_path: Path) -> None:
    for name in ("中.png", "a.png"):
        put(tmp_path / name)
    done = subprocess.run(
        [sys.executable, "-m", "inkdigits", "read", "-r", str(tmp_path)],
        capture_output=True,
        check=True,
        env=os.environ | {"PYTHONIOENCODING": "cp1252"},
    )
    assert len(done.stdout.splitlines()) == 2


def test_pages_of_a_document_are_drawn_and_cut_from_their_own_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pages = [make_page(text, seed=3, size=(300, 160), dirt="clean")[0] for text in ("7", "42")]
    (tmp_path / "scan.tif").write_bytes(pictures.saved(pages[0], "TIFF", save_all=True, append_images=[pictures.Image.fromarray(pages[1])]))
    assert run(tmp_path / "scan.tif", "--csv", "--threshold", 0, "--draw", tmp_path / "drawn") == 0
    assert [row["page"] for row in rows_of(capsys.readouterr().out)] == ["1", "2"]
    drawn = [cv2.imread(str(path)) for path in sorted((tmp_path / "drawn").iterdir())]
    kept = [(abs(d[:, :, ::-1].astype(int) - p) < 2).mean() for d, p in zip(drawn, pages, strict=True)]
    assert min(kept) > 0.8


def test_a_page_of_noise_costs_that_page_only(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    pages = [make_page(text, seed=3, size=(300, 160), dirt="clean")[0] for text in ("11 22 33", "7")]
    (tmp_path / "scan.tif").write_bytes(pictures.saved(pages[0], "TIFF", save_all=True, append_images=[pictures.Image.fromarray(pages[1])]))
    monkeypatch.setattr(reading, "Limits", lambda **given: Limits(**given, max_components=3) if given else Limits())
    assert run(tmp_path / "scan.tif", "--json", "--threshold", 0) == 1
    said = capsys.readouterr()
    first, second = (json.loads(line) for line in said.out.splitlines())
    assert (list(first), first["page_number"], first["error"]["code"]) == (["file", "page_number", "error"], 1, "too_many_marks")
    assert (second["page_number"], second["text"]) == (2, "7")
    assert run(tmp_path / "scan.tif", "--csv", "--threshold", 0, "--xlsx", tmp_path / "n.xlsx") == 1
    assert [(row["page"], row["text"], row["check"]) for row in rows_of(capsys.readouterr().out)] == [("1", "", "yes"), ("2", "7", "no")]
    assert len({row["file"][2] for row in Sheet(tmp_path / "n.xlsx").rows}) == 3  # header, failed, sure


def test_a_jpeg_that_is_decoded_smaller_is_drawn_where_its_digits_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image, _ = make_page("7", seed=2, size=(800, 400), dirt="clean")
    (tmp_path / "p.jpg").write_bytes(pictures.saved(image, "JPEG"))
    assert run(tmp_path / "p.jpg", "--json", "--threshold", 0, "--max-pixels", 100_000, "--draw", tmp_path / "d") == 0
    x, y, width, _ = json.loads(capsys.readouterr().out)["numbers"][0]["box"]
    drawn = cv2.imread(str(tmp_path / "d" / os.listdir(tmp_path / "d")[0]))[:, :, ::-1].astype(int)
    assert drawn.shape[:2] == (200, 400)
    top = drawn[y // 2 - 1 : y // 2 + 2, x // 2 : (x + width) // 2]
    assert (abs(top - (0, 114, 178)).max(axis=2) < 90).any(axis=0).mean() > 0.9 or (abs(top - (230, 159, 0)).max(axis=2) < 90).any(
        axis=0
    ).mean() > 0.9


# --- names


def test_names_that_are_no_text_are_told_and_do_not_stop_the_rest(tmp_path: Path) -> None:
    folder = tmp_path / "Über mich"
    names = [b"caf\xe9 1.png", "Zähler ß.png".encode(), b"new\nline.png", b"=1+1.png", b"\x1b[2Jesc.png"]
    for name in names:
        put(folder / "p.png").rename(os.path.join(folder, os.fsdecode(name)))
    for flags in (["--csv"], ["--json"], [], ["--xlsx", str(tmp_path / "n.xlsx"), "--review", str(tmp_path / "r.html")]):
        done = subprocess.run(
            [sys.executable, "-m", "inkdigits", "read", "-r", str(folder), *flags], capture_output=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr.startswith(b"5 pictures: ") and done.stderr.count(b"\n") == 1
        assert b"\x1b" not in done.stdout and done.stdout.decode("utf-8") is not None
        if flags == ["--json"]:
            said = [json.loads(line)["file"] for line in done.stdout.splitlines()]
            assert sorted(os.fsencode(name) for name in said) == sorted(os.path.join(os.fsencode(folder), name) for name in names)
    files = {row["file"][1] for row in Sheet(tmp_path / "n.xlsx").rows[1:]}
    assert {f"{folder}/caf\\xe9 1.png", f"{folder}/Zähler ß.png", f"{folder}/new\\nline.png"} <= files


# --- outputs that cannot be written


def test_an_output_that_cannot_be_written_is_one_line_before_anything_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "folder.xlsx").mkdir()
    (tmp_path / "folder.html").mkdir()
    for flag, path, code in [
        ("--xlsx", tmp_path / "file" / "n.xlsx", 1),
        ("--xlsx", tmp_path / "folder.xlsx", 1),
        ("--xlsx", tmp_path / "n.csv", 2),
        ("--review", tmp_path / "file" / "r.html", 1),
        ("--review", tmp_path / "folder.html", 1),
        ("--review", tmp_path / "r.txt", 2),
        ("--draw", tmp_path / "file", 1),
        ("--numbers-per-picture", 0, 2),
    ]:
        assert run("/no/such/picture.png", flag, path) == code, (flag, path)
        said = capsys.readouterr()
        assert said.out == "" and said.err.count("\n") == 1 and "picture.png" not in said.err, said.err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder.html", "folder.xlsx"]


def test_a_full_disk_is_one_line_and_leaves_the_old_table(tmp_path: Path) -> None:
    path = put(tmp_path / "p.png")
    (tmp_path / "t").mkdir()
    code = (
        "import resource, sys; from inkdigits import cli\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000)); sys.exit(cli.run(sys.argv[1:]))"
    )
    for flag, name in (("--xlsx", "n.xlsx"), ("--review", "r.html")):
        (tmp_path / name).write_bytes(b"old")
        command = [sys.executable, "-c", code, "read", str(path), flag, str(tmp_path / name)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=120, check=False, env=os.environ | {"TMPDIR": str(tmp_path / "t")}
        )
        assert (done.returncode, done.stderr) == (1, "inkdigits: disk: File too large\n")
        assert (tmp_path / name).read_bytes() == b"old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["n.xlsx", "p.png", "r.html", "t"]
    assert not list((tmp_path / "t").iterdir())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_reading_leaves_nothing_half_written(number: signal.Signals, tmp_path: Path) -> None:
    for n in range(200):
        put(tmp_path / "in" / f"{n}.png", "7") if not n else os.link(tmp_path / "in" / "0.png", tmp_path / "in" / f"{n}.png")
    out = tmp_path / "out"
    command = [sys.executable, "-m", "inkdigits", "read", "-r", str(tmp_path / "in")]
    command += ["--json", "--xlsx", str(out / "n.xlsx"), "--review", str(out / "r.html"), "--draw", str(out / "drawn")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as reading:
        assert reading.stdout and reading.stdout.readline()  # the first is read
        assert len(list(out.glob(".writing-*"))) >= 2
        reading.send_signal(number)
        _, said = reading.communicate(timeout=120)
    assert reading.returncode == 128 + number
    assert b"Traceback" not in said
    assert [p.name for p in out.iterdir()] == ["drawn"] and not list((out / "drawn").glob(".*"))


# --- the terminal


def test_a_bar_on_the_terminal_leaves_the_answers_where_they_belong(tmp_path: Path) -> None:
    for number in range(5):
        put(tmp_path / f"p{number}.png", "7")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "inkdigits", "read", "-r", str(tmp_path), "--json"]
    with (tmp_path / "out.jsonl").open("wb") as out:
        started = subprocess.Popen(command, stdout=out, stderr=theirs, env=os.environ | {"TERM": "xterm"})
    os.close(theirs)
    seen = b""
    while select.select([ours], [], [], 120)[0]:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        seen += part
    assert started.wait(120) == 0
    os.close(ours)
    assert len([json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]) == 5
    assert b"reading" in seen and b"5/5" in seen and b'"numbers"' not in seen
    assert seen.decode().rstrip().endswith(" failed") and b"5 pictures: " in seen


# --- promise 25


def test_nothing_that_a_photo_tells_beside_its_pixels_is_in_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("Hinterhof-Ost", "Marga-Musterfrau", "geheime-Notiz", "kleines-Vorschaubild")
    for number, data in enumerate(pictures.planted(words)):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / f"{number}.jpg").write_bytes(data)
    run("-r", tmp_path / "in", "--csv", "--xlsx", tmp_path / "n.xlsx", "--review", tmp_path / "r.html", "--draw", tmp_path / "drawn")
    said = capsys.readouterr()
    with zipfile.ZipFile(tmp_path / "n.xlsx") as archive:
        parts = [archive.read(name) for name in archive.namelist()]
    crops = [bytes(p) for p in parts if p.startswith(b"\xff\xd8")]
    assert crops and len(list((tmp_path / "drawn").iterdir())) == 4
    drawn = [path.read_bytes() for path in (tmp_path / "drawn").iterdir()]
    for part in [*parts, *drawn, (tmp_path / "r.html").read_bytes(), said.out.encode(), said.err.encode()]:
        assert not any(word.encode() in part or word.encode("utf-16-le") in part for word in words)
        assert b"Exif" not in part
