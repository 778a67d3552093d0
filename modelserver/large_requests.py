"""Requests with tables that are larger than memory: predicted in chunks while they are received.

In: a request whose body is too large to be read whole. Out: the answer, which is
sent as a file once the body has ended, so that an error in the last row is still an error. The next
part of the body is received while one is predicted, and no more, so a client sends no faster than
the model predicts. Each chunk is a piece of work for `workers`; a table that has begun waits until
there is room for it.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeVar

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Send

from modelserver.answering.formats import AnswerFormat
from modelserver.errors import Overloaded, table_too_large
from modelserver.hosting.bodies import TooLarge, Upload
from modelserver.hosting.settings import Settings
from modelserver.reading.query import Query
from modelserver.scoring.large_tables import Asked, LargeTable, not_in_chunks, why_whole
from modelserver.scoring.model import Model
from modelserver.scoring.scheduling.workers import Workers
from modelserver.scoring.spool import Spool

T = TypeVar("T")

PAUSE: Final = 0.1
"""Seconds after which work that found all workers busy is tried again."""


PIECE: Final = 1024 * 1024
"""How many bytes of an answer are sent at a time."""

NO_LIMIT: Final = 0.0
"""Seconds for work that calls no model, so that it ends."""


def large_table(
    model: Model,
    headers: Headers,
    query: Query,
    answer: AnswerFormat,
    fault: TooLarge,
    settings: Settings,
) -> LargeTable:
    """The table in a request whose body is too large to be read whole, as `fault` says. Raises
    `ApiError` if it cannot be read in chunks either."""
    if unmet := why_whole(model, answer, query.chunked):
        raise not_in_chunks(fault.message, unmet)
    announced = headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > settings.max_table_bytes:
        raise table_too_large(settings.max_table_bytes)
    asked = Asked(
        headers.get("content-type"),
        headers.get("content-encoding"),
        answer,
        query.include,
        fault.message,
        settings.max_request_bytes,
        settings.max_table_bytes,
    )
    return LargeTable(model, asked)


async def predicted(table: LargeTable, upload: Upload, workers: Workers, timeout: float) -> Spool:
    """The answer to the whole upload. `timeout`: seconds for each chunk. Raises `ApiError` and
    `ClientDisconnect`."""
    coming = asyncio.ensure_future(upload.part(table.part_size))
    try:
        last = False
        while not last:
            part, last = await coming
            if not last:
                coming = asyncio.ensure_future(upload.part(table.part_size))
            table.feed(part, last)
            while await in_turn(workers, timeout, table.step, has_begun=table.rows > 0):
                pass
            upload.release(part)
        return await in_turn(workers, NO_LIMIT, table.finish, has_begun=True)
    finally:
        await _cancelled(coming)
        upload.close()


async def _cancelled(task: "asyncio.Future[Any]") -> None:
    """Waits until the task has ended."""
    task.cancel()
    await asyncio.wait([task])


async def in_turn(workers: Workers, timeout: float, work: Callable[[], T], has_begun: bool) -> T:
    """The result of the work, or what it raises. If all workers are busy, it waits for its turn;
    work for a table that has not begun raises `Overloaded`."""
    while True:
        try:
            return await workers.run(work, timeout, small=False)
        except Overloaded:
            if not has_begun:
                raise
        await asyncio.sleep(PAUSE)


async def send_file(file: Spool, receive: Receive, send: Send) -> None:
    """Sends the body of an answer, whose headers were sent. Raises `ClientDisconnect` once the
    client has left; the whole request was received before."""
    left = asyncio.ensure_future(receive())
    try:
        place, size = 0, file.size
        while place < size:
            if left.done():
                raise ClientDisconnect
            piece = await asyncio.to_thread(file.piece, place, PIECE)
            place += len(piece)
            more = place < size
            await send({"type": "http.response.body", "body": piece, "more_body": more})
    finally:
        left.cancel()
