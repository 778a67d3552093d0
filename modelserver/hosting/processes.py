"""`python main.py`: the app on a socket, with uvicorn, in one process or several.

Several processes accept requests from the same socket. The process that started them replaces each
one that ends. When it ends itself, by Ctrl-C, SIGTERM or SIGKILL, all of them end too.
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
"""Where each of several processes imports the app; it cannot be passed to another process."""

PAUSE: Final = 0.5
"""Seconds between two checks of the processes, and so between two attempts to start one."""

GRACE: Final = 10
"""Seconds that the processes get to answer their last requests before they are killed."""

logger = logging.getLogger(__name__)


def serve(app: Starlette, settings: Settings) -> None:
    """Serves until it is interrupted. Raises `SystemExit` if the port is busy or forbidden."""
    listener = listen(settings.host, settings.port)
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    print(f"Serving on http://{shown}:{listener.getsockname()[1]} (Ctrl-C ends it)", flush=True)
    if settings.processes > 1:
        _supervise(settings.processes, listener)
    else:
        _run(app, listener)


def end_with_parent() -> None:
    """Makes this process end when the process that started it ends, even by SIGKILL. Does nothing
    if `serve` did not start this process."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="end-with-parent", daemon=True).start()


def _run(app: Starlette | str, listener: socket.socket) -> None:
    config = uvicorn.Config(app, log_level="warning", access_log=False, proxy_headers=False)
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises it again after it has shut down
        uvicorn.Server(config).run(sockets=[listener])


# uvicorn's own supervisor is not used. It asks each process whether it is alive, and while it waits
# for the answer it notices neither a dead process nor a signal. It also replaces a process that
# does not answer, although a model's C code may only keep it busy for a minute. So this supervisor
# replaces only processes that have ended.
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
        process.kill()  # does nothing if the process has ended
        process.join()


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
