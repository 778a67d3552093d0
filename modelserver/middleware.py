"""Around every request: an id, one log line, and the answer to an error, even in our own code.

The id is the client's `X-Request-ID` if that is a short printable word, otherwise a new one. Every
response has it, and tells browsers not to guess its type. The middleware is plain ASGI, and the
only one: Starlette's `BaseHTTPMiddleware` starts a task per request, and its two middlewares for
errors take 4 % of a small request.
"""

import asyncio
import logging
import re
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from random import getrandbits
from typing import Final
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modelserver.errors import (
    LARGEST_HEADERS,
    ApiError,
    BadRequest,
    HeadersTooLarge,
    ModelFailed,
    ShuttingDown,
    error_body,
)
from modelserver.hosting.authentication import KeyCheck
from modelserver.hosting.log import log_line
from modelserver.protocols.table import with_keys
from modelserver.scoring.answering.encoding import encode_json

logger = logging.getLogger("modelserver.request")

HEADER: Final = b"x-request-id"

NO_SNIFFING: Final = (b"x-content-type-options", b"nosniff")
"""The header by which browsers take no answer for a script or a page that it does not say it is."""


@dataclass(slots=True)
class Trace:
    """What the log line of a request says. Endpoints find it in the ASGI scope under `KEY`."""

    request_id: str
    headers: Mapping[bytes, bytes]
    """The request's headers; of those with one name, the first."""
    rows: int | None = None
    status: int = 0

    def header(self, name: bytes) -> str | None:
        """The header of this name in lower case. Starlette's `Headers` looks at all of them."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")


KEY: Final = "modelserver.trace"

SEPARATORS: Final = 4
"""The bytes between the name and the value of a header, and after it."""

HOST: Final = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=%:\[\]-]*")
"""What a Host header may hold; without one, or with several, HTTP/1.1 asks for a 400 (RFC 9112,
section 3.2)."""

LENGTHS: Final = frozenset({b"content-length", b"transfer-encoding"})
"""The headers that say where a body ends. With both, a proxy may see another end (RFC 9112 6.1)."""

SINGLE: Final = (b"content-type", b"authorization")
"""Headers that a request has once: of different ones, a proxy may go by another one."""

LISTS: Final = (b"accept", b"accept-encoding", b"content-encoding")
"""Headers that may be sent in several parts."""

ONE_HOST: Final = "a request has one Host header, with a name and maybe a port"

USABLE: Final = re.compile(rb"[!-~]{1,128}")

GONE: Final = 499
"""nginx's status for a client that left before its request was read. It is logged, never sent."""


