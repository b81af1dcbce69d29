"""A page as it was read and its truth come in; counts come out: digits, lines, numbers, marks, and what was wrong without a word."""

from __future__ import annotations

from collections import Counter
from itertools import groupby

from .records import UNSURE, Digit, Number, Page

COUNTS = (
    *("pages", "digits", "digit_errors", "lines", "lines_right"),
    *("numbers", "numbers_right", "numbers_flagged", "numbers_wrong", "numbers_missed", "numbers_false"),
    *("marks", "marks_right", "marks_unsure", "marks_false", "silent_joins", "digits_read"),
)


def compare(read: Page, truth: Page) -> Counter[str]:
    """Return how a reading compares with the truth, a count for each of `COUNTS`.

    A number is right when its whole text is; flagged when something in it is `?`; missed when nothing was read where it stands; wrong
    otherwise, which is what a user would not notice. A silent join is two digits answered as neighbours where a mark stands between them.
    `digit_errors` is the edit distance over all digits of the page, best guesses counted where the reader abstains.
    """
    counts: Counter[str] = Counter(dict.fromkeys(COUNTS, 0))
    counts["pages"] = 1
    guessed, written = _lines(read), _lines(truth)
    counts["digits"] = sum(map(len, written))
    counts["digit_errors"] = edit_distance("".join(guessed), "".join(written))
    counts["lines"] = len(written)
    counts["lines_right"] = (Counter(guessed) & Counter(written)).total()
    counts["digits_read"] = sum(d.value is not None for n in read.numbers for d in n.digits)
    met: set[int] = set()
    for number in truth.numbers:
        counts += _compare_number(number, read, met)
    counts["numbers_false"] = sum(i not in met and UNSURE not in n.text for i, n in enumerate(read.numbers))
    return counts


def judge(read: Page, truth: Page) -> tuple[list[tuple[float, bool]], list[tuple[float, bool]]]:
    """Return (confidence, whether it is right) of each answered digit of a page, and of each number that is answered whole.

    A digit is right where the truth has the same digit in its place; a number, where its text is that of the one true number whose digits
    stand there.
    """
    digits: list[tuple[float, bool]] = []
    numbers: list[tuple[float, bool]] = []
    for number in read.numbers:
        places = [_place_of(d, truth) for d in number.digits]
        for d, place in zip(number.digits, places, strict=True):
            if d.value is not None:
                digits.append((d.confidence, place is not None and truth.numbers[place[0]].digits[place[1]].value == d.value))
        if UNSURE not in number.text:
            met = {place[0] for place in places if place}
            numbers.append((number.confidence, [truth.numbers[i].text for i in met] == [number.text]))
    return digits, numbers


def judge_by_text(read: Page, text: str) -> tuple[list[tuple[float, bool]], list[tuple[float, bool]]]:
    """Return what `judge` does, where only the text of the page is known: lines parted by `|`, numbers by spaces.

    What was read is laid beside the text so that as much as possible agrees; what does not agree is wrong.
    """
    digits = [d for n in read.numbers for d in n.digits if d.value is not None]
    numbers = [n for n in read.numbers if UNSURE not in n.text]
    of_digits = _agreeing([d.text for d in digits], [c for c in text if c in "0123456789?"])
    of_numbers = _agreeing([n.text for n in numbers], text.replace("|", " ").split())
    return (
        [(d.confidence, right) for d, right in zip(digits, of_digits, strict=True)],
        [(n.confidence, right) for n, right in zip(numbers, of_numbers, strict=True)],
    )


def _agreeing(read: list[str], written: list[str]) -> list[bool]:
    """Return for each thing that was read whether it agrees with what is written, both laid side by side with the fewest changes."""
    rows = [list(range(len(written) + 1))]
    for i, x in enumerate(read, 1):
        above, row = rows[-1], [i]
        for j, y in enumerate(written, 1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (x != y)))
        rows.append(row)
    agrees, i, j = [False] * len(read), len(read), len(written)
    while i and j:
        if rows[i][j] == rows[i - 1][j - 1] + (read[i - 1] != written[j - 1]):
            i, j = i - 1, j - 1
            agrees[i] = read[i] == written[j]
        elif rows[i][j] == rows[i - 1][j] + 1:
            i -= 1
        else:
            j -= 1
    return agrees


def edit_distance(a: str, b: str) -> int:
    """Return how many characters must be put in, left out or changed to make `b` of `a`."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (x != y))
    return row[-1]


def _lines(page: Page) -> list[str]:
    """Return the digits of each line, best guesses where the reader abstains."""
    return ["".join(str(d.alternatives[0][0]) for n in line for d in n.digits) for _, line in groupby(page.numbers, key=lambda n: n.line)]


def _compare_number(number: Number, read: Page, met: set[int]) -> Counter[str]:
    """Return the counts of one true number; the numbers read where it stands go to `met`."""
    places = [_place_of(digit, read) for digit in number.digits]
    found = {place[0] for place in places if place}
    met |= found
    counts = Counter(numbers=1, marks=len(number.marks))
    texts = [read.numbers[i].text for i in sorted(found)]
    flagged = any(UNSURE in text for text in texts)
    if texts == [number.text]:
        counts["numbers_right"] = 1
    else:
        counts["numbers_missed" if not texts else "numbers_flagged" if flagged else "numbers_wrong"] = 1
    if UNSURE in number.text:  # struck out: right is any `?` there, or nothing
        counts["numbers_right"], counts["numbers_flagged"], counts["numbers_wrong"] = int(flagged), 0, int(bool(texts) and not flagged)
    return counts + _compare_marks(number, places, read, found)


def _compare_marks(number: Number, places: list[tuple[int, int] | None], read: Page, found: set[int]) -> Counter[str]:
    counts: Counter[str] = Counter()
    rest = Counter((i, m.after_digit, m.mark) for i in found for m in read.numbers[i].marks)
    for after, mark, _ in number.marks:
        right = places[after] if after < len(places) else None
        left = places[after - 1] if after else None
        if not right or (after and not left):
            continue
        i, k = right
        if rest[i, k, mark]:
            rest[i, k, mark] -= 1
            counts["marks_right"] += 1
        elif left and left[0] == i and _is_joined(read.numbers[i], left[1], k):
            counts["silent_joins"] += 1
        elif UNSURE in read.numbers[i].text:
            counts["marks_unsure"] += 1
    counts["marks_false"] = rest.total()
    return counts


def _is_joined(number: Number, left: int, right: int) -> bool:
    """Tell whether two digits of a number stand side by side with nothing between them, and both are answered."""
    parted = any(left < m.after_digit <= right for m in number.marks)
    return not parted and all(d.value is not None for d in number.digits[left : right + 1])


def _place_of(digit: Digit, page: Page) -> tuple[int, int] | None:
    """Return the number and the place in it of the digit that was read where `digit` stands, None where there is none."""
    best, place = 0.2, None
    for i, number in enumerate(page.numbers):
        for k, other in enumerate(number.digits):
            overlap = _overlap(digit, other)
            if overlap > best:
                best, place = overlap, (i, k)
    return place


def _overlap(a: Digit, b: Digit) -> float:
    """Return the shared area of two digits' boxes as a share of what they cover together."""
    width = min(a.box.x + a.box.width, b.box.x + b.box.width) - max(a.box.x, b.box.x)
    height = min(a.box.y + a.box.height, b.box.y + b.box.height) - max(a.box.y, b.box.y)
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / (a.box.width * a.box.height + b.box.width * b.box.height - width * height)
