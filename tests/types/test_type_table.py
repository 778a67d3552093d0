"""Columns of cells to typed arrays: what is accepted, and what is refused by row and in words."""

from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pytest

from modelserver.errors import LIMIT
from modelserver.types import cell_parsers
from modelserver.types.dates import FAR_DATE, NUMBER_FOR_DATE, datetimes
from modelserver.types.kind import OF_A_SPREADSHEET, TEXT, BadCells, Kind, Unfit, what_is
from modelserver.types.type_table import KINDS
from tests.support.bench.without import WAYS, switched_off

(FAST_DATES,) = (way for way, (place, _) in WAYS.items() if place.startswith("types.dates."))

NAN = float("nan")
NAT = np.datetime64("NaT", "ns")
BOTH = (True, False)


def ns(text: str) -> Any:
    return np.datetime64(text, "ns")


def texts(*cells: str | None) -> Any:
    return pd.Series(list(cells), dtype=TEXT).array


def berlin(*moments: str) -> Any:
    return pd.to_datetime(list(moments)).tz_localize("Europe/Berlin").array


def bits(width: int) -> str:
    return f"an integer beyond {width} bits"


TOO_LONG_BESIDE_GAPS = "an integer too large to stand beside missing values"
GROUPED = "a number with thousands separators"
EMPTY_TEXT = "an empty text (a missing value is null)"
BY_COMMA = "a number with a comma, decimal or for thousands"
DAY_OR_MONTH = "a date whose day and month may be confused (write YYYY-MM-DD)"
NO_DATE = "text that is no ISO 8601 date"
IMPOSSIBLE_DATE = "text that is no possible date (ISO 8601, 1677 to 2262)"
FAR = IMPOSSIBLE_DATE

INTEGERS = (int, *{np.dtype(code).type for code in "bhilqBHILQ"})

