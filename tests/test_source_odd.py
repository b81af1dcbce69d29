"""source.py and arrays.py: odd but legal pictures are answered, and their ink is seen (promises 4, 8, 25)."""

import io
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pictures
import pytest
from numpy.typing import NDArray
from pictures import drawn, grey_png, on_glass, pil, saved
from PIL import Image

from inkdigits.errors import MAX_REASON, Damaged, ReadError, TooManyPixels, Unsupported
from inkdigits.limits import Limits
from inkdigits.source import load_image, open_image

GREY = drawn(colour=False)
DARK, PALE, NO_INK = "dark ink", "pale ink", "no ink"


def blank(width: int, height: int, shade: int = 255) -> bytes:
    return saved(Image.new("L", (width, height), shade), "PNG")


def tiff_of(values: NDArray[Any]) -> bytes:
    return saved(Image.fromarray(values), "TIFF")


def interlaced() -> bytes:
    """A PNG of 8 × 8 in seven passes (Adam7), its left half black."""
    import zlib

    passes = [(0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2), (1, 2, 0, 1)]
    rows = b"".join(b"\0" + bytes(0 if x < 4 else 255 for x in range(x0, 8, dx)) for y0, dy, x0, dx in passes for _ in range(y0, 8, dy))
    data = bytearray(pictures.png(8, 8, rows=rows))
    data[28] = 1
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    return bytes(data)


def frames(kind: str) -> bytes:
    first = pil("RGB")
    return saved(first, kind, save_all=True, append_images=[Image.new("RGB", first.size)] * 3, duration=100)


def lab() -> bytes:
    values = cv2.cvtColor(drawn(), cv2.COLOR_RGB2LAB)
    return saved(Image.merge("LAB", [Image.fromarray(values[:, :, i]) for i in range(3)]), "TIFF")


def exif_zero() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 0
    return saved(pil(), "JPEG", exif=exif)


def glassy_grey() -> bytes:
    """A PNG of black and white in which white is transparent."""
    return saved(Image.fromarray(np.where(GREY < 128, 0, 255).astype(np.uint8)), "PNG", transparency=255)


def big_endian() -> bytes:
    return saved(Image.frombytes("I;16B", (96, 64), (GREY.astype(">u2") * 257).astype(">u2").tobytes()), "TIFF")


