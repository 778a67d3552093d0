"""What the landing page takes from the OpenAPI document of a model."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from modelserver.pages.fields import Field, Form, columns_of, form, outputs_of, params_of

Open = Callable[..., TestClient]


def document(client: Open, name: str) -> Any:
    return client(name).get("/openapi.json").json()


def test_a_form_by_names(client: Open) -> None:
    fields = form(document(client, "wine"))
    assert (fields.kind, fields.params, fields.takes_csv) == ("records", [], True)
    assert fields.fields[0] == Field("alcohol", "double", True, "14.23")
    assert [(field.control, field.example) for field in fields.fields[3:]] == [
        ("number", "127"),
        ("number", "1065"),
        ("text", "deep"),
        ("boolean", "false"),
    ]


@pytest.mark.parametrize(
    ("name", "kind", "count", "takes_csv"),
    [
        ("unnamed_mixed", "rows", 2, True),
        ("integer_names", "records", 2, True),
        ("nested", "records", 5, False),
        ("tensor", "inputs", 1, False),
        ("tensors", "inputs", 1, False),
        ("hint_people", "inputs", 1, False),
        ("hint_example", "rows", 1, True),
        ("chat", "body", 1, False),
        ("no_signature", "body", 1, True),
    ],
)
def test_forms_of_other_models(
    name: str, kind: str, count: int, takes_csv: bool, client: Open
) -> None:
    fields = form(document(client, name))
    assert (fields.kind, len(fields.fields), fields.takes_csv) == (kind, count, takes_csv)


def test_json_is_typed_as_json(client: Open) -> None:
    examples = {field.name: field.example for field in form(document(client, "nested")).fields}
    assert examples["anything"] == '"text"'
    assert examples["person"] == '{"age": 1, "name": "text"}'


def test_long_json_stands_on_several_lines(client: Open) -> None:
    (field,) = form(document(client, "chat")).fields
    assert field.example.startswith('{\n  "messages": [\n    {\n      "role": "')
    assert '"Hello!"\n    }\n  ],\n  "temperature": 1.0,\n' in field.example


def test_models_without_an_example_have_an_empty_form(client: Open) -> None:
    assert form(document(client, "no_signature")) == Form(
        "body", [Field("Request", "JSON")], [], takes_csv=True
    )


def test_params_show_their_defaults(client: Open) -> None:
    params = {param.name: param for param in params_of(document(client, "with_params"))}
    assert params["ratio"] == Field("ratio", "float", False, "0.5")
    assert params["weights"].example == "[1.0, 2.0]"
    assert params["flag"].example == "false"
    assert params_of(document(client, "wine")) == []


def test_columns_and_outputs_for_the_tables(client: Open) -> None:
    assert columns_of(document(client, "tensor")) == [Field("inputs", "Tensor(float64, (-1, 2))")]
    assert [field.name for field in columns_of(document(client, "tensors"))] == ["x", "n"]
    assert columns_of(document(client, "no_signature")) == []
    optional = columns_of(document(client, "all_optional"))
    assert [field.name for field in optional if field.required] == [optional[0].name]
    assert outputs_of(document(client, "hint_texts")) == [Field("", "string")]
    assert outputs_of(document(client, "nested")) == []


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": {"properties": {"a": {"x-mlflow-type": "long"}}}},
        {"anyOf": [{"properties": {"a": {"x-mlflow-type": "long"}}}, {"type": "null"}]},
        {"prefixItems": [{"properties": {"a": {"x-mlflow-type": "long"}}}], "items": False},
    ],
)
def test_outputs_at_any_depth(schema: Any) -> None:
    answer = {"components": {"schemas": {"Predictions": schema}}}
    assert outputs_of(answer) == [Field("a", "long")]
