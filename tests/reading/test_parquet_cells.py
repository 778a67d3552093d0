"""What a Parquet file can hold, for each kind of column: read without loss, or refused by place."""

import datetime
import io
import json
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from modelserver.errors import BadRequest
from modelserver.reading.arrow.cells import read_cells
from modelserver.reading.formats import FORMATS, PARQUET
from modelserver.reading.signatures.compiling import compile_signature
from modelserver.reading.signatures.signature import Signature
from modelserver.types.kind import TEXT

LIMIT = 100_000
NAN = float("nan")
NO_TEXT = pd.Series([None], dtype=TEXT)[0]  # None in pandas 2, NaN in pandas 3


def file(cells: Any, **options: Any) -> bytes:
    """A file of one column."""
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pa.table({"a": cells}), buffer, **options)
    return buffer.getvalue()


def signature(spec: Any) -> Signature:
    inputs = json.dumps([{"name": "a", "required": False, **spec}])
    return compile_signature({"inputs": inputs}, from_type_hint=False)


def read(body: bytes, spec: Any) -> list[Any]:
    """The cells that the model gets, plain."""
    frame = FORMATS[PARQUET].read(body, signature(spec), LIMIT).data
    return [plain(cell) for cell in frame["a"]]


def plain(cell: Any) -> Any:
    if isinstance(cell, dict):
        return {name: plain(item) for name, item in cell.items()}
    if isinstance(cell, list):
        return [plain(item) for item in cell]
    if isinstance(cell, np.datetime64):
        return pd.Timestamp(cell)
    return cell.item() if isinstance(cell, np.generic) else cell


def array_of(items: Any) -> Any:
    return {"type": "array", "items": items}


def object_of(x: Any) -> Any:
    return {"type": "object", "properties": {"x": {"required": False, **x}}}


def map_of(values: Any) -> Any:
    return {"type": "map", "values": values}


BOOLEAN, INTEGER, LONG, FLOAT, DOUBLE, STRING, DATE, BINARY, ANY = (
    {"type": name}
    for name in ("boolean", "integer", "long", "float", "double", "string", "datetime", "binary",
                 "any")
)  # fmt: skip

WHOLE = pa.decimal128(38, 0)
CENTS = pa.decimal128(20, 2)
HUGE = pa.decimal256(76, 0)
BYTES = bytes(range(16))
TEXT_OF_BYTES = str(UUID(bytes=BYTES))
MOMENT = pd.Timestamp("2024-01-02T03:04:05")
SECONDS = int(MOMENT.timestamp())
HALF = np.float16(1.5)


def decimals(decimal_type: Any, *cells: Any) -> Any:
    return pa.array([None if cell is None else Decimal(cell) for cell in cells], decimal_type)


def times(unit: str, *cells: Any, zone: str | None = None) -> Any:
    return pa.array(cells, pa.timestamp(unit, zone))


def lists(cells: Any, *offsets: int) -> Any:
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), cells)


def structs(cells: Any) -> Any:
    return pa.StructArray.from_arrays([cells], ["x"])


def maps(cells: Any) -> Any:
    keys = [f"k{place}" for place in range(len(cells))]
    return pa.MapArray.from_arrays(pa.array([0, len(cells)], pa.int32()), keys, cells)