# An id, the type, the cells, the dtype and the values that the model gets.
ACCEPTED: list[tuple[str, str, Any, Any, list[Any]]] = [
    ("booleans", "boolean", [True, False], "bool", [True, False]),
    ("booleans as numbers", "boolean", [1, 0.0], "bool", [True, False]),
    ("boolean null", "boolean", [True, None], object, [True, None]),
    ("boolean float array with gap", "boolean", np.array([1.0, NAN]), object, [True, None]),
    ("no booleans", "boolean", [], "bool", []),
    ("integers", "integer", [1, -(2**31)], "int32", [1, -(2**31)]),
    ("integer text", "integer", ["1", "-2"], "int32", [1, -2]),
    ("no integers", "integer", [], "int32", []),
    ("longs", "long", [2**63 - 1, -(2**63)], "int64", [2**63 - 1, -(2**63)]),
    ("long booleans", "long", [True, False], "int64", [1, 0]),
    ("long whole floats", "long", [1.0, 2], "int64", [1, 2]),
    ("long and float", "long", [2**53 + 1, 1.0], "int64", [2**53 + 1, 1]),
    ("long text", "long", ["9007199254740993", "1.0"], "int64", [2**53 + 1, 1]),
    ("long text and numbers", "long", ["1", 2, 3.0], "int64", [1, 2, 3]),
    ("long unsigned", "long", np.array([1], np.uint64), "int64", [1]),
    ("long half floats", "long", np.array([1, 2], np.float16), "int64", [1, 2]),
    ("long text array", "long", np.array(["1", "2"]), "int64", [1, 2]),
    ("floats", "float", [0.5, 1], "float32", [0.5, 1.0]),
    ("float null", "float", [0.5, None], "float32", [0.5, NAN]),
    ("float infinity", "float", [float("inf"), 1], "float32", [float("inf"), 1.0]),
    ("doubles", "double", [0.1, 1, True, "2.5"], "float64", [0.1, 1.0, 1.0, 2.5]),
    ("double nulls", "double", [None, None], "float64", [NAN, NAN]),
    ("double infinity text", "double", ["-Infinity"], "float64", [-float("inf")]),
    ("double decimals", "double", [Decimal("0.1"), None], "float64", [0.1, NAN]),
    ("texts", "string", ["a", ""], TEXT, ["a", ""]),
    ("text null", "string", ["a", None], TEXT, texts("a", None)),
    ("text integers", "string", [1, 2], TEXT, ["1", "2"]),
    ("text integers of all types", "string", [*(kind(1) for kind in INTEGERS), UUID(int=1)], TEXT,
     [*["1"] * len(INTEGERS), "00000000-0000-0000-0000-000000000001"]),
    ("text integers and text", "string", [1, "a"], TEXT, ["1", "a"]),
    ("text integer array", "string", np.array([1, 2], np.uint8), TEXT, ["1", "2"]),
    ("text array", "string", texts("a", None), TEXT, texts("a", None)),
    ("no texts", "string", [], TEXT, []),
    ("dates", "datetime", ["2024-01-02", "2024-01-02T03:04:05.123456789"], "M8[ns]",
     [ns("2024-01-02"), ns("2024-01-02T03:04:05.123456789")]),
    ("dates with offsets", "datetime", ["2024-01-02T03:00:00+01:00", "2024-01-02T03:00:00Z"],
     "M8[ns]", [ns("2024-01-02T02:00"), ns("2024-01-02T03:00")]),
    ("dates with small letters and commas", "datetime",
     ["2024-01-02t03:00:00,5z", "2024-01-02 03:00:00,25"], "M8[ns]",
     [ns("2024-01-02T03:00:00.5"), ns("2024-01-02T03:00:00.25")]),
    ("first and last date", "datetime",
     ["1677-09-21T00:12:43.145224193", "2262-04-11T23:47:16.854775807"], "M8[ns]",
     [np.datetime64(-(2**63) + 1, "ns"), np.datetime64(2**63 - 1, "ns")]),
    ("date blanks", "datetime", ["", "NaT", "NA", None, "2024-01-02"], "M8[ns]",
     [NAT, NAT, NAT, NAT, ns("2024-01-02")]),
    ("date NaN", "datetime", [float("nan"), "2024-01-02"], "M8[ns]", [NAT, ns("2024-01-02")]),
    ("double NA", "double", ["NA", 1], "float64", [NAN, 1.0]),
    ("boolean NA", "boolean", ["NA", True], object, [None, True]),
    ("date seconds array", "datetime", np.array(["2024-01-02", "NaT"], "M8[s]"), "M8[ns]",
     [ns("2024-01-02"), NAT]),
    ("dates of a zone", "datetime", berlin("2024-01-02T03:00", "NaT"), "M8[ns]",
     [ns("2024-01-02T02:00"), NAT]),
    ("Python dates", "datetime", [date(2024, 1, 2), None], "M8[ns]", [ns("2024-01-02"), NAT]),
    ("float as the largest is printed", "float", [3.4028235e38, -3.4028235e38], np.float32,
     [np.finfo(np.float32).max, np.finfo(np.float32).min]),
    ("base64", "binary", ["YWJj", "YWJj\r\nYWJj\n", ""], object, [b"abc", b"abcabc", b""]),
    ("bytes", "binary", [b"abc"], object, [b"abc"]),
]  # fmt: skip


def same(value: Any) -> Any:
    """The value with its type, such that all NaN, and all NaT, are equal."""
    return (type(value), "missing" if pd.api.types.is_scalar(value) and pd.isna(value) else value)


@pytest.mark.parametrize("required", BOTH, ids=["required", "optional"])
@pytest.mark.parametrize(
    ("kind", "cells", "dtype", "expected"),
    [row[1:] for row in ACCEPTED],
    ids=[row[0] for row in ACCEPTED],
)
def test_accepted_cells(
    kind: str, cells: Any, dtype: Any, expected: list[Any], required: bool
) -> None:
    array = KINDS[kind].convert(cells, required)
    scalars = expected if dtype in (TEXT, object) else np.array(expected, dtype)
    assert array.dtype == dtype
    assert list(map(same, array)) == list(map(same, scalars))


