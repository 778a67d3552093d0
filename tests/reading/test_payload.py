"""Bodies to model input: each form of each media type, for each way that models are typed."""

import io
import json
import logging
from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelserver.errors import A_FORM, BadRequest, InvalidInput
from modelserver.reading.csv import dialect
from modelserver.reading.formats import CSV, JSON, NDJSON, PARQUET
from modelserver.reading.media import format_of
from modelserver.reading.signatures.compiling import compile_signature
from modelserver.reading.signatures.signature import Signature
from modelserver.reading.signatures.tensors import TensorSignature
from modelserver.types.frames import NO_GAPS
from tests.support.signatures import column, read, signature, tensor

NAN = float("nan")


def parquet(frame: pd.DataFrame) -> bytes:
    file = io.BytesIO()
    frame.to_parquet(file)
    return file.getvalue()


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
    ("bare records", TWO, [{"b": 0.5, "a": 1}, {"a": 2}], JSON, AB),
    ("a bare record", TWO, {"a": 1}, JSON, A[:1]),
    ("a bare record with gaps", TWO, b'{"a": 1, "b": NaN}', JSON,
     pd.DataFrame({"a": [1], "b": [NAN]})),
    ("a bare record by numbers", NUMBERED, {"1": 2, "0": 1}, JSON, pd.DataFrame({0: [1], 1: [2]})),
    ("a bare record of R", LONG, {"a": 1, "_row": "1"}, JSON, A[:1]),
    ("a bare record with an array", ARRAY, {"xs": [1, 2]}, JSON,
     pd.DataFrame({"xs": [[1.0, 2.0]]})),
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
    assert (payload.rows, payload.typed) == (len(frame), declared is not UNTYPED)


