"""The body of a request comes in, the bytes of its answer come out: what a worker does, in a thread or in a process of its own."""

from __future__ import annotations

import base64
import binascii
import io
import json
from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
from pydantic import BaseModel, ValidationError

from .. import headers
from ..classify import ten_glyphs
from ..crops import Crop, crop_as_it_is, crop_number, crop_page
from ..drift import Signs, choose_signs
from ..errors import ReadError, TooManyPages, Unsupported
from ..explain import explain
from ..limits import Limits
from ..reader import Reader
from ..records import Page
from ..source import Picture, load_image
from .schema import TableFailure, TablePage, TableRequest

if TYPE_CHECKING:
    from ..tables import Entry

Model = TypeVar("Model", bound=BaseModel)
LOT = Random()
WANTED = "expected JPEG, PNG, WebP, BMP, TIFF or HEIC"
CROP_LIMITS = Limits(max_pixels=2**20, max_header_pixels=2**20)  # of a crop that comes back: those made here are smaller


class Answer(NamedTuple):
    """What a job gives back.

    Attributes:
        body: JSON, or the bytes of a file.
        digits: how many digits were read.
        unsure: how many of them the reader would not vouch for.
        signs: of one of them, by lot, to tell whether pictures are as they used to be; None where there is none.
    """

    body: bytes
    digits: int = 0
    unsure: int = 0
    signs: Signs | None = None


def do(reader: Reader, job: str, data: bytes, options: dict[str, Any]) -> Answer:
    """Do one job of `JOBS`.

    Raises:
        InkdigitsError: what the caller sent cannot be answered.
    """
    return JOBS[job](reader, data, **options)


def warm_up(reader: Reader) -> None:
    """Read a line of ten digits, so that the first who asks does not wait for what is loaded late."""
    reader.read(255 - np.hstack(list(ten_glyphs())))


def read(reader: Reader, data: bytes, *, crops: bool = False, **options: Any) -> Answer:
    """Read a picture: `Page.to_dict()` as JSON, and the numbers cut out of the picture if asked."""
    picture = _opened(reader, data, bool(options.get("single")))
    page = reader.read(picture, **options)
    return Answer(to_json(page.to_dict() | _cut(picture, page, crops)), *_counts(page))


def look(reader: Reader, data: bytes, *, crops: bool = False, **options: Any) -> Answer:
    """Read a picture and tell what the network saw: the page, and for every digit its glyph and the map of what spoke for it."""
    picture = _opened(reader, data, bool(options.get("single")))
    page = reader.read(picture, **options)
    digits = [digit for number in page.numbers for digit in number.digits]
    seen = [(digit.glyph, digit.alternatives[0][0]) for digit in digits if digit.glyph is not None]
    maps = explain(reader.classifier, *map(np.stack, zip(*seen, strict=True))) if seen else None
    looks = iter(range(len(seen)))
    told = []
    for digit in digits:
        place = None if digit.glyph is None else next(looks)
        why = None if place is None or maps is None else np.rint(maps[place] * 255).astype(int).tolist()
        told.append({"glyph": None if digit.glyph is None else digit.glyph.tolist(), "why": why})
    return Answer(to_json({"page": page.to_dict(), "digits": told} | _cut(picture, page, crops)), *_counts(page))


def classify(reader: Reader, data: bytes) -> Answer:
    """Answer `{"glyphs": n × 28 × 28 numbers}` with a value, a confidence and ten probabilities a glyph."""
    sent = from_json(data)
    if not isinstance(sent, dict) or not isinstance(sent.get("glyphs"), list):
        raise Unsupported('expected {"glyphs": [...]}, n × 28 × 28 numbers')
    probabilities, confidence = reader.classifier.classify(sent["glyphs"])
    digits = [
        {"value": int(p.argmax()), "confidence": round(float(c), 6), "probabilities": [round(float(v), 6) for v in p]}
        for p, c in zip(probabilities, confidence, strict=True)
    ]
    return Answer(to_json({"digits": digits}), len(digits))