READ: list[tuple[str, Any, Any, list[Any]]] = [
    ("decimals for long", decimals(WHOLE, "5", str(2**63 - 1)), LONG, [5, 2**63 - 1]),
    ("decimals with a gap for long", decimals(WHOLE, "5", None), LONG, [5.0, NAN]),
    ("decimals with zeros for long", decimals(pa.decimal128(38, 2), "9007199254740993.00"), LONG,
     [2**53 + 1]),
    ("decimals for integer", decimals(CENTS, "-2147483648"), INTEGER, [-(2**31)]),
    ("decimals for boolean", decimals(WHOLE, "1", "0", None), BOOLEAN, [True, False, None]),
    ("decimals with zeros for boolean", decimals(CENTS, "1.00", "0"), BOOLEAN, [True, False]),
    ("decimals for string", decimals(HUGE, "5", "9" * 70, None), STRING, ["5", "9" * 70, NO_TEXT]),
    ("decimals for double", decimals(CENTS, "0.10", None), DOUBLE, [0.1, NAN]),
    ("decimals for float", decimals(CENTS, "0.5"), FLOAT, [0.5]),
    ("wide decimals for long", decimals(HUGE, "7"), LONG, [7]),
    ("decimals for anything", decimals(CENTS, "1.50"), ANY, [Decimal("1.50")]),
    ("decimals in lists", lists(decimals(CENTS, "1", "2.5"), 0, 2), array_of(DOUBLE), [[1.0, 2.5]]),
    ("whole decimals in lists", lists(decimals(WHOLE, "5"), 0, 1), array_of(LONG), [[5]]),
    ("decimals in structs", structs(decimals(WHOLE, "5", None)), object_of(LONG),
     [{"x": 5}, {"x": None}]),
    ("decimals in maps", maps(decimals(CENTS, "1.5")), map_of(DOUBLE), [{"k0": 1.5}]),
    ("bytes of 16", pa.array([BYTES], pa.binary(16)), BINARY, [BYTES]),
    ("seconds", times("s", SECONDS, None), DATE, [MOMENT, pd.NaT]),
    ("milliseconds", times("ms", SECONDS * 1000), DATE, [MOMENT]),
    ("microseconds", times("us", SECONDS * 10**6, zone="Europe/Berlin"), DATE, [MOMENT]),
    ("nanoseconds", times("ns", 1, zone="+05:30"), DATE, [pd.Timestamp(1)]),
    ("unknown zone", times("us", SECONDS * 10**6, zone="Mars/Base"), DATE, [MOMENT]),
    ("times in lists", lists(times("ns", 1, None, zone="UTC"), 0, 2), array_of(DATE),
     [[pd.Timestamp(1), None]]),
    ("times in structs", structs(times("us", SECONDS * 10**6, zone="Asia/Tokyo")),
     object_of(DATE), [{"x": MOMENT}]),
    ("days", pa.array([0, 1, None], pa.date32()), DATE,
     [pd.Timestamp(0), pd.Timestamp("1970-01-02"), pd.NaT]),
    ("days in lists", lists(pa.array([1], pa.date64()), 0, 1), array_of(DATE),
     [[pd.Timestamp("1970-01-01")]]),
    ("far days for anything", pa.array([3_000_000], pa.date32()), ANY,
     [pd.Timestamp(np.datetime64("10183-09-21", "s"))]),
    ("time of day for anything", pa.array([5], pa.time64("us")), ANY, [datetime.time(0, 0, 0, 5)]),
    ("no values", pa.nulls(2), LONG, [NAN, NAN]),
    ("no values in lists", lists(pa.nulls(1), 0, 1), array_of({"type": "double"}), [[NAN]]),
    ("uint64", pa.array([2**63 - 1, 1], pa.uint64()), LONG, [2**63 - 1, 1]),
    ("large texts", pa.array(["a", None], pa.large_string()), STRING, ["a", NO_TEXT]),
    ("large bytes", pa.array([b"a", None], pa.large_binary()), BINARY, [b"a", None]),
    ("dictionary of texts", pa.array(["a", None, "a"]).dictionary_encode(), STRING,
     ["a", NO_TEXT, "a"]),
    ("dictionary of integers", pa.array([7, 8]).dictionary_encode(), LONG, [7, 8]),
    ("dictionary in lists", lists(pa.array(["a", "a"]).dictionary_encode(), 0, 1, 2),
     array_of(STRING), [["a"], ["a"]]),
    ("large lists", pa.array([[1, 2], None, []], pa.large_list(pa.int8())), array_of(LONG),
     [[1, 2], None, []]),
    ("lists of a size", pa.array([[1, 2], [3, 4]], pa.list_(pa.int8(), 2)), array_of(LONG),
     [[1, 2], [3, 4]]),
    ("integers with gaps in lists", pa.array([[2**53 + 1, None]]), ANY, [[2**53 + 1, None]]),
    ("lists in lists", pa.array([[[1.0], []], None, [[2.0, None]]]), array_of(array_of(DOUBLE)),
     [[[1.0], []], None, [[2.0, NAN]]]),
    ("maps", pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int8())), map_of(LONG),
     [{"k": 1}, None, {}]),
    ("lists of structs", pa.array([[{"x": "a"}, {"x": None}], None]),
     array_of(object_of(STRING)), [[{"x": "a"}, {"x": None}], None]),
    ("tensors", pa.ExtensionArray.from_storage(
        pa.fixed_shape_tensor(pa.int8(), [2, 3], permutation=[1, 0]),
        pa.array([list(range(6))], pa.list_(pa.int8(), 6))), array_of(array_of(LONG)),
     [[[0, 3], [1, 4], [2, 5]]]),
]  # fmt: skip

