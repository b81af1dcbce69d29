"""headers.py: what the first bytes say, and what they cost, without a decoder."""

import struct

import pictures
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from inkdigits import Limits, headers
from inkdigits.errors import Damaged, TooLarge, TooManyPages, Unsupported


@pytest.mark.parametrize("name", pictures.GOOD)
def test_the_kind_of_a_good_picture_is_told_and_its_costs_are_fair(name: str) -> None:
    data = pictures.GOOD[name]()
    kind = headers.kind_of(data)
    assert kind.lower() == {"mpo": "jpeg"}.get(name, name.partition("-")[0])
    headers.check_costs(kind, data, Limits())


TEXTS = ("one text of 64 MiB", "2,000 texts of 1 MiB", "a text in another tongue", "a colour profile of 64 MiB")


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_that_unpacks_to_megabytes_is_refused(name: str) -> None:
    with pytest.raises(TooLarge, match="text"):
        headers.check_costs("PNG", pictures.BOMBS[name][0](), Limits())


def test_hundreds_of_scans_are_refused_and_a_hundred_are_not() -> None:
    with pytest.raises(TooLarge, match="3005 scans"):
        headers.check_costs("JPEG", pictures.BOMBS["a JPEG of 3,000 scans"][0](), Limits())
    data = pictures.GOOD["jpeg-progressive"]()
    first, last = data.index(b"\xff\xda"), data.rindex(b"\xff\xda")
    scan, count = data[last:-2], data.count(b"\xff\xda")
    assert first < last
    headers.check_costs("JPEG", data[:-2] + scan * (100 - count) + data[-2:], Limits())
    with pytest.raises(TooLarge):
        headers.check_costs("JPEG", data[:-2] + scan * (101 - count) + data[-2:], Limits())


@pytest.mark.parametrize("name", [name for name in pictures.BOMBS if name.startswith("a TIFF of") and "megapixels" not in name])
def test_a_tiff_that_takes_minutes_to_unpack_is_refused(name: str) -> None:
    with pytest.raises((TooLarge, TooManyPages)):
        headers.check_costs("TIFF", pictures.BOMBS[name][0](), Limits())


@pytest.mark.parametrize("tag", headers._DIRECTORY_TAGS)
def test_a_directory_within_is_looked_at_too_and_a_circle_ends(tag: int) -> None:
    inner = struct.pack("<HHHIII", 1, 305, 5, 20_000, 8, 0)
    outer = struct.pack("<HHHIII", 1, tag, 4, 1, 26, 8)  # the next directory is this one again
    data = b"II*\0" + struct.pack("<I", 8) + outer + inner + bytes(160_000)
    with pytest.raises(TooLarge, match="tag 305"):
        headers.check_costs("TIFF", data, Limits())
    headers.check_costs("TIFF", data.replace(struct.pack("<I", 20_000), struct.pack("<I", 9_000)), Limits())


def test_a_tiff_whose_directory_is_cut_off_is_refused() -> None:
    data = pictures.GOOD["tiff"]()
    (at,) = struct.unpack_from("<I", data, 4)
    for end in (5, at + 1, at + 20):
        with pytest.raises(Damaged, match="cut off"):
            headers.check_costs("TIFF", data[:end], Limits())


@pytest.mark.parametrize("order, name", [("<", b"II*\0"), (">", b"MM\0*")])
def test_the_orientation_is_read_in_both_byte_orders_and_nonsense_is_upright(order: str, name: bytes) -> None:
    for value in range(1, 9):
        block = name + struct.pack(order + "IHHHIHHI", 8, 1, 0x0112, 3, 1, value, 0, 0)
        assert headers.orientation_of(block) == headers.orientation_of(b"Exif\0\0" + block) == value
        for kind, form in ((1, "Bxxx"), (4, "I")):  # as some programs write it
            assert headers.orientation_of(name + struct.pack(f"{order}IHHHI{form}I", 8, 1, 0x0112, kind, 1, value, 0)) == value
    for value in (0, 9, 65535):
        assert headers.orientation_of(name + struct.pack(order + "IHHHIHHI", 8, 1, 0x0112, 3, 1, value, 0, 0)) == 1
    assert headers.orientation_of(name + struct.pack(order + "I", 2**32 - 1)) == 1


@given(st.binary(max_size=60), st.sampled_from([b"", b"II*\0", b"MM\0*", b"Exif\0\0II*\0\x08\0\0\0\1\0"]))
def test_any_block_has_an_orientation(block: bytes, start: bytes) -> None:
    assert headers.orientation_of(start + block) in range(1, 9)


@given(st.sampled_from([make() for make in pictures.GOOD.values()]), st.binary(max_size=80), st.integers(0, 120))
def test_any_bytes_have_a_kind_or_a_reason(good: bytes, noise: bytes, at: int) -> None:
    data = good[:at] + noise + good[at + len(noise) :]
    try:
        kind = headers.kind_of(data)
        headers.check_costs(kind, data, Limits())
        if kind == "WebP":
            assert min(headers.webp_size(data)) >= 0
    except (Unsupported, Damaged, TooLarge, TooManyPages):
        pass


@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"}])
def test_the_canvas_of_a_webp_is_what_pillow_finds(options: dict[str, object]) -> None:
    for size in [(1, 1), (300, 17), (16383, 2)]:
        assert headers.webp_size(pictures.saved(Image.new("RGB", size, 9), "WEBP", **options)) == size