def table(_: Reader, data: bytes, form: str) -> Answer:
    """Write pages, as `read` answers them, as one table: the rows of `inkdigits read --csv`, or the same as a spreadsheet."""
    from ..spreadsheet import write_spreadsheet
    from ..tables import CsvTable

    entries = [_entry(page) for page in _valid(TableRequest, data).pages]
    if form == "xlsx":
        return Answer(write_spreadsheet(entries))
    out = io.BytesIO()
    rows = CsvTable(out)
    for entry in entries:
        rows.add(entry)
    return Answer(out.getvalue())


JOBS: dict[str, Callable[..., Answer]] = {"read": read, "look": look, "classify": classify, "table": table}


def to_json(value: Any) -> bytes:
    """Return JSON as short as it can be."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def from_json(data: bytes) -> Any:
    """Return what JSON says.

    Raises:
        Unsupported: it is none.
    """
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Unsupported(f"the body is no JSON: {error}") from error


def _opened(reader: Reader, data: bytes, single: bool) -> Picture:
    """Return the one picture that was sent.

    Raises:
        TooManyPages: it is a TIFF of several pages, of which but one would be answered.
        ReadError: see `_no_document` and `Reader.open`.
    """
    picture = next(iter(reader.open_pages(_no_document(data), single=single)))
    if picture.page_number is not None:
        raise TooManyPages("this TIFF has several pages, expected one: send each as a picture of its own; inkdigits read takes them all")
    return picture


def _no_document(data: bytes) -> bytes:
    """Return what a picture starts as; the library reads PDF too, which the API does not take by whatever name it comes.

    Raises:
        Damaged: there are no bytes.
        Unsupported: it is no picture.
    """
    try:
        kind = headers.kind_of(data)
    except ReadError as error:
        raise type(error)(str(error).replace(headers.WANTED, WANTED)) from error
    if kind == "PDF":
        raise Unsupported(f"this is a PDF document, {WANTED}")
    return data


def _valid(kind: type[Model], data: bytes) -> Model:
    try:
        return kind.model_validate_json(data, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        raise Unsupported(f"{' '.join(map(str, first['loc']))}: {first['msg']}") from error


def _entry(sent: TablePage | TableFailure) -> Entry:
    from ..tables import enter_failure, enter_page, with_crops

    if isinstance(sent, TableFailure):
        return enter_failure(sent.file, ReadError(sent.error.detail))
    entry = enter_page(sent.file, Page.from_dict(sent.model_dump(exclude={"file", "crops"})))
    if sent.crops is None:
        return entry
    if len(sent.crops) != len(entry.rows):
        raise Unsupported(f"crops: expected one a number, or one of a page without any; got {len(sent.crops)}, not {len(entry.rows)}")
    return with_crops(entry, [_uncoded(crop) for crop in sent.crops])


def _cut(picture: Picture, page: Page, wanted: bool) -> dict[str, list[str]]:
    """Return `{"crops": …}` if wanted: each number cut out of the picture, or all of a picture without any, as JPEG in base64."""
    if not wanted:
        return {}
    cut: Sequence[Crop] = [crop_number(picture.image, page, n) for n in page.numbers] or [crop_page(picture.image, page)]
    return {"crops": [base64.b64encode(crop.jpeg).decode() for crop in cut]}


def _uncoded(sent: str) -> Crop:
    """Return a crop that comes back: decoded as any stranger's picture is, its pixels encoded anew."""
    try:
        return crop_as_it_is(load_image(_no_document(base64.b64decode(sent, validate=True)), CROP_LIMITS))
    except binascii.Error as error:
        raise Unsupported(f"crops: {error}") from error


def _counts(page: Page) -> tuple[int, int, Signs | None]:
    digits = [digit for number in page.numbers for digit in number.digits]
    return len(digits), sum(digit.value is None for digit in digits), choose_signs(page, LOT)
