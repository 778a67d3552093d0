"""One request from start to end: body bytes to response bytes. Synchronous; `workers` runs it.

Faults of the caller and of the model are raised as an `ApiError`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter as clock
from typing import Any, Final, NamedTuple

from modelserver.errors import BadRequest, ModelFailed, NotAcceptable
from modelserver.reading.formats import PACKED
from modelserver.reading.media import check_json, decompress, format_of
from modelserver.reading.signatures.including import including
from modelserver.reading.signatures.signature import Payload, Signature
from modelserver.scoring.answering.encoding import encode_predictions
from modelserver.scoring.answering.formats import JSON_ANSWER, AnswerFormat, records
from modelserver.scoring.answering.tables import Columns, NoTable, beside, length_of, table_of
from modelserver.scoring.blaming.blame import Case
from modelserver.scoring.methods import named
from modelserver.scoring.model import Model

SMALL: Final = 16 * 1024
"""The most bytes of a body that may be scored on the event loop, see `workers`."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a protocol writes requests and answers. `write` makes an answer in JSON. `read` gets a
    body in JSON, the signature, and the most bytes that the body may stand for; its answers are
    JSON, too. None: the request picks the formats, as at /invocations."""

    write: Callable[[Model, Payload, Any], bytes]
    read: Callable[[bytes, Signature, int], Payload] | None = None


MLFLOW: Final = Dialect(
    lambda model, payload, predictions: encode_predictions(predictions, payload.wrapped)
)
"""The dialect of /invocations."""


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
    dialect: Dialect = MLFLOW

    @property
    def is_small(self) -> bool:
        """Whether the request may be cheap: its body is small, and is neither compressed nor
        Parquet, which may stand for much more data; and no package is imported for the answer."""
        light = self.content_encoding is None and self.answer.needs is None
        plain = light and not self.body.startswith(PACKED)
        return plain and len(self.body) <= SMALL


class Times(NamedTuple):
    """Seconds for which a request was read, predicted and written. Of joined requests each has the
    time of the joint prediction."""

    read: float
    predict: float
    write: float


@dataclass(frozen=True, slots=True)
class Scored:
    """The response body, and the number of rows that were predicted, None if unknown."""

    body: bytes
    rows: int | None
    times: Times = field(compare=False)


@dataclass(frozen=True, slots=True)
class Work:
    """A request and the model that is to answer it."""

    model: Model
    request: Request

    def __call__(self) -> Scored:
        """The model's answer. Raises `ApiError`."""
        return score(self.model, self.request)


def server_timing(received: float, worked: float, times: Times) -> bytes:
    """The Server-Timing header of an answer, in milliseconds. `received`: the seconds for which the
    body was received; `worked`: those from then on, in which the request also waited."""
    read, predict, write = times
    wait = max(0.0, worked - read - predict - write)
    spans = (received + read) * 1e3, wait * 1e3, predict * 1e3, write * 1e3
    return b"read;dur=%.2f, wait;dur=%.2f, predict;dur=%.2f, write;dur=%.2f" % spans


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


def score(model: Model, request: Request) -> Scored:
    """The model's answer to a request. Raises `ApiError`."""
    return predict_and_encode(model, request, *read_timed(model, request))


def read_timed(model: Model, request: Request) -> tuple[Payload, float]:
    """The model input in a request, and the seconds for which it was read. Raises `ApiError`."""
    start = clock()
    return read(model, request), clock() - start


def read(model: Model, request: Request) -> Payload:
    """The model input in a request. Raises `ApiError`."""
    body = request.body
    if request.content_encoding:
        body = decompress(body, request.content_encoding, request.limit)
    reader = _reader(request, body)
    signature = signature_for(model, request.include)
    payload = not_too_deep(lambda: reader(body, signature, request.limit))
    if not payload.wrapped and request.answer is not JSON_ANSWER:
        raise NotAcceptable("the answer to a chat is no table; ask for JSON")
    return payload


def _reader(request: Request, body: bytes) -> Callable[[bytes, Signature, int], Payload]:
    """What reads the body of the request, which is unpacked. Raises `UnsupportedMediaType`."""
    if request.dialect.read is None:
        return format_of(request.content_type, body).read
    check_json(request.content_type)
    return request.dialect.read


def signature_for(model: Model, include: tuple[str, ...] | None) -> Signature:
    """The signature with which a request is read whose answer holds these columns of it. Raises
    `BadRequest`."""
    return model.signature if include is None else including(model.signature, include)


def not_too_deep(read: Callable[[], Payload]) -> Payload:
    """What `read` returns. Raises `BadRequest` if the body is nested too deeply for it."""
    try:
        return read()
    except RecursionError:
        raise BadRequest("the body is nested too deeply") from None


def predict_and_encode(
    model: Model, request: Request, payload: Payload, read_seconds: float
) -> Scored:
    """The model's answer to the payload that was read from the request. Raises `ApiError`."""
    start = clock()
    predictions = predict(model, payload, lambda: read(model, request))
    return encode(model, request, payload, predictions, read_seconds, clock() - start)


def encode(
    model: Model,
    request: Request,
    payload: Payload,
    predictions: Any,
    read_seconds: float,
    predict_seconds: float,
) -> Scored:
    """The answer that holds these predictions, in the format that the request asks for. Raises
    `NotAcceptable` or `ModelFailed` if the format cannot hold them."""
    start = clock()
    predictions = named(predictions, model.names)
    if request.answer is JSON_ANSWER:
        if payload.carried is not None:
            predictions = records(table_beside(payload, predictions))
        body = request.dialect.write(model, payload, predictions)
    else:
        body = _write_table(request.answer, payload, predictions)
    return Scored(body, payload.rows, Times(read_seconds, predict_seconds, clock() - start))


def _write_table(answer: AnswerFormat, payload: Payload, predictions: Any) -> bytes:
    try:
        return answer.write(table_beside(payload, predictions))
    except NoTable as error:
        raise no_table(answer, error, [JSON_ANSWER.title]) from None


def no_table(answer: AnswerFormat, error: NoTable, others: Sequence[str]) -> NotAcceptable:
    """The error for a prediction that is no table, or none that the format can hold. `others`: the
    formats that may be asked for in its place."""
    return NotAcceptable(f"{answer.title} cannot hold it: {error}; ask for {' or '.join(others)}")


def table_beside(payload: Payload, predictions: Any) -> Columns:
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


def predict(model: Model, payload: Payload, read_again: Callable[[], Payload]) -> Any:
    """The model's prediction. If the model fails, the error says whose fault that is. To find out,
    the payload is read again, since the model may have changed the first one."""
    try:
        return model.predict(payload)
    except ModelFailed as error:
        case = Case(model.predict, model.signature, model.example_payload, read_again(), error)
        verdict = case.verdict()
        if verdict is error:
            raise
        raise verdict from error
