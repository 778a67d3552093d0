"""`python main.py`: the app on a socket, with uvicorn."""

import contextlib
import socket

import uvicorn
from starlette.applications import Starlette

from modelserver.settings import Settings


def serve(app: Starlette, settings: Settings) -> None:
    """Serves until interrupted. A busy or forbidden port ends the process with one line."""
    listener = _listen(settings.host, settings.port)
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    print(f"Serving on http://{shown}:{listener.getsockname()[1]} (Ctrl-C ends it)", flush=True)
    config = uvicorn.Config(app, log_level="warning", access_log=False, proxy_headers=False)
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises it again once all is closed
        uvicorn.Server(config).run(sockets=[listener])


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
