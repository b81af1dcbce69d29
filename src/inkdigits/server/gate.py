"""Requests come in; those for another host, from another site or without the token go no further, the rest get safe headers."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .answers import error_response

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
ANY = "*"
HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?")
COOKIE = "inkdigits"
READS_ONLY = ("GET", "HEAD", "OPTIONS")
OPEN = ("/livez", "/readyz")  # what watches the server needs no token

# nothing from elsewhere, no scripts or styles but files of ours, no page of others may hold ours
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
SAFE_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Gate:
    """ASGI middleware that lets in who may come in."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str] = LOOPBACK, token: str | None = None) -> None:
        """Guard `app`.

        Args:
            app: what is guarded.
            hosts: names and addresses the server answers to; "*" is any. Others may be a page elsewhere whose name was pointed at this
                machine (DNS rebinding).
            token: what a client must show, as `?token=`, cookie or bearer; None asks for nothing.
        """
        self.app = app
        self._hosts = {host.lower() for host in hosts}
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer here, or pass the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = self._refusal(scope) or self._asks_for_token(scope)
        await (answer or self.app)(scope, receive, _with_safe_headers(send))

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        named = HOST.fullmatch(host)
        if named is None:
            return error_response(400, "usage", "the request has no valid Host header")
        if ANY not in self._hosts and named[1].lower() not in self._hosts:
            return error_response(403, "refused", f"this server does not answer to the name {named[1]!r}; --allow-host lets it")
        if scope["method"] not in READS_ONLY and _is_from_elsewhere(headers, host):
            return error_response(403, "refused", "posts from the pages of other sites are refused")
        return None

    def _asks_for_token(self, scope: Scope) -> Response | None:
        """Return what to answer a client that has not shown the token in its cookie or as a bearer."""
        if self._token is None or scope["path"].removeprefix(scope.get("root_path", "")) in OPEN:
            return None
        headers = Headers(scope=scope)
        if self._is_token(_cookie(headers)) or self._is_token(headers.get("authorization", "").removeprefix("Bearer ")):
            return None
        query = parse_qs(scope["query_string"].decode("latin-1"))
        if scope["method"] == "GET" and self._is_token(query.pop("token", [""])[0].strip().lower()):
            # into a cookie, and out of the address, which is kept in histories
            rest = urlencode(query, doseq=True)
            answer = RedirectResponse(scope["path"] + ("?" + rest if rest else ""), 303)
            answer.set_cookie(COOKIE, self._token, httponly=True, samesite="strict")
            return answer
        if scope["method"] == "GET" and "text/html" in headers.get("accept", ""):
            return Response(ASK, 401, media_type="text/html; charset=utf-8")
        return error_response(
            401, "refused", "this server asks for the token that it printed when it started", {"WWW-Authenticate": "Bearer"}
        )

    def _is_token(self, shown: str) -> bool:
        return hmac.compare_digest(shown.encode(), (self._token or "").encode())


ASK = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>inkdigits</title>
<main><h1>inkdigits</h1><form method="get"><p><label>The token that was printed where this server was started:
<input name="token" autocomplete="off" autocapitalize="off" spellcheck="false" required></label>
<button>Go</button></p></form></main></html>"""


def _is_from_elsewhere(headers: Headers, host: str) -> bool:
    """Whether a browser says that the page which asks is not ours; programs other than browsers say nothing."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc.lower() != host.lower()


def _cookie(headers: Headers) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def _with_safe_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers: Any = MutableHeaders(scope=message)
            for name, value in SAFE_HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
