"""Parquet files to tables: columns of every type, and files that are damaged or too large."""

import datetime
import io
import json
from collections.abc import Container
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from modelserver.errors import BadRequest, PayloadTooLarge
from modelserver.reading.arrow.parquet_file import read_file
from modelserver.reading.arrow.reader import table_of, untyped_frame
from modelserver.types.kind import TEXT, BadCells
from modelserver.types.tables import Table
from modelserver.types.type_table import KINDS

NAN = float("nan")
LIMIT = 1000
MISSING = pd.Series([None], dtype=TEXT)[0]  # None in pandas 2, NaN in pandas 3


def read_parquet(body: bytes, limit: int, known: Container[str] = ()) -> Table:
    return table_of(read_file(body, limit), known)


def read_untyped_parquet(body: bytes, limit: int) -> pd.DataFrame:
    return untyped_frame(read_file(body, limit))


def file(table: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(table, buffer, **options)
    return buffer.getvalue()


def one(cells: Any) -> bytes:
    """A file of one column."""
    return file(pa.table({"a": cells}))


def pandas_file(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


NS = "M8[ns]"

CONVERTED: list[tuple[str, Any, str, Any]] = [
    ("booleans", pa.array([True, None]), "boolean", [True, None]),
    ("small integers with gap", pa.array([1, None], pa.int8()), "long", [1.0, NAN]),
    ("integers with gap", pa.array([2**53, None]), "long", [2.0**53, NAN]),
    ("integers", pa.array([2**63 - 1]), "long", [2**63 - 1]),
    ("unsigned", pa.array([1], pa.uint64()), "integer", [1]),
    ("floats", pa.array([0.5, None], pa.float32()), "double", [0.5, NAN]),
    ("decimals", pa.array([Decimal("0.1"), None]), "double", [0.1, NAN]),
    ("no type", pa.nulls(2), "double", [NAN, NAN]),
    ("texts", pa.array(["a", None]), "string", ["a", MISSING]),
    ("large texts", pa.array(["a"], pa.large_string()), "string", ["a"]),
    ("dictionary", pa.array(["a", "b", "a"]).dictionary_encode(), "string", ["a", "b", "a"]),
    ("integers as texts", pa.array([1, 2]), "string", ["1", "2"]),
    ("bytes", pa.array([b"a", None]), "binary", [b"a", None]),
    ("bytes of a length", pa.array([b"ab"], pa.binary(2)), "binary", [b"ab"]),
    (
        "dates",
        pa.array([datetime.date(2024, 1, 2), None]),
        "datetime",
        np.array(["2024-01-02", "NaT"], NS),
    ),
    (
        "times of a zone",
        pa.array([0, None], pa.timestamp("ms", "Europe/Berlin")),
        "datetime",
        np.array([0, "NaT"], NS),
    ),
    ("times", pa.array([5], pa.timestamp("us")), "datetime", np.array([5000], NS)),
    ("anything", pa.array([{"x": [1]}]), "any", [{"x": [1]}]),
    ("map", pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())), "any", [{"k": 1}]),
]


@pytest.mark.parametrize(
    ("cells", "kind", "expected"),
    [row[1:] for row in CONVERTED],
    ids=[row[0] for row in CONVERTED],
)
def test_columns(cells: Any, kind: str, expected: Any) -> None:
    [column] = read_parquet(one(cells), LIMIT).by_column()
    assert repr(_plain(KINDS[kind].convert(column, required=False))) == repr(_plain(expected))


def _plain(cells: Any) -> list[Any]:
    return [
        cell.item() if isinstance(cell, (np.number, np.bool_)) else _plain_object(cell)
        for cell in cells
    ]


def _plain_object(cell: Any) -> Any:
    if isinstance(cell, dict):
        return {key: np.asarray(value).tolist() for key, value in cell.items()}
    return cell


