"""Texts, tables and figures come in; one HTML file comes out that needs nothing beside itself: no network, no scripts, no other file.

The page forbids itself everything but its own style and pictures, and whatever is put into it is escaped: a hostile file name in a report
is text.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .errors import MissingExtra
from .files import write_text
from .plots import to_bytes

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.figure import Figure

MIME = {"png": "image/png", "svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture inside a report.

    Attributes:
        source: the picture itself as a `data:` address.
        caption: what is to be seen, one sentence; also read out to those who cannot see it.
        wide: whether it takes the whole width of the page.
    """

    source: str
    caption: str
    wide: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """A table inside a report: a caption, the head, and the rows; every cell is shown as text."""

    caption: str
    head: Sequence[object]
    rows: Sequence[Sequence[object]]


def embed(data: bytes, caption: str, form: Literal["png", "svg"] = "png", wide: bool = True) -> Picture:
    """Return the bytes of a PNG or SVG file as a picture of the report."""
    return Picture(f"data:{MIME[form]};base64,{base64.b64encode(data).decode()}", caption, wide)


def embed_figure(figure: Figure, caption: str, form: Literal["png", "svg"] = "svg", wide: bool = True) -> Picture:
    """Return a figure as a picture of the report; "svg" for lines and bars, "png" for galleries of pictures."""
    return embed(to_bytes(figure, form), caption, form, wide)


def render(template: str, data: Mapping[str, Any]) -> str:
    """Return the HTML page that a template makes of `data`.

    Args:
        template: name of a template of this package without its suffix, such as "lesson".
        data: what the template asks for. `Picture` and `Table` are shown as such, strings as text; `| markdown` in the template shows one
            as Markdown, in which HTML is text too.

    Raises:
        MissingExtra: Jinja2 is not installed.
    """
    try:
        import jinja2
    except ImportError as error:
        raise MissingExtra("a report", "report") from error
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("inkdigits", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["markdown"] = markdown
    return environment.get_template(f"{template}.html.j2").render(data)


def write(path: str | os.PathLike[str], template: str, data: Mapping[str, Any]) -> Path:
    """Write the page of `render` to `path`, whole or not at all, and return the path."""
    return write_text(path, render(template, data))


def markdown(text: str) -> Markup:
    """Return Markdown as HTML; HTML inside it is shown as text, and only links to http(s) addresses become links."""
    try:
        from markdown_it import MarkdownIt
        from markupsafe import Markup
    except ImportError as error:
        raise MissingExtra("a report", "report") from error
    return Markup(MarkdownIt("commonmark", {"html": False}).enable("table").render(text))
