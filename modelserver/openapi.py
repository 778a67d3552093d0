"""The OpenAPI document: the handwritten base, and what depends on the model filled in.

In: the base (`openapi_base.yaml`, decoded), what is known of the model, its signature as JSON, and
the examples with the model's answers. Out: a new document; the base is never written into. Pure.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

import yaml

from modelserver.answers import predictions_schema
from modelserver.examples import Declared, Example
from modelserver.forms import Form, Sample, Specs, json_forms, tables_refused, takes_chat
from modelserver.media import JSON
from modelserver.schemas import (
    PARAMS,
    ROW,
    Schema,
    column_schema,
    is_named,
    object_schema,
    param_schema,
    row_schema,
    tensor_schema,
)
from modelserver.snippets import snippets

Document = dict[str, Any]

Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Dumper: Final = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""The C versions where PyYAML has them: a base of some size takes a tenth of the time."""


class BaseError(ValueError):
    """The base document cannot be used; the text says where."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An example and the model's real answer to it, decoded; None for one too large to show."""

    example: Example
    answer: Any


@dataclass(frozen=True, slots=True)
class Subject:
    """What the document is about: a model, its signature, and what it was seen to answer."""

    title: str
    version: str
    description: str
    declared: Declared
    from_type_hint: bool
    sample: Sample | None
    examples: Sequence[Answered]
    with_key: bool
    """Whether callers need an API key of Posit Connect."""


def read_base(text: str) -> Document:
    """The base document. Raises `BaseError` for what is not YAML or lacks a part to fill in."""
    try:
        base = yaml.load(text, Loader)
    except yaml.YAMLError as error:
        raise BaseError(str(error)) from error
    for path in FILLED_IN:
        part = base
        for key in path:
            if not isinstance(part, dict) or key not in part:
                raise BaseError(f"there is no {' > '.join(path)}")
            part = part[key]
    return dict(base)


def write_yaml(document: Document) -> bytes:
    """The document as YAML in UTF-8."""
    options: dict[str, Any] = {"sort_keys": False, "allow_unicode": True, "width": 100}
    return bytes(yaml.dump(document, Dumper=Dumper, encoding="utf-8", **options))


def compose(base: Document, subject: Subject) -> Document:
    """The document of a model."""
    document = deepcopy(base)
    _fill_info(document["info"], subject)
    operation = document["paths"]["/invocations"]["post"]
    schemas = document["components"]["schemas"]
    if subject.declared.get("inputs"):
        _fill_input(schemas, operation["requestBody"]["content"], subject)
    elif not subject.declared.get("params"):
        for name in GENERIC_INPUTS:
            schemas[name].get("properties", {}).pop("params", None)
    _fill_answer(schemas, subject)
    _fill_examples(operation, subject)
    return document


def _fill_info(info: Document, subject: Subject) -> None:
    info["title"], info["version"] = subject.title, subject.version
    info["description"] = "\n\n".join(filter(None, (subject.description, info["description"])))


def _fill_input(schemas: Document, content: Document, subject: Subject) -> None:
    """The forms of the input, and the row, tensors and params that they refer to."""
    inputs, params = subject.declared["inputs"], subject.declared.get("params") or ()
    for name in GENERIC_INPUTS:
        schemas.pop(name, None)
    param_schemas = {spec["name"]: param_schema(spec) for spec in params}
    if inputs[0]["type"] == "tensor":
        schemas["Tensors"] = {"title": "Tensors", **_tensors(inputs)}
    else:
        schemas["Row"] = {"title": "Row", **_row(subject)}
    if param_schemas:
        schemas["Params"] = {"title": "Params", **object_schema(param_schemas, [])}
    forms = json_forms(inputs, subject.from_type_hint)
    for form in forms:
        schemas[f"{form.name.title()}Input"] = _form_schema(form, schemas, inputs)
    refs = [{"$ref": f"#/components/schemas/{form.name.title()}Input"} for form in forms]
    if len(refs) == 1:
        schemas["Input"] = refs[0]
    else:
        schemas["Input"]["oneOf"] = refs
    for media_type in tables_refused(inputs, subject.from_type_hint):
        content.pop(media_type, None)


