"""What holds for every input: formats agree, nothing is lost in silence, faults have words.

Tables are random tables of random signatures. The expected frame is built from NumPy and pandas
alone, with the dtypes that MLflow documents for its column types.
"""

import base64
import contextlib
import csv
import io
import json
import string
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from hypothesis.extra import numpy as hnp
from mlflow.models import ModelSignature
from mlflow.types import ParamSchema, Schema

from modelserver.errors import LIMIT, ApiError, InvalidInput
from modelserver.reading.formats import ARROW, CSV, FORMATS, JSON, PARQUET, Format
from modelserver.reading.signatures.compiling import compile_signature
from modelserver.reading.signatures.signature import Signature
from modelserver.scoring.answering.encoding import encode_predictions
from modelserver.types.cell_parsers import EXACT
from modelserver.types.kind import TEXT, BadCells
from modelserver.types.type_table import KINDS
from tests.support.zoo import SCALARS, SCHEMAS

MEGABYTE = 1024 * 1024

MANY = settings().max_examples
"""As the profile says, see conftest.py."""

repeatable = settings(max_examples=MANY * 3 // 2, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True)
class Sample:
    """A table: a signature, and for each column that is sent its cells, None where missing."""

    columns: tuple[dict[str, Any], ...]
    cells: dict[str, list[Any]]
    """In the order in which the columns are sent."""

    @property
    def signature(self) -> Signature:
        return compile_signature({"inputs": json.dumps(self.columns)}, from_type_hint=False)

    @property
    def types(self) -> dict[str, str]:
        return {column["name"]: column["type"] for column in self.columns}

    def encoded(self) -> dict[str, list[Any]]:
        """The cells as JSON or CSV spells them."""
        return {
            name: [None if cell is None else SPELLED[self.types[name]](cell) for cell in cells]
            for name, cells in self.cells.items()
        }

    def rows(self) -> list[tuple[Any, ...]]:
        return list(zip(*self.encoded().values(), strict=True))

    def frame(self) -> pd.DataFrame:
        """What the model must get: the signature's order, MLflow's dtypes."""
        return pd.DataFrame(
            {
                name: ARRAYS[kind](self.cells[name])
                for name, kind in self.types.items()
                if name in self.cells
            }
        )


def _same(value: Any) -> Any:
    return value


SPELLED: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(SCALARS, _same),
    "binary": lambda value: base64.b64encode(value).decode(),
    "datetime": lambda value: str(np.datetime64(value, "ns")),
}


def _with_none(dtype: Any) -> Callable[[list[Any]], Any]:
    return lambda cells: np.array(cells, object if None in cells else dtype)


def _with_nan(dtype: Any, dtype_with_gaps: Any) -> Callable[[list[Any]], Any]:
    def array(cells: list[Any]) -> Any:
        if None not in cells:
            return np.array(cells, dtype)
        return np.array([np.nan if cell is None else cell for cell in cells], dtype_with_gaps)

    return array


ARRAYS: dict[str, Callable[[list[Any]], Any]] = {
    "boolean": _with_none(np.bool_),
    "integer": _with_nan(np.int32, np.float64),
    "long": _with_nan(np.int64, np.float64),
    "float": _with_nan(np.float32, np.float32),
    "double": _with_nan(np.float64, np.float64),
    "string": lambda cells: pd.Series(cells, dtype=TEXT).array,
    "binary": _with_none(object),
    "datetime": lambda cells: np.array(
        [np.datetime64("NaT" if cell is None else cell, "ns") for cell in cells], "M8[ns]"
    ),
}

ARROW_TYPES: dict[str, Any] = {
    "boolean": pa.bool_(),
    "integer": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "string": pa.string(),
    "binary": pa.binary(),
    "datetime": pa.timestamp("ns"),
}


def as_csv(sample: Sample) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)  # quotes what needs it, writes floats by repr and None as nothing
    writer.writerow(sample.cells)
    writer.writerows(sample.rows())
    return text.getvalue().encode()


