"""A table that is larger than memory, predicted in chunks while its body is received.

The next part of the body is received while one is predicted, and no more, so a client sends no
faster than the model predicts. Each chunk is a piece of work for `workers`; a table that has begun
waits until there is room for it. In: a `LargeTable` and the upload that has it. Out: a file.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeVar

from modelserver.errors import Overloaded
from modelserver.hosting.bodies import Upload
from modelserver.scoring.chunking.large_tables import LargeTable
from modelserver.scoring.chunking.spool import Spool
from modelserver.scoring.scheduling.workers import Workers

T = TypeVar("T")

PAUSE: Final = 0.1
"""Seconds after which work that found all workers busy is tried again."""

NO_LIMIT: Final = 0.0
"""Seconds for work that calls no model, so that it ends."""


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
