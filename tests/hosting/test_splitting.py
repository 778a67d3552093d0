"""Bytes of a caller that pretend to be more than one request, header or log line; with both
parsers."""

import io
import json
import re
import socket
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from modelserver.app import create_app
from modelserver.errors import LARGEST_HEADERS
from modelserver.hosting.connections.by_h11 import H11Guard
from modelserver.hosting.connections.by_httptools import HttpToolsGuard
from modelserver.hosting.settings import read_settings
from tests.support.serving import serving

pytestmark = pytest.mark.repeats

LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (INFO|WARNING) [ -~…]*")

SENT = {
    "content-type", "content-length", "x-request-id", "connection", "date", "server", "allow",
    "location", "x-content-type-options",
}  # fmt: skip
"""The headers that the answers of these tests have."""

LAST = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def get(path: bytes = b"/version", *headers: bytes) -> bytes:
    lines = [b"GET %b HTTP/1.1" % path, b"Host: a", *headers, b"", b""]
    return b"\r\n".join(lines)


def post(*headers: bytes, body: bytes) -> bytes:
    lines = [b"POST /version HTTP/1.1", b"Host: a", *headers, b""]
    return b"\r\n".join(lines) + b"\r\n" + body


HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked"

ANSWERED = {
    "CR and LF in the path": (get(b"/a%0d%0aX-Evil:%20y"), 404),
    "a terminal's command in the path": (get(b"/a%1b%5b2J%c2%9b%e2%80%ae%00%0c"), 404),
    "bytes that are no UTF-8 in the path": (get(b"/a%ff%ed%a0%80"), 404),
    "a host in the path": (get(b"//evil.example/docs/"), 404),
    "CR and LF in the query": (get(b"/docs/?a=%0d%0aX-Evil:%20y"), 307),
    "an id that is no ASCII": (get(b"/version", b"X-Request-ID: \xe9\x9b2J"), 200),
    "a tab in the id": (get(b"/version", b"X-Request-ID: a\tb"), 200),
    "a tab in Host": (b"GET / HTTP/1.1\r\nHost: a\tb\r\n\r\n", 400),
    "two types": (get(b"/version", b"Content-Type: text/csv", b"content-type: a/b"), 400),
    "two keys": (get(b"/version", b"Authorization: Key a", b"Authorization: Key b"), 400),
    "one key, twice": (get(b"/version", b"Authorization: Key a", b"Authorization: Key a"), 200),
    "trailers": (post(CHUNKED, body=b"0\r\nX-Request-ID: evil\r\nX-Evil: y\r\n\r\n"), 405),
}
REFUSED = {
    "CR in the id": get(b"/version", b"X-Request-ID: a\rX-Evil: y"),
    "NUL in the id": get(b"/version", b"X-Request-ID: a\0b"),
    "CR in Host": b"GET / HTTP/1.1\r\nHost: a\rX-Evil: y\r\n\r\n",
    "CR in the path": get(b"/a\rX-Evil: y"),
    "a terminal's command as it is": get(b"/a\x1b[2J"),
    "a terminal's command as a method": b"GE\x1bT / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a blank before the colon": get(b"/version", b"X-Request-ID : a"),
    "NUL in a name": get(b"/version", b"X\0: a"),
    "two ends of the body": post(b"Content-Length: 4", CHUNKED, body=b"0\r\n\r\n" + HIDDEN),
    "two encodings": post(CHUNKED, b"Transfer-Encoding: identity", body=b"0\r\n\r\n" + HIDDEN),
    "an encoding after chunked": post(CHUNKED + b", identity", body=b"0\r\n\r\n" + HIDDEN),
    "two lengths": post(b"Content-Length: 0", b"Content-Length: 44", body=HIDDEN),
    "a list of lengths": post(b"Content-Length: 0, 44", body=HIDDEN),
    "a length with a sign": post(b"Content-Length: +0", body=HIDDEN),
    "a chunk with another end": post(CHUNKED, body=b"2\r\nabXX0\r\n\r\n" + HIDDEN),
    "LF in a chunk's extension": post(CHUNKED, body=b"2;\nxx\r\nab\r\n0\r\n\r\n" + HIDDEN),
    "0x before a chunk's size": post(CHUNKED, body=b"0x2\r\nab\r\n0\r\n\r\n" + HIDDEN),
}
EITHER = {
    "LF in the path": get(b"/a\nX-Evil: y"),
    "LF in the id": get(b"/version", b"X-Request-ID: a\nX-Evil: y"),
    "a terminal's command in the id": get(b"/version", b"X-Request-ID: a\x1b[2J"),
    "a header that is continued": get(b"/version", b"X-Request-ID: a\r\n X-Evil: y"),
    "a terminal's command in the type": post(b"Content-Type: \x1b[2J", b"Content-Length: 0",
                                             body=b""),
    "an unknown encoding": post(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n" + HIDDEN),
}  # fmt: skip
"""What one of the parsers refuses, and the other reads without harm."""


@pytest.fixture(scope="module", params=[HttpToolsGuard, H11Guard], ids=["httptools", "h11"])
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    guard = type("Bounded", (request.param,), {"read_timeout": 0.5})
    app = create_app(read_settings({}))
    with serving(app, http=guard, h11_max_incomplete_event_size=LARGEST_HEADERS) as url:
        yield url


def statuses(server: str, data: bytes) -> list[int]:
    """The statuses of the answers to these bytes and to `LAST`. Each answer must have only headers
    that the server sends, and a body that is what it says."""
    address = urlsplit(server)
    with socket.create_connection((str(address.hostname), address.port or 0)) as client:
        client.settimeout(10)
        client.sendall(data + LAST)
        received = client.makefile("rb").read()
    found = []
    while received:
        head, _, received = received.partition(b"\r\n\r\n")
        first, *lines = head.decode("ascii").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        assert set(headers) <= SENT
        assert "evil" not in headers["x-request-id"]
        length = int(headers["content-length"])
        body, received = received[:length], received[length:]
        if body.startswith(b"{"):
            assert json.loads(body)["request_id"] == headers["x-request-id"]
        found.append(int(first.split()[1]))
    return found


def check_log(log: io.StringIO) -> None:
    lines = log.getvalue().splitlines()
    assert [line for line in lines if not LINE.fullmatch(line)] == []
    assert "/hidden" not in log.getvalue()


@pytest.mark.parametrize(("data", "status"), ANSWERED.values(), ids=list(ANSWERED))
def test_answered(data: bytes, status: int, server: str, log: io.StringIO) -> None:
    assert statuses(server, data) == [status, 404]
    check_log(log)


@pytest.mark.parametrize("data", REFUSED.values(), ids=list(REFUSED))
def test_refused(data: bytes, server: str, log: io.StringIO) -> None:
    assert statuses(server, data) == [400]
    check_log(log)


@pytest.mark.parametrize("data", EITHER.values(), ids=list(EITHER))
def test_answered_or_refused(data: bytes, server: str, log: io.StringIO) -> None:
    assert statuses(server, data) in ([200, 404], [405, 404], [404], [400])
    check_log(log)


NAMES = ["a\r\nX-Evil: y", "\x1b[2J", "\x9b2J", "\u202eevil", "\u2028", '"}', "</script>", "\0"]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_columns_and_params(
    name: str, client: Callable[..., TestClient], log: io.StringIO
) -> None:
    for body in (
        {"dataframe_split": {"columns": [name], "data": [[1]]}},
        {"inputs": [1], "params": {name: 1}},
        {name: 1},
    ):
        answer = client("two_longs").post("/invocations", json=body)
        assert answer.status_code == 400
        message = answer.json()["message"]
        assert message.isprintable()
        assert len(answer.headers) == 4
    check_log(log)


def test_a_model_that_nothing_can_be_said_of(log: io.StringIO) -> None:
    """Its URI is no text: a variable with bytes that are no UTF-8."""
    uri = "/nowhere/\udce9\r\nINFO \x1b[2J"
    with TestClient(create_app(read_settings({"MODEL_URI": uri}))) as client:
        assert client.get("/").status_code == 503
        assert client.get("/health").json()["state"] == "failed"
        for path in ("/docs", "/redoc", "/openapi.json", "/openapi.yaml"):
            assert client.get(path).status_code == 200
    lines = log.getvalue().splitlines()
    assert all(line.isprintable() and line.startswith(("2", "    ")) for line in lines)
