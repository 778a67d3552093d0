"""One request, start to end: body bytes to response bytes. Synchronous; runs in a worker.

Raises `ApiError` and nothing else that is the caller's or the model's fault.
"""

from dataclasses import dataclass

from modelserver.errors import BadRequest
from modelserver.media import decompress, media_type
from modelserver.model import Model
from modelserver.payload import read_payload
from modelserver.prediction import encode_predictions


@dataclass(frozen=True, slots=True)
class Request:
    """What of an HTTP request matters for scoring. `limit`: bytes after decompression."""

    body: bytes
    content_type: str | None
    content_encoding: str | None
    limit: int


@dataclass(frozen=True, slots=True)
class Scored:
    """The response body, and how many rows were predicted where that can be said."""

    body: bytes
    rows: int | None


def score(model: Model, request: Request) -> Scored:
    """The model's answer to a request."""
    body = request.body
    if request.content_encoding:
        body = decompress(body, request.content_encoding, request.limit)
    kind = media_type(request.content_type, body)
    try:
        payload = read_payload(kind, body, model.signature, request.limit)
    except RecursionError:
        raise BadRequest("the body is nested too deeply") from None
    return Scored(encode_predictions(model.predict(payload), payload.wrapped), payload.rows)
