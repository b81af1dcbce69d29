"""Whatever goes wrong comes in; `{"error": {"code", "detail"}}` with its status comes out: one shape for all errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from ..errors import InkdigitsError, one_line

CODES = {
    401: "refused",
    403: "refused",
    404: "not_found",
    408: "timeout",
    413: "too_large",
    415: "unsupported",
    500: "internal",
    503: "busy",
}
RETRY_AFTER = "1"  # seconds


def error_response(status: int, code: str, detail: object, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return the answer that tells of one error."""
    more = dict(headers or {}) | ({"Retry-After": RETRY_AFTER} if status == 503 else {})
    return JSONResponse({"error": {"code": code, "detail": one_line(detail)}}, status, more)


def unexpected() -> JSONResponse:
    """Return the answer to what nobody foresaw."""
    return error_response(500, code_of(500), "something unexpected went wrong here; the server's log tells where")


def code_of(status: int) -> str:
    """Return the code of an error that has a status only."""
    return CODES.get(status, "usage")


def add_handlers(app: FastAPI) -> None:
    """Have every error of `app` answered in the one shape, FastAPI's own included."""
    app.add_exception_handler(InkdigitsError, _ours)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)


async def _ours(_: Request, error: Any) -> JSONResponse:
    return error_response(error.status, error.code, error)


async def _http(_: Request, error: Any) -> JSONResponse:
    return error_response(error.status_code, code_of(error.status_code), error.detail, error.headers)


async def _invalid(_: Request, error: Any) -> JSONResponse:
    first = error.errors()[0]
    where = " ".join(str(part) for part in first["loc"] if part != "query")
    return error_response(422, "usage", f"{where}: {first['msg']}")
