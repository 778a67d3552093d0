"""Jobs: who is taken along, and what each caller gets."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any

import pytest

from modelserver.scoring.scheduling.jobs import Job, Join, outcomes, take_together

LOOP = asyncio.new_event_loop()
LOOP.close()  # futures only need one to belong to


def doubled(works: Sequence[Any]) -> Sequence[Any]:
    return [2 * work() for work in works]


def negated(works: Sequence[Any]) -> Sequence[Any]:
    return [-work() for work in works]


def job(number: int, join: Join | None = doubled) -> Job:
    return Job(lambda: number, asyncio.Future(loop=LOOP), True, join)


def numbers(jobs: Sequence[Job]) -> list[int]:
    return [one.work() for one in jobs]


@pytest.mark.parametrize(
    ("joins", "taken", "left"),
    [
        ([None, None], [0], [1]),
        ([doubled, doubled, doubled], [0, 1, 2], []),
        ([doubled, None, doubled, negated, doubled], [0, 2, 4], [1, 3]),
        ([None, doubled, doubled], [0], [1, 2]),
        ([doubled] * 34, [*range(32)], [32, 33]),
    ],
    ids=["apart", "together", "of one kind, in order", "the first decides", "bounded"],
)
def test_take_together(joins: list[Join | None], taken: list[int], left: list[int]) -> None:
    waiting = deque(job(number, join) for number, join in enumerate(joins))
    assert numbers(take_together(waiting)) == taken
    assert numbers(list(waiting)) == left


def test_take_together_so_many_at_most() -> None:
    waiting = deque(job(number) for number in range(5))
    assert [numbers(take_together(waiting, most)) for most in (2, 1, 3)] == [[0, 1], [2], [3, 4]]


def test_outcomes() -> None:
    def fail(works: Sequence[Any]) -> Sequence[Any]:
        raise KeyError("x")

    assert outcomes([job(3)]) == [3]
    assert outcomes([job(3), job(4)]) == [6, 8]
    assert outcomes([]) == []
    assert [type(one) for one in outcomes([job(3, fail), job(4, fail)])] == [KeyError, KeyError]
