"""A PDF comes in by standard input, its pages go out by standard output as pixels: a program of its own, which `pdf.py` starts and watches.

PDFium is a large piece of C++ that reads strangers' bytes: what it does wrong, or for too long, happens here, and costs this process only.
It imports nothing of ours, so that it starts quickly.

    {"pages": 2}                                    then, for each page:
    {"width": 1654, "height": 2339, "stride": 4964} and `height` rows of `stride` bytes, red, green, blue
    {"error": "password"}                           instead of any of these, and the end
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
import threading
import time
from typing import Any

RESOLUTION = 200 / 72  # pixels per point: 200 to the inch, at which a scan of handwriting is easily read
MAX_PIXELS = 16_000_000  # of a page: some programs take the pixels of a photo for points, which are larger
MEMORY = 2**30  # bytes that rendering may take; only where the system can hold a process to it


def main() -> None:
    """Render what standard input holds, page by page, within the ceilings that the arguments tell: pages, pixels, side."""
    pages, pixels, side = (int(argument) for argument in sys.argv[1:4])
    threading.Thread(target=_follow, args=[os.getppid()], daemon=True).start()
    data = sys.stdin.buffer.read()
    try:
        import pypdfium2

        _confine()
        document = pypdfium2.PdfDocument(data)
        if len(document) > pages:
            return _tell({"error": "pages"})
        _tell({"pages": len(document)})
        with contextlib.suppress(pypdfium2.PdfiumError):
            document.init_forms()  # what was typed into a form is drawn, too
        for page in document:
            _render(page, min(pixels, MAX_PIXELS), side)
            page.close()
    except MemoryError:
        _tell({"error": "memory"})
    except Exception as error:  # whatever it is, the other side has to hear of it
        locked = getattr(error, "err_code", None) == _password_error()
        _tell({"error": "password" if locked else "damaged"})


def _password_error() -> int:
    import pypdfium2.raw

    return int(pypdfium2.raw.FPDF_ERR_PASSWORD)


def _follow(parent: int) -> None:
    """End with the process that asked, when that ends without saying so."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _confine() -> None:
    """Give up what rendering has no need of: much memory, files of its own, a dump of its memory when it crashes."""
    try:
        import resource
    except ImportError:  # Windows
        return
    ceilings = {resource.RLIMIT_FSIZE: 0, resource.RLIMIT_CORE: 0}
    if sys.platform == "linux":
        with open("/proc/self/statm") as file:
            ceilings[resource.RLIMIT_AS] = int(file.read().split()[0]) * resource.getpagesize() + MEMORY
    for kind, most in ceilings.items():
        with contextlib.suppress(OSError, ValueError):  # a lower one stands already
            resource.setrlimit(kind, (most, most))


def _render(page: Any, pixels: int, side: int) -> None:
    width, height = page.get_size()
    if not (0 < width < math.inf and 0 < height < math.inf):
        raise ValueError("a page without a size")
    # one pixel less, because each side is rounded up
    scale = min(RESOLUTION, math.sqrt(pixels / (width * height)), (side - 1) / max(width, height))
    while math.ceil(width * scale) * math.ceil(height * scale) > pixels:
        scale *= 0.99
    bitmap = page.render(scale=scale, rev_byteorder=True)
    if bitmap.n_channels != 3:
        raise ValueError("expected red, green and blue")
    _tell({"width": bitmap.width, "height": bitmap.height, "stride": bitmap.stride}, memoryview(bitmap.buffer).cast("B"))
    bitmap.close()


def _tell(said: dict[str, Any], pixels: Any = b"") -> None:
    out = sys.stdout.buffer
    out.write(json.dumps(said).encode() + b"\n")
    out.write(pixels)
    out.flush()


if __name__ == "__main__":
    main()
