"""guards.toml: every guard is proved by a test that fails without it; every limit and every error class has a guard (promise 24)."""

import ast
import dataclasses
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from inkdigits import Limits, errors
from inkdigits.limits import ServerLimits

HERE = Path(__file__).parent
TABLE: dict[str, Any] = tomllib.loads((HERE / "guards.toml").read_text())
GUARDS: list[dict[str, Any]] = TABLE["guard"]
PASSED, FAILED = 0, 1  # pytest's exit codes; anything else means that the test did not run


def wanted() -> set[str]:
    """Every limit and every error class, by the names that guards.toml gives them."""
    classes = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, errors.InkdigitsError)]
    ceilings = {f"{name}.{f.name}" for name, c in (("limits", Limits), ("server", ServerLimits)) for f in dataclasses.fields(c)}
    return ceilings | {f"errors.{c.__name__}" for c in classes}


def test_every_limit_and_every_error_class_is_guarded_or_has_a_reason() -> None:
    proved = {name for guard in GUARDS for name in guard["proves"]}
    later = set(TABLE["later"])
    assert wanted() - proved - later == set()
    assert (proved | later) - wanted() == set()
    assert proved & later == set()  # what is proved needs no reason
    assert all(len(reason) > 10 for reason in TABLE["later"].values())


@pytest.mark.parametrize("guard", GUARDS, ids=lambda g: g["name"])
def test_a_guard_names_a_test_that_exists(guard: dict[str, Any]) -> None:
    file, _, name = guard["test"].partition("::")
    functions = {node.name for node in ast.walk(ast.parse((HERE.parent / file).read_text())) if isinstance(node, ast.FunctionDef)}
    assert not name or name.partition("[")[0] in functions
    assert guard["off"]


def test_guards_have_names_of_their_own() -> None:
    names = [guard["name"] for guard in GUARDS]
    assert len(set(names)) == len(names)


def run(off: dict[str, str], *tests: str) -> subprocess.CompletedProcess[str]:
    """Run the tests in a process of their own, with these attributes replaced."""
    setting = {"GUARD_OFF": json.dumps(off), "PYTHONPATH": os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))}
    command = [sys.executable, "-m", "pytest", "-p", "guard_off", "-p", "no:cacheprovider", "-x", "-q", *tests]
    return subprocess.run(command, cwd=HERE.parent, env=os.environ | setting, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.stress
@pytest.mark.parametrize("guard", GUARDS, ids=lambda g: g["name"])
def test_without_the_guard_its_test_fails(guard: dict[str, Any]) -> None:
    without = run(guard["off"], guard["test"])
    assert without.returncode == FAILED, without.stdout[-2000:] + without.stderr[-2000:]


@pytest.mark.stress
def test_with_every_guard_on_all_these_tests_pass() -> None:
    done = run({}, *dict.fromkeys(guard["test"] for guard in GUARDS))
    assert done.returncode == PASSED, done.stdout[-2000:]


def test_the_plugin_fails_a_guard_that_is_no_more() -> None:
    done = run({"inkdigits.source.no_such_guard": "None"}, "tests/test_limits.py")
    assert done.returncode not in (PASSED, FAILED)
    assert "no_such_guard" in done.stderr
