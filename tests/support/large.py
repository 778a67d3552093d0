"""Tables that are predicted in chunks, without a server: a model that answers with what it gets."""

from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import Any

from modelserver.reading.signatures.signature import Payload, Signature
from modelserver.scoring.answering.formats import named
from modelserver.scoring.chunking.large_bodies import Asked
from modelserver.scoring.chunking.large_tables import LargeTable
from modelserver.scoring.model import Model, Registration
from modelserver.scoring.request import Request, score

LIMIT = 10**6


def model_of(
    signature: Signature, predict: Callable[[Payload], Any] = lambda payload: payload.data
) -> Model:
    """A model that predicts each row for itself; without `predict`, the row as it got it."""
    return Model(
        uri="models:/m/1",
        registration=Registration("models:/m/1"),
        metadata={},
        signature=signature,
        example=None,
        example_payload=None,
        predict=predict,
        row_wise=True,
        loaded_at=datetime.now(timezone.utc),
    )


def whole(
    model: Model,
    body: bytes,
    media_type: str | None,
    answer: str = "csv",
    include: tuple[str, ...] | None = None,
) -> bytes:
    """The answer to the table, read at once."""
    return score(model, Request(body, media_type, None, LIMIT, named(answer), include)).body


def in_chunks(
    model: Model,
    parts: Sequence[bytes],
    media_type: str | None,
    answer: str = "csv",
    include: tuple[str, ...] | None = None,
    encoding: str | None = None,
    largest: int = LIMIT,
) -> bytes:
    """The answer to the table that consists of these parts."""
    asked = Asked(media_type, encoding, named(answer), include, "too large", LIMIT, largest)
    table = LargeTable(model, asked)
    for number, part in enumerate(parts, start=1):
        table.feed(part, last=number == len(parts))
        while table.step():
            pass
    file = table.finish()
    return file.piece(0, file.size)


def cut(body: bytes, size: int) -> list[bytes]:
    """The body in parts of this size."""
    return [body[place : place + size] for place in range(0, len(body), size)] or [b""]
