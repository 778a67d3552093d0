"""Tables in chunks are answered as if they had been read at once, however they are cut."""

import contextlib
import csv
import gzip
import io
import json
import re
import resource
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, strategies as st

from modelserver.errors import (
    ApiError,
    BadRequest,
    ModelFailed,
    NotAcceptable,
    PayloadTooLarge,
    StorageFull,
    UnsupportedMediaType,
)
from modelserver.reading.arrow.large_parquet import read_batches
from modelserver.reading.chunks.csv_chunks import TWO_SIGNS, CsvChunker
from modelserver.reading.formats import ARROW, CSV, FORMATS, JSON, NDJSON, PARQUET
from modelserver.reading.signatures.compiling import compile_signature
from modelserver.scoring.answering.formats import named
from modelserver.scoring.chunking.large_bodies import PIECE, why_whole
from tests.support.large import cut, in_chunks, model_of, whole
from tests.support.signatures import column, signature

MIXED = signature(
    column("double", "price", required=False),
    column("long", "n"),
    column("string", "name", required=False),
    column("boolean", "sold", required=False),
    column("datetime", "day", required=False),
)

NUMBERS = signature(column("double", "x"), column("long", "n", required=False))

TABLES = "CSV, NDJSON, Parquet or Arrow"

NAMES = ("id", "price", "n", "name", "sold", "day")

TEXT = 'ab";,\n\r|\té\U0001f600 0.='

Row = dict[str, Any]


@st.composite
def tables(draw: st.DrawFn) -> list[Row]:
    """Rows of `MIXED`, with an id that it does not take."""
    texts = st.text(TEXT, max_size=8).filter(lambda text: text == text.strip() and "\0" not in text)
    row = st.fixed_dictionaries(
        {
            "id": texts,
            "price": st.none() | st.floats(-1e9, 1e9).map(lambda x: round(x, 3)) | st.just(7),
            "n": st.integers(-(2**53), 2**53),
            "name": st.none() | texts,
            "sold": st.none() | st.booleans(),
            "day": st.sampled_from([None, "2024-02-29", "1999-12-31T23:59:59"]),
        }
    )
    return draw(st.lists(row, min_size=1, max_size=12))


@st.composite
def csv_files(draw: st.DrawFn) -> bytes:
    """A table as programs write it."""
    rows = draw(tables())
    separator = draw(st.sampled_from(",;\t|"))
    decimal = draw(st.sampled_from(",.")) if separator == ";" else "."
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    quoting: Any = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator=end, quoting=quoting)
    writer.writerow(NAMES)
    for row in rows:
        writer.writerow([written(row[name], decimal) for name in NAMES])
    body = text.getvalue()
    if draw(st.booleans()):
        body = f"sep={separator}{end}{body}"
    if draw(st.booleans()):
        body = body.removesuffix(end) if draw(st.booleans()) else body + end
    return draw(st.sampled_from(["", "\ufeff"])).encode() + body.encode()


def written(cell: Any, decimal: str) -> Any:
    if isinstance(cell, bool):
        return str(cell).lower()
    return repr(cell).replace(".", decimal) if isinstance(cell, float) else cell


def outcome(work: Callable[[], bytes]) -> bytes | str:
    """The answer, or what is said instead of one, without the number of further faults."""
    try:
        return work()
    except ApiError as fault:
        return f"{fault.status} {fault.message.partition(' (and ')[0]}"


@pytest.fixture(autouse=True)
def _early(monkeypatch: pytest.MonkeyPatch) -> None:
    """The separator is found out as soon as the header and a row are there."""
    monkeypatch.setattr(CsvChunker, "beginning", 200)


@given(csv_files(), st.integers(1, 200))
def test_csv_in_chunks(body: bytes, size: int) -> None:
    model = model_of(MIXED)
    expected = outcome(lambda: whole(model, body, CSV, "csv", ("id",)))
    found = outcome(lambda: in_chunks(model, cut(body, size), CSV, "csv", ("id",)))
    assert found in (expected, f"400 {TWO_SIGNS}")


