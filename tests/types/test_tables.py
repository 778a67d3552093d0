"""Decoded JSON to tables: names and cells as they were sent, or which row or column is wrong."""

from collections.abc import Callable
from typing import Any

import pytest

from modelserver.errors import BadRequest
from modelserver.types.tables import Table, read_columns, read_records, read_rows, read_split

TABLES: list[tuple[str, Callable[[], Table], Table]] = [
    (
        "split",
        lambda: read_split({"columns": ["a", "b"], "data": [[1, 2], [3, 4]]}),
        Table(["a", "b"], 2, rows=[[1, 2], [3, 4]]),
    ),
    (
        "split with index",
        lambda: read_split({"columns": ["a"], "data": [[1]], "index": ["x"]}),
        Table(["a"], 1, rows=[[1]], index=["x"]),
    ),
    (
        "split without columns",
        lambda: read_split({"data": [[1, 2]], "index": None}),
        Table(range(2), 1, rows=[[1, 2]], named=False),
    ),
    (
        "split of scalars",
        lambda: read_split({"columns": ["a"], "data": [1, None]}),
        Table(["a"], 2, columns=[[1, None]]),
    ),
    (
        "split without rows",
        lambda: read_split({"columns": [7], "data": []}),
        Table([7], 0, rows=[]),
    ),
    (
        "records",
        lambda: read_records([{"a": 1, "b": 2}, {"b": 4, "a": 3}]),
        Table(["a", "b"], 2, rows=[(1, 2), (3, 4)]),
    ),
    (
        "records of one column",
        lambda: read_records([{"a": 1}, {"a": 2}]),
        Table(["a"], 2, columns=[[1, 2]]),
    ),
    (
        "records with gaps",
        lambda: read_records([{"a": 1}, {"b": 2, "a": 3}]),
        Table(["a", "b"], 2, columns=[[1, 3], [None, 2]]),
    ),
    ("records without keys", lambda: read_records([{}, {}]), Table([], 2, columns=[])),
    ("no records", lambda: read_records([]), Table(range(0), 0, rows=[], named=False)),
    (
        "records that are rows",
        lambda: read_records([[1, 2]]),
        Table(range(2), 1, rows=[[1, 2]], named=False),
    ),
    (
        "rows that are scalars",
        lambda: read_rows("inputs", [1, "a"], None),
        Table([0], 2, columns=[[1, "a"]], named=False),
    ),
    (
        "columns",
        lambda: read_columns("inputs", {"a": [1, 2], "b": 3}),
        Table(["a", "b"], 2, columns=[[1, 2], [3, 3]]),
    ),
    ("scalars", lambda: read_columns("inputs", {"a": 1}), Table(["a"], 1, columns=[[1]])),
]


@pytest.mark.parametrize(
    ("read", "table"), [row[1:] for row in TABLES], ids=[row[0] for row in TABLES]
)
def test_tables(read: Callable[[], Table], table: Table) -> None:
    assert read() == table


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        (Table(["a", "b"], 2, rows=[[1, 2], [3, 4]]), [(1, 3), (2, 4)]),
        (Table(["a", "b"], 0, rows=[]), [(), ()]),
        (Table(["a"], 1, columns=[[1]]), [[1]]),
    ],
    ids=["rows", "no rows", "columns"],
)
def test_cells_column_by_column(table: Table, columns: Any) -> None:
    assert table.by_column() == columns


def sparse(rows: int) -> Table:
    """A first row with a thousand keys, and others without any."""
    return read_records([{str(key): 0 for key in range(1000)}, *[{}] * (rows - 1)])


def repeated(values: int, rows: int) -> Table:
    """Single values beside a column."""
    return read_columns("inputs", {"a": [0] * rows, **{str(value): 0 for value in range(values)}})


@pytest.mark.parametrize(
    ("accepted", "refused", "message"),
    [
        (
            lambda: sparse(1010),
            lambda: sparse(1011),
            "the rows of 'dataframe_records' have too many different keys",
        ),
        (
            lambda: repeated(1000, rows=1000),
            lambda: repeated(101, rows=9901),
            "too many single values beside the columns of 'inputs'",
        ),
    ],
    ids=["keys", "single values"],
)
def test_a_small_body_may_not_stand_for_a_huge_table(
    accepted: Callable[[], Table], refused: Callable[[], Table], message: str
) -> None:
    assert accepted().length >= 1000
    with pytest.raises(BadRequest) as refusal:
        refused()
    assert refusal.value.message == message


