"""The scoreboard and the model card: made from what was measured, of the weights that are shipped, and measured again."""

import json
import re
import sys

import pytest
from conftest import ROOT

from inkdigits import Classifier, mnist
from inkdigits.evaluate import evaluate

sys.path.insert(0, str(ROOT / "scripts"))
import scoreboard
import scoreboard_pages

BOARD = json.loads(scoreboard.BOARD.read_text("utf-8"))
CARD = (ROOT / "MODEL_CARD.md").read_text("utf-8")
AGAIN = "type: make scoreboard"


def test_the_pages_say_what_was_measured() -> None:
    assert (ROOT / "docs" / "scoreboard.md").read_text("utf-8") == scoreboard_pages.scoreboard(BOARD), AGAIN
    assert scoreboard_pages.model_card(BOARD, ROOT) == CARD, AGAIN


def test_every_measurement_is_on_the_board_and_no_other() -> None:
    measured = [
        name for name in scoreboard.MEASUREMENTS if name in BOARD or not name.startswith("extra")
    ]  # for extra nobody may have pictures
    assert list(BOARD) == measured, AGAIN


@pytest.mark.parametrize("name", BOARD)
def test_a_measurement_says_all_that_makes_it_again(name: str) -> None:
    group = BOARD[name]
    assert {"title", "command", "date", "commit", "device", "weights", "figures"} == set(group)
    assert group["figures"] and all({"value"} <= set(f) <= {"value", "n", "interval"} for f in group["figures"].values())
    for figure in group["figures"].values():
        if "interval" in figure:
            low, high = figure["interval"]
            assert low <= figure["value"] <= high and figure["n"] > 0


@pytest.mark.parametrize("name", BOARD)
def test_a_measurement_is_of_the_weights_that_are_shipped(name: str) -> None:
    told, hangs_on = BOARD[name]["weights"], scoreboard.MEASUREMENTS[name].weights
    assert (hangs_on or name == "lesson") and set(told) == set(hangs_on)  # that one trains its own
    for weights in hangs_on:
        assert told[weights] == scoreboard.checksum(weights), (
            f"{weights} has changed since; {AGAIN} (or scripts/scoreboard.py --only {name})"
        )


def test_the_card_names_everything_that_the_weights_learned_from_and_how_they_came_about() -> None:
    for words in (
        "CC BY-SA 3.0",
        "CC BY 4.0",
        "MIT",
        "OFL-1.1",
        "Apache-2.0",
        "LeCun",
        "Niklas Henning",
        "Alpaydin",
        "restarted",
        "docs/log.md",
    ):
        assert words in CARD, words
    shipped = {path.stem for path in scoreboard.WEIGHTS.glob("*.onnx")}
    assert shipped == set(scoreboard_pages.WEIGHT_NAMES)
    assert all(f"`{name}`" in CARD for name in shipped)


def figures_in(text: str) -> set[str]:
    """Return every figure of a page's tables, as it is written there."""
    cells = [cell.strip() for line in text.splitlines() if line.startswith("| ") for cell in line.strip("|").split("|")[1:]]
    return {part for cell in cells for part in cell.split(" to ") if re.fullmatch(r"[\d.,]+( %)?", part)}


def test_the_card_names_no_figure_that_was_not_measured() -> None:
    told = CARD.partition("### ")[2]
    groups = [g["figures"].items() for g in BOARD.values()]
    known = {
        shown
        for figures in groups
        for name, f in figures
        for shown in (
            *(scoreboard_pages._shown(name, value) for value in (f["value"], *f.get("interval", ()))),
            scoreboard_pages._count(f),
        )
    }
    assert len(figures_in(told)) > 20 and figures_in(told) <= known
    assert not figures_in("| accuracy | 12.34 % | 1.00 % to 2.00 % | 7 |") <= known  # one that nobody measured would be seen


def test_no_path_of_anybodys_machine_is_told() -> None:
    assert not re.search(r"/(home|root|tmp|work|Users)/", json.dumps(BOARD) + CARD)


@pytest.mark.stress
@pytest.mark.parametrize("name", ["reader", "mnist"])
def test_the_figures_on_mnist_are_found_again(name: str) -> None:
    _, (x, y) = mnist.load_data()
    found = evaluate(y, *Classifier.load(name).classify(x))
    told = BOARD[f"mnist-{name}"]["figures"]
    # other processors round the last bits otherwise: an answer or two may turn
    assert found.accuracy == pytest.approx(told["accuracy"]["value"], abs=0.0003)
    assert found.corrected().accuracy == pytest.approx(told["accuracy with wrong labels put right"]["value"], abs=0.0003)
    for measured, key in ((found.ece, "ECE"), (found.smooth_ece, "smooth ECE"), (found.nll, "NLL"), (found.brier, "Brier score")):
        assert measured == pytest.approx(told[key]["value"], abs=0.0005), key
    assert found.auroc == pytest.approx(told["AUROC of mistakes"]["value"], abs=0.003)
