"""Units on made pages: they stand beside the numbers, touch none of them, and are none of their digits."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from inkdigits import Reader
from inkdigits.errors import DataError
from inkdigits.synthetic import Font, make_labelled_page
from inkdigits.synthetic.layout import Placed
from inkdigits.synthetic.units import BEFORE, BEHIND, add_units

DIGIT = 50


def numbers(rng: np.random.Generator) -> list[Placed]:
    """Six numbers of two digits, far apart."""
    ink = (rng.random((DIGIT, 30)) < 0.5).astype(np.uint8) * 255
    return [Placed("8", ink, 300.0 + 400 * (i % 2) + 36 * k, 100.0 + 120 * (i // 2), (i // 2, i % 2)) for i in range(6) for k in range(2)]


def test_units_stand_close_to_their_numbers_and_touch_none(font: Path) -> None:
    seen = set()
    for seed in range(40):
        rng = np.random.default_rng(seed)
        placed = numbers(rng)
        added = add_units(placed, DIGIT, 1.0, (Font(font),), rng)
        assert len(added) <= 6
        for unit in added:
            seen.add(unit.character)
            right = unit.x + unit.ink.shape[1]
            gaps = [max(unit.x - p.x - p.ink.shape[1], p.x - right) for p in placed if abs(p.y - unit.y) < 2 * DIGIT]
            assert 0 < min(gaps) <= 0.7 * DIGIT + 3
    assert seen <= {*BEHIND, *BEFORE} and len(seen) > 30


def test_a_share_of_0_adds_none_and_one_lot_gives_the_same(font: Path) -> None:
    rng = np.random.default_rng(1)
    placed = numbers(rng)
    assert add_units(placed, DIGIT, 0.0, (Font(font),), rng) == []
    one, other = (add_units(placed, DIGIT, 0.5, (Font(font),), np.random.default_rng(2)) for _ in range(2))
    assert [(u.character, u.x, u.y) for u in one] == [(u.character, u.x, u.y) for u in other] != []


def test_a_font_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "no.ttf").write_bytes(b"no font")
    rng = np.random.default_rng(0)
    with pytest.raises(DataError, match=r"cannot read the font no\.ttf"):
        add_units(numbers(rng), DIGIT, 1.0, (Font(tmp_path / "no.ttf"),), rng)


@pytest.mark.parametrize("unit", ["%", "kg", "cm", "ml", "min"])
def test_units_are_not_read_as_digits(unit: str) -> None:
    page = Image.new("L", (1000, 700), 245)
    face = ImageFont.load_default(70)
    for i, number in enumerate(("12", "345", "68", "907", "21", "34")):
        ImageDraw.Draw(page).text((80 + 450 * (i % 2), 80 + 200 * (i // 2)), f"{number} {unit}", 30, face)
    read = Reader.load().read(cv2.GaussianBlur(np.asarray(page), (0, 0), 0.8)).text.split()
    wrong = [n for n in read if "?" not in n and n not in ("12", "345", "68", "907", "21", "34")]
    assert not wrong and len(read) - len([n for n in read if "?" in n]) >= 4


def test_a_page_with_units_has_the_truth_of_one_without(font: Path) -> None:
    text = "12 345|67 890"
    with_units, truth, characters = make_labelled_page(text, seed=3, dirt="clean", size=(900, 600), decoys=0, units=(Font(font),))
    without, same, others = make_labelled_page(text, seed=3, dirt="clean", size=(900, 600), decoys=0)
    assert (truth.text, [c for c, _ in characters]) == (same.text, [c for c, _ in others])
    assert not np.array_equal(with_units, without)
