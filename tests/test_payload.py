"""Bodies to model input: each form of each media type, for each way that models are typed."""

import io
import json
import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelserver import csv_reader
from modelserver.errors import BadRequest, InvalidInput
from modelserver.media import CSV, JSON, PARQUET
from modelserver.payload import Payload, read_payload
from modelserver.signature import Signature, compile_signature

LIMIT = 1024 * 1024
NAN = float("nan")


def column(kind: str, name: Any = None, required: bool = True) -> dict[str, Any]:
    return {"type": kind, "required": required} | ({} if name is None else {"name": name})


def tensor(dtype: str, *shape: int, **name: str) -> dict[str, Any]:
    return {"type": "tensor", "tensor-spec": {"dtype": dtype, "shape": list(shape)}, **name}


def signature(
    *inputs: Mapping[str, Any], params: Any = None, from_type_hint: bool = False
) -> Signature:
    return compile_signature(
        {"inputs": json.dumps(inputs), "outputs": None, "params": params and json.dumps(params)},
        from_type_hint,
    )


def parquet(frame: pd.DataFrame) -> bytes:
    file = io.BytesIO()
    frame.to_parquet(file)
    return file.getvalue()


def read(declared: Signature, body: Any, media_type: str = JSON) -> Payload:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_payload(media_type, data, declared, LIMIT)


COUNT = [{"name": "count", "type": "long", "default": 1, "shape": None}]

UNTYPED = compile_signature(None, from_type_hint=False)
TWO = signature(column("long", "a"), column("double", "b", required=False))
DOUBLES = signature(column("double", "a"), column("double", "b"))
LONG = signature(column("long", "a"), params=COUNT)
OPTIONAL = signature(column("string", "a", False), column("long", "b", False))
NUMBERED = signature(column("long", 0), column("long", 1))
UNNAMED = signature(column("double"), column("double"))
UNNAMED_MIXED = signature(column("long"), column("string"))
ARRAY = signature({"type": "array", "items": {"type": "double"}, "name": "xs", "required": True})
ANYTHING = signature(column("any", "a"))
TENSOR = signature(tensor("float64", -1, 2))
SCALAR = signature(tensor("float64"))
TENSORS = signature(tensor("float64", -1, name="x"), tensor("int64", -1, name="n"))
HINTED = signature(column("long"), from_type_hint=True)
PARAMS_ONLY = compile_signature({"inputs": None, "params": json.dumps(COUNT)}, False)

AB = pd.DataFrame({"a": [1, 2], "b": [0.5, NAN]})
A = pd.DataFrame({"a": [1, 2]})

FRAMES: list[tuple[str, Signature, Any, str, pd.DataFrame]] = [
    ("split", TWO, {"dataframe_split": {"columns": ["b", "a"], "data": [[0.5, 1], [None, 2]]}},
     JSON, AB),
    ("split with index", LONG,
     {"dataframe_split": {"columns": ["a"], "index": ["x", "y"], "data": [[1], [2]]}},
     JSON, A.set_axis(["x", "y"])),
    ("records", TWO, {"dataframe_records": [{"a": 1, "b": 0.5}, {"a": 2}]}, JSON, AB),
    ("inputs of columns", TWO, {"inputs": {"a": [1, 2], "b": [0.5, None]}}, JSON, AB),
    ("inputs of records", TWO, {"inputs": [{"a": 1, "b": 0.5}, {"a": 2}]}, JSON, AB),
    ("inputs of one column", LONG, {"inputs": [1, 2]}, JSON, A),
    ("inputs of one optional column", signature(column("long", "a", False)), {"inputs": [1, 2]},
     JSON, A),
    ("instances", LONG, {"instances": [{"a": 1}, {"a": 2}]}, JSON, A),
    ("csv", TWO, b"b,a\n0.5,1\n,2\n", CSV, AB),
    ("parquet", TWO, parquet(AB), PARQUET, AB),
    ("optional column left out", TWO, {"dataframe_records": [{"a": 1}, {"a": 2}]}, JSON, A),
    ("all optional columns left out", OPTIONAL, {"dataframe_records": [{}, {}]}, JSON,
     pd.DataFrame(index=range(2))),
    ("doubles", DOUBLES, {"dataframe_split": {"columns": ["a", "b"], "data": [[1, None]]}}, JSON,
     pd.DataFrame({"a": [1.0], "b": [NAN]})),
    ("doubles in another order", DOUBLES,
     {"dataframe_split": {"columns": ["b", "a"], "data": [[1, 2]]}}, JSON,
     pd.DataFrame({"a": [2.0], "b": [1.0]})),
    ("doubles in text", DOUBLES,
     {"dataframe_split": {"columns": ["a", "b"], "data": [["1", "inf"]]}}, JSON,
     pd.DataFrame({"a": [1.0], "b": [np.inf]})),
    ("numbers as names", NUMBERED, {"dataframe_split": {"columns": [0, 1], "data": [[1, 2]]}},
     JSON, pd.DataFrame({0: [1], 1: [2]})),
    ("numbers as names, in text", NUMBERED, {"dataframe_records": [{"1": 2, "0": 1}]}, JSON,
     pd.DataFrame({0: [1], 1: [2]})),
    ("without names", UNNAMED, {"inputs": [[1, 2]]}, JSON, pd.DataFrame({0: [1.0], 1: [2.0]})),
    ("with other names", UNNAMED_MIXED, {"dataframe_split": {"columns": ["x", "y"],
     "data": [[1, "a"]]}}, JSON, pd.DataFrame({"x": [1], "y": ["a"]})),
    ("a single value", signature(column("long")), {"inputs": 5}, JSON, pd.DataFrame({0: [5]})),
    ("an object of arrays is one row", ARRAY, {"inputs": {"xs": [1, 2]}}, JSON,
     pd.DataFrame({"xs": [[1.0, 2.0]]})),
    ("anything", ANYTHING, {"inputs": [{"a": 2**70 + 1}, {"a": "x"}]}, JSON,
     pd.DataFrame({"a": [2**70 + 1, "x"]})),
    ("untyped split", UNTYPED, {"dataframe_split": {"columns": ["a"], "data": [[1], [2]]}}, JSON,
     A),
    ("untyped records", UNTYPED, {"dataframe_records": [{"a": 1}, {"a": 2}]}, JSON, A),
    ("untyped csv", UNTYPED, b"a,b\n1,0.5\n2,\n", CSV, AB),
    ("untyped parquet", UNTYPED, parquet(AB), PARQUET, AB),
]  # fmt: skip


