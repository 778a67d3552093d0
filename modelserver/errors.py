"""The ways a request can end without a prediction: one tree, one body.

An `ApiError` has a status, an error_code, a message and details; each subclass is one kind of
fault. `error_code` and `message` are also the keys of MLflow's errors
(`mlflow.exceptions.MlflowException.serialize_as_json`). Messages and details name columns, rows,
types and kinds of values. They never repeat the caller's data and never contain a stack trace.

    request ─ Unauthenticated, HeadersTooLarge, RoutingFailed
    request bytes ─ PayloadTooLarge, ReadTimedOut, UnsupportedMediaType, BadRequest
    model input   ─ InvalidInput
    prediction    ─ ModelFailed, ModelRaised, TimedOut, Overloaded
    life          ─ ModelUnavailable, ShuttingDown
"""

import difflib
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
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
    """The request lacks the key of API_KEY. `in_browser`: whether a browser may ask for it."""

    status = 401
    error_code = "UNAUTHENTICATED"

    def __init__(self, in_browser: bool, was_sent: bool) -> None:
        found = "is not the server's" if was_sent else "is missing"
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


def not_utf8(error: UnicodeDecodeError) -> BadRequest:
    """The error for a body that is not UTF-8. It names the place of the first wrong byte (line and
    column from 1 on), or what the body is instead, if that is no text."""
    for start, said in NO_TEXTS.items():
        if error.object.startswith(start):
            return BadRequest(f"the body is {said}")
    line = error.object.count(b"\n", 0, error.start) + 1
    column = error.start - error.object.rfind(b"\n", 0, error.start)
    return BadRequest(
        f"the body is not UTF-8 text: byte {error.start} (line {line}, column {column}); "
        "save it as UTF-8"
    )


NO_TEXTS: Final[Mapping[bytes, str]] = {
    b"\x1f\x8b": "gzip data; send the header Content-Encoding: gzip with it",
    b"PK\x03\x04": "a ZIP archive, as Excel's workbooks are; save it as CSV (UTF-8)",
}
"""Kinds of files that are sent as text by mistake, by their first bytes."""


def combined(faults: Sequence[BadRequest]) -> BadRequest:
    """One error that reports all faults of a body."""
    if len(faults) == 1:
        return faults[0]
    details = [detail for fault in faults for detail in fault.details]
    return InvalidInput("; ".join(fault.message for fault in faults), details[:LIMIT])


def bad_values(
    place: str, details: Sequence[Mapping[str, Any]], counted: bool = True
) -> InvalidInput:
    """The error for values that do not fit. Its message names the first one, which is at `place`.
    `counted`: whether there are no more of them than the details."""
    first, others = details[0], len(details) - 1
    more = f" (and {f'{others} ' if counted else ''}more, see details)" if others else ""
    return InvalidInput(
        f"{place}: expected {first['expected']}, found {first['found']}{more}", details[:LIMIT]
    )


def shortened(text: str, longest: int) -> str:
    """The text, cut to at most `longest` characters."""
    return text[: longest - 1] + "…" if len(text) > longest else text


def clipped(name: object) -> object:
    """A name as the caller sent it, cut if it is long."""
    return shortened(name, 80) if isinstance(name, str) else name


def quoted(name: object) -> str:
    """A name as it is quoted in a message."""
    return repr(clipped(name))


def some(values: Sequence[Any], limit: int, shown: Callable[[Any], str] = str) -> str:
    """The first `limit` values with commas between them, and how many more there are. `shown` makes
    the text of a value."""
    more = f" and {len(values) - limit} more" if len(values) > limit else ""
    return ", ".join(map(shown, values[:limit])) + more


def listed(names: Iterable[object], limit: int = 20) -> str:
    """The first `limit` names, quoted, with commas between them, and how many more there are."""
    return some(list(names), limit, quoted)


@dataclass(frozen=True, slots=True)
class Hint:
    """The known name that was probably meant. `remark` names a difference that nobody can see."""

    name: str
    remark: str = ""

    def __str__(self) -> str:
        return f"did you mean {self.name!r}{self.remark}?"


def hint(name: str, known: Sequence[str]) -> Hint | None:
    """The known name that was probably meant by an unknown one; None if there is none, or if the
    name is so long that the search would take too long."""
    if len(name) > 80:
        return None
    for fold, remark in FOLDS:
        if same := [other for other in known if fold(other) == fold(name)]:
            return Hint(same[0], remark)
    close = difflib.get_close_matches(name, known, 1)
    return Hint(close[0]) if close else None


def not_taken(what: str, name: object, known: Sequence[str]) -> dict[str, Any]:
    """The detail for an unknown column or param. `what`: which of the two it is; `known`: the names
    that the model takes."""
    meant = hint(str(name), known)
    detail = {what: clipped(name), "found": f"a {what} that the model does not take"}
    return detail | {"did_you_mean": meant.name} if meant else detail


def suggested(names: Sequence[object], known: Sequence[str]) -> str:
    """Unknown names for a message, each with the known name that was probably meant."""

    def shown(name: object) -> str:
        meant = hint(str(name), known)
        return quoted(name) + (f" ({meant})" if meant else "")

    return some(names, LIMIT, shown)


def folded(name: str) -> str:
    """The name without differences that people overlook: blanks around it, upper case, and the way
    in which Unicode composes its letters."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def are_params(names: Sequence[object]) -> str:
    """The message for params that were sent as columns: it says where they belong."""
    which = f"{listed(names)} is a param" if len(names) == 1 else f"{listed(names)} are params"
    return f"{which}; send {'it' if len(names) == 1 else 'them'} under 'params'"


FOLDS: Final[Sequence[tuple[Callable[[str], str], str]]] = (
    (partial(unicodedata.normalize, "NFC"), ", written in another Unicode normalisation"),
    (folded, ""),
)
"""The ways in which an unknown name may equal a known one, and the remark to make in each case."""


def error_body(error_code: str, message: str, details: Details, request_id: str) -> dict[str, Any]:
    """The body of every error, as a JSON value."""
    return {
        "error_code": error_code,
        "message": message,
        "details": list(details),
        "request_id": request_id,
    }
