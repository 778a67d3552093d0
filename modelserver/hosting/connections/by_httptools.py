"""A guarded connection that httptools parses, which calls a method for each part of a request.

httptools keeps headers without a bound, and takes minutes for a header of 200 MB, to which it adds
what comes piece by piece. So the bytes are counted here.
"""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from modelserver.errors import LARGEST_HEADERS
from modelserver.hosting.connections.guard import Guard


class HttpToolsGuard(Guard, HttpToolsProtocol):  # type: ignore[misc]  # `eof_received`
    """uvicorn's protocol with httptools, bounded."""

    _unparsed = 0
    _receiving = False

    def unparsed(self) -> int:
        """The bytes that came since the parser last called a method below."""
        return self._unparsed

    def is_receiving(self) -> bool:
        """Whether headers are complete, and their message is not."""
        return self._receiving

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        self._unparsed += len(data)
        super().data_received(data)
        if self._unparsed > LARGEST_HEADERS:
            self.send_400_response("too large")

    def on_message_begin(self) -> None:
        """Called by httptools, as are the others. A request may begin in the bytes that end another
        one."""
        self._unparsed = self._unparsed or 1
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The headers are complete. uvicorn has put their list into the scope, and would add the
        trailers after a chunked body to it (RFC 9110 6.5.1 forbids that). A client of HTTP/1.0 does
        not know the answer 100, though it may pass on the question (RFC 9110 10.1.1)."""
        if self.expect_100_continue and self.parser.get_http_version() == "1.0":
            self.expect_100_continue = False
        super().on_headers_complete()
        self._unparsed = 0
        self._receiving = True
        self.headers = []

    def on_body(self, body: bytes) -> None:
        """A part of a body."""
        self._unparsed = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The end of a request."""
        self._unparsed = 0
        self._receiving = False
        super().on_message_complete()

    def _unsupported_upgrade_warning(self) -> None:
        """Called by uvicorn for a request with an Upgrade header, which httptools takes to end with
        its headers. Bytes of a body would then be taken for the next request, so the connection
        ends with the answer."""
        self.cycle.keep_alive = False
