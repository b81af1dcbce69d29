"""The texts of the lesson are whole and in order, every cell of them is Python, and the notebook that is committed was made from them."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from inkdigits.train import steps

ROOT = Path(__file__).parents[1]
ORDER = ["1", "2", "3", "4", "5", "6", "7", "8", "8b", "9", "10", "11", "12", "13", "14", "15", "16"]
# the figures of the classic lesson
FIGURES = {
    "1": ["(60000, 28, 28)", "(10000, 28, 28)", "uint8"],
    "2": ["1", "3 (or a 2?)"],
    "3": ["(60000, 784)", "(10000, 784)"],
    "4": ["0–255", "0.0–1.0"],
    "5": ["943,946"],
    "7": ["[0 1 0 0 0 0 0 0 0 0]", "[0 0 0 0 0 1 0 0 0 0]"],
    "8": ["600,000", "about 200", "0.9942"],
    "9": ["0.0742", "0.9811", "1.31 points"],
    "10": ["7 at 0.9999"],
    "11": ["0.99"],
    "12": ["label 5, read as 6"],
}
# what each step must speak of
SPOKEN = {
    "1": ["supervised", "label", "test", "two tuples", ".keras/datasets", "offline", "uint8"],
    "2": ["%matplotlib inline", "labels are wrong", "100 %", "class"],
    "3": ["(-1, 28 * 28)", "(-1, 784)", "convolutional", "vector"],
    "4": ["black", "(x − min) / (max − min)", "/ 255", "(x − mean) / std"],
    "5": [
        "Dense(1024",
        "Dense(128",
        "Dense(64",
        "softmax",
        "Dropout(0.2)",
        "house",
        "ill or not",
        "sigmoid goes with one output",
        "input_dim",
        "our choice",
    ],
    "6": ["loss", "optimizer", "metric", "our choice"],
    "7": ["to_categorical", "expected (10,), got (1,)", "sparse_categorical_crossentropy"],
    "8": ["epoch", "600,000", "469 updates", "stochastic", "History", "one update", "unlike each other", "our choice"],
    "8b": ["one cycle", "learning rate", "118 updates"],
    "9": ["overfitting", "2 to 4 points", "running", "without dropout"],
    "10": ["argmax(axis=1)", "of each row", "28 × 28", "x_test[0:1]"],
    "11": ["counts as 0", "mean"],
    "12": ["argmin", ".all()", "element 8", "most confident", "10,000"],
    "13": ["model.keras", "fresh Python", ".h5"],
    "14": ["--epochs", "--batch-size", "--optimizer", "--layers", "compare"],
    "15": ["20 × 20", "centre of mass", "horse", "naive"],
    "16": ["convolutional", "Pooling", "neighbours"],
}


def plain(text):
    """Return a text without Markdown's signs and line breaks."""
    return " ".join(text.replace("*", "").replace("`", "").split())


def code_cells():
    lesson = steps.load()
    texts = [("", lesson.intro), *((step.key, step.text) for step in lesson.steps)]
    return [(key, part.text) for key, text in texts for part in steps.parts(text) if part.kind != "prose"]


def test_the_steps_are_all_there_in_order():
    assert [step.key for step in steps.load().steps] == ORDER


@pytest.mark.parametrize("key", ORDER)
def test_every_step_says_what_it_must(key):
    step = steps.load()[key]
    text = plain(f"{step.text} {step.after}")
    assert [word for word in SPOKEN[key] if plain(word) not in text] == []
    assert list(step.figures.values()) == FIGURES.get(key, [])


def test_texts_are_cut_into_prose_and_code():
    text = "one\n\n```python\na = 1\n```\ntwo\n```python notebook\nb = 2\n```\n```sh\nls\n```\n"
    assert list(steps.parts(text)) == [
        ("prose", "one"),
        ("python", "a = 1"),
        ("prose", "two"),
        ("notebook", "b = 2"),
        ("prose", "```sh\nls\n```"),
    ]
    assert "b = 2" not in steps.for_reading(text) and "a = 1" in steps.for_reading(text)


def test_every_cell_is_python_and_nothing_is_hidden_before_step_15():
    for key, code in code_cells():
        tree = ast.parse(code.replace("%matplotlib inline", ""))
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        if key != "15":
            ours = {name for name in imported if name and name.startswith("inkdigits")}
            assert ours <= {"inkdigits"}, f"step {key}: the learner's own Keras, beside `from inkdigits import mnist`"
    first = code_cells()[0][1]
    assert first.index("KERAS_BACKEND") < first.index("import keras")


def test_the_committed_notebook_is_the_lesson_and_was_run():
    done = subprocess.run([sys.executable, ROOT / "scripts" / "build_notebook.py", "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    path = ROOT / "notebooks" / "tutorial.ipynb"
    assert path.stat().st_size < 2e6
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)
    outputs = [output for cell in cells for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 9
    printed = "".join(output.get("text", "") for output in outputs)
    for fact in (
        "(60000, 28, 28)",
        "1 3",
        "(60000, 784) (10000, 784)",
        "0.0 to 1.0",
        "[0 1 0 0 0 0 0 0 0 0]",
        "must have the same shape",
        "True",
    ):
        assert fact in printed
    assert not re.search(r"/(home|root|tmp|usr|work)/", printed)
