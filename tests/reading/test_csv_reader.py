"""CSV to tables: the same cells as in JSON, or which row is wrong."""

import csv
import io
import sys
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from modelserver.errors import BadRequest
from modelserver.reading.csv import reader
from modelserver.reading.csv.dialect import ONLY_A_HEADER, CsvFile
from modelserver.reading.csv.reader import read_csv, read_untyped_csv
from modelserver.types.kind import OF_A_SPREADSHEET, TEXT, BadCells
from modelserver.types.tables import Table
from modelserver.types.type_table import KINDS


def read(text: str, *kinds: str, **more: str) -> tuple[Table, dict[Any, list[Any]]]:
    """The table, and its columns converted as optional ones of `kinds`, named a, b, …"""
    named = dict(zip("ab", kinds, strict=False)) | more
    known = {name: KINDS[kind] for name, kind in named.items()}
    table = read_csv(text.encode(), known)
    columns = zip(table.names, table.by_column(), strict=True)
    return table, {name: list(known[str(name)].convert(cells, False)) for name, cells in columns}


NAN = float("nan")
MISSING = pd.Series([None], dtype=TEXT)[0]  # None in pandas 2, NaN in pandas 3


@pytest.mark.parametrize(
    ("text", "kinds", "expected"),
    [
        ("a,b\n1,2.5\n3,\n", ["long", "double"], {"a": [1, 3], "b": [2.5, NAN]}),
        ("b,a\r\n1,2\r\n", ["long", "long"], {"b": [1], "a": [2]}),
        ("\ufeffa\n1", ["long"], {"a": [1]}),
        ("a,b\rx,7\r\r,8\r", ["string", "long"], {"a": ["x", MISSING], "b": [7, 8]}),
        ('a,b\r"q\rr",7\r', ["string", "long"], {"a": ["q\rr"], "b": [7]}),
        ("\n\na\n\n1\n\n\n2\n", ["long"], {"a": [1, 2]}),
        ("a\n9007199254740993\n9223372036854775807\n", ["long"], {"a": [2**53 + 1, 2**63 - 1]}),
        ("a\n9007199254740993\n1.0\n", ["long"], {"a": [2**53 + 1, 1]}),
        ("a\n1.0\n2\n", ["integer"], {"a": [1, 2]}),
        ("a,b\n1,x\n,y\n", ["long", "string"], {"a": [1.0, NAN], "b": ["x", "y"]}),
        ("a\n0.1\n1e-300\n5e-324\n", ["double"], {"a": [0.1, 1e-300, 5e-324]}),
        ("a\ninf\n-inf\n", ["double"], {"a": [float("inf"), -float("inf")]}),
        ("a\nNA\nnull\n1\n", ["double"], {"a": [NAN, NAN, 1.0]}),
        ("a\ntrue\nFALSE\n1\n0\n", ["boolean"], {"a": [True, False, True, False]}),
        ("a\nTrue\nNA\n", ["boolean"], {"a": [True, None]}),
        ("a\nNA\nnull\n007\n", ["string"], {"a": ["NA", "null", "007"]}),
        ("a,b\n007,1\n1.50,2\n", ["string", "long"], {"a": ["007", "1.50"], "b": [1, 2]}),
        ('a,b\n"",1\n', ["string", "long"], {"a": [MISSING], "b": [1]}),
        ("a,b\n5,1\n,1\n18446744073709551615,1\n", ["string", "long"],
         {"a": ["5", MISSING, "18446744073709551615"], "b": [1, 1, 1]}),
        ("a\n  \n x \n\t\n", ["string"], {"a": ["  ", " x ", "\t"]}),
        ('a\n"x\r\ny"\n"q\rr\ns"\n', ["string"], {"a": ["x\r\ny", "q\rr\ns"]}),
        ('a,b\n"x, ""y""","1"\n', ["string", "long"], {"a": ['x, "y"'], "b": [1]}),
        ("a\n2024-01-02\nNaT\n", ["datetime"],
         {"a": [np.datetime64("2024-01-02", "ns"), np.datetime64("NaT", "ns")]}),
        ("a\nYWJj\nnull\nNone\n", ["binary"], {"a": [b"abc", b"\x9e\xe9e", b"6\x89\xde"]}),
        (",a\n0,1\n1,2\n", ["long"], {"a": [1, 2]}),
        ('"a"\n1\n', ["long"], {"a": [1]}),
        ("a,b\n1,2\n", ["float", "integer"], {"a": [1.0], "b": [2]}),
        ("a\n", ["long"], {"a": []}),
        ("a", ["string"], {"a": []}),
    ],
    ids=lambda value: repr(value)[:30] if isinstance(value, str) else "",
)  # fmt: skip
@pytest.mark.parametrize("wide", [False, True], ids=["", "beside another column"])
def test_cells(text: str, kinds: list[str], expected: dict[str, list[Any]], wide: bool) -> None:
    if wide:
        table, columns = read(widened(text), *kinds, c="long")
        assert columns.pop("c") == [7] * table.length
    else:
        table, columns = read(text, *kinds)
    assert table.length == len(next(iter(expected.values())))
    assert repr({name: _plain(cells) for name, cells in columns.items()}) == repr(expected)


