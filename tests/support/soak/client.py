"""What the parts of the campaign call a server with, and what they see of its process.

A `Connection` sends any bytes, whether they are a request or not, and reads what is answered.
A `Pulse` asks again and again beside all others.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from tests.support.processes import Server, status, wait_for

PATIENCE: Final = 10.0
"""Seconds without an answer after which a request counts as hung."""

MEGABYTE: Final = 1024 * 1024

LIMIT: Final = 4 * MEGABYTE
"""The most bytes of the head of an answer; asyncio's own bound is 64 KiB."""


class Hung(Exception):
    """The connection is open, but nothing was answered for `PATIENCE` seconds."""


class Answer(NamedTuple):
    """An answer; the names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """A connection to a server. To be closed with `close`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._hung = False

    async def ask(self, request: bytes) -> Answer | None:
        """The answer to a request; None if the server closes the connection without one.

        Raises `Hung`.
        """
        self.writer.write(request)
        return await self.answer(to_head=request.startswith(b"HEAD "))

    async def answer(self, to_head: bool = False) -> Answer | None:
        """The next answer, None if there is no more. `to_head`: it has no body. Raises `Hung`."""
        timer = asyncio.get_running_loop().call_later(PATIENCE, self._give_up)
        try:
            return await self._read(to_head)
        except (asyncio.IncompleteReadError, OSError):
            if self._hung:
                raise Hung from None
            return None
        finally:
            timer.cancel()

    def close(self) -> None:
        """Ends the connection."""
        self.writer.close()

    def _give_up(self) -> None:
        self._hung = True
        self.writer.transport.abort()

    async def _read(self, to_head: bool) -> Answer:
        status = 100
        while status < 200:  # 100 Continue comes before the answer
            head = await self.reader.readuntil(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
            status = int(first.split()[1])
        pairs = (line.partition(": ") for line in lines)
        headers = {name.lower(): value for name, _, value in pairs}
        length = 0 if to_head else int(headers.get("content-length", 0))
        return Answer(status, headers, await self.reader.readexactly(length))


async def connect(url: str) -> Connection:
    """A new connection to the server at `url`."""
    address = urlsplit(url)
    return Connection(*await asyncio.open_connection(address.hostname, address.port, limit=LIMIT))


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    """A connection that is closed at the end."""
    connection = await connect(url)
    try:
        yield connection
    finally:
        connection.close()


def request(
    path: str = "/ping",
    body: bytes = b"",
    method: str = "POST",
    headers: Mapping[str, str] = MappingProxyType({}),
) -> bytes:
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


PING: Final = request(method="GET")


def prediction(value: object) -> bytes:
    """The bytes of a request with this JSON body."""
    body = json.dumps(value).encode()
    return request("/invocations", body, headers={"Content-Type": "application/json"})


class Pulse:
    """Asks the same request every few milliseconds, on one connection after the other."""

    def __init__(
        self, url: str, asked: bytes = PING, pause: float = 0.02, allowed: Sequence[int] = (200,)
    ) -> None:
        self.seconds: list[float] = []
        """How long each answer took."""
        self.missed = 0
        """How many requests were not answered with an allowed status."""
        self._url = url
        self._asked = asked
        self._pause = pause
        self._allowed = allowed

    async def beat(self) -> None:
        """Asks until it is cancelled."""
        while True:
            with contextlib.suppress(OSError):
                async with connected(self._url) as connection:
                    while await self._ask(connection):
                        await asyncio.sleep(self._pause)
            await asyncio.sleep(self._pause)

    async def _ask(self, connection: Connection) -> bool:
        began = time.perf_counter()
        try:
            answer = await connection.ask(self._asked)
        except Hung:
            answer = None
        self.seconds.append(time.perf_counter() - began)
        self.missed += answer is None or answer.status not in self._allowed
        return answer is not None


@contextlib.asynccontextmanager
async def beating(pulse: Pulse) -> AsyncIterator[Pulse]:
    """The pulse beats meanwhile."""
    task = asyncio.create_task(pulse.beat())
    try:
        yield pulse
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def percentile(seconds: Sequence[float], share: float = 0.99) -> float:
    """The time that this share of all does not exceed."""
    return sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * share))]


def wait_until_ready(server: Server) -> None:
    """Returns once the server's model is loaded."""
    wait_for(lambda: status(f"{server.url}/ping") == 200, server)


def resident(server: Server) -> float:
    """The megabytes of the server's process in memory."""
    return int(_process(server, "statm").read_text().split()[1]) * 4096 / MEGABYTE


def descriptors(server: Server) -> int:
    """How many files and sockets the server's process has open."""
    return len(list(_process(server, "fd").iterdir()))


def _process(server: Server, name: str) -> Path:
    return Path(f"/proc/{server.process.pid}/{name}")
