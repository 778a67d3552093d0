"""Bodies: read whole, within the bounds of one, of all and of time, and what counts as held."""

import asyncio
from collections.abc import Sequence

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from modelserver.errors import BadRequest, Overloaded, PayloadTooLarge, ReadTimedOut, UnknownCoding
from modelserver.hosting.bodies import Bodies

GONE: Message = {"type": "http.disconnect"}


def part(body: bytes, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def bodies_of(largest: int, most: int, timeout: float) -> Bodies:
    return Bodies(largest, most, timeout, freed=lambda size: None)


def receiving(*messages: Message | float) -> Receive:
    """ASGI's `receive`: these messages; a number is a pause in seconds, and so is the end."""
    left = list(messages)

    async def receive() -> Message:
        while left:
            message = left.pop(0)
            if not isinstance(message, float):
                return message
            await asyncio.sleep(message)
        await asyncio.sleep(60)
        raise AssertionError("nobody waits so long")

    return receive


def read(bodies: Bodies, *messages: Message | float, **headers: str) -> bytes:
    named = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return asyncio.run(bodies.read(named, receiving(*messages)))


@pytest.mark.parametrize(
    ("messages", "body"),
    [
        ([part(b"")], b""),
        ([part(b"abc")], b"abc"),
        ([part(b"ab", True), part(b"", True), part(b"c")], b"abc"),
        ([part(b"ab", True), 0.01, part(b"c")], b"abc"),
        ([{"type": "http.request"}], b""),
    ],
)
def test_reads_the_parts(messages: Sequence[Message | float], body: bytes) -> None:
    bodies = bodies_of(3, 12, 0)
    assert read(bodies, *messages) == body
    assert bodies.held == len(body)
    bodies.release(body)
    assert bodies.held == 0


@pytest.mark.parametrize(
    ("error", "messages", "headers"),
    [
        (PayloadTooLarge, [], {"content_length": "4"}),
        (PayloadTooLarge, [part(b"abc", True), part(b"d", True)], {}),
        (PayloadTooLarge, [part(b"abcd")], {"content_length": "\xb2"}),
        (ClientDisconnect, [part(b"abc", True), GONE], {}),
        (BadRequest, [part(b"")], {"upgrade": "h2c"}),
        (UnknownCoding, [], {"transfer_encoding": "gzip, chunked"}),
        (UnknownCoding, [], {"transfer_encoding": "gzip"}),
        (ReadTimedOut, [], {}),
        (ReadTimedOut, [part(b"ab", True)], {"content_length": "3"}),
    ],
)
def test_refuses(
    error: type[Exception], messages: Sequence[Message], headers: dict[str, str]
) -> None:
    freed: list[int] = []
    bodies = Bodies(3, 12, 0.01, freed.append)
    with pytest.raises(error):
        read(bodies, *messages, **headers)
    assert bodies.held == 0
    assert sum(freed) == sum(len(message.get("body", b"")) for message in messages)


def test_time_passes_between_two_parts_only() -> None:
    """All parts together may take longer than one."""
    parts: list[Message | float] = [0.06, part(b"a", True)] * 3
    assert read(bodies_of(3, 12, 0.15), *parts, part(b"")) == b"aaa"


def test_what_is_held_by_others() -> None:
    bodies = bodies_of(8, 10, 0)
    first = read(bodies, part(b"12345678"))
    with pytest.raises(Overloaded, match="10 bytes") as refused:
        read(bodies, content_length="3")
    assert refused.value.headers == {"Retry-After": "1"}
    with pytest.raises(Overloaded):
        read(bodies, part(b"ab", True), part(b"c"))
    assert bodies.held == 8
    assert read(bodies, part(b"ab"), content_length="2") == b"ab"
    bodies.release(first)
    assert read(bodies, part(b"abc"), content_length="3") == b"abc"


def test_one_body_is_read_though_it_is_larger_than_all_may_be() -> None:
    assert read(bodies_of(8, 4, 0), part(b"12345678"), content_length="8") == b"12345678"


def test_a_cancelled_request_holds_nothing() -> None:
    bodies = bodies_of(8, 10, 60)

    async def leave() -> None:
        reading = asyncio.create_task(bodies.read({}, receiving(part(b"abc", True))))
        await asyncio.sleep(0)
        assert bodies.held == 3
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

    asyncio.run(leave())
    assert bodies.held == 0


def test_each_of_several_is_timed_alone() -> None:
    bodies = bodies_of(8, 80, 0.2)

    async def both() -> Sequence[bytes | BaseException]:
        silent = bodies.read({}, receiving(part(b"a", True)))
        slow = bodies.read({}, receiving(0.1, part(b"b", True), 0.15, part(b"c")))
        return await asyncio.gather(silent, slow, return_exceptions=True)

    first, second = asyncio.run(both())
    assert isinstance(first, ReadTimedOut)
    assert second == b"bc"


def test_an_upload_does_not_wait_for_its_own_beginning() -> None:
    bodies = bodies_of(3, 12, 0)
    assert read(bodies, part(b"abc")) == b"abc"
    bodies.upload(receiving(), held=3).close()
    with pytest.raises(Overloaded):
        bodies.upload(receiving())


@pytest.mark.parametrize("coding", ["chunked", " Chunked "])
def test_chunks_are_put_together_by_the_web_server(coding: str) -> None:
    assert read(bodies_of(3, 12, 0), part(b"abc"), transfer_encoding=coding) == b"abc"
