"""The commands that say how far an answer, or a label, is to be trusted: calibrate, audit."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ..labelled import Answers, Labelled

LEARNERS = 7  # that are asked about MNIST's test set besides the weights


def add_commands(app: typer.Typer) -> None:
    """Add `calibrate` and `audit` to `app`."""
    app.command("calibrate")(calibrate)
    app.command("audit")(audit)


def calibrate(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="Labelled pictures: labels.csv (file,label, or file,text for pages), or a sub-folder a digit."),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE.json", help="Where to write the promise.")] = Path("promise.json"),
    model: Annotated[
        str | None, typer.Option("--model", help="reader, mnist, or an .onnx that `inkdigits export` wrote.  [default: reader]")
    ] = None,
) -> int:
    """Tell what error rates can be promised for pictures like yours; `read --promise FILE --max-error P` keeps the promise."""
    from ..calibrating import describe, make_promises, missing_digits
    from ..errors import one_line
    from ..files import write_json
    from ..reader import Reader

    promises, failures = make_promises(folder, Reader.load(model))
    write_json(out, promises.to_dict())
    print(describe(promises))
    print(f"{one_line(str(out))}: to be kept by inkdigits read --promise {one_line(str(out))} --max-error P")
    if missing := missing_digits(folder):
        _tell(f"no label has {', '.join(map(str, missing))}: the promise says nothing of such digits")
    return _complain(failures)


def audit(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="mnist (its test set), mnist-train, a folder of labelled single digits, or an .npz file.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to write the page to judge on; with --apply, the corrected .csv or .npz.")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", help="reader, mnist, or an .onnx: who is asked; several by several flags.  [default: reader]"),
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(
            min=2, max=20, help="Ask networks that learn here, each from all but one of so many parts.  [default: 5 for mnist-train]"
        ),
    ] = None,
    learners: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=20,
            help="Ask so many small networks besides, which learn from MNIST's training digits: half a minute each.  "
            "[default: 7 for mnist, else 0]",
        ),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="How many labels are put up for judgement.")] = 100,
    apply: Annotated[Path | None, typer.Option(metavar="VERDICTS.json", help="What the page saved: write the labels put right.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Tell which labels look wrong, by the confidence of networks that never saw them."""
    from ..audit import audit as judge
    from ..court import read_verdicts, write_corrected, write_court
    from ..errors import UsageError, one_line
    from ..labelled import load_labelled

    if folds and model:
        raise UsageError("--model and --folds do not go together: ask networks that are there, or ones that learn here")
    if learners and (folds or data == "mnist-train"):
        raise UsageError("--learners know MNIST's training digits by heart, and do not go together with --folds")
    if apply and not out:
        raise UsageError("--apply needs --out: a .csv file, or an .npz file for glyphs")
    labelled = load_labelled(data)
    if apply and out:
        changed, left_out = write_corrected(out, labelled, read_verdicts(apply, labelled))
        print(f"{one_line(str(out))}: {len(labelled.labels) - left_out:,} labels, {changed:,} of them changed; {left_out:,} left out")
        return 0
    start = time.perf_counter()
    if data == "mnist-train" and not model:
        folds = folds or 5  # the weights of the package learned from these labels
    if learners is None:
        learners = _usual_learners() if labelled.is_mnist_test and not (model or folds) else 0
    models = model or ["reader"]
    answers = _cross_validated(labelled, folds) if folds else _asked(labelled, models, learners)
    found = judge(answers.labels, answers.probabilities)
    places = found.order[:top].tolist()
    doubtful = found.is_doubted[places]
    by = f"{folds} networks that learned from the other {folds - 1} parts" if folds else " and ".join(models)
    by += f" and {learners} networks that learned from MNIST" if learners else ""
    answer = {"data": data, "n": len(found.labels), "by": by, "suspicious": int(found.is_suspicious.sum())}
    answer |= {"doubted": int(found.is_doubted.sum()), "unlikely": int(found.is_unlikely.sum())}
    answer |= {"estimated_wrong": round(found.estimated_wrong, 1), "labels": [{"file": answers.names[i]} | found.tell(i) for i in places]}
    answer |= {"seconds": round(time.perf_counter() - start, 3), "unreadable": len(answers.failures)}
    if out:
        write_court(out, labelled, answers, found, places)
    print(json.dumps(answer, ensure_ascii=False) if as_json else _described(answer, doubtful.tolist(), found.describe(), out))
    return _complain(answers.failures)