FAR = "a date outside of 1677 to 2262"

REFUSED: list[tuple[str, Any, Any, str]] = [
    ("fraction for long", decimals(CENTS, "1", "1.5"), LONG, "a number with a fraction"),
    ("small fraction for long", decimals(pa.decimal128(38, 30), "1", "1." + "0" * 29 + "1"), LONG,
     "a number with a fraction"),
    ("decimal beyond long", decimals(WHOLE, "1", str(2**63)), LONG, "an integer beyond 64 bits"),
    ("decimal far beyond long", decimals(HUGE, "-1", "9" * 70), LONG, "an integer beyond 64 bits"),
    ("decimal beyond integer", decimals(WHOLE, None, str(2**31)), INTEGER,
     "an integer beyond 32 bits"),
    ("decimal for boolean", decimals(WHOLE, "1", "2"), BOOLEAN, "a number other than 0 and 1"),
    ("fraction for string", decimals(CENTS, None, "1.5"), STRING, "a number"),
    ("decimal for datetime", decimals(WHOLE, None, "5"), DATE, "a number"),
    ("decimal for binary", decimals(WHOLE, None, "5"), BINARY, "a number"),
    ("fraction in lists", lists(decimals(CENTS, "1", "1.5"), 0, 1, 2), array_of(LONG),
     "a number with a fraction at [0]"),
    ("decimal beyond long in structs", structs(decimals(WHOLE, "1", str(2**63))), object_of(LONG),
     "an integer beyond 64 bits at x"),
    ("bytes of 16 for string", pa.array([None, BYTES], pa.binary(16)), STRING, "bytes"),
    *(
        (f"{what} {unit} {zone}", times(unit, 0, seconds * 10**power, zone=zone), DATE, FAR)
        for unit, power in (("s", 0), ("ms", 3), ("us", 6))
        for zone in (None, "UTC", "America/New_York")
        for what, seconds in (("year 9999", 253_402_214_400), ("year 14000", 380_000_000_000),
                              ("year 1500", -14_831_769_600), ("before Christ", -70_000_000_000))
    ),
    *(
        (f"day {day}", pa.array([0, day], pa.date32()), DATE, FAR)
        for day in (-200_000, -4_000_000, 120_000, 4_000_000)
    ),
    ("far time in lists", lists(times("us", 0, 10**18), 0, 1, 2), array_of(DATE), f"{FAR} at [0]"),
    ("far time of a zone in structs", structs(times("us", 0, 10**18, zone="Asia/Tokyo")),
     object_of(DATE), f"{FAR} at x"),
    ("far day in lists", lists(pa.array([0, 120_000], pa.date32()), 0, 1, 2), array_of(DATE),
     f"{FAR} at [0]"),
    ("farther day in structs", structs(pa.array([0, 4_000_000], pa.date32())), object_of(DATE),
     f"{FAR} at x"),
    ("time for string", times("us", None, 5), STRING, "a date"),
    ("duration", pa.array([None, 5], pa.duration("s")), LONG, "a duration"),
    ("duration in lists", pa.array([None, [5]], pa.list_(pa.duration("us"))), array_of(LONG),
     "a duration at [0]"),
    ("seconds of a day", pa.array([None, 5], pa.time32("s")), LONG, "a time"),
    ("microseconds of a day", pa.array([None, 5], pa.time64("us")), DATE, "a time"),
    ("nanoseconds of a day", pa.array([0, 5], pa.time64("ns")), ANY,
     "a time finer than microseconds"),
    ("nanoseconds of a day in lists", pa.array([[0], [5]], pa.list_(pa.time64("ns"))), ANY,
     "a time finer than microseconds"),
    ("uint64 for long", pa.array([1, 2**63], pa.uint64()), LONG, "an integer beyond 64 bits"),
    ("uint64 in lists", pa.array([[1], [2**63]], pa.list_(pa.uint64())), array_of(LONG),
     "an integer beyond 64 bits at [0]"),
    ("property twice", pa.StructArray.from_arrays([pa.array([1, 2])] * 2, ["x", "x"],
                                                  mask=pa.array([True, False])), ANY,
     "an object with a property given twice"),
    ("lists as keys", pa.array([[], [([1], 1)]], pa.map_(pa.list_(pa.int8()), pa.int8())), ANY,
     "a value of the Arrow type map<list<"),
    ("period", pa.Table.from_pandas(pd.DataFrame({"a": pd.PeriodIndex([None, "2024-01"], freq="M")})
                                    )["a"], ANY, "a value of the type pandas.period"),
]  # fmt: skip