@pytest.mark.parametrize(
    "cells", [[1, "a", None, [1], {}], [1, 2], [0.5, None], ["a", "b"]], ids=str
)
def test_anything_is_what_pandas_makes_of_it(cells: list[Any]) -> None:
    array = KINDS["any"].convert(cells, required=True)
    pd.testing.assert_series_equal(pd.Series(array), pd.Series(cells))


@pytest.mark.parametrize(
    ("integer", "dtype"), [(2**53, np.float64), (-(2**53), np.float64), (2**53 + 1, object)]
)
def test_anything_keeps_the_digits_of_integers(integer: int, dtype: Any) -> None:
    array = KINDS["any"].convert([0.5, integer], required=True)
    assert pd.Series(array).dtype == dtype
    assert list(array) == [0.5, integer]


WITH_GAPS: list[tuple[str, str, Any, list[Any]]] = [
    ("integer", "integer", [1, None], [1.0, NAN]),
    ("long", "long", [2**53, -(2**53), None], [2.0**53, -(2.0**53), NAN]),
    ("long array", "long", np.array([1.0, NAN]), [1.0, NAN]),
    ("all", "long", [None, None], [NAN, NAN]),
]


@pytest.mark.parametrize(
    ("kind", "cells", "expected"), [row[1:] for row in WITH_GAPS], ids=[row[0] for row in WITH_GAPS]
)
def test_optional_integers_with_gaps_are_doubles(kind: str, cells: Any, expected: Any) -> None:
    np.testing.assert_array_equal(
        KINDS[kind].convert(cells, required=False), np.array(expected), strict=True
    )


def test_optional_binary_with_gaps() -> None:
    assert KINDS["binary"].convert(["YQ==", None], required=False).tolist() == [b"a", None]


