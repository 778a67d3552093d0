"""A model's signature as JSON Schema (2020-12, OpenAPI 3.1): what a request may hold.

In: the parts of a signature as JSON (`mlflow.models.ModelSignature.to_dict`). Out: the schemas of
the document's components by name. Scalars come from the type table of `type_table.py`, which also
parses them, so what is promised here is accepted there. The parser takes a little more (text that
spells a number, other orders of columns); and one rule is beyond JSON Schema: columns and labels
that stand beside each other have one length.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np

from modelserver.types.nested import ONE_ROW
from modelserver.types.tensors import dtype_kind
from modelserver.types.type_table import KINDS

Schema: TypeAlias = dict[str, Any]
Spec: TypeAlias = Mapping[str, Any]
"""One column, tensor, param or nested type, as the signature's JSON spells it."""

DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")

TYPE: Final = "x-mlflow-type"
"""Beside a schema: the type as MLflow writes it."""

DEFAULT: Final = "has_default"
"""Beside a property's spec: it may be left out, though it is no null."""

GAPS: Final = "has_gaps"
"""Beside a column's spec: it is required, but the model was seen to predict rows that lack it."""


def fits(schema: Schema | bool, value: Any, document: Mapping[str, Any]) -> bool:
    """Whether a JSON value is what the schema allows. Its references point into the document."""
    from jsonschema import Draft202012Validator  # 40 ms that only a description is worth

    return bool(Draft202012Validator({**document, "allOf": [schema]}).is_valid(value))


def cell_schema(spec: Spec) -> Schema:
    """The schema of one value of a column type, nested ones included."""
    make = NESTED.get(spec["type"], _scalar_schema)
    return make(spec)


def type_name(spec: Spec) -> str:
    """The type as people read it: `double`, `Array(long)`, `{name: string, age: long (optional)}`,
    `Tensor(float32, (-1, 28, 28))`."""
    kind = spec["type"]
    if kind == "tensor":
        return f"Tensor({spec['tensor-spec']['dtype']}, {tuple(spec['tensor-spec']['shape'])})"
    if kind == "array":
        return f"Array({type_name(spec['items'])})"
    if kind == "map":
        return f"Map({type_name(spec['values'])})"
    if kind == "object":
        parts = [f"{name}: {type_name(p)}{_mark(p)}" for name, p in spec["properties"].items()]
        return "{" + ", ".join(parts) + "}"
    return str(kind)


def column_schema(spec: Spec) -> Schema:
    """The schema of a cell of an input column; an optional column may have gaps."""
    schema = cell_schema(spec)
    if not _required(spec) or spec.get(GAPS):
        kind = KINDS.get(spec["type"])
        schema = nullable(dict(kind.schema_beside_gaps or kind.schema) if kind else schema)
    return schema | {TYPE: type_name(spec)}


def nullable(schema: Schema) -> Schema:
    """The schema with null allowed."""
    if "type" not in schema or isinstance(schema["type"], list):
        return schema
    return schema | {"type": [schema["type"], "null"]}


def tensor_schema(spec: Spec) -> Schema:
    """Nested arrays of the declared shape, where -1 is any size but none."""
    kind = dtype_kind(np.dtype(spec["tensor-spec"]["dtype"]))
    schema = dict(kind.schema) if kind else {}
    for size in reversed(spec["tensor-spec"]["shape"]):
        sizes = {"minItems": 1} if size == -1 else {"minItems": size, "maxItems": size}
        schema = {"type": "array", "items": schema, **sizes}
    return schema | {TYPE: type_name(spec)}


def param_schema(spec: Spec) -> Schema:
    """The schema of an inference param, with its default."""
    one = {**spec, "type": spec.get("type", spec.get("dtype"))}
    declared = {"type": "array", "items": one} if spec.get("shape") else one
    schema = cell_schema(declared) | {TYPE: type_name(declared)}
    default = param_default(spec)
    if one["type"] == "datetime" and _is_day(default):
        schema["format"] = "date"
    return (nullable(schema) if default is None else schema) | {"default": default}


def param_default(spec: Spec) -> Any:
    """A param's default as a request would spell it: a date-time with its offset (RFC 3339)."""
    default = spec.get("default")
    if spec.get("type", spec.get("dtype")) != "datetime" or default is None:
        return default
    if isinstance(default, list):
        return [_moment(text) for text in default]
    return _moment(default)


