"""The page, given photos: boxes, corrections, downloads, hundreds at once, and sentences for what cannot be read."""

import base64
import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import NARROW, WIDE, browsing, give, opened, violations
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect
from served import Served, command, photo, white

import inkdigits

PHOTO = photo("2071 438", size=(900, 500))
READ = inkdigits.read(PHOTO)
JPEG = ("page.jpg", "image/jpeg", PHOTO)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as started:
        yield started


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with command("--workers", 2) as (server, _):
        yield server


def downloaded(page: Page, button: str) -> bytes:
    with page.expect_download() as under_way:
        page.click(button)
    return Path(under_way.value.path()).read_bytes()


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["1280", "360"])
def test_a_dropped_photo_is_read_corrected_and_saved(browser: Browser, served: Served, size: dict[str, int]) -> None:
    with opened(browser, served.url, viewport=size) as page:
        give(page, "drop", JPEG)
        boxes = page.locator(".box")
        expect(boxes).to_have_count(sum(len(n.digits) for n in READ.numbers))
        assert violations(page) == []
        first = READ.numbers[0].digits[0]
        shown, sheet = boxes.first.bounding_box(), page.locator("#sheet").bounding_box()
        assert shown and sheet
        assert shown["x"] - sheet["x"] == pytest.approx(first.box.x * sheet["width"] / READ.width, abs=3)
        boxes.first.click()
        expect(page.locator("#chosen .bar")).to_have_count(10)
        assert violations(page) == []
        page.get_by_role("button", name="It is 9").click()
        corrected = "9" + READ.numbers[0].text[1:]
        expect(page.locator("#read .number").first).to_have_text(corrected)
        rows = list(csv.reader(io.StringIO(downloaded(page, "#csv").decode("utf-8-sig"))))
        assert [rows[1][0], rows[1][4]] == ["page.jpg", corrected]
        with zipfile.ZipFile(io.BytesIO(downloaded(page, "#xlsx"))) as book:
            assert corrected in book.read("xl/sharedStrings.xml").decode()
            assert sum(name.startswith("xl/media/") for name in book.namelist()) == len(READ.numbers)
        (saved,) = json.loads(downloaded(page, "#json"))
        assert saved["numbers"][0]["text"] == corrected
        assert set(saved) == {"file", *READ.to_dict()}
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_doubtful_digits_are_walked_through_by_keyboard(browser: Browser, served: Served) -> None:
    faint = photo("2071 438", seed=1, size=(300, 120))
    page_read = inkdigits.read(faint)
    doubtful = [d for n in page_read.numbers for d in n.digits if d.value is None or d.confidence < 0.95]
    with opened(browser, served.url) as page:
        give(page, "drop", ("faint.jpg", "image/jpeg", faint))
        expect(page.locator("#doubtful")).to_have_text(f"{len(doubtful)} doubtful" if doubtful else "none doubtful")
        page.locator(".box").first.focus()
        for _ in doubtful:
            page.keyboard.press("n")
            expect(page.locator(".box[aria-pressed=true]")).to_be_focused()
            page.keyboard.press("5")
        expect(page.locator("#doubtful")).to_have_text("none doubtful")
        page.locator(".box").first.click()
        page.keyboard.press("8")
        expect(page.locator("#read")).to_have_text(re.compile("^8"))
        page.keyboard.press("Escape")
        expect(page.locator("#chosen .card")).to_have_count(0)


def test_a_dropped_photo_is_walked_through_wherever_the_focus_is(browser: Browser, served: Served) -> None:
    struck_out = photo("20?1 438", seed=2, size=(300, 120))
    with opened(browser, served.url) as page:
        give(page, "drop", ("a.jpg", "image/jpeg", struck_out))
        page.locator(".box").first.wait_for()
        assert page.evaluate("() => document.activeElement === document.body")
        page.keyboard.press("n")
        expect(page.locator(".box[aria-pressed=true]")).to_be_focused()
        page.click("#forget")
        page.keyboard.press("n")  # nothing is there to walk through
        give(page, "drop", *((f"{i}.jpg", "image/jpeg", struck_out) for i in range(2)))
        expect(page.locator("#count")).to_contain_text("2 of 2 photos")
        page.keyboard.press("n")  # the first doubtful digit of the pile
        expect(page.locator(".box[aria-pressed=true]")).to_be_focused()
        page.keyboard.press("Escape")
        page.click("#tab-draw")
        page.keyboard.press("n")
        expect(page.locator("#chosen .card")).to_have_count(0)


