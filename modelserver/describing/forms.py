"""The input forms that a model takes: for each its JSON Schema, and how an example is written.

In: a signature's parts as JSON, and a `Sample` of its input. Out: one `Form` for each way to
send it, and one `Example` of the sample for each form. The tables list the forms for columns,
tensors, type hints and chat; `inputs.py` picks one of these tables for a model.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
    non_empty,
    required,
    split_schema,
    tensor_schema,
)
from modelserver.reading.formats import FORMATS, JSON, Format
from modelserver.reading.signatures.signature import LLM_KEYS
from modelserver.types.nested.kinds import object_schema

Specs: TypeAlias = Sequence[Spec]
Body: TypeAlias = Mapping[str, Any]
ParamValues: TypeAlias = Mapping[str, Any] | None

MOST_ROWS: Final = 2
"""The most rows of an example; more would tell a reader nothing new."""

MADE_UP: Final = ", with made-up values"


@dataclass(frozen=True, slots=True)
class Sample:
    """Input for a model, independent of a form: `rows` of cells in the order of the signature's
    columns, or the tensors as `value`; and the `params` that are sent with it.
    """

    rows: Sequence[Sequence[Any]] = ()
    value: Any = None
    params: ParamValues = None
    made_up: bool = False
    """Whether its values were made from the signature, and not logged with the model."""


@dataclass(frozen=True, slots=True)
class Example:
    """An example of a request: the name of its form, a summary, its media type, and its body: a
    JSON value, or text for other media types."""

    name: str
    summary: str
    media_type: str
    body: Any


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
    return non_empty(dict(ROW))


def _instances_schema(inputs: Specs) -> Schema:
    return non_empty(full_row_schema(inputs))


def _inputs_schema(inputs: Specs) -> Schema:
    if not is_named(inputs):
        return non_empty(dict(ROW))
    return {"anyOf": [columns_schema(inputs), non_empty(dict(ROW))]}


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
    return non_empty(object_schema(parts, list(parts)))


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


def examples(
    forms: Iterable[Form], formats: Iterable[Format], specs: Specs, sample: Sample
) -> Iterator[Example]:
    """The sample in these forms of JSON; a table also in those formats that can write an
    example."""
    note = MADE_UP if sample.made_up else ""
    for form in forms:
        yield Example(form.name, form.summary + note, JSON, form.body(specs, sample))
    for row in formats if sample.rows else ():
        if row.write:
            text = row.write(names_of(specs), sample.rows)
            yield Example(row.name.lower(), f"A table as {row.name}{note}", row.media_type, text)


def untyped_examples(body: Mapping[str, Any]) -> Iterator[Example]:
    """For a model without a signature, the logged example; if it is a table, in several forms."""
    if split := body.get("dataframe_split"):
        specs = [{"name": name} for name in split["columns"]]
        table = Sample(split["data"][:MOST_ROWS])
        yield from examples(COLUMN_FORMS[:2], FORMATS.values(), specs, table)
    elif body:
        name = "chat" if any(key in body for key in LLM_KEYS) else "inputs"
        yield Example(name, "The example logged with the model", JSON, body)
