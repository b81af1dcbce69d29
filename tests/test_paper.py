"""paper: narrow shadows are paper, and what they lie over is ink; thick strokes are ink, beside thin ones too."""

import cv2
import numpy as np
import pytest

from inkdigits.ink import find_ink
from inkdigits.paper import contrast_of, find_paper

PAPER, INK = 235, 50


def page():
    """A page of thin digits, grey."""
    blank = np.full((900, 1200), PAPER, np.uint8)
    for y in range(200, 801, 150):
        cv2.putText(blank, "5 8 0 6 3 2", (330, y), cv2.FONT_HERSHEY_SIMPLEX, 2.5, INK, 6, cv2.LINE_AA)
    return blank


def shaded(picture, cover, depth=0.4, blur=3):
    """The picture in a shadow where `cover` is 255, its edge soft."""
    return (picture * (1 - depth * cv2.GaussianBlur(cover, (0, 0), blur).astype(np.float32) / 255)).astype(np.uint8)


def agreement(ink, mask):
    """The intersection over the union of ink and strokes."""
    found = ink > 127
    return (found & mask).sum() / (found | mask).sum()


@pytest.mark.parametrize("width", [34, 46])
@pytest.mark.parametrize("to", [560, 900])
def test_the_shadow_of_a_pencil(width, to):
    cover = np.zeros((900, 1200), np.uint8)
    cv2.line(cover, (640, -50), (560, to), 255, width)
    assert agreement(find_ink(shaded(page(), cover), ruled=True), page() < 128) > 0.85


@pytest.mark.parametrize("period", [90, 130])
@pytest.mark.parametrize("turn", [0.2, 1.4])
def test_the_shadow_of_blinds(period, turn):
    y, x = np.mgrid[:900, :1200]
    cover = np.where(np.sin((x * np.cos(turn) + y * np.sin(turn)) * 2 * np.pi / period) > 0, 255, 0).astype(np.uint8)
    assert agreement(find_ink(shaded(page(), cover), ruled=True), page() < 128) > 0.85


def test_the_shadow_of_leaves():
    rng, cover = np.random.default_rng(0), np.zeros((900, 1200), np.uint8)
    for _ in range(25):
        centre, axes = rng.integers(0, (1200, 900)), rng.integers(18, 40, 2)
        cv2.ellipse(cover, tuple(map(int, centre)), tuple(map(int, axes)), float(rng.uniform(0, 180)), 0, 360, 255, -1)
    assert agreement(find_ink(shaded(page(), cover), ruled=True), page() < 128) > 0.85


@pytest.mark.parametrize("colour", [(40, 40, 40), (200, 60, 60), (60, 80, 190), (70, 150, 80)])
def test_a_thick_marker_beside_thin_digits_is_ink(colour):
    mask = np.zeros((900, 1200), np.uint8)
    cv2.line(mask, (120, 100), (180, 500), 255, 40)
    cv2.line(mask, (60, 820), (250, 820), 255, 40)
    cover = cv2.GaussianBlur(mask, (0, 0), 1).astype(np.float32)[:, :, None] / 255
    picture = (page()[:, :, None] * (1 - cover) + np.float32(colour) * cover).astype(np.uint8)
    assert agreement(find_ink(picture), (mask > 127) | (page() < 128)) > 0.85


def test_a_page_of_thick_pale_strokes_alone_is_ink():
    picture = np.full((900, 1200), PAPER, np.uint8)
    cv2.line(picture, (500, -20), (560, 420), 140, 40)
    cv2.line(picture, (800, 220), (760, 700), 140, 40)
    assert agreement(find_ink(picture), picture < 180) > 0.9


def test_paper_is_as_bright_as_it_was_made():
    paper = find_paper(page(), cv2.resize(page(), (480, 360), interpolation=cv2.INTER_AREA), page())
    assert np.abs(paper - PAPER).max() < 6
    contrast = contrast_of(page(), paper)
    assert np.abs(contrast[page() == PAPER]).max() < 0.03 and contrast[page() == INK].min() > 0.7
