"""What a model returns, as JSON Schema: the outputs of its signature, if its predictions fit them.

In: the outputs of a signature as JSON, and real predictions. Out: a schema. A signature declares
types, but not whether the model returns them as a DataFrame, an array or a dict, which differ in
JSON; and a model may return something else than it declares. So the result is the first possible
schema that all real predictions fit. If there is none, it is a schema that allows anything.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from modelserver.describing.schemas import (
    TYPE,
    Schema,
    Spec,
    cell_schema,
    fits,
    is_named,
    required,
    tensor_schema,
    type_name,
)
from modelserver.types.nested.kinds import nullable

ANYTHING: Final[Schema] = {
    "title": "Predictions",
    "description": "What the model returns, as JSON. Missing and infinite numbers are null.",
}


def predictions_schema(outputs: Sequence[Spec] | None, predictions: Sequence[Any]) -> Schema:
    """The first schema of the declared outputs that all real predictions fit, or `ANYTHING`."""
    candidates = list(_candidates(outputs)) if outputs else []
    relaxed = [_requiring_what_is_there(schema, predictions) for schema in candidates]
    for schema in filter(None, candidates + relaxed):
        if all(fits(schema, prediction, {}) for prediction in predictions):
            return {"title": "Predictions", **schema}
    return dict(ANYTHING)


def _requiring_what_is_there(schema: Schema, predictions: Sequence[Any]) -> Schema:
    """The schema of an object that requires only those properties that all predictions have. Empty
    if there are none, or if a prediction is no object."""
    if not predictions or not all(isinstance(prediction, dict) for prediction in predictions):
        return {}
    names = schema.get("required", ())
    there = [name for name in names if all(name in prediction for prediction in predictions)]
    return {**schema, "required": there} if there else {}


def _candidates(outputs: Sequence[Spec]) -> Iterator[Schema]:
    """The possible schemas of values with these types, the most likely first."""
    if outputs[0]["type"] == "tensor":
        yield _tensors(outputs)
        return
    cells = {str(spec.get("name", i)): _cell(spec) for i, spec in enumerate(outputs)}
    needed = required(outputs) if is_named(outputs) else list(cells)
    first = next(iter(cells.values()))
    if not is_named(outputs) and len(outputs) == 1:
        yield _array(first)
    yield _array(_object(cells, needed))
    yield _object({name: _array(cell) for name, cell in cells.items()}, needed)
    yield _object(cells, needed)
    if len(cells) == 1:
        yield from (_array(first), first)
    yield _array(_array({"anyOf": list(cells.values())}))


def _tensors(outputs: Sequence[Spec]) -> Schema:
    """The schema of tensors: of an array, or of an object of arrays by name. Numbers may be
    null."""
    if not is_named(outputs):
        return _tensor(tensor_schema(outputs[0]))
    parts = {spec["name"]: _tensor(tensor_schema(spec)) for spec in outputs}
    return _object(parts, list(parts))


def _tensor(schema: Schema) -> Schema:
    """The schema of a tensor that may be empty and may have missing values."""
    if schema.get("type") != "array":
        return _loose(schema)
    loose = {**schema, "items": _tensor(schema["items"])}
    if "maxItems" not in schema:
        del loose["minItems"]
    return loose


def _cell(spec: Spec) -> Schema:
    return _loose(cell_schema(spec)) | {TYPE: type_name(spec)}


def _loose(schema: Schema) -> Schema:
    """Makes the schema of an input the schema of an output, at every depth.

    Missing and infinite values are null. Date-times have no UTC offset, so the format `date-time`,
    which requires one, is removed. Objects may have more properties than are declared.
    """
    loose = dict(schema)
    if loose.get("format") == "date-time":
        del loose["format"]
    if loose.get("additionalProperties") is False:
        del loose["additionalProperties"]
    for key in loose.keys() & {"items", "additionalProperties"}:
        loose[key] = _loose(loose[key])
    if "properties" in loose:
        loose["properties"] = {k: _loose(part) for k, part in loose["properties"].items()}
    return nullable(loose)


def _array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _object(properties: Mapping[str, Schema], needed: Sequence[str]) -> Schema:
    schema = {"type": "object", "properties": dict(properties)}
    return schema | ({"required": list(needed)} if needed else {})