class RequestTrace:
    """ASGI middleware that keeps a `Trace` of each HTTP request, and answers its errors.

    `unrouted` makes the error for a path or method that Starlette's router does not know.
    """

    def __init__(
        self,
        app: ASGIApp,
        key_check: KeyCheck,
        unrouted: Callable[[HTTPException, Scope], ApiError],
    ) -> None:
        self.app = app
        self._key_check = key_check
        self._unrouted = unrouted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one ASGI connection (https://asgi.readthedocs.io/en/latest/specs/www.html)."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start = time.perf_counter()
        request_id, fault = _examined(scope, headers := dict(reversed(scope["headers"])))
        fault = fault or self._key_check.refusal(scope)
        trace = scope[KEY] = Trace(request_id, headers)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                trace.status = message["status"]
                own = (HEADER, trace.request_id.encode()), NO_SNIFFING
                message["headers"] = [*message["headers"], *own]
            await send(message)

        try:
            if fault is None:
                await self.app(scope, receive, send_with_id)
        except (Exception, asyncio.CancelledError) as error:
            fault = self._fault(error, scope, trace)
        try:
            if fault is not None and not trace.status:
                await error_response(fault, scope)(scope, receive, send_with_id)
        finally:
            _log(scope, trace, time.perf_counter() - start)

    def _fault(self, error: BaseException, scope: Scope, trace: Trace) -> ApiError | None:
        """The error to answer after the app has raised this one; None if nobody waits for it.
        Called in the `except` clause."""
        if isinstance(error, ApiError):
            return _noted(error, trace)
        if isinstance(error, HTTPException):
            return self._unrouted(error, scope)
        if isinstance(error, ClientDisconnect):
            trace.status = GONE
            release_frames(error)
            return None
        if isinstance(error, asyncio.CancelledError):  # by uvicorn, which has waited long enough
            return ShuttingDown()
        logger.exception("%s failed in the server's own code", trace.request_id)
        return ApiError("the server failed; its log has more")


def trace_of(scope: Scope) -> Trace:
    """What the log line of this request will say."""
    trace: Trace = scope[KEY]
    return trace


def error_response(error: ApiError, scope: Scope) -> Response:
    """The response for an error. All errors of the app are written by this function."""
    request_id = trace_of(scope).request_id
    body = error_body(error.error_code, error.message, error.details, request_id)
    body = with_keys(body, scope["path"].removeprefix(scope.get("root_path", "")))
    return Response(encode_json(body), error.status, error.headers, media_type="application/json")


def _noted(error: ApiError, trace: Trace) -> ApiError:
    """The error, which is to be answered. If the model or the server failed, the log gets the
    traceback of what it raised, with the request's id."""
    if isinstance(error.__cause__, ModelFailed) or (error.status >= 500 and error.__cause__):
        text = "".join(traceback.format_exception(_raised(error)))
        logger.error("%s failed: %s\n%s", trace.request_id, error, text.rstrip())
    release_frames(error)
    return error


def _raised(error: BaseException) -> BaseException:
    """The exception for which the error stands. The errors above it have its place in the model's
    code, and the message that the log line has already."""
    while isinstance(error, ApiError) and error.__cause__ is not None:
        error = error.__cause__
    return error


def release_frames(error: BaseException) -> None:
    """Frees the local variables of the functions that raised `error`: the body, and what was read
    from it. To be called once its traceback was logged, if it is to be.

    The error refers to the frames of these functions, and the frames refer to the error. Without
    this, both would stay in memory until the garbage collector runs, much later. A frame without
    its variables still keeps the function, and so those that the function has from another one.
    """
    raised: BaseException | None = error
    while raised is not None:
        traceback.clear_frames(raised.__traceback__)
        raised.__traceback__ = None
        raised = raised.__cause__ or raised.__context__


def _examined(scope: Scope, headers: dict[bytes, bytes]) -> tuple[str, ApiError | None]:
    """The id of a request, and what is wrong with its headers, if something is. `headers`: the
    first of each name; to those of `LISTS` the further ones are added."""
    sent = scope["headers"]
    size = len(scope.get("raw_path") or b"") + len(scope.get("query_string", b""))
    size += sum(map(len, chain.from_iterable(sent))) + SEPARATORS * len(sent)
    host = headers.get(b"host")
    fault: ApiError | None = None
    if size > LARGEST_HEADERS:
        fault = HeadersTooLarge()
    elif (host is None and scope.get("http_version") == "1.1") or not HOST.fullmatch(host or b""):
        fault = BadRequest(ONE_HOST)
    elif len(headers) != len(sent) or LENGTHS.issubset(headers):
        fault = _repeated(sent, scope.get("http_version"))
        headers.update(_joined(sent))
    return _usable(headers.get(HEADER)) or f"{getrandbits(128):032x}", fault


def _repeated(headers: Sequence[tuple[bytes, bytes]], version: str | None) -> ApiError | None:
    """What is wrong with headers of which some names occur more than once, if something is."""
    times = Counter(name for name, _ in headers)
    if times[b"host"] > 1 and version == "1.1":
        return BadRequest(ONE_HOST)
    if sum(times[name] for name in LENGTHS) > 1:
        said = "a request has one Content-Length or Transfer-Encoding header"
        return BadRequest(said, headers={"Connection": "close"})
    for name in SINGLE:
        if len({value for found, value in headers if found == name}) > 1:
            return BadRequest(f"a request has one {name.decode().title()} header")
    return None


def _joined(headers: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The headers that are lists, each in one line (RFC 9110, section 5.3)."""
    found = {name: [value for sent, value in headers if sent == name] for name in LISTS}
    return {name: b", ".join(values) for name, values in found.items() if values}


def _usable(value: bytes | None) -> str:
    """The client's id; empty if it is too long or not one printable word. With blanks it could look
    like more of the log line."""
    return value.decode() if value and USABLE.fullmatch(value) else ""


_quoted = lru_cache(maxsize=16)(quote)


def _log(scope: Scope, trace: Trace, seconds: float) -> None:
    if logger.isEnabledFor(logging.INFO):
        rows = "-" if trace.rows is None else trace.rows
        text = (
            f"{trace.request_id} {scope['method']} {_quoted(scope['path'])} {trace.status} "
            f"rows={rows} {seconds * 1000:.1f} ms"
        )
        log_line(logger, text)
