"""ruling: the contrast of ruled pages in, the same without rules out."""

import numpy as np
import pytest

from inkdigits.ruling import remove_ruling


def paper(height=600, width=900, grain=0.004, seed=0):
    return np.random.default_rng(seed).normal(0, grain, (height, width)).astype(np.float32)


def rule(contrast, y, slope=0.0, strength=0.15, thick=2):
    for x in range(contrast.shape[1]):
        at = round(y + slope * x)
        if at >= 0:
            contrast[at : at + thick, x] = np.maximum(contrast[at : at + thick, x], strength)


@pytest.mark.parametrize("slope", [0.0, 0.03, -0.06])
@pytest.mark.parametrize("strength", [0.03, 0.2, 0.6])
def test_rules_go(slope, strength):
    contrast = paper()
    for y in range(80, 560, 60):
        rule(contrast, y, slope, strength)
    before = (contrast > 0.6 * strength).sum()
    assert (remove_ruling(contrast) > 0.6 * strength).sum() < 0.03 * before


@pytest.mark.parametrize("slope", [0.12, -0.2, 0.33])
@pytest.mark.parametrize("strength", [0.03, 0.2])
def test_rules_of_a_page_that_lies_askew_go(slope, strength):
    contrast = paper()
    for y in range(-280, 900, 40):
        rule(contrast, y, slope, strength)
    contrast[230:314, 400:406] = 0.7
    before = (contrast > 0.6 * strength).sum()
    bare = remove_ruling(contrast)
    assert (bare > 0.6 * strength).sum() - 84 * 6 < 0.05 * before  # beside the stroke
    assert (bare[230:314, 400:406] > 0.5).all()


@pytest.mark.parametrize(("bent", "periods"), [(9, 0.5), (-7, 0.5), (6, 0.8)])
@pytest.mark.parametrize("slope", [0.0, -0.1])
def test_rules_of_paper_that_bends_go(bent, periods, slope):
    contrast = paper()
    xs = np.arange(900)
    for y in range(-120, 740, 40):
        rows = np.round(y + slope * xs + bent * np.sin(2 * np.pi * periods * xs / 900)).astype(int)
        inside = (rows >= 0) & (rows < 599)
        for thick in (0, 1):
            contrast[rows[inside] + thick, xs[inside]] = 0.2
    before = (contrast > 0.12).sum()
    assert (remove_ruling(contrast) > 0.12).sum() < 0.05 * before


@pytest.mark.parametrize("slope", [0.0, 0.05, -0.15])
def test_squares_go_with_their_crossings(slope):
    contrast = paper()
    for at in range(-280, 1200, 30):
        rule(contrast, at, slope, 0.3)
        rule(contrast.T, at, -slope, 0.3)
    before = (contrast > 0.15).sum()
    assert (remove_ruling(contrast) > 0.15).sum() < 0.03 * before


@pytest.mark.parametrize("slope", [0.0, 0.05])
@pytest.mark.parametrize("thick", [4, 6])
def test_broad_squares_go_with_their_crossings_and_leave_strokes_whole(slope, thick):
    contrast = paper(560, 760)
    for at in range(-260, 1200, 40):
        rule(contrast, at, slope, 0.35, thick)
        rule(contrast.T, at, -slope, 0.35, thick)
    contrast[150:330, 296:320] = 0.5  # it runs over crossings, and is little darker than they are
    bare = remove_ruling(contrast)
    assert (bare[150:330, 304:312] > 0.3).mean() > 0.97
    bare[140:340, 286:330] = 0
    assert (bare > 0.12).sum() < 0.01 * (contrast > 0.12).sum()


def test_a_page_that_is_ruled_in_one_corner_alone_breaks_nothing():
    for seed in range(40):
        rng = np.random.default_rng(seed)
        contrast = paper(220, int(rng.integers(300, 560)), seed=seed)
        for y in range(5, 220, int(rng.integers(8, 20))):
            contrast[y : y + 1, : int(rng.integers(60, 140))] = 0.3
        assert remove_ruling(contrast, 4).shape == contrast.shape


def test_what_is_much_darker_than_a_rule_is_ink_that_runs_along_it():
    contrast = paper()
    for y in range(80, 560, 60):
        rule(contrast, y, 0, 0.3)
    contrast[200:202, 300:380] = 0.8
    bare = remove_ruling(contrast)
    assert (bare[200:202, 300:380] > 0.5).all()
    assert (np.delete(bare[200:202], np.s_[296:384], 1) < 0.1).all()


def test_on_a_small_page_one_line_is_a_stroke_and_many_are_rules():
    contrast = paper(200, 300)
    rule(contrast, 90)
    assert np.array_equal(remove_ruling(contrast, 4), contrast)
    for y in range(10, 190, 20):
        rule(contrast, y)
    assert (remove_ruling(contrast, 4) > 0.1).mean() < 0.003


def test_upright_rules_go_too():
    contrast = paper(700, 900)
    contrast[:, 25::50] = 0.2
    assert (remove_ruling(contrast) > 0.1).mean() < 0.001


def test_a_stroke_that_crosses_a_rule_stays_whole():
    contrast = paper()
    for y in range(80, 560, 60):
        rule(contrast, y)
    contrast[100:180, 400:406] = 0.7
    bare = remove_ruling(contrast)
    assert (bare[100:180, 400:406] > 0.5).all()


def test_strokes_without_rules_are_left_alone():
    contrast = paper()
    contrast[100:104, 100:300] = 0.7  # a dash of a fifth of the page
    contrast[200:260, 300:306] = 0.7
    assert np.array_equal(remove_ruling(contrast), contrast)


def test_the_callers_array_stays_as_it_is():
    contrast = paper()
    rule(contrast, 300)
    kept = contrast.copy()
    remove_ruling(contrast)
    assert np.array_equal(kept, contrast)


def test_a_line_that_ends_beside_words_takes_nothing_from_them():
    contrast = paper()
    for y in (200, 330, 460):
        contrast[y : y + 3, 240:870] = 0.5
        for x in range(40, 200, 22):  # letters, with their feet as low as the line
            contrast[y - 20 : y + 3, x : x + 4] = contrast[y : y + 3, x : x + 12] = 0.6
    letters = contrast[:, :220].copy()
    bare = remove_ruling(contrast)
    np.testing.assert_array_equal(bare[:, :220] > 0.3, letters > 0.3)
    assert (bare[:, 260:850] > 0.25).mean() < 0.01 * (contrast[:, 260:850] > 0.25).mean()
