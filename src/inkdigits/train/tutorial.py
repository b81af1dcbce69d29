"""A folder comes in; the whole lesson is told, step by step, and its model, pictures and report are in the folder in the end."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

import keras
from PIL import Image

from .. import __version__, mnist, report
from ..errors import UsageError
from ..files import replacing
from . import lesson_answers as answers
from . import lesson_data as first_steps
from . import lesson_network as layers
from . import lesson_training as training
from . import own_digit, steps
from .chapter import Chapter
from .config import Config
from .fit import train
from .lesson_training import PLAY_PICTURES, PLAYED, Trained
from .load import load_model
from .networks import build, to_input
from .runs import Run
from .stopping import Stopped
from .watching import Watcher

DEFAULT_FOLDER = "lesson"
CONVNET_EPOCHS = 1  # enough to pass the dense network, and the whole lesson stays within minutes


class Listener(Protocol):
    """Whoever is told the lesson: a terminal, or nobody."""

    def say(self, text: str) -> None:
        """Is told a text in Markdown."""

    def begin(self, step: steps.Step) -> None:
        """Is told that a step begins."""

    def end(self, chapter: Chapter, paths: Sequence[Path]) -> None:
        """Is told what the step gave, and where its pictures lie."""


def choose_folder(out: Path | None) -> Path:
    """Return the folder for a lesson: `out`, or, when it is None, `lesson`, `lesson-2`, … , the first that is not taken.

    Raises:
        UsageError: `out` holds a lesson or a run already, or is a file.
    """
    if out is None:
        tried = (Path(DEFAULT_FOLDER + (f"-{i}" if i > 1 else "")) for i in range(1, 10_000))
        return next(path for path in tried if not path.exists())
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; --out must name a folder")
    Run(out).refuse_complete()
    return out


@dataclass
class Course:
    """The lesson under way.

    Attributes:
        out: where everything goes.
        config: of step 8b; step 8 differs in schedule and batch.
        data: as `mnist.load_data` returns it.
        listener: is told everything.
        watcher: is told how training goes.
    """

    out: Path
    config: Config
    data: first_steps.Data
    listener: Listener
    watcher: Watcher
    chapters: list[Chapter] = field(default_factory=list)
    plain: Trained = field(init=False)
    better: Trained = field(init=False)

    def add(self, chapter: Chapter) -> None:
        """Tell what a step gave, and keep it for the report."""
        paths = chapter.write_plots(self.out / "plots")
        self.chapters.append(chapter)
        self.listener.end(chapter, paths)

    def begin(self, key: str) -> steps.Step:
        """Tell that a step begins, and return it."""
        step = steps.load()[key]
        self.listener.begin(step)
        return step

    def trained(self, config: Config, name: str, pictures: int | None = None) -> Trained:
        """Train in the folder `name`, from its beginning, or from where an interrupted lesson left it."""
        folder = self.out / name
        run = Run(folder)
        if run.is_complete:
            metrics = run.read_metrics()
            if Config.from_dict(metrics) != config:
                raise UsageError(f"{folder} was made with other settings; use those, or choose another --out")
            return Trained.of(config, metrics, folder)
        (x, y), test = self.data
        metrics = train(config, folder, data=((x[:pictures], y[:pictures]), test), resume=run.checkpoint.exists(), watcher=self.watcher)
        return Trained.of(config, metrics, folder)

    @cached_property
    def network(self) -> Any:
        """The network of step 8b."""
        return load_model(self.out / "model.keras")

    def tested(self, network: Any) -> answers.Answers:
        """Return the test set as a network reads it."""
        x, y = self.data[1]
        values = first_steps.normalise(to_input(x, network.input_shape))
        return answers.Answers(x, y, network.predict(values, batch_size=1000, verbose=0))


def teach(
    out: Path,
    *,
    listener: Listener,
    epochs: int = 10,
    seed: int = 0,
    watcher: Watcher | None = None,
    data: first_steps.Data | None = None,
) -> dict[str, Any]:
    """Tell the whole lesson and return its metrics.

    Args:
        out: the folder; at the end `model.keras`, `history.csv`, `metrics.json`, `report.html`, `plots/`, `steps/` (single runs).
        listener: is told every step and what it gave.
        epochs: of steps 8 and 8b.
        seed: of everything that is left to chance.
        watcher: is told how training goes.
        data: as `mnist.load_data` returns it; None for MNIST. Its test set needs 100 pictures.

    Raises:
        UsageError: `out` holds a lesson already, or `epochs` or `seed` make no sense.
        train.stopping.Stopped: SIGINT or SIGTERM came; the same command goes on with the step under way.
        OSError: the disk is full, or `out` can't be written to.
    """
    began = perf_counter()
    config = Config.of("tutorial", epochs=epochs, seed=seed)
    choose_folder(out).mkdir(parents=True, exist_ok=True)
    course = Course(out, config, data or mnist.load_data(), listener, watcher or Watcher())
    try:
        _tell_all(course)
    except Stopped as stopped:  # its own advice is for a single run
        advice = f"inkdigits tutorial --epochs {epochs} --seed {seed} --out {out}"
        raise Stopped(f"interrupted; go on where it stopped with: {advice}", stopped.exit_code - 128) from stopped
    metrics = dict(course.better.metrics) | {"plain": dict(course.plain.metrics)}
    metrics["seconds"] = dict(metrics["seconds"]) | {"lesson": round(perf_counter() - began, 3)}
    write_report(course, metrics)
    Run(out).finish(metrics)  # last: it makes the lesson complete
    return metrics


def _tell_all(course: Course) -> None:
    course.listener.say(steps.load().intro)
    _tell_data(course)
    _tell_network(course)
    _tell_training(course)
    _tell_answers(course)
    _tell_more(course)
    course.listener.say(steps.load().outro)


def _tell_data(course: Course) -> None:
    chapters = {"1": first_steps.load_step, "2": first_steps.look_step, "3": first_steps.reshape_step, "4": first_steps.normalise_step}
    for key, chapter in chapters.items():
        course.add(chapter(course.begin(key), course.data))


def _tell_network(course: Course) -> None:
    keras.utils.set_random_seed(course.config.seed)
    course.add(layers.network_step(course.begin("5"), build("tutorial"), course.data[1][0][0]))
    course.add(layers.compile_step(course.begin("6")))
    course.add(layers.one_hot_step(course.begin("7"), build("tutorial"), course.data))


def _tell_training(course: Course) -> None:
    config, pictures = course.config, len(course.data[0][0])
    step = course.begin("8")
    plain = Config.of("tutorial", epochs=config.epochs, seed=config.seed, batch_size=128, schedule="constant")
    course.plain = course.trained(plain, "steps/8-plain")
    course.add(training.fit_step(step, course.plain, pictures))
    step = course.begin("8b")
    course.better = course.trained(config, "steps/8b-better")
    for name in ("model.keras", "history.csv"):
        with replacing(course.out / name) as beside:
            shutil.copyfile(course.out / "steps/8b-better" / name, beside)
    course.add(training.fit_better_step(step, course.better, course.plain, pictures))
    course.add(training.evaluate_step(course.begin("9"), course.better, course.plain))


def _tell_answers(course: Course) -> None:
    test = course.tested(course.network)
    plain = course.tested(load_model(course.out / "steps/8-plain"))
    course.add(answers.predict_step(course.begin("10"), test))
    course.add(answers.compare_step(course.begin("11"), test))
    course.add(answers.mistakes_step(course.begin("12"), test, plain))
    course.add(answers.save_step(course.begin("13"), course.out, test))


def _tell_more(course: Course) -> None:
    config = course.config
    step = course.begin("14")
    played = {
        name: course.trained(
            Config.of("tutorial", **({"epochs": training.PLAY_EPOCHS, "seed": config.seed} | changed)),
            f"steps/14-{name.replace(' ', '-')}",
            PLAY_PICTURES,
        )
        for name, changed in PLAYED.items()
    }
    course.add(training.play_step(step, played))
    step = course.begin("15")
    picture = own_digit.draw()
    with replacing(course.out / "own-digit.png") as beside:
        Image.fromarray(picture).save(beside)
    course.add(answers.own_digit_step(step, course.network, picture, own_digit.LABEL))
    step = course.begin("16")
    convnet = course.trained(Config.of("convnet", epochs=CONVNET_EPOCHS, seed=config.seed), "steps/16-convnet")
    course.add(training.convnet_step(step, convnet, course.better))


def write_report(course: Course, metrics: dict[str, Any]) -> Path:
    """Write `report.html`, the lesson in one file, and return its path."""
    lesson = steps.load()
    tiles = [
        (f"{metrics['test_accuracy']:.2%}", "of the test pictures read right; the lesson: 98.11%"),
        (f"{(1 - metrics['test_accuracy']) * len(course.data[1][1]):.0f}", f"mistakes in {len(course.data[1][1]):,} pictures"),
        (f"{metrics['seconds']['fit']:.0f} s", "of learning, on this computer"),
    ]
    versions = ", ".join(f"{name} {version}" for name, version in metrics.get("versions", {}).items())
    shown = {
        "network": metrics["network"],
        "parameters": f"{metrics['parameters']:,}",
        "epochs": metrics["epochs"],
        "batch size": metrics["batch_size"],
        "optimizer": metrics["optimizer"],
        "seed": metrics["seed"],
        "backend": metrics["backend"],
        "versions": versions,
        "command": f"inkdigits tutorial --epochs {metrics['epochs']} --seed {metrics['seed']}",
    }
    data = {
        "title": "A network learns to read handwritten digits",
        "version": __version__,
        "tiles": tiles,
        "intro": steps.for_reading(lesson.intro),
        "outro": lesson.outro,
        "chapters": [chapter.for_report() for chapter in course.chapters],
        "details": report.Table("How these results were made (step 8b).", ("", ""), list(shown.items())),
    }
    return report.write(course.out / "report.html", "lesson", data)
