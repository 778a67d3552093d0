"""What a model returns as JSON Schema: the outputs of its signature, where the model keeps to them.

In: the outputs of a signature as JSON, and real predictions. Out: a schema. A signature names types
but not the shape that a model's DataFrame, array or dict has in JSON; and nothing makes a model
return what it declares. So the schema is the first of the possible ones that the real predictions
fit, and where none does, one that promises nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from modelserver.openapi.schemas import (
    TYPE,
    Schema,
    Spec,
    cell_schema,
    is_named,
    nullable,
    tensor_schema,
    type_name,
)

ANYTHING: Final[Schema] = {
    "title": "Predictions",
    "description": "What the model returns, as JSON. Missing and infinite numbers are null.",
}


def predictions_schema(outputs: Sequence[Spec] | None, predictions: Sequence[Any]) -> Schema:
    """The schema that the declared outputs and all real predictions agree on."""
    for schema in _candidates(outputs) if outputs else ():
        if all(fits(schema, prediction) for prediction in predictions):
            return {"title": "Predictions", **schema}
    return dict(ANYTHING)


def fits(schema: Schema, value: Any) -> bool:
    """Whether a JSON value has the schema's types, names and sizes."""
    allowed = schema.get("type", [])
    allowed = [allowed] if isinstance(allowed, str) else allowed
    if allowed and not any(IS[name](value) for name in allowed):
        return False
    if isinstance(value, list):
        low, high = schema.get("minItems", 0), schema.get("maxItems", len(value))
        return low <= len(value) <= high and all(fits(schema.get("items", {}), v) for v in value)
    if isinstance(value, dict):
        known = schema.get("properties", {})
        named = all(name in value for name in schema.get("required", ()))
        return named and all(fits(known.get(name, {}), item) for name, item in value.items())
    return True


def _candidates(outputs: Sequence[Spec]) -> Iterator[Schema]:
    """The JSON that values of these types can be, the likeliest first."""
    if outputs[0]["type"] == "tensor":
        yield _tensors(outputs)
        return
    cells = {str(spec.get("name", i)): _cell(spec) for i, spec in enumerate(outputs)}
    first = next(iter(cells.values()))
    if not is_named(outputs) and len(outputs) == 1:
        yield _array(first)
    yield _array(_object(cells))
    yield _object({name: _array(cell) for name, cell in cells.items()})
    yield _object(cells)
    if len(cells) == 1:
        yield from (_array(first), first)
    yield _array(_array({"anyOf": list(cells.values())}))


def _tensors(outputs: Sequence[Spec]) -> Schema:
    """An array, or an object of arrays by name; numbers may be null."""
    if not is_named(outputs):
        return _open(tensor_schema(outputs[0]))
    return _object({spec["name"]: _open(tensor_schema(spec)) for spec in outputs})


def _open(schema: Schema) -> Schema:
    """A tensor that may be empty and may have gaps."""
    if schema.get("type") != "array":
        return _cell_of(schema)
    opened = {**schema, "items": _open(schema["items"])}
    if "maxItems" not in schema:
        del opened["minItems"]
    return opened


def _cell(spec: Spec) -> Schema:
    return _cell_of(cell_schema(spec)) | {TYPE: type_name(spec)}


def _cell_of(schema: Schema) -> Schema:
    """Missing values are null; date-times have no offset, which their format would demand."""
    return nullable({key: value for key, value in schema.items() if value != "date-time"})


def _array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _object(properties: Mapping[str, Schema]) -> Schema:
    return {"type": "object", "properties": dict(properties), "required": list(properties)}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


IS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "number": _is_number,
    "integer": lambda value: _is_number(value) and value == int(value),
    "null": lambda value: value is None,
}
"""JSON Schema's types."""