def _form_schema(form: Form, schemas: Document, inputs: Specs) -> Schema:
    titles = {"title": form.key or form.name, "description": f"{form.summary}."}
    if form.key is not None:
        params = {"params": dict(PARAMS)} if "Params" in schemas else {}
        body = object_schema({form.key: form.schema(inputs), **params}, [form.key])
        del body["additionalProperties"]  # other keys are ignored
        return titles | body
    parts = [ROW, PARAMS] if "Params" in schemas else [ROW]
    for part in schemas["Row"], schemas.get("Params", {}):
        part.pop("additionalProperties", None)  # they stand beside each other
    return titles | {"allOf": [dict(part) for part in parts]}


def _row(subject: Subject) -> Schema:
    """A row's schema, each column with a value of the example."""
    inputs, sample = subject.declared["inputs"], subject.sample
    cells = sample.rows[0] if sample and sample.rows else [None] * len(inputs)
    if subject.from_type_hint:
        return _with_example(column_schema(inputs[0]), cells[0])
    columns = [_with_example(column_schema(s), c) for s, c in zip(inputs, cells, strict=True)]
    return row_schema(inputs, columns)


def _with_example(schema: Schema, cell: Any) -> Schema:
    return schema if cell is None else schema | {"examples": [cell]}


def _tensors(inputs: Specs) -> Schema:
    if not is_named(inputs):
        return tensor_schema(inputs[0])
    parts = {spec["name"]: tensor_schema(spec) for spec in inputs}
    return object_schema(parts, list(parts))


def _fill_answer(schemas: Document, subject: Subject) -> None:
    """The answer: under `predictions`, or bare for chat-style input."""
    inputs = subject.declared.get("inputs")
    bare = inputs and takes_chat(inputs) and not subject.from_type_hint
    answers = [item.answer for item in subject.examples if item.answer is not None]
    predictions = answers if bare else [a["predictions"] for a in answers if "predictions" in a]
    schemas["Predictions"] = predictions_schema(subject.declared.get("outputs"), predictions)
    if bare or not inputs:
        schemas["Answer"] = BARE if bare else UNKNOWN


def _fill_examples(operation: Document, subject: Subject) -> None:
    """The examples in each media type, the answers under the same names, and calls to copy."""
    content = operation["requestBody"]["content"]
    answers = operation["responses"]["200"]["content"][JSON].setdefault("examples", {})
    for item in subject.examples:
        example = item.example
        shown = {"summary": example.summary, "value": example.body}
        content[example.media_type].setdefault("examples", {})[example.name] = shown
        if item.answer is not None:
            answers[example.name] = {"summary": example.summary, "value": item.answer}
    bodies = [i.example.body for i in subject.examples if i.example.media_type == JSON]
    if bodies:
        operation["x-codeSamples"] = snippets(bodies[0], subject.with_key)


FILLED_IN: Final = (
    ("info", "description"),
    ("paths", "/invocations", "post", "requestBody", "content", JSON),
    ("paths", "/invocations", "post", "responses", "200", "content", JSON),
    ("components", "schemas", "Input", "oneOf"),
)
"""Parts that the base must have."""

GENERIC_INPUTS: Final = (
    "RecordsInput",
    "SplitInput",
    "InputsInput",
    "InstancesInput",
    "ChatInput",
)
"""The base's forms, for a model without a signature."""

BARE: Final[Schema] = {"$ref": "#/components/schemas/Predictions"}
UNKNOWN: Final[Schema] = {
    "title": "Answer",
    "anyOf": [
        {"type": "object", "required": ["predictions"], "properties": {"predictions": BARE}},
        {"description": "For chat-style input what the model returns, not wrapped."},
    ],
}
