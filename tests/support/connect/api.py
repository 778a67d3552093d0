"""The part of Connect's API that rsconnect calls to publish, and people to set up content."""

import asyncio
import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from tests.support.connect.content import Bundle, Content
from tests.support.connect.environment import BuildFailed

if TYPE_CHECKING:
    from tests.support.connect.server import Connect

T = TypeVar("T")


@dataclass(frozen=True)
class Task:
    """A deployment that ended: what it printed, and how."""

    id: str
    output: list[str]
    code: int = 0
    error: str = ""

    def status(self, first: int) -> dict[str, Any]:
        return {
            "id": self.id,
            "output": self.output[first:],
            "last": len(self.output),
            "finished": True,
            "code": self.code,
            "error": self.error,
            "result": None,
        }


class Refused(Exception):
    """What Connect does not take: the status, its own code, and what it says."""

    def __init__(self, status: int, code: int, error: str) -> None:
        super().__init__(error)
        self.status = status
        self.code = code


async def refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return JSONResponse({"code": error.code, "error": str(error)}, error.status)


async def in_thread(work: Callable[..., T], *arguments: Any) -> T:
    """The result of blocking work, while other requests are answered."""
    return await asyncio.get_running_loop().run_in_executor(None, work, *arguments)


def _connect(request: Request) -> "Connect":
    """The server, asked by its publisher. Remembers the call."""
    connect: Connect = request.app.state.connect
    path = request.url.path.partition("/__api__/")[2]
    connect.calls.append(f"{request.method} {path}")
    is_public = path == "server_settings"
    if not is_public and request.headers.get("authorization") != f"Key {connect.publisher_key}":
        raise Refused(401, 30, "the API key is not valid")
    return connect


def _content(request: Request) -> Content:
    content = _connect(request).contents.get(request.path_params["guid"])
    if content is None:
        raise Refused(404, 4, "there is no such content")
    return content


def _described(connect: "Connect", content: Content) -> dict[str, Any]:
    return {
        "guid": content.guid,
        "id": content.guid,
        "name": content.name,
        "title": content.settings.get("title", content.name),
        "app_mode": "python-fastapi",
        "bundle_id": content.active.id if content.active else None,
        "content_url": f"{connect.url}/content/{content.guid}/",
        "dashboard_url": f"{connect.url}/connect/#/apps/{content.guid}",
        "owner_guid": "publisher",
        **content.settings,
    }


async def _server_settings(request: Request) -> Response:
    return JSONResponse({"version": _connect(request).version})


async def _user(request: Request) -> Response:
    _connect(request)
    return JSONResponse({"guid": "publisher", "username": "publisher", "user_role": "publisher"})


async def _find_content(request: Request) -> Response:
    connect = _connect(request)
    name = request.query_params.get("name")
    found = [content for content in connect.contents.values() if content.name == name]
    return JSONResponse([_described(connect, content) for content in found])


async def _create_content(request: Request) -> Response:
    connect = _connect(request)
    content = connect.add_content((await request.json())["name"])
    return JSONResponse(_described(connect, content))


async def _get_content(request: Request) -> Response:
    content = _content(request)
    return JSONResponse(_described(request.app.state.connect, content))


async def _change_content(request: Request) -> Response:
    content = _content(request)
    content.settings |= await request.json()
    return JSONResponse(_described(request.app.state.connect, content))


async def _change_environment(request: Request) -> Response:
    """Sets variables, removes those that are null; either way the processes start anew."""
    content = _content(request)
    for variable in await request.json():
        content.variables.pop(variable["name"], None)
        if variable["value"] is not None:
            content.variables[variable["name"]] = variable["value"]
    await in_thread(content.restart)
    return JSONResponse(sorted(content.variables))


async def _set_vanity(request: Request) -> Response:
    content = _content(request)
    path = (await request.json())["path"]
    content.vanity = path.strip("/")
    return JSONResponse({"content_guid": content.guid, "path": path})


def _archive(media_type: str, body: bytes) -> bytes:
    """A raw tar.gz, or a form with the archive and what is known of its repository."""
    if not media_type.startswith("multipart/form-data"):
        return body
    message = message_from_bytes(b"Content-Type: " + media_type.encode() + b"\r\n\r\n" + body)
    parts: dict[Any, Any] = {
        part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
        for part in message.walk()
    }
    assert "source" in json.loads(parts["metadata"])
    archive: bytes = parts["archive"]
    return archive


async def _upload_bundle(request: Request) -> Response:
    content = _content(request)
    body = await request.body()
    if len(body) > request.app.state.connect.largest_upload:
        return HTMLResponse("<h1>413 Request Entity Too Large</h1>", 413)
    archive = _archive(request.headers.get("content-type", ""), body)
    number = str(101 + len(content.bundles))
    file = content.folder / f"{number}.tar.gz"
    file.write_bytes(archive)
    try:
        bundle = await in_thread(content.add_bundle, file, number)
    except (tarfile.TarError, FileNotFoundError) as error:
        raise Refused(400, 0, "the bundle cannot be unpacked, or has no manifest.json") from error
    return JSONResponse({"id": bundle.id, "content_guid": content.guid, "size": len(archive)})


async def _deploy(request: Request) -> Response:
    content = _content(request)
    wanted = await request.json()
    bundle = content.bundles[wanted["bundle_id"]]
    tasks = request.app.state.connect.tasks
    task = await in_thread(_deployed, f"task{len(tasks) + 1}", bundle)
    tasks[task.id] = task
    if task.code == 0 and wanted.get("activate", True):
        await in_thread(content.activate, bundle)
    return JSONResponse({"task_id": task.id})


def _deployed(task_id: str, bundle: Bundle) -> Task:
    output = [f"Building environment for bundle {bundle.id}"]
    try:
        if bundle.python is None:
            bundle.build()
    except BuildFailed as failure:
        output += str(failure).splitlines()
        return Task(task_id, output, 1, "An error occurred while building the content")
    return Task(task_id, [*output, "Completed packages installation"])


async def _task(request: Request) -> Response:
    task = _connect(request).tasks[request.path_params["id"]]
    return JSONResponse(task.status(int(request.query_params.get("first", 0))))


ROUTES = [
    Route("/server_settings", _server_settings),
    Route("/v1/user", _user),
    Route("/v1/content", _find_content),
    Route("/v1/content", _create_content, methods=["POST"]),
    Route("/v1/content/{guid}", _get_content),
    Route("/v1/content/{guid}", _change_content, methods=["PATCH"]),
    Route("/v1/content/{guid}/environment", _change_environment, methods=["PATCH"]),
    Route("/v1/content/{guid}/vanity", _set_vanity, methods=["PUT"]),
    Route("/v1/content/{guid}/bundles", _upload_bundle, methods=["POST"]),
    Route("/v1/content/{guid}/deploy", _deploy, methods=["POST"]),
    Route("/v1/tasks/{id}", _task),
]
