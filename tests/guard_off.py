"""A pytest plugin that switches one guard off: `GUARD_OFF` is JSON, an attribute's full name → the expression put in its place."""

import importlib
import json
import os


def pytest_configure() -> None:
    for target, expression in json.loads(os.environ["GUARD_OFF"]).items():
        path = target.split(".")
        depth = next(n for n in range(len(path) - 1, 0, -1) if _imports(".".join(path[:n])))
        owner = importlib.import_module(".".join(path[:depth]))
        for name in path[depth:-1]:
            owner = getattr(owner, name)
        getattr(owner, path[-1])  # a guard that was renamed is an error, not a guard that is off
        setattr(owner, path[-1], eval(expression))


def _imports(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        return False
    return True
