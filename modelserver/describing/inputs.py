"""What a model takes, as the documentation shows it: one value for each of the ways to type it.

In: the compiled signature, and the signature as JSON. Out: the `Inputs` of the model, made once per
description. They have the forms and formats that the document shows, the schemas of the input, and
samples of it: first the logged one, last one made up from the type table.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd

from modelserver.describing.forms import (
    CHAT_FORMS,
    COLUMN_FORMS,
    HINT_FORMS,
    MOST_ROWS,
    TENSOR_FORMS,
    Body,
    Example,
    Form,
    ParamValues,
    Sample,
    Specs,
    examples,
    names_of,
    untyped_examples,
)
from modelserver.describing.schemas import (
    Schema,
    Spec,
    column_schema,
    is_named,
    param_default,
    row_schema,
    tensor_schema,
)
from modelserver.errors import BadRequest
from modelserver.reading.formats import FORMATS, JSON, Format
from modelserver.reading.signatures.columns import ColumnSignature, TypeHintSignature, table_of
from modelserver.reading.signatures.signature import Signature
from modelserver.reading.signatures.tensors import TensorSignature
from modelserver.types.frames import Columns
from modelserver.types.nested.kinds import kind_of, object_schema
from modelserver.types.tables import Table, read_records, read_split
from modelserver.types.tensors import dtype_kind

JSON_ALONE: Final = (FORMATS[JSON],)


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a model takes. `specs` are its columns or tensors and `params` its params, as the
    signature's JSON spells them."""

    specs: Specs
    params: Specs
    forms: Sequence[Form]
    """The forms of JSON that the document shows; empty if it keeps those of the base document."""
    formats: Sequence[Format]
    """The formats that the document shows."""
    schemas: Callable[[Specs, Sample | None], dict[str, Schema]]
    """Makes the schemas to which the forms' schemas refer, by name. Values of the sample, if there
    is one, become their examples."""
    read: Callable[[Specs, Body, ParamValues], Sample]
    """Makes a sample of a logged body and its params. Raises `BadRequest`, `KeyError`, `TypeError`
    or `ValueError` if the body does not fit the signature."""
    made_up: Callable[[Specs, ParamValues], Sample]
    """Makes a sample with values of the type table."""

    @property
    def takes_records(self) -> bool:
        """Whether a body may be an array of records: objects with the names of the columns."""
        return is_named(self.specs) and any(f.key == "dataframe_records" for f in self.forms)

    @property
    def is_bare(self) -> bool:
        """Whether a body is itself the input, and an answer is what the model returns,
        unwrapped."""
        return any(form.key is None for form in self.forms)

    @property
    def has_named_columns(self) -> bool:
        """Whether a body is a table whose columns have names."""
        return any(form.key == "dataframe_records" for form in self.forms)

    def samples(self, logged: bytes | None) -> Iterator[Sample]:
        """Samples of input that the model should be able to predict: the logged one, if it can be
        read, then one with made-up values. `logged`: the body that was logged with the model."""
        defaults = {spec["name"]: param_default(spec) for spec in self.params} or None
        body = _maybe_body(logged)
        with suppress(BadRequest, KeyError, TypeError, ValueError):  # it does not fit
            yield self.read(self.specs, body, body.get("params") or defaults)
        yield self.made_up(self.specs, defaults)

    def examples(self, sample: Sample) -> Iterator[Example]:
        """The sample in every form and format that the document shows."""
        if self.forms:
            return examples(self.forms, self.formats, self.specs, sample)
        return untyped_examples(sample.value or {})


def inputs_of(signature: Signature, declared: Mapping[str, Any]) -> Inputs:
    """What a model takes, by how it is typed. `declared`: the parts of the signature as JSON."""
    specs, params = declared.get("inputs") or (), declared.get("params") or ()
    installed = [row for row in FORMATS.values() if row.is_installed]
    formats = [row for row in installed if not signature.misfit(row.nested, row.tensors)]
    forms: Sequence[Form]
    if isinstance(signature, TensorSignature):
        forms = TENSOR_FORMS if _have_rows(specs) else TENSOR_FORMS[:1]
        return Inputs(specs, params, forms, formats, _tensors, _read_tensors, _made_up_tensors)
    if isinstance(signature, TypeHintSignature):
        return Inputs(specs, params, HINT_FORMS, JSON_ALONE, _value, _read_values, _made_up_row)
    if not isinstance(signature, ColumnSignature):
        return Inputs(specs, params, (), formats, _row, _read_whole, _made_up_row)
    if signature.chat_keys:
        read = partial(_read_chat, signature)
        return Inputs(specs, params, CHAT_FORMS, JSON_ALONE, _row, read, _made_up_row)
    forms = COLUMN_FORMS if is_named(specs) else COLUMN_FORMS[1:]
    read = partial(_read_table, signature)
    return Inputs(specs, params, forms, formats, _row, read, _made_up_row)


