"""The ways a request can end without a prediction: one tree, one body.

`ApiError` carries status, error_code, message and details; a subclass is one way to be wrong.
`error_code` and `message` are the keys of MLflow's own errors
(`mlflow.exceptions.MlflowException.serialize_as_json`). Messages and details name columns, rows,
types and kinds of values; they never repeat the caller's data and never hold a stack trace.

    request bytes ─ PayloadTooLarge, UnsupportedMediaType, BadRequest
    model input   ─ InvalidInput
    prediction    ─ ModelFailed, ModelRaised, TimedOut, Overloaded
    life          ─ ModelUnavailable
"""

import difflib
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

Details = Sequence[Mapping[str, Any]]

LIMIT: Final = 20
"""Faults that one answer reports."""


class ApiError(Exception):
    """A request that ends with an error body. `headers` go onto the response."""

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
    """The body is not what its media type says, or not one of the input forms."""

    status = 400
    error_code = "BAD_REQUEST"


class InvalidInput(BadRequest):
    """The body was read, but its values do not fit the model's signature."""

    error_code = "INVALID_PARAMETER_VALUE"


class PayloadTooLarge(ApiError):
    """The body is larger than the limit, before or after decompression."""

    status = 413
    error_code = "MAX_READ_SIZE_EXCEEDED"


class UnsupportedMediaType(ApiError):
    """No reader for this media type, charset or content encoding."""

    status = 415
    error_code = "BAD_REQUEST"


class ModelFailed(ApiError):
    """The model raised, or returned what JSON cannot express."""


class ModelRaised(ApiError):
    """The model raised an MlflowException: its code, status and message are the answer."""

    def __init__(self, message: str, error_code: str, status: int) -> None:
        super().__init__(message)
        self.error_code = error_code
        self.status = status


class ModelUnavailable(ApiError):
    """There is no model to ask: not configured, still loading, or loading failed."""

    status = 503
    error_code = "TEMPORARILY_UNAVAILABLE"


class Overloaded(ModelUnavailable):
    """All workers are busy and the queue is full."""


class TimedOut(ApiError):
    """The prediction took longer than the request timeout."""

    status = 504
    error_code = "DEADLINE_EXCEEDED"


def too_large(limit: int) -> PayloadTooLarge:
    """The error for a body beyond `limit` bytes."""
    return PayloadTooLarge(f"the body is larger than {limit} bytes (MAX_REQUEST_BYTES)")


def not_utf8(error: UnicodeDecodeError) -> BadRequest:
    """The error for a body in another encoding: where its first foreign byte is, from 1 on; or
    that it is no text at all."""
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
"""Files that are sent as text by mistake, by their first bytes."""


def joined(faults: Sequence[BadRequest]) -> BadRequest:
    """One error that tells of all faults of a body."""
    if len(faults) == 1:
        return faults[0]
    details = [detail for fault in faults for detail in fault.details]
    return InvalidInput("; ".join(fault.message for fault in faults), details[:LIMIT])


def shortened(text: str, longest: int) -> str:
    """The text, cut where it has more than `longest` characters."""
    return text[: longest - 1] + "…" if len(text) > longest else text


def clipped(name: object) -> object:
    """A name as the caller gave it, cut when it is long."""
    return shortened(name, 80) if isinstance(name, str) else name


def quoted(name: object) -> str:
    """A name for a message."""
    return repr(clipped(name))


def some(values: Sequence[Any], limit: int, shown: Callable[[Any], str] = str) -> str:
    """The first values as `shown`, separated by commas, and how many more there are."""
    more = f" and {len(values) - limit} more" if len(values) > limit else ""
    return ", ".join(map(shown, values[:limit])) + more


def listed(names: Iterable[object], limit: int = 20) -> str:
    """Names for a message, separated by commas; no more than `limit` of them."""
    return some(list(names), limit, quoted)


@dataclass(frozen=True, slots=True)
class Hint:
    """The known name that was probably meant, and what of it is easily overlooked."""

    name: str
    remark: str = ""

    def __str__(self) -> str:
        return f"did you mean {self.name!r}{self.remark}?"


def hint(name: str, known: Sequence[str]) -> Hint | None:
    """What was probably meant by an unknown name. Long names are not worth the search."""
    if len(name) > 80:
        return None
    for fold, remark in FOLDS:
        if same := [other for other in known if fold(other) == fold(name)]:
            return Hint(same[0], remark)
    close = difflib.get_close_matches(name, known, 1)
    return Hint(close[0]) if close else None


def not_taken(what: str, name: object, known: Sequence[str]) -> dict[str, Any]:
    """The detail for a column or param, as `what` says, that is none of the `known` ones."""
    meant = hint(str(name), known)
    detail = {what: clipped(name), "found": f"a {what} that the model does not take"}
    return detail | {"did_you_mean": meant.name} if meant else detail


def suggested(names: Sequence[object], known: Sequence[str]) -> str:
    """Unknown names for a message, each with what was probably meant."""

    def shown(name: object) -> str:
        meant = hint(str(name), known)
        return quoted(name) + (f" ({meant})" if meant else "")

    return some(names, LIMIT, shown)


def folded(name: str) -> str:
    """The name without what people do not see or do not mind: blanks around it, upper case, and how
    Unicode composes its letters."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def are_params(names: Sequence[object]) -> str:
    """Says of params that were sent among the input where they belong."""
    which = f"{listed(names)} is a param" if len(names) == 1 else f"{listed(names)} are params"
    return f"{which}; send {'it' if len(names) == 1 else 'them'} under 'params'"


FOLDS: Final[Sequence[tuple[Callable[[str], str], str]]] = (
    (partial(unicodedata.normalize, "NFC"), ", written in another Unicode normalisation"),
    (folded, ""),
)
"""In which ways a name may be the known one, and what to say of it."""


# What Starlette's routing raises (404, 405) in the terms of MLflow's error codes.
ROUTING_CODES: Mapping[int, str] = {404: "ENDPOINT_NOT_FOUND", 405: "BAD_REQUEST"}


def error_body(error_code: str, message: str, details: Details, request_id: str) -> dict[str, Any]:
    """The one shape of every error, JSON-ready."""
    return {
        "error_code": error_code,
        "message": message,
        "details": list(details),
        "request_id": request_id,
    }
