"""Fields of forms: boxes, combs and lines go, what is written in them and across them stays; digits alone are no fields."""

import cv2
import numpy as np
import pytest

from inkdigits import Reader, mnist
from inkdigits.fields import remove_fields
from inkdigits.ink import flatten
from inkdigits.page_accuracy import edit_distance
from inkdigits.ruling import remove_ruling
from inkdigits.straight import find_lines

NOISE = np.full((1, 1), 0.004, np.float32)
PITCH, HIGH = 60, 80


def digits_of(text, tall=66):
    """Return MNIST's digits, one of each value as `text` has them, cut out and `tall` pixels high."""
    (x, y), _ = mnist.load_data()
    cut = []
    for n, character in enumerate(text):
        glyph = cv2.resize(x[np.flatnonzero(y == int(character))[n + 3]], (112, 112), interpolation=cv2.INTER_CUBIC)
        left, top, width, height = cv2.boundingRect((glyph > 90).astype(np.uint8))
        part = glyph[top : top + height, left : left + width]
        cut.append(cv2.resize(part, (max(6, round(width * tall / height)), tall), interpolation=cv2.INTER_AREA))
    return cut


def page_with(text, foot=220, x=100, shape=(400, 900)):
    """Return contrast, float32, with a number on it."""
    page = np.zeros(shape, np.float32)
    for i, digit in enumerate(digits_of(text)):
        left = x + i * PITCH + (PITCH - digit.shape[1]) // 2
        part = page[foot - digit.shape[0] : foot, left : left + digit.shape[1]]
        np.maximum(part, digit / 255 * 0.7, out=part)
    return page


def lined(page, *lines, strength=0.5):
    """Return a page with straight lines drawn over it, x0, y0, x1, y1 each."""
    ink = np.zeros(page.shape, np.uint8)
    for x0, y0, x1, y1 in lines:
        cv2.line(ink, (x0, y0), (x1, y1), 255, 3, cv2.LINE_AA)
    return np.maximum(page, ink.astype(np.float32) / 255 * strength)


def comb(cells, foot=220, x=100, high=HIGH):
    """Return the lines of a comb of so many cells, whose sides and level lines the digits touch."""
    upright = [(x + i * PITCH, foot - high, x + i * PITCH, foot) for i in range(cells + 1)]
    return [*upright, (x, foot, x + cells * PITCH, foot), (x, foot - high, x + cells * PITCH, foot - high)]


def left_of(before, after, where):
    """Return how much of what is dark in `where`, a mask, is left."""
    return float((after[where] > 0.15).mean() / max(float((before[where] > 0.15).mean()), 1e-9))


@pytest.mark.parametrize(
    "lines",
    [
        comb(6),
        comb(6, high=60),  # lower than the digits
        [(86, 224, 640, 224), (86, 150, 640, 150), (86, 150, 86, 224), (640, 150, 640, 224)],  # one box
        [(60, 219, 700, 219)],
        [(60, 219, 700, 229)],  # askew
    ],
)
def test_fields_go_and_what_is_written_in_them_stays(lines):
    page = page_with("58063")
    form = lined(page, *lines)
    bare = remove_fields(form, NOISE)
    field = (form > 0.15) & (cv2.dilate(page, np.ones((5, 5), np.uint8)) < 0.05)
    assert left_of(form, bare, field) < 0.06
    assert left_of(page, bare, page > 0.4) > 0.8


def test_an_open_comb_goes_with_its_teeth():
    page = page_with("4071")
    teeth = [(100 + i * PITCH, 222 - (60 if i in (0, 7) else 22), 100 + i * PITCH, 222) for i in range(8)]
    form = lined(page, (100, 222, 100 + 7 * PITCH, 222), *teeth)
    bare = remove_fields(form, NOISE)
    field = (form > 0.15) & (cv2.dilate(page, np.ones((5, 5), np.uint8)) < 0.05)
    assert left_of(form, bare, field) < 0.1
    assert left_of(page, bare, page > 0.4) > 0.9


def test_open_combs_below_each_other_are_no_ruling_of_which_teeth_are_left():
    texts, feet = ("4071", "58063", "90386"), (200, 400, 600)
    page = np.maximum.reduce([page_with(text, foot=foot - 4, shape=(760, 900)) for text, foot in zip(texts, feet, strict=True)])
    form = page
    for foot in feet:
        teeth = [(100 + i * PITCH, foot - (70 if i in (0, 9) else 40), 100 + i * PITCH, foot) for i in range(10)]
        form = lined(form, (100, foot, 100 + 9 * PITCH, foot), *teeth, strength=0.7)
    bare = remove_ruling(form)
    assert bare[feet[0], 660:700].max() < 0.15  # else this would be no test
    picture = (235 * (1 - form) + np.random.default_rng(1).normal(0, 2, form.shape)).clip(0, 255).astype(np.uint8)
    read = Reader.load().read(picture, threshold=0).text
    assert [len(line) for line in read.split("\n")] == [len(text) for text in texts], read
    assert edit_distance(read.replace("\n", " "), " ".join(texts)) <= 2


