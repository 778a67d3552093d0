"""A piece of work and its caller, from the time it is accepted until it is answered.

Work may come with a `join`: a function that does several pieces of work at once, and returns the
result or the exception of each. `take_together` finds jobs that have the same `join`, and
`outcomes` runs them with it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from modelserver.scoring.scheduling.placement import MOST_TOGETHER

Join: TypeAlias = Callable[[Sequence[Any]], Sequence[Any]]


@dataclass(slots=True, eq=False)
class Job:
    """A function and the future in which its caller waits for the result."""

    work: Callable[[], Any]
    future: "asyncio.Future[Any]"
    small: bool
    join: Join | None = None

    def settle(self, outcome: Any) -> None:
        """Gives the result or the exception to the caller, if it still waits. To be called on the
        event loop only."""
        if self.future.done():
            return
        if isinstance(outcome, BaseException):
            self.future.set_exception(outcome)
        else:
            self.future.set_result(outcome)


def take_together(waiting: "deque[Job]", most: int = MOST_TOGETHER) -> list[Job]:
    """Removes and returns the job that has waited longest, with those that can be joined with it,
    so many at most; empty if none waits."""
    if not waiting:
        return []
    first = waiting.popleft()
    together: list[Job] = [first]
    others: list[Job] = []
    while waiting and first.join is not None and len(together) < most:
        job = waiting.popleft()
        (together if job.join is first.join else others).append(job)
    waiting.extendleft(reversed(others))
    return together


def outcomes(jobs: Sequence[Job]) -> Sequence[Any]:
    """The result of each job, or the exception that it raised. Several jobs have the same
    `join`."""
    try:
        if len(jobs) > 1 and jobs[0].join is not None:
            return jobs[0].join([job.work for job in jobs])
        return [job.work() for job in jobs]
    except BaseException as error:
        return [error] * len(jobs)
