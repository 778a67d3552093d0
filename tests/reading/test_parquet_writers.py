"""Files of the programs that write Parquet, read as the values that were put into them."""

import datetime
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pytest

from modelserver.errors import BadRequest
from modelserver.types.dates import NUMBER_FOR_DATE
from tests.reading.test_parquet_cells import (
    ANY,
    BINARY,
    BOOLEAN,
    DATE,
    DOUBLE,
    FAR,
    LONG,
    NAN,
    NO_TEXT,
    STRING,
    array_of,
    map_of,
    object_of,
    plain,
    read,
)

MOMENT = datetime.datetime(2024, 1, 2, 3, 4, 5)
SENTINEL = datetime.datetime(9999, 12, 31)
UUID = "00000000-0000-0000-0000-000000000005"

POLARS: list[tuple[str, pl.Series, Any, list[Any]]] = [
    ("integers", pl.Series([1, None], dtype=pl.Int8), LONG, [1.0, NAN]),
    ("unsigned", pl.Series([1], dtype=pl.UInt64), LONG, [1]),
    ("floats", pl.Series([0.5, None], dtype=pl.Float32), DOUBLE, [0.5, NAN]),
    ("booleans", pl.Series([True, None]), BOOLEAN, [True, None]),
    ("texts", pl.Series(["a", None]), STRING, ["a", NO_TEXT]),
    ("categories", pl.Series(["a", None], dtype=pl.Categorical), STRING, ["a", NO_TEXT]),
    ("an enum", pl.Series(["a", None], dtype=pl.Enum(["a"])), STRING, ["a", NO_TEXT]),
    ("bytes", pl.Series([b"a", None]), BINARY, [b"a", None]),
    ("decimals", pl.Series([Decimal(5), None], dtype=pl.Decimal(38, 0)), STRING, ["5", NO_TEXT]),
    ("days", pl.Series([MOMENT.date(), None]), DATE, [pd.Timestamp("2024-01-02"), pd.NaT]),
    ("times", pl.Series([MOMENT], dtype=pl.Datetime("ms", "Europe/Berlin")), DATE,
     [pd.Timestamp(MOMENT)]),
    ("nothing", pl.Series([None, None]), LONG, [NAN, NAN]),
    ("lists", pl.Series([[1, None], None]), array_of(DOUBLE), [[1.0, NAN], None]),
    ("arrays", pl.Series([[1, 2], [3, 4]], dtype=pl.Array(pl.Int64, 2)), array_of(LONG),
     [[1, 2], [3, 4]]),
    ("arrays with a null", pl.Series([[1, 2], None], dtype=pl.Array(pl.Int64, 2)), array_of(LONG),
     [[1, 2], None]),
    ("structs", pl.Series([{"x": 1}, None]), object_of(LONG), [{"x": 1}, None]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "spec", "expected"), [row[1:] for row in POLARS], ids=[row[0] for row in POLARS]
)
def test_polars(cells: pl.Series, spec: Any, expected: list[Any]) -> None:
    assert repr(read(polars_file(cells), spec)) == repr([plain(cell) for cell in expected])


def polars_file(cells: pl.Series) -> bytes:
    buffer = io.BytesIO()
    pl.DataFrame({"a": cells}).write_parquet(buffer)
    return buffer.getvalue()


POLARS_REFUSED: list[tuple[str, pl.Series, Any, str]] = [
    ("far times", pl.Series([SENTINEL]), DATE, f"found {FAR}"),
    ("far times in lists", pl.Series([[SENTINEL]]), array_of(DATE), f"found {FAR} at [0]"),
    ("durations", pl.Series([datetime.timedelta(1)]), LONG, "found a duration"),
    ("times of day", pl.Series([datetime.time(1, 2)]), STRING, "found a time"),
    ("integers of 128 bits", pl.Series([5], dtype=pl.Int128), LONG,
     "the Parquet file holds a type that cannot be read"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "spec", "message"),
    [row[1:] for row in POLARS_REFUSED],
    ids=[row[0] for row in POLARS_REFUSED],
)
def test_refused_of_polars(cells: pl.Series, spec: Any, message: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        read(polars_file(cells), spec)
    assert message in refusal.value.message


DUCKDB: list[tuple[str, str, Any, Any]] = [
    ("huge integer", "5::HUGEINT", LONG, 5),
    ("decimal", "5.00::DECIMAL(10, 2)", LONG, 5),
    ("decimal of 32 bits", "1::DECIMAL(4, 0)", BOOLEAN, True),
    ("decimal of 128 bits", "5::DECIMAL(38, 0)", STRING, "5"),
    ("decimals in a struct", "{'x': [1.5::DECIMAL(5, 1)]}", object_of(array_of(DOUBLE)),
     {"x": [1.5]}),
    ("UUID", f"'{UUID}'::UUID", STRING, UUID),
    ("UUID for binary", f"'{UUID}'::UUID", BINARY, bytes(15) + b"\5"),
    ("UUIDs in a list", f"['{UUID}'::UUID, NULL]", array_of(STRING), [UUID, None]),
    ("UUID in a struct", f"{{'x': '{UUID}'::UUID}}", object_of(STRING), {"x": UUID}),
    ("UUID in a map", f"MAP {{'k': '{UUID}'::UUID}}", map_of(STRING), {"k": UUID}),
    ("enum", "'a'::ENUM('a', 'b')", STRING, "a"),
    ("text of JSON", "'{}'::JSON", STRING, "{}"),
    ("day", "DATE '2024-01-02'", DATE, pd.Timestamp("2024-01-02")),
    ("time of a zone", "TIMESTAMPTZ '2024-01-02 03:04:05+00'", DATE, pd.Timestamp(MOMENT)),
    ("times in structs in a list", "[{'x': [TIMESTAMP '2024-01-02 03:04:05', NULL]}]",
     array_of(object_of(array_of(DATE))), [{"x": [pd.Timestamp(MOMENT), None]}]),
    ("map of integers", "MAP {1: 2}", ANY, {1: 2}),
    ("empty interval", "NULL::INTERVAL", BINARY, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "spec", "expected"), [row[1:] for row in DUCKDB], ids=[row[0] for row in DUCKDB]
)
def test_duckdb(value: str, spec: Any, expected: Any, tmp_path: Path) -> None:
    assert read(duckdb_file(value, tmp_path), spec) == [expected]


def duckdb_file(value: str, folder: Path) -> bytes:
    path = folder / "file.parquet"
    duckdb.execute(f"COPY (SELECT {value} AS a) TO '{path}' (FORMAT parquet)")
    return path.read_bytes()


@pytest.mark.parametrize(
    ("value", "spec", "found"),
    [
        ("1.5::DECIMAL(10, 2)", LONG, "a number with a fraction"),
        ("5::DECIMAL(10, 0)", DATE, NUMBER_FOR_DATE.format("a number")),
        ("DATE '12024-01-02'", DATE, FAR),
        ("'infinity'::DATE", DATE, FAR),
        ("'infinity'::TIMESTAMP", DATE, FAR),
        ("INTERVAL 3 DAY", BINARY, "a duration"),
        ("TIME '01:02:03'", STRING, "a time"),
    ],
)
def test_refused_of_duckdb(value: str, spec: Any, found: str, tmp_path: Path) -> None:
    with pytest.raises(BadRequest) as refusal:
        read(duckdb_file(value, tmp_path), spec)
    assert refusal.value.message.startswith("row 0, column 'a': expected ")
    assert refusal.value.details[0]["found"] == found
