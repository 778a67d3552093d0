"""A model's signature as JSON Schema (2020-12, OpenAPI 3.1): what a request may hold.

In: the parts of a signature as JSON (`mlflow.models.ModelSignature.to_dict`). Out: the schemas of
cells, rows, tensors, params and input forms. The schemas of scalars come from the type table, which
also parses them, so requests that fit the schema are accepted. The parser also accepts a little
more: text that spells a number, columns in another order. JSON Schema cannot express one rule: the
columns and labels of a table have the same length.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np

from modelserver.types.nested.kinds import kind_of, nullable, object_schema
from modelserver.types.params import declared_type
from modelserver.types.tensors import dtype_kind

Schema: TypeAlias = dict[str, Any]
Spec: TypeAlias = Mapping[str, Any]
"""One column, tensor, param or nested type, as the signature's JSON spells it."""

DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")

TYPE: Final = "x-mlflow-type"
"""The key of a schema under which it has the type as MLflow writes it."""

GAPS: Final = "has_gaps"
"""A key in the spec of a required column. It is true if the model has predicted rows in which the
column's value is missing."""


def fits(schema: Schema | bool, value: Any, document: Mapping[str, Any]) -> bool:
    """Whether the schema allows a JSON value. Its references (`$ref`) point into the document."""
    from jsonschema import Draft202012Validator  # takes 40 ms, and only descriptions need it

    return bool(Draft202012Validator({**document, "allOf": [schema]}).is_valid(value))


def cell_schema(spec: Spec) -> Schema:
    """The schema of one value of a column type, which may be nested."""
    return dict(kind_of(spec).schema)


def type_name(spec: Spec) -> str:
    """The type as people read it: `double`, `Array(long)`, `{name: string, age: long (optional)}`,
    `Tensor(float32, (-1, 28, 28))`."""
    if spec["type"] == "tensor":
        return f"Tensor({spec['tensor-spec']['dtype']}, {tuple(spec['tensor-spec']['shape'])})"
    return kind_of(spec).name


def column_schema(spec: Spec) -> Schema:
    """The schema of a cell of an input column; null is allowed if the column may have gaps."""
    kind = kind_of(spec)
    if _required(spec) and not spec.get(GAPS):
        return {**kind.schema, TYPE: kind.name}
    return nullable(kind.schema_beside_gaps or kind.schema) | {TYPE: kind.name}


def tensor_schema(spec: Spec) -> Schema:
    """The schema of nested arrays of the declared shape, in which -1 means any size except 0."""
    kind = dtype_kind(np.dtype(spec["tensor-spec"]["dtype"]))
    schema = dict(kind.schema) if kind else {}
    for size in reversed(spec["tensor-spec"]["shape"]):
        sizes = {"minItems": 1} if size == -1 else {"minItems": size, "maxItems": size}
        schema = {"type": "array", "items": schema, **sizes}
    return schema | {TYPE: type_name(spec)}


def param_schema(spec: Spec) -> Schema:
    """The schema of an inference param, with its default."""
    one = declared_type(spec)
    declared = {"type": "array", "items": one} if spec.get("shape") else one
    schema = cell_schema(declared) | {TYPE: type_name(declared)}
    default = param_default(spec)
    if kind_of(one).is_moment and _is_day(default):
        schema["format"] = "date"
    return (nullable(schema) if default is None else schema) | {"default": default}


def param_default(spec: Spec) -> Any:
    """A param's default as a request would spell it: date-times with their UTC offset (RFC
    3339)."""
    default = spec.get("default")
    if default is None or not kind_of(declared_type(spec)).is_moment:
        return default
    if isinstance(default, list):
        return [_moment(text) for text in default]
    return _moment(default)


def _moment(text: str) -> str:
    return text if _is_day(text) else f"{text}Z"


def _is_day(text: object) -> bool:
    """Whether a text is a date without a time; such a default has no UTC offset."""
    return isinstance(text, str) and DAY.fullmatch(text) is not None


def row_schema(inputs: Sequence[Spec], cells: Sequence[Schema]) -> Schema:
    """The schema of a row with these cells: an object, or an array if the columns have no names."""
    if not is_named(inputs):
        return array_of(cells)
    names = [str(spec["name"]) for spec in inputs]
    return object_schema(dict(zip(names, cells, strict=True)), required(inputs))


def is_named(specs: Sequence[Spec]) -> bool:
    """Whether the columns or tensors have names. A name may be a whole number."""
    return any(spec.get("name") is not None for spec in specs)


def is_one_row(inputs: Sequence[Spec]) -> bool:
    """Whether MLflow reads an object under `inputs` as one row."""
    return any(kind_of(spec).one_row for spec in inputs)


def required(specs: Sequence[Spec]) -> list[str]:
    """The names of the columns, tensors or outputs that are required."""
    return [str(spec["name"]) for spec in specs if _required(spec)]


def array_of(items: Sequence[Schema]) -> Schema:
    """The schema of an array with exactly these items in this order."""
    sizes = {"minItems": len(items), "maxItems": len(items)}
    return {"type": "array", "prefixItems": list(items), "items": {}, **sizes}


def non_empty(items: Schema) -> Schema:
    """The schema of an array with at least one item."""
    return {"type": "array", "items": items, "minItems": 1}


def split_schema(inputs: Sequence[Spec]) -> Schema:
    """The schema of `dataframe_split`: the column names in order, and rows of cells."""
    cells = [column_schema(spec) for spec in inputs]
    schema = object_schema({"data": non_empty(array_of(cells))}, ["data"])
    schema["properties"]["index"] = {
        "type": "array",
        "items": {"type": ["string", "number"]},
        "description": "Labels of the rows, as many as there are rows.",
    }
    if is_named(inputs):
        schema["required"].insert(0, "columns")
        names = array_of([_name_schema(spec["name"]) for spec in inputs])
        names["description"] = "Another order is accepted too, where `data` follows it."
        schema["properties"] = {"columns": names, **schema["properties"]}
    return schema


def columns_schema(inputs: Sequence[Spec]) -> Schema:
    """The schema of `inputs` by column: arrays of one length, or one row if MLflow reads it so."""
    if is_one_row(inputs):
        return dict(ROW)
    properties = {str(spec["name"]): non_empty(column_schema(spec)) for spec in inputs}
    schema = object_schema(properties, required(inputs))
    return schema | {"description": "The columns, all of one length."}


def full_row_schema(inputs: Sequence[Spec]) -> Schema:
    """The schema of a row of `instances`, in which all rows must have the same names."""
    if not is_named(inputs) or len(required(inputs)) == len(inputs):
        return dict(ROW)
    return {"allOf": [ROW], "required": [str(spec["name"]) for spec in inputs]}


def _required(spec: Spec) -> bool:
    return bool(spec.get("required", True))


def _name_schema(name: object) -> Schema:
    """The schema of a column's name in `columns`; a whole number may be sent as text."""
    return {"const": name} if isinstance(name, str) else {"enum": [name, str(name)]}


ROW: Final[Mapping[str, Any]] = {"$ref": "#/components/schemas/Row"}
TENSORS: Final[Mapping[str, Any]] = {"$ref": "#/components/schemas/Tensors"}
PARAMS: Final[Mapping[str, Any]] = {"$ref": "#/components/schemas/Params"}
