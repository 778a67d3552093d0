"""`python main.py`: the app on a socket, with uvicorn.

With several processes they accept from the one socket, uvicorn's supervisor replaces any that ends,
and all end with the first: by Ctrl-C, SIGTERM, or without a word.
"""

import contextlib
import inspect
import logging
import multiprocessing
import os
import signal
import socket
import threading
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from uvicorn.supervisors import Multiprocess

from modelserver.settings import Settings

APP: Final = "main:app"
"""Where each of several processes finds the app; they cannot be handed one."""

PATIENCE: Final = 60
"""Seconds that a process may not answer its supervisor, as while a model's C code runs."""


def serve(app: Starlette, settings: Settings) -> None:
    """Serves until interrupted. A busy or forbidden port ends the process with one line."""
    listener = _listen(settings.host, settings.port)
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    print(f"Serving on http://{shown}:{listener.getsockname()[1]} (Ctrl-C ends it)", flush=True)
    if settings.processes > 1:
        _supervise(settings.processes, listener)
        return
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises it again once all is closed
        uvicorn.Server(_config(app)).run(sockets=[listener])


def end_with_parent() -> None:
    """Ends this process when the one that started it is gone, however that ended."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="end-with-parent", daemon=True).start()


def _config(app: Starlette | str, **options: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app, log_level="warning", access_log=False, proxy_headers=False, **options
    )


def _supervise(processes: int, listener: socket.socket) -> None:
    config = _config(APP, workers=processes)
    config.timeout_worker_healthcheck = PATIENCE
    logging.getLogger("uvicorn.error").setLevel(logging.INFO)  # says when a process died
    # Older versions of uvicorn want to be told what to run.
    options: dict[str, Any] = {"sockets": [listener], "target": uvicorn.Server(config).run}
    wanted = inspect.signature(Multiprocess).parameters
    Multiprocess(config, **{name: options[name] for name in options if name in wanted}).run()


def _listen(host: str, port: int) -> socket.socket:
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
