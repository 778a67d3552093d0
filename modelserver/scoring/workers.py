"""Runs predictions: at once on the event loop, together with others, or in worker threads.

Theory of operation
===================

The event loop reads all requests and writes all answers, so nothing else happens while a prediction
holds it, not even `/ping`. A thread leaves it free, but to hand a prediction to a thread and its
result back costs about as much as a small prediction itself. So each piece of work goes to one of
four places, which `placement.place_of` chooses:

    place    | what goes there                            | why
    ---------+--------------------------------------------+-----------------------------------------
    here     | small work that is expected to be short,   | a lone caller is answered soonest: no
             | the first in a turn of the event loop      | waiting, no handing over
    gathered | the same, but others came in this turn or  | at the end of the turn all that came in
             | in the last, and it can be joined          | it is joined: one prediction for many
    thread   | all else: large, slow or of unknown length | the event loop stays free
    refused  | what finds the threads and queue full      | a 503 now is better than a 504 later

Small work is expected to be short once `TRUSTED_AFTER` pieces in a row were not slow; a slow piece
ends that for long. While threads are at work, all goes to threads. Short work that cannot be joined
also runs here later in a turn, until it would hold the event loop for more than `SHORT`.

Work that is not done here at once becomes a `Job`, which goes through these states:

    state    | what happens                               | next state
    ---------+--------------------------------------------+-----------------------------------------
    gathered | the turn ends                              | answered, by the event loop
    gathered | so, but other gathered work was not short  | queued
    queued   | a thread is free                           | running
    queued   | its caller leaves, or its timeout passes   | withdrawn: it never runs
    running  | it ends                                    | answered
    running  | its caller leaves, or its timeout passes   | abandoned: it keeps its place to the end

Three rules hold throughout:

1. The event loop alone changes the load and answers callers. What it shares with the threads is the
   queue, which a lock guards.
2. Nothing waits for more work to come. A thread takes along what is queued already and can be
   joined; the event loop takes what came in one turn. What is joined is timed as one piece of work.
3. A thread does not wait for the event loop, and no exception ends it.
"""

import asyncio
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from modelserver.errors import Overloaded, TimedOut
from modelserver.scoring.jobs import Job, Join, outcomes, take_together
from modelserver.scoring.placement import Load, place_of

T = TypeVar("T")


class Workers:
    """Does the event loop's work: `threads` workers, and room for `max_queue` jobs that wait."""

    def __init__(
        self, threads: int, max_queue: int, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.load = Load(capacity=threads + max_queue)
        self._clock = clock
        self._gathered: deque[Job] = deque()
        self._queued: deque[Job] = deque()
        self._lock = threading.Lock()
        # One wake-up a job; those of jobs that another worker took along are for nothing.
        self._wake_ups: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self.threads = [
            # Daemons: a prediction that never ends does not keep the process from ending.
            threading.Thread(target=self._work, name=f"predict-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self.threads:
            thread.start()

    async def run(
        self, work: Callable[[], T], timeout: float, small: bool, join: Join | None = None
    ) -> T:
        """The result of `work`, or what it raises. Called on the event loop.

        Raises `Overloaded` at once if too much waits already, and `TimedOut` after `timeout`
        seconds (0: never). `small` work may run on the event loop if that was always short;
        `join` does several pieces of small work at once (`jobs.py`).
        """
        place = place_of(self.load, small, join is not None)
        if place == "here":
            return self._run_here(work)
        if place == "refused":
            raise Overloaded(
                "all workers are busy and the queue is full; try again later",
                headers={"Retry-After": "1"},
            )
        loop = asyncio.get_running_loop()
        job = Job(work, loop.create_future(), small, join if small else None)
        if place == "gathered":
            self._gather(job)
        else:
            self._queue(job)
        timer = loop.call_later(timeout, self._expire, job) if timeout else None
        try:
            return await job.future  # type: ignore[no-any-return]
        except asyncio.CancelledError:
            self._withdraw(job)
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def close(self) -> None:
        """Ends the threads once what they are doing is done."""
        for _ in self.threads:
            self._wake_ups.put(False)

    def _run_here(self, work: Callable[[], T]) -> T:
        if not self.load.held:
            asyncio.get_running_loop().call_soon(self._end_turn)
        start = self._clock()
        try:
            return work()
        finally:
            seconds = self._clock() - start
            self.load.held += seconds
            self.load.learn(seconds)

    def _end_turn(self) -> None:
        self.load.held = 0.0

    def _gather(self, job: Job) -> None:
        if not self._gathered:
            asyncio.get_running_loop().call_soon(self._run_gathered)
        self._gathered.append(job)
        self.load.gathered += 1

    def _run_gathered(self) -> None:
        """Does what was gathered in the turn of the event loop that has just ended."""
        jobs = take_together(self._gathered)
        self.load.gathered -= len(jobs)
        self.load.crowded = len(jobs) > 1
        self._answer(jobs, *self._run_timed(jobs))
        if self._gathered and self.load.is_short:
            asyncio.get_running_loop().call_soon(self._run_gathered)
        while self._gathered and not self.load.is_short:
            self.load.gathered -= 1
            self._queue(self._gathered.popleft())

    def _queue(self, job: Job) -> None:
        self.load.in_threads += 1
        with self._lock:
            self._queued.append(job)
        self._wake_ups.put(True)

    def _work(self) -> None:
        """What each worker thread does until `close`."""
        while self._wake_ups.get():
            with self._lock:
                jobs = take_together(self._queued)
            if not jobs:
                continue
            found, seconds = self._run_timed(jobs)
            loop = jobs[0].future.get_loop()
            try:
                loop.call_soon_threadsafe(self._leave_thread, jobs, found, seconds)
            except RuntimeError:  # the loop was closed: nobody waits any more
                return

    def _leave_thread(self, jobs: Sequence[Job], found: Sequence[Any], seconds: float) -> None:
        self.load.in_threads -= len(jobs)
        self._answer(jobs, found, seconds)

    def _run_timed(self, jobs: Sequence[Job]) -> tuple[Sequence[Any], float]:
        start = self._clock()
        found = outcomes(jobs)
        return found, self._clock() - start

    def _answer(self, jobs: Sequence[Job], found: Sequence[Any], seconds: float) -> None:
        if jobs[0].small:
            self.load.learn(seconds)
        for job, outcome in zip(jobs, found, strict=True):
            job.settle(outcome)

    def _expire(self, job: Job) -> None:
        self._withdraw(job)
        job.settle(
            TimedOut("the prediction took longer than the request timeout (REQUEST_TIMEOUT)")
        )

    def _withdraw(self, job: Job) -> None:
        """Takes a job whose caller is gone out of the queue, unless a thread has it already."""
        with self._lock:
            if job in self._queued:
                self._queued.remove(job)
                self.load.in_threads -= 1
