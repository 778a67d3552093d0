"""Columns of plain cells out of rows, what is left to the converters, and DataFrames of columns."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelserver.types.fast_blocks import (
    block_of,
    frame_of,
    frame_of_block,
    group_by_type,
    labels_of,
    plain_columns,
)
from modelserver.types.kind import TEXT
from modelserver.types.type_table import KINDS

GROUPS = group_by_type([KINDS[name] for name in ("double", "string", "long", "double", "long")])
ORDER: list[int | None] = [4, 3, 2, 1, 0]


def columns(rows: list[Any], order: list[int | None] = ORDER) -> dict[int, tuple[str, list[Any]]]:
    found = plain_columns(rows, GROUPS, order)
    return {place: (str(column.dtype), column.tolist()) for place, column in found.items()}


def test_columns_of_each_type() -> None:
    rows = [[1, 0.5, 2, "a", 1.5], [3, 2, 2**63 - 1, "b", -0.0]]
    assert columns(rows) == {
        0: ("float64", [1.5, -0.0]),
        3: ("float64", [0.5, 2.0]),
        2: ("int64", [2, 2**63 - 1]),
        4: ("int64", [1, 3]),
    }


@pytest.mark.parametrize("cell", ["1", [1], 10**400])
def test_doubles_that_need_a_closer_look(cell: Any) -> None:
    assert set(columns([[1, 0.5, 2, "a", cell]])) == {2, 4}


def test_gaps_among_doubles() -> None:
    assert repr(columns([[1, 0.5, 2, "a", None]])[0]) == "('float64', [nan])"


@pytest.mark.parametrize("cell", [None, "1", 1.0, 2**63])
def test_longs_that_need_a_closer_look(cell: Any) -> None:
    assert set(columns([[cell, 0.5, 2, "a", 1.5]])) == {0, 3}


@pytest.mark.parametrize(
    ("rows", "order", "block"),
    [
        ([[1, 2.5], [3, 4]], [0, 1], [[1.0, 2.5], [3.0, 4.0]]),
        ([[1, 2.5], [3, 4]], [1, 0], [[2.5, 1.0], [4.0, 3.0]]),
        (np.array([[1.0, 2.5]]), [1, 0], [[2.5, 1.0]]),
        ([[1, 2.5]], [0, None], None),
        ([[1, None]], [0, 1], None),
        ([[1, "2"]], [0, 1], None),
        ([[1, 10**400]], [0, 1], None),
        ([[1, float("inf")]], [0, 1], [[1.0, float("inf")]]),
    ],
)
def test_rows_of_numbers_as_one_block(rows: Any, order: list[int | None], block: Any) -> None:
    found = block_of(rows, order)
    assert (None if found is None else found.tolist()) == block


def test_one_column_alone_is_left() -> None:
    assert set(columns([[1, 0.5, 2, "a"]], [None, 3, 2, 1, 0])) == {2, 4}


def test_models_may_change_their_input() -> None:
    found = plain_columns([[1, 0.5, 2, "a", 1.5]], GROUPS, ORDER)
    assert all(np.asarray(column).flags.writeable for column in found.values())


def pair(kind: str, rows: list[list[Any]]) -> list[list[Any]] | None:
    """Two columns of a type, or None where they are left to the converter."""
    found = plain_columns(rows, group_by_type([KINDS[kind]] * 2), [0, 1])
    return [list(column) for column in found.values()] or None


@pytest.mark.parametrize(
    ("kind", "rows", "expected"),
    [
        ("boolean", [[True, False], [False, False]], [[True, False], [False, False]]),
        ("boolean", [[True, 1], [0, False]], [[True, False], [True, False]]),
        ("boolean", [[True, 2]], None),
        ("boolean", [[True, 256]], None),
        ("boolean", [[True, 1.0]], None),
        ("boolean", [[True, None]], None),
        ("string", [["a", "b"], ["c", "d"]], [["a", "c"], ["b", "d"]]),
        ("string", [[1, 2]], [["1"], ["2"]]),
        ("string", [["a", 1]], None),
        ("string", [["a", 1.5]], None),
        ("string", [["a", ["b"]]], None),
        ("datetime", [["2024-01-31", "2024-01-31"]], None),
    ],
)
def test_other_types(kind: str, rows: list[list[Any]], expected: list[list[Any]] | None) -> None:
    assert pair(kind, rows) == expected


TEXTS = pd.Series(["x", "y"], dtype=TEXT).array
OBJECTS = np.array([[1], {"b": 2}], object)
DOUBLES, LONGS, MORE = np.array([0.5, 1.5]), np.array([1, 2]), np.array([2.5, 3.5])


@pytest.mark.parametrize(
    "columns",
    [
        [DOUBLES],
        [DOUBLES, LONGS, TEXTS, MORE, np.array([True, False]), np.array([1, 2], "M8[ns]")],
        [DOUBLES, OBJECTS, MORE],
    ],
)
@pytest.mark.parametrize("labels", [pd.RangeIndex(2), pd.Index(["i", "j"])])
def test_frames(columns: list[Any], labels: "pd.Index[Any]") -> None:
    names = pd.Index(list("abcdef")[: len(columns)])
    frozen = [column.copy() for column in columns]
    for column in frozen:
        if isinstance(column, np.ndarray):
            column.flags.writeable = False
    frame = frame_of(dict(enumerate(frozen)), names, labels)
    expected = pd.DataFrame(dict(zip(names, columns, strict=True)), index=labels)
    pd.testing.assert_frame_equal(frame, expected)
    frame.iloc[0, 0] = 7.0  # models may change their input
    pd.testing.assert_frame_equal(frame.iloc[1:], expected.iloc[1:])
    assert frame.iloc[0, 0] == 7.0


def test_columns_of_one_dtype_are_together_in_memory() -> None:
    frame = frame_of({0: DOUBLES, 1: LONGS, 2: MORE}, pd.Index(list("abc")), pd.RangeIndex(2))
    if hasattr(pd.api, "internals"):
        first, second = (frame[name].to_numpy().ctypes.data for name in "ac")
        assert second - first == DOUBLES.nbytes


def test_the_labels_of_a_table_belong_to_its_frame() -> None:
    for length in (1, 16, 17):
        frame = frame_of_block(np.ones((length, 1)), pd.Index(["a"]), labels_of(None, length))
        pd.testing.assert_frame_equal(frame, pd.DataFrame({"a": np.ones(length)}))
        frame.index.name = "set by a model"
        assert labels_of(None, length).name is None
    pd.testing.assert_index_equal(labels_of(["x", "y"], 2), pd.Index(["x", "y"]))
