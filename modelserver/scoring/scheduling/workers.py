"""Runs predictions: at once on the event loop, together with others, or in worker threads.

Theory of operation
===================

The event loop reads all requests and writes all answers, so nothing else happens while a prediction
runs on it, not even `/ping`. A prediction in a thread leaves the event loop free, but passing the
work to a thread and the result back costs about as much as a small prediction itself. So each piece
of work goes to one of four places, which `placement.place_of` chooses:

    place    | what goes there                            | why
    ---------+--------------------------------------------+-----------------------------------------
    here     | small work that is expected to be short,   | a single caller is answered soonest: it
             | the first in a turn of the event loop      | does not wait for a thread
    gathered | such work that can be joined, if there was | at the end of the turn all gathered work
             | other work in this turn, or several pieces | is joined: one prediction for many
             | in the last turn that gathered work        |
    thread   | all else: large, slow or of unknown length | the event loop stays free
    refused  | all work while threads and queue are full  | a 503 now is better than a 504 later

Small work is expected to be short after `TRUSTED_AFTER` pieces in a row that were not slow, if the
last ones took less than `SHORT`, or than `SHORT_FOR_ONE` while all work comes from one caller.
After a slow piece, `PENALTY` pieces go to threads. If joined work took `SHORT_TOGETHER` or longer,
half as much of it is joined in the next turn. While a thread has work, all new work goes to
threads. Short work that cannot be joined also runs here later in a turn, as long as all such work
together holds the event loop for less than that bound.

Work that does not run here at once becomes a `Job`, which goes through these states:

    state    | what happens                               | next state
    ---------+--------------------------------------------+-----------------------------------------
    gathered | the turn ends                              | answered, by the event loop
    gathered | the turn ends, but others were not short   | queued
    gathered | its caller leaves, or its timeout passes   | gathered: it still runs
    queued   | a thread is free                           | running
    queued   | its caller leaves, or its timeout passes   | withdrawn: it never runs
    running  | it ends                                    | answered
    running  | its caller leaves, or its timeout passes   | abandoned: it keeps its place to the end

Three rules always hold:

1. Only the event loop changes the load and answers callers. It shares nothing with the threads but
   the queue, which a lock guards.
2. No work waits for more work to come. A thread joins what is queued already; the event loop joins
   what came in one turn. Joined work is timed as one piece.
3. A thread does not wait for the event loop, and no exception ends a thread. While it computes in
   Python, the event loop gets its turn (`TURN`).

Work that never ends keeps its thread. If it keeps the event loop, or all threads, the process ends
(`watchdog`).
"""

import asyncio
import queue
import sys
import threading
import time
from asyncio.events import _set_running_loop
from asyncio.tasks import _enter_task, _leave_task
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from modelserver.errors import Overloaded, TimedOut
from modelserver.scoring.scheduling.jobs import Job, Join, outcomes, take_together
from modelserver.scoring.scheduling.placement import Caller, Load, place_of
from modelserver.scoring.scheduling.watchdog import Watchdog

T = TypeVar("T")

TURN: Final = 0.0005
"""Seconds after which a thread that computes in Python lets another one go on; by default 0.005.
The event loop waits for that several times before it has answered a request. While two threads
computed and 180 requests a second were refused, 99 % of `/ping` took at most 11 ms; 25 with 0.001,
and as many predictions."""


