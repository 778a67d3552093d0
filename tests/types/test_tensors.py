"""Tensor signatures: nested arrays and tables to NumPy arrays, or which element is wrong."""

from datetime import date, datetime
from typing import Any

import numpy as np
import pytest

from modelserver.errors import InvalidInput
from modelserver.types.tables import Table
from modelserver.types.tensors import Tensor, read_instances, read_tensors, tensors_from_table

NAN = float("nan")


def tensor(dtype: str, *shape: int, name: str | None = None) -> Tensor:
    spec = {"type": "tensor", "name": name, "tensor-spec": {"dtype": dtype, "shape": list(shape)}}
    return Tensor.compile(spec)


def ragged(*items: Any) -> Any:
    array = np.empty(len(items), object)
    array[:] = items
    return array


READ: list[tuple[str, Tensor, Any, Any]] = [
    ("doubles", tensor("float64", -1, 2), [[1, 2.5]], np.array([[1, 2.5]])),
    ("nulls", tensor("float64", -1), [1, None], np.array([1, NAN])),
    ("text numbers", tensor("float32", -1), ["1", 2], np.array([1, 2], np.float32)),
    ("half floats", tensor("float16", -1), [0.5], np.array([0.5], np.float16)),
    ("longs", tensor("int64", -1), [2**63 - 1, 1], np.array([2**63 - 1, 1])),
    ("bytes of images", tensor("uint8", -1, 1, 2), [[[0, 255]]], np.array([[[0, 255]]], np.uint8)),
    ("unsigned", tensor("uint64", -1), [2**64 - 1], np.array([2**64 - 1], np.uint64)),
    ("booleans", tensor("bool", -1), [True, 0], np.array([True, False])),
    ("texts", tensor("str", -1), ["a", "long"], np.array(["a", "long"])),
    ("text integers", tensor("str", -1), [1, 2], np.array(["1", "2"])),
    ("dates", tensor("datetime64[ns]", -1), ["2024-01-02"], np.array(["2024-01-02"], "M8[ns]")),
    ("bytes", tensor("bytes", -1), ["ab"], np.array([b"ab"])),
    ("objects", tensor("object", -1), [1, "a"], np.array([1, "a"], object)),
    ("ragged objects", tensor("object", -1), [[1], [2, 3]], ragged([1], [2, 3])),
    ("objects of two levels", tensor("object", -1), [[1], [2]], np.array([[1], [2]], object)),
    ("scalar", tensor("float64"), 5, np.array(5.0)),
]


@pytest.mark.parametrize(
    ("declared", "value", "expected"), [row[1:] for row in READ], ids=[row[0] for row in READ]
)
def test_nested_arrays(declared: Tensor, value: Any, expected: Any) -> None:
    np.testing.assert_array_equal(declared.read(value), expected, strict=True)


def nested(levels: int) -> Any:
    return [nested(levels - 1)] if levels else 1


DOUBLE = "a number of type float64"