LINES = ["1", "2.5", "1", "x", "NA", "true", "007", " ", "", "\t", " 3", "1,2", "2024-01-02"]


@pytest.mark.parametrize("kind", ["long", "double", "string", "boolean", "datetime"])
@given(
    rows=st.lists(st.sampled_from(LINES), min_size=1, max_size=4), end=st.sampled_from(["", "\n"])
)
def test_a_large_column_is_read_as_a_small_one(kind: str, rows: list[str], end: str) -> None:
    text = "\n".join(["a", *rows]) + end

    def outcome() -> object:
        try:
            table = read_csv(text.encode(), {"a": KINDS[kind]})
            cells = KINDS[kind].convert(table.by_column()[0], required=False)
            return table.length, str(cells.dtype), repr(list(cells))
        except BadRequest as fault:
            return fault.message
        except BadCells as fault:
            return fault.cells

    plain = outcome()
    with patch.object(reader, "LARGE", 0):
        assert outcome() == plain


@pytest.mark.parametrize("text", ["a\n1\n\n2\n", "a\n1\n2,\n", 'a\n"1"\n2\n'])
def test_a_large_column_that_is_not_plain(text: str) -> None:
    def outcome() -> Any:
        try:
            return read(text, "double")[1]
        except BadRequest as error:
            return error.message

    expected = outcome()
    with patch.object(reader, "LARGE", 0):
        assert outcome() == expected


def test_a_large_column_is_read_without_the_csv_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_read_one_column", None)
    body = b"a\n" + b"12\n" * 20_000
    assert read_csv(body, {"a": KINDS["long"]}).by_column()[0].tolist() == [12] * 20_000


def widened(text: str) -> str:
    """The same table with a column c that holds sevens."""
    header, *rows = filter(None, csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    file = io.StringIO(newline="")
    csv.writer(file).writerows([[*header, "c"], *([*row, 7] for row in rows)])
    return file.getvalue()


def _plain(cells: list[Any]) -> list[Any]:
    return [cell.item() if isinstance(cell, (np.number, np.bool_)) else cell for cell in cells]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python's csv module reads no NUL")
def test_nul_characters_are_kept() -> None:
    assert read("a\nx\0y\n", "string")[1] == {"a": ["x\0y"]}


def test_a_column_whose_name_is_blank() -> None:
    table = read_csv(b" \nx\ny\n", {" ": KINDS["string"]})
    assert (table.names, table.length) == ([" "], 2)


def test_unknown_columns_are_kept_for_the_signature_to_refuse() -> None:
    table = read_csv(b"a,z\n1,x\n", {"a": KINDS["long"]})
    assert table.names == ["a", "z"]
    assert [list(cells) for cells in table.by_column()] == [[1], ["x"]]


def test_unknown_columns_are_texts_as_they_were_sent() -> None:
    table = read_csv(b"a,z\nx,007\ny,1.50\n", {"a": KINDS["string"]})
    assert [list(cells) for cells in table.by_column()] == [["x", "y"], ["007", "1.50"]]


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("a\n1\n1.5\n", [(1, "a number with a fraction")]),
        ("a\n1e300\n", [(0, "a number too large to be an exact integer")]),
        ("a\n99999999999999999999\n", [(0, "an integer beyond 64 bits")]),
        ("a\n9.3e18\n1\n", [(0, "an integer beyond 64 bits")]),
        ("a\n1\nx\n", [(1, "text")]),
        ("a\ninf\n", [(0, "a number that is not finite")]),
        ("a\n9007199254740993\nNA\n",
         [(0, "an integer too large to stand beside missing values")]),
    ],
    ids=lambda value: repr(value) if isinstance(value, str) else "",
)  # fmt: skip
@pytest.mark.parametrize("wide", [False, True], ids=["", "beside another column"])
def test_cells_that_are_no_longs(text: str, faults: list[tuple[int, str]], wide: bool) -> None:
    body = (widened(text) if wide else text).encode()
    cells = read_csv(body, {"a": KINDS["long"], "c": KINDS["long"]}).by_column()[0]
    with pytest.raises(BadCells) as refusal:
        KINDS["long"].convert(cells, required=False)
    assert refusal.value.cells == faults


def test_numbers_too_large_for_a_double_are_refused() -> None:
    cells = read_csv(b"a,c\n1e400,7\n", {"a": KINDS["double"]}).by_column()[0]
    with pytest.raises(BadCells) as refusal:
        KINDS["double"].convert(cells, required=False)
    assert refusal.value.cells == [(0, "a number too large for a 64-bit float")]


