"""read: whole pictures in, pages out, with the weights that are shipped."""

import io
from difflib import SequenceMatcher

import cv2
import numpy as np
import pictures
import pytest
from PIL import Image

import inkdigits
from inkdigits import Limits, Page, Reader, mnist
from inkdigits.errors import ReadError, TooManyMarks, UsageError
from inkdigits.synthetic import make_digit, make_labelled_page, make_page
from inkdigits.synthetic.hands import Hands, choose_writer, write


@pytest.fixture(scope="module")
def reader():
    return Reader.load()


def flat(text):
    return "".join(c for c in text if c.isdigit())


def count_right(text, truth):
    return sum(same.size for same in SequenceMatcher(None, text, flat(truth.text), autojunk=False).get_matching_blocks())


@pytest.mark.parametrize("seed", range(4))
def test_a_clean_page_is_read_in_order(reader, seed):
    image, truth = make_page("2071 438\n5566", seed=seed, split="validation", dirt="clean")
    page = reader.read(image, threshold=0)
    assert len(page.text.split("\n")) == 2
    right = count_right(flat(page.text), truth)
    assert right >= 10  # of 11: the hands are those of strangers


def test_boxes_lie_where_the_digits_are(reader):
    image, truth = make_page("2071 438", seed=1, split="validation", dirt="clean")
    page = reader.read(image, threshold=0)
    found = [d.box for n in page.numbers for d in n.digits]
    true = [d.box for n in truth.numbers for d in n.digits]
    assert len(found) == len(true)
    for a, b in zip(found, true, strict=True):
        assert abs(a.x + a.width / 2 - b.x - b.width / 2) < 0.3 * b.width + 4
        assert abs(a.y + a.height / 2 - b.y - b.height / 2) < 0.3 * b.height + 4


def test_single_digits_of_made_photos(reader):
    rng = np.random.default_rng(7)
    labels = [i % 10 for i in range(60)]
    pages = [reader.read(make_digit(label, rng, style="screen"), single=True, threshold=0) for label in labels]
    assert sum(p.text == str(label) for p, label in zip(pages, labels, strict=True)) >= 56


def test_a_single_page_keeps_the_contract(reader):
    page = reader.read(make_digit(4, np.random.default_rng(3), style="scan"), single=True, threshold=0)
    (number,) = page.to_dict()["numbers"]
    (digit,) = number["digits"]
    assert len(digit["alternatives"]) == 10
    assert sum(p for _, p in digit["alternatives"]) == pytest.approx(1, abs=1e-4)
    assert [p for _, p in digit["alternatives"]] == sorted((p for _, p in digit["alternatives"]), reverse=True)
    assert Page.from_dict(page.to_dict()) == page
    assert page.draw().shape == (page.height, page.width, 3)


def test_what_it_will_not_vouch_for_is_a_question_mark(reader):
    page = reader.read(make_digit(4, np.random.default_rng(3), style="scan"), single=True, threshold=1)
    assert page.text == "?"
    assert page.numbers[0].digits[0].value is None


def meet(a, b):
    """Tell whether two boxes have something in common."""
    return a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height


@pytest.mark.parametrize("seed, dirt", [(27, "light"), (100, "medium")])
def test_what_is_hardly_a_number_is_not_answered_though_each_digit_is_sure(reader, seed, dirt):
    written = "" if seed % 2 else "148 207|1377585"
    picture, _, _ = make_labelled_page(written, seed=seed, dirt=dirt, decoys=4)
    numbers = {threshold: reader.read(picture, threshold=threshold).numbers for threshold in (0.0, 0.02, None)}
    hardly = [n for n in numbers[0.0] if n.confidence < 0.02 and min(d.confidence for d in n.digits) > reader.classifier.threshold]
    assert hardly  # halves of numbers, and letters
    assert not any(n.text in written.replace("|", " ").split() for n in hardly)
    for threshold in (0.02, None):
        for n in hardly:  # none of it is told; or it is asked for what stands between its digits
            there = [other for other in numbers[threshold] if meet(other.box, n.box)]
            assert there
            assert all("?" in other.text for other in there)
            assert all(d.value is None for other in there if other.box == n.box for d in other.digits)


