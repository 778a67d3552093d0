"""Missing values in what a model gets: where they are, and the rows with and without them."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelserver.reading.signatures.compiling import compile_signature
from modelserver.reading.signatures.signature import Signature
from modelserver.scoring.blaming.gaps import find_gaps


def signature(*inputs: dict[str, Any]) -> Signature:
    return compile_signature({"inputs": json.dumps(inputs)}, from_type_hint=False)


def tensor(dtype: str, *shape: int, name: str | None = None) -> dict[str, Any]:
    spec = {"type": "tensor", "tensor-spec": {"dtype": dtype, "shape": shape}}
    return spec | ({"name": name} if name else {})


COLUMNS = signature(
    {"name": "n", "type": "long"},
    {"name": "x", "type": "double"},
    {"name": "o", "type": "long", "required": False},
    {"name": "b", "type": "boolean"},
)


def table(**columns: list[Any]) -> pd.DataFrame:
    full = {"n": [1, 2, 3], "x": [0.5, 1.5, 2.5], "o": [1, 2, 3], "b": [True, False, True]}
    return pd.DataFrame(full | columns)


@pytest.mark.parametrize("frame", [table(), table(o=[None, 2.0, 3.0]), table().drop(columns="o")])
def test_no_gaps_that_count(frame: pd.DataFrame) -> None:
    assert find_gaps(COLUMNS, frame) is None


def test_rows_are_parted_and_typed_as_without_gaps() -> None:
    frame = table(x=[0.5, None, 2.5], b=[True, None, False], o=[1.0, None, 3.0])
    gaps = find_gaps(COLUMNS, frame)
    assert gaps is not None
    assert gaps.where == "'x', 'b'"
    assert [(fault["row"], fault["column"]) for fault in gaps.details] == [(1, "x"), (1, "b")]
    assert gaps.rows["n"].tolist() == [2]
    pd.testing.assert_frame_equal(
        gaps.other_rows, table().iloc[[0, 2]].reset_index(drop=True).assign(b=[True, False])
    )


def test_columns_without_names() -> None:
    unnamed = signature({"type": "double"}, {"type": "double"})
    gaps = find_gaps(unnamed, pd.DataFrame([[1.0, np.nan]]))
    assert gaps is not None
    assert (gaps.where, gaps.other_rows) == ("1", None)


def test_no_more_than_twenty_are_listed() -> None:
    gaps = find_gaps(COLUMNS, pd.concat([table(x=[None] * 3)] * 20, ignore_index=True))
    assert gaps is not None
    assert len(gaps.details) == 20


def test_tensors() -> None:
    two = signature(tensor("float64", -1, 2, name="x"), tensor("int64", -1, name="n"))
    data = {"x": np.array([[1, np.nan], [3, 4]]), "n": np.array([1, 2])}
    gaps = find_gaps(two, data)
    assert gaps is not None
    assert (gaps.where, gaps.details[0]["index"]) == ("'x'", [0, 1])
    assert (gaps.rows["n"].tolist(), gaps.other_rows["x"].tolist()) == ([1], [[3.0, 4.0]])
    assert find_gaps(two, {"x": np.ones((1, 2)), "n": np.array([1])}) is None


@pytest.mark.parametrize(
    ("declared", "array", "expected"),
    [
        ([tensor("float64", 2)], np.array([1, np.nan]), "a number of type float64"),
        ([tensor("object", 2)], np.array([1, None], dtype=object), "a value"),
    ],
)
def test_tensors_that_have_no_rows(declared: Any, array: Any, expected: str) -> None:
    gaps = find_gaps(signature(*declared), array)
    assert gaps is not None
    assert (gaps.where, gaps.rows, gaps.other_rows) == ("the tensor", None, None)
    assert gaps.details[0]["expected"] == expected


def test_tensors_of_different_lengths() -> None:
    two = signature(tensor("float64", -1, name="x"), tensor("float64", -1, name="y"))
    gaps = find_gaps(two, {"x": np.array([np.nan]), "y": np.ones(2)})
    assert gaps is not None
    assert gaps.rows is None
