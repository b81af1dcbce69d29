"""Amounts with commas as people write them, short or with a long tail: read as such, never a hundred times as much."""

import cv2
import numpy as np
import pytest
from rows import TALL, cut_out

from inkdigits import Reader

AMOUNTS = ("24,36", "7,95", "80,12", "3,49", "56,78", "9,20")


def page_of(reach: float, begin: float, lean: float) -> np.ndarray:
    """Return a page of amounts whose commas begin `begin` heights above the line and end `reach` heights below, `lean` more to the left."""
    page = np.full((760, 500), 240, np.uint8)
    for row, amount in enumerate(AMOUNTS):
        x, top = 70, 60 + 110 * row
        for k, character in enumerate(amount):
            if character == ",":
                foot = top + TALL
                x += round((lean + 0.1) * TALL)
                points = (
                    (x, foot - begin * TALL),
                    (x - lean * TALL / 3, foot + 0.3 * reach * TALL),
                    (x - lean * TALL, foot + reach * TALL),
                )
                cv2.polylines(page, [np.array(points, np.int32)], False, 40, 6, cv2.LINE_AA)
                x += round(0.2 * TALL)
                continue
            digit = cut_out(int(character), 5 + k + 7 * row)
            part = page[top : top + TALL, x : x + digit.shape[1]]
            np.minimum(part, 240 - (digit * 0.8).astype(np.uint8), out=part)
            x += digit.shape[1] + 8
    return page


@pytest.mark.parametrize(("reach", "begin", "lean", "least"), [(0.16, 0.05, 0.08, 6), (0.34, 0.14, 0.14, 6), (0.42, 0.2, 0.2, 3)])
def test_an_amount_keeps_its_comma(reach, begin, lean, least):
    text = Reader.load().read(page_of(reach, begin, lean)).text.split()
    assert len(text) == len(AMOUNTS)
    assert sum(read == amount for read, amount in zip(text, AMOUNTS, strict=True)) >= least, text
    for read, amount in zip(text, AMOUNTS, strict=True):
        assert len(read) == len(amount), (read, amount)  # a comma that is not read is asked for
        assert read.replace("?", ",") == amount or "?" in read, (read, amount)
