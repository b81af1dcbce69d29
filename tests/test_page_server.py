"""The page, and a server that is busy, hangs, or asks for a token: it says so, and goes on by itself."""

import json
import os
import signal
from collections.abc import Iterator

import pytest
from browser import SEVEN, browsing, draw, give, opened, violations
from playwright.sync_api import Browser, Page, Route, expect
from served import Served, command, photo, serving

from inkdigits import Reader
from inkdigits.server import create_app


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as started:
        yield started


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with command("--workers", 1) as (server, _):
        yield server


def make_busy(page: Page, times: int, retry_after: str) -> None:
    """Have the page told so many times that the server is busy."""
    body = json.dumps({"error": {"code": "busy", "detail": "too much is being read already"}})
    left = iter(range(times))

    def answer(route: Route) -> None:
        if next(left, None) is None:
            route.continue_()
        else:
            route.fulfill(status=503, headers={"Retry-After": retry_after}, content_type="application/json", body=body)

    page.route("**/v1/*?*", answer)


def test_a_drawing_says_that_it_waits_for_a_busy_server(browser: Browser, served: Served) -> None:
    with opened(browser, served.url) as page:
        make_busy(page, 2, "1")
        draw(page, SEVEN, 0.08)
        expect(page.locator("#draw-note")).to_contain_text("busy")
        expect(page.locator("#drawn")).to_have_text("7")
        expect(page.locator("#draw-note")).to_have_text("")


def test_photos_wait_for_a_busy_server_however_long_it_takes(browser: Browser, served: Served) -> None:
    with opened(browser, served.url) as page:
        make_busy(page, 60, "0")  # more often than it is asked about one photo
        give(page, "drop", *((f"{i}.jpg", "image/jpeg", photo(str(i), size=(160, 100))) for i in range(1, 3)))
        expect(page.locator("#count")).to_contain_text("2 of 2 photos")
        expect(page.locator("#count")).to_contain_text("0 failed")
        expect(page.locator("#photo-note")).to_have_text("")
        make_busy(page, 3, "1")
        give(page, "drop", ("3.jpg", "image/jpeg", photo("3", size=(160, 100))))
        expect(page.locator("#photo-note")).to_contain_text("busy")
        expect(page.locator("#count")).to_contain_text("3 of 3 photos")
        expect(page.locator("#photo-note")).to_have_text("")


def test_a_page_that_nothing_is_done_at_says_when_the_server_hangs(browser: Browser) -> None:
    with command("--workers", 0) as (server, _), opened(browser, server.url) as page:
        expect(page.locator("#gone")).to_be_hidden()
        os.kill(server.pid, signal.SIGSTOP)  # it takes connections, and answers none
        expect(page.locator("#gone")).to_contain_text("The server does not answer")
        os.kill(server.pid, signal.SIGCONT)
        expect(page.locator("#gone")).to_be_hidden()


def test_a_drawing_that_no_answer_comes_to_is_read_when_the_server_is_back(browser: Browser) -> None:
    with command("--workers", 0) as (server, _), opened(browser, server.url) as page:
        os.kill(server.pid, signal.SIGSTOP)
        draw(page, SEVEN, 0.08)
        expect(page.locator("#gone")).to_contain_text("The server does not answer")
        os.kill(server.pid, signal.SIGCONT)
        expect(page.locator("#drawn")).to_have_text("7")
        expect(page.locator("#gone")).to_be_hidden()


def test_axe_finds_nothing_on_the_page_that_asks_for_the_token(browser: Browser) -> None:
    with serving(create_app(Reader.load(), token="abcd2345efgh")) as server:
        page = browser.new_page()
        page.goto(server.url)
        expect(page.get_by_role("textbox")).to_be_visible()
        assert violations(page) == []
        page.get_by_role("textbox").fill("ABCD2345efgh")
        page.get_by_role("button").click()
        expect(page.locator("#canvas")).to_be_visible()
        page.close()
