"""A stranger's bytes come in; their kind of picture, its orientation and hidden costs come out. Nothing is decoded."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator

from .errors import Damaged, TooLarge, TooManyPages, Unsupported
from .limits import Limits

KINDS = ("JPEG", "PNG", "WebP", "BMP", "TIFF", "HEIC", "PDF")
WANTED = "expected JPEG, PNG, WebP, BMP, TIFF, HEIC or PDF"
MAX_TEXT = 2**22  # bytes of text in a PNG, unpacked: comments and edit histories stay far below
MAX_SCANS = 100  # passes over a JPEG's pixels: a progressive photo has about ten, and each costs a pass over the whole picture
MAX_TAGS = 1_000  # entries of one TIFF directory; cameras write fewer than a hundred
MAX_VALUES = 300_000  # whole numbers in one TIFF tag: the strips or tiles of the largest picture are fewer
MAX_FRACTIONS = 10_000  # fractions in one TIFF tag: making one takes 10 µs
_TYPES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}  # bytes a value
_WHOLE = {1: "B", 3: "H", 4: "I"}  # types of whole numbers; the standard says 3 for the orientation, some programs write others
_BYTE_TYPES = (1, 2, 6, 7)  # these stay bytes and cost nothing
_FRACTION_TYPES = (5, 10)
_DIRECTORY_TAGS = (34665, 34853, 40965)  # TIFF tags that lead to a directory: EXIF, GPS, interoperability

_SIGNATURES = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"%PDF-", "PDF"),
)
_FOREIGN = (
    (b"GIF8", "a GIF picture"),
    (b"8BPS", "a Photoshop document"),
    (b"%!PS", "a PostScript document"),
    (b"\xc5\xd0\xd3\xc6", "an EPS document"),
    (b"\0\0\x01\0", "an icon (ICO)"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (b"DDS ", "a DDS texture"),
    (b"qoif", "a QOI picture"),
    (b"v/1\x01", "an OpenEXR picture"),
    (b"#?RADIANCE", "a Radiance picture"),
    (b"gimp xcf", "a GIMP document"),
    (b"icns", "an icon (ICNS)"),
    (b"SIMPLE  =", "a FITS picture"),
    (b"\x89HDF", "an HDF5 file"),
    (b"PK\x03\x04", "a ZIP or Office file"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\xd0\xcf\x11\xe0", "an old Office file"),
    (b"\xd7\xcd\xc6\x9a", "a Windows metafile"),
    (b"{\\rtf", "an RTF document"),
    (b"\x93NUMPY", "a NumPy file"),
)
_FOREIGN_PATTERNS = (
    (rb"P[1-7]\s", "a PNM picture"),
    (rb"(?i)(\xef\xbb\xbf)?\s*<(svg|\?xml)", "an SVG or XML document"),
    (rb"(?i)(\xef\xbb\xbf)?\s*<(!doctype html|html)", "a web page"),
    (rb"(?s).{128}DICM", "a DICOM picture"),
)
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_DIB_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)  # sizes of a BMP's second header


def kind_of(data: bytes) -> str:
    """Return the kind of picture that `data` starts as, one of `KINDS`; a file's name plays no part.

    Raises:
        Damaged: there are no bytes.
        Unsupported: it is something else, told by name where it is known.
    """
    if not data:
        raise Damaged(f"the file is empty, {WANTED}")
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in _DIB_HEADERS:
        return "BMP"
    if data[4:8] == b"ftyp" and _brands(data) & set(_HEIC_BRANDS) and data[8:12] != b"avif":
        return "HEIC"
    raise Unsupported(f"this is {_foreign_name(data)}, {WANTED}")


def _brands(data: bytes) -> set[bytes]:
    """Return the brands an ISO media file names: the major one and the compatible ones."""
    end = min(int.from_bytes(data[:4], "big"), 256, len(data))
    return {data[8:12]} | {data[at : at + 4] for at in range(16, end - 3, 4)}


def _foreign_name(data: bytes) -> str:
    """Return what `data` seems to be, for the message that refuses it."""
    for signature, name in _FOREIGN:
        if data.startswith(signature):
            return name
    if data[4:8] == b"ftyp":
        return "an AVIF picture" if b"avif" in _brands(data) else "a video or another media file"
    for pattern, name in _FOREIGN_PATTERNS:
        if re.match(pattern, data[:1024]):
            return name
    return "no picture of a known kind"


def orientation_of(exif: bytes) -> int:
    """Return the EXIF orientation, 1–8; 1 (upright) where there is none or it makes no sense.

    Only this one tag is looked at: place, names, comments and thumbnails are never touched.

    Args:
        exif: an EXIF block, with or without its leading `Exif\\0\\0`.

    Source:
        JEITA CP-3451, Exif 2.3, 4.6.4 A "Orientation" (tag 0x0112).
    """
    block = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None or len(block) < 10:
        return 1
    (start,) = struct.unpack_from(order + "I", block, 4)
    if start + 2 > len(block):
        return 1
    (count,) = struct.unpack_from(order + "H", block, start)
    for at in range(start + 2, min(start + 2 + 12 * count, len(block) - 11), 12):
        tag, kind = struct.unpack_from(order + "HH", block, at)
        if tag == 0x0112 and kind in _WHOLE:
            (value,) = struct.unpack_from(order + _WHOLE[kind], block, at + 8)
            return value if 1 <= value <= 8 else 1
    return 1


def webp_size(data: bytes) -> tuple[int, int]:
    """Return (width, height) of the canvas a WebP file claims; libwebp reserves it as soon as the file is opened.

    Raises:
        Damaged: the header is no WebP header.

    Source:
        RFC 9649, WebP Image Format, sections 2.5 to 2.7.
    """
    chunk, body = data[12:16], data[20:30]
    if len(body) < 10:
        raise Damaged("damaged WebP: the header is cut off")
    if chunk == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if chunk == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 ":
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    raise Damaged("damaged WebP: no picture follows the header")


def check_costs(kind: str, data: bytes, limits: Limits) -> None:
    """Refuse a file that is small and dear: text that unpacks to megabytes, passes over the pixels by the hundred, tags by the million.

    Raises:
        TooLarge: a PNG's text, a JPEG's passes or a TIFF's tags are too many.
        Damaged: a TIFF's directory lies outside the file.
        TooManyPages: a TIFF has many more directories than `max_pages` pages need.
    """
    if kind == "PNG":
        _check_text(data)
    elif kind == "TIFF":
        _check_tags(data, 8 * limits.max_pages)  # a page may have a smaller copy, and each of both an EXIF and a GPS directory
    # the bytes of a scan's marker are counted first, because walking through a photo costs 20 ms and counting 1 ms
    elif kind == "JPEG" and data.count(b"\xff\xda") > MAX_SCANS and _scans(data) > MAX_SCANS:
        raise TooLarge(f"the JPEG has {_scans(data)} scans, expected at most {MAX_SCANS}")


def _check_text(data: bytes) -> None:
    """Refuse a PNG whose text chunks and colour profile are larger, once unpacked, than `MAX_TEXT`."""
    room = MAX_TEXT
    for name, at, length in _chunks(data):
        if name in {b"tEXt", b"zTXt", b"iTXt", b"iCCP"}:
            room -= max(length, _unpacked(data[at : at + length], room + 1))
            if room < 0:
                raise TooLarge(f"the PNG's text is larger than {MAX_TEXT} bytes once unpacked")


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield (name, offset of the body, length of the body) of each chunk of a PNG, as far as they go."""
    at = 8
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], at + 8, length
        at += 12 + length


