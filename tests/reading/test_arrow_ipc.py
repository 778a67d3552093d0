"""Arrow streams and files: read as Parquet is, with the same types; refused if damaged or large."""

import datetime
import io
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from modelserver.errors import ApiError, BadRequest, PayloadTooLarge
from modelserver.reading.arrow.ipc import read_ipc
from modelserver.reading.arrow.reader import table_of, untyped_frame
from modelserver.reading.arrow.sizes import size_of
from modelserver.reading.formats import ARROW
from modelserver.reading.signatures.compiling import compile_signature
from modelserver.types.kind import BadCells
from modelserver.types.type_table import KINDS
from tests.reading import test_parquet_cells as cells_of_parquet, test_parquet_reader as of_parquet
from tests.reading.test_parquet_writers import POLARS, POLARS_REFUSED
from tests.support import signatures
from tests.support.signatures import column, signature

if not hasattr(pa, "string_view"):
    pytest.skip("this pyarrow knows no views of texts, as polars writes", allow_module_level=True)

LIMIT = 100_000


def stream(table: Any, **options: Any) -> bytes:
    return written(pa.ipc.new_stream, table, **options)


def file(table: Any, **options: Any) -> bytes:
    return written(pa.ipc.new_file, table, **options)


def written(new: Callable[..., Any], table: Any, rows: int = 2, **options: Any) -> bytes:
    """The table in batches of so many rows."""
    buffer = io.BytesIO()
    with new(buffer, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, rows)
    return buffer.getvalue()


WRITERS: dict[str, Callable[[Any], bytes]] = {
    "stream": stream,
    "file": file,
    "stream, lz4": lambda table: stream(table, compression="lz4"),
    "file, zstd": lambda table: file(table, compression="zstd"),
}

every_writer = pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)


def one(cells: Any) -> Any:
    """A table of one column."""
    return pa.table({"a": cells})


def read(body: bytes, spec: Any) -> list[Any]:
    """The cells that the model gets, plain."""
    frame = signatures.read(cells_of_parquet.signature(spec), body, ARROW).data
    return [cells_of_parquet.plain(cell) for cell in frame["a"]]


# Arrow's days in milliseconds must be whole ones, where Parquet has days.
AS_PARQUET = [row for row in cells_of_parquet.READ if row[0] != "days in lists"]


@pytest.mark.parametrize(
    ("cells", "spec", "expected"), [row[1:] for row in AS_PARQUET], ids=[r[0] for r in AS_PARQUET]
)
@every_writer
def test_cells_are_read_as_those_of_parquet(
    write: Callable[[Any], bytes], cells: Any, spec: Any, expected: list[Any]
) -> None:
    plain = [cells_of_parquet.plain(cell) for cell in expected]
    assert repr(read(write(one(cells)), spec)) == repr(plain)


