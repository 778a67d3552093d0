"""Whether a JSON value fits a schema of the document, so that no example belies what it shows.

In: a schema of JSON Schema 2020-12, a decoded value, and the document that references point into.
Out: a boolean. The keywords are those that the document uses; others forbid nothing. Neither MLflow
nor what it needs brings a validator along, and a boolean is not worth five packages more in every
deployment; the tests hold this one to the verdicts of `jsonschema`. Pure.
"""

from collections.abc import Callable, Mapping
from functools import partial, reduce
from typing import Any, Final, TypeAlias

from modelserver.describing.schemas import Schema

Fit: TypeAlias = Callable[[Any, Any], bool]
Check: TypeAlias = Callable[[Schema, Any, Fit], bool]


def fits(schema: Schema | bool, value: Any, document: Mapping[str, Any]) -> bool:
    """Whether the value is what the schema allows."""
    if isinstance(schema, bool):
        return schema
    if "$ref" in schema and not fits(_referred(schema["$ref"], document), value, document):
        return False
    fit = partial(fits, document=document)
    checks = {**OF_ANYTHING, **OF.get(type(value), {})}
    return all(check(schema, value, fit) for key, check in checks.items() if key in schema)


def _referred(reference: str, document: Mapping[str, Any]) -> Any:
    return reduce(lambda part, key: part[key], reference.removeprefix("#/").split("/"), document)


def _type(schema: Schema, value: Any, fit: Fit) -> bool:
    names = schema["type"]
    return any(IS[name](value) for name in ([names] if isinstance(names, str) else names))


def _equals(one: Any, other: Any) -> bool:
    """As JSON, where true is not 1."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _known(schema: Schema, value: dict[str, Any], fit: Fit) -> bool:
    known = schema["properties"]
    return all(fit(known[name], value[name]) for name in known.keys() & value.keys())


def _unknown(schema: Schema, value: dict[str, Any], fit: Fit) -> bool:
    more = value.keys() - schema.get("properties", {}).keys()
    return all(fit(schema["additionalProperties"], value[name]) for name in more)


def _first_items(schema: Schema, value: list[Any], fit: Fit) -> bool:
    return all(fit(part, item) for part, item in zip(schema["prefixItems"], value, strict=False))


def _other_items(schema: Schema, value: list[Any], fit: Fit) -> bool:
    others = value[len(schema.get("prefixItems", ())) :]
    return all(fit(schema["items"], item) for item in others)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


OF_ANYTHING: Final[Mapping[str, Check]] = {
    "type": _type,
    "enum": lambda schema, value, fit: any(_equals(item, value) for item in schema["enum"]),
    "const": lambda schema, value, fit: _equals(schema["const"], value),
    "allOf": lambda schema, value, fit: all(fit(part, value) for part in schema["allOf"]),
    "anyOf": lambda schema, value, fit: any(fit(part, value) for part in schema["anyOf"]),
    "oneOf": lambda schema, value, fit: sum(fit(part, value) for part in schema["oneOf"]) == 1,
}

OF_OBJECTS: Final[Mapping[str, Check]] = {
    "required": lambda schema, value, fit: set(schema["required"]) <= value.keys(),
    "properties": _known,
    "additionalProperties": _unknown,
}

OF_ARRAYS: Final[Mapping[str, Check]] = {
    "minItems": lambda schema, value, fit: len(value) >= schema["minItems"],
    "maxItems": lambda schema, value, fit: len(value) <= schema["maxItems"],
    "prefixItems": _first_items,
    "items": _other_items,
}

OF_NUMBERS: Final[Mapping[str, Check]] = {
    "minimum": lambda schema, value, fit: value >= schema["minimum"],
    "maximum": lambda schema, value, fit: value <= schema["maximum"],
}

OF: Final[Mapping[type, Mapping[str, Check]]] = {
    dict: OF_OBJECTS,
    list: OF_ARRAYS,
    int: OF_NUMBERS,
    float: OF_NUMBERS,
}
"""For each type of value the keywords that say something of it, and whether it is so."""

IS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "number": _is_number,
    "integer": lambda value: _is_number(value) and value % 1 == 0,
    "null": lambda value: value is None,
}
"""JSON Schema's types."""
