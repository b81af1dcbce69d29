"""Tables over HTTP: the rows of `read --csv`, as CSV and as a spreadsheet; names are inert (promise 16)."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from readings import HOSTILE
from served import Served, check_error, photo, serving

import inkdigits
from inkdigits.tables import COLUMNS

PHOTO = photo("2071 438")
PAGE: dict[str, Any] = inkdigits.read(PHOTO, threshold=0).to_dict()


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as server:
        yield server


def rows(served: Served, *pages: dict[str, Any]) -> list[list[str]]:
    answer = served.client.post("/v1/table", json={"pages": list(pages)})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def test_csv_has_a_row_a_number_and_one_for_what_failed(served: Served) -> None:
    header, *found = rows(served, {"file": "a.jpg"} | PAGE, {"file": "b.jpg", "error": {"code": "damaged", "detail": "it is cut off"}})
    assert tuple(header) == COLUMNS
    assert [row[4] for row in found] == [*(n["text"] for n in PAGE["numbers"]), ""]
    assert [row[0] for row in found] == ["a.jpg"] * (len(found) - 1) + ["b.jpg"]
    assert found[-1][-1] == "it is cut off"


def test_a_correction_is_in_the_table(served: Served) -> None:
    page = json.loads(json.dumps(PAGE))
    page["numbers"][0]["digits"][0]["value"], page["numbers"][0]["text"] = 9, "9" + page["numbers"][0]["text"][1:]
    assert rows(served, {"file": "a.jpg"} | page)[1][4][0] == rows(served, {"file": "a.jpg"} | page)[1][5][0] == "9"


def test_a_spreadsheet_holds_the_same(served: Served) -> None:
    answer = served.client.post("/v1/table?format=xlsx", json={"pages": [{"file": "=1+1.jpg"} | PAGE]})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        texts = book.read("xl/sharedStrings.xml").decode()
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert all(number["text"] in texts for number in PAGE["numbers"])
    assert "=1+1.jpg" in texts and "<f>" not in sheet


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_do_nothing(served: Served, name: str) -> None:
    row = rows(served, {"file": name.encode("utf-8", "replace").decode()} | PAGE)[1]
    assert row[0][:1] not in tuple("=+-@\t\r\n")
    assert row[0].isprintable()


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"[]", b"{}", b'{"pages": 1}', b'{"pages": [1]}', b'{"pages": [{}]}', b'{"pages": [{"file": "a"}]}'),
        json.dumps({"pages": [PAGE]}).encode(),
        json.dumps({"pages": [{"file": "a"} | PAGE | {"numbers": [{"text": "=1+1"}]}]}).encode(),
        json.dumps({"pages": [{"file": "a"} | PAGE | {"numbers": [PAGE["numbers"][0] | {"text": "=1+1"}]}]}).encode(),
        json.dumps({"pages": [{"file": "a"} | PAGE | {"numbers": [PAGE["numbers"][0] | {"digits": []}]}]}).encode(),
        json.dumps({"pages": [{"file": "a"} | PAGE | {"numbers": [PAGE["numbers"][0] | {"line": 10**400}]}]}).encode(),
        json.dumps({"pages": [{"file": "a"} | PAGE | {"numbers": [PAGE["numbers"][0] | {"confidence": float("nan")}]}]}).encode(),
    ],
)
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_what_is_no_page_is_refused(served: Served, body: bytes, form: str) -> None:
    answer = served.client.post(f"/v1/table?format={form}", content=body, headers={"Content-Type": "application/json"})
    check_error(answer, 415, "unsupported")


def test_another_format_is_refused(served: Served) -> None:
    check_error(served.client.post("/v1/table?format=exe", json={"pages": []}), 422, "usage")
