"""An untrusted source comes in (path, bytes, file object, PIL image or array); an upright uint8 picture comes out: the only door to Pillow.

Which decoder runs is chosen here by the first bytes, never by a name, and called directly: `PIL.Image.open` would try others, would take a
phone's two-picture JPEG for an MPO, and measures by a ceiling that is global to the process. Nothing global to Pillow is read or changed.
"""

from __future__ import annotations

import io
import os
import re
import stat
import struct
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import BmpImagePlugin, Image, ImageFile, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin

from . import headers
from .arrays import BAND, check_size, flatten, from_array, to_uint8, turn
from .errors import Damaged, InkdigitsError, NotAFile, NotFound, Refused, TooLarge, TooManyPages, TooManyPixels, Unsupported, install_hint
from .limits import Limits
from .pdf import render_pages

DRAFTS = (1, 2, 4, 8)  # a JPEG decodes at one of these fractions of its size for less than the whole
T = TypeVar("T")
URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
PIL_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "BMP", "DIB", "TIFF", "HEIF")  # as Pillow and pillow-heif name those of `headers.KINDS`
REDUCED = 254  # the TIFF tag that says: this page is a smaller copy of another


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A decoded picture and its true size.

    Attributes:
        image: uint8 of shape (H, W) when grey or (H, W, 3) RGB, upright, C-contiguous, the caller's to keep.
        width: width of the upright original, in pixels.
        height: height of the upright original, in pixels.
        scale: pixels of `image` per pixel of the original: 1.0, or 0.5, 0.25, 0.125 for a JPEG above the limit, or above what suffices.
        page_number: page of a PDF, or of a TIFF that has several, from 1; else None.
        closer: decodes the same JPEG again, at no less than so many pixels; None where `image` holds all that the limits allow.
    """

    image: NDArray[np.uint8]
    width: int
    height: int
    scale: float = 1.0
    page_number: int | None = None
    closer: Callable[[int], Picture] | None = None


def load_image(source: Any, limits: Limits | None = None) -> NDArray[np.uint8]:
    """Return the picture as upright uint8, of shape (H, W) when grey or (H, W, 3) RGB; see `open_image`."""
    return open_image(source, limits).image


def open_image(source: Any, limits: Limits | None = None, enough: int | None = None) -> Picture:
    """Return the picture that `source` holds, the first one if it holds several.

    Args:
        source: a path (a string is always a path, never a URL), bytes, a binary file object, a PIL image, an array of shape
            (H, W), (H, W, 1), (H, W, 3) RGB or (H, W, 4) RGBA, or a `Picture`, which is returned as it is.
        limits: ceilings; None takes the defaults.
        enough: how many pixels suffice: a JPEG that has more is decoded smaller, in less time and memory, and has a `closer`.

    Returns:
        The picture, EXIF orientation applied, transparency laid over white or black, whichever shows the ink.

    Raises:
        ReadError: `NotFound`, `NotAFile`, `Refused` (a path), `Unsupported`, `Damaged`, `TooLarge`, `TooManyPixels`.
    """
    limits = limits or Limits()
    if isinstance(source, Picture):
        return source
    if isinstance(source, Image.Image):
        return _guarded("PIL image", lambda: _from_pil(source, limits))
    if _is_array(source):
        image = flatten(from_array(source, limits))
        return Picture(image, image.shape[1], image.shape[0])
    data = read_bytes(source, limits)
    kind = headers.kind_of(data)
    if kind == "PDF":
        with closing(_pdf_pages(data, limits)) as pages:
            return next(pages)
    return _guarded(kind, lambda: _read(kind, data, limits, enough=enough))


def load_pages(source: Any, limits: Limits | None = None, enough: int | None = None) -> Iterator[Picture]:
    """Yield every page of a PDF or a TIFF with `page_number` from 1, one decoded at a time; any other source is yielded as one picture.

    Smaller copies of a page, which cameras and scanners add, are left out.

    Raises:
        TooManyPages: there are more than `max_pages`; nothing was decoded.
        ReadError: as `open_image` does.
    """
    limits = limits or Limits()
    if isinstance(source, Picture | Image.Image) or _is_array(source):
        yield open_image(source, limits)
        return
    data = read_bytes(source, limits)
    kind = headers.kind_of(data)
    if kind == "PDF":
        yield from _pdf_pages(data, limits)
        return
    if kind != "TIFF":
        yield open_image(data, limits, enough)
        return
    frames = _guarded(kind, lambda: _page_frames(data, limits))
    several = len(frames) > 1
    for number, frame in enumerate(frames, 1):
        yield _guarded(kind, partial(_read, kind, data, limits, frame, number if several else None))


def _pdf_pages(data: bytes, limits: Limits) -> Generator[Picture]:
    """Yield the pages of a PDF, which have numbers even where there is but one."""
    for number, image in enumerate(render_pages(data, limits), 1):
        yield Picture(image, image.shape[1], image.shape[0], page_number=number)


def _guarded(what: str, work: Callable[[], T]) -> T:
    """Return `work()`; whatever a decoder raises becomes a one-line `ReadError`."""
    try:
        return work()
    except InkdigitsError:
        raise
    except (MemoryError, Image.DecompressionBombError) as error:
        raise TooManyPixels(f"the {what} needs more memory than there is") from error
    except Exception as error:  # decoders raise what they like: OSError, SyntaxError, struct.error, zlib.error …
        # the decoder's own words stay with the cause: they speak of its insides, and may tell the file's
        cut = re.search("truncat|end of file", str(error), re.IGNORECASE)
        raise Damaged(f"damaged {what}: {'it is cut off' if cut else 'it cannot be decoded'}") from error


# --- bytes


def _is_array(source: Any) -> bool:
    """Tell arrays (NumPy's, JAX's, PyTorch's) from bytes, which are buffers too."""
    return isinstance(source, np.ndarray | np.generic) or hasattr(source, "__array__") or hasattr(source, "__array_interface__")


def read_bytes(source: Any, limits: Limits) -> bytes:
    """Return the bytes of a path, of bytes or of a file object, at most `max_bytes`.

    Raises:
        ReadError: `NotFound`, `NotAFile`, `Refused` (a path, which the reason names), `Unsupported`, `Damaged`, `TooLarge`.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        _check_bytes(memoryview(source).nbytes, limits)
        return bytes(source)
    if isinstance(source, str | os.PathLike):
        return _bytes_of_path(source, limits)
    if callable(getattr(source, "read", None)):
        return _bytes_of_file(source, limits)
    raise Unsupported(f"expected a path, bytes, a file object, a PIL image or an array, got {type(source).__name__}")


def _check_bytes(size: int, limits: Limits) -> None:
    if size > limits.max_bytes:
        raise TooLarge(f"more than {limits.max_bytes:,} bytes, which is the limit for one file")


def _bytes_of_path(source: str | os.PathLike[Any], limits: Limits) -> bytes:
    """Return the bytes of an ordinary file; anything else is refused before it is opened, because opening alone may hang or act."""
    name = os.fsdecode(source)
    if URL.match(name):
        raise NotAFile(f"{name}: this is a URL, expected the path of a file")
    try:
        _check_ordinary(name, os.stat(name), limits)
        with Path(name).open("rb") as file:
            _check_ordinary(name, os.fstat(file.fileno()), limits)  # it may have been replaced in between
            return _bytes_of_file(file, limits)
    except (OSError, ValueError) as error:
        raise _path_error(name, error) from error


def _path_error(name: str, error: OSError | ValueError) -> Exception:
    """Return the reason why a path cannot be read."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return NotFound(f"{name}: there is no such file")
    if isinstance(error, PermissionError):
        return Refused(f"{name}: no permission to read it")
    return NotAFile(f"{name}: {getattr(error, 'strerror', None) or error}")  # a name too long, a loop of links, a zero byte within


def _check_ordinary(name: str, found: os.stat_result, limits: Limits) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise NotAFile(f"{name}: this is a folder, expected a file")
    if not stat.S_ISREG(found.st_mode):
        raise NotAFile(f"{name}: this is a device or a pipe, expected a file")
    if found.st_size == 0:  # the kernel's own files say so too, and some of them never end
        raise Damaged("the file is empty")
    _check_bytes(found.st_size, limits)


def _bytes_of_file(file: Any, limits: Limits) -> bytes:
    """Return what the binary file object holds from where it stands, reading at most one byte more than the limit."""
    parts: list[bytes] = []
    size = 0
    while size <= limits.max_bytes:
        try:
            part = file.read(limits.max_bytes + 1 - size)
        except Exception as error:  # an object of the caller's: closed, not readable, or of a library of its own
            raise Damaged(f"the file cannot be read: {error or type(error).__name__}") from error
        if not isinstance(part, bytes):
            raise Unsupported(f"the file gave {type(part).__name__}, expected bytes: open it in binary mode")
        if not part:
            break
        parts.append(part)
        size += len(part)
    _check_bytes(size, limits)
    return b"".join(parts)


# --- decoders


class _Jpeg(JpegImagePlugin.JpegImageFile):
    """Pillow's JPEG without its look into the EXIF block for a resolution, which warns aloud when the block is damaged."""

    def getexif(self) -> Image.Exif:
        """Return no EXIF; the orientation is read by `headers.orientation_of`."""
        return Image.Exif()


_DECODERS: dict[str, type[ImageFile.ImageFile]] = {
    "JPEG": _Jpeg,
    "PNG": PngImagePlugin.PngImageFile,
    "WebP": WebPImagePlugin.WebPImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
}


def _open(kind: str, data: bytes, limits: Limits) -> ImageFile.ImageFile:
    """Return the picture with its header read and its pixels not yet decoded."""
    headers.check_costs(kind, data, limits)
    if kind == "WebP":
        check_size(*headers.webp_size(data), limits)
    return _decoder(kind)(io.BytesIO(data))


def _decoder(kind: str) -> type[ImageFile.ImageFile]:
    if kind != "HEIC":
        return _DECODERS[kind]
    try:
        from pillow_heif import HeifImageFile
    except ImportError as error:
        # a ReadError, not a MissingExtra: one such photo among hundreds costs that photo only
        raise Unsupported(f"this is a HEIC picture; to read it, type: {install_hint('formats')}") from error
    decoder: type[ImageFile.ImageFile] = HeifImageFile
    return decoder


def _page_frames(data: bytes, limits: Limits) -> list[int]:
    """Return the frames of a TIFF that are pages of their own; reads headers, decodes nothing."""
    opened = _open("TIFF", data, limits)
    frames = [0]
    try:
        for frame in range(1, 2 * limits.max_pages + 1):  # every page may have a smaller copy
            opened.seek(frame)
            if not opened.tag_v2.get(REDUCED, 0) & 1:  # type: ignore[attr-defined]
                frames.append(frame)
                _check_pages(len(frames), limits)
    except EOFError:
        pass
    return frames


def _check_pages(pages: int, limits: Limits) -> None:
    if pages > limits.max_pages:
        raise TooManyPages(f"the TIFF has more than {limits.max_pages} pages, which is the limit")


def _read(kind: str, data: bytes, limits: Limits, frame: int = 0, page_number: int | None = None, enough: int | None = None) -> Picture:
    """Return one picture of a file, upright."""
    picture, orientation = _decode(kind, data, limits, frame, enough)  # Pillow's copy is gone by now: turning needs a second one
    width, height = (picture.width, picture.height) if orientation < 5 else (picture.height, picture.width)
    return Picture(turn(picture.image, orientation), width, height, picture.scale, page_number, picture.closer)


def _decode(kind: str, data: bytes, limits: Limits, frame: int, enough: int | None) -> tuple[Picture, int]:
    """Check the size that the header claims, then decode; return the picture as stored and the orientation still to be applied."""
    opened = _open(kind, data, limits)
    if frame:
        opened.seek(frame)
    claimed, closer = opened.size, None
    if isinstance(opened, _Jpeg) and _draft(opened, limits, enough):
        closer = partial(open_image, data, limits)
    check_size(*opened.size, limits)
    opened.load()
    check_size(*opened.size, limits)  # a HEIC may turn out to be larger than it claimed
    part = max(1, round(max(claimed) / max(opened.size))) if isinstance(opened, _Jpeg) else 1
    width, height = claimed if part > 1 else opened.size
    return Picture(_pixels(opened), width, height, 1.0 / part, closer=closer), _orientation(opened)


def _draft(opened: ImageFile.ImageFile, limits: Limits, enough: int | None) -> bool:
    """Have a JPEG decoded at the largest fraction of its size that the limits allow, or at the smallest that has enough pixels.

    Returns whether it is smaller than the limits ask. What does not fit even so is refused by its own size.
    """
    width, height = opened.size
    _check_header(width, height, "progressive" in opened.info, limits)
    sizes = [(-(-width // part), -(-height // part)) for part in DRAFTS]
    allowed = [w * h <= limits.max_pixels and max(w, h) <= limits.max_side for w, h in sizes]
    if not any(allowed):
        most = f"expected at most {limits.max_pixels:,} in all, {limits.max_side:,} a side"
        raise TooManyPixels(f"{width} × {height} pixels are too many, even with its sides divided by {DRAFTS[-1]}; {most}")
    largest = allowed.index(True)
    chosen = max([largest, *(i for i, (w, h) in enumerate(sizes) if w * h >= (enough or width * height))])
    if DRAFTS[chosen] > 1:
        opened.draft(None, (max(1, width // DRAFTS[chosen]), max(1, height // DRAFTS[chosen])))
    return chosen > largest


def _check_header(width: int, height: int, progressive: bool, limits: Limits) -> None:
    """Refuse a JPEG that is too large even to be decoded smaller."""
    if width * height > limits.max_header_pixels:
        raise TooManyPixels(f"{width} × {height} pixels are too many, expected at most {limits.max_header_pixels:,} in all")
    if progressive and width * height > 2 * limits.max_pixels:
        # decoded smaller or not, all of its coefficients are kept: six bytes a pixel
        raise TooManyPixels(f"{width} × {height} pixels are too many for a progressive JPEG, expected at most {2 * limits.max_pixels:,}")


def _from_pil(source: Image.Image, limits: Limits) -> Picture:
    """Return a PIL image as a picture; one that is not decoded yet must be of an allowed kind."""
    lazy = isinstance(source, ImageFile.ImageFile) and bool(source.tile)
    if lazy and source.format not in PIL_FORMATS:
        raise Unsupported(f"this is a PIL image of format {source.format}, {headers.WANTED}, or one that is loaded")
    check_size(*source.size, limits)
    source.load()
    image = turn(_pixels(source), _orientation(source))
    return Picture(image, image.shape[1], image.shape[0])


def _orientation(opened: Image.Image) -> int:
    """Return the EXIF orientation that is still to be applied, 1–8; TIFF and HEIC decoders have applied theirs."""
    if isinstance(opened, TiffImagePlugin.TiffImageFile):
        return 1
    exif = opened.info.get("exif")
    try:
        return headers.orientation_of(exif) if isinstance(exif, bytes) else 1
    except struct.error:
        return 1


# --- pixels


def _pixels(opened: Image.Image) -> NDArray[np.uint8]:
    """Return a loaded PIL image of any mode as uint8, of shape (H, W) when grey or (H, W, 3)."""
    mode = opened.mode
    if mode in {"L", "RGB"} and "transparency" not in opened.info:
        return _copy(opened)
    if mode == "1":
        return _copy(opened.convert("L"))
    if mode[0] in "IF":  # I, I;16, I;16B, F: more than eight bits
        return to_uint8(np.asarray(opened))
    if mode == "LAB":
        return _copy(opened.getchannel(0))
    if opened.has_transparency_data or mode in {"RGBa", "La"}:
        grey = mode in {"L", "LA", "La"}
        return flatten(_copy(_straight(opened, grey)))
    return _copy(opened.convert("RGB"))


def _straight(opened: Image.Image, grey: bool) -> Image.Image:
    """Return an image with transparency of any kind as LA or RGBA, colours not multiplied by it."""
    if opened.mode == "La":
        return opened.convert("LA")
    return opened.convert("RGBA") if not grey else opened if opened.mode == "LA" else opened.convert("LA")


def _copy(opened: Image.Image) -> NDArray[np.uint8]:
    """Return an L, LA, RGB or RGBA image as an array; copied in bands, so that there is never a third copy of all of it."""
    width, height = opened.size
    bands = len(opened.getbands())
    out = np.empty((height, width) if bands == 1 else (height, width, bands), np.uint8)
    rows = max(1, BAND // width)
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        out[top:bottom] = np.asarray(opened.crop((0, top, width, bottom)))
    return out
