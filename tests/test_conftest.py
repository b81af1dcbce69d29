"""Without a browser the tests of the page are left out and it is said how to get one; CI does not put up with it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import conftest


def tried(ci: str, place: Path) -> subprocess.CompletedProcess[str]:
    """What pytest says of two tests, one of the page, where no program is to be found."""
    shutil.copy(conftest.__file__, place)
    test = "\ndef test() -> None: pass\n"
    (place / "test_page.py").write_text(f"\nfrom browser import browsing\n{test}")
    (place / "test_other.py").write_text(test)
    setting = {name: value for name, value in os.environ.items() if name != "CI"} | {"PATH": str(place)} | ({"CI": ci} if ci else {})
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q"], cwd=place, env=setting, capture_output=True, text=True, timeout=60, check=False
    )


def test_without_a_browser_the_page_is_left_out_and_it_is_said_how_to_get_one(tmp_path: Path) -> None:
    done = tried("", tmp_path)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
    assert "apt install chromium" in done.stdout


def test_ci_wants_a_browser(tmp_path: Path) -> None:
    done = tried("true", tmp_path)
    assert done.returncode not in (0, 5)
    assert "apt install chromium" in done.stderr
