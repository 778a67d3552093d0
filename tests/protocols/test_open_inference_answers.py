"""Answers of the Open Inference Protocol hold what those of /invocations hold."""

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow.models import ModelSignature
from mlflow.pyfunc.model import PythonModel
from starlette.testclient import TestClient

from modelserver.app import create_app
from modelserver.hosting.settings import read_settings
from modelserver.protocols.open_inference.answer_writer import tensors_of
from modelserver.protocols.open_inference.tensors import write_tensor
from modelserver.scoring.answering.encoding import encode_json
from tests.protocols.open_inference import decoded, infer, tensor
from tests.support.outputs import OUTPUTS
from tests.support.zoo import _columns, save_pyfunc

Open = Callable[..., TestClient]

BEYOND_JSON = {"complex", "object", "endless"}


def plain(value: Any) -> Any:
    """A value as JSON without NaN, and with dates and bytes as in JSON answers."""
    text = encode_json(value.tolist() if isinstance(value, np.ndarray) else value)
    return json.loads(text)


def rows_of(answer: Mapping[str, Any]) -> Any:
    """What an answer holds, as /invocations shows it."""
    outputs = {output["name"]: decoded(output) for output in answer["outputs"]}
    if answer["parameters"]["content_type"] == "np":
        return plain(outputs["prediction"])
    if answer["parameters"]["content_type"] == "dict":
        return plain({name: array.tolist() for name, array in outputs.items()})
    if list(outputs) == ["prediction"]:
        return plain(outputs["prediction"])
    columns = {name: plain(array) for name, array in outputs.items()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


ALONE = {
    "zero_d", "dict", "dict_scalar_keys", "scalar", "numpy_scalar", "text", "none", "big_integer",
    "long_bytes", "nested_frame", "numpy_keys", "frame_empty",
}  # fmt: skip
"""What is one value and no table: the only element of the output."""


@pytest.mark.parametrize("how", sorted(OUTPUTS.keys() - BEYOND_JSON))
def test_answers_hold_the_same(how: str, client: Open) -> None:
    answered = infer(client("returns"), tensor("how", "BYTES", [how]))
    assert answered.status_code == 200, answered.text
    body = {"dataframe_records": [{"how": how}]}
    expected = client("returns").post("/invocations", json=body).json()["predictions"]
    if how == "series":  # which JSON answers give the name 0
        expected = [row["0"] for row in expected]
    if how == "datetime64_scalar":  # read as a date-time
        expected = ["2024-01-02T00:00:00"]
    assert rows_of(answered.json()) == ([expected] if how in ALONE else expected)


@pytest.mark.parametrize("how", sorted(BEYOND_JSON))
def test_what_json_cannot_hold(how: str, client: Open) -> None:
    answered = infer(client("returns"), tensor("how", "BYTES", [how]))
    assert answered.status_code == 500
    assert answered.json()["error"].startswith("the model returned a value")


def written(values: Any) -> tuple[str, list[int], Any]:
    """The datatype, the shape and the elements of a tensor."""
    sent = json.loads(encode_json(write_tensor("x", values)))
    content_type = sent.get("parameters", {}).get("content_type")
    name = sent["datatype"] + (f" {content_type}" if content_type else "")
    return name, sent["shape"], sent["data"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.zeros((2, 0, 3)), ("FP64", [2, 0, 3], [])),
        (np.array([1, 2], ">i4"), ("INT32", [2], [1, 2])),
        (np.array([1.5], ">f4"), ("FP32", [1], [1.5])),
        (np.array([0.5], np.float16), ("FP16", [1], [0.5])),
        (np.array([0.5], np.longdouble), ("FP64", [1], [0.5])),
        (np.array([1, 2], np.uint8), ("UINT8", [2], [1, 2])),
        (np.array([b"a\x00b"], object), ("BYTES base64", [1], ["YQBi"])),
        (np.array([b"ab"]), ("BYTES base64", [1], ["YWI="])),
        (np.array([["a"], ["b"]]), ("BYTES str", [2, 1], ["a", "b"])),
        (np.ma.masked_equal(np.array([1, 2]), 2), ("BYTES pd_json", [2], ["1", "null"])),
        ([2**63, 1], ("UINT64", [2], [2**63, 1])),
        ([2**63, -1], ("BYTES pd_json", [2], ["9223372036854775808", "-1"])),
        ([True, False], ("BOOL", [2], [True, False])),
        ([True, None], ("BYTES pd_json", [2], ["true", "null"])),
        ([1, None], ("BYTES pd_json", [2], ["1", "null"])),
        ([1, 0.5, None, math.nan], ("FP64", [4], [1, 0.5, None, None])),
        (["a", None], ("BYTES str", [2], ["a", None])),
        ([{"a": 1}, [2]], ("BYTES pd_json", [2], ['{"a":1}', "[2]"])),
        (pd.Series(["2024-01-31T12:00:00Z"]).astype("datetime64[ns, UTC]"),
         ("BYTES datetime", [1], ["2024-01-31T12:00:00+00:00"])),
        (pd.array([1, 2], "Int64"), ("INT64", [2], [1, 2])),
    ],
)  # fmt: skip
def test_tensors(values: Any, expected: Any) -> None:
    assert written(values) == expected


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ([[0.25, 0.75], [1, 0]], {"prediction": [2, 2]}),
        ([[[1], [2]]], {"prediction": [1, 2, 1]}),
        ([np.zeros((2, 2)), np.zeros((2, 3))], {"prediction_0": [2], "prediction_1": [2]}),
        ([{"a": 1}, {"a": 2, "b": 3}], {"a": [2], "b": [2]}),
        ({"a": np.zeros((2, 3)), "b": np.zeros(1)}, {"a": [2, 3], "b": [1]}),
        ({"a": [1, 2], "b": [3, 4]}, {"a": [2], "b": [2]}),
    ],
)
def test_outputs(value: Any, names: Any) -> None:
    _, outputs = tensors_of(value)
    shapes = {name: write_tensor(name, values)["shape"] for name, values in outputs.items()}
    assert shapes == names