REFUSED: list[tuple[str, Tensor, Any, str, Any]] = [
    (
        "shape",
        tensor("float64", -1, 2),
        [[1, 2, 3]],
        "the tensor: expected shape (-1, 2), found (1, 3)",
        [{"tensor": None, "expected": "(-1, 2)", "found": "(1, 3)"}],
    ),
    (
        "levels",
        tensor("float64", -1, name="x"),
        1,
        "tensor 'x': expected shape (-1,), found ()",
        [{"tensor": "x", "expected": "(-1,)", "found": "()"}],
    ),
    (
        "element",
        tensor("float64", -1, 2, name="x"),
        [[1, 2], [3, "a"]],
        f"tensor 'x' at [1, 1]: expected {DOUBLE}, found text",
        [{"tensor": "x", "index": [1, 1], "expected": DOUBLE, "found": "text"}],
    ),
    (
        "elements",
        tensor("int32", -1),
        [0.5, 1, 2**31],
        "the tensor at [0]: expected a number of type int32, found a number with a fraction "
        "(and 1 more: details has all of them)",
        [
            {"tensor": None, "index": [place], "expected": "a number of type int32", "found": found}
            for place, found in [
                (0, "a number with a fraction"),
                (2, "an integer beyond 32 bits"),
            ]
        ],
    ),
    (
        "null for text",
        tensor("str", -1),
        ["a", None],
        "the tensor at [1]: expected text, found null",
        [{"tensor": None, "index": [1], "expected": "text", "found": "null"}],
    ),
    (
        "object",
        tensor("float64", -1),
        {},
        f"the tensor at []: expected {DOUBLE}, found an object",
        [{"tensor": None, "index": [], "expected": DOUBLE, "found": "an object"}],
    ),
    (
        "ragged",
        tensor("float64", -1, 2),
        [[1, 2], [3]],
        "the tensor is ragged: [1] holds 1 values, [0] holds 2 values",
        (),
    ),
    (
        "ragged below",
        tensor("float64", -1, 2, 2),
        [[[1], [2]], [[1], 2]],
        "the tensor is ragged: [1, 1] holds a single value, [1, 0] holds 1 values",
        (),
    ),
    (
        "deep",
        tensor("float64", -1),
        nested(66),
        "the tensor is nested too deeply",
        (),
    ),
    (
        "bytes",
        tensor("bytes", -1, name="x"),
        ["ü"],
        "tensor 'x': the values are not of type bytes",
        (),
    ),
    (
        "bytes null",
        tensor("bytes", -1),
        ["a", None],
        "the tensor: the values are not of type bytes",
        (),
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("declared", "value", "message", "details"),
    [row[1:] for row in REFUSED],
    ids=[row[0] for row in REFUSED],
)
def test_refused_arrays(declared: Tensor, value: Any, message: str, details: Any) -> None:
    with pytest.raises(InvalidInput) as refusal:
        declared.read(value)
    assert (refusal.value.message, refusal.value.details) == (message, details)


ONE = (tensor("float64", -1, 2),)
NAMED = (tensor("float64", -1, 2, name="x"),)
TWO = (*NAMED, tensor("int64", -1, name="n"))
IMAGE = (tensor("uint8", -1, 2, 2),)
X, N = np.array([[1.0, 2.0]]), np.array([3])


def test_inputs_of_an_unnamed_tensor() -> None:
    np.testing.assert_array_equal(read_tensors(ONE, [[1, 2]]), X, strict=True)


@pytest.mark.parametrize(
    ("tensors", "value", "expected"),
    [
        (NAMED, [[1, 2]], {"x": X}),
        (NAMED, {"x": [[1, 2]]}, {"x": X}),
        (TWO, {"n": [3], "x": [[1, 2]]}, {"x": X, "n": N}),
    ],
    ids=["one, bare", "one, by name", "two"],
)
def test_inputs_of_named_tensors(tensors: Any, value: Any, expected: dict[str, Any]) -> None:
    arrays = read_tensors(tensors, value)
    assert list(arrays) == list(expected)
    np.testing.assert_equal(arrays, expected)


@pytest.mark.parametrize(
    ("tensors", "value", "expected"),
    [
        (ONE, [[1, 2]], X),
        (TWO, [{"x": [1, 2], "n": 3}], {"x": X, "n": N}),
        (TWO, {"x": [[1, 2]], "n": [3]}, {"x": X, "n": N}),
    ],
    ids=["arrays", "objects", "columns"],
)
def test_instances(tensors: Any, value: Any, expected: Any) -> None:
    np.testing.assert_equal(read_instances(tensors, value), expected)


@pytest.mark.parametrize(
    ("tensors", "table", "expected"),
    [
        (ONE, Table(["a", "b"], 1, rows=[[1, 2]]), X),
        (ONE, Table(["a"], 1, columns=[[[1, 2]]]), X),
        (TWO, Table(["n", "x"], 1, columns=[np.array([3]), [[1, 2]]]), {"x": X, "n": N}),
        (
            IMAGE,
            Table(["pixels"], 1, columns=[[[1, 2, 3, 4]]]),
            np.array([[[1, 2], [3, 4]]], np.uint8),
        ),
    ],
    ids=["column per element", "one column", "columns by name", "flat rows"],
)
def test_tables(tensors: Any, table: Table, expected: Any) -> None:
    np.testing.assert_equal(tensors_from_table(tensors, table), expected)


@pytest.mark.parametrize(
    ("read", "tensors", "value", "message"),
    [
        (
            read_tensors,
            ONE,
            {"x": 1},
            "the model takes one unnamed tensor: send an array, not an object",
        ),
        (read_tensors, TWO, [1], "expected an object of tensors by name, found an array"),
        (
            read_tensors,
            TWO,
            {"x": [[1, 2]], "y": 1},
            "tensors: missing 'n', unknown 'y'. The model takes: 'x', 'n'",
        ),
        (
            read_instances,
            TWO,
            [{"x": 1}, {"y": 1}],
            "row 1 of 'instances' has other keys than row 0",
        ),
        (read_instances, ONE, [], "the tensor is empty"),
        (read_tensors, NAMED, {"x": [[], []]}, "tensor 'x' is empty"),
        (read_instances, TWO, [{"x": 1}, 1], "row 1 of 'instances' has other keys than row 0"),
        (tensors_from_table, ONE, Table(["a"], 0, rows=[]), "the table is empty: it has no rows"),
        (
            tensors_from_table,
            NAMED,
            Table(["y"], 1, columns=[[1]]),
            "tensors: missing 'x', unknown 'y'. The model takes: 'x'",
        ),
        (
            tensors_from_table,
            IMAGE,
            Table(["pixels"], 1, columns=[[[1, 2, 3]]]),
            "the tensor: each row must hold 4 values, see its shape",
        ),
        (
            tensors_from_table,
            (tensor("float64", -1, -1, name="x"),),
            Table(["x"], 1, columns=[[1]]),
            "tensor 'x' of shape (-1, -1) cannot be sent as a table; use 'inputs'",
        ),
        (
            tensors_from_table,
            (tensor("float64", name="x"),),
            Table(["x"], 1, columns=[[1]]),
            "tensor 'x' of shape () cannot be sent as a table; use 'inputs'",
        ),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_refused_tensors(read: Any, tensors: Any, value: Any, message: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read(tensors, value)
    assert refusal.value.message == message


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        ("M8[D]", ["2024-01-02T03:04"]),
        ("M8[s]", ["2024-01-02T03:04:05.5"]),
        ("M8[ms]", [1704067200000]),
        ("M8[us]", [1704067200000.5]),
        ("<U3", ["abcd"]),
        ("S3", ["abcd"]),
        ("S", [1.5]),
        ("S", [True]),
        ("S", [{"a": 1}]),
        ("complex64", [1e300]),
        ("complex128", ["1_0"]),
        ("bool", [True, None]),
        ("bool", ["NA"]),
    ],
)
def test_nothing_is_cut_or_made_up(dtype: str, value: Any) -> None:
    with pytest.raises(InvalidInput):
        tensor(dtype, -1).read(value)


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        ("M8[D]", ["2024-01-02"], [date(2024, 1, 2)]),
        ("M8[s]", ["2024-01-02T03:04:05+01:00", None], [datetime(2024, 1, 2, 2, 4, 5), None]),
        ("<U3", ["abc", "a"], ["abc", "a"]),
        ("S3", ["abc", b"a"], [b"abc", b"a"]),
        ("complex64", [1, 0.5], [1, 0.5]),
    ],
)
def test_what_a_fixed_width_holds(dtype: str, value: Any, expected: Any) -> None:
    assert tensor(dtype, -1).read(value).tolist() == expected
