"""wanted: what a user knows of the numbers, and the likeliest reading that is so."""

import numpy as np
import pytest

from inkdigits import Reader
from inkdigits.errors import UsageError
from inkdigits.mnist import load_data
from inkdigits.synthetic import make_page
from inkdigits.wanted import Wanted, likeliest


@pytest.mark.parametrize(
    ("wanted", "allowed", "refused"),
    [
        (Wanted(), ["1", "3.5"], []),
        (Wanted(digits=4), ["2071", "20.71"], ["207", "20711"]),
        (Wanted(pattern=r"\d{2}\.\d"), ["37.5"], ["375", "37.55", "x37.5"]),
        (Wanted(between=(0, 100)), ["0", "100", "99.9", "37,5"], ["-1", "101", "120/80", "?"]),
        (Wanted(digits=2, between=(10, 12)), ["10", "12"], ["13", "110"]),
        (Wanted(digits=4), ["19?7"], ["3?046", "?7"]),
    ],
)
def test_what_is_allowed(wanted, allowed, refused):
    assert all(wanted.allows(text) for text in allowed)
    assert not any(wanted.allows(text) for text in refused)


@pytest.mark.parametrize(
    "settings",
    [{"digits": 0}, {"digits": 41}, {"pattern": "[["}, {"pattern": "1" * 201}, {"between": (2, 1)}, {"between": (0, float("nan"))}],
)
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(UsageError):
        Wanted(**settings)


def test_the_likeliest_that_may_be():
    choices = [[("1", 0.6), ("7", 0.4)], [("4", 0.9), ("9", 0.1)]]
    assert likeliest(choices, Wanted())[0] == "14"
    text, share, among = likeliest(choices, Wanted(between=(15, 75)))
    assert text == "74"
    assert share == pytest.approx(0.36)
    assert among == pytest.approx(0.36 / (0.36 + 0.06))  # 19 may be, too
    assert likeliest(choices, Wanted(digits=3)) is None


def test_a_page_is_read_as_what_its_numbers_are_known_to_be():
    reader = Reader.load()
    image, _ = make_page("2071 4385", seed=1, split="validation", dirt="clean")
    assert reader.read(image, threshold=0).text == "2071 4385"
    assert reader.read(image, digits=4, threshold=0).text == "2071 4385"
    forced = reader.read(image, digits=3)
    assert all(len(n.digits) == 3 or set(n.text) == {"?"} for n in forced.numbers)
    page = reader.read(image, pattern=r"207\d|438\d", threshold=0)
    assert page.text == "2071 4385"
    assert all("?" in n.text for n in reader.read(image, between=(100_000, 200_000)).numbers)


def test_a_number_begins_with_no_mark_but_a_minus():
    choices = [[(",", 0.6), ("-", 0.1), ("1", 0.3)], [("4", 0.9), (".", 0.1)]]
    assert likeliest(choices, Wanted())[0] == "14"
    assert likeliest(choices, Wanted(between=(-9, 0)))[0] == "-4"


@pytest.mark.parametrize("known", [{"digits": 3}, {"pattern": r"\d{3}"}, {"between": (0, 1)}])
def test_what_is_known_wrongly_makes_no_number_of_another(known):
    image, _ = make_page("1234 6789|2024", seed=5, split="validation", dirt="clean")
    reader = Reader.load()
    assert reader.read(image).text == "1234 6789\n2024"
    assert all(d.value is None for n in reader.read(image, **known).numbers for d in n.digits)


@pytest.mark.parametrize("seed", range(8))
def test_no_part_of_a_number_is_answered_for_it(seed):
    image, _ = make_page("1234 6789|2024", seed=seed, split="validation", dirt="clean")
    reader = Reader.load()
    assert all(d.value is None for n in reader.read(image, digits=3).numbers for d in n.digits)
    as_it_is = [n.text for n in reader.read(image).numbers]
    assert [n.text for n in reader.read(image, digits=4).numbers] == as_it_is
    assert any(d.value is not None for n in reader.read(image, digits=3, threshold=0).numbers for d in n.digits)


@pytest.mark.parametrize("known", [{"digits": 4}, {"pattern": r"\d{4}"}, {"between": (1000, 9999)}])
def test_a_digit_that_was_struck_out_stays_one(known):
    image, _ = make_page("2071 43?5", seed=301, split="validation", dirt="clean")
    assert Reader.load().read(image, **known).text == "2071 43?5"


def test_one_digit_is_read_as_what_it_is_known_to_be():
    reader = Reader.load()
    x, y = load_data()[0]
    nine = np.kron(255 - x[50_000:][y[50_000:] == 9][0], np.ones((6, 6), np.uint8))
    as_it_is = reader.read(nine, single=True)
    assert as_it_is.text == "9"
    for known in ({"digits": 1}, {"pattern": "[789]"}, {"between": (5, 9)}):
        assert reader.read(nine, single=True, **known) == as_it_is
    other = reader.read(nine, single=True, between=(1, 4), threshold=0)  # what it surely is not is not said surely
    assert other.numbers[0].digits[0].value in {1, 2, 3, 4}
    assert other.numbers[0].confidence < 0.1
    assert reader.read(nine, single=True, between=(1, 4)).text == "?"
    assert reader.read(nine, single=True, digits=2, threshold=0).text == "?"
