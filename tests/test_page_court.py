"""The page of judgement in a browser: keys alone take one through it, and what is saved is what was judged."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from browser import NARROW, browsing, opened, violations
from playwright.sync_api import Browser, Page, expect

from inkdigits import mnist
from inkdigits.audit import audit
from inkdigits.court import read_verdicts, write_court
from inkdigits.labelled import Answers, Labelled

LABELLED = Labelled("own <b>", np.array([1, 2, 3, 4, 5]), mnist.load_data()[1][0][:5])


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as started:
        yield started


@pytest.fixture
def url(tmp_path: Path) -> str:
    p = np.full((5, 10), 0.01)
    p[:, 7] = 0.91
    assert LABELLED.glyphs is not None
    answers = Answers(LABELLED.labels, p, p.max(1), LABELLED.names_or_places(), list(LABELLED.glyphs), [])
    return write_court(tmp_path / "court.html", LABELLED, answers, audit(LABELLED.labels, p), [3, 0, 1]).as_uri()


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    with opened(browser, url) as ready:
        yield ready


def saved(page: Page, tmp_path: Path) -> Path:
    with page.expect_download() as download:
        page.keyboard.press("Control+s")
    assert download.value.suggested_filename == "court.verdicts.json"
    path = tmp_path / "saved.json"
    path.write_bytes(Path(download.value.path()).read_bytes())
    return path


def test_keys_alone_judge_and_the_verdicts_can_be_applied(page: Page, tmp_path: Path) -> None:
    expect(page.locator("#count")).to_have_text("0 of 3 judged: 0 wrong, 0 unclear")
    page.keyboard.press("7")
    page.keyboard.press("Enter")
    page.keyboard.press("?")
    expect(page.locator("#count")).to_have_text("3 of 3 judged: 1 wrong, 1 unclear")
    assert read_verdicts(saved(page, tmp_path), LABELLED) == {"3": 7, "0": 1, "1": None}
    page.reload()
    expect(page.locator("li.done")).to_have_count(3)  # kept by the browser


def test_a_verdict_is_clicked_and_taken_back(page: Page, tmp_path: Path) -> None:
    second = page.locator("li").nth(1)
    second.get_by_role("button", name="unclear").click()
    expect(second.get_by_role("button", name="unclear")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Backspace")
    expect(page.locator("li.done")).to_have_count(0)
    assert json.loads(saved(page, tmp_path).read_text())["verdicts"] == {}


@pytest.mark.parametrize("options", [{}, {"viewport": NARROW}, {"color_scheme": "dark"}])
def test_it_can_be_used_by_everybody(browser: Browser, url: str, options: dict[str, object]) -> None:
    with opened(browser, url, **options) as page:
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        expect(page.locator("#data")).to_contain_text("3 most suspicious of 5 labels of own <b>")
