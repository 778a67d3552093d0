"""Our server against MLflow's own: the same requests to both.

`tests/support/request_rows.py` lists what both must answer alike. Here stands what differs on
purpose: `DIFFERENCES` says in words what and why (docs/protocol.md shows it), `DIFFERENT` has the
requests that prove it, with the outcome of each server.
"""

import json
import re
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

import mlflow
import numpy as np
import pandas as pd
import pytest
from packaging.version import Version
from starlette.testclient import TestClient

from tests.support.measuring import unmeasured
from tests.support.request_rows import (
    ABCD,
    CSV,
    HELLO,
    JSON,
    NESTED,
    PARQUET,
    SAME,
    WINE,
    Request,
    Same,
    body,
    csv,
    gzipped,
    inputs,
    instances,
    nested,
    params,
    parquet,
    raw,
    records,
    rows,
    split,
)

pytestmark = [
    pytest.mark.repeats,
    pytest.mark.skipif(
        Version(mlflow.__version__) < Version("3.17"),
        reason="the table of differences is that of MLflow 3.17 and later",
    ),
]

Clients = Callable[[str], TestClient]

# 3.18 keeps null in a boolean column, and null among the texts and bytes of inputs.
MLFLOW_KEEPS_NULLS = Version(mlflow.__version__) >= Version("3.18")

TEXT = str(pd.Series(["a"]).dtype)
"""The dtype that pandas gives text: object in pandas 2, str in pandas 3."""


class Difference(NamedTuple):
    """What differs on purpose, as cells of the table in docs/protocol.md."""

    mlflow: str
    here: str
    why: str


class Answer(NamedTuple):
    """What a server answered. `body`: the JSON, or the text; None where only the status matters."""

    status: int
    body: Any = None


class Different(NamedTuple):
    """A request that shows the difference `key`."""

    key: str
    model: str
    what: str
    request: Request
    mlflow: Answer
    here: Answer


DIFFERENCES = {
    "lossy_numbers": Difference(
        "1.7 is 1; 2147483648 in an integer wraps; 1e300 in a float is inf; 2**53 + 1.0 loses 1",
        "400 naming the cell, unless a whole number fits its type with all digits",
        "a wrong number with status 200 is the worst failure",
    ),
    "lossless_types": Difference(
        'text "12.0" for a long is 400; so is Parquet int64 for an integer, text for a number',
        "every type is accepted when nothing is lost",
        "pandas writes int64 by default; 12.0 is 12",
    ),
    "spellings": Difference(
        "1_000 and digits of other scripts are numbers in JSON text",
        "400, as in CSV",
        "only Python writes numbers so",
    ),
    "missing_texts": Difference(
        "NA in a text column of CSV is missing; in JSON 400 for a number, and true for a boolean",
        "NA is missing in every form but in text columns, where only an empty CSV cell is",
        "R writes missing values so; a text NA can be a code or a name",
    ),
    "nulls": Difference(
        'before 3.18 null becomes false, and the text "None" in inputs; 400 for a boolean in CSV',
        "null and an empty CSV cell are missing in every form; 400 in a tensor of booleans",
        "null is neither false nor text",
    ),
    "optional_nulls": Difference(
        "null in an optional integer, long or binary column is 400",
        "accepted: integers become float64 with NaN, bytes None",
        "optional columns may have gaps",
    ),
    "conversations": Difference(
        "of several conversations a chat model or an agent answers the first",
        "400: one at a time",
        "the others got lost",
    ),
    "absent_columns": Difference(
        "an absent optional column stays absent, also where the model needs it",
        "missing values, where the logged example shows that the model needs it and takes those",
        "optional means that it may be left out",
    ),
    "booleans": Difference(
        'any text, number, array or object becomes true or false: "false" is true',
        "400 unless true, false, 0 or 1 without quotes",
        "silently wrong",
    ),
    "texts": Difference(
        "other values for a string column pass as they are, in inputs as text: 1.5, True",
        "an integer becomes its text in every form, other values are 400",
        "one value, one meaning",
    ),
    "text_dtype": Difference(
        "text columns from CSV, and those of nulls only, have dtype object",
        "text columns have one dtype in every form",
        "one value, one meaning",
    ),
    "dates": Difference(
        "offsets, Z and mixed precisions are 400 in dataframe_*; dates in CSV always",
        "ISO 8601 in every form; offsets are converted to UTC",
        "one value, one meaning",
    ),
    "date_texts": Difference(
        "02/29/2024, 2024 and now are guessed at; 1704067200000 is in 1970; after 2262 dates wrap",
        "400 unless text YYYY-MM-DD with or without a time, 1677 to 2262; numbers are no dates",
        "a guessed date is a wrong date",
    ),
    "binary": Difference(
        "base64 is decoded in dataframe_* only; wrong base64 such as ### becomes empty bytes",
        "decoded in every form; wrong base64 is 400",
        "one value, one meaning",
    ),
    "nested_forms": Difference(
        "1 in Array(double) and 1.0 for a nested long are 400; arrays and maps in instances too",
        "accepted in every form, lossless numbers too",
        "JSON has one kind of number",
    ),
    "nested_lists": Difference(
        "array cells are lists in dataframe_*, NumPy arrays in inputs and Parquet",
        "lists in every form",
        "one value, one meaning",
    ),
    "unknown_columns": Difference(
        "columns and tensors that the model does not know are dropped",
        "400 naming them, with the closest known name",
        "a typo in an optional column is a wrong answer",
    ),
    "name_forms": Difference(
        "integer names work in dataframe_split only; unnamed columns of mixed types are 400",
        "accepted in every form: a name may be sent as text, unnamed columns go by position",
        "JSON keys and CSV headers are text",
    ),
    "unnamed_rows": Difference(
        "rows without names are matched with integer names such as 2, 0, 1 by value",
        "400 unless the names are 0, 1, 2 … in order",
        "a guessed column is a wrong answer",
    ),
    "row_names": Difference(
        "row labels are columns (R's _row, CSV's Unnamed: 0), or a column is lost (Parquet)",
        "left out, but where the signature has a column of that name they are it",
        "R and pandas write them unasked; set_index moves a column there",
    ),
    "csv_shape": Difference(
        "a long first row shifts all columns, short rows are filled up, repeated names renamed",
        "400 naming the row or the name",
        "silent corruption",
    ),
    "csv_dialects": Difference(
        "cells separated by semicolons, tabs or bars are one column; 1,5 is text",
        "recognised by the header or a line sep=; with semicolons 1,5 is 1.5; 400 if in doubt",
        "spreadsheets write the separator and the decimal sign of their country",
    ),
    "ragged_rows": Difference(
        "short rows are filled up; instances with different keys are joined to wrong rows",
        "400 naming the row",
        "silent corruption",
    ),
    "split_parts": Difference(
        "dataframe_split takes objects as rows, null as a name; labels of two levels are mixed up",
        "400 unless rows are arrays and names texts or integers; an array labels its row",
        "not the documented form; pandas writes a MultiIndex so",
    ),
    "bare_records": Difference(
        "an array of records, and a single record, are 400 without a key such as dataframe_records",
        "read as that, if they can mean nothing else",
        "vetiver's clients and R's toJSON write those",
    ),
    "empty_tables": Difference(
        "a table without rows reaches the model",
        "400",
        "most models fail on it; the data got lost on the way",
    ),
    "unknown_params": Difference(
        "unknown params are ignored; so are params beside the input, and a misspelt 'params'",
        "400 naming them; a misspelt 'params' is ignored only if the model has no params",
        "a typo is a wrong answer",
    ),
    "json": Difference(
        "repeated keys, lone surrogates are read; too many levels or digits are 500",
        "400: JSON as its standard says, but for the NaN and Infinity of Python's json module",
        "a repeated key hides a value",
    ),
    "media_types": Difference(
        "case matters, quotes and parameters are 415, a missing Content-Type is 500",
        "read as HTTP says; more types are taken; recognised if missing, text or a form type",
        "curl, httr2 and vetiver send those; web pages (`Origin`) must name a type",
    ),
    "compression": Difference(
        "Content-Encoding is ignored",
        "gzip and deflate are undone, other encodings are 415",
        "large tables compress well",
    ),
    "nan_outputs": Difference(
        "NaN and Infinity are bare words, which is not JSON; NaT is text",
        "null",
        "valid JSON always",
    ),
    "output_types": Difference(
        "datetime64[ns] is an integer, base64 has line breaks, sets or Decimals are 500",
        "ISO 8601, plain base64, arrays, numbers; 500 only for what JSON cannot express",
        "valid JSON always",
    ),
    "model_errors": Difference(
        "an exception in the model is 400, with a stack trace",
        "500 without a trace, which goes to the log; an MlflowException keeps its status",
        "blame the right side, leak nothing",
    ),
    "error_bodies": Difference(
        "errors differ in shape, some are plain text; many repeat the data",
        "one JSON shape: error_code, message, details, request_id; data is never repeated",
        "programs read them, logs keep them",
    ),
    "answer_formats": Difference(
        "the query string and `Accept` are ignored",
        "they choose the answer's format; an unknown parameter is 400, a format that is not there "
        "406",
        "a typo is a wrong answer",
    ),
    "http": Difference(
        "HEAD is 405, a trailing slash 307, / 404; /health is a newline",
        "HEAD and a slash work (pages: by a redirect), / is a page; /health is JSON with details",
        "probes, proxies, people",
    ),
    "bounds": Difference(
        "headers, all bodies together and silence are unbounded; no Host, several Hosts or "
        "keys are 200",
        "431, 503, 408 and 400; what is no HTTP is answered with JSON, too",
        "one client must not stop the others",
    ),
}


