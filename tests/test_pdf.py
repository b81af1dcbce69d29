"""pdf.py, pdf_renderer.py: the pages of a PDF as pictures, within their limits, whatever a stranger put into it."""

import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pictures
import pytest
from pictures import check_reason
from PIL import Image

from inkdigits import Limits, pdf
from inkdigits.errors import Damaged, ReadError, ReadTimeout, TooManyPages, TooManyPixels, Unsupported
from inkdigits.source import load_image, load_pages, open_image


def made(*objects: bytes, trailer: bytes = b"") -> bytes:
    """A PDF of these objects, numbered from 1; the first is the catalogue."""
    body = b"%PDF-1.7\n" + b"".join(b"%d 0 obj\n%s\nendobj\n" % (n, o) for n, o in enumerate(objects, 1))
    return body + b"trailer\n<< /Root 1 0 R /Size %d %s >>\n%%%%EOF\n" % (len(objects) + 1, trailer)


def stream(data: bytes, entries: bytes = b"", *, packed: bool = False) -> bytes:
    data, how = (zlib.compress(data, 9), b"/Filter /FlateDecode") if packed else (data, b"")
    return b"<< /Length %d %s %s >>\nstream\n%s\nendstream" % (len(data), how, entries, data)


def one_page(
    content: bytes, *more: bytes, resources: bytes = b"", box: bytes = b"0 0 200 100", page: bytes = b"", trailer: bytes = b""
) -> bytes:
    """A PDF of one page with this content; `more` are objects from 5 on."""
    return made(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [%s] /Contents 4 0 R /Resources << %s >> %s >>" % (box, resources, page),
        stream(content),
        *more,
        trailer=trailer,
    )


MARK = b"1 0 0 rg 20 10 60 30 re f"  # a red rectangle at the lower left


def of_photos(count: int) -> bytes:
    """A scan: a photo a page, page n carrying n black columns."""
    pages = []
    for n in range(1, count + 1):
        photo = pictures.drawn(144, 72)
        photo[:, : 4 * n] = 0
        pages.append(Image.fromarray(photo))
    return pictures.saved(pages[0], "PDF", save_all=True, append_images=pages[1:])


def laughs() -> bytes:
    """A page whose form draws ten forms, each of which draws ten, and so on: 10^9 rectangles in a kilobyte."""
    forms = [
        stream(
            b"/F Do " * 10 if level < 9 else MARK,
            b"/Type /XObject /Subtype /Form /BBox [0 0 200 100] /Resources << /XObject << /F %d 0 R >> >>" % (6 + level),
        )
        for level in range(10)
    ]
    return one_page(b"/F Do", *forms, resources=b"/XObject << /F 5 0 R >>")


