"""The bodies of requests, read within three bounds: the size of one, the size of all, and a time.

In: the headers of a request and ASGI's `receive`. Out: the bytes. A body that is too large is
refused with 413, and one that does not fit beside those that are held already with 503; both before
it is read, if its length was announced. If no byte comes for too long, the answer is 408. A body
that is too large may still be read part by part, as an `Upload`.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from modelserver.errors import (
    BadRequest,
    Overloaded,
    PayloadTooLarge,
    ReadTimedOut,
    UnknownCoding,
    too_large,
)

UPGRADED: Final = (
    "the body is missing: with an Upgrade header it is not read. Switch HTTP/2 off in the client "
    "(Java: version(HTTP_1_1), curl: --http1.1)"
)


SMALLEST_PART, LARGEST_PART = 512 * 1024, 4 * 1024 * 1024
"""Between how many bytes the parts of an upload have. Of larger ones, an upload would take much
memory."""

HELD_PARTS: Final = 2
"""How many parts an upload holds: one is predicted, and the next one is received."""


class TooLarge(PayloadTooLarge):
    """The body is too large to be read whole. `receive` gives it from its start. `held`: how many
    bytes of it are held meanwhile."""

    def __init__(self, message: str, receive: Receive, held: int = 0) -> None:
        super().__init__(message)
        self.receive = receive
        self.held = held


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

    async def read(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        """The body of a request with these headers. It counts as held until `release`.

        Raises `TooLarge`, `Overloaded`, `ReadTimedOut`, `ClientDisconnect`, `UnknownCoding`, and
        `BadRequest` if an upgrade header makes the body empty.
        """
        coding = headers.get(b"transfer-encoding")
        if coding is not None and coding.strip().lower() != b"chunked":
            raise UnknownCoding  # web servers undo only this one, and pass the rest on
        announced = headers.get(b"content-length", b"")
        length = int(announced) if announced.isdigit() else 0
        if length > self._largest:
            raise self._too_large(receive)
        self._admit(length, held=0)
        chunks: list[bytes] = []
        size, more = await self.collect(receive, chunks, self._largest, self._admit)
        if size > self._largest:
            self.free(size)
            raise self._too_large(again(chunks, more, receive))
        if not size and b"upgrade" in headers:
            raise BadRequest(UPGRADED)
        return b"".join(chunks)

    def release(self, body: bytes) -> None:
        """To be called with each body that was read, once its request is answered."""
        self.free(len(body))

    def upload(self, receive: Receive, held: int = 0) -> "Upload":
        """A body that is read part by part, of which `held` bytes are held already. Raises
        `Overloaded`."""
        self._admit(HELD_PARTS * LARGEST_PART, held)
        return Upload(self, receive)

    async def collect(
        self,
        receive: Receive,
        chunks: list[bytes],
        enough: int,
        admit: Callable[[int, int], None],
    ) -> tuple[int, bool]:
        """Appends what comes to `chunks`, up to the end or until it has more than `enough` bytes.
        They count as held until `free`. Returns how many came, and whether there are more. `admit`
        is called with the number of bytes so far, which are held; it may raise an error."""
        size, more = 0, True
        task = asyncio.current_task()
        assert task is not None
        self._patience.renew(task)
        try:
            while more and size <= enough:  # request.stream() would make a small request 3 % slower
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                chunks.append(message.get("body", b""))
                size += len(chunks[-1])
                self.held += len(chunks[-1])
                admit(size, size)
                more = message.get("more_body", False)
                if more:
                    self._patience.renew(task)
        except BaseException:
            self.free(size)
            if self._patience.has_ended(task):
                raise ReadTimedOut(self._patience.timeout) from None
            raise
        finally:
            self._patience.forget(task)
        return size, more

    def free(self, size: int) -> None:
        """So many bytes are no longer held."""
        self.held -= size
        self._freed(size)

    def _too_large(self, receive: Receive) -> TooLarge:
        return TooLarge(too_large(self._largest).message, receive)

    def _admit(self, size: int, held: int) -> None:
        """Raises `Overloaded` if a body of `size` bytes does not fit. `held`: how many are held."""
        others = self.held - held
        if others and others + size > self._most:
            raise Overloaded(
                f"the bodies of other requests take the {self._most} bytes that all may have "
                "(MAX_HELD_BYTES); try again later",
                headers={"Retry-After": "1"},
            )


class Upload:
    """A body that is read part by part. `close` is to be called at its end, however it comes."""

    def __init__(self, bodies: Bodies, receive: Receive) -> None:
        self._bodies = bodies
        self._receive = receive
        self._held = 0

    async def part(self, wanted: float) -> tuple[bytes, bool]:
        """The next part, of about the wanted number of bytes, and whether it is the last one. It
        counts as held until `release`. Raises `ReadTimedOut` and `ClientDisconnect`."""
        enough = int(min(max(wanted, SMALLEST_PART), LARGEST_PART)) - 1
        chunks: list[bytes] = []
        size, more = await self._bodies.collect(self._receive, chunks, enough, lambda *_: None)
        self._held += size
        return b"".join(chunks), not more

    def release(self, part: bytes) -> None:
        """To be called with each part once it is no longer needed."""
        self._held -= len(part)
        self._bodies.release(part)

    def close(self) -> None:
        """Releases the parts that are still held."""
        self._bodies.free(self._held)
        self._held = 0


def again(chunks: list[bytes], more: bool, receive: Receive) -> Receive:
    """ASGI's `receive` for a body that began with these chunks, which are given up one after the
    other. `more`: whether `receive` has the rest of it."""
    left = deque(chunks)
    chunks.clear()

    async def again() -> Message:
        if not left:
            return await receive()
        body = left.popleft()
        return {"type": "http.request", "body": body, "more_body": more or bool(left)}

    return again


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
