"""`deploy/`: the service that is stopped has not failed, and the container is made of what it needs and of nothing else."""

import tomllib

from conftest import ROOT


def test_the_service_that_is_stopped_has_not_failed() -> None:
    """SIGTERM ends the command with 143 (see test_server_queue.py), which systemd would take for a failure."""
    assert "SuccessExitStatus=143" in (ROOT / "deploy" / "inkdigits.service").read_text("utf-8").splitlines()


def test_the_container_is_made_of_what_the_package_needs() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line and line[0] != "#"]
    assert lines[0] == "*"  # nothing, but what is named
    taken = {line[1:] for line in lines if line[0] == "!"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {project["project"]["readme"], *project["project"]["license-files"], *wheel["force-include"], "src"}
    assert taken == needed | {"pyproject.toml", "constraints.txt"}
    assert all((ROOT / name).exists() for name in taken)
    assert all(name.partition("/")[0] == "src" for name in wheel["packages"])
