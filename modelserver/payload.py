"""The request body to what the model's `predict` takes: model input and params.

In: a media type and the uncompressed bytes. Out: a `Payload`. The media type picks a reader, for
JSON the one input form in the body does; the model's signature says what becomes of it. The forms
are MLflow's scoring protocol (`mlflow.pyfunc.scoring_server`). Raises `BadRequest` or
`InvalidInput`; pure: no HTTP, no environment.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from modelserver.csv_reader import NO_ROWS, read_csv, read_untyped_csv
from modelserver.decoding import decode_json
from modelserver.errors import BadRequest, InvalidInput, listed
from modelserver.frames import Columns
from modelserver.kinds import describe
from modelserver.media import CSV, JSON, PARQUET
from modelserver.mixed import read_mixed
from modelserver.numeric import read_numbers
from modelserver.parquet_reader import read_parquet, read_untyped_parquet
from modelserver.signature import Signature
from modelserver.tables import Table, check_names, read_columns, read_records, read_rows, read_split
from modelserver.tensors import Tensor, read_instances, read_tensors, tensors_from_table
from modelserver.untyped import untyped_frame, untyped_inputs, untyped_instances

logger = logging.getLogger(__name__)

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
    if len(body) >= MANY_NUMBERS and (payload := _read_numbers(body, signature)) is not None:
        return payload
    if len(body) >= MANY_CELLS and (payload := _read_mixed(body, signature)) is not None:
        return payload
    value = decode_json(body, signature.exact_integers)
    if not isinstance(value, dict):
        raise BadRequest(
            f"the body must be a JSON object with one of {FORMS}, not {describe(value)}"
        )
    if any(key in value for key in LLM_KEYS):
        return _read_llm(value, signature)
    forms = [form for form in FORM_READERS if form in value]
    if signature.from_type_hint and "inputs" in forms:
        forms = ["inputs"]
    if len(forms) != 1:
        found = f"it has {listed(forms or value)}" if value else "it is empty"
        raise BadRequest(f"the body must have exactly one of {FORMS}; {found}")
    if ignored := value.keys() - {forms[0], "params"}:
        logger.info("ignored keys of the body: %s", listed(sorted(ignored)))
    return FORM_READERS[forms[0]](value[forms[0]], value.get("params"), signature)


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
        data = tensors_from_table(signature.tensors, table)
        return Payload(data, signature.params.read(params), table.length, typed=True)
    if signature.columns is None:
        return Payload(untyped_frame(table), signature.params.read(params), table.length)
    frame = signature.columns.frame(table)
    typed = not signature.from_type_hint
    return Payload(frame, signature.params.read(params), table.length, typed)


def _from_named_form(
    read: Callable[[Any], Table],
) -> Callable[[Any, Any, Signature], Payload]:
    def read_form(value: Any, params: Any, signature: Signature) -> Payload:
        if signature.from_type_hint:
            raise _only_inputs()
        return _from_table(read(value), signature, params)

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
        read_params = signature.params.read(params)
        if signature.tensors:
            return _tensors(to_tensors(signature.tensors, value), read_params)
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
    "dataframe_records": _from_named_form(read_records),
    "instances": _from_inputs_form("instances", read_instances, untyped_instances),
    "inputs": _from_inputs_form("inputs", read_tensors, untyped_inputs),
}

FORMS: Final = listed(FORM_READERS)

READERS: Final[Mapping[str, Callable[[bytes, Signature, int], Payload]]] = {
    JSON: _read_json,
    CSV: _read_csv,
    PARQUET: _read_parquet,
}
