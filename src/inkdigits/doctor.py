"""Nothing comes in; a diagnosis comes out: what is installed, whether what we ship is whole, and what to type for what is missing."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import re
from importlib import metadata, resources
from importlib.resources.abc import Traversable
from typing import Any

from . import mnist
from .errors import InkdigitsError, install_hint, one_line
from .files import sha256

PACKAGE = "inkdigits"
DEVELOPMENT = "dev"  # the extra of those who work on the package
DEFAULT_BACKEND = "jax"
BACKENDS = ("jax", "tensorflow", "torch")


def diagnose() -> dict[str, Any]:
    """Return what `inkdigits doctor --json` prints; JSON-safe.

    Keys: `version`, `python`, `platform`, `cores`, `ok` (what is needed to read a picture is here and whole), `packages` (name → version or
    null), `extras` (name → `installed`, `packages`, `missing`, `type`: the command that installs what is missing, or null), `backend`
    (`name`, `chosen_by`, `installed`), `mnist`: `ok`, `detail`, `weights`: the same for each name, `fonts`: the same.
    """
    wanted = requirements()
    packages = {name: installed_version(name) for name in sorted({n for names in wanted.values() for n in names}, key=str.lower)}
    extras = {extra: _extra(extra, names, packages) for extra, names in wanted.items()}
    embedded, weights = check_mnist(), check_weights()
    return {
        "version": metadata.version(PACKAGE),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "cores": count_cores(),
        "ok": extras["base"]["installed"] and embedded["ok"] and bool(weights) and all(w["ok"] for w in weights.values()),
        "packages": packages,
        "extras": extras,
        "backend": find_backend(),
        "mnist": embedded,
        "weights": weights,
        "fonts": {"ok": True, "detail": "none needed"},
    }


def requirements() -> dict[str, list[str]]:
    """Return the packages that each extra needs, extras within extras followed; `base` is what is always needed.

    Source: the installed package's own metadata, so that `pyproject.toml` stays the one place where they are written.
    """
    stated: dict[str, list[str]] = {"base": []}
    for line in metadata.requires(PACKAGE) or []:
        extra = re.search(r"""extra\s*==\s*['"]([\w-]+)""", line)
        name = re.match(r"[\w.-]+(\[[\w,\s-]+\])?", line)
        if name:
            stated.setdefault(extra[1] if extra else "base", []).append(name[0])
    needed = {extra: sorted(_followed(extra, stated), key=str.lower) for extra in stated}
    # small extras first: those that hold others then show only what they add
    return {extra: needed[extra] for extra in sorted(needed, key=lambda extra: (extra != "base", len(needed[extra])))}


def _followed(extra: str, stated: dict[str, list[str]]) -> set[str]:
    found: set[str] = set()
    for name in stated.get(extra, []):
        inner = re.fullmatch(rf"{PACKAGE}\[(.+)\]", name)
        found |= {n for e in inner[1].split(",") for n in _followed(e.strip(), stated)} if inner else {name.partition("[")[0]}
    return found


def installed_version(name: str) -> str | None:
    """Return the version of an installed package, None when it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _extra(extra: str, names: list[str], packages: dict[str, str | None]) -> dict[str, Any]:
    missing = [name for name in names if packages[name] is None]
    what = PACKAGE if extra == "base" else f'"{PACKAGE}[{extra}]"'
    return {"installed": not missing, "packages": names, "missing": missing, "type": f"pip install {what}" if missing else None}


def find_backend() -> dict[str, Any]:
    """Return which Keras backend training will use, who chose it, and whether it is installed; Keras itself is not imported."""
    chosen, by = os.environ.get("KERAS_BACKEND"), "KERAS_BACKEND"
    if not chosen:
        chosen, by = DEFAULT_BACKEND, "default"
    return {"name": chosen, "chosen_by": by, "installed": chosen in BACKENDS and _is_importable(chosen)}


def _is_importable(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):  # half an installation
        return False


def count_cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check_mnist() -> dict[str, Any]:
    """Return whether the embedded data set is whole: its checksum and its shapes."""
    try:
        (x_train, _), (x_test, _) = mnist.load_data()
    except (InkdigitsError, OSError) as error:
        return {"ok": False, "detail": str(error)}
    return {"ok": True, "detail": f"{len(x_train)} training and {len(x_test)} test pictures, sha256 {mnist.SHA256[:12]}…"}


def check_weights(folder: Traversable | None = None) -> dict[str, dict[str, Any]]:
    """Return whether each set of weights in `folder`, by default those that came with the package, is what its `.json` says."""
    folder = folder or resources.files(PACKAGE) / "weights"
    names = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
    return {name.removesuffix(".json"): _check_one(folder, name) for name in names if name.endswith(".json")}


def _check_one(folder: Traversable, card: str) -> dict[str, Any]:
    try:
        stated = json.loads((folder / card).read_text("utf-8"))["sha256"]
        data = (folder / card.replace(".json", ".onnx")).read_bytes()
    except (OSError, ValueError, KeyError, TypeError) as error:
        return {"ok": False, "detail": f"{one_line(error)}; install {PACKAGE} again"}
    if sha256(data) != stated:
        return {"ok": False, "detail": f"expected sha256 {str(stated)[:12]}…, found {sha256(data)[:12]}…; install {PACKAGE} again"}
    return {"ok": True, "detail": f"{len(data):,} bytes, sha256 {stated[:12]}…"}


def describe(diagnosis: dict[str, Any]) -> str:
    """Return a diagnosis as text for a person: a line a thing, and what to type where something is missing."""
    d = diagnosis
    cores = f"{d['cores']} core{'s' * (d['cores'] != 1)}"
    lines = [f"{PACKAGE} {d['version']} · Python {d['python']} · {d['platform']} · {cores}", ""]
    told: set[str] = set()
    for extra, state in d["extras"].items():
        if extra == DEVELOPMENT and not state["installed"]:
            continue  # nobody who uses the package misses it
        names = state["missing"] or [name for name in state["packages"] if name not in told]
        told |= set(state["packages"])
        what = ", ".join(f"{name} {d['packages'][name] or ''}".strip() for name in names) or "nothing more than the above"
        lines.append(_row(extra, "ok" if state["installed"] else "missing", what))
        lines += [_row("", "", f"type: {state['type'] if extra == 'base' else install_hint(extra)}")] if state["type"] else []
    backend = d["backend"]
    why = "chosen by KERAS_BACKEND" if backend["chosen_by"] == "KERAS_BACKEND" else "ours when KERAS_BACKEND chooses none"
    lines += ["", _row("backend", "ok" if backend["installed"] else "missing", f"{backend['name']} ({why})")]
    lines.append(_row("MNIST", _word(d["mnist"]), d["mnist"]["detail"]))
    lines += [_row("weights", _word(state), f"{name}: {state['detail']}") for name, state in d["weights"].items()]
    lines += [] if d["weights"] else [_row("weights", "missing", f"none came with this package; install {PACKAGE} again")]
    lines.append(_row("fonts", "ok", d["fonts"]["detail"]))
    return "\n".join(lines)


def _word(state: dict[str, Any]) -> str:
    return "ok" if state["ok"] else "damaged"


def _row(*cells: str) -> str:
    return "{:10}{:9}{}".format(*cells).rstrip()
