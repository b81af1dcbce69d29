"""review.py: one page that needs nothing else, in which a stranger's text is text."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from readings import HOSTILE, made_entry

from inkdigits.errors import Damaged
from inkdigits.review import open_review
from inkdigits.tables import COLUMNS, Entry, enter_failure, shown


class Reviewed(HTMLParser):
    """What a browser finds in a page: its elements, and what its scripts and styles hold."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.held: list[tuple[str, str]] = []
        self.feed(path.read_bytes().decode("utf-8"))
        texts = [text for tag, text in self.held if tag == "script"]
        self.entries: list[dict[str, Any]] = [json.loads(line) for line in texts[0].splitlines() if line.strip()]
        self.about: dict[str, Any] = json.loads(texts[1])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self.held.append((tag, ""))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem:
            tag, before = self.held[-1]
            self.held[-1] = tag, before + data


def written(path: Path, *entries: Entry) -> Reviewed:
    with open_review(path) as page:
        for entry in entries:
            page.add(entry)
    return Reviewed(path)


def test_the_page_holds_every_row_with_its_crop(tmp_path: Path) -> None:
    page = written(
        tmp_path / "Zähler 1.html",
        made_entry("a.jpg", "007 19?7~1987"),
        made_entry("b.jpg"),
        enter_failure("c.jpg", Damaged("damaged PNG")),
    )
    assert [[row["text"] for row in entry["rows"]] for entry in page.entries] == [["007", "19?7"], [""], [""]]
    assert page.entries[0]["rows"][1]["guess"] == "1987"
    crop = page.entries[0]["rows"][1]["crop"]
    assert base64.b64decode(crop["jpeg"]).startswith(b"\xff\xd8\xff") and crop["width"] > crop["height"]
    assert len(page.entries[0]["rows"][1]["place"]) == 4
    assert [entry["crop"] is None for entry in page.entries] == [False, False, True]
    assert page.about["columns"] == list(COLUMNS) and page.about["name"] == "Z_hler_1.csv"


def test_only_its_own_style_and_script_may_act(tmp_path: Path) -> None:
    page = written(tmp_path / "p.html", made_entry("a.jpg", "1"))
    policy = next(a["content"] for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy and policy.startswith("default-src 'none'; img-src data:;")
    acting = [(tag, text) for tag, text in page.held if tag == "style" or not text.lstrip().startswith("{")]
    assert [tag for tag, _ in acting] == ["style", "script"]
    for tag, text in acting:
        assert f"{tag}-src 'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" in policy
    assert not any(name.startswith("on") or name in ("src", "href") for _, a in page.elements for name in a)
    assert not re.search(
        r"https?://|innerHTML|insertAdjacentHTML|document\.write|fetch\(|XMLHttp", (tmp_path / "p.html").read_text("utf-8")
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text(name: str, tmp_path: Path) -> None:
    plain = written(tmp_path / "plain.html", made_entry("a.jpg", "1"), made_entry("a.jpg"))
    page = written(tmp_path / "p.html", made_entry(name, "1"), enter_failure(name, Damaged(name)))
    assert page.elements[0:] == plain.elements
    assert [entry["file"] for entry in page.entries] == [shown(name)] * 2


def test_the_same_readings_give_the_same_page_and_others_another(tmp_path: Path) -> None:
    one, same = (written(tmp_path / f"{n}.html", made_entry("a.jpg", "12 3?~34")) for n in (1, 2))
    other = written(tmp_path / "3.html", made_entry("a.jpg", "12 3?~35"))
    assert one.about["id"] == same.about["id"] != other.about["id"]
    assert one.entries == same.entries


def test_a_page_without_entries_is_a_page(tmp_path: Path) -> None:
    assert written(tmp_path / "p.html").entries == []


def test_when_something_fails_nothing_is_left_over(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), open_review(tmp_path / "p.html") as page:
        page.add(made_entry("a.jpg", "1"))
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
