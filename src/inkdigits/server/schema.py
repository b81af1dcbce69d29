"""What the API takes and answers: the JSON contract as types, for its OpenAPI description; only `TableRequest` is checked by them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

Probability = Annotated[float, Field(ge=0, le=1)]
Rows = Annotated[
    list[Annotated[list[Annotated[int, Field(ge=0, le=255)]], Field(min_length=28, max_length=28)]], Field(min_length=28, max_length=28)
]
Glyph = Annotated[list[Annotated[list[float], Field(min_length=28, max_length=28)]], Field(min_length=28, max_length=28)]
Count = Annotated[int, Field(ge=0, le=10**9, examples=[0])]
Crops = Annotated[
    list[Annotated[str, Field(max_length=300_000)]],
    Field(description="each number cut out of the picture, or the whole of a picture without any: JPEG in base64"),
]
Value = Annotated[int, Field(ge=0, le=9)]
BoxOf = Annotated[
    list[Count],
    Field(min_length=4, max_length=4, examples=[[270, 453, 91, 142]], description="x, y, width, height in pixels after EXIF alone"),
]


class ErrorOf(BaseModel):
    """What went wrong."""

    code: str = Field(
        description="for programs: not_found, unsupported, damaged, too_large, too_many_pixels, timeout, busy, refused, usage …"
    )
    detail: str = Field(max_length=200, description="for people: one line")


class ErrorAnswer(BaseModel):
    """Every answer that is not 2xx."""

    error: ErrorOf


class DigitAnswer(BaseModel):
    """One digit as it was read."""

    value: Value | None = Field(description="null where the reader will not vouch for its guess")
    confidence: Probability
    box: BoxOf
    alternatives: list[tuple[Value, Probability]] = Field(
        min_length=1, examples=[[[2, 0.998], [8, 0.001]]], description="all ten digits, most probable first"
    )


class NumberAnswer(BaseModel):
    """Digits that stand together."""

    text: str = Field(pattern=r"^[-]?[0-9?]+([.,/:-][0-9?]+)*$", examples=["2071"])
    confidence: Probability
    line: Count
    box: BoxOf
    marks: list[tuple[Count, str, Probability]] = Field(
        examples=[[[2, ".", 0.97]]], description="marks between digits: after how many digits, the mark, confidence"
    )
    digits: list[DigitAnswer] = Field(min_length=1)


class PageAnswer(BaseModel):
    """All that was read in one picture."""

    width: Count = Field(examples=[1600])
    height: Count = Field(examples=[1200])
    rotation: Count = Field(description="clockwise turn that was applied for reading: 0, 90, 180 or 270")
    text: str = Field(description="a line of numbers a line, numbers parted by one space", examples=["2071 438"])
    numbers: list[NumberAnswer]
    page_number: Count | None = Field(None, description="of a document that has several pages")


class ReadAnswer(PageAnswer):
    """A page, and its crops where they were asked for."""

    crops: Crops | None = None


class TablePage(ReadAnswer):
    """A page, and the name of its file."""

    file: str = Field(max_length=1000)


class TableFailure(BaseModel):
    """A file that could not be read."""

    file: str = Field(max_length=1000)
    error: ErrorOf


class TableRequest(BaseModel):
    """Pages as they were read, perhaps corrected."""

    pages: list[TablePage | TableFailure]


class Look(BaseModel):
    """What the network saw of one digit."""

    glyph: Rows | None = Field(description="the 28 × 28 picture the network saw, ink bright")
    why: Rows | None = Field(description="what spoke for the digit, 0–255; null where the network cannot tell")


class LookAnswer(BaseModel):
    """A page, and a look for each of its digits in reading order."""

    page: PageAnswer
    digits: list[Look]
    crops: Crops | None = None


class ClassifyRequest(BaseModel):
    """Glyphs as MNIST's: ink bright on black."""

    glyphs: list[Glyph] = Field(description="n × 28 × 28 numbers, 0–255 or 0–1", examples=[[]])


class Classified(BaseModel):
    """What one glyph shows."""

    value: Value
    confidence: Probability
    probabilities: list[float] = Field(min_length=10, max_length=10)


class ClassifyAnswer(BaseModel):
    """One answer a glyph."""

    digits: list[Classified]


class ModelAnswer(BaseModel):
    """What reads here."""

    name: str
    version: str = Field(description="of inkdigits")
    classes: int
    threshold: float = Field(description="confidence below which a digit is not vouched for")
    explains: bool = Field(description="whether the network can tell what it looked at")
    collects: bool = Field(description="whether corrections are kept")
    limits: dict[str, int | float]


class CorrectionRequest(BaseModel):
    """A glyph and the digit it shows."""

    glyph: Rows
    label: Value


class Health(BaseModel):
    """Well."""

    status: str
