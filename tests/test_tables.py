"""tables.py and crops.py: a row a number, nothing lost, nothing that acts (promise 16)."""

import csv
import dataclasses
import io

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from readings import HOSTILE, made_entry, made_page, picture

from inkdigits.crops import crop_number, crop_page, place_in
from inkdigits.errors import Damaged
from inkdigits.records import Box, Digit, Mark, Number, Page
from inkdigits.tables import COLUMNS, NUMBER, CsvTable, Entry, enter_failure, enter_page, guess_of, inert, shown


def as_csv(*entries: Entry) -> tuple[bytes, list[list[str]]]:
    """The file, and what a program that reads CSV finds in it."""
    out = io.BytesIO()
    table = CsvTable(out)
    for entry in entries:
        table.add(entry)
    return out.getvalue(), list(csv.reader(io.StringIO(out.getvalue().decode("utf-8-sig"), newline="")))


def test_a_row_a_number_with_its_line_and_its_place_on_it() -> None:
    entry = enter_page("a.jpg", made_page("007 19?7~1987", "-3.5 1?0/8?~120/86"))
    assert [(r.line, r.position, r.text, r.guess, r.check) for r in entry.rows] == [
        (0, 0, "007", "007", False),
        (0, 1, "19?7", "1987", True),
        (1, 0, "-3.5", "-3.5", False),
        (1, 1, "1?0/8?", "120/86", True),
    ]
    assert (entry.page, entry.check) == (1, True)
    assert all(row.confidence == 0.9 and row.crop is None for row in entry.rows)
    assert enter_page("a.pdf", made_page("1", page_number=3)).page == 3


def test_a_mark_that_is_not_vouched_for_stays_open_in_the_guess() -> None:
    number = made_page("1?5~1.5").numbers[0]
    doubtful = Number("1?5", 1.0, 0, number.box, number.digits[:1] * 2, (Mark(1, "?", 0.4),))
    assert guess_of(doubtful) == "1?1"
    (row,) = enter_page("a.jpg", Page(400, 200, (doubtful,))).rows
    assert (row.check, row.remark) == (True, "a mark is doubtful")


@pytest.mark.parametrize(
    ("number", "remark"),
    [
        *(("-3.5", ""), ("1?0~120", "digit 2 of 3 is doubtful"), ("1?0/8?~120/86", "digits 2 and 5 of 5 are doubtful")),
        *(("???4~1234", "digits 1, 2 and 3 of 4 are doubtful"), ("?~7", "the digit is doubtful"), ("???~123", "all 3 digits are doubtful")),
    ],
)
def test_the_remark_says_what_is_doubtful(number: str, remark: str) -> None:
    (row,) = enter_page("a.jpg", made_page(number)).rows
    assert (row.check, row.remark) == (bool(remark), remark)
    (row,) = enter_page("a.jpg", made_page(number), expected=2).rows
    assert row.remark.split("; ") == ["1 number found, 2 expected", *filter(None, [remark])]


@pytest.mark.parametrize(("confidence", "remark"), [(0.49, "more likely wrong than right"), (0.51, "")])
def test_what_is_likelier_wrong_than_right_is_to_be_checked_though_its_digits_are_sure(confidence: float, remark: str) -> None:
    number = dataclasses.replace(made_page("48").numbers[0], confidence=confidence)
    (row,) = enter_page("a.jpg", Page(400, 200, (number,))).rows
    assert (row.text, row.check, row.remark) == ("48", bool(remark), remark)


def test_a_valid_reading_is_the_guess_even_where_another_digit_is_likelier() -> None:
    number = made_page("7~1").numbers[0]
    assert (number.digits[0].value, number.digits[0].alternatives[0][0]) == (7, 1)
    assert guess_of(number) == "7"


def test_a_page_without_a_number_and_a_file_that_failed_have_their_row() -> None:
    (blank,) = enter_page("a.jpg", made_page()).rows
    assert (blank.text, blank.line, blank.confidence, blank.check, blank.remark) == ("", None, None, True, "no number found")
    failed = enter_failure("a\n.jpg", Damaged("damaged JPEG: it is cut off"))
    assert (failed.file, failed.page, failed.check) == ("a\\n.jpg", None, True)
    assert failed.rows[0].remark == "damaged JPEG: it is cut off"


@pytest.mark.parametrize(
    ("lines", "remark"),
    [(["1 2"], ""), (["1"], "1 number found, 2 expected"), (["1 2", "3"], "3 numbers found, 2 expected"), ([], "no number")],
)
def test_every_other_count_than_the_expected_is_to_be_checked(lines: list[str], remark: str) -> None:
    rows = enter_page("a.jpg", made_page(*lines), expected=2).rows
    assert [row.check for row in rows] == [bool(remark)] * max(1, len(rows))
    assert all(row.remark.startswith(remark) for row in rows)


