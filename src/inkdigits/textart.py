"""A small grey picture comes in; lines of text that show it in a terminal come out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SHADES = " ░▒▓█"
PLAIN_SHADES = " .:*#"  # for terminals that know ASCII alone


def draw(picture: NDArray[np.uint8], encoding: str | None = "utf-8") -> str:
    """Return a picture as text, two characters a pixel, since characters are about twice as high as wide.

    Args:
        picture: uint8 of shape (h, w), 0 black to 255 white. White is drawn dense, as ink: right for MNIST, where the ink is white.
        encoding: encoding of the terminal; one that lacks the shades gets ASCII.
    """
    shades = np.array(list(SHADES if _knows(encoding, SHADES) else PLAIN_SHADES))
    # 0 alone stays blank, and soft edges are seen: MNIST's ink is mostly 250 and more
    levels = np.digitize(picture, [1, 64, 128, 192])
    return "\n".join("".join(shade * 2 for shade in row).rstrip() for row in shades[levels])


def _knows(encoding: str | None, characters: str) -> bool:
    try:
        characters.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
