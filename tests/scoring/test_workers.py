"""The worker pool: results, bounds, timeouts, work that is withdrawn, joined or done on the loop.

Nothing here waits for time to pass: events say when work begins and ends, and where durations
matter the clock is moved by the work itself.
"""

import asyncio
import contextlib
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from typing import Any

import pytest

from modelserver.errors import Overloaded, TimedOut
from modelserver.scoring.scheduling.placement import (
    ALONE_AFTER,
    MOST_TOGETHER,
    SHORT,
    SHORT_TOGETHER,
    SLOW,
    TRUSTED_AFTER,
)
from modelserver.scoring.scheduling.workers import TURN, Workers

SOON = 0.01
"""A timeout in seconds that is meant to pass."""


class Clock:
    """A clock that only work moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def taking(self, seconds: float) -> Callable[[], str]:
        """Work that takes `seconds`, and says which thread did it."""

        def work() -> str:
            self.now += seconds
            return where()

        return work


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pool(clock: Clock) -> Iterator[Callable[[int], Workers]]:
    """Makes workers of one thread; closed at the end."""
    made: list[Workers] = []

    def make(max_queue: int) -> Workers:
        made.append(Workers(1, max_queue, clock))
        return made[-1]

    yield make
    for workers in made:
        workers.close()


@pytest.fixture
def workers(pool: Callable[[int], Workers]) -> Workers:
    return pool(2)


@pytest.fixture
def trusted(pool: Callable[[int], Workers]) -> Workers:
    """Workers that know small work to be short."""
    workers = pool(100)
    workers.load.trust = TRUSTED_AFTER
    return workers


@contextlib.asynccontextmanager
async def occupied(workers: Workers, timeout: float = 0) -> AsyncIterator[asyncio.Future[None]]:
    """The one thread is at work until the block ends: the future of its caller."""
    began, end = threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        end.wait()

    caller = asyncio.ensure_future(workers.run(work, timeout, small=False))
    await asyncio.to_thread(began.wait)
    try:
        yield caller
    finally:
        end.set()
    await asyncio.gather(caller, return_exceptions=True)


def where() -> str:
    return threading.current_thread().name


def fail() -> None:
    raise KeyError("x")


def together(works: Sequence[Any]) -> Sequence[Any]:
    """Says how many were done at once; a piece that fails does so alone."""
    results: list[Any] = []
    for work in works:
        try:
            results.append((work(), len(works)))
        except KeyError as error:
            results.append(error)
    return results


def test_returns_the_result(workers: Workers) -> None:
    assert asyncio.run(workers.run(lambda: 42, timeout=0, small=False)) == 42


@pytest.mark.parametrize("trust", [0, TRUSTED_AFTER], ids=["in a thread", "on the loop"])
def test_raises_the_error(trust: int, workers: Workers) -> None:
    workers.load.trust = trust
    with pytest.raises(KeyError):
        asyncio.run(workers.run(fail, timeout=5, small=True))
    assert workers.load.trust == trust + 1


def test_runs_in_a_thread_until_measured_short_then_on_the_loop(workers: Workers) -> None:
    async def names() -> list[str]:
        return [await workers.run(where, 5, small=True) for _ in range(TRUSTED_AFTER + 2)]

    assert asyncio.run(names()) == ["predict-0"] * TRUSTED_AFTER + ["MainThread"] * 2


async def with_a_loop_of_its_own() -> str:
    await asyncio.sleep(0)
    return threading.current_thread().name


@pytest.mark.parametrize(
    ("join", "found"),
    [(None, ["MainThread"] * 2), (together, [("MainThread", 2)] * 2)],
    ids=["alone", "together"],
)
def test_work_may_run_an_event_loop_of_its_own(
    join: Any, found: list[Any], trusted: Workers
) -> None:
    trusted.load.crowded = True

    def work() -> str:
        return asyncio.run(with_a_loop_of_its_own())

    async def both() -> list[Any]:
        done = await asyncio.gather(*(trusted.run(work, 5, True, join) for _ in range(2)))
        assert asyncio.current_task() is not None
        return done

    assert asyncio.run(both()) == found


@pytest.mark.parametrize("seconds", [SHORT, 2 * SLOW])
def test_goes_back_to_threads_after_longer_work(
    seconds: float, trusted: Workers, clock: Clock
) -> None:
    async def names() -> list[str]:
        works = [clock.taking(seconds), where]
        return [await trusted.run(work, 5, small=True) for work in works]

    assert asyncio.run(names()) == ["MainThread", "predict-0"]


def test_one_caller_may_hold_the_loop_longer(trusted: Workers, clock: Clock) -> None:
    one, other = ("10.0.0.1", 50001), ("10.0.0.1", 50002)

    async def names() -> list[str]:
        callers = [one] * (ALONE_AFTER + 2) + [other]
        work = clock.taking(2 * SHORT)
        return [await trusted.run(work, 5, small=True, caller=caller) for caller in callers]

    # The first piece teaches how long the others take.
    found = asyncio.run(names())
    assert found[1:] == ["predict-0"] * (ALONE_AFTER - 1) + ["MainThread"] * 2 + ["predict-0"]


def test_large_work_teaches_nothing_of_small_work(trusted: Workers, clock: Clock) -> None:
    async def names() -> list[str]:
        await trusted.run(clock.taking(2 * SLOW), 5, small=False)
        return [await trusted.run(where, 5, small=True)]

    assert asyncio.run(names()) == ["MainThread"]


def test_a_turn_of_the_loop_is_held_for_a_short_time_only(trusted: Workers, clock: Clock) -> None:
    async def names() -> list[str]:
        work = clock.taking(SHORT * 0.24)
        first = await asyncio.gather(*(trusted.run(work, 5, small=True) for _ in range(10)))
        return [*first, await trusted.run(work, 5, small=True)]

    assert asyncio.run(names()) == ["MainThread"] * 4 + ["predict-0"] * 6 + ["MainThread"]


def test_refuses_what_the_queue_cannot_hold(workers: Workers) -> None:
    async def flood() -> list[Any]:
        async with occupied(workers):
            calls = [workers.run(lambda: 1, 5, small=False) for _ in range(4)]
            waiting = asyncio.gather(*calls, return_exceptions=True)
            await asyncio.sleep(0)
        return await waiting

    results = asyncio.run(flood())
    assert results[:2] == [1, 1]
    assert [type(error) for error in results[2:]] == [Overloaded] * 2
    assert [error.headers for error in results[2:]] == [{"Retry-After": "1"}] * 2


def test_queued_work_that_timed_out_never_runs(workers: Workers) -> None:
    done: list[str] = []

    async def wait_too_long() -> None:
        async with occupied(workers):
            with pytest.raises(TimedOut):
                await workers.run(lambda: done.append("late"), SOON, small=False)
        await workers.run(lambda: done.append("next"), 5, small=False)

    asyncio.run(wait_too_long())
    assert done == ["next"]
    assert workers.load.in_threads == 0


def test_running_work_that_timed_out_keeps_its_place(workers: Workers) -> None:
    async def slow_then_more() -> list[Any]:
        async with occupied(workers, timeout=SOON) as slow:
            with pytest.raises(TimedOut):
                await slow
            calls = [workers.run(lambda: 1, 5, small=False) for _ in range(3)]
            more = asyncio.gather(*calls, return_exceptions=True)
            await asyncio.sleep(0)
        return await more

    assert [type(result) for result in asyncio.run(slow_then_more())] == [int, int, Overloaded]
    assert workers.load.in_threads == 0


def test_callers_that_leave_free_their_place(workers: Workers) -> None:
    async def leave() -> int:
        async with occupied(workers) as running:
            queued = asyncio.ensure_future(workers.run(lambda: 2, 5, small=False))
            await asyncio.sleep(0)
            running.cancel()
            queued.cancel()
            await asyncio.gather(running, queued, return_exceptions=True)
            waiting = workers.load.in_threads  # the thread is still at work
        await workers.run(lambda: 3, 5, small=False)
        return waiting

    assert asyncio.run(leave()) == 1
    assert workers.load.in_threads == 0


def test_threads_that_compute_let_the_event_loop_go_on(workers: Workers) -> None:
    sys.setswitchinterval(5 * TURN)  # Python's default
    asyncio.run(workers.run(where, 5, small=False))
    assert sys.getswitchinterval() == pytest.approx(TURN)
    assert TURN < 0.001


def test_the_threads_end_when_all_is_done(workers: Workers) -> None:
    asyncio.run(workers.run(where, 5, small=False))
    workers.close()
    for thread in workers.threads:
        thread.join(30)
        assert not thread.is_alive()


def test_a_closed_loop_ends_the_worker_quietly(workers: Workers) -> None:
    began, end = threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        end.wait()

    async def leave() -> None:
        caller = asyncio.ensure_future(workers.run(work, 5, small=False))
        await asyncio.to_thread(began.wait)
        caller.cancel()

    asyncio.run(leave())
    end.set()
    (thread,) = workers.threads
    thread.join(5)
    assert not thread.is_alive()


def test_what_waits_is_done_together(workers: Workers) -> None:
    async def crowd() -> list[Any]:
        async with occupied(workers):
            calls = [workers.run(piece, 5, True, together) for piece in (lambda: "a", fail)]
            waiting = asyncio.gather(*calls, return_exceptions=True)
            await asyncio.sleep(0)
        return await waiting

    first, second = asyncio.run(crowd())
    assert first == ("a", 2)
    assert isinstance(second, KeyError)


def test_large_work_is_not_joined(workers: Workers) -> None:
    async def crowd() -> list[Any]:
        async with occupied(workers):
            calls = [workers.run(lambda: "a", 5, False, together) for _ in range(2)]
            waiting = asyncio.gather(*calls)
            await asyncio.sleep(0)
        return await waiting

    assert asyncio.run(crowd()) == ["a", "a"]


def test_what_timed_out_is_not_done_with_the_rest(workers: Workers) -> None:
    done: list[str] = []

    async def crowd() -> None:
        async with occupied(workers):
            kept = asyncio.ensure_future(
                workers.run(partial(done.append, "kept"), 5, True, together)
            )
            with pytest.raises(TimedOut):
                await workers.run(partial(done.append, "late"), SOON, True, together)
        await kept

    asyncio.run(crowd())
    assert done == ["kept"]


def test_what_comes_in_one_turn_of_the_loop_is_done_together(
    trusted: Workers, clock: Clock
) -> None:
    async def crowds() -> list[Any]:
        work = clock.taking(SHORT / 100)
        results = []
        for _ in range(2):
            calls = [trusted.run(work, 5, True, together) for _ in range(3)]
            results.append(await asyncio.gather(*calls))
        return results

    first, second = asyncio.run(crowds())
    assert first == ["MainThread", ("MainThread", 2), ("MainThread", 2)]
    assert second == [("MainThread", 3)] * 3


def test_one_caller_is_served_at_once_again_after_a_crowd(trusted: Workers) -> None:
    async def crowd_then_one() -> list[Any]:
        trusted.load.crowded = True
        return [await trusted.run(lambda: 1, 5, True, together) for _ in range(3)]

    assert asyncio.run(crowd_then_one()) == [1, 1, 1]
    assert not trusted.load.crowded


def test_a_crowd_that_turns_slow_goes_to_the_threads(trusted: Workers, clock: Clock) -> None:
    async def crowd() -> list[Any]:
        trusted.load.crowded = True
        work = clock.taking(2 * SLOW / MOST_TOGETHER)
        calls = [trusted.run(work, 5, True, together) for _ in range(2 * MOST_TOGETHER)]
        return await asyncio.gather(*calls)

    here, there = ("MainThread", MOST_TOGETHER), ("predict-0", MOST_TOGETHER)
    assert asyncio.run(crowd()) == [here] * MOST_TOGETHER + [there] * MOST_TOGETHER
    assert (trusted.load.gathered, trusted.load.in_threads) == (0, 0)


def test_a_crowd_that_is_not_short_is_joined_in_halves(trusted: Workers, clock: Clock) -> None:
    async def crowd() -> list[Any]:
        trusted.load.crowded = True
        work = clock.taking(1.5 * SHORT_TOGETHER / MOST_TOGETHER)
        calls = [trusted.run(work, 5, True, together) for _ in range(2 * MOST_TOGETHER)]
        return await asyncio.gather(*calls)

    whole, half = ("MainThread", MOST_TOGETHER), ("MainThread", MOST_TOGETHER // 2)
    assert asyncio.run(crowd()) == [whole] * MOST_TOGETHER + [half] * MOST_TOGETHER


def test_a_crowd_larger_than_one_batch_takes_several_turns(trusted: Workers) -> None:
    async def crowd() -> list[Any]:
        trusted.load.crowded = True
        calls = [trusted.run(where, 5, True, together) for _ in range(2 * MOST_TOGETHER)]
        return await asyncio.gather(*calls)

    assert asyncio.run(crowd()) == [("MainThread", MOST_TOGETHER)] * 2 * MOST_TOGETHER


def test_the_bound_holds_for_what_is_gathered(workers: Workers) -> None:
    async def flood() -> list[Any]:
        workers.load.trust, workers.load.crowded = TRUSTED_AFTER, True
        calls = [workers.run(lambda: 1, 5, True, together) for _ in range(5)]
        return await asyncio.gather(*calls, return_exceptions=True)

    results = [type(result) for result in asyncio.run(flood())]
    assert results == [tuple, tuple, tuple, Overloaded, Overloaded]


def test_a_gathered_caller_that_leaves(trusted: Workers) -> None:
    async def leave() -> list[Any]:
        trusted.load.crowded = True
        calls = [trusted.run(lambda: 1, 5, True, together) for _ in range(2)]
        tasks = [asyncio.ensure_future(call) for call in calls]
        await asyncio.sleep(0)
        tasks[1].cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    first, second = asyncio.run(leave())
    assert first == (1, 2)
    assert isinstance(second, asyncio.CancelledError)
    assert (trusted.load.gathered, trusted.load.in_threads) == (0, 0)
