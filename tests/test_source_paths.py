"""source.py: a path is looked at before it is opened, and nothing global is touched (promise 9)."""

import io
import os
import socket
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pictures
import pytest
from pictures import check_reason
from PIL import Image, ImageFile

from inkdigits import Limits
from inkdigits.errors import Damaged, NotAFile, NotFound, Refused, TooLarge, Unsupported
from inkdigits.source import load_image


@pytest.mark.parametrize("url", ["http://127.0.0.1/a.png", "https://x.test/a.png", "ftp://x.test/a", "file:///etc/passwd", "s3://b/a"])
def test_a_url_is_refused_and_no_socket_is_opened(url: str) -> None:
    watching.clear()
    with pytest.raises(NotAFile, match="URL"):
        load_image(url)
    assert not watching
    with socket.socket():
        assert watching == ["socket"]  # the watch sees what it is for


watching: list[str] = []


def watch(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.__new__":
        watching.append("socket")
    elif event == "open":
        watching.append(str(arguments[0]))


sys.addaudithook(watch)


def test_what_is_no_file_is_refused_at_once_without_opening_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link.png").symlink_to("/dev/zero")
    unix = socket.socket(socket.AF_UNIX)
    unix.bind(str(tmp_path / "s"))
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "link.png", tmp_path / "s", "/dev/zero", "/dev/stdin", "/dev/tty"):
        watching.clear()
        with pytest.raises(NotAFile):
            load_image(path if path is tmp_path else str(path))
        assert not watching, path
    unix.close()


def test_a_path_that_leads_nowhere_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "file").write_bytes(b"x")
    for path, error in [("a\0b", NotAFile), ("x" * 5000, NotAFile), (tmp_path / "loop", NotAFile)]:
        with pytest.raises(error) as caught:
            load_image(path)
        check_reason(caught.value)
    for path in ("", tmp_path / "none.png", tmp_path / "file" / "below.png", "data:image/png;base64,iVBORw0KGgo="):
        with pytest.raises(NotFound):
            load_image(path)


def test_an_empty_file_is_refused_unopened_because_the_kernels_endless_ones_look_so(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    for path in [tmp_path / "empty.png", "/proc/self/mem"]:
        watching.clear()
        with pytest.raises(Damaged, match="empty"):
            load_image(path)
        assert not watching


def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.png").write_bytes(pictures.GOOD["png"]())
    (tmp_path / "p.png").chmod(0)
    me = os.geteuid()
    if me == 0:
        os.seteuid(65534)  # root may read all, nobody may not
    try:
        with pytest.raises(Refused, match="permission"):
            load_image(tmp_path / "p.png")
    finally:
        os.seteuid(me)


def test_a_large_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.truncate(50 * 2**20 + 1)
    watching.clear()
    with pytest.raises(TooLarge, match="bytes"):
        load_image(path)
    assert not watching
    data = pictures.GOOD["png"]()
    for source in (data, bytearray(data), io.BytesIO(data)):
        assert load_image(source, Limits(max_bytes=len(data))).shape == (64, 96, 3)
        with pytest.raises(TooLarge):
            load_image(data, Limits(max_bytes=len(data) - 1))


class Endless:
    """A file object that never ends."""

    given = 0

    def read(self, size: int) -> bytes:
        self.given += (part := min(size, 100_000))
        return b"\xff" * part


def test_a_file_object_is_read_to_one_byte_past_the_limit_at_most() -> None:
    endless = Endless()
    with pytest.raises(TooLarge):
        load_image(endless, Limits(max_bytes=1_000_000))
    assert endless.given == 1_000_001


def test_file_objects_of_every_kind(tmp_path: Path) -> None:
    path = tmp_path / "ä b.png"
    path.write_bytes(pictures.GOOD["png"]())
    with path.open("rb") as file, path.open("rb", buffering=0) as raw:
        assert np.array_equal(load_image(file), load_image(raw))
    closed = io.BytesIO(b"")
    closed.close()
    for source, error in [
        (closed, Damaged),
        (io.StringIO("text"), Unsupported),
        (io.BytesIO(), Damaged),
        (7, Unsupported),
        (None, Unsupported),
    ]:
        with pytest.raises(error) as caught:
            load_image(source)
        check_reason(caught.value)


# --- nothing global, nothing leaked


def test_pillows_globals_are_neither_read_nor_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    # Pillow's own WebP checks by its global, with an error; writing pictures loads Pillow's other plugins, so that comes first
    data = [pictures.GOOD[name]() for name in ("jpeg", "png", "bmp", "heic", "jpeg-cmyk", "png-palette", "mpo")]
    before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(Image.ID), list(warnings.filters))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert all(load_image(picture).size for picture in data)
    monkeypatch.undo()
    assert before == (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(Image.ID), list(warnings.filters))


def test_many_threads_read_as_one() -> None:
    sources = [make() for make in pictures.GOOD.values()] * 8
    alone = [load_image(s) for s in sources[: len(pictures.GOOD)]]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(load_image, sources))
    assert all(np.array_equal(a, together[i + len(alone) * k]) for k in range(8) for i, a in enumerate(alone))
    assert threading.active_count() < 20


def test_a_callers_pil_image_stays_as_it_is() -> None:
    image = pictures.on_glass(20)
    before = image.tobytes()
    load_image(image)[:] = 0
    assert image.tobytes() == before and image.mode == "RGBA"