def test_a_file_for_a_type_hint_is_left_to_mlflow_to_check() -> None:
    payload = read(HINTED, b"x\n5\n", CSV)
    pd.testing.assert_frame_equal(payload.data, pd.DataFrame({"x": [5]}))
    assert (payload.rows, payload.typed) == (1, False)


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
    ("tensors of bare records", TENSORS, [{"x": 1, "n": 3}, {"x": 2, "n": 4}],
     {"x": X, "n": N}, 2),
    ("hinted", HINTED, {"inputs": [2**70 + 1, "a"]}, [2**70 + 1, "a"], 2),
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
    assert (payload.rows, payload.typed) == (rows, isinstance(declared, TensorSignature))


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
     f"the body must be a JSON object with one of {FORMS}, not an array. Send the whole body under "
     "'inputs'"),
    ("bare records of which there are none", LONG, [], JSON, NO_ROWS),
    ("an empty array for a model without names", UNTYPED, [], JSON,
     f"the body must be a JSON object with one of {FORMS}, not an array. Send the whole body under "
     "'inputs'"),
    ("bare records with a typo", LONG, [{"A": 1}], JSON,
     "missing columns: 'a'; unknown columns: 'A' (did you mean 'a'?). The model takes: 'a'"),
    ("bare records and others", LONG, [{"a": 1}, 5], JSON,
     "row 1 of 'dataframe_records' is an integer, not an object"),
    ("a bare record that does not fit", LONG, {"a": "x"}, JSON,
     "row 0, column 'a': expected a whole number of 64 bits, found text"),
    ("a param in a bare record", LONG, {"a": 1, "count": 2}, JSON,
     "'count' is a param; send it under 'params'. The model takes: 'a'"),
    ("bare columns", LONG, {"a": [1]}, JSON, f"the body must have exactly one of {FORMS}; it has "
     "'a'. Send the whole body under 'inputs'"),
    ("a bare record with an array for a number", TWO, {"a": [1], "b": 1}, JSON,
     "row 0, column 'a': expected a whole number of 64 bits, found an array"),
    ("a bare record beside params", LONG, {"a": 1, "params": {}}, JSON,
     f"the body must have exactly one of {FORMS}; it has 'a', 'params'. Send the whole body in an "
     "array under 'dataframe_records'"),
    ("a bare record without a signature", UNTYPED, {"a": 1}, JSON,
     f"the body must have exactly one of {FORMS}; it has 'a'"),
    ("bare records without a signature", UNTYPED, [{"a": 1}], JSON,
     f"the body must be a JSON object with one of {FORMS}, not an array. Send the whole body under "
     "'dataframe_records'"),
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
    ("no rows in csv", LONG, b"a\n", CSV, dialect.ONLY_A_HEADER),
    ("no untyped rows", UNTYPED, {"dataframe_records": []}, JSON, NO_ROWS),
    ("no untyped rows in csv", UNTYPED, b"a\n", CSV, dialect.ONLY_A_HEADER),
    ("hinted table", HINTED, {"dataframe_records": [{"a": 1}]}, JSON,
     "the model is typed by a type hint: send its values under 'inputs'"),
    ("hinted instances", HINTED, {"instances": [1]}, JSON,
     "the model is typed by a type hint: send its values under 'inputs'"),
    ("unnamed columns", UNNAMED, {"inputs": [[1]]}, JSON, "the model takes 2 columns, got 1"),
    ("missing column", TWO, {"dataframe_records": [{"b": 1}]}, JSON,
     "missing columns: 'a'. The model takes: 'a', 'b'"),
    ("unknown column", signature(column("long", "alcohol")), {"dataframe_records":
     [{"alcohol": 1, "Alcohol": 1, "?": 2}]}, JSON,
     "unknown columns: 'Alcohol' (did you mean 'alcohol'?), '?'. The model takes: 'alcohol'. "
     "?include= with their names carries further columns into the answer"),
    ("missing and unknown column", LONG, {"dataframe_records": [{"z": 1}]}, JSON,
     "missing columns: 'a'; unknown columns: 'z'. The model takes: 'a'"),
    ("many unknown columns", LONG, {"dataframe_records": [dict.fromkeys("abcdefghijklmnopqrstuvw")
     ]},
     JSON, "unknown columns: 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', "
     "'o', 'p', 'q', 'r', 's', 't', 'u' and 2 more; row 0, column 'a': expected a whole number of "
     "64 bits, found null" + NO_GAPS + ". The model takes: 'a'"),
    ("one column twice", NUMBERED,
     {"dataframe_split": {"columns": [0, "0", 1], "data": [[1, 2, 3]]}}, JSON,
     "columns given twice: '0'"),
    ("bad cell", LONG, {"inputs": [1, "x"]}, JSON,
     "row 1, column 'a': expected a whole number of 64 bits, found text"),
    ("float for text", signature(column("string", "a")), b'{"inputs": {"a": [1e20]}}', JSON,
     "row 0, column 'a': expected text, found a number"),
    ("bad cells", TWO, {"inputs": {"a": [None], "b": ["x"]}}, JSON,
     "row 0, column 'a': expected a whole number of 64 bits, found null "
     f"(and 1 more: details has all of them){NO_GAPS}"),
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
    with caplog.at_level(logging.INFO, "modelserver.reading.input_forms"):
        payload = read(LONG, {"inputs": [1], "signature_name": "x", "params": None})
    assert payload.rows == 1
    assert caplog.messages == ["ignored keys of the body: 'signature_name'"]


@pytest.mark.parametrize("rows", [1, 5000])
def test_tensorflow_servings_form(rows: int) -> None:
    body = {"signature_name": "serving_default", "instances": [7] * rows}
    assert read(LONG, body).rows == rows


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


MIXED = signature(
    *(column(kind, kind, False) for kind in ("double", "string", "long", "datetime", "boolean")),
    params=[{"name": "rate", "type": "double", "default": 1.0, "shape": None}],
)
GAPS = {"double": NAN, "string": NAN, "long": NAN, "datetime": NAN, "boolean": NAN}
CELLS = {"double": 0.5, "string": "NaN", "long": 1, "datetime": "2024-01-02", "boolean": True}
MANY = 1000
"""Rows that make a table large enough for the ways which make no Python objects."""


def nulls(cells: Any) -> Any:
    """The same JSON value with null for each NaN."""
    return json.loads(json.dumps(cells), parse_constant=lambda token: None)


TABLES_OF: dict[str, Any] = {
    "records": lambda rows: {"dataframe_records": rows},
    "split": lambda rows: {
        "dataframe_split": {"columns": list(rows[0]), "data": [[*row.values()] for row in rows]}
    },
    "inputs": lambda rows: {"inputs": rows},
    "columns": lambda rows: {"inputs": {name: [row[name] for row in rows] for name in rows[0]}},
    "instances": lambda rows: {"instances": rows},
}


