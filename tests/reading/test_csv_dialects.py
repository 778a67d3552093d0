"""CSV as programs of all countries write it: read without doubt, or refused with what to do."""

import csv
import io
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, strategies as st

from modelserver.errors import BadRequest, InvalidInput
from modelserver.reading.csv import records
from modelserver.reading.csv.dialect import open_csv
from modelserver.reading.csv.encoding import HOW
from modelserver.reading.formats import CSV
from modelserver.reading.signatures.including import including
from modelserver.reading.signatures.signature import Signature
from tests.support.needs import need_r_packages
from tests.support.signatures import column, read, signature

MIXED = signature(
    column("double", "price"),
    column("long", "n", required=False),
    column("string", "name", required=False),
    column("boolean", "sold"),
)

FRAME = pd.DataFrame(
    {
        "price": [3.5, float("nan"), -1e-20],
        "n": [1, 2, -3],
        "name": ["a;b, 1,5", None, 'x "y"\nz'],
        "sold": [True, False, True],
    }
)

UNTYPED = signature()

UNNAMED = signature(column("double"), column("string", required=False), column("boolean"))

TWO = signature(column("double", "a"), column("long", "b", required=False))


def cells(declared: Signature, body: bytes) -> Any:
    """The columns that reach the model, as lists."""
    return read(declared, body, CSV).data.to_dict("list")


def refusal_of(declared: Signature, body: bytes) -> BadRequest:
    with pytest.raises(BadRequest) as refusal:
        read(declared, body, CSV)
    return refusal.value


def with_excel_tab(frame: pd.DataFrame) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, "excel-tab")
    writer.writerows([frame.columns, *frame.astype(object).where(frame.notna(), None).to_numpy()])
    return text.getvalue()


EXCEL = """\ufeffsep=;\r
price;n;name;sold;;\r
3,5;1;"a;b, 1,5";TRUE;;\r
;2;;FALSE;;\r
-1E-20;-3;"x ""y""\nz";TRUE;;\r
"""


@pytest.mark.parametrize(
    "text",
    [
        FRAME.to_csv(index=False),
        FRAME.to_csv(index=False, sep=";", decimal=","),
        FRAME.to_csv(index=False, sep=";"),
        FRAME.to_csv(index=True, sep=";", decimal=","),
        FRAME.to_csv(index=False, sep="|"),
        FRAME.to_csv(index=False, sep=";", decimal=",", quoting=csv.QUOTE_NONNUMERIC),
        with_excel_tab(FRAME),
        EXCEL,
        EXCEL.removeprefix("\ufeffsep=;\r\n"),
        EXCEL.replace("sep=;", '"sep=;"'),
        EXCEL.replace("sep=;", "sep=;;;;;;"),
        f"sep=,\n{FRAME.to_csv(index=False)}",
        f"sep=\t\n{FRAME.to_csv(index=False, sep=chr(9))}",
    ],
    ids=[
        *("pandas", "pandas-semicolon", "pandas-semicolon-points", "pandas-labels", "pandas-bar"),
        *("pandas-quoted", "excel-tab", "excel", "excel-alone", "excel-quoted", "excel-filled-up"),
        *("stated-comma", "stated-tab"),
    ],
)
def test_what_programs_write(text: str) -> None:
    pd.testing.assert_frame_equal(read(MIXED, text.encode(), CSV).data, FRAME, check_exact=True)


@pytest.mark.processes
@pytest.mark.parametrize("labels", ["TRUE", "FALSE"])
@pytest.mark.parametrize("write", ["write.csv2", "write.csv"])
def test_what_r_writes(write: str, labels: str, tmp_path: Path) -> None:
    need_r_packages("utils")
    file = tmp_path / "table.csv"
    table = (
        "data.frame(price = c(3.5, NA, -1e-20), n = c(1L, 2L, -3L), "
        "name = c('a;b, 1,5', NA, 'x \"y\"\\nz'), sold = c(TRUE, FALSE, TRUE))"
    )
    code = f'{write}({table}, "{file}", na = "", row.names = {labels}, fileEncoding = "UTF-8")'
    subprocess.run(["Rscript", "-e", code], check=True)
    pd.testing.assert_frame_equal(read(MIXED, file.read_bytes(), CSV).data, FRAME)