REFUSED: list[tuple[str, Any, str, str]] = [
    ("gap beside 2**53 + 1", pa.array([2**53 + 1, None]), "long",
     "an integer too large to stand beside missing values"),
    ("year 9999", pa.array([datetime.datetime(9999, 1, 1)], pa.timestamp("us")), "datetime",
     "a date outside of 1677 to 2262"),
    ("time of a zone for double", pa.array([0], pa.timestamp("us", "UTC")), "double", "a date"),
    ("time of a zone for long", pa.array([0], pa.timestamp("us", "UTC")), "long", "a date"),
    ("duration", pa.array([datetime.timedelta(1)]), "double", "a duration"),
    ("list", pa.array([[1, 2]]), "double", "an array"),
    ("struct", pa.array([{"x": 1}]), "string", "an object"),
    ("bytes for text", pa.array([b"a"]), "string", "bytes"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "kind", "found"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_refused_columns(cells: Any, kind: str, found: str) -> None:
    [column] = read_parquet(one(cells), LIMIT).by_column()
    with pytest.raises(BadCells) as refusal:
        KINDS[kind].convert(column, required=False)
    assert refusal.value.cells == [(0, found)]


@pytest.mark.parametrize(
    ("frame", "names", "index"),
    [
        (pd.DataFrame({"a": [1], "b": ["x"]}), ["a", "b"], None),
        (pd.DataFrame({0: [1], 1: [2]}), [0, 1], None),
        (pd.DataFrame({"a": [1, 2]}, index=["x", "y"]), ["a"], ["x", "y"]),
    ],
    ids=["names", "numbers", "labels"],
)
def test_names_and_labels_are_those_of_pandas(
    frame: pd.DataFrame, names: list[Any], index: Any
) -> None:
    table = read_parquet(pandas_file(frame), LIMIT)
    assert (table.names, table.length) == (names, len(frame))
    assert (None if table.index is None else list(table.index)) == index


LABELLED = pd.DataFrame(
    {"a": [1, 2], "note": ["x", None], "day": pd.to_datetime(["2024-01-02"] * 2)}
)
NUMBERED = pd.DataFrame({0: [1, 2], 1: ["x", None]})
COUNTED = pd.DataFrame({"a": [1, 2]}, index=pd.RangeIndex(5, 7, name="id"))
TWO_LEVELS = LABELLED.set_index(["note", "day"])
NAMELESS = LABELLED.set_index(["note", pd.Index([7, 8])])
DAYS = pd.Index([datetime.date(2024, 1, 2), datetime.date(1, 1, 1)], name="day")

LABELS: list[tuple[str, pd.DataFrame, set[str], list[Any], Any, Any]] = [
    ("known", LABELLED.set_index("note"), {"note", "a"}, ["a", "day", "note"], ["x", None], None),
    ("unknown", LABELLED.set_index("note")[["a"]], {"a"}, ["a"], [1, 2], ["x", None]),
    ("all levels", TWO_LEVELS, {"a", "note", "day"}, ["a", "note", "day"],
     list(LABELLED["day"]), None),
    ("first level", TWO_LEVELS, {"a", "note"}, ["a", "note"], ["x", None], list(LABELLED["day"])),
    ("last level", TWO_LEVELS, {"a", "day"}, ["a", "day"], list(LABELLED["day"]), ["x", None]),
    ("beside a level without name", NAMELESS, {"a", "note", "day"}, ["a", "day", "note"],
     ["x", None], [7, 8]),
    ("integer name", NUMBERED.set_index(1), {"0", "1"}, [0, "1"], ["x", None], None),
    ("a range", COUNTED, {"a", "id"}, ["a", "id"], [5, 6], None),
    ("an unknown range", COUNTED, {"a"}, ["a"], [1, 2], None),
    ("nothing but labels", LABELLED.set_index("note")[[]], {"note"}, ["note"], ["x", None], None),
    ("dates", pd.DataFrame({"a": [1, 2]}, index=DAYS), {"a", "day"}, ["a", "day"], list(DAYS),
     None),
    ("with a column's name", pd.DataFrame({"a": [1, 2]}, index=pd.Index(["x", "y"], name="a")),
     {"a"}, ["a"], [1, 2], ["x", "y"]),
    ("a range with a column's name", COUNTED.rename_axis("a"), {"a"}, ["a"], [1, 2], None),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*non-str index name")
@pytest.mark.parametrize(
    ("frame", "known", "names", "last", "index"),
    [row[1:] for row in LABELS],
    ids=[row[0] for row in LABELS],
)
def test_labels_whose_name_the_model_knows_are_columns(
    frame: pd.DataFrame, known: set[str], names: list[Any], last: Any, index: Any
) -> None:
    table = read_parquet(pandas_file(frame), LIMIT, known)
    assert table.names == names
    assert [None if pd.isna(cell) else cell for cell in table.by_column()[-1]] == last
    labels = None if table.index is None else [None if pd.isna(x) else x for x in table.index]
    assert labels == index


def test_labels_that_pandas_cannot_read() -> None:
    table = pa.Table.from_pandas(pd.DataFrame({"a": [1]}, index=pd.Index([1], name="day")))
    far = table.set_column(1, "day", pa.array([4_000_000], pa.date32()))
    assert [*map(str, read_parquet(file(far), LIMIT, {"a", "day"}).by_column()[1])] == [
        "12921-08-18T00:00:00"
    ]
    with pytest.raises(BadRequest) as refusal:
        read_parquet(file(far), LIMIT, {"a"})
    assert refusal.value.message == "the row labels of the Parquet file cannot be read"
    with pytest.raises(BadRequest) as refusal:
        read_untyped_parquet(file(far), LIMIT)
    assert refusal.value.message == "the Parquet file holds columns that pandas cannot read: 'day'"


def test_untyped_files_are_as_pandas_reads_them() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]}, index=pd.Index([5, 6], name="i"))
    pd.testing.assert_frame_equal(read_untyped_parquet(pandas_file(frame), LIMIT), frame)


