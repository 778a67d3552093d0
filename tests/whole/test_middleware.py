"""The trace of a request: whether its caller seems to be alone."""

import asyncio
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from modelserver.middleware import KEY, LONE_AFTER, RequestTrace


def loneliness(clients: list[Any]) -> list[bool]:
    """For each of these requests, by host and port of its connection, whether it counts as lone."""
    found = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        found.append(scope[KEY].lone)

    async def requests() -> None:
        trace = RequestTrace(app)
        for client in clients:
            scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "client": client}
            await trace(scope, receive, send)

    async def receive() -> Any:
        raise NotImplementedError

    async def send(message: Any) -> None:
        raise NotImplementedError

    asyncio.run(requests())
    return found


ONE, OTHER = ("127.0.0.1", 5000), ("127.0.0.1", 5001)


def test_many_requests_in_a_row_over_one_connection() -> None:
    found = loneliness([ONE] * (LONE_AFTER + 3))
    assert found == [False] * LONE_AFTER + [True] * 3


def test_another_caller_ends_it() -> None:
    found = loneliness([ONE] * (LONE_AFTER + 2) + [OTHER] + [ONE] * 5)
    assert found[LONE_AFTER:] == [True, True] + [False] * 6


@pytest.mark.parametrize("client", [None, ("10.0.0.1", 0)], ids=["unix socket", "behind a proxy"])
def test_connections_that_cannot_be_told_apart(client: Any) -> None:
    assert not any(loneliness([client] * (LONE_AFTER + 5)))
