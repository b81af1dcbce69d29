"""Tables over HTTP: the rows of `read --csv`, as CSV and as a spreadsheet; names are inert (promise 16)."""

import base64
import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from readings import HOSTILE
from served import JPEG, Served, check_error, photo, serving, white

import inkdigits
from inkdigits.crops import Crop, crop_number
from inkdigits.source import load_image
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


def test_a_spreadsheet_shows_each_number_as_it_stands_in_the_picture(served: Served) -> None:
    """As `read --xlsx` does: the crops that /v1/read cut out go back with the page, and are the pictures of its rows."""
    read = served.client.post("/v1/read?crops=1&threshold=0", content=PHOTO, headers=JPEG).json()
    assert {key: value for key, value in read.items() if key != "crops"} == PAGE
    looked = served.client.post("/v1/look?crops=1&threshold=0", content=PHOTO, headers=JPEG).json()
    assert looked["crops"] == read["crops"] and looked["page"] == PAGE
    empty = served.client.post("/v1/read?crops=1", content=white(90, 60), headers={"Content-Type": "image/png"}).json()
    failed = {"file": "c.jpg", "error": {"code": "damaged", "detail": "it is cut off"}}
    pages = [{"file": "a.jpg"} | read, {"file": "b.png"} | empty, failed]
    answer = served.client.post("/v1/table?format=xlsx", json={"pages": pages})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        shown = [cv2.imdecode(np.frombuffer(book.read(name), np.uint8), cv2.IMREAD_COLOR) for name in images_in(book)]
    page = inkdigits.read(PHOTO, threshold=0)
    image = load_image(PHOTO)
    wanted = [crop_number(image, page, number) for number in page.numbers] + [Crop(white(90, 60), 90, 60)]
    assert len(shown) == len(wanted) == len(PAGE["numbers"]) + 1
    for one, crop in zip(shown, wanted, strict=True):
        other = cv2.imdecode(np.frombuffer(crop.jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert one.shape == other.shape
        assert np.abs(one.astype(int) - other).mean() < 3  # encoded once more


def images_in(book: zipfile.ZipFile) -> list[str]:
    return sorted((name for name in book.namelist() if name.startswith("xl/media/")), key=lambda name: int(re.sub(r"\D", "", name)))


def coded(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(
    ("crops", "status", "code"),
    [
        ([], 415, "unsupported"),
        (["!"] * 2, 415, "unsupported"),
        ([coded(b"no picture")] * 2, 415, "unsupported"),
        ([coded(b"%PDF-1.7")] * 2, 415, "unsupported"),
        ([coded(PHOTO[:900])] * 2, 422, "damaged"),
        ([coded(white(4000, 4000))] * 2, 413, "too_many_pixels"),
        ([coded(bytes(300_000))] * 2, 415, "unsupported"),
        ("a", 415, "unsupported"),
    ],
    ids=["too few", "no base64", "no picture", "PDF", "damaged", "16 MP", "400 kB", "text"],
)
def test_what_is_no_crop_is_refused(served: Served, crops: object, status: int, code: str) -> None:
    check_error(served.client.post("/v1/table?format=xlsx", json={"pages": [{"file": "a"} | PAGE | {"crops": crops}]}), status, code)


def test_nothing_but_pixels_of_a_crop_goes_into_the_spreadsheet(served: Served) -> None:
    out = io.BytesIO()
    Image.new("L", (40, 20), 200).save(out, "JPEG", comment=b"planted")
    page = PAGE | {"file": "a.jpg", "crops": [coded(out.getvalue())] * len(PAGE["numbers"])}
    with zipfile.ZipFile(io.BytesIO(served.client.post("/v1/table?format=xlsx", json={"pages": [page]}).content)) as book:
        assert images_in(book)
        assert not any(b"planted" in book.read(name) for name in book.namelist())


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
