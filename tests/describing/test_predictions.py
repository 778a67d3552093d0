"""Declared outputs as JSON Schema, as far as real predictions keep to them."""

from typing import Any

import pytest

from modelserver.describing.predictions import ANYTHING, predictions_schema


def outputs(*specs: tuple[str, str | None]) -> list[dict[str, Any]]:
    return [{"type": t, **({"name": name} if name else {})} for t, name in specs]


def tensor(dtype: str, *shape: int, name: str | None = None) -> dict[str, Any]:
    return {"type": "tensor", "name": name, "tensor-spec": {"dtype": dtype, "shape": list(shape)}}


DOUBLE = {"type": ["number", "null"], "format": "double", "x-mlflow-type": "double"}
TEXT = {"type": ["string", "null"], "x-mlflow-type": "string"}
ROW = {"type": "object", "properties": {"a": DOUBLE, "b": TEXT}, "required": ["a", "b"]}
TWO = outputs(("double", "a"), ("string", "b"))
ONE = outputs(("double", "a"))
BARE = outputs(("double", None))


@pytest.mark.parametrize(
    ("declared", "prediction", "schema"),
    [
        (TWO, [{"a": 1.5, "b": None}], {"type": "array", "items": ROW}),
        (TWO, {"a": 1, "b": "x"}, ROW),
        (TWO, {"a": [1.5], "b": ["x"]}, {
            "type": "object",
            "properties": {"a": {"type": "array", "items": DOUBLE},
                           "b": {"type": "array", "items": TEXT}},
            "required": ["a", "b"],
        }),
        (TWO, [[1.5, "x"]],
         {"type": "array", "items": {"type": "array", "items": {"anyOf": [DOUBLE, TEXT]}}}),
        (BARE, [1.5, None], {"type": "array", "items": DOUBLE}),
        (BARE, 1.5, DOUBLE),
        (BARE, [{"0": 1.5}], {"type": "array", "items": {
            "type": "object", "properties": {"0": DOUBLE}, "required": ["0"]}}),
        (ONE, [1.5], {"type": "array", "items": DOUBLE}),
        (outputs(("datetime", None)), ["2024-01-02T03:04:05"], {"type": "array", "items": {
            "type": ["string", "null"], "x-mlflow-type": "datetime"}}),
    ],
)  # fmt: skip
def test_the_shape_is_that_of_the_prediction(
    declared: list[dict[str, Any]], prediction: Any, schema: dict[str, Any]
) -> None:
    assert predictions_schema(declared, [prediction]) == {"title": "Predictions", **schema}


def test_without_a_prediction_the_likeliest_shape() -> None:
    assert predictions_schema(BARE, [])["items"] == DOUBLE
    assert predictions_schema(TWO, [])["items"] == ROW


def test_tensors_may_be_empty_and_have_gaps() -> None:
    number = {"type": ["number", "null"], "format": "double"}
    row = {"type": "array", "items": number, "minItems": 2, "maxItems": 2}
    schema = {"type": "array", "items": row, "x-mlflow-type": "Tensor(float64, (-1, 2))"}
    named = predictions_schema([tensor("float64", -1, 2, name="y")], [{"y": []}])
    assert predictions_schema([tensor("float64", -1, 2)], [[[1, None]]])["items"] == row
    assert named["properties"] == {"y": schema}


@pytest.mark.parametrize(
    ("declared", "prediction"),
    [
        (BARE, ["text"]),
        (BARE, [True]),
        (outputs(("long", None)), [1.5]),
        ([tensor("float64", -1, 2)], [[1.0]]),
        (TWO, [{"a": 1.5}]),
        (None, [1]),
    ],
)
def test_a_model_that_returns_something_else_promises_nothing(
    declared: list[dict[str, Any]] | None, prediction: Any
) -> None:
    assert predictions_schema(declared, [prediction]) == ANYTHING


def test_every_prediction_counts() -> None:
    assert predictions_schema(BARE, [[1.5], 1.5]) == ANYTHING