# name → (the file, shape, what must be seen in it)
ODD: dict[str, tuple[Callable[[], bytes], tuple[int, ...], str]] = {
    "1 × 1": (lambda: blank(1, 1), (1, 1), NO_INK),
    "1 × 3000": (lambda: blank(1, 3000), (3000, 1), NO_INK),
    "3000 × 1": (lambda: blank(3000, 1), (1, 3000), NO_INK),
    "blank": (lambda: blank(200, 100), (100, 200), NO_INK),
    "black": (lambda: blank(200, 100, 0), (100, 200), NO_INK),
    "inverted": (lambda: saved(255 - drawn(), "PNG"), (64, 96, 3), PALE),
    "1-bit PNG": (lambda: saved(pil("1"), "PNG"), (64, 96), DARK),
    "1-bit BMP": (lambda: saved(pil("1"), "BMP"), (64, 96), DARK),
    "1-bit TIFF, fax": (lambda: saved(pil("1"), "TIFF", compression="group4"), (64, 96), DARK),
    "2-bit palette": (lambda: saved(pil("L").quantize(4), "PNG", bits=2), (64, 96, 3), DARK),
    "16-bit grey PNG": (lambda: grey_png(GREY.astype(np.uint16) * 257), (64, 96), DARK),
    "12 bits in 16": (lambda: grey_png(GREY.astype(np.uint16) * 16), (64, 96), DARK),
    "16-bit colour PNG": (lambda: grey_png(drawn().astype(np.uint16) * 257), (64, 96, 3), DARK),
    "16-bit TIFF": (lambda: tiff_of(GREY.astype(np.uint16) * 257), (64, 96), DARK),
    "32-bit TIFF": (lambda: tiff_of(GREY.astype(np.int32)), (64, 96), DARK),
    "float TIFF": (lambda: tiff_of(GREY.astype(np.float32) / 255), (64, 96), DARK),
    "big-endian 16-bit TIFF": (big_endian, (64, 96), DARK),
    "palette": (lambda: saved(pil().quantize(64), "PNG"), (64, 96, 3), DARK),
    "palette, transparent": (lambda: saved(on_glass(10).quantize(8), "PNG"), (64, 96, 3), DARK),
    "palette BMP": (lambda: saved(pil().quantize(64), "BMP"), (64, 96, 3), DARK),
    "RGBA, dark ink": (lambda: saved(on_glass(10), "PNG"), (64, 96, 3), DARK),
    "RGBA, pale ink": (lambda: saved(on_glass(250), "PNG"), (64, 96, 3), PALE),
    "RGBA, opaque": (lambda: saved(pil("RGBA"), "PNG"), (64, 96, 3), DARK),
    "RGBA, nothing there": (lambda: saved(Image.new("RGBA", (50, 40)), "PNG"), (40, 50, 3), NO_INK),
    "LA, dark ink": (lambda: saved(on_glass(10, "LA"), "PNG"), (64, 96), DARK),
    "LA, pale ink": (lambda: saved(on_glass(250, "LA"), "PNG"), (64, 96), PALE),
    "grey with one transparent shade": (glassy_grey, (64, 96), DARK),
    "RGB with one transparent colour": (lambda: saved(pil(), "PNG", transparency=(235, 240, 230)), (64, 96, 3), DARK),
    "CMYK JPEG": (lambda: saved(pil("CMYK"), "JPEG"), (64, 96, 3), DARK),
    "CMYK TIFF": (lambda: saved(pil("CMYK"), "TIFF"), (64, 96, 3), DARK),
    "LAB TIFF": (lab, (64, 96), DARK),
    "YCbCr TIFF": (lambda: saved(pil(), "TIFF", compression="jpeg"), (64, 96, 3), DARK),
    "MPO": (pictures.multi_picture, (64, 96, 3), DARK),
    "ICC profile": (lambda: saved(pil(), "JPEG", icc_profile=pictures.profile()), (64, 96, 3), DARK),
    "ICC profile in PNG": (lambda: saved(pil(), "PNG", icc_profile=pictures.profile()), (64, 96, 3), DARK),
    "progressive": (lambda: saved(pil(), "JPEG", progressive=True), (64, 96, 3), DARK),
    "interlaced": (interlaced, (8, 8), NO_INK),
    "JPEG of quality 1": (lambda: saved(pil(), "JPEG", quality=1), (64, 96, 3), DARK),
    "JPEG with rubbish behind it": (lambda: saved(pil(), "JPEG") + bytes(5000), (64, 96, 3), DARK),
    "JPEG with broken EXIF": (lambda: saved(pil(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff"), (64, 96, 3), DARK),
    "PNG with comments": (lambda: pictures.told("a comment " * 1000), (64, 96, 3), DARK),
    "animated PNG": (lambda: frames("PNG"), (64, 96, 3), DARK),
    "animated WebP": (lambda: frames("WEBP"), (64, 96, 3), DARK),
    "WebP with transparency": (lambda: saved(on_glass(10), "WEBP"), (64, 96, 3), DARK),
    "TIFF, PackBits": (lambda: saved(pil(), "TIFF", compression="packbits"), (64, 96, 3), DARK),
    "TIFF, deflate": (lambda: saved(pil(), "TIFF", compression="tiff_adobe_deflate"), (64, 96, 3), DARK),
    "BigTIFF": (lambda: saved(pil(), "TIFF", big_tiff=True), (64, 96, 3), DARK),
    "many pages": (lambda: pictures.tiff_pages(5), (30, 40), DARK),
    "HEIC": (pictures.GOOD["heic"], (64, 96, 3), DARK),
    **{f"EXIF {n}": (lambda n=n: pictures.with_exif(n), (200, 320, 3), DARK) for n in range(1, 9)},  # type: ignore[misc]
    "EXIF 0, which is none": (exif_zero, (64, 96, 3), DARK),
}


def seen(image: NDArray[np.uint8]) -> str:
    """What stands on the page: shades far from the most common one, and on which side."""
    grey = (image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)).astype(int)
    values, counts = np.unique(grey // 16, return_counts=True)
    paper = 16 * int(values[counts.argmax()])
    darker, paler = (grey < paper - 100).mean(), (grey > paper + 100).mean()
    if darker > 0.01 and paler < 0.01:
        return DARK
    if paler > 0.01 and darker < 0.01:
        return PALE
    return NO_INK if max(darker, paler) < 0.01 else "both"


@pytest.mark.parametrize("name", ODD)
def test_an_odd_but_legal_picture_is_answered(name: str) -> None:
    make, shape, ink = ODD[name]
    picture = open_image(make())
    assert picture.image.dtype == np.uint8
    assert picture.image.shape == shape
    assert (picture.height, picture.width) == shape[:2]
    if name == "interlaced":
        assert np.array_equal(picture.image, np.repeat([[0] * 4 + [255] * 4], 8, axis=0))
    else:
        assert seen(picture.image) == ink


@pytest.mark.filterwarnings("error")
def test_a_jpeg_with_a_damaged_exif_block_warns_nobody() -> None:
    block = b"Exif\0\0II*\0\x08\0\0\0\x05\0" + bytes(20)
    data = saved(pil(), "JPEG", exif=block)
    assert load_image(data.replace(b"\xff\xe0\0\x10JFIF", b"\xff\xe0\0\x10Jfif")).shape == (64, 96, 3)


def test_there_are_forty_odd_pictures() -> None:
    assert len(ODD) >= 40


def test_a_page_with_cut_off_corners_gets_no_ink_from_them() -> None:
    for paper, ink in ((230, 20), (20, 230)):
        page = np.where(GREY < 128, ink, paper).astype(np.uint8)
        alpha = np.full_like(page, 255)
        alpha[:6, :6] = alpha[-6:, -6:] = 0
        image = load_image(saved(Image.fromarray(np.dstack([page, page, page, alpha])), "PNG"))
        assert abs(int(image[0, 0, 0]) - paper) < 40


def test_the_shade_of_half_transparent_ink_is_mixed_with_the_ground() -> None:
    pixels = np.zeros((1, 4, 4), np.uint8)
    pixels[0, :, 3] = (0, 85, 170, 255)
    assert load_image(pixels)[0, :, 0].tolist() == [255, 170, 85, 0]


# --- promise 8: arrays

WHITE_ON_BLACK = np.array([[0, 255, 128], [64, 0, 255]], np.uint8)
AS_ARRAYS: dict[str, Callable[[NDArray[np.uint8]], Any]] = {
    "uint8": lambda a: a,
    "int64": lambda a: a.astype(np.int64),
    "uint16 to 65535": lambda a: a.astype(np.uint16) * 257,
    "big-endian": lambda a: a.astype(">u2") * 257,
    "float64 0–1": lambda a: a / 255,
    "float32 0–255": lambda a: a.astype(np.float32),
    "float16 0–1": lambda a: (a / 255).astype(np.float16),
    "longdouble": lambda a: a.astype(np.longdouble),
    "overshoot of resampling": lambda a: np.where(a == 0, -0.04, np.where(a == 255, 1.05, a / 255)),
    "one channel": lambda a: a[:, :, np.newaxis],
    "negative strides": lambda a: np.ascontiguousarray(a[::-1, ::-1])[::-1, ::-1],
    "Fortran order": np.asfortranarray,
    "every other": lambda a: np.repeat(np.repeat(a, 2, 0), 2, 1)[::2, ::2],
    "masked": np.ma.masked_array,
    "PIL image": Image.fromarray,
    "opaque": lambda a: np.dstack([a, np.full_like(a, 255)]),
}


@pytest.mark.parametrize("name", AS_ARRAYS)
def test_an_array_of_any_type_gives_the_same_picture_and_stays_as_it_is(name: str) -> None:
    source = AS_ARRAYS[name](WHITE_ON_BLACK.copy())
    if isinstance(source, np.ndarray):
        source.flags.writeable = False
        kept = source.copy()
    image = load_image(source)
    assert np.abs(image.astype(int) - WHITE_ON_BLACK).max() <= (1 if "float16" in name else 0)
    assert image.dtype == np.uint8 and image.flags.c_contiguous and image.flags.writeable
    if isinstance(source, np.ndarray):
        assert not np.shares_memory(image, source)
        assert np.array_equal(source, kept)


def test_masks_and_colours() -> None:
    mask = np.array([[True, False]])
    for source in (mask, mask.astype(np.uint8), mask.astype(np.int64), mask.astype(float)):
        assert load_image(source).tolist() == [[255, 0]]
    assert np.array_equal(load_image(drawn()), drawn())
    assert np.array_equal(load_image(drawn().astype(np.float64) / 255), drawn())
    assert np.array_equal(load_image(np.dstack([drawn(), np.full((64, 96), 255, np.uint8)])), drawn())


class OnAnotherDevice:
    def __array__(self, *args: object, **kwargs: object) -> NDArray[np.uint8]:
        raise TypeError("can't convert a tensor on device 0\nto an array")


WRONG: dict[str, Any] = {
    "NaN": np.array([[0.5, np.nan]]),
    "inf": np.array([[0.5, np.inf]]),
    "-inf": np.array([[-np.inf, 0.5]]),
    "no pixels": np.zeros((0, 10)),
    "no columns": np.zeros((10, 0, 3)),
    "rank 0": np.float64(3),
    "rank 1": np.zeros(784),
    "rank 4": np.zeros((1, 28, 28, 1)),
    "five channels": np.zeros((4, 4, 5)),
    "channels first": np.zeros((3, 64, 96)),
    "complex": np.zeros((2, 2), complex),
    "objects": np.array([[None, 1]], object),
    "words": np.array([["a", "b"]]),
    "dates": np.zeros((2, 2), "datetime64[s]"),
    "records": np.zeros((2, 2), [("r", "u1")]),
    "below 0": np.array([[-1, 5]]),
    "standardised": np.array([[-1.8, 1.8]]),
    "above 16 bits": np.array([[0, 70_000]]),
    "floats above 255": np.array([[0, 400.0]]),
    "on another device": OnAnotherDevice(),
    "a list": [[0, 1], [1, 0]],
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.filterwarnings("error")
def test_a_wrong_array_is_a_one_line_reason(name: str) -> None:
    with pytest.raises((Unsupported, Damaged)) as caught:
        load_image(WRONG[name])
    reason = str(caught.value)
    assert len(reason) <= MAX_REASON and "\n" not in reason
    assert "expected" in reason or "empty" in reason or name == "on another device"


def test_a_huge_array_of_no_memory_is_refused_by_its_shape() -> None:
    with pytest.raises(TooManyPixels):
        load_image(np.broadcast_to(np.uint8(0), (100_000, 100_000)))


def test_an_array_or_a_pil_image_above_the_limits_is_refused() -> None:
    with pytest.raises(TooManyPixels):
        load_image(np.zeros((10, 10)), Limits(max_pixels=99))
    with pytest.raises(TooManyPixels):
        load_image(Image.new("1", (10, 10)), Limits(max_side=9))


# --- promise 25: nothing of what a picture tells besides its pixels comes out

WORDS = ("Lindenhof47", "Waltraud", "zumGeburtstag", "Vorschaubild")


def test_what_a_picture_tells_of_place_name_and_comment_is_nowhere_in_the_answer() -> None:
    for data in pictures.planted(WORDS):
        assert all(word.encode() in data for word in WORDS[1:3])  # it is really in there
        picture = open_image(io.BytesIO(data))
        assert not any(word in repr(picture) for word in WORDS)
        assert not any(word.encode() in picture.image.tobytes() for word in WORDS)


def test_what_a_damaged_picture_tells_is_nowhere_in_the_reason() -> None:
    for data in pictures.planted(WORDS):
        for seed in range(100):
            try:
                load_image(pictures.damaged(data, seed))
            except ReadError as error:
                assert not any(word in str(error) for word in WORDS)
