"""The request body to what the model's `predict` takes: model input and params.

In: a media type and the uncompressed bytes. Out: a `Payload`. The media type picks a reader, for
JSON the one input form in the body does; the model's signature says what becomes of it. The forms
are MLflow's scoring protocol (`mlflow.pyfunc.scoring_server`). Raises `BadRequest` or
`InvalidInput`; pure: no HTTP, no environment.
"""

import contextlib
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np

from modelserver.csv_reader import NO_ROWS, read_csv, read_untyped_csv
from modelserver.decoding import (
    BareConstants,
    constants_as_nulls,
    decode_constants,
    decode_exactly,
    decode_json,
)
from modelserver.errors import BadRequest, InvalidInput, are_params, joined, listed
from modelserver.frames import Columns
from modelserver.kinds import describe
from modelserver.media import CSV, JSON, PARQUET
from modelserver.mixed import read_mixed
from modelserver.numeric import read_numbers
from modelserver.parquet_reader import read_parquet, read_untyped_parquet
from modelserver.parsers import INEXACT
from modelserver.signature import Signature
from modelserver.tables import Table, check_names, read_columns, read_records, read_rows, read_split
from modelserver.tensors import Tensor, read_instances, read_tensors, tensors_from_table
from modelserver.untyped import untyped_frame, untyped_inputs, untyped_instances
from modelserver.wrappings import wrapping_advice

logger = logging.getLogger(__name__)

MAYBE_PARAMS: Final = re.compile(rb"params|\\u")
"""Found in each body that has a key `params`, in which a null is not what NaN is."""

LLM_KEYS: Final = ("messages", "prompt", "input")

MANY_NUMBERS: Final = 2048
"""Bytes of JSON from which on it pays to look for nothing but numbers."""

MANY_CELLS: Final = 32 * 1024
"""Bytes of JSON from which on it pays to look for a table of plain cells."""


@dataclass(frozen=True, slots=True)
class Payload:
    """What `predict` is called with.

    `rows`: how many predictions are asked for, None where that cannot be said. `typed`: the data
    is what the signature demands, nothing is left to check. `wrapped`: the answer stands under
    "predictions".
    """

    data: Any
    params: dict[str, Any] | None = None
    rows: int | None = None
    typed: bool = False
    wrapped: bool = True


def read_payload(media_type: str, body: bytes, signature: Signature, limit: int) -> Payload:
    """The model input in `body`. `limit`: most bytes a body may stand for."""
    return READERS[media_type](body, signature, limit)


def _read_csv(body: bytes, signature: Signature, limit: int) -> Payload:
    if signature.tensors:
        raise BadRequest("the model takes tensors, which CSV cannot hold; send JSON")
    if signature.columns is None:
        frame = read_untyped_csv(body)
        return Payload(frame, rows=len(frame))
    for column in signature.columns.columns:
        if column.kind.name in ("array", "object", "map", "any", "sparkml_vector"):
            raise BadRequest(
                f"column {column.name!r} takes {column.kind.expects}, which CSV cannot hold; "
                "send JSON"
            )
    named = signature.columns.columns if signature.columns.named else ()
    kinds = {str(column.name): column.kind for column in named}
    table = read_csv(body, kinds)
    if table.length == 0:
        raise InvalidInput(NO_ROWS)
    return _from_table(table, signature, None)


def _read_parquet(body: bytes, signature: Signature, limit: int) -> Payload:
    if signature.columns is None and not signature.tensors:
        frame = read_untyped_parquet(body, limit)
        return Payload(frame, rows=len(frame))
    return _from_table(read_parquet(body, limit, signature.names), signature, None)


def _read_json(body: bytes, signature: Signature, limit: int) -> Payload:
    if (payload := _read_large(body, signature)) is not None:
        return payload
    try:
        return _read_plainly(body, signature)
    except InvalidInput as error:
        if not _lacks_digits(error):
            raise
    return _read_value(decode_exactly(body), signature)


