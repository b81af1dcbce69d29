"""source.py: whatever comes in, an upright uint8 picture or a one-line reason comes out, in bounded time and memory."""

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pictures
import pytest
from numpy.typing import NDArray
from pictures import check_reason
from PIL import Image

from inkdigits import Limits
from inkdigits.errors import Damaged, ReadError, TooManyPages, TooManyPixels, Unsupported
from inkdigits.source import load_image, load_pages, open_image

PLAIN = pictures.drawn()


def contrast(image: NDArray[np.uint8]) -> int:
    return int(image.max()) - int(image.min())


def is_dark_on_pale(image: NDArray[np.uint8]) -> bool:
    grey = image if image.ndim == 2 else image.mean(axis=2)
    return float(np.median(grey)) - float(grey.min()) > 100


@pytest.mark.parametrize("name", pictures.GOOD)
def test_a_good_picture_is_given_upright_in_eight_bits(name: str) -> None:
    picture = open_image(pictures.GOOD[name]())
    image = picture.image
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous and image.flags.writeable and image.flags.owndata
    assert image.shape[:2] == (picture.height, picture.width) == ((200, 320) if name == "jpeg-exif" else (64, 96))
    assert image.ndim == (2 if name in {"jpeg-grey", "png-grey", "png-16", "tiff-fax"} else 3)
    assert picture.scale == 1
    assert picture.page_number is None
    assert is_dark_on_pale(image)
    if name in {"png", "bmp", "tiff", "tiff-lzw"}:
        assert np.array_equal(image, PLAIN)


# --- promise 1: damaged pictures


