"""Pick the ten glyphs that a model is checked with when it is loaded: the most typical of each digit in MNIST's validation part.

    python scripts/pick_ten_glyphs.py

Writes src/inkdigits/weights/ten-glyphs.npy, uint8 of shape (10, 28, 28), the digits 0 to 9 in order. From MNIST (CC BY-SA 3.0).
"""

import io
from pathlib import Path

import numpy as np

from inkdigits import mnist
from inkdigits.files import write_bytes

TARGET = Path(__file__).parent.parent / "src" / "inkdigits" / "weights" / "ten-glyphs.npy"
HELD_OUT = 10_000  # the last training pictures; weights that are tuned never learn from them


def main() -> None:
    (x, y), _ = mnist.load_data()
    x, y = x[-HELD_OUT:], y[-HELD_OUT:]
    glyphs = np.stack([typical(x[y == digit]) for digit in range(10)])
    buffer = io.BytesIO()
    np.save(buffer, glyphs)
    write_bytes(TARGET, buffer.getvalue())
    print(f"{TARGET}: {glyphs.shape}")


def typical(pictures: np.ndarray) -> np.ndarray:
    """Return the picture that correlates best with the mean of all of them."""
    flat = pictures.reshape(len(pictures), -1).astype(np.float32)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    return pictures[(flat @ flat.mean(axis=0)).argmax()]


if __name__ == "__main__":
    main()
