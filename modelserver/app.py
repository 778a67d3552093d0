"""The HTTP side: endpoints, exception handlers, routes, lifespan, `create_app`.

An endpoint decides nothing: it takes its parts from the request, calls the core and wraps the
result in a response. Paths also work with a trailing slash. They do not redirect, since Starlette
redirects to an absolute URL, and only the proxy knows the right one.
"""

import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from time import perf_counter as clock
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request as HTTPRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from modelserver.answering.encoding import encode_json
from modelserver.answering.formats import chosen
from modelserver.describing.description import base_description
from modelserver.errors import ApiError, BadRequest, ModelFailed, RoutingFailed
from modelserver.hosting.authentication import KeyCheck
from modelserver.hosting.bodies import Bodies, TooLarge
from modelserver.hosting.log import SafeStream, configure_logging
from modelserver.hosting.memory import FreeMemory
from modelserver.hosting.settings import Settings
from modelserver.large_requests import answer_in_chunks
from modelserver.lifecycle import Lifecycle
from modelserver.middleware import (
    RequestTrace,
    error_response,
    log_cause,
    release_frames,
    trace_of,
)
from modelserver.pages import site
from modelserver.pages.conditional import conditional
from modelserver.pages.static import load_assets
from modelserver.protocols.table import PROTOCOLS
from modelserver.reading.formats import JSON
from modelserver.reading.media import check_origin
from modelserver.reading.query import read_query
from modelserver.scoring.batching import score_together
from modelserver.scoring.mlflow_internals import installed_version
from modelserver.scoring.model import Model
from modelserver.scoring.request import Request, Scored, Work, headers_of, server_timing
from modelserver.scoring.scheduling.placement import Caller
from modelserver.scoring.scheduling.workers import Workers
from modelserver.service import Service, service_of
from modelserver.states import Ready, now

logger = logging.getLogger(__name__)

MLFLOW_VERSION: Final = installed_version()

YAML: Final = "application/yaml"

REVALIDATED: Final = {"Cache-Control": "no-cache"}
"""A client may cache the answer but must revalidate it: after a restart the model may be
another."""


class Invocations:
    """The endpoint that predicts. It is an ASGI app and no function, since Starlette wraps
    functions in one more layer, which a small request would notice. `answer` makes another
    protocol's answer of MLflow's; `refused` is the status for input that the model does not
    take."""

    def __init__(
        self, answer: Callable[[bytes], bytes] | None = None, refused: int = BadRequest.status
    ) -> None:
        self._answer = answer
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request. Raises `ApiError` if the request cannot be read or scored, or if there
        is no model or no free worker; and `ClientDisconnect`."""
        try:
            await self._answered(scope, receive, send)
        except BadRequest as fault:
            fault.status = self._refused
            raise

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reads a request, waits for the model, has the request scored and sends the answer."""
        start = clock()
        request = HTTPRequest(scope, receive)
        service, header = service_of(request), request.headers.get
        settings, content_type = service.settings, header("content-type")
        check_origin(header("origin"), content_type)
        query = read_query(scope["query_string"])
        quoted = settings.csv_quote_formulas == "on"
        answer = chosen(query.format, header("accept"), quoted)
        try:
            body = await service.bodies.read(request.headers, receive)
        except TooLarge as fault:
            await answer_in_chunks(request, query, answer, fault, send)
            return
        received = clock()
        try:
            sent = Request(
                body,
                content_type,
                header("content-encoding"),
                settings.max_request_bytes,
                answer,
                query.include,
            )
            model, scored = await self._scored(service, sent, query.method, scope.get("client"))
        finally:
            service.bodies.release(body)
        trace_of(request).rows = scored.rows
        content = scored.body if self._answer is None else self._answer(scored.body)
        timing = server_timing(received - start, clock() - received, scored.times)
        headers = headers_of(answer, len(content), timing, model)
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def _scored(
        self, service: Service, sent: Request, method: str, caller: Caller
    ) -> tuple[Model, Scored]:
        """The model, once there is one, asked by this method, and its answer. Raises `ApiError`."""
        model = (await service.lifecycle.ready_model()).asked(method)
        join = score_together if model.row_wise else None
        timeout = service.settings.request_timeout
        work = Work(model, sent)
        return model, await service.workers.run(work, timeout, sent.is_small, join, caller)


async def ping(request: HTTPRequest) -> Response:
    """Readiness as MLflow's server answers it: a newline, or 503 until the model is ready."""
    state = service_of(request).lifecycle.state
    if not isinstance(state, Ready):
        raise state.unavailable()
    return Response(b"\n", media_type=JSON)


