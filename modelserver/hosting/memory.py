"""Memory of the process: what is set at the start and after the load, and what is given back.

All threads share one heap, so that each can use what another has freed; by default, glibc gives
each thread its own. Objects that exist after a model was loaded stay alive, so the garbage
collector is told not to visit them during requests. Memory that large requests free is kept for the
next ones up to a bound. The rest goes back to the system, and the kept part too when no large
request comes for a while; glibc alone would keep the most that was ever used. Settings of the whole
process that readers of requests need are set here and nowhere else.
"""

import asyncio
import contextlib
import csv
import ctypes
import gc
from collections.abc import Iterator
from typing import Final

TRIM_THRESHOLD: Final = -1
MMAP_THRESHOLD: Final = -3
ARENA_MAX: Final = -8
"""The numbers of parameters of `mallopt(3)`, from glibc's malloc.h. Other C libraries lack them."""

KEPT_FREE: Final = 32 * 1024 * 1024
"""How many bytes of freed memory are kept for the next allocations."""

LARGEST_KEPT: Final = 8 * 1024 * 1024
"""The bytes of the largest allocation that is taken from the kept memory. Memory that comes new
from the system costs a page fault for each 4 KiB: 10 of the 25 ms that 100,000 rows of CSV take."""

ALLOCATED: Final = 20_000
"""After how many new objects the garbage collector runs; by default after 700. Before Python 3.12
it visits the objects of a JSON document while orjson builds them: for 200,000 rows of one number,
orjson then takes 17 ms, and 11 with this setting."""

LONGEST_CELL: Final = 2**31 - 1
"""The most letters of a cell that the csv module reads, by default 131,072. The size of bodies is
limited anyway."""

LARGE: Final = 64 * 1024
"""A body with so many bytes or more frees enough memory to give back to the system."""

PAUSE: Final = 1.0
"""How many seconds must pass without a large request before memory is given back."""


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    """A context in which the garbage collector does not run. To be put around imports and the load
    of a model: what they make stays alive, and looking at it again and again takes a sixth of their
    time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def share_heap() -> None:
    """Makes all threads that start later share one heap, which saves 30 MB after large requests."""
    _set_malloc(ARENA_MAX, 1)


def settle_memory() -> None:
    """Sets what the module's docstring describes. To be called after a model was loaded."""
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
    """Gives free memory back to the system."""
    with contextlib.suppress(AttributeError, OSError, TypeError):  # not glibc
        ctypes.CDLL(None).malloc_trim(0)


class FreeMemory:
    """Gives memory back after large requests. To be used on the event loop only."""

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None

    def after_body(self, size: int) -> None:
        """To be called once a body of `size` bytes, or the part of it that came, is freed."""
        if size < LARGE:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(PAUSE, give_back)
