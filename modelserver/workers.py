"""Threads that predict: bounded, and nothing is kept waiting for nobody.

`Workers.run` takes a function from the event loop to a worker thread and its result back. Beyond
the queue's bound it raises `Overloaded` at once, after the timeout `TimedOut`; work that has not
begun by then is dropped. Small work may run on the loop itself while all the last such work was
measured to be short, because handing it over costs about as much as it does.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from modelserver.errors import Overloaded, TimedOut

T = TypeVar("T")

SHORT: Final = 0.002
"""Seconds that the event loop may be held."""

TRUSTED_AFTER: Final = 20
"""Short pieces of small work in a row, before the next may run on the loop."""

SLOW: Final = 0.05
"""Seconds that no hiccup of the machine explains."""

PENALTY: Final = 1000
"""Pieces of small work that go to threads after a slow one."""

FADING: Final = 0.8
"""How much of a longer duration is still expected after each shorter one."""


@dataclass(slots=True)
class Job:
    """A function on its way through a worker, which either a worker runs or its caller drops."""

    work: Callable[[], Any]
    future: "asyncio.Future[Any]"
    small: bool
    _unclaimed: list[None] = field(default_factory=lambda: [None])

    def claim(self) -> bool:
        """True for the first caller only, from whichever thread: list.pop is atomic."""
        try:
            self._unclaimed.pop()
        except IndexError:
            return False
        return True


class Workers:
    """`threads` workers and room for `max_queue` waiting jobs; times in seconds."""

    def __init__(self, threads: int, max_queue: int) -> None:
        self._capacity = threads + max_queue
        self._pending = 0
        self._expected = 0.0
        self._trust = 0
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._threads = [
            # Daemons: a prediction that never ends does not keep the process from ending.
            threading.Thread(target=self._work, name=f"predict-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    async def run(self, work: Callable[[], T], timeout: float, small: bool) -> T:
        """The result of `work`, which takes no longer than `timeout` from now (0: any time)."""
        if small and self._trust >= TRUSTED_AFTER and self._expected < SHORT and not self._pending:
            return self._run_here(work)
        if self._pending >= self._capacity:
            raise Overloaded(
                "all workers are busy and the queue is full; try again later",
                headers={"Retry-After": "1"},
            )
        loop = asyncio.get_running_loop()
        job = Job(work, loop.create_future(), small)
        self._pending += 1
        self._queue.put(job)
        timer = loop.call_later(timeout, self._expire, job) if timeout else None
        try:
            return await job.future  # type: ignore[no-any-return]
        finally:
            if timer is not None:
                timer.cancel()
            if job.future.cancelled():
                self._drop(job)

    def close(self) -> None:
        """Ends the threads once what they are doing is done."""
        for _ in self._threads:
            self._queue.put(None)

    def _run_here(self, work: Callable[[], T]) -> T:
        start = time.perf_counter()
        try:
            return work()
        finally:
            self._learn(time.perf_counter() - start)

    def _learn(self, seconds: float) -> None:
        self._expected = max(seconds, self._expected * FADING)
        self._trust = -PENALTY if seconds > SLOW else self._trust + 1

    def _expire(self, job: Job) -> None:
        if not job.future.done():
            self._drop(job)
            job.future.set_exception(
                TimedOut("the prediction took longer than the request timeout (REQUEST_TIMEOUT)")
            )

    def _drop(self, job: Job) -> None:
        if job.claim():
            self._pending -= 1

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            if not job.claim():
                continue
            start = time.perf_counter()
            result, error = None, None
            try:
                result = job.work()
            except BaseException as raised:
                error = raised
            seconds = time.perf_counter() - start
            try:
                job.future.get_loop().call_soon_threadsafe(
                    self._finish, job, result, error, seconds
                )
            except RuntimeError:  # the loop was closed: nobody waits any more
                return

    def _finish(self, job: Job, result: Any, error: BaseException | None, seconds: float) -> None:
        self._pending -= 1
        if job.small:
            self._learn(seconds)
        if job.future.done():
            return
        if error is not None:
            job.future.set_exception(error)
        else:
            job.future.set_result(result)
