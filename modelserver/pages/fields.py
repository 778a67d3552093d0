"""What a person fills in and reads of a model: columns, params and outputs, from its document.

In: the OpenAPI document. Out: frozen values for the landing page. The document's schemas carry
the types as MLflow writes them in `x-mlflow-type`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from modelserver.reading.formats import JSON
from modelserver.types.type_table import KINDS

Control: TypeAlias = Literal["boolean", "number", "text", "json"]
"""How a value is typed in."""

Kind: TypeAlias = Literal["records", "rows", "inputs", "body"]
"""What the form sends: a row by names, a row by position, the value of `inputs`, a whole body."""

CONTROLS: Final[Mapping[str | None, Control]] = {
    "boolean": "boolean",
    "integer": "number",
    "number": "number",
    "string": "text",
}
"""By what a value is in JSON; all others are typed in as JSON."""

TYPE: Final = "x-mlflow-type"


def _control(type_: str) -> Control:
    return CONTROLS.get(KINDS[type_].json_type, "json") if type_ in KINDS else "json"


@dataclass(frozen=True, slots=True)
class Field:
    """A column, tensor or param. `example` is what a person would type, empty for none."""

    name: str
    type: str
    required: bool = True
    example: str = ""
    description: str = ""

    @property
    def control(self) -> Control:
        """How its value is typed in."""
        return _control(self.type)


@dataclass(frozen=True, slots=True)
class Form:
    """What to fill in for one prediction."""

    kind: Kind
    fields: Sequence[Field]
    params: Sequence[Field]
    takes_csv: bool


def form(document: Mapping[str, Any]) -> Form:
    """The form of a ready model."""
    content = _content(document)
    kind = _kind(document["components"]["schemas"])
    params = [] if kind == "body" else params_of(document)
    return Form(kind, _fields(kind, document), params, "text/csv" in content)


def _kind(schemas: Mapping[str, Any]) -> Kind:
    row = schemas.get("Row", {})
    if "ChatInput" in schemas or not schemas.keys() & {"Row", "Tensors"}:
        return "body"
    if "Tensors" in schemas or TYPE in row:  # a row with one type is a value of a type hint
        return "inputs"
    return "records" if "properties" in row else "rows"


def _fields(kind: Kind, document: Mapping[str, Any]) -> list[Field]:
    if kind in ("records", "rows"):
        return columns_of(document)
    media = _content(document)[JSON]
    examples = {name: example["value"] for name, example in media.get("examples", {}).items()}
    if kind == "inputs":
        return [Field("inputs", "JSON", example=_pretty(examples.get("inputs", {}).get("inputs")))]
    return [Field("Request", "JSON", example=_pretty(next(iter(examples.values()), None)))]


def columns_of(document: Mapping[str, Any]) -> list[Field]:
    """The columns or tensors that the model takes; none where it has no signature."""
    schemas = document["components"]["schemas"]
    schema = schemas.get("Row", schemas.get("Tensors", {}))
    if TYPE in schema:
        return [_field("inputs", schema, required=True)]
    if "prefixItems" in schema:
        columns = enumerate(schema["prefixItems"])
        return [_field(str(position), column, required=True) for position, column in columns]
    required = frozenset(schema.get("required", ()))
    return [_field(name, column, name in required) for name, column in _named(schema)]


def params_of(document: Mapping[str, Any]) -> list[Field]:
    """The inference params; the example of each is its default."""
    schema = document["components"]["schemas"].get("Params", {})
    return [
        _field(name, {**param, "examples": [param.get("default")]}, required=False)
        for name, param in _named(schema)
    ]


def outputs_of(document: Mapping[str, Any]) -> list[Field]:
    """The outputs that the model declares."""
    return list(_leaves("", document["components"]["schemas"].get("Predictions", {})))


def _leaves(name: str, schema: Mapping[str, Any]) -> Iterator[Field]:
    """The parts of a schema that have a type of MLflow's, at whatever depth."""
    if TYPE in schema:
        yield _field(name, schema, required=True)
        return
    for key, part in _named(schema):
        yield from _leaves(key, part)
    for part in (schema.get("items"), *schema.get("prefixItems", ()), *schema.get("anyOf", ())):
        if isinstance(part, dict):
            yield from _leaves(name, part)


def _named(schema: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return list(schema.get("properties", {}).items())


def _field(name: str, schema: Mapping[str, Any], required: bool) -> Field:
    type_ = str(schema.get(TYPE, "any"))
    example = next(iter(schema.get("examples", ())), None)
    description = str(schema.get("description", ""))
    return Field(name, type_, required, _typed(example, _control(type_)), description)


def _typed(value: Any, control: Control) -> str:
    """The value as a person types it: text as it is, everything else as JSON."""
    if value is None:
        return ""
    is_text = isinstance(value, str) and control != "json"
    return str(value) if is_text else json.dumps(value, ensure_ascii=False)


def _pretty(value: Any) -> str:
    """JSON on several lines, flat parts of it on one."""
    if value is None:
        return ""
    if isinstance(value, dict) and value:
        lines = (f"{json.dumps(k, ensure_ascii=False)}: {_pretty(v)}" for k, v in value.items())
        return "{\n" + _indented(",\n".join(lines)) + "\n}"
    if isinstance(value, list) and any(isinstance(item, (list, dict)) for item in value):
        return "[\n" + _indented(",\n".join(map(_pretty, value))) + "\n]"
    return json.dumps(value, ensure_ascii=False)


def _indented(text: str) -> str:
    return "\n".join("  " + line for line in text.splitlines())


def _content(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The request bodies of /invocations by media type."""
    content: Mapping[str, Any] = document["paths"]["/invocations"]["post"]["requestBody"]["content"]
    return content