if hasattr(pa, "uuid"):
    HALVES = pa.array([HALF, None], pa.float16())
    UUIDS = pa.array([BYTES, None], pa.uuid())
    VIEW = pa.array(["a", None], pa.string_view())
    READ += [
        ("UUID", UUIDS, STRING, [TEXT_OF_BYTES, NO_TEXT]),
        ("UUID for binary", UUIDS, BINARY, [BYTES, None]),
        ("UUID for anything", UUIDS, ANY, [UUID(bytes=BYTES), None]),
        ("UUID in lists", lists(UUIDS, 0, 2), array_of(STRING), [[TEXT_OF_BYTES, None]]),
        ("UUID in structs", structs(UUIDS), object_of(BINARY), [{"x": BYTES}, {"x": None}]),
        ("UUID in maps", maps(UUIDS[:1]), map_of(STRING), [{"k0": TEXT_OF_BYTES}]),
        ("half floats", HALVES, DOUBLE, [1.5, NAN]),
        ("half floats for float", HALVES, FLOAT, [1.5, NAN]),
        ("half floats for long", pa.array([np.float16(2)]), LONG, [2]),
        ("half floats in lists", lists(HALVES, 0, 2), array_of(DOUBLE), [[1.5, NAN]]),
        ("half floats in structs", structs(HALVES), object_of(FLOAT), [{"x": 1.5}, {"x": None}]),
        ("half floats in maps", maps(pa.array([HALF])), map_of(DOUBLE), [{"k0": 1.5}]),
        ("views of texts", VIEW, STRING, ["a", NO_TEXT]),
        ("views of bytes", pa.array([b"a"], pa.binary_view()), BINARY, [b"a"]),
        ("views in lists", lists(VIEW, 0, 2), array_of(STRING), [["a", None]]),
        ("small decimals", decimals(pa.decimal32(5, 1), "5", None), LONG, [5.0, NAN]),
        ("eight bits", pa.ExtensionArray.from_storage(
            pa.bool8(), pa.array([0, 2, None], pa.int8())), BOOLEAN, [False, True, None]),
        ("texts of JSON", pa.ExtensionArray.from_storage(pa.json_(), pa.array(["{}", None])),
         STRING, ["{}", NO_TEXT]),
        ("lists with a null", pa.array([[1, 2], None], pa.list_(pa.int8(), 2)), array_of(LONG),
         [[1, 2], None]),
    ]  # fmt: skip
    REFUSED += [
        ("UUID for long", pa.array([None, BYTES], pa.uuid()), LONG, "a UUID"),
        ("half float for long", pa.array([np.float16(1), HALF]), LONG, "a number with a fraction"),
        ("eight bits for text", pa.ExtensionArray.from_storage(
            pa.bool8(), pa.array([None, 1], pa.int8())), STRING, "a boolean"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "spec", "expected"), [row[1:] for row in READ], ids=[row[0] for row in READ]
)
def test_read_without_loss(cells: Any, spec: Any, expected: list[Any]) -> None:
    assert repr(read(file(cells), spec)) == repr([plain(cell) for cell in expected])