def as_split(sample: Sample) -> bytes:
    return _form("dataframe_split", {"columns": list(sample.cells), "data": sample.rows()})


def as_records(sample: Sample) -> bytes:
    rows = [dict(zip(sample.cells, row, strict=True)) for row in sample.rows()]
    return _form("dataframe_records", rows)


def as_inputs(sample: Sample) -> bytes:
    return json.dumps({"inputs": sample.encoded()}, ensure_ascii=False).encode()


def as_parquet(sample: Sample) -> bytes:
    file = io.BytesIO()
    pyarrow.parquet.write_table(_arrow_table(sample), file)
    return file.getvalue()


def as_arrow(new: Callable[..., Any]) -> Callable[[Sample], bytes]:
    """Writes batches of two rows."""

    def write(sample: Sample) -> bytes:
        table, file = _arrow_table(sample), io.BytesIO()
        with new(file, table.schema) as writer:
            writer.write_table(table, 2)
        return file.getvalue()

    return write


def _arrow_table(sample: Sample) -> Any:
    types = [ARROW_TYPES[sample.types[name]] for name in sample.cells]
    arrays = map(pa.array, sample.cells.values(), types)
    return pa.Table.from_arrays(list(arrays), list(sample.cells))


def by_row(row: Format) -> Callable[[Sample], bytes]:
    """Writes a table as the row writes an example of one."""

    def write(sample: Sample) -> bytes:
        assert row.write is not None
        return row.write(list(sample.cells), sample.rows()).encode()

    return write


def _form(form: str, value: Any) -> bytes:
    return json.dumps({form: value}).encode()


WRITERS: dict[str, tuple[str, Callable[[Sample], bytes]]] = {
    **{
        f"{row.name}, as shown": (row.media_type, by_row(row))
        for row in FORMATS.values()
        if row.write
    },
    "csv": (CSV, as_csv),
    "dataframe_split": (JSON, as_split),
    "dataframe_records": (JSON, as_records),
    "inputs": (JSON, as_inputs),
    "parquet": (PARQUET, as_parquet),
    "arrow stream": (ARROW, as_arrow(pa.ipc.new_stream)),
    "arrow file": (ARROW, as_arrow(pa.ipc.new_file)),
}

# Neither JSON nor UTF-8 can hold a lone surrogate.
NUL = "\0" if sys.version_info < (3, 11) else ""  # which Python 3.10 cannot write as CSV
characters = st.characters(exclude_categories=["Cs"], exclude_characters=NUL)
# An empty CSV cell is a missing one, so that texts and bytes are never empty; a nameless column is
# one of row labels; a byte order mark at a file's start is no part of the first name.
names = st.text(characters, min_size=1).filter(lambda name: name[0] != "\ufeff")

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "integer": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(width=32, allow_nan=False, allow_infinity=False),
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "string": st.text(characters, min_size=1),
    "binary": st.binary(min_size=1),
    "datetime": st.integers(-(2**63) + 1, 2**63 - 1),  # the least integer is NumPy's NaT
}

# A long column with gaps becomes float64, which holds no more than this exactly.
EXACT_LONGS = st.integers(-EXACT + 1, EXACT - 1)

NEVER_MISSING_WHEN_REQUIRED = {"integer", "long", "binary"}


@st.composite
def columns_of_cells(draw: st.DrawFn, kind: str, required: bool, length: int) -> list[Any]:
    values = VALUES[kind]
    if not (required and kind in NEVER_MISSING_WHEN_REQUIRED) and draw(st.booleans()):
        values = st.none() | (EXACT_LONGS if kind == "long" else values)
    return draw(st.lists(values, min_size=length, max_size=length))


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    columns: tuple[dict[str, Any], ...] = tuple(
        {"type": draw(st.sampled_from(SCALARS)), "name": name, "required": draw(st.booleans())}
        for name in draw(st.lists(names, min_size=1, max_size=6, unique=True))
    )
    sent = [column for column in columns if column["required"] or draw(st.booleans())]
    length = draw(st.integers(1, 8))
    cells = {
        column["name"]: draw(columns_of_cells(column["type"], column["required"], length))
        for column in draw(st.permutations(sent or columns))
    }
    return Sample(columns, cells)


