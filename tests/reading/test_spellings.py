"""How numbers, booleans and dates may be spelled as text: every spelling through every path.

A path is a form of the body, small and large enough for the ways that make no Python objects. What
a text means must not depend on which of them reads it.
"""

import csv
import io
import json
import math
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from modelserver.errors import ApiError
from modelserver.reading.fast import FAST
from modelserver.reading.formats import CSV, FORMATS, JSON, PARQUET
from modelserver.reading.signatures.compiling import compile_signature
from modelserver.reading.signatures.signature import Signature

pytestmark = pytest.mark.repeats

ROWS = max(way.smallest for way in FAST) // 10
"""Rows of a table that is read by the ways for large ones."""

FILLERS: dict[str, Any] = {"double": 1.5, "long": 1, "boolean": True, "datetime": "2024-01-02"}
"""A plain cell of each type."""


def columns(kind: str, beside: str) -> Signature:
    specs = [{"type": kind, "name": "x"}, {"type": beside, "name": "y"}]
    return compile_signature({"inputs": json.dumps(specs)}, from_type_hint=False)


def column(kind: str) -> Signature:
    specs = [{"type": kind, "name": "x"}]
    return compile_signature({"inputs": json.dumps(specs)}, from_type_hint=False)


def tensor(kind: str) -> Signature:
    dtype = {"double": "float64", "long": "int64"}[kind]
    spec = {"type": "tensor", "tensor-spec": {"dtype": dtype, "shape": [-1]}}
    return compile_signature({"inputs": json.dumps([spec])}, from_type_hint=False)


def table(kind: str, text: str, beside: str, rows: int = 3) -> tuple[list[Any], list[Any]]:
    """Column x with the text in the last row, and column y."""
    y = "a" if beside == "string" else FILLERS[beside]
    return [FILLERS[kind]] * (rows - 1) + [text], [y] * rows


def read(signature: Signature, body: Any, media_type: str = JSON) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return FORMATS[media_type].read(raw, signature, 10**9).data


def last_of_x(frame: pd.DataFrame) -> Any:
    return frame["x"].tolist()[-1]


def split(kind: str, text: str, beside: str, rows: int = 3) -> Any:
    x, y = table(kind, text, beside, rows)
    data = list(map(list, zip(x, y, strict=True)))
    body = {"dataframe_split": {"columns": ["x", "y"], "data": data}}
    return last_of_x(read(columns(kind, beside), body))


def records(kind: str, text: str, beside: str, rows: int = 3) -> Any:
    x, y = table(kind, text, beside, rows)
    body = {"dataframe_records": [{"x": a, "y": b} for a, b in zip(x, y, strict=True)]}
    return last_of_x(read(columns(kind, beside), body))


def inputs(kind: str, text: str, beside: str) -> Any:
    x, y = table(kind, text, beside)
    return last_of_x(read(columns(kind, beside), {"inputs": {"x": x, "y": y}}))


def instances(kind: str, text: str, beside: str) -> Any:
    return last_of_x(
        read(columns(kind, beside), {"instances": [{"x": text, "y": FILLERS[beside]}]})
    )


def one_column(kind: str, text: str) -> Any:
    return last_of_x(read(column(kind), {"inputs": [FILLERS[kind], text]}))


def csv_table(kind: str, text: str, beside: str, rows: int = 3) -> Any:
    x, y = table(kind, text, beside, rows)
    file = io.StringIO()
    csv.writer(file).writerows([("x", "y"), *zip(x, y, strict=True)])
    return last_of_x(read(columns(kind, beside), file.getvalue().encode(), CSV))


def csv_column(kind: str, text: str) -> Any:
    file = io.StringIO()
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows([["x"], [text]])
    return last_of_x(read(column(kind), file.getvalue().encode(), CSV))


def parquet(kind: str, text: str) -> Any:
    file = io.BytesIO()
    pd.DataFrame({"x": [text]}).to_parquet(file)
    return last_of_x(read(column(kind), file.getvalue(), PARQUET))


def tensor_inputs(kind: str, text: str) -> Any:
    return read(tensor(kind), {"inputs": [FILLERS[kind], text]}).tolist()[-1]


def tensor_split(kind: str, text: str) -> Any:
    body = {"dataframe_split": {"columns": ["x"], "data": [[FILLERS[kind]], [text]]}}
    return read(tensor(kind), body).tolist()[-1]


