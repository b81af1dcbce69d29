"""Made pictures for the tests: twenty good ones, odd but legal ones, foreign formats, bombs, and ways to damage a file."""

import io
import random
import struct
import zlib
from collections.abc import Callable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from inkdigits.errors import MAX_REASON, ReadError

Bytes = Callable[[], bytes]


def drawn(width: int = 96, height: int = 64, *, colour: bool = True) -> NDArray[np.uint8]:
    """A dark 7 on pale paper, of shape (height, width, 3) or (height, width); not symmetrical in any way."""
    page = np.full((height, width, 3), (235, 240, 230), np.uint8)
    cv2.putText(
        page, "7", (width // 8, height * 3 // 4), cv2.FONT_HERSHEY_SIMPLEX, height / 40, (40, 30, 60), max(2, height // 14), cv2.LINE_AA
    )
    return page if colour else cv2.cvtColor(page, cv2.COLOR_RGB2GRAY)


def saved(image: Image.Image | NDArray[np.uint8], kind: str, **options: object) -> bytes:
    """The picture as a file of this kind."""
    out = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(out, kind, **options)
    return out.getvalue()


def heic(image: NDArray[np.uint8], **options: object) -> bytes:
    """The picture as a phone's HEIC."""
    from pillow_heif import from_bytes

    out = io.BytesIO()
    from_bytes("RGB", (image.shape[1], image.shape[0]), image.tobytes()).save(out, quality=80, **options)
    return out.getvalue()


def pil(mode: str = "RGB", **size: int) -> Image.Image:
    """The drawn picture as a PIL image of this mode."""
    return Image.fromarray(drawn(**size)).convert(mode)


def with_exif(orientation: int, kind: str = "JPEG", **options: object) -> bytes:
    """The drawn picture stored turned, with the EXIF orientation that turns it upright again."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # EXIF → the PIL transposition that stores it
    upright = pil(width=320, height=200)
    stored = upright if orientation == 1 else upright.transpose(Image.Transpose(undo[orientation]))
    if kind == "HEIC":
        return heic(np.asarray(stored), exif=exif.tobytes())
    return saved(stored, kind, exif=exif, **options)


def on_glass(shade: int, mode: str = "RGBA") -> Image.Image:
    """A 7 of one shade on a transparent ground whose hidden colour is the same shade."""
    alpha = 255 - drawn(colour=False)
    alpha = np.where(alpha > 60, 255, 0).astype(np.uint8)
    grey = np.full_like(alpha, shade)
    return Image.fromarray(np.dstack([grey, grey, grey, alpha])).convert(mode)


def multi_picture() -> bytes:
    """A phone's JPEG with a second, smaller and black picture behind the first (MPO)."""
    return saved(pil(), "MPO", save_all=True, append_images=[Image.new("RGB", (20, 20))])


def grey_png(values: NDArray[np.generic]) -> bytes:
    """A PNG of these 8- or 16-bit values."""
    return bytes(cv2.imencode(".png", values)[1])


def tiff_pages(count: int, **options: object) -> bytes:
    """A TIFF of `count` pages, page n carrying n black columns."""
    pages = []
    for n in range(1, count + 1):
        page = drawn(40, 30, colour=False)
        page[:, :n] = 0
        pages.append(Image.fromarray(page))
    return saved(pages[0], "TIFF", save_all=True, append_images=pages[1:], **options)


def check_reason(error: ReadError) -> None:
    """A reason is one printable line without our insides."""
    reason = str(error)
    assert 10 <= len(reason) <= MAX_REASON
    assert reason.isprintable()
    assert not any(word in reason for word in ("Traceback", "site-packages", " object at 0x", ".py"))


GOOD: dict[str, Bytes] = {
    "jpeg": lambda: saved(pil(), "JPEG"),
    "jpeg-444": lambda: saved(pil(), "JPEG", subsampling=0, quality=95),
    "jpeg-progressive": lambda: saved(pil(), "JPEG", progressive=True),
    "jpeg-grey": lambda: saved(pil("L"), "JPEG"),
    "jpeg-cmyk": lambda: saved(pil("CMYK"), "JPEG"),
    "jpeg-exif": lambda: with_exif(6),
    "jpeg-restart": lambda: saved(pil(), "JPEG", restart_marker_blocks=2),
    "mpo": multi_picture,
    "png": lambda: saved(pil(), "PNG"),
    "png-grey": lambda: saved(pil("L"), "PNG"),
    "png-palette": lambda: saved(pil("P"), "PNG"),
    "png-rgba": lambda: saved(on_glass(20), "PNG"),
    "png-16": lambda: grey_png(drawn(colour=False).astype(np.uint16) * 257),
    "webp": lambda: saved(pil(), "WEBP"),
    "webp-lossless": lambda: saved(on_glass(20), "WEBP", lossless=True),
    "bmp": lambda: saved(pil(), "BMP"),
    "tiff": lambda: saved(pil(), "TIFF"),
    "tiff-lzw": lambda: saved(pil(), "TIFF", compression="tiff_lzw"),
    "tiff-fax": lambda: saved(pil("1"), "TIFF", compression="group4"),
    "heic": lambda: heic(drawn()),
}


def damaged(good: bytes, seed: int) -> bytes:
    """The file cut off, with bytes flipped, zeroed, doubled, or its header scrambled; the same for the same seed."""
    chance = random.Random(seed)
    data = bytearray(good)
    way = seed % 5
    if way == 0:
        return bytes(data[: chance.randrange(len(data))])
    if way == 1:
        for _ in range(chance.randint(1, 30)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    elif way == 2:
        for _ in range(chance.randint(1, 8)):
            data[chance.randrange(4, min(len(data), 160))] = chance.randrange(256)
    elif way == 3:
        start = chance.randrange(len(data))
        data[start : start + 64] = bytes(len(data[start : start + 64]))
    else:
        start = chance.randrange(len(data))
        data[start:start] = data[start : start + chance.randint(1, 400)]
    return bytes(data)


def png_chunk(name: bytes, body: bytes) -> bytes:
    """A chunk of a PNG with a right checksum."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, *, extra: bytes = b"", rows: bytes = b"\0\0", bits: int = 8) -> bytes:
    """A PNG that claims this size; `extra` stands between the header and the pixels."""
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + extra + png_chunk(b"IDAT", zlib.compress(rows, 9)) + png_chunk(b"IEND", b"")


def _zeros(mebibytes: int) -> bytes:
    return zlib.compress(bytes(mebibytes * 2**20), 9)


def _jpeg_claiming(width: int, height: int, *, progressive: bool = False) -> bytes:
    data = bytearray(saved(pil(), "JPEG", progressive=progressive))
    at = data.index(b"\xff\xc2" if progressive else b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def _many_scans() -> bytes:
    """A progressive JPEG of 16 megapixels whose first scan is repeated 3,000 times: each is a pass over all of its pixels."""
    data = saved(Image.new("L", (4096, 4096), 200), "JPEG", progressive=True)
    first = data.index(b"\xff\xda")
    last = data.rindex(b"\xff\xda")
    return data[:first] + data[first:last] + data[last:-2] * 3000 + b"\xff\xd9"


def _tiff_claiming(width: int, height: int) -> bytes:
    strip = _zeros(1)
    tags = [(256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 8), (262, 3, 1), (273, 4, 8 + 2 + 9 * 12 + 4), (277, 3, 1)]
    tags += [(278, 4, height), (279, 4, len(strip))]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + struct.pack("<I", 0) + strip


def webp_claiming(width: int, height: int) -> bytes:
    """A WebP whose canvas claims this size."""
    data = bytearray(saved(on_glass(20), "WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"))
    assert data[12:16] == b"VP8X"
    data[24:27], data[27:30] = (width - 1).to_bytes(3, "little"), (height - 1).to_bytes(3, "little")
    return bytes(data)


def _heic_claiming(width: int, height: int) -> bytes:
    data = bytearray(heic(drawn()))
    at = data.index(b"ispe") + 8
    data[at : at + 8] = struct.pack(">II", width, height)
    return bytes(data)


def tagged_tiff(tag: int, kind: int, values: int, length: int) -> bytes:
    """A TIFF of four pixels with a tag of so many values: Pillow would take seconds to minutes to unpack them."""
    tags = [(256, 4, 1, 2), (257, 4, 1, 2), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8), (277, 3, 1, 1), (279, 4, 1, 4)]
    tags = sorted([t for t in tags if t[0] != tag] + [(tag, kind, values, 200)])
    entries = b"".join(struct.pack("<HHII", *t) for t in tags)
    return (b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)).ljust(200, b"\0") + b"\1\0\0\0" * (values * length // 4)


# name → (the file, code of the refusal); each is small, and would cost gigabytes, minutes, or both
BOMBS: dict[str, tuple[Bytes, str]] = {
    "69 bytes that claim 169 megapixels": (lambda: png(13000, 13000, rows=b""), "too_many_pixels"),
    "one pixel wide": (lambda: png(1, 50_000_001), "too_many_pixels"),
    "an honest PNG of 400 megapixels": (lambda: png(20000, 20000, bits=1, rows=bytes(2501 * 20000)), "too_many_pixels"),
    "one text of 64 MiB": (lambda: png(8, 8, extra=png_chunk(b"zTXt", b"a\0\0" + _zeros(64))), "too_large"),
    "2,000 texts of 1 MiB": (lambda: png(8, 8, extra=png_chunk(b"zTXt", b"a\0\0" + _zeros(1)) * 2000), "too_large"),
    "a text in another tongue": (lambda: png(8, 8, extra=png_chunk(b"iTXt", b"a\0\1\0de\0b\0" + _zeros(64))), "too_large"),
    "a colour profile of 64 MiB": (lambda: png(8, 8, extra=png_chunk(b"iCCP", b"a\0\0" + _zeros(64))), "too_large"),
    "a JPEG of 4,290 megapixels": (lambda: _jpeg_claiming(65500, 65500), "too_many_pixels"),
    "a progressive JPEG of 196 megapixels": (lambda: _jpeg_claiming(14000, 14000, progressive=True), "too_many_pixels"),
    "a JPEG of 3,000 scans": (_many_scans, "too_large"),
    "a TIFF of 3,600 megapixels": (lambda: _tiff_claiming(60000, 60000), "too_many_pixels"),
    "a TIFF of 10,000 pages": (lambda: endless_tiff(10_000), "too_many_pages"),
    "a TIFF of 2 million bit depths": (lambda: tagged_tiff(258, 3, 2_000_000, 2), "too_large"),
    "a TIFF of 2 million fractions": (lambda: tagged_tiff(700, 5, 2_000_000, 8), "too_large"),
    "a TIFF of 60,000 tags": (lambda: b"II*\0" + struct.pack("<IH", 8, 60_000) + bytes(800_000), "too_large"),
    "a WebP canvas of 2^28 megapixels": (lambda: webp_claiming(2**24, 2**24), "too_many_pixels"),
    "a BMP of 900 megapixels": (lambda: bmp_claiming(30_000, 30_000), "too_many_pixels"),
    "a HEIC of 3,600 megapixels": (lambda: _heic_claiming(60000, 60000), "too_many_pixels"),
}


def bmp_claiming(width: int, height: int) -> bytes:
    """A BMP header of this size with no pixels behind it."""
    return b"BM" + struct.pack("<IHHIIiiHHIIIIII", 54, 0, 0, 54, 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)


def endless_tiff(pages: int) -> bytes:
    """A TIFF of this many pages, each the same pixel: 70 bytes a page."""
    out = [b"II*\0" + struct.pack("<I", 8)]
    tags = [(256, 4, 1), (257, 4, 1), (258, 3, 8), (262, 3, 1), (273, 4, 0), (279, 4, 1)]
    size = 2 + 12 * len(tags) + 4
    for page in range(pages):
        entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
        follows = 8 + size * (page + 1) if page + 1 < pages else 0
        out.append(struct.pack("<H", len(tags)) + entries + struct.pack("<I", follows))
    return b"".join(out)


# name in the refusal → the file
FOREIGN: dict[str, Bytes] = {
    "GIF": lambda: saved(pil("P"), "GIF"),
    "PNM": lambda: saved(pil(), "PPM"),
    "ICO": lambda: saved(pil(), "ICO"),
    "ICNS": lambda: saved(Image.new("RGBA", (32, 32)), "ICNS"),
    "DDS": lambda: saved(pil(), "DDS"),
    "JPEG 2000": lambda: saved(pil(), "JPEG2000"),
    "AVIF": lambda: saved(pil(), "AVIF"),
    "EPS": lambda: b"\xc5\xd0\xd3\xc6" + bytes(40),
    "PostScript": lambda: saved(pil(), "EPS"),
    "Photoshop": lambda: b"8BPS\0\1" + bytes(60),
    "SVG": lambda: b'\xef\xbb\xbf<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
    "web page": lambda: b"<!DOCTYPE html><html></html>",
    "ZIP": lambda: b"PK\3\4" + bytes(60),
    "gzip": lambda: zlib.compress(b"x", wbits=31),
    "video": lambda: b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + bytes(40),
    "JPEG XL": lambda: b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40),
    "QOI": lambda: b"qoif" + bytes(40),
    "NumPy": lambda: b"\x93NUMPY\1\0" + bytes(60),
    "DICOM": lambda: bytes(128) + b"DICM" + bytes(40),
    "no picture": lambda: saved(pil(), "TGA"),
    "no picture of": lambda: b"just some words",
}


def profile() -> bytes:
    """A colour profile."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def told(words: str) -> bytes:
    """A small PNG with these words in its text chunks."""
    text = PngInfo()
    text.add_text("Comment", words)
    text.add_itxt("Author", words, zip=True)
    return saved(pil(), "PNG", pnginfo=text)


def planted(words: tuple[str, ...]) -> Iterator[bytes]:
    """Pictures with a place, a name, a comment and a thumbnail, each telling one of `words`."""
    place, name, comment, thumbnail = words
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E], exif[0x013B] = comment, name
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 36.0), 29: place})
    exif.get_ifd(0x8769)[0x9286] = comment.encode()
    block = exif.tobytes() + b"\xff\xd8\xff\xdb" + thumbnail.encode() + b"\xff\xd9"
    yield saved(pil(), "JPEG", exif=block, comment=" ".join(words), xmp=" ".join(words).encode())
    yield saved(pil(), "WEBP", exif=block, xmp=" ".join(words).encode())
    yield saved(pil(), "TIFF", exif=exif, description=" ".join(words), artist=name)
    text = PngInfo()
    for key in ("Comment", "Author", "Title"):
        text.add_text(key, " ".join(words))
    yield saved(pil(), "PNG", pnginfo=text, exif=block)
