"""A reverse proxy before real servers, and a browser that reports whatever goes wrong."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Mount, Route

from tests.support.needs import chromium_path
from tests.support.serving import serving

PREFIX = "/content/3f1c"

# No host but this machine has a name, and the browser's own services stay quiet.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]

HOP_BY_HOP = ("connection", "keep-alive", "transfer-encoding")


def proxy(upstream: str) -> Starlette:
    """A reverse proxy that serves `upstream` under PREFIX, and strips that from the path."""
    # No connection is kept: the server may close it when the next request is on its way.
    limits = httpx.Limits(max_keepalive_connections=0)
    client = httpx.AsyncClient(base_url=upstream, timeout=60, limits=limits)

    async def forward(request: Request) -> Response:
        path = request.url.path.removeprefix(PREFIX) or "/"
        sent = client.build_request(
            request.method,
            httpx.URL(path=path, query=request.url.query.encode()),
            headers=request.headers.raw,
            content=await request.body(),
        )
        answer = await client.send(sent, stream=True)
        headers = {k: v for k, v in answer.headers.items() if k not in HOP_BY_HOP}
        after = BackgroundTask(answer.aclose)
        return StreamingResponse(answer.aiter_raw(), answer.status_code, headers, None, after)

    routes = [Route("/{path:path}", forward, methods=["GET", "HEAD", "POST"])]
    return Starlette(routes=[Mount(PREFIX, routes=routes)])


@contextlib.contextmanager
def deployed(app: Starlette, how: str) -> Iterator[str]:
    """The base URL, with a slash at its end, of `app` at the root of a server, behind a proxy that
    strips a prefix, or behind one with a server that knows the prefix, as on Posit Connect."""
    if how == "root":
        with serving(app) as url:
            yield f"{url}/"
        return
    root_path = PREFIX if how == "root_path" else ""
    with serving(app, root_path) as upstream, serving(proxy(upstream)) as url:
        yield f"{url}{PREFIX}/"


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser. What is expected of its pages has a minute to come."""
    expect.set_options(timeout=60_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Visit:
    """A page, and everything that went wrong on it: errors of the console and of scripts, failed
    requests, and requests to elsewhere."""

    page: Page
    base: str
    problems: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Begins to record."""
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("requestfailed", lambda request: self.problems.append(request.url))
        self.page.on("request", lambda request: self._check(request.url))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(message.text)

    def _check(self, url: str) -> None:
        origin = "/".join(self.base.split("/")[:3])
        if not url.startswith((self.base, "data:", f"blob:{origin}/")):
            self.problems.append(f"a request to {url}")
