"""The command line comes in; the tables of flags in `docs/commands.md` come out, so that they cannot fall behind.

    python scripts/document_commands.py

Each command has a section `## NAME`, written by hand, with a pair of marks in it; what stands between the marks is made here.
"""

import inspect
import re
from pathlib import Path
from typing import Any

import typer

from inkdigits import cli
from inkdigits.files import write_text

PAGE = Path(__file__).parent.parent / "docs" / "commands.md"
BEGIN, END = "<!-- made by scripts/document_commands.py -->", "<!-- end -->"


def commands() -> dict[str, Any]:
    """Return every command by its name."""
    return dict(typer.main.get_command(cli.app).commands)  # type: ignore[attr-defined]


def table(command: Any) -> str:
    """Return a command's arguments and flags as a Markdown table."""
    rows = ["| argument or flag | what it does | default |", "|---|---|---|"]
    for parameter in command.params:
        names = " ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts) if name.startswith("-"))
        if not names:
            names = f"`{parameter.name.upper()}{'…' if parameter.nargs == -1 else ''}`"
        said = " ".join((parameter.help or "").replace("|", "\\|").split())
        said, _, told = said.removesuffix("]").partition(" [default: ")  # told in words where it is not a plain value
        rows.append(f"| {names} | {said} | {told or default(parameter)} |")
    return "\n".join(rows)


def default(parameter: Any) -> str:
    """Return a parameter's default for the table; nothing where there is none worth telling."""
    value = parameter.default
    if parameter.required:
        return "must be given"
    if value is None or value is False or value in ("", ()) or callable(value):
        return ""
    return f"`{getattr(value, 'value', value)}`"


def refreshed(page: str) -> str:
    """Return the page with every command's table made anew; a command without a section gets one at the end."""
    for name, command in commands().items():
        section = f"## {name}\n"
        if section not in page:
            page = f"{page.rstrip()}\n\n{section}\n{inspect.cleandoc(command.help or '')}\n\n{BEGIN}\n{END}\n"
        start = page.index(section)
        pattern = re.escape(BEGIN) + ".*?" + re.escape(END)
        fresh = f"{BEGIN}\n\n{table(command)}\n\n{END}"
        page = page[:start] + re.sub(pattern, lambda _, fresh=fresh: fresh, page[start:], count=1, flags=re.S)
    return page


def main() -> None:
    """Bring `docs/commands.md` up to date."""
    page = PAGE.read_text("utf-8")
    new = refreshed(page)
    if new != page:
        write_text(PAGE, new)
    print(f"{PAGE.name}: {'brought up to date' if new != page else 'was up to date'}")


if __name__ == "__main__":
    main()