@pytest.mark.parametrize(
    ("cells", "spec", "found"),
    [row[1:] for row in cells_of_parquet.REFUSED],
    ids=[row[0] for row in cells_of_parquet.REFUSED],
)
def test_cells_are_refused_as_those_of_parquet(cells: Any, spec: Any, found: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        read(stream(one(cells)), spec)
    assert refusal.value.message.startswith("row 1, column 'a': expected ")
    assert refusal.value.details[0]["found"].startswith(found)


@pytest.mark.parametrize(
    ("cells", "kind", "expected"),
    [row[1:] for row in of_parquet.CONVERTED],
    ids=[row[0] for row in of_parquet.CONVERTED],
)
def test_columns_are_converted_as_those_of_parquet(cells: Any, kind: str, expected: Any) -> None:
    [column] = table_of(read_ipc(stream(one(cells)), LIMIT)).by_column()
    converted = KINDS[kind].convert(column, required=False)
    assert repr(of_parquet._plain(converted)) == repr(of_parquet._plain(expected))


@pytest.mark.parametrize(
    ("cells", "kind", "found"),
    [row[1:] for row in of_parquet.REFUSED],
    ids=[row[0] for row in of_parquet.REFUSED],
)
def test_columns_are_refused_as_those_of_parquet(cells: Any, kind: str, found: str) -> None:
    [column] = table_of(read_ipc(stream(one(cells)), LIMIT)).by_column()
    with pytest.raises(BadCells) as refusal:
        KINDS[kind].convert(column, required=False)
    assert refusal.value.cells == [(0, found)]


@pytest.mark.parametrize("method", ["write_ipc", "write_ipc_stream"])
@pytest.mark.parametrize(
    ("cells", "spec", "expected"), [row[1:] for row in POLARS], ids=[row[0] for row in POLARS]
)
def test_polars(method: str, cells: pl.Series, spec: Any, expected: list[Any]) -> None:
    plain = [cells_of_parquet.plain(cell) for cell in expected]
    assert repr(read(of_polars(cells, method), spec)) == repr(plain)


def of_polars(cells: pl.Series, method: str = "write_ipc") -> bytes:
    buffer = io.BytesIO()
    getattr(pl.DataFrame({"a": cells}), method)(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("cells", "spec", "message"),
    [row[1:] for row in POLARS_REFUSED],
    ids=[row[0] for row in POLARS_REFUSED],
)
def test_refused_of_polars(cells: pl.Series, spec: Any, message: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        read(of_polars(cells), spec)
    assert message.replace("Parquet file", "Arrow table") in refusal.value.message


FRAME = pd.DataFrame({"a": [1, 2, 3], "b": ["x", None, "y"]}, index=pd.Index(["p", "q", "r"]))


@every_writer
def test_names_and_labels_of_pandas(write: Callable[[Any], bytes]) -> None:
    body = write(pa.Table.from_pandas(FRAME))
    typed = signature(column("long", "a"), column("string", "b"))
    pd.testing.assert_frame_equal(signatures.read(typed, body, ARROW).data, FRAME)


def test_feather() -> None:
    buffer = io.BytesIO()
    plain = FRAME.reset_index(drop=True)
    plain.to_feather(buffer)  # which compresses
    untyped = compile_signature(None, from_type_hint=False)
    payload = signatures.read(untyped, buffer.getvalue(), ARROW)
    pd.testing.assert_frame_equal(payload.data, plain)


UNREADABLE = "the body is not an Arrow stream or file that can be read"
BROKEN = "the Arrow table holds columns that cannot be read: 'a'"
EMPTY = "the table is empty: it has no rows"
GOOD = pa.table({"a": [1, 2, 3]})
RUNS = pa.RunEndEncodedArray.from_arrays([5000], ["x"])
FOLDED_LISTS = pa.DictionaryArray.from_arrays(pa.array([0]), pa.array([[1]]))


def pointing_to(number: int) -> bytes:
    """A file of two batches whose footer has, for the second one, the offset (0) or a smaller
    length of the metadata (1)."""
    whole = file(GOOD)
    first, second = (struct.pack("<3q", place, 144, size) for place, size in ((136, 24), (304, 8)))
    assert (whole.count(first), whole.count(second)) == (1, 1)
    return whole.replace(second, (first, second.replace(b"\x90", b"\x88"))[number])


def with_old_compression() -> bytes:
    buffer = io.BytesIO()
    with pa.ipc.new_stream(buffer, GOOD.schema) as writer:
        old = {"ARROW:experimental_compression": "lz4"}
        writer.write_batch(GOOD.to_batches()[0], custom_metadata=old)
    return buffer.getvalue()


REFUSED: list[tuple[str, bytes, str]] = [
    ("nothing", b"", UNREADABLE),
    ("text", b"a,b\n1,2\n", UNREADABLE),
    ("beginning of a stream", b"\xff\xff\xff\xff", UNREADABLE),
    ("beginning of a file", b"ARROW1", UNREADABLE),
    ("only magic bytes", b"ARROW1" * 9, UNREADABLE),
    ("Feather version 1", b"FEA1" + bytes(20) + b"FEA1", UNREADABLE),
    ("schema of a stream that is cut", stream(GOOD)[:40], UNREADABLE),
    ("file without its end", file(GOOD)[:-6], UNREADABLE),
    ("file that points to one batch twice", pointing_to(0), UNREADABLE),
    ("file with another length of metadata", pointing_to(1), UNREADABLE),
    ("compression of old versions", with_old_compression(), UNREADABLE),
    ("two streams", stream(GOOD) * 2, "the Arrow stream ends before the body does; send one "
     "stream"),
    ("no columns", stream(pa.table({})), EMPTY),
    ("no batches", stream(GOOD[:0]), EMPTY),
    ("no rows in a file", file(GOOD[:0]), EMPTY),
    ("column twice", stream(pa.Table.from_arrays([pa.array([1])] * 2, ["a", "a"])),
     "columns given twice: 'a'"),
    ("no UTF-8", stream(pa.table({"b": [1], "a": pa.array([b"\xff"]).view(pa.string())})), BROKEN),
    ("runs of equal values", stream(one(RUNS)), BROKEN),
    ("dictionary of lists", stream(one(FOLDED_LISTS)), BROKEN),
    ("a union", stream(one(pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])]))),
     BROKEN),
    ("part of a day", stream(one(pa.array([1], pa.date64()))), BROKEN),
    ("metadata", stream(GOOD.replace_schema_metadata({"pandas": "{}"})),
     "what pandas says of the Arrow table cannot be read"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "message"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_refused_bodies(body: bytes, message: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        table_of(read_ipc(body, LIMIT))
    assert refusal.value.message == message


@every_writer
def test_a_body_that_is_cut_anywhere(write: Callable[[Any], bytes]) -> None:
    """Each part is refused, or is a stream that ends between two batches."""
    body = write(GOOD)
    for end in range(len(body)):
        try:
            content = read_ipc(body[:end], LIMIT)
        except BadRequest:
            continue
        assert content.table.num_rows in (0, 2, 3)
        assert not body.startswith(b"ARROW1")


FOLDED = pa.DictionaryArray.from_arrays(pa.array([0] * 150, pa.int8()), ["x" * 1000])
VIEW = pa.array(["x" * 150]).cast(pa.string_view())


@pytest.mark.parametrize(
    "table",
    [
        one(pa.nulls(10**9)),
        one(pa.FixedSizeListArray.from_arrays(pa.nulls(2**31 - 1), 2**31 - 1)),
        one(FOLDED),
        one(FOLDED.cast(pa.dictionary(pa.int8(), pa.large_string()))),
        one(pa.array([["x" * 1000]] * 150)),
        one(pa.array([b"x" * 1000] * 150, pa.binary(1000))),
        one(pa.array([{"x": "x" * 1000}] * 150)),
        one(pa.array([[("k", "x" * 1000)]] * 150, pa.map_(pa.string(), pa.string()))),
        one(pa.array(["x" * 1000] * 150).cast(pa.string_view())),
        one(pa.array([b"x" * 1000] * 150).cast(pa.binary_view())),
        pa.table({f"c{place}": pa.nulls(1000) for place in range(101)}),
    ],
    ids=[
        *("rows", "nulls in lists", "dictionary", "large texts", "lists of texts", "bytes"),
        *("structs", "maps", "views of texts", "views of bytes", "columns"),
    ],
)
def test_a_small_body_may_not_stand_for_a_large_table(table: Any) -> None:
    for write in (stream, file):
        body = write(table, rows=table.num_rows)
        with pytest.raises(PayloadTooLarge) as refusal:
            read_ipc(body, LIMIT)
        assert refusal.value.message == f"the body is larger than {LIMIT} bytes (MAX_REQUEST_BYTES)"


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
@pytest.mark.parametrize("write", [stream, file])
def test_compressed_buffers_are_measured_before_they_are_decoded(
    write: Callable[..., bytes], codec: str
) -> None:
    body = write(one(np.zeros(1_000_000)), rows=1_000_000, compression=codec)
    held = pa.default_memory_pool().max_memory()
    with pytest.raises(PayloadTooLarge):
        read_ipc(body, 7_999_999)
    assert pa.default_memory_pool().max_memory() == held
    assert read_ipc(body, 8_000_000).table.num_rows == 1_000_000


@pytest.mark.parametrize(
    ("cells", "size"),
    [
        (pa.array([0.5] * 7), 7),
        (pa.nulls(7), 7 * 9),
        (pa.nulls(7, pa.list_(pa.null(), 2)), 7),
        (pa.array([[None, None]] * 7, pa.list_(pa.null(), 2)), 7 + 14 * 9),
        (pa.array([{}] * 7, pa.struct([])), 7 * 65),
        (pa.array([[]] * 7, pa.list_(pa.int8(), 0)), 7 * 65),
        (pa.array([b""] * 7, pa.binary(0)), 7 * 9),
        (pa.array(["x" * 10, None, "x"]), 3 + 11),
        (pa.array([b"x" * 10] * 3, pa.binary(10)), 3 + 30),
        (pa.array(["x" * 10, None, "y" * 20]).cast(pa.string_view()), 3 + 30),
        (pa.array([[]], pa.list_(pa.string_view())), 1),
        (pa.array(["x" * 10, "x" * 10, None]).dictionary_encode(), 3 + 20),
        (pa.array([b"x" * 10] * 3, pa.binary(10)).dictionary_encode(), 3 + 30),
        (pa.array([1, 1, 2]).dictionary_encode(), 3 + 24),
        (pa.DictionaryArray.from_arrays(pa.array([0, 0], pa.int8()), pa.nulls(1)), 2 * 9),
        (pa.array([["x" * 10] * 3, None]), 2 + 3 + 30),
        (pa.array([{"x": "x" * 10, "n": 1}] * 3), 3 + 6 + 30),
        (pa.array([[("k", "x" * 10)]] * 3, pa.map_(pa.string(), pa.string())), 3 + 6 + 3 + 30),
    ],
    ids=[
        *("numbers", "nulls", "no lists", "lists of nulls", "empty objects", "empty lists"),
        *("empty bytes", "texts", "bytes of a length", "views", "no views", "dictionary"),
        *("dictionary of bytes", "dictionary of numbers", "dictionary of nulls"),
        *("lists of texts", "objects", "maps"),
    ],
)
def test_the_size_of_what_a_body_stands_for(cells: Any, size: int) -> None:
    body = stream(one(cells), rows=len(cells))
    assert read_ipc(body, size).table.num_rows == len(cells)
    with pytest.raises(PayloadTooLarge):
        read_ipc(body, size - 1)


# In its second batch, lists among lists have no values, but bytes for where they start: pyarrow
# takes any for valid, and some would end the process when it reads them.
LISTS = one(pa.array([[[1.5]], [[]], None]))
NESTED = pa.table(
    {
        "n": [[[1.5]], [[]], None],
        "o": [{"x": "a"}, None, {"x": "b"}],
        "m": pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int64())),
        "d": pa.array([["a", "b"], None, ["a"]], pa.list_(pa.dictionary(pa.int8(), pa.string()))),
        "t": pa.array([datetime.datetime(2024, 1, 2), None, None], pa.timestamp("us", "UTC")),
    }
)