# An id, the type, the cells, and what is wrong in which row; the column is required.
REFUSED: list[tuple[str, str, Any, list[tuple[int, str]]]] = [
    ("boolean 2", "boolean", [0, 2], [(1, "a number other than 0 and 1")]),
    ("boolean 0.5", "boolean", [0.5], [(0, "a number other than 0 and 1")]),
    ("boolean text", "boolean", [True, "false"], [(1, "text")]),
    ("boolean date", "boolean", np.array(["2024-01-02"], "M8[s]"), [(0, "a date")]),
    ("integer 2**31", "integer", [1, 2**31], [(1, bits(32))]),
    ("integer -2**31 - 1", "integer", [-(2**31) - 1], [(0, bits(32))]),
    ("integer null", "integer", [1, None], [(1, "null")]),
    ("long NaN", "long", np.array([1.0, NAN]), [(1, "null")]),
    ("long fraction", "long", [1, 1.5], [(1, "a number with a fraction")]),
    ("long fraction beside text", "long", ["1", 1.5], [(1, "a number with a fraction")]),
    ("long text fraction", "long", ["1", "1.5"], [(1, "a number with a fraction")]),
    ("long 2**63", "long", [2**63, -1], [(0, bits(64))]),
    ("long 2**70", "long", [2**70, -1], [(0, bits(64))]),
    ("long text 2**63", "long", ["9223372036854775808", "-1"], [(0, bits(64))]),
    ("long float beside text", "long", ["1", -(2.0**63)],
     [(1, "a number too large to be an exact integer")]),
    ("long 1e300", "long", [1e300], [(0, "a number too large to be an exact integer")]),
    ("long infinity", "long", [float("inf")], [(0, "a number that is not finite")]),
    ("long word", "long", ["one"], [(0, "text")]),
    ("long empty text", "long", ["", " "], [(row, EMPTY_TEXT) for row in (0, 1)]),
    ("long texts with commas", "long", ["1,050", "-1,5", "1,", ",5", "1,5,5", "a,b"],
     [(0, BY_COMMA), (1, BY_COMMA), *((row, "text") for row in (2, 3, 4, 5))]),
    ("double texts with thousands", "double",
     ["1,234.5", "1.234,5", "-1,234,567", "1.234.567,8", "1 234", "1'234.5", "12,34.5", "1 23"],
     [*((row, GROUPED) for row in range(6)), (6, "text"), (7, "text")]),
    ("boolean texts with commas", "boolean", ["1,5"], [(0, "text")]),
    ("booleans of other languages", "boolean", ["WAHR", " faux ", "ЛОЖЬ", "ja", "Sand", "T"],
     [(0, OF_A_SPREADSHEET), (1, OF_A_SPREADSHEET), (2, OF_A_SPREADSHEET), (3, "text"),
      (4, OF_A_SPREADSHEET), (5, "text")]),
    ("texts are no booleans of other languages", "datetime", ["wahr"],
     [(0, "text that is no ISO 8601 date")]),
    ("numbers as booleans of other languages", "double", ["FALSCH", "falsches"],
     [(0, OF_A_SPREADSHEET), (1, "text")]),
    ("long bytes", "long", [b"1"], [(0, "bytes")]),
    ("long arrays", "long", [[1], [2]], [(0, "an array"), (1, "an array")]),
    ("long ragged", "long", [[1], [2, 3]], [(0, "an array"), (1, "an array")]),
    ("long decimal", "long", [Decimal(1), Decimal("1.5")], [(1, "a number with a fraction")]),
    ("long duration", "long", np.array([1], "m8[s]"), [(0, "a duration")]),
    ("float half a step above the largest", "float", [3.4028235677973366e38],
     [(0, "a number too large for a 32-bit float")]),
    ("float 1e39", "float", [0, 1e39], [(1, "a number too large for a 32-bit float")]),
    ("double 1e400 text", "double", ["1e400", "inf"],
     [(0, "a number too large for a 64-bit float")]),
    ("double 10**400", "double", [10**400], [(0, "an integer")]),
    ("double word", "double", ["one", 1], [(0, "text")]),
    ("double object", "double", [1, {}], [(1, "an object")]),
    ("double date", "double", np.array(["2024-01-02"], "M8[ns]"), [(0, "a date")]),
    ("double date of a zone", "double", berlin("2024-01-02", "NaT"), [(0, "a date")]),
    ("double Python date", "double", [date(2024, 1, 2)], [(0, "a date")]),
    ("double duration", "double", np.array([1], "m8[s]"), [(0, "a duration")]),
    ("string number", "string", ["a", 1.5], [(1, "a number")]),
    ("string boolean", "string", [True], [(0, "a boolean")]),
    ("string date", "string", [date(2024, 1, 2)], [(0, "a date")]),
    ("string duration", "string", np.array([1], "m8[s]"), [(0, "a duration")]),
    ("date word", "datetime", ["2024-01-02", "now"], [(1, NO_DATE)]),
    ("date year", "datetime", ["2024"], [(0, NO_DATE)]),
    ("date short", "datetime", ["2024-01-2"], [(0, NO_DATE)]),
    ("dates of countries", "datetime", ["01.02.2021", "2/1/2021 10:00", "1-2-21", "31/12/99x"],
     [(row, DAY_OR_MONTH) for row in range(4)]),
    ("dates with other separators", "datetime", ["2021.02.01", "2021/02/01", "1.2/2021", "1.2.1"],
     [(row, NO_DATE) for row in range(4)]),
    ("date 30 February", "datetime", ["2024-02-30"], [(0, IMPOSSIBLE_DATE)]),
    ("date 1500", "datetime", ["1500-01-01"], [(0, IMPOSSIBLE_DATE)]),
    ("date digits", "datetime", ["2024-01-02T03:04:05.1234567891"],
     [(0, "a time finer than nanoseconds")]),
    ("date digits without colons", "datetime", ["2024-01-02T030405.1234567891"], [(0, NO_DATE)]),
    ("date boolean", "datetime", [True], [(0, "a boolean")]),
    ("date boolean beside integer", "datetime", [5, True],
     [(0, NUMBER_FOR_DATE.format("an integer")), (1, "a boolean")]),
    ("date comma for T", "datetime", ["2024-01-02,03:00"], [(0, NO_DATE)]),
    ("date digits after a comma", "datetime", ["2024-01-02T03:04:05,1234567891"],
     [(0, "a time finer than nanoseconds")]),
    ("date beside milliseconds", "datetime", ["2024-01-02", 1704067200000],
     [(1, NUMBER_FOR_DATE.format("an integer"))]),
    ("date fraction", "datetime", [0.5], [(0, NUMBER_FOR_DATE.format("a number"))]),
    ("date 2**70", "datetime", [2**70], [(0, NUMBER_FOR_DATE.format("an integer"))]),
    ("date Decimal", "datetime", [Decimal(5)], [(0, NUMBER_FOR_DATE.format("a number"))]),
    ("date numbers array", "datetime", np.array([np.nan, 5.0]),
     [(1, NUMBER_FOR_DATE.format("a number"))]),
    ("date year 9999", "datetime", np.array(["9999-01-01"], "M8[s]"), [(0, FAR_DATE)]),
    ("date time", "datetime", [time(1)], [(0, "a time")]),
    ("date object", "datetime", [{}], [(0, "an object")]),
    ("binary text", "binary", ["YWJj", "?"], [(1, "text that is no base64")]),
    ("binary non-ASCII", "binary", ["ü"], [(0, "text that is no base64")]),
    ("binary number", "binary", [1], [(0, "an integer")]),
    ("binary null", "binary", [None], [(0, "null")]),
    ("two faults", "long", [1, None, "x", 0.5],
     [(1, "null"), (2, "text"), (3, "a number with a fraction")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "cells", "faults"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_refused_cells(kind: str, cells: Any, faults: list[tuple[int, str]]) -> None:
    with pytest.raises(BadCells) as refusal:
        KINDS[kind].convert(cells, required=True)
    assert refusal.value.cells == faults


@pytest.mark.parametrize("large", [2**53 + 1, -(2**53) - 1])
def test_longs_beyond_53_bits_cannot_stand_beside_gaps(large: int) -> None:
    with pytest.raises(BadCells) as refusal:
        KINDS["long"].convert([None, 1, large], required=False)
    assert refusal.value.cells == [(2, TOO_LONG_BESIDE_GAPS)]


def test_no_more_than_the_limit_of_bad_cells_is_reported() -> None:
    cells = [None, *["x"] * 3 * LIMIT]
    with pytest.raises(BadCells) as refusal:
        KINDS["long"].convert(cells, required=True)
    assert refusal.value.cells == [(0, "null"), *((row, "text") for row in range(1, LIMIT))]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "null"),
        (np.bool_(True), "a boolean"),
        (np.int8(1), "an integer"),
        (Decimal("1.5"), "a number"),
        ("a", "text"),
        ((1, 2), "an array"),
        ({}, "an object"),
        (b"a", "bytes"),
        (datetime(2024, 1, 2, tzinfo=timezone.utc), "a date"),
        (timedelta(1), "a duration"),
        (np.timedelta64(1, "s"), "a duration"),
        (time(1), "a time"),
    ],
    ids=str,
)
def test_values_in_words(value: object, words: str) -> None:
    assert what_is(value) == words


