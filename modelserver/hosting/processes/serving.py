"""`python main.py`: the app on a socket, with uvicorn, in one process or several.

In: the app and the settings. Out: nothing, once SIGTERM, SIGHUP or Ctrl-C has ended the server. It
finishes the requests that it has begun, for SHUTDOWN_TIMEOUT at most; then the exit code is 0.
"""

import asyncio
import contextlib
import multiprocessing
import os
import signal
import socket
import sys
import threading
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

import uvicorn

from modelserver.errors import LARGEST_HEADERS
from modelserver.hosting.connections.choosing import guarded
from modelserver.hosting.processes.early_app import EarlyApp
from modelserver.hosting.processes.supervisor import (
    GRACE,
    Readiness,
    ending,
    hold_interrupts,
    ignore_signals,
    supervise,
)
from modelserver.hosting.settings import Settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp

POLL: Final = 0.1
"""Seconds between two looks at whether the model is ready."""

MOST_FILES: Final = 65_536
"""The most files and sockets that a process may have open, if the system allows so many."""


def serve(app: "ASGIApp", settings: Settings) -> None:
    """Serves until it is interrupted. Raises `SystemExit` if the port is busy or forbidden."""
    allow_connections()
    listener = listen(settings.host, settings.port)
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    url = f"http://{shown}:{listener.getsockname()[1]}"
    what = "the model loads now" if settings.model_uri else "without a model"
    told = f"Listening on {url}, {what} (Ctrl-C ends it)"
    if settings.processes > 1:
        print(told, flush=True)
        supervise(_run_one, listener, settings)
    else:
        _run(Impatient(_config(app, settings)), listener, told)


def listen(host: str, port: int) -> socket.socket:
    """The socket from which all processes accept. Raises `SystemExit` for a bad host or port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's algorithm off (40 ms per answer) only if the protocol is named here.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise SystemExit(
            f"cannot listen on {host}:{port} ({error.strerror}); choose another HOST or PORT"
        ) from None
    return listener


def allow_connections() -> None:
    """Raises the soft limit of open files, by default 1024 on most systems: each connection counts,
    and those beyond the limit would be closed."""
    try:
        import resource
    except ImportError:  # Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    with contextlib.suppress(OSError, ValueError):  # macOS has one more limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


class Impatient(uvicorn.Server):
    """The server, which a second Ctrl-C ends at once."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called by uvicorn for SIGINT and SIGTERM. At a second SIGINT it would cancel everything,
        and log the tracebacks."""
        if self.should_exit and sig == signal.SIGINT:
            os._exit(0)
        super().handle_exit(sig, frame)


class OneOfSeveral(Impatient):
    """The server in one of several processes. It accepts no request before its model is ready,
    while another process can answer."""

    def __init__(self, config: uvicorn.Config, app: EarlyApp, readiness: Readiness) -> None:
        super().__init__(config)
        self._app = app
        self._lifecycle: Any = None
        self._readiness = readiness

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Called by uvicorn; accepts from the sockets."""
        self._lifecycle = (await self._app.made()).state.service.lifecycle
        self._lifecycle.start()
        while not (self._tell() or self._readiness.is_needed() or self.should_exit):
            await asyncio.sleep(POLL)
        if not self.should_exit:
            await super().startup(sockets)

    async def on_tick(self, counter: int) -> bool:
        """Called by uvicorn ten times a second."""
        self._tell()
        return await super().on_tick(counter)

    def _tell(self) -> bool:
        is_ready: bool = self._lifecycle.state.name == "ready"
        self._readiness.tell(is_ready)
        return is_ready


def _run_one(listener: socket.socket, settings: Settings, readiness: Readiness) -> None:
    """What one of several processes runs. It has imported main.py by now, which made its app."""
    _end_with_parent()
    app: EarlyApp = vars(sys.modules["__main__"])["app"]
    _run(OneOfSeveral(_config(app, settings), app, readiness), listener)


def _end_with_parent() -> None:
    """Makes this process end when the process that started it ends, even by SIGKILL."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="end-with-parent", daemon=True).start()


def _config(app: "ASGIApp", settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=guarded(settings.read_timeout),
        ws="none",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=LARGEST_HEADERS,
        timeout_keep_alive=settings.keep_alive,
        timeout_graceful_shutdown=settings.shutdown_timeout,
    )


def _run(server: uvicorn.Server, listener: socket.socket, told: str = "") -> None:
    """Serves until a signal comes. `told` is printed before, but when the signals are handled: who
    reads it may end the server at once."""

    # uvicorn handles the other two itself while it serves. Once it has shut down, it raises them
    # again; without this handler they would end the process with another exit code.
    def end(number: int, frame: FrameType | None) -> None:
        server.should_exit = True

    for number in ending():
        signal.signal(number, end)
    hold_interrupts(False)
    if told:
        print(told, flush=True)
    server.run(sockets=[listener])
    ignore_signals()
    # Python waits for threads before it ends, and one of the model's may never end.
    last = threading.Timer(GRACE, os._exit, [0])
    last.daemon = True
    last.start()
