"""The server says that pictures are unlike those promised on: in its metrics and in one line of its log."""

import io
import json
import logging
from random import Random

import numpy as np
import pytest
from PIL import Image
from served import serving, white

from inkdigits import Reader, mnist
from inkdigits.corruptions import corrupt
from inkdigits.drift import make_reference, measure_signs
from inkdigits.promises import Promises
from inkdigits.server import create_app
from inkdigits.server.watching import LOG, JsonLines


@pytest.fixture(scope="module")
def reader() -> Reader:
    """A reader that was promised on MNIST's last training digits, one a picture."""
    classifier = Reader.load().classifier
    (x, _), _ = mnist.load_data()
    x = x[-600:]
    signs = [measure_signs(float(c), glyph) for c, glyph in zip(classifier.confidence(x), x, strict=True)]
    return Reader(classifier, promises=Promises(references={"single": make_reference(signs)}))


def png(glyph: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(255 - glyph).save(out, "PNG")
    return out.getvalue()


def test_pictures_unlike_those_promised_on_are_told_once(reader: Reader, caplog: pytest.LogCaptureFixture) -> None:
    _, (x, _) = mnist.load_data()
    chosen = Random(0).sample(range(len(x)), 25)
    with serving(create_app(reader)) as server, caplog.at_level(logging.WARNING, LOG):
        for glyph in x[chosen]:
            assert server.read(png(glyph), single=True).status_code == 200
        server.read(white(40, 30), single=True)
        assert 'inkdigits_unlike{pictures="single"} 0.0' in server.client.get("/metrics").text
        assert not caplog.records
        for glyph in corrupt(x[chosen], "stripe"):
            server.client.post("/v1/look?single=true", content=png(glyph), headers={"Content-Type": "image/png"})
        assert not caplog.records  # the page looks at what was read before
        for glyph in corrupt(x[chosen], "stripe"):
            server.read(png(glyph), single=True)
        text = server.client.get("/metrics").text
    assert 'inkdigits_unlike{pictures="single"} 1.0' in text and 'pictures="page"' not in text
    assert len(caplog.records) == 1
    line = json.loads(JsonLines().format(caplog.records[0]))
    assert (line["level"], line["event"], line["pictures"]) == ("warning", "drift", "single") and "unlike" in line["detail"]
