"""A `Reader` comes in; an ASGI application comes out: the page at `/`, the API under `/v1`, its description at `/docs`."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import FileResponse
from starlette.routing import Match
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from .. import __version__
from ..classify import MAPS
from ..errors import Busy, Refused, UsageError
from ..limits import Limits, ServerLimits
from ..reader import Reader
from . import schema
from .answers import add_handlers
from .bodies import Bodies
from .collecting import MAX_BODY, Collector
from .gate import LOOPBACK, Gate
from .jobs import Answer
from .queue import Desk, Queue, ThreadDesk
from .watching import Metrics, Watch

WEB = Path(__file__).parent.parent / "web"
KINDS = ("jpeg", "png", "webp", "bmp", "tiff", "heic")
PICTURE = {"requestBody": {"required": True, "content": {f"image/{k}": {"schema": {"type": "string", "format": "binary"}} for k in KINDS}}}
CSV, XLSX = "text/csv; charset=utf-8", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
READING: list[str | Enum] = ["reading"]
WATCHING: list[str | Enum] = ["the server itself"]
TABLES: dict[str, Any] = {CSV: {}, XLSX: {}}
ERRORS: dict[int | str, dict[str, Any]] = {"4XX": {"model": schema.ErrorAnswer}, "5XX": {"model": schema.ErrorAnswer}}

# FastAPI would tell OpenTelemetry of each request wherever the environment asks for it
SILENT: Any = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}

Single = Annotated[bool, Query(description="the picture holds one digit")]
Threshold = Annotated[float | None, Query(ge=0, le=1, allow_inf_nan=False, description="confidence below which a digit is ?")]
Crops = Annotated[bool, Query(description="answer with the numbers cut out of the picture, too, for a spreadsheet")]
Rotate = Annotated[Literal["auto", "0", "90", "180", "270"], Query(description="clockwise turn before reading")]


class Route(APIRoute):
    """A route that answers HEAD as it answers GET; the server leaves the body out. The API's description keeps to GET."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Tell whether a request is for this route."""
        return super().matches(_as_get(scope))

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await super().handle(_as_get(scope), receive, send)


def create_app(
    reader: Reader,
    limits: ServerLimits | None = None,
    *,
    hosts: Iterable[str] = LOOPBACK,
    token: str | None = None,
    collect: str | Path | None = None,
    desks: Sequence[Desk] | None = None,
) -> FastAPI:
    """Return the application, to be run by any ASGI server or mounted in another application.

    Args:
        reader: what reads; its own limits hold for every picture.
        limits: ceilings for bodies, queue and time; None takes the defaults.
        hosts: names the server answers to (see `gate.Gate`); "*" is any.
        token: what clients must show; None asks for nothing.
        collect: folder for corrected digits; None keeps nothing.
        desks: where reading is done; None takes threads of this process, `limits.max_reading` of them.
    """
    limits = limits or ServerLimits()
    queue = Queue(desks or [ThreadDesk(reader)] * limits.max_reading, limits)
    keeping = None if collect is None else Queue([Collector(collect, limits.max_collected)], limits)
    metrics = Metrics(queue, reader.promises)

    @contextlib.asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        yield
        for one in filter(None, (queue, keeping)):
            one.close()

    app = FastAPI(
        title="inkdigits",
        version=__version__,
        description="Handwritten digits in, numbers out. No picture leaves the machine that serves this.",
        telemetry=SILENT,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=living,
        dependencies=[Depends(_no_other_parameters)],
        middleware=[Middleware(Watch, metrics=metrics), Middleware(Gate, hosts=tuple(hosts), token=token)],
    )
    app.router.route_class = Route
    add_handlers(app)
    _add_page(app)
    _add_reading(app, queue, Bodies(limits, len(queue.desks)), limits, metrics)
    _add_collecting(app, keeping, Bodies(limits, 1))
    _add_health(app, reader, queue, metrics, limits, collect is not None)
    return app


def _add_reading(app: FastAPI, queue: Queue, bodies: Bodies, limits: ServerLimits, metrics: Metrics) -> None:
    async def answered(request: Request, job: str, most: int, **options: Any) -> Response:
        queue.check()
        async with bodies.receive(request, most) as data:
            answer: Answer = await queue.do(job, data, options)
        metrics.digits.inc(answer.digits)
        metrics.unsure.inc(answer.unsure)
        if job == "read":  # what is looked at was read before
            metrics.compare(answer.signs, options["single"])
        return Response(answer.body, media_type="application/json")

    @app.post("/v1/read", tags=READING, response_model=schema.ReadAnswer, responses=ERRORS, openapi_extra=PICTURE)
    async def read(
        request: Request, single: Single = False, threshold: Threshold = None, rotate: Rotate = "auto", crops: Crops = False
    ) -> Response:
        """Read the picture that is the body: exactly what `Page.to_dict()` says of it."""
        _check_type(request, "image/", "the picture itself, with a Content-Type such as image/jpeg")
        return await answered(request, "read", limits.max_body, single=single, threshold=threshold, rotate=rotate, crops=crops)

    @app.post("/v1/look", tags=READING, response_model=schema.LookAnswer, responses=ERRORS, openapi_extra=PICTURE)
    async def look(
        request: Request, single: Single = False, threshold: Threshold = None, rotate: Rotate = "auto", crops: Crops = False
    ) -> Response:
        """Read the picture that is the body, and tell for every digit what the network saw and looked at."""
        _check_type(request, "image/", "the picture itself, with a Content-Type such as image/jpeg")
        return await answered(request, "look", limits.max_body, single=single, threshold=threshold, rotate=rotate, crops=crops)

    @app.post(
        "/v1/classify", tags=READING, response_model=schema.ClassifyAnswer, responses=ERRORS, openapi_extra=_json(schema.ClassifyRequest)
    )
    async def classify(request: Request) -> Response:
        """Classify glyphs: one digit each, 28 × 28, ink bright on black."""
        _check_type(request, "application/json", "JSON, with Content-Type application/json")
        return await answered(request, "classify", limits.max_json)

    @app.post(
        "/v1/table",
        tags=READING,
        response_class=Response,
        responses=ERRORS | {200: {"content": TABLES}},
        openapi_extra=_json(schema.TableRequest),
    )
    async def table(request: Request, form: Annotated[Literal["csv", "xlsx"], Query(alias="format")] = "csv") -> Response:
        """Write pages, as `/v1/read` answers them, as one table: a row a number, what should be looked at marked."""
        _check_type(request, "application/json", "JSON, with Content-Type application/json")
        async with bodies.receive(request, limits.max_json) as data:
            answer: Answer = await queue.do("table", data, {"form": form})
        return Response(answer.body, media_type=CSV if form == "csv" else XLSX)


