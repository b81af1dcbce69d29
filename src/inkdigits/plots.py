"""Arrays come in; figures come out: galleries, curves, a confusion matrix, probabilities as bars, layers. Nothing is shown or written here.

Colours are Okabe and Ito's, told apart by colour-blind people and, by their brightness, in print; no figure needs its colours to be
understood. Figures are made without pyplot, so that nothing in the process is changed.

Source: Okabe and Ito 2008, "Color Universal Design".
"""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, ParamSpec

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import MissingExtra

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, VERMILION, PINK, SKY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9"
INK, FAINT, PALE = "#222222", "#8a8a8a", "#e4e4e4"
SERIES = (BLUE, VERMILION, GREEN, ORANGE, PINK, SKY)
MARKERS = "os^Dv*"  # series differ in shape as well as in colour
STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.linewidth": 0.6,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.frameon": False,
    "svg.fonttype": "path",  # looks the same where the fonts are others
    "svg.hashsalt": "inkdigits",  # the same figure gives the same bytes
}


P = ParamSpec("P")


def _styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Return `draw` in the house style, whatever style the process has; it raises MissingExtra where matplotlib is not installed."""

    @functools.wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Figure:
        try:
            from matplotlib import rc_context
        except ImportError as error:
            raise MissingExtra("a plot", "report") from error
        with rc_context(STYLE):
            return draw(*args, **kwargs)

    return drawn


def to_bytes(figure: Figure, form: Literal["png", "svg"] = "png", dpi: int = 160) -> bytes:
    """Return a figure as a PNG or SVG file; the same figure gives the same bytes."""
    from matplotlib import rc_context

    buffer = io.BytesIO()
    with rc_context(STYLE):
        if figure.get_layout_engine() is not None:  # laying it out again at every drawing would shift everything a little
            figure.draw_without_rendering()
            figure.set_layout_engine("none")
        figure.savefig(buffer, format=form, dpi=dpi, facecolor="white", metadata={"Date": None} if form == "svg" else {"Software": None})
    return buffer.getvalue()


def _new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of this size in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _subplots(figure: Figure, rows: int, columns: int, **options: Any) -> Any:
    """Return rows × columns axes, always as an array of two axes."""
    return figure.subplots(rows, columns, squeeze=False, **options)


def _picture(ax: Axes, picture: NDArray[Any], title: str = "", colour: str = INK) -> None:
    """Draw one picture: grey ones from 0 black to 255 white, pixels as squares."""
    small = max(picture.shape[:2]) <= 64
    ax.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest" if small else "antialiased")
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(True)
        spine.set_color(PALE)
    if title:
        ax.set_title(title, color=colour, fontsize=8, loc="center", linespacing=1.25, pad=3)


@_styled
def gallery(pictures: Sequence[NDArray[Any]], titles: Sequence[str], columns: int = 8, size: float = 0.9) -> Figure:
    """Return pictures in rows, each under its title.

    Args:
        pictures: grey pictures, each uint8 of shape (h, w).
        titles: as many; they may have several lines.
        columns: pictures a row.
        size: side of a picture with its margin, in inches.
    """
    columns = max(1, min(columns, len(pictures)))
    rows = max(1, -(-len(pictures) // columns))
    height = 1 + 0.17 * max((title.count("\n") + 1 for title in titles), default=0)  # of a picture with its title, in pictures
    figure, ax = _canvas(columns * size, rows * height * size, columns, rows * height)
    for i, (picture, title) in enumerate(zip(pictures, titles, strict=True)):
        x, bottom = i % columns, (i // columns + 1) * height
        _place(ax, picture, x + 0.04, bottom - 0.96, 0.92)
        ax.text(x + 0.5, bottom - 1.0, title, ha="center", va="bottom", fontsize=7.5, linespacing=1.15)
    return figure


@_styled
def classes(pictures: NDArray[np.uint8], labels: NDArray[Any], each: int = 18) -> Figure:
    """Return the first `each` pictures of every class, a row a class, with the class at its left.

    Args:
        pictures: uint8 of shape (n, 28, 28).
        labels: 0–9, of shape (n,).
        each: pictures a class.
    """
    found = np.unique(labels)
    figure, ax = _canvas(7.2, 7.2 * len(found) * 1.08 / (each + 1), each + 1, len(found) * 1.08)
    for i, label in enumerate(found):
        top = i * 1.08
        ax.text(0.5, top + 0.5, str(label), ha="center", va="center", fontsize=10)
        for j, picture in enumerate(pictures[labels == label][:each]):
            _place(ax, picture, 1 + j, top, 1)
    return figure


def _canvas(width: float, height: float, columns: float, rows: float) -> tuple[Figure, Axes]:
    """Return a figure of width × height inches that is all one plane of columns × rows units, the origin at the top left."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set_axis_off()
    return figure, _frame(ax, columns, rows)