JSON_PATHS: dict[str, Callable[[str, str], Any]] = {
    "split": lambda kind, text: split(kind, text, kind),
    "split beside text": lambda kind, text: split(kind, text, "string"),
    "split, large": lambda kind, text: split(kind, text, kind, ROWS),
    "split beside text, large": lambda kind, text: split(kind, text, "string", ROWS),
    "records": lambda kind, text: records(kind, text, kind),
    "records beside text": lambda kind, text: records(kind, text, "string"),
    "records, large": lambda kind, text: records(kind, text, kind, ROWS),
    "records beside text, large": lambda kind, text: records(kind, text, "string", ROWS),
    "inputs": lambda kind, text: inputs(kind, text, kind),
    "inputs beside text": lambda kind, text: inputs(kind, text, "string"),
    "instances": lambda kind, text: instances(kind, text, kind),
    "one column": one_column,
    "Parquet": parquet,
}

CSV_PATHS: dict[str, Callable[[str, str], Any]] = {
    "CSV": lambda kind, text: csv_table(kind, text, kind),
    "CSV beside text": lambda kind, text: csv_table(kind, text, "string"),
    "CSV, large": lambda kind, text: csv_table(kind, text, kind, ROWS),
    "CSV column": csv_column,
}

TENSOR_PATHS: dict[str, Callable[[str, str], Any]] = {
    "tensor": tensor_inputs,
    "tensor by split": tensor_split,
}

REFUSED = object()
INFINITY = math.inf
MISSING = math.nan

NO_NUMBERS = [
    *(
        "1_000",
        "1__0",
        "_1",
        "1_",
        "\uff11\uff12",
        "\u0661\u0662",
        "²",
        "¼",
        "Ⅻ",
        "1\u00a0",
        "\u20031",
        "\u221e",
    ),
    *("0x10", "0x1p3", "0b1", "0o7", "1 000", "1,5", "1,000", "1'000", "1.2.3", "--1", "+-1"),
    *("1+1", "1j", "1e", "e5", "1e5.5", "1d5", "1f", "1L", "$1", "1%", "12abc", ".", "+", "-", " "),
    *("infinit", "1e400", "-1e400", "nan(1)", "yes", "2024-01-02", "9" * 400),
]

NUMBERS: dict[str, tuple[Any, Any]] = {
    "12": (12.0, 12),
    " 12 ": (12.0, 12),
    "\t12": (12.0, 12),
    "+1": (1.0, 1),
    "-1": (-1.0, -1),
    "007": (7.0, 7),
    "12.0": (12.0, 12),
    "12.": (12.0, 12),
    "1e5": (1e5, 100_000),
    "1E+5": (1e5, 100_000),
    ".5": (0.5, REFUSED),
    "-.5e1": (-5.0, -5),
    "0.1": (0.1, REFUSED),
    "0.30000000000000004": (0.30000000000000004, REFUSED),
    "9007199254740993": (9007199254740992.0, 9007199254740993),
    "9007199254740993.0": (9007199254740992.0, 9007199254740993),
    "9223372036854775808": (9223372036854775808.0, REFUSED),
    "1e18": (1e18, 10**18),
    "1e300": (1e300, REFUSED),
    "1e-400": (0.0, 0),
    "infinity": (INFINITY, REFUSED),
    "-Infinity": (-INFINITY, REFUSED),
    "+inf": (INFINITY, REFUSED),
    "INF": (INFINITY, REFUSED),
    "nan": (MISSING, REFUSED),
    "NaN": (MISSING, REFUSED),
    "NA": (MISSING, REFUSED),
    **dict.fromkeys(NO_NUMBERS, (REFUSED, REFUSED)),
}
"""What a text means in a double and in a long column; a missing long is refused, since required."""


def outcome(path: Callable[[str, str], Any], kind: str, text: str) -> Any:
    try:
        return path(kind, text)
    except ApiError as error:
        return REFUSED if error.status == 400 else error


def same(value: Any, expected: Any) -> bool:
    if isinstance(expected, float) and math.isnan(expected):
        return bool(pd.isna(value))
    return value is expected or (value == expected and type(value) is type(expected))


@pytest.mark.parametrize("path", [*JSON_PATHS, *CSV_PATHS, *TENSOR_PATHS])
@pytest.mark.parametrize(("kind", "place"), [("double", 0), ("long", 1)])
def test_numbers(path: str, kind: str, place: int) -> None:
    call = {**JSON_PATHS, **CSV_PATHS, **TENSOR_PATHS}[path]
    found = {text: outcome(call, kind, text) for text in NUMBERS}
    wrong = {t: v for t, v in found.items() if not same(v, NUMBERS[t][place])}
    assert wrong == {}


