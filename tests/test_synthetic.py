"""Made pages and crops: their truth is true, they are the same every time, and nothing is learned from what is held back."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from inkdigits import mnist
from inkdigits.cli import run
from inkdigits.errors import UsageError
from inkdigits.records import Box, Page
from inkdigits.synthetic import (
    LEVELS,
    STYLES,
    Dirt,
    Hands,
    Pen,
    make_digit,
    make_glyph_source,
    make_page,
    sample_dirt,
)
from inkdigits.synthetic.hands import mnist_digits

PLAIN = Dirt()  # even paper, seen straight: every dark pixel is ink
SOLID = Pen("felt", 0.07, (0, 0, 0))
TEXT = "2071 438|-3.5 120/80|12:30 7-9 4,5"


def page(text: str = TEXT, **options: object) -> tuple[np.ndarray, Page]:
    return make_page(text, **{"seed": 3, "size": (640, 480), "dirt": PLAIN, "pen": SOLID} | options)


def inside(box: Box, mask: np.ndarray) -> np.ndarray:
    return mask[box.y : box.y + box.height, box.x : box.x + box.width]


def dark(image: np.ndarray) -> np.ndarray:
    return image.max(axis=2) < 160


# --- the truth


def test_the_truth_is_the_text() -> None:
    _, truth = page()
    assert truth.text == TEXT.replace("|", "\n")
    assert (truth.width, truth.height, truth.rotation) == (640, 480, 0)
    assert [n.line for n in truth.numbers] == [0, 0, 1, 1, 2, 2, 2]
    assert all(n.confidence == 1 and d.confidence == 1 and d.alternatives[0] == (d.value, 1.0) for n in truth.numbers for d in n.digits)
    assert Page.from_dict(json.loads(json.dumps(truth.to_dict()))) == truth


@pytest.mark.parametrize(
    ("text", "after", "mark"), [("3.5", 1, "."), ("3,5", 1, ","), ("35-1", 2, "-"), ("-7", 0, "-"), ("120/80", 3, "/"), ("12:30", 2, ":")]
)
def test_marks_are_told_and_drawn(text: str, after: int, mark: str) -> None:
    image, truth = page(text)
    (number,) = truth.numbers
    assert number.text == text
    assert number.marks == ((after, mark, 1.0),)
    rest = dark(image)
    for digit in number.digits:
        inside(digit.box, rest)[:] = False
    assert rest.sum() > 4  # the mark's own ink stands outside the digits' boxes


@pytest.mark.parametrize("seed", range(6))
def test_boxes_hold_the_ink_exactly_on_plain_paper(seed: int) -> None:
    image, truth = page("2071 438|56 19", seed=seed)
    mask = dark(image)
    for number in truth.numbers:
        for digit in number.digits:
            x, y, w, h = cv2.boundingRect(inside(digit.box, mask).astype(np.uint8))
            assert x <= 1 and y <= 1 and digit.box.width - x - w <= 1 and digit.box.height - y - h <= 1
            inside(digit.box, mask)[:] = False
    assert not mask.any(), "there is ink outside the boxes"


@pytest.mark.parametrize("source", [{"mnist": 1.0, "strokes": 0.0}, {"mnist": 0.0, "strokes": 1.0}])
@pytest.mark.parametrize("seed", range(4))
def test_boxes_follow_the_sheet_through_the_lens(seed: int, source: dict[str, float]) -> None:
    seen = replace(PLAIN, tilt=11.0, perspective=0.2, bend=0.02)
    image, truth = page("2071 438|56 19", seed=seed, dirt=seen, hands=Hands(**source))
    mask = dark(image)
    for number in truth.numbers:
        for digit in number.digits:
            x, y, w, h = cv2.boundingRect(inside(digit.box, mask).astype(np.uint8))
            assert min(w, h) > 0
            assert max(x, y, digit.box.width - x - w, digit.box.height - y - h) <= 0.12 * digit.box.height + 2
            grown = Box(digit.box.x - 2, digit.box.y - 2, digit.box.width + 4, digit.box.height + 4)
            inside(grown, mask)[:] = False
    assert not mask.any(), "there is ink outside the boxes"


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_makes_pages_whose_digits_can_be_seen(level: str) -> None:
    for seed in range(6):
        image, truth = make_page("407 915", seed=seed, dirt=level, size=(640, 480))
        assert image.shape == (480, 640, 3) and image.dtype == np.uint8
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(float)
        for number in truth.numbers:
            for x, y, w, h in (d.box for d in number.digits):
                assert x >= 0 and y >= 0 and x + w <= 640 and y + h <= 480 and h >= 9
                around = grey[max(0, y - 2) : y + h + 2, max(0, x - 2) : x + w + 2]
                assert np.ptp(cv2.GaussianBlur(around, (0, 0), 1.0)) > 6


def test_levels_grow_worse() -> None:
    def amount(level: str) -> float:
        drawn = [sample_dirt(level, np.random.default_rng(seed)) for seed in range(60)]
        return float(np.mean([d.noise + 20 * d.shadow + 20 * d.falloff + abs(d.tilt) + 3 * d.defocus for d in drawn]))

    amounts = [amount(level) for level in LEVELS]
    assert amounts == sorted(amounts)
    assert amounts[3] > 2 * amounts[1]


def test_a_digit_struck_out_has_no_value() -> None:
    _, truth = page("2?7")
    assert [d.value for d in truth.numbers[0].digits] == [2, None, 7]
    assert truth.text == "2?7"


def test_a_page_without_a_number_has_none() -> None:
    image, truth = page("", dirt=replace(PLAIN, decoys=6))
    assert truth.numbers == ()
    assert dark(image).sum() > 50  # words and scribbles are there


def test_decoys_keep_away_from_the_digits() -> None:
    for seed in range(5):
        with_decoys, truth = page("28 91", seed=seed, dirt=replace(PLAIN, decoys=4))
        without, same = page("28 91", seed=seed)
        assert truth == same
        for number in truth.numbers:
            for digit in number.digits:
                assert (inside(digit.box, with_decoys) == inside(digit.box, without)).all()


def test_touching_digits_touch_and_others_do_not() -> None:
    def pieces(touching: float) -> int:
        image, _ = page("888888", touching=touching, hands=Hands(mnist=0.0))
        return cv2.connectedComponents(dark(image).astype(np.uint8))[0] - 1

    assert pieces(0.0) >= 6
    assert pieces(1.0) <= 3


def test_boxes_of_a_form_are_printed_round_the_digits() -> None:
    image, truth = page("407", dirt=replace(PLAIN, has_boxes=True), pen=replace(SOLID, colour=(200, 0, 0)))
    red = (image[:, :, 0] > image[:, :, 1].astype(int) + 60).sum()
    grey = ((image.max(axis=2) < 235) & (np.ptp(image.astype(int), axis=2) < 40)).sum()
    assert len(truth.numbers[0].digits) == 3
    assert red > 100 and grey > 100


# --- the same every time


@pytest.mark.parametrize("level", LEVELS)
def test_the_same_seed_gives_the_same_page(level: str) -> None:
    first, truth = make_page(TEXT, seed=11, dirt=level, size=(640, 480))
    again, same = make_page(TEXT, seed=11, dirt=level, size=(640, 480))
    other, _ = make_page(TEXT, seed=12, dirt=level, size=(640, 480))
    assert (first == again).all() and truth == same
    assert (first != other).any()


def test_another_process_makes_the_same_crop() -> None:
    code = "import zlib, numpy as np, inkdigits.synthetic as s; print(zlib.crc32(s.make_digit(4, np.random.default_rng(5)).tobytes()))"
    told = {subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout for _ in range(2)}
    assert len(told) == 1


def test_chance_elsewhere_changes_nothing() -> None:
    crops = []
    for seed in (1, 2):
        np.random.seed(seed)
        crops.append(make_digit(4, np.random.default_rng(5)))
    assert (crops[0] == crops[1]).all()


# --- splits


def test_splits_share_no_picture() -> None:
    (x_train, y_train), (x_test, _) = mnist.load_data()
    by_split = {split: np.concatenate(mnist_digits(split)) for split in ("train", "validation", "test")}
    assert [len(by_split[s]) for s in ("train", "validation", "test")] == [50_000, 10_000, 10_000]
    assert sorted(p.tobytes() for p in by_split["validation"]) == sorted(p.tobytes() for p in x_train[50_000:])
    assert sorted(p.tobytes() for p in by_split["test"]) == sorted(p.tobytes() for p in x_test)
    assert (mnist_digits("train")[7] == x_train[:50_000][y_train[:50_000] == 7]).all()


def test_splits_make_other_pages() -> None:
    pages = [page("2071", split=split)[0] for split in ("train", "validation", "test")]
    assert not any((a.shape == b.shape) and (a == b).all() for a, b in zip(pages, pages[1:] + pages[:1], strict=True))


# --- crops


@pytest.mark.parametrize("style", STYLES)
def test_crops_of_every_style(style: str) -> None:
    rng = np.random.default_rng(8)
    for label in (*range(10), None):
        crop = make_digit(label, rng, style=style)
        assert crop.dtype == np.uint8 and crop.ndim == 3 and crop.shape[2] == 3
        assert min(crop.shape[:2]) >= 8 and max(crop.shape[:2]) <= 700
        if label is not None:
            assert np.ptp(crop) > 8, "a picture of a digit is not blank"


def test_crops_are_as_large_as_asked() -> None:
    rng = np.random.default_rng(2)
    for side in (16, 64, 300):
        sizes = [max(make_digit(3, rng, size=side, hands=Hands(mnist=0.0)).shape) for _ in range(12)]
        assert 0.6 * side < np.median(sizes) < 1.3 * side


def test_mouse_lines_are_pure() -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        assert len(np.unique(make_digit(3, rng, style="mouse"))) == 2


def test_glyph_sources_look_like_their_digit() -> None:
    """The nearest of the mean pictures of MNIST is the right one far more often than by chance: shapes and labels go together."""
    from inkdigits.glyph import make_glyph

    means = np.stack([d.mean(axis=0) for d in mnist_digits("train")]).reshape(10, -1)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    rng = np.random.default_rng(4)
    # the templates are what MNIST lacks: a 7 with a deep wave, a 5 that closes are not like its mean pictures
    for hands, least in ((Hands(strokes=0.0), 0.6), (Hands(mnist=0.0), 0.5)):
        labels = np.arange(200) % 10
        glyphs = np.stack([make_glyph(make_glyph_source(int(label), rng, hands=hands)) for label in labels]).reshape(200, -1)
        assert ((glyphs @ means.T).argmax(axis=1) == labels).mean() > least


def test_glyph_sources_are_clean() -> None:
    rng = np.random.default_rng(1)
    for label in range(10):
        ink = make_glyph_source(label, rng, height=100, pen=SOLID)
        assert ink.dtype == np.uint8 and ink.ndim == 2
        assert 70 <= ink.shape[0] <= 150
        assert ink.max() == 255 and (ink == 0).mean() > 0.2
        assert ink[0].any() and ink[-1].any() and ink[:, 0].any() and ink[:, -1].any()


# --- what makes no sense


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"text": "20a1"}, "cannot write 'a'"),
        ({"text": "1..2"}, "no number"),
        ({"text": "12-"}, "no number"),
        ({"text": "--1"}, "no number"),
        ({"seed": -1}, "seed must be 0 or more"),
        ({"dirt": "filthy"}, "dirt must be one of clean"),
        ({"split": "all"}, "split must be one of train"),
        ({"size": (10, 10)}, "size must be from"),
        ({"text": "1" * 300, "size": (200, 100)}, "does not fit"),
        ({"digit_height": 5}, "digit_height must be at least 12"),
        ({"touching": 2.0}, "touching must be from 0 to 1"),
    ],
)
def test_a_page_that_cannot_be_made_is_refused(options: dict[str, object], reason: str) -> None:
    text = str(options.pop("text", "12"))
    with pytest.raises(UsageError, match=reason):
        page(text, **options)


@pytest.mark.parametrize("label", [10, -1, True, 2.5])
def test_what_is_no_label_is_refused(label: int) -> None:
    with pytest.raises(UsageError, match="label must be a digit"):
        make_digit(label, np.random.default_rng(0))


def test_a_style_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="style must be one of photo"):
        make_digit(1, np.random.default_rng(0), style="painting")


@pytest.mark.parametrize("shares", [{"mnist": 0.0, "strokes": 0.0}, {"mnist": -1.0}])
def test_hands_without_any_source_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="shares"):
        Hands(**shares)


@pytest.mark.parametrize("name", [f.name for f in fields(Dirt) if f.type in ("float", "int")])
def test_dirt_out_of_range_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} must be from"):
        Dirt(**{name: 1000})


@pytest.mark.parametrize("name", ["surface", "ruling"])
def test_dirt_of_an_unknown_kind_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} must be one of"):
        Dirt(**{name: "marble"})


# --- the command


def test_sample_writes_a_picture_and_its_truth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "p.png"
    assert run(["sample", "--text", "2071 438|5", "--out", str(out), "--seed", "7", "--size", "500x400"]) == 0
    assert str(out) in capsys.readouterr().out
    picture = cv2.cvtColor(cv2.imread(str(out)), cv2.COLOR_BGR2RGB)
    made, truth = make_page("2071 438|5", seed=7, size=(500, 400))
    assert (picture == made).all()
    assert json.loads(out.with_suffix(".json").read_text()) == json.loads(json.dumps(truth.to_dict()))
    assert sorted(p.name for p in out.parent.iterdir()) == ["p.json", "p.png"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--text", " | "], "--text is empty"),
        (["--text", "x7"], "cannot write 'x'"),
        (["--text", "7", "--dirt", "mud"], "dirt must be one of"),
        (["--text", "7", "--size", "big"], "--size must be"),
        (["--text", "7", "--split", "mine"], "split must be one of"),
        (["--text", "7", "--out", "p.gif"], "--out must end in"),
    ],
)
def test_sample_refuses_in_one_line(
    arguments: list[str], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["sample", "--out", "p.jpg", *arguments]) == 2
    told = capsys.readouterr()
    assert told.out == "" and reason in told.err and told.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_sample_leaves_nothing_where_it_cannot_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("in the way")
    assert run(["sample", "--text", "7", "--out", str(tmp_path / "file" / "p.jpg")]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