def _moment(text: str) -> str:
    return text if _is_day(text) else f"{text}Z"


def _is_day(text: object) -> bool:
    """Whether it is a date without a time, which MLflow hands over as such."""
    return isinstance(text, str) and DAY.fullmatch(text) is not None


def row_schema(inputs: Sequence[Spec], cells: Sequence[Schema]) -> Schema:
    """A row of these cells: an object by column name, or for columns without names an array."""
    if not is_named(inputs):
        return array_of(cells)
    names = [str(spec["name"]) for spec in inputs]
    return object_schema(dict(zip(names, cells, strict=True)), required(inputs))


def is_named(specs: Sequence[Spec]) -> bool:
    """Whether the columns or tensors have names, which may be whole numbers."""
    return specs[0].get("name") is not None


def is_one_row(inputs: Sequence[Spec]) -> bool:
    """Whether MLflow reads an object of `inputs` as one row."""
    return any(spec["type"] in ONE_ROW for spec in inputs)


def required(specs: Sequence[Spec]) -> list[str]:
    """The names of what must be sent."""
    return [str(spec["name"]) for spec in specs if _required(spec)]


def object_schema(properties: Mapping[str, Schema], names: Sequence[str]) -> Schema:
    """An object that has no other properties than these, and at least those of `names`."""
    schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return schema | ({"required": list(names)} if names else {})


def array_of(items: Sequence[Schema]) -> Schema:
    """An array with exactly these items in this order."""
    sizes = {"minItems": len(items), "maxItems": len(items)}
    return {"type": "array", "prefixItems": list(items), "items": {}, **sizes}


def some(items: Schema) -> Schema:
    """An array of at least one item."""
    return {"type": "array", "items": items, "minItems": 1}


def split_schema(inputs: Sequence[Spec]) -> Schema:
    """`dataframe_split`: the names once, in this order, and rows of cells."""
    cells = [column_schema(spec) for spec in inputs]
    schema = object_schema({"data": some(array_of(cells))}, ["data"])
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
    """`inputs` by column: arrays of one length, or one row where MLflow reads it so."""
    if is_one_row(inputs):
        return dict(ROW)
    properties = {str(spec["name"]): some(column_schema(spec)) for spec in inputs}
    schema = object_schema(properties, required(inputs))
    return schema | {"description": "The columns, all of one length."}


def full_row_schema(inputs: Sequence[Spec]) -> Schema:
    """A row of `instances`, where each row has the same names."""
    if not is_named(inputs) or len(required(inputs)) == len(inputs):
        return dict(ROW)
    return {"allOf": [ROW], "required": [str(spec["name"]) for spec in inputs]}


def _scalar_schema(spec: Spec) -> Schema:
    return dict(KINDS[spec["type"]].schema)


def _array_schema(spec: Spec) -> Schema:
    return {"type": "array", "items": cell_schema(spec["items"])}


def _vector_schema(spec: Spec) -> Schema:
    return {"type": "array", "items": dict(KINDS["double"].schema)}


def _map_schema(spec: Spec) -> Schema:
    return {"type": "object", "additionalProperties": cell_schema(spec["values"])}


def _object_schema(spec: Spec) -> Schema:
    properties = {
        name: cell_schema(part) if _required(part) else nullable(cell_schema(part))
        for name, part in spec["properties"].items()
    }
    return object_schema(properties, [n for n, p in spec["properties"].items() if not _mark(p)])


def _required(spec: Spec) -> bool:
    return bool(spec.get("required", True))


def _mark(spec: Spec) -> str:
    return "" if _required(spec) and not spec.get(DEFAULT) else " (optional)"


def _name_schema(name: object) -> Schema:
    """A column's name in `columns`; a whole number may be sent as text."""
    return {"const": name} if isinstance(name, str) else {"enum": [name, str(name)]}


ROW: Final[Mapping[str, Any]] = {"$ref": "#/components/schemas/Row"}
TENSORS: Final[Mapping[str, Any]] = {"$ref": "#/components/schemas/Tensors"}
PARAMS: Final[Mapping[str, Any]] = {"$ref": "#/components/schemas/Params"}

NESTED: Final[Mapping[str, Callable[[Spec], Schema]]] = {
    "array": _array_schema,
    "sparkml_vector": _vector_schema,
    "map": _map_schema,
    "object": _object_schema,
}