@pytest.mark.parametrize(
    ("declared", "body", "media_type", "frame"),
    [row[1:] for row in FRAMES],
    ids=[row[0] for row in FRAMES],
)
def test_tables(declared: Signature, body: Any, media_type: str, frame: pd.DataFrame) -> None:
    payload = read(declared, body, media_type)
    pd.testing.assert_frame_equal(payload.data, frame)
    assert (payload.rows, payload.typed) == (len(frame), declared.columns is not None)


X, N = np.array([1.0, 2.0]), np.array([3, 4])

VALUES: list[tuple[str, Signature, Any, Any, int | None]] = [
    ("tensor", TENSOR, {"inputs": [[1, 2]]}, np.array([[1.0, 2.0]]), 1),
    ("tensor instances", TENSOR, {"instances": [[1, 2]]}, np.array([[1.0, 2.0]]), 1),
    ("tensor in a table", TENSOR, {"dataframe_split": {"data": [[1, 2]]}},
     np.array([[1.0, 2.0]]), 1),
    ("scalar tensor", SCALAR, {"inputs": 5}, np.array(5.0), 1),
    ("tensors", TENSORS, {"inputs": {"x": [1, 2], "n": [3, 4]}}, {"x": X, "n": N}, 2),
    ("tensors of instances", TENSORS, {"instances": [{"x": 1, "n": 3}, {"x": 2, "n": 4}]},
     {"x": X, "n": N}, 2),
    ("tensors of records", TENSORS, {"dataframe_records": [{"x": 1, "n": 3}, {"x": 2, "n": 4}]},
     {"x": X, "n": N}, 2),
    ("hinted", HINTED, {"inputs": [2**70, "a"]}, [2**70, "a"], 2),
    ("hinted single", HINTED, {"inputs": 5}, 5, 1),
    ("untyped array", UNTYPED, {"inputs": [[1, 2], [3, 4]]}, np.array([[1, 2], [3, 4]]), 2),
    ("untyped columns", UNTYPED, {"inputs": {"x": [1.0, 2.0], "n": [3, 4]}}, {"x": X, "n": N}, 2),
    ("untyped columns of two lengths", UNTYPED, {"inputs": {"x": [1.0, 2.0], "n": [3]}},
     {"x": X, "n": np.array([3])}, None),
    ("untyped objects", UNTYPED, {"inputs": [{"x": 1}]}, [{"x": np.array(1)}], 1),
    ("untyped instances", UNTYPED, {"instances": [{"x": 1.0, "n": 3}, {"x": 2.0, "n": 4}]},
     {"x": X, "n": N}, 2),
    ("untyped array of instances", UNTYPED, {"instances": [3, 4]}, N, 2),
    ("chat", UNTYPED, {"messages": [{"role": "user"}]}, {"messages": [{"role": "user"}]}, 1),
]  # fmt: skip


