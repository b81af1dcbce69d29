"""The contrast of a page comes in; the same without the ruling of its paper comes out, strokes that cross it left whole.

The lines of ruled and squared paper are often as faint as the paper's grain, so no threshold finds them whole: they are sought by their
length. What is thin and level is marked, added up along every slope, and what runs through most of the page is a rule. It is then taken
away by its own profile, and what was written across it is filled in again.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]

SIDE = 720  # rules are sought on a picture of at most this side
BLOCK = 16  # pixels of that picture: a rule is straight for so long
AROUND = 4  # pixels: what is thinner may be a rule
STEEPEST = 0.1  # slope against the picture's edges, or against the way in which most rules of the page lean
COLUMNS, APART, MOST = 8, 2, 7  # how much a page leans is seen from strips so wide, in pixels, so many apart, moved by so many at most
RULED, DARKEST = 0.25, 0.05  # so alike must two such strips be, no pixel of theirs counting for more contrast
BENT, NEIGHBOURHOOD = 2.5, 13  # pixels by which rules stray from a straight line; strips that are bent alike
LEANING = 0.03  # slope: rules that lean less are sought along the edges
COVERED = 0.58  # share of the page's width that a rule runs through
LONG, SHORT, ALIKE = 0.4, 0.15, 5  # share of it that it runs on at least, and where there are so many of them alike
FILLED = 0.5  # share of a block that a rule fills
HIDDEN = 0.3  # contrast of a block that is a stroke
FAINTEST = 0.01  # contrast: a fainter rule does no harm
REACH = 5  # pixels of the small picture: how far from its straight line a rule is followed
USUAL = 0.6  # of all columns show less of a line than is usual
NEARER = 48  # pixels of the page for which a rule is straight
DARK, BARE = 0.2, 0.25  # contrast of a rule that is seen at every column; share of it that is none
UNBROKEN = 48  # columns in a row where a dark rule is seen: letters have gaps
STILL = 0.7  # share of what is before that, or behind, where it is seen: it goes on there, with gaps
DARKER = 1.5  # times as dark as what is taken away: ink that runs along the rule
SHARE = 1.35  # of the rule's own contrast is taken away: print is uneven


@dataclass(frozen=True)
class Rule:
    """A line that is nearly level: y at x = 0, and its slope, in pixels of the small picture."""

    y: float
    slope: float


def remove_ruling(contrast: Float, fewest: int = 1, *, leaning: bool = False) -> Float:
    """Return `contrast`, float32 of shape (height, width), 0 for paper, without long, thin, straight lines.

    They run along its edges, or lean against these by a slope of at most 0.4, all in much the same way. Fewer than `fewest` that run alike
    are none: on a small page one may be a stroke. With `leaning`, those along the edges stay.
    """
    scale = min(1.0, SIDE / max(contrast.shape))
    size = (max(1, round(contrast.shape[1] * scale)), max(1, round(contrast.shape[0] * scale)))
    if min(size) < 6 * BLOCK:
        return contrast
    small = contrast if scale == 1 else np.asarray(cv2.resize(contrast, size, interpolation=cv2.INTER_AREA))
    level = _paths(small, scale, contrast.shape[1], fewest, leaning)
    upright = _paths(np.ascontiguousarray(small.T), scale, contrast.shape[0], fewest, leaning)
    if not len(level) and not len(upright):
        return contrast
    wiped, reach = contrast.copy(), max(3, round(REACH / scale))
    for page, paths, others in ((wiped, level, upright), (wiped.T, upright, level)):
        xs = np.arange(page.shape[1])
        for path in paths:
            near = _nearer(page, path, scale)
            part = slice(None) if len(others) else _drawn(page, near, reach)  # squares end with the paper
            take_out(page, xs[part], near[part], reach, _crossings(path, others)[part])
    return wiped


def _paths(small: Float, scale: float, width: int, fewest: int, leaning: bool) -> Float:
    """Return where the nearly level rules of a page run, float32 of shape (rules, width): y at every column.

    They are sought in `small`, which is the page at `scale`.
    """
    thin = _thin(small)
    grain, lean = _grain(thin), _lean(thin)
    if lean.any():
        small = _straightened(small, lean)
        thin = _thin(small)
    rules = _find(thin, small, grain) if lean.any() or not leaning else []
    if len(rules) < fewest:
        return np.zeros((0, width), np.float32)
    means = _block_means(thin, thin.shape[1] // BLOCK)
    xs = np.arange(width) * scale
    moved = np.interp(xs, np.arange(len(lean)), lean) - max(float(lean.max()), 0.0)  # back to where the page leans
    return np.array([(_follow(means, rule)(xs) + moved + 0.5) / scale - 0.5 for rule in rules], np.float32).reshape(-1, width)


def _nearer(contrast: Float, path: Float, scale: float) -> Float:
    """Return the path of a rule as it is seen on the page itself, where it is known from a page at `scale` only."""
    far, width = round(1 / scale), len(path)
    blocks = width // NEARER
    if far < 2 or blocks < 2:
        return path
    steps = np.arange(-far, far + 1)[:, None]
    rows = np.clip(np.round(path).astype(int) + steps, 0, len(contrast) - 1)[:, : blocks * NEARER]
    seen = np.clip(contrast[rows, np.arange(blocks * NEARER)], 0, DARKEST).reshape(len(steps), blocks, NEARER).mean(2)
    offset = (seen - 0.1 * FAINTEST * np.abs(steps)).argmax(0) - far  # where nothing is seen, it stays
    return np.asarray(path + np.interp(np.arange(width), (np.arange(blocks) + 0.5) * NEARER, _running_median(offset, 1)), np.float32)


def _drawn(contrast: Float, path: Float, reach: int) -> slice:
    """Return the columns from a rule's beginning to its end: what is dark is seen to end, and words before it and behind it are none of it.

    What is seen within `reach` pixels of its path may be the rule.
    """
    rows = np.clip(np.round(path).astype(int) + np.arange(-reach, reach + 1)[:, None], 0, len(contrast) - 1)
    seen = contrast[rows, np.arange(len(path))].max(0)
    dark = float(np.median(seen))
    if dark < DARK:
        return slice(None)
    there = (seen > BARE * dark).astype(np.uint8)
    unbroken = np.flatnonzero(cv2.morphologyEx(there[None], cv2.MORPH_OPEN, np.ones((1, UNBROKEN), np.uint8))[0])
    if not unbroken.size:
        return slice(None)
    start, stop = int(unbroken[0]), int(unbroken[-1]) + 1
    return slice(start if there[:start].sum() < STILL * start else 0, stop if there[stop:].sum() < STILL * (len(there) - stop) else None)


def _crossings(path: Float, others: Float) -> NDArray[np.bool_]:
    """Return at which columns of a rule, y at each of them, one of the upright rules crosses it, x at every row."""
    crossed = np.zeros(len(path), bool)
    if len(others):
        middle = others[:, others.shape[1] // 2]
        for _ in range(2):  # nearer each time: they lean little
            rows = np.clip(path[np.clip(middle.astype(int), 0, len(path) - 1)].astype(int), 0, others.shape[1] - 1)
            middle = others[np.arange(len(others)), rows]
        crossed[middle[(middle >= 0) & (middle < len(path))].astype(int)] = True
    return crossed


def _lean(thin: Float) -> NDArray[np.float64]:
    """Return by how much most of a page's rules have risen or fallen at every column, all 0 where they hardly do or there are none.

    What is thin in one strip stands in the next but one, too, moved up or down: on ruled paper all of it by as much.
    """
    width, blocks = thin.shape[1], thin.shape[1] // COLUMNS
    strips = np.clip(thin[:, : blocks * COLUMNS], 0, DARKEST).reshape(len(thin), blocks, COLUMNS).mean(2)
    strips -= cv2.blur(strips, (1, 4 * AROUND - 1))
    moves = np.arange(-MOST, MOST + 1)
    padded = np.pad(strips[:, APART:], ((MOST, MOST), (0, 0)))
    pairs = np.array([np.einsum("ij,ij->j", strips[:, :-APART], padded[MOST + m : MOST + m + len(strips)]) for m in moves])
    alike = pairs.sum(1) / max(float(np.vdot(strips, strips)), 1e-9)
    best = int(alike[1:-1].argmax()) + 1
    if alike[best] < RULED:
        return np.zeros(width)
    xs = np.arange(width)
    near = np.maximum(alike[best - 1 : best + 2], 0)  # the rules lean by no whole pixel
    straight = float(near @ moves[best - 1 : best + 2] / near.sum()) / (APART * COLUMNS) * xs
    curve = _bent(pairs, moves, best, xs)
    if np.ptp(curve - straight) > BENT:
        return curve
    return np.asarray(straight) if abs(straight[-1]) > LEANING * width else np.zeros(width)


def _bent(pairs: NDArray[np.float64], moves: NDArray[np.int64], best: int, xs: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what `_lean` does where the paper bends: how far each strip's rules are moved in the next but one, added up along the page."""
    some = slice(max(0, best - 3), best + 4)
    weight = cv2.blur(np.maximum(pairs[some], 0), (NEIGHBOURHOOD, 1))
    weight = np.maximum(weight - weight.mean(0), 0) ** 2
    slope = (moves[some] @ weight) / np.maximum(weight.sum(0), 1e-12) / (APART * COLUMNS)
    at = (np.arange(pairs.shape[1]) + (APART + 1) / 2) * COLUMNS
    fitted = np.polynomial.Polynomial.fit(at, slope, 4, w=np.sqrt(weight.sum(0)) + 1e-9)
    steepest = MOST / (APART * COLUMNS)  # where nothing was seen, a curve may do anything
    return np.asarray(np.clip(fitted(xs), -steepest, steepest).cumsum())


