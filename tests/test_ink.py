"""find_ink: paper, shadow, polarity, rules and sheet taken away, strokes kept."""

import cv2
import numpy as np
import pytest

from inkdigits.ink import find_ink, flatten
from inkdigits.rules import remove_rules
from inkdigits.sheet import find_sheet

PAPER, INK = 215, 60


def seven(height=160, width=120, paper=PAPER, ink=INK, thick=7):
    """Return a picture of a 7 and the mask of its strokes."""
    picture = np.full((height, width), paper, np.uint8)
    points = np.array([[0.2, 0.2], [0.8, 0.2], [0.4, 0.85]]) * (width, height)
    cv2.polylines(picture, [points.round().astype(np.int32)], False, ink, thick)
    return picture, picture == ink


def agreement(ink, mask):
    """Return the intersection over the union of ink and strokes."""
    found = ink > 127
    return (found & mask).sum() / (found | mask).sum()


@pytest.mark.parametrize(("paper", "ink"), [(215, 60), (215, 170), (60, 200), (0, 255), (255, 0), (140, 100)])
def test_ink_is_found_whatever_its_contrast_and_polarity(paper, ink):
    picture, mask = seven(paper=paper, ink=ink)
    assert agreement(find_ink(picture), mask) > 0.9


def test_the_hard_edge_of_a_shadow_is_no_ink():
    picture, mask = seven()
    shaded = picture.astype(float)
    shaded[90:] *= 0.55
    assert agreement(find_ink(shaded.astype(np.uint8)), mask) > 0.85


def test_grain_on_blank_paper_is_no_ink():
    grain = np.random.default_rng(0).normal(200, 4, (300, 260)).clip(0, 255).astype(np.uint8)
    assert np.count_nonzero(find_ink(grain)) < 0.002 * grain.size


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (8, 8), (3, 700), (28, 28)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_blank_pictures_of_any_shape_have_no_ink(shape, level):
    ink = find_ink(np.full(shape, level, np.uint8))
    assert ink.shape == shape
    assert not ink.any()


def test_coloured_ink_is_seen_in_the_channel_that_shows_it():
    _, mask = seven(ink=0)
    colour = np.dstack([np.where(mask, 250, PAPER), np.where(mask, 235, PAPER), np.where(mask, 60, PAPER)]).astype(np.uint8)  # yellow
    assert agreement(find_ink(colour), mask) > 0.8


def test_the_picture_is_left_as_it_was():
    picture, _ = seven()
    before = picture.copy()
    find_ink(picture)
    assert np.array_equal(picture, before)


def test_polarity_is_told():
    assert flatten(seven()[0]).dark_on_light
    assert not flatten(255 - seven()[0]).dark_on_light


def test_rules_go_and_the_strokes_that_cross_them_stay():
    _, mask = seven(240, 320)
    ink = np.where(mask, 255, 0).astype(np.uint8)
    ruled = ink.copy()
    ruled[60:62] = ruled[150:152] = 255
    ruled[:, 40:42] = 255
    assert agreement(remove_rules(ruled, 0.8), mask) > 0.9
    assert remove_rules(ink, 0.8) is ink


def test_a_sheet_is_found_on_a_dark_desk_and_nowhere_else():
    desk = np.full((300, 400), 40, np.uint8)
    cv2.fillPoly(desk, [np.array([[80, 60], [330, 40], [350, 240], [100, 260]])], 210)
    sheet = find_sheet(desk)
    assert sheet is not None
    assert sheet[150, 200]
    assert not sheet[20, 20]
    assert find_sheet(np.full((300, 400), 200, np.uint8)) is None


def test_digits_in_columns_on_paper_without_grain_are_no_rules():
    page = np.full((400, 1000), 255, np.uint8)
    for y in range(140, 320, 38):
        for x in range(170, 800, 40):
            cv2.ellipse(page, (x, y), (12, 14), 0, 0, 360, 0, 3)
    dot = np.s_[203:208, 187:192]
    page[dot] = 0
    ink = find_ink(page, ruled=True)
    assert ((ink > 127) == (page < 128)).mean() > 0.999
    assert (ink[dot] > 127).all()


@pytest.mark.parametrize("quality", [20, 30, 40, 50, 60])
def test_what_jpeg_leaves_about_strokes_is_no_ink(quality):
    page = np.full((400, 600), 235, np.uint8)
    for n, x in enumerate((100, 250, 400)):
        cv2.putText(page, str(n + 2), (x, 260), cv2.FONT_HERSHEY_SIMPLEX, 4, 30, 12, cv2.LINE_AA)
    coded = cv2.imdecode(cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_GRAYSCALE)
    _, _, stats, _ = cv2.connectedComponentsWithStats((find_ink(coded, ruled=True) > 0).astype(np.uint8))
    assert (stats[1:, cv2.CC_STAT_AREA] > 4).sum() == 3  # a speck is dropped later


def test_a_pale_stroke_far_from_a_dark_one_is_ink():
    page = np.full((400, 600), 235, np.uint8)
    cv2.line(page, (100, 100), (100, 300), 30, 12)
    cv2.line(page, (300, 100), (300, 300), 205, 6)
    assert (find_ink(page, ruled=True)[120:280, 299:302] > 127).all()


def test_where_all_ink_is_pale_it_is_ink():
    page = np.full((400, 600), 235, np.uint8)
    cv2.ellipse(page, (300, 200), (40, 60), 0, 0, 360, 225, 4)
    ring = page < 230
    assert (find_ink(page, ruled=True)[ring] > 127).mean() > 0.95
    cv2.line(page, (100, 100), (100, 300), 30, 12)  # beside a marker's stroke as little may be the paper
    assert not find_ink(page, ruled=True)[ring].any()


def test_a_whole_digit_is_ink_where_grain_would_hide_a_speck_as_faint():
    rng = np.random.default_rng(0)
    grain = rng.normal(0, 26, (400, 600))
    page = np.full((400, 600), 200.0)
    cv2.ellipse(page, (300, 200), (40, 60), 0, 0, 360, 172, 6)
    page[320:322, 100:102] = 172
    ink = find_ink(np.clip(page + grain, 0, 255).astype(np.uint8), ruled=True)
    assert (ink[132:268, 252:348] > 0).sum() > 1200
    assert not ink[300:340, 80:120].any()