@st.composite
def ndjson_files(draw: st.DrawFn) -> bytes:
    """A table as an object per line; keys are in any order, and some are left out."""
    lines: list[str] = []
    for row in draw(tables()):
        names = draw(st.permutations(NAMES))
        left_out = draw(st.sets(st.sampled_from(["price", "name", "sold"])))
        record = {name: row[name] for name in names if lines == [] or name not in left_out}
        lines.append(json.dumps(record, ensure_ascii=draw(st.booleans())))
        lines += draw(st.sampled_from([[], [], ["", " "]]))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    last = draw(st.sampled_from(["", end]))
    return draw(st.sampled_from(["", "\ufeff"])).encode() + (end.join(lines) + last).encode()


@given(ndjson_files(), st.integers(1, 200), st.sampled_from(["csv", "ndjson"]))
def test_ndjson_in_chunks(body: bytes, size: int, answer: str) -> None:
    model = model_of(MIXED)
    expected = outcome(lambda: whole(model, body, NDJSON, answer, ("id",)))
    found = outcome(lambda: in_chunks(model, cut(body, size), NDJSON, answer, ("id",)))
    assert found == expected


def csv_of(rows: int) -> list[str]:
    return ["id,x,n", *(f"{row},{row}.5,{row}" for row in range(rows))]


def ndjson_of(rows: int) -> list[str]:
    return [json.dumps({"id": row, "x": row + 0.5, "n": row}) for row in range(rows)]


def joined(lines: Iterable[str], end: str = "\n") -> bytes:
    return "".join(f"{line}{end}" for line in lines).encode()


def refusal(parts: Sequence[bytes], media_type: str, **options: Any) -> ApiError:
    with pytest.raises(ApiError) as refused:
        in_chunks(model_of(NUMBERS), parts, media_type, **options)
    return refused.value


WRONG = [
    (CSV, "1990,much,0", "row 1990, column 'x': expected a number (64-bit float), found text"),
    (CSV, "1990,1,0,7", "row 1990 has 4 cells, the header has 3"),
    (CSV, '1990,"1,0', "the body is not valid CSV: a quoted cell does not end"),
    (NDJSON, '{"id": 1, "x": "much"}', "line 1991, column 'x'"),
    (NDJSON, '{"id": 1, "x": 1', "line 1991: it is not valid JSON: unexpected end of data"),
    (NDJSON, "[1]", "line 1991 is an array, not an object"),
    (NDJSON, '{"id": 1, "x": 1, "y": 2}', "unknown columns: 'y'"),
    (NDJSON, '{"id": 1, "x": "row 7"}', "line 1991, column 'x'"),
]


@pytest.mark.parametrize("size", [100, 1000, 10**6])
@pytest.mark.parametrize(("media_type", "wrong", "words"), WRONG)
def test_places_are_those_of_the_whole_table(
    media_type: str, wrong: str, words: str, size: int
) -> None:
    lines = csv_of(2000) if media_type == CSV else ndjson_of(2000)
    lines[len(lines) - 10] = wrong
    body = joined(lines)
    with pytest.raises(ApiError) as as_a_whole:
        whole(model_of(NUMBERS), body, media_type, include=("id",))
    fault = refusal(cut(body, size), media_type, include=("id",))
    assert words in fault.message
    assert (type(fault), fault.message) == (type(as_a_whole.value), as_a_whole.value.message)
    assert str(fault) == fault.message
    assert list(fault.details) == list(as_a_whole.value.details)


@pytest.mark.parametrize(("media_type", "write"), [(CSV, csv_of), (NDJSON, ndjson_of)])
def test_a_byte_that_is_no_text(media_type: str, write: Callable[[int], list[str]]) -> None:
    body = joined(write(500)) + b"\xff\n"
    with pytest.raises(BadRequest) as as_a_whole:
        whole(model_of(NUMBERS), body, media_type, include=("id",))
    fault = refusal(cut(body, 300), media_type, include=("id",))
    assert fault.message == as_a_whole.value.message


EMPTY = [
    (CSV, b"", "the body is empty; send a header and rows"),
    (CSV, b"x,n\r\n", "the table is empty: it has no rows below its header"),
    (CSV, b"\n\nx,n\n\n", "the table is empty: it has no rows below its header"),
    (CSV, b"y,z\n1,2\n", "the first line holds none of the model's columns"),
    (CSV, b"x;n,x\n1,2\n", "the header can be read with the separator"),
    (CSV, b'x,n\n"1,2\n', "a quoted cell does not end"),
    (CSV, b"x\0,\0n\0\n\0", "the body is UTF-16 text"),
    (NDJSON, b"", "the body is empty; send a JSON object per line"),
    (NDJSON, b"\n \n", "the body is empty; send a JSON object per line"),
    (NDJSON, '{"x": 1}\n'.encode("utf-16-le"), "a table in chunks must be UTF-8 text"),
    (JSON, b"{}", "too large; a larger table is read in chunks if it is sent as CSV"),
    (None, b"", "too large; a larger table is read in chunks if it is sent as CSV"),
]