def test_a_pile_is_checked_by_keyboard_alone(browser: Browser, served: Served) -> None:
    files = [(f"{i}.jpg", "image/jpeg", photo("20?1 438", seed=i, size=(300, 120))) for i in range(1, 5)]  # one is struck out
    with opened(browser, served.url) as page:
        give(page, "drop", *files)
        expect(page.locator("#count")).to_contain_text("4 of 4 photos", timeout=60_000)
        to_check = page.locator("#rows tr[data-fate=check]")
        assert to_check.count() >= 2
        page.locator("#tab-photo").focus()
        while not page.evaluate("() => document.activeElement.closest('#rows')"):
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        for _ in range(60):
            if "No doubtful digit is left." in page.locator("#photo-note").inner_text():
                break
            expect(page.locator(".box[aria-pressed=true]")).to_be_focused()
            page.keyboard.press("Enter")  # it is right; on to the next, in this photo or another
        expect(to_check).to_have_count(0)


def test_many_photos_are_one_table_doubtful_first_and_one_failure_stops_nothing(browser: Browser, served: Served) -> None:
    files = [(f"photo{i}.jpg", "image/jpeg", photo(str(10 + i), seed=i, size=(200, 100))) for i in range(12)]
    files.insert(3, ("torn.jpg", "image/jpeg", PHOTO[:700]))
    files.insert(5, ("notes.txt", "text/plain", b"no picture"))
    files.insert(6, ("blank.png", "image/png", white(60, 40)))
    with opened(browser, served.url) as page:
        give(page, "drop", *files)
        expect(page.locator("#count")).to_contain_text("15 of 15 photos", timeout=60_000)
        expect(page.locator("#count")).to_contain_text("1 without digits, 2 failed")
        fates = page.locator("#rows tr").evaluate_all("rows => rows.map((row) => row.dataset.fate)")
        order = ["check", "none", "failed", "sure"]
        assert fates == sorted(fates, key=order.index)
        expect(page.locator("#rows")).to_contain_text("This picture is damaged")
        assert violations(page) == []
        page.get_by_role("button", name="photo7.jpg").click()
        expect(page.locator("#name")).to_have_text("photo7.jpg")
        page.locator(".box").first.wait_for()
        rows = list(csv.reader(io.StringIO(downloaded(page, "#csv").decode("utf-8-sig"))))
        assert {row[0] for row in rows[1:]} == {name for name, _, _ in files}
        page.click("#forget")
        expect(page.locator("#table-box")).to_be_hidden()


def test_a_pasted_and_a_chosen_picture_are_read(browser: Browser, served: Served, tmp_path: Path) -> None:
    (tmp_path / "chosen.jpg").write_bytes(PHOTO)
    with opened(browser, served.url) as page:
        give(page, "paste", ("image.png", "image/jpeg", PHOTO))
        page.locator(".box").first.wait_for()
        page.click("#forget")
        page.set_input_files("#files", tmp_path / "chosen.jpg")
        expect(page.locator("#name")).to_have_text("chosen.jpg")
        page.locator(".box").first.wait_for()


FOLDER = """([name, data]) => {
    const file = new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name, { type: "image/jpeg" });
    const fails = (done, failed) => failed(new DOMException("", "NotReadableError"));
    const good = { isFile: true, fullPath: `/pile/${name}`, file: (done) => done(file) };
    const bad = { isFile: true, fullPath: "/pile/locked.jpg", file: fails };
    const locked = { isDirectory: true, fullPath: "/pile/locked", createReader: () => ({ readEntries: fails }) };
    const inside = [[bad, good], [locked], []]; // as they come: some at a time, until there are none
    const pile = { isDirectory: true, fullPath: "/pile", createReader: () => ({ readEntries: (done) => done(inside.shift()) }) };
    const event = new DragEvent("drop", { bubbles: true, cancelable: true });
    Object.defineProperty(event, "dataTransfer", { value: { types: ["Files"], files: [], items: [{ webkitGetAsEntry: () => pile }] } });
    document.dispatchEvent(event);
}"""


def test_what_cannot_be_opened_in_a_folder_is_a_row_and_costs_no_other(browser: Browser, served: Served) -> None:
    with opened(browser, served.url) as page:
        page.evaluate(FOLDER, ["page.jpg", base64.b64encode(PHOTO).decode()])
        expect(page.locator("#count")).to_contain_text("3 of 3 photos")
        expect(page.locator("#count")).to_contain_text("2 failed")
        told = dict(
            page.locator("#rows tr[data-fate=failed]").evaluate_all(
                "rows => rows.map((r) => [...r.children].slice(0, 2).map((c) => c.innerText))"
            )
        )
        assert told == {"pile/locked.jpg": "This file cannot be opened.", "pile/locked": "This folder cannot be opened."}
        page.get_by_role("button", name="pile/locked.jpg").click()
        expect(page.locator("#read")).to_have_text("This file cannot be opened.")


