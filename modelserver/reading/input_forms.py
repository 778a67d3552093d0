"""A decoded JSON value to what the model's `predict` takes: the input forms of MLflow's protocol.

In: a JSON value, or a table that was read from a file. Out: a `Payload`, typed as the signature
says. The forms are those of `mlflow.pyfunc.scoring_server`: one key of the body says which it is,
but for chats, where the body itself is the input. Raises `BadRequest` or `InvalidInput`. Pure.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np

from modelserver.errors import (
    BadRequest,
    InvalidInput,
    are_params,
    hint,
    joined,
    listed,
    suggested,
)
from modelserver.reading.untyped import untyped_frame, untyped_inputs, untyped_instances
from modelserver.reading.wrappings import wrapping_advice
from modelserver.types.frames import Columns
from modelserver.types.kind import what_is
from modelserver.types.signature import Signature
from modelserver.types.tables import Table, read_columns, read_records, read_rows, read_split
from modelserver.types.tensors import Tensor, read_instances, read_tensors, tensors_from_table

logger = logging.getLogger(__name__)

LLM_KEYS: Final = ("messages", "prompt", "input")
CHAT_KEYS: Final = frozenset(LLM_KEYS)


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


def read_value(value: Any, signature: Signature) -> Payload:
    """The model input in a decoded body."""
    if not isinstance(value, dict):
        raise _no_form("the body must be a JSON object with one of {}, not {}", value, signature)
    if not CHAT_KEYS.isdisjoint(value) and _may_be_chat(value, signature):
        return _read_llm(value, signature)
    forms = [form for form in FORM_READERS if form in value]
    if len(forms) != 1:
        raise _no_form("the body must have exactly one of {}; it {}", value, signature)
    if len(value) > 1 and (others := sorted(value.keys() - {forms[0], "params"})):
        _refuse_misplaced_params(others, signature)
        logger.info("ignored keys of the body: %s", listed(others))
    return FORM_READERS[forms[0]](value[forms[0]], value.get("params"), signature)


def _no_form(said: str, value: Any, signature: Signature) -> BadRequest:
    """The error for a body that is not of one form, with what would make it one."""
    taken = [*_chat_keys(signature), *FORM_READERS]
    if not isinstance(value, dict):
        found, forms = what_is(value), []
    else:
        forms = [form for form in FORM_READERS if form in value]
        found = f"has {listed(forms or value)}" if value else "is empty"
    advice = "" if forms else _advice(value, taken, signature)
    return BadRequest(said.format(listed(taken), found) + advice)


def _chat_keys(signature: Signature) -> list[str]:
    """The keys of chats that are columns of the model."""
    columns = signature.columns
    names = columns.positions if columns is not None and not signature.from_type_hint else ()
    return [key for key in LLM_KEYS if key in names]


def _may_be_chat(value: Mapping[str, Any], signature: Signature) -> bool:
    """Whether the body itself may be the input: the model declares nothing, or such a column."""
    untyped = signature.columns is None and not signature.tensors
    return untyped or any(key in value for key in _chat_keys(signature))


def _refuse_misplaced_params(others: Sequence[str], signature: Signature) -> None:
    """Refuses params beside the key `params`, and other spellings of that key."""
    if misplaced := [key for key in others if key in signature.params.names]:
        raise InvalidInput(are_params(misplaced))
    misspelt = [key for key in others if hint(key, ["params"])]
    if signature.params.declared and misspelt:
        raise InvalidInput(f"unknown key: {suggested(misspelt, ['params'])}")


def _refuse_params_among(names: Iterable[Any], signature: Signature) -> None:
    """Refuses params among tensors."""
    tensors = {tensor.name for tensor in signature.tensors}
    if misplaced := [n for n in names if n in signature.params.names and n not in tensors]:
        raise InvalidInput(are_params(misplaced))


def _advice(body: Any, forms: Sequence[str], signature: Signature) -> str:
    if signature.from_type_hint:
        return ". Send the values in an array under 'inputs'"
    if isinstance(body, list) and forms[0] in LLM_KEYS:
        return f". Send the whole body as the value of '{forms[0]}'"
    columns = signature.columns
    if columns is not None and columns.named:
        return wrapping_advice(body, forms, columns.positions, columns.one_row)
    names = {tensor.name for tensor in signature.tensors if tensor.name is not None}
    return wrapping_advice(body, forms, names)


def _read_llm(value: dict[str, Any], signature: Signature) -> Payload:
    """The chat and completion form: the object itself is the input, params stand beside it."""
    known, columns = signature.params.names, signature.columns
    given = {key: item for key, item in value.items() if key in known}
    data = {key: item for key, item in value.items() if key not in known}
    if columns is not None:
        optional = {str(column.name) for column in columns.optional()}
        # Clients send null for what they leave open, which MLflow refuses in some types.
        data = {k: item for k, item in data.items() if item is not None or k not in optional}
        if "params" not in columns.positions and isinstance(more := data.pop("params", None), dict):
            given |= more
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
            raise BadRequest(f"'{form}' must be an array or an object, not {what_is(value)}")
        value = [value]
    if value and isinstance(value[0], dict):
        return read_records(value, form, same_keys=form == "instances")
    if columns.named and len(columns.columns) == 1:
        return Table(columns.names, len(value), columns=[value])
    return read_rows(form, value, None)


def from_table(table: Table, signature: Signature, params: Any = None) -> Payload:
    """The model input in a table. `params`: what was sent as such beside it."""
    typed = not signature.from_type_hint
    try:
        if signature.columns is not None:
            data: Any = signature.columns.frame(table)
        elif signature.tensors:
            _refuse_params_among(table.names, signature)
            data = tensors_from_table(signature.tensors, table)
        else:
            data, typed = untyped_frame(table), False
    except BadRequest as fault:
        raise _with_faults_of(params, signature, fault) from None
    return Payload(data, signature.params.read(params), table.length, typed)


def _with_faults_of(params: Any, signature: Signature, fault: BadRequest) -> BadRequest:
    """The fault of the input together with those of the params, if they have some."""
    try:
        signature.params.read(params)
    except BadRequest as other:
        return joined([fault, other])
    return fault


def _from_named_form(
    read: Callable[[Any], Table], read_untyped: Callable[[Any], Table] | None = None
) -> Callable[[Any, Any, Signature], Payload]:
    def read_form(value: Any, params: Any, signature: Signature) -> Payload:
        if signature.from_type_hint:
            raise _only_inputs()
        typed = signature.columns is not None or signature.tensors
        read_table = read if typed or read_untyped is None else read_untyped
        return from_table(read_table(value), signature, params)

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
            return from_table(inputs_table(form, value, signature.columns), signature, params)
        if signature.tensors:
            first = value[0] if isinstance(value, list) and value else value
            _refuse_params_among(first if isinstance(first, dict) else (), signature)
            try:
                data = to_tensors(signature.tensors, value)
            except BadRequest as fault:
                raise _with_faults_of(params, signature, fault) from None
            return tensors_payload(data, signature.params.read(params))
        read_params = signature.params.read(params)
        data = value if signature.from_type_hint else to_arrays(value)
        return Payload(data, read_params, rows=_length(value))

    return read_form


def _only_inputs() -> InvalidInput:
    return InvalidInput("the model is typed by a type hint: send its values under 'inputs'")


def tensors_payload(data: Any, params: dict[str, Any] | None) -> Payload:
    """The payload of tensors that were read."""
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