@pytest.mark.parametrize("size", [3, 1000])
@pytest.mark.parametrize(("media_type", "body", "words"), EMPTY)
def test_bodies_without_rows(media_type: str, body: bytes, words: str, size: int) -> None:
    assert words in refusal(cut(body, size), media_type).message


BLANKS = [b"x,n\n1,2\n" + b"\n" * 300 + b"3,4\n   \n", b"x\n1\n" + b"\r\n" * 300 + b"2\n"]


@pytest.mark.parametrize("body", BLANKS)
def test_blank_lines_are_no_rows(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CsvChunker, "beginning", 5)
    model = model_of(NUMBERS)
    for size in (1, 7, 50):
        assert in_chunks(model, cut(body, size), CSV) == whole(model, body, CSV)


def test_a_format_is_recognised() -> None:
    body = joined(csv_of(100))
    assert in_chunks(model_of(NUMBERS), cut(body, 300), None, include=("id",)) == whole(
        model_of(NUMBERS), body, None, include=("id",)
    )


@pytest.mark.parametrize(
    ("lines", "fits"),
    [
        (["x;n", *["1;1"] * 90, "1,5;1", "1,5;2"], True),
        (["x;n", *["1;1"] * 90, "1.5;1", "1e5;2"], True),
        (["x;n", "1,5;1", *["1;1"] * 90, "2.5;1"], False),
        (["x;n", "1.5;1", *["1;1"] * 90, '"2,5";1'], False),
    ],
)
def test_a_table_has_one_decimal_sign(lines: Sequence[str], fits: bool) -> None:
    body, model = joined(lines), model_of(NUMBERS)
    if fits:
        assert in_chunks(model, cut(body, 50), CSV) == whole(model, body, CSV)
    else:
        with pytest.raises(BadRequest):
            whole(model, body, CSV)
        assert "decimal commas and others with points" in refusal(cut(body, 50), CSV).message


def test_commas_in_texts_are_no_decimal_signs() -> None:
    model = model_of(signature(column("string", "a"), column("string", "b")))
    body = joined(["a;b", *["1,5;2.5"] * 50])
    assert in_chunks(model, cut(body, 50), CSV) == whole(model, body, CSV)


def test_columns_that_come_later_are_refused() -> None:
    optional = signature(column("double", "x"), column("double", "y", required=False))
    lines = [*['{"x": 1}'] * 50, '{"x": 1, "y": 2}']
    with pytest.raises(BadRequest, match="later rows have other columns than the first ones"):
        in_chunks(model_of(optional), cut(joined(lines), 50), NDJSON)
    carried = ['{"x": 1}', '{"x": 1, "id": 2}']
    with pytest.raises(BadRequest, match="later rows have other columns than the first ones"):
        in_chunks(model_of(optional), cut(joined(carried), 9), NDJSON, include=("inputs",))


def test_columns_that_are_left_out_later_are_missing() -> None:
    optional = signature(column("double", "x"), column("double", "y", required=False))
    body = joined(['{"x": 1, "y": 2}', *['{"x": 1}'] * 50])
    model = model_of(optional)
    assert in_chunks(model, cut(body, 50), NDJSON) == whole(model, body, NDJSON)


@pytest.mark.parametrize(
    ("predict", "error", "words"),
    [
        (lambda data: data["x"].sum(), NotAcceptable, "CSV cannot hold it: the prediction is a"),
        (lambda data: [1, 2], BadRequest, "one prediction per row: the model returned 2 for"),
        (
            lambda data: data.rename(columns={"x": f"x{len(data)}"}),
            BadRequest,
            "the model returns other columns for later rows",
        ),
        (lambda data: [object()] * len(data), ModelFailed, "a value of type object"),
    ],
)
def test_what_a_model_may_not_return(
    predict: Callable[[Any], Any], error: type[ApiError], words: str
) -> None:
    model = model_of(NUMBERS, lambda payload: predict(payload.data))
    parts = cut(joined(line.partition(",")[2] for line in csv_of(100)), 350)
    with pytest.raises(error, match=words):
        in_chunks(model, parts, CSV)


