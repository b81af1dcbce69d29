"""The files of the package come in; the README's tree of them comes out, so that it cannot fall behind.

    python scripts/document_tree.py

A file's comment, once it is there, is kept and may be rewritten by hand. A new file gets the first words of its docstring. A file that is
gone goes.
"""

import ast
import re
from pathlib import Path

from inkdigits.files import write_text

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
FIRST = "    src/inkdigits/\n"
COLUMN = 32  # where the comments begin
LONGEST = 140  # of a line


def entries(folder: Path, depth: int = 1) -> list[tuple[int, str, Path]]:
    """Return (depth, name, path) of all that is in a folder of the package: its own files first, then its folders."""
    found: list[tuple[int, str, Path]] = []
    inside = [p for p in folder.iterdir() if p.name != "__pycache__" and not p.name.startswith(".")]
    for path in sorted(inside, key=lambda p: (p.is_dir(), p.name)):
        found.append((depth, path.name + "/" * path.is_dir(), path))
        if path.is_dir():
            found += entries(path, depth + 1)
    return found


def comment(path: Path) -> str:
    """Return what a new file says of itself."""
    if path.suffix != ".py":
        return "…"
    words = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "…").split("\n")[0].rstrip(".")
    return words if len(words) <= LONGEST - COLUMN else words[: LONGEST - COLUMN - 1].rsplit(" ", 1)[0] + "…"


def kept(tree: str) -> dict[str, str]:
    """Return the comments that a tree has, by path below the package."""
    comments: dict[str, str] = {}
    folders: list[str] = []
    for line in tree.splitlines()[1:]:
        found = re.match(r"( +)(\S+) *(.*)", line)
        if found:
            folders = [*folders[: len(found[1]) // 2 - 3], found[2].rstrip("/")]
            comments["/".join(folders)] = found[3]
    return comments


def refreshed(readme: str) -> str:
    """Return the README with its tree made anew."""
    start = readme.index(FIRST)
    tree = readme[start:].split("\n\n", 1)[0]
    known = kept(tree)
    package = ROOT / "src" / "inkdigits"
    lines = [FIRST.rstrip("\n")]
    for depth, name, path in entries(package):
        said = known.get(path.relative_to(package).as_posix()) or ("" if path.is_dir() else comment(path))
        lines.append(f"{'  ' * (depth + 2)}{name}".ljust(COLUMN) + f" {said}")
    return readme[:start] + "\n".join(line.rstrip() for line in lines) + readme[start + len(tree) :]


def main() -> None:
    """Bring the README's tree up to date."""
    readme = README.read_text("utf-8")
    new = refreshed(readme)
    if new != readme:
        write_text(README, new)
    print(f"{README.name}: {'brought up to date' if new != readme else 'was up to date'}")


if __name__ == "__main__":
    main()
