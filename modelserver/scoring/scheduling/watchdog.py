"""Ends the process if a prediction on the event loop does not come to an end.

While such a prediction runs, nobody is answered, and Python cannot interrupt it safely: the model
may catch the interruption, and locks that it holds would stay locked. So after the request timeout,
when all who wait have given up, the process ends. Whoever started it starts another one: Posit
Connect, `python main.py` with several PROCESSES, gunicorn, a container. In: when a prediction
begins and ends. Out: nothing.
"""

import logging
import os
import sys
import threading
import traceback
from typing import Final

logger = logging.getLogger(__name__)

PAUSE: Final = 0.5
"""Seconds between two looks."""


class Watchdog:
    """Looks at the predictions of one thread, that of the event loop."""

    def __init__(self) -> None:
        self._begun = 0
        self._runs = False
        self._seen = 0
        self._looks = 0
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    def begin(self, timeout: float) -> None:
        """A prediction begins, which may take so many seconds (0: no limit)."""
        self._begun += 1
        self._runs = True
        if self._thread is None and timeout:
            # Started now, not before: a process that is forked has no threads of its parent.
            watched = threading.get_ident()
            self._thread = threading.Thread(
                target=self._watch, args=(watched, timeout), name="watchdog", daemon=True
            )
            self._thread.start()

    def end(self) -> None:
        """It has ended."""
        self._runs = False

    def looks(self) -> int:
        """How many looks in a row found the same prediction. They are counted instead of seconds,
        since a process may have been stopped for hours."""
        again = self._runs and self._begun == self._seen
        self._looks = self._looks + 1 if again else 0
        self._seen = self._begun
        return self._looks

    def close(self) -> None:
        """Looks no more."""
        self._closed.set()

    def _watch(self, watched: int, timeout: float) -> None:
        while not self._closed.wait(PAUSE):
            if self.looks() * PAUSE >= timeout:
                frame = sys._current_frames()[watched]  # noqa: SLF001 - it is documented
                frames = traceback.format_stack(frame)
                logger.critical(
                    "a prediction has held the event loop for %g s (REQUEST_TIMEOUT), so nobody is "
                    "answered: this process ends\n%s",
                    timeout,
                    "".join(frames).rstrip(),
                )
                os._exit(1)