@pytest.mark.parametrize(
    ("declared", "body", "expected"),
    [
        (TWO, b"a;b\n1,5;2,0\n", {"a": [1.5], "b": [2]}),
        (TWO, b"a;b\n1,5;2\n;\n", {"a": [1.5, float("nan")], "b": [2.0, float("nan")]}),
        (TWO, b"a;b\n-,5;1e3\n+5,;9007199254740993,0\n",
         {"a": [-0.5, 5.0], "b": [1000, 2**53 + 1]}),
        (TWO, b"a;b\n1,5;9007199254740993\n2,5;1,0\n", {"a": [1.5, 2.5], "b": [2**53 + 1, 1]}),
        (TWO, b"a;b\n1.5;2\n", {"a": [1.5], "b": [2]}),
        (signature(column("double", "a")), b"sep=;\na\n1,5\n\nNA\n", {"a": [1.5, float("nan")]}),
        (signature(column("string", "a")), b"sep=;\na\n1,5\n", {"a": ["1,5"]}),
        (signature(column("string", "a"), column("long", "b;c")), b"a,b;c\nx,1\n",
         {"a": ["x"], "b;c": [1]}),
        (signature(column("long", "a;b")), b"a;b\n1\n", {"a;b": [1]}),
        (signature(column("long", "a,b"), column("long", "c")), b"a,b;c\n1;2\n",
         {"a,b": [1], "c": [2]}),
        (signature(column("long", "a\nb"), column("long", "c")), b'"a\nb";c\n1;2\n',
         {"a\nb": [1], "c": [2]}),
        (UNNAMED, b"a;b;c\n1,5;2,5;TRUE\n", {"a": [1.5], "b": ["2,5"], "c": [True]}),
        (UNNAMED, b";a;b;c;\n7;1,5;NA;0;\n8;-2;x;1;\n",
         {"a": [1.5, -2.0], "b": ["NA", "x"], "c": [False, True]}),
        (UNNAMED, b"a,b,c\n1.5,,false\n", {"a": [1.5], "b": [float("nan")], "c": [False]}),
        (UNTYPED, b"a;b\n1,5;x,y\n", {"a": [1.5], "b": ["x,y"]}),
        (UNTYPED, b"a;b\n1.5;x,y\n", {"a": [1.5], "b": ["x,y"]}),
        (UNTYPED, b"a;b\n1.5;x\n", {"a": [1.5], "b": ["x"]}),
        (UNTYPED, b"a\tb\n1,5\tx\n", {"a": ["1,5"], "b": ["x"]}),
        (UNTYPED, b"a;b,c\n1,2\n", {"a;b": [1], "c": [2]}),
        (UNTYPED, b'a;"b,c"\n1;2\n', {"a": [1], "b,c": [2]}),
        (UNTYPED, b"sep=,\na;b,c\n1;2,3\n", {"a;b": ["1;2"], "c": [3]}),
    ],
    ids=lambda value: repr(value)[:40] if isinstance(value, bytes) else "",
)  # fmt: skip
def test_cells(declared: Signature, body: bytes, expected: dict[str, list[Any]]) -> None:
    assert repr(cells(declared, body)) == repr(expected)


TWO_WAYS = (
    "the header can be read with the separator ',' (columns: 2) or ';' (columns: 2); state the "
    "right one in a line above it, such as sep=;"
)

NO_UTF8 = "the body is not UTF-8 text"
LATIN = ", but probably Windows-1252 (Latin-1)"
UTF16 = f"the body is UTF-16 text; save it as UTF-8{HOW}"
GROUPED = "a number with thousands separators"
BY_COMMA = "a number with a comma, decimal or for thousands"
MAY_GROUP = (
    "a point that is decimal or separates thousands: there is a decimal comma in row 0, column 'a'"
)
DOUBLE, LONG = "a number (64-bit float)", "a whole number of 64 bits"


