"""A folder of labelled pictures and a reader come in; what can be promised for pictures like those comes out."""

from __future__ import annotations

from pathlib import Path
from random import Random

from .drift import Reference, choose_signs, make_reference, measure_signs
from .errors import DataError, ReadError
from .evaluate import DIGITS
from .labelled import answer, load_labelled, load_page_texts
from .page_accuracy import judge_by_text
from .promises import SUBJECTS, SURE, Promise, Promises, identity, make_promise
from .reader import Reader

RATES = (0.05, 0.02, 0.01, 0.005, 0.003, 0.001)  # that a table of promises tells

Failures = list[tuple[str, str]]


def make_promises(folder: str | Path, reader: Reader) -> tuple[Promises, Failures]:
    """Return the promises that the labelled pictures of a folder support, and (file, reason) of those that cannot be read.

    Args:
        folder: pictures of one digit with `labels.csv` (`file,label`) or in a sub-folder a class; or pages with `labels.csv` (`file,text`).
        reader: what is going to read pictures like these.

    Raises:
        DataError: the folder holds no labelled pictures, or none that can be read.
    """
    pages = load_page_texts(folder)
    by_subject, references, failures = _of_pages(Path(folder), pages, reader) if pages else _of_digits(folder, reader)
    meta = reader.classifier.meta
    count = next(iter(by_subject.values())).n
    return Promises(identity(meta), f"{count:,} labelled digits of {Path(folder).resolve().name}", by_subject, references), failures


def _of_digits(folder: str | Path, reader: Reader) -> tuple[dict[str, Promise], dict[str, Reference], Failures]:
    answers = answer(load_labelled(folder), reader.classifier, reader.limits)
    right = answers.probabilities.argmax(axis=1) == answers.labels
    signs = [measure_signs(float(confidence), answers.glyph(i)) for i, confidence in enumerate(answers.confidence)]
    return {"single": make_promise(answers.confidence, right)}, {"single": make_reference(signs)}, answers.failures


def _of_pages(folder: Path, pages: list[tuple[str, str]], reader: Reader) -> tuple[dict[str, Promise], dict[str, Reference], Failures]:
    outcomes: tuple[list[tuple[float, bool]], list[tuple[float, bool]]] = [], []
    signs, lot = [], Random(0)
    failures = []
    for file, text in pages:
        try:
            page = reader.read(folder / file, threshold=0)
        except ReadError as error:
            failures.append((file, str(error)))
            continue
        signs.append(choose_signs(page, lot))
        for kept, new in zip(outcomes, judge_by_text(page, text), strict=True):
            kept.extend(new)
    if not outcomes[0]:
        first = f"; the first: {failures[0][1]}" if failures else ""
        raise DataError(f"nothing was read on any of the {len(pages)} pages of {folder}{first}")
    by_subject = dict(zip(("digit", "number"), outcomes, strict=True))
    promises = {subject: make_promise(*zip(*kept, strict=True)) for subject, kept in by_subject.items() if kept}
    return promises, {"digit": make_reference(one for one in signs if one)}, failures


def missing_digits(folder: str | Path) -> list[int]:
    """Return the digits that no label, or no text of a page, of a folder has: a promise made on it says nothing of them."""
    pages = load_page_texts(folder)
    seen = {c for _, text in pages for c in text} if pages else set(map(str, load_labelled(folder).labels))
    return [digit for digit in range(DIGITS) if str(digit) not in seen]


def describe(promises: Promises) -> str:
    """Return a table for a person to read: what can be promised, and how much is then answered."""
    lines = []
    for subject, promise in promises.by_subject.items():
        right = promise.n - promise.wrong[0]
        lines.append(f"{promise.n:,} labelled {SUBJECTS[subject]}, {right:,} of them read right; with {SURE} (exact binomial test):")
        for rate in RATES:
            share = promise.coverage(rate)
            told = f"{share:.1%} answered" if share else f"cannot be promised: {promise.why_not(rate)}"
            lines.append(f"  at most {100 * rate:g} % wrong: {told}")
        if not promise.coverage(max(RATES)):
            least = promise.smallest()
            lines.append(f"  the least that can be promised: at most {100 * least:g} % wrong" if least < 1 else "  nothing can be promised")
    return "\n".join(lines)