def test_any_keeps_integers_that_floats_would_round() -> None:
    whole = KINDS["any"].convert([2**53 + 1, None])
    assert (str(whole.dtype), whole.tolist()) == ("object", [2**53 + 1, None])
    assert KINDS["any"].convert([1, None]).dtype == "float64"


DAY = "2024-01-31"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (DAY, True),
        (f"{DAY}T12:30", True),
        (f"{DAY} 12:30:59", True),
        (f"{DAY}T12:30:59.5", True),
        (f"{DAY}T12:30:59.123456789", True),
        ("2024-02-30", True),
        (f"{DAY}T24:00:00", True),
        (f"{DAY}T23:59:60", True),
        ("1678-01-01", True),
        ("2261-12-31T23:59:59.999999999", True),
        ("1677-12-31", False),
        ("2262-01-01", False),
        (f"{DAY}T12", False),
        (f"{DAY}T12:30:59Z", False),
        (f"{DAY}T12:30:59+01:00", False),
    ],
)
def test_plain_dates_are_read_without_pandas_and_alike(
    text: str, plain: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with switched_off(FAST_DATES):
        expected = _outcome([text, text])
    assert _outcome([text, text]) == expected
    monkeypatch.delattr(pd, "to_datetime")
    assert (_outcome([text, text]) == expected) is plain


SPELLINGS = [
    DAY, f"{DAY}T12", f"{DAY}T12:30", f"{DAY}T12:30:59", f"{DAY}T12:30:59.1", f"{DAY} 12:30:59,25",
    f"{DAY}t12:30:59z", f"{DAY}T12:30:59.123456789Z", f"{DAY}T12Z", f"{DAY}T12-05", f"{DAY}T12:30Z",
    f"{DAY}T12:30:59+02", f"{DAY}T12:30:59+0230", f"{DAY}T12:30:59-02:30", f"{DAY}T12:30:59 +02:00",
    f"{DAY} 12:30:59 Z", f"{DAY}T12:30:59-00:00", f"{DAY}T12:30:59+23:59", f"{DAY}T12:30:59\n",
    f"{DAY}T12:30:59 {' ' * 100}", "2024-02-29", "1677-09-21T00:12:43.145224193",
    "2262-04-11T23:47:16.854775807", "1677-12-31", "2262-01-01T00:00+01:00",
]  # fmt: skip
"""Dates and date-times of ISO 8601, with the blanks and small letters that are allowed."""

NO_SPELLINGS = [
    "2024", "2024-01", "20240131", "2024-1-31", "2024-01-3", f"{DAY} ", f" {DAY}", f"{DAY}T",
    "2024-01-3T12", f"{DAY}T1", f"{DAY}T1:30", f"{DAY}T12:", f"{DAY}T12:3", f"{DAY}T12:30:5",
    f"{DAY}T12:30:", f"{DAY}T12:30:59.", f"{DAY}T12:3:59.1", f"{DAY}T12.5", f"{DAY}T12:30,5",
    f"{DAY}T1230", f"{DAY}T123059", f"{DAY}T12:030", f"{DAY}T120", f"{DAY}1", f"{DAY}  12:30",
    f"{DAY}T 12:30", f"{DAY}-12:30", f"{DAY}Z", f"{DAY}+02:00", f"{DAY}T12:30+", f"{DAY}T12:30+2",
    f"{DAY}T12:30+2:00", f"{DAY}T12:30+020", f"{DAY}T12:30+02:0", f"{DAY}T12:30+02:",
    f"{DAY}T12:30+02:00:00", f"{DAY}T12:30  Z", f"{DAY}T12:30ZZ", f"{DAY}T12:30 GMT",
    f"{DAY}T12:30:59.1234567890", f"{DAY}T-1:30", f"+{DAY}", f"-{DAY}", f"00{DAY}", f"+00{DAY}",
    f"{DAY}\0", f"{DAY}\0{DAY}", f"{DAY}T12:30\0", f"{DAY}{' ' * 100}", "2024-0a-31",
    "2024-01-3\N{FULLWIDTH DIGIT ONE}", f"{DAY}T12:30\N{MINUS SIGN}02:00", "2024-W05-3",
    "2024-031", "2024/01/31", "now", f"{DAY}T24:00", f"{DAY}T23:59:60", "2024-02-30",
    f"{DAY}T12:30+24:00", f"{DAY}T12:30+02:60", "1677-09-21", "2262-04-12",
]  # fmt: skip
"""Other texts. pandas reads many of them, and cuts or guesses for it."""


@pytest.mark.parametrize("text", SPELLINGS)
def test_dates_of_iso_8601_are_read_as_by_pandas(text: str) -> None:
    by_pandas = pd.to_datetime(pd.Series([text]), utc=True).dt.tz_convert(None).dt.as_unit("ns")
    assert datetimes([text]).tolist() == by_pandas.to_numpy().tolist()
    beside_others = datetimes([text, "2024-01-31T12:30:59.5Z", DAY])
    assert beside_others[:1].tolist() == by_pandas.to_numpy().tolist()


@pytest.mark.parametrize("text", NO_SPELLINGS)
def test_other_texts_are_no_dates(text: str) -> None:
    with pytest.raises(Unfit):
        datetimes([text])
    with pytest.raises(BadCells) as refusal:
        KINDS["datetime"].convert([DAY, text, f"{DAY}T12:30:59Z", text])
    assert [row for row, _ in refusal.value.cells] == [1, 3]


def _outcome(cells: list[str]) -> Any:
    try:
        return datetimes(cells).tolist()
    except Unfit as error:
        return str(error)
    except AttributeError:
        return "pandas is needed"


@pytest.mark.parametrize("cells", [[DAY, f"{DAY}T12:30"], [f"{DAY}T12:30", DAY]])
def test_plain_dates_are_of_one_form(cells: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(pd, "to_datetime")
    assert _outcome(cells) == "pandas is needed"


@pytest.mark.parametrize(
    ("kind", "json_type", "properties"),
    [
        ("boolean", "boolean", {"is_scalar", "changes_with_gaps"}),
        ("integer", "integer", {"is_scalar", "is_numeric", "changes_with_gaps"}),
        ("long", "integer", {"is_scalar", "is_numeric", "changes_with_gaps"}),
        ("float", "number", {"is_scalar", "is_numeric"}),
        ("double", "number", {"is_scalar", "is_numeric"}),
        ("string", "string", {"is_scalar", "takes_any_text"}),
        ("datetime", "string", {"is_scalar", "is_moment"}),
        ("binary", "string", {"is_scalar", "takes_any_text"}),
        ("any", None, {"takes_anything"}),
    ],
)
def test_properties_that_follow_from_a_row(
    kind: str, json_type: str | None, properties: set[str]
) -> None:
    row = KINDS[kind]
    known = [name for name in dir(Kind) if isinstance(getattr(Kind, name), property)]
    assert {name for name in known if getattr(row, name) is True} == properties
    assert row.json_type == json_type


@pytest.mark.parametrize(
    ("kind", "format"), [("float", "float"), ("double", "double"), ("integer", "int32")]
)
def test_schemas_say_how_many_bits_a_number_has(kind: str, format: str) -> None:
    assert KINDS[kind].schema["format"] == format


@pytest.mark.skipif(getattr(TEXT, "storage", None) != "pyarrow", reason="pyarrow is missing")
@pytest.mark.parametrize("cells", [["a", "long text", ""], ["ü", "a"], ["a", None], [1, 2]])
def test_texts_are_the_same_without_arrow(
    cells: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = cells * cell_parsers.MANY
    kept = KINDS["string"].convert(cells)
    by_pandas = pd.StringDtype("python", na_value=np.nan)
    monkeypatch.setattr(cell_parsers, "TEXT", by_pandas)
    assert cell_parsers.texts(cells).dtype == by_pandas
    assert repr(list(cell_parsers.texts(cells))) == repr(list(kept))
