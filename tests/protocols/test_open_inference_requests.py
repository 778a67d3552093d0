"""Requests of the Open Inference Protocol reach the model as those to /invocations do."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from tests.protocols.open_inference import NUMPY, infer, seen, tensor

Open = Callable[..., TestClient]


def row(**changed: Any) -> list[dict[str, Any]]:
    """An input for each column of the model `all_types`, with one row."""
    inputs = {
        "boolean": tensor("boolean", "BOOL", [True]),
        "integer": tensor("integer", "INT32", [1]),
        "long": tensor("long", "INT64", [2**53 + 1]),
        "float": tensor("float", "FP32", [0.5]),
        "double": tensor("double", "FP64", [0.1]),
        "string": tensor("string", "BYTES", ["a"], "str"),
        "binary": tensor("binary", "BYTES", ["aGVsbG8="], "base64"),
        "datetime": tensor("datetime", "BYTES", ["2024-01-31T12:00:00"], "datetime"),
    }
    return list((inputs | changed).values())


CELLS = {
    "boolean": True, "integer": 1, "long": 2**53 + 1, "float": 0.5, "double": 0.1, "string": "a",
    "binary": "aGVsbG8=", "datetime": "2024-01-31T12:00:00",
}  # fmt: skip

MESSAGES = '[{"x": 0.5}]'

SAME: dict[str, tuple[str, list[Any], Any]] = {
    "every column type": ("all_types", row(), {"dataframe_records": [CELLS]}),
    "shape [n, 1], flat": (
        "two_longs",
        [tensor("b", "INT64", [1, 2], shape=[2, 1]), tensor("a", "INT64", [3, 4])],
        {"inputs": {"b": [1, 2], "a": [3, 4]}},
    ),
    "shape [n, 1], nested": (
        "one_long",
        [tensor("n", "INT64", [[1], [2]], shape=[2, 1])],
        {"inputs": {"n": [1, 2]}},
    ),
    "whole floats": ("one_long", [tensor("n", "FP64", [12.0])], {"inputs": {"n": [12.0]}}),
    "large whole floats as integers": (
        "one_long",
        [tensor("n", "INT64", [9007199254740992.0, 2**53 + 1])],
        {"inputs": {"n": [2**53, 2**53 + 1]}},
    ),
    "the largest float as it is printed": (
        "all_types",
        row(float=tensor("float", "FP32", [3.4028235e38])),
        {"dataframe_records": [CELLS | {"float": 3.4028235e38}]},
    ),
    "whole floats as integers": ("one_long", [tensor("n", "INT8", [5.0])], {"inputs": {"n": [5]}}),
    "missing values": (
        "all_optional",
        [
            tensor("id", "INT64", [1, 2]),
            tensor("boolean", "BOOL", [True, None]),
            tensor("long", "INT64", [1, None]),
            tensor("double", "FP64", [0.1, None]),
            tensor("string", "BYTES", ["a", None]),
            tensor("binary", "BYTES", ["aGVsbG8=", None], "base64"),
            tensor("datetime", "BYTES", ["2024-01-31", None], "datetime"),
        ],
        {
            "dataframe_split": {
                "columns": ["id", "boolean", "long", "double", "string", "binary", "datetime"],
                "data": [
                    [1, True, 1, 0.1, "a", "aGVsbG8=", "2024-01-31"],
                    [2, None, None, None, None, None, None],
                ],
            }
        },
    ),
    "base64 without a content type": (
        "one_binary",
        [tensor("data", "BYTES", ["aGVsbG8="])],
        {"inputs": {"data": ["aGVsbG8="]}},
    ),
    "a date without a content type": (
        "one_datetime",
        [tensor("when", "BYTES", ["2024-01-31"], "np")],
        {"inputs": {"when": ["2024-01-31"]}},
    ),
    "integer names": (
        "integer_names",
        [tensor("1", "INT64", [1]), tensor("0", "INT64", [2])],
        {"inputs": {"1": [1], "0": [2]}},
    ),
    "columns without names": (
        "unnamed_mixed",
        [tensor("input-1", "BYTES", ["a", "b"]), tensor("input-0", "INT64", [1, 2])],
        {"inputs": [[1, "a"], [2, "b"]]},
    ),
    "columns without names as one input": (
        "unnamed",
        [tensor("rows", "FP64", [1, 2.5, 3, 4], shape=[2, 2])],
        {"inputs": [[1, 2.5], [3, 4]]},
    ),
    "nested values": (
        "nested",
        [
            tensor("numbers", "FP64", [0.5, 1.5], shape=[1, 2]),
            tensor("person", "BYTES", ['{"name": "a"}'], "pd_json"),
            tensor("counts", "BYTES", ['{"a": 1}'], "pd_json"),
            tensor("anything", "BYTES", ["text"]),
            tensor("points", "BYTES", [MESSAGES], "pd_json"),
        ],
        {
            "dataframe_records": [
                {
                    "numbers": [0.5, 1.5],
                    "person": {"name": "a"},
                    "counts": {"a": 1},
                    "anything": "text",
                    "points": [{"x": 0.5}],
                }
            ]
        },
    ),
    "arrays as JSON": (
        "array_only",
        [tensor("numbers", "BYTES", ["[0.5, 1]", "[]"], "pd_json")],
        {"dataframe_records": [{"numbers": [0.5, 1]}, {"numbers": []}]},
    ),
    "JSON without a content type": (
        "nested",
        [
            tensor("numbers", "BYTES", ["[0.5, 1.5]"]),
            tensor("person", "BYTES", ['{"name": "a"}']),
            tensor("counts", "BYTES", ['{"a": 1}'], shape=[1, 1]),
            tensor("anything", "BYTES", ["[1]"]),
        ],
        {
            "dataframe_records": [
                {
                    "numbers": [0.5, 1.5],
                    "person": {"name": "a"},
                    "counts": {"a": 1},
                    "anything": "[1]",
                }
            ]
        },
    ),
    "a tensor without a name": (
        "tensor",
        [tensor("any", "FP32", [[1, 2], [3, 4]], shape=[2, 2])],
        {"inputs": [[1, 2], [3, 4]]},
    ),
    "a flat tensor": (
        "tensor_image",
        [tensor("x", "UINT8", list(range(8)), shape=[2, 2, 2])],
        {"inputs": np.arange(8).reshape(2, 2, 2).tolist()},
    ),
    "a tensor of one dimension as [n, 1]": (
        "tensor_long",
        [tensor("x", "INT64", [1, 2], "np", shape=[2, 1])],
        {"inputs": [1, 2]},
    ),
    "tensors by name": (
        "tensors",
        [tensor("n", "INT64", [1, 2]), tensor("x", "FP32", [0.5, 1, 2, 3], shape=[2, 2])],
        {"inputs": {"n": [1, 2], "x": [[0.5, 1], [2, 3]]}},
    ),
    "a tensor with a missing value": (
        "tensor",
        [tensor("x", "FP64", [1, None], shape=[1, 2])],
        {"inputs": [[1, None]]},
    ),
    "texts": ("tensor_text", [tensor("x", "BYTES", ["a", "é"])], {"inputs": ["a", "é"]}),
    "dates": (
        "tensor_dates",
        [tensor("x", "BYTES", ["2024-01-31T12:00:00"], "datetime")],
        {"inputs": ["2024-01-31T12:00:00"]},
    ),
    "without a signature, one input": (
        "no_signature",
        [tensor("x", "INT64", [1, 2], shape=[2, 1])],
        {"inputs": [[1], [2]]},
    ),
    "without a signature, several": (
        "no_signature",
        [tensor("x", "FP64", [1, 2.5]), tensor("s", "BYTES", ["a", "b"])],
        {"inputs": {"x": [1, 2.5], "s": ["a", "b"]}},
    ),
}


@pytest.mark.parametrize("case", SAME)
def test_the_model_gets_the_same(case: str, client: Open) -> None:
    name, inputs, body = SAME[case]
    expected = client(name).post("/invocations", json=body)
    assert seen(infer(client(name), *inputs)) == expected.json()["predictions"]


def seen_untyped(client: Open, *inputs: Any, **others: Any) -> Any:
    return seen(infer(client("no_signature"), *inputs, **others))["input"]


@pytest.mark.parametrize("datatype", sorted(NUMPY.keys() - {"BOOL", "BYTES"}))
def test_without_a_signature_the_datatype_is_the_dtype(datatype: str, client: Open) -> None:
    dtype, value = NUMPY[datatype], 1.0 if "FP" in datatype else 1
    cell = f"{type(value).__name__} {value}"
    found = seen_untyped(client, tensor("x", datatype, [value]))
    assert found == {"array": [dtype, [1], [cell]]}


FRAME = {"parameters": {"content_type": "pd"}}


def test_without_a_signature_pd_is_a_table(client: Open) -> None:
    inputs = [
        tensor("x", "FP32", [0.5, None], shape=[2, 1]),
        tensor("s", "BYTES", ["a", "b"], "str"),
        tensor("d", "BYTES", ["2024-01-31", "2024-02-01"], "datetime"),
        tensor("raw", "BYTES", ["aGVsbG8=", "AA=="], "base64"),
        tensor("j", "BYTES", ['{"a": 1}', "[2]"], "pd_json"),
    ]
    found = seen_untyped(client, *inputs, **FRAME)
    frame = {name: (dtype, cells) for name, dtype, cells in found["frame"]}
    assert frame["x"] == ("float32", ["float 0.5", "missing"])
    assert frame["s"] == ("str", ["str 'a'", "str 'b'"])
    assert frame["d"][0] == "datetime64[ns]"
    assert frame["raw"] == ("object", ["bytes b'hello'", "bytes b'\\x00'"])
    assert frame["j"] == ("object", ["{a: int 1}", "[int 2]"])


def test_without_a_signature_dict_is_arrays_by_name(client: Open) -> None:
    found = seen_untyped(client, tensor("x", "BOOL", [True]), parameters={"content_type": "dict"})
    assert found == {"x": {"array": ["bool", [1], ["bool True"]]}}


@pytest.mark.parametrize(
    ("name", "sent", "values"),
    [
        ("hint_texts", tensor("x", "BYTES", ["a", "b"]), ["a", "b"]),
        ("hint_numbers", tensor("x", "FP64", [1, 2], shape=[2, 1]), [1.0, 2.0]),
        ("hint_lists", tensor("x", "FP64", [1.5, 2, 3, 4], shape=[2, 2]), [[1.5, 2.0], [3.0, 4.0]]),
        (
            "hint_people",
            tensor("x", "BYTES", ['{"name": "a", "age": 1, "email": "b"}'], "pd_json"),
            [{"name": "a", "age": 1, "email": "b"}],
        ),
    ],
)
def test_type_hints(name: str, sent: Any, values: Any, client: Open) -> None:
    expected = client(name).post("/invocations", json={"inputs": values})
    assert expected.status_code == 200, expected.text
    (output,) = infer(client(name), sent).json()["outputs"]
    assert np.array(output["data"]).tolist() == np.ravel(expected.json()["predictions"]).tolist()


def test_parameters_are_the_params(client: Open) -> None:
    sent, params = tensor("a", "FP64", [1]), {"count": 3, "label": "b"}
    found = infer(client("with_params"), sent, parameters={"content_type": "pd", **params})
    body = {"inputs": {"a": [1]}, "params": params}
    assert (
        seen(found) == client("with_params").post("/invocations", json=body).json()["predictions"]
    )
    wrong = infer(client("with_params"), sent, parameters={"cuont": 3})
    assert "unknown param 'cuont', did you mean 'count'. The" in wrong.json()["error"]


def test_triton_writes_nan(client: Open) -> None:
    body = b'{"inputs":[{"name":"a","shape":[1],"datatype":"FP64","data":[NaN]}]}'
    answered = client("with_params").post("/v2/models/with_params/infer", content=body)
    assert seen(answered)["input"]["frame"] == [["a", "float64", ["missing"]]]


ONE = tensor("n", "INT64", [1])

BAD: dict[str, tuple[str, Any, str]] = {
    "no object": ("one_long", [ONE], "the body must be a JSON object with 'inputs', not an array"),
    "no inputs": (
        "one_long",
        {"instances": [1]},
        "the body must have 'inputs', an array of tensors",
    ),
    "inputs of MLflow": (
        "one_long",
        {"inputs": {"n": [1]}},
        "'inputs' must be an array of tensors, not an object",
    ),
    "no tensors": ("one_long", {"inputs": [1]}, "input 0 is an integer, not an object"),
    "given twice": ("one_long", {"inputs": [ONE, ONE]}, "inputs given twice: 'n'"),
    "no data": (
        "one_long",
        {"inputs": [{k: v for k, v in ONE.items() if k != "data"}]},
        "'data' of input 0 must be an array, found nothing",
    ),
    "no name": (
        "one_long",
        {"inputs": [ONE | {"name": 1}]},
        "'name' of input 0 must be text, found an integer",
    ),
    "parameters of an input": (
        "one_long",
        {"inputs": [ONE | {"parameters": [1]}]},
        "'parameters' of input 0 must be an object",
    ),
    "parameters": (
        "one_long",
        {"inputs": [ONE], "parameters": [1]},
        "'parameters' must be an object, not an array",
    ),
    "no datatype": (
        "one_long",
        {"inputs": [ONE | {"datatype": "LONG"}]},
        "input 'n' has an unknown datatype; there are: BOOL, UINT8",
    ),
    "no content type": (
        "one_long",
        {"inputs": [tensor("n", "INT64", [1], "hg")]},
        "input 'n' has an unknown content_type; there are: np, pd, str",
    ),
    "a content type that is no text": (
        "one_long",
        {"inputs": [ONE | {"parameters": {"content_type": [{}]}}]},
        "input 'n' has an unknown content_type; there are: np, pd, str",
    ),
    "dimensions": (
        "one_long",
        {"inputs": [ONE | {"shape": [1] * 33}]},
        "input 'n' has more than 32 dimensions",
    ),
    "content type of no text": (
        "one_long",
        {"inputs": [tensor("n", "INT64", [1], "base64")]},
        "input 'n': the content_type base64 is for BYTES",
    ),
    "content type of a request": (
        "one_long",
        {"inputs": [ONE], "parameters": {"content_type": "hg"}},
        "the request has an unknown content_type; there are: pd, np, dict, str",
    ),
    "no shape": (
        "one_long",
        {"inputs": [ONE | {"shape": []}]},
        "the shape of input 'n' must be an array of integers above 0",
    ),
    "claimed rows": (
        "one_long",
        {"inputs": [ONE | {"shape": [10**9, 0], "data": []}]},
        "the shape of input 'n' must be an array of integers above 0",
    ),
    "too few": (
        "one_long",
        {"inputs": [ONE | {"shape": [2]}]},
        "the data of input 'n' has not the shape [2]",
    ),
    "too many": (
        "one_long",
        {"inputs": [ONE | {"shape": [1, 1], "data": [[1, 2]]}]},
        "the data of input 'n' has not the shape [1, 1]",
    ),
    "ragged": (
        "tensor",
        {"inputs": [tensor("x", "FP64", [[1, 2], [3]], shape=[2, 2])]},
        "the data of input 'x' has not the shape [2, 2]",
    ),
    "too deep": (
        "one_long",
        {"inputs": [ONE | {"data": [[1]]}]},
        "input 'n' at [0]: expected a whole number (INT64), found an array",
    ),
    "no numbers": (
        "one_long",
        {"inputs": [ONE | {"data": ["1"]}]},
        "input 'n' at [0]: expected a whole number (INT64), found text",
    ),
    "booleans": (
        "one_long",
        {"inputs": [ONE | {"data": [True]}]},
        "input 'n' at [0]: expected a whole number (INT64), found a boolean",
    ),
    "a fraction": (
        "one_long",
        {"inputs": [ONE | {"data": [1.5]}]},
        "input 'n' at [0]: expected a whole number (INT64), found a number with a fraction",
    ),
    "beyond": (
        "one_long",
        {"inputs": [tensor("n", "INT8", [1, 300])]},
        "input 'n' at [1]: expected a whole number (INT8), found an integer beyond INT8",
    ),
    "no texts": (
        "one_string",
        {"inputs": [tensor("text", "BYTES", [b"a".decode(), 1])]},
        "input 'text' at [1]: expected text, found an integer",
    ),
    "no booleans": (
        "one_boolean",
        {"inputs": [tensor("flag", "BOOL", [1])]},
        "input 'flag' at [0]: expected true or false, found an integer",
    ),
    "no base64": (
        "one_binary",
        {"inputs": [tensor("data", "BYTES", ["###"], "base64")]},
        "input 'data' at [0]: expected base64 text, found text that is no base64",
    ),
    "texts for bytes": (
        "one_binary",
        {"inputs": [tensor("data", "BYTES", ["abcd"], "str")]},
        "column 'data' takes bytes: send it as base64",
    ),
    "bytes for texts": (
        "one_string",
        {"inputs": [tensor("text", "BYTES", ["aGVsbG8="], "base64")]},
        "row 0, column 'text': expected text, found bytes",
    ),
    "no JSON": (
        "array_only",
        {"inputs": [tensor("numbers", "BYTES", ["[1", "[2]"], "pd_json")]},
        "input 'numbers' at [0]: expected JSON (pd_json), found text that is no JSON",
    ),
    "texts for numbers": (
        "one_long",
        {"inputs": [tensor("n", "BYTES", ["a"])]},
        "row 0, column 'n': expected a whole number of 64 bits, found text",
    ),
    "lengths": (
        "two_longs",
        {"inputs": [tensor("a", "INT64", [1]), tensor("b", "INT64", [1, 2])]},
        "the inputs have different lengths: 'a' 1, 'b' 2",
    ),
    "names": (
        "two_longs",
        {"inputs": [tensor("a", "INT64", [1]), tensor("B", "INT64", [1])]},
        "missing columns: 'b'; unknown columns: 'B' (did you mean 'b'?)",
    ),
    "a matrix": (
        "two_longs",
        {"inputs": [tensor("a", "INT64", [1, 2], shape=[1, 2])]},
        "input 'a' has shape [1, 2], and a column has [n] or [n, 1]",
    ),
    "columns without names": (
        "unnamed",
        {"inputs": [tensor("a", "FP64", [1]), tensor("b", "FP64", [1])]},
        "the columns of the model have no names: send one input with 2 values per row",
    ),
    "several for one": (
        "tensor",
        {"inputs": [tensor("a", "FP64", [1, 2], shape=[1, 2]), tensor("b", "FP64", [1])]},
        "the model takes one input, got 2",
    ),
    "names of tensors": (
        "tensors",
        {"inputs": [tensor("x", "FP64", [1, 2], shape=[1, 2]), tensor("m", "INT64", [1])]},
        "tensors: missing 'n', unknown 'm'. The model takes: 'x', 'n'",
    ),
    "the shape of a tensor": (
        "tensor",
        {"inputs": [tensor("a", "FP64", [1, 2, 3], shape=[1, 3])]},
        "the tensor: expected shape (-1, 2), found (1, 3)",
    ),
    "an id": ("one_long", {"inputs": [ONE], "id": 1}, "'id' must be text, not an integer"),
    "outputs": (
        "one_long",
        {"inputs": [ONE], "outputs": ["a"]},
        "each of 'outputs' must be an object with a 'name'",
    ),
    "outputs given twice": (
        "one_long",
        {"inputs": [ONE], "outputs": [{"name": "prediction"}] * 2},
        "outputs given twice: 'prediction'",
    ),
    "unknown outputs": (
        "one_long",
        {"inputs": [ONE], "outputs": [{"name": "predictoin"}]},
        "unknown outputs: 'predictoin' (did you mean 'prediction'?)",
    ),
    "a number beyond": (
        "no_signature",
        {"inputs": [tensor("x", "FP16", [1e6])]},
        "input 'x' at [0]: expected a number (FP16), found a number beyond FP16",
    ),
    "a number of a column beyond": (
        "all_types",
        {"inputs": row(double=tensor("double", "FP16", [70000]))},
        "input 'double' at [0]: expected a number (FP16), found a number beyond FP16",
    ),
    "a number of a tensor beyond": (
        "no_signature",
        {"inputs": [tensor("x", "FP32", [1, -1e39], shape=[1, 2])]},
        "input 'x' at [0, 1]: expected a number (FP32), found a number beyond FP32",
    ),
    "a missing integer": (
        "no_signature",
        {"inputs": [tensor("x", "UINT8", [None])]},
        "input 'x' at [0]: expected a number of type uint8, found null",
    ),
    "binary data": (
        "one_long",
        {
            "inputs": [
                {
                    "name": "n",
                    "shape": [1],
                    "datatype": "INT64",
                    "parameters": {"binary_data_size": 8},
                }
            ]
        },
        "tensors as binary data are not supported",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_requests(case: str, client: Open) -> None:
    name, body, message = BAD[case]
    answered = client(name).post(f"/v2/models/{name}/infer", json=body)
    assert answered.status_code == 400
    assert answered.json()["error"] == answered.json()["message"]
    assert answered.json()["message"].startswith(message)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the body is empty"),
        (b"a,b\n1,2\n", "the body is not valid JSON"),
        (b'{"inputs": [], "inputs": []}', "the key 'inputs' is given twice in one JSON object"),
    ],
)
def test_bodies_that_are_no_json(body: bytes, message: str, client: Open) -> None:
    answered = client("one_long").post("/v2/models/one_long/infer", content=body)
    assert answered.status_code == 400
    assert answered.json()["error"].startswith(message)


def test_details_name_each_element(client: Open) -> None:
    sent = tensor("x", "UINT8", [[[1, 2], [3, -1]], [[-2, 2], [3, 4]]], shape=[2, 2, 2])
    details = infer(client("tensor_image"), sent).json()["details"]
    assert [(detail["tensor"], detail["index"]) for detail in details] == [
        ("x", [0, 1, 1]),
        ("x", [1, 0, 0]),
    ]
    assert json.dumps(details).count("an integer beyond UINT8") == 2