def outside_of_loop(work: Callable[[], T]) -> T:
    """What `work` returns. While it runs, this thread seems to have no event loop, as a worker
    thread has none: a model may run one of its own, as `asyncio.run` does."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    if task is not None:
        _leave_task(loop, task)
    _set_running_loop(None)
    try:
        return work()
    finally:
        _set_running_loop(loop)
        if task is not None:
            _enter_task(loop, task)


class Workers:
    """Runs work for the event loop. It has `threads` threads, and `max_queue` jobs may wait."""

    def __init__(
        self, threads: int, max_queue: int, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.load = Load(capacity=threads + max_queue)
        self._clock = clock
        self._gathered: deque[Job] = deque()
        self._queued: deque[Job] = deque()
        self._lock = threading.Lock()
        # One wake-up for each job. A thread that finds no job, since another joined it, waits on.
        self._wake_ups: queue.SimpleQueue[bool] = queue.SimpleQueue()
        # Started with the first job: a process that is forked later has no threads of its parent.
        self.threads = [
            # Daemons, so that the process can end while a prediction still runs.
            threading.Thread(target=self._work, name=f"predict-{number}", daemon=True)
            for number in range(threads)
        ]
        self._are_started = False
        self._watchdog = Watchdog(self.threads)

    async def run(
        self,
        work: Callable[[], T],
        timeout: float,
        small: bool,
        join: Join | None = None,
        caller: Caller = None,
    ) -> T:
        """The result of `work`, or what it raises. Called on the event loop.

        Raises `Overloaded` at once if too much work waits already, and `TimedOut` after `timeout`
        seconds (0: never). `small`: whether the work may run on the event loop, if such work is
        expected to be short. `join` does several pieces of small work at once (`jobs.py`).
        `caller`: the connection that the work came over, if it is known.
        """
        self.load.arrive(caller)
        place = place_of(self.load, small, join is not None)
        if place == "here":
            return self._run_here(work, timeout)
        if place == "refused":
            raise Overloaded(
                "all workers are busy and the queue is full; try again later",
                headers={"Retry-After": "1"},
            )
        loop = asyncio.get_running_loop()
        job = Job(work, loop.create_future(), small, join if small else None)
        if place == "gathered":
            self._gather(job, timeout)
        else:
            self._watchdog.start(timeout)
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
        """Ends each thread when it has no more work."""
        for _ in self.threads:
            self._wake_ups.put(False)
        self._watchdog.close()

    def _on_loop(self, work: Callable[[], T], timeout: float) -> T:
        self._watchdog.start(timeout)
        self._watchdog.on_loop.begun += 1
        try:
            return outside_of_loop(work)
        finally:
            self._watchdog.on_loop.ended += 1

    def _run_here(self, work: Callable[[], T], timeout: float) -> T:
        start = self._clock()
        try:
            return self._on_loop(work, timeout)
        finally:
            seconds = self._clock() - start
            self._hold(seconds)
            self.load.learn(seconds)

    def _hold(self, seconds: float) -> None:
        """Notes for the rest of this turn that work has held the event loop for so long."""
        if self.load.is_alone:
            return  # a caller that waits for an answer has no more work in this turn
        if not self.load.held:
            asyncio.get_running_loop().call_soon(self._end_turn)
        self.load.held += seconds

    def _end_turn(self) -> None:
        self.load.held = 0.0

    def _gather(self, job: Job, timeout: float) -> None:
        if not self._gathered:
            asyncio.get_running_loop().call_soon(self._run_gathered, timeout)
        self._gathered.append(job)
        self.load.gathered += 1

    def _run_gathered(self, timeout: float) -> None:
        """Runs the work that was gathered in the turn of the event loop that has just ended."""
        jobs = take_together(self._gathered, self.load.most)
        self.load.gathered -= len(jobs)
        self.load.crowded = len(jobs) > 1
        self._answer(jobs, *self._on_loop(lambda: self._run_timed(jobs), timeout))
        if self._gathered and self.load.is_short:
            asyncio.get_running_loop().call_soon(self._run_gathered, timeout)
        elif self._gathered:
            self.load.gathered -= len(self._gathered)
            self._queue(*self._gathered)
            self._gathered.clear()

    def _queue(self, *jobs: Job) -> None:
        """Hands jobs over to the threads. They come at once, so that they can be joined."""
        if not self._are_started:
            self._are_started = True
            sys.setswitchinterval(TURN)
            for thread in self.threads:
                thread.start()
        self.load.in_threads += len(jobs)
        with self._lock:
            self._queued.extend(jobs)
        for _ in jobs:
            self._wake_ups.put(True)

    def _work(self) -> None:
        """The loop of each worker thread; `close` ends it."""
        while self._wake_ups.get():
            if not self._work_once():
                return

    def _work_once(self) -> bool:
        """Runs the jobs that are next, and keeps nothing of them. False if no caller waits any
        more."""
        with self._lock:
            jobs = take_together(self._queued)
            self._watchdog.in_threads.begun += bool(jobs)
        if not jobs:
            return True
        found, seconds = self._run_timed(jobs)
        with self._lock:
            self._watchdog.in_threads.ended += 1
        loop = jobs[0].future.get_loop()
        try:
            loop.call_soon_threadsafe(self._leave_thread, jobs, found, seconds)
        except RuntimeError:  # the event loop was closed
            return False
        finally:
            del jobs, found  # see `_run_timed`
        return True

    def _leave_thread(self, jobs: Sequence[Job], found: Sequence[Any], seconds: float) -> None:
        self.load.in_threads -= len(jobs)
        self._answer(jobs, found, seconds)

    def _run_timed(self, jobs: Sequence[Job]) -> tuple[Sequence[Any], float]:
        start = self._clock()
        try:
            return outcomes(jobs), self._clock() - start
        finally:
            del jobs  # an exception refers to its caller's variables, and a job to the exception

    def _answer(self, jobs: Sequence[Job], found: Sequence[Any], seconds: float) -> None:
        if jobs[0].small:
            self.load.learn(seconds, len(jobs))
        for job, outcome in zip(jobs, found, strict=True):
            job.settle(outcome)

    def _expire(self, job: Job) -> None:
        self._withdraw(job)
        job.settle(
            TimedOut("the prediction took longer than the request timeout (REQUEST_TIMEOUT)")
        )

    def _withdraw(self, job: Job) -> None:
        """Removes a job from the queue, unless a thread has taken it already."""
        with self._lock:
            if job in self._queued:
                self._queued.remove(job)
                self.load.in_threads -= 1
