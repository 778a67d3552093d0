"""One request from start to end: body bytes to response bytes. Synchronous; `workers` runs it.

Faults of the caller and of the model are raised as an `ApiError`.
"""

from dataclasses import dataclass
from typing import Any, Final

from modelserver.answering.encoding import encode_predictions
from modelserver.answering.formats import JSON_ANSWER, AnswerFormat
from modelserver.answering.tables import Columns, NoTable, beside, length_of, table_of
from modelserver.errors import BadRequest, ModelFailed, NotAcceptable
from modelserver.reading.formats import PACKED
from modelserver.reading.media import decompress, format_of
from modelserver.reading.signatures.including import including
from modelserver.reading.signatures.signature import Payload
from modelserver.scoring.blaming.blame import Case
from modelserver.scoring.model import Model

SMALL: Final = 16 * 1024
"""The most bytes of a body that may be scored on the event loop, see `workers`."""


@dataclass(frozen=True, slots=True)
class Request:
    """The parts of an HTTP request that matter for scoring. `limit`: the most bytes that the body
    may have after decompression. `answer`: the format of the answer; `include`: the columns of the
    body that stand before the predictions, None if the answer holds the predictions alone."""

    body: bytes
    content_type: str | None
    content_encoding: str | None
    limit: int
    answer: AnswerFormat = JSON_ANSWER
    include: tuple[str, ...] | None = None

    @property
    def is_small(self) -> bool:
        """Whether the request may be cheap: its body is small, and is neither compressed nor
        Parquet, which may stand for much more data; and no package is imported for the answer."""
        light = self.content_encoding is None and self.answer.needs is None
        plain = light and not self.body.startswith(PACKED)
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
    include = request.include
    signature = model.signature if include is None else including(model.signature, include)
    try:
        payload = row.read(body, signature, request.limit)
    except RecursionError:
        raise BadRequest("the body is nested too deeply") from None
    if not payload.wrapped and request.answer is not JSON_ANSWER:
        raise NotAcceptable("the answer to a chat is no table; ask for JSON")
    return payload


def predict_and_encode(model: Model, request: Request, payload: Payload) -> Scored:
    """The model's answer to the payload that was read from the request. Raises `ApiError`."""
    return encode(request, payload, _predict(model, request, payload))


def encode(request: Request, payload: Payload, predictions: Any) -> Scored:
    """The answer that holds these predictions, in the format that the request asks for. Raises
    `NotAcceptable` or `ModelFailed` if the format cannot hold them."""
    if request.answer is JSON_ANSWER and payload.carried is None:
        return Scored(encode_predictions(predictions, payload.wrapped), payload.rows)
    answer = request.answer
    try:
        return Scored(answer.write(_table(payload, predictions)), payload.rows)
    except NoTable as error:
        raise NotAcceptable(f"{answer.title} cannot hold it: {error}; ask for JSON") from None


def _table(payload: Payload, predictions: Any) -> Columns:
    """The predictions as a table, behind the columns of the request that it carries. Raises
    `NoTable`, or `BadRequest` if a carried row has no prediction."""
    if payload.carried is None:
        return table_of(predictions)
    try:
        columns = table_of(predictions)
    except NoTable as error:
        raise BadRequest(f"'include' needs one prediction per row: {error}") from None
    if (length := length_of(columns)) != payload.rows:
        found = f"the model returned {length} for {payload.rows} rows"
        raise BadRequest(f"'include' needs one prediction per row: {found}")
    return beside(payload.carried, columns)


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