def _straightened(small: Float, lean: NDArray[np.float64]) -> Float:
    """Return a page with its columns moved so that lines that run as `lean` are level; 0 beside it, which is said of what is no page."""
    height, width = small.shape
    moved = max(float(lean.max()), 0.0)  # none is moved out at the top
    rows = height + int(np.ceil(moved - min(float(lean.min()), 0.0)))
    xs = np.tile(np.arange(width, dtype=np.float32), (rows, 1))
    ys = np.arange(rows, dtype=np.float32)[:, None] + (lean - moved).astype(np.float32)
    return np.asarray(cv2.remap(small, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT), np.float32)


def _thin(small: Float) -> Float:
    """Return how much more contrast each pixel has than what lies above and below it."""
    padded = cv2.copyMakeBorder(small, AROUND, AROUND, 0, 0, cv2.BORDER_REPLICATE)
    above, below = padded[: -2 * AROUND], padded[2 * AROUND :]
    return np.asarray(small - np.maximum(above, below))


def _grain(thin: Float) -> float:
    """Return the deviation of what is thin by chance."""
    middle = float(np.median(thin[::3, ::3]))
    return 1.4826 * float(np.median(np.abs(thin[::3, ::3] - middle)))


def _find(thin: Float, small: Float, grain: float) -> list[Rule]:
    """Return the rules, the most complete first."""
    width = thin.shape[1]
    blocks = width // BLOCK
    marked = cv2.dilate((thin > max(FAINTEST, 0.9 * grain)).astype(np.uint8), np.ones((3, 1), np.uint8))
    filled = _block_means(marked, blocks) >= FILLED
    on_page = _block_means((small != 0).astype(np.uint8), blocks) > 0.5
    on_page &= filled | (_block_means(small, blocks) < HIDDEN)  # under a broad stroke nobody sees a rule
    if filled.sum() < COVERED * blocks:
        return []
    at = (np.arange(blocks) + 0.5) * BLOCK
    slopes = np.arange(-STEEPEST, STEEPEST, 1.5 / width)
    steps = np.round(slopes[:, None] * (at - width / 2)).astype(int)  # of shape (slopes, blocks): how far each block is moved up
    runs = _along(filled & on_page, steps)
    if runs.max() < COVERED * LONG * blocks:  # most pages are not ruled
        return []
    there = _along(on_page, steps)
    kept = _best(runs / np.maximum(there, LONG * blocks), slopes, width)
    if len(kept) < ALIKE:
        return kept
    usual = float(np.median([rule.slope for rule in kept]))
    # those that run as the others do may be shorter: in the page's corners
    shortest = np.where(np.abs(slopes - usual) < 0.2 * STEEPEST, SHORT, LONG) * blocks
    return _best(runs / np.maximum(there, shortest[:, None]), slopes, width)


