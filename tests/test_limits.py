"""limits.py: the ceilings that are promised, and that a ceiling must be one."""

import dataclasses

import pytest

from inkdigits import Limits
from inkdigits.errors import UsageError


def test_the_defaults_are_the_promised_ceilings() -> None:
    limits = Limits()
    assert limits.max_bytes == 50 * 1024 * 1024
    assert limits.max_pixels == 64_000_000
    assert limits.max_header_pixels == 250_000_000
    assert limits.max_side == 30_000
    assert limits.max_pages == 500
    assert limits.max_components == 2_000
    assert limits.max_seconds == 10


@pytest.mark.parametrize("name", [f.name for f in dataclasses.fields(Limits)])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_a_ceiling_is_positive(name: str, value: float) -> None:
    with pytest.raises(UsageError, match=f"limit {name} must be positive, got"):
        Limits(**{name: value})
    assert getattr(Limits(**{name: 7}), name) == 7


def test_limits_cannot_be_changed_afterwards() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Limits().max_bytes = 1  # type: ignore[misc]
