"""The HTTP side: endpoints, routes, lifespan, `create_app`.

An endpoint decides nothing: it takes its parts from the request, calls the core and wraps the
result in a response. Paths also work with a trailing slash. They do not redirect, since Starlette
redirects to an absolute URL, and only the proxy knows the right one.
"""

import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request as HTTPRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Lifespan, Scope

from modelserver.describing.description import base_description
from modelserver.errors import ApiError, RoutingFailed
from modelserver.hosting.authentication import KeyCheck
from modelserver.hosting.bodies import Bodies
from modelserver.hosting.log import SafeStream, configure_logging
from modelserver.hosting.memory import FreeMemory
from modelserver.hosting.settings import Settings
from modelserver.lifecycle import Lifecycle
from modelserver.middleware import RequestTrace
from modelserver.pages import site
from modelserver.pages.conditional import conditional
from modelserver.pages.static import load_assets
from modelserver.protocols.table import PROTOCOLS, Protocol, Show
from modelserver.reading.formats import JSON
from modelserver.scoring.answering.encoding import encode_json
from modelserver.scoring.mlflow_internals import installed_version
from modelserver.scoring.scheduling.workers import Workers
from modelserver.service import Invocations, Service, service_of
from modelserver.states import Ready, now
from modelserver.types.names import hint

logger = logging.getLogger(__name__)

MLFLOW_VERSION: Final = installed_version()

YAML: Final = "application/yaml"

ALIKE: Final = 0.52
"""How alike a path must be to another that was probably meant: /invoke is, for /invocations."""

REVALIDATED: Final = {"Cache-Control": "no-cache"}
"""A client may cache the answer but must revalidate it: after a restart the model may be
another."""


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


def showing(show: Show, protocol: Protocol, waits: bool) -> Callable[..., Any]:
    """An endpoint of another protocol, which shows what is known of the model. Without `waits` it
    answers 503 at once while there is none."""

    async def shown(request: HTTPRequest) -> Response:
        lifecycle = service_of(request).lifecycle
        model = await lifecycle.ready_model() if waits else lifecycle.model
        protocol.admit(model, request.path_params, request.headers)
        value = show(model, lifecycle.description.document)
        return Response(encode_json(value), headers=REVALIDATED, media_type=JSON)

    return shown


def always(value: Any) -> Callable[..., Any]:
    """An endpoint of another protocol, which answers the same whether there is a model or not."""
    body = encode_json(value)

    async def shown(request: HTTPRequest) -> Response:
        return Response(body, media_type=JSON)

    return shown


def unrouted(error: HTTPException, scope: Scope) -> ApiError:
    """Starlette's 404 and 405 as errors of ours."""
    headers = error.headers or {}
    if error.status_code == 405:
        text = _wrong_method(scope["method"], headers["Allow"])
    else:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        text = _no_such_path(path, scope["method"])
    return RoutingFailed(error.status_code, text, headers)


def _wrong_method(method: str, allowed: str) -> str:
    takes = ", ".join(sorted(allowed.split(", ")))
    advice = "; with curl -T, add -X POST" if (method, allowed) == ("PUT", "POST") else ""
    advice = f"; {PREDICTIONS}" if method == "POST" else advice
    return f"this path takes {takes}, not {method}{advice}"


def _no_such_path(path: str, method: str) -> str:
    meant = hint(path.rstrip("/"), PREDICTING, ALIKE)
    if meant is not None and meant.name == PREDICTING[0]:
        return f"there is no such path; {meant}"
    others = PREDICTIONS if method == "POST" else f"there are: {', '.join(PATHS)}"
    return f"there is no such path; {f'{meant} ' if meant else ''}{others}"


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
        table += [
            *((path, Invocations(d, protocol), "POST") for path, d in protocol.predicting.items()),
            *((path, showing(s, protocol, True), "GET") for path, s in protocol.showing.items()),
            *((path, showing(s, protocol, False), "GET") for path, s in protocol.ready.items()),
            *((path, always(value), "GET") for path, value in protocol.fixed.items()),
        ]
    slashed = [(f"{path}/", endpoint, method) for path, endpoint, method in table]
    return [Route(path, endpoint, methods=[method]) for path, endpoint, method in table + slashed]


def _is_listed(path: str) -> bool:
    """Whether a 404 names the path. It does not name variants of others and the files of pages."""
    is_variant = path.endswith("/") or "/versions/" in path
    return path == "/" or not (is_variant or path.startswith("/assets/"))


STARTED: Final = now()
ROUTES: Final = [*_routes(), *site.ROUTES]
PATHS: Final = [r.path for r in ROUTES if isinstance(r, Route) and _is_listed(r.path)]
PREDICTING: Final = [
    "/invocations",
    *(path for protocol in PROTOCOLS for path in protocol.predicting if _is_listed(path)),
]
PREDICTIONS: Final = f"predictions are at {', '.join(PREDICTING)}"


class App(Starlette):
    """Starlette's app with our middleware alone, which answers errors itself."""

    def __init__(self, key_check: KeyCheck, lifespan: Lifespan["App"]) -> None:
        super().__init__(routes=ROUTES, lifespan=lifespan)
        self._key_check = key_check

    def build_middleware_stack(self) -> ASGIApp:
        """Called by Starlette at the first request or the lifespan."""
        return RequestTrace(self.router, self._key_check, unrouted)


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

    app = App(KeyCheck(settings.api_key), lifespan)
    app.router.redirect_slashes = False
    app.state.service = service
    return app
