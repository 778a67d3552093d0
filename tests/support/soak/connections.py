"""Callers that only hold, break or fill their connections: the others are served meanwhile, and
nothing of them is left afterwards."""

import asyncio
import gzip
import io
import resource
import socket
import struct
import zipfile
import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from tests.support.processes import Server, our_server
from tests.support.soak.client import (
    MEGABYTE,
    PING,
    Answer,
    Connection,
    Pulse,
    beating,
    connect,
    descriptors,
    percentile,
    prediction,
    request,
    resident,
    wait_until_ready,
)
from tests.support.soak.findings import Extent, Finding
from tests.support.zoo import MODELS

Trial: TypeAlias = Callable[[str, int], Awaitable[int]]
"""Gets the server's URL and how many connections to try; tells on how many all went well."""

LARGEST_BODY: Final = MEGABYTE

NO_LINGER: Final = struct.pack("ii", 1, 0)
"""With this, a socket that is closed resets its connection."""


def _asked(number: int) -> bytes:
    return prediction({"inputs": [number]})


def _is_answer(answer: Answer | None, number: int) -> bool:
    """Whether this is the model's answer to `_asked(number)`."""
    return answer is not None and b'"int %d"' % number in answer.body


async def _each(url: str, number: int, act: Callable[[Connection, int], Awaitable[bool]]) -> int:
    """On how many of so many connections, all open at the same time, `act` went well."""
    connections = [await connect(url) for _ in range(number)]
    acts = (act(connection, place) for place, connection in enumerate(connections))
    done = await asyncio.gather(*acts, return_exceptions=True)  # of what hung, `Hung`
    for connection in connections:
        connection.close()
    return done.count(True)


async def idle(url: str, number: int) -> int:
    """Every second one says something first, and then all are silent."""

    async def act(connection: Connection, place: int) -> bool:
        if place % 2:
            await connection.ask(PING)
        await asyncio.sleep(1 + place / 1000)
        return _is_answer(await connection.ask(_asked(place)), place)

    return await _each(url, number, act)