@pytest.mark.parametrize(
    ("declared", "body", "data", "rows"),
    [row[1:] for row in VALUES],
    ids=[row[0] for row in VALUES],
)
def test_arrays_and_values(declared: Signature, body: Any, data: Any, rows: int | None) -> None:
    payload = read(declared, body)
    np.testing.assert_equal(payload.data, data)
    assert (payload.rows, payload.typed) == (rows, bool(declared.tensors))


@pytest.mark.parametrize(
    ("declared", "body", "params", "wrapped"),
    [
        (LONG, {"inputs": [1]}, {"count": 1}, True),
        (LONG, {"inputs": [1], "params": {"count": 2}}, {"count": 2}, True),
        (LONG, {"dataframe_records": [{"a": 1}], "params": {"count": 2}}, {"count": 2}, True),
        (PARAMS_ONLY, {"instances": [1], "params": {"count": 2}}, {"count": 2}, True),
        (PARAMS_ONLY, {"prompt": "hello", "count": 2}, {"count": 2}, False),
        (UNTYPED, {"inputs": [1]}, None, True),
    ],
    ids=["default", "inputs", "records", "instances", "chat", "none"],
)
def test_params(declared: Signature, body: Any, params: Any, wrapped: bool) -> None:
    payload = read(declared, body)
    assert (payload.params, payload.wrapped) == (params, wrapped)


FORMS = "'dataframe_split', 'dataframe_records', 'instances', 'inputs'"
NO_ROWS = "the table is empty: it has no rows"

BAD: list[tuple[str, Signature, Any, str, str]] = [
    ("no object", LONG, [1], JSON,
     f"the body must be a JSON object with one of {FORMS}, not an array. Send the whole body as "
     "the value of 'inputs'"),
    ("no form", LONG, {}, JSON, f"the body must have exactly one of {FORMS}; it is empty"),
    ("another form", LONG, {"data": 1}, JSON,
     f"the body must have exactly one of {FORMS}; it has 'data'"),
    ("two forms", LONG, {"inputs": 1, "instances": 1}, JSON,
     f"the body must have exactly one of {FORMS}; it has 'instances', 'inputs'"),
    ("inputs of no table", LONG, {"inputs": 5}, JSON,
     "'inputs' must be an array or an object, not an integer"),
    ("tensors in csv", TENSOR, b"a\n1\n", CSV,
     "the model takes tensors, which CSV cannot hold; send JSON"),
    ("arrays in csv", ARRAY, b"xs\n1\n", CSV,
     "column 'xs' takes an array, which CSV cannot hold; send JSON"),
    ("anything in csv", ANYTHING, b"a\n1\n", CSV,
     "column 'a' takes any value, which CSV cannot hold; send JSON"),
    ("no rows", LONG, {"dataframe_split": {"columns": ["a"], "data": []}}, JSON, NO_ROWS),
    ("no rows in csv", LONG, b"a\n", CSV, csv_reader.NO_ROWS),
    ("no untyped rows", UNTYPED, {"dataframe_records": []}, JSON, NO_ROWS),
    ("no untyped rows in csv", UNTYPED, b"a\n", CSV, csv_reader.NO_ROWS),
    ("hinted table", HINTED, {"dataframe_records": [{"a": 1}]}, JSON,
     "the model is typed by a type hint: send its values under 'inputs'"),
    ("hinted instances", HINTED, {"instances": [1]}, JSON,
     "the model is typed by a type hint: send its values under 'inputs'"),
    ("unnamed columns", UNNAMED, {"inputs": [[1]]}, JSON, "the model takes 2 columns, got 1"),
    ("missing column", TWO, {"dataframe_records": [{"b": 1}]}, JSON,
     "missing columns: 'a'. The model takes: 'a', 'b'"),
    ("unknown column", signature(column("long", "alcohol")), {"dataframe_records":
     [{"alcohol": 1, "Alcohol": 1, "?": 2}]}, JSON,
     "unknown columns: 'Alcohol' (did you mean 'alcohol'?), '?'. The model takes: 'alcohol'"),
    ("missing and unknown column", LONG, {"dataframe_records": [{"z": 1}]}, JSON,
     "missing columns: 'a'; unknown columns: 'z'. The model takes: 'a'"),
    ("many unknown columns", LONG, {"dataframe_records": [dict.fromkeys("abcdefghijklmnopqrstuvw")
     ]},
     JSON, "unknown columns: 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', "
     "'o', 'p', 'q', 'r', 's', 't', 'u' and 2 more; row 0, column 'a': expected a whole number of "
     "64 bits, found null. The model takes: 'a'"),
    ("one column twice", NUMBERED,
     {"dataframe_split": {"columns": [0, "0", 1], "data": [[1, 2, 3]]}}, JSON,
     "columns given twice: '0'"),
    ("bad cell", LONG, {"inputs": [1, "x"]}, JSON,
     "row 1, column 'a': expected a whole number of 64 bits, found text"),
    ("bad cells", TWO, {"inputs": {"a": [None], "b": ["x"]}}, JSON,
     "row 0, column 'a': expected a whole number of 64 bits, found null "
     "(and 1 more, see details)"),
    ("bad double", DOUBLES, {"dataframe_split": {"columns": ["a", "b"], "data": [[1, "x"]]}},
     JSON, "row 0, column 'b': expected a number (64-bit float), found text"),
    ("double too large", DOUBLES,
     {"dataframe_split": {"columns": ["a", "b"], "data": [[1, "1e400"]]}}, JSON,
     "row 0, column 'b': expected a number (64-bit float), "
     "found a number too large for a 64-bit float"),
    ("bad cell without a name", UNNAMED_MIXED, {"inputs": [["x", "y"]]}, JSON,
     "row 0, column 0: expected a whole number of 64 bits, found text"),
    ("ragged array", UNTYPED, {"inputs": [[1], [2, 3]]}, JSON,
     "the values of 'inputs' are no array: their lengths differ, or they are nested more than 64 "
     "deep"),
    ("other keys in instances", UNTYPED, {"instances": [{"x": 1}, {"y": 1}]}, JSON,
     "row 1 of 'instances' has other keys than row 0"),
    ("scalar in instances", UNTYPED, {"instances": [{"x": 1}, 2]}, JSON,
     "row 1 of 'instances' is an integer, not an object"),
    ("params that are none", LONG, {"inputs": [1], "params": 5}, JSON,
     "'params' must be an object, not an integer"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("declared", "body", "media_type", "message"),
    [row[1:] for row in BAD],
    ids=[row[0] for row in BAD],
)
def test_refused_bodies(declared: Signature, body: Any, media_type: str, message: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        read(declared, body, media_type)
    assert refusal.value.message == message


def test_every_bad_cell_has_a_detail() -> None:
    with pytest.raises(InvalidInput) as refusal:
        read(TWO, {"inputs": {"a": [1, 0.5], "b": ["x", 1]}})
    assert refusal.value.details == [
        {
            "row": 1,
            "column": "a",
            "expected": "a whole number of 64 bits",
            "found": "a number with a fraction",
        },
        {"row": 0, "column": "b", "expected": "a number (64-bit float)", "found": "text"},
    ]


def test_every_misplaced_column_has_a_detail() -> None:
    with pytest.raises(InvalidInput) as refusal:
        read(signature(column("long", "alcohol")), {"inputs": [{"Alcohol": 1}, {"Alcohol": 2}]})
    assert refusal.value.details == [
        {"column": "alcohol", "expected": "a whole number of 64 bits", "found": "nothing"},
        {
            "column": "Alcohol",
            "found": "a column that the model does not take",
            "did_you_mean": "alcohol",
        },
    ]


def test_keys_beside_the_form_are_ignored_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "modelserver.payload"):
        payload = read(LONG, {"inputs": [1], "signature_name": "x", "params": None})
    assert payload.rows == 1
    assert caplog.messages == ["ignored keys of the body: 'signature_name'"]


LABELLED = pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]}).set_index(pd.Index(["x", "y"], name="note"))