@pytest.mark.parametrize("media_type", [CSV, NDJSON])
def test_a_row_without_an_end(media_type: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.large.LIMIT", 1000)
    beginning = joined(csv_of(10)) if media_type == CSV else b""
    fault = refusal([beginning, *[b"9" * 600] * 3], media_type, include=("id",))
    assert isinstance(fault, PayloadTooLarge)
    assert "a row, or a batch of rows, of more than 1000 bytes (MAX_REQUEST_BYTES)" in fault.message


@pytest.mark.parametrize(
    ("answer", "largest", "words"),
    [
        ("csv", 8000, "the table is larger than 8000"),
        ("ndjson", 12000, "the answer is larger than"),
    ],
)
def test_the_bounds_of_a_table(answer: str, largest: int, words: str) -> None:
    parts = cut(joined(csv_of(800)), 500)
    model = model_of(NUMBERS, lambda payload: payload.data["n"])
    with pytest.raises(PayloadTooLarge, match=words):
        in_chunks(model, parts, CSV, answer, ("id",), largest=largest)


@pytest.mark.parametrize(
    ("typed", "row_wise", "sent", "answer", "chunked", "words"),
    [
        (True, True, CSV, "csv", None, ""),
        (True, True, None, "csv", None, ""),
        (True, True, "text/plain", "csv", None, ""),
        (True, False, CSV, "csv", True, ""),
        (True, False, CSV, "csv", None, "add [?]chunked=true"),
        (True, True, CSV, "csv", False, "chunked=false is left out"),
        (True, True, CSV, "json", True, f"^its answer is {TABLES}: add [?]format=csv$"),
        (True, True, JSON, "csv", None, f"^it is sent as {TABLES} and not as {JSON}$"),
        (True, True, JSON, "json", None, f"^it is sent as {TABLES} and not as {JSON}, and its"),
        (True, True, None, "json", None, f"^it is sent as {TABLES}, and its answer is {TABLES}: "),
        (False, False, CSV, "csv", True, "the model declares columns"),
    ],
)
def test_which_tables_are_read_in_chunks(
    typed: bool, row_wise: bool, sent: str | None, answer: str, chunked: bool | None, words: str
) -> None:
    declared = NUMBERS if typed else compile_signature(None, from_type_hint=False)
    model = replace(model_of(declared), row_wise=row_wise)
    found = why_whole(model, sent, named(answer), chunked)
    assert re.search(words, found)
    assert bool(words) is bool(found)


def test_a_content_type_that_is_not_read_is_refused_before_the_size() -> None:
    with pytest.raises(UnsupportedMediaType, match="the content type must be one of"):
        why_whole(model_of(NUMBERS), "application/xml", named("json"), None)


MISTAKEN = [
    (CSV, joined(ndjson_of(500)), NDJSON),
    (NDJSON, joined(csv_of(500)), CSV),
    (CSV, json.dumps([{"x": 1.5, "n": 1}] * 500).encode(), JSON),
    (PARQUET, joined(csv_of(500)), CSV),
    (CSV, b"PAR1" + bytes(5000), PARQUET),
]


@pytest.mark.parametrize("size", [300, 10**6])
@pytest.mark.parametrize(("media_type", "body", "meant"), MISTAKEN)
def test_a_large_body_of_another_format_than_it_says(
    media_type: str, body: bytes, meant: str, size: int
) -> None:
    said = f"the body is not {FORMATS[media_type].name}, but looks like {FORMATS[meant].name}: "
    fault = refusal(cut(body, size), media_type)
    assert fault.status == 400
    assert fault.message == f"{said}send it with the content type {meant}"


def test_a_fault_of_a_later_chunk_is_told_as_it_is() -> None:
    body = joined([*ndjson_of(500), *csv_of(1)])
    fault = refusal(cut(body, 300), NDJSON, include=("id",))
    assert fault.message.startswith("line 501: it is not valid JSON")


def arrow_of(rows: Sequence[Row], size: int, folded: bool = False) -> bytes:
    """The rows as a stream of record batches of so many rows; with texts as dictionaries."""
    types = {"id": pa.string(), "price": pa.float64(), "n": pa.int64(), "name": pa.string()}
    types |= {"sold": pa.bool_(), "day": pa.string()}
    if folded:
        types |= {"id": pa.dictionary(pa.int32(), pa.string())}
    schema, file = pa.schema(list(types.items())), io.BytesIO()
    with pa.ipc.new_stream(file, schema) as stream:
        for start in range(0, len(rows), size):
            some = [{**row, "price": row["price"] and float(row["price"])} for row in rows]
            stream.write_batch(pa.RecordBatch.from_pylist(some[start : start + size], schema))
    return file.getvalue()


def read_back(answer: str, body: bytes) -> Any:
    """The table in an answer, and its schema where it has one."""
    if answer == "arrow":
        return pa.ipc.open_stream(body).read_all().combine_chunks()
    return pyarrow.parquet.read_table(io.BytesIO(body)) if answer == "parquet" else body


@given(tables(), st.integers(1, 5), st.integers(50, 5000), st.booleans())
def test_arrow_in_chunks(rows: list[Row], batch: int, size: int, folded: bool) -> None:
    body, model = arrow_of(rows, batch, folded), model_of(MIXED)
    expected = whole(model, body, ARROW, "ndjson", ("id",))
    assert in_chunks(model, cut(body, size), ARROW, "ndjson", ("id",)) == expected


@given(ndjson_files(), st.integers(1, 200), st.sampled_from(["arrow", "parquet"]))
def test_answers_with_types(body: bytes, size: int, answer: str) -> None:
    model, include = model_of(MIXED), ("id", "price", "name", "day")
    parts = cut(body, size)
    try:
        expected = whole(model, body, NDJSON, answer, include)
    except ApiError as fault:
        with pytest.raises(type(fault)):
            in_chunks(model, parts, NDJSON, answer, include)
    else:
        found = read_back(answer, in_chunks(model, parts, NDJSON, answer, include))
        assert found == read_back(answer, expected)
        assert found.schema == read_back(answer, expected).schema


def stream_of(*batches: pa.RecordBatch, **options: Any) -> bytes:
    file = io.BytesIO()
    written = pa.ipc.IpcWriteOptions(**options)
    with pa.ipc.new_stream(file, batches[0].schema, options=written) as stream:
        for batch in batches:
            stream.write_batch(batch)
    return file.getvalue()


def folded(*texts: str) -> pa.RecordBatch:
    """A batch whose texts are a dictionary."""
    cells = pa.array(texts).dictionary_encode()
    return pa.record_batch({"id": cells, "x": pa.array([1.0] * len(texts))})


@pytest.mark.parametrize("deltas", [False, True])
def test_dictionaries_that_change(deltas: bool) -> None:
    batches = [folded("a", "b"), folded("a", "b", "c"), folded("a", "b", "c", "d"), folded("z")]
    body = stream_of(*(batches[:3] if deltas else batches), emit_dictionary_deltas=deltas)
    model = model_of(NUMBERS)
    for size in (100, 10_000):
        found = in_chunks(model, cut(body, size), ARROW, "csv", ("id",))
        assert found == whole(model, body, ARROW, "csv", ("id",))


def numbers(*cells: float) -> pa.RecordBatch:
    return pa.record_batch({"x": pa.array(cells, pa.float64())})


SOUND = stream_of(numbers(1, 2), numbers(3))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "the body is not an Arrow stream or file that can be read"),
        (SOUND[:-20], "the body is not an Arrow stream or file that can be read"),
        (SOUND + b"more", "the Arrow stream ends before the body does; send one stream"),
        (stream_of(numbers())[:-8], "the table is empty: it has no rows"),
        (b"ARROW1\0\0" + SOUND, "a file of Arrow IPC cannot"),
        (b"\xff\xff\xff\xff" + b"\x7f" * 100, "the body is not an Arrow stream or file"),
        (
            stream_of(
                pa.RecordBatch.from_pandas(
                    pd.DataFrame({"x": [1.0]}, index=pd.RangeIndex(1, name="n"))
                )
            ),
            "row labels that only count the rows are not read in chunks",
        ),
    ],
    ids=["empty", "cut off", "more", "no rows", "a file", "junk", "labels"],
)
def test_streams_with_faults(body: bytes, words: str) -> None:
    for size in (64, 10_000):
        assert words in refusal(cut(body, size), ARROW).message


