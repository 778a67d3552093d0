"""`python main.py`: the app on a socket, with uvicorn, in one process or several.

Several processes accept requests from the same socket. The process that started them starts another
for each that ends. When it ends itself, by Ctrl-C, SIGTERM or SIGKILL, so do they.
"""

import contextlib
import logging
import multiprocessing
import os
import signal
import socket
import threading
import time
from multiprocessing.context import SpawnProcess
from typing import Final

import uvicorn
from starlette.applications import Starlette

from modelserver.hosting.settings import Settings

APP: Final = "main:app"
"""Where each of several processes finds the app; they cannot be handed one."""

PAUSE: Final = 0.5
"""Seconds between two looks at the processes, so also between two tries to start one."""

GRACE: Final = 10
"""Seconds in which the processes may answer their last requests; then they are killed."""

logger = logging.getLogger(__name__)


def serve(app: Starlette, settings: Settings) -> None:
    """Serves until interrupted. Raises `SystemExit` for a port that is busy or forbidden."""
    listener = listen(settings.host, settings.port)
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    print(f"Serving on http://{shown}:{listener.getsockname()[1]} (Ctrl-C ends it)", flush=True)
    if settings.processes > 1:
        _supervise(settings.processes, listener)
    else:
        _run(app, listener)


def end_with_parent() -> None:
    """Has this process end when the one that started it does, even by SIGKILL. Does nothing in a
    process that `serve` did not start."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="end-with-parent", daemon=True).start()


def _run(app: Starlette | str, listener: socket.socket) -> None:
    config = uvicorn.Config(app, log_level="warning", access_log=False, proxy_headers=False)
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises it again once all is closed
        uvicorn.Server(config).run(sockets=[listener])


# uvicorn's own supervisor is not used. It asks its processes whether they are alive, and while it
# waits for an answer it notices neither a dead process nor a signal. An answer that does not come
# does not prove a process hung, either: a model's C code may keep it busy for a minute. So only a
# process that has ended is replaced.
def _supervise(count: int, listener: socket.socket) -> None:
    signals: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: signals.append(number))
    processes: list[SpawnProcess] = []
    try:
        while not signals:
            processes = [process for process in processes if _goes_on(process)]
            processes.extend(_start(listener) for _ in range(count - len(processes)))
            time.sleep(PAUSE)
    finally:
        _end(processes)


def _goes_on(process: SpawnProcess) -> bool:
    if process.is_alive():
        return True
    logger.warning("process [%s] died (exit code %s)", process.pid, process.exitcode)
    return False


def _start(listener: socket.socket) -> SpawnProcess:
    process = multiprocessing.get_context("spawn").Process(target=_run, args=(APP, listener))
    process.start()
    return process


def _end(processes: list[SpawnProcess]) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + GRACE
    for process in processes:
        process.join(max(0, deadline - time.monotonic()))
        process.kill()  # does nothing to one that has ended
        process.join()


def listen(host: str, port: int) -> socket.socket:
    """The socket that all processes accept from. Raises `SystemExit` for a bad host or port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Only where the protocol is named does asyncio switch Nagle's delay off (40 ms an answer).
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        raise SystemExit(
            f"cannot listen on {host}:{port} ({error.strerror}); choose another HOST or PORT"
        ) from None
    return listener
