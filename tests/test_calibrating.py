"""`calibrate` and `read --max-error` as a user types them: promises for one's own pictures, kept, and refused where they can't be."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from inkdigits import Reader, cli, mnist
from inkdigits.calibrating import make_promises
from inkdigits.errors import DataError, ModelError, UsageError
from inkdigits.promises import Promises, make_promise
from inkdigits.synthetic import Hands, make_page

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def running(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.run([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return running


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader.load()


@pytest.fixture(scope="module")
def singles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seventy digits of people who trained nothing, a sub-folder a digit."""
    folder = tmp_path_factory.mktemp("own") / "digits"
    (x, y), _ = mnist.load_data()
    for i in range(50_000, 50_070):
        (folder / str(y[i])).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / str(y[i]) / f"{i}.png"), 255 - cv2.resize(x[i], (84, 84)))
    return folder


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pages with their text."""
    folder = tmp_path_factory.mktemp("pages")
    rows = ["file,text"]
    for i, text in enumerate(("20 71|438", "90.5 62")):
        picture, _ = make_page(text, seed=i, hands=Hands(split="validation", strokes=0), dirt="clean")
        cv2.imwrite(str(folder / f"{i}.png"), picture[..., ::-1])
        rows.append(f"{i}.png,{text}")
    (folder / "labels.csv").write_text("\n".join(rows))
    return folder


def test_a_promise_for_own_digits_is_made_and_kept(singles: Path, tmp_path: Path, run: Run) -> None:
    promise = tmp_path / "own.json"
    code, out, err = run("calibrate", singles, "--out", promise)
    assert code == 0 and not err
    assert (
        out.startswith("70 labelled pictures of one digit, ")
        and "read right; with 95 % confidence (exact binomial test):" in out
        and "at most 1 % wrong: cannot be promised: it takes at least 299 labelled answers, all of them right, and it was made on 70\n"
        in out
    )
    picture = next((singles / "7").iterdir())
    code, out, err = run("read", "--single", "--promise", promise, "--max-error", "0.2", picture)
    assert (code, out.strip()) == (0, "7")
    code, out, err = run("read", "--single", "--promise", promise, "--max-error", "0.001", picture)
    assert (code, out) == (2, "") and "takes at least 2,995 labelled answers" in err and err.count("\n") == 1
    code, out, err = run("read", "--promise", promise, "--max-error", "0.2", picture)
    assert code == 2 and "nothing is promised for digits on pages" in err


def test_two_pictures_promise_next_to_nothing_and_say_so(singles: Path, tmp_path: Path, run: Run) -> None:
    for digit in "17":
        (tmp_path / "two" / digit).mkdir(parents=True)
        (tmp_path / "two" / digit / "a.png").write_bytes(next((singles / digit).iterdir()).read_bytes())
    (tmp_path / "two" / "3").mkdir()  # a class without pictures
    code, out, err = run("calibrate", tmp_path / "two", "--out", tmp_path / "p.json")
    assert code == 0 and "it takes at least 59 labelled answers" in out and "the least that can be promised: at most 78 % wrong" in out
    assert err == "inkdigits: no label has 0, 2, 3, 4, 5, 6, 8, 9: the promise says nothing of such digits\n"


def test_a_promise_for_own_pages_counts_digits_and_numbers(pages: Path, reader: Reader) -> None:
    promises, failures = make_promises(pages, reader)
    assert failures == [] and set(promises.by_subject) == {"digit", "number"}
    assert promises.by_subject["digit"].n in range(10, 15)  # twelve, but for what is misread
    assert promises.by_subject["number"].n in range(4, 8)


def test_a_file_that_cannot_be_read_is_told_and_the_rest_counts(pages: Path, tmp_path: Path, run: Run) -> None:
    for path in pages.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "1.png").write_bytes(b"\x89PNG no more")
    code, out, err = run("calibrate", tmp_path, "--out", tmp_path / "p.json")
    assert code == 1 and "labelled digits on pages" in out and err.startswith("inkdigits: 1.png: ") and err.count("\n") == 1


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("file,text\n0.png,two\n", "expected numbers"),
        ("file,text\n../0.png,2\n", "inside the folder"),
        ("file,text\n", "holds no labelled pictures"),
        ("file,label\n0.png,12\n", "label 0–9"),
        ("", "holds no labelled pictures"),
    ],
)
def test_labels_that_make_no_sense(table: str, told: str, tmp_path: Path, reader: Reader) -> None:
    (tmp_path / "labels.csv").write_text(table)
    with pytest.raises(DataError, match=told):
        make_promises(tmp_path, reader)


def test_a_promise_of_other_weights_or_no_promise_is_refused(singles: Path, tmp_path: Path, reader: Reader) -> None:
    path = tmp_path / "p.json"
    path.write_text(json.dumps(make_promises(singles, reader)[0].to_dict()))
    assert Reader.load(promises=path).promises.by_subject["single"].n == 70
    with pytest.raises(ModelError, match="other weights"):
        Reader.load("mnist", promises=path)
    for content in ("{", "[]", "{}", '{"made_on": "x", "single": {"answered": [1]}}'):
        path.write_text(content)
        with pytest.raises(ModelError):
            Reader.load(promises=path)
    with pytest.raises(ModelError, match="cannot read"):
        Reader.load(promises=tmp_path / "none.json")


def test_the_largest_error_takes_the_place_of_the_threshold(reader: Reader) -> None:
    doubtful = make_promise(np.repeat([0.5, 0.9999], 500), np.repeat([False, True], 500))
    own = Reader(reader.classifier, promises=Promises("", "made", {"single": doubtful, "digit": doubtful, "number": doubtful}))
    assert own.check(max_error=0.02, single=True).least == pytest.approx(0.5, abs=0.1)
    settings = own.check(max_error=0.02, per="number")
    assert settings.least == 0 and settings.least_number == pytest.approx(0.5, abs=0.1)
    for wrong in ({"max_error": 0.02, "threshold": 0.5}, {"max_error": 0.02, "per": "page"}, {"max_error": 2}):
        with pytest.raises(UsageError):
            own.check(**wrong)


def test_per_number_all_digits_are_answered_or_none(reader: Reader) -> None:
    picture, _ = make_page("2071 438|56", seed=3, hands=Hands(split="validation", strokes=0), dirt="clean")
    every = reader.read(picture, threshold=0)
    confidences = sorted(n.confidence for n in every.numbers)
    assert len(confidences) == 3
    least = (confidences[0] + confidences[1]) / 2
    own = Reader(reader.classifier)
    own.check = lambda *_, **__: replace(reader.check(threshold=0), least_number=least)  # type: ignore[method-assign]
    texts = [n.text for n in own.read(picture).numbers]
    assert sum(set(text) == {"?"} for text in texts) == 1
    assert sum("?" not in text for text in texts) == 2
