"""Whether a value fits a schema: the same verdict as that of `jsonschema`."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from modelserver.describing.fitting import fits

OTHERS: list[Any] = [
    None,
    True,
    0,
    1.0,
    1.5,
    2**70,
    -(2**70),
    1e300,
    "",
    "x",
    [],
    [1],
    {},
    {"x": 1},
]

SCHEMAS: list[Any] = [
    {},
    {"type": "integer"},
    {"type": ["number", "null"], "minimum": 0, "maximum": 1},
    {"type": "boolean"},
    {"enum": [1, "x", None]},
    {"const": True},
    {"anyOf": [{"type": "string"}, {"type": "integer"}]},
    {"oneOf": [{"type": "number"}, {"type": "integer"}, {"type": "string"}]},
    {"allOf": [{"type": "number"}, {"minimum": 1}]},
    {"required": ["x"], "properties": {"x": {"type": "string"}}},
    {"properties": {"y": {}}, "additionalProperties": False},
    {"additionalProperties": {"type": "integer"}},
    {"prefixItems": [{"type": "integer"}], "items": False},
    {"items": {"type": "string"}, "minItems": 1, "maxItems": 1},
    {"maxItems": 0},
]

DESCRIBED = [
    "all_optional",
    "hint_orders",
    "integer_names",
    "nested",
    "sums",
    "tensors",
    "with_params",
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=json.dumps)
def test_keywords(schema: Any) -> None:
    for value in OTHERS:
        assert fits(schema, value, {}) is Draft202012Validator(schema).is_valid(value), value


@pytest.mark.parametrize("name", DESCRIBED)
def test_documents(name: str, client: Callable[[str], TestClient]) -> None:
    document = client(name).get("/openapi.json").json()
    operation = document["paths"]["/invocations"]["post"]
    json_of = {
        "Input": operation["requestBody"]["content"]["application/json"],
        "Answer": operation["responses"]["200"]["content"]["application/json"],
    }
    for component, content in json_of.items():
        schema = {"$ref": f"#/components/schemas/{component}"}
        validator = Draft202012Validator({**schema, "components": document["components"]})
        for example in content["examples"].values():
            for value in [example["value"], *altered(example["value"])]:
                assert fits(schema, value, document) is validator.is_valid(value), value


def altered(value: Any) -> Iterator[Any]:
    """The value with one part changed, left out or added, in many ways."""
    for parent, key in places([value]):
        for other in OTHERS:
            copy = deepcopy([value])
            at(copy, parent)[key] = other
            yield copy[0]
        if parent:
            copy = deepcopy([value])
            del at(copy, parent)[key]
            yield copy[0]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    keys = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    for key in keys:
        yield path, key
        yield from places(value[key], (*path, key))


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value
