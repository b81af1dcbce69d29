"""What one step of the lesson gave: facts beside the lesson's figures, tables, notes and plots, ready for terminal and report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import textart
from ..files import write_bytes
from ..plots import to_bytes
from ..report import Picture, Table, embed_figure
from .steps import Step, for_reading

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Plot(NamedTuple):
    """A figure, the name of its file without suffix, what is to be seen in it, and how a report embeds it."""

    name: str
    figure: Figure
    caption: str
    form: Literal["png", "svg"] = "png"
    wide: bool = True


@dataclass(slots=True)
class Chapter:
    """One step with its results.

    Attributes:
        step: the step and its texts.
        facts: name, our result, and the lesson's figure ("" where it reports none).
        tables: further tables.
        notes: sentences about this run.
        plots: figures.
        art: pictures as text, for the terminal alone.
    """

    step: Step
    facts: list[tuple[str, str, str]] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    plots: list[Plot] = field(default_factory=list)
    art: list[str] = field(default_factory=list)

    def fact(self, name: str, here: object) -> None:
        """Add a result; the lesson's figure of the same name stands beside it."""
        self.facts.append((name, str(here), self.step.figures.get(name, "")))

    def sketch(self, title: str, picture: NDArray[np.uint8]) -> None:
        """Add a picture as text, under its title; empty lines around it are left out."""
        drawn = textart.draw(picture).strip("\n")
        self.art.append(f"{title}\n{drawn}")

    def fact_table(self) -> Table | None:
        """Return the facts as a table; None where there are none. The lesson's column is left out where it would be empty."""
        if not self.facts:
            return None
        if any(lesson for _, _, lesson in self.facts):
            return Table("", ("", "here", "the lesson"), [(name, here, lesson or "–") for name, here, lesson in self.facts])
        return Table("", ("", "here"), [(name, here) for name, here, _ in self.facts])

    def all_tables(self) -> Sequence[Table]:
        """Return the facts as a table, then the further tables."""
        facts = self.fact_table()
        return [*([facts] if facts else []), *self.tables]

    def write_plots(self, folder: Path) -> list[Path]:
        """Write every plot as a PNG into `folder` and return the paths."""
        return [write_bytes(folder / f"{self.step.key.zfill(2)}-{plot.name}.png", to_bytes(plot.figure)) for plot in self.plots]

    def for_report(self) -> dict[str, object]:
        """Return what the template of the report asks for."""
        pictures: list[Picture] = [embed_figure(plot.figure, plot.caption, plot.form, plot.wide) for plot in self.plots]
        text = for_reading(self.step.text)
        return {"step": self.step, "text": text, "tables": self.all_tables(), "notes": self.notes, "pictures": pictures}