@pytest.mark.parametrize("params", [None, {"rate": 2.0}], ids=["no params", "params"])
@pytest.mark.parametrize("rows", [[GAPS, CELLS], [CELLS] * MANY + [GAPS]], ids=["few", "many"])
@pytest.mark.parametrize("form", TABLES_OF)
def test_nan_is_null_in_a_typed_table(form: str, rows: Any, params: Any) -> None:
    body = TABLES_OF[form](rows) | ({"params": params} if params else {})
    payload, expected = read(MIXED, body), read(MIXED, nulls(body))
    pd.testing.assert_frame_equal(payload.data, expected.data)
    assert payload.params == expected.params == {"rate": params["rate"] if params else 1.0}


def test_a_nan_among_params_is_a_number() -> None:
    payload = read(MIXED, {"inputs": [GAPS], "params": {"rate": NAN}})
    assert repr(payload.params) == "{'rate': nan}"
    assert read(MIXED, {"inputs": [CELLS], "params": {"rate": "NA"}}).params == {"rate": None}


@pytest.mark.parametrize("kind", ["string", "long", "datetime", "boolean"])
@pytest.mark.parametrize("rows", [1, MANY])
def test_infinity_is_a_float_only(kind: str, rows: int) -> None:
    cells = [CELLS] * (rows - 1) + [CELLS | {kind: float("inf")}]
    with pytest.raises(InvalidInput) as refusal:
        read(MIXED, {"dataframe_records": cells})
    assert [(d["row"], d["column"]) for d in refusal.value.details] == [(rows - 1, kind)]
    infinite = read(MIXED, {"dataframe_records": [CELLS | {"double": float("-inf")}]}).data
    assert infinite["double"].tolist() == [float("-inf")]


NESTED = signature(
    {
        "type": "object",
        "name": "o",
        "required": True,
        "properties": {
            "d": {"type": "array", "items": {"type": "double"}, "required": False},
            "l": {"type": "long", "required": False},
            "t": {"type": "datetime", "required": False},
            "b": {"type": "boolean", "required": False},
        },
    }
)


@pytest.mark.parametrize("gap", [NAN, "NA", None])
def test_missing_values_in_nested_types(gap: Any) -> None:
    cell = {"d": [1.5, gap], "l": gap, "t": gap, "b": gap}
    (value,) = read(NESTED, {"inputs": [{"o": cell}]}).data["o"]
    assert repr(value) == "{'d': [1.5, nan], 'l': None, 't': None, 'b': None}"


def test_numbers_for_booleans_in_nested_types() -> None:
    for number, flag in ((1, True), (0, False), (1.0, True), (0.0, False)):
        (value,) = read(NESTED, {"inputs": [{"o": {"b": number}}]}).data["o"]
        assert value == {"b": np.bool_(flag)}
    with pytest.raises(InvalidInput, match="a number other than 0 and 1 at b where true or false"):
        read(NESTED, {"inputs": [{"o": {"b": 2}}]})


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ('{"dataframe_records": [{"a": 9007199254740993.0}]}', 9007199254740993),
        ('{"inputs": {"a": [NaN, 1e18]}}', None),
        ('{"inputs": [9.223372036854775e18]}', 9223372036854775000),
    ],
)
def test_whole_floats_keep_their_digits(body: str, value: int | None) -> None:
    if value is None:
        with pytest.raises(InvalidInput, match=r"row 0, column 'a': .* found null"):
            read(LONG, body.encode())
    else:
        assert read(LONG, body.encode()).data["a"].tolist() == [value]


@pytest.mark.parametrize("name", ["any", "xany", '"any"'])
def test_the_name_of_a_column_says_nothing_of_its_type(name: str) -> None:
    plain, large = signature(column("long", name)), "18446744073709551616"
    free = signature(column("long", name), {"type": "map", "values": {"type": "any"}, "name": "m"})
    assert (plain.exact_integers, free.exact_integers) == (False, True)
    for declared in (plain, free):
        row = {name: 1} if declared is plain else {name: 1, "m": {}}
        body = json.dumps({"inputs": [row]}).replace(": 1", f": {large}")
        with pytest.raises(InvalidInput, match=r"found an? (number too large|integer beyond 64)"):
            read(declared, body.encode())


