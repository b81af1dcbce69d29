"""errors.py: one line, one exit code, one status; the tree drawn in the docstring is the tree there is."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkdigits import errors
from inkdigits.errors import MAX_REASON, InkdigitsError, MissingExtra, ReadError, about, one_line

CLASSES = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, InkdigitsError)]
CODES = "not_found not_a_file unsupported damaged too_large too_many_pixels too_many_marks too_many_pages timeout busy refused"


@given(st.text())
def test_one_line_is_one_short_printable_line(text: str) -> None:
    line = one_line(text)
    assert len(line) <= MAX_REASON
    assert line.isprintable()
    assert line == line.strip()


def test_one_line_keeps_words_and_drops_what_steers_a_terminal() -> None:
    assert one_line("a\x1b[31m b\nc\td\u202eEVIL") == "a [31m b c d EVIL"
    assert one_line("x" * 300) == "x" * 199 + "…"
    assert one_line("x" * 200) == "x" * 200


def test_every_class_has_the_exit_code_of_the_contract() -> None:
    wanted = {"UsageError": 2, "ReadError": 1, "DataError": 1, "ModelError": 3, "MissingExtra": 4}
    for cls in CLASSES[1:]:
        root = next(c.__name__ for c in cls.__mro__ if c.__name__ in wanted)
        assert cls.exit_code == wanted[root], cls
        assert 400 <= cls.status < 600, cls


def test_the_codes_of_reading_are_those_of_the_contract_and_differ() -> None:
    leaves = [c for c in CLASSES if issubclass(c, ReadError) and c is not ReadError]
    assert sorted(c.code for c in leaves) == sorted(CODES.split())
    assert all(c("why").to_dict() == {"code": c.code, "detail": "why"} for c in leaves)
    assert ReadError("why").to_dict()["code"] in CODES.split()


def test_the_docstring_draws_every_class() -> None:
    drawn = set(re.findall(r"\b[A-Z]\w+\b", errors.__doc__.split("\n", 2)[2]))  # type: ignore[union-attr]
    assert {c.__name__ for c in CLASSES} <= drawn


def test_a_usage_error_is_a_value_error_and_a_missing_extra_says_what_to_type() -> None:
    assert issubclass(errors.UsageError, ValueError)
    error = MissingExtra("inkdigits train", "train")
    assert str(error) == 'inkdigits train needs the extra "train"; type: pip install "inkdigits[train]", or ".[train]" in a clone'
    assert error.exit_code == 4


@pytest.mark.parametrize("cls", [c for c in CLASSES if c is not MissingExtra])
def test_a_reason_with_newlines_becomes_one_line(cls: type[InkdigitsError]) -> None:
    assert str(cls("one\ntwo")) == "one two"


def test_a_reason_names_its_file_once() -> None:
    assert about("a.jpg", "it is empty") == "a.jpg: it is empty"
    assert about("a.jpg", "a.jpg: it is empty") == "a.jpg: it is empty"
    assert about("a\n.jpg", "it is\tempty") == "a .jpg: it is empty"
