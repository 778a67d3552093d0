"""Where coverage is not measured: in other people's code, which takes twice as long if it is."""

import contextlib
import sys
import threading
from collections.abc import Iterator


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
