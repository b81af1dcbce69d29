"""Drift: said seldom where nothing has changed, soon where pictures are spoilt, never where nothing is known; as `read` says it too."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest
from scipy import stats

from inkdigits import Classifier, Reader, cli, mnist
from inkdigits.calibrating import make_promises
from inkdigits.corruptions import corrupt
from inkdigits.drift import ODDS, SAMPLE, STRETCH, SUSPICIONS, Reference, Signs, Watch, choose_signs, make_reference, measure_signs
from inkdigits.errors import ModelError
from inkdigits.promises import Promises, identity

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


def look(glyphs: np.ndarray) -> list[Signs]:
    confidence = Classifier.load().confidence(glyphs)
    return [measure_signs(float(c), glyph) for c, glyph in zip(confidence, glyphs, strict=True)]


@pytest.fixture(scope="module")
def held() -> list[Signs]:
    """Signs of MNIST's last 10,000 training digits."""
    (x, _), _ = mnist.load_data()
    return look(x[-10_000:])


def highest(watch: Watch, signs: list[Signs]) -> float:
    """Return the highest capital on the way."""
    best = 0.0
    for one in signs:
        watch.see(one)
        best = max(best, watch.capital)
    return best


@pytest.mark.parametrize("streams", [200, pytest.param(3000, marks=pytest.mark.stress)])
def test_false_alarms_are_as_rare_as_is_said(streams: int, held: list[Signs]) -> None:
    """By Ville's inequality a capital reaches c in at most 1/c of all streams; here each has a reference of its own."""
    reached = []
    for seed in range(streams):
        drawn = Random(seed).sample(held, SAMPLE + 200)
        reached.append(highest(Watch(Reference(tuple(drawn[:SAMPLE])), seed), drawn[SAMPLE:]))
    for capital in (10, 100, ODDS):  # so many as chance passes once in a thousand times where exactly 1/c of the streams reach c
        assert sum(value >= capital for value in reached) <= stats.binom.isf(0.001, streams, 1 / capital)
    assert sum(value >= 3 for value in reached) > streams / 100  # it does wager


@pytest.mark.parametrize("pictures", [500, pytest.param(STRETCH, marks=pytest.mark.stress)])
def test_answers_that_are_equally_sure_raise_no_alarm_however_many(pictures: int) -> None:
    reached = 0
    for seed in range(20):
        lot = Random(seed)
        drawn = [Signs(lot.choice((0.0, 0.0, 0.1)), float(lot.choice((1, 2))), 0.5) for _ in range(SAMPLE + pictures)]
        reached += highest(Watch(Reference(tuple(drawn[:SAMPLE])), seed), drawn[SAMPLE:]) >= 50
    assert reached <= stats.binom.isf(0.001, 20, 1 / 50)


@pytest.mark.parametrize(("name", "within"), [("stripe", 20), ("zigzag", 40), ("spatter", 40), ("glass_blur", 40), ("dotted_line", 60)])
def test_spoilt_digits_are_found(name: str, within: int, held: list[Signs]) -> None:
    _, (x, _) = mnist.load_data()
    spoilt = look(corrupt(x[:within], name))
    for seed in range(5):
        assert highest(Watch(make_reference(held, seed), seed), spoilt) >= ODDS


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda x: cv2.dilate(x, np.ones((5, 5), np.uint8)), "strokes are thicker"),
        (lambda x: 255 * (cv2.erode(x, np.ones((2, 2), np.uint8)) > 127).astype(np.uint8), "strokes are thinner"),
        (lambda x: cv2.GaussianBlur(x, (0, 0), 1.2), "edges are softer"),
    ],
)
def test_strokes_of_another_kind_are_found_although_answers_are_sure(
    spoil: Callable[..., np.ndarray], said: str, held: list[Signs]
) -> None:
    _, (x, _) = mnist.load_data()
    watch = Watch(make_reference(held))
    answers = [watch.see(one._replace(doubt=0.0)) for one in look(np.stack([spoil(glyph) for glyph in x[:60]]))]
    told = [answer for answer in answers if answer]
    assert len(told) == 1 and said in told[0] and told[0].startswith("after ")