def saw(value: Any, params: Any = "missing") -> Answer:
    """An echo model's account of its input."""
    return Answer(200, {"predictions": {"input": value, "params": params}})


def frame(**columns: list[str]) -> Answer:
    """A DataFrame reached the model: for each column its dtype, then its cells."""
    return labelled(None, **columns)


def labelled(labels: list[str] | None, **columns: list[str]) -> Answer:
    length = max(len(cells) - 1 for cells in columns.values())
    table = [[name, cells[0], cells[1:]] for name, cells in columns.items()]
    return saw({"frame": table, "index": labels or [str(row) for row in range(length)]})


def array(dtype: str, shape: list[int], *cells: str) -> Answer:
    return saw(tensor(dtype, shape, *cells))


def tensor(dtype: str, shape: list[int], *cells: str) -> dict[str, Any]:
    return {"array": [dtype, shape, list(cells)]}


def doubles(*values: float, labels: list[str] | None = None) -> Answer:
    """One row for the model `doubles`."""
    cells = zip("abcd", values, strict=True)
    return labelled(labels, **{name: ["float64", f"float {value!r}"] for name, value in cells})


def predicted(value: Any) -> Answer:
    return Answer(200, {"predictions": value})


def long(*cells: str) -> Answer:
    return frame(n=["int64", *cells])


def text(*cells: str, dtype: str = TEXT) -> Answer:
    return frame(text=[dtype, *cells])


def flag(*cells: str, dtype: str = "bool") -> Answer:
    return frame(flag=[dtype, *cells])


def data(*cells: str, dtype: str = "object") -> Answer:
    return frame(data=[dtype, *cells])


def when(*cells: str) -> Answer:
    return frame(when=["datetime64[ns]", *cells])


def numbers(*cells: str) -> Answer:
    return frame(numbers=["object", *cells])


def optional(**more: list[str]) -> Answer:
    """Row 1 of `all_optional`, and row 2 if `more` has two cells."""
    length = max(len(cells) - 1 for cells in more.values())
    return frame(id=["int64", "int 1", "int 2"][: length + 1], **more)


def described(*cells: list[str]) -> Answer:
    """A frame for the model `nested`; `cells` in the order of its columns."""
    return frame(**dict(zip(NESTED, cells, strict=True)))


BAD = Answer(400)

ACCEPTED = Answer(200)
"""For answers that depend on the day or the version, or that only show that no error came."""

FIRST_MISSING = frame(
    a=["float64", "missing"],
    b=["float64", "float 2.0"],
    c=["float64", "float 3.0"],
    d=["float64", "float 4.0"],
)

ROW = Answer(200, doubles(1.5, 2.0, -0.0, 1e300).body)
"""The row `ABCD` reached the model."""

NIL = "missing"

SECONDS = "2024-01-02T03:04:05.000000000"
TWO_HOURS_EARLIER = "2024-01-02T01:04:05.000000000"
MIDNIGHT = "2024-01-02T00:00:00.000000000"

DEEP = '{"inputs": ' + "[" * 3000 + "]" * 3000 + "}"

CRASH = Answer(500, "Internal Server Error")


def typed(content_type: str | None) -> Request:
    """A good JSON request, with this content type."""
    return inputs([ABCD])._replace(content_type=content_type)


def returned(key: str, name: str, mlflow: Answer, here: Any) -> Different:
    """The model `returns` answers with `name` of `tests/support/outputs.py`."""
    return Different(key, "returns", name, split("how", [name]), mlflow, predicted(here))


def raised(name: str) -> Different:
    request = split("how", [name])
    return Different("model_errors", "raises", name, request, BAD, Answer(500))


def of_long(what: str, request: Request, mlflow: Answer, here: Answer = BAD) -> Different:
    return Different("lossy_numbers", "one_long", what, request, mlflow, here)


def of_boolean(what: str, value: Any, mlflow: str) -> list[Different]:
    """The value in `dataframe_split` and in `inputs`."""
    answer = flag(mlflow)
    return [
        Different("booleans", "one_boolean", what, split("flag", [value]), answer, BAD),
        Different("booleans", "one_boolean", f"inputs_{what}", inputs([value]), answer, BAD),
    ]


def of_date(what: str, request: Request, mlflow: Answer) -> Different:
    return Different("date_texts", "one_datetime", what, request, mlflow, BAD)


def of_doubles(key: str, what: str, request: Request, mlflow: Answer, here: Answer) -> Different:
    return Different(key, "doubles", what, request, mlflow, here)


LOSSY_NUMBERS = [
    of_long("fraction", split("n", [1.7]), long("int 1")),
    of_long("fraction_below", split("n", [1], [1.5]), long("int 1", "int 1")),
    of_long("inputs_fraction", inputs([1.7]), long("int 1")),
    of_long("above", split("n", [2**63]), long("int -9223372036854775808")),
    of_long("huge_float", split("n", [1e300]), long("int -9223372036854775808")),
    *(
        of_long(what, raw(text), long("int 9007199254740992"), long("int 9007199254740993"))
        for what, text in (
            ("digits", '{"dataframe_split": {"columns": ["n"], "data": [[9007199254740993.0]]}}'),
            ("digits_records", '{"dataframe_records": [{"n": 9007199254740993.0}]}'),
            ("digits_inputs", '{"inputs": [9.007199254740993e15]}'),
        )
    ),
    Different(
        "lossy_numbers",
        "all_optional",
        "integer_above",
        records({"id": 1, "integer": 2**31}),
        optional(integer=["int32", "int -2147483648"]),
        BAD,
    ),
    Different(
        "lossy_numbers",
        "all_optional",
        "integer_below",
        records({"id": 1, "integer": -(2**31) - 1}),
        optional(integer=["int32", "int 2147483647"]),
        BAD,
    ),
    Different(
        "lossy_numbers",
        "all_optional",
        "integer_fraction",
        inputs([{"id": 1, "integer": 1.5}]),
        optional(integer=["int32", "int 1"]),
        BAD,
    ),
    *(
        Different(
            "lossy_numbers",
            "all_optional",
            f"float_{what}",
            request,
            optional(float=["float32", "float inf"]),
            BAD,
        )
        for what, request in (
            ("large", records({"id": 1, "float": 1e39})),
            ("half_a_step_above_the_largest", records({"id": 1, "float": 3.4028235677973366e38})),
            ("large_text", records({"id": 1, "float": "1e300"})),
            ("large_inputs", inputs([{"id": 1, "float": 1e300}])),
            ("large_csv", csv("id,float", "1,1e300")),
        )
    ),
    *(
        of_doubles("lossy_numbers", what, request, doubles(np.inf, 2.0, 3.0, 4.0), BAD)
        for what, request in (
            ("text_large", split("a b c d", ["1e400", 2, 3, 4])),
            ("large", raw('{"inputs": {"a": 1e400, "b": 2, "c": 3, "d": 4}}')),
            ("csv_large", csv("a,b,c,d", "1e400,2,3,4")),
        )
    ),
    *(
        of_doubles("bare_records", what, body(value), Answer(400), doubles(1.5, 2.0, -0.0, 1e300))
        for what, value in (("array", [ABCD]), ("single", ABCD))
    ),
    Different(
        "lossy_numbers",
        "tensor_long",
        "fraction",
        inputs([1.9]),
        array("int64", [1], "int 1"),
        BAD,
    ),
    Different(
        "lossy_numbers",
        "tensor_image",
        "fraction",
        inputs([[[0.5, 1], [2, 3]]]),
        array("uint8", [1, 2, 2], "int 0", "int 1", "int 2", "int 3"),
        BAD,
    ),
    Different(
        "lossy_numbers",
        "tensor_image",
        "split_above",
        rows([[0, 1, 2, 256]]),
        array("uint8", [1, 2, 2], "int 0", "int 1", "int 2", "int 0"),
        BAD,
    ),
    Different(
        "lossy_numbers",
        "tensors",
        "large",
        inputs({"x": [[1e300, 1]], "n": [1]}),
        saw(
            {
                "x": tensor("float32", [1, 2], "float inf", "float 1.0"),
                "n": tensor("int64", [1], "int 1"),
            }
        ),
        BAD,
    ),
    Different("lossy_numbers", "unnamed_mixed", "fraction", rows([1.5, "a"]), ACCEPTED, BAD),
    Different(
        "lossy_numbers", "wine", "fraction", records(WINE | {"magnesium": 127.5}), ACCEPTED, BAD
    ),
    Different("lossy_numbers", "with_params", "size_of_65_bits", params(size=2**64), ACCEPTED, BAD),
]

