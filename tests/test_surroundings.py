"""surroundings and kinds: candidates of a page in, what each of them is out."""

import numpy as np
import pytest

from inkdigits.errors import ModelError
from inkdigits.ink import find_ink
from inkdigits.kinds import KINDS, KindClassifier, default_kinds
from inkdigits.segment import segment
from inkdigits.surroundings import CHANNELS, SIDE, show_surroundings
from inkdigits.synthetic import make_labelled_page


@pytest.fixture(scope="module")
def page():
    picture, _, characters = make_labelled_page("2071 43.8", seed=3, split="validation", dirt="clean")
    ink = find_ink(picture, ruled=True)
    return ink, segment(ink), characters


def test_each_candidate_stands_in_the_middle_of_its_picture(page):
    ink, lines, _ = page
    shown = show_surroundings(lines, ink)
    candidates = [c for line in lines for c in line.candidates]
    assert shown.shape == (len(candidates), CHANNELS, SIDE, SIDE)
    assert (shown[:, 1] <= shown[:, 0].astype(int) + 40).all()  # a candidate's ink is ink of the page
    heights = np.array([line.height for line in lines for _ in line.candidates])
    large = np.array([c.box.height for c in candidates]) > 0.5 * heights
    assert large.sum() > 5
    for own in shown[large, 1]:
        ys, xs = np.nonzero(own > 8)
        assert abs((xs.min() + xs.max()) / 2 - (SIDE - 1) / 2) < 3.1
        assert abs((ys.min() + ys.max()) / 2 - (SIDE - 1) / 2) < 3.1


def test_the_size_of_a_page_changes_nothing(page):
    ink, lines, _ = page
    twice = np.repeat(np.repeat(ink, 2, 0), 2, 1)
    one, two = show_surroundings(lines, ink), show_surroundings(segment(twice), twice)
    assert one.shape == two.shape
    assert np.abs(one.astype(int) - two).mean() < 6


def test_nothing_gives_nothing():
    assert show_surroundings([], np.zeros((10, 10), np.uint8)).shape == (0, CHANNELS, SIDE, SIDE)
    assert default_kinds().probabilities(np.zeros((0, CHANNELS, SIDE, SIDE), np.uint8)).shape == (0, len(KINDS))


def test_digits_and_marks_are_told_apart(page):
    ink, lines, characters = page
    kinds = default_kinds().probabilities(show_surroundings(lines, ink))
    assert np.allclose(kinds.sum(1), 1, atol=1e-5)
    candidates = [c for line in lines for c in line.candidates]
    for character, box in characters:
        best = max(range(len(candidates)), key=lambda k: overlap(candidates[k].box, box))
        expected = "." if character == "." else "digit"
        assert KINDS[kinds[best].argmax()] == expected, character


def overlap(a, b):
    width = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    height = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    shared = max(width, 0) * max(height, 0)
    return shared / (a.width * a.height + b.width * b.height - shared)


def test_foreign_bytes_are_refused():
    with pytest.raises(ModelError):
        KindClassifier(b"no network", {"kinds": list(KINDS)})