def test_bytes_behind_the_views_of_texts_do_not_matter() -> None:
    views = pa.array(["a", "b" * 20]).cast(pa.string_view())
    valid, places, texts = views.buffers()
    longer = pa.py_buffer(places.to_pybytes() + b"\xff" * 3)
    odd = pa.Array.from_buffers(pa.string_view(), 2, [valid, longer, texts])
    odd.validate(full=True)
    assert size_of(odd) == size_of(views) == 2 + 21


def test_arrays_without_values_start_at_their_beginning() -> None:
    assert BROKEN in outcomes_of_damage(stream(LISTS), b"\xff")


@pytest.mark.repeats
@pytest.mark.parametrize(("write", "byte"), [(stream, b"\x80"), (file, b"\0")])
def test_no_damaged_byte_ends_the_process(write: Callable[..., bytes], byte: bytes) -> None:
    assert len(outcomes_of_damage(write(NESTED), byte, every=2)) > 2


def outcomes_of_damage(whole: bytes, byte: bytes, every: int = 1) -> set[str]:
    """The messages for a body with this byte in any one place; empty where that does not matter."""
    outcomes = set()
    for place in range(0, len(whole), every):
        try:
            content = read_ipc(whole[:place] + byte + whole[place + 1 :], LIMIT)
            table_of(content)
            untyped_frame(content)
            outcomes.add("")
        except ApiError as error:
            outcomes.add(error.message)
    return outcomes
