"""ghosts: what shines through from the back of a sheet, and smears, are no ink; a pale pen and one that runs dry are."""

import cv2
import numpy as np
import pytest

from inkdigits import Reader
from inkdigits.ink import find_ink
from inkdigits.synthetic import Hands, make_labelled_page, make_page
from inkdigits.synthetic.pens import Pen

TEXT = "2071 438|5566 912|30 847"


def page(seed):
    image, truth = make_page(TEXT, seed=seed, hands=Hands(split="validation", strokes=0.0), dirt="clean", size=(900, 640))
    grey = cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2GRAY)
    return (grey if grey.mean() > 120 else 255 - grey), truth


def with_back(front, strength):
    """The page as it looks when the same is written on its back."""
    paper = cv2.morphologyEx(front, cv2.MORPH_CLOSE, np.ones((61, 61), np.uint8))
    ink = np.clip(1 - front / np.maximum(paper, 1), 0, 1)
    back = cv2.GaussianBlur(ink[:, ::-1], (0, 0), 2)
    return np.clip(front * (1 - strength * back), 0, 255).astype(np.uint8)


def right(text, truth):
    lines, true = text.split("\n"), truth.text.split("\n")
    return sum(a == b for line, other in zip(lines, true, strict=False) for a, b in zip(line, other, strict=False)) / len(truth.text)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("strength", [0.15, 0.3])
def test_what_shines_through_is_not_read(seed, strength):
    front, truth = page(seed)
    reader = Reader.load()
    plain, through = (right(reader.read(picture, threshold=0).text, truth) for picture in (front, with_back(front, strength)))
    assert through >= plain - 0.1


def smeared(shape, seed):
    """Forty soft blots, float32 of `shape`, 0–1."""
    rng, smears = np.random.default_rng(seed), np.zeros(shape, np.float32)
    for _ in range(40):
        middle, size = rng.uniform(0, shape[::-1]).astype(int), (int(rng.uniform(12, 50)), int(rng.uniform(8, 16)))
        blot = np.zeros(shape, np.float32)
        cv2.ellipse(blot, middle.tolist(), size, float(rng.uniform(0, 180)), 0, 360, float(rng.uniform(0.4, 1)), -1)
        smears = np.maximum(smears, cv2.GaussianBlur(blot, (0, 0), 5))
    return smears


@pytest.mark.parametrize("on_board", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_smears_are_not_read(seed, on_board):
    front, truth = page(seed)
    bright = 255 - 0.8 * front if on_board else front.astype(float)
    light = smeared(front.shape, seed)
    picture = np.clip(bright + 25 * light if on_board else bright * (1 - 0.16 * light), 0, 255).astype(np.uint8)
    plain, found = (find_ink(p.astype(np.uint8), ruled=True) > 127 for p in (bright, picture))
    assert (plain & found).sum() > 0.97 * plain.sum()
    assert (found & ~cv2.dilate(plain.astype(np.uint8), np.ones((15, 15))).astype(bool)).sum() < 0.02 * plain.sum()
    reader = Reader.load()
    assert (
        right(reader.read(picture, threshold=0).text, truth) >= right(reader.read(bright.astype(np.uint8), threshold=0).text, truth) - 0.06
    )


@pytest.mark.parametrize("seed", range(3))
def test_a_second_pale_pen_is_read(seed):
    front, truth = page(seed)
    paper = cv2.morphologyEx(front, cv2.MORPH_CLOSE, np.ones((61, 61), np.uint8)).astype(float)
    fade = np.ones(front.shape)
    for number in truth.numbers[::2]:
        x, y, w, h = number.box
        fade[max(0, y - 4) : y + h + 4, max(0, x - 4) : x + w + 4] = 0.3
    pale = (paper + (front - paper) * fade).round().astype(np.uint8)
    plain, two = (find_ink(picture, ruled=True) > 127 for picture in (front, pale))
    assert (plain & two).sum() > 0.93 * plain.sum()


@pytest.mark.parametrize("seed", range(3))
def test_a_pen_that_runs_dry_leaves_ink(seed):
    front, _ = page(seed)
    paper = cv2.morphologyEx(front, cv2.MORPH_CLOSE, np.ones((61, 61), np.uint8)).astype(float)
    rough = np.random.default_rng(seed).normal(size=(20, 28)).astype(np.float32)
    fade = 0.3 + 0.7 * np.clip(0.5 + 0.6 * cv2.resize(rough, front.shape[::-1], interpolation=cv2.INTER_CUBIC), 0, 1)
    dry = (paper + (front - paper) * fade).round().astype(np.uint8)
    plain, faded = (find_ink(picture, ruled=True) > 127 for picture in (front, dry))
    assert (plain & faded).sum() > 0.85 * plain.sum()


def test_pale_print_under_thin_writing_is_no_ink_though_there_is_more_of_it():
    picture = np.full((900, 1200), 245, np.uint8)
    for y in range(150, 851, 175):
        cv2.putText(picture, "CONFIDENTIAL", (60, y), cv2.FONT_HERSHEY_SIMPLEX, 4, 212, 16, cv2.LINE_AA)
    bare = picture.copy()
    for y in range(140, 841, 175):
        cv2.putText(picture, "5 8 0 6 3 2", (200, y), cv2.FONT_HERSHEY_SIMPLEX, 2, 60, 4, cv2.LINE_AA)
    ink, written = find_ink(picture, ruled=True) > 127, (picture < 128) & (bare > 200)
    assert (ink & written).sum() / (ink | written).sum() > 0.8


@pytest.mark.parametrize("seed", range(4))
def test_points_out_of_focus_are_no_ghosts(seed):
    text = "31.4 2.58|14:30 7.9|60.2 8.14|12:05 7.35|3.3 5.1"
    hands, pen = Hands(split="validation", mnist=0.0), Pen(width=0.07)
    image, _, characters = make_labelled_page(text, seed=seed, hands=hands, dirt="clean", size=(900, 640), pen=pen, digit_height=56)
    ink = find_ink(cv2.GaussianBlur(np.asarray(image), (0, 0), 5), ruled=True)
    points = [box for character, box in characters if character in ".:"]
    assert len(points) == 10
    assert [ink[y : y + h, x : x + w].max() > 60 for x, y, w, h in points] == [True] * 10