def _add_collecting(app: FastAPI, keeping: Queue | None, bodies: Bodies) -> None:
    @app.post(
        "/v1/corrections", status_code=201, response_model=schema.Health, responses=ERRORS, openapi_extra=_json(schema.CorrectionRequest)
    )
    async def correct(request: Request) -> Response:
        """Keep a glyph with the digit it shows, to learn from; only where the server was started with `--collect`."""
        if keeping is None:
            raise Refused("corrections are not kept here; `inkdigits serve --collect DIR` keeps them")
        _check_type(request, "application/json", "JSON, with Content-Type application/json")
        keeping.check()
        async with bodies.receive(request, MAX_BODY) as data:
            answer: Answer = await keeping.do("keep", data)
        return Response(answer.body, 201, media_type="application/json")


def _add_health(app: FastAPI, reader: Reader, queue: Queue, metrics: Metrics, limits: ServerLimits, collects: bool) -> None:
    @app.get("/v1/model", tags=WATCHING, response_model=schema.ModelAnswer, responses=ERRORS)
    async def model() -> dict[str, Any]:
        """Tell what reads here, and within which limits."""
        classifier = reader.classifier
        return {
            "name": str(classifier.meta.get("name")),
            "version": __version__,
            "classes": classifier.classes,
            "threshold": classifier.threshold,
            "explains": classifier.has_output(MAPS) and classifier.kernel is not None,
            "collects": collects,
            "limits": _told(reader.limits, limits),
        }

    @app.get("/livez", tags=WATCHING, response_model=schema.Health)
    async def livez() -> dict[str, str]:
        """Answer, as long as the process lives."""
        return {"status": "ok"}

    @app.get("/readyz", tags=WATCHING, response_model=schema.Health, responses=ERRORS)
    async def readyz() -> dict[str, str]:
        """Answer once pictures can be read."""
        if not queue.is_ready:
            raise Busy("what reads is not loaded yet; try again in a second")
        return {"status": "ok"}

    @app.get("/metrics", tags=WATCHING, response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def tell_metrics() -> Response:
        """Counters for Prometheus."""
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _add_page(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(WEB / "index.html", headers={"Cache-Control": "no-cache"})

    @app.get("/docs", include_in_schema=False)
    async def docs() -> FileResponse:
        return FileResponse(WEB / "docs.html", headers={"Cache-Control": "no-cache"})

    app.mount("/web", StaticFiles(directory=WEB))


def _told(limits: Limits, server: ServerLimits) -> dict[str, int | float]:
    return {
        "max_body": min(server.max_body, limits.max_bytes),
        "max_json": server.max_json,
        "max_pixels": limits.max_pixels,
        "max_side": limits.max_side,
        "max_seconds": server.max_seconds,
    }


def _as_get(scope: Scope) -> Scope:
    return {**scope, "method": "GET"} if scope.get("method") == "HEAD" else scope


def _json(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    whole = _inlined(schema, schema.pop("$defs", {}))
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": whole}}}}


def _inlined(part: Any, definitions: dict[str, Any]) -> Any:
    """Return a part of a schema with what it refers to in its place: OpenAPI keeps definitions elsewhere than JSON Schema does."""
    if isinstance(part, list):
        return [_inlined(item, definitions) for item in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _inlined(definitions[part["$ref"].rpartition("/")[2]], definitions)
    return {key: _inlined(value, definitions) for key, value in part.items()}


async def _no_other_parameters(request: Request) -> None:
    """Refuse what a route of the API does not know: `?treshold=0.9` would change nothing, and nobody would be told."""
    route = request.scope["route"]
    known = [field.alias for field in route.dependant.query_params]
    unknown = [name for name in request.query_params if name not in (*known, "token")]  # that one is the gate's
    if unknown and route.path.startswith("/v1/"):
        raise UsageError(f"{unknown[0]}: there is no such parameter, expected {', '.join(known) or 'none'}")


def _check_type(request: Request, wanted: str, told: str) -> None:
    found = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not found.startswith(wanted):
        raise HTTPException(415, f"expected {told}; got {found or 'no Content-Type'}")
