"""Example requests for the documentation, in every form that the model takes.

In: the compiled signature, the signature as JSON, and the body that was logged with the model, if
any. Out: samples of input, first the logged one, last one made from the type table; and for each
sample one `Example` per form. `description` lets the model predict them.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from modelserver.describing.forms import (
    Sample,
    Specs,
    formats_for,
    json_forms,
    names_of,
)
from modelserver.describing.schemas import Spec, param_default
from modelserver.errors import BadRequest
from modelserver.reading.formats import FORMATS, JSON, Format
from modelserver.reading.signatures.columns import ColumnSignature, TypeHintSignature, table_of
from modelserver.reading.signatures.signature import LLM_KEYS, Signature
from modelserver.reading.signatures.tensors import TensorSignature
from modelserver.types.nested import kind_of
from modelserver.types.tables import Table, read_records, read_split
from modelserver.types.tensors import dtype_kind

Declared = Mapping[str, Any]
"""The parts of a signature as JSON: inputs, outputs, params."""

MOST_ROWS: Final = 2
"""The most rows of an example; more would tell a reader nothing new."""

MADE_UP: Final = ", with made-up values"

MOST_BYTES: Final = 100_000
"""The most bytes of an example or answer that the document shows."""


@dataclass(frozen=True, slots=True)
class Example:
    """An example of a request: the name of its form, a summary, its media type, and its body: a
    JSON value, or text for other media types."""

    name: str
    summary: str
    media_type: str
    body: Any


def samples(declared: Declared, signature: Signature, logged: bytes | None) -> Iterator[Sample]:
    """Samples of input that the model should be able to predict: the logged one, if it can be read,
    then one with made-up values."""
    if sample := _maybe_logged(declared, signature, _maybe_body(logged)):
        yield sample
    yield _made_sample(declared)


def examples(declared: Declared, from_type_hint: bool, sample: Sample) -> Iterator[Example]:
    """The sample in every form that the model takes."""
    inputs, note = declared["inputs"], MADE_UP if sample.made_up else ""
    for form in json_forms(inputs, from_type_hint):
        yield Example(form.name, form.summary + note, JSON, form.body(inputs, sample))
    if sample.rows:
        yield from _files(formats_for(inputs, from_type_hint), names_of(inputs), sample.rows, note)


def untyped_examples(logged: bytes | None) -> Iterator[Example]:
    """For a model without a signature, the logged example; if it is a table, in several forms."""
    body = _maybe_body(logged)
    if "dataframe_split" not in body:
        if body:
            name = "chat" if any(key in body for key in LLM_KEYS) else "inputs"
            yield Example(name, "The example logged with the model", JSON, body)
        return
    names = body["dataframe_split"]["columns"]
    rows = body["dataframe_split"]["data"][:MOST_ROWS]
    records = [dict(zip(map(str, names), row, strict=True)) for row in rows]
    split = {"columns": names, "data": rows}
    yield Example("records", "A table, row by row", JSON, {"dataframe_records": records})
    yield Example("split", "A table, names once", JSON, {"dataframe_split": split})
    yield from _files(FORMATS.values(), names, rows)


def _files(
    formats: Iterable[Format], names: Sequence[Any], rows: Sequence[Sequence[Any]], note: str = ""
) -> Iterator[Example]:
    """The table in each of the formats that can write an example."""
    for row in formats:
        if row.write:
            text = row.write(names, rows)
            yield Example(row.name.lower(), f"A table as {row.name}{note}", row.media_type, text)


def _maybe_body(logged: bytes | None) -> dict[str, Any]:
    """The logged body; empty if there is none or it is no JSON object. NaN, which Python may have
    written though JSON has no NaN, becomes null."""
    try:
        body = json.loads(logged or b"", parse_constant=lambda token: None)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _maybe_logged(declared: Declared, signature: Signature, body: dict[str, Any]) -> Sample | None:
    """The logged example; None if it does not fit the signature."""
    try:
        return _logged_sample(declared, signature, body)
    except (BadRequest, KeyError, TypeError, ValueError):
        return None


def _logged_sample(declared: Declared, signature: Signature, body: dict[str, Any]) -> Sample:
    params = body.get("params") or _defaults(declared)
    if isinstance(signature, TensorSignature):
        value = body["inputs"] if "inputs" in body else body["instances"]
        return Sample(value=_first_rows(declared["inputs"], value), params=params)
    if isinstance(signature, TypeHintSignature):
        return Sample([[value] for value in body["inputs"][:MOST_ROWS]], params=params)
    if any(key in body for key in LLM_KEYS):
        return Sample(_rows(declared["inputs"], _one_row(body)), params=None)
    assert isinstance(signature, ColumnSignature)
    (form,) = body.keys() & TABLE_READERS.keys()
    table = TABLE_READERS[form](body[form], signature.columns)
    return Sample(_rows(declared["inputs"], table), params=params)


def _one_row(body: Mapping[str, Any]) -> Table:
    return Table(list(body), 1, columns=[[value] for value in body.values()])


def _rows(inputs: Specs, table: Table) -> list[list[Any]]:
    """The first rows, with the signature's columns in order; cells of an absent column are null."""
    cells = dict(zip(map(str, table.names), table.by_column(), strict=True))
    gaps = [None] * table.length
    columns = [
        _shown(spec, list(cells.get(str(name), gaps))[:MOST_ROWS])
        for spec, name in zip(inputs, names_of(inputs), strict=True)
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _shown(spec: Spec, cells: list[Any]) -> list[Any]:
    """The cells as the document writes them: date-times with their UTC offset (RFC 3339)."""
    kind = kind_of(spec)
    if not kind.is_moment:
        return cells
    moments = pd.DatetimeIndex(np.asarray(kind.convert(cells)))
    return [None if pd.isna(moment) else f"{moment.isoformat()}Z" for moment in moments]


def _first_rows(inputs: Specs, value: Any) -> Any:
    """The first row of the tensors if all of them have rows, otherwise the whole tensors."""
    if any(spec["tensor-spec"]["shape"][:1] != [-1] for spec in inputs):
        return value
    if isinstance(value, dict):
        return {name: rows[:1] for name, rows in value.items()}
    return value[:1]


def _made_sample(declared: Declared) -> Sample:
    inputs, params = declared["inputs"], _defaults(declared)
    if inputs[0]["type"] != "tensor":
        return Sample([[kind_of(spec).sample for spec in inputs]], params=params, made_up=True)
    tensors = [_made_tensor(spec) for spec in inputs]
    if inputs[0].get("name") is None:
        return Sample(value=tensors[0], params=params, made_up=True)
    names = [spec["name"] for spec in inputs]
    return Sample(value=dict(zip(names, tensors, strict=True)), params=params, made_up=True)


def _made_tensor(spec: Spec) -> Any:
    kind = dtype_kind(np.dtype(spec["tensor-spec"]["dtype"]))
    shape = [abs(size) for size in spec["tensor-spec"]["shape"]]
    return np.full(shape, kind.sample if kind else "text", object).tolist()


def _defaults(declared: Declared) -> dict[str, Any] | None:
    params = declared.get("params")
    return {spec["name"]: param_default(spec) for spec in params} if params else None


def _from_inputs(form: str) -> Any:
    return lambda value, columns: table_of(form, value, columns)


TABLE_READERS: Final[Mapping[str, Any]] = {
    "dataframe_split": lambda value, columns: read_split(value),
    "dataframe_records": lambda value, columns: read_records(value),
    "inputs": _from_inputs("inputs"),
    "instances": _from_inputs("instances"),
}