def test_an_untyped_file_without_rows() -> None:
    with pytest.raises(BadRequest) as refusal:
        read_untyped_parquet(one(pa.array([], pa.int64())), LIMIT)
    assert refusal.value.message == EMPTY


def claiming(metadata: Any) -> bytes:
    """A file that says to be by pandas."""
    table = pa.table({"a": [1, 2]})
    return file(table.replace_schema_metadata({b"pandas": json.dumps(metadata).encode()}))


METADATA = "what pandas says of the Parquet file cannot be read"
UNREADABLE = "the body is not a Parquet file that can be read"
GOOD = one([1, 2])
EMPTY = "the table is empty: it has no rows"
REPEATED = pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"])
TWICE = pa.array([[("k", 1)], [("k", 1), ("k", 2)]], pa.map_(pa.string(), pa.int64()))

BAD_FILES: list[tuple[str, bytes, str]] = [
    ("nothing", b"", UNREADABLE),
    ("text", b"a,b\n1,2\n", UNREADABLE),
    ("magic only", b"PAR1PAR1", UNREADABLE),
    ("cut off", GOOD[:-9], UNREADABLE),
    ("zeros inside", GOOD[:8] + bytes(len(GOOD) - 16) + GOOD[-8:], UNREADABLE),
    ("metadata of nothing", claiming({}), METADATA),
    ("metadata of a list", claiming([]), METADATA),
    ("metadata of a number", claiming(1), METADATA),
    ("metadata without index", claiming(
        {"index_columns": ["x"], "columns": [], "column_indexes": []}), METADATA),
    ("labels described twice", claiming(
        {"index_columns": [], "columns": [], "column_indexes": [None]}), METADATA),
    ("texts that are no UTF-8", one(pa.array([b"\xff"]).view(pa.string())),
     "the Parquet file holds columns that cannot be read: 'a'"),
    ("texts that are no UTF-8 beside others", file(pa.table(
        {"b": pa.array(["x"]), "a": pa.array([b"\xff"]).view(pa.string())})),
     "the Parquet file holds columns that cannot be read: 'a'"),
    ("key twice in a map", one(TWICE), "row 1, column 'a': expected a value that can be read, "
     "found an object with a key given twice"),
    ("no rows", one(pa.array([], pa.int64())), EMPTY),
    ("no columns", file(pa.table({})), EMPTY),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "message"), [row[1:] for row in BAD_FILES], ids=[row[0] for row in BAD_FILES]
)
def test_refused_files(body: bytes, message: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        read_parquet(body, LIMIT)
    assert refusal.value.message == message


def test_columns_given_twice() -> None:
    with pytest.raises(BadRequest) as refusal:
        read_parquet(file(REPEATED), LIMIT)
    # pyarrow reads no such table before version 15.
    assert refusal.value.message in (
        "columns given twice: 'a'",
        "the Parquet file holds columns that cannot be read: 'a', 'a'",
    )


@pytest.mark.parametrize(
    "cells",
    [
        pa.array(np.zeros(LIMIT + 1)),
        pa.array([[0] * (LIMIT + 1)]),
        pa.array([[[0] * LIMIT], [[0]]]),
        pa.array(["x" * LIMIT] * 2),
        pa.array([b"x" * LIMIT] * 2, pa.binary(LIMIT)),
        pa.array([["x" * LIMIT] * 2]),
        pa.array([["x" * LIMIT] * 2], pa.large_list(pa.string())),
        pa.array([["x" * LIMIT] * 2], pa.list_(pa.string(), 2)),
        pa.array([{"x": "x" * LIMIT}] * 2),
        pa.array([[("k", "x" * LIMIT)]] * 2, pa.map_(pa.string(), pa.string())),
    ],
    ids=[
        "rows",
        "list",
        "lists of lists",
        "texts",
        "bytes",
        "list of texts",
        "large list",
        "list of a size",
        "struct",
        "map",
    ],
)
def test_a_small_file_may_not_stand_for_a_large_table(cells: Any) -> None:
    body = file(pa.table({"a": cells}), compression="zstd")
    with pytest.raises(PayloadTooLarge) as refusal:
        read_parquet(body, LIMIT)
    assert refusal.value.message == f"the body is larger than {LIMIT} bytes (MAX_REQUEST_BYTES)"


@pytest.mark.skipif(not hasattr(pa, "json_"), reason="this pyarrow has neither")
def test_repeated_texts_of_any_type_count_as_often() -> None:
    texts = pa.array(["x" * LIMIT] * 2)
    views = texts.cast(pa.string_view())
    for cells in (views, pa.ExtensionArray.from_storage(pa.json_(), texts)):
        with pytest.raises(PayloadTooLarge):
            read_parquet(file(pa.table({"a": cells}), compression="zstd"), LIMIT)


TEXT_MAP = pa.map_(pa.string(), pa.string())


@pytest.mark.parametrize(
    ("columns", "size"),
    [
        ([pa.array([0.5] * 7)], 56),
        ([pa.array([0.5] * 7), pa.array([None] * 7, pa.int64())], 2 * 56),
        ([pa.array([[1, 2, 3], [4, 5]], pa.list_(pa.int32()))], 20),
        ([pa.array([True] * 7)], 56),
        ([pa.array([b"x" * 10] * 3, pa.binary(10))], 30),
        ([pa.array(["x" * 10] * 3)], 3 + 30),
        ([pa.array(["x" * 20, None, "x"])], 3 + 21),
        ([pa.array([None, None], pa.string())], 16),
        ([pa.array([["x" * 10] * 3])], 3 + 30),
        ([pa.array([{"x": "x" * 10, "n": 1}] * 3)], 3 + 30 + 24),
        ([pa.array([[("k", "x" * 10)]] * 3, TEXT_MAP)], 6 + 3 + 30),
        ([pa.array(["x" * 10] * 3), pa.array([b"y"] * 3, pa.binary(1))], 3 + 30 + 3),
    ],
    ids=[
        *("numbers", "two columns", "lists", "booleans", "bytes of a length"),
        *("texts", "some texts", "no text"),
        *("lists of texts", "objects", "maps", "texts and bytes"),
    ],
)
def test_the_size_of_what_is_decoded(columns: list[Any], size: int) -> None:
    """The limit may be as large, and not less."""
    body = file(pa.table(dict(zip("ab", columns, strict=False))))
    assert read_parquet(body, size).length == len(columns[0])
    for limit in range(size):
        with pytest.raises(PayloadTooLarge):
            read_parquet(body, limit)


@pytest.mark.parametrize(
    "cells",
    [
        pa.array(["x" * 100] * 9),
        pa.array([["x" * 10] * 9] * 9),
        pa.array([{"x": "x" * 100, "n": 1}] * 9),
        pa.array([[("k", "x" * 100)]] * 9, pa.map_(pa.string(), pa.string())),
    ],
    ids=["texts", "lists", "structs", "maps"],
)
def test_equal_texts_within_the_limit_are_read(cells: Any) -> None:
    [column] = read_parquet(one(cells), LIMIT).by_column()
    assert len(column) == 9


def test_lists_of_texts_in_several_groups_of_rows() -> None:
    cells = [["a", "b"], None, ["a"], []]
    [column] = read_parquet(file(pa.table({"a": cells}), row_group_size=1), LIMIT).by_column()
    assert column == cells
