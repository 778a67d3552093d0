"""Several processes that share the requests: started, replaced when they die, ended together.

In: what each process runs, and the settings. Out: nothing, once a signal has ended all. uvicorn's
own supervisor is not used. It asks each process whether it is alive, and while it waits for the
answer it notices neither a dead process nor a signal. It also replaces a process that does not
answer, although a model's C code may only keep it busy for a minute. This one replaces only
processes that have ended.
"""

import logging
import multiprocessing
import signal
import socket
import time
from collections.abc import Callable, Sequence
from ctypes import c_bool
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnProcess
from multiprocessing.sharedctypes import RawArray
from typing import Any, Final, TypeAlias

from modelserver.hosting.processes.early_app import NO_APP
from modelserver.hosting.settings import Settings

PAUSE: Final = 0.5
"""Seconds between two checks of the processes."""

LONGEST_PAUSE: Final = 60.0
"""The most seconds before a process that fails at its start is started again."""

GRACE: Final = 5
"""Seconds that a process gets to end once it answers no more requests; then it is killed."""

logger = logging.getLogger(__name__)


def ending() -> list[int]:
    """The signals that end the server. Windows has no SIGHUP, and `nohup` has it ignored."""
    numbers: list[int] = [signal.SIGINT, signal.SIGTERM]
    hangup = getattr(signal, "SIGHUP", None)
    if hangup and signal.getsignal(hangup) is not signal.SIG_IGN:
        numbers.append(hangup)
    return numbers


def ignore_signals() -> None:
    """To be called at the end. While Python ends it gives signals that are handled their default
    back, and one more would change the exit code."""
    for number in ending():
        signal.signal(number, signal.SIG_IGN)


def hold_interrupts(are_held: bool) -> None:
    """Holds back Ctrl-C, or delivers what was held back. A process that is started meanwhile holds
    it back, too, until it can handle it; Python would print a traceback."""
    if hasattr(signal, "pthread_sigmask"):  # not on Windows
        how = signal.SIG_BLOCK if are_held else signal.SIG_UNBLOCK
        signal.pthread_sigmask(how, {signal.SIGINT})


class Readiness:
    """Which processes are ready, as one of them sees it. The memory is shared by all."""

    def __init__(self, all_ready: Any, number: int) -> None:
        self._all = all_ready
        self._number = number

    def tell(self, is_ready: bool) -> None:
        """Lets the others know whether this process is ready."""
        self._all[self._number] = is_ready

    def told(self) -> bool:
        """Whether this process was ready when it last told the others."""
        return bool(self._all[self._number])

    def is_needed(self) -> bool:
        """Whether this process should accept requests although it is not ready: while none is, the
        first process answers that."""
        return self._number == 0 and not any(self._all)


Run: TypeAlias = Callable[[socket.socket, Settings, Readiness], None]
"""What a process runs. It must be a function of a module, so that another process can import it."""


def supervise(run: Run, listener: socket.socket, settings: Settings) -> None:
    """Keeps `settings.processes` processes running until a signal ends them all. Raises
    `SystemExit` if one finds that it can have no app, since the next one could have none either."""
    signals: list[int] = []
    for number in ending():
        signal.signal(number, lambda number, frame: signals.append(number))
    all_ready = RawArray(c_bool, settings.processes)
    slots = [
        Slot(run, (listener, settings, Readiness(all_ready, number)))
        for number in range(settings.processes)
    ]
    try:
        while not signals:
            for slot in slots:
                slot.keep_running()
            time.sleep(PAUSE)
    finally:
        running = [slot.process for slot in slots if slot.process is not None]
        _end(running, settings.shutdown_timeout + GRACE)
        ignore_signals()


class Slot:
    """One of the processes, and after it the one that replaces it."""

    def __init__(self, run: Run, arguments: tuple[socket.socket, Settings, Readiness]) -> None:
        self.process: SpawnProcess | None = None
        self._run = run
        self._arguments = arguments
        self._readiness = arguments[2]
        self._failures = 0
        self._next_start = 0.0

    def keep_running(self) -> None:
        """Starts a process if there is none, or not any more. One that dies before it was ready is
        followed by a pause, which grows."""
        if self.process is not None and not self.process.is_alive():
            self._bury(self.process)
        if self.process is None and time.monotonic() >= self._next_start:
            self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.process = context.Process(target=self._run, args=self._arguments)
        resource_tracker.ensure_running()  # whose start would end the holding
        hold_interrupts(True)
        try:
            self.process.start()
        finally:
            hold_interrupts(False)

    def _bury(self, process: SpawnProcess) -> None:
        if process.exitcode == NO_APP and not self._readiness.told():
            raise SystemExit(NO_APP)
        self._failures = 0 if self._readiness.told() else self._failures + 1
        pause = pause_after(self._failures)
        self._readiness.tell(False)
        self.process = None
        self._next_start = time.monotonic() + pause
        later = f" before it was ready; the next one starts in {pause:g} s" if pause else ""
        logger.warning("process [%s] died (exit code %s)%s", process.pid, process.exitcode, later)
        process.close()


def pause_after(failures: int) -> float:
    """Seconds until the next start, after so many processes in a row that died before they were
    ready."""
    return min(PAUSE * 2 ** min(failures, 20), LONGEST_PAUSE) if failures else 0.0


def _end(processes: Sequence[SpawnProcess], seconds: float) -> None:
    """Ends all processes: those that still run after `seconds` are killed."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + seconds
    for process in processes:
        process.join(max(0, deadline - time.monotonic()))
        process.kill()  # does nothing if the process has ended
        process.join()