LOSSLESS_TYPES = [
    *(
        Different("lossless_types", "one_long", what, request, BAD, long(cell))
        for what, request, cell in (
            ("text_float", split("n", ["12.0"]), "int 12"),
            ("text_exponent", split("n", ["1e3"]), "int 1000"),
            ("inputs_text_float", inputs(["12.0"]), "int 12"),
            ("parquet_float", parquet({"n": [1.0]}), "int 1"),
            ("parquet_text", parquet({"n": ["1"]}), "int 1"),
            ("parquet_boolean", parquet({"n": [True]}), "int 1"),
            ("parquet_decimal", parquet({"n": [Decimal("12.00")]}), "int 12"),
        )
    ),
    *(
        of_doubles(
            "lossless_types",
            what,
            parquet(dict.fromkeys("abcd", cells)),
            BAD,
            doubles(*[2.0] * 4),
        )
        for what, cells in (("parquet_int64", [2]), ("parquet_text", ["2"]))
    ),
    Different(
        "lossless_types",
        "all_optional",
        "parquet_int64_for_integer",
        parquet({"id": [1], "integer": [5]}),
        BAD,
        optional(integer=["int32", "int 5"]),
    ),
    Different(
        "lossless_types",
        "all_optional",
        "parquet_float64_for_float",
        parquet({"id": [1], "float": [0.5]}),
        BAD,
        optional(float=["float32", "float 0.5"]),
    ),
    Different(
        "lossless_types",
        "one_string",
        "parquet_category",
        parquet({"text": pd.Categorical(["a"])}),
        BAD,
        text("str 'a'"),
    ),
    Different(
        "lossless_types",
        "one_boolean",
        "parquet_integers",
        parquet({"flag": [0, 1]}),
        BAD,
        flag("bool False", "bool True"),
    ),
    Different(
        "lossless_types",
        "one_datetime",
        "parquet_text",
        parquet({"when": ["2024-01-02"]}),
        BAD,
        when(MIDNIGHT),
    ),
    Different(
        "lossless_types",
        "unnamed",
        "parquet_int64",
        parquet({"x": [1], "y": [2]}),
        BAD,
        frame(x=["float64", "float 1.0"], y=["float64", "float 2.0"]),
    ),
    Different(
        "lossless_types",
        "tensor",
        "parquet_int64",
        parquet({"x": [1], "y": [2]}),
        BAD,
        array("float64", [1, 2], "float 1.0", "float 2.0"),
    ),
    Different(
        "lossless_types",
        "tensor_image",
        "split_nested_cells",
        rows([[[0, 1], [2, 3]]]),
        BAD,
        array("uint8", [1, 2, 2], "int 0", "int 1", "int 2", "int 3"),
    ),
    Different(
        "lossless_types",
        "tensors",
        "parquet_float64",
        parquet({"x": [[1.5, 2.5]], "n": [1]}),
        saw(
            {
                "x": tensor("float64", [1, 2], "float 1.5", "float 2.5"),
                "n": tensor("int64", [1], "int 1"),
            }
        ),
        saw(
            {
                "x": tensor("float32", [1, 2], "float 1.5", "float 2.5"),
                "n": tensor("int64", [1], "int 1"),
            }
        ),
    ),
]

BOOLEANS = [
    *of_boolean("false_text", "false", "bool True"),
    *of_boolean("true_text", "true", "bool True"),
    *of_boolean("empty_text", "", "bool False"),
    *of_boolean("two", 2, "bool True"),
    *of_boolean("half", 0.5, "bool True"),
    Different("booleans", "one_boolean", "array", split("flag", [[0]]), flag("bool True"), BAD),
    Different("booleans", "one_boolean", "object", split("flag", [{}]), flag("bool False"), BAD),
    Different(
        "booleans",
        "one_boolean",
        "parquet_decimals",
        parquet({"flag": [Decimal(0), Decimal(1)]}),
        ACCEPTED,
        flag("bool False", "bool True"),
    ),
    Different("booleans", "wine", "text", records(WINE | {"alkaline_ash": "false"}), ACCEPTED, BAD),
]

NULLS = (
    [
        Different("nulls", "one_boolean", what, request, mlflow, flag(*here, dtype="object"))
        for what, request, mlflow, here in (
            (
                "null",
                split("flag", [None]),
                ACCEPTED if MLFLOW_KEEPS_NULLS else flag("bool False"),
                [NIL],
            ),
            (
                "null_beside",
                split("flag", [True], [None]),
                ACCEPTED if MLFLOW_KEEPS_NULLS else flag("bool True", "bool False"),
                ["bool True", NIL],
            ),
            (
                "inputs_null",
                inputs([None]),
                ACCEPTED if MLFLOW_KEEPS_NULLS else flag("bool False"),
                [NIL],
            ),
            ("csv_empty", csv("flag", "true", '""'), BAD, ["bool True", NIL]),
            (
                "parquet_null",
                parquet({"flag": pd.array([True, None], "boolean")}),
                BAD,
                ["bool True", NIL],
            ),
        )
    ]
    + [
        Different(
            "nulls",
            "tensor_flags",
            "null",
            inputs([True, None]),
            array("bool", [2], "bool True", "bool False"),
            BAD,
        ),
    ]
    + [
        Different(
            "nulls",
            "one_string",
            what,
            request,
            ACCEPTED if MLFLOW_KEEPS_NULLS else text("str 'a'", "str 'None'"),
            text("str 'a'", NIL),
        )
        for what, request in (
            ("inputs_null", inputs(["a", None])),
            ("inputs_null_by_name", inputs({"text": ["a", None]})),
            ("inputs_null_in_record", inputs([{"text": "a"}, {"text": None}])),
            ("instances_null", instances(["a", None])),
        )
    ]
)

MISSING_TEXTS = [
    *(
        Different("missing_texts", "doubles", what, request, BAD, FIRST_MISSING)
        for what, request in (
            ("records", records({"a": "NA", "b": 2, "c": 3, "d": 4})),
            ("split", split("a b c d", ["NA", 2, 3, 4])),
            ("inputs", inputs({"a": ["NA"], "b": [2], "c": [3], "d": [4]})),
            ("instances", instances([{"a": "NA", "b": 2, "c": 3, "d": 4}])),
        )
    ),
    Different("missing_texts", "one_datetime", "na", split("when", ["NA"]), BAD, when("missing")),
    Different(
        "missing_texts",
        "one_boolean",
        "na",
        records({"flag": "NA"}, {"flag": True}),
        flag("bool True", "bool True"),
        flag("missing", "bool True", dtype="object"),
    ),
    Different(
        "missing_texts",
        "all_optional",
        "long_na",
        records({"id": 1, "long": "NA", "string": "NA"}),
        BAD,
        optional(long=["float64", "missing"], string=[TEXT, "str 'NA'"]),
    ),
    Different(
        "missing_texts",
        "tensor",
        "na",
        inputs([["NA", 1]]),
        BAD,
        array("float64", [1, 2], "missing", "float 1.0"),
    ),
    Different(
        "missing_texts",
        "array_only",
        "na",
        records({"numbers": [1.5, "NA"]}),
        BAD,
        numbers("[float 1.5, missing]"),
    ),
    Different("missing_texts", "with_params", "na", params(rate="NA"), BAD, ACCEPTED),
]