def _read_large(body: bytes, signature: Signature) -> Payload | None:
    """A body that is large enough for the ways which make no Python objects of cells, and plain
    enough; None for all others."""
    payload = _read_numbers(body, signature) if len(body) >= MANY_NUMBERS else None
    if payload is None and len(body) >= MANY_CELLS:
        payload = _read_mixed(body, signature)
    return payload


def _read_plainly(body: bytes, signature: Signature) -> Payload:
    try:
        value = decode_json(body, signature.exact_integers)
    except BareConstants:
        return _read_constants(body, signature)
    return _read_value(value, signature)


def _read_constants(body: bytes, signature: Signature) -> Payload:
    """A body of Python's json module, with NaN or infinities in it."""
    alike = signature.nan_is_null and not (signature.params.declared and MAYBE_PARAMS.search(body))
    if alike and (nulls := constants_as_nulls(body)) is not None:
        with contextlib.suppress(BadRequest):  # what is wrong, is said of the body as it was sent
            return _read_large(nulls, signature) or _read_value(decode_json(nulls), signature)
    return _read_value(decode_constants(body), signature)


def _lacks_digits(error: InvalidInput) -> bool:
    """Whether a whole number was refused because a float may not hold all of its digits."""
    return any(INEXACT in str(detail.get("found")) for detail in error.details)


def _read_value(value: Any, signature: Signature) -> Payload:
    if not isinstance(value, dict):
        raise BadRequest(
            f"the body must be a JSON object with one of {FORMS}, not {describe(value)}"
            + _advice(value, signature)
        )
    if any(key in value for key in LLM_KEYS):
        return _read_llm(value, signature)
    forms = [form for form in FORM_READERS if form in value]
    if signature.from_type_hint and "inputs" in forms:
        forms = ["inputs"]
    if len(forms) != 1:
        found = f"it has {listed(forms or value)}" if value else "it is empty"
        advice = "" if forms else _advice(value, signature)
        raise BadRequest(f"the body must have exactly one of {FORMS}; {found}{advice}")
    if others := value.keys() - {forms[0], "params"}:
        if misplaced := sorted(others & signature.params.names):
            raise InvalidInput(are_params(misplaced))
        logger.info("ignored keys of the body: %s", listed(sorted(others)))
    return FORM_READERS[forms[0]](value[forms[0]], value.get("params"), signature)


def _advice(body: Any, signature: Signature) -> str:
    columns = signature.columns
    names = columns.positions.keys() if columns is not None and columns.named else frozenset()
    return wrapping_advice(body, list(FORM_READERS), names)


def _read_numbers(body: bytes, signature: Signature) -> Payload | None:
    """A full table or tensor of numbers; None for all else, and where one does not fit."""
    found = read_numbers(body, signature.numbers) if signature.numbers else None
    if found is None or (found.names is None) != bool(signature.tensors):
        return None
    try:
        if found.names is None:
            tensors = read_tensors(signature.tensors, found.array)
            return _tensors(tensors, signature.params.read(None))
        table = Table(check_names(found.names), len(found.array), rows=found.array)
        return _from_table(table, signature, None)
    except BadRequest:
        return None


def _read_mixed(body: bytes, signature: Signature) -> Payload | None:
    """A full table of plain cells; None for all else, and where one does not fit."""
    columns = signature.columns
    if columns is None or signature.from_type_hint:
        return None
    table = read_mixed(body, columns.kinds_of)
    try:
        return None if table is None else _from_table(table, signature, None)
    except BadRequest:
        return None


def _read_llm(value: dict[str, Any], signature: Signature) -> Payload:
    """The chat and completion form: the object itself is the input, params stand beside it."""
    known = {param.name for param in signature.params.declared}
    given = {key: item for key, item in value.items() if key in known}
    data = {key: item for key, item in value.items() if key not in known}
    params = signature.params.read(given)
    return Payload(data, params, rows=1, wrapped=False)