LOST = """(name) => {
    const slice = File.prototype.slice;
    File.prototype.slice = function (...part) {
        return this.name === name ? { arrayBuffer: () => Promise.reject(new DOMException("", "NotFoundError")) } : slice.apply(this, part);
    };
}"""


def test_a_file_that_is_gone_when_its_turn_comes_is_a_row(browser: Browser, served: Served, tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.jpg" for i in range(2)]
    for path in paths:
        path.write_bytes(PHOTO)
    with opened(browser, served.url) as page:
        page.evaluate(LOST, "1.jpg")
        page.set_input_files("#files", paths)
        expect(page.locator("#count")).to_contain_text("1 failed")
        expect(page.locator("#rows tr[data-fate=failed]")).to_contain_text("This file cannot be opened")
        expect(page.locator("#gone")).to_be_hidden()


def test_what_was_forgotten_while_it_was_read_is_in_no_later_table(browser: Browser, served: Served) -> None:
    asked: list[Route] = []

    def hold_the_second(route: Route) -> None:
        asked.append(route)
        if len(asked) != 2:
            route.continue_()

    with opened(browser, served.url) as page:
        page.route("**/v1/*?*", hold_the_second)
        give(page, "drop", *((f"old{i}.jpg", "image/jpeg", PHOTO) for i in range(3)))
        expect(page.locator("#count")).to_contain_text("2 of 3 photos")
        page.click("#forget")
        give(page, "drop", *((f"new{i}.jpg", "image/jpeg", PHOTO) for i in range(2)))
        asked[1].continue_()
        expect(page.locator("#count")).to_contain_text("2 of 2 photos")
        page.wait_for_timeout(500)
        assert sorted(page.locator("#rows button").all_text_contents()) == ["new0.jpg", "new1.jpg"]


def test_a_failures_reason_is_shown_whole_on_a_narrow_screen(browser: Browser, served: Served) -> None:
    with opened(browser, served.url, viewport={"width": 320, "height": 700}) as page:
        give(page, "drop", *((f"{i}.jpg", "image/jpeg", PHOTO[:700]) for i in range(2)))
        note = page.locator("#rows .note").first
        expect(note).to_contain_text("This picture is damaged")
        assert note.evaluate("n => n.scrollHeight <= Math.max(n.clientHeight, n.offsetHeight)")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320


def hundred_megapixels() -> bytes:
    out = io.BytesIO()
    Image.new("L", (10_000, 10_000), 255).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (("a.gif", "image/gif", b"GIF89a" + bytes(60)), "This cannot be read here: this is a GIF picture"),
        (("a.pdf", "application/pdf", b"%PDF-1.7"), "This is a PDF, no picture"),
        (("a.jpg", "image/jpeg", PHOTO[:800]), "This picture is damaged"),
        (("a.png", "image/png", white(50, 50)), "No digits were found on this picture."),
        (("a.png", "image/png", hundred_megapixels()), "This picture has too many pixels."),
        (("a.jpg", "image/jpeg", PHOTO + bytes(21 * 2**20)), "This file is too large"),
    ],
    ids=["gif", "pdf", "damaged", "blank", "100 MP", "21 MB"],
)
def test_what_cannot_be_read_is_a_sentence(browser: Browser, served: Served, file: tuple[str, str, bytes], said: str) -> None:
    with opened(browser, served.url) as page:
        give(page, "drop", file)
        expect(page.locator("#read")).to_contain_text(said)
        assert page.locator("#viewer").is_visible()


def test_names_are_inert_on_the_page(browser: Browser, served: Served) -> None:
    names = ["<img src=x onerror=document.title='hit'>.jpg", '"><script>document.title="hit"</script>.jpg', "a\u202egpj.jpg"]
    with opened(browser, served.url) as page:
        give(page, "drop", *((name, "image/jpeg", PHOTO[:500]) for name in names))
        expect(page.locator("#count")).to_contain_text("3 of 3", timeout=30_000)
        page.locator("#rows button").first.click()
        assert page.title().startswith("inkdigits")
        assert page.locator("#rows img, #rows script, #viewer script").count() == 0
        assert sorted(page.locator("#rows button").all_text_contents()) == sorted(names)


def test_photos_wait_for_a_server_that_is_gone(browser: Browser, served: Served) -> None:
    with opened(browser, served.url) as page:
        page.context.set_offline(True)
        give(page, "drop", *((f"{i}.jpg", "image/jpeg", photo(str(i), size=(160, 100))) for i in range(3)))
        expect(page.locator("#gone")).to_be_visible()
        expect(page.locator("#count")).to_contain_text("0 of 3")
        page.context.set_offline(False)
        expect(page.locator("#count")).to_contain_text("3 of 3", timeout=30_000)