SPELLINGS = [
    *(
        of_doubles("spellings", what, request, ACCEPTED, BAD)
        for what, request in (
            ("underscore", split("a b c d", ["1_000", 2, 3, 4])),
            ("underscore_records", records(ABCD | {"a": "1_000"})),
            ("full_width", split("a b c d", ["\uff11\uff12", 2, 3, 4])),
        )
    ),
    Different("spellings", "tensor", "underscore", inputs([["1_0", "2"]]), ACCEPTED, BAD),
    Different("spellings", "one_long", "underscore", split("n", ["1_000"]), ACCEPTED, BAD),
    Different("spellings", "one_long", "full_width", split("n", ["\uff11"]), ACCEPTED, BAD),
]

TEXTS = [
    Different("texts", "one_string", what, request, mlflow, here)
    for what, request, mlflow, here in (
        ("integer", split("text", [5]), text("int 5", dtype="object"), text("str '5'")),
        (
            "text_and_integer",
            split("text", ["a"], [5]),
            text("str 'a'", "int 5", dtype="object"),
            text("str 'a'", "str '5'"),
        ),
        ("fraction", split("text", [1.5]), text("float 1.5", dtype="object"), BAD),
        ("inputs_fraction", inputs([1.5]), text("str '1.5'"), BAD),
        ("boolean", split("text", [True]), text("bool True", dtype="object"), BAD),
        ("inputs_boolean", inputs([True]), text("str 'True'"), BAD),
        ("array", split("text", [["a"]]), text("[str 'a']", dtype="object"), BAD),
        ("inputs_array", inputs([["a"]]), text("[str 'a']", dtype="object"), BAD),
        ("object", split("text", [{"x": 1}]), text("{x: int 1}", dtype="object"), BAD),
        ("parquet_integers", parquet({"text": [1]}), BAD, text("str '1'")),
        ("parquet_bytes", parquet({"text": [b"a"]}), text("bytes b'a'", dtype="object"), BAD),
        ("parquet_decimals", parquet({"text": [Decimal(1)]}), ACCEPTED, text("str '1'")),
    )
] + [
    Different(
        "texts", "tensor_text", "fraction", inputs([1.5]), array("<U3", [1], "str '1.5'"), BAD
    ),
    Different(
        "texts", "tensor_text", "boolean", inputs([True]), array("<U4", [1], "str 'True'"), BAD
    ),
    Different(
        "texts",
        "unnamed_mixed",
        "integer",
        rows([1, 5]),
        frame(**{"0": ["int64", "int 1"], "1": ["object", "int 5"]}),
        frame(**{"0": ["int64", "int 1"], "1": [TEXT, "str '5'"]}),
    ),
]

TEXT_DTYPE = [
    *(
        Different(
            "text_dtype", "one_string", what, request, text(*cells, dtype="object"), text(*cells)
        )
        for what, request, cells in (
            ("csv", csv("text", "a", "007", " b "), ["str 'a'", "str '007'", "str ' b '"]),
            ("csv_quoted", csv("text", '"a, ""b"""'), ["str 'a, \"b\"'"]),
            ("csv_line_break", csv("text", '"a', 'b"'), ["str 'a\\nb'"]),
            ("csv_blank_line", csv("text", "a", "", "b"), ["str 'a'", "str 'b'"]),
            ("csv_empty", csv("text", "a", '""'), ["str 'a'", NIL]),
            ("null", split("text", [None]), [NIL]),
        )
    ),
    *(
        Different(
            "text_dtype",
            "all_optional",
            what,
            request,
            optional(string=["object", *cells]),
            optional(string=[TEXT, *cells]),
        )
        for what, request, cells in (
            ("null", records({"id": 1, "string": None}), [NIL]),
            ("csv_empty", csv("id,string", "1,", "2,"), [NIL, NIL]),
            ("csv_one_empty", csv("id,string", "1,", "2,a"), [NIL, "str 'a'"]),
        )
    ),
]

CSV_WORDS = [
    Different(
        "missing_texts",
        "one_string",
        "words",
        csv("text", "NA", "null", "a"),
        text(NIL, NIL, "str 'a'", dtype="object"),
        text("str 'NA'", "str 'null'", "str 'a'"),
    ),
    Different(
        "missing_texts",
        "unnamed_mixed",
        "word",
        csv("x,y", "1,NA"),
        frame(x=["int64", "int 1"], y=["object", NIL]),
        frame(x=["int64", "int 1"], y=[TEXT, "str 'NA'"]),
    ),
    Different(
        "missing_texts", "hint_texts", "word", csv("x", "a", "NA"), BAD, predicted(["A", "NA"])
    ),
]

BINARY = [
    Different("binary", "hint_bytes", "wrong", inputs(["###"]), predicted([0]), BAD),
    *(
        Different("binary", "one_binary", what, request, data(mlflow, dtype=dtype), here)
        for what, request, dtype, mlflow, here in (
            (
                "inputs",
                inputs(["AP+A"]),
                "object",
                "bytes b'AP+A'",
                data("bytes b'\\x00\\xff\\x80'"),
            ),
            ("instances", instances(["YWJj"]), "object", "bytes b'YWJj'", data("bytes b'abc'")),
            (
                "inputs_lines",
                inputs(["YWJj\nYWJj\n"]),
                "object",
                "bytes b'YWJj\\nYWJj\\n'",
                data("bytes b'abcabc'"),
            ),
            ("inputs_wrong", inputs(["###"]), "object", "bytes b'###'", BAD),
            ("inputs_unpadded", inputs(["YQ"]), "object", "bytes b'YQ'", BAD),
            (
                "inputs_null",
                inputs([None]),
                "object",
                NIL if MLFLOW_KEEPS_NULLS else "bytes b'None'",
                BAD,
            ),
            ("wrong", split("data", ["###"]), "object", "bytes b''", BAD),
            ("blanks", split("data", ["YW Jj"]), "object", "bytes b'abc'", BAD),
            ("csv", csv("data", "YWJj"), "object", "str 'YWJj'", data("bytes b'abc'")),
            ("csv_wrong", csv("data", "###"), "object", "str '###'", BAD),
            ("parquet_text", parquet({"data": ["YWJj"]}), TEXT, "str 'YWJj'", data("bytes b'abc'")),
        )
    ),
]

DATES = [
    Different("dates", "one_datetime", what, request, BAD, when(*cells))
    for what, request, cells in (
        ("z", split("when", ["2024-01-02T03:04:05Z"]), [SECONDS]),
        ("offset", split("when", ["2024-01-02T03:04:05+02:00"]), [TWO_HOURS_EARLIER]),
        (
            "offsets",
            split("when", ["2024-01-02T03:04:05Z"], ["2024-01-02T03:04:05+02:00"]),
            [SECONDS, TWO_HOURS_EARLIER],
        ),
        (
            "precisions",
            split("when", ["2024-01-02"], ["2024-01-02T03:04:05"]),
            [MIDNIGHT, SECONDS],
        ),
        (
            "decimal_comma",
            inputs(["2024-01-02T03:04:05,5"]),
            [SECONDS.replace(".000000000", ".500000000")],
        ),
        ("csv", csv("when", "2024-01-02T03:04:05"), [SECONDS]),
        ("csv_missing", csv("when", "2024-01-02", "NA"), [MIDNIGHT, NIL]),
        (
            "parquet_utc",
            parquet({"when": pd.to_datetime(["2024-01-02T03:04:05+02:00"], utc=True)}),
            [TWO_HOURS_EARLIER],
        ),
    )
] + [
    Different(
        "dates",
        "all_optional",
        "csv",
        csv("id,datetime", "1,2024-01-02"),
        BAD,
        optional(datetime=["datetime64[ns]", MIDNIGHT]),
    )
]

IN_96_BITS = parquet({"when": np.array(["9999-12-31"], "M8[us]")}, in_96_bits=True)

