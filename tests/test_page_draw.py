"""The page, drawn on: mouse, finger and pen; what is read, and how soon; the server gone and back; axe."""

import re
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import NARROW, SEVEN, THREE, WIDE, browsing, draw, draw_by_touch, opened, violations
from PIL import Image
from playwright.sync_api import Browser, expect
from served import Served, command

INK = """() => {
    const c = document.getElementById("canvas");
    return c.getContext("2d").getImageData(0, 0, c.width, c.height).data.filter((v, i) => i % 4 === 3 && v).length;
}"""
PHONE: dict[str, Any] = {"viewport": NARROW, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as started:
        yield started


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with command("--workers", 1) as (server, _):
        yield server


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["1280", "360"])
def test_a_digit_and_a_number_drawn_with_the_mouse(browser: Browser, served: Served, size: dict[str, int]) -> None:
    with opened(browser, served.url, viewport=size) as page:
        expect(page.locator("#hint")).to_be_visible()
        draw(page, SEVEN, 0.08)
        expect(page.locator("#drawn")).to_have_text("7")
        expect(page.locator("#hint")).to_be_hidden()
        draw(page, THREE, 0.52)
        expect(page.locator("#drawn")).to_have_text("73")
        cards = page.locator("#drawn-digits .card")
        expect(cards).to_have_count(2)
        expect(cards.nth(1).locator(".bar")).to_have_count(10)
        expect(cards.nth(1).locator(".next")).to_contain_text("Next best:")
        assert (
            cards.nth(1)
            .locator("canvas")
            .evaluate("c => [...c.getContext('2d').getImageData(0, 0, 28, 28).data].some((v, i) => i % 4 === 0 && v > 200)")
        )


def test_a_digit_and_a_number_drawn_with_a_finger(browser: Browser, served: Served) -> None:
    with opened(browser, served.url, **PHONE) as page:
        draw_by_touch(page, SEVEN, 0.08)
        expect(page.locator("#drawn")).to_have_text("7")
        draw_by_touch(page, THREE, 0.52)
        expect(page.locator("#drawn")).to_have_text("73")
        assert page.evaluate("scrollY") == 0  # the sheet does not slip away under the finger
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


def test_undo_clear_and_the_width_of_the_pen(browser: Browser, served: Served) -> None:
    with opened(browser, served.url) as page:
        draw(page, SEVEN, 0.08)
        thin = page.evaluate(INK)
        expect(page.locator("#drawn")).to_have_text("7")
        draw(page, THREE, 0.52)
        expect(page.locator("#drawn")).to_have_text("73")
        page.click("#undo")
        expect(page.locator("#drawn")).to_have_text("7")
        page.click("#clear")
        expect(page.locator("#drawn")).to_have_text("")
        assert page.evaluate(INK) == 0
        expect(page.locator("#undo")).to_be_disabled()
        page.locator("#pen").fill("24")
        draw(page, SEVEN, 0.08)
        assert page.evaluate(INK) > 1.4 * thin


def test_why_shows_where_the_network_looked(browser: Browser, served: Served) -> None:
    with opened(browser, served.url) as page:
        draw(page, SEVEN, 0.08)
        pixels = "() => [...document.querySelector('.glyph').getContext('2d').getImageData(0, 0, 28, 28).data]"
        why = page.get_by_role("button", name="Why?")
        why.wait_for()
        plain = np.array(page.evaluate(pixels)).reshape(28, 28, 4)
        assert (plain[..., 0] == plain[..., 2]).all()
        why.click()
        warm = np.array(page.evaluate(pixels)).reshape(28, 28, 4)
        assert (warm[..., 0].astype(int) - warm[..., 2] > 100).any()
        why.click()
        assert (np.array(page.evaluate(pixels)).reshape(28, 28, 4) == plain).all()


def test_from_the_pens_pause_to_the_reading_in_a_tenth_of_a_second(browser: Browser, served: Served) -> None:
    with opened(browser, served.url) as page:
        times = []
        for _ in range(12):
            draw(page, SEVEN, 0.08)
            expect(page.locator("#drawn")).to_have_text("7")
            times.append(page.evaluate("() => performance.measure('all', 'pause', 'shown').duration"))
            page.click("#clear")
            expect(page.locator("#drawn")).to_have_text("")
            page.evaluate("() => performance.clearMarks()")
        assert statistics.median(times) <= 100, times


