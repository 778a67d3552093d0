"""The worker pool: results, bounds, timeouts, dropped work, work on the loop."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import partial
from typing import Any

import pytest

from modelserver.errors import Overloaded, TimedOut
from modelserver.scoring.jobs import MOST_TOGETHER, Job
from modelserver.scoring.workers import SHORT, SLOW, TRUSTED_AFTER, Workers

Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture
def workers() -> Iterator[Workers]:
    pool = Workers(threads=1, max_queue=2)
    yield pool
    pool.close()


def fail() -> None:
    raise KeyError("x")


def test_returns_the_result(workers: Workers) -> None:
    assert asyncio.run(workers.run(lambda: 42, timeout=0, small=False)) == 42


def test_raises_the_error(workers: Workers) -> None:
    with pytest.raises(KeyError):
        asyncio.run(workers.run(fail, timeout=5, small=False))


def test_runs_in_a_thread_until_measured_short_then_on_the_loop(workers: Workers) -> None:
    async def names() -> list[str]:
        work = lambda: threading.current_thread().name  # noqa: E731
        return [await workers.run(work, timeout=5, small=True) for _ in range(TRUSTED_AFTER + 2)]

    assert asyncio.run(names()) == ["predict-0"] * TRUSTED_AFTER + ["MainThread"] * 2


def test_one_slow_piece_of_work_ends_the_trust_for_long(workers: Workers) -> None:
    async def names() -> set[str]:
        for seconds in [0.0] * TRUSTED_AFTER + [2 * SLOW]:
            await workers.run(partial(time.sleep, seconds), timeout=5, small=True)
        work = lambda: threading.current_thread().name  # noqa: E731
        return {await workers.run(work, timeout=5, small=True) for _ in range(100)}

    assert asyncio.run(names()) == {"predict-0"}


def test_goes_back_to_threads_after_long_work(workers: Workers) -> None:
    async def names() -> list[str]:
        for _ in range(TRUSTED_AFTER):
            await workers.run(lambda: None, timeout=5, small=True)
        await workers.run(lambda: time.sleep(0.01), timeout=5, small=True)
        work = lambda: threading.current_thread().name  # noqa: E731
        return [await workers.run(work, timeout=5, small=True)]

    assert asyncio.run(names()) == ["predict-0"]


def test_a_lone_caller_may_hold_the_loop_longer(workers: Workers) -> None:
    def work() -> str:
        time.sleep(SHORT * 1.5)
        return threading.current_thread().name

    async def names(lone: bool) -> set[str]:
        for _ in range(TRUSTED_AFTER):
            await workers.run(work, timeout=5, small=True)
        return {await workers.run(work, timeout=5, small=True, lone=lone) for _ in range(3)}

    assert asyncio.run(names(lone=False)) == {"predict-0"}
    assert "MainThread" in asyncio.run(names(lone=True))


def test_a_turn_of_the_loop_is_not_held_by_many_in_a_row() -> None:
    workers = Workers(threads=1, max_queue=100)

    def work() -> str:
        time.sleep(SHORT / 4)
        return threading.current_thread().name

    async def names() -> list[str]:
        for _ in range(TRUSTED_AFTER):
            await workers.run(work, timeout=5, small=True)
        calls = [workers.run(work, timeout=5, small=True) for _ in range(50)]
        return await asyncio.gather(*calls)

    found = asyncio.run(names())
    workers.close()
    assert found.count("MainThread") < 10
    assert found.count("predict-0") > 40


def test_errors_on_the_loop_are_measured_too(workers: Workers) -> None:
    async def twice() -> None:
        for _ in range(TRUSTED_AFTER):
            await workers.run(lambda: None, timeout=5, small=True)
        await workers.run(fail, timeout=5, small=True)

    with pytest.raises(KeyError):
        asyncio.run(twice())


def test_refuses_what_the_queue_cannot_hold(workers: Workers) -> None:
    async def flood() -> list[Any]:
        calls = [workers.run(lambda: time.sleep(0.05), timeout=5, small=False) for _ in range(5)]
        return await asyncio.gather(*calls, return_exceptions=True)

    results = asyncio.run(flood())
    refused = [result for result in results if isinstance(result, Overloaded)]
    assert results.count(None) == 3
    assert [error.headers for error in refused] == [{"Retry-After": "1"}] * 2


def test_drops_queued_work_that_timed_out(workers: Workers) -> None:
    done: list[str] = []

    async def flood() -> Any:
        first = workers.run(lambda: time.sleep(0.3), timeout=5, small=False)
        second = workers.run(lambda: done.append("second"), timeout=0.05, small=False)
        results = await asyncio.gather(first, second, return_exceptions=True)
        await workers.run(lambda: done.append("third"), timeout=5, small=False)
        return results

    first, second = asyncio.run(flood())
    assert first is None
    assert isinstance(second, TimedOut)
    assert done == ["third"]


def test_running_work_that_timed_out_keeps_its_place(workers: Workers) -> None:
    async def slow_then_more() -> tuple[Any, Any]:
        slow = workers.run(lambda: time.sleep(0.2), timeout=0.05, small=False)
        (late,) = await asyncio.gather(slow, return_exceptions=True)
        calls = [workers.run(lambda: 1, timeout=5, small=False) for _ in range(3)]
        return late, await asyncio.gather(*calls, return_exceptions=True)

    late, results = asyncio.run(slow_then_more())
    assert isinstance(late, TimedOut)
    assert [type(result) for result in results] == [int, int, Overloaded]


def test_a_result_that_comes_with_the_timeout_wins(workers: Workers) -> None:
    async def finish_then_expire() -> Any:
        job = Job(lambda: 1, asyncio.get_running_loop().create_future(), small=False)
        job.future.set_result(1)
        workers._expire(job)
        return await job.future

    assert asyncio.run(finish_then_expire()) == 1


def test_cancelled_callers_free_their_place(workers: Workers) -> None:
    async def cancel_one() -> list[Any]:
        first = asyncio.ensure_future(workers.run(lambda: time.sleep(0.2), 5, small=False))
        second = asyncio.ensure_future(workers.run(lambda: 2, 5, small=False))
        await asyncio.sleep(0.05)
        first.cancel()
        second.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        return [await workers.run(lambda: n, 5, small=False) for n in range(2)]  # noqa: B023

    assert asyncio.run(cancel_one()) == [0, 1]


def test_a_closed_loop_ends_the_worker_quietly() -> None:
    pool = Workers(threads=1, max_queue=1)

    async def leave_at_once() -> None:
        task = asyncio.ensure_future(pool.run(lambda: time.sleep(0.2), 5, small=False))
        await asyncio.sleep(0.05)
        task.cancel()

    asyncio.run(leave_at_once())
    (thread,) = pool._threads
    thread.join(5)
    assert not thread.is_alive()


def together(works: Sequence[Any]) -> Sequence[Any]:
    """Says how many were done at once; a piece that fails does so alone."""
    results: list[Any] = []
    for work in works:
        try:
            results.append((work(), len(works)))
        except KeyError as error:
            results.append(error)
    return results


def test_what_waits_is_done_together(workers: Workers) -> None:
    async def crowd() -> list[Any]:
        busy = asyncio.ensure_future(workers.run(lambda: time.sleep(0.2), 5, small=False))
        await asyncio.sleep(0.05)
        pieces = [lambda: "a", fail]
        calls = [workers.run(piece, 5, small=True, join=together) for piece in pieces]
        results = await asyncio.gather(*calls, return_exceptions=True)
        await busy
        return results

    first, second = asyncio.run(crowd())
    assert first == ("a", 2)
    assert isinstance(second, KeyError)


def test_large_work_is_not_joined(workers: Workers) -> None:
    async def crowd() -> list[Any]:
        busy = asyncio.ensure_future(workers.run(lambda: time.sleep(0.2), 5, small=False))
        await asyncio.sleep(0.05)
        calls = [workers.run(lambda: "a", 5, small=False, join=together) for _ in range(2)]
        results = await asyncio.gather(*calls)
        await busy
        return results

    assert asyncio.run(crowd()) == ["a", "a"]


def test_what_left_is_not_done_with_the_rest(workers: Workers) -> None:
    done: list[str] = []

    async def crowd() -> Any:
        busy = asyncio.ensure_future(workers.run(lambda: time.sleep(0.3), 5, small=False))
        await asyncio.sleep(0.05)
        late = workers.run(lambda: done.append("late"), 0.05, small=True, join=together)
        kept = workers.run(lambda: done.append("kept"), 5, small=True, join=together)
        results = await asyncio.gather(late, kept, return_exceptions=True)
        await busy
        return results

    late, kept = asyncio.run(crowd())
    assert isinstance(late, TimedOut)
    assert kept is None
    assert done == ["kept"]


async def trusted(workers: Workers) -> None:
    while not workers._is_short():
        await workers.run(lambda: None, 5, small=True, join=together)


def test_what_comes_in_one_turn_of_the_loop_is_done_together(workers: Workers) -> None:
    async def crowds() -> list[Any]:
        await trusted(workers)
        work = lambda: threading.current_thread().name  # noqa: E731
        results = []
        for _ in range(2):
            calls = [workers.run(work, 5, small=True, join=together) for _ in range(3)]
            results.append(await asyncio.gather(*calls))
        return results

    first, second = asyncio.run(crowds())
    assert first == ["MainThread", ("MainThread", 2), ("MainThread", 2)]
    assert second == [("MainThread", 3)] * 3


def test_a_lone_caller_is_served_at_once_again_after_a_crowd(workers: Workers) -> None:
    async def crowd_then_one() -> list[Any]:
        await trusted(workers)
        calls = [workers.run(lambda: 1, 5, small=True, join=together) for _ in range(3)]
        await asyncio.gather(*calls)
        return [await workers.run(lambda: 1, 5, small=True, join=together) for _ in range(3)]

    assert asyncio.run(crowd_then_one()) == [1, 1, 1]


def test_a_crowd_that_turns_slow_goes_to_the_threads() -> None:
    pool = Workers(threads=1, max_queue=100)

    async def crowd() -> list[str]:
        await trusted(pool)
        names: list[str] = []

        def work() -> None:
            time.sleep(2 * SLOW / MOST_TOGETHER)
            names.append(threading.current_thread().name)

        calls = [pool.run(lambda: None, 5, small=True, join=together)]
        calls += [pool.run(work, 5, small=True, join=together) for _ in range(2 * MOST_TOGETHER)]
        await asyncio.gather(*calls)
        return names

    assert asyncio.run(crowd()) == ["MainThread"] * MOST_TOGETHER + ["predict-0"] * MOST_TOGETHER
    pool.close()


def test_a_crowd_larger_than_one_batch_takes_several_turns() -> None:
    pool = Workers(threads=1, max_queue=100)

    async def crowd() -> list[Any]:
        await trusted(pool)
        count = 2 * MOST_TOGETHER + 1
        return await asyncio.gather(
            *(pool.run(lambda: 1, 5, small=True, join=together) for _ in range(count))
        )

    assert asyncio.run(crowd()) == [1] + [(1, MOST_TOGETHER)] * 2 * MOST_TOGETHER
    pool.close()


def test_the_bound_holds_for_what_is_gathered(workers: Workers) -> None:
    async def flood() -> list[Any]:
        await trusted(workers)
        calls = [workers.run(lambda: 1, 5, small=True, join=together) for _ in range(6)]
        return await asyncio.gather(*calls, return_exceptions=True)

    results = [type(result) for result in asyncio.run(flood())]
    assert results == [int, tuple, tuple, tuple, Overloaded, Overloaded]


def test_a_gathered_caller_that_leaves(workers: Workers) -> None:
    async def leave() -> Any:
        await trusted(workers)
        calls = [workers.run(lambda: 1, 5, small=True, join=together) for _ in range(3)]
        tasks = [asyncio.ensure_future(call) for call in calls]
        await asyncio.sleep(0)
        tasks[2].cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    first, second, third = asyncio.run(leave())
    assert (first, second) == (1, (1, 2))
    assert isinstance(third, asyncio.CancelledError)
    assert workers._pending == 0