@pytest.mark.parametrize("form", WRITERS)
@given(sample=samples())
@repeatable
def test_every_format_gives_the_source_frame(form: str, sample: Sample) -> None:
    media_type, write = WRITERS[form]
    payload = FORMATS[media_type].read(write(sample), sample.signature, MEGABYTE)
    expected = sample.frame()
    pd.testing.assert_frame_equal(payload.data, expected, check_exact=True)
    # None and NaN are equal for pandas, but not for models.
    assert [list(map(type, payload.data[name])) for name in expected] == [
        list(map(type, expected[name])) for name in expected
    ]


wholes = st.integers(-1000, 1000)
whole_texts = wholes.map(str)
fractions = st.builds(lambda whole, part: whole + part, wholes, st.floats(0.001, 0.999))
beyond_32_bits = st.integers(2**31) | st.integers(max_value=-(2**31) - 1)
beyond_64_bits = st.integers(2**63, 2**70) | st.integers(-(2**70), -(2**63) - 1)
words = st.text(string.ascii_letters, min_size=1)
no_floats = words.filter(lambda word: word.lower() not in ("nan", "inf", "infinity"))
no_dates = st.sampled_from(
    [
        "2024-02-30",
        "2024-13-01",
        "2024-01-02T25:00:00",
        "2024-01-02T03:04:05.1234567891",
        "2024-01-02T030405.1234567891",
        "1500-01-01",
        "2024",
        "now",
    ]
)
date = st.just("2024-01-02")
base64_text = st.just("YWJj")

# By fault: a type, values that are refused, values that may stand beside them.
LOSSY: dict[str, tuple[str, st.SearchStrategy[Any], st.SearchStrategy[Any]]] = {
    "fraction for integer": ("integer", fractions, wholes | whole_texts),
    "fraction for long": ("long", fractions, wholes | whole_texts),
    "fraction in text": ("long", fractions.map(str), wholes | wholes.map(float)),
    "beyond 32 bits": ("integer", beyond_32_bits, wholes | whole_texts),
    "beyond 64 bits": ("long", beyond_64_bits, wholes | whole_texts),
    "beyond 64 bits in text": ("long", beyond_64_bits.map(str), wholes | whole_texts),
    "beside a gap": ("long", st.integers(EXACT + 1, 2**63 - 1), st.none()),
    "float too large": ("long", st.floats(2**63, 1e300), wholes),
    "beyond 32-bit floats": ("float", st.floats(3.5e38, 1e300), VALUES["float"]),
    "number for boolean": ("boolean", st.integers(2, 2**63) | fractions, st.booleans()),
    "text for boolean": ("boolean", words | st.sampled_from(["1", "0", ""]), st.booleans()),
    "word for double": ("double", no_floats, st.floats(-1, 1)),
    "float for string": ("string", st.floats(-1, 1), words),
    "boolean for string": ("string", st.booleans(), words),
    "impossible date": ("datetime", no_dates, date),
    "boolean for datetime": ("datetime", st.booleans(), date),
    "number for datetime": ("datetime", wholes | fractions, date),
    "text that is no base64": ("binary", st.text("!?$-", min_size=1), base64_text),
    "number for binary": ("binary", wholes, base64_text),
}


