"""What bounds a connection, whichever parser it has.

A request with too large headers is refused (431), so is one that does not go on (408), and what is
no HTTP (400). The app cannot do so, since it sees a request only when the headers are complete, and
of a body only what was understood; the answers look like the app's. Requests before the refused one
are answered first. A client that does not take its answer is left.
"""

import asyncio
import json
import logging
import secrets
from abc import ABC, abstractmethod
from http import HTTPStatus
from typing import Any, Final

from modelserver.errors import (
    LARGEST_HEADERS,
    ApiError,
    BadRequest,
    HeadersTooLarge,
    ReadTimedOut,
    error_body,
)

logger = logging.getLogger("modelserver.request")

of_uvicorn = logging.getLogger("modelserver.uvicorn")
"""What uvicorn says of a connection. Its warnings only repeat that a request is refused."""

of_uvicorn.setLevel(logging.ERROR)

LINGER: Final = 2.0
"""Seconds for which a refused client may go on sending. Closed at once, the connection would be
reset, and the client would lose the answer."""


class Guard(asyncio.Protocol, ABC):
    """A mixin for uvicorn's protocols, which set the attributes that have no value here."""

    read_timeout = 0.0
    """Seconds without a byte (0: no limit)."""

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    server_state: Any
    logger: logging.Logger
    cycle: Any
    """The last request and its answer; None before the first."""

    pipeline: Any = ()
    """The requests that came while an earlier one is answered, the last one first. h11 reads none
    meanwhile."""

    @abstractmethod
    def unparsed(self) -> int:
        """How many bytes came last that are part of no body and of no complete headers."""

    @abstractmethod
    def is_receiving(self) -> bool:
        """Whether the headers of a request are complete, and its body is not."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop, as are the next three."""
        super().connection_made(transport)
        self.logger = of_uvicorn
        self._refused = False
        self._waiting: ApiError | None = None
        self._sends_no_more = False
        self._unsent = 0
        self._heard = self.loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._wait(self.read_timeout)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has left, or the connection was closed."""
        super().connection_lost(exc)
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Bytes came. Those of a refused client are dropped."""
        if not self._refused:
            self._heard = self.loop.time()
            super().data_received(data)

    def eof_received(self) -> bool:
        """The client sends no more. Whether the connection stays open: if a whole request is still
        to be answered (RFC 9112 leaves that to the server)."""
        self._sends_no_more = self._is_answering() and not self.cycle.more_body
        return self._sends_no_more

    def send_400_response(self, msg: str) -> None:
        """Called by uvicorn if the parser finds a fault."""
        in_body = self._is_answering() and self.cycle.more_body
        if self.unparsed() > LARGEST_HEADERS and not in_body:
            self.refuse(HeadersTooLarge())
        else:
            self.refuse(BadRequest("the bytes are no HTTP/1.1 request"))

    def refuse(self, error: ApiError) -> None:
        """Answers the error in place of the request that is being received, or after the last one,
        and closes the connection soon."""
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        if not self._is_answering():
            self._answer(error)
        elif not self.cycle.more_body:
            self._waiting = error
        elif self.pipeline:
            self.pipeline.popleft()
            self._waiting = error
        elif self.cycle.response_started:  # the two answers would mix
            self.transport.abort()
        else:
            self.cycle.disconnected = True  # so that the app's answer is dropped
            self.cycle.message_event.set()
            self._answer(error)

    def on_response_complete(self) -> None:
        """Called by uvicorn after each answer."""
        was_last, cycle = not self.pipeline, self.cycle
        super().on_response_complete()  # type: ignore[misc]
        is_last = was_last and self.cycle is cycle  # h11 has read the next request now
        if not is_last or self.transport.is_closing():
            return
        if self._waiting is not None:
            self._answer(self._waiting)
        elif self._sends_no_more:
            self.transport.close()

    def _answer(self, error: ApiError) -> None:
        request_id = secrets.token_hex(16)
        logger.info("%s refused with %d: %s", request_id, error.status, error.message)
        body = json.dumps(error_body(error.error_code, error.message, (), request_id)).encode()
        self.transport.write(self._head(error.status, request_id, len(body)) + body)
        self.transport.write_eof()
        self.loop.call_later(LINGER, self.transport.abort)

    def _head(self, status: int, request_id: str, length: int) -> bytes:
        lines = [b"HTTP/1.1 %d %b" % (status, HTTPStatus(status).phrase.encode())]
        lines += [b"%b: %b" % header for header in self.server_state.default_headers]
        lines += [b"content-type: application/json", b"content-length: %d" % length]
        lines += [b"x-request-id: %b" % request_id.encode(), b"connection: close", b"", b""]
        return b"\r\n".join(lines)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self, seconds: float) -> None:
        if self.read_timeout:
            self._timer = self.loop.call_later(seconds, self._look)

    def _look(self) -> None:
        """Ends the connection if nothing goes on although something should."""
        left = self._heard + self.read_timeout - self.loop.time()
        self._wait(left if left > 0 else self.read_timeout)
        if left > 0:
            return
        unsent, self._unsent = self._unsent, self.transport.get_write_buffer_size()
        if self._unsent and self._unsent == unsent:
            self.transport.abort()
        elif self._is_answering():
            return
        elif self.unparsed():
            self.refuse(ReadTimedOut(self.read_timeout))
        elif self.cycle is None or self.is_receiving():
            self.transport.close()