def test_a_stream_without_an_end_and_one_with_blanks() -> None:
    model = model_of(NUMBERS)
    for body in (SOUND[:-8], SOUND + bytes(16)):
        for size in (64, 10_000):
            assert in_chunks(model, cut(body, size), ARROW) == whole(model, body, ARROW)


def test_a_batch_or_dictionaries_that_are_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.large.LIMIT", 2000)
    for batch in (numbers(*range(1000)), folded("x" * 3000)):
        fault = refusal(cut(stream_of(batch), 500), ARROW, include=("x",))
        assert "of more than 2000 bytes (MAX_REQUEST_BYTES)" in fault.message


PROMOTED = joined(["id,x,n", *["1,1,1"] * 40, "a,1.5,", *["2,7,2"] * 40, ",,2", "3,4,5"])


@pytest.mark.parametrize("answer", ["arrow", "parquet"])
def test_types_that_come_later(answer: str) -> None:
    model, include = model_of(NUMBERS, lambda payload: payload.data["n"]), ("id", "x", "n")
    parts = cut(PROMOTED, 100)
    found = read_back(answer, in_chunks(model, parts, CSV, answer, include))
    expected = read_back(answer, whole(model, PROMOTED, CSV, answer, include))
    assert (found.schema, found) == (expected.schema, expected)


