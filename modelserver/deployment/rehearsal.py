"""A rehearsal: the real app, loaded and asked once from inside, without a socket.

In: settings with a model URI. Out: a frozen `Rehearsal`. The app is asked below a prefix, as Posit
Connect asks it. Nothing is raised that is the model's fault: it is in the answers.
"""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from starlette.applications import Starlette
from starlette.types import Message

from modelserver.app import create_app
from modelserver.media import JSON
from modelserver.service import Service
from modelserver.settings import Settings

PREFIX: Final = "/content/rehearsal"


@dataclass(frozen=True, slots=True)
class Answer:
    """A response."""

    status: int
    body: bytes

    def json(self) -> Any:
        """The body as a value."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What the app answered. `prediction` is None where there is no example to predict."""

    health: Answer
    prediction: Answer | None = None
    document: Answer | None = None


def rehearse(settings: Settings) -> Rehearsal:
    """Starts the app, waits for its model, asks, stops it."""
    return asyncio.run(_rehearse(create_app(settings)))


async def _rehearse(app: Starlette) -> Rehearsal:
    service: Service = app.state.service
    async with app.router.lifespan_context(app):
        await service.lifecycle.settled(0)
        health = await _ask(app, "GET", "/health")
        model = service.lifecycle.model
        if model is None:
            return Rehearsal(health)
        predicted = None
        if model.example is not None:
            predicted = await _ask(app, "POST", "/invocations", model.example)
        return Rehearsal(health, predicted, await _ask(app, "GET", "/openapi.json"))


async def _ask(app: Starlette, method: str, path: str, body: bytes = b"") -> Answer:
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
    return Answer(sent[0]["status"], b"".join(message.get("body", b"") for message in sent))


def faults(document: Any) -> Iterator[str]:
    """What keeps a value from being an OpenAPI document that tools can follow."""
    if not str(document.get("openapi", "")).startswith("3.1"):
        yield "it is not OpenAPI 3.1"
    if "/invocations" not in document.get("paths", {}):
        yield "it has no /invocations"
    for reference in sorted(set(_references(document))):
        if not _is_there(document, reference):
            yield f"there is no {reference}"


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _references(item)


def _is_there(document: Any, reference: str) -> bool:
    for key in reference.removeprefix("#/").split("/"):
        document = document.get(key) if isinstance(document, dict) else None
    return document is not None