def test_what_is_surer_or_all_of_one_usual_kind_raises_no_alarm(held: list[Signs]) -> None:
    reference = make_reference(held)
    thick = sorted(held, key=lambda one: one.thickness)[-len(held) // 5 :]
    sure = [one._replace(doubt=0.0) for one in thick]  # the thickest fifth, and all of them sure
    for seed in range(20):
        assert highest(Watch(reference, seed), Random(seed).sample(sure, 1000)) < 20


def test_a_change_after_a_long_time_is_found_too_and_said_once_a_stretch(held: list[Signs]) -> None:
    watch = Watch(make_reference(held))
    usual = Random(1).sample(held, 3000)
    assert not any(watch.see(one) for one in usual)
    doubtful = [one._replace(doubt=0.9) for one in usual[:100]]
    assert sum(watch.see(one) is not None for one in doubtful) == 1 and watch.is_alarmed
    for one in (usual * 3)[: STRETCH - watch.seen]:
        assert watch.see(one) is None
    assert watch.see(usual[0]) is None and watch.seen == 1 and not watch.is_alarmed and watch.capital < 10


def test_the_same_pictures_give_the_same_answers_and_empty_ones_none(held: list[Signs]) -> None:
    first, second = Watch(make_reference(held), 3), Watch(make_reference(held), 3)
    assert highest(first, held[:200]) == highest(second, held[:200])
    assert first.see(None) is None and first.seen == 200


def test_signs_say_what_they_mean() -> None:
    square = np.zeros((28, 28), np.uint8)
    thin, thick = square.copy(), square.copy()
    thin[4:24, 13:15] = thick[4:24, 10:18] = 255
    assert measure_signs(0.9, thin).doubt == 0.1
    assert measure_signs(0.9, thin).thickness < measure_signs(0.9, thick).thickness
    assert measure_signs(0.9, thick).softness == 0 < measure_signs(0.9, cv2.GaussianBlur(thick, (0, 0), 2)).softness
    assert measure_signs(1.0, square) == Signs(0, 0, 0)
    assert {suspicion.sign for suspicion in SUSPICIONS} == set(Signs._fields)


def test_a_reference_goes_through_json_and_nonsense_does_not(held: list[Signs]) -> None:
    reference = make_reference(held)
    assert len(reference.samples) == SAMPLE
    kept = json.loads(json.dumps(reference.to_dict()))
    assert Reference.from_dict(kept) == reference
    for wrong in ({}, [], None, kept | {"doubt": "0.1"}, kept | {"doubt": "a"}, kept | {"doubt": "nan " * SAMPLE}, kept | {"doubt": [1]}):
        with pytest.raises(ModelError, match="no reference"):
            Reference.from_dict(wrong)
    with pytest.raises(ModelError):
        Promises._from_dict({"made_on": "x", "references": [1]})
    assert Promises._from_dict({"made_on": "x"}).watch() is None  # promises of before there were any


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A hundred digits of people who trained nothing, in a sub-folder a digit; and thirty others, plain and spoilt."""
    folder = tmp_path_factory.mktemp("drift")
    (x, y), _ = mnist.load_data()
    for i in range(50_000, 50_100):
        (folder / "own" / str(y[i])).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / "own" / str(y[i]) / f"{i}.png"), 255 - x[i])
    others = {"plain": x[50_100:50_130], "spoilt": corrupt(x[50_100:50_130], "stripe")}
    for name, glyphs in others.items():
        (folder / name).mkdir()
        for i, glyph in enumerate(glyphs):
            cv2.imwrite(str(folder / name / f"{i}.png"), 255 - glyph)
    return folder / "own", folder


def test_read_says_in_one_line_that_pictures_are_unlike_those_calibrated_on(own: tuple[Path, Path], tmp_path: Path, run: Run) -> None:
    calibrated, others = own
    promise = tmp_path / "own.json"
    assert run("calibrate", calibrated, "--out", promise)[0] == 0
    code, plain, err = run("read", "--single", "--json", "-r", "--promise", promise, others / "plain")
    assert code == 0 and "unlike" not in err and err.startswith("30 pictures: ")
    code, out, err = run("read", "--single", "--json", "-r", "--promise", promise, others / "spoilt")
    said = [line for line in err.splitlines() if "unlike" in line]
    assert len(said) == 1 and said[0].startswith("inkdigits: after ") and "inkdigits calibrate" in said[0]
    assert len(out.splitlines()) == 30 == len(plain.splitlines()) and all(json.loads(line)["file"] for line in out.splitlines())
    without = json.loads(promise.read_text())
    del without["references"]
    promise.write_text(json.dumps(without))
    code, again, err = run("read", "--single", "--json", "-r", "--promise", promise, others / "spoilt")
    assert "unlike" not in err and again == out  # nothing is known of what it was promised on, so nothing is said; and JSON is the same


def test_pages_are_compared_with_pages(reader: Reader, tmp_path: Path) -> None:
    picture = np.full((90, 300), 255, np.uint8)
    (x, _), _ = mnist.load_data()
    for i in range(5):
        picture[30:58, 20 + 50 * i : 48 + 50 * i] = 255 - x[-1 - i]
    cv2.imwrite(str(tmp_path / "page.png"), picture)
    (tmp_path / "labels.csv").write_text("file,text\npage.png,12345\n")
    promises, _ = make_promises(tmp_path, reader)
    assert set(promises.references) == {"digit"} and promises.watch(single=True) is None
    page = reader.read(picture, threshold=0)
    assert {choose_signs(page, Random(seed)) for seed in range(40)} == {
        measure_signs(d.confidence, d.glyph) for n in page.numbers for d in n.digits if d.glyph is not None
    }
    assert choose_signs(replace(page, numbers=()), Random(0)) is None


def test_references_stand_in_what_is_written_and_belong_to_one_model(reader: Reader, held: list[Signs]) -> None:
    meta = reader.classifier.meta
    made = Promises(identity(meta), "digits", references={"single": make_reference(held)})
    found = Promises.of(meta | {"promises": json.loads(json.dumps(made.to_dict()))})
    assert found == made and found.watch(single=True) is not None and found.watch() is None
    assert Promises.of(meta | {"promises": made.to_dict(), "temperature": 9}).watch(single=True) is None