@pytest.mark.parametrize(
    ("declared", "body", "message"),
    [
        (TWO, b"a;b,a\n1;2,3\n", TWO_WAYS),
        (signature(column("long", "a,b"), column("long", "c"), column("long", "a"),
                   column("long", "b;c")), b"a,b;c\n1,2;3\n", TWO_WAYS),
        (UNTYPED, b"a;b,c\n1;2,3\n", TWO_WAYS),
        (UNTYPED, b"a;b,c\n", TWO_WAYS),
        (UNTYPED, b'a;b\n1;"2\n', "the body is not valid CSV: a quoted cell does not end"),
        (UNTYPED, b"a;b,c\n1;2;3,4,5\n", "row 0 has 3 cells, the header has 2"),
        (UNTYPED, b"a;b,c\n1|2\t3\n", "row 0 has 1 cells, the header has 2"),
        (TWO, b"sep=:\na:b\n1:2\n",
         "the first line states the separator ':'; it must be a comma, a semicolon, a tab or a "
         "vertical bar"),
        (TWO, b"sep=\xe9\na;b\n1;2\n", f"{NO_UTF8}{LATIN}: byte 4 (line 1, column 5); save it as "
         f"UTF-8{HOW}"),
        (TWO, b"sep=;\na,b\n1,2\n",
         "the header, split at ';' as the line sep= above it states, holds none of the model's "
         "columns"),
        (TWO, b"sep=;\n", "the body is empty; send a header and rows"),
        (TWO, b"sep=;\na;b\n1\n", "row 0 has 1 cells, the header has 2"),
        (TWO, b"a;b\n1,5;2;\n", "row 0 has 3 cells, the header has 2"),
        (TWO, b"a;b\n1,5;2\n3,5\n", "row 1 has 1 cells, the header has 2"),
        (TWO, b'a;b\n1,5;"2\n', "the body is not valid CSV: a quoted cell does not end"),
        (TWO, b"a;b\n1,5;2\n1.234,5;3\n", f"row 1, column 'a': expected {DOUBLE}, found {GROUPED}"),
        (TWO, b"a;b\n1,5;1.234.567\n", f"row 0, column 'b': expected {LONG}, found {GROUPED}"),
        (TWO, b"a;b\n1,5;1.234\n", f"row 0, column 'b': expected {LONG}, found {MAY_GROUP}"),
        (TWO, b"a;b\n1,5;x\n", f"row 0, column 'b': expected {LONG}, found text"),
        (TWO, b"a;b\n1,5;2,5\n",
         f"row 0, column 'b': expected {LONG}, found a number with a fraction"),
        (TWO, b"a;b\n1.5;2,x\n", f"row 0, column 'b': expected {LONG}, found text"),
        (TWO, b"a\tb\n1,5\t2\n", f"row 0, column 'a': expected {DOUBLE}, found {BY_COMMA}"),
        (TWO, b"a;b\n" + b"1.234,5;2\n" * 30,
         f"row 0, column 'a': expected {DOUBLE}, found {GROUPED} "
         "(and more: details has 20 of them)"),
        (UNNAMED, b"a;b;c\n1.234,5;x;true\n",
         f"row 0, column 'a': expected {DOUBLE}, found {GROUPED}"),
        (UNNAMED, b"a;b\n1,5;2,5\n", "the model takes 3 columns, got 2"),
        (UNNAMED, b"a;b;c;d\n1,5;2,5;1;1,5\n", "the model takes 3 columns, got 4"),
        (UNTYPED, b"a;b\n1,5;1.5\n",
         "column 'a' has decimal commas; the points in column 'b' may be decimal or separate "
         "thousands"),
        (TWO, "a;b\n1;2\n".encode("utf-16"), UTF16),
        (TWO, "\ufeffa;b\n1;2\n".encode("utf-16-be"), UTF16),
        (TWO, "a;b\n1;2\n".encode("utf-16-le"), UTF16),
        (TWO, "a;b\n1;2\n".encode("utf-16-be"), UTF16),
        (TWO, "sep=;\r\na;ü\r\n".encode("cp1252"),
         f"{NO_UTF8}{LATIN}: byte 9 (line 2, column 3); save it as UTF-8{HOW}"),
        (TWO, b"\xef\xbb\xbfa,\xc3\xbc\n1,\xc3\n",
         f"{NO_UTF8}: byte 7 (line 2, column 3); save it as UTF-8{HOW}"),
        (TWO, b"a\n\x81\n", f"{NO_UTF8}: byte 2 (line 2, column 1); save it as UTF-8{HOW}"),
        (TWO, b"a\n\0\xff\n", f"{NO_UTF8}: byte 3 (line 2, column 2); save it as UTF-8{HOW}"),
    ],
    ids=lambda value: repr(value)[:40] if isinstance(value, bytes) else "",
)  # fmt: skip
def test_refusals(declared: Signature, body: bytes, message: str) -> None:
    assert refusal_of(declared, body).message == message


