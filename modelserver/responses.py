"""What answers with predictions have in common: their headers, and how a file is sent."""

import asyncio
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Send

from modelserver.answering.formats import AnswerFormat
from modelserver.scoring.model import Model
from modelserver.scoring.spool import Spool

PIECE: Final = 1024 * 1024
"""How many bytes of a file are sent at a time."""


def headers_of(
    answer: AnswerFormat, length: int, timing: bytes, model: Model
) -> list[tuple[bytes, bytes]]:
    """The headers of a prediction with a body of `length` bytes, as ASGI has them."""
    headers = [
        (b"content-length", str(length).encode()),
        (b"content-type", answer.content_type.encode()),
        (b"vary", b"Accept"),
        (b"server-timing", timing),
    ]
    if model.registration.version is not None:
        headers.append((b"x-model-version", str(model.registration.version).encode()))
    return headers


async def send_file(file: Spool, receive: Receive, send: Send) -> None:
    """Sends the body of an answer, whose headers were sent. Raises `ClientDisconnect` once the
    client has left; the whole request was received before."""
    left = asyncio.ensure_future(receive())
    try:
        place, size = 0, file.size
        while place < size:
            if left.done():
                raise ClientDisconnect
            piece = await asyncio.to_thread(file.piece, place, PIECE)
            place += len(piece)
            more = place < size
            await send({"type": "http.response.body", "body": piece, "more_body": more})
    finally:
        left.cancel()
