"""The HTTP side: endpoints, exception handlers, routes, lifespan, `create_app`.

Endpoints translate and decide nothing: request in, core called, response out. Paths also work with
a trailing slash, without a redirect, which would need an absolute URL that only the proxy knows.
"""

import contextlib
import logging
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path
from runpy import run_path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request as HTTPRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from modelserver.answering.encoding import encode_json
from modelserver.describing.description import Description, base_description
from modelserver.errors import ROUTING_CODES, ApiError, BadRequest, ModelFailed, too_large
from modelserver.hosting.log import configure_logging
from modelserver.hosting.memory import FreeMemory
from modelserver.hosting.settings import Settings
from modelserver.lifecycle import Lifecycle, isoformat, now
from modelserver.middleware import (
    KEY,
    RequestTrace,
    Trace,
    error_response,
    log_cause,
    release_frames,
)
from modelserver.pages import site
from modelserver.pages.caching import conditional
from modelserver.pages.static import load_assets
from modelserver.reading.formats import JSON, PACKED
from modelserver.scoring import request as scoring
from modelserver.scoring.batching import score_together
from modelserver.scoring.model import Model
from modelserver.scoring.workers import Workers
from modelserver.service import Service, service_of

logger = logging.getLogger(__name__)

YAML: Final = "application/yaml"

REVALIDATED: Final = {"Cache-Control": "no-cache"}
"""The answer may be kept, but not used again without asking: a restart may bring a new model."""

SMALL: Final = 16 * 1024
"""Bytes of a body that may be scored on the event loop, see `Workers`."""

UPGRADED: Final = (
    "the body is missing: with an Upgrade header it is not read. Switch HTTP/2 off in the client "
    "(Java: version(HTTP_1_1), curl: --http1.1)"
)


class Invocations:
    """Predicts. An ASGI app of its own, which spares a small request a layer of Starlette's."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reads the request, answers it; what is wrong with it is raised."""
        response = await _invoke(HTTPRequest(scope, receive))
        await response(scope, receive, send)


async def _invoke(request: HTTPRequest) -> Response:
    service, trace = service_of(request), _trace(request)
    body = await _read_body(request, service.settings.max_request_bytes)
    if not body and "upgrade" in request.headers:
        raise BadRequest(UPGRADED)
    timeout = service.settings.request_timeout
    model = await service.lifecycle.ready_model(timeout)
    get = request.headers.get
    job = scoring.Request(
        body, get("content-type"), get("content-encoding"), service.settings.max_request_bytes
    )
    join = score_together if model.row_wise else None
    work = scoring.Work(model, job)
    try:
        scored = await service.workers.run(work, timeout, _is_small(job), join)
    finally:
        service.memory.after_request(len(body))
    trace.rows = scored.rows
    return Response(scored.body, media_type=JSON)


async def ping(request: HTTPRequest) -> Response:
    """Readiness, as MLflow's server answers it: a newline."""
    lifecycle = service_of(request).lifecycle
    if lifecycle.state != "ready":
        raise lifecycle.unavailable()
    return Response(b"\n", media_type=JSON)


async def health(request: HTTPRequest) -> Response:
    """Readiness with everything there is to say of it; 503 until ready."""
    service = service_of(request)
    status = 200 if service.lifecycle.state == "ready" else 503
    return Response(encode_json(_health(service.lifecycle)), status, media_type=JSON)


async def version(request: HTTPRequest) -> Response:
    """MLflow's version, as MLflow's server answers it: bare text."""
    return Response(MLFLOW_VERSION, media_type=JSON)


async def model_metadata(request: HTTPRequest) -> Response:
    """What is known of the model: signature, params, tags, description."""
    service = service_of(request)
    model = await service.lifecycle.ready_model(service.settings.request_timeout)
    return Response(encode_json(_metadata(model)), media_type=JSON)


async def openapi_json(request: HTTPRequest) -> Response:
    """The OpenAPI document; without a model, of what any model takes."""
    description = await _description(request)
    return conditional(request, description.json, JSON, description.json_tag, REVALIDATED)


async def openapi_yaml(request: HTTPRequest) -> Response:
    """The same document as YAML (media type: RFC 9512)."""
    description = await _description(request)
    return conditional(request, description.yaml, YAML, description.yaml_tag, REVALIDATED)


async def on_api_error(request: HTTPRequest, error: Exception) -> Response:
    """An `ApiError` as JSON; what is the server's or the model's fault goes to the log."""
    assert isinstance(error, ApiError)
    trace = _trace(request)
    if isinstance(error.__cause__, ModelFailed) or (error.status >= 500 and error.__cause__):
        log_cause(trace, error)
    release_frames(error)
    return error_response(
        error.status, error.error_code, error.message, error.details, trace, error.headers
    )


