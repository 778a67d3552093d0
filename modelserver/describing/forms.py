"""The input forms that a model takes: for each its JSON Schema, and how an example is written.

In: a signature's parts as JSON, and a `Sample` of its input. Out: one `Form` for each way to send
it. The tables at the end list the forms for columns, tensors, type hints and chat.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from modelserver.describing.schemas import (
    ROW,
    TENSORS,
    Schema,
    Spec,
    columns_schema,
    full_row_schema,
    is_named,
    is_one_row,
    required,
    some,
    split_schema,
    tensor_schema,
)
from modelserver.reading.formats import FORMATS, JSON, Format
from modelserver.reading.signatures.signature import LLM_KEYS
from modelserver.types.nested import kind_of, object_schema

Specs: TypeAlias = Sequence[Spec]


@dataclass(frozen=True, slots=True)
class Sample:
    """Input for a model, independent of a form: `rows` of cells in the order of the signature's
    columns, or the tensors as `value`; and the `params` that are sent with it.
    """

    rows: Sequence[Sequence[Any]] = ()
    value: Any = None
    params: Mapping[str, Any] | None = None
    made_up: bool = False
    """Whether its values were made from the signature, and not logged with the model."""


@dataclass(frozen=True, slots=True)
class Form:
    """A way to send input: the value under `key` of the body, or with None the body itself.

    `schema` gives the JSON Schema of that value, `write` the value for a sample.
    """

    name: str
    key: str | None
    summary: str
    schema: Callable[[Specs], Schema]
    write: Callable[[Specs, Sample], Any]

    def body(self, inputs: Specs, sample: Sample) -> dict[str, Any]:
        """The whole request body for a sample."""
        value = self.write(inputs, sample)
        if self.key is None:
            return {**value, **(sample.params or {})}
        return {self.key: value} | ({"params": dict(sample.params)} if sample.params else {})


def json_forms(inputs: Specs, from_type_hint: bool) -> Sequence[Form]:
    """The forms of JSON that the document shows for a model with these inputs."""
    if from_type_hint:
        return HINT_FORMS
    if inputs[0]["type"] == "tensor":
        by_row = all(spec["tensor-spec"]["shape"][:1] == [-1] for spec in inputs)
        return TENSOR_FORMS if by_row else TENSOR_FORMS[:1]
    if takes_chat(inputs):
        return CHAT_FORMS
    return COLUMN_FORMS if is_named(inputs) else COLUMN_FORMS[1:]


def takes_chat(inputs: Specs) -> bool:
    """Whether a column has the name of a key that makes a body a chat or completion request."""
    return any(spec.get("name") in LLM_KEYS for spec in inputs)


def formats_for(inputs: Specs, from_type_hint: bool) -> Sequence[Format]:
    """The formats that the document shows for a model with these inputs."""
    if from_type_hint or takes_chat(inputs):
        return [FORMATS[JSON]]
    if inputs[0]["type"] == "tensor":
        return [row for row in FORMATS.values() if row.tensors]
    is_flat = all(kind_of(spec).is_scalar for spec in inputs)
    return [row for row in FORMATS.values() if is_flat or row.nested]


def names_of(inputs: Specs) -> list[Any]:
    """The names of the columns, or their positions if they have no names."""
    return [spec.get("name", position) for position, spec in enumerate(inputs)]


def _keys(inputs: Specs) -> list[str]:
    return [str(name) for name in names_of(inputs)]


def _records(inputs: Specs, sample: Sample) -> Any:
    needed = set(required(inputs))
    records = _full_records(inputs, sample)
    return [{k: v for k, v in row.items() if v is not None or k in needed} for row in records]


def _full_records(inputs: Specs, sample: Sample) -> list[dict[str, Any]]:
    return [dict(zip(_keys(inputs), row, strict=True)) for row in sample.rows]


def _split(inputs: Specs, sample: Sample) -> Any:
    names = {"columns": names_of(inputs)} if is_named(inputs) else {}
    return {**names, "data": _lists(sample)}


def _instances(inputs: Specs, sample: Sample) -> Any:
    return _full_records(inputs, sample) if is_named(inputs) else _lists(sample)


def _inputs(inputs: Specs, sample: Sample) -> Any:
    if not is_named(inputs):
        return _lists(sample)
    if is_one_row(inputs):
        return _records(inputs, sample)[0]
    cells = map(list, zip(*sample.rows, strict=True))
    return dict(zip(_keys(inputs), cells, strict=True))


def _lists(sample: Sample) -> list[list[Any]]:
    return [list(row) for row in sample.rows]


def _chat(inputs: Specs, sample: Sample) -> Any:
    return _records(inputs, sample)[0]


def _values(inputs: Specs, sample: Sample) -> Any:
    return [row[0] for row in sample.rows]


def _tensors(inputs: Specs, sample: Sample) -> Any:
    return sample.value


def _tensor_rows(inputs: Specs, sample: Sample) -> Any:
    if not isinstance(sample.value, dict):
        return sample.value
    rows = zip(*sample.value.values(), strict=True)
    return [dict(zip(sample.value, row, strict=True)) for row in rows]


def _records_schema(inputs: Specs) -> Schema:
    return some(dict(ROW))


def _instances_schema(inputs: Specs) -> Schema:
    return some(full_row_schema(inputs))


def _inputs_schema(inputs: Specs) -> Schema:
    if not is_named(inputs):
        return some(dict(ROW))
    return {"anyOf": [columns_schema(inputs), some(dict(ROW))]}


def _chat_schema(inputs: Specs) -> Schema:
    return dict(ROW)


def _values_schema(inputs: Specs) -> Schema:
    return {"type": "array", "items": dict(ROW)}


def _tensors_schema(inputs: Specs) -> Schema:
    return dict(TENSORS)


def _tensor_rows_schema(inputs: Specs) -> Schema:
    if not is_named(inputs):
        return dict(TENSORS)
    parts = {spec["name"]: tensor_schema(spec)["items"] for spec in inputs}
    return some(object_schema(parts, list(parts)))


COLUMN_FORMS: Final = (
    Form("records", "dataframe_records", "A table, row by row", _records_schema, _records),
    Form("split", "dataframe_split", "A table, names once", split_schema, _split),
    Form("inputs", "inputs", "A table, column by column", _inputs_schema, _inputs),
    Form("instances", "instances", "Rows", _instances_schema, _instances),
)
TENSOR_FORMS: Final = (
    Form("inputs", "inputs", "Tensors", _tensors_schema, _tensors),
    Form("instances", "instances", "Tensors, row by row", _tensor_rows_schema, _tensor_rows),
)
CHAT_FORMS: Final = (Form("chat", None, "A chat or completion", _chat_schema, _chat),)
HINT_FORMS: Final = (Form("inputs", "inputs", "Values", _values_schema, _values),)