def inputs_table(form: str, value: Any, columns: Columns) -> Table:
    """`inputs` or `instances` for a column signature, which MLflow makes a DataFrame of."""
    if isinstance(value, dict):
        if columns.one_row:
            return Table(list(value), 1, columns=[[cell] for cell in value.values()])
        if columns.params & value.keys():  # they are refused, whatever their lengths are
            value = {k: None if k in columns.params else cells for k, cells in value.items()}
        return read_columns(form, value)
    if not isinstance(value, list):
        if columns.named:
            raise BadRequest(f"'{form}' must be an array or an object, not {describe(value)}")
        value = [value]
    if value and isinstance(value[0], dict):
        return read_records(value, form, same_keys=form == "instances")
    if columns.named and len(columns.columns) == 1:
        return Table(columns.names, len(value), columns=[value])
    return read_rows(form, value, None)


def _from_table(table: Table, signature: Signature, params: Any) -> Payload:
    if signature.tensors:
        to_data: Callable[[Table], Any] = partial(tensors_from_table, signature.tensors)
    elif signature.columns is None:
        to_data = untyped_frame
    else:
        to_data = signature.columns.frame
    data, read_params = _both(partial(to_data, table), partial(signature.params.read, params))
    typed = bool(signature.tensors) or signature.columns is not None
    return Payload(data, read_params, table.length, typed and not signature.from_type_hint)


def _both(read_data: Callable[[], Any], read_params: Callable[[], Any]) -> tuple[Any, Any]:
    """The results of both. Raises one error for the faults of both."""
    results: list[Any] = []
    faults: list[BadRequest] = []
    for read in (read_data, read_params):
        try:
            results.append(read())
        except BadRequest as fault:
            faults.append(fault)
    if faults:
        raise joined(faults)
    return results[0], results[1]


def _from_named_form(
    read: Callable[[Any], Table], read_untyped: Callable[[Any], Table] | None = None
) -> Callable[[Any, Any, Signature], Payload]:
    def read_form(value: Any, params: Any, signature: Signature) -> Payload:
        if signature.from_type_hint:
            raise _only_inputs()
        typed = signature.columns is not None or signature.tensors
        read_table = read if typed or read_untyped is None else read_untyped
        return _from_table(read_table(value), signature, params)

    return read_form


def _from_inputs_form(
    form: str,
    to_tensors: Callable[[Sequence[Tensor], Any], Any],
    to_arrays: Callable[[Any], Any],
) -> Callable[[Any, Any, Signature], Payload]:
    def read_form(value: Any, params: Any, signature: Signature) -> Payload:
        if signature.from_type_hint and form != "inputs":
            raise _only_inputs()
        if signature.columns is not None and not signature.from_type_hint:
            return _from_table(inputs_table(form, value, signature.columns), signature, params)
        if signature.tensors:
            read_data = partial(to_tensors, signature.tensors, value)
            return _tensors(*_both(read_data, partial(signature.params.read, params)))
        read_params = signature.params.read(params)
        data = value if signature.from_type_hint else to_arrays(value)
        return Payload(data, read_params, rows=_length(value))

    return read_form


def _only_inputs() -> InvalidInput:
    return InvalidInput("the model is typed by a type hint: send its values under 'inputs'")


def _tensors(data: Any, params: dict[str, Any] | None) -> Payload:
    first = next(iter(data.values())) if isinstance(data, dict) else data
    return Payload(data, params, rows=len(first) if first.ndim else 1, typed=True)


def _length(value: Any) -> int | None:
    if isinstance(value, dict):
        lengths = {len(cells) for cells in value.values() if isinstance(cells, list)}
        return lengths.pop() if len(lengths) == 1 else None
    return len(value) if isinstance(value, list) else 1


FORM_READERS: Final[Mapping[str, Callable[[Any, Any, Signature], Payload]]] = {
    "dataframe_split": _from_named_form(read_split),
    "dataframe_records": _from_named_form(read_records, partial(read_records, gap=np.nan)),
    "instances": _from_inputs_form("instances", read_instances, untyped_instances),
    "inputs": _from_inputs_form("inputs", read_tensors, untyped_inputs),
}

FORMS: Final = listed(FORM_READERS)

READERS: Final[Mapping[str, Callable[[bytes, Signature, int], Payload]]] = {
    JSON: _read_json,
    CSV: _read_csv,
    PARQUET: _read_parquet,
}