DATE_TEXTS = [
    of_date("month_first", split("when", ["02/29/2024"]), when("2024-02-29T00:00:00.000000000")),
    of_date("day_first", split("when", ["13/01/2024"]), when("2024-01-13T00:00:00.000000000")),
    of_date("words", split("when", ["Jan 2 2024"]), when(MIDNIGHT)),
    of_date("slashes", split("when", ["2024/01/02"]), when(MIDNIGHT)),
    of_date("compact", split("when", ["20240102"]), when(MIDNIGHT)),
    of_date("blanks", split("when", [" 2024-01-02 "]), when(MIDNIGHT)),
    of_date("year", split("when", ["2024"]), when("2024-01-01T00:00:00.000000000")),
    of_date("month", split("when", ["2024-05"]), when("2024-05-01T00:00:00.000000000")),
    of_date("nan", split("when", ["nan"]), when(NIL)),
    of_date("fraction", split("when", [0.5]), ACCEPTED),
    of_date("time", split("when", ["03:04"]), ACCEPTED),
    of_date("now", split("when", ["now"]), ACCEPTED),
    of_date("ten_digits", split("when", ["2024-01-02T03:04:05.1234567891"]), ACCEPTED),
    of_date("inputs_year", inputs(["2024"]), when("2024-01-01T00:00:00.000000000")),
    of_date("inputs_compact", inputs(["20240102"]), ACCEPTED),
    of_date("inputs_now", inputs(["now"]), ACCEPTED),
    of_date("inputs_boolean", inputs([True]), when("1970-01-01T00:00:00.000000001")),
    of_date("parquet_after_2262_in_96_bits", IN_96_BITS, ACCEPTED),
    of_date("inputs_after_2262", inputs(["2262-04-12"]), ACCEPTED),
    *(
        Different("date_texts", "with_params", what, params(when=value), ACCEPTED, BAD)
        for what, value in (("month", "2024-05"),)
    ),
]

DATE_NUMBERS = [
    *(
        Different("date_texts", "one_datetime", what, request, ACCEPTED, BAD)
        for what, request in (
            ("milliseconds", split("when", [1704067200000])),
            ("seconds", records({"when": 1704067200})),
            ("nanoseconds", records({"when": 1704164645000000000})),
            ("year_number", inputs({"when": [2024]})),
            ("excel", split("when", [45292])),
            ("zero", split("when", [0])),
            ("negative", split("when", [-1])),
            ("inputs", inputs([1704067200000])),
            ("inputs_beside_text", inputs(["2024-01-02", 5])),
            ("instances", instances([1704067200000])),
        )
    ),
    Different("date_texts", "one_datetime", "excel_time", split("when", [45292.5]), ACCEPTED, BAD),
    *(
        Different("date_texts", "one_datetime", what, request, BAD, BAD)
        for what, request in (
            ("beside_text", split("when", ["2024-01-02"], [1704067200000])),
            ("parquet", parquet({"when": [1704067200000]})),
            ("csv", csv("when", "1704067200000")),
        )
    ),
    Different("date_texts", "tensor_dates", "inputs", inputs([1704067200000]), ACCEPTED, BAD),
]

OPTIONAL_NULLS = [
    *(
        Different(
            "optional_nulls",
            "all_optional",
            f"{name}_{what}",
            request,
            BAD,
            optional(**{name: ["float64", *cells]}),
        )
        for name in ("integer", "long")
        for what, request, cells in (
            ("null", records({"id": 1, name: None}), [NIL]),
            ("beside", records({"id": 1, name: 5}, {"id": 2, name: None}), ["float 5.0", NIL]),
            ("absent_once", records({"id": 1, name: 5}, {"id": 2}), ["float 5.0", NIL]),
            ("inputs", inputs({"id": [1, 2], name: [5, None]}), ["float 5.0", NIL]),
            ("csv", csv(f"id,{name}", "1,5", "2,"), ["float 5.0", NIL]),
            (
                "parquet",
                parquet({"id": [1, 2], name: pd.array([5, None], "Int64")}),
                ["float 5.0", NIL],
            ),
        )
    ),
    Different(
        "optional_nulls",
        "all_optional",
        "binary_null",
        records({"id": 1, "binary": None}),
        BAD,
        optional(binary=["object", NIL]),
    ),
]

DAY = pd.DatetimeIndex(["2024-01-02"], name="when")

ROW_LABELS = [
    Different(
        "row_names",
        "all_optional",
        "optional",
        parquet({"id": [1]}, pd.Index(["a"], name="string")),
        labelled(["a"], id=["int64", "int 1"]),
        optional(string=[TEXT, "str 'a'"]),
    ),
    Different("row_names", "one_datetime", "required", parquet({}, DAY), BAD, when(MIDNIGHT)),
    Different(
        "row_names",
        "all_optional",
        "of_two_levels",
        parquet({"id": [1]}, pd.MultiIndex.from_arrays([["a"], ["b"]], names=["string", "other"])),
        ACCEPTED,
        labelled(["b"], id=["int64", "int 1"], string=[TEXT, "str 'a'"]),
    ),
]

CSV_SHAPE = [
    *(
        of_doubles("csv_shape", what, request, mlflow, BAD)
        for what, request, mlflow in (
            (
                "first_row_long",
                csv("a,b,c,d", "1,2,3,4,5"),
                doubles(2.0, 3.0, 4.0, 5.0, labels=["1"]),
            ),
            ("first_row_comma", csv("a,b,c,d", "1,2,3,4,"), ACCEPTED),
            ("short_row", csv("a,b,c,d", "1,2,3"), ACCEPTED),
            ("later_short_row", csv("a,b,c,d", "1,2,3,4", "1,2"), ACCEPTED),
            ("name_twice", csv("a,b,c,d,a", "1,2,3,4,5"), doubles(1.0, 2.0, 3.0, 4.0)),
            ("nameless_twice", csv("a,,b,,c,d", "1,,2,,3,4"), doubles(1.0, 2.0, 3.0, 4.0)),
        )
    ),
    *(
        Different("csv_shape", "no_signature", what, request, ACCEPTED, BAD)
        for what, request in (
            ("first_row_long", csv("a,b", "1,2,3")),
            ("short_row", csv("a,b", "1")),
            ("name_twice", csv("a,a", "1,2")),
        )
    ),
]

CSV_DIALECTS = [
    *(
        of_doubles("csv_dialects", what, request, BAD, doubles(1.5, 2.0, 3.0, 4.0))
        for what, request in (
            ("semicolons", csv("a;b;c;d", "1.5;2;3;4")),
            ("decimal_commas", csv("a;b;c;d", "1,5;2;3,0;4")),
            ("tabs", csv("a\tb\tc\td", "1.5\t2\t3\t4")),
            ("bars", csv("a|b|c|d", "1.5|2|3|4")),
            ("stated", csv("sep=;", "a;b;c;d", "1,5;2;3;4")),
        )
    ),
    Different(
        "csv_dialects",
        "no_signature",
        "untyped_semicolons",
        csv("a;b", "1,5;x"),
        ACCEPTED,
        frame(a=["float64", "float 1.5"], b=[TEXT, "str 'x'"]),
    ),
    Different("csv_dialects", "no_signature", "two_ways", csv("a;b,c", "1;2,3"), ACCEPTED, BAD),
]

RAGGED_ROWS = [
    of_doubles(
        "ragged_rows",
        "split_short_row",
        split("a b c d", [1, 2, 3, 4], [1, 2]),
        frame(
            a=["float64", "float 1.0", "float 1.0"],
            b=["float64", "float 2.0", "float 2.0"],
            c=["float64", "float 3.0", NIL],
            d=["float64", "float 4.0", NIL],
        ),
        BAD,
    ),
    Different(
        "ragged_rows",
        "two_longs",
        "instances",
        instances([{"a": 1}, {"b": 2}]),
        frame(a=["int64", "int 1"], b=["int64", "int 2"]),
        BAD,
    ),
    Different(
        "ragged_rows",
        "no_signature",
        "instances",
        instances([{"a": 1}, {"b": 2}]),
        saw({"a": tensor("int64", [1], "int 1"), "b": tensor("int64", [1], "int 2")}),
        BAD,
    ),
    Different(
        "ragged_rows",
        "tensors",
        "instances",
        instances([{"x": [1, 2]}, {"n": 1}]),
        saw(
            {
                "x": tensor("float32", [1, 2], "float 1.0", "float 2.0"),
                "n": tensor("int64", [1], "int 1"),
            }
        ),
        BAD,
    ),
    *(
        Different("ragged_rows", "no_signature", what, request, ACCEPTED, BAD)
        for what, request in (
            ("split_short_row", split("a b", [1], [1, 2])),
            ("split_without_names", rows([1], [1, 2])),
            ("records_of_arrays", records([1, 2], [3])),
        )
    ),
]