async def slow(url: str, number: int) -> int:
    """Sends its request in thirty pieces, one after the other. All end at other moments, since more
    at once than the queue holds are told to come back."""

    async def act(connection: Connection, place: int) -> bool:
        whole = _asked(place)
        await asyncio.sleep(place / 200)
        for start in range(0, len(whole), len(whole) // 30):
            connection.writer.write(whole[start : start + len(whole) // 30])
            await asyncio.sleep(0.05)
        return _is_answer(await connection.answer(), place)

    return await _each(url, number, act)


async def reset(url: str, number: int) -> int:
    """Resets its connection somewhere within its request, or before it has read the answer."""

    async def act(connection: Connection, place: int) -> bool:
        whole = _asked(place)
        connection.writer.write(whole[: len(whole) * (place + 1) // number])
        await asyncio.sleep(0.001 * (place % 20))
        opened: socket.socket = connection.writer.get_extra_info("socket")
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        connection.writer.transport.abort()
        return True

    return await _each(url, number, act)


async def pipelined(url: str, number: int) -> int:
    """Sends a hundred requests at once; the answers come in order."""

    async def act(connection: Connection, place: int) -> bool:
        numbers = range(place * 100, place * 100 + 100)
        connection.writer.write(b"".join(map(_asked, numbers)))
        return all([_is_answer(await connection.answer(), number) for number in numbers])

    return await _each(url, number, act)


ENDLESS: Final = (
    (request("/invocations", headers={"Transfer-Encoding": "chunked"}), b"8000\r\n%b\r\n", 413),
    (request("/invocations", headers={"Transfer-Encoding": "chunked"}) + b"1;", b"%b", 400),
    (request()[:-2], b"X: %b\r\n", 431),
    (request()[:-2] + b"X: ", b"%b", 431),
    (b"GET /", b"%b", 431),
)
"""What begins, how it goes on, and how it is answered: chunks of a body, the line of a chunk,
headers, a header, a path."""


async def endless(url: str, number: int) -> int:
    """Sends until it is answered; with 503 if the others take the memory for bodies."""

    async def act(connection: Connection, place: int) -> bool:
        start, more, status = ENDLESS[place % len(ENDLESS)]
        answering = asyncio.create_task(connection.answer())
        connection.writer.write(start)
        while not answering.done() and not connection.writer.is_closing():
            connection.writer.write(more % (b"a" * 0x8000))
            await asyncio.sleep(0.005)
        answer = await answering
        return answer is None or answer.status in (status, 503)

    return await _each(url, number, act)


def _bombs() -> Sequence[tuple[bytes, Mapping[str, str]]]:
    """Small bodies that stand for twenty megabytes or more, and their headers."""
    zeros = b"[" + b"0," * (10 * MEGABYTE) + b"0]"
    packed, rows, archive = gzip.compress(zeros, 1), io.BytesIO(), io.BytesIO()
    pq.write_table(pa.table({"n": pa.array([0] * (10 * MEGABYTE), pa.int64())}), rows)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        file.writestr("a.json", zeros)
    return [
        (packed, {"Content-Encoding": "gzip"}),
        (zlib.compress(zeros, 1), {"Content-Encoding": "deflate"}),
        (gzip.compress(packed), {"Content-Encoding": "gzip, gzip"}),
        (rows.getvalue(), {"Content-Type": "application/vnd.apache.parquet"}),
        (archive.getvalue(), {"Content-Type": "application/json"}),
        (b"[" * LARGEST_BODY, {"Content-Type": "application/json"}),
    ]


async def bombs(url: str, number: int) -> int:
    """Sends a small body that stands for a large one, and is refused; with 503 if the others take
    the memory for bodies."""
    made = [request("/invocations", body, headers=headers) for body, headers in _bombs()]

    async def act(connection: Connection, place: int) -> bool:
        answer = await connection.ask(made[place % len(made)])
        return answer is not None and answer.status in (400, 413, 503)

    return await _each(url, number, act)


@dataclass(frozen=True, slots=True)
class Row:
    """A trial, and on how many connections it is made."""

    tried: str
    wanted: str
    trial: Trial
    connections: int


ROWS: Final = (
    Row("idle connections", "answered when they ask after all", idle, 2000),
    Row("slow requests, in thirty pieces", "answered", slow, 200),
    Row("connections reset within a request", "the others go on", reset, 2000),
    Row("connections with 100 pipelined requests", "answered in their order", pipelined, 100),
    Row("requests without end", "refused, or the connection ends", endless, 100),
    Row("bombs of gzip, deflate, zip, Parquet and JSON", "refused", bombs, 100),
)

GROWTH: Final = 64.0
"""The most megabytes by which the server may have grown when all have left."""

PAUSE: Final = 2.0
"""Seconds until the server has noticed that all have left, and has freed memory."""


def _allow_descriptors(number: int) -> None:
    """Lets this process, and those that it starts, open so many files and sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < number:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(number, hard), hard))


def connections(extent: Extent) -> Sequence[Finding]:
    """The part of the campaign."""
    _allow_descriptors(2 * max(row.connections for row in ROWS))
    model = MODELS["one_long"](extent.folder / "model")
    settings = {"MODEL_URI": str(model), "MAX_REQUEST_BYTES": str(LARGEST_BODY)}
    with our_server(extent.folder / "log", **settings, LOG_LEVEL="warning") as server:
        wait_until_ready(server)
        return asyncio.run(_try_all(server, extent))


async def _try_all(server: Server, extent: Extent) -> Sequence[Finding]:
    findings = []
    files, size = descriptors(server), resident(server)
    predicting = Pulse(server.url, _asked(1), allowed=(200, 503))
    async with beating(Pulse(server.url)) as ping, beating(predicting) as asked:
        for row in ROWS:
            number = extent.of(row.connections, least=12)
            right = await row.trial(server.url, number)
            seen = f"{right:,} of {number:,}"
            findings.append(Finding(f"{number:,} {row.tried}", row.wanted, seen, right == number))
    await asyncio.sleep(PAUSE)
    kept, growth = descriptors(server) - files, resident(server) - size
    return [
        *findings,
        _pulse("`/ping`", "always 200", ping),
        _pulse("a prediction", "200, or 503 while others fill the queue", asked),
        Finding("sockets and files when all have left", "as before", f"{kept:+d}", kept <= 0),
        Finding(
            "memory when all have left",
            f"grows by {GROWTH:.0f} MB at most",
            f"{growth:.0f} MB",
            growth <= GROWTH,
        ),
    ]


def _pulse(name: str, wanted: str, pulse: Pulse) -> Finding:
    slow = percentile(pulse.seconds) * 1000
    seen = f"{pulse.missed} missed of {len(pulse.seconds):,}; 99 % within {slow:.0f} ms"
    return Finding(f"{name} fifty times a second meanwhile", wanted, seen, not pulse.missed)
