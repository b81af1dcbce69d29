"""What made pages are made of: fonts, pens, the shapes of digits, centre lines, and the way the camera sees a sheet."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from fontTools.subset import Options, Subsetter, load_font, save_font

from inkdigits.errors import DataError
from inkdigits.synthetic import PENS, Dirt, Font, Hands, choose_pen, make_digit, make_glyph_source, make_page
from inkdigits.synthetic.camera import View, choose_view
from inkdigits.synthetic.hands import Writer, find_font, font_mark, render_font, write_mark
from inkdigits.synthetic.shapes import DIGITS, LETTERS, MARKS, draw_character
from inkdigits.synthetic.trace import trace

# --- fonts, pens, strokes


def test_fonts_are_hands(font: Path) -> None:
    rng = np.random.default_rng(0)
    hands = Hands(fonts=(font,), mnist=0.0, strokes=0.0)
    assert {hands.choose_source(rng) for _ in range(5)} == {"font"}
    crops = [make_digit(label, rng, hands=hands, style="scan") for label in range(10)]
    assert all(np.ptp(c) > 8 for c in crops)
    _, truth = make_page("407", hands=hands, size=(640, 480))
    assert truth.text == "407"


def test_skipped_digits_of_a_font_are_written_otherwise(font: Path) -> None:
    hands = Hands(fonts=(Font(font, skip="7"),), mnist=0.0, strokes=0.0)
    assert find_font(hands, 0, "7") is None
    assert find_font(hands, 0, "3") == str(font)
    assert np.ptp(make_digit(7, np.random.default_rng(0), hands=hands)) > 8


def test_marks_are_a_fonts_own(font: Path) -> None:
    for mark in MARKS:
        mask, height, begins = font_mark(str(font), mark) or (np.zeros((0, 0)), 0.0, 0.0)
        assert mask.any()
        assert (begins > 0.6 * height) == (mark in ".,"), mark
    ink, top = write_mark(",", Writer(source="font", keeps_outline=True), Hands(fonts=(font,)), 60.0, np.random.default_rng(1))
    _, y, _, height = cv2.boundingRect((ink > 127).astype(np.uint8))
    assert (0.6 < (top + y) / 60 < 1, 1 < (top + y + height) / 60 < 1.4) == (True, True)


def test_a_box_for_what_a_font_lacks_is_no_mark(font: Path, tmp_path: Path) -> None:
    without = tmp_path / "without.ttf"
    options = Options(notdef_outline=True)
    small = load_font(str(font), options)
    subsetter = Subsetter(options)
    subsetter.populate(text="0123456789:")
    subsetter.subset(small)
    save_font(small, str(without), options)
    assert render_font(str(without), ",").size  # a box
    assert font_mark(str(font), ",") and font_mark(str(without), ":")
    assert [font_mark(str(without), mark) for mark in ".,-"] == [None] * 3


def test_a_font_that_is_none_is_told_in_one_line(tmp_path: Path) -> None:
    bad = tmp_path / "bad.woff2"
    bad.write_bytes(b"no font")
    with pytest.raises(DataError, match=r"cannot read the font bad\.woff2"):
        make_digit(3, np.random.default_rng(0), hands=Hands(fonts=(bad,), mnist=0.0, strokes=0.0))


@pytest.mark.parametrize("kind", PENS)
def test_every_pen_leaves_ink(kind: str) -> None:
    rng = np.random.default_rng(6)
    for _ in range(4):
        ink = make_glyph_source(5, rng, pen=choose_pen(rng, kind), hands=Hands(mnist=0.0))
        assert 0.01 < (ink > 40).mean() < 0.9


@pytest.mark.parametrize("character", [*DIGITS, *MARKS, *LETTERS])
def test_every_template_can_be_drawn(character: str) -> None:
    rng = np.random.default_rng(9)
    for _ in range(8):
        strokes = draw_character(character, rng)
        points = np.concatenate(strokes)
        assert points.dtype == np.float32 and np.isfinite(points).all()
        assert points[:, 0].min() > -0.4 and points[:, 0].max() < 1.2 and points[:, 1].min() > -0.4 and points[:, 1].max() < 1.4


@pytest.mark.parametrize(("shape", "ends"), [("line", 1), ("ring", 1), ("cross", 4)])
def test_tracing_finds_the_strokes(shape: str, ends: int) -> None:
    picture = np.zeros((90, 90), np.uint8)
    if shape == "line":
        cv2.line(picture, (45, 10), (45, 80), 255, 7)
    elif shape == "ring":
        cv2.circle(picture, (45, 45), 30, 255, 6)
    else:
        cv2.line(picture, (45, 10), (45, 80), 255, 7)
        cv2.line(picture, (10, 45), (80, 45), 255, 7)
    lines = trace(picture)
    drawn = np.zeros_like(picture)
    cv2.polylines(drawn, [line.round().astype(np.int32) for line in lines], False, 255, 9)
    assert ((picture > 0) & (drawn == 0)).sum() < 0.08 * (picture > 0).sum()
    assert ends <= len(lines) <= ends + 1


def test_tracing_nothing_finds_nothing() -> None:
    assert trace(np.zeros((20, 20), np.uint8)) == ()


# --- the camera


def test_a_view_goes_there_and_back() -> None:
    rng = np.random.default_rng(0)
    dirt = Dirt(tilt=20, perspective=0.3, bend=0.03)
    view = choose_view((600, 400), (640, 480), (50, 50, 550, 350), dirt, rng)
    points = rng.uniform(50, 350, (40, 2))
    assert np.allclose(view.backward(view.forward(points)), points, atol=1e-6)
    moved = view.shifted(13, 7)
    assert np.allclose(moved.forward(points - (13, 7)), view.forward(points), atol=1e-6)
    corners = view.forward(np.array([[50, 50], [550, 50], [50, 350], [550, 350]], float))
    assert (corners >= -1).all() and (corners <= (641, 481)).all()


def test_a_straight_view_keeps_every_pixel() -> None:
    sheet = np.random.default_rng(0).integers(0, 256, (30, 40, 3)).astype(np.uint8)
    assert (View(np.eye(3)).shoot(sheet, np.zeros_like(sheet)) == sheet).all()