@pytest.mark.parametrize("single", [True, False])
@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (28, 28), (400, 600), (400, 600, 3)])
def test_blank_pictures_hold_nothing(reader, shape, single):
    page = reader.read(np.full(shape, 230, np.uint8), single=single)
    assert page.text == ""
    assert page.numbers == ()


@pytest.mark.parametrize("seed", [0, 4, 7, 8, 14, 51])
def test_words_do_not_turn_a_page(reader, seed):
    rng, hands = np.random.default_rng(seed), Hands(split="validation", mnist=0)
    writer, image = choose_writer(rng, hands), np.full((700, 1100), 235, np.uint8)
    for y, word in ((200, "AhWMAM"), (400, "MhMWdM")):  # on its side an M is a 3, a W too, from the other
        x = 100
        for letter in word:
            ink = write(letter, writer, hands, 100, rng)
            image[y : y + ink.shape[0], x : x + ink.shape[1]] -= (ink * 0.8).astype(np.uint8)
            x += ink.shape[1] + 8
    page = reader.read(image)
    assert page.rotation == 0
    assert flat(page.text) == ""


@pytest.mark.parametrize("seed", range(3))
def test_a_page_of_nothing_but_0_is_not_turned(reader, seed):
    image, _ = make_page("000000000|" * 5 + "0000", seed=seed, split="validation", dirt="clean")
    assert reader.read(image).rotation == 0


@pytest.mark.parametrize(("slope", "ruling"), [(4, "lines"), (12, "squares"), (-10, "squares"), (-16, "lines")])
def test_paper_that_is_ruled_askew_hides_no_digit(reader, slope, ruling):
    image, truth = make_page("2071 438|5566", seed=1, split="validation", dirt="clean", size=(900, 600))
    ruled = rule_askew(image, slope, ruling)
    assert (image != ruled).any(2).mean() > 0.02
    found = [flat(reader.read(picture, threshold=0).text) for picture in (image, ruled)]
    right = [count_right(text, truth) for text in found]
    assert right[1] >= right[0] - 1
    assert len(found[1]) <= len(found[0]) + 1


@pytest.mark.parametrize("degrees", [8, -14])
def test_one_digit_is_read_on_squares_that_lie_askew(reader, degrees):
    (x, y), _ = mnist.load_data()
    right = 0
    for glyph, value in zip(x[-12:], y[-12:], strict=True):  # of those that train nothing
        image = np.full((220, 220), 240, np.uint8)
        image[52:164, 52:164] -= (cv2.resize(glyph, (112, 112), interpolation=cv2.INTER_CUBIC) * 0.8).astype(np.uint8)
        right += reader.read(rule_askew(np.dstack([image] * 3), degrees, "squares"), single=True, threshold=0).text == str(value)
    assert right >= 11


