"""The ways a request can end without a prediction: one tree, one body.

An `ApiError` has a status, an error_code, a message and details; each subclass is one kind of
fault. `error_code` and `message` are also the keys of MLflow's errors
(`mlflow.exceptions.MlflowException.serialize_as_json`). Messages and details name columns, rows,
types and kinds of values. They never repeat the caller's data and never contain a stack trace.

    request       ─ Unauthenticated, HeadersTooLarge, RoutingFailed
    request bytes ─ PayloadTooLarge, ReadTimedOut, UnsupportedMediaType, BadRequest
    model input   ─ InvalidInput
    prediction    ─ ModelFailed, ModelRaised, TimedOut, Overloaded
    answer        ─ NotAcceptable, StorageFull
    life          ─ ModelUnavailable, ShuttingDown
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

Details = Sequence[Mapping[str, Any]]

LIMIT: Final = 20
"""The most faults that one answer reports."""

LARGEST_HEADERS: Final = 64 * 1024
"""The most bytes that the headers of a request may have."""


class ApiError(Exception):
    """A request cannot be answered with a prediction. `headers` are added to the response."""

    status = 500
    error_code = "INTERNAL_ERROR"

    def __init__(
        self,
        message: str,
        details: Details = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        self.headers = dict(headers or {})


class BadRequest(ApiError):
    """The body is not of its media type, or has none of the input forms."""

    status = 400
    error_code = "BAD_REQUEST"


class InvalidInput(BadRequest):
    """The body could be read, but its values do not fit the model's signature."""

    error_code = "INVALID_PARAMETER_VALUE"


class Unauthenticated(ApiError):
    """The request lacks the key of API_KEY. `in_browser`: whether a browser may ask for it;
    `found`: what is wrong with the key."""

    status = 401
    error_code = "UNAUTHENTICATED"

    def __init__(self, in_browser: bool, found: str) -> None:
        # Chromium does not ask for a login if other schemes stand beside this one.
        challenge = 'Basic realm="the API key is the password"' if in_browser else "Key, Bearer"
        super().__init__(
            f"the API key {found}; send it as the header Authorization: Key your-key",
            headers={"WWW-Authenticate": challenge},
        )


