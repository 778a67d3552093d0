"""The components of the document that follow from a model's signature. Pure.

In: the `Inputs` of the model, a sample of them, and the model's real answers. Out: schemas by
name: `Row` or `Tensors`, `Params`, one for each input form, `Predictions`, and `Answer` if it
differs from the one in the base document.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from modelserver.describing.forms import Form, Sample, Specs
from modelserver.describing.inputs import Inputs
from modelserver.describing.predictions import predictions_schema
from modelserver.describing.schemas import GAPS, PARAMS, Schema, param_schema
from modelserver.types.nested.kinds import object_schema


def input_components(inputs: Inputs, sample: Sample | None) -> dict[str, Schema]:
    """The schemas of the input forms, and those that they refer to."""
    specs, params = _with_gaps(inputs.specs, sample), _params(inputs.params)
    forms = {f"{form.name.title()}Input": _form(form, specs, params) for form in inputs.forms}
    shared = {**inputs.schemas(specs, sample), **params}
    if inputs.is_bare:
        for part in shared.values():
            part.pop("additionalProperties", None)  # all describe the same object
    return {**forms, **shared}


def answer_components(
    inputs: Inputs, outputs: Specs, answers: Sequence[Any], included: bool, methods: bool
) -> dict[str, Schema]:
    """The schemas of the answer: wrapped in `predictions`, or bare for chat-style input.
    `included`: whether columns of the request may stand before the predictions; `methods`: whether
    the model has others than `predict`."""
    if inputs.is_bare:
        return {"Answer": BARE, "Predictions": predictions_schema(outputs, answers)}
    wrapped = [a["predictions"] for a in answers if isinstance(a, dict) and "predictions" in a]
    predictions = {"Predictions": predictions_schema(outputs, wrapped)}
    if methods:
        return {"Answer": OF_METHODS, **predictions}
    if included:
        return {"Answer": WITH_ROWS, **predictions}
    return predictions if inputs.forms else {"Answer": EITHER, **predictions}


def _with_gaps(inputs: Specs, sample: Sample | None) -> Specs:
    """The columns; those with missing values in the sample are marked with `GAPS`."""
    if not sample or not sample.rows:
        return inputs
    columns = zip(inputs, zip(*sample.rows, strict=True), strict=True)
    return [{**spec, GAPS: True} if None in cells else spec for spec, cells in columns]


def _params(params: Specs) -> dict[str, Schema]:
    schemas = {spec["name"]: param_schema(spec) for spec in params}
    return {"Params": {"title": "Params", **object_schema(schemas, [])}} if schemas else {}


def _form(form: Form, inputs: Specs, params: Mapping[str, Schema]) -> Schema:
    titles = {"title": form.key or form.name, "description": f"{form.summary}."}
    if form.key is None:
        return titles | {"allOf": [form.schema(inputs), *([dict(PARAMS)] if params else [])]}
    beside = {"params": dict(PARAMS)} if params else {}
    body = object_schema({form.key: form.schema(inputs), **beside}, [form.key])
    del body["additionalProperties"]  # other keys are ignored
    return titles | body


BARE: Final[Schema] = {"$ref": "#/components/schemas/Predictions"}

EITHER: Final[Schema] = {
    "title": "Answer",
    "anyOf": [
        {"type": "object", "required": ["predictions"], "properties": {"predictions": BARE}},
        {"description": "For chat-style input what the model returns, not wrapped."},
    ],
}


def _either(rows: Schema) -> Schema:
    """The schema of an answer that holds what `predict` returns, or such rows."""
    return {
        "title": "Answer",
        "type": "object",
        "required": ["predictions"],
        "properties": {"predictions": {"anyOf": [BARE, {"type": "array", **rows}]}},
    }


WITH_ROWS: Final = _either(
    {
        "items": {"type": "object"},
        "description": "With `include`: columns of the request, then the predictions.",
    }
)

OF_METHODS: Final = _either(
    {
        "items": {},
        "description": "With `include`, or by another `method`: a row for each row of the request.",
    }
)