def refusal_of(declared: Signature, body: Any, media_type: str = JSON) -> BadRequest:
    with pytest.raises(BadRequest) as refusal:
        read(declared, body, media_type)
    return refusal.value


STOP = [{"name": "stop", "type": "string", "default": None, "shape": [-1]}]
PROMPT = signature(column("string", "text"), column("double", "a", False), params=STOP)
IS_A_PARAM = "'stop' is a param; send it under 'params'"


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        ({"inputs": {"text": ["hi"], "stop": ["x", "y"]}}, JSON),
        ({"inputs": [{"text": "hi", "stop": ["x", "y"]}]}, JSON),
        ({"instances": [{"text": "hi", "stop": ["x", "y"]}]}, JSON),
        ({"dataframe_records": [{"text": "hi", "stop": "x"}]}, JSON),
        ({"dataframe_split": {"columns": ["text", "stop"], "data": [["hi", "x"]]}}, JSON),
        (b"text,stop\nhi,x\n", CSV),
        (parquet(pd.DataFrame({"text": ["hi"], "stop": ["x"]})), PARQUET),
    ],
)
def test_params_among_the_columns(body: Any, media_type: str) -> None:
    error = refusal_of(PROMPT, body, media_type)
    assert error.message == f"{IS_A_PARAM}. The model takes: 'text', 'a'"
    assert error.details == [{"column": "stop", "found": "a param"}]


def test_params_beside_the_form() -> None:
    error = refusal_of(PROMPT, {"inputs": [{"text": "hi"}], "stop": ["x"]})
    assert error.message == IS_A_PARAM


def test_a_column_may_be_named_as_a_param_is() -> None:
    both = signature(column("string", "stop"), params=STOP)
    payload = read(both, {"inputs": {"stop": ["a", "b"]}})
    assert payload.data["stop"].tolist() == ["a", "b"]


def test_all_faults_of_a_body_are_told_at_once() -> None:
    row = {"a": "x", "Text": "hi", "stop": ["x"], "zzz": 1}
    error = refusal_of(PROMPT, {"dataframe_records": [row], "params": {"stopp": 1}})
    assert [tuple(detail.values())[:2] for detail in error.details] == [
        ("text", "text"),
        ("stop", "a param"),
        ("Text", "a column that the model does not take"),
        ("zzz", "a column that the model does not take"),
        (0, "a"),
        ("stopp", "a param that the model does not take"),
    ]
    assert error.message == (
        "missing columns: 'text'; 'stop' is a param; send it under 'params'; unknown columns: "
        "'Text' (did you mean 'text'?), 'zzz'; row 0, column 'a': expected a number (64-bit "
        "float), found text. The model takes: 'text', 'a'; unknown param 'stopp', did you mean "
        "'stop'. The model takes: 'stop'"
    )


def test_all_faults_of_tensors_are_told_at_once() -> None:
    declared = signature(tensor("float64", -1, name="x"), tensor("int64", -1, name="n"))
    error = refusal_of(declared, {"inputs": {"x": ["q"], "N": [1]}})
    assert error.message == (
        "tensors: missing 'n', unknown 'N' (did you mean 'n'?). The model takes: 'x', 'n'; "
        "tensor 'x' at [0]: expected a number of type float64, found text"
    )


@pytest.mark.parametrize(
    "body",
    [
        b"Ort,Menge\nBonn,1\n",
        b"ORT,menge\nBonn,1\n",
        b' ort," menge"\nBonn,1\n',
    ],
)
def test_a_csv_header_in_other_letters(body: bytes) -> None:
    declared = signature(column("string", "ort"), column("long", "menge"))
    error = refusal_of(declared, body, CSV)
    assert "(did you mean 'ort'" in error.message
    assert error.details[0] == {"column": "ort", "expected": "text", "found": "nothing"}


