"""Who may come in: hosts by a list, no posts from other sites' pages, and a token where one is asked for (promise 15)."""

from collections.abc import Iterator

import pytest
from served import JPEG, Served, check_error, photo, serving

from inkdigits import Reader
from inkdigits.server import create_app
from inkdigits.server.gate import COOKIE

PHOTO = photo("7")
TOKEN = "abcd2345efgh"


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(create_app(Reader.load(), hosts=["127.0.0.1", "digits.example", "[::1]"])) as server:
        yield server


@pytest.fixture(scope="module")
def guarded() -> Iterator[Served]:
    with serving(create_app(Reader.load(), token=TOKEN)) as server:
        yield server


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8000", "DIGITS.example", "digits.example:80", "[::1]:9", "[::1]"])
def test_the_names_of_the_list_are_answered(served: Served, host: str) -> None:
    assert served.client.get("/livez", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost", "digits.example.evil.example", "127.0.0.1.evil.example", "[::2]", "127.0.0.2:8000"]
)
@pytest.mark.parametrize("path", ["/", "/v1/model", "/web/docs.js", "/livez", "/nothing"])
def test_other_names_are_refused_on_every_path(served: Served, host: str, path: str) -> None:
    check_error(served.client.get(path, headers={"Host": host}), 403, "refused")


@pytest.mark.parametrize(
    "host", ["", "a b", "127.0.0.1:", "127.0.0.1:port", "user@127.0.0.1", "127.0.0.1/x", "127.0.0.1,evil", "[::1", "ä"]
)
def test_what_is_no_name_is_refused(served: Served, host: str) -> None:
    answer = served.raw(b"GET /v1/model HTTP/1.1\r\nHost: " + host.encode() + b"\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400")
    assert b'{"error":' in answer


def test_no_name_at_all_is_refused(served: Served) -> None:
    assert served.raw(b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 400")


def test_any_name_where_any_is_allowed() -> None:
    with serving(create_app(Reader.load(), hosts=["*"])) as server:
        assert server.client.get("/v1/model", headers={"Host": "evil.example"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        *(
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
            {"Origin": "http://127.0.0.1:1"},
            {"Origin": "http://127.0.0.1.evil.example"},
        ),
        *({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "nonsense"}),
    ],
)
def test_posts_from_other_sites_are_refused(served: Served, headers: dict[str, str]) -> None:
    check_error(served.client.post("/v1/read", content=PHOTO, headers=JPEG | headers), 403, "refused")


def test_posts_from_our_page_and_from_programs_are_answered(served: Served) -> None:
    for headers in ({"Origin": served.url, "Sec-Fetch-Site": "same-origin"}, {}):
        assert served.client.post("/v1/read", content=PHOTO, headers=JPEG | headers).status_code == 200


def test_without_the_token_nothing_is_told(guarded: Served) -> None:
    for path in ("/", "/v1/model", "/docs", "/web/docs.js", "/metrics", "/?token=wrong", "/nothing"):
        check_error(guarded.client.get(path), 401, "refused")
    check_error(guarded.read(PHOTO), 401, "refused")
    assert guarded.client.get("/livez").status_code == guarded.client.get("/readyz").status_code == 200


def test_a_browser_without_the_token_is_asked_for_it(guarded: Served) -> None:
    asked = guarded.client.get("/", headers={"Accept": "text/html,*/*"})
    assert asked.status_code == 401
    assert 'name="token"' in asked.text


def test_the_token_in_the_address_becomes_a_cookie_and_leaves_the_address(guarded: Served) -> None:
    answer = guarded.client.get(f"/?token={TOKEN.upper()}&x=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?x=1")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie
    assert guarded.client.get("/v1/model", headers={"Cookie": f"{COOKIE}={TOKEN}"}).status_code == 200
    guarded.client.cookies.clear()


@pytest.mark.parametrize("headers", [{"Authorization": f"Bearer {TOKEN}"}, {"Cookie": f"other=1; {COOKIE}={TOKEN}"}])
def test_who_shows_the_token_is_let_in(guarded: Served, headers: dict[str, str]) -> None:
    assert guarded.client.post("/v1/read", content=PHOTO, headers=JPEG | headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer wrong"},
        {"Cookie": f"{COOKIE}="},
        {"Cookie": "\x7f=;;="},
        {"Cookie": f"{COOKIE}=ä"},
    ],
)
def test_who_shows_something_else_is_not(guarded: Served, headers: dict[str, str]) -> None:
    sent = {name: value.encode() for name, value in headers.items()}
    check_error(guarded.client.get("/v1/model", headers=sent), 401, "refused")