def test_the_server_gone_and_back(browser: Browser, served: Served) -> None:
    with opened(browser, served.url) as page:
        draw(page, SEVEN, 0.08)
        expect(page.locator("#drawn")).to_have_text("7")
        page.context.set_offline(True)
        draw(page, THREE, 0.52)
        expect(page.locator("#gone")).to_contain_text("The server does not answer")
        expect(page.locator("#drawn")).to_have_text("7")  # what there is stays
        page.context.set_offline(False)
        expect(page.locator("#gone")).to_be_hidden()
        expect(page.locator("#drawn")).to_have_text("73")  # and is read without being asked again


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["1280", "360"])
def test_axe_finds_nothing(browser: Browser, served: Served, size: dict[str, int], scheme: str) -> None:
    with opened(browser, served.url, viewport=size, color_scheme=scheme) as page:
        assert violations(page) == []
        draw(page, SEVEN, 0.08)
        expect(page.locator("#drawn")).to_have_text("7")
        page.locator(".correct summary").first.click()
        assert violations(page) == []


def test_the_tabs_by_keyboard_and_by_address(browser: Browser, served: Served) -> None:
    with opened(browser, served.url) as page:
        page.locator("#tab-draw").focus()
        page.keyboard.press("ArrowRight")
        expect(page.locator("#tab-photo")).to_be_focused()
        expect(page.locator("#photo")).to_be_visible()
        page.reload()
        expect(page.locator("#photo")).to_be_visible()


def test_a_correction_is_kept_where_it_was_asked_for_and_the_page_says_so(browser: Browser, tmp_path: Path) -> None:
    with command("--workers", 0, "--collect", tmp_path) as (server, _), opened(browser, server.url) as page:
        expect(page.locator("#privacy")).to_contain_text("are kept there, to learn from")
        draw(page, SEVEN, 0.08)
        expect(page.locator("#drawn")).to_have_text("7")
        page.locator(".correct summary").click()
        page.get_by_role("button", name="It is 1").click()
        expect(page.locator("#drawn")).to_have_text("1")
        page.wait_for_timeout(300)
        kept = list(tmp_path.rglob("*.png"))
        assert [path.parent.name for path in kept] == ["1"]
        assert np.array(Image.open(kept[0])).shape == (28, 28)


def test_a_correction_outlives_what_is_drawn_beside_it(browser: Browser, served: Served) -> None:
    """It holds for the digit as it was drawn: not for one that is drawn on."""
    with opened(browser, served.url) as page:
        draw(page, SEVEN, 0.08)
        expect(page.locator("#drawn")).to_have_text("7")
        page.locator(".correct summary").click()
        page.get_by_role("button", name="It is 1").click()
        expect(page.locator("#drawn")).to_have_text("1")
        draw(page, THREE, 0.52)
        expect(page.locator("#drawn")).to_have_text("13")
        page.click("#undo")
        expect(page.locator("#drawn")).to_have_text("1")
        expect(page.locator(".sureness")).to_have_text("as you say")
        draw(page, [(0.45, 0.55), (0.85, 0.55)], 0.08)  # now it has a bar
        expect(page.locator("#drawn")).to_have_text("7")
        page.click("#clear")
        draw(page, SEVEN, 0.08)
        expect(page.locator("#drawn")).to_have_text("7")


def test_what_is_no_digit_is_told(browser: Browser, served: Served) -> None:
    with opened(browser, served.url) as page:
        draw(page, [(0.5, 0.5), (0.52, 0.5)], 0.4)
        expect(page.locator("#draw-note")).to_have_text("No digit is to be seen here.")
        page.click("#clear")
        expect(page.locator("#draw-note")).to_have_text("")


def test_nothing_is_kept_otherwise_and_the_page_says_so(browser: Browser, served: Served) -> None:
    with opened(browser, served.url) as page:
        expect(page.locator("#privacy")).to_contain_text("are not kept")


def test_the_apis_page_shows_the_api_without_help_from_elsewhere(browser: Browser, served: Served) -> None:
    context = browser.new_context()
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{served.url}/docs")
    expect(page.locator(".opblock-summary-path").first).to_have_text(re.compile("/v1/read"))
    assert all(url.startswith((served.url, "data:", "blob:")) for url in asked)
    context.close()
