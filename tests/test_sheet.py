"""sheet: a sheet on a desk is straightened, and what is read on it is placed in the photo as it was taken."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from inkdigits import Reader, mnist
from inkdigits.sheet import find_sheet, sheet_alone, straighten
from inkdigits.synthetic import Hands, make_page, sample_dirt

CORNERS = np.array([(90, 60), (560, 110), (520, 430), (60, 370)], np.float32)  # askew, clockwise from the top left


def desk_with_sheet(corners=CORNERS, shape=(480, 640)):
    picture = np.full((*shape, 3), 60, np.uint8)
    cv2.fillConvexPoly(picture, corners.astype(np.int32), (235, 235, 230))
    return picture


def test_a_sheet_askew_becomes_a_rectangle_of_its_own():
    picture = desk_with_sheet()
    cv2.line(picture, (121, 220), (493, 264), (20, 20, 20), 3)  # along the middle, nearly from side to side
    flat = straighten(picture)
    assert flat is not None
    height, width = flat.image.shape[:2]
    assert 0.8 < width / height / (470 / 316) < 1.2
    assert flat.image.mean() > 200  # no desk is left
    dark = np.argwhere(flat.image[:, :, 0] < 100)
    assert np.ptp(dark[:, 0]) < 0.05 * height and abs(np.median(dark[:, 0]) / height - 0.5) < 0.04


def test_points_of_the_straightened_sheet_lie_on_it_in_the_picture():
    flat = straighten(desk_with_sheet())
    height, width = flat.image.shape[:2]
    ends = np.array([[(0, 0), (width, 0), (width, height), (0, height)]], float)
    back = cv2.perspectiveTransform(ends, flat.back)[0]
    assert np.abs(back - CORNERS).max() < 0.03 * 640


def test_a_sheet_beside_a_glare_is_found():
    picture = desk_with_sheet()
    cv2.ellipse(picture, (330, 60), (230, 45), 8, 0, 360, (150, 150, 150), cv2.FILLED)  # it runs into the sheet's upper edge
    cv2.fillConvexPoly(picture, CORNERS.astype(np.int32), (235, 235, 230))
    flat = straighten(cv2.GaussianBlur(picture, (0, 0), 3))
    assert flat is not None and np.median(flat.image) > 200
    back = cv2.perspectiveTransform(np.array([[(0, 0), flat.image.shape[1::-1]]], float), flat.back)[0]
    assert np.abs(back - CORNERS[[0, 2]]).max() < 0.05 * 640


def test_a_sheet_little_brighter_than_its_desk_is_found():
    pale = (120 + 0.4 * desk_with_sheet()).astype(np.uint8)
    assert straighten(pale) is not None
    assert find_sheet(pale[:, :, 0]) is not None


def in_half_shadow(picture, at=0.5, left=0.55, lean=0.2):
    """The same picture with the hard shadow of something beside the camera on its left."""
    ys, xs = np.mgrid[: picture.shape[0], : picture.shape[1]]
    light = left + (1 - left) / (1 + np.exp(-(xs - at * picture.shape[1] - lean * (ys - picture.shape[0] / 2)) / 3))
    return (picture * light.reshape(*light.shape, *[1] * (picture.ndim - 2))).astype(np.uint8)


@pytest.mark.parametrize("at", [0.3, 0.5, 0.7])
def test_a_sheet_half_in_shadow_is_found_whole(at):
    picture = in_half_shadow(desk_with_sheet(), at)
    flat = straighten(picture)
    back = cv2.perspectiveTransform(np.array([[(0, 0), flat.image.shape[1::-1]]], float), flat.back)[0]
    assert np.abs(back - CORNERS[[0, 2]]).max() < 0.05 * 640
    sheet, whole = find_sheet(picture[:, :, 0]), find_sheet(desk_with_sheet()[:, :, 0])
    assert (sheet & whole).sum() > 0.95 * whole.sum()


def test_a_sheet_on_a_bright_board_on_a_dark_desk_is_not_the_board():
    picture = np.full((480, 640), 30, np.uint8)
    cv2.rectangle(picture, (30, 20), (610, 460), 130, cv2.FILLED)
    cv2.fillConvexPoly(picture, CORNERS.astype(np.int32), 235)
    flat = straighten(picture)
    assert flat is not None and (flat.image > 200).mean() > 0.95


@pytest.mark.parametrize("seed", range(4))
def test_digits_on_a_sheet_half_in_shadow_are_read(seed):
    page, truth = make_page("2071 4385|5566 912", seed=seed, hands=Hands(split="validation", strokes=0.0), dirt="clean", size=(800, 560))
    page = page if page.mean() > 120 else 255 - page
    picture = np.full((900, 1200, 3), 50, np.uint8)
    picture[170:730, 200:1000] = page
    found = Reader.load().read(in_half_shadow(picture, 0.4 + 0.05 * seed), threshold=0).text
    right = sum(a == b for a, b in zip(found, truth.text, strict=False))
    assert len(found) <= len(truth.text) + 1 and right >= len(truth.text) - 2


@pytest.mark.parametrize("left", [0.3, 0.5])
@pytest.mark.parametrize("seed", range(3))
def test_a_page_half_in_shadow_is_no_sheet_on_a_desk(seed, left):
    page, truth = make_page("2071 4385|5566 912", seed=seed, hands=Hands(split="validation", strokes=0.0), dirt="clean", size=(800, 560))
    page = page if page.mean() > 120 else 255 - page
    found = Reader.load().read(in_half_shadow(page, 0.4 + 0.1 * seed, left), threshold=0).text
    right = sum(a == b for a, b in zip(found, truth.text, strict=False))
    assert len(found) <= len(truth.text) + 1 and right >= len(truth.text) - 2


def faded():
    """Paper from edge to edge, dark where the light does not reach."""
    ys, xs = np.mgrid[:360, :480]
    return (230 * np.exp(-(((xs - 240) / 210) ** 2) - ((ys - 180) / 150) ** 2)).astype(np.uint8)


def struck_through():
    """Large digits that part the paper."""
    picture = np.full((360, 480), 220, np.uint8)
    for x in (60, 400):
        cv2.line(picture, (x, 0), (x, 359), 20, 12)
    return picture


@pytest.mark.parametrize("picture", [faded(), struck_through()])
def test_paper_from_edge_to_edge_is_no_sheet_on_a_desk(picture):
    assert find_sheet(picture) is None


@pytest.mark.parametrize(
    "picture",
    [
        np.full((300, 400, 3), 240, np.uint8),  # nothing but paper
        desk_with_sheet(np.array([(90, 60), (550, 60), (550, 420), (90, 420)], np.float32)),  # it lies straight
        desk_with_sheet(np.array([(-40, 60), (560, 110), (520, 430), (-60, 370)], np.float32)),  # it is cut off
        np.random.default_rng(0).integers(0, 256, (200, 200), np.uint8),
        np.zeros((1, 1), np.uint8),
    ],
)
def test_what_is_no_sheet_askew_stays_as_it_is(picture):
    assert straighten(picture) is None


def test_digits_on_a_sheet_askew_are_read_and_placed_in_the_photo():
    reader, right, near, count = Reader.load(), 0, 0, 0
    for seed in range(6):
        dirt = sample_dirt("clean", np.random.default_rng(seed))
        dirt = replace(dirt, surface="paper", has_desk=True, tilt=14.0 - 4 * seed, perspective=0.25, is_inverted=False)
        picture, truth = make_page("2071|438", seed=seed, hands=Hands(split="validation", strokes=0.0), dirt=dirt, size=(1280, 960))
        page = reader.read(picture, threshold=0)
        found = [d for n in page.numbers for d in n.digits]
        for true in (d for n in truth.numbers for d in n.digits):
            middle = np.array([true.box.x + true.box.width / 2, true.box.y + true.box.height / 2])
            close = min(found, key=lambda d: np.hypot(*(middle - (d.box.x + d.box.width / 2, d.box.y + d.box.height / 2))), default=None)
            off = close and np.hypot(*(middle - (close.box.x + close.box.width / 2, close.box.y + close.box.height / 2)))
            count += 1
            near += bool(close and off < 0.35 * true.box.height)
            right += bool(close and off < 0.35 * true.box.height and close.value == true.value)
    assert count == 42
    assert near >= 0.9 * count and right >= 0.85 * count


def slip(glyph, paper, desk, side=90, turn=9.0, room=3.0):
    """A digit on a slip of paper that lies, turned, on a desk (or a canvas on a screen); both greys; three times as wide as the slip."""
    on_paper = cv2.resize(glyph, (side, side), interpolation=cv2.INTER_CUBIC) / 255
    drawn = paper + (255 - paper if paper < 128 else -paper + 40) * on_paper
    width = round(room * side)
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), turn, 1)
    matrix[:, 2] += (width - side) / 2
    grain = np.random.default_rng(0).normal(0, 2, (width, width))
    picture = cv2.warpAffine(drawn, matrix, (width, width), borderValue=desk) + grain
    return np.clip(picture, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("paper", "desk"), [(235, 70), (235, 150), (10, 230)])
@pytest.mark.parametrize(("side", "room"), [(90, 3.0), (60, 1.6), (200, 5.0)])
def test_one_digit_is_read_on_its_slip(paper, desk, side, room):
    (glyphs, labels), _ = mnist.load_data()
    reader, right = Reader.load(), 0
    for glyph, label in zip(glyphs[-30:], labels[-30:], strict=True):  # held back: no default weights learned from them
        picture = slip(glyph, paper, desk, side, room=room)
        page = reader.read(picture, single=True, threshold=0)
        right += page.text == str(label)
        x, y, w, h = page.numbers[0].box
        middle = picture.shape[0] / 2
        assert x <= middle <= x + w and y <= middle <= y + h and max(w, h) < 1.1 * side
    assert right >= 29


def test_a_thick_stroke_is_no_slip():
    bar = np.zeros((120, 90), np.uint8)
    cv2.line(bar, (45, 15), (45, 105), 255, 16)
    assert Reader.load().read(bar, single=True, threshold=0).text == "1"
    ring = np.full((200, 200), 250, np.uint8)
    cv2.ellipse(ring, (100, 100), (50, 70), 0, 0, 360, 20, 30)
    assert Reader.load().read(ring, single=True, threshold=0).text == "0"
    assert sheet_alone(ring) is None


@pytest.mark.parametrize(("at", "lean"), [(0.35, 0.2), (0.5, 0.9), (0.6, -0.9)])
def test_a_slip_half_in_shadow_with_its_desk_is_found_whole(at, lean):
    picture = in_half_shadow(desk_with_sheet(), at, left=0.4, lean=lean)
    flat = sheet_alone(picture)
    assert flat is not None
    back = cv2.perspectiveTransform(np.array([[(0, 0), flat.image.shape[1::-1]]], float), flat.back)[0]
    assert np.abs(back - CORNERS[[0, 2]]).max() < 0.05 * 640


@pytest.mark.parametrize("blur", [1, 12])
def test_one_digit_across_a_shadow_is_read_whole(blur):
    (x, y), _ = mnist.load_data()
    reader = Reader.load()
    right = 0
    for k, i in enumerate(range(-30, 0)):
        paper = cv2.copyMakeBorder(cv2.resize(x[i], (240, 240), interpolation=cv2.INTER_CUBIC), 60, 60, 60, 60, cv2.BORDER_CONSTANT)
        picture = np.stack([230 - 0.8 * paper] * 3, 2)
        ys, xs = np.mgrid[:360, :360]
        across = np.cos(k) * (xs - 180) + np.sin(k) * (ys - 180)
        light = 0.45 + 0.55 / (1 + np.exp(-across / blur))
        read = reader.read((picture * light[..., None]).astype(np.uint8), single=True, threshold=0)
        right += read.numbers[0].digits[0].value == y[i]
    assert right >= 28  # of 30; one or two of these hands are read otherwise in plain light


def test_every_label_on_a_desk_is_seen():
    desk = np.full((480, 640), 60, np.uint8)
    labels = [(30, 30, 260, 160), (340, 50, 260, 160), (40, 270, 240, 150)]
    for x, y, w, h in labels:
        desk[y : y + h, x : x + w] = 220
    sheet = find_sheet(desk)
    assert sheet is not None
    for x, y, w, h in labels:
        assert sheet[y + 10 : y + h - 10, x + 10 : x + w - 10].all()
    assert not sheet[220:250].any()
    assert not sheet[:, 310:330].any()
