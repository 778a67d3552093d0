"""Several processes: which one answers, when one is replaced, what a signal ends."""

import signal
import socket
import time
from collections.abc import Callable, Iterator
from ctypes import c_bool
from multiprocessing.sharedctypes import RawArray

import pytest

from modelserver.hosting.processes import supervisor
from modelserver.hosting.processes.early_app import NO_APP
from modelserver.hosting.processes.supervisor import Readiness, Slot, ending, hold_interrupts
from modelserver.hosting.settings import Settings, read_settings

pytestmark = pytest.mark.processes


def fail(listener: socket.socket, settings: Settings, readiness: Readiness) -> None:
    raise SystemExit(4)


def have_no_app(listener: socket.socket, settings: Settings, readiness: Readiness) -> None:
    raise SystemExit(NO_APP)


def work_and_fail(listener: socket.socket, settings: Settings, readiness: Readiness) -> None:
    readiness.tell(True)
    raise SystemExit(4)


def test_who_answers_while_none_is_ready() -> None:
    ready = RawArray(c_bool, 3)
    processes = [Readiness(ready, number) for number in range(3)]
    assert [process.is_needed() for process in processes] == [True, False, False]
    processes[2].tell(True)
    assert not any(process.is_needed() for process in processes)
    processes[2].tell(False)
    assert processes[0].is_needed()


def ended(slot: Slot) -> None:
    """Keeps the slot running until its process has ended and was noticed."""
    assert slot.process is not None
    slot.process.join(60)
    slot.keep_running()


@pytest.fixture
def slot_of() -> Iterator[Callable[[supervisor.Run], Slot]]:
    readiness = Readiness(RawArray(c_bool, 1), 0)
    with socket.socket() as listener:
        yield lambda run: Slot(run, (listener, read_settings({}), readiness))


def test_a_process_that_fails_at_its_start_is_tried_after_growing_pauses(
    slot_of: Callable[[supervisor.Run], Slot],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervisor, "PAUSE", 0.05)
    slot = slot_of(fail)
    for _ in range(2):
        while slot.process is None:
            slot.keep_running()
            time.sleep(0.01)
        ended(slot)
    assert slot.process is None
    assert [record.getMessage().partition("] ")[2] for record in caplog.records] == [
        "died (exit code 4) before it was ready; the next one starts in 0.1 s",
        "died (exit code 4) before it was ready; the next one starts in 0.2 s",
    ]


def test_a_process_that_can_have_no_app_ends_all(
    slot_of: Callable[[supervisor.Run], Slot],
) -> None:
    slot = slot_of(have_no_app)
    slot.keep_running()
    with pytest.raises(SystemExit) as end:
        ended(slot)
    assert end.value.code == NO_APP


def test_the_longest_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [supervisor.pause_after(failures) for failures in (0, 1, 2, 7, 8, 5000)] == [
        0.0,
        1.0,
        2.0,
        60.0,
        60.0,
        60.0,
    ]


def test_one_that_was_ready_is_replaced_at_once(
    slot_of: Callable[[supervisor.Run], Slot], caplog: pytest.LogCaptureFixture
) -> None:
    slot = slot_of(work_and_fail)
    slot.keep_running()
    first = slot.process
    ended(slot)
    assert slot.process is not None
    assert slot.process is not first
    slot.process.join(60)
    assert caplog.records[0].getMessage().endswith("died (exit code 4)")


def test_nohup_ignores_the_end_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        assert ending() == [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        assert ending() == [signal.SIGINT, signal.SIGTERM]
    finally:
        signal.signal(signal.SIGHUP, before)
    monkeypatch.delattr(signal, "SIGHUP")  # Windows has none
    assert ending() == [signal.SIGINT, signal.SIGTERM]


def test_ctrl_c_is_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def is_held() -> bool:
        return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, set())

    hold_interrupts(True)
    held = is_held()
    hold_interrupts(False)
    assert (held, is_held()) == (True, False)
    with monkeypatch.context() as windows:
        windows.delattr(signal, "pthread_sigmask")
        hold_interrupts(True)
    assert not is_held()