@pytest.mark.parametrize("later", ["text", [1], True])
def test_values_of_several_types(later: Any) -> None:
    lines = [*['{"id": 1, "x": 1}'] * 50, json.dumps({"id": later, "x": 1})]
    ways: Any = {
        "JSON": whole,
        "CSV or NDJSON or Arrow": lambda model, body, *more: in_chunks(
            model, cut(body, 300), *more
        ),
    }
    for others, read in ways.items():
        with pytest.raises(NotAcceptable, match=f"has values of several types; ask for {others}$"):
            read(model_of(NUMBERS), joined(lines), NDJSON, "parquet", ("id",))


def test_a_prediction_that_is_no_table() -> None:
    others = "NDJSON or Parquet or Arrow"
    with pytest.raises(NotAcceptable, match=f"is a single int; ask for {others}$"):
        in_chunks(model_of(NUMBERS, lambda payload: 1), [b"x,n\n1,2\n"], CSV, "csv")


def test_integers_are_written_as_floats_only_in_chunks_with_gaps() -> None:
    model, include = model_of(NUMBERS, lambda payload: payload.data["n"]), ("id", "n")
    found = in_chunks(model, cut(PROMOTED, 100), CSV, "csv", include)
    expected = whole(model, PROMOTED, CSV, "csv", include)
    assert (b"1,1,1\r\n" in found, b"1,1,1.0\r\n" in expected) == (True, True)
    in_pieces, at_once = (pd.read_csv(io.BytesIO(answer)) for answer in (found, expected))
    pd.testing.assert_frame_equal(in_pieces, at_once)


def test_objects_that_parquet_cannot_hold() -> None:
    body = joined(['{"id": {}, "x": 1}'] * 50)
    for read in (whole, lambda model, body, *more: in_chunks(model, cut(body, 300), *more)):
        with pytest.raises(NotAcceptable, match="a column has objects without properties"):
            read(model_of(NUMBERS), body, NDJSON, "parquet", ("id",))


def test_integers_that_a_column_of_fractions_cannot_hold() -> None:
    parts = [b'{"id": 9007199254740993, "x": 1}\n', b'{"id": 0.5, "x": 1}\n']
    with pytest.raises(NotAcceptable, match="has values of several types"):
        whole(model_of(NUMBERS), b"".join(parts), NDJSON, "arrow", ("id",))
    for some in (parts, parts[::-1]):
        with pytest.raises(NotAcceptable, match="has values of several types"):
            in_chunks(model_of(NUMBERS), some, NDJSON, "arrow", ("id",))


@pytest.mark.parametrize("answer", ["csv", "ndjson", "parquet"])
def test_types_of_carried_columns_do_not_depend_on_their_chunk(answer: str) -> None:
    body = joined(["id,x,n", *["1,1,1"] * 40, "a,true,", *["2,7,2.0"] * 40, "3,4.50,"])
    model, include = model_of(NUMBERS, lambda payload: payload.data["x"]), ("inputs",)
    found = read_back(answer, in_chunks(model, cut(body, 100), CSV, answer, include))
    assert found == read_back(answer, whole(model, body, CSV, answer, include))


