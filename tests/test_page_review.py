"""The review page in a browser: keys alone take one through it, and what is saved is what was checked."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from browser import NARROW, WIDE, browsing, opened, violations
from playwright.sync_api import Browser, Page, expect
from readings import HOSTILE, made_entry

from inkdigits.errors import Damaged
from inkdigits.review import open_review
from inkdigits.tables import COLUMNS, CsvTable, Entry, enter_failure, shown


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as started:
        yield started


def written(path: Path, *entries: Entry) -> str:
    with open_review(path) as page:
        for entry in entries:
            page.add(entry)
    return path.as_uri()


ENTRIES = (
    made_entry("a.jpg", "007 19?7~1987"),
    enter_failure("b.jpg", Damaged("damaged PNG: it is cut off")),
    made_entry("c.jpg", "4??2~4112 -3.5"),
    made_entry("d.jpg"),
)


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    with opened(browser, written(tmp_path / "check.html", *ENTRIES)) as ready:
        yield ready


def focused(page: Page) -> tuple[str, str]:
    """What stands in the field that has the focus, and what of it is selected."""
    value, start, end = page.evaluate("(e => [e.value, e.selectionStart, e.selectionEnd])(document.activeElement)")
    return value, value[start:end]


def saved(page: Page) -> list[dict[str, str]]:
    with page.expect_download() as download:
        page.keyboard.press("Control+s")
    assert download.value.suggested_filename == "check.csv"
    data = Path(download.value.path()).read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_enter_accepts_and_goes_on_and_typing_corrects(page: Page) -> None:
    expect(page.locator("#count")).to_have_text("0 of 4 checked, 0 corrected")
    expect(page.locator("#doubtful li")).to_have_count(4)
    assert focused(page) == ("1987", "8")  # the digit that is not vouched for
    page.keyboard.press("Enter")
    assert focused(page) == ("4112", "1")
    page.keyboard.type("2")
    assert focused(page) == ("4212", "1")  # and the next
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    expect(page.locator("#count")).to_have_text("2 of 4 checked, 1 corrected")
    assert focused(page) == ("", "")  # no number was found
    page.keyboard.type("55")
    page.keyboard.press("Enter")
    expect(page.locator("#end")).to_be_hidden()
    page.keyboard.press("Enter")  # the file that failed, the last
    expect(page.locator("#end")).to_be_visible()
    expect(page.locator("#end button")).to_be_focused()
    rows = saved(page)
    assert [(row["file"], row["text"], row["guess"], row["check"]) for row in rows] == [
        ("a.jpg", "007", "007", "no"),
        ("a.jpg", "1987", "1987", "no"),
        ("b.jpg", "", "", "no"),
        ("c.jpg", "4232", "4112", "no"),
        ("c.jpg", "-3.5", "-3.5", "no"),
        ("d.jpg", "55", "", "no"),
    ]


def test_what_is_saved_unchecked_is_the_table_of_the_command(page: Page) -> None:
    out = io.BytesIO()
    table = CsvTable(out)
    for entry in ENTRIES:
        table.add(entry)
    with page.expect_download() as download:
        page.locator("#save").click()
    assert Path(download.value.path()).read_bytes() == out.getvalue()


def test_arrows_move_escape_takes_back_and_a_key_held_down_accepts_one(page: Page) -> None:
    page.keyboard.press("ArrowDown")
    assert focused(page)[0] == "4112"
    page.keyboard.type("9")
    page.keyboard.press("Escape")
    assert focused(page) == ("4112", "1")
    page.keyboard.press("ArrowUp")
    page.keyboard.down("Enter")
    page.keyboard.down("Enter")
    page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    expect(page.locator("#count")).to_have_text("1 of 4 checked, 0 corrected")


def test_what_is_no_number_is_shown_and_saved_as_text_that_does_not_act(page: Page) -> None:
    page.keyboard.press("Control+a")
    page.keyboard.type("=1+1")
    expect(page.locator("#doubtful input").first).to_have_class("odd")
    page.keyboard.press("Enter")
    assert saved(page)[1]["text"] == "'=1+1"


def test_sure_numbers_can_be_looked_at_and_corrected(page: Page) -> None:
    page.locator("summary").click()
    expect(page.locator("#sure li")).to_have_count(2)
    page.locator("#sure input").first.fill("008")
    page.locator("#sure li button").first.click()
    assert saved(page)[0]["text"] == "008"


def test_the_place_of_the_number_is_shown_on_its_page(page: Page) -> None:
    expect(page.locator("#view img")).to_be_visible()
    image, box = page.locator("#view img").bounding_box(), page.locator("#view span").bounding_box()
    assert image and box
    x, width = (box["x"] - image["x"]) / image["width"], box["width"] / image["width"]
    assert 0.3 < x < 0.36 and 0.2 < width < 0.3  # the second number: 140 to 235 of 400 pixels
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#view span")).to_be_hidden()  # a page without a number
    page.keyboard.press("ArrowDown")
    expect(page.locator("#view")).to_be_hidden()  # a file that failed


def test_a_page_closed_too_early_goes_on_where_it_was_left(browser: Browser, tmp_path: Path) -> None:
    url = written(tmp_path / "check.html", *ENTRIES)
    with opened(browser, url) as page:
        page.keyboard.type("0")
        page.keyboard.press("Enter")
        page.reload()
        expect(page.locator("#count")).to_have_text("1 of 4 checked, 1 corrected")
        assert focused(page)[0] == "4112"
        written(tmp_path / "check.html", made_entry("a.jpg", "1?~12"))  # other readings under the same name
        page.reload()
        expect(page.locator("#count")).to_have_text("0 of 1 checked, 0 corrected")


def test_hostile_names_are_text(browser: Browser, tmp_path: Path) -> None:
    entries = [made_entry(name, "1?~12") for name in HOSTILE] + [enter_failure(name, Damaged(name)) for name in HOSTILE]
    with opened(browser, written(tmp_path / "check.html", *entries)) as page:
        page.on("dialog", lambda dialog: pytest.fail(dialog.message))
        expect(page.locator("#doubtful li")).to_have_count(2 * len(HOSTILE))
        told = page.locator("#doubtful li .about").all_inner_texts()
        assert [text.splitlines()[-2].strip() for text in told[: len(HOSTILE)]] == [
            " ".join(shown(name).split(" ")).strip() for name in HOSTILE
        ]
        rows = saved(page)
        assert len(rows) == 2 * len(HOSTILE) and list(rows[0]) == list(COLUMNS)
        assert not any(row[column].lstrip().startswith(("=", "+", "@")) for row in rows for column in ("file", "remark"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["1280", "360"])
def test_everybody_can_use_it(browser: Browser, tmp_path: Path, scheme: str, size: dict[str, int]) -> None:
    with opened(browser, written(tmp_path / "check.html", *ENTRIES), color_scheme=scheme, viewport=size) as page:
        page.locator("summary").click()
        page.keyboard.press("Escape")
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_thousands_of_rows_are_no_trouble(browser: Browser, tmp_path: Path) -> None:
    entry = made_entry("0.jpg", "12 12 12", "1?~12")
    entries = [replace(entry, file=f"{n}.jpg") for n in range(1500)]
    with opened(browser, written(tmp_path / "check.html", *entries)) as page:
        page.keyboard.press("Enter")
        expect(page.locator("#count")).to_have_text("1 of 1500 checked, 0 corrected")
        page.locator("summary").scroll_into_view_if_needed()
        page.locator("summary").click()
        expect(page.locator("#sure li")).to_have_count(4500)


def test_nothing_to_check_is_said(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, written(tmp_path / "check.html", made_entry("a.jpg", "12"))) as page:
        expect(page.locator("#doubtful h2")).to_contain_text("Nothing to check")
        assert [row["text"] for row in saved(page)] == ["12"]