def _frame(ax: Axes, columns: float, rows: float) -> Axes:
    ax.set_xlim(0, columns)
    ax.set_ylim(rows, 0)
    ax.set_autoscale_on(False)
    return ax


def _place(ax: Axes, picture: NDArray[Any], x: float, y: float, side: float) -> None:
    """Draw a small grey picture on a canvas, its upper left corner at x, y."""
    ax.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest", extent=(x, x + side, y + side, y), aspect="auto")


@_styled
def histogram(before: NDArray[Any], after: NDArray[Any]) -> Figure:
    """Return how often each pixel value occurs, before and after it is normalised; counts on a logarithmic scale."""
    figure = _new_figure(7.2, 1.9)
    axes = _subplots(figure, 1, 2)[0]
    for ax, values, name, colour in ((axes[0], before, "before: 0 to 255", BLUE), (axes[1], after, "after: 0 to 1", GREEN)):
        counts, edges = np.histogram(values, 32)
        ax.stairs(counts, edges, fill=True, color=colour)
        ax.set_yscale("log")
        ax.set_title(name)
        ax.set_xlabel("value of a pixel")
    axes[0].set_ylabel("how many")
    return figure


@_styled
def curves(runs: Mapping[str, Mapping[str, Sequence[float]]], columns: Mapping[str, str], log: Sequence[str] = ("loss",)) -> Figure:
    """Return one small plot a column, with one line a run, over the epochs.

    Args:
        runs: name of the run → column → one value an epoch.
        columns: column → what it is called in the plot; a column that no run has is left out.
        log: columns drawn on a logarithmic scale.
    """
    shown = [column for column in columns if any(column in run for run in runs.values())]
    figure = _new_figure(7.2, 2.5)
    axes = _subplots(figure, 1, max(1, len(shown)))[0]
    for ax, column in zip(axes, shown, strict=False):
        for i, (name, run) in enumerate(runs.items()):
            if column in run:
                epochs = range(1, len(run[column]) + 1)
                ax.plot(epochs, run[column], color=SERIES[i % 6], marker=MARKERS[i % 6], markersize=3.5, linewidth=1.3, label=name)
        if column in log:
            _log_scale(ax)
        ax.set_title(columns[column])
        ax.set_xlabel("epoch")
        longest = max(len(run[column]) for run in runs.values() if column in run)
        if longest <= 12:
            ax.set_xticks(range(1, longest + 1))
        ax.grid(color=PALE, linewidth=0.5)
    if shown:
        axes[0].legend(fontsize=8)
    return figure


@_styled
def line(x: Sequence[float], y: Sequence[float], name: str, over: str) -> Figure:
    """Return one line: `y`, called `name`, over `x`, called `over`."""
    figure = _new_figure(3.6, 2.2)
    ax = _subplots(figure, 1, 1)[0, 0]
    ax.plot(x, y, color=BLUE, linewidth=1.5)
    ax.set_ylim(bottom=0)
    ax.set_title(name)
    ax.set_xlabel(over)
    ax.grid(color=PALE, linewidth=0.5)
    return figure


def _log_scale(ax: Axes) -> None:
    """Make the vertical axis logarithmic, with plain numbers at 1, 2, 5, 10 … of each decade."""
    from matplotlib.ticker import FormatStrFormatter, LogLocator, NullLocator

    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    ax.yaxis.set_minor_locator(NullLocator())


