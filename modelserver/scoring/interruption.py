"""Ends work on the event loop that takes long all of a sudden, so that a thread can do it instead.

In: work that is expected to be short, called on the event loop. Out: its result, or `Interrupted`
if it has no result after `PATIENCE`. A timer of the system then sends a signal, for which Python
raises the exception in the work: before its next instruction, or in a call that waits. C code that
computes is not interrupted. Python handles signals in the main thread only, and Windows has no such
timer; where work cannot be interrupted, it runs to its end.
"""

import signal
import threading
from collections.abc import Callable
from functools import cache
from typing import Any, Final, TypeVar

T = TypeVar("T")

PATIENCE: Final = 0.25
"""Seconds for which work that is expected to take 0.01 may hold the event loop."""


class Interrupted(BaseException):
    """Work took too long. It is no `Exception`, since a model may catch those."""


class Running:
    """Whether work runs that may be interrupted. The process has one timer, for one thread."""

    now = False


def interruptible(work: Callable[[], T]) -> T:
    """What `work` returns. Raises what it raises, or `Interrupted`. Not to be called from work."""
    if not _is_set_up(threading.get_ident()):
        return work()
    Running.now = True
    try:
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)
        return work()
    finally:
        Running.now = False
        signal.setitimer(signal.ITIMER_REAL, 0)


@cache
def _is_set_up(thread: int) -> bool:
    """Whether work of this thread can be interrupted. A signal that others use is left to them."""
    if thread != threading.main_thread().ident or not hasattr(signal, "setitimer"):
        return False
    if signal.getsignal(signal.SIGALRM) != signal.SIG_DFL:
        return False
    signal.signal(signal.SIGALRM, _interrupt)
    return True


def _interrupt(*_: Any) -> None:
    if Running.now:  # not if the work has just ended
        Running.now = False
        raise Interrupted