def large_image(side: int) -> bytes:
    """A page with a picture of this many pixels a side, which unpacks from kilobytes."""
    entries = b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceRGB /BitsPerComponent 8" % (side, side)
    packer = zlib.compressobj(9)
    first, again = (packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    data = first + again * (3 * side * side // 2**20)
    image = b"<< /Length %d /Filter /FlateDecode %s >>\nstream\n%s\nendstream" % (len(data), entries, data)
    return one_page(b"200 0 0 100 0 0 cm /I Do", image, resources=b"/XObject << /I 5 0 R >>")


# --- pages


def test_every_page_is_given_in_order_with_its_number_from_1() -> None:
    pages = list(load_pages(of_photos(3)))
    assert [p.page_number for p in pages] == [1, 2, 3]
    assert [p.image.shape for p in pages] == [(200, 400, 3)] * 3  # 72 points are an inch, an inch is 200 pixels
    assert [(p.width, p.height, p.scale) for p in pages] == [(400, 200, 1.0)] * 3
    dark = [round(float((p.image[100] < 60).all(axis=1)[:60].sum()) / (400 / 144) / 4) for p in pages]
    assert dark == [1, 2, 3]


def test_the_first_page_is_the_picture_and_a_single_page_has_its_number() -> None:
    page = open_image(of_photos(1))
    assert page.page_number == 1 and page.image.flags.writeable and page.image.flags.c_contiguous
    assert np.array_equal(load_image(of_photos(2)), page.image)


def test_colours_are_right_and_a_page_is_turned_as_it_says() -> None:
    upright = load_image(one_page(MARK))
    assert upright.shape == (278, 556, 3)
    assert tuple(upright[-60, 100]) == (255, 0, 0) and tuple(upright[0, 0]) == (255, 255, 255)
    turned = load_image(one_page(MARK, page=b"/Rotate 90"))
    assert abs(turned.astype(int) - np.rot90(upright, -1)).mean() < 1  # edges fall between pixels


def test_ink_on_a_page_is_drawn() -> None:
    note = b"<< /Type /Annot /Subtype /Ink /Rect [0 0 200 100] /AP << /N 6 0 R >> /InkList [[20 20 80 80]] >>"
    looks = stream(b"0 0 0 RG 6 w 20 20 m 80 80 l S", b"/Type /XObject /Subtype /Form /BBox [0 0 200 100]")
    image = load_image(one_page(b"", note, looks, page=b"/Annots [5 0 R]"))
    assert image[139, 139].max() < 60


# --- limits


def test_a_page_is_rendered_as_large_as_the_limits_allow() -> None:
    for box, limits in [
        (b"0 0 200 100", Limits(max_pixels=10_000)),
        (b"0 0 200 100", Limits(max_side=90)),
        (b"0 0 14400 14400", Limits()),
        (b"0 0 14400 3", Limits(max_side=500)),
        (b"0 0 1000000 900000", Limits()),
        (b"0 0 0.01 0.01", Limits()),
    ]:
        image = load_image(one_page(MARK, box=box), limits)
        height, width = image.shape[:2]
        assert 1 <= width * height <= min(limits.max_pixels, 16_000_000) and max(width, height) <= limits.max_side
        if b"0.01" not in box:
            assert width * height > 0.8 * min(limits.max_pixels, 16_000_000) or max(width, height) > 0.9 * limits.max_side
    assert (load_image(one_page(MARK), Limits(max_pixels=10_000)) != 255).any()


def test_too_many_pages_are_refused_before_the_first_is_rendered() -> None:
    assert len(list(load_pages(of_photos(4), Limits(max_pages=4)))) == 4
    with pytest.raises(TooManyPages, match="more than 3 pages"):
        next(load_pages(of_photos(4), Limits(max_pages=3)))


@pytest.mark.parametrize("data", [laughs(), large_image(24_000)], ids=["ten to the nine rectangles", "a picture of 576 megapixels"])
def test_a_page_that_takes_too_long_is_given_up(data: bytes) -> None:
    with pytest.raises(ReadTimeout, match=r"longer than 0\.5 s"):
        load_image(data, Limits(max_seconds=0.5))


def test_a_large_picture_on_a_small_page_is_read() -> None:
    assert load_image(large_image(2_000)).mean() < 10


def test_what_the_renderer_answers_is_believed_as_little_as_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    large = {"width": 10**6, "height": 10**6, "stride": 3 * 10**6}
    for said, error in [
        ("", Damaged),
        ("nonsense", Damaged),
        ("[" * 150, Damaged),
        ('{"pages": 9999}', TooManyPages),
        ('{"pages": "x"}', Damaged),
        ('{"pages": 1}\n' + str(large).replace("'", '"'), TooManyPixels),
        ('{"pages": 1}\n{"width": 4, "height": 4, "stride": 4}', Damaged),
        ('{"pages": 1}\n{"width": -4, "height": 4, "stride": 12}', Damaged),
        ('{"pages": 1}\n{"width": 4, "height": 4, "stride": 12}\nshort', Damaged),
    ]:
        (tmp_path / "pdf_renderer.py").write_text(f"import sys; sys.stdin.buffer.read(); print({said!r})")
        monkeypatch.setattr(pdf, "__file__", str(tmp_path / "pdf.py"))
        with pytest.raises(error):
            list(pdf.render_pages(b"%PDF-", Limits()))


# --- what cannot be read


def test_a_locked_pdf_is_one_line() -> None:
    lock = b"<< /Filter /Standard /V 1 /R 2 /P -44 /O <%s> /U <%s> >>" % (b"5a" * 32, b"a5" * 32)
    data = one_page(MARK, lock, trailer=b"/Encrypt 5 0 R /ID [<00112233> <00112233>]")
    with pytest.raises(Unsupported, match="password"):
        load_image(data)


@pytest.mark.parametrize("data", [b"%PDF-", b"%PDF-1.7\n%%EOF", b"%PDF-1.4\n" + bytes(1000), one_page(MARK)[:120]])
def test_a_bare_beginning_is_one_line(data: bytes) -> None:
    with pytest.raises(Damaged, match="damaged PDF"):
        load_image(data)


def read_damaged(count: int) -> tuple[int, int]:
    good = [of_photos(2), one_page(MARK), laughs()[:900] + one_page(MARK)[50:]]
    answered = refused = 0
    for seed in range(count):
        try:
            pages = list(load_pages(b"%PDF-" + pictures.damaged(good[seed // 5 % 3], seed)[5:], Limits(max_seconds=20)))
        except ReadError as error:
            check_reason(error)
            refused += 1
        else:
            assert all(page.image.size for page in pages)
            answered += 1
    return answered, refused


def test_20_damaged_pdfs_are_answered_or_refused() -> None:
    assert min(read_damaged(20)) >= 2


@pytest.mark.stress
def test_200_damaged_pdfs_are_answered_or_refused() -> None:
    assert min(read_damaged(200)) >= 20


def test_without_its_library_one_line_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    with pytest.raises(Unsupported, match=r'PDF.*pip install "inkdigits\[formats\]"'):
        load_image(one_page(MARK))


# --- the process


def children() -> set[str]:
    """Return the processes that this one has started and that are still there."""
    return {pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()}


def test_no_process_stays_behind() -> None:
    before = children()  # other tests' may still be there
    pages = load_pages(of_photos(5))
    next(pages)
    pages.close()  # type: ignore[attr-defined]
    open_image(of_photos(2))
    with pytest.raises(Damaged):
        load_image(b"%PDF-1.7\n" + bytes(10**6))
    assert children() <= before


def test_the_process_ends_with_the_one_that_asked(tmp_path: Path) -> None:
    (tmp_path / "scan.pdf").write_bytes(laughs())
    code = "import sys; from inkdigits import Limits, source; source.load_image(sys.argv[1], Limits(max_seconds=600))"
    asking = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "scan.pdf")])
    children = Path(f"/proc/{asking.pid}/task/{asking.pid}/children")
    end = time.monotonic() + 60
    while not (rendering := children.read_text().split()) and time.monotonic() < end:
        time.sleep(0.05)
    assert len(rendering) == 1
    asking.kill()
    asking.wait()
    while is_alive(rendering[0]) and time.monotonic() < end:
        time.sleep(0.05)
    assert not is_alive(rendering[0])


def is_alive(process: str) -> bool:
    try:
        return (
            Path(f"/proc/{process}/cmdline").read_bytes() != b""
        )  # of one that has ended and nobody asked about, nothing is left but its number
    except FileNotFoundError:
        return False


def test_nothing_in_the_folder_of_the_reader_is_run_and_nothing_is_left_there(tmp_path: Path) -> None:
    for name in ("json", "math", "pypdfium2", "contextlib"):
        (tmp_path / f"{name}.py").write_text("open('was-here', 'w')\n")
    (tmp_path / "scan.pdf").write_bytes(one_page(MARK))
    code = "import sys; sys.path = [p for p in sys.path if p]; from inkdigits.source import load_image; print(load_image('scan.pdf').shape)"
    done = subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "(278, 556, 3)\n", done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["contextlib.py", "json.py", "math.py", "pypdfium2.py", "scan.pdf"]