@_styled
def confusion(matrix: ArrayLike) -> Figure:
    """Return a confusion matrix: a row a label, a column a prediction. Right answers are counted, mistakes are shaded by how many.

    Args:
        matrix: counts of shape (k, k); `matrix[label, prediction]`.
    """
    counts = np.asarray(matrix)
    k = len(counts)
    mistakes = np.where(np.eye(k, dtype=bool), 0, counts)  # the diagonal would drown everything else
    figure = _new_figure(5.0, 4.8)
    ax = _subplots(figure, 1, 1)[0, 0]
    ax.imshow(mistakes, cmap="Oranges", vmin=0, vmax=max(1, mistakes.max()) * 1.35)
    for i, j in np.ndindex(k, k):
        if i == j:
            ax.add_patch(_rectangle(j - 0.5, i - 0.5, 1, 1, "#e8f1f7"))
        if counts[i, j]:
            ax.text(j, i, f"{counts[i, j]}", ha="center", va="center", fontsize=8, color=BLUE if i == j else INK)
    ax.set_xticks(range(k))
    ax.set_yticks(range(k))
    ax.set_xlabel("read as")
    ax.set_ylabel("label")
    ax.tick_params(length=0)
    ax.set_xticks(np.arange(k + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(k + 1) - 0.5, minor=True)
    ax.grid(which="minor", color="white", linewidth=1.5)
    ax.tick_params(which="minor", length=0)
    ax.spines[:].set_visible(False)
    return figure


def _rectangle(x: float, y: float, width: float, height: float, colour: str) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), width, height, facecolor=colour, edgecolor="none")


class Reading(NamedTuple):
    """One picture as a network reads it: the picture, its ten probabilities, its title, and the label where it is known."""

    picture: NDArray[Any]
    probabilities: NDArray[Any]
    title: str
    label: int | None = None


@_styled
def readings(all_readings: Sequence[Reading]) -> Figure:
    """Return pictures in a row each with its ten probabilities as bars; the label's bar is hatched, the answer's is dark."""
    figure = _new_figure(7.2, 2.05 * len(all_readings))
    axes = _subplots(figure, len(all_readings), 2, width_ratios=[1, 2.6])
    for (left, right), reading in zip(axes, all_readings, strict=True):
        _picture(left, reading.picture)
        left.set_title(reading.title, fontsize=9, loc="left")
        _bars(right, reading)
    return figure


def _bars(ax: Axes, reading: Reading) -> None:
    probabilities = np.asarray(reading.probabilities, float)
    best = int(probabilities.argmax())
    for digit, p in enumerate(probabilities):
        colour = GREEN if digit == reading.label else BLUE if digit == best else SKY
        ax.bar(digit, p, width=0.72, color=colour, hatch="///" if digit == reading.label else None, edgecolor="white", linewidth=0)
        if p >= 0.001 or digit == reading.label:
            ax.text(digit, p + 0.02, f"{p:.4f}" if p < 0.01 else f"{p:.3f}" if p < 0.9995 else f"{p:.4f}", ha="center", fontsize=7)
    ax.set_xticks(range(len(probabilities)))
    ax.set_ylim(0, 1.13)
    ax.set_yticks([0, 0.5, 1])
    ax.set_ylabel("probability")
    ax.tick_params(axis="x", length=0)
    if reading.label is not None:
        ax.get_xticklabels()[reading.label].set_fontweight("bold")


@_styled
def pictures(images: Sequence[NDArray[Any]], titles: Sequence[str], width: float = 7.2) -> Figure:
    """Return pictures of any size side by side, grey or RGB, each under its title, together `width` inches wide."""
    tallest = max(image.shape[0] / image.shape[1] for image in images)
    figure = _new_figure(width, width / len(images) * tallest + 0.25)
    for ax, image, title in zip(_subplots(figure, 1, len(images))[0], images, titles, strict=True):
        _picture(ax, image, title)
    return figure


class Layer(NamedTuple):
    """One layer of a diagram: its name, how many numbers it gives, what is noted below it, and its weights."""

    name: str
    size: int
    note: str = ""
    weights: int = 0