@pytest.mark.parametrize("fault", LOSSY)
@given(data=st.data())
@repeatable
def test_what_would_lose_something_is_refused_by_its_row(fault: str, data: st.DataObject) -> None:
    kind, bad, neighbours = LOSSY[fault]
    before = data.draw(st.lists(neighbours, min_size=1, max_size=3))
    after = data.draw(st.lists(neighbours, max_size=3))
    cells = [*before, data.draw(bad), *after]
    signature = _one_column(kind, required=False)
    with pytest.raises(InvalidInput) as refusal:
        FORMATS[JSON].read(_form("inputs", {"a": cells}), signature, MEGABYTE)
    assert [(fault["row"], fault["column"]) for fault in refusal.value.details] == [
        (len(before), "a")
    ]


# In a CSV file every cell is text: other words for booleans and missing values, no integer dates.
LOSSY_IN_CSV = [
    "fraction for integer",
    "fraction for long",
    "fraction in text",
    "beyond 32 bits",
    "beyond 64 bits",
    "beside a gap",
    "float too large",
    "beyond 32-bit floats",
    "number for boolean",
    "text that is no base64",
]


@pytest.mark.parametrize("fault", LOSSY_IN_CSV)
@given(data=st.data())
@repeatable
def test_what_would_lose_something_in_csv_is_refused(fault: str, data: st.DataObject) -> None:
    kind, bad, neighbours = LOSSY[fault]
    before = data.draw(st.lists(neighbours, min_size=1, max_size=3))
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["a"], *([cell] for cell in before), [data.draw(bad)]])
    with pytest.raises(InvalidInput) as refusal:
        FORMATS[CSV].read(text.getvalue().encode(), _one_column(kind, required=False), MEGABYTE)
    assert [fault["row"] for fault in refusal.value.details] == [len(before)]


def _one_column(kind: str, required: bool) -> Signature:
    inputs = [{"type": kind, "name": "a", "required": required}]
    return compile_signature({"inputs": json.dumps(inputs)}, from_type_hint=False)


scalars: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers(-1, 2)
    | st.integers(-EXACT + 1, EXACT - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-2, 2).map(float)
    | st.sampled_from(["", "1", "0", "1.0", "1.5", "true", "NaT", "2024-01-02", "YWJj", "a"])
    | st.just([1])
    | st.just({})
)


@pytest.mark.parametrize("kind", SCALARS)
@given(cells=st.lists(scalars, min_size=1, max_size=6))
@repeatable
def test_a_cell_means_the_same_alone_and_in_a_column(kind: str, cells: list[Any]) -> None:
    alone = [_converted(kind, [cell]) for cell in cells]
    together = _converted(kind, cells)
    if isinstance(together, BadCells):
        assert [row for row, _ in together.cells] == [
            row for row, one in enumerate(alone) if isinstance(one, BadCells)
        ][:LIMIT]
    else:
        assert [_comparable(one[0]) for one in alone] == [_comparable(one) for one in together]


def _converted(kind: str, cells: list[Any]) -> Any:
    try:
        return KINDS[kind].convert(cells, required=False)
    except BadCells as error:
        return error


def _comparable(value: Any) -> Any:
    return "missing" if pd.isna(value) else value


def _declared(inputs: Schema | None, params: ParamSchema | None) -> dict[str, Any] | None:
    if inputs is None:
        return None
    declared: dict[str, Any] = ModelSignature(inputs, params=params).to_dict()  # type: ignore[arg-type]
    return declared


FUZZED: dict[str, Signature] = {
    name: compile_signature(_declared(inputs, params), from_type_hint=False)
    for name, (inputs, params) in SCHEMAS.items()
} | {
    "type_hint": compile_signature(
        {"inputs": '[{"type": "long", "required": true}]'}, from_type_hint=True
    ),
    "scalar_tensor": compile_signature(
        {"inputs": '[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": []}}]'},
        from_type_hint=False,
    ),
}

signatures = st.sampled_from(list(FUZZED.values()))

bodies = st.binary() | st.text('{}[]",:0123456789.eE+-nulltrNaI \\\r\n;').map(str.encode)


