"""The query string of /invocations: one row of a table for each parameter.

In: the query string. Out: a `Query`. What is not known, given twice or empty raises `BadRequest`,
since a parameter that is passed over makes a wrong answer. The OpenAPI document describes the rows.
"""

import csv
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from modelserver.errors import BadRequest
from modelserver.reading.signatures.including import ALL
from modelserver.scoring.answering.formats import ANSWER_FORMATS, AnswerFormat, named, offered
from modelserver.types.names import listed, quoted, suggested


@dataclass(frozen=True, slots=True)
class Query:
    """What the parameters say. None: the parameter is not there. Only the model knows which methods
    it has."""

    format: AnswerFormat | None = None
    include: tuple[str, ...] | None = None
    method: str = "predict"
    chunked: bool | None = None


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. `name` is also that of the field of `Query`. `read` makes the value of the
    field from the text and raises `ApiError`."""

    name: str
    read: Callable[[str], Any]
    schema: Callable[[], dict[str, Any]]
    """Makes the JSON Schema of its texts."""
    about: str
    """Its description in the OpenAPI document."""


def read_query(query_string: bytes) -> Query:
    """What the query string of a request says. Raises `BadRequest` or `NotAcceptable`."""
    return _parsed(query_string) if query_string else NOTHING


def _parsed(query_string: bytes) -> Query:
    try:
        pairs = parse_qsl(query_string.decode(), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise BadRequest("the query string is not UTF-8 text") from None
    names = [name for name, _ in pairs]
    if unknown := [name for name in names if name not in PARAMETERS]:
        known = list(PARAMETERS)
        raise BadRequest(
            f"unknown query parameters: {suggested(unknown, known)}; there are: {listed(known)}"
        )
    if repeated := [name for name in PARAMETERS if names.count(name) > 1]:
        raise BadRequest(f"query parameters given twice: {listed(repeated)}")
    return Query(**{name: _value(name, text) for name, text in pairs})


def _value(name: str, text: str) -> Any:
    if not text:
        raise BadRequest(f"the query parameter {name!r} is empty")
    return PARAMETERS[name].read(text)


def _read_format(text: str) -> AnswerFormat:
    if text.lower() not in ANSWER_FORMATS:
        known = ", ".join(offered())
        raise BadRequest(f"the query parameter 'format' is one of {known}, not {quoted(text)}")
    return named(text.lower())


def _read_names(text: str) -> tuple[str, ...]:
    """Names with commas between them, as in a line of CSV: a name with a comma stands in quotes."""
    try:
        names = next(csv.reader([text], strict=True))
    except csv.Error:
        names = []
    if not all(names) or not names:
        raise BadRequest("'include' must be names of columns with commas between them")
    if repeated := [name for name, times in Counter(names).items() if times > 1]:
        raise BadRequest(f"'include' names columns twice: {listed(repeated)}")
    return tuple(names)


def _read_flag(text: str) -> bool:
    if text not in FLAGS:
        raise BadRequest(f"the query parameter 'chunked' is true or false, not {quoted(text)}")
    return FLAGS[text]


FLAGS: Final[Mapping[str, bool]] = {"true": True, "false": False}

NOTHING: Final = Query()
"""What a request without a query string asks for."""

PARAMETERS: Final[Mapping[str, Parameter]] = {
    row.name: row
    for row in (
        Parameter(
            "format",
            _read_format,
            lambda: {"type": "string", "enum": list(offered())},
            about="The format of the answer. It wins over the `Accept` header.",
        ),
        Parameter(
            "include",
            _read_names,
            lambda: {"type": "string", "examples": list(ALL)},
            about=(
                "Columns of the request that stand before the predictions: `inputs` for all, or "
                "names with commas between them, also those of columns that the model does not "
                "take. Numbers of the model's columns come back with the type of their column, "
                "other cells as they were sent. The predictions are then rows with names, also in "
                "JSON."
            ),
        ),
        Parameter(
            "method",
            str,
            lambda: {"type": "string", "default": "predict"},
            about=(
                "The method of the model that is asked. Only `predict` takes params. Probabilities "
                "have a column for each class."
            ),
        ),
        Parameter(
            "chunked",
            _read_flag,
            lambda: {"type": "boolean"},
            about=(
                "Whether a table that is larger than `MAX_REQUEST_BYTES` is predicted in chunks "
                "while it is received. By default, it is if the model is known to predict each row "
                "for itself. `true` says that it does; `false` forbids it."
            ),
        ),
    )
}
"""The rows by name, in the order of all lists of parameters."""
