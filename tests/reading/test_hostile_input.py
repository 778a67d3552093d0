"""Small bodies that ask for much, and bytes made to break a reader: refused in time, server up."""

import gc
import io
import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from modelserver.errors import BadRequest, PayloadTooLarge, UnsupportedMediaType
from modelserver.reading.csv.reader import read_csv
from modelserver.reading.media import format_of
from modelserver.types.kind import BadCells
from modelserver.types.tables import read_columns, read_records
from modelserver.types.tensors import Tensor
from modelserver.types.type_table import KINDS
from tests.reading.test_parquet_reader import read_parquet

Open = Callable[..., TestClient]

TABLE = pa.table({"a": [1.0, 2.0], "b": ["x", "y"]})


def file(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="none")
    return buffer.getvalue()


NESTED_TABLE = pa.table({"l": [[1], None], "o": [{"x": "a"}, None], "n": [[[1.5]], [[]]]})


@pytest.mark.repeats
@pytest.mark.parametrize("table", [TABLE, NESTED_TABLE], ids=["flat", "nested"])
@pytest.mark.parametrize("byte", [b"\0", b"\1", b"\x19", b"\xff"])
def test_no_corrupt_footer_ends_the_process(table: pa.Table, byte: bytes) -> None:
    whole = file(table)
    length = int.from_bytes(whole[-8:-4], "little")
    read = 0
    for place in range(len(whole) - 8 - length, len(whole) - 8):
        try:
            read_parquet(whole[:place] + byte + whole[place + 1 :], 10_000)
        except (BadRequest, PayloadTooLarge):
            continue
        read += 1
    assert read > 0  # some bytes do not matter; the others were refused


@pytest.mark.parametrize("table", [TABLE, NESTED_TABLE], ids=["flat", "nested"])
def test_a_file_that_was_read_is_freed(table: pa.Table) -> None:
    """At once: not only when the garbage collector runs."""
    whole = file(table)
    gc.collect()
    held = pa.total_allocated_bytes()
    read_parquet(whole, 10_000)
    assert pa.total_allocated_bytes() == held
    assert not [left for left in gc.get_objects() if isinstance(left, pq.FileMetaData)]


@pytest.mark.parametrize(
    "metadata",
    [
        {"index_columns": [None], "columns": [None], "column_indexes": [None]},
        {"index_columns": [], "columns": [], "column_indexes": [{"pandas_type": "decimal"}]},
    ],
    ids=["nulls", "decimal"],
)
def test_odd_pandas_metadata(metadata: dict[str, Any]) -> None:
    body = file(TABLE.replace_schema_metadata({"pandas": json.dumps(metadata)}))
    with pytest.raises(BadRequest):
        read_parquet(body, 10_000)


def test_parquet_texts_must_be_utf8() -> None:
    texts = pa.array([b"\xff"], pa.binary()).cast(pa.string(), safe=False)
    with pytest.raises(BadRequest):
        read_parquet(file(pa.table({"a": texts})), 10_000)


def test_rows_of_ever_new_keys() -> None:
    with pytest.raises(BadRequest, match="too many different keys"):
        read_records([{f"k{row}": 1} for row in range(3000)])


def test_single_values_beside_long_columns() -> None:
    value = {"a": [1] * 3000, **{f"b{n}": 1 for n in range(3000)}}
    with pytest.raises(BadRequest, match="too many single values"):
        read_columns("inputs", value)


def test_csv_of_short_rows_below_a_wide_header() -> None:
    wide = ",".join(f"c{n}" for n in range(3000))
    body = f"{wide}\n{','.join(['1'] * 3000)}\n" + "1\n" * 3000
    with pytest.raises(BadRequest, match="row 1 has 1 cells"):
        read_csv(body.encode(), {"c0": KINDS["long"]})


@pytest.mark.parametrize("kind", ["long", "double", "boolean", "datetime"])
def test_one_long_text_does_not_make_all_cells_long(kind: str) -> None:
    with pytest.raises(BadCells) as refusal:
        KINDS[kind].convert(["x" * 1_000_000, *["1"] * 5])
    assert refusal.value.cells[0][0] == 0


@pytest.mark.parametrize("text", ["1_000", "\uff11\uff12"])
@pytest.mark.parametrize("kind", ["long", "double"])
def test_pythons_own_spellings_of_numbers(kind: str, text: str) -> None:
    with pytest.raises(BadCells) as refusal:
        KINDS[kind].convert([text])
    assert refusal.value.cells == [(0, "text")]


def test_integers_on_both_sides_of_what_numpy_joins() -> None:
    spec = {"type": "tensor", "tensor-spec": {"dtype": "uint64", "shape": [-1]}}
    array = Tensor.compile(spec).read(["18446744073709551615", "1"])
    assert array.tolist() == [2**64 - 1, 1]


@pytest.mark.parametrize(
    "content_type",
    [
        'application/json; x="' + ";" * 120_000,
        "application/json; charset*0*=utf-8''a; charset*=b",
    ],
    ids=["long", "broken"],
)
def test_content_types_that_break_parsers(content_type: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        format_of(content_type, b"{}")


def test_names_in_answers_are_cut(client: Open) -> None:
    nested = {"numbers": [], "person": {"x" * 100_000: 1}, "counts": {}, "anything": 1}
    answer = client("nested").post("/invocations", json={"dataframe_records": [nested]})
    unknown = {f"k{n}" * 100: 1 for n in range(1000)}
    columns = client("doubles").post("/invocations", json={"dataframe_records": [unknown]})
    assert (answer.status_code, columns.status_code) == (400, 400)
    assert len(answer.text) < 2000
    assert len(columns.text) < 20_000


def test_an_upgrade_that_drops_the_body_says_so(client: Open) -> None:
    answer = client("doubles").post("/invocations", headers={"Upgrade": "h2c"})
    assert answer.status_code == 400
    assert "Upgrade" in answer.json()["message"]


@pytest.mark.parametrize(
    "message", [{"role": "user"}, {"role": "user", "content": None}, "text"], ids=str
)
def test_chats_that_mlflow_cannot_read_are_the_callers_fault(message: Any, client: Open) -> None:
    answer = client("chat").post("/invocations", json={"messages": [message]})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def test_large_bodies_are_decoded(client: Open) -> None:
    rows = [[0.5, 1.5, 2.5, 3.5]] * 60_000
    body = {"dataframe_split": {"columns": ["a", "b", "c", "d"], "data": rows}}
    answer = client("doubles").post("/invocations", json=body)
    assert len(answer.json()["predictions"]["input"]["frame"][0][2]) == 60_000