SPLIT_PARTS = [
    *(
        Different("split_parts", "no_signature", what, request, ACCEPTED, BAD)
        for what, request in (
            ("objects", rows({"a": 1})),
            ("null_name", split([None, "a"], [1, 2])),
            ("fraction_name", split([1.5, "a"], [1, 2])),
            ("boolean_name", split([True], [1])),
        )
    ),
    *(
        Different(
            "split_parts",
            "one_long",
            f"{len(labels)}_labels",
            body({"dataframe_split": {"columns": ["n"], "data": data, "index": labels}}),
            mlflow,
            labelled([str(tuple(label)) for label in labels], n=["int64", *cells]),
        )
        for labels, data, cells, mlflow in (
            (
                [["x", 1], ["y", 2]],
                [[1], [2]],
                ["int 1", "int 2"],
                labelled(["('x', 'y')", "(1, 2)"], n=["int64", "int 1", "int 2"]),
            ),
            ([["x", 1], ["y", 2], ["z", 3]], [[1], [2], [3]], ["int 1", "int 2", "int 3"], BAD),
        )
    ),
]

EMPTY_TABLES = [
    *(
        Different("empty_tables", "doubles", what, request, ACCEPTED, BAD)
        for what, request in (
            ("split", split("a b c d")),
            ("split_null", body({"dataframe_split": {"columns": list("abcd"), "data": None}})),
            ("inputs", inputs({name: [] for name in "abcd"})),
            ("csv", csv("a,b,c,d")),
            ("parquet", parquet({name: np.array([], float) for name in "abcd"})),
        )
    ),
    *(
        Different("empty_tables", "no_signature", what, request, ACCEPTED, BAD)
        for what, request in (
            ("split", split("a")),
            ("records", records()),
            ("csv", csv("a,b")),
        )
    ),
    Different("empty_tables", "one_long", "inputs", inputs([]), ACCEPTED, BAD),
    Different("empty_tables", "hint_numbers", "csv", csv("x"), predicted([]), BAD),
]

UNKNOWN_COLUMNS = [
    *(
        of_doubles("unknown_columns", what, request, doubles(1.0, 2.0, 3.0, 4.0), BAD)
        for what, request in (
            ("split", split("a b c d e", [1, 2, 3, 4, 5])),
            ("records", records({"a": 1, "b": 2, "c": 3, "d": 4, "e": 5})),
            ("inputs", inputs([{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}])),
            ("inputs_columns", inputs({"a": [1], "b": [2], "c": [3], "d": [4], "e": [5]})),
            ("instances", instances([{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}])),
            ("csv", csv("a,b,c,d,e", "1,2,3,4,5")),
            ("csv_nameless_last", csv("a,b,c,d,", "1,2,3,4,5")),
            ("parquet", parquet({"a": [1.0], "b": [2.0], "c": [3.0], "d": [4.0], "e": [5.0]})),
        )
    ),
    Different(
        "unknown_columns",
        "all_optional",
        "misspelt",
        records({"id": 1, "doubel": 0.5}),
        frame(id=["int64", "int 1"]),
        BAD,
    ),
    Different("unknown_columns", "unnamed", "split", rows([1, 2, 3]), ACCEPTED, BAD),
    Different("unknown_columns", "unnamed", "inputs", inputs([[1, 2, 3]]), ACCEPTED, BAD),
    Different("unknown_columns", "integer_names", "split", rows([1, 2, 3]), ACCEPTED, BAD),
    Different(
        "unknown_columns",
        "tensors",
        "inputs",
        inputs({"x": [[1, 2]], "n": [1], "z": [1]}),
        ACCEPTED,
        BAD,
    ),
    Different(
        "unknown_columns",
        "tensors",
        "records",
        records({"x": [1.5, 2.5], "n": 1, "z": 1}),
        ACCEPTED,
        BAD,
    ),
    Different(
        "unknown_columns", "hint_numbers", "csv", csv("x,y", "1.5,2.5"), predicted([3.0]), BAD
    ),
    Different(
        "unknown_columns",
        "wine",
        "parquet",
        parquet({**{name: [value] for name, value in WINE.items()}, "year": [1991]}),
        predicted(["cultivar 1"]),
        BAD,
    ),
]

ROW_NAMES = (
    [
        Different(
            "row_names",
            "no_signature",
            what,
            request,
            ACCEPTED,
            saw({"frame": [["a", "int64", ["int 5"]]], "index": ["0"]}),
        )
        for what, request in (
            ("csv", csv(",a", "7,5")),
            ("records", records({"a": 5, "_row": "x"})),
        )
    ]
    + [
        Different("row_names", "one_long", what, request, mlflow, long("int 5"))
        for what, request, mlflow in (
            ("records", records({"n": 5, "_row": "x"}), long("int 5")),
            ("split", split("n _row", [5, "x"]), long("int 5")),
            ("inputs", inputs([{"n": 5, "_row": "x"}]), long("int 5")),
            ("instances", instances([{"n": 5, "_row": "x"}]), long("int 5")),
        )
    ]
    + [
        Different(
            "row_names",
            "tensors",
            "instances",
            instances([{"x": [1, 2], "n": 1, "_row": "x"}]),
            ACCEPTED,
            ACCEPTED,
        )
    ]
)

UNNAMED_ROWS = [
    Different(
        "unnamed_rows",
        "unordered_names",
        what,
        request,
        ACCEPTED,
        BAD,
    )
    for what, request in (
        ("inputs", inputs([[20, 0, 10]])),
        ("instances", instances([[20, 0, 10]])),
        ("split", rows([20, 0, 10])),
    )
]

UNKNOWN_PARAMS = [
    Different("unknown_params", model, what, request, ACCEPTED, BAD)
    for model, what, request in (
        ("with_params", "beside_the_form", split("a", [1.0], count=5)),
        ("with_params", "misspelt_key", split("a", [1.0], param={"count": 5})),
        ("chat", "in_a_chat", body({"messages": HELLO, "params": {"foo": 1}})),
        ("with_params", "misspelt", params(cuont=1)),
        ("with_params", "beside_known", params(count=1, x=1)),
        ("doubles", "none_declared", inputs([ABCD], params={"x": 1})),
        ("doubles", "array", inputs([ABCD], params=[1])),
        ("no_signature", "none_declared", inputs([1], params={"x": 1})),
        ("tensor", "none_declared", inputs([[1, 2]], params={"x": 1})),
        ("hint_numbers", "none_declared", inputs([1.5], params={"x": 1})),
    )
]

STRICT_JSON = [
    of_doubles(
        "json",
        "key_twice_beside_nan",
        raw('{"inputs": [{"a": NaN, "b": 2, "c": 3, "d": 4, "a": 5}]}'),
        doubles(5.0, 2.0, 3.0, 4.0),
        BAD,
    ),
    Different(
        "json",
        "no_signature",
        "surrogate_beside_nan",
        raw('{"inputs": [NaN, "\\ud800"]}'),
        ACCEPTED,
        BAD,
    ),
    of_doubles(
        "json",
        "key_twice",
        raw('{"inputs": [{"a": 1, "b": 2, "c": 3, "d": 4, "a": 5}]}'),
        doubles(5.0, 2.0, 3.0, 4.0),
        BAD,
    ),
    of_doubles("json", "5000_digits", raw('{"inputs": [' + "1" * 5000 + "]}"), CRASH, BAD),
    Different("json", "no_signature", "5000_digits", raw("[" + "1" * 5000 + "]"), CRASH, BAD),
    Different("json", "no_signature", "3000_levels", raw(DEEP), CRASH, BAD),
    Different("json", "no_signature", "surrogate", raw('{"inputs": ["\\ud800"]}'), ACCEPTED, BAD),
    Different(
        "json",
        "no_signature",
        "surrogate_bytes",
        Request(b'{"inputs": ["\xed\xa0\x80"]}'),
        ACCEPTED,
        BAD,
    ),
]

