"""CSV as it is written: cells, quoting, what spreadsheets would run."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelserver.scoring.answering.csv_writer import write_csv


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ([1, None, 2**70], ["1", '""', "1180591620717411303424"]),
        (np.array([0.1, np.nan, np.inf, -np.inf]), ["0.1", '""', "inf", "-inf"]),
        (np.array([0.1], np.float32), ["0.10000000149011612"]),
        ([True, False], ["true", "false"]),
        ([np.bool_(True), np.int8(1)], ["true", "1"]),
        (
            ["a", "", "ü,", 'say "a"', "a\nb", "a\rb"],
            ["a", '""', '"ü,"', '"say ""a"""', '"a\nb"', '"a\rb"'],
        ),
        ([Decimal("1.10"), Decimal("NaN")], ["1.10", '""']),
        ([date(2024, 1, 2), datetime(2024, 1, 2, 3)], ["2024-01-02", "2024-01-02T03:00:00"]),
        (pd.Series(pd.to_datetime(["2024-01-02", "NaT"])), ["2024-01-02T00:00:00", '""']),
        (pd.Series([1, None], dtype="Int64"), ["1", '""']),
        (pd.Series(["a", None]), ["a", '""']),
        ([b"abc"], ["YWJj"]),
        ([[1, None], {"a": "ü"}], ['"[1,null]"', '"{""a"":""ü""}"']),
    ],
)  # fmt: skip
def test_cells(column: Any, cells: list[str]) -> None:
    assert write_csv({"p": column}).decode() == "".join(f"{cell}\r\n" for cell in ["p", *cells])


def test_a_header_and_lines() -> None:
    assert write_csv({"a,b": [1, 2], "c": [None, "x"]}) == b'"a,b",c\r\n1,\r\n2,x\r\n'
    assert write_csv({"prediction": []}) == b"prediction\r\n"


def test_formulas_are_kept_or_quoted() -> None:
    columns = {"=a": ["=1+1", "+1", "-1", "@x", "a=1"], "b": [-1, None, -0.5, [-1], True]}
    kept = b"=a,b\r\n=1+1,-1\r\n+1,\r\n-1,-0.5\r\n@x,[-1]\r\na=1,true\r\n"
    quoted = b"'=a,b\r\n'=1+1,-1\r\n'+1,\r\n'-1,-0.5\r\n'@x,[-1]\r\na=1,true\r\n"
    assert write_csv(columns) == kept
    assert write_csv(columns, quote_formulas=True) == quoted
    blanks = write_csv({"a": ["\t=1", "\r=1", "\n=1"]}, quote_formulas=True)
    assert blanks == b'a\r\n\'\t=1\r\n"\'\r=1"\r\n"\'\n=1"\r\n'
