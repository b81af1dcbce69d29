"""The texts of the lesson come in from steps.toml, where they are kept once; its steps come out, for terminal, notebook and report."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Literal, NamedTuple

Kind = Literal["prose", "python", "notebook"]
# a fenced block of Python, with or without the word that keeps it to the notebook
_CELL = re.compile(r"^```python( notebook)?\n(.*?)^```$\n?", re.MULTILINE | re.DOTALL)


class Part(NamedTuple):
    """A piece of a text: prose in Markdown, Python for everybody, or Python for the notebook alone."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the lesson.

    Attributes:
        key: "1" to "16", and "8b".
        title: a few words.
        text: Markdown, read before the results are there.
        after: Markdown, read when they are; may be empty.
        figures: what the classic lesson reports, by name.
    """

    key: str
    title: str
    text: str
    after: str
    figures: Mapping[str, str]

    @property
    def heading(self) -> str:
        """The heading that all three forms of the lesson show."""
        return f"Step {self.key} · {self.title}"


@dataclass(frozen=True, slots=True)
class Lesson:
    """The whole lesson: what is said before the steps, the steps, and what is said after them."""

    intro: str
    steps: tuple[Step, ...]
    outro: str

    def __getitem__(self, key: str) -> Step:
        """Return the step with this key."""
        return next(step for step in self.steps if step.key == key)


@functools.cache
def load() -> Lesson:
    """Return the lesson's texts."""
    raw = tomllib.loads(resources.files(__package__).joinpath("steps.toml").read_text(encoding="utf-8"))
    steps = tuple(
        Step(s["key"], s["title"], s["text"].strip(), s.get("after", "").strip(), MappingProxyType(s.get("figures", {})))
        for s in raw["step"]
    )
    return Lesson(raw["intro"].strip(), steps, raw["outro"].strip())


def parts(text: str) -> Iterator[Part]:
    """Cut a text into prose and code, in order; empty prose is left out."""
    at = 0
    for cell in _CELL.finditer(text):
        yield from _prose(text[at : cell.start()])
        yield Part("notebook" if cell[1] else "python", cell[2].strip("\n"))
        at = cell.end()
    yield from _prose(text[at:])


def _prose(text: str) -> Iterator[Part]:
    if text.strip():
        yield Part("prose", text.strip())


def for_reading(text: str) -> str:
    """Return a text without the code that is meant for the notebook alone."""
    return "\n\n".join(
        f"```python\n{part.text}\n```" if part.kind == "python" else part.text for part in parts(text) if part.kind != "notebook"
    )
