"""A piece of work and its caller, from when it is accepted until it is answered.

Work may come with a function that joins it with other work of its kind: pieces in, for each its
result or its exception out. `outcomes` runs jobs so, or the only one by itself.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

Join: TypeAlias = Callable[[Sequence[Any]], Sequence[Any]]

MOST_TOGETHER: Final = 32
"""Jobs that are joined; with more, one becomes hardly cheaper and all are held up."""


@dataclass(slots=True)
class Job:
    """A function on its way, which either is run or its caller drops."""

    work: Callable[[], Any]
    future: "asyncio.Future[Any]"
    small: bool
    join: Join | None = None
    _unclaimed: list[None] = field(default_factory=lambda: [None])

    def claim(self) -> bool:
        """True for the first caller only, from whichever thread: list.pop is atomic."""
        try:
            self._unclaimed.pop()
        except IndexError:
            return False
        return True

    def settle(self, outcome: Any) -> None:
        """Hands the caller the result or the error, if it still waits. For the event loop."""
        if self.future.done():
            return
        if isinstance(outcome, BaseException):
            self.future.set_exception(outcome)
        else:
            self.future.set_result(outcome)


def take_together(waiting: "deque[Job]") -> list[Job]:
    """Removes the job that waited longest, and those that can be joined with it."""
    first = waiting.popleft()
    together: list[Job] = [first]
    others: list[Job] = []
    while waiting and first.join is not None and len(together) < MOST_TOGETHER:
        job = waiting.popleft()
        (together if job.join is first.join else others).append(job)
    waiting.extendleft(reversed(others))
    return together


def outcomes(jobs: Sequence[Job]) -> Sequence[Any]:
    """The result of each job, or the exception that it raised. Several must share a `join`."""
    try:
        if len(jobs) > 1 and jobs[0].join is not None:
            return jobs[0].join([job.work for job in jobs])
        return [job.work() for job in jobs]
    except BaseException as error:
        return [error] * len(jobs)
