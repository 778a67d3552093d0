"""Process-wide memory settings, made at the start and once a model is loaded, and what is given
back later.

All threads share one heap, so that what one frees another uses; glibc would give each its own. What
is alive once a model is loaded stays alive, so the garbage collector need not walk it during
requests. What large requests free is used again by the next ones up to a bound, and goes back to
the system beyond it, or once they pause; glibc alone would keep the most that was ever used.
"""

import asyncio
import contextlib
import ctypes
import gc
from typing import Final

TRIM_THRESHOLD: Final = -1
MMAP_THRESHOLD: Final = -3
ARENA_MAX: Final = -8
"""Numbers of parameters in glibc's malloc.h (mallopt(3)), which other C libraries lack."""

KEPT_FREE: Final = 32 * 1024 * 1024
"""Bytes of freed memory that are kept for the next allocations."""

LARGEST_KEPT: Final = 8 * 1024 * 1024
"""Bytes of the largest allocation that is served from there. A new one from the system costs a
page fault each 4 KiB: 10 ms of the 25 that 100,000 rows of CSV take."""

LARGE: Final = 64 * 1024
"""Bytes of a request that leaves memory worth giving back."""

PAUSE: Final = 1.0
"""Seconds without a large request until it is given back."""


def share_heap() -> None:
    """Has the threads that start from now on share one heap: 30 MB less after large requests."""
    _set_malloc(ARENA_MAX, 1)


def settle_memory() -> None:
    """Freezes the heap and bounds what is kept free."""
    gc.collect()
    gc.freeze()
    _set_malloc(TRIM_THRESHOLD, KEPT_FREE)
    _set_malloc(MMAP_THRESHOLD, LARGEST_KEPT)


def _set_malloc(parameter: int, value: int) -> None:
    with contextlib.suppress(AttributeError, OSError, TypeError):  # not glibc
        ctypes.CDLL(None).mallopt(parameter, value)


def give_back() -> None:
    """Returns to the system what is free."""
    with contextlib.suppress(AttributeError, OSError, TypeError):  # not glibc
        ctypes.CDLL(None).malloc_trim(0)


class FreeMemory:
    """Gives memory back when large requests pause. Used from the event loop only."""

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None

    def after_request(self, size: int) -> None:
        """To be told the bytes of each request."""
        if size < LARGE:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(PAUSE, give_back)
