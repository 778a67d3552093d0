"""Work in a thread of its own, for which the event loop waits and the end of the process does not.

In: a function. Out: what it returns or raises, on the event loop.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


async def in_daemon_thread(work: Callable[[], T], name: str) -> T:
    """The result of `work`, which runs in a daemon thread of this name, so that the process can end
    before it."""
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()  # from now on, the caller cannot cancel the future

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:
            future.set_exception(error)
        except BaseException as raised:  # a model may raise KeyboardInterrupt
            ended = RuntimeError(f"{type(raised).__name__} was raised")
            ended.__cause__ = raised
            future.set_exception(ended)

    threading.Thread(target=run, name=name, daemon=True).start()
    return await asyncio.wrap_future(future)