def read_damaged(count: int) -> tuple[int, int]:
    """Read so many damaged pictures made of the good ones; return how many were answered and how many refused."""
    good = [make() for make in pictures.GOOD.values()]
    answered = refused = 0
    for seed in range(count):
        try:
            image = load_image(pictures.damaged(good[seed // 5 % len(good)], seed))
        except ReadError as error:
            check_reason(error)
            refused += 1
        else:
            assert image.dtype == np.uint8 and image.size
            answered += 1
    return answered, refused


def test_300_damaged_pictures_are_answered_or_refused() -> None:
    answered, refused = read_damaged(300)
    assert answered + refused == 300
    assert min(answered, refused) >= 60  # both happen, or the damage is none


@pytest.mark.stress
def test_2000_damaged_pictures_are_answered_or_refused() -> None:
    answered, refused = read_damaged(2000)
    assert answered + refused == 2000
    assert min(answered, refused) >= 400


@pytest.mark.parametrize("name", pictures.GOOD)
def test_a_picture_cut_in_half_is_refused(name: str) -> None:
    data = pictures.GOOD[name]()
    with pytest.raises(Damaged, match="damaged"):
        load_image(data[: len(data) // 2])


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0+\0\x08\0\0", b"RIFF\0\0\0\0WEBP", b"BM"])
def test_a_bare_beginning_is_refused(data: bytes) -> None:
    with pytest.raises(ReadError) as caught:
        load_image(data)
    check_reason(caught.value)


# --- promise 2: bombs

# each bomb goes off in a process that may take 600 MB more than it has: what is decoded first dies there, or says "memory"
FUSE = """
import json, resource, sys, time
import pictures
from inkdigits.errors import ReadError
from inkdigits.source import load_image, load_pages
load_image(pictures.GOOD["webp"]()), load_image(pictures.GOOD["heic"]())
bombs = {name: make() for name, (make, _) in pictures.BOMBS.items()}
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize() if sys.platform == "linux" else 0
resource.setrlimit(resource.RLIMIT_AS, (used + 600 * 2**20,) * 2)
answers = {}
for name, data in bombs.items():
    start = time.process_time()
    try:
        [None for page in load_pages(data)]
        answer = ["answered", ""]
    except ReadError as error:
        answer = [error.code, str(error)]
    answers[name] = [*answer, time.process_time() - start]
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def bombs() -> dict[str, tuple[str, str, float]]:
    import json

    here = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    done = subprocess.run([sys.executable, "-c", FUSE], capture_output=True, text=True, timeout=120, env=here, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    answers: dict[str, tuple[str, str, float]] = json.loads(done.stdout)
    return answers


@pytest.mark.parametrize("name", pictures.BOMBS)
def test_a_bomb_is_refused_before_it_is_decoded(name: str, bombs: dict[str, tuple[str, str, float]]) -> None:
    code, reason, seconds = bombs[name]
    assert code == pictures.BOMBS[name][1], reason
    assert "memory" not in reason  # refused by its header, not by the machine's ceiling
    assert seconds < 0.5


def test_there_are_twelve_bombs_and_the_first_has_under_70_bytes() -> None:
    assert len(pictures.BOMBS) >= 12
    assert len(next(iter(pictures.BOMBS.values()))[0]()) < 70


def test_a_jpeg_above_the_limit_is_decoded_smaller_and_knows_its_size() -> None:
    data = pictures.saved(pictures.drawn(1600, 1000), "JPEG")
    whole = open_image(data)
    for pixels, scale in [(1_600_000, 1.0), (1_599_999, 0.5), (400_000, 0.5), (100_001, 0.25), (25_000, 0.125)]:
        picture = open_image(data, Limits(max_pixels=pixels))
        assert (picture.width, picture.height, picture.scale) == (1600, 1000, scale)
        assert picture.image.shape == (1000 * scale, 1600 * scale, 3)
        assert is_dark_on_pale(picture.image)
    with pytest.raises(TooManyPixels, match=r"1600 × 1000 pixels are too many.* at most 24,999"):
        open_image(data, Limits(max_pixels=24_999))
    assert whole.image.shape == (1000, 1600, 3)


def test_a_jpeg_is_decoded_as_small_as_is_enough() -> None:
    data = pictures.saved(pictures.drawn(1600, 1000), "JPEG")
    for enough, scale in [(None, 1.0), (400_001, 1.0), (400_000, 0.5), (100_001, 0.5), (100_000, 0.25), (1, 0.125)]:
        picture = open_image(data, enough=enough)
        assert (picture.width, picture.height, picture.scale) == (1600, 1000, scale)
        assert picture.image.shape == (1000 * scale, 1600 * scale, 3)
    assert open_image(pictures.saved(pictures.drawn(1600, 1000), "PNG"), enough=1).scale == 1


def test_a_photo_of_108_megapixels_is_decoded_smaller() -> None:
    photo = Image.new("L", (12_000, 9_000), 230)
    photo.paste(20, (6_000, 3_000, 9_000, 6_000))
    picture = open_image(pictures.saved(photo, "JPEG"))
    assert (picture.width, picture.height, picture.scale, picture.image.shape) == (12_000, 9_000, 0.5, (4_500, 6_000))
    assert picture.image[1_500:3_000, 3_000:4_500].max() < 60 < picture.image[:1_400].min()


def test_a_turned_jpeg_that_is_decoded_smaller_knows_its_upright_size() -> None:
    picture = open_image(pictures.with_exif(6), Limits(max_pixels=20_000))
    assert (picture.width, picture.height, picture.scale, picture.image.shape) == (320, 200, 0.5, (100, 160, 3))


def test_a_jpeg_beyond_all_measure_is_refused() -> None:
    strip = pictures.saved(Image.new("L", (900, 40), 255), "JPEG")
    assert open_image(strip, Limits(max_pixels=9_000, max_header_pixels=36_000)).image.shape == (20, 450)
    with pytest.raises(TooManyPixels):
        open_image(strip, Limits(max_pixels=9_000, max_header_pixels=35_999))
    slow = pictures.saved(Image.new("L", (900, 40), 255), "JPEG", progressive=True)
    with pytest.raises(TooManyPixels, match="progressive"):
        open_image(slow, Limits(max_pixels=9_000))


def test_a_long_jpeg_is_decoded_smaller() -> None:
    strip = pictures.saved(Image.new("L", (900, 40), 255), "JPEG")
    assert open_image(strip, Limits(max_side=300)).image.shape == (10, 225)
    thread = pictures.saved(Image.new("L", (1, 900), 255), "JPEG")
    with pytest.raises(TooManyPixels):
        open_image(thread, Limits(max_side=300))


@pytest.mark.parametrize("name", ["png", "bmp", "tiff", "webp", "heic"])
def test_other_kinds_above_the_limit_are_refused(name: str) -> None:
    data = pictures.GOOD[name]()
    assert load_image(data, Limits(max_pixels=96 * 64, max_side=96)).size
    with pytest.raises(TooManyPixels):
        load_image(data, Limits(max_pixels=96 * 64 - 1))
    with pytest.raises(TooManyPixels):
        load_image(data, Limits(max_side=95))


def test_a_webp_canvas_is_measured_before_libwebp_reserves_it() -> None:
    with pytest.raises(TooManyPixels):
        load_image(pictures.webp_claiming(10_000, 10_000)[:60])  # nothing but the header


def test_a_film_behind_a_photo_is_not_taken_for_its_scans() -> None:
    film = bytes(range(256)) * 100 + b"\xff\xda\0\1" * 5000
    assert load_image(pictures.saved(pictures.pil(), "JPEG", progressive=True) + film).shape == (64, 96, 3)


# --- promise 3: foreign formats


@pytest.mark.parametrize("name", pictures.FOREIGN)
def test_a_foreign_format_under_a_pictures_name_is_refused_by_its_own_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(pictures.FOREIGN[name]())
    with pytest.raises(Unsupported, match=name) as caught:
        load_image(path)
    check_reason(caught.value)


def test_a_name_plays_no_part(tmp_path: Path) -> None:
    path = tmp_path / "photo.gif"
    path.write_bytes(pictures.GOOD["png"]())
    assert np.array_equal(load_image(path), PLAIN)


def test_only_allowed_decoders_are_ever_imported(tmp_path: Path) -> None:
    for number, make in enumerate([*pictures.FOREIGN.values(), *pictures.GOOD.values()]):
        (tmp_path / f"{number}.png").write_bytes(make())
    code = """
import sys, pathlib
from inkdigits.source import load_image
from inkdigits.errors import ReadError
for path in pathlib.Path(sys.argv[1]).iterdir():
    try: load_image(path)
    except ReadError: pass
print(*sorted(m.removeprefix("PIL.") for m in sys.modules if m.startswith("PIL.") and m.endswith("ImagePlugin")))
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [f"{kind}ImagePlugin" for kind in ("Bmp", "Jpeg", "Png", "Tiff", "WebP")]


def test_a_lazy_pil_image_of_a_foreign_format_is_not_decoded() -> None:
    with Image.open(io.BytesIO(pictures.FOREIGN["GIF"]())) as image:
        with pytest.raises(Unsupported, match="GIF"):
            load_image(image)
        assert image.tile  # still not decoded
        image.load()
        assert load_image(image).shape == (64, 96, 3)  # the caller decoded it


def test_heic_without_its_library_is_one_line_that_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = pictures.GOOD["heic"]()
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(Unsupported, match=r'HEIC.*pip install "inkdigits\[formats\]"'):
        load_image(photo)


# --- promise 5: orientation


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_gives_the_same_upright_picture(orientation: int) -> None:
    upright = pictures.drawn(320, 200)
    for kind, options in [("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})]:
        picture = open_image(pictures.with_exif(orientation, kind, **options))
        assert np.array_equal(picture.image, upright), kind
        assert (picture.width, picture.height) == (320, 200)
    for data in (pictures.with_exif(orientation, quality=95), pictures.with_exif(orientation, "HEIC")):
        photo = load_image(data).astype(int)
        assert photo.shape == upright.shape
        assert abs(photo - upright).mean() < 3
    with Image.open(io.BytesIO(pictures.with_exif(orientation, "PNG"))) as opened:
        assert np.array_equal(load_image(opened), upright)


# --- pages


def test_every_page_of_a_tiff_comes_in_order_and_a_single_one_has_no_number() -> None:
    pages = list(load_pages(pictures.tiff_pages(4)))
    assert [p.page_number for p in pages] == [1, 2, 3, 4]
    assert [int((p.image[0] == 0).sum()) for p in pages] == [1, 2, 3, 4]
    assert load_image(pictures.tiff_pages(4)).shape == (30, 40)
    assert [p.page_number for p in load_pages(pictures.tiff_pages(1))] == [None]
    for source in (pictures.GOOD["png"](), PLAIN, Image.fromarray(PLAIN)):
        assert [p.image.shape for p in load_pages(source)] == [(64, 96, 3)]


def test_too_many_pages_are_refused_before_the_first_is_given() -> None:
    pages = pictures.tiff_pages(4)
    assert len(list(load_pages(pages, Limits(max_pages=4)))) == 4
    with pytest.raises(TooManyPages):
        next(load_pages(pages, Limits(max_pages=3)))


def test_smaller_copies_of_a_page_are_no_pages() -> None:
    page, copy = pictures.pil("L"), pictures.pil("L").resize((48, 32))
    copy.encoderinfo = {"tiffinfo": {254: 1}}
    data = pictures.saved(page, "TIFF", save_all=True, append_images=[copy])
    assert [(p.page_number, p.image.shape) for p in load_pages(data)] == [(None, (64, 96))]