@pytest.mark.parametrize(
    ("cells", "spec", "found"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_refused_by_row_and_column(cells: Any, spec: Any, found: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        read(file(cells), spec)
    assert refusal.value.message.startswith("row 1, column 'a': expected ")
    assert refusal.value.details[0]["found"].startswith(found)


@pytest.mark.skipif(not hasattr(pa, "uuid"), reason="this pyarrow writes no such file")
def test_durations_in_arrays_of_a_size_are_no_integers() -> None:
    body = file(pa.array([[1], None], pa.list_(pa.duration("us"), 1)))
    with pytest.raises(BadRequest) as refusal:  # before version 26 pyarrow does not read them
        read(body, array_of(LONG))
    assert "a duration at [0]" in refusal.value.message or "be read: 'a'" in refusal.value.message


def test_a_part_of_a_column_of_maps() -> None:
    whole = pa.array([[("a", 1)], [("b", 2), ("c", 3)], []], pa.map_(pa.string(), pa.int64()))
    part = pa.chunked_array([whole.slice(1)])
    assert read_cells(part, ["STRING", "NONE"]) == [{"b": 2, "c": 3}, {}]


SENTINEL = times("us", 0, 253_402_214_400_000_000)  # 9999-12-31, which many databases write


@pytest.mark.parametrize(
    ("cells", "spec"),
    [
        (SENTINEL, DATE),
        (lists(SENTINEL, 0, 1, 2), array_of(DATE)),
        (structs(SENTINEL), object_of(DATE)),
    ],
    ids=["column", "list", "struct"],
)
def test_times_of_96_bits(cells: Any, spec: Any) -> None:
    near = cells.slice(0, 1)
    body = file(near, use_deprecated_int96_timestamps=True)
    assert repr(read(body, spec)) == repr(read(file(near), spec))
    with pytest.raises(BadRequest) as refusal:
        read(file(cells, use_deprecated_int96_timestamps=True), spec)
    assert refusal.value.details[0]["row"] == 1
    assert refusal.value.details[0]["found"].startswith(FAR)


def test_nanoseconds_of_96_bits() -> None:
    body = file(times("ns", 1, 10**18 + 1), use_deprecated_int96_timestamps=True)
    assert read(body, DATE) == [pd.Timestamp(1), pd.Timestamp(10**18 + 1)]


TENSORS: list[tuple[str, dict[str, Any], str, list[int], Any]] = [
    ("decimals", {"x": decimals(WHOLE, "5", "6")}, "int64", [-1], [5, 6]),
    ("decimals with fractions", {"x": decimals(CENTS, "0.5")}, "float32", [-1], [0.5]),
    ("decimals for text", {"x": decimals(WHOLE, "5")}, "<U4", [-1], ["5"]),
    ("decimals in lists", {"x": lists(decimals(CENTS, "0.5", "1"), 0, 2)}, "float64", [-1, 2],
     [[0.5, 1.0]]),
    ("columns of two types", {"x": decimals(WHOLE, "5"), "y": pa.array([0.5])}, "float64", [-1, 2],
     [[5.0, 0.5]]),
    ("times", {"x": times("ms", 0, zone="UTC")}, "datetime64[ns]", [-1], [0]),
    ("times of a zone", {"x": times("ms", 0, zone="Asia/Tokyo")}, "datetime64[s]", [-1],
     [datetime.datetime(1970, 1, 1)]),
    ("lists of a size", {"x": pa.array([[1, 2]], pa.list_(pa.int8(), 2))}, "int64", [-1, 2],
     [[1, 2]]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "dtype", "shape", "expected"),
    [row[1:] for row in TENSORS],
    ids=[row[0] for row in TENSORS],
)
def test_tensors(columns: dict[str, Any], dtype: str, shape: list[int], expected: Any) -> None:
    spec = {"type": "tensor", "tensor-spec": {"dtype": dtype, "shape": shape}}
    declared = compile_signature({"inputs": json.dumps([spec])}, from_type_hint=False)
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pa.table(columns), buffer)
    tensor = FORMATS[PARQUET].read(buffer.getvalue(), declared, LIMIT).data
    assert (tensor.dtype, tensor.tolist()) == (np.dtype(dtype), expected)
