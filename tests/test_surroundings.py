"""surroundings and kinds: candidates of a page in, what each of them is out."""

import numpy as np
import pytest

from inkdigits import Classifier
from inkdigits.assemble import Readings, best_path, numbers_of
from inkdigits.errors import ModelError
from inkdigits.glyph import make_glyphs
from inkdigits.ink import find_ink
from inkdigits.kinds import KINDS, PART, KindClassifier, default_kinds, reading_of
from inkdigits.segment import segment
from inkdigits.surroundings import CHANNELS, SIDE, show_surroundings
from inkdigits.synthetic import make_labelled_page


def page_of(text, seed):
    """The ink of a made page, its lines, and its characters with their places."""
    picture, _, characters = make_labelled_page(text, seed=seed, split="validation", dirt="clean")
    ink = find_ink(picture, ruled=True)
    return ink, segment(ink), characters


@pytest.fixture(scope="module")
def page():
    return page_of("2071 43.8", 3)


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
        ys, xs = np.nonzero(own)
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
    kinds, values = default_kinds().classify(np.zeros((0, CHANNELS, SIDE, SIDE), np.uint8), np.zeros((0, 10), np.float32))
    assert kinds.shape == (0, len(KINDS))
    assert values.shape == (0, 10)


@pytest.mark.parametrize("asked", [True, False])
def test_digits_and_marks_are_told_apart_even_where_no_reader_was_asked(asked):
    wrong = read = 0
    for seed in range(24):  # one page says little: whoever writes an odd 4 writes all of them so
        ink, lines, characters = page_of("2071 43.8|965 12", seed)
        candidates = [c for line in lines for c in line.candidates]
        readings = reading_of(*Classifier.load().classify(make_glyphs(c.ink for c in candidates)))
        kinds, values = default_kinds().classify(show_surroundings(lines, ink), readings if asked else np.zeros_like(readings))
        assert np.allclose(kinds.sum(1), 1, atol=1e-5)
        assert np.allclose(values.sum(1), 1, atol=1e-5)
        kinds[:, PART] = 0  # a straight 1 may be one, too: that is for the path to settle
        for character, box in characters:
            best = max(range(len(candidates)), key=lambda k: overlap(candidates[k].box, box))
            wrong += KINDS[kinds[best].argmax()] != ("." if character == "." else "digit")
            read += character == "." or not asked or str(values[best].argmax()) == character
    assert wrong <= 3 and read >= 306  # of 312


def test_the_path_settles_what_is_a_part(page):
    ink, lines, _ = page
    texts = []
    for line in lines:
        glyphs = make_glyphs(c.ink for c in line.candidates)
        kinds, values = default_kinds().classify(show_surroundings([line], ink), reading_of(*Classifier.load().classify(glyphs)))
        readings = Readings(values, values.max(1, initial=0), kinds, glyphs)
        texts += [n.text for n in numbers_of(line, best_path(line, readings), readings, 0.0, 0)]
    assert texts == ["2071", "43.8"]  # every digit and mark, as best guesses


def test_from_farther_off_the_whole_number_is_seen(page):
    ink, lines, _ = page
    shown = show_surroundings(lines, ink)
    assert (shown[:, 2] > 0).sum() > 0
    inked = (shown > 64).reshape(len(shown), CHANNELS, -1).any(2)
    assert inked[:, 2].mean() > 0.9  # every candidate stands among others


def test_a_reading_is_shared_among_the_digits():
    probabilities = np.array([[0.7, 0.3, *[0.0] * 8], [0.1] * 10], np.float32)
    told = reading_of(probabilities, np.array([0.7, 0.02], np.float32))
    assert told[0] == pytest.approx(probabilities[0], abs=1e-6)
    assert told[1].sum() == pytest.approx(0.2, abs=1e-6)


def overlap(a, b):
    width = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    height = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    shared = max(width, 0) * max(height, 0)
    return shared / (a.width * a.height + b.width * b.height - shared)


def test_foreign_bytes_are_refused():
    with pytest.raises(ModelError):
        KindClassifier(b"no network", {"kinds": list(KINDS)})
