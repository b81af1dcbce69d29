"""bulk/walking.py: folders, globs and lists → every file once, in natural order; what cannot be listed is an item with its reason."""

import os
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import pytest

from inkdigits.bulk import walking
from inkdigits.bulk.items import Item
from inkdigits.bulk.walking import find_files, is_there
from inkdigits.commands.inputs import find_files as find_for_read
from inkdigits.errors import NotFound


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def paths(*sources: object, listing: str | None = None) -> list[str]:
    return [item.path for item in find_files([str(s) for s in sources], listing)]


def test_a_tree_is_walked_as_read_walks_it_and_its_archives_are_found(tmp_path: Path) -> None:
    touch(tmp_path, "b/10.JPG", "b/9.jpg", "a.PDF", "b/c/1.heic", ".hidden.png", "b/._9.jpg", "notes.txt", "b 1/2.Png", "at@/1.png")
    as_read = find_for_read([str(tmp_path)], recursive=True)
    assert paths(tmp_path) == as_read and len(as_read) == 6
    touch(tmp_path, "b/x.tar.gz", "b/y.ZIP", "b/.z.zip")
    assert {os.path.basename(p) for p in set(paths(tmp_path)) - set(as_read)} == {"x.tar.gz", "y.ZIP"}


def test_a_folder_of_more_names_than_are_sorted_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"p{n}.png" for n in range(1, 24)] + ["new\nline.png", os.fsdecode(b"caf\xe9.png"), "d10/1.png", "d9/1.png"]
    touch(tmp_path, *names)
    whole = paths(tmp_path)
    monkeypatch.setattr(walking, "RUN", 5)
    assert paths(tmp_path) == whole == find_for_read([str(tmp_path)], recursive=True)
    assert len(whole) == 27


def test_links_to_folders_are_told_and_never_followed(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.png")
    (tmp_path / "a" / "circle").symlink_to(tmp_path)
    (tmp_path / "a" / "2.png").symlink_to("1.png")
    (tmp_path / "a" / "3.png").symlink_to("3.png")  # to itself: reading it will fail
    items = list(find_files([str(tmp_path)]))
    assert [os.path.basename(i.path) for i in items] == ["1.png", "2.png", "3.png", "circle"]
    assert [i.error and i.error[0] for i in items] == [None, None, None, "not_a_file"]


def test_globs_files_and_lists(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.png", "a/2.png", "b/1.png", "b/n.txt", "b/c/3.png")
    assert [os.path.relpath(p, tmp_path) for p in paths(tmp_path / "*" / "1.png", tmp_path / "b" / "n.txt")] == [
        "a/1.png",
        "b/1.png",
        "b/n.txt",
    ]
    assert len(paths(tmp_path / "*")) == 4
    assert len(paths(tmp_path / "**" / "*.png")) == 4
    (tmp_path / "list").write_bytes(b"x/caf\xe9.png\r\n\n  y.png\nz.png")
    assert [os.fsencode(p) for p in paths(listing=str(tmp_path / "list"))] == [b"x/caf\xe9.png", b"  y.png", b"z.png"]
    (tmp_path / "list").write_bytes(b"new\nline.png\0z.png\0")
    assert paths(listing=str(tmp_path / "list")) == ["new\nline.png", "z.png"]
    for missing in ({"sources": ["/no/such"]}, {"sources": ["/no/such/*.png"]}, {"sources": [], "listing": "/no/such"}):
        with pytest.raises(NotFound, match="/no/such"):
            list(find_files(**missing))  # type: ignore[arg-type]


def test_two_stars_go_through_no_link_and_name_each_file_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "1.png", "a/2.png", "a/b/3.png", "[x]/4.png", ".hidden/5.png", "a/b/.6.png", "a/b/n.txt")
    for n in range(5):  # followed, they name 5^40 files
        (tmp_path / "a" / f"circle{n}").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    every = ["1.png", "[x]/4.png", "a/2.png", "a/b/3.png"]
    assert paths("**/*.png") == paths("**/**/*.png") == every
    assert [os.path.relpath(p) for p in paths(tmp_path / "**" / "*.png")] == every
    assert paths("a/**/*.png") == paths("[a]/**/*.png") == every[2:]
    assert paths("**/b/*.png") == paths("**/a/**/3.png") == ["a/b/3.png"]
    items = list(find_files(["a/**"]))
    assert [i.path for i in items] == ["a/2.png", "a/b/3.png", "a/b/n.txt", *(f"a/circle{n}" for n in range(5))]
    assert [i.error and i.error[0] for i in items] == [None] * 3 + ["not_a_file"] * 5
    with pytest.raises(NotFound):
        paths("**/*.jpg")
    assert is_there("**/3.png") and not is_there("**/7.png")


def test_a_folder_that_may_not_be_opened_is_an_item_with_its_reason(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.png", "b/2.png", "c/3.png")
    (tmp_path / "b").chmod(0)
    os.chmod(tmp_path, 0o755)
    for parent in takewhile(lambda p: "pytest" in str(p), tmp_path.parents):
        os.chmod(parent, 0o755)
    me = os.geteuid()
    if me == 0:
        os.seteuid(65534)  # root may open all, nobody may not
    try:
        items = list(find_files([str(tmp_path)]))
    finally:
        os.seteuid(me)
    assert [(os.path.basename(i.path), i.error and i.error[0]) for i in items] == [("1.png", None), ("b", "refused"), ("3.png", None)]


def test_very_deep_folders_end_in_items(tmp_path: Path) -> None:
    code = (
        "import os, sys; from inkdigits.bulk.walking import find_files\n"
        "os.chdir(sys.argv[1])\n"
        "for _ in range(25): os.mkdir('d' * 200); os.chdir('d' * 200)\n"
        "open('p.png', 'w').close()\n"
        "print(*[i.error[0] for i in find_files([sys.argv[1]])])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("not_a_file\n", "")


def test_a_hundred_names_of_every_kind_come_back_from_their_lines() -> None:
    for name in ("a\nb", os.fsdecode(b"caf\xe9"), "ß 日本 😀", "\u202e", '"\\'):
        item = Item(name, name, 3, 4, ("damaged", name))
        assert Item.from_line(item.to_line()) == item
        assert "\n" not in item.name
