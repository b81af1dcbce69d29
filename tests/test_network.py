"""The watch over the network: it sees what would leave this machine, and lets loopback be."""

import contextlib
import socket

import conftest
import pytest


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "203.0.113.9"])
def test_a_connection_to_another_machine_is_stopped_and_remembered(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as s, pytest.raises(ConnectionRefusedError, match="no other machine"):
        s.connect((host, 80))
    assert len(conftest.reached) == 1
    conftest.reached.clear()


def test_a_swallowed_look_up_is_remembered_too() -> None:
    with contextlib.suppress(OSError):
        socket.getaddrinfo("example.org", 443)
    assert conftest.reached == ["socket.getaddrinfo example.org"]
    conftest.reached.clear()


def test_loopback_and_socket_files_work(tmp_path: object) -> None:
    with socket.create_server(("localhost", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()
    assert conftest.reached == []