@pytest.mark.parametrize("path", JSON_PATHS)
def test_texts_are_no_booleans(path: str) -> None:
    texts = ["true", "false", "True", "TRUE", "1", "0", "1.0", "0.0", "yes", "t", "", " ", "nan"]
    found = {text: outcome(JSON_PATHS[path], "boolean", text) for text in texts}
    assert found == dict.fromkeys(texts, REFUSED)
    assert pd.isna(JSON_PATHS[path]("boolean", "NA"))


BOOLEANS_IN_CSV = {
    **dict.fromkeys(
        ["true", "True", "TRUE", "tRue", "1", "1.0", "1.00", "1.", "1e0", "+1", "01"], True
    ),
    **dict.fromkeys(["false", "False", "FALSE", "0", "0.0", "0.00", "-0", "0e0", ".0"], False),
    **dict.fromkeys(["2", "1.5", "-1", "1_0", "0_0", "\uff11", "yes", "t", "T", " "], REFUSED),
    **dict.fromkeys(["0x1", "1e400", "1,0", "inf"], REFUSED),
}


@pytest.mark.parametrize("path", CSV_PATHS)
def test_booleans_in_csv(path: str) -> None:
    found = {text: outcome(CSV_PATHS[path], "boolean", text) for text in BOOLEANS_IN_CSV}
    assert found == BOOLEANS_IN_CSV


@pytest.mark.parametrize("path", CSV_PATHS)
def test_missing_booleans_in_csv(path: str) -> None:
    assert all(pd.isna(CSV_PATHS[path]("boolean", text)) for text in ("", "NA", "NaN", "null"))


NO_DATES = [
    *("1704067200000", "1704067200", "2024", "45292", "45292.5", "20240102", "0", "-1", "1e12"),
    *("02/01/2024", "2024-1-2", "2024-13-01", "2024-02-30", "24-01-02", "now", "today", "NaN:NaN"),
    *(
        "\uff12\uff10\uff12\uff14-01-02",
        "2024-01-02T25:00",
        "2300-01-01",
        "2024-01-02T03:04:05.1234567891",
    ),
]


@pytest.mark.parametrize("path", [*JSON_PATHS, *CSV_PATHS])
def test_dates(path: str) -> None:
    call = {**JSON_PATHS, **CSV_PATHS}[path]
    found = {text: outcome(call, "datetime", text) for text in NO_DATES}
    assert found == dict.fromkeys(NO_DATES, REFUSED)
    assert call("datetime", "2024-01-02T03:04:05+02:00") == pd.Timestamp("2024-01-02T01:04:05")
    assert pd.isna(call("datetime", "NA"))


@pytest.mark.parametrize("number", [1704067200000, 2024, 45292, 45292.5, 0, -1, 1e300, 2**70])
@pytest.mark.parametrize("path", sorted(JSON_PATHS.keys() - {"Parquet"}))
def test_numbers_are_no_dates(path: str, number: Any) -> None:
    with pytest.raises(ApiError, match="which is no date \\(pandas: date_format='iso'\\)"):
        JSON_PATHS[path]("datetime", number)


@pytest.mark.parametrize("word", ["true", "TRUE", "False"])
@pytest.mark.parametrize("kind", ["integer", "long", "float", "double"])
def test_true_is_one_in_columns_of_numbers_as_with_mlflow(kind: str, word: str) -> None:
    value: Any = word.lower() == "true"
    one = column(kind)
    for cells in ([value], [3, value]):
        bodies: list[Any] = [
            {"dataframe_split": {"columns": ["x"], "data": [[cell] for cell in cells]}},
            {"dataframe_records": [{"x": cell} for cell in cells]},
            {"inputs": {"x": cells}},
            {"instances": [{"x": cell} for cell in cells]},
        ]
        read_back = [last_of_x(read(one, body)) for body in bodies]
        lines = "\n".join(["x", *map(str, cells[:-1]), word])
        read_back.append(last_of_x(read(one, lines.encode(), CSV)))
        assert read_back == [int(value)] * 5
        assert {type(cell) for cell in read_back} == {type(last_of_x(read(one, [{"x": 1}])))}
