"""Steps and their results come in; a terminal shows them: texts, tables, pictures as text, and where the files lie."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from rich import box
from rich.console import Console
from rich.markdown import Markdown
from rich.rule import Rule
from rich.table import Table as RichTable
from rich.text import Text

from ..report import Table
from ..textart import PLAIN_SHADES, SHADES
from .chapter import Chapter
from .steps import Step, for_reading

WIDTH = 100  # characters; longer lines are hard to read


class Teller:
    """Tells the lesson in a terminal, on standard output."""

    def __init__(self, file: TextIO | None = None) -> None:
        """Tell on `file`, by default standard output."""
        stream = file or sys.stdout
        if isinstance(stream, io.TextIOWrapper):  # a terminal that lacks a sign shows `?` for it, and the lesson goes on
            stream.reconfigure(errors="replace")
        # told to a file or a pipe, rich would take 80 columns
        self.console = Console(file=stream, highlight=False, soft_wrap=False)
        self.console.width = min(self.console.width, WIDTH) if self.console.is_terminal else WIDTH

    def say(self, text: str) -> None:
        """Tell a text in Markdown."""
        self.console.print(self._markdown(text))
        self.console.print()

    def begin(self, step: Step) -> None:
        """Tell what is to be done, and why."""
        self.console.print(Rule(Text(step.heading, style="bold"), align="left", style="cyan"))
        self.console.print()
        self.say(for_reading(step.text))

    def end(self, chapter: Chapter, paths: Sequence[Path]) -> None:
        """Tell what came out, and where its pictures lie."""
        for table in chapter.all_tables():
            self.console.print(self._table(table))
            self.console.print()
        for note in chapter.notes:
            self.console.print(Text(note))
            self.console.print()
        for art in chapter.art:
            self.console.print(Text(self._readable(art)), no_wrap=True, crop=True)
            self.console.print()
        if chapter.step.after:
            self.say(chapter.step.after)
        for path in paths:
            self.console.print(Text(f"picture: {path}"), soft_wrap=True)
        if paths:
            self.console.print()

    def _markdown(self, text: str) -> Markdown:
        return Markdown(text, code_theme="ansi_dark", hyperlinks=False)

    def _table(self, table: Table) -> RichTable:
        shown = RichTable(box=box.SIMPLE_HEAD, caption=table.caption or None, caption_justify="left", header_style="bold")
        for i, head in enumerate(table.head):
            shown.add_column(Text(str(head)), overflow="fold", style="" if i else "cyan")
        for row in table.rows:
            shown.add_row(*(Text(str(cell)) for cell in row))
        return shown

    def _readable(self, art: str) -> str:
        """Return a picture in characters that this terminal knows."""
        try:
            art.encode(self.console.encoding)
        except UnicodeEncodeError:
            return art.translate(str.maketrans(SHADES, PLAIN_SHADES))
        return art