def _unpacked(body: bytes, most: int) -> int:
    """Return how many bytes (at most `most`) a text chunk unpacks to; 0 where it isn't packed."""
    packed = re.search(rb"\0\0\x78|\0\x01\0.*?\x78", body[:400], re.DOTALL)  # a keyword's end, the method, a zlib header
    if packed is None:
        return 0
    try:
        return len(zlib.decompressobj().decompress(body[packed.end() - 1 :], most))
    except zlib.error:
        return 0  # the decoder will say that it is damaged


_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # a marker within coded data; FF00 is a byte of it, D0–D7 are restarts


def _scans(data: bytes) -> int:
    """Return how many scans the first picture of a JPEG file has; what follows its end (a second picture, a film) isn't counted."""
    scans, at = 0, 2
    while at + 4 <= len(data):
        marker = data[at + 1]
        if data[at] != 0xFF or marker == 0xD9:
            break
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA:
            scans += 1
            found = _MARKER.search(data, at)
            if found is None:
                break
            at = found.start()
    return scans


def _check_tags(data: bytes, most: int) -> None:
    """Walk through a TIFF's directories and refuse those that would take minutes to unpack, or lie outside the file.

    Source:
        TIFF Revision 6.0, section 2; BigTIFF design, libtiff documentation.
    """
    order = "<" if data[:1] == b"I" else ">"
    big = data[2:4] in {b"+\0", b"\0+"}
    header, count, entry, offset = (order + f for f in (("8xQ", "Q", "HHQ8s", "Q") if big else ("4xI", "H", "HHI4s", "I")))
    try:
        waiting, seen = [struct.unpack_from(header, data)[0]], {0}  # 0: no directory follows
        while waiting:
            at = waiting.pop()
            if at in seen:
                continue
            seen.add(at)
            if len(seen) > most:
                raise TooManyPages(f"the TIFF has more than {most} directories, more than the allowed pages need")
            (entries,) = struct.unpack_from(count, data, at)
            if entries > MAX_TAGS:
                raise TooLarge(f"the TIFF has {entries} tags in a directory, expected at most {MAX_TAGS}")
            at += struct.calcsize(count)
            for _ in range(entries):
                tag, kind, values, value = struct.unpack_from(entry, data, at)
                at += struct.calcsize(entry)
                (place,) = struct.unpack(offset, value)
                _check_tag(tag, kind, values, place, len(value), len(data))
                if tag in _DIRECTORY_TAGS:
                    waiting.append(place)
            waiting.append(struct.unpack_from(offset, data, at)[0])
    except struct.error as error:
        raise Damaged("damaged TIFF: it is cut off") from error


def _check_tag(tag: int, kind: int, values: int, place: int, inline: int, size: int) -> None:
    """Refuse one tag of a TIFF of `size` bytes; `inline` is how many bytes of values need no place elsewhere."""
    length = values * _TYPES.get(kind, 0)
    if length > inline and place + length > size:
        raise Damaged("damaged TIFF: it is cut off")
    most = MAX_FRACTIONS if kind in _FRACTION_TYPES else MAX_VALUES
    if kind not in _BYTE_TYPES and values > most:
        raise TooLarge(f"the TIFF's tag {tag} has {values} values, expected at most {most}")