class Shapes(PythonModel):
    """Returns what the first cell says."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        how = model_input.iloc[0, 0]
        ragged = [[1], [2, 3]]
        values: dict[str, Any] = {
            "array": np.array([1, 2]),
            "frame": pd.DataFrame({"a": [1], "b": [2]}),
            "ragged": ragged,
            "generator": (row for row in ragged),
        }
        return values[how]


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path: Path = tmp_path_factory.mktemp("shapes") / "shapes of things"
    signature = ModelSignature(_columns(("string", "how")), _columns(("long", "answer")))
    save_pyfunc(path, Shapes(), signature=signature)
    with TestClient(create_app(read_settings({"MODEL_URI": str(path)}))) as opened:
        yield opened


def outputs_of(shapes: TestClient, how: str, **others: Any) -> Any:
    answered = infer(shapes, tensor("how", "BYTES", [how]), **others).json()
    return {output["name"]: output["data"] for output in answered["outputs"]}


def test_an_output_without_a_name_has_the_declared_one(shapes: TestClient) -> None:
    assert outputs_of(shapes, "array") == {"answer": [1, 2]}
    assert outputs_of(shapes, "frame") == {"a": [1], "b": [2]}


@pytest.mark.parametrize("how", ["ragged", "generator"])
def test_rows_of_several_lengths_are_json(how: str, shapes: TestClient) -> None:
    assert outputs_of(shapes, how) == {"answer": ["[1]", "[2,3]"]}


def test_the_outputs_that_are_wanted(shapes: TestClient) -> None:
    assert outputs_of(shapes, "frame", outputs=[{"name": "b"}]) == {"b": [2]}
    assert outputs_of(shapes, "frame", outputs=[]) == {"a": [1], "b": [2]}


def test_the_id_is_returned(shapes: TestClient) -> None:
    sent = tensor("how", "BYTES", ["array"])
    assert infer(shapes, sent, id="42").json()["id"] == "42"
    assert "id" not in infer(shapes, sent).json()