def test_each_number_that_may_be_read_in_two_ways_is_named() -> None:
    error = refusal_of(TWO, b"a;b\n1,5;2\n1.5;1.234\n")
    assert error.details == [
        {"row": 1, "column": "a", "expected": DOUBLE, "found": MAY_GROUP},
        {"row": 1, "column": "b", "expected": LONG, "found": MAY_GROUP},
    ]


CARRIED_COMMA = "there is a decimal comma in row 0, column 'price'"


@pytest.mark.parametrize("price", ["2,50", "1.234,50", "-2,5e3"])
def test_a_decimal_comma_in_a_carried_column(price: str) -> None:
    declared = including(signature(column("long", "id"), column("double", "x")), ("price",))
    error = refusal_of(declared, f"id;x;price\n1;1.234;{price}\n".encode())
    found = f"a point that is decimal or separates thousands: {CARRIED_COMMA}"
    assert error.message == f"row 0, column 'x': expected {DOUBLE}, found {found}"


@pytest.mark.parametrize("text", ["a, b", "1,5,6", "10.0.0.1", "1.5"])
def test_texts_in_a_carried_column(text: str) -> None:
    declared = including(signature(column("double", "x")), ("text", "more"))
    found = read(declared, f"x;text;more\n1.234;{text};a,b\n".encode(), CSV)
    assert found.data["x"].tolist() == [1.234]
    assert found.carried is not None
    assert list(found.carried["text"]) == [text]


@given(
    numbers=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1),
    words=st.text("ab;,.1\t|", min_size=1),
    separator=st.sampled_from(",;\t|"),
)
def test_a_table_means_the_same_in_every_dialect(
    numbers: list[float], words: str, separator: str
) -> None:
    declared = signature(column("double", "a"), column("string", "b"))
    frame = pd.DataFrame({"a": numbers, "b": words})
    decimal = "," if separator == ";" else "."
    body = frame.to_csv(index=False, sep=separator, decimal=decimal).encode()
    pd.testing.assert_frame_equal(read(declared, body, CSV).data, frame, check_exact=True)


def test_thousands_are_told_of_each_column() -> None:
    declared = signature(column("double", "a"), column("double", "b"))
    with pytest.raises(InvalidInput) as refusal:
        read(declared, b"a;b\n" + b"1.234,5;2.345,6\n" * 30, CSV)
    places = [(detail["row"], detail["column"]) for detail in refusal.value.details]
    assert places == [(row, name) for row in range(10) for name in ("a", "b")]


@pytest.mark.parametrize("header", [b"", b"a\n"], ids=["header", "row"])
def test_lines_of_millions_of_cells_are_not_read(header: bytes) -> None:
    with pytest.raises(BadRequest, match=r"^the first lines have more than 1000000 cells each$"):
        open_csv(header + b";" * 2_000_001, {})


@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_blank_lines_are_skipped_up_to_a_bound_above_the_first_row(
    end: str, separator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "MOST_BLANK_LINES", 3)
    declared = signature(column("string", "a"), column("long", "b"))
    header, row = f"a{separator}b{end}", f"x{separator}1{end}"
    for text in (3 * end + header + 3 * end + row, header + row + 9 * end + row):
        assert set(read(declared, text.encode(), "text/csv").data["b"]) == {1}
    for text in (4 * end + header + row, header + 4 * end + row, header + 9 * end, 9 * end):
        with pytest.raises(BadRequest, match="more than 3 lines above the first row are blank"):
            read(declared, text.encode(), "text/csv")