def test_large_groups_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelserver.scoring.answering.arrow_chunks.LARGE", 1000)
    body = joined(csv_of(500))
    found = in_chunks(model_of(NUMBERS), cut(body, 300), CSV, "parquet", ("id",))
    file = pyarrow.parquet.ParquetFile(io.BytesIO(found))
    assert file.metadata.num_rows == 500
    assert 5 < file.metadata.num_row_groups < 20
    monkeypatch.setattr("modelserver.scoring.answering.arrow_chunks.LARGE", 1)
    found = in_chunks(model_of(NUMBERS), [body], CSV, "parquet", ("id",))
    assert pyarrow.parquet.ParquetFile(io.BytesIO(found)).metadata.num_row_groups == 1


def parquet_of(table: pa.Table, **options: Any) -> bytes:
    file = io.BytesIO()
    pyarrow.parquet.write_table(table, file, **options)
    return file.getvalue()


@given(tables(), st.integers(1, 5), st.integers(1, 4), st.booleans())
def test_parquet_in_chunks(rows: list[Row], group: int, batch: int, folded: bool) -> None:
    table = pa.ipc.open_stream(arrow_of(rows, 99)).read_all()
    body = parquet_of(table, row_group_size=group, use_dictionary=folded)
    model = model_of(MIXED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("modelserver.reading.arrow.large_parquet.MOST_ROWS", batch)
        found = in_chunks(model, cut(body, 500), PARQUET, "ndjson", ("id",))
    assert found == whole(model, body, PARQUET, "ndjson", ("id",))


NESTED = signature(
    {"type": "array", "items": {"type": "string"}, "name": "words", "required": True},
    column("datetime", "when"),
)


@pytest.mark.parametrize("year", [2024, 1066])
@pytest.mark.parametrize("old", [True, False])
def test_parquet_with_arrays_and_dates(
    year: int, old: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelserver.reading.arrow.large_parquet.MOST_ROWS", 2)
    cells = {"words": [["a", "b"], ["a"], [], ["c"]] * 3, "when": [datetime(year, 1, 2)] * 12}
    types = {"words": pa.list_(pa.string()), "when": pa.timestamp("us")}
    table = pa.table(cells, pa.schema(list(types.items())))
    body = parquet_of(table, use_deprecated_int96_timestamps=old)
    model = model_of(NESTED)
    expected = outcome(lambda: whole(model, body, PARQUET, "ndjson"))
    assert outcome(lambda: in_chunks(model, [body], PARQUET, "ndjson")) == expected


def test_batches_of_parquet_are_as_large_as_their_decoded_arrays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelserver.reading.arrow.large_parquet.BATCH", 8000)
    path = tmp_path / "zeros.parquet"
    path.write_bytes(parquet_of(pa.table({"words": [np.zeros(100)] * 95})))
    with path.open("rb", buffering=0) as file:
        batches = list(read_batches(file, path.stat().st_size, 10**6))
    assert [batch.table.num_rows for batch in batches] == [10] * 9 + [5]


def test_parquet_that_comes_in_parts() -> None:
    body = parquet_of(X)
    assert in_chunks(model_of(NUMBERS), cut(body, 100), PARQUET) == whole(
        model_of(NUMBERS), body, PARQUET
    )


def test_a_wrong_cell_in_parquet() -> None:
    table = pa.table({"x": ["1"] * 3000 + ["much"]})
    fault = refusal([parquet_of(table, row_group_size=1000)], PARQUET)
    assert fault.message == "row 3000, column 'x': expected a number (64-bit float), found text"


X = pa.table({"x": [1.0, 2.0]})
LABELLED = pa.Table.from_pandas(pd.DataFrame({"x": [1.0]}, index=pd.RangeIndex(1, name="n")))
FOLDED = pa.table({"x": pa.DictionaryArray.from_arrays(np.zeros(5000, "i4"), ["x" * 5000])})
ARRAYS = pa.table({"x": [np.zeros(10**6 // 8 + 1)]})
WIDE = pa.table({"x": pa.array([b"x" * (10**6 + 1)], pa.binary(10**6 + 1))})


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "the body is not a Parquet file that can be read in chunks"),
        (b"PAR1" * 10, "the body is not a Parquet file that can be read in chunks"),
        (parquet_of(X)[:-1], "the body is not a Parquet file that can be read in chunks"),
        (parquet_of(X.slice(0, 0)), "the table is empty: it has no rows"),
        (parquet_of(LABELLED), "row labels that only count the rows are not read in chunks"),
        (parquet_of(FOLDED), "or a batch of rows, of more than 1000000 bytes"),
        (parquet_of(ARRAYS), "or a batch of rows, of more than 1000000 bytes"),
        (parquet_of(WIDE), "or a batch of rows, of more than 1000000 bytes"),
    ],
    ids=["empty", "junk", "cut off", "no rows", "labels", "texts", "arrays", "wide"],
)
def test_parquet_with_faults(body: bytes, words: str) -> None:
    assert words in refusal(cut(body, 100_000), PARQUET).message


def test_damaged_parquet_is_refused_or_read() -> None:
    model = model_of(NUMBERS)
    body = parquet_of(pa.table({"x": np.arange(1000.0), "n": [7] * 1000}), row_group_size=300)
    for place in range(4, len(body), 37):
        damaged = body[:place] + bytes([body[place] ^ 0x5A]) + body[place + 1 :]
        with contextlib.suppress(ApiError):
            in_chunks(model, [damaged], PARQUET)


def test_a_type_of_parquet_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any) -> None:
        raise pa.ArrowNotImplementedError

    monkeypatch.setattr("modelserver.reading.arrow.large_parquet.check_metadata", refuse)
    fault = refusal([parquet_of(X)], PARQUET)
    assert fault.message == "the Parquet file holds a type that cannot be read"


@pytest.mark.parametrize("encoding", ["gzip", " X-GZIP", "deflate", "identity"])
def test_compressed_tables(encoding: str) -> None:
    body, model = joined(csv_of(30_000)), model_of(NUMBERS)
    assert len(body) > PIECE
    expected = whole(model, body, CSV, "csv", ("id",))
    name = encoding.strip().lower()
    half = body.index(b"\n", 300_000) + 1
    members = gzip.compress(body[:half]) + gzip.compress(body[half:]) + bytes(9)
    packed = {"deflate": zlib.compress(body), "identity": body}.get(name, members)
    for size in (1000, 10**7):
        found = in_chunks(model, cut(packed, size), CSV, "csv", ("id",), encoding, 10**7)
        assert found == expected


BOMB = gzip.compress(b"x\n" + b"1\n" * 10**6)


@pytest.mark.parametrize(
    ("body", "encoding", "words"),
    [
        (BOMB, "gzip", "the answer is larger than 1000000 bytes (MAX_TABLE_BYTES)"),
        (gzip.compress(b"x\n1\n", mtime=0)[:-9], "gzip", "the gzip data of the body is cut off"),
        (b"", "gzip", "the gzip data of the body is cut off"),
        (b"x\n1\n", "gzip", "the body is not valid gzip data"),
        (BOMB, "deflate", "the body is not valid deflate data"),
        (BOMB, "br", "the content encoding of a table in chunks must be gzip or deflate"),
        (BOMB, "gzip, gzip", "the content encoding of a table in chunks must be gzip or deflate"),
    ],
)
def test_compressed_tables_with_faults(body: bytes, encoding: str, words: str) -> None:
    largest = 10**6 if "larger" in words else 10**7
    fault = refusal(cut(body, 100), CSV, encoding=encoding, largest=largest)
    assert fault.message == words


def test_a_quoted_cell_that_is_too_long() -> None:
    before = csv.field_size_limit(1000)
    try:
        fault = refusal([joined(csv_of(500)), b'"' + b"x" * 2000, b'"\n'], CSV, include=("id",))
    finally:
        csv.field_size_limit(before)
    said = "the body is not valid CSV: field larger than field limit (1000)"
    assert fault.message == said


def test_a_disk_that_becomes_full(monkeypatch: pytest.MonkeyPatch) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, hard))
    try:
        fault = refusal(cut(joined(csv_of(800)), 500), CSV, include=("id",))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert isinstance(fault, StorageFull)
    assert fault.message.endswith("(TMPDIR): File too large")
