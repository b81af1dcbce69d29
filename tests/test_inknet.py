"""inknet: a picture of one digit in, the ink of that digit out, also where measuring contrast finds none."""

import numpy as np
import pytest

from inkdigits import read
from inkdigits.errors import ModelError
from inkdigits.ink import find_ink
from inkdigits.inknet import SIDE, InkFinder, Sighting, default_inknet, shown
from inkdigits.records import Box
from inkdigits.synthetic import Hands, make_labelled_digit

HANDS = Hands(split="validation", strokes=0.0)


def made(seed, **options):
    rng = np.random.default_rng([16, seed])
    label = int(rng.integers(10))
    return label, *make_labelled_digit(label, rng, hands=HANDS, **options)


def overlap(found, true):
    return 2 * (found & true).sum() / max(1, found.sum() + true.sum())


def test_the_ink_it_sees_is_the_ink_of_the_digit():
    scores = []
    for seed in range(60):
        _, picture, ink = made(seed)
        if min(ink.shape) < 40:  # of fewer pixels an edge is too large a part to be compared
            continue
        seen = default_inknet().find(picture)
        x, y, w, h = seen.box
        whole = np.repeat(ink[y : y + h, x : x + w, None], 3, 2)
        scores.append(overlap(seen.ink > 127, shown(whole)[0][: seen.ink.shape[0], : seen.ink.shape[1], 0] > 60))
    assert len(scores) > 30
    assert np.median(scores) > 0.8 and np.mean(scores) > 0.7


def test_digits_that_measuring_cannot_find_are_read():
    lost = [(label, picture) for label, picture, _ in map(made, range(1200)) if not find_ink(picture).any()]
    assert len(lost) >= 8  # hardly one in a hundred
    right = [read(picture, single=True, threshold=0).text == str(label) for label, picture in lost]
    assert np.mean(right) > 0.5


def test_a_digit_far_off_is_looked_at_from_nearer():
    label, digit, own = made(3, style="scan", size=90)
    picture, ink = np.full((400, 500, 3), digit.max((0, 1)), np.uint8), np.zeros((400, 500), np.uint8)
    rows, columns = own.shape
    picture[210 : 210 + rows, 150 : 150 + columns], ink[210 : 210 + rows, 150 : 150 + columns] = digit, own
    seen = default_inknet().find(picture)
    assert seen.box.width * seen.box.height < 0.4 * ink.size and max(seen.ink.shape) <= SIDE
    ys, xs = np.nonzero(ink > 60)
    x, y, w, h = seen.box
    assert x <= xs.min() and y <= ys.min() and x + w > xs.max() and y + h > ys.max()
    assert read(picture, single=True, threshold=0).text == str(label)


def test_boxes_are_placed_in_the_picture():
    sighting = Sighting(np.zeros((40, 80), np.uint8), Box(100, 50, 160, 80))
    assert sighting.place(Box(0, 0, 80, 40)) == sighting.box
    assert sighting.place(Box(10, 5, 20, 10)) == Box(120, 60, 40, 20)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (80, 80), (33, 700, 3)])
def test_pictures_of_any_shape_are_shown_and_seen(shape):
    picture = np.full(shape, 200, np.uint8)
    small, (height, width) = shown(picture)
    assert small.shape == (SIDE, SIDE, 3) and max(height, width) == SIDE and (small == 200).all()
    seen = default_inknet().find(picture)
    assert seen.ink.shape == (height, width) and not (seen.ink > 127).any()


def test_the_same_picture_gives_the_same_ink():
    _, picture, _ = made(5)
    first = default_inknet().find(picture)
    assert all(np.array_equal(first.ink, default_inknet().find(picture).ink) for _ in range(5))


def test_damaged_weights_are_refused():
    with pytest.raises(ModelError, match="ink"):
        InkFinder(b"no network", {})
