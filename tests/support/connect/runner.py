"""The runtime that serves content: `runner.py ENTRYPOINT PORT`, from the folder of the bundle.

It imports the entrypoint and serves it with uvicorn. The prefix under which the outside world sees
the content is another for each request: the proxy says it in a header, and the app finds it in
`root_path` and in front of `path`, as ASGI defines both.
"""

import importlib
import os
import sys
from typing import Any
from urllib.parse import urlsplit

import uvicorn

BASE_URL = b"rstudio-connect-app-base-url"


class Mounted:
    """An ASGI app below the prefix that the request names."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            base = dict(scope["headers"]).get(BASE_URL, b"").decode()
            prefix = urlsplit(base).path.rstrip("/")
            path, raw_path = prefix + scope["path"], prefix.encode() + scope["raw_path"]
            scope = {**scope, "root_path": prefix, "path": path, "raw_path": raw_path}
        await self.app(scope, receive, send)


def main() -> None:
    entrypoint, port = sys.argv[1:]
    sys.path[0] = os.getcwd()
    module, _, name = entrypoint.partition(":")
    app = getattr(importlib.import_module(module), name or "app")
    uvicorn.run(Mounted(app), port=int(port), log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