def rule_askew(image, degrees, ruling, spacing=34):
    height, width = image.shape[:2]
    lines = np.zeros((height, width), np.float32)
    for angle in (degrees, degrees + 90) if ruling == "squares" else (degrees,):
        along = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
        for k in range(-40, 41):
            middle = np.array([width / 2, height / 2]) + k * spacing * along[::-1] * (-1, 1)
            start, stop = (tuple(np.rint(middle + s * along).astype(int).tolist()) for s in (-1500, 1500))
            cv2.line(lines, start, stop, 0.6, 1, cv2.LINE_AA)
    return (image * (1 - lines[..., None] * (0.9, 0.7, 0.5))).astype(np.uint8)


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_page_on_its_side_or_upside_down_is_turned(reader, turn):
    image, truth = make_page("234567\n547235", seed=2, split="validation", dirt="clean")
    page = reader.read(np.ascontiguousarray(np.rot90(image, turn // 90)), threshold=0)
    assert page.rotation == turn
    assert (page.width, page.height) == ((truth.width, truth.height) if turn == 180 else (truth.height, truth.width))
    right = [flat(reader.read(image, threshold=0).text), flat(page.text)]
    assert count_right(right[1], truth) >= count_right(right[0], truth) - 1


@pytest.mark.parametrize("seed", range(4))
def test_digits_that_are_digits_upside_down_turn_no_page_over(reader, seed):
    text = "".join(np.random.default_rng(seed).choice(list("01689"), 15))
    image, _ = make_page(text[:8] + "|" + text[8:], seed=seed, split="validation", dirt="clean")
    for picture in (image, np.ascontiguousarray(np.rot90(image, 2))):
        assert reader.read(picture).rotation != 180


def test_the_eight_orientations_of_one_photo_read_alike(reader):
    image, _ = make_page("2071 438", seed=1, split="validation", dirt="clean")
    upright = Image.fromarray(image)
    back = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    expected = reader.read(upright)
    for orientation, transpose in back.items():
        stored, exif = upright.transpose(transpose), Image.Exif()
        exif[0x0112] = orientation
        out = io.BytesIO()
        stored.save(out, "PNG", exif=exif)
        assert reader.read(out.getvalue()) == expected


def test_what_was_read_from_an_open_file_is_drawn_after_it_is_closed(reader, tmp_path):
    image, _ = make_page("42", seed=1, size=(300, 160), dirt="clean")
    Image.fromarray(image).save(tmp_path / "p.png")
    with open(tmp_path / "p.png", "rb") as file:
        page = reader.read(file)
    (tmp_path / "p.png").unlink()
    assert page.draw().shape == image.shape


def test_the_same_bytes_give_the_same_page(reader):
    image, _ = make_page("2071 438|99 1", seed=4, dirt="medium")
    first = reader.read(image)
    assert all(reader.read(image) == first for _ in range(5))


def test_specks_without_end_are_refused_or_dropped_quickly():
    noise = np.where(np.random.default_rng(0).random((900, 1200)) < 0.05, 0, 255).astype(np.uint8)
    try:
        page = Reader.load(limits=Limits(max_components=500)).read(noise)
    except TooManyMarks as error:
        assert "pieces of ink" in str(error)
    else:
        assert len(flat(page.text)) < 20


@pytest.mark.stress
@pytest.mark.parametrize("single", [False, True])
def test_a_photo_of_48_megapixels_is_read_and_never_looked_at_as_a_whole(reader, single, monkeypatch):
    page, _ = make_page("7" if single else "2071 438", seed=1, dirt="clean", size=(800, 600))
    where = inkdigits.reader if single else inkdigits.pages
    looked_at, find = [], where.find_ink
    monkeypatch.setattr(where, "find_ink", lambda image, **options: looked_at.append(image.size) or find(image, **options))
    for picture in (page, np.full_like(page, 230)):  # where nothing is found it looks more closely
        out = io.BytesIO()
        Image.fromarray(picture).resize((8000, 6000)).save(out, "JPEG", quality=85)
        read = reader.read(out.getvalue(), single=single, threshold=0)
        assert (read.width, read.height) == (8000, 6000)
        assert read.text == (reader.read(page, single=single, threshold=0).text if picture is page else "")
    assert max(looked_at) <= 12_000_000 * (3 if page.ndim == 3 else 1)


@pytest.mark.parametrize("options", [{"threshold": 1.5}, {"threshold": -0.1}, {"rotate": 45}, {"rotate": "left"}])
def test_settings_out_of_range_are_refused(reader, options):
    with pytest.raises(UsageError):
        reader.read(np.zeros((20, 20), np.uint8), **options)


def test_every_page_of_a_document_knows_its_own_picture(reader):
    pages = list(reader.read_pages(io.BytesIO(pictures.tiff_pages(3))))
    assert [page.page_number for page in pages] == [1, 2, 3]
    assert [int((page.picture()[0] == 0).sum()) for page in pages] == [1, 2, 3]


def test_read_is_a_public_name():
    with pytest.raises(ReadError) as caught:
        inkdigits.read("no such picture.png")
    assert caught.value.code == "not_found"
