"""Debian's chromium, driven by Playwright: where it is, and the hands that draw and drop in it."""

from __future__ import annotations

import base64
import contextlib
import shutil
from collections.abc import Iterator
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

PATIENCE = 20_000  # milliseconds, for what is waited for: other work may keep the machine
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WIDE = {"width": 1280, "height": 860}
NARROW = {"width": 360, "height": 780}

# strokes as people make them, in parts of the digit's width and height
SEVEN = [(0.05, 0.12), (0.3, 0.1), (0.6, 0.1), (0.92, 0.12), (0.8, 0.35), (0.66, 0.6), (0.55, 0.8), (0.48, 0.97)]
THREE = [
    (0.15, 0.14),
    (0.4, 0.03),
    (0.72, 0.08),
    (0.85, 0.24),
    (0.7, 0.42),
    (0.45, 0.48),
    (0.72, 0.53),
    (0.9, 0.7),
    (0.75, 0.91),
    (0.42, 0.97),
]
THREE += [(0.12, 0.86)]


@contextlib.contextmanager
def browsing() -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as playwright:
        # chromium's own sandbox does not run as root, which CI is
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextlib.contextmanager
def opened(browser: Browser, url: str, **options: Any) -> Iterator[Page]:
    """Our page, ready; it must complain of nothing and ask nobody else."""
    context = browser.new_context(**({"viewport": WIDE, "accept_downloads": True} | options))
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
    page.on("request", lambda asked: None if asked.url.startswith((url, "blob:", "data:")) else complaints.append(asked.url))
    page.goto(url)
    page.wait_for_selector("body[data-ready]")
    yield page
    assert complaints == [], complaints
    context.close()


def on_sheet(page: Page, stroke: list[tuple[float, float]], left: float) -> list[tuple[float, float]]:
    """A stroke's points in the window: a digit half as high as the sheet, `left` of its width from the left."""
    box = page.locator("#canvas").bounding_box()
    assert box
    height = 0.5 * box["height"]
    return [(box["x"] + left * box["width"] + x * 0.62 * height, box["y"] + 0.25 * box["height"] + y * height) for x, y in stroke]


def draw(page: Page, stroke: list[tuple[float, float]], left: float) -> None:
    """Draw with the mouse."""
    first, *rest = on_sheet(page, stroke, left)
    page.mouse.move(*first)
    page.mouse.down()
    for point in rest:
        page.mouse.move(*point, steps=4)
    page.mouse.up()


def draw_by_touch(page: Page, stroke: list[tuple[float, float]], left: float) -> None:
    """Draw with a finger: real touch events, as the screen would send them."""
    fingers = page.context.new_cdp_session(page)
    for i, (x, y) in enumerate(on_sheet(page, stroke, left)):
        kind = "touchMove" if i else "touchStart"
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def give(page: Page, event: str, *files: tuple[str, str, bytes]) -> None:
    """Drop or paste files, each (name, type, bytes), on the page."""
    sent = [[name, kind, base64.b64encode(data).decode()] for name, kind, data in files]
    page.evaluate(
        """([event, files]) => {
            const transfer = new DataTransfer();
            for (const [name, type, data] of files)
                transfer.items.add(new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name, { type }));
            const target = document.getElementById("drop");
            if (event === "paste") document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true }));
            else for (const one of ["dragenter", "dragover", "drop"])
                target.dispatchEvent(new DragEvent(one, { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }""",
        [event, sent],
    )


def violations(page: Page) -> list[str]:
    """What axe finds wrong for people who use a screen reader, a keyboard, or see colours badly."""
    found = Axe().run(page).response["violations"]
    return [f"{v['id']}: {v['help']}: {[node['html'][:120] for node in v['nodes']]}" for v in found]