def test_the_csv_is_what_was_read() -> None:
    data, rows = as_csv(
        made_entry("b/Foto ä, 2.jpg", "007 19?7~1987"), made_entry("c.jpg"), enter_failure("d.jpg", Damaged("damaged PNG: so"))
    )
    assert data.startswith(b"\xef\xbb\xbffile,page,line,")
    assert rows == [
        list(COLUMNS),
        ["b/Foto ä, 2.jpg", "1", "0", "0", "007", "007", "0.9000", "no", ""],
        ["b/Foto ä, 2.jpg", "1", "0", "1", "19?7", "1987", "0.9000", "yes", "digit 3 of 4 is doubtful"],
        ["c.jpg", "1", "", "", "", "", "", "yes", "no number found"],
        ["d.jpg", "", "", "", "", "", "", "yes", "damaged PNG: so"],
    ]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_one_line_of_text(name: str) -> None:
    data, rows = as_csv(made_entry(name, "-3.5"))
    cell = rows[1][0]
    assert len(rows) == 2 and len(data.decode().splitlines()) == 2
    assert not cell.lstrip().startswith(("=", "+", "-", "@"))
    assert not any(
        part.lstrip().startswith(("=", "+", "-", "@")) for part in data.decode().splitlines()[1].split(";")
    )  # as some countries read it
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u202e\ufffe" for c in cell)
    assert rows[1][4:6] == ["-3.5", "-3.5"]  # a number is as it was read


def test_names_stay_apart_and_legible() -> None:
    assert len({shown(name) for name in HOSTILE}) == len(HOSTILE)
    assert shown("Zähler ß 日本 😀 \u202f.png") == "Zähler ß 日本 😀 \u202f.png"
    assert shown("caf\udce9\n\u202e.png") == "caf\\xe9\\n\\u202e.png"


@given(st.text(st.characters(codec="utf-8"), max_size=12))
def test_no_cell_starts_with_what_acts(text: str) -> None:
    cell = inert(text)
    assert NUMBER.fullmatch(cell) or not cell.lstrip().startswith(("=", "+", "-", "@", "＝"))
    assert cell.replace("'", "") == text.replace("'", "")


# --- crops


def decoded(jpeg: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_crop_shows_a_leading_minus(rotation: int) -> None:
    upright = np.full((200, 300), 255, np.uint8)
    upright[90:150, 100:130] = 90
    upright[115:120, 60:90] = 0
    image = np.ascontiguousarray(np.rot90(upright, rotation // 90))  # turning it clockwise by `rotation` puts it upright
    height, width = image.shape
    ys, xs = np.nonzero(image == 90)
    box = Box(int(xs.min()), int(ys.min()), int(np.ptp(xs)) + 1, int(np.ptp(ys)) + 1)
    number = Number("7", 0.9, 0, box, (Digit(7, 0.9, box, ((7, 1.0),)),))
    page = Page(width, height, (number,), rotation)
    without, with_minus = (
        decoded(crop_number(image, page, dataclasses.replace(number, marks=marks)).jpeg) for marks in ((), (Mark(0, "-", 0.9),))
    )
    assert without.min() > 40
    assert with_minus.min() < 40 and with_minus[:, : with_minus.shape[1] // 2].min() < 40


def test_a_crop_is_the_numbers_own_spot_in_its_colours() -> None:
    page, image = made_page("12 34"), picture()
    number = page.numbers[1]
    crop = crop_number(image, page, number)
    pixels = decoded(crop.jpeg)
    assert pixels.shape == (crop.height, crop.width, 3)
    x, y, width, height = number.box
    middle = image[y + height // 2, x + width // 2].astype(int)
    assert abs(pixels[crop.height // 2, crop.width // 2] - middle).max() < 12
    assert width < crop.width < 1.6 * width and height < crop.height < 1.6 * height


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("size", [1, 0.5])
def test_the_place_in_the_small_page_is_where_the_number_is(rotation: int, size: float) -> None:
    box = Box(1200, 300, 120, 60)
    image = np.full((800, 1600, 3), 255, np.uint8)
    image[box.y : box.y + box.height, box.x : box.x + box.width] = 0
    image = cv2.resize(image, None, fx=size, fy=size, interpolation=cv2.INTER_AREA)  # a JPEG above the limit is decoded smaller
    page = Page(1600, 800, (Number("1", 1.0, 0, box, ()),), rotation)
    small = crop_page(image, page)
    assert (small.width, small.height) == ((800, 400) if rotation in (0, 180) else (400, 800))
    dark = np.argwhere(decoded(small.jpeg).mean(axis=2) < 128)
    place = place_in(small, page, box)
    (top, left), (bottom, right) = dark.min(axis=0), dark.max(axis=0) + 1
    assert max(abs(np.subtract(place, (left, top, right - left, bottom - top)))) <= 1
    crop = crop_number(image, page, page.numbers[0])
    assert (crop.width > crop.height) == (rotation in (0, 180))


def test_crops_are_small_and_the_page_is_cut_only_where_a_person_should_look() -> None:
    page, image = made_page("1", "2?3~213"), np.zeros((4000, 8000), np.uint8)
    large = Page(8000, 4000, tuple(Number(n.text, 1.0, n.line, Box(100, 100, 6000, 3000), n.digits) for n in page.numbers))
    entry = enter_page("a.jpg", large, image=image)
    assert entry.crop and (entry.crop.width, entry.crop.height) == (800, 400)
    assert all(row.crop and row.crop.height <= 96 and len(row.crop.jpeg) < 20_000 for row in entry.rows)
    assert enter_page("a.jpg", made_page("1"), image=picture()).crop is None


def test_a_number_at_the_edge_has_a_crop() -> None:
    image = picture()
    for box in (Box(0, 0, 3, 3), Box(399, 199, 1, 1), Box(0, 0, 400, 200)):
        page = Page(400, 200, (Number("1", 1.0, 0, box, ()),))
        crop = crop_number(image, page, page.numbers[0])
        assert decoded(crop.jpeg).shape[:2] == (crop.height, crop.width)
