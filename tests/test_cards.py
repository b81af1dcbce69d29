"""Cards and neighbours: what is shown of a mistake is what the network saw, and what it takes for alike."""

import io
from base64 import b64decode
from pathlib import Path

import cv2
import models
import numpy as np
import pytest
from PIL import Image

from inkdigits import Classifier, mnist
from inkdigits.cards import make_cards
from inkdigits.evaluate import evaluate
from inkdigits.labelled import Labelled, answer, load_labelled
from inkdigits.neighbours import STEP, nearest


@pytest.fixture(scope="module")
def reader() -> Classifier:
    return Classifier.load()


def picture(source: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(b64decode(source.split(",")[1]))))


def test_a_training_picture_is_nearest_to_itself(reader: Classifier) -> None:
    (x, y), _ = mnist.load_data()
    asked = np.array([0, 7, 9999]) * STEP
    found = nearest(reader, x[asked], k=4)
    assert found is not None and found.places.shape == (3, 4) and found.places[:, 0].tolist() == asked.tolist()
    assert (found.pictures[:, 0] == x[asked]).all() and (found.labels == y[found.places]).all()
    assert (found.labels == y[asked][:, None]).mean() > 0.8


def test_a_card_tells_what_was_read(reader: Classifier) -> None:
    _, (x, y) = mnist.load_data()
    chosen = [947, 2130, 0]  # a wrong label, an unclear one, a plain 7
    answers = answer(Labelled("mnist", y.astype(np.int64), x), reader)
    evaluation = evaluate(answers.labels, answers.probabilities, answers.confidence)
    cards = make_cards(chosen, evaluation, answers, reader)
    assert [card.note for card in cards] == ["the label is known to be wrong: it is a 9", "the label is known to be unclear", ""]
    assert (cards[2].title, cards[2].name) == ("7 read right", "0") and cards[1].title.startswith("4 read ")
    for card, i in zip(cards, chosen, strict=True):
        assert (picture(card.picture.source) == x[i]).all()
        assert card.looked is not None and picture(card.looked.source).shape == (56, 56, 3)
        assert len(card.neighbours) == 3 and card.guesses[0][0] == evaluation.predictions[i]
    assert make_cards([], evaluation, answers, reader) == []


def test_a_network_that_cannot_tell_has_no_maps(tmp_path: Path) -> None:
    _, (x, y) = mnist.load_data()
    (tmp_path / "flat.onnx").write_bytes(models.without_maps())
    classifier = Classifier.load(tmp_path / "flat.onnx")
    answers = answer(Labelled("own", y[:5].astype(np.int64), x[:5]), classifier)
    (card,) = make_cards([3], evaluate(answers.labels, answers.probabilities), answers, classifier)
    assert card.looked is None and len(card.neighbours) == 3 and card.note == ""


def test_the_glyph_of_a_photo_is_the_one_that_was_read(reader: Classifier, tmp_path: Path) -> None:
    _, (x, y) = mnist.load_data()
    rows = ["file,label"]
    for i in range(6):
        large = np.full((120, 160), 255, np.uint8)
        large[20:104, 40:124] = 255 - cv2.resize(x[i], (84, 84))
        cv2.imwrite(str(tmp_path / f"{i}.png"), large)
        rows.append(f"{i}.png,{y[i]}")
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    answers = answer(load_labelled(tmp_path), reader)
    glyphs = np.stack([answers.glyph(i) for i in range(6)])
    assert np.allclose(reader.predict_proba(glyphs), answers.probabilities, atol=1e-4)
    cv2.imwrite(str(tmp_path / "0.png"), np.full((50, 50), 255, np.uint8))
    assert not answer(load_labelled(tmp_path), reader).glyph(0).any()