async def health(request: HTTPRequest) -> Response:
    """Readiness with all details; 503 until the model is ready."""
    state = service_of(request).lifecycle.state
    uptime = round((now() - STARTED).total_seconds(), 1)
    report = state.report() | {
        "mlflow_version": MLFLOW_VERSION,
        "uptime_seconds": uptime,
        "lost_log_writes": SafeStream.lost,
    }
    if isinstance(state, Ready):
        report |= state.model.identity()
    status = 200 if isinstance(state, Ready) else 503
    return Response(encode_json(report), status, REVALIDATED, media_type=JSON)


async def version(request: HTTPRequest) -> Response:
    """MLflow's version as plain text, as MLflow's server answers it."""
    return Response(MLFLOW_VERSION, media_type=JSON)


async def model_metadata(request: HTTPRequest) -> Response:
    """What is known of the model: signature, params, tags, description."""
    model = await service_of(request).lifecycle.ready_model()
    return Response(encode_json(model.details()), headers=REVALIDATED, media_type=JSON)


async def openapi_json(request: HTTPRequest) -> Response:
    """The OpenAPI document; while there is no model, the base document."""
    description = await service_of(request).lifecycle.described()
    return conditional(request, description.json, JSON, REVALIDATED)


async def openapi_yaml(request: HTTPRequest) -> Response:
    """The same document as YAML (media type: RFC 9512)."""
    description = await service_of(request).lifecycle.described()
    return conditional(request, description.yaml, YAML, REVALIDATED)


def showing(part: Callable[[Mapping[str, Any]], Any]) -> Callable[..., Any]:
    """An endpoint of another protocol, which shows a part of the model's OpenAPI document."""

    async def shown(request: HTTPRequest) -> Response:
        lifecycle = service_of(request).lifecycle
        await lifecycle.ready_model()
        value = part(lifecycle.description.document)
        return Response(encode_json(value), headers=REVALIDATED, media_type=JSON)

    return shown


async def on_api_error(request: HTTPRequest, error: Exception) -> Response:
    """Answers an `ApiError` as JSON. If the model or the server failed, the log gets the
    traceback."""
    assert isinstance(error, ApiError)
    trace = trace_of(request)
    if isinstance(error.__cause__, ModelFailed) or (error.status >= 500 and error.__cause__):
        log_cause(trace, error)
    release_frames(error)
    return error_response(error, trace)


async def on_http_error(request: HTTPRequest, error: Exception) -> Response:
    """Answers Starlette's 404 and 405 in the same shape."""
    assert isinstance(error, HTTPException)
    text = f"{error.detail}. There are: {', '.join(PATHS)}"
    if error.status_code == 405:
        text = f"this path takes {(error.headers or {}).get('Allow')}, not {request.method}"
    fault = RoutingFailed(error.status_code, text, error.headers)
    return error_response(fault, trace_of(request))


def _routes() -> list[BaseRoute]:
    # The most used first, since Starlette tries them in this order.
    table: list[tuple[str, Any, str]] = [
        ("/invocations", Invocations(), "POST"),
        ("/ping", ping, "GET"),
        ("/health", health, "GET"),
        ("/version", version, "GET"),
        ("/metadata", model_metadata, "GET"),
        ("/openapi.json", openapi_json, "GET"),
        ("/openapi.yaml", openapi_yaml, "GET"),
    ]
    for protocol in PROTOCOLS:
        for path, answer in protocol.predicting.items():
            table.append((path, Invocations(answer, protocol.refused), "POST"))
        for path, part in protocol.showing.items():
            table.append((path, showing(part), "GET"))
    slashed = [(f"{path}/", endpoint, method) for path, endpoint, method in table]
    return [Route(path, endpoint, methods=[method]) for path, endpoint, method in table + slashed]


STARTED: Final = now()
ROUTES: Final = [*_routes(), *site.ROUTES]
PATHS: Final = [
    route.path
    for route in ROUTES
    if isinstance(route, Route) and not route.path.endswith(("/", "}"))
]


def create_app(settings: Settings) -> Starlette:
    """The ASGI app for one model. Raises `BaseError` if the base document cannot be used."""
    configure_logging(settings.log_level, settings.secrets)
    for name in settings.quoted:
        logger.warning("%s: the quotes around its value were taken off", name)
    load_assets()  # cached now, so that no request has to wait for it
    workers = Workers(settings.predict_workers, settings.max_queue)
    lifecycle = Lifecycle(settings, base_description())
    bodies = Bodies(
        settings.max_request_bytes,
        settings.max_held_bytes,
        settings.read_timeout,
        freed=FreeMemory().after_body,
    )
    service = Service(settings, lifecycle, workers, bodies)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        service.lifecycle.start()
        yield
        await service.lifecycle.stop()
        workers.close()

    app = Starlette(
        routes=ROUTES,
        middleware=[Middleware(RequestTrace, KeyCheck(settings.api_key))],
        exception_handlers={ApiError: on_api_error, HTTPException: on_http_error},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.service = service
    return app