def _maybe_body(logged: bytes | None) -> Body:
    """The logged body; empty if there is none or it is no JSON object. NaN, which Python may have
    written though JSON has no NaN, becomes null."""
    try:
        body = json.loads(logged or b"", parse_constant=lambda token: None)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _read_table(
    signature: ColumnSignature, specs: Specs, body: Body, params: ParamValues
) -> Sample:
    (form,) = body.keys() & TABLE_READERS.keys()
    return Sample(_rows(specs, TABLE_READERS[form](body[form], signature.columns)), params=params)


def _read_chat(signature: ColumnSignature, specs: Specs, body: Body, params: ParamValues) -> Sample:
    """The sample in a logged chat: one request, whose params are among its keys, or a table of
    requests."""
    if signature.chat_keys.isdisjoint(body):
        return _read_table(signature, specs, body, params)
    table = Table(list(body), 1, columns=[[value] for value in body.values()])
    return Sample(_rows(specs, table))


def _rows(specs: Specs, table: Table) -> list[list[Any]]:
    """The first rows, with the signature's columns in order; cells of an absent column are null."""
    cells = dict(zip(map(str, table.names), table.by_column(), strict=True))
    gaps = [None] * table.length
    columns = [
        _shown(spec, list(cells.get(str(name), gaps))[:MOST_ROWS])
        for spec, name in zip(specs, names_of(specs), strict=True)
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _shown(spec: Spec, cells: list[Any]) -> list[Any]:
    """The cells as the document writes them: date-times with their UTC offset (RFC 3339)."""
    kind = kind_of(spec)
    if not kind.is_moment:
        return cells
    moments = pd.DatetimeIndex(np.asarray(kind.convert(cells)))
    return [None if pd.isna(moment) else f"{moment.isoformat()}Z" for moment in moments]


def _read_values(specs: Specs, body: Body, params: ParamValues) -> Sample:
    return Sample([[value] for value in body["inputs"][:MOST_ROWS]], params=params)


def _read_tensors(specs: Specs, body: Body, params: ParamValues) -> Sample:
    """The first row of the tensors if all of them have rows, otherwise the whole tensors."""
    value = body["inputs"] if "inputs" in body else body["instances"]
    if _have_rows(specs):
        is_named = isinstance(value, dict)
        value = {name: rows[:1] for name, rows in value.items()} if is_named else value[:1]
    return Sample(value=value, params=params)


def _have_rows(specs: Specs) -> bool:
    return all(spec["tensor-spec"]["shape"][:1] == [-1] for spec in specs)


def _read_whole(specs: Specs, body: Body, params: ParamValues) -> Sample:
    return Sample(value=body)


def _made_up_row(specs: Specs, params: ParamValues) -> Sample:
    return Sample([[kind_of(spec).sample for spec in specs]], params=params, made_up=True)


def _made_up_tensors(specs: Specs, params: ParamValues) -> Sample:
    parts = {spec.get("name"): _made_up_tensor(spec) for spec in specs}
    return Sample(value=parts if is_named(specs) else parts[None], params=params, made_up=True)


def _made_up_tensor(spec: Spec) -> Any:
    kind = dtype_kind(np.dtype(spec["tensor-spec"]["dtype"]))
    shape = [abs(size) for size in spec["tensor-spec"]["shape"]]
    return np.full(shape, kind.sample if kind else "text", object).tolist()


def _row(specs: Specs, sample: Sample | None) -> dict[str, Schema]:
    return {"Row": {"title": "Row", **row_schema(specs, _cells(specs, sample))}}


def _value(specs: Specs, sample: Sample | None) -> dict[str, Schema]:
    return {"Row": {"title": "Row", **_cells(specs, sample)[0]}}


def _tensors(specs: Specs, sample: Sample | None) -> dict[str, Schema]:
    schema = tensor_schema(specs[0])
    if is_named(specs):
        parts = {spec["name"]: tensor_schema(spec) for spec in specs}
        schema = object_schema(parts, list(parts))
    return {"Tensors": {"title": "Tensors", **schema}}


def _cells(specs: Specs, sample: Sample | None) -> list[Schema]:
    """The schemas of the cells of a row; each has a value of the sample as its example."""
    cells = sample.rows[0] if sample else [None] * len(specs)
    schemas = zip(map(column_schema, specs), cells, strict=True)
    return [schema if c is None else schema | {"examples": [c]} for schema, c in schemas]


TABLE_READERS: Final[Mapping[str, Callable[[Any, Columns], Table]]] = {
    "dataframe_split": lambda value, columns: read_split(value),
    "dataframe_records": lambda value, columns: read_records(value),
    "inputs": partial(table_of, "inputs"),
    "instances": partial(table_of, "instances"),
}
