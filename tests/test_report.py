"""Reports and plots: whole, self-contained, inert, the same bytes for the same figures."""

import html.parser
import re

import numpy as np
import pytest

from inkdigits import mnist, plots, report, textart
from inkdigits.errors import MissingExtra


class Addresses(html.parser.HTMLParser):
    """Collects every address that a browser would fetch, and every tag."""

    def __init__(self, page):
        super().__init__()
        self.fetched, self.tags, self.alts = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        found = dict(attributes)
        self.fetched += [found[key] for key in ("src", "srcset", "poster", "data") if key in found]
        if tag == "link":
            self.fetched.append(found.get("href"))
        if tag == "img":
            self.alts.append(found.get("alt"))


@pytest.fixture(scope="module")
def figures():
    (_, _), (x, y) = mnist.load_data()
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(10), 2)
    run = {"loss": [0.3, 0.1], "accuracy": [0.9, 0.97]}
    return {
        "gallery": plots.gallery(list(x[:10]), [f"{label}" for label in y[:10]]),
        "classes": plots.classes(x[:500], y[:500], 4),
        "histogram": plots.histogram(x[:10], x[:10] / 255),
        "curves": plots.curves({"plain": run, "better": run}, {"loss": "loss", "accuracy": "accuracy", "absent": "absent"}),
        "confusion": plots.confusion(rng.poisson(3, (10, 10))),
        "readings": plots.readings([plots.Reading(x[0], probabilities[0], "a", 7), plots.Reading(x[1], probabilities[1], "b")]),
        "pictures": plots.pictures([x[0], np.zeros((40, 80, 3), np.uint8)], ["small", "wide"]),
        "layers": plots.layers([plots.Layer("input", 784), plots.Layer("Dense", 10, "softmax", 7850)], x[0]),
    }


def page(figures, **changes):
    step = {"key": "1", "title": "<script>alert(1)</script>", "after": "*so*"}
    pictures = [report.embed_figure(figure, f"the {name}", "svg" if i % 2 else "png") for i, (name, figure) in enumerate(figures.items())]
    table = report.Table("a caption", ("", "here"), [("<img src=x>", 0.5)])
    chapter = {"step": step, "text": "**bold** <b>no tag</b>", "tables": [table], "notes": ["a & b"], "pictures": pictures}
    data = {"title": "a title", "version": "0", "tiles": [("98 %", "right")], "intro": "hello", "outro": "bye", "chapters": [chapter]}
    return report.render("lesson", data | {"details": table} | changes)


def test_a_report_fetches_nothing_and_runs_nothing(figures):
    found = Addresses(page(figures))
    assert len(found.fetched) == len(figures)
    assert all(address.startswith("data:image/") for address in found.fetched)
    assert not {"script", "iframe", "object", "link"} & set(found.tags)
    assert "default-src 'none'" in page(figures)


def test_what_is_put_into_a_report_is_text(figures):
    text = page(figures)
    assert "<script>alert(1)</script>" not in text and "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<img src=x>" not in text
    assert "<b>no tag</b>" not in text and "<strong>bold</strong>" in text


def test_every_picture_can_be_read_out(figures):
    assert Addresses(page(figures)).alts == [f"the {name}" for name in figures]


def test_markdown_makes_no_dangerous_links():
    assert "<a" not in report.markdown("[click](javascript:alert(1))")
    assert '<a href="https://keras.io">' in report.markdown("[Keras](https://keras.io)")


def test_tables_of_markdown():
    assert "<td>1</td>" in report.markdown("| a | b |\n|---|---|\n| 1 | 2 |")


def test_a_report_is_written_whole(tmp_path, figures):
    path = tmp_path / "report.html"
    report.write(
        path,
        "lesson",
        {"title": "t", "version": "0", "tiles": [], "intro": "", "outro": "", "chapters": [], "details": report.Table("", ("a",), [])},
    )
    assert path.read_text(encoding="utf-8").rstrip().endswith("</html>")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("form", ["png", "svg"])
def test_the_same_figure_gives_the_same_bytes(figures, form):
    for name, figure in figures.items():
        assert plots.to_bytes(figure, form) == plots.to_bytes(figure, form), name
    assert b"<text" not in plots.to_bytes(figures["curves"], "svg")  # letters are outlines: the reader's fonts don't matter


def test_plots_change_nothing_in_the_process(figures):
    import matplotlib

    before = dict(matplotlib.rcParams)
    plots.confusion(np.eye(10, dtype=int))
    assert dict(matplotlib.rcParams) == before


def test_the_matrix_shows_every_count(figures):
    counts = np.arange(100).reshape(10, 10)
    texts = [text.get_text() for text in plots.confusion(counts).axes[0].texts]
    assert sorted(map(int, texts)) == list(range(1, 100))  # a nought is left blank


def test_bars_are_as_high_as_the_probabilities():
    p = np.array([0.05, 0.05, 0.1, 0.0, 0.2, 0.3, 0.0, 0.1, 0.1, 0.1])
    bars = plots.readings([plots.Reading(np.zeros((28, 28), np.uint8), p, "x", 4)]).axes[1].patches
    assert np.allclose([bar.get_height() for bar in bars], p)
    assert [bool(bar.get_hatch()) for bar in bars] == [digit == 4 for digit in range(10)]


def test_colours_differ_in_brightness():
    """In print without colour, neighbouring series are still told apart."""
    brightness = [sum(w * int(c[i : i + 2], 16) for w, i in ((0.299, 1), (0.587, 3), (0.114, 5))) for c in plots.SERIES[:2]]
    assert abs(brightness[0] - brightness[1]) > 20
    assert len(set(plots.MARKERS)) == len(plots.SERIES)


@pytest.mark.parametrize(
    ("module", "call"), [("matplotlib", lambda: plots.confusion(np.eye(3))), ("jinja2", lambda: report.render("lesson", {}))]
)
def test_a_missing_extra_says_what_to_type(monkeypatch, module, call):
    import sys

    monkeypatch.setitem(sys.modules, module, None)  # what Python does for a module that cannot be imported
    with pytest.raises(MissingExtra, match=re.escape('pip install "inkdigits[report]"')):
        call()


def test_text_art_shows_ink_where_ink_is():
    picture = np.zeros((28, 28), np.uint8)
    picture[3, 4], picture[3, 5], picture[27, 0] = 255, 100, 1
    lines = textart.draw(picture).split("\n")
    assert len(lines) == 28
    assert lines[3] == " " * 8 + "██▒▒"
    assert lines[27] == "░░"
    assert all(not lines[i] for i in range(28) if i not in (3, 27))
    assert textart.draw(picture, "ascii").isascii()
    assert textart.draw(picture, None).split("\n")[3] == " " * 8 + "##::"
