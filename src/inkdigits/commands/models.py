"""The commands that put a trained network to work: evaluate, predict, export."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ..comparison import Comparison
    from ..evaluate import Evaluation
    from ..reader import Reader

Model = Annotated[str, typer.Argument(metavar="MODEL", help="A run folder, a .keras or .onnx file, reader, or mnist.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
PARITY_GLYPHS = 1000  # pictures an exported model is compared with Keras on


def add_commands(app: typer.Typer) -> None:
    """Add `evaluate`, `predict` and `export` to `app`."""
    app.command("evaluate")(evaluate)
    app.command("predict")(predict)
    app.command("export")(export)


def evaluate(
    model: Model,
    data: Annotated[
        str,
        typer.Option(
            help="mnist (its test set), mnist-train, a folder with labels.csv or a sub-folder a class, or an .npz file with x and y."
        ),
    ] = "mnist",
    as_json: AsJson = False,
    report: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Write a page with the figures and every mistake.")] = None,
    against: Annotated[str | None, typer.Option(metavar="MODEL", help="Another model to compare with, on the same pictures.")] = None,
) -> int:
    """Tell how well a model reads labelled digits."""
    from .. import evaluate as judge
    from ..comparison import Comparison
    from ..labelled import answer as ask
    from ..labelled import load_labelled

    labelled = load_labelled(data)
    classifier = _opened(model)
    start = time.perf_counter()
    answers = ask(labelled, classifier)
    seconds = time.perf_counter() - start
    evaluation = judge.evaluate(answers.labels, answers.probabilities, answers.confidence)
    corrected = evaluation.corrected() if labelled.is_mnist_test else None
    found = evaluation.to_dict()
    answer = {"model": model, "data": data} | {key: found.pop(key) for key in ("n", "correct", "accuracy", "interval")}
    answer |= {"accuracy_corrected": None if corrected is None else corrected.accuracy} | found
    answer |= {
        "corrected": None if corrected is None else {key: corrected.to_dict()[key] for key in ("n", "correct", "accuracy", "interval")}
    }
    bars = {"constant": evaluation.constant(), "uncalibrated": evaluation.uncalibrated(float(classifier.meta.get("temperature", 1)))}
    answer |= {name: {"nll": bar.nll, "brier": bar.brier} for name, bar in bars.items()}
    answer |= {"seconds": round(seconds, 3), "unreadable": len(answers.failures)}
    comparison = None
    if against is not None:
        others = ask(labelled, _opened(against))
        comparison = Comparison(evaluation, judge.evaluate(others.labels, others.probabilities, others.confidence))
        answer["against"] = {"model": against} | comparison.to_dict()
    if report is not None:
        from ..evaluation_report import write_report

        write_report(report, answer, evaluation, answers, classifier, comparison)
    print(json.dumps(answer, ensure_ascii=False) if as_json else _described(answer, evaluation, answers.names, comparison))
    if report is not None and not as_json:
        many = len(evaluation.mistakes)
        print(f"{_shown(str(report))}: the figures and {many:,} mistake{'s' * (many != 1)}, to be looked at in a browser")
    if evaluation.caution:
        print(f"inkdigits: {evaluation.caution}", file=sys.stderr)
    for file, reason in answers.failures:
        _complain(file, reason)
    return 1 if answers.failures else 0


def predict(
    model: Model,
    pictures: Annotated[list[str], typer.Argument(metavar="PICTURE…", help="Pictures that hold one digit each; - is standard input.")],
    as_json: AsJson = False,
) -> int:
    """Tell which digit each picture shows, with a network of yours; `read` reads whole pages."""
    from ..errors import ReadError
    from ..reader import Reader

    reader = Reader(_opened(model))
    failed = False
    for file in pictures:
        try:
            row = {"file": file} | _prediction(reader, file)
        except ReadError as error:
            failed = True
            if not as_json:
                _complain(file, error)
                continue
            row = {"file": file, "error": error.to_dict()}
        print(json.dumps(row, ensure_ascii=False) if as_json else f"{_shown(file)}: {row['value']} ({row['confidence']:.4f})", flush=True)
    return 1 if failed else 0


def export(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run folder that `train` left, or a .keras file.", show_default=False)],
    out: Annotated[Path, typer.Option(metavar="FILE.onnx", help="Where to write the model.")],
    int8: Annotated[
        bool, typer.Option("--int8", help="Weights and activations in eight bits: a quarter of the size, a little less exact.")
    ] = False,
) -> None:
    """Make of a run of yours a model that `--model` takes: one small file that needs no Keras."""
    _need_training()
    from ..mnist import load_data
    from ..train.export import export as write
    from ..train.export import parity
    from ..train.load import load_model

    path = write(run, out, int8=int8)
    (x_train, _), _ = load_data()
    found = parity(load_model(run), path.read_bytes(), x_train[-PARITY_GLYPHS:])
    print(
        f"{_shown(str(path))}: {path.stat().st_size / 1000:.0f} kB; answers as Keras does on {found.same} of {found.n} pictures "
        f"(probabilities differ by at most {found.difference:.1g})"
    )


def _opened(model: str) -> Any:
    """Return the classifier of any kind of model, without importing Keras where ONNX Runtime is enough."""
    from ..classify import Classifier
    from ..errors import ModelError

    is_named = model in ("reader", "mnist")
    if not is_named and not Path(model).exists():
        raise ModelError(f"no such model: {model}; expected reader, mnist, a run folder, or the path of a .keras or .onnx file")
    is_keras = not is_named and (Path(model).suffix in (".keras", ".h5", ".hdf5") or Path(model).is_dir())
    if not is_keras:
        return Classifier.load(model)
    _need_training()
    from ..train.load import open_classifier

    return open_classifier(model)


def _need_training() -> None:
    from importlib.util import find_spec

    from ..errors import MissingExtra

    for module in ("keras", "onnx"):
        if find_spec(module) is None:
            raise MissingExtra("a network in Keras's form", "train")


def _prediction(reader: Reader, file: str) -> dict[str, Any]:
    """Return value, confidence and probabilities of the digit in one picture."""
    from ..errors import Unsupported

    page = reader.read(sys.stdin.buffer if file == "-" else file, single=True, threshold=0)
    if not page.numbers:
        raise Unsupported("the picture is blank: no ink was found")
    digit = page.numbers[0].digits[0]
    return {"value": digit.value, "confidence": digit.confidence, "probabilities": [p for _, p in sorted(digit.alternatives)]}


def _described(answer: dict[str, Any], evaluation: Evaluation, names: list[str], comparison: Comparison | None) -> str:
    """Return the figures for a person to read."""
    low, high = answer["interval"]
    lines = [
        f"{answer['model']} on {answer['data']}: {answer['correct']:,} of {answer['n']:,} right, "
        f"{answer['accuracy']:.2%} (95 % interval {low:.2%} to {high:.2%})"
    ]
    if answer["corrected"] is not None:
        low, high = answer["corrected"]["interval"]
        lines.append(
            f"with MNIST's ten wrong labels put right and five unclear ones left out: {answer['corrected']['correct']:,} of "
            f"{answer['corrected']['n']:,}, {answer['accuracy_corrected']:.2%} ({low:.2%} to {high:.2%})"
        )
    low, high = answer["intervals"]["ece"]
    lines.append(
        f"calibration: NLL {answer['nll']:.4f}, Brier {answer['brier']:.4f}, ECE {answer['ece']:.3%} "
        f"(15 bins of equal mass; 95 % interval {low:.3%} to {high:.3%})"
    )
    for name, said in (("constant", "were all answers equally sure"), ("uncalibrated", "uncalibrated")):
        lines.append(f"  {said}: NLL {answer[name]['nll']:.4f}, Brier {answer[name]['brier']:.4f}")
    if answer["auroc"] is not None:
        lines.append(f"right told from wrong by confidence: AUROC {answer['auroc']:.4f}")
    if comparison is not None:
        lines.append(f"beside {answer['against']['model']}: {comparison.describe()}")
    worst = evaluation.mistakes[:5]
    if len(worst):
        shown = (
            f"{_shown(names[i])} ({evaluation.labels[i]} read as {evaluation.predictions[i]}, {evaluation.confidence[i]:.3f})"
            for i in worst
        )
        lines.append("most confident mistakes: " + "; ".join(shown))
    lines.append(f"{answer['n'] / max(answer['seconds'], 1e-9):,.0f} pictures a second")
    return "\n".join(lines)


def _shown(name: str) -> str:
    """Return a file's name as one printable line: it may come from anywhere."""
    from ..errors import one_line

    return one_line(name)


def _complain(file: str, reason: object) -> None:
    from ..errors import about

    print(f"inkdigits: {about(file, reason)}", file=sys.stderr)
