"""Signatures as JSON Schema: each type, what is required, what may be missing."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelserver.describing.schemas import (
    column_schema,
    fits,
    param_schema,
    split_schema,
    tensor_schema,
    type_name,
)
from modelserver.types.kind import BadCells
from modelserver.types.tensors import dtype_kind
from modelserver.types.type_table import KINDS

LONG = {"type": "integer", "format": "int64", "minimum": -(2**63), "maximum": 2**63 - 1}
FLOAT_LIMIT = 3.4028235677973366e38
PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "required": True},
        "age": {"type": "long", "required": False},
    },
}


@pytest.mark.parametrize(
    ("type_", "schema"),
    [
        ("boolean", {"type": "boolean"}),
        (
            "integer",
            {"type": "integer", "format": "int32", "minimum": -(2**31), "maximum": 2**31 - 1},
        ),
        ("long", LONG),
        (
            "float",
            {
                "type": "number",
                "format": "float",
                "exclusiveMinimum": -FLOAT_LIMIT,
                "exclusiveMaximum": FLOAT_LIMIT,
            },
        ),
        ("double", {"type": "number", "format": "double"}),
        ("string", {"type": "string"}),
        ("datetime", {"type": "string", "format": "date-time"}),
        ("binary", {"type": "string", "format": "byte", "contentEncoding": "base64"}),
        ("any", {}),
    ],
)
def test_scalars(type_: str, schema: dict[str, Any]) -> None:
    assert column_schema({"type": type_, "required": True}) == {**schema, "x-mlflow-type": type_}


def test_every_type_of_the_table_has_a_sample_that_its_parser_takes() -> None:
    samples = [kind.convert([kind.sample])[0] for kind in KINDS.values()]
    assert not any(map(pd.isna, samples))


@pytest.mark.parametrize(
    ("type_", "schema"),
    [
        ("double", {"type": ["number", "null"], "format": "double"}),
        (
            "long",
            {
                "type": ["integer", "null"],
                "format": "int64",
                "minimum": -(2**53),
                "maximum": 2**53,
            },
        ),
        ("any", {}),
    ],
)
def test_optional_columns_may_have_gaps(type_: str, schema: dict[str, Any]) -> None:
    assert column_schema({"type": type_, "required": False}) == {**schema, "x-mlflow-type": type_}


@pytest.mark.parametrize(
    ("spec", "schema", "name"),
    [
        ({"type": "array", "items": {"type": "long"}}, {"type": "array", "items": LONG},
         "Array(long)"),
        ({"type": "array", "items": {"type": "array", "items": {"type": "any"}}},
         {"type": "array", "items": {"type": "array", "items": {}}}, "Array(Array(any))"),
        ({"type": "sparkml_vector"},
         {"type": "array", "items": {"type": "number", "format": "double"}}, "sparkml_vector"),
        ({"type": "map", "values": {"type": "string"}},
         {"type": "object", "additionalProperties": {"type": "string"}}, "Map(string)"),
        (PERSON, {
            "type": "object",
            "properties": {"name": {"type": "string"}, "age": LONG | {"type": ["integer", "null"]}},
            "required": ["name"],
            "additionalProperties": False,
        }, "{name: string, age: long (optional)}"),
    ],
)  # fmt: skip
def test_nested(spec: dict[str, Any], schema: dict[str, Any], name: str) -> None:
    assert column_schema(spec) == {**schema, "x-mlflow-type": name}
    optional = column_schema({**spec, "required": False})
    assert optional == {**schema, "type": [schema["type"], "null"], "x-mlflow-type": name}


@pytest.mark.parametrize(
    ("schema", "fitting", "unfit"),
    [
        (True, None, ...),
        (False, ..., None),
        ({"type": ["integer", "null"], "maximum": 1}, 1.0, 2),
        ({"type": "boolean"}, True, 1),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, "x", 1.5),
        ({"oneOf": [{"type": "number"}, {"type": "integer"}]}, 1.5, 1),
        ({"prefixItems": [{"type": "integer"}], "items": False}, [1], [1, 2]),
        ({"type": "string", "pattern": "^a"}, "ab", "b"),
        ({"$ref": "#/components/schemas/Row"}, {"a": 1}, {"a": "x"}),
        ({"items": {"$ref": "#/components/schemas/Row"}}, [{"a": 1}], [{"a": 1}, {}]),
    ],
)
def test_what_fits(schema: Any, fitting: Any, unfit: Any) -> None:
    row = {"required": ["a"], "properties": {"a": {"type": "integer"}}}
    document = {"openapi": "3.1.0", "components": {"schemas": {"Row": row}}}
    assert fitting is ... or fits(schema, fitting, document)
    assert unfit is ... or not fits(schema, unfit, document)


def tensor(dtype: str, *shape: int) -> dict[str, Any]:
    return {"type": "tensor", "tensor-spec": {"dtype": dtype, "shape": list(shape)}}


@pytest.mark.parametrize(
    ("spec", "item"),
    [
        (tensor("uint8", -1, 2), {"type": "integer", "format": "uint8", "minimum": 0,
                                  "maximum": 255}),
        (tensor("float64", -1, 2), {"type": "number", "format": "double"}),
        (tensor("float16", -1, 2), {"type": "number", "exclusiveMinimum": -65520.0,
                                    "exclusiveMaximum": 65520.0}),
        (tensor("bool", -1, 2), {"type": "boolean"}),
        (tensor("str", -1, 2), {"type": "string"}),
        (tensor("object", -1, 2), {}),
    ],
)  # fmt: skip
def test_tensors(spec: dict[str, Any], item: dict[str, Any]) -> None:
    row = {"type": "array", "items": item, "minItems": 2, "maxItems": 2}
    schema = {"type": "array", "items": row, "minItems": 1, "x-mlflow-type": type_name(spec)}
    assert tensor_schema(spec) == schema


def test_the_name_of_a_tensor_type() -> None:
    assert type_name(tensor("float32", -1, 28, 28)) == "Tensor(float32, (-1, 28, 28))"


@pytest.mark.parametrize(
    ("spec", "schema"),
    [
        ({"type": "double", "default": 0.5},
         {"type": "number", "format": "double", "x-mlflow-type": "double", "default": 0.5}),
        ({"type": "string", "default": None},
         {"type": ["string", "null"], "x-mlflow-type": "string", "default": None}),
        ({"dtype": "boolean", "default": True},  # as older versions of MLflow write it
         {"type": "boolean", "x-mlflow-type": "boolean", "default": True}),
        ({"type": "long", "default": [1], "shape": [-1]},
         {"type": "array", "items": LONG, "x-mlflow-type": "Array(long)", "default": [1]}),
        ({"type": "datetime", "default": "2024-01-02"},
         {"type": "string", "format": "date", "x-mlflow-type": "datetime",
          "default": "2024-01-02"}),
        ({"type": "datetime", "default": "2024-01-02T03:04:05"},
         {"type": "string", "format": "date-time", "x-mlflow-type": "datetime",
          "default": "2024-01-02T03:04:05Z"}),
        ({"type": "datetime", "default": ["2024-01-02T03:04:05"], "shape": [-1]},
         {"type": "array", "items": {"type": "string", "format": "date-time"},
          "x-mlflow-type": "Array(datetime)", "default": ["2024-01-02T03:04:05Z"]}),
    ],
)  # fmt: skip
def test_params(spec: dict[str, Any], schema: dict[str, Any]) -> None:
    assert param_schema({"name": "p", **spec}) == schema


def test_split_names_its_columns_in_order_and_whole_numbers_as_text_too() -> None:
    schema = split_schema([{"type": "string", "name": "a"}, {"type": "string", "name": 1}])
    assert schema["properties"]["columns"]["prefixItems"] == [{"const": "a"}, {"enum": [1, "1"]}]
    assert schema["properties"]["data"]["items"]["maxItems"] == 2
    assert schema["required"] == ["columns", "data"]


def test_split_without_names() -> None:
    schema = split_schema([{"type": "string"}])
    assert schema["required"] == ["data"]
    assert "columns" not in schema["properties"]


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_the_largest_number_of_a_float_is_the_largest_that_is_read(dtype: str) -> None:
    kind = dtype_kind(np.dtype(dtype))
    assert kind is not None
    schema = dict(kind.schema)
    beyond = schema["exclusiveMaximum"]
    largest = math.nextafter(beyond, 0)
    assert fits(schema, largest, {})
    assert fits(schema, -largest, {})
    assert kind.convert([largest, -largest]).tolist() == [np.finfo(dtype).max, np.finfo(dtype).min]
    for number in (beyond, -beyond):
        assert not fits(schema, number, {})
        with pytest.raises(BadCells):
            kind.convert([number])
