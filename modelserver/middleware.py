"""Around every request: an id, one log line, and an answer even when our own code fails.

The id is the client's `X-Request-ID` if that is a short printable text, otherwise a new one. Every
response has it. The middleware is plain ASGI, since Starlette's `BaseHTTPMiddleware` starts a task
per request, which takes longer than a small prediction.
"""

import logging
import secrets
import time
import traceback
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modelserver.answering.encoding import encode_json
from modelserver.errors import Details, error_body
from modelserver.hosting.log import log_line

logger = logging.getLogger("modelserver.request")

HEADER: Final = b"x-request-id"


@dataclass(slots=True)
class Trace:
    """What the log line of a request says. Endpoints find it in the ASGI scope under `KEY`."""

    request_id: str
    rows: int | None = None
    status: int = 0


KEY: Final = "modelserver.trace"

GONE: Final = 499
"""nginx's status for a client that left before its request was read. It is logged, never sent."""


class RequestTrace:
    """ASGI middleware that keeps a `Trace` of each HTTP request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one ASGI connection (https://asgi.readthedocs.io/en/latest/specs/www.html)."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start = time.perf_counter()
        trace = scope[KEY] = Trace(_request_id(scope))

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                trace.status = message["status"]
                message["headers"] = [*message["headers"], (HEADER, trace.request_id.encode())]
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        except ClientDisconnect:
            trace.status = GONE
        except Exception:
            logger.exception("%s failed in the server's own code", trace.request_id)
            if not trace.status:
                response = error_response(
                    500, "INTERNAL_ERROR", "the server failed; its log has more", (), trace
                )
                await response(scope, receive, send_with_id)
        finally:
            _log(scope, trace, time.perf_counter() - start)


def error_response(
    status: int,
    error_code: str,
    message: str,
    details: Details,
    trace: Trace,
    headers: dict[str, str] | None = None,
) -> Response:
    """The response for an error. All errors of the server are written by this function."""
    body = encode_json(error_body(error_code, message, details, trace.request_id))
    return Response(body, status, headers, media_type="application/json")


def log_cause(trace: Trace, error: Exception) -> None:
    """Logs the traceback of a failed request with the request's id."""
    text = "".join(traceback.format_exception(error))
    logger.error("%s failed: %s\n%s", trace.request_id, error, text.rstrip())


def release_frames(error: BaseException) -> None:
    """Frees the local variables of the functions that raised `error`: the body, and what was read
    from it.

    The error refers to the frames of these functions, and the frames refer to the error. Without
    this, both would stay in memory until the garbage collector runs, much later.
    """
    raised: BaseException | None = error
    while raised is not None:
        traceback.clear_frames(raised.__traceback__)
        raised = raised.__cause__ or raised.__context__


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == HEADER and 0 < len(value) <= 128:
            text: str = value.decode("latin-1")
            if text.isascii() and text.isprintable():
                return text
    return secrets.token_hex(16)


def _log(scope: Scope, trace: Trace, seconds: float) -> None:
    if logger.isEnabledFor(logging.INFO):
        rows = "-" if trace.rows is None else trace.rows
        text = (
            f"{trace.request_id} {scope['method']} {quote(scope['path'])} {trace.status} "
            f"rows={rows} {seconds * 1000:.1f} ms"
        )
        log_line(logger, text)
