"""An ASGI app on a port of this machine, in a thread of this process."""

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from tests.support.processes import free_port


@contextlib.contextmanager
def serving(
    app: ASGIApp,
    root_path: str = "",
    port: int = 0,
    certificate: Path | None = None,
    **options: Any,
) -> Iterator[str]:
    """The URL of a uvicorn server around `app`, once it listens; https with a certificate.
    `options`: more of those of `uvicorn.Config`."""
    port = port or free_port()
    config = uvicorn.Config(
        app,
        port=port,
        root_path=root_path,
        loop="asyncio",
        log_level="error",
        ws="none",
        **options,
    )
    if certificate:
        config.ssl_certfile = config.ssl_keyfile = str(certificate)
        # An idle client would not answer the end of TLS, for which asyncio waits 30 s.
        config.headers = [("Connection", "close")]
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