@pytest.mark.parametrize("text", ["5", "9", "42", "38"])
@pytest.mark.parametrize("foot", [219, 223])
def test_a_stroke_under_one_digit_or_two_goes(text, foot):
    page = page_with(text)
    form = lined(page, (82, foot, 118 + len(text) * PITCH, foot + 2), strength=0.6)
    bare = remove_fields(form, NOISE)
    field = (form > 0.15) & (cv2.dilate(page, np.ones((5, 5), np.uint8)) < 0.05)
    assert left_of(form, bare, field) < 0.1
    assert left_of(page, bare, page > 0.4) > 0.8


def test_the_bar_of_a_fraction_of_one_digit_over_one_goes():
    page = np.maximum(page_with("3", foot=150), page_with("4", foot=240))
    form = lined(page, (96, 160, 166, 161), strength=0.6)
    bare = remove_fields(form, NOISE)
    assert left_of(page, bare, page > 0.4) > 0.95
    assert (bare[155:166, 90:172] > 0.15).sum() < 0.1 * (form[155:166, 90:172] > 0.15).sum()


@pytest.mark.parametrize("shape", ["−5 under 3", "plus", "T", "a 2 with a long foot", "a wide 7", "a 2 whose foot goes on", "55"])
def test_bars_of_signs_letters_and_digits_stay(shape):
    page = page_with("3", foot=130, x=200)
    lines = {
        "−5 under 3": [(120, 200, 170, 200)],
        "plus": [(300, 200, 370, 200), (335, 165, 335, 235)],
        "T": [(300, 170, 370, 170), (335, 170, 335, 240)],
        "a wide 7": [(300, 170, 400, 170), (388, 170, 378, 240)],
        "a 2 whose foot goes on": [(290, 240, 350, 240), (298, 240, 340, 170)],
        "55": [(300, 170, 450, 170), (314, 170, 314, 240), (389, 170, 389, 240)],
        "a 2 with a long foot": [(300, 240, 380, 240), (300, 240, 350, 180)],
    }[shape]
    form = lined(page, *lines, strength=0.7)
    np.testing.assert_array_equal(remove_fields(form, NOISE), form)


@pytest.mark.parametrize("text", ["11111", "77777", "44444", "00000", "25725", "88666"])
def test_digits_alone_are_no_fields(text):
    page = page_with(text)
    assert remove_fields(page, NOISE) is page


def test_a_line_is_followed_through_what_stands_on_it():
    form = lined(page_with("58063"), (60, 219, 700, 225))
    longest = max(find_lines((form > 0.1).astype(np.uint8)), key=lambda line: len(line.path))
    assert abs(longest.start - 60) < 8
    assert abs(longest.stop - 700) < 8
    assert abs(longest.at(380) - 222) < 1.5


@pytest.mark.parametrize("shape", [(0, 0), (1, 1), (30, 900), (900, 30)])
def test_blank_and_dark_pages_stay_as_they_are(shape):
    for value in (0, 0.8):
        page = np.full(shape, value, np.float32)
        assert remove_fields(page, NOISE) is page


def test_numbers_in_combs_and_on_lines_are_read():
    reader = Reader.load()
    errors = of = 0
    for n, text in enumerate(("58063", "4217", "90386", "27", "6514", "3058")):
        page = page_with(text, shape=(500, 900))
        for form in (lined(page, *comb(len(text) + 1)), lined(page, (60, 219 + n % 4, 700, 221 + n % 4))):
            picture = (235 * (1 - form) + np.random.default_rng(n).normal(0, 2, form.shape)).clip(0, 255).astype(np.uint8)
            errors += edit_distance(reader.read(picture, threshold=0).text, text)
            of += len(text)
    assert errors <= 0.17 * of


def test_a_shadow_from_side_to_side_is_no_stroke():
    page = 255 - (255 * page_with("58063", shape=(600, 900))).astype(np.uint8)
    shaded = page.astype(np.float32)
    shaded[250:330] *= 0.45
    beside = np.ones(page.shape, bool)
    beside[235:345] = False
    assert (flatten(shaded.astype(np.uint8)).contrast[285:295, 40:860] < 0.15).mean() > 0.95
