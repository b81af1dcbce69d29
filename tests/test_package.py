"""The package as a whole: quick and quiet to import, whole without its extras, and its modules stand where the layers say."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from conftest import ROOT

import inkdigits

EXTRAS = "keras jax tensorflow torch matplotlib jinja2 sklearn onnx jupyterlab fastapi ray pillow_heif pypdfium2".split()  # noqa: SIM905
EXTRAS += ["starlette", "uvicorn", "prometheus_client", "segno", "pyarrow"]

# as if they were not installed: nothing is found under these names
BLOCK = f"""
import sys
from importlib.machinery import PathFinder
found = PathFinder.find_spec
PathFinder.find_spec = staticmethod(lambda name, *more: None if name.partition(".")[0] in {EXTRAS} else found(name, *more))
"""


def python(code: str, *arguments: object) -> str:
    """Return what a fresh Python prints."""
    done = subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_changes_nothing_in_the_process() -> None:
    code = """
import json, locale, logging, os, random, signal, socket, sys, threading, warnings
import numpy as np, PIL  # theirs is theirs; what is compared is what we change
def state():
    return {
        "environment": dict(os.environ), "folder": os.getcwd(), "path": list(sys.path),
        "hooks": [str(sys.excepthook), str(sys.displayhook)],
        "warnings": [str(f) for f in warnings.filters], "showwarning": str(warnings.showwarning), "random": str(random.getstate()),
        "loggers": [str(h) for h in logging.getLogger().handlers] + [logging.getLogger().level], "threads": threading.active_count(),
        "signals": [str(signal.getsignal(s)) for s in sorted(signal.valid_signals())], "locale": locale.setlocale(locale.LC_ALL),
        "errors": np.geterr(), "print": str(np.get_printoptions()), "numpy": str(np.random.get_state()),
        "timeout": socket.getdefaulttimeout(),
        "umask": [os.umask(0o22), os.umask(0o22)],
    }
before = state(); import inkdigits; after = state()
print(json.dumps([k for k in before if before[k] != after[k]]))
"""
    assert json.loads(python(code)) == []


def test_importing_is_quick() -> None:
    # the processor's time, which on a quiet machine is the clock's: other programs may be busy here
    code = "import time; start = time.process_time(); import inkdigits; print(time.process_time() - start)"
    assert min(float(python(code)) for _ in range(5)) <= 0.15


@pytest.mark.parametrize("module", ["inkdigits", "inkdigits.cli"])
def test_nothing_heavy_is_loaded_before_it_is_needed(module: str) -> None:
    loaded = python(f"import sys, {module}; print(*sys.modules)").split()
    assert not {*EXTRAS, "onnxruntime", "cv2", "scipy", "pandas"} & set(loaded)


def test_the_base_loads_mnist_and_reads_a_picture_without_any_extra(tmp_path: Path) -> None:
    code = BLOCK + (
        "import inkdigits, inkdigits.cli\n"
        "(x, y), (x_test, _) = inkdigits.mnist.load_data(); print(x.shape[0], y[200])\n"
        "print(inkdigits.read(255 - x_test[0], single=True, threshold=0).text)\n"
        "print(inkdigits.cli.run(['sample', '--text', '20', '--out', sys.argv[1]]), inkdigits.cli.run(['read', sys.argv[1]]))\n"
        "print(inkdigits.cli.run(['train', '--out', sys.argv[1] + '.run']), inkdigits.cli.run(['doctor']))\n"
        "print('serve', inkdigits.cli.run(['serve']))\n"
        "print('bulk', inkdigits.cli.run(['bulk', '.', '--out', sys.argv[1] + '.results']))\n"
    )
    lines = python(code, tmp_path / "page.jpg").splitlines()
    assert lines[:2] == ["60000 1", "7"]
    assert "0 0" in lines
    assert "4 0" in lines and "serve 4" in lines and "bulk 4" in lines  # what is not installed is exit code 4
    assert not (tmp_path / "page.jpg.run").exists()


def test_every_public_name_is_there() -> None:
    assert {*inkdigits.__all__} <= {*python("import inkdigits; print(*dir(inkdigits))").split()}  # before any was asked for
    assert all(hasattr(inkdigits, name) for name in inkdigits.__all__)
    assert len(set(inkdigits.__all__)) == len(inkdigits.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        inkdigits.nonsense  # noqa: B018


def test_the_version_is_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == inkdigits.__version__
    newest = re.search(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert newest and newest[1] == inkdigits.__version__


def test_what_the_extras_need_is_pinned_and_no_index_is_named() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [line for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)
    pinned = {re.sub(r"[-_.]+", "-", line.partition("==")[0]).lower() for line in lines}
    stated = [*project["dependencies"], *(r for extra in project["optional-dependencies"].values() for r in extra)]
    names = {re.match(r"[\w-]+", r)[0].lower() for r in stated} - {"inkdigits"}  # type: ignore[index]
    assert names <= pinned
    assert not pinned & {"torch", "tensorflow"}