@pytest.mark.parametrize("media_type", [CSV, JSON])
def test_a_name_in_another_unicode_normalisation(media_type: str) -> None:
    declared, name = signature(column("double", "caf\u00e9")), "cafe\u0301"
    body: Any = f"{name}\n1\n".encode() if media_type == CSV else {"inputs": [{name: 1}]}
    said = "(did you mean 'caf\u00e9', written in another Unicode normalisation?)"
    assert said in refusal_of(declared, body, media_type).message


def test_row_names_of_r_without_a_signature() -> None:
    rows = [{"a": 1, "_row": "x"}, {"b": 2.5, "_row": "y"}]
    frame = read(UNTYPED, {"dataframe_records": rows}).data
    pd.testing.assert_frame_equal(frame, pd.DataFrame({"a": [1, NAN], "b": [NAN, 2.5]}))
    rows = [{"a": 1, "_row": "x"}, {"a": 2, "_row": "y"}]
    assert read(UNTYPED, {"inputs": rows}).data == [{"a": np.array(1)}, {"a": np.array(2)}]
    assert list(read(UNTYPED, {"instances": rows}).data) == ["a"]


def test_row_names_that_the_model_takes() -> None:
    declared = signature(column("string", "_row"), column("long", "a"))
    frame = read(declared, {"dataframe_records": [{"_row": "x", "a": 1}]}).data
    assert frame["_row"].tolist() == ["x"]


def test_only_row_names() -> None:
    error = refusal_of(LONG, {"dataframe_records": [{"_row": "x"}]})
    assert error.message == "missing columns: 'a'. The model takes: 'a'"


CHAT = signature(
    {"type": "array", "name": "messages", "items": {"type": "any"}, "required": True},
    column("double", "temperature", required=False),
    column("long", "n", required=False),
    params=COUNT,
)
HINT = signature(column("long"), from_type_hint=True)
CHAT_FORMS = f"'messages', {FORMS}"
ONE_OF = f"the body must have exactly one of {FORMS}"
ONE_OF_CHAT = f"the body must have exactly one of {CHAT_FORMS}"


def test_a_chat_with_nulls_and_params() -> None:
    body = {"messages": ["hi"], "temperature": None, "n": 2, "count": 5, "params": {"count": 6}}
    payload = read(CHAT, body)
    assert payload.data == {"messages": ["hi"], "n": 2}
    assert (payload.params, payload.wrapped) == ({"count": 6}, False)


@pytest.mark.parametrize(
    ("declared", "body", "message"),
    [
        (CHAT, {"messages": ["hi"], "params": {"temperature": 1}},
         "unknown param 'temperature'. The model takes: 'count'"),
        (CHAT, {"messages": []}, "the chat is empty: 'messages' has none"),
        (UNTYPED, {"messages": []}, "the chat is empty: 'messages' has none"),
        (CHAT, {"message": ["hi"]}, f"{ONE_OF_CHAT}; it has 'message'. Did you mean 'messages'?"),
        (CHAT, ["hi"], f"the body must be a JSON object with one of {CHAT_FORMS}, not an array. "
         "Send the whole body as the value of 'messages'"),
        (LONG, {"messages": ["hi"]}, f"{ONE_OF}; it has 'messages'"),
        (signature(tensor("float64", -1, name="x")), {"x": [1.5]},
         f"{ONE_OF}; it has 'x'. Send the whole body under 'inputs'"),
        (UNTYPED, {"x": 1}, f"{ONE_OF}; it has 'x'"),
        (HINT, [1], f"the body must be a JSON object with one of {FORMS}, not an array. Send the "
         "values in an array under 'inputs'"),
        (HINT, {"input": [1]}, f"{ONE_OF}; it has 'input'. Send the values in an array under "
         "'inputs'"),
        (HINT, {"inputs": [1], "instances": [1]}, f"{ONE_OF}; it has 'instances', 'inputs'"),
        (LONG, {"inputs": [{"a": 1}], "parms": {"count": 2}},
         "unknown key: 'parms' (did you mean 'params'?)"),
        (LONG, {"a": {"0": 1}}, f"{ONE_OF}; it has 'a'. Have pandas write it with "
         "to_json(orient='split', index=False, date_format='iso'), and send that as the value of "
         "'dataframe_split'"),
    ],
)  # fmt: skip
def test_keys_that_are_no_form(declared: Signature, body: Any, message: str) -> None:
    assert refusal_of(declared, body).message == message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"\x1f\x8b\x08\xff", "the body is gzip data; send the header Content-Encoding: gzip with "
         "it"),
        (b"PK\x03\x04\xff",
         "the body is a ZIP archive, as Excel's workbooks are; save it as CSV (UTF-8), and send "
         "that with the content type text/csv"),
    ],
)  # fmt: skip
def test_what_is_no_csv(body: bytes, message: str) -> None:
    assert refusal_of(TWO, body, CSV).message == message


