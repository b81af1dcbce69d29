"""records.py: what `to_dict` writes is JSON, is the contract's, and comes back the same; what is drawn is where it was read."""

import dataclasses
import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkdigits import Box, Digit, Mark, Number, Page
from inkdigits.records import DOUBTFUL_COLOUR, SURE_COLOUR, UNSURE_COLOUR

chance = st.floats(0, 1)
boxes = st.builds(Box, *[st.integers(0, 5000)] * 4)
alternatives = st.permutations(range(10)).map(lambda order: tuple((v, 0.1) for v in order))
digits = st.builds(Digit, st.none() | st.integers(0, 9), chance, boxes, alternatives)
marks = st.builds(Mark, st.integers(0, 9), st.sampled_from(".,-/:"), chance)


def number_of(read: list[Digit], line: int, confidence: float, hung: list[Mark]) -> Number:
    return Number("".join(d.text for d in read), confidence, line, Box.around(d.box for d in read), tuple(read), tuple(hung))


numbers = st.builds(number_of, st.lists(digits, min_size=1, max_size=4), st.integers(0, 3), chance, st.lists(marks, max_size=2))
pages = st.builds(
    Page,
    st.integers(1, 9999),
    st.integers(1, 9999),
    st.lists(numbers, max_size=3).map(lambda ns: tuple(sorted(ns, key=lambda n: n.line))),
    st.sampled_from([0, 90, 180, 270]),
    st.none() | st.integers(1, 500),
)


@given(pages)
def test_a_page_comes_back_from_json_the_same(page: Page) -> None:
    assert Page.from_dict(json.loads(json.dumps(page.to_dict(), allow_nan=False))) == page


def digit(value: int | None, box: Box, confidence: float = 0.99) -> Digit:
    return Digit(value, confidence, box, tuple((v, 0.1) for v in range(10)))


def small_page() -> Page:
    first = number_of([digit(1, Box(10, 40, 20, 30)), digit(None, Box(35, 41, 20, 30), 0.4)], 0, 0.9, [Mark(1, ".", 0.8)])
    second = number_of([digit(7, Box(70, 40, 20, 30), 0.8)], 0, 0.8, [])
    third = number_of([digit(4, Box(10, 2, 20, 30))], 1, 0.99, [])
    return Page(120, 100, (first, second, third))


def test_the_keys_are_those_of_the_contract() -> None:
    written = small_page().to_dict()
    assert list(written) == ["width", "height", "rotation", "text", "numbers"]
    assert list(written["numbers"][0]) == ["text", "confidence", "line", "box", "marks", "digits"]
    assert list(written["numbers"][0]["digits"][0]) == ["value", "confidence", "box", "alternatives"]
    assert written["text"] == "1? 7\n4"
    assert written["numbers"][0]["box"] == [10, 40, 45, 31]
    assert written["numbers"][0]["marks"] == [[1, ".", 0.8]]
    assert written["numbers"][0]["digits"][1]["value"] is None
    assert dataclasses.replace(small_page(), page_number=2).to_dict()["page_number"] == 2


def test_an_empty_page_has_empty_text() -> None:
    assert Page(5, 7).text == ""
    assert Page(5, 7).to_dict() == {"width": 5, "height": 7, "rotation": 0, "text": "", "numbers": []}


def test_a_box_around_boxes_holds_them_all() -> None:
    assert Box.around([Box(3, 4, 5, 6), Box(1, 9, 2, 2)]) == Box(1, 4, 7, 7)
    with pytest.raises(ValueError):
        Box.around([])


def test_records_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        small_page().rotation = 90  # type: ignore[misc]


@pytest.mark.parametrize("shape", [(100, 120), (100, 120, 3)])
def test_boxes_are_drawn_in_the_colour_of_their_confidence(shape: tuple[int, ...]) -> None:
    picture = np.full(shape, 255, np.uint8)
    drawn = small_page().draw(picture)
    assert drawn.shape == (100, 120, 3) and drawn.dtype == np.uint8
    assert (picture == 255).all()  # the caller's picture is untouched
    for x, y, colour in [(10, 55, SURE_COLOUR), (35, 56, UNSURE_COLOUR), (70, 55, DOUBTFUL_COLOUR), (10, 17, SURE_COLOUR)]:
        assert tuple(drawn[y, x]) == colour
    assert (drawn[75:, 95:] == 255).all()


@pytest.mark.parametrize(("after", "low", "high"), [(0, 15, 31), (1, 43, 63), (2, 75, 91)])
def test_marks_are_drawn_between_the_digits(after: int, low: int, high: int) -> None:
    digits = tuple(Digit(7, 0.99, Box(x, 40, 10, 31), tuple((v, 0.1) for v in range(10))) for x in (31, 65))
    numbers = [Number("77", 0.9, 0, Box(31, 40, 44, 31), digits, marks) for marks in ((), (Mark(after, "-", 0.99),))]
    bare, marked = (Page(120, 100, (number,)).draw(np.full((100, 120), 128, np.uint8)) for number in numbers)
    rows, columns = np.nonzero((bare != marked).any(2))
    assert low <= columns.mean() <= high
    assert (rows < 40).all()  # as high as the readings


def test_a_page_draws_on_the_picture_it_was_read_from() -> None:
    page = dataclasses.replace(small_page(), picture=lambda: np.full((100, 120), 200, np.uint8))
    assert tuple(page.draw()[55, 10]) == SURE_COLOUR
    assert page == small_page()  # the picture is no part of the record
    with pytest.raises(ValueError, match=re.escape("draw(picture)")):
        small_page().draw()


@given(pages)
def test_boxes_off_the_picture_do_no_harm(page: Page) -> None:
    assert page.draw(np.zeros((20, 30), np.uint8)).shape == (20, 30, 3)
