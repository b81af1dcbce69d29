"""bulk/archives.py: zip and tar files → their pictures, one by one, within limits; damaged ones and bombs are items with a reason."""

import gzip
import io
import os
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import piles
import pytest

from inkdigits.bulk import archives
from inkdigits.bulk.archives import Unpacker, is_archive, list_members
from inkdigits.bulk.items import Item
from inkdigits.errors import Damaged, NotFound, TooLarge, Unsupported

FILES = {
    "a/p10.png": b"ten" * 1000,
    "b.txt": b"no picture",
    "a/p9.jpg": b"nine",
    "../../etc/p.png": b"up",
    "a/._p9.jpg": b"",
    "p.pdf": b"x" * 70_000,
}
PICTURES = ["a/p10.png", "a/p9.jpg", "../../etc/p.png", "p.pdf"]
ARCHIVES = ("x.zip", "x.tar", "x.tar.gz", "x.TGZ", "x.tar.bz2", "x.tar.xz")


def packed(name: str, files: dict[str, bytes]) -> bytes:
    """An archive of the kind that the name tells."""
    packing = {"gz": "gz", "TGZ": "gz", "bz2": "bz2", "xz": "xz"}.get(name.rpartition(".")[2], "")
    return piles.zipped(files) if name.endswith(".zip") else piles.tar(files, packing)


def read(item: Item, most: int = 10**6, unpacker: Unpacker | None = None) -> bytes:
    return (unpacker or Unpacker()).read(item, "", most, lambda: None)


