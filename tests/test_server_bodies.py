"""Bodies and patience have an end: large, false and endless bodies, and clients that are slow to send or to take (promises 11, 12)."""

import socket
import time
from collections.abc import Iterator

import pytest
from served import JPEG, Served, check_error, photo, serving, until_closed

from inkdigits.limits import ServerLimits
from inkdigits.server.deadlines import LINGER_SECONDS

PHOTO = photo("7")
LIMITS = ServerLimits(max_body=300_000, max_json=10_000, max_seconds=1.0, max_connections=40, max_waiting=2, max_reading=1)
HEAD = b"POST /v1/read HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/jpeg\r\n"


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(limits=LIMITS) as server:
        yield server


def test_a_body_up_to_the_limit_is_taken(served: Served) -> None:
    assert served.read(PHOTO + bytes(LIMITS.max_body - len(PHOTO))).status_code == 200
    check_error(served.read(PHOTO + bytes(LIMITS.max_body - len(PHOTO) + 1)), 413, "too_large")


def test_json_has_a_limit_of_its_own(served: Served) -> None:
    answer = served.client.post("/v1/classify", content=b" " * 10_001, headers={"Content-Type": "application/json"})
    check_error(answer, 413, "too_large")


def test_a_length_above_the_limit_is_refused_before_the_body_is_sent(served: Served) -> None:
    with served.connect() as s:
        s.sendall(HEAD + b"Content-Length: 1073741824\r\nExpect: 100-continue\r\n\r\n")
        s.settimeout(5)
        assert s.recv(100).startswith(b"HTTP/1.1 413")


def chunked(size: int, times: int) -> Iterator[bytes]:
    yield from (bytes(size) for _ in range(times))


def test_a_body_without_a_length_is_cut_at_the_limit(served: Served) -> None:
    check_error(served.client.post("/v1/read", content=chunked(50_000, 7), headers=JPEG), 413, "too_large")


def sent_before_the_server_hung_up(s: socket.socket, head: bytes, piece: bytes, most: int) -> int:
    sent = 0
    s.settimeout(20)
    try:
        s.sendall(head)
        while sent < most:
            s.sendall(piece)
            sent += len(piece)
    except OSError:
        pass
    return sent


GIGABYTE = 2**30
LENGTHS = {
    "true": (b"Content-Length: %d\r\n\r\n" % GIGABYTE, bytes(2**20)),
    "chunked": (b"Transfer-Encoding: chunked\r\n\r\n", b"100000\r\n" + bytes(2**20) + b"\r\n"),
    "false": (b"Content-Length: 100\r\n\r\n", bytes(2**20)),
    "none": (b"\r\n", bytes(2**20)),
}


@pytest.mark.parametrize("kind", LENGTHS)
def test_a_gigabyte_is_cut_off(served: Served, kind: str) -> None:
    head, piece = LENGTHS[kind]
    with served.connect() as s:
        assert sent_before_the_server_hung_up(s, HEAD + head, piece, GIGABYTE) < 128 * 2**20
    assert served.client.get("/livez").status_code == 200


def test_a_body_shorter_than_its_length_is_given_up(served: Served) -> None:
    start = time.monotonic()
    answer = served.raw(HEAD + b"Content-Length: 1000\r\n\r\n" + PHOTO[:500])
    assert answer.startswith(b"HTTP/1.1 408")
    assert b'"timeout"' in answer
    assert time.monotonic() - start < 4


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        *((b"", b""), (b"GET / HT", b"HTTP/1.1 408"), (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"HTTP/1.1 408")),
        *(
            (HEAD + b"Content-Length: 9999\r\n\r\n", b"HTTP/1.1 408"),
            (HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", b"HTTP/1.1 408"),
        ),
    ],
)
def test_who_does_not_go_on_is_closed_in_time(served: Served, sent: bytes, answered: bytes) -> None:
    start = time.monotonic()
    answer = served.raw(sent)
    assert 0.5 < time.monotonic() - start < 4
    assert answer.startswith(answered)
    assert bool(answered) == bool(answer)


def test_a_byte_now_and_then_does_not_buy_time(served: Served) -> None:
    start = time.monotonic()
    with served.connect() as s:
        s.settimeout(0.1)
        for letter in b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 30:
            try:
                s.sendall(bytes([letter]))
                if not s.recv(1000):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
    assert time.monotonic() - start < 4


def test_the_second_request_of_a_connection_has_its_own_time(served: Served) -> None:
    request = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with served.connect() as s:
        s.settimeout(5)
        for _ in range(4):  # together longer than the limit
            s.sendall(request)
            got = b""
            while not got.endswith(b"}"):  # head and body may come apart
                got += s.recv(1000)
            assert got.startswith(b"HTTP/1.1 200")
            time.sleep(0.4)
        s.sendall(request[:20])
        start = time.monotonic()
        assert until_closed(s).startswith(b"HTTP/1.1 408")
        assert time.monotonic() - start < 4


def test_what_is_no_http_is_refused_in_our_shape(served: Served) -> None:
    for nonsense in (b"\x16\x03\x01\x02\x00\x01", b"HELLO\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"G" * 70_000):
        answer = served.raw(nonsense)
        assert answer.startswith(b"HTTP/1.1 400")
        assert b'{"error": {"code": "usage"' in answer


def test_more_connections_than_may_be_are_told_to_come_back(served: Served) -> None:
    held = [served.connect() for _ in range(LIMITS.max_connections)]
    try:
        assert served.raw(b"").startswith(b"HTTP/1.1 503")
    finally:
        for s in held:
            s.close()
    time.sleep(0.2)
    assert served.client.get("/livez").status_code == 200


def test_bodies_together_have_a_limit(served: Served) -> None:
    room = (LIMITS.max_reading + LIMITS.max_waiting) * LIMITS.max_body
    held = []
    try:
        for _ in range(room // 290_000):  # together nearly all the room
            s = served.connect()
            s.sendall(HEAD + b"Content-Length: 299000\r\n\r\n" + bytes(290_000))
            held.append(s)
        time.sleep(0.3)
        answer = served.read(bytes(250_000))
        check_error(answer, 503, "busy")
        assert answer.headers["retry-after"]
    finally:
        for s in held:
            s.close()
    time.sleep(0.2)
    assert served.read(PHOTO).status_code == 200


def test_who_was_answered_early_and_sent_all_the_same_may_ask_again_later() -> None:
    wrong = HEAD.replace(b"image/jpeg", b"text/html") + b"Content-Length: 4\r\n\r\n"
    with serving() as server, server.connect() as s:
        s.settimeout(5)
        s.sendall(wrong)
        assert s.recv(65536).startswith(b"HTTP/1.1 415")  # before it saw the body
        s.sendall(b"body")
        time.sleep(LINGER_SECONDS + 0.5)
        s.sendall(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        assert b"HTTP/1.1 200" in until_closed(s)
