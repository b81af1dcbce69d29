"""Build `notebooks/tutorial.ipynb` from the texts of the lesson, and run it so that it is committed with its outputs.

python scripts/build_notebook.py             build and run (about two minutes)
python scripts/build_notebook.py --check     say whether the committed notebook still has the texts and code of the lesson
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from inkdigits.train import steps

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "tutorial.ipynb"
COLOURS = re.compile(r"\x1b\[[0-9;]*m")  # of a terminal
TITLE = "# A network learns to read handwritten digits\n\n"


def build() -> NotebookNode:
    """Return the notebook, not yet run."""
    lesson = steps.load()
    cells = cells_of(TITLE + lesson.intro)
    for step in lesson.steps:
        cells += cells_of(f"## {step.heading}\n\n{step.text}")
        told = "".join(f"\n* {name}: **{value}**" for name, value in step.figures.items())
        if told:
            cells.append(new_markdown_cell("The lesson's figures, to compare with:\n" + told))
        if step.after:
            cells.append(new_markdown_cell(step.after))
    cells.append(new_markdown_cell("## And now?\n\n" + lesson.outro))
    for i, cell in enumerate(cells):
        cell.id = f"cell-{i}"  # ids are random otherwise, and every build would differ
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}, "language_info": {"name": "python"}}
    return new_notebook(cells=cells, metadata=kernel)


def cells_of(text: str) -> list[NotebookNode]:
    """Return the cells of one text: prose becomes Markdown cells, Python becomes code cells."""
    return [new_markdown_cell(part.text) if part.kind == "prose" else new_code_cell(part.text) for part in steps.parts(text)]


def run(notebook: NotebookNode, folder: Path) -> None:
    """Run all cells in `folder`, keeping what they print and draw, but nothing that tells of this computer or differs at every run."""
    NotebookClient(notebook, timeout=3600, coalesce_streams=True, resources={"metadata": {"path": str(folder)}}).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stderr":
                raise SystemExit(f"a cell wrote to standard error:\n{cell.source}\n{output.text}")
            if "text" in output:
                output.text = COLOURS.sub("", output.text)
            if "text/plain" in output.get("data", {}):
                output.data["text/plain"] = COLOURS.sub("", output.data["text/plain"])
    notebook.metadata["language_info"] = {"name": "python"}


def sources(notebook: NotebookNode) -> list[tuple[str, str]]:
    """Return kind and source of every cell."""
    return [(cell.cell_type, cell.source) for cell in notebook.cells]


def main() -> None:
    notebook = build()
    if "--check" in sys.argv[1:]:
        same = sources(notebook) == sources(nbformat.read(NOTEBOOK, as_version=4))
        raise SystemExit(None if same else f"{NOTEBOOK.name} is not what the lesson's texts make: run scripts/build_notebook.py")
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        run(notebook, Path(folder))
    nbformat.validate(notebook)
    NOTEBOOK.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    print(f"{NOTEBOOK.name}: {len(notebook.cells)} cells, {NOTEBOOK.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
