"""Columns of plain numbers out of rows, and what is left to the converters."""

from typing import Any

import numpy as np
import pytest

from modelserver.blocks import number_columns

TYPES = ["double", "string", "long", "double", "long"]
ORDER: list[int | None] = [4, 3, 2, 1, 0]


def columns(rows: list[Any], order: list[int | None] = ORDER) -> dict[int, tuple[str, list[Any]]]:
    found = number_columns(rows, TYPES, order)
    return {place: (str(column.dtype), column.tolist()) for place, column in found.items()}


def test_columns_of_each_type() -> None:
    rows = [[1, 0.5, 2, "a", 1.5], [3, 2, 2**63 - 1, "b", -0.0]]
    assert columns(rows) == {
        0: ("float64", [1.5, -0.0]),
        3: ("float64", [0.5, 2.0]),
        2: ("int64", [2, 2**63 - 1]),
        4: ("int64", [1, 3]),
    }


@pytest.mark.parametrize("cell", [None, "1", [1], 10**400, float("inf")])
def test_doubles_that_need_a_closer_look(cell: Any) -> None:
    assert set(columns([[1, 0.5, 2, "a", cell]])) == {2, 4}


@pytest.mark.parametrize("cell", [None, "1", 1.0, 2**63])
def test_longs_that_need_a_closer_look(cell: Any) -> None:
    assert set(columns([[cell, 0.5, 2, "a", 1.5]])) == {0, 3}


def test_one_column_alone_is_left() -> None:
    assert set(columns([[1, 0.5, 2, "a"]], [None, 3, 2, 1, 0])) == {2, 4}


def test_models_may_change_their_input() -> None:
    found = number_columns([[1, 0.5, 2, "a", 1.5]], TYPES, ORDER)
    assert all(np.asarray(column).flags.writeable for column in found.values())
