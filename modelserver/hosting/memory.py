"""Memory of the process: settings at the start and once a model is loaded, and what is given back.

All threads share one heap, so that what one frees another uses; glibc would give each its own. What
is alive once a model is loaded stays alive, so the garbage collector need not walk it during
requests. What large requests free is used again by the next ones up to a bound, and goes back to
the system beyond it, or once they pause; glibc alone would keep the most that was ever used.
No reader of a request changes anything that all threads share; what one needs is set here.
"""

import asyncio
import contextlib
import csv
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

ALLOCATED: Final = 20_000
"""Objects that are made before the garbage collector looks at them; 700 by default. Until Python
3.12 it walks what JSON is decoded to while that is being built: 200,000 rows of one number take
orjson 17 ms then, and 11 with this."""

LONGEST_CELL: Final = 2**31 - 1
"""Letters of a cell that the csv module reads; 131,072 by default. Bodies have a limit already."""

LARGE: Final = 64 * 1024
"""Bytes of a request that leaves memory worth giving back."""

PAUSE: Final = 1.0
"""Seconds without a large request until it is given back."""


def share_heap() -> None:
    """Has the threads that start from now on share one heap: 30 MB less after large requests."""
    _set_malloc(ARENA_MAX, 1)


def settle_memory() -> None:
    """Freezes the heap, bounds what is kept free, and lets large requests take what they need."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(ALLOCATED)
    csv.field_size_limit(LONGEST_CELL)
    _set_malloc(TRIM_THRESHOLD, KEPT_FREE)
    _set_malloc(MMAP_THRESHOLD, LARGEST_KEPT)


def _set_malloc(parameter: int, value: int) -> None:
    with contextlib.suppress(AttributeError, OSError, TypeError):  # not glibc
        ctypes.CDLL(None).mallopt(parameter, value)


def give_back() -> None:
    """Returns free memory to the system."""
    with contextlib.suppress(AttributeError, OSError, TypeError):  # not glibc
        ctypes.CDLL(None).malloc_trim(0)


class FreeMemory:
    """Gives memory back when large requests pause. Used from the event loop only."""

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None

    def after_request(self, size: int) -> None:
        """Called after each request with the bytes of its body."""
        if size < LARGE:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(PAUSE, give_back)
