"""The script of a rehearsal: loads the real app in a process of its own, and sends it requests.

In: the environment variables as JSON, on stdin. Out: the answers as JSON, in the file that the
argument names. The app is imported from the first folder of the path, which is a copy of the
bundle. It gets the requests without a socket and below a prefix, as on Posit Connect. Nothing
imports this module.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.types import Message

from modelserver.app import create_app
from modelserver.hosting.settings import read_settings
from modelserver.reading.formats import JSON
from modelserver.service import Service
from modelserver.states import Ready

PREFIX: Final = "/content/rehearsal"


async def _perform(app: Starlette) -> dict[str, Any]:
    """The app's answers by name; a request that was not sent has none."""
    service: Service = app.state.service
    async with app.router.lifespan_context(app):
        await service.lifecycle.settled(0)
        answers: dict[str, Any] = {"health": await _ask(app, "GET", "/health")}
        if isinstance(service.lifecycle.state, Ready):
            model = service.lifecycle.state.model
            answers["rows"] = model.example_payload and model.example_payload.rows
            if model.example is not None:
                answers["prediction"] = await _ask(app, "POST", "/invocations", model.example)
            answers["document"] = await _ask(app, "GET", "/openapi.json")
        return answers


async def _ask(app: Starlette, method: str, path: str, body: bytes = b"") -> dict[str, Any]:
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "root_path": PREFIX,
        "path": PREFIX + path,
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-type", JSON.encode())],
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent)
    return {"status": sent[0]["status"], "body": body.decode()}


app = create_app(read_settings(json.load(sys.stdin)))
Path(sys.argv[-1]).write_text(json.dumps(asyncio.run(_perform(app))), encoding="utf-8")
