"""What a benchmark's last line says comes in; the figures of the scoreboard come out, each with n and interval where they are known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from inkdigits.measures import wilson

Figure = dict[str, Any]  # value, and where they are known n and interval


def of_evaluation(told: dict[str, Any]) -> Iterator[tuple[str, Figure]]:
    n = told["n"]
    yield "accuracy", {"value": told["accuracy"], "n": n, "interval": told["interval"]}
    if told.get("corrected"):
        yield (
            "accuracy with wrong labels put right",
            {k: told["corrected"][k] for k in ("n", "interval")} | {"value": told["accuracy_corrected"]},
        )
    for key, name in (
        ("ece", "ECE"),
        ("smooth_ece", "smooth ECE"),
        ("nll", "NLL"),
        ("brier", "Brier score"),
        ("auroc", "AUROC of mistakes"),
    ):
        yield name, {"value": told[key], "n": n, "interval": told["intervals"][key]}
    for key, name in (("nll", "NLL"), ("brier", "Brier score")):
        yield f"{name}, were all answers equally sure", {"value": told["constant"][key], "n": n}
        yield f"{name}, uncalibrated softmax", {"value": told["uncalibrated"][key], "n": n}


def of_strangers(told: dict[str, Any]) -> Iterator[tuple[str, Figure]]:
    for key, name in (("clothes", "clothes"), ("letters", "letters"), ("noise", "blank and noise"), ("all", "all strangers")):
        if key in told:
            yield f"AUROC, {name}", {"value": told[key]["auroc"], "n": told["digits"] + told[key]["n"], "interval": told[key]["interval"]}
    corrected = told["mistakes_corrected"]
    yield (
        "AUROC of mistakes, wrong labels put right",
        {"value": corrected["auroc"], "n": told["digits"] - 5, "interval": corrected["interval"]},
    )


def share(count: int, n: int) -> Figure:
    return {"value": count / n, "n": n, "interval": list(wilson(count, n))}


def of_promises(told: dict[str, Any]) -> Iterator[tuple[str, Figure]]:
    for name, model in told.items():
        for rate, kept in model["promises"].items():
            yield f"`{name}` answered, of what may be {rate} wrong", share(kept["n"], model["n"])
            bound = {"interval": [0.0, kept["at_most"]]}
            yield f"`{name}` wrong, of what may be {rate} wrong", share(kept["wrong"], kept["n"]) | bound
        yield f"`{name}` wrong, of the surest 99 %", share(model["wrong_of_the_surest"], model["surest"])


def of_singles(told: dict[str, Any]) -> Iterator[tuple[str, Figure]]:
    yield from of_evaluation(told["reader"])
    yield from of_promises(told)


def of_court(told: dict[str, Any]) -> Iterator[tuple[str, Figure]]:
    for who in ("reader", "reader and the learners"):
        for k, (wrong, _) in zip(told["at"], told.get(who, []), strict=False):
            yield f"recall of known wrong labels among the first {k}, {who}", share(wrong, 10)
    if "planted" in told:
        planted = told["planted"]
        yield f"recall of planted labels among the first {planted['among']}", share(planted["found"], planted["n"])


def of_corruptions(told: dict[str, Any]) -> Iterator[tuple[str, Figure]]:
    for name, network in told["networks"].items():
        yield f"accuracy of `{name}`, mean of fifteen", {"value": network["mean"], "n": 15 * told["n"]}
        yield f"accuracy of `{name}`, the worst ({network['worst_of']})", {"value": network["worst"], "n": told["n"]}
        yield f"accuracy of `{name}`, not spoilt", {"value": network["untouched"], "n": told["n"]}
    yield "accuracy of `read --single`, mean of fifteen", {"value": told["read"], "n": 15 * told["each"]}


def of_speed(told: dict[str, Any]) -> Iterator[tuple[str, Figure]]:
    names = {
        "one_glyph_ms": "one glyph, ms (p50)",
        "glyphs_per_second": "glyphs a second",
        "import_s": "import inkdigits, s",
        "first_answer_s": "first answer of the command line, s",
        "times_quicker_one": "times quicker than Keras, one glyph",
        "times_quicker_many": "times quicker than Keras, many glyphs",
        "load_average": "other programs running meanwhile (load average)",
    }
    yield from ((name, {"value": told[key]}) for key, name in names.items() if key in told)


def of_lesson(told: dict[str, Any]) -> Iterator[tuple[str, Figure]]:
    for name, run in told["runs"].items():
        yield f"test accuracy, {name}, mean of seeds", {"value": run["mean_accuracy"], "n": 10_000 * len(run["accuracies"])}
        yield f"seconds, {name}, the whole process", {"value": min(run["seconds"])}


def of_pages(told: dict[str, Any]) -> Iterator[tuple[str, Figure]]:
    for row in told["rows"]:
        c, of = Counter(row["counts"]), f"{row['level']}, {KINDS_OF_PAGES[row['kind']]}"
        if c["digits"]:
            yield f"share of digits right, {of}", share(max(0, c["digits"] - c["digit_errors"]), c["digits"])
            yield f"share of lines right, {of}", share(c["lines_right"], c["lines"])
            yield f"share of numbers wrong without a ?, {of}", share(c["numbers_wrong"], c["numbers"])
            yield f"share of numbers with a ?, {of}", share(c["numbers_flagged"], c["numbers"])
        if c["marks"]:
            yield f"digits joined over a mark without a ?, {of}", {"value": c["silent_joins"], "n": c["marks"]}
        if not c["digits"]:
            yield f"false numbers, {of}", {"value": c["numbers_false"], "n": c["pages"]}


KINDS_OF_PAGES = {"whole": "whole numbers", "marks": "numbers with marks", "none": "pages without a number"}


def of_labelled_pages(told: dict[str, Any]) -> Iterator[tuple[str, Figure]]:
    for what in ("digits", "lines", "pages"):
        yield f"share of {what} right", share(told[f"{what}_right"], told[what])
    for name, source in told["sheets"].items():
        yield f"share of digits right, sheets of one digit, {name}", share(source["digits_right"], source["digits"])


def of_office(told: dict[str, Any]) -> Iterator[tuple[str, Figure]]:
    for key, name in (("as_it_is", "as it is"), ("told_four", "told that each photo holds four")):
        run = told[key]
        yield f"share of numbers wrong that nobody is asked to look at, {name}", share(run["unflagged_wrong"], run["numbers"])
        yield f"share of rows to be checked, {name}", share(run["flagged"], run["rows"])
    yield "seconds for all photos", {"value": told["as_it_is"]["seconds"], "n": told["photos"]}


def of_drift(told: dict[str, Any]) -> Iterator[tuple[str, Figure]]:
    for name, row in told["rows"].items():
        yield f"share of orders in which it is said, {name}", share(row["said"], row["orders"])


def of_page_speed(told: dict[str, Any]) -> Iterator[tuple[str, Figure]]:
    for row in told["cases"]:
        yield f"seconds, {row['case']}", {"value": row["seconds"]}
        yield f"times as long as decoding it, {row['case']}", {"value": row["times_decoding"]}
        yield f"most memory, MB, {row['case']}", {"value": row["peak_MB"]}


def of_server(told: dict[str, Any]) -> Iterator[tuple[str, Figure]]:
    for clients in (1, 4, 16):
        yield f"a photo of 2 megapixels to {clients} clients, ms (p50)", {"value": told[f"read_{clients}_p50_ms"]}
        yield f"photos of 2 megapixels a second to {clients} clients", {"value": told[f"read_{clients}_per_second"]}
    yield "as many photos a second as the library alone", {"value": told["read_per_library"]}
    yield "wrong answers under four times the load", {"value": told["overload_wrong"]}
    yield "other programs running meanwhile (load average)", {"value": told["load_average"]}


def of_bulk(told: dict[str, Any]) -> Iterator[tuple[str, Figure]]:
    for size in [name for name in told if name.endswith(" MP")]:
        one, two = (told[size][workers] for workers in ("one_worker", "two_workers"))
        yield (
            f"pages a second, {size}, two workers, with their start",
            {"value": told[size]["pages"] / two["seconds"], "n": told[size]["pages"]},
        )
        yield f"times as quick as one worker, {size}, with their start", {"value": one["seconds"] / two["seconds"]}
    yield "processor time of a page, times that of a plain loop", {"value": told["overhead"]["ratio"]}
    yield "Ray once running, times as long as local", {"value": told["ray"]["ratio"]}
    few, many = (told["memory"][str(count)]["command_mb"] for count in told["memory"]["files"])
    yield f"more memory for {told['memory']['files'][1]:,} files than for {told['memory']['files'][0]:,}, MB", {"value": many - few}
    yield f"seconds to plan {told['planning']['files']:,} files", {"value": told["planning"]["seconds"]}