MEDIA_TYPES = [
    *(
        of_doubles("media_types", what, typed(content_type), Answer(415), ROW)
        for what, content_type in (
            ("upper_case", "Application/JSON"),
            ("quoted_charset", 'application/json; charset="utf-8"'),
            ("utf8", "application/json; charset=utf8"),
            ("ascii", "application/json; charset=us-ascii"),
            ("upper_case_charset", "application/json; Charset=utf-8"),
            ("last_semicolon", "application/json;"),
            ("unknown_parameter", "application/json; format=pandas-split"),
            ("form", "application/x-www-form-urlencoded"),
            ("text", "text/plain"),
            ("text_charset", "text/plain; charset=utf-8"),
        )
    ),
    of_doubles("media_types", "absent", typed(None), CRASH, ROW),
    of_doubles("media_types", "empty", typed(""), Answer(415), ROW),
    *(
        of_doubles(
            "media_types",
            f"csv_{what}",
            csv("a,b,c,d", "1,2,3,4")._replace(content_type=content_type),
            mlflow,
            doubles(1.0, 2.0, 3.0, 4.0),
        )
        for what, content_type, mlflow in (
            ("absent", None, CRASH),
            ("form", "application/x-www-form-urlencoded", Answer(415)),
            ("header", f"{CSV}; header=present", Answer(415)),
        )
    ),
    *(
        of_doubles(
            "media_types",
            f"parquet_{what}",
            parquet({"a": [1.0], "b": [2.0], "c": [3.0], "d": [4.0]})._replace(
                content_type=content_type
            ),
            mlflow,
            doubles(1.0, 2.0, 3.0, 4.0),
        )
        for what, content_type, mlflow in (
            ("absent", None, CRASH),
            ("upper_case", PARQUET.upper(), Answer(415)),
        )
    ),
]

COMPRESSION = [
    of_doubles("compression", "gzip", gzipped(inputs([ABCD])), BAD, ROW),
    of_doubles(
        "compression",
        "gzip_csv",
        gzipped(csv("a,b,c,d", "1,2,3,4")),
        BAD,
        doubles(1.0, 2.0, 3.0, 4.0),
    ),
    of_doubles("compression", "brotli", inputs([ABCD])._replace(encoding="br"), ROW, Answer(415)),
]

OUTPUTS = [
    returned(
        "nan_outputs",
        "nan",
        predicted(["NaN", "Infinity", "-Infinity", 1.0]),
        [None, None, None, 1.0],
    ),
    returned("nan_outputs", "nan_list", predicted(["NaN", {"x": "Infinity"}]), [None, {"x": None}]),
    # MLflow writes the missing text of pandas 3 as NaN, that of pandas 2 as null.
    returned("nan_outputs", "frame_nan", ACCEPTED, [{"a": 1.0, "b": "x"}, {"a": None, "b": None}]),
    returned(
        "nan_outputs",
        "nat",
        predicted([{"t": "2024-01-02T00:00:00"}, {"t": "NaT"}]),
        [{"t": "2024-01-02T00:00:00"}, {"t": None}],
    ),
    returned(
        "output_types",
        "datetime64",
        predicted([1704164645000000000, None]),
        ["2024-01-02T03:04:05", None],
    ),
    returned("output_types", "bytes", predicted(["YWJj\n"]), ["YWJj"]),
    returned(
        "output_types",
        "long_bytes",
        predicted(f"{'eHh4' * 19}\n{'eHh4' * 14}eA==\n"),
        f"{'eHh4' * 33}eA==",
    ),
    returned("output_types", "twice", predicted([{"a": 2, "b": 3}]), [{"a": 1, "a.1": 2, "b": 3}]),
    returned("output_types", "timedelta", CRASH, ["P1DT0H0M2S", "P0DT0H0M1S", "P0DT0H0M3S"]),
    returned("output_types", "timedelta64", CRASH, ["P0DT0H0M1S", "P0DT0H0M2S"]),
    returned("output_types", "decimal", CRASH, [1.1, None]),
    returned("output_types", "set", CRASH, [1]),
    returned("output_types", "na", CRASH, [None, None]),
    returned("output_types", "sparse", CRASH, [[1, 0], [0, 2]]),
    returned("output_types", "nested_frame", CRASH, {"f": [{"a": 1}], "s": [1, 2]}),
    returned("output_types", "numpy_keys", CRASH, {"7": 1}),
    returned("output_types", "multi_index", CRASH, [{"a_b": 1}]),
    returned("output_types", "generator", CRASH, [0, 1, 2]),
]

MODEL_ERRORS = [
    raised("value"),
    raised("memory"),
]

HTTP = [
    of_doubles("http", "head_ping", Request(method="HEAD", path="/ping"), Answer(405), ACCEPTED),
    of_doubles(
        "http", "head_health", Request(method="HEAD", path="/health"), Answer(405), ACCEPTED
    ),
    of_doubles(
        "http", "health", Request(method="GET", path="/health"), Answer(200, "\n"), ACCEPTED
    ),
    of_doubles(
        "answer_formats",
        "unknown_parameter",
        inputs([ABCD])._replace(path="/invocations?fromat=csv"),
        ROW,
        Answer(400),
    ),
    of_doubles(
        "answer_formats",
        "no_table",
        inputs([ABCD])._replace(path="/invocations?format=csv"),
        ROW,
        Answer(406),
    ),
    of_doubles("http", "slash", inputs([ABCD])._replace(path="/invocations/"), Answer(307), ROW),
    of_doubles(
        "http", "ping_slash", Request(method="GET", path="/ping/"), Answer(307), Answer(200, "\n")
    ),
    of_doubles(
        "bounds",
        "large_header",
        inputs([ABCD])._replace(encoding="a" * 65_536),
        ACCEPTED,
        Answer(431),
    ),
    of_doubles("http", "page", Request(method="GET", path="/"), Answer(404), ACCEPTED),
    of_doubles(
        "error_bodies",
        "unknown_path",
        Request(method="GET", path="/nowhere"),
        Answer(404, {"detail": "Not Found"}),
        Answer(404),
    ),
    of_doubles(
        "error_bodies",
        "get_invocations",
        Request(method="GET"),
        Answer(405, {"detail": "Method Not Allowed"}),
        Answer(405),
    ),
    of_doubles(
        "error_bodies",
        "charset",
        typed(f"{JSON}; charset=latin-1"),
        Answer(415, "The scoring server only supports UTF-8"),
        Answer(415),
    ),
    of_doubles(
        "error_bodies",
        "word",
        raw("SECRET"),
        Answer(
            400,
            {
                "error_code": "BAD_REQUEST",
                "message": "Invalid input. Ensure that input is a valid JSON formatted string. "
                "Error: 'JSONDecodeError('Expecting value: line 1 column 1 (char 0)')'\n"
                "Input: \nb'SECRET'\n",
                "sqlstate": "KAM00",
                "error_class": "INVALID_PARAMETER_VALUE",
            },
        ),
        BAD,
    ),
]

LISTS = [
    ["object", "[float 0.5, float 1.5]"],
    ["object", "{age: int 30, name: str 'Ann'}"],
    ["object", "{x: int 1, y: int 2}"],
    ["object", "{free: [str 'form', int 1, missing]}"],
    ["object", "[{x: float 0.5}, {x: float 1.5}]"],
]

ARRAYS = [
    [dtype, cell.replace("[float", "array[float").replace("[{", "array[{")] for dtype, cell in LISTS
]

