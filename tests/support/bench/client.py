"""The client: one keep-alive socket per caller, driven by epoll."""

import contextlib
import http.client
import os
import select
import socket
import time
from collections.abc import Iterator, Sequence
from typing import Final

from tests.support.bench.cases import HOST, WORKLOAD, Case

PATIENCE: Final = 120.0
"""Seconds until a server that does not start or answer counts as broken."""

AWAKE: Final = 0.002 if (os.cpu_count() or 1) > 1 else 0.0
"""Seconds that the client polls before it sleeps."""

MOST_REQUESTS: Final = 3000
"""Bound of one round, so that fast servers do not fill the memory with latencies."""

PING_REQUEST: Final = f"GET /ping HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()


class Caller:
    """One keep-alive connection that sends the same request again and again."""

    def __init__(self, port: int, request: bytes) -> None:
        self.socket = socket.create_connection((HOST, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._get_accepted()
        self.socket.setblocking(False)
        self.request = memoryview(request)
        self.began = 0.0
        self._left = self.request
        self._answer = bytearray()
        self._end: int | None = None

    def begin(self) -> None:
        """Sends, as much as the socket takes."""
        self._left, self._answer, self._end = self.request, bytearray(), None
        self.began = time.perf_counter()
        self.advance()

    def advance(self) -> bool:
        """Sends and receives what is possible now; True once the answer is complete."""
        with contextlib.suppress(BlockingIOError):
            while self._left:
                self._left = self._left[self.socket.send(self._left) :]
            while not self._complete():
                if not (part := self.socket.recv(1 << 18)):
                    raise ConnectionError("the server closed the connection")
                self._answer += part
            return True
        return False

    def _get_accepted(self) -> None:
        """Pings: a server that is busy with older connections leaves new ones waiting."""
        self.socket.settimeout(PATIENCE)
        self.socket.sendall(PING_REQUEST)
        answer = b""
        while not answer.endswith(b"\r\n\r\n\n"):
            if not (part := self.socket.recv(1 << 12)):
                raise ConnectionError(f"/ping was answered {answer!r}")
            answer += part

    def _complete(self) -> bool:
        if self._end is None:
            head, found, _ = self._answer.partition(b"\r\n\r\n")
            if not found:
                return False
            if not head.startswith(b"HTTP/1.1 200"):
                raise ConnectionError(f"the server answered {self._answer[:1000]!r}")
            length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
            self._end = len(head) + 4 + int(length)
        return len(self._answer) >= self._end


@contextlib.contextmanager
def connected(port: int, request: bytes, callers: int) -> Iterator[list[Caller]]:
    """Callers with open connections."""
    with contextlib.ExitStack() as stack:
        opened = [Caller(port, request) for _ in range(callers)]
        for caller in opened:
            stack.enter_context(caller.socket)
        yield opened


def _events(poll: select.epoll) -> list[tuple[int, int]]:
    """The next events. Waits awake for short: to wake a sleeping caller is work for the server."""
    until = time.perf_counter() + AWAKE
    while time.perf_counter() < until:
        if events := poll.poll(0):
            return events
    if events := poll.poll(PATIENCE):
        return events
    raise TimeoutError(f"the server said nothing for {PATIENCE} s")


def drive(
    callers: Sequence[Caller], seconds: float, most: int = MOST_REQUESTS
) -> tuple[list[float], float]:
    """Latencies of requests sent for `seconds` by `callers`, at most `most`; and the time taken."""
    latencies: list[float] = []
    with select.epoll() as poll:
        active = {caller.socket.fileno(): caller for caller in callers}
        for fd in active:
            poll.register(fd, select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)
        start = time.perf_counter()
        for caller in callers:
            caller.begin()
        while active:
            for fd, _ in _events(poll):
                if active[fd].advance():
                    now = time.perf_counter()
                    latencies.append(now - active[fd].began)
                    if now - start < seconds and len(latencies) + len(active) <= most:
                        active[fd].begin()
                    else:
                        poll.unregister(fd)
                        del active[fd]
        return latencies, time.perf_counter() - start


def ask(port: int, case: Case) -> bytes:
    """One answer to a workload's request."""
    connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE)
    with contextlib.closing(connection):
        headers = {"Content-Type": case.media_type, WORKLOAD: case.name}
        connection.request("POST", case.path, case.body, headers)
        response = connection.getresponse()
        answer = response.read()
    if response.status != 200:
        raise ConnectionError(f"{response.status}: {answer[:1000]!r}")
    return answer
