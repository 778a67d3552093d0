"""The bodies of requests, read within three bounds: the size of one, the size of all, and a time.

In: the headers of a request and ASGI's `receive`. Out: the bytes. A body that is too large is
refused with 413, and one that does not fit beside those that are held already with 503; both before
it is read, if its length was announced. If no byte comes for too long, the answer is 408.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from modelserver.errors import BadRequest, Overloaded, ReadTimedOut, too_large

UPGRADED: Final = (
    "the body is missing: with an Upgrade header it is not read. Switch HTTP/2 off in the client "
    "(Java: version(HTTP_1_1), curl: --http1.1)"
)


class Bodies:
    """The bodies that a process holds. To be used on the event loop only.

    `largest` and `most` are the bytes of one body and of all. `timeout`: seconds (0: no limit).
    `freed` is called with the number of bytes that are no longer held, whether their request was
    answered or given up.
    """

    def __init__(
        self, largest: int, most: int, timeout: float, freed: Callable[[int], None]
    ) -> None:
        self.held = 0
        """The bytes of all bodies that were read or are being read, and are not released."""
        self._largest = largest
        self._most = most
        self._freed = freed
        self._patience = Patience(timeout)

    async def read(self, headers: Headers, receive: Receive) -> bytes:
        """The body. It counts as held until `release`.

        Raises `PayloadTooLarge`, `Overloaded`, `ReadTimedOut`, `ClientDisconnect`, and `BadRequest`
        if an upgrade header makes the body empty.
        """
        announced = headers.get("content-length", "")
        self._admit(int(announced) if announced.isdecimal() else 0, held=0)
        size, more = 0, True
        chunks = []
        task = asyncio.current_task()
        assert task is not None
        self._patience.renew(task)
        try:
            while more:  # request.stream() would make a small request 3 % slower
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                chunks.append(message.get("body", b""))
                size += len(chunks[-1])
                self.held += len(chunks[-1])
                self._admit(size, held=size)
                more = message.get("more_body", False)
                if more:
                    self._patience.renew(task)
        except BaseException:
            self._free(size)
            if self._patience.has_ended(task):
                raise ReadTimedOut(self._patience.timeout) from None
            raise
        finally:
            self._patience.forget(task)
        if not size and "upgrade" in headers:
            raise BadRequest(UPGRADED)
        return b"".join(chunks)

    def release(self, body: bytes) -> None:
        """To be called with each body that was read, once its request is answered."""
        self._free(len(body))

    def _free(self, size: int) -> None:
        self.held -= size
        self._freed(size)

    def _admit(self, size: int, held: int) -> None:
        """Raises an error if a body of `size` bytes is too large. `held`: how many are held."""
        if size > self._largest:
            raise too_large(self._largest)
        others = self.held - held
        if others and others + size > self._most:
            raise Overloaded(
                f"the bodies of other requests take the {self._most} bytes that all may have "
                "(MAX_HELD_BYTES); try again later",
                headers={"Retry-After": "1"},
            )


class Patience:
    """Cancels tasks that wait for their clients for `timeout` seconds (0: never).

    There is one timer for all tasks, since one for each costs a small request 1 % of its time.
    """

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self._heard: dict[asyncio.Task[Any], float] = {}
        """When each task last heard from its client; the longest ago comes first."""
        self._ended: set[asyncio.Task[Any]] = set()
        """The tasks that were cancelled and have not noticed it yet."""
        self._timer: asyncio.TimerHandle | None = None

    def renew(self, task: "asyncio.Task[Any]") -> None:
        """The task begins to wait for its client, or has heard from it."""
        self.forget(task)
        loop = asyncio.get_running_loop()
        self._heard[task] = loop.time()
        if self._timer is None and self.timeout:
            self._timer = loop.call_later(self.timeout, self._look)

    def forget(self, task: "asyncio.Task[Any]") -> None:
        """The task no longer waits for its client."""
        self._heard.pop(task, None)

    def has_ended(self, task: "asyncio.Task[Any]") -> bool:
        """Whether the task was cancelled since it waited too long. To be asked once."""
        ended = task in self._ended
        self._ended.discard(task)
        return ended

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        for task, heard in list(self._heard.items()):
            if (left := heard + self.timeout - loop.time()) > 0:
                self._timer = loop.call_later(left, self._look)
                return
            del self._heard[task]
            self._ended.add(task)
            task.cancel()
