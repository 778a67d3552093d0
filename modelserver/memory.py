"""Process-wide memory settings, made once a model is loaded.

What is alive then stays alive, so the garbage collector need not walk it during requests; and what
large requests free goes back to the system, where glibc would keep the most that was ever used.
"""

import contextlib
import ctypes
import gc
from typing import Final

TRIM_THRESHOLD: Final = -1
"""The parameter's number in glibc's malloc.h (mallopt(3)), which other C libraries lack."""

KEPT_FREE: Final = 1_000_000
"""Bytes of freed memory that are kept for the next allocation."""


def settle_memory() -> None:
    """Freezes the heap and bounds what is kept free."""
    gc.collect()
    gc.freeze()
    with contextlib.suppress(AttributeError, OSError, TypeError):  # not glibc
        ctypes.CDLL(None).mallopt(TRIM_THRESHOLD, KEPT_FREE)