NESTED_ROWS = [
    Different(
        "nested_lists", "nested", "inputs", inputs(NESTED), described(*ARRAYS), described(*LISTS)
    ),
    Different(
        "nested_lists",
        "nested",
        "inputs_records",
        inputs([NESTED]),
        described(*ARRAYS),
        described(*LISTS),
    ),
    Different(
        "nested_lists",
        "array_only",
        "inputs_one_row",
        inputs({"numbers": [0.5, 1.5]}),
        numbers("array[float 0.5, float 1.5]"),
        numbers("[float 0.5, float 1.5]"),
    ),
    Different(
        "nested_lists",
        "array_only",
        "inputs_records",
        inputs([{"numbers": [0.5, 1.5]}, {"numbers": [0.5]}]),
        numbers("array[float 0.5, float 1.5]", "array[float 0.5]"),
        numbers("[float 0.5, float 1.5]", "[float 0.5]"),
    ),
    Different(
        "nested_lists",
        "any_only",
        "parquet",
        parquet({"anything": [[0.5]]}),
        frame(anything=["object", "array[float 0.5]"]),
        frame(anything=["object", "[float 0.5]"]),
    ),
    Different(
        "nested_lists",
        "array_only",
        "parquet",
        parquet({"numbers": [[0.5], [1.5, 2.5]]}),
        numbers("array[float 0.5]", "array[float 1.5, float 2.5]"),
        numbers("[float 0.5]", "[float 1.5, float 2.5]"),
    ),
    *(
        Different("nested_forms", "array_only", what, request, BAD, numbers(*cells))
        for what, request, cells in (
            ("integers", records({"numbers": [1, 2]}), ["[float 1.0, float 2.0]"]),
            ("inputs_integers", inputs([{"numbers": [1, 2]}]), ["[float 1.0, float 2.0]"]),
            ("inputs_bare", inputs([[0.5], [1.5]]), ["[float 0.5]", "[float 1.5]"]),
            ("instances", instances([{"numbers": [0.5]}]), ["[float 0.5]"]),
            ("instances_bare", instances([[0.5]]), ["[float 0.5]"]),
        )
    ),
    *(
        Different(
            "nested_forms",
            "map_only",
            what,
            request,
            BAD,
            frame(names=["object", "{a: str 'x'}"]),
        )
        for what, request in (
            ("inputs_columns", inputs({"names": [{"a": "x"}]})),
            ("inputs_one_row", inputs({"names": {"a": "x"}})),
        )
    ),
    Different("nested_forms", "nested", "instances", instances([NESTED]), BAD, described(*LISTS)),
    Different(
        "nested_forms",
        "nested",
        "integers",
        nested(numbers=[1, 2]),
        BAD,
        described(["object", "[float 1.0, float 2.0]"], *LISTS[1:]),
    ),
    Different(
        "nested_forms",
        "nested",
        "whole_floats",
        nested(counts={"x": 1.0, "y": 2.0}, person={"name": "Ann", "age": 30.0}),
        BAD,
        described(*LISTS),
    ),
    Different("nested_forms", "with_params", "whole_float", params(count=5.0), BAD, ACCEPTED),
    Different(
        "nested_forms", "with_params", "nested_float", params(nested={"x": 1.0}), BAD, ACCEPTED
    ),
    # MLflow makes one row of a list of texts.
    Different(
        "nested_forms",
        "any_only",
        "inputs_texts",
        inputs(["a", "b"]),
        frame(anything=["object", "[str 'a', str 'b']"]),
        frame(anything=[TEXT, "str 'a'", "str 'b'"]),
    ),
]

NAME_FORMS = [
    *(
        Different(
            "name_forms",
            "integer_names",
            what,
            request,
            BAD,
            frame(**{"0": ["int64", "int 5"], "1": ["int64", "int 6"]}),
        )
        for what, request in (
            ("records", records({"0": 5, "1": 6})),
            ("split", split(["0", "1"], [5, 6])),
            ("inputs", inputs({"0": [5], "1": [6]})),
            ("csv", csv("0,1", "5,6")),
        )
    ),
    *(
        Different(
            "name_forms",
            "unnamed",
            what,
            request,
            BAD,
            frame(x=["float64", "float 1.0"], y=["float64", "float 2.0"]),
        )
        for what, request in (
            ("inputs_columns", inputs({"x": [1], "y": [2]})),
            ("inputs_records", inputs([{"x": 1, "y": 2}])),
            ("instances", instances([{"x": 1, "y": 2}])),
        )
    ),
    *(
        Different(
            "name_forms",
            "unnamed_mixed",
            what,
            request,
            BAD,
            frame(**{"0": ["int64", "int 1"], "1": [TEXT, "str 'a'"]}),
        )
        for what, request in (
            ("inputs", inputs([[1, "a"]])),
            ("instances", instances([[1, "a"]])),
        )
    ),
]

ABSENT_COLUMNS = [
    Different("absent_columns", "imputed", what, request, BAD, ACCEPTED)
    for what, request in (
        ("split", split("a c", [1.5, "x"])),
        ("records", records({"a": 1.5})),
        ("inputs", inputs({"a": [1.5], "b": [2.5]})),
        ("instances", instances([{"a": 1.5}])),
        ("csv", csv("a,b", "1.5,2.5")),
        ("parquet", parquet({"a": [1.5]})),
    )
]

CONVERSATIONS = [
    Different("conversations", model, what, request, ACCEPTED, BAD)
    for model in ("chat", "chat_agent")
    for what, request in (
        ("records", records({"messages": HELLO}, {"messages": HELLO})),
        ("split", split(["messages"], [HELLO], [HELLO])),
    )
]

DIFFERENT = [
    *CONVERSATIONS,
    *ROW_LABELS,
    *LOSSY_NUMBERS,
    *LOSSLESS_TYPES,
    *BOOLEANS,
    *NULLS,
    *MISSING_TEXTS,
    *SPELLINGS,
    *TEXTS,
    *TEXT_DTYPE,
    *CSV_WORDS,
    *BINARY,
    *DATES,
    *DATE_TEXTS,
    *DATE_NUMBERS,
    *OPTIONAL_NULLS,
    *CSV_SHAPE,
    *CSV_DIALECTS,
    *RAGGED_ROWS,
    *SPLIT_PARTS,
    *EMPTY_TABLES,
    *ABSENT_COLUMNS,
    *UNKNOWN_COLUMNS,
    *ROW_NAMES,
    *UNNAMED_ROWS,
    *UNKNOWN_PARAMS,
    *STRICT_JSON,
    *MEDIA_TYPES,
    *COMPRESSION,
    *OUTPUTS,
    *MODEL_ERRORS,
    *HTTP,
    *NESTED_ROWS,
    *NAME_FORMS,
]


def ask(client: TestClient, request: Request) -> Any:
    headers = {"Content-Type": request.content_type, "Content-Encoding": request.encoding}
    return client.request(
        request.method,
        request.path,
        content=request.body,
        headers={name: value for name, value in headers.items() if value is not None},
        follow_redirects=False,
    )


def read(response: Any) -> Any:
    """The JSON of the body, or its text. NaN and infinities, which are not JSON, become texts."""
    # A chat completion says when it was made.
    content = re.sub(r'"created": ?\d+', '"created": 0', response.text)
    try:
        return json.loads(content, parse_constant=str)
    except ValueError:
        return content


def outcome(response: Any, like: Answer) -> Answer:
    return Answer(response.status_code, None if like.body is None else read(response))


def check_error(response: Any) -> None:
    """Our errors have one shape, no trace, and nothing of the data."""
    error = response.json()
    assert [(key, type(value)) for key, value in error.items()] == [
        ("error_code", str),
        ("message", str),
        ("details", list),
        ("request_id", str),
    ]
    assert "SECRET" not in response.text
    assert "Traceback" not in response.text


@pytest.mark.parametrize("row", SAME, ids=lambda row: f"{row.model}-{row.what}")
def test_same_answer(row: Same, client: Clients, mlflow_client: Clients) -> None:
    with unmeasured():
        theirs = ask(mlflow_client(row.model), row.request)
    ours = ask(client(row.model), row.request)
    assert (theirs.status_code, ours.status_code) == (row.status, row.status)
    if row.status == 200:
        assert read(ours) == read(theirs)
    else:
        check_error(ours)


@pytest.mark.filterwarnings("ignore:overflow encountered in cast:RuntimeWarning")
@pytest.mark.parametrize("row", DIFFERENT, ids=lambda row: f"{row.key}-{row.model}-{row.what}")
def test_difference(row: Different, client: Clients, mlflow_client: Clients) -> None:
    with unmeasured():
        theirs = ask(mlflow_client(row.model), row.request)
    ours = ask(client(row.model), row.request)
    assert outcome(theirs, row.mlflow) == row.mlflow
    assert outcome(ours, row.here) == row.here
    if row.here.status >= 400:
        check_error(ours)


def test_each_difference_has_a_request() -> None:
    assert {row.key for row in DIFFERENT} == DIFFERENCES.keys()


@pytest.mark.parametrize("key", DIFFERENCES)
def test_differences_fit_into_a_table(key: str) -> None:
    cells = DIFFERENCES[key]
    assert [cell for cell in cells if len(cell) > 100 or "|" in cell] == []


def test_rows_have_names_of_their_own() -> None:
    names = Counter((row.model, row.what) for row in SAME)
    names.update((row.key, f"{row.model}-{row.what}") for row in DIFFERENT)
    assert [name for name, times in names.items() if times > 1] == []
