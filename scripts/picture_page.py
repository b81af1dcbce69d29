"""The page of `inkdigits serve` comes in, its pictures in `docs/` come out: drawn on, and given a made photo.

    python scripts/picture_page.py       # needs chromium

The photo is made of MNIST's digits, so the pictures are under its licence (see NOTICE).
"""

import io
import sys
from pathlib import Path

from PIL import Image

from inkdigits.synthetic import make_page

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from browser import SEVEN, THREE, browsing, draw, give, opened
from playwright.sync_api import expect
from served import command

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def made_photo() -> bytes:
    """Return a photo of a page with two numbers, as a JPEG."""
    image, _ = make_page("2071 438", seed=8, dirt="light", size=(1200, 800))
    out = io.BytesIO()
    Image.fromarray(image).save(out, "JPEG", quality=90)
    return out.getvalue()


def main() -> None:
    """Draw a number, choose a digit of a photo, and take a picture of each; the photo as a phone shows it, too."""
    page_photo = made_photo()
    with command("--workers", 1) as (server, _), browsing() as browser:
        with opened(browser, server.url, viewport={"width": 1280, "height": 740}) as page:
            draw(page, SEVEN, 0.12)
            draw(page, THREE, 0.52)
            expect(page.locator("#drawn")).to_have_text("73")
            page.get_by_role("button", name="Why?").first.click()
            page.screenshot(path=DOCS / "page-draw.png")
        # the phone's window is as tall as its page: a picture of more than the window would show what a mouse is for
        for name, width, height in (("page-photo.jpg", 1280, 860), ("page-phone.jpg", 360, 1160)):
            with opened(
                browser, server.url, viewport={"width": width, "height": height}, has_touch=width < 500, is_mobile=width < 500
            ) as page:
                give(page, "drop", ("page.jpg", "image/jpeg", page_photo))
                page.locator(".box").nth(2).click()
                page.locator("#chosen .bars").wait_for()
                page.screenshot(path=DOCS / name, quality=85)
    for picture in sorted(DOCS.glob("page-*.*")):
        print(f"{picture.relative_to(ROOT)}: {picture.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