async def on_http_error(request: HTTPRequest, error: Exception) -> Response:
    """Starlette's 404 and 405 in the same shape."""
    assert isinstance(error, HTTPException)
    code = ROUTING_CODES.get(error.status_code, "BAD_REQUEST")
    text = f"{error.detail}. There are: {', '.join(PATHS)}"
    if error.status_code == 405:
        text = f"this path takes {(error.headers or {}).get('Allow')}, not {request.method}"
    return error_response(
        error.status_code, code, text, (), _trace(request), dict(error.headers or {})
    )


async def _description(request: HTTPRequest) -> Description:
    service = service_of(request)
    return await service.lifecycle.described(service.settings.request_timeout)


def _trace(request: HTTPRequest) -> Trace:
    trace: Trace = request.scope[KEY]
    return trace


def _is_small(job: scoring.Request) -> bool:
    """Whether the body is small, and stands for no more than it is."""
    plain = job.content_encoding is None and not job.body.startswith(PACKED)
    return plain and len(job.body) <= SMALL


async def _read_body(request: HTTPRequest, limit: int) -> bytes:
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise too_large(limit)
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise too_large(limit)
        chunks.append(chunk)
    return b"".join(chunks)


def _health(lifecycle: Lifecycle) -> dict[str, Any]:
    report: dict[str, Any] = {
        "state": lifecycle.state,
        "since": isoformat(lifecycle.since),
        "step": lifecycle.step,
        "reason": lifecycle.reason,
        "next_try": isoformat(lifecycle.next_try),
        "warnings": lifecycle.warnings,
        "mlflow_version": MLFLOW_VERSION,
        "uptime_seconds": round((now() - STARTED).total_seconds(), 1),
    }
    return report | _identity(lifecycle.model) if lifecycle.model else report


def _identity(model: Model) -> dict[str, Any]:
    return {
        "model_uri": model.uri,
        "name": model.registration.name,
        "version": model.registration.version,
        "run_id": model.run_id,
        "model_id": model.model_id,
        "flavor": model.flavor,
        "loaded_at": isoformat(model.loaded_at),
        "load_seconds": round(model.load_seconds, 2),
        "model_mlflow_version": model.mlflow_version,
    }


def _metadata(model: Model) -> dict[str, Any]:
    return {
        **_identity(model),
        "description": model.registration.description,
        "tags": dict(model.registration.tags),
        "signature": model.declared,
        "has_example": model.example is not None,
        "created_at": model.created_at,
    }


def mlflow_version() -> str:
    """What `mlflow.__version__` says, without the seconds that importing MLflow takes."""
    package = find_spec("mlflow")
    assert package is not None
    assert package.origin is not None
    return str(run_path(str(Path(package.origin).with_name("version.py")))["VERSION"])


def _routes() -> list[BaseRoute]:
    table: list[
        tuple[str, Any, str]
    ] = [  # in the order of use, which is the order in which Starlette tries them
        ("/invocations", Invocations(), "POST"),
        ("/ping", ping, "GET"),
        ("/health", health, "GET"),
        ("/version", version, "GET"),
        ("/metadata", model_metadata, "GET"),
        ("/openapi.json", openapi_json, "GET"),
        ("/openapi.yaml", openapi_yaml, "GET"),
    ]
    slashed = [(f"{path}/", endpoint, method) for path, endpoint, method in table]
    return [Route(path, endpoint, methods=[method]) for path, endpoint, method in table + slashed]


STARTED: Final = now()
MLFLOW_VERSION: Final = mlflow_version()
ROUTES: Final = [*_routes(), *site.ROUTES]
PATHS: Final = [
    route.path
    for route in ROUTES
    if isinstance(route, Route) and not route.path.endswith(("/", "}"))
]


def create_app(settings: Settings) -> Starlette:
    """The ASGI app for one model. Raises `BaseError` for a base document that cannot be used."""
    configure_logging(settings.log_level, settings.secrets)
    for name in settings.quoted:
        logger.warning("%s: the quotes around its value were taken off", name)
    load_assets()  # now, so that no request waits for it
    workers = Workers(settings.predict_workers, settings.max_queue)
    lifecycle = Lifecycle(settings, base_description())
    service = Service(settings, lifecycle, workers, FreeMemory())

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        service.lifecycle.start()
        yield
        await service.lifecycle.stop()
        workers.close()

    app = Starlette(
        routes=ROUTES,
        middleware=[Middleware(RequestTrace)],
        exception_handlers={ApiError: on_api_error, HTTPException: on_http_error},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.service = service
    return app
