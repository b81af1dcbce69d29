"""What the API takes and answers, for its OpenAPI description: the JSON contract as types. Nothing is checked by these at run time."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Probability = Annotated[float, Field(ge=0, le=1)]
Rows = Annotated[
    list[Annotated[list[Annotated[int, Field(ge=0, le=255)]], Field(min_length=28, max_length=28)]], Field(min_length=28, max_length=28)
]
BoxOf = Annotated[list[int], Field(min_length=4, max_length=4, description="x, y, width, height in pixels of the upright original")]


class Described(BaseModel):
    """An object with these keys and no others."""

    model_config = ConfigDict(extra="forbid")


class ErrorOf(Described):
    """What went wrong."""

    code: str = Field(
        description="for programs: not_found, unsupported, damaged, too_large, too_many_pixels, timeout, busy, refused, usage …"
    )
    detail: str = Field(max_length=200, description="for people: one line")


class ErrorAnswer(Described):
    """Every answer that is not 2xx."""

    error: ErrorOf


class DigitAnswer(Described):
    """One digit as it was read."""

    value: int | None = Field(description="null where the reader will not vouch for its guess", ge=0, le=9)
    confidence: Probability
    box: BoxOf
    alternatives: list[tuple[int, float]] = Field(description="all ten digits, most probable first")


class NumberAnswer(Described):
    """Digits that stand together."""

    text: str = Field(pattern=r"^[-]?[0-9?]+([.,/:-][0-9?]+)*$")
    confidence: Probability
    line: int = Field(ge=0)
    box: BoxOf
    marks: list[tuple[int, str, float]] = Field(description="marks between digits: after how many digits, the mark, confidence")
    digits: list[DigitAnswer]


class PageAnswer(Described):
    """All that was read in one picture."""

    width: int
    height: int
    rotation: int = Field(description="clockwise turn that was applied for reading: 0, 90, 180 or 270")
    text: str = Field(description="a line of numbers a line, numbers parted by one space")
    numbers: list[NumberAnswer]
    page_number: int | None = Field(None, description="of a document that has several pages")


class Look(Described):
    """What the network saw of one digit."""

    glyph: Rows | None = Field(description="the 28 × 28 picture the network saw, ink bright")
    why: Rows | None = Field(description="what spoke for the digit, 0–255; null where the network cannot tell")


class LookAnswer(Described):
    """A page, and a look for each of its digits in reading order."""

    page: PageAnswer
    digits: list[Look]


class ClassifyRequest(BaseModel):
    """Glyphs as MNIST's: ink bright on black."""

    glyphs: list[Any] = Field(description="n × 28 × 28 numbers, 0–255 or 0–1", examples=[[]])


class Classified(Described):
    """What one glyph shows."""

    value: int = Field(ge=0, le=9)
    confidence: Probability
    probabilities: list[float] = Field(min_length=10, max_length=10)


class ClassifyAnswer(Described):
    """One answer a glyph."""

    digits: list[Classified]


class ModelAnswer(Described):
    """What reads here."""

    name: str
    version: str = Field(description="of inkdigits")
    classes: int
    threshold: float = Field(description="confidence below which a digit is not vouched for")
    explains: bool = Field(description="whether the network can tell what it looked at")
    collects: bool = Field(description="whether corrections are kept")
    limits: dict[str, float]


class CorrectionRequest(BaseModel):
    """A glyph and the digit it shows."""

    glyph: list[list[int]]
    label: int = Field(ge=0, le=9)


class Health(Described):
    """Well."""

    status: str
