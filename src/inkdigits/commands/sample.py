"""The command that makes a page: text in, a made photo and its truth out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def add_commands(app: typer.Typer) -> None:
    """Add `sample` to `app`."""
    app.command("sample")(sample)


def sample(
    text: Annotated[str, typer.Option(help="Numbers parted by spaces, lines parted by |, such as '2071 438|37.5'.")],
    out: Annotated[Path, typer.Option(help="The picture to write; its truth is written beside it, as .json.")],
    seed: Annotated[int, typer.Option(help="The same text and seed give the same picture.")] = 0,
    dirt: Annotated[str, typer.Option(help="How bad the photo is: clean, light, medium or heavy.")] = "light",
    split: Annotated[str, typer.Option(help="Whose MNIST digits: train, validation or test.")] = "train",
    size: Annotated[str, typer.Option(help="Width and height in pixels, such as 1280x960; left out: one that suits the text.")] = "",
) -> None:
    """Make a photo of a handwritten page in MNIST hands, and its truth beside it."""
    from ..errors import UsageError
    from ..files import replacing
    from ..synthetic import make_page

    if not text.replace("|", " ").strip():
        raise UsageError("--text is empty: give numbers to write, such as '2071 438'")
    suffix = out.suffix.lower()
    if suffix not in (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"):
        raise UsageError(f"--out must end in .jpg, .png, .webp, .bmp or .tif, got {out.name!r}")
    image, truth = make_page(text, seed=seed, split=split, dirt=dirt, size=parse_size(size))
    with replacing(out) as picture, replacing(out.with_suffix(".json")) as record:  # both or neither
        picture.write_bytes(encode(image, suffix))
        record.write_text(json.dumps(truth.to_dict(), indent=2) + "\n", encoding="utf-8")
    typer.echo(f"{out}: {truth.width} × {truth.height}; truth: {out.with_suffix('.json')}")


def parse_size(size: str) -> tuple[int, int] | None:
    """Return (width, height) of a text such as "1280x960", None of an empty one.

    Raises:
        UsageError: it is something else.
    """
    from ..errors import UsageError

    if not size:
        return None
    sides = size.lower().replace("×", "x").split("x")
    if len(sides) != 2 or not all(s.strip().isdecimal() for s in sides):
        raise UsageError(f"--size must be width x height in pixels, such as 1280x960, got {size!r}")
    return int(sides[0]), int(sides[1])


def encode(image: NDArray[np.uint8], suffix: str) -> bytes:
    """Return an RGB picture of shape (height, width, 3) as a file of the kind that `suffix` names."""
    import cv2

    quality = [cv2.IMWRITE_JPEG_QUALITY, 95] if suffix in (".jpg", ".jpeg") else []
    _, data = cv2.imencode(suffix, image[:, :, ::-1], quality)
    return data.tobytes()