@pytest.mark.parametrize("media_type", FORMATS)
@given(signature=signatures, body=bodies)
@repeatable
def test_any_bytes_are_read_or_refused(media_type: str, signature: Signature, body: bytes) -> None:
    _read_or_refuse(media_type, body, signature)


@pytest.mark.parametrize("form", WRITERS)
@given(sample=samples(), data=st.data())
@repeatable
def test_damaged_tables_are_read_or_refused(form: str, sample: Sample, data: st.DataObject) -> None:
    media_type, write = WRITERS[form]
    body = write(sample)
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(body))] * 2)))
    damaged = body[:start] + data.draw(st.binary(max_size=4)) + body[end:]
    _read_or_refuse(media_type, damaged, sample.signature)


json_scalars: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(characters, max_size=3)
    | st.sampled_from(["2024-01-02", "1", "a", "x", "n"])
)
keys = st.sampled_from(["a", "b", "x", "n", "columns", "data", "index", "0", "text"])
json_values = st.recursive(
    json_scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)
split_values = st.fixed_dictionaries(
    {"data": json_values}, optional={"columns": json_values, "index": json_values}
)
FORMS: Sequence[str] = ("inputs", "instances", "dataframe_records", "dataframe_split")
json_bodies = json_values | st.builds(
    lambda form, value, more: {form: value, **more},
    st.sampled_from(FORMS),
    json_values | split_values,
    st.fixed_dictionaries({}, optional={"params": json_values, "messages": json_values}),
)


@given(signature=signatures, value=json_bodies)
@settings(repeatable, max_examples=15 * MANY)
def test_any_json_is_read_or_refused(signature: Signature, value: Any) -> None:
    _read_or_refuse(JSON, json.dumps(value).encode(), signature)


def _read_or_refuse(media_type: str, body: bytes, signature: Signature) -> None:
    with contextlib.suppress(ApiError):
        FORMATS[media_type].read(body, signature, MEGABYTE)


any_text = st.text(st.characters(), max_size=5)  # lone surrogates among it

outputs_leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(2**64, 2**200)
    | st.floats()
    | any_text
    | st.binary(max_size=8)
    | st.dates()
    | st.datetimes(timezones=st.none() | st.timezones())
    | st.times()
    | st.timedeltas(timedelta(days=-100_000), timedelta(days=100_000))
    | st.decimals()
    | st.uuids()
    | hnp.from_dtype(np.dtype("M8[ns]"))
    | hnp.from_dtype(np.dtype("m8[s]"), max_value=10**12, min_value=-(10**12))
    | hnp.arrays(
        st.sampled_from(["?", "i1", "u8", "i8", "f2", "f4", "f8", "M8[us]", "U3", "S3"]).map(
            np.dtype
        ),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
    )
    | hnp.from_dtype(np.dtype("i8"))
    | hnp.from_dtype(np.dtype("f4"))
    | st.sampled_from([pd.NA, pd.NaT, np.bool_(True), pd.Timestamp(0, tz="UTC")])
)

output_keys = (
    any_text | st.integers() | st.floats() | st.booleans() | st.none() | st.dates() | st.binary()
)

outputs = st.recursive(
    outputs_leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(output_keys, inner, max_size=4)
        | st.lists(inner, max_size=3).map(lambda cells: pd.Series(cells, dtype=object))
        | st.dictionaries(any_text, inner, max_size=3).map(
            lambda row: pd.DataFrame(
                [list(row.values())], columns=pd.Index(list(row), dtype=object)
            )
        )
    ),
    max_leaves=12,
)


@given(value=outputs)
@settings(repeatable, max_examples=6 * MANY)
def test_any_output_is_valid_json(value: Any) -> None:
    answer = json.loads(encode_predictions(value), parse_constant=_refuse, parse_int=str)
    assert list(answer) == ["predictions"]


def _refuse(token: str) -> None:
    raise AssertionError(f"{token} is not JSON")
