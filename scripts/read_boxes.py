"""A network you have just trained and a made page come in; what it reads in the page's true boxes comes out.

    python scripts/read_boxes.py RUN PAGE

The page is what `inkdigits sample` made, its truth beside it. Where the digits stand is taken from the truth: finding them is another
art, and `inkdigits read` has it. What is shown here is that a network that has learned MNIST reads digits from a photo.
"""

import dataclasses
import json
import sys
from pathlib import Path

import cv2

from inkdigits import Box, Digit, Page
from inkdigits.files import write_bytes
from inkdigits.glyph import make_glyphs
from inkdigits.ink import find_ink
from inkdigits.source import load_image
from inkdigits.train.load import open_classifier


def main() -> None:
    """Read, print, and draw the readings into the page."""
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    run, picture = Path(sys.argv[1]), Path(sys.argv[2])
    truth = Page.from_dict(json.loads(picture.with_suffix(".json").read_text("utf-8")))
    image = load_image(picture)
    ink = find_ink(image)
    boxes = [digit.box for number in truth.numbers for digit in number.digits]
    glyphs = make_glyphs(ink[y : y + height, x : x + width] for x, y, width, height in boxes)
    probabilities, _ = open_classifier(run).classify(glyphs)
    readings = iter([reading(box, row) for box, row in zip(boxes, probabilities, strict=True)])
    numbers = []
    for number in truth.numbers:
        digits = tuple(next(readings) for _ in number.digits)
        numbers.append(dataclasses.replace(number, text="".join(d.text for d in digits), digits=digits, marks=()))
    read = dataclasses.replace(truth, numbers=tuple(numbers))

    right = sum(a == b for a, b in zip(values(read), values(truth), strict=True))
    drawn = picture.with_name(f"{picture.stem}-read.png")
    write_bytes(drawn, cv2.imencode(".png", cv2.cvtColor(read.draw(image), cv2.COLOR_RGB2BGR))[1].tobytes())
    print(f"The network in {run}, which has learned from MNIST alone, reads {picture}.")
    print("Where the digits stand is taken from the truth beside the picture; the network tells which digits they are.")
    print(f"  written: {truth.text}\n  read:    {read.text}\n{right} of {len(boxes)} digits are right; drawn into {drawn}")


def values(page: Page) -> list[int | None]:
    """Return the digits of a page, in reading order."""
    return [digit.value for number in page.numbers for digit in number.digits]


def reading(box: Box, probabilities: object) -> Digit:
    """Return what the network says of one box, as a record."""
    ranked = sorted(enumerate(map(float, probabilities)), key=lambda pair: -pair[1])  # type: ignore[call-overload]
    return Digit(ranked[0][0], ranked[0][1], box, tuple(ranked))


if __name__ == "__main__":
    main()