class RoutingFailed(ApiError):
    """There is no such path (404), or it does not take this method (405)."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None) -> None:
        super().__init__(message, headers=headers)
        self.status = status
        self.error_code = "ENDPOINT_NOT_FOUND" if status == 404 else "BAD_REQUEST"


class PayloadTooLarge(ApiError):
    """The body is larger than the limit, before or after decompression."""

    status = 413
    error_code = "MAX_READ_SIZE_EXCEEDED"


class HeadersTooLarge(ApiError):
    """The headers of a request are larger than `LARGEST_HEADERS`."""

    status = 431
    error_code = "MAX_READ_SIZE_EXCEEDED"

    def __init__(self) -> None:
        super().__init__(
            f"the headers are larger than {LARGEST_HEADERS} bytes", headers={"Connection": "close"}
        )


class ReadTimedOut(ApiError):
    """A client sent a part of a request, and then nothing for `seconds`."""

    status = 408
    error_code = "DEADLINE_EXCEEDED"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"no more of the request came for {seconds:g} s (READ_TIMEOUT)",
            headers={"Connection": "close"},
        )


class UnsupportedMediaType(ApiError):
    """There is no reader for this media type, charset or content encoding."""

    status = 415
    error_code = "BAD_REQUEST"


class UnknownCoding(ApiError):
    """The request has a transfer coding that the server does not decode (RFC 9112 6.1)."""

    status = 501
    error_code = "NOT_IMPLEMENTED"

    def __init__(self) -> None:
        super().__init__(
            "Transfer-Encoding must be chunked alone; name gzip in Content-Encoding",
            headers={"Connection": "close"},
        )


class NotAcceptable(ApiError):
    """The answer cannot have the format that the client asks for."""

    status = 406
    error_code = "BAD_REQUEST"


class StorageFull(ApiError):
    """The answer, or the body, cannot be kept on the disk until it is complete."""

    status = 507
    error_code = "IO_ERROR"


class ModelFailed(ApiError):
    """The model raised an exception, or returned a value that JSON cannot hold."""


class ModelRaised(ApiError):
    """The model raised an MlflowException: its code, status and message are the answer."""

    def __init__(self, message: str, error_code: str, status: int) -> None:
        super().__init__(message)
        self.error_code = error_code
        self.status = status


class ModelUnavailable(ApiError):
    """There is no model: it is not configured, still loading, or could not be loaded."""

    status = 503
    error_code = "TEMPORARILY_UNAVAILABLE"


class Overloaded(ModelUnavailable):
    """All workers are busy and the queue is full."""


class ShuttingDown(ModelUnavailable):
    """The server ends, and the request is not answered yet after SHUTDOWN_TIMEOUT."""

    def __init__(self) -> None:
        super().__init__(
            "the server ends, and the request takes longer than SHUTDOWN_TIMEOUT; send it again",
            headers={"Connection": "close"},
        )


class TimedOut(ApiError):
    """The prediction took longer than the request timeout."""

    status = 504
    error_code = "DEADLINE_EXCEEDED"


def too_large(limit: int) -> PayloadTooLarge:
    """The error for a body of more than `limit` bytes."""
    return PayloadTooLarge(f"the body is larger than {limit} bytes (MAX_REQUEST_BYTES)")


def table_too_large(limit: int, what: str = "the table") -> PayloadTooLarge:
    """The error for a table, or its answer, of more than `limit` bytes, which is read in chunks."""
    return PayloadTooLarge(f"{what} is larger than {limit} bytes (MAX_TABLE_BYTES)")


def not_utf8(error: UnicodeDecodeError, likely: str = "", how: str = "") -> BadRequest:
    """The error for a body that is not UTF-8. It names the place of the first wrong byte (line and
    column from 1 on), or what the body is instead, if that is no text. `likely` says which encoding
    it may have, `how` how to save it as UTF-8."""
    if (fault := no_text(error.object)) is not None:
        return fault
    line = error.object.count(b"\n", 0, error.start) + 1
    column = error.start - error.object.rfind(b"\n", 0, error.start)
    return BadRequest(
        f"the body is not UTF-8 text{likely}: byte {error.start} (line {line}, column {column}); "
        f"save it as UTF-8{how}"
    )


def no_text(body: bytes) -> BadRequest | None:
    """The error for a body of a kind that is often sent by mistake, None if it is of none. To be
    asked only once a body was refused."""
    said = next((said for start, said in NO_TEXTS.items() if body.startswith(start)), None)
    said = A_FORM if said is None and FORM.fullmatch(body) else said
    return None if said is None else BadRequest(f"the body is {said}")


AS_CSV: Final = "save it as CSV (UTF-8), and send that with the content type text/csv"

NO_TEXTS: Final[Mapping[bytes, str]] = {
    b"\x1f\x8b": "gzip data; send the header Content-Encoding: gzip with it",
    b"PK\x03\x04": f"a ZIP archive, as Excel's workbooks are; {AS_CSV}",
    b"\xd0\xcf\x11\xe0": f"a file of an older Microsoft Office; {AS_CSV}",
}
"""Kinds of files that are sent as text by mistake, by their first bytes."""

FORM: Final = re.compile(
    rb"(?!sep=.\s*\Z)(?:[\w.%+*\[\]-]+=[^=\r\n]|%7B|%5B)[^\r\n]*[\r\n]*", re.IGNORECASE
)
"""A form (https://url.spec.whatwg.org/#application/x-www-form-urlencoded): names and values, or a
JSON text that was encoded as one. It is a single line, and not the one that states a separator."""

A_FORM: Final = (
    "a form (name=value); send JSON (Python's requests: json= in place of data=, R's httr2: "
    "req_body_json(), jQuery: JSON.stringify, curl: --data-binary)"
)


def combined(faults: Sequence[BadRequest]) -> BadRequest:
    """One error that reports all faults of a body."""
    if len(faults) == 1:
        return faults[0]
    details = [detail for fault in faults for detail in fault.details]
    return InvalidInput("; ".join(fault.message for fault in faults), spread(details))


def spread(details: Details) -> Details:
    """As many details as one answer reports: of each column or tensor that has faults the first
    ones, before any column has its next one."""
    faults: Counter[object] = Counter()
    ranked = []
    for detail in details:
        place = detail.get("column", detail.get("tensor"))
        ranked.append((faults[place], detail))
        faults[place] += place is not None
    return [detail for _, detail in sorted(ranked, key=itemgetter(0))[:LIMIT]]


def bad_values(place: str, details: Details) -> InvalidInput:
    """The error for values that do not fit. Its message names the first one, which is at `place`.
    If there are `LIMIT` details, there may be more faults."""
    first, reported, more = details[0], spread(details), ""
    if len(details) >= LIMIT:
        more = f" (and more: details has {len(reported)} of them)"
    elif len(details) > 1:
        more = f" (and {len(details) - 1} more: details has all of them)"
    return InvalidInput(
        f"{place}: expected {first['expected']}, found {first['found']}{more}", reported
    )


def error_body(error_code: str, message: str, details: Details, request_id: str) -> dict[str, Any]:
    """The body of every error, as a JSON value."""
    return {
        "error_code": error_code,
        "message": message,
        "details": list(details),
        "request_id": request_id,
    }
