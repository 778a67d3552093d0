"""The components of the document that follow from a model's signature. Pure.

In: the signature as JSON, a sample of its input, and the model's real answers. Out: schemas by
name: `Row` or `Tensors`, `Params`, one for each input form, `Predictions`, and `Answer` if it
differs from the one in the base document.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from modelserver.describing.examples import Declared
from modelserver.describing.forms import Form, Sample, Specs, json_forms, takes_chat
from modelserver.describing.predictions import predictions_schema
from modelserver.describing.schemas import (
    GAPS,
    PARAMS,
    Schema,
    column_schema,
    is_named,
    param_schema,
    row_schema,
    tensor_schema,
)
from modelserver.types.nested import object_schema


def input_components(
    declared: Declared, from_type_hint: bool, sample: Sample | None
) -> dict[str, Schema]:
    """The schemas of the input forms, and those that they refer to."""
    inputs, params = _with_gaps(declared["inputs"], sample), _params(declared)
    forms = json_forms(inputs, from_type_hint)
    schemas = {f"{form.name.title()}Input": _form(form, inputs, params) for form in forms}
    if inputs[0]["type"] == "tensor":
        return {**schemas, "Tensors": {"title": "Tensors", **_tensors(inputs)}, **params}
    row = {"title": "Row", **_row(inputs, from_type_hint, sample)}
    if takes_chat(inputs):
        for part in row, *params.values():
            part.pop("additionalProperties", None)  # both describe the same object
    return {**schemas, "Row": row, **params}


def answer_components(
    declared: Declared, from_type_hint: bool, answers: Sequence[Any]
) -> dict[str, Schema]:
    """The schemas of the answer: wrapped in `predictions`, or bare for chat-style input."""
    inputs = declared.get("inputs")
    if inputs and takes_chat(inputs) and not from_type_hint:
        return {"Answer": BARE, "Predictions": predictions_schema(declared.get("outputs"), answers)}
    wrapped = [a["predictions"] for a in answers if isinstance(a, dict) and "predictions" in a]
    predictions = {"Predictions": predictions_schema(declared.get("outputs"), wrapped)}
    return predictions if inputs else {"Answer": EITHER, **predictions}


def _with_gaps(inputs: Specs, sample: Sample | None) -> Specs:
    """The columns; those with missing values in the sample are marked with `GAPS`."""
    if not sample or not sample.rows:
        return inputs
    columns = zip(inputs, zip(*sample.rows, strict=True), strict=True)
    return [{**spec, GAPS: True} if None in cells else spec for spec, cells in columns]


def _params(declared: Declared) -> dict[str, Schema]:
    schemas = {spec["name"]: param_schema(spec) for spec in declared.get("params") or ()}
    return {"Params": {"title": "Params", **object_schema(schemas, [])}} if schemas else {}


def _form(form: Form, inputs: Specs, params: Mapping[str, Schema]) -> Schema:
    titles = {"title": form.key or form.name, "description": f"{form.summary}."}
    if form.key is None:
        return titles | {"allOf": [form.schema(inputs), *([dict(PARAMS)] if params else [])]}
    beside = {"params": dict(PARAMS)} if params else {}
    body = object_schema({form.key: form.schema(inputs), **beside}, [form.key])
    del body["additionalProperties"]  # other keys are ignored
    return titles | body


def _row(inputs: Specs, from_type_hint: bool, sample: Sample | None) -> Schema:
    """The schema of a row; each column has a value of the sample as its example."""
    cells = sample.rows[0] if sample else [None] * len(inputs)
    columns = [_with_example(column_schema(s), c) for s, c in zip(inputs, cells, strict=True)]
    return columns[0] if from_type_hint else row_schema(inputs, columns)


def _with_example(schema: Schema, cell: Any) -> Schema:
    return schema if cell is None else schema | {"examples": [cell]}


def _tensors(inputs: Specs) -> Schema:
    if not is_named(inputs):
        return tensor_schema(inputs[0])
    parts = {spec["name"]: tensor_schema(spec) for spec in inputs}
    return object_schema(parts, list(parts))


BARE: Final[Schema] = {"$ref": "#/components/schemas/Predictions"}

EITHER: Final[Schema] = {
    "title": "Answer",
    "anyOf": [
        {"type": "object", "required": ["predictions"], "properties": {"predictions": BARE}},
        {"description": "For chat-style input what the model returns, not wrapped."},
    ],
}
