"""One file to be read, or one file within an archive: what the plan lists, and what a reading process is given."""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass
from typing import Self

from ..errors import ReadError
from ..tables import shown


@dataclass(frozen=True, slots=True)
class Item:
    """What gives at least one row.

    Attributes:
        path: the file, as it was named or found.
        member: the name within an archive; None for a file that stands alone.
        place: of a member: which one of a zip, from 0, or where its header begins in a tar once it is unpacked.
        size: bytes of a member.
        error: code and reason of what could not even be listed; it becomes a row as it is.
    """

    path: str
    member: str | None = None
    place: int = 0
    size: int = 0
    error: tuple[str, str] | None = None

    @classmethod
    def failed(cls, path: str, error: ReadError) -> Self:
        """Return the item of what cannot be listed."""
        return cls(path, error=(error.code, str(error)))

    @property
    def name(self) -> str:
        """What stands in the column `file`: one line that every program can read."""
        return shown(self.path if self.member is None else f"{self.path}/{self.member}")

    def to_line(self) -> str:
        """Return the line of the plan."""
        return json.dumps(astuple(self), separators=(",", ":")) + "\n"

    @classmethod
    def from_line(cls, line: str | bytes) -> Self:
        """Return the item that `to_line` wrote."""
        path, member, place, size, error = json.loads(line)
        return cls(path, member, place, size, error and (error[0], error[1]))