def split(**parts: Any) -> Callable[[], Table]:
    return lambda: read_split(parts)


LABELS = "labels are single values, or arrays of as many single values each"

REFUSED: list[tuple[Callable[[], Table], str]] = [
    (lambda: read_split([1]), "'dataframe_split' must be an object, not an array"),
    (
        split(columns=[]),
        "'dataframe_split' takes 'data' and optionally 'columns' and 'index'; it has 'columns'",
    ),
    (
        split(),
        "'dataframe_split' takes 'data' and optionally 'columns' and 'index'; it has nothing",
    ),
    (
        split(data=[], rows=[]),
        "'dataframe_split' takes 'data' and optionally 'columns' and 'index'; "
        "it has 'data', 'rows'",
    ),
    (split(data=None), "'data' in 'dataframe_split' must be an array, not null"),
    (split(data=[], columns="a"), "'columns' in 'dataframe_split' must be an array, not text"),
    (split(data=[], columns=0), "'columns' in 'dataframe_split' must be an array, not an integer"),
    (split(data=[], columns={}), "'columns' in 'dataframe_split' must be an array, not an object"),
    (split(data=[], index=False), "'index' in 'dataframe_split' must be an array, not a boolean"),
    (split(data=[], index=""), "'index' in 'dataframe_split' must be an array, not text"),
    (
        split(data=[[1]], columns=["a"], index=[1, 2]),
        "'index' in 'dataframe_split' has 2 labels for 1 rows",
    ),
    (
        split(data=[[1], [2]], columns=["a"], index=["x", [1, 2]]),
        f"label 1 of 'index' in 'dataframe_split' is an array: {LABELS}",
    ),
    (
        split(data=[[1]], columns=["a"], index=[[]]),
        f"label 0 of 'index' in 'dataframe_split' is an array: {LABELS}",
    ),
    (
        split(data=[[1], [2]], columns=["a"], index=[["x", 1], ["y", {}]]),
        f"label 1 of 'index' in 'dataframe_split' is an array: {LABELS}",
    ),
    (
        split(data=[[1]], columns=["a"], index=[{}]),
        f"label 0 of 'index' in 'dataframe_split' is an object: {LABELS}",
    ),
    (split(data=[[1]], columns=[None]), "the name of column 0 is null, not text"),
    (split(data=[[1, 2]], columns=["a", True]), "the name of column 1 is a boolean, not text"),
    (split(data=[[1, 2]], columns=["a", "a"]), "columns given twice: 'a'"),
    (split(data=[[1, 2]], columns=["a"]), "row 0 of 'dataframe_split' has 2 cells, expected 1"),
    (
        split(data=[[1, 2], [1]], columns=["a", "b"]),
        "row 1 of 'dataframe_split' has 1 cells, expected 2",
    ),
    (split(data=[[1], 2]), "row 1 of 'dataframe_split' is an integer, not an array"),
    (split(data=[1], columns=["a", "b"]), "row 0 of 'dataframe_split' is an integer, not an array"),
    (split(data=[{"a": 1}]), "row 0 of 'dataframe_split' is an object"),
    (split(data=[1, [2]]), "row 1 of 'dataframe_split' is an array"),
    (
        lambda: read_records({"a": 1}),
        "'dataframe_records' must be an array of objects, not an object",
    ),
    (lambda: read_records([{}, 2]), "row 1 of 'dataframe_records' is an integer, not an object"),
    (
        lambda: read_records([{"a": 1}, {"b": 1}], "instances", same_keys=True),
        "row 1 of 'instances' has other keys than row 0",
    ),
    (
        lambda: read_columns("inputs", {"a": [1], "b": [1, 2], "c": 1}),
        "the columns of 'inputs' have different lengths: 'a' 1, 'b' 2",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("read", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_refused_tables(read: Callable[[], Table], message: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        read()
    assert refusal.value.message == message