@pytest.mark.parametrize(
    ("declared", "frame", "expected"),
    [
        (signature(column("long", "a"), column("double", "b"), column("string", "note", False)),
         LABELLED, {"a": [1, 2], "b": [0.5, 1.5], "note": ["x", "y"]}),
        (signature(column("string", "note"), column("long", "a")), LABELLED[["a"]],
         {"note": ["x", "y"], "a": [1, 2]}),
        (signature(column("long", "a"), column("double", "b")), LABELLED,
         {"a": [1, 2], "b": [0.5, 1.5]}),
        (UNNAMED_MIXED, pd.DataFrame({"n": [1, 2], "t": ["a", "b"]}, index=LABELLED.index),
         {"n": [1, 2], "t": ["a", "b"]}),
        (UNTYPED, LABELLED, {"a": [1, 2], "b": [0.5, 1.5]}),
    ],
    ids=["optional", "required", "not declared", "without names", "without a signature"],
)  # fmt: skip
def test_row_labels_of_parquet(declared: Signature, frame: pd.DataFrame, expected: Any) -> None:
    data = read(declared, parquet(frame), PARQUET).data
    assert data.to_dict("list") == expected
    assert list(data.index) == ([0, 1] if "note" in expected else ["x", "y"])


def test_row_labels_of_parquet_for_tensors() -> None:
    declared = signature(tensor("int64", -1, name="a"), tensor("float64", -1, name="b"))
    body = parquet(LABELLED.reset_index(drop=True).set_index("b"))
    data = read(declared, body, PARQUET).data
    assert {name: array.tolist() for name, array in data.items()} == {"a": [1, 2], "b": [0.5, 1.5]}