@_styled
def layers(stack: Sequence[Layer], picture: NDArray[Any] | None = None) -> Figure:
    """Return a diagram of layers from left to right; heights grow with the square root of the sizes.

    Args:
        stack: the layers, the input first.
        picture: a picture drawn before the input, uint8 of shape (28, 28).
    """
    figure = _new_figure(7.2, 3.0)
    ax = _subplots(figure, 1, 1)[0, 0]
    tallest = max(layer.size for layer in stack) ** 0.5
    half = [0.08 + 0.92 * layer.size**0.5 / tallest for layer in stack]
    for i, layer in enumerate(stack):
        if i:  # the fan between two layers: every number meets every neuron
            fan = [(i - 0.86, half[i - 1]), (i - 0.14, half[i]), (i - 0.14, -half[i]), (i - 0.86, -half[i - 1])]
            ax.fill(*zip(*fan, strict=True), color=PALE, alpha=0.6, linewidth=0)
            if layer.weights:
                ax.text(i - 0.5, 0, f"{layer.weights:,}\nweights", ha="center", va="center", fontsize=7.5, color=INK)
        ax.add_patch(_rectangle(i - 0.14, -half[i], 0.28, 2 * half[i], GREEN if i == len(stack) - 1 else BLUE if i else FAINT))
        ax.text(i, half[i] + 0.06, f"{layer.name}\n{layer.size}", ha="center", va="bottom", fontsize=8.5)
        ax.text(i, -half[i] - 0.06, layer.note, ha="center", va="top", fontsize=7.5, color=INK)
    if picture is not None:
        ax.imshow(picture, cmap="gray", extent=(-1.25, -0.45, -0.45, 0.45), aspect="auto", interpolation="nearest", vmin=0, vmax=255)
        ax.text(-0.85, 0.51, "28 × 28", ha="center", va="bottom", fontsize=8.5)
    if stack[-1].size == 10:
        for digit in range(10):
            ax.text(len(stack) - 0.6, 0.9 - 0.2 * digit, str(digit), ha="center", va="center", fontsize=8)
        ax.text(len(stack) - 0.6, 1.04, "probability\nof", ha="center", va="bottom", fontsize=7.5, color=INK)
    ax.set_xlim(-1.35 if picture is not None else -0.5, len(stack) - 0.3)
    ax.set_ylim(-1.4, 1.45)
    ax.set_axis_off()
    return figure


@_styled
def reliability(confidence: Sequence[float], right: Sequence[float], intervals: Sequence[tuple[float, float]]) -> Figure:
    """Return a reliability diagram: the mean confidence of each bin against the share that is right, with its interval.

    The axes are those of log-odds: most confidences lie near 1, and 0.99 differs from 0.999 as 0.9 does from 0.99. What lies beyond 0.9999
    stands at the edge.
    """
    figure = _new_figure(3.7, 3.6)
    ax = _subplots(figure, 1, 1)[0, 0]
    low = max(0.001, min([0.5, *confidence, *(interval[0] for interval in intervals)]) * 0.9)

    def odds(share: Any) -> Any:
        kept = np.clip(share, low, 0.9999)
        return np.log(kept / (1 - kept))

    ends = odds(np.array([0.0, 1.0]))
    ax.plot(ends, ends, color=FAINT, linewidth=0.8, linestyle="--")
    spread = np.abs(odds(np.array(intervals)).T - odds(np.array(right)))
    ax.errorbar(odds(confidence), odds(right), yerr=spread, fmt="o", color=BLUE, ecolor=SKY, markersize=4, elinewidth=1.2, clip_on=False)
    ticks = [tick for tick in (0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999) if tick >= low]
    ax.set_xticks(odds(ticks), [f"{tick:g}" for tick in ticks])
    ax.set_yticks(odds(ticks), [f"{tick:g}" for tick in ticks])
    ax.set_xlim(*ends)
    ax.set_ylim(*ends)
    ax.grid(color=PALE, linewidth=0.5)
    ax.set_xlabel("confidence")
    ax.set_ylabel("share that is right")
    return figure


@_styled
def risk_coverage(coverage: NDArray[np.float64], risk: NDArray[np.float64]) -> Figure:
    """Return the share of wrong answers against the share of pictures that are answered, the most confident first.

    The axis begins a little before the first mistake.
    """
    figure = _new_figure(3.7, 3.6)
    ax = _subplots(figure, 1, 1)[0, 0]
    ax.plot(coverage * 100, risk * 100, color=VERMILION, linewidth=1.4)
    first = float(coverage[risk > 0].min(initial=1.0)) if len(coverage) else 0.0
    ax.set_xlim(max(0.0, 100 - 140 * (1 - first) - 1), 100)
    ax.grid(color=PALE, linewidth=0.5)
    ax.set_ylim(0, max(0.01, float(risk.max(initial=0)) * 105))
    ax.set_xlabel("answered, %")
    ax.set_ylabel("wrong among them, %")
    return figure
