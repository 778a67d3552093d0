"""An ASGI app on a port of this machine, in a thread of this process."""

import contextlib
import threading
import time
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from tests.processes import free_port


@contextlib.contextmanager
def serving(app: ASGIApp, root_path: str = "", port: int = 0) -> Iterator[str]:
    """The URL of a uvicorn server around `app`, once it listens."""
    port = port or free_port()
    config = uvicorn.Config(
        app, port=port, root_path=root_path, loop="asyncio", log_level="error", ws="none"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