@pytest.mark.parametrize(
    ("body", "width", "lacks"),
    [
        (b"\n" * 1000, 1000, False),
        (b"\n" * 101, 9901, True),
        (b"\r" * 101, 9901, True),
        (b"\n" * 1000 + b"," * 100_000, 1010, False),
        (b"\n" * 1000 + b"," * 100_000, 1011, True),
        (b"\r" * 500 + b"\n" * 500 + b"," * 100_000, 1010, False),
        (b"\r" * 500 + b"\n" * 500 + b"," * 100_000, 1011, True),
        (b"1,2\n", 1000, False),
    ],
    ids=[
        *("a million cells", "more", "more, of a Mac"),
        *("a tenth is there", "less is", "a tenth, of Windows", "less, of Windows", "small"),
    ],
)
def test_small_bodies_that_stand_for_large_tables(body: bytes, width: int, lacks: bool) -> None:
    assert CsvFile(body, ",", [*map(str, range(width))]).lacks_most_cells is lacks


NOT_CLOSED = "the body is not valid CSV: a quoted cell does not end"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the body is empty; send a header and rows"),
        (b"\n\r\n", "the body is empty; send a header and rows"),
        (b" \n \n", "the first line holds no names; send a header and rows"),
        (b",\n1,2\n", "the first line holds no names; send a header and rows"),
        (b"a,b,a\n1,2,3\n", "columns given twice: 'a'"),
        (b"a,b7,8,8", ONLY_A_HEADER),
        (b"a,b\n1,2,3\n", "row 0 has 3 cells, the header has 2"),
        (b"a,b\n1\n", "row 0 has 1 cells, the header has 2"),
        (b"a,b\n1,2\n3\n", "row 1 has 1 cells, the header has 2"),
        (b"a,b\n1,2\n3,4,5\n", "row 1 has 3 cells, the header has 2"),
        (b"a,b\n1,2\n3,4,5\n6\n", "row 1 has 3 cells, the header has 2"),
        (b'a,b\n1,2\n"3"\n', "row 1 has 1 cells, the header has 2"),
        (b"a\n1\n2,3\n", "row 1 has 2 cells, the header has 1"),
        (b'a,b\n1,"x\n', NOT_CLOSED),
        (b'a,b\n1,2\n3,"x\n', NOT_CLOSED),
        (b'a\n"x', NOT_CLOSED),
    ],
    ids=lambda value: repr(value)[:30] if isinstance(value, bytes) else "",
)  # fmt: skip
@pytest.mark.parametrize(
    "read_body",
    [lambda body: read_csv(body, {"a": KINDS["string"]}), read_untyped_csv],
    ids=["typed", "untyped"],
)
def test_refused_bodies(body: bytes, message: str, read_body: Callable[[bytes], Any]) -> None:
    with pytest.raises(BadRequest) as refusal:
        read_body(body)
    assert refusal.value.message == message


@pytest.mark.usefixtures("settled_memory")
@pytest.mark.parametrize("rows", ["{}\n", "x\n{}\n", '"x"\n{}\n""\n'])
def test_cells_of_any_length_are_read(rows: str) -> None:
    _, columns = read("a\n" + rows.format("x" * 200_000), "string")
    assert sum(len(cell) for cell in columns["a"] if isinstance(cell, str)) >= 200_000


def test_missing_last_cells_are_no_short_rows() -> None:
    table = read_csv(b'a,b\n"1",\n2,\n', {"a": KINDS["long"], "b": KINDS["double"]})
    assert table.length == 2


def test_untyped_tables_are_as_pandas_reads_them() -> None:
    pd.testing.assert_frame_equal(
        read_untyped_csv(b'a,b,c\n1,x,0.5\n2,"y, z",\n'),
        pd.DataFrame({"a": [1, 2], "b": ["x", "y, z"], "c": [0.5, NAN]}),
    )


@pytest.mark.parametrize("empty", [0, 1, 2, 3])
def test_empty_columns_without_a_name_at_the_end_are_left_out(empty: int) -> None:
    commas = "," * empty
    body = f"a,b{commas}\n1,2{commas}\n".encode()
    assert read_csv(body, {"a": KINDS["long"], "b": KINDS["long"]}).names == ["a", "b"]
    assert read_untyped_csv(body).to_dict("list") == {"a": [1], "b": [2]}


def test_untyped_tables_without_rows_are_refused() -> None:
    with pytest.raises(BadRequest, match="--data-binary"):
        read_untyped_csv(b"a,b\n")


@pytest.mark.parametrize("text", ["a;b\n1,5;WAHR\n", "a,b\n1.5,VRAI\n", "b\nFALSO\n"])
def test_booleans_of_spreadsheets_in_other_languages_are_refused(text: str) -> None:
    with pytest.raises(BadCells) as refusal:
        read(text, "double", "boolean")
    assert refusal.value.cells == [(0, OF_A_SPREADSHEET)]
