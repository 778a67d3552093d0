"""Threads that predict: bounded, and nothing is kept waiting for nobody.

`Workers.run` takes a function from the event loop to a worker thread and its result back. Beyond
the queue's bound it raises `Overloaded` at once, after the timeout `TimedOut`; work that has not
begun by then is dropped. Small work may run on the loop itself while all the last such work was
measured to be short, because handing it over costs about as much as it does. A caller who seems to
be alone may hold the loop a little longer: nobody else is waiting.

Small work that comes with a function to join it (`jobs.py`) is done together with what waits for
the same: a thread takes along what is queued, the loop what came in one of its turns. Nothing
waits for others to come, and what is joined counts as one piece of work.
"""

import asyncio
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from modelserver.errors import Overloaded, TimedOut
from modelserver.scoring.jobs import Job, Join, outcomes, take_together

T = TypeVar("T")

SHORT: Final = 0.002
"""Seconds that the event loop may be held in one turn."""

LONE: Final = 0.01
"""The same while one caller is alone. To be handed to a thread and back costs a prediction of 6 ms
an eighth more CPU, and a quarter more time."""

TRUSTED_AFTER: Final = 20
"""Short pieces of small work in a row, before the next may run on the loop."""

SLOW: Final = 0.05
"""Seconds that no hiccup of the machine explains."""

PENALTY: Final = 1000
"""Pieces of small work that go to threads after a slow one."""

FADING: Final = 0.8
"""How much of a longer duration is still expected after each shorter one."""


class Turn:
    """A turn of the event loop: how long it was held by work, and whether others came in it.

    To gather what else comes costs a turn, which the work of a lone caller is spared.
    """

    def __init__(self) -> None:
        self.crowded = False
        self.held = 0.0
        self._begun = False

    def begin(self) -> bool:
        """True for the first who asks in a turn."""
        if self._begun:
            return False
        self._begun = True
        asyncio.get_running_loop().call_soon(self._end)
        return True

    def _end(self) -> None:
        self._begun = False
        self.held = 0.0


class Workers:
    """`threads` workers and room for `max_queue` waiting jobs; times in seconds."""

    def __init__(self, threads: int, max_queue: int) -> None:
        self._capacity = threads + max_queue
        self._pending = 0
        self._expected = 0.0
        self._trust = 0
        self._turn = Turn()
        self._gathered: deque[Job] = deque()
        self._queued: deque[Job] = deque()
        self._lock = threading.Lock()
        # One wake-up a job; those of jobs that another worker took along are for nothing.
        self._wake_ups: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._threads = [
            # Daemons: a prediction that never ends does not keep the process from ending.
            threading.Thread(target=self._work, name=f"predict-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    async def run(
        self,
        work: Callable[[], T],
        timeout: float,
        small: bool,
        join: Join | None = None,
        lone: bool = False,
    ) -> T:
        """The result of `work`, which takes no longer than `timeout` from now (0: any time).
        `lone`: whether the caller seems to be alone."""
        bound = LONE if lone else SHORT
        here = small and self._is_short(bound) and self._pending == len(self._gathered)
        if here and self._is_free(join, bound):
            return self._run_now(work)
        if self._pending >= self._capacity:
            raise Overloaded(
                "all workers are busy and the queue is full; try again later",
                headers={"Retry-After": "1"},
            )
        loop = asyncio.get_running_loop()
        job = Job(work, loop.create_future(), small, join if small else None)
        self._pending += 1
        if here and join is not None:
            self._gather(job, loop)
        else:
            self._queue(job)
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
            self._wake_ups.put(False)

    def _is_short(self, bound: float = SHORT) -> bool:
        return self._trust >= TRUSTED_AFTER and self._expected < bound

    def _is_free(self, join: Join | None, bound: float) -> bool:
        """Whether short work may hold the loop at once, rather than be gathered or handed over."""
        if self._turn.begin() and not self._turn.crowded:
            return True
        return join is None and self._turn.held + self._expected < bound

    def _run_now(self, work: Callable[[], T]) -> T:
        start = time.perf_counter()
        try:
            return work()
        finally:
            seconds = time.perf_counter() - start
            self._turn.held += seconds
            self._learn(seconds)

    def _learn(self, seconds: float) -> None:
        self._expected = max(seconds, self._expected * FADING)
        self._trust = -PENALTY if seconds > SLOW else self._trust + 1

    def _gather(self, job: Job, loop: asyncio.AbstractEventLoop) -> None:
        if not self._gathered:
            loop.call_soon(self._run_gathered, loop)
        self._gathered.append(job)

    def _run_gathered(self, loop: asyncio.AbstractEventLoop) -> None:
        """On the loop, at the end of a turn."""
        jobs = take_together(self._gathered)
        self._turn.crowded = len(jobs) > 1
        start = time.perf_counter()
        claimed = [job for job in jobs if job.claim()]
        found = outcomes(claimed)
        self._finish(claimed, found, time.perf_counter() - start)
        if self._gathered and self._is_short():
            loop.call_soon(self._run_gathered, loop)
        while self._gathered and not self._is_short():
            self._queue(self._gathered.popleft())

    def _queue(self, job: Job) -> None:
        with self._lock:
            self._queued.append(job)
        self._wake_ups.put(True)

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
        while self._wake_ups.get():
            with self._lock:
                jobs = take_together(self._queued) if self._queued else []
            claimed = [job for job in jobs if job.claim()]
            if not claimed:
                continue
            start = time.perf_counter()
            found = outcomes(claimed)
            seconds = time.perf_counter() - start
            try:
                claimed[0].future.get_loop().call_soon_threadsafe(
                    self._finish, claimed, found, seconds
                )
            except RuntimeError:  # the loop was closed: nobody waits any more
                return

    def _finish(self, jobs: Sequence[Job], found: Sequence[Any], seconds: float) -> None:
        self._pending -= len(jobs)
        if jobs and jobs[0].small:
            self._learn(seconds)
        for job, outcome in zip(jobs, found, strict=True):
            job.settle(outcome)