def _asked(labelled: Labelled, models: list[str], learners: int) -> Answers:
    """Return what models, and networks that learn from MNIST, say together: none of them ever saw these labels."""
    from ..audit import pool
    from ..classify import Classifier
    from ..labelled import answer

    answers = [answer(labelled, Classifier.load(model)) for model in models]
    probabilities: list[Any] = [a.probabilities for a in answers]
    if learners:
        _need_training()
        from ..train.committee import ask_committee

        probabilities += ask_committee(_glyphs(answers[0]), learners, tell=_tell)
    return replace(answers[0], probabilities=pool(probabilities).astype("float32"))


def _cross_validated(labelled: Labelled, folds: int) -> Answers:
    """Return the answers of networks that learn here, each of them to pictures that it did not learn from."""
    from ..classify import Classifier
    from ..labelled import Answers, answer

    _need_training()
    from ..train.folds import cross_validate

    if labelled.glyphs is not None:
        p = cross_validate(labelled.glyphs, labelled.labels, folds, tell=_tell)
        return Answers(labelled.labels, p, p.max(axis=1), labelled.names_or_places(), list(labelled.glyphs), [])
    answers = answer(labelled, Classifier.load())  # it reads the pictures; what is learned from are the glyphs in them
    return replace(answers, probabilities=cross_validate(_glyphs(answers), answers.labels, folds, tell=_tell))


def _usual_learners() -> int:
    """Return how many networks learn where nobody said: the weights of the package alone believe too much."""
    if _can_train():
        return LEARNERS
    from ..errors import install_hint

    _tell(f"reader is asked alone; with small networks besides more is found: {install_hint('train')}")
    return 0


def _can_train() -> bool:
    from importlib.util import find_spec

    return all(find_spec(module) is not None for module in ("keras", "sklearn"))


def _need_training() -> None:
    from ..errors import MissingExtra

    if not _can_train():
        raise MissingExtra("networks that learn here", "train")


def _glyphs(answers: Answers) -> Any:
    """Return what was asked about: uint8 of shape (n, 28, 28)."""
    import numpy as np

    return np.stack([answers.glyph(i) for i in range(len(answers.labels))])


def _tell(line: str) -> None:
    print(f"inkdigits: {line}", file=sys.stderr)


def _described(answer: dict[str, Any], doubtful: list[bool], said: str, out: Path | None) -> str:
    """Return what was found for a person to read; labels that no other digit outdoes are not named."""
    from itertools import compress

    from ..errors import one_line

    lines = [f"{one_line(answer['data'])}, by {answer['by']}: {said}"]
    shown = list(compress(answer["labels"], doubtful))[:10]
    lines += [
        f"  {one_line(row['file'])}: label {row['label']}, perhaps {row['suggestion']} (probability of the label {row['probability']:.3f})"
        for row in shown
    ]
    if out is not None:
        lines.append(f"{one_line(str(out))}: the {len(answer['labels']):,} most suspicious, to be judged in a browser; then:")
        lines.append(f"inkdigits audit {one_line(answer['data'])} --apply VERDICTS.json --out labels.csv")
    return "\n".join(lines)


def _complain(failures: list[tuple[str, str]]) -> int:
    """Tell which files could not be read, and return the exit code."""
    from ..errors import about

    for file, reason in failures:
        print(f"inkdigits: {about(file, reason)}", file=sys.stderr)
    return 1 if failures else 0
