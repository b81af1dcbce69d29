"""Entries of a table come in, one HTML page comes out: doubtful numbers first, each beside its crop, to be accepted or corrected.

The page asks nothing of the internet and forbids itself all but its own style, script and pictures. A stranger's text stands in it as JSON
without a `<`, and is shown as text.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any, BinaryIO

from .crops import Crop
from .files import replacing, safe_name
from .tables import COLUMNS, Entry, Row

ENTRIES, ABOUT, POLICY = "<!-- entries -->", "<!-- about -->", "<!-- policy -->"  # what the template leaves open


@contextmanager
def open_review(path: str | os.PathLike[str]) -> Iterator[Review]:
    """Give a page to add entries to; when the block ends well it stands at `path`, else all is as before.

    Raises:
        OSError: the place cannot be written to (before anything is added), or the disk is full.
    """
    template = (resources.files(__package__) / "templates" / "review.html").read_text("utf-8")
    before, after = template.replace(POLICY, policy(template)).split(ENTRIES)
    with replacing(path) as beside, beside.open("wb") as out:
        out.write(before.encode())
        review = Review(out)
        yield review
        # the page that saves is found again by what stands on it, and its table is called as the page is
        about = {"id": review.digest(), "name": f"{safe_name(Path(path).stem)}.csv", "columns": COLUMNS}
        out.write(after.replace(ABOUT, embedded(about)).encode())


class Review:
    """A page under way, made by `open_review`."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._hash = hashlib.sha256()

    def add(self, entry: Entry) -> None:
        """Write the rows of one page."""
        said = {
            "file": entry.file,
            "page": entry.page,
            "failed": entry.failed,
            "crop": _picture(entry.crop),
            "rows": [_row(row) for row in entry.rows],
        }
        line = f"{embedded(said)}\n".encode()
        self._hash.update(line)
        self._out.write(line)

    def digest(self) -> str:
        """Return what tells these entries from all others."""
        return self._hash.hexdigest()


def _row(row: Row) -> dict[str, Any]:
    return {
        "line": row.line,
        "position": row.position,
        "text": row.text,
        "guess": row.guess,
        "confidence": row.confidence,
        "check": row.check,
        "remark": row.remark,
        "crop": _picture(row.crop),
        "place": row.place,
    }


def _picture(crop: Crop | None) -> dict[str, Any] | None:
    return crop and {"jpeg": base64.b64encode(crop.jpeg).decode(), "width": crop.width, "height": crop.height}


def embedded(value: Any) -> str:
    """Return JSON that may stand in a page: nothing in it ends the element or begins another."""
    return json.dumps(value, allow_nan=False).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def policy(template: str) -> str:
    """Return the content security policy that lets this style and this script act, and nothing else."""
    digests = {}
    for kind in ("style", "script"):
        found = re.search(f"<{kind}>(.*?)</{kind}>", template, re.DOTALL)
        digests[kind] = base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode() if found else ""
    sources = "; ".join(f"{kind}-src 'sha256-{digest}'" for kind, digest in digests.items())
    return f"default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; {sources}"
