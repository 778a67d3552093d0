"""Connections of `python main.py`: what is too large, does not go on or is no HTTP."""

import asyncio
import contextlib
import json
import socket
import sys
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from starlette.types import Receive, Scope, Send

from modelserver.errors import LARGEST_HEADERS
from modelserver.hosting.connections.by_h11 import H11Guard
from modelserver.hosting.connections.by_httptools import HttpToolsGuard
from modelserver.hosting.connections.choosing import guarded
from tests.support.serving import serving

TIMEOUT = 0.5
"""The seconds without a byte that the servers of these tests allow."""

GET = b"GET / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"


LARGE = b"a" * 50_000_000
"""More than the buffers of two sockets hold."""


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers the body, after all of it came; without reading it if the path is /early, with much
    more if it is /large. If it is /begun, the answer begins before."""
    body, more = LARGE if scope["path"] == "/large" else b"", scope["path"] != "/early"
    if scope["path"] == "/begun":
        await send({"type": "http.response.start", "status": 200, "headers": []})
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body, more = body + message["body"], message["more_body"]
    if scope["path"] == "/slow":
        await asyncio.sleep(2.5 * TIMEOUT)
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module", params=[HttpToolsGuard, H11Guard], ids=["httptools", "h11"])
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a server that bounds its connections."""
    guard = type("Bounded", (request.param,), {"read_timeout": TIMEOUT})
    with serving(echo, http=guard, h11_max_incomplete_event_size=LARGEST_HEADERS) as url:
        yield url


class Client:
    """A connection on which bytes are sent."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self.socket = socket.create_connection((str(address.hostname), address.port or 0))
        self.socket.settimeout(10)

    def send(self, data: bytes) -> "Client":
        self.socket.sendall(data)
        return self

    def answer(self) -> bytes:
        """The next answer of `echo`, or less if the connection ends."""
        received = b""
        while b"\r\n\r\n" not in received and (more := self.socket.recv(65536)):
            received += more
        return received

    def rest(self) -> bytes:
        """What the server sends until it closes the connection."""
        received = b""
        while more := self.socket.recv(65536):
            received += more
        return received


@pytest.fixture
def client(server: str) -> Iterator[Client]:
    client = Client(server)
    with client.socket:
        yield client


def error_in(answer: bytes) -> tuple[int, str]:
    """The status of an answer and the message in its body."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:])
    assert headers["content-type"] == "application/json"
    assert headers["connection"] == "close"
    assert int(headers["content-length"]) == len(body)
    error = json.loads(body)
    assert headers["x-request-id"] == error["request_id"]
    return int(lines[0].split()[1]), error["message"]


@pytest.mark.parametrize(
    "data",
    [
        GET + b"X: " + b"a" * LARGEST_HEADERS,
        GET + b"X: a\r\n" * LARGEST_HEADERS,
        b"GET /" + b"a" * LARGEST_HEADERS,
        GET + b"X" * LARGEST_HEADERS,
    ],
    ids=["value", "many", "path", "name"],
)
def test_too_large_headers(data: bytes, client: Client) -> None:
    """Those that come whole in one piece are refused by the app."""
    for _ in range(2):  # the first and a later request
        client.send(GET + b"\r\n").answer()
    assert error_in(client.send(data).rest()) == (431, "the headers are larger than 65536 bytes")
    client.send(b"a" * 1000)  # a client that goes on sending is not reset at once
    time.sleep(0.05)
    client.send(b"a")


def test_a_path_that_httptools_does_not_take() -> None:
    long = GET.replace(b"/", b"/" + b"a" * LARGEST_HEADERS, 1) + b"\r\n"
    with serving(echo, http=guarded(1)) as url:
        client = Client(url)
        with client.socket:
            assert error_in(client.send(long).rest())[0] == 431


def test_headers_in_pieces(client: Client) -> None:
    for piece in (GET, b"X: ", b"a" * 50_000, b"\r\nY: b\r\n", b"\r\n"):
        client.send(piece)
        time.sleep(0.01)
    assert client.answer().startswith(b"HTTP/1.1 200")