def _best(covered: NDArray[np.floating], slopes: NDArray[np.floating], width: int) -> list[Rule]:
    """Return the rules, the most complete first, by how much of each line is covered: of shape (slopes, height)."""
    best = (covered >= COVERED) & (covered >= np.maximum(np.roll(covered, 1, axis=1), np.roll(covered, -1, axis=1)))
    found = [(float(covered[k, y]), Rule(float(y - slopes[k] * width / 2), float(slopes[k]))) for k, y in np.argwhere(best)]
    kept: list[tuple[float, Rule]] = []
    for share, rule in sorted(found, key=lambda f: -f[0]):
        y = rule.y + rule.slope * width / 2
        if all(abs(y - (k.y + k.slope * width / 2)) > 3.5 for _, k in kept):
            kept.append((share, rule))
    return [rule for _, rule in kept]


def _along(marked: NDArray[np.bool_], steps: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return how many blocks are marked along every slope from every row: (height, blocks), (slopes, blocks) → (slopes, height).

    There are at most SIDE / BLOCK of them, so that a byte holds it.
    """
    height, blocks = marked.shape
    farthest = int(np.abs(steps).max())
    padded = np.pad(marked.T.astype(np.uint8), ((0, 0), (farthest, farthest)))
    total = np.zeros((len(steps), height), np.uint8)
    for block in range(blocks):  # one moved copy of a whole column a slope, rather than one look-up a pixel
        total += np.lib.stride_tricks.sliding_window_view(padded[block], height)[steps[:, block] + farthest]
    return total


def _block_means(values: Float | NDArray[np.uint8], blocks: int) -> Float:
    """Return the mean over every `BLOCK` columns: (height, width) → (height, blocks)."""
    part = values[:, : blocks * BLOCK].astype(np.float32).reshape(len(values), blocks, BLOCK)
    return np.asarray(part @ np.full(BLOCK, 1 / BLOCK, np.float32))  # a fifth of the time that `mean` takes


def take_out(
    contrast: Float,
    xs: NDArray[np.int64],
    path: NDArray[np.floating],
    reach: int,
    crossed: NDArray[np.bool_] | None = None,
    alone: NDArray[np.bool_] | None = None,
) -> None:
    """Take one thin line out of `contrast`, by its own profile; what was written across it stays.

    Args:
        contrast: float32 of shape (height, width); it is changed.
        xs: the columns that the line runs through, of shape (n,).
        path: its y at each of them, to a pixel, of shape (n,).
        reach: pixels above and below, half of which hold the line.
        crossed: at which of them the middle of another line is that crosses it, of shape (n,).
        alone: at which of them nothing stands on it, of shape (n,): these tell its profile; None where most of them are such.
    """
    height = contrast.shape[0]
    inside = (path > -1) & (path < height)
    xs, path, crossed, alone = xs[inside], path[inside], *(None if at is None else at[inside] for at in (crossed, alone))
    steps = np.arange(-2 * reach, 2 * reach + 1)
    rows = np.round(path).astype(int) + steps[:, None]
    seen = (rows >= 0) & (rows < height)
    rows = np.clip(rows, 0, height - 1)
    band = contrast[rows, xs]  # of shape (4 · reach + 1, n): what lies about the line
    on_page = (band != 0).any(0)
    if on_page.sum() < 8:
        return
    telling = on_page if alone is None or (on_page & alone).sum() < 8 else on_page & alone
    profile = _usual(band[:, telling])
    profile = profile - np.percentile(profile, 25)
    middle = 2 * reach
    peak = middle - reach // 2 + int(profile[middle - reach // 2 : middle + reach // 2 + 1].argmax())
    if profile[peak] < FAINTEST:
        return
    low, high = _extent(profile, peak)
    if crossed is not None:
        crossed = cv2.dilate(crossed.astype(np.uint8)[None], np.ones((1, (high - low + 3) | 1), np.uint8))[0] > 0  # as broad as this one
    across = _crossing(band, low, high, 3 * float(profile[peak]) + 0.02, crossed)
    # the path is known to a pixel: each row gives what its neighbour may be, too
    widened = np.maximum(profile, np.maximum(np.roll(profile, 1), np.roll(profile, -1)))
    line = SHARE * np.maximum(widened[low : high + 1], 0)[:, None]
    if crossed is not None:  # beside its middle a line is pale, the one that crosses it is not
        line = np.where(crossed, np.maximum(line, profile[peak]), line)
    drawn = band[low : high + 1]
    darker = np.clip((drawn / np.maximum(line, 1e-6) - 1) / (DARKER - 1), 0, 1)  # what is much darker than the line is ink over it
    bare = np.where(drawn > 0, np.maximum(darker * drawn, np.minimum(across, drawn)), drawn)
    part = seen[low : high + 1]
    contrast[rows[low : high + 1][part], np.broadcast_to(xs, part.shape)[part]] = bare[part]


def _usual(rows: Float) -> Float:
    """Return what is usual in every row of a line, two fifths of which may be ink and more than half of which may be gone already."""
    return np.asarray(np.sort(rows, axis=1)[:, round(USUAL * (rows.shape[1] - 1))])


def _follow(means: Float, rule: Rule) -> _Path:
    """Return the rule as it really runs, by the means over every block: paper bends."""
    height, blocks = means.shape
    at = (np.arange(blocks) + 0.5) * BLOCK
    straight = rule.y + rule.slope * at
    rows = np.clip(np.round(straight).astype(int) + np.arange(-REACH, REACH + 1)[:, None], 0, height - 1)
    # what lies near the straight line is likelier the rule than what lies far from it
    near = means[rows, np.arange(blocks)] * (1 - 0.5 * (np.arange(-REACH, REACH + 1)[:, None] / (REACH + 1)) ** 2)
    offset = near.argmax(0) - REACH
    offset = np.where(near.max(0) > 0, offset, 0)
    smooth = cv2.blur(_running_median(offset, 3)[None], (3, 1))[0]
    return _Path(at.astype(np.float64), np.asarray(straight + smooth, np.float64), rule.slope)


def _running_median(values: NDArray[np.int64], reach: int) -> NDArray[np.float64]:
    """Return the median of each value and its neighbours, `reach` to either side, fewer at the ends."""
    padded = np.pad(values.astype(float), reach, constant_values=np.inf)
    near = np.sort(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1), axis=1)
    count = np.isfinite(near).sum(1)
    rows = np.arange(len(values))
    return np.asarray((near[rows, (count - 1) // 2] + near[rows, count // 2]) / 2)


@dataclass(frozen=True)
class _Path:
    """Where a rule runs: y at some x, straight between and beyond."""

    at: NDArray[np.float64]
    y: NDArray[np.float64]
    slope: float

    def __call__(self, x: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return y at each x."""
        beyond = self.slope * (np.minimum(x - self.at[0], 0) + np.maximum(x - self.at[-1], 0))
        return np.interp(x, self.at, self.y) + np.asarray(beyond, np.float64)


def _extent(profile: NDArray[np.floating], peak: int) -> tuple[int, int]:
    """Return the first and last row of the rule."""
    low = high = peak
    while low > 0 and profile[low - 1] > 0.2 * profile[peak] and profile[low - 1] <= profile[low] * 1.05:
        low -= 1
    while high < len(profile) - 1 and profile[high + 1] > 0.2 * profile[peak] and profile[high + 1] <= profile[high] * 1.05:
        high += 1
    return max(low - 1, 0), min(high + 1, len(profile) - 1)


def _crossing(band: Float, low: int, high: int, least: float, crossed: NDArray[np.bool_] | None) -> Float:
    """Return the contrast of what crosses the rule, of shape (width,); 0 where nothing does: ink stands above and below it.

    Where another rule crosses it (`crossed`), that is what goes on to the left or to the right of that, too.
    """
    thick = high - low + 1
    above = band[max(0, low - 2) : max(1, low)].max(0)
    below = band[min(high + 1, len(band) - 1) : high + 3].max(0)
    # a slanted stroke leaves the rule beside where it came in
    wide = np.ones((1, 2 * ((thick + 1) // 2) + 1), np.uint8)
    sides = []
    for side in (above, below):
        row = np.ascontiguousarray(side[None])
        if crossed is not None:
            beyond = np.ones((1, 2 * thick + 1), np.uint8)
            row = np.where(crossed, np.maximum(*(cv2.erode(row, beyond, anchor=(end, 0)) for end in (0, 2 * thick))), row)
        sides.append(cv2.dilate(row, wide)[0])
    both = np.minimum(*sides)
    least = min(least, 0.25)
    return np.where(both > least, both, 0).astype(np.float32)
