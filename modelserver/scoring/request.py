"""One request from start to end: body bytes to response bytes. Synchronous; `workers` runs it.

Faults of the caller and of the model are raised as an `ApiError`.
"""

from dataclasses import dataclass
from typing import Any, Final

from modelserver.answering.encoding import encode_predictions
from modelserver.errors import BadRequest, ModelFailed
from modelserver.reading.formats import PACKED
from modelserver.reading.media import decompress, format_of
from modelserver.reading.signatures.signature import Payload
from modelserver.scoring.blaming.blame import Case
from modelserver.scoring.model import Model

SMALL: Final = 16 * 1024
"""The most bytes of a body that may be scored on the event loop, see `workers`."""


@dataclass(frozen=True, slots=True)
class Request:
    """The parts of an HTTP request that matter for scoring. `limit`: the most bytes that the body
    may have after decompression."""

    body: bytes
    content_type: str | None
    content_encoding: str | None
    limit: int

    @property
    def is_small(self) -> bool:
        """Whether the request may be cheap: its body is small, and is neither compressed nor
        Parquet, which may stand for much more data."""
        plain = self.content_encoding is None and not self.body.startswith(PACKED)
        return plain and len(self.body) <= SMALL


@dataclass(frozen=True, slots=True)
class Scored:
    """The response body, and the number of rows that were predicted, None if unknown."""

    body: bytes
    rows: int | None


@dataclass(frozen=True, slots=True)
class Work:
    """A request and the model that is to answer it."""

    model: Model
    request: Request

    def __call__(self) -> Scored:
        """The model's answer. Raises `ApiError`."""
        return score(self.model, self.request)


def score(model: Model, request: Request) -> Scored:
    """The model's answer to a request. Raises `ApiError`."""
    return predict_and_encode(model, request, read(model, request))


def read(model: Model, request: Request) -> Payload:
    """The model input in a request. Raises `ApiError`."""
    body = request.body
    if request.content_encoding:
        body = decompress(body, request.content_encoding, request.limit)
    row = format_of(request.content_type, body)
    try:
        return row.read(body, model.signature, request.limit)
    except RecursionError:
        raise BadRequest("the body is nested too deeply") from None


def predict_and_encode(model: Model, request: Request, payload: Payload) -> Scored:
    """The model's answer to the payload that was read from the request. Raises `ApiError`."""
    return encode(payload, _predict(model, request, payload))


def encode(payload: Payload, predictions: Any) -> Scored:
    """The answer that holds these predictions. Raises `ModelFailed` if JSON cannot hold them."""
    return Scored(encode_predictions(predictions, payload.wrapped), payload.rows)


def _predict(model: Model, request: Request, payload: Payload) -> Any:
    """The model's prediction. If the model fails, the error says whose fault that is. To find out,
    the payload is read again, since the model may have changed the first one."""
    try:
        return model.predict(payload)
    except ModelFailed as error:
        sent = read(model, request)
        case = Case(model.predict, model.signature, model.example_payload, sent, error)
        verdict = case.verdict()
        if verdict is error:
            raise
        raise verdict from error
