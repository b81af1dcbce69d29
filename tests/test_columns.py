"""columns: a rule of a table parts numbers; the lines of squared paper, strokes and remains of rules do not join or part any."""

import cv2
import numpy as np
import pytest
from rows import PITCH, TALL, lengths, rows_of

from inkdigits import Reader
from inkdigits.assemble import Item
from inkdigits.columns import ruled_off
from inkdigits.records import Box
from inkdigits.segment import Line

WRITTEN = "4872 352|92 4065|705 83"


def table(between, shade=60, thick=4, slope=0.0):
    """A page of two columns of numbers, in a table."""
    page, x = rows_of(WRITTEN, 0.1, between)
    foot = 35 + 3 * PITCH
    for at in (30.0, x, 900.0):
        lean = slope * (foot - 35) / 2
        cv2.line(page, (round(at - lean), 35), (round(at + lean), foot), shade, thick, cv2.LINE_AA)
    for y in range(35, page.shape[0], PITCH):
        cv2.line(page, (30, y), (900, y), shade, thick, cv2.LINE_AA)
    soft = cv2.GaussianBlur(page, (0, 0), 0.8) + np.random.default_rng(0).normal(0, 2, page.shape)
    return np.clip(soft, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("between", [0.35, 0.6, 0.9])
@pytest.mark.parametrize("shade", [60, 190])
def test_numbers_in_neighbouring_cells_are_read_apart(between, shade):
    assert lengths(Reader.load().read(table(between, shade)).text) == lengths(WRITTEN)


def test_light_on_dark_and_leaning_rules_part_as_well():
    assert lengths(Reader.load().read(255 - table(0.5)).text) == lengths(WRITTEN)
    assert lengths(Reader.load().read(table(0.6, slope=0.03)).text) == lengths(WRITTEN)


def beside(*lines, between=0.4, shade=60):
    """Tell whether two digits are parted, `between` heights apart on paper with such lines, each from (x, y) to (x, y)."""
    page = np.full((200, 400), 240, np.uint8)
    for start, stop in lines:
        cv2.line(page, start, stop, shade, 3)
    boxes = [Box(150, 70, 30, TALL), Box(round(180 + between * TALL), 70, 30, TALL)]
    items = [Item(k, "digit", box) for k, box in enumerate(boxes)]
    return ruled_off(page, Line([], [], TALL), items).tolist() == [True]


def test_a_rule_goes_on_above_and_below_the_line():
    assert beside(((192, 0), (192, 199)))
    assert beside(((192, 0), (192, 199)), shade=215)
    assert not beside()
    assert not beside(((192, 75), (192, 125)))  # a 1, or a stroke
    assert not beside(((192, 40), (192, 110)))
    assert not beside(((160, 0), (160, 199)))  # through the digit


def test_squares_and_bands_are_no_columns():
    assert not beside(*(((x, 0), (x, 199)) for x in range(12, 400, 60)))
    assert not beside(((192, 0), (192, 199)), ((186, 0), (186, 199)), ((198, 0), (198, 199)), shade=60, between=0.2)
    page = np.full((200, 400), 240, np.uint8)
    page[:, 192:] = 150  # the edge of a shadow
    items = [Item(0, "digit", Box(150, 70, 30, TALL)), Item(1, "digit", Box(204, 70, 30, TALL))]
    assert ruled_off(page, Line([], [], TALL), items).tolist() == [False]


def test_what_is_left_of_a_rule_stands_alone():
    page = np.full((200, 400), 240, np.uint8)
    cv2.line(page, (195, 0), (195, 199), 60, 3)
    items = [Item(0, "digit", Box(150, 70, 30, TALL)), Item(1, ".", Box(193, 66, 4, 4)), Item(2, "digit", Box(210, 70, 30, TALL))]
    assert ruled_off(page, Line([], [], TALL), items).tolist() == [True, True]
    assert ruled_off(page, Line([], [], TALL), items[:1]).shape == (0,)
    assert ruled_off(page, Line([], [], TALL), []).shape == (0,)
