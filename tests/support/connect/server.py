"""The stand-in: an API for rsconnect, a proxy to the content, a guarded tracking server.

It follows the conversation that rsconnect has with Posit Connect 2025.06 and later: a bundle is
deployed as a draft, asked once at `/content/<guid>/_bundle<id>/`, and activated unless that answer
is an error. Tests read from it what was called, with which key, and what the processes printed.
"""

import contextlib
import secrets
import shutil
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from tests.support.connect import api
from tests.support.connect.content import Bundle, Content
from tests.support.connect.door import Door
from tests.support.connect.proxy import forward
from tests.support.processes import free_port
from tests.support.serving import serving

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

CONSUMED = frozenset({"authorization", "x-rsc-authorization"})
"""Request headers that Connect keeps to itself."""

LOGIN_PAGE = HTMLResponse("<!DOCTYPE html><title>Log in</title><p>Posit Connect: please log in.")


@dataclass
class Connect:
    """The state of the server. What tests may change between requests stands first."""

    folder: Path
    url: str
    """Without a slash at the end; content is told it with one."""
    door: Door
    owner_is_viewer: bool = True
    """Whether the owner of the content may use the tracking server."""
    largest_upload: int = 10_000_000
    """Bytes that the proxy before it lets through."""
    version: str = "2026.07.0"
    publisher_key: str = field(default_factory=lambda: secrets.token_hex(16))
    contents: dict[str, Content] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    """Method and path of every call to the API."""
    tasks: dict[str, api.Task] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.door.accepts = self.may_use_tracking_server

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    def may_use_tracking_server(self, authorization: str | None) -> bool:
        jobs = [job for content in self.contents.values() for job in content.jobs if job.runs()]
        keys = [job.key for job in jobs] if self.owner_is_viewer else []
        return authorization in {f"Key {key}" for key in [self.publisher_key, *keys]}

    def add_content(self, name: str) -> Content:
        guid = str(uuid.uuid4())

        def automatic(key: str) -> Mapping[str, str]:
            return {
                "POSIT_PRODUCT": "CONNECT",
                "RSTUDIO_PRODUCT": "CONNECT",
                "CONNECT_SERVER": f"{self.url}/",
                "CONNECT_CONTENT_GUID": guid,
                "CONNECT_API_KEY": key,
            }

        folder = self.folder / guid
        folder.mkdir()
        self.contents[guid] = Content(guid, name, folder, automatic)
        return self.contents[guid]

    def by_vanity(self, path: str) -> Content | None:
        found = [content for content in self.contents.values() if content.vanity == path]
        return found[0] if found else None


def _connect(request: Request) -> Connect:
    connect: Connect = request.app.state.connect
    return connect


async def _draft(request: Request) -> Response:
    """A bundle before its activation. Its process ends when it answers with an error."""
    content = _connect(request).contents.get(request.path_params["guid"])
    number = str(request.path_params["bundle"])
    if content is None or number not in content.bundles:
        return Response(status_code=404)
    bundle = content.bundles[number]
    response = await _ask(request, content, bundle, f"content/{content.guid}/_bundle{number}/")
    if response.status_code >= 500 and bundle is not content.active and bundle.job is not None:
        bundle.job.stop()
    return response


async def _content(request: Request) -> Response:
    content = _connect(request).contents.get(request.path_params["guid"])
    if content is None or content.active is None:
        return Response(status_code=404)
    return await _ask(request, content, content.active, f"content/{content.guid}/")


async def _vanity(request: Request) -> Response:
    content = _connect(request).by_vanity(request.path_params["vanity"])
    if content is None or content.active is None:
        return Response(status_code=404)
    return await _ask(request, content, content.active, f"{content.vanity}/")


async def _ask(request: Request, content: Content, bundle: Bundle, base: str) -> Response:
    """The answer of a bundle's process to a viewer."""
    connect = _connect(request)
    if request.headers.get("authorization") != f"Key {connect.publisher_key}":
        return RedirectResponse(f"{connect.path}/connect/#/login", 302)
    job = await api.in_thread(content.job_of, bundle)
    base_url = {"RStudio-Connect-App-Base-URL": f"{connect.url}/{base}"}
    return await forward(request, f"{job.url}/{request.path_params['rest']}", CONSUMED, base_url)


async def _with_slash(request: Request) -> Response:
    return RedirectResponse(f"{request.url.path}/", 302)


def routes() -> list[BaseRoute]:
    return [
        Mount("/__api__", routes=api.ROUTES),
        Route("/connect/", lambda request: LOGIN_PAGE),
        Route("/content/{guid}", _with_slash),
        Route("/content/{guid}/_bundle{bundle:int}/{rest:path}", _draft, methods=METHODS),
        Route("/content/{guid}/{rest:path}", _content, methods=METHODS),
        Route("/{vanity}", _with_slash),
        Route("/{vanity}/{rest:path}", _vanity, methods=METHODS),
    ]


@contextlib.contextmanager
def connect_server(folder: Path, tracking_url: str, path: str = "") -> Iterator[Connect]:
    """A running stand-in below `path`, with that tracking server at its vanity URL /mlflow."""
    port = free_port()
    door = Door(tracking_url, login_page=f"{path}/connect/")
    connect = Connect(folder, f"http://127.0.0.1:{port}{path}", door)
    app = Starlette(
        routes=[Mount(f"{path}/mlflow", door), Mount(path, routes=routes())],
        exception_handlers={api.Refused: api.refusal},
    )
    app.state.connect = connect
    try:
        with serving(app, port=port):
            yield connect
    finally:
        for content in connect.contents.values():
            content.restart()
        shutil.rmtree(folder)