def test_megabytes_of_headers_take_no_time(client: Client) -> None:
    started = time.process_time()
    try:
        client.send(GET + b"X: " + b"a" * 30_000_000)
    except ConnectionError:
        return  # refused before all was sent
    assert client.rest().startswith(b"HTTP/1.1 431")
    assert time.process_time() - started < 2


@pytest.mark.parametrize("kind", [b"3;x=%b\r\nabc\r\n", b"3\r\nabc\r\n0\r\nX: %b\r\n\r\n"])
def test_what_is_in_a_body_but_not_of_it(kind: bytes, client: Client) -> None:
    """Too large trailers and extensions of chunks are refused."""
    try:
        client.send(CHUNKED + kind % (b"a" * 1_000_000))
        received = client.rest()
    except ConnectionError:
        return  # refused before all was sent
    assert error_in(received) == (400, "the bytes are no HTTP/1.1 request")


def test_a_body_of_many_small_parts(client: Client) -> None:
    client.send(CHUNKED)
    for _ in range(30):
        client.send(b"1\r\na\r\n" * 1000)
    assert client.send(b"0\r\n\r\n").answer().startswith(b"HTTP/1.1 200")


def test_a_body_that_is_larger_than_headers_may_be(client: Client) -> None:
    head = b"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n"
    for _ in range(2):  # not read by the app; nor is it taken for the headers of the next request
        assert client.send(head + b"a" * 300_000).answer().startswith(b"HTTP/1.1 200")
    assert client.send(GET + b"\r\n").answer().startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_only_clients_of_http_1_1_are_asked_for_the_body(version: bytes, client: Client) -> None:
    head = POST.replace(b"HTTP/1.1", b"HTTP/" + version)
    client.send(head.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
    if version == b"1.1":
        assert client.answer() == b"HTTP/1.1 100 Continue\r\n\r\n"
    answer = client.send(b"hello").answer()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"100 Continue" not in answer


def test_an_upgrade_ends_the_connection() -> None:
    """A body after it would be taken for a request."""
    upgrade = POST.replace(b"\r\n\r\n", b"\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
    with serving(echo, http=HttpToolsGuard) as url:
        client = Client(url)
        with client.socket:
            assert b"connection: close" in client.send(upgrade).rest()


@pytest.mark.parametrize("data", [b"\x16\x03\x01\x02\x00", b"abc\r\n\r\n"])
def test_what_is_no_http(data: bytes, client: Client) -> None:
    assert error_in(client.send(data).rest()) == (400, "the bytes are no HTTP/1.1 request")


BAD_CHUNKS = [
    b"zz\r\nabc\r\n",
    b"-5\r\nabcde\r\n",
    b"5\r\nabcdefgh\r\n",
    b"3\r\nabc\r\nzz\r\n",
]


@pytest.mark.parametrize("chunks", BAD_CHUNKS)
@pytest.mark.parametrize("pause", [0, 0.05])
def test_a_fault_in_a_body(chunks: bytes, pause: float, client: Client) -> None:
    """The app, which waits for more of the body, answers nothing."""
    client.send(CHUNKED)
    time.sleep(pause)
    assert error_in(client.send(chunks).rest())[0] == 400


def test_a_fault_after_the_answer_has_begun(client: Client) -> None:
    """Two answers would mix."""
    client.send(CHUNKED.replace(b"/", b"/begun", 1))
    begun = client.answer()
    with contextlib.suppress(ConnectionError):
        begun += client.send(b"zz\r\n").rest()
    assert begun.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("fault", [b"abc\r\n\r\n", CHUNKED + b"zz\r\n"])
@pytest.mark.parametrize("path", [b"/", b"/slow"])
def test_what_came_before_a_fault_is_answered(path: bytes, fault: bytes, client: Client) -> None:
    first = GET.replace(b"/", path, 1) + b"\r\n"
    received = client.send(first + POST + b"abcde" + fault).rest()
    assert received.count(b"HTTP/1.1 200") == 2
    assert error_in(received[received.index(b"HTTP/1.1 400") :])[0] == 400


def test_a_fault_is_logged_once(server: str, caplog: pytest.LogCaptureFixture) -> None:
    client = Client(server)
    with client.socket, caplog.at_level("INFO", "modelserver"):
        client.send(b"abc\r\n\r\n").rest()
    assert [record.levelname for record in caplog.records] == ["INFO"]


def test_headers_that_do_not_go_on(client: Client) -> None:
    assert error_in(client.send(GET).rest()) == (
        408,
        "no more of the request came for 0.5 s (READ_TIMEOUT)",
    )


def test_the_headers_of_a_second_request_do_not_go_on(client: Client) -> None:
    assert client.send(GET + b"\r\n" + GET).answer().startswith(b"HTTP/1.1 200")
    assert error_in(client.rest())[0] == 408


@pytest.mark.parametrize("data", [b"", POST.replace(b"/", b"/early", 1) + b"abc"])
def test_a_client_that_owes_something_is_left(data: bytes, client: Client) -> None:
    received = client.send(data).rest()
    assert b"HTTP/1.1 408" not in received
    assert (b"HTTP/1.1 200" in received) == bool(data)


@pytest.mark.parametrize("path", [b"/", b"/slow"])
def test_a_client_that_sends_no_more_is_answered(path: bytes, client: Client) -> None:
    client.send(POST.replace(b"/", path, 1) + b"abcde" + GET + b"\r\n")
    client.socket.shutdown(socket.SHUT_WR)
    assert client.rest().count(b"HTTP/1.1 200") == 2


@pytest.mark.parametrize("data", [b"", GET, POST + b"abc", GET + b"\r\n" + POST])
def test_a_client_that_owes_something_and_sends_no_more_is_left(
    data: bytes, client: Client
) -> None:
    client.send(data)
    client.socket.shutdown(socket.SHUT_WR)
    assert client.rest().count(b"HTTP/1.1") <= data.count(b"GET")


def test_slow_is_not_silent(client: Client) -> None:
    for piece in (GET[:5], GET[5:], b"X: ", b"a", b"b", b"\r\n\r\n"):
        client.send(piece)
        time.sleep(TIMEOUT / 4)
    assert client.answer().startswith(b"HTTP/1.1 200")


def test_a_slow_answer_is_waited_for(client: Client) -> None:
    client.send(GET.replace(b"/", b"/slow", 1) + b"\r\n")
    assert client.answer().startswith(b"HTTP/1.1 200")


def test_an_idle_connection_is_kept_beyond_the_timeout(client: Client) -> None:
    for pause in (2.5 * TIMEOUT, 0):
        assert client.send(GET + b"\r\n").answer().startswith(b"HTTP/1.1 200")
        time.sleep(pause)


def test_a_client_that_does_not_read_its_answer_is_left(client: Client) -> None:
    client.send(GET.replace(b"/", b"/large", 1) + b"\r\n")
    time.sleep(4 * TIMEOUT)
    with contextlib.suppress(ConnectionError):
        assert len(client.rest()) < len(LARGE)


def test_a_client_that_reads_slowly_is_answered() -> None:
    with serving(echo, http=guarded(1)) as url:
        client = Client(url)
        with client.socket:
            client.send(GET.replace(b"/", b"/large", 1) + b"\r\n")
            received = 0
            while received < len(LARGE):
                more = client.socket.recv(5_000_000)
                assert more
                received += len(more)
                time.sleep(0.1)


def test_the_parser_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert issubclass(guarded(30), HttpToolsGuard)
    monkeypatch.setitem(sys.modules, HttpToolsGuard.__module__, None)
    assert issubclass(guarded(30), H11Guard)


def test_without_a_timeout_a_client_may_be_silent() -> None:
    with serving(echo, http=guarded(0)) as url:
        client = Client(url)
        with client.socket:
            time.sleep(0.1)
            assert client.send(GET + b"\r\n").answer().startswith(b"HTTP/1.1 200")