FORM_TYPE = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("content_type", [FORM_TYPE, CSV, JSON, NDJSON, ""])
@pytest.mark.parametrize(
    "body",
    [
        b"dataframe_records=%5B%5D",
        b"dataframe_records=a&dataframe_records=b",
        b"a=1&b=2",
        b"a=1,5&b=x|y\r\n",
        b"rows[0][a]=1",
        b"%7B%22inputs%22%3A%5B1%5D%7D",
    ],
)
@pytest.mark.parametrize("declared", [TWO, UNTYPED], ids=["signature", "untyped"])
def test_a_form_is_told_how_to_send_json(
    declared: Signature, body: bytes, content_type: str
) -> None:
    with pytest.raises(BadRequest) as refusal:
        format_of(content_type, body).read(body, declared, 1000)
    assert refusal.value.message == f"the body is {A_FORM}"
    for way in ("requests: json=", "httr2: req_body_json()", "JSON.stringify", "--data-binary"):
        assert way in A_FORM


@pytest.mark.parametrize("body", [b"c=1,d\n1,2\n", b"QUJDRA==", b"c,d=1", b"c = 1"])
def test_what_is_no_form(body: bytes) -> None:
    assert refusal_of(TWO, body, CSV).message == dialect.NO_HEADER


def test_a_column_may_be_named_as_in_a_form() -> None:
    declared = signature(column("long", "a=b"))
    assert read(declared, b"a=b\n1\n", CSV).data["a=b"].tolist() == [1]
    assert refusal_of(declared, b"a=b\n", CSV).message == dialect.ONLY_A_HEADER


@pytest.mark.parametrize("neighbour", ["null", "1.5", "NaN", "-Infinity", "9007199254740993"])
def test_what_a_cell_means_does_not_depend_on_its_neighbours(neighbour: str) -> None:
    for others in ([], [column("any", "x", False)]):
        declared = signature(column("string", "s"), column("double", "n", False), *others)
        body = '{"dataframe_records": [{"s": 12345678901234567890123, "n": null}]}'
        body = body.replace("null", neighbour)
        assert read(declared, body.encode()).data["s"].tolist() == ["12345678901234567890123"]


@pytest.mark.parametrize("neighbour", ["1", "9007199254740993.0"])
def test_a_whole_float_is_a_float_in_other_columns(neighbour: str) -> None:
    body = b'{"inputs": [{"n": null, "s": 1e17}]}'.replace(b"null", neighbour.encode())
    with pytest.raises(InvalidInput, match="column 's': expected text, found a number"):
        read(signature(column("long", "n"), column("string", "s")), body)
    frame = read(signature(column("long", "n"), column("any", "s")), body).data
    assert (str(frame["s"].dtype), frame["s"].tolist()) == ("float64", [1e17])
    nested = signature(
        column("long", "n"), {"type": "map", "values": column("double"), "name": "s"}
    )
    (value,) = read(nested, body.replace(b"1e17", b'{"k": 1e17}')).data["s"]
    assert value == {"k": 1e17}


def test_whole_floats_beside_others() -> None:
    body = b'{"inputs": {"a": [1.0, 9007199254740993.0, 2, 1e18]}}'
    assert read(LONG, body).data["a"].tolist() == [1, 9007199254740993, 2, 10**18]
    params = b'{"inputs": [1], "params": {"count": 9007199254740993.0}}'
    assert read(LONG, params).params == {"count": 9007199254740993}