@pytest.mark.parametrize("name", ARCHIVES)
def test_members_are_listed_and_read_in_any_order(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(packed(name, FILES))
    assert is_archive(name)
    items = list(list_members(name, str(tmp_path)))
    assert [item.member for item in items] == PICTURES
    assert items[0].name == f"{name}/a/p10.png"
    unpacker = Unpacker()
    for item in [*items, *reversed(items)]:
        assert unpacker.read(item, str(tmp_path), 10**6, lambda: None) == FILES[item.member or ""]
    with pytest.raises(TooLarge):
        unpacker.read(items[3], str(tmp_path), 69_999, lambda: None)
    unpacker.close()


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_cut_anywhere_is_items_with_a_reason(name: str, tmp_path: Path) -> None:
    whole = packed(name, FILES)
    path = tmp_path / name
    for cut in range(0, len(whole), max(1, len(whole) // 23)):
        path.write_bytes(whole[:cut])
        items = list(list_members(str(path)))
        assert items and all(item.error is None or item.error[0] in ("damaged", "not_found") for item in items)
        for item in items:
            if item.error is None:
                try:
                    assert read(item) == FILES[item.member or ""]
                except Damaged as error:
                    assert str(tmp_path) not in str(error)
    path.write_bytes(whole)
    items = list(list_members(str(path)))
    path.write_bytes(whole[: len(whole) // 3])
    with pytest.raises(Damaged):
        read(items[-1])
    path.unlink()
    with pytest.raises(NotFound):
        read(items[-1])


@pytest.mark.parametrize("name", ["x.tar", "x.tar.gz"])
def test_what_stands_behind_a_damaged_header_is_missed_aloud(name: str, tmp_path: Path) -> None:
    whole = bytearray(packed("x.tar", FILES))
    with tarfile.open(fileobj=io.BytesIO(whole)) as archive:
        second = archive.getmembers()[1].offset
    whole[second : second + 512] = b"\xff" * 512
    (tmp_path / name).write_bytes(gzip.compress(whole) if name.endswith("gz") else whole)
    first, damaged = list_members(name, str(tmp_path))
    assert first.member == PICTURES[0]
    assert damaged.error == ("damaged", "damaged archive: what comes behind this cannot be listed")


def test_an_archive_without_pictures_or_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "e.zip").write_bytes(piles.zipped({"a.txt": b"x"}))
    (tmp_path / "n.zip").write_bytes(b"nothing of the kind")
    (tmp_path / "f.tar").mkdir()
    os.mkfifo(tmp_path / "p.tar.gz")
    codes = [[i.error and i.error[0] for i in list_members(str(tmp_path / n))] for n in ("e.zip", "n.zip", "f.tar", "p.tar.gz", "no.zip")]
    assert codes == [["not_found"], ["damaged"], ["not_a_file"], ["not_a_file"], ["not_found"]]


def test_a_member_that_unpacks_to_gigabytes_is_refused_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("p.png", "w", force_zip64=True) as member:
        for _ in range(200):
            member.write(bytes(10**6))
    (item,) = list_members(str(path))
    lying = bytearray(path.read_bytes())
    size = lying.rindex(b"PK\1\2") + 24
    lying[size : size + 4] = (5).to_bytes(4, "little")
    (tmp_path / "lying.zip").write_bytes(lying)
    tracemalloc.start()
    for one, reason in ((item, TooLarge), (*list_members(str(tmp_path / "lying.zip")), Damaged)):
        with pytest.raises(reason):
            read(one)
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


def test_a_packed_tar_that_unpacks_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "ALWAYS", 10**6)
    first, second = tarfile.TarInfo("a.png"), tarfile.TarInfo("b.png")
    first.size = 3 * 10**8
    with gzip.open(tmp_path / "bomb.tar.gz", "wb", compresslevel=1) as out:
        out.write(first.tobuf())
        for _ in range(300):
            out.write(bytes(10**6))
        out.write(second.tobuf())
    monkeypatch.setattr(archives, "MAX_RATIO", 50)
    items = list(list_members(str(tmp_path / "bomb.tar.gz")))
    assert [item.error and item.error[0] for item in items] == [None, "too_large"]


def test_a_header_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    header = tarfile.TarInfo("long")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 2**30
    (tmp_path / "x.tar").write_bytes(header.tobuf() + bytes(2**16))
    assert [item.error and item.error[0] for item in list_members(str(tmp_path / "x.tar"))] == ["too_large"]


def test_a_member_with_a_password_is_unsupported(tmp_path: Path) -> None:
    data = bytearray(piles.zipped({"p.png": b"secret"}))
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1  # both headers say that it is encrypted
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(Unsupported, match="password"):
        read(*list_members(str(tmp_path / "x.zip")))


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_that_changed_since_it_was_listed_gives_nobodys_bytes(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(packed(name, {"a.png": b"a", "b.png": b"b", "c.png": b"c"}))
    first, *others = list_members(str(path))
    for files in ({"b.png": b"b"}, {"a.png": b"other", "c.png": b"c", "b.png": b"b"}, {"d.txt": bytes(5000)}):
        path.write_bytes(packed(name, files))
        for item in [first, *others]:
            with pytest.raises(Damaged, match="changed"):
                read(item)
    path.write_bytes(packed(name, {"a.png": b"a", "x.png": b"b", "b.png": b"b"}))
    assert read(first) == b"a"
    for item in others:
        with pytest.raises(Damaged, match="changed"):
            read(item)


@pytest.mark.parametrize("kind", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_a_member_of_a_tar_is_known_again_however_its_name_is_written(kind: int, tmp_path: Path) -> None:
    names = ["ä" * 40 + ".png", "a" * 90 + "/" + "b" * 90 + ".png", os.fsdecode(b"caf\xe9.png")]
    names += [] if kind == tarfile.USTAR_FORMAT else ["c" * 300 + ".png"]
    with tarfile.open(tmp_path / "x.tar", "w", format=kind, pax_headers={"comment": "for all"}) as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = 3
            archive.addfile(member, io.BytesIO(b"ink"))
    items = list(list_members(str(tmp_path / "x.tar")))
    assert [item.member for item in items] == names
    assert [read(item) for item in items] == [b"ink"] * len(names)


def test_running_through_a_packed_tar_gives_signs_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "STEP", 10_000)
    out = io.BytesIO(piles.tar({"a.png": bytes(100_000), "b.png": b"b"}))
    (tmp_path / "x.tar.gz").write_bytes(out.getvalue())
    beats: list[int] = []
    last = list(list_members(str(tmp_path / "x.tar.gz")))[-1]
    assert Unpacker().read(last, "", 10**6, lambda: beats.append(1)) == b"b"
    assert len(beats) >= 10
