"""What was measured and what the weights say of themselves come in; docs/scoreboard.md and MODEL_CARD.md come out, no figure by hand.

    python scripts/scoreboard.py --only

makes both pages again from what was measured.
"""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

from inkdigits.files import write_text

COUNTS = {"AUROC": 4, "NLL": 4, "Brier": 4}  # decimals of figures that are no shares
INTRODUCTION = """# Scoreboard

Every figure that is told of inkdigits, with the command that makes it again. `make scoreboard` measures and writes this page, its
[JSON](scoreboard.json) and the [model card](../MODEL_CARD.md); a test fails when they do not agree, or when the weights have changed since.
Intervals hold 95 %: Wilson's for shares, bootstrapped for the rest; what is wrong of what was promised has an exact upper bound. MNIST's
test set chose nothing.
What each ingredient gives: [ablations](ablations.md).
"""
TOLD = ("network", "epochs", "steps", "batch_size", "learning_rate", "seed", "candidates", "held")  # of what a JSON file says of a training
MIXED = ("shares", "calibrated_on")
WEIGHT_NAMES = ("reader", "mnist", "kinds", "ink")


def write_pages(root: Path) -> None:
    """Write both pages of the project in `root`."""
    board = json.loads((root / "docs" / "scoreboard.json").read_text("utf-8"))
    write_text(root / "docs" / "scoreboard.md", scoreboard(board))
    write_text(root / "MODEL_CARD.md", model_card(board, root))


def scoreboard(board: dict[str, Any]) -> str:
    """Return the page of all figures."""
    return INTRODUCTION + "".join(f"\n## {group['title']}\n\n{table(group)}" for group in board.values())


def model_card(board: dict[str, Any], root: Path) -> str:
    """Return the model card."""
    described = {name: json.loads((root / f"src/inkdigits/weights/{name}.json").read_text("utf-8")) for name in WEIGHT_NAMES}
    fonts = tomllib.loads((root / "recipe" / "fonts.toml").read_text("utf-8"))["font"]
    learned = [font for font in fonts if "held-out" not in font["role"]]
    licences = Counter(font["licence"] for font in learned)
    template = Path(__file__).with_name("model_card_template.md").read_text("utf-8")
    return template.format(
        weights=_weights(described),
        mnist_part="all 60,000" if _learned_from_all(described["mnist"]["trained"]) else "all but the last 10,000",
        fonts=f"{len(learned)} files of {len({font['family'] for font in learned})} families",
        font_licences=", ".join(f"{licence} ({count})" for licence, count in licences.most_common()),
        held=len(fonts) - len(learned),
        trained="\n".join(f"* `{name}`: {_told(described[name]['trained'])}" for name in WEIGHT_NAMES),
        figures="\n".join(f"### {group['title']}\n\n{table(group)}" for group in board.values()).rstrip(),
    )


def table(group: dict[str, Any]) -> str:
    """Return the figures of one measurement, and how they were made."""
    rows = [f"| {name} | {_shown(name, f['value'])} | {_interval(name, f)} | {_count(f)} |" for name, f in group["figures"].items()]
    made = f"`{group['command']}`; {group['date']}, commit {group['commit']}, {group['device']}."
    return "\n".join(["| | | 95 % interval | n |", "|---|---|---|---|", *rows, "", made, ""])


def _shown(name: str, value: float) -> str:
    """Return a figure as it is read: shares in per cent, the rest with as many decimals as they deserve."""
    if any(word in name for word in COUNTS):
        return f"{value:.4f}"
    if any(word in name for word in ("accuracy", "ECE", "share", "answered", "wrong", "recall")):
        return f"{100 * value:.2f} %"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _interval(name: str, figure: dict[str, Any]) -> str:
    if "interval" not in figure:
        return ""
    low, high = figure["interval"]
    return f"{_shown(name, low)} to {_shown(name, high)}"


def _count(figure: dict[str, Any]) -> str:
    return f"{figure['n']:,}" if "n" in figure else ""


def _weights(described: dict[str, dict[str, Any]]) -> str:
    rows = [
        f"| `{name}` | {meta.get('parameters', 0):,} | {meta['bytes'] / 1000:,.0f} kB | {meta.get('temperature', 1):g} | "
        f"{meta.get('no_digit_shift', 0):g} | {meta.get('threshold', 0):g} | `{meta['sha256'][:16]}…` |"
        for name, meta in described.items()
        if "classes" in meta
    ]
    head = ["| weights | parameters | file | temperature | shift of “no digit” | threshold | sha256 |", "|---|---|---|---|---|---|---|"]
    return "\n".join(head + rows)


def _learned_from_all(trained: dict[str, Any]) -> bool:
    """Tell whether weights learned from all 60,000 pictures: what `recipe/train.py --final` and `inkdigits train` say."""
    return bool(trained.get("final", not trained.get("validate", True)))


def _told(trained: dict[str, Any]) -> str:
    """Return what a JSON file says of a training, in its own words."""
    told = [f"{key.replace('_', ' ')} {trained[key]}" for key in TOLD if trained.get(key) is not None]
    parts = [f"{key.replace('_', ' ')}: " + ", ".join(f"{k} {v:,}" for k, v in trained[key].items()) for key in MIXED if key in trained]
    return "; ".join(told + parts)
