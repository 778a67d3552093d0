"""Work on the event loop's thread is ended when it takes too long; all other work is left alone."""

import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from modelserver.scoring import interruption
from modelserver.scoring.interruption import Interrupted, interruptible


@pytest.fixture(autouse=True)
def _short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interruption, "PATIENCE", 0.01)


def compute() -> None:
    while True:
        pass


def stubborn() -> None:
    try:
        compute()
    except Exception:
        compute()


def locked() -> None:
    lock = threading.Lock()
    with lock:
        lock.acquire()


@pytest.mark.parametrize(
    "work",
    [compute, stubborn, locked, lambda: time.sleep(60), queue.Queue[int]().get],
    ids=["computes", "catches", "lock", "sleep", "queue"],
)
def test_work_that_takes_too_long(work: Callable[[], object]) -> None:
    with pytest.raises(Interrupted):
        interruptible(work)


def test_work_that_ends_in_time() -> None:
    assert interruptible(lambda: 1) == 1
    with pytest.raises(ZeroDivisionError):
        interruptible(lambda: 1 // 0)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_signal_that_comes_when_the_work_has_ended() -> None:
    interruptible(lambda: None)
    signal.raise_signal(signal.SIGALRM)


def test_other_threads_do_not_get_signals() -> None:
    with ThreadPoolExecutor() as threads:
        assert threads.submit(interruptible, lambda: time.sleep(0.05)).result() is None


@pytest.fixture
def alarms() -> Iterator[list[int]]:
    """Those that somebody else waits for, who was there first."""
    seen: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, _: seen.append(number))
    interruption._is_set_up.cache_clear()
    yield seen
    signal.signal(signal.SIGALRM, before)
    interruption._is_set_up.cache_clear()


def test_a_signal_that_others_use_is_theirs(alarms: list[int]) -> None:
    interruptible(lambda: time.sleep(0.05))
    assert alarms == []
    signal.raise_signal(signal.SIGALRM)
    assert alarms == [signal.SIGALRM]
