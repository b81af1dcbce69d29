"""Every ceiling in one place: how much of a stranger's input is looked at before it is refused."""

from __future__ import annotations

from dataclasses import dataclass, fields

from .errors import UsageError


@dataclass(frozen=True, slots=True)
class Limits:
    """Ceilings for one reading; all are inclusive.

    Attributes:
        max_bytes: size of a file, in bytes.
        max_pixels: decoded pixels (width × height); a larger JPEG is decoded smaller instead of being refused.
        max_header_pixels: pixels a header may claim before the picture is refused without decoding.
        max_side: longest side, in pixels.
        max_pages: pages of a TIFF or PDF.
        max_components: pieces of ink on a page.
        max_seconds: seconds one picture may take.
    """

    max_bytes: int = 50 * 2**20
    max_pixels: int = 64_000_000
    max_header_pixels: int = 250_000_000
    max_side: int = 30_000
    max_pages: int = 500
    max_components: int = 2_000
    max_seconds: float = 10.0

    def __post_init__(self) -> None:
        """Refuse a ceiling that is not positive."""
        _check_positive(self)


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """Ceilings for a server, besides those of each reading; all are inclusive.

    Attributes:
        max_body: a picture sent in one request, in bytes.
        max_json: any other body, in bytes; parsed, JSON takes thirty times the room.
        max_reading: pictures read at once by `create_app`'s own threads.
        max_waiting: requests that wait for their turn; those beyond are told to come back later.
        max_seconds: seconds to receive one request, and seconds to wait for and to do its work.
        max_connections: connections open at once.
        max_collected: files that corrections may leave in the folder of `--collect`.
    """

    max_body: int = 20 * 2**20
    max_json: int = 8 * 2**20
    max_reading: int = 2
    max_waiting: int = 8
    max_seconds: float = 10.0
    max_connections: int = 500
    max_collected: int = 100_000

    def __post_init__(self) -> None:
        """Refuse a ceiling that is not positive."""
        _check_positive(self)


def _check_positive(limits: Limits | ServerLimits) -> None:
    for field in fields(limits):
        if not getattr(limits, field.name) > 0:
            raise UsageError(f"limit {field.name} must be positive, got {getattr(limits, field.name)!r}")