RATE = [{"name": "rate", "type": "double", "default": 1.0, "shape": None}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_nan_among_params_in_every_encoding(encoding: str) -> None:
    declared = signature(column("double", "a"), params=RATE)
    body = '{"inputs": {"a": [1.0]}, "params": {"rate": NaN}}'.encode(encoding)
    assert repr(read(declared, body).params) == "{'rate': nan}"


def test_params_among_tensors() -> None:
    declared = signature(tensor("float64", -1, name="x"), params=RATE)
    said = "'rate' is a param; send it under 'params'"
    for body in (
        {"inputs": {"x": [1.0], "rate": 2.0}},
        {"instances": [{"x": 1.0, "rate": 2.0}]},
        {"dataframe_split": {"columns": ["x", "rate"], "data": [[1.0, 2.0]]}},
    ):
        assert refusal_of(declared, body).message == said


def test_an_object_param_is_handed_on_as_it_was_read() -> None:
    kinds = {"x": "long", "t": "datetime", "b": "boolean", "d": "datetime"}
    properties = {name: {"type": kind, "required": False} for name, kind in kinds.items()}
    properties["l"] = {"type": "array", "items": {"type": "long"}, "required": False}
    spec = {"name": "o", "type": "object", "default": {"x": 1}, "shape": None}
    declared = signature(column("double", "a"), params=[spec | {"properties": properties}])
    sent = {"x": 5.0, "t": "NA", "b": 1, "d": "2024-01-02", "l": [1.0]}
    payload = read(declared, {"inputs": [1.5], "params": {"o": sent}})
    read_object = "{'x': 5, 't': None, 'b': True, 'd': '2024-01-02', 'l': [1]}"
    assert repr((payload.params or {})["o"]) == read_object


def test_defaults_of_params_are_not_shared() -> None:
    spec = [{"name": "w", "type": "double", "default": [1.0], "shape": [-1]}]
    declared = signature(column("double", "a"), params=spec)
    for _ in range(2):
        params = read(declared, {"inputs": [1.5]}).params or {}
        assert params == {"w": [1.0]}
        params["w"].append(2.0)


@pytest.mark.parametrize(
    ("name", "body"),
    [("Unnamed: 0", b",a\n5,6\n"), ("", b",a\n5,6\n"), ("", b"a,\n6,5\n")],
)
def test_a_nameless_csv_column_that_the_model_takes(name: str, body: bytes) -> None:
    declared = signature(column("long", name), column("long", "a"))
    assert read(declared, body, CSV).data.iloc[0].to_dict() == {name: 5, "a": 6}


@pytest.mark.parametrize("decimals", range(1, 10))
@pytest.mark.parametrize("offset", ["", "Z", "+02:00", "-0500"])
def test_decimals_of_a_second(decimals: int, offset: str) -> None:
    declared = signature(column("datetime", "t"))
    text = f"2024-01-31T12:00:00.{'123456789'[:decimals]}{offset}"
    moment = pd.Timestamp(text)
    expected = moment.tz_convert(None) if moment.tz else moment
    assert read(declared, {"inputs": [text]}).data["t"].tolist() == [expected]
    with pytest.raises(InvalidInput, match="a time finer than nanoseconds"):
        read(declared, {"inputs": [f"2024-01-31T12:00:00.1234567891{offset}"]})


def test_keys_that_look_like_constants() -> None:
    declared = signature(column("any", "NaN"), column("any", "0.0"))
    body = b'{"dataframe_records": [{"NaN": 1.5, "0.0": NaN}]}'
    assert read(declared, body).data["NaN"].tolist() == [1.5]
    twice = b'{"dataframe_records": [{"NaN": 1.5, "NaN": NaN}]}'
    assert refusal_of(declared, twice).message == "the key 'NaN' is given twice in one JSON object"


def test_row_names_of_r_in_nested_records() -> None:
    (value,) = read(NESTED, {"inputs": [{"o": {"l": 1, "_row": "x"}}]}).data["o"]
    assert value == {"l": 1}


def test_many_bad_cells_are_not_counted_and_of_each_column_some_are_told() -> None:
    body = {"dataframe_records": [{"a": "x", "b": "x"}] * 30}
    fault = refusal_of(DOUBLES, body)
    assert fault.message.endswith("found text (and more: details has 20 of them)")
    places = [(detail["row"], detail["column"]) for detail in fault.details]
    assert places == [(row, name) for row in range(10) for name in ("a", "b")]
