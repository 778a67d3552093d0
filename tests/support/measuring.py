"""Where coverage is not measured: in other people's code, which takes twice as long if it is."""

import contextlib
import sys
import threading
from collections.abc import Iterator

HERE, IN_THREADS = sys.gettrace(), threading.gettrace()
"""What coverage, if it runs, has the thread of the tests do, and each new thread."""


@contextlib.contextmanager
def threads_measured() -> Iterator[None]:
    """What threads do that are started in here counts, even in `unmeasured`: they are there for
    other tests, too."""
    before = threading.gettrace()
    threading.settrace(IN_THREADS)
    try:
        yield
    finally:
        threading.settrace(before)


@contextlib.contextmanager
def measured() -> Iterator[None]:
    """What is done in here counts, even in `unmeasured`, as do threads that are started in here."""
    here = sys.gettrace()
    with threads_measured():
        sys.settrace(HERE)
        try:
            yield
        finally:
            sys.settrace(here)


@contextlib.contextmanager
def unmeasured() -> Iterator[None]:
    """What is done in here, also by threads that are started in here, does not count."""
    here, in_threads = sys.gettrace(), threading.gettrace()
    threading.settrace(None)
    sys.settrace(None)
    try:
        yield
    finally:
        sys.settrace(here)
        threading.settrace(in_threads)
