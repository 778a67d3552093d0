"""Arrow and Parquet as they are written: columns keep their types."""

import io
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modelserver.scoring.answering.arrow_writer import write_arrow, write_parquet
from modelserver.scoring.answering.tables import NoTable

MOMENT = datetime(2024, 1, 2, 3)


def read_back(column: Any) -> Any:
    """The column, which Arrow and Parquet give back alike."""
    stream = pa.ipc.open_stream(write_arrow({"p": column})).read_all()
    file = pq.read_table(io.BytesIO(write_parquet({"p": column})))
    assert stream == file
    return stream.column("p")


@pytest.mark.parametrize(
    ("column", "arrow_type", "cells"),
    [
        (np.array([1, 2]), pa.int64(), [1, 2]),
        (np.array([1], np.uint8), pa.uint8(), [1]),
        (np.array([0.5, np.nan, np.inf]), pa.float64(), [0.5, None, np.inf]),
        (np.array([0.5], np.float32), pa.float32(), [0.5]),
        (np.array([0.5], np.float16), pa.float32(), [0.5]),
        (np.array([0.5], np.longdouble), pa.float64(), [0.5]),
        (np.array([True]), pa.bool_(), [True]),
        (np.array(["2024-01-02T03"], "M8[ms]"), pa.timestamp("ms"), [MOMENT]),
        (np.array(["2024-01-02"], "M8[D]"), pa.date32(), [date(2024, 1, 2)]),
        (np.array(["a", None], object), pa.string(), ["a", None]),
        (np.array([[1, 2], [3, 4]]), pa.list_(pa.int64()), [[1, 2], [3, 4]]),
        (pd.Series([1, None], dtype="Int64"), pa.int64(), [1, None]),
        (pd.Series(pd.arrays.SparseArray([0, 1])), pa.int64(), [0, 1]),
        ([1, None], pa.int64(), [1, None]),
        ([1, 2.5], pa.float64(), [1.0, 2.5]),
        ([b"a"], pa.binary(), [b"a"]),
        ([Decimal("1.10")], pa.decimal128(3, 2), [Decimal("1.10")]),
        ([[1], [], (2,)], pa.list_(pa.int64()), [[1], [], [2]]),
        ([{"a": 1}, None], pa.struct([("a", pa.int64())]), [{"a": 1}, None]),
        (pd.Series(pd.PeriodIndex(["2024-01", None], freq="M")), pa.string(), ["2024-01", None]),
        (pd.Series(pd.IntervalIndex.from_tuples([(0, 1)])), pa.string(), ["(0, 1]"]),
        ([{UUID(int=1)}], pa.list_(pa.string()), [[str(UUID(int=1))]]),
    ],
    ids=str,
)
def test_types(column: Any, arrow_type: Any, cells: list[Any]) -> None:
    written = read_back(column)
    found = written.type
    assert pa.types.is_large_string(found) or found.equals(arrow_type), found
    assert written.to_pylist() == cells


@pytest.mark.parametrize(
    ("column", "found"),
    [
        ([1, "a"], "values of several types"),
        ([1, 2**63], "an integer beyond 64 bits"),
        ([{"a": [2**70]}], "an integer beyond 64 bits"),
        (["\ud800"], "values of several types"),
    ],
    ids=["mixed", "large", "large within", "text"],
)
def test_a_column_without_one_type(column: list[Any], found: str) -> None:
    with pytest.raises(NoTable, match=f"column 'p' has {found}"):
        write_arrow({"p": column})


@pytest.mark.parametrize("column", [[{}], [[{}], []], [{"a": {}}, None]], ids=str)
def test_objects_without_properties_are_for_arrow_alone(column: list[Any]) -> None:
    stream = pa.ipc.open_stream(write_arrow({"p": column})).read_all()
    assert stream.column("p").to_pylist() == column
    with pytest.raises(NoTable, match="a column has objects without properties"):
        write_parquet({"p": column})


def test_what_contains_itself_does_not_crash_the_process() -> None:
    endless: list[Any] = []
    endless.append({"a": endless})
    with pytest.raises(RecursionError):
        write_parquet({"p": endless})
