"""What every test stands on: no test reaches another machine, and none sees another's home or settings."""

import ipaddress
import os
import shutil
import sys
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).parent.parent
reached: list[str] = []  # every address outside this machine that was asked for, in this process


def is_here(host: object) -> bool:
    """Tell whether an address as `socket` takes it is on this machine."""
    host = host.decode(errors="replace") if isinstance(host, bytes) else host
    if host is None or host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(str(host).partition("%")[0]).is_loopback
    except ValueError:
        return False


def watch(event: str, arguments: tuple[object, ...]) -> None:
    """Stop a connection to another machine, and remember it: the code under test may swallow the exception."""
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        if not isinstance(address, tuple) or is_here(address[0]):  # a string is a socket file
            return
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        address = arguments[0]
        if is_here(address):
            return
    else:
        return
    reached.append(f"{event} {address}")
    raise ConnectionRefusedError(f"tests reach no other machine: {event} {address}")


sys.addaudithook(watch)

# how long an example takes says more about what else runs on this machine than about the code
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")


@pytest.fixture(scope="session", autouse=True)
def _settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Give the session a home of its own, which the processes that tests start inherit."""
    os.environ["HOME"] = os.environ["USERPROFILE"] = str(tmp_path_factory.mktemp("home"))
    os.environ["MPLBACKEND"] = "agg"
    os.environ["COLUMNS"] = "160"
    for name in ("KERAS_BACKEND", "FORCE_COLOR", "PYTHONWARNINGS"):
        os.environ.pop(name, None)


@pytest.fixture
def font(tmp_path: Path) -> Path:
    """The font that Pillow brings along, as a file."""
    from PIL import ImageFont

    file = tmp_path / "own.ttf"
    face = ImageFont.load_default(20)
    assert isinstance(face, ImageFont.FreeTypeFont)
    face.path.seek(0)  # type: ignore[union-attr]
    file.write_bytes(face.path.read())  # type: ignore[union-attr]
    return file


@pytest.fixture(autouse=True)
def _no_network() -> object:
    """Fail the test that asked for another machine."""
    reached.clear()
    yield
    assert not reached, f"this test asked for another machine: {reached}"


# The page is tried in a real browser; without one its tests are left out, which is said, and which CI does not put up with.
WITHOUT_BROWSER = "no chromium found: the tests of the page are left out; to have them, type: apt install chromium"
HAS_BROWSER = any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))
collect_ignore = (
    [] if HAS_BROWSER else [p.name for p in Path(__file__).parent.glob("test_*.py") if "\nfrom browser import" in p.read_text("utf-8")]
)


def pytest_configure() -> None:
    if not HAS_BROWSER and os.environ.get("CI") == "true":
        raise pytest.UsageError(WITHOUT_BROWSER)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not HAS_BROWSER:
        terminalreporter.write_line(WITHOUT_BROWSER)
