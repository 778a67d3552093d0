"""Ends the process if predictions that do not come to an end keep it from answering anybody.

That is one on the event loop, or one in each worker thread. Python cannot interrupt them safely:
the model may catch the interruption, and locks that it holds would stay locked. So when all who
wait have given up, the process ends. Whoever started it starts another one: Posit Connect, `python
main.py` with several PROCESSES, gunicorn, a container. In: when work begins and ends. Out: nothing.
"""

import logging
import os
import sys
import threading
import traceback
from collections.abc import Sequence
from typing import Final

logger = logging.getLogger(__name__)

PAUSE: Final = 0.5
"""Seconds between two looks."""

PATIENCE: Final = 2
"""How many request timeouts all worker threads may take. A slow model needs more than one now and
then."""


class Progress:
    """The work of some threads: how many pieces were begun and ended. Each thread does one piece at
    a time. Only who may change the numbers differs: one thread, or who holds a lock."""

    def __init__(self, threads: int) -> None:
        self.begun = 0
        self.ended = 0
        self._threads = threads
        self._seen = (0, 0)
        self._looks = 0

    def looks(self) -> int:
        """How many looks in a row found all threads at the same work. They are counted instead of
        seconds, since a process may have been stopped for hours."""
        now = self.begun, self.ended
        is_stuck = now == self._seen and self.begun - self.ended == self._threads
        self._looks = self._looks + 1 if is_stuck else 0
        self._seen = now
        return self._looks


class Watchdog:
    """Looks at the event loop's thread, which starts it, and at the worker `threads`."""

    def __init__(self, threads: Sequence[threading.Thread]) -> None:
        self.on_loop = Progress(1)
        self.in_threads = Progress(len(threads))
        self._threads = threads
        self._watch: threading.Thread | None = None
        self._closed = threading.Event()

    def start(self, timeout: float) -> None:
        """Begins to look, unless it does so already or requests have no `timeout` (0). To be called
        before work begins, and not before that: a process that is forked has no threads of its
        parent."""
        if self._watch is None and timeout:
            loop = threading.get_ident()
            self._watch = threading.Thread(
                target=self._look, args=(loop, timeout), name="watchdog", daemon=True
            )
            self._watch.start()

    def close(self) -> None:
        """Looks no more."""
        self._closed.set()

    def _look(self, loop: int, timeout: float) -> None:
        while not self._closed.wait(PAUSE):
            if self.on_loop.looks() * PAUSE >= timeout:
                _end("a prediction has held the event loop", timeout, [loop])
            if self.in_threads.looks() * PAUSE >= PATIENCE * timeout:
                busy = [thread.ident for thread in self._threads if thread.ident]
                _end("predictions have held all threads", PATIENCE * timeout, busy)


def _end(what: str, seconds: float, threads: Sequence[int]) -> None:
    """Ends the process. The log says where these threads are."""
    frames = sys._current_frames()  # noqa: SLF001 - it is documented
    stacks = ["".join(traceback.format_stack(frames[thread])) for thread in threads]
    logger.critical(
        "%s for %g s (REQUEST_TIMEOUT), so nobody is answered: this process ends\n%s",
        what,
        seconds,
        "\n".join(stacks).rstrip(),
    )
    os._exit(1)
