"""Requests that both servers answer alike: one row each, by model of `tests/support/zoo.py`."""

import gzip
import io
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from tests.support.outputs import OUTPUTS

JSON = "application/json"
CSV = "text/csv"
PARQUET = "application/vnd.apache.parquet"
NDJSON = "application/x-ndjson"
ARROW = "application/vnd.apache.arrow.stream"


class Request(NamedTuple):
    """One HTTP request."""

    body: bytes = b""
    content_type: str | None = JSON
    method: str = "POST"
    path: str = "/invocations"
    encoding: str | None = None


class Same(NamedTuple):
    """A request that both servers answer with `status`, and with the same body if that is 200."""

    model: str
    what: str
    status: int
    request: Request


def raw(text: str, content_type: str | None = JSON) -> Request:
    return Request(text.encode(), content_type)


def body(value: Any) -> Request:
    return raw(json.dumps(value))


def split(columns: Any, *rows: Any, **more: Any) -> Request:
    """`dataframe_split`; `columns` are words in one text, or any list."""
    names = columns.split() if isinstance(columns, str) else list(columns)
    return body({"dataframe_split": {"columns": names, "data": list(rows)}, **more})


def rows(*data: Any) -> Request:
    """`dataframe_split` without names."""
    return body({"dataframe_split": {"data": list(data)}})


def records(*data: Any) -> Request:
    return body({"dataframe_records": list(data)})


def inputs(value: Any, **more: Any) -> Request:
    return body({"inputs": value, **more})


def instances(value: Any, **more: Any) -> Request:
    return body({"instances": value, **more})


def csv(*lines: str) -> Request:
    return raw("".join(f"{line}\n" for line in lines), CSV)


def ndjson(*data: Any) -> Request:
    return raw("".join(f"{json.dumps(record)}\n" for record in data), NDJSON)


def arrow(table: pa.Table) -> Request:
    stream = io.BytesIO()
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    return Request(stream.getvalue(), ARROW)


def parquet(columns: Any, index: Any = None, in_96_bits: bool = False) -> Request:
    """`in_96_bits`: times as Spark and Impala write them."""
    file = io.BytesIO()
    frame = pd.DataFrame(columns, index=index)
    frame.to_parquet(file, use_deprecated_int96_timestamps=in_96_bits)
    return Request(file.getvalue(), PARQUET)


def gzipped(request: Request) -> Request:
    return request._replace(body=gzip.compress(request.body), encoding="gzip")


def params(**given: Any) -> Request:
    return split("a", [1.0], params=given)


def each(
    model: str, prefix: str, status: int, make: Callable[[Any], Request], values: dict[str, Any]
) -> list[Same]:
    """A row for each of the values, by its label."""
    return [Same(model, f"{prefix}_{label}", status, make(v)) for label, v in values.items()]


ABCD = {"a": 1.5, "b": 2, "c": -0.0, "d": 1e300}

WHOLE = {
    "boolean": True,
    "integer": -2147483648,
    "long": 9007199254740993,
    "float": 0.1,
    "double": 0.1,
    "string": "ü\U0001f377",
    "binary": "AP+A",
    "datetime": "2024-01-02T03:04:05.123456789",
}

TEXTS = {
    "boolean": 0,
    "integer": "12",
    "long": "-13",
    "float": "0.5",
    "double": "1e3",
    "string": "007",
    "binary": "",
    "datetime": "2024-01-02",
}

OPTIONAL = {"id": 1, "boolean": True, "integer": 2, "long": 3, "float": 0.5, "double": 0.25}

NESTED = {
    "numbers": [0.5, 1.5],
    "person": {"name": "Ann", "age": 30},
    "counts": {"x": 1, "y": 2},
    "anything": {"free": ["form", 1, None]},
    "points": [{"x": 0.5}, {"x": 1.5}],
}

UNPLACED = {key: value for key, value in NESTED.items() if key != "points"}

WINE = {
    "alcohol": 14.23,
    "malic_acid": 1.71,
    "flavanoids": 3.06,
    "magnesium": 127,
    "proline": 1065,
    "color": "deep",
    "alkaline_ash": False,
}

MOMENT = np.datetime64("2024-01-02T03:04:05", "ns")

HELLO = [{"role": "user", "content": "hello"}]


def nested(**changes: Any) -> Request:
    return records(NESTED | changes)


ENVELOPE = [
    Same("doubles", "body_empty", 400, raw("")),
    Same("doubles", "body_blank", 400, raw("  \n")),
    Same("doubles", "body_cut_off", 400, raw('{"inputs": [[1, 2')),
    Same("doubles", "body_twice", 400, raw('{"inputs": [[1]]} {"inputs": [[1]]}')),
    Same("doubles", "body_single_quotes", 400, raw("{'inputs': [[1]]}")),
    Same("doubles", "body_trailing_comma", 400, raw('{"inputs": [[1],]}')),
    Same("doubles", "body_array", 400, body([[1, 2, 3, 4]])),
    Same("doubles", "body_text", 400, body("inputs")),
    Same("doubles", "body_number", 400, body(5)),
    Same("doubles", "body_null", 400, body(None)),
    Same("doubles", "body_true", 400, body(True)),
    Same("doubles", "body_empty_object", 400, body({})),
    Same("doubles", "body_no_form", 400, body({"data": [[1, 2, 3, 4]]})),
    Same("doubles", "body_split_unwrapped", 400, body({"columns": ["a"], "data": [[1]]})),
    Same("doubles", "form_misspelt", 400, body({"dataframe_record": [ABCD]})),
    Same("doubles", "form_wrong_case", 400, body({"Inputs": [ABCD]})),
    Same("doubles", "forms_two", 400, body({"inputs": [ABCD], "instances": [ABCD]})),
    Same("doubles", "form_and_unknown_keys", 200, inputs([ABCD], signature_name="x", stream=True)),
    Same("doubles", "latin_1", 400, Request('{"inputs": [{"ä": 1}]}'.encode("latin-1"))),
    Same("doubles", "utf_16", 200, Request(inputs([ABCD]).body.decode().encode("utf-16"))),
    Same("doubles", "utf_32", 200, Request(inputs([ABCD]).body.decode().encode("utf-32"))),
    Same("doubles", "utf_8_mark", 200, Request(b"\xef\xbb\xbf" + inputs([ABCD]).body)),
    Same("doubles", "escaped_names", 200, raw('{"inputs": [{"\\u0061":1,"b":2,"c":3,"d":4}]}')),
    Same("doubles", "control_character", 400, raw('{"inputs": [{"a\n": 1}]}')),
    Same("doubles", "leading_zero", 400, raw('{"inputs": [{"a": 01}]}')),
    Same("doubles", "hexadecimal", 400, raw('{"inputs": [{"a": 0x1}]}')),
    Same("doubles", "integer_of_400_digits", 400, raw('{"inputs": [{"a": ' + "1" * 400 + "}]}")),
    Same("doubles", "misspelt_params", 200, inputs([ABCD], parms={"x": 1})),
    Same("doubles", "params_null", 200, inputs([ABCD], params=None)),
    Same("doubles", "params_empty", 200, inputs([ABCD], params={})),
    Same("no_signature", "nested_40_deep", 200, raw('{"inputs": ' + "[" * 40 + "]" * 40 + "}")),
    Same("no_signature", "nested_65_deep", 400, raw('{"inputs": ' + "[" * 65 + "]" * 65 + "}")),
]

SHAPES = [
    Same("doubles", "split", 200, split("a b c d", [1, 2, 3, 4], [0.5, 1.5, 2.5, 3.5])),
    Same("doubles", "split_reordered", 200, split("d c b a", [1, 2, 3, 4])),
    Same(
        "doubles",
        "split_index",
        200,
        body(
            {
                "dataframe_split": {
                    "columns": ["a", "b", "c", "d"],
                    "index": ["x", "y"],
                    "data": [[1, 2, 3, 4]] * 2,
                }
            }
        ),
    ),
    Same(
        "doubles",
        "split_index_numbers",
        200,
        body(
            {
                "dataframe_split": {
                    "columns": ["a", "b", "c", "d"],
                    "index": [7, 5],
                    "data": [[1, 2, 3, 4]] * 2,
                }
            }
        ),
    ),
    Same(
        "doubles",
        "split_index_short",
        400,
        body(
            {
                "dataframe_split": {
                    "columns": ["a", "b", "c", "d"],
                    "index": [7],
                    "data": [[1, 2, 3, 4]] * 2,
                }
            }
        ),
    ),
    Same("doubles", "split_long_row", 400, split("a b c d", [1, 2, 3, 4, 5])),
    Same("doubles", "split_missing_column", 400, split("a b c", [1, 2, 3])),
    Same("doubles", "split_misspelt_column", 400, split("a b c e", [1, 2, 3, 4])),
    Same("doubles", "split_upper_case", 400, split("A B C D", [1, 2, 3, 4])),
    Same("doubles", "split_without_names", 400, rows([1, 2, 3, 4])),
    Same("doubles", "split_without_data", 400, body({"dataframe_split": {"columns": ["a"]}})),
    Same(
        "doubles",
        "split_unknown_key",
        400,
        body(
            {
                "dataframe_split": {
                    "columns": ["a", "b", "c", "d"],
                    "data": [[1, 2, 3, 4]],
                    "dtypes": [],
                }
            }
        ),
    ),
    Same("doubles", "split_array", 400, body({"dataframe_split": [[1, 2, 3, 4]]})),
    Same("doubles", "split_text", 400, body({"dataframe_split": "abcd"})),
    Same("doubles", "split_null", 400, body({"dataframe_split": None})),
    Same(
        "doubles",
        "split_data_text",
        400,
        body({"dataframe_split": {"columns": ["a", "b", "c", "d"], "data": "1234"}}),
    ),
    Same(
        "doubles",
        "split_data_object",
        400,
        body({"dataframe_split": {"columns": ["a", "b", "c", "d"], "data": {"a": 1}}}),
    ),
    Same(
        "doubles",
        "split_columns_text",
        400,
        body({"dataframe_split": {"columns": "abcd", "data": [[1, 2, 3, 4]]}}),
    ),
    Same("doubles", "split_flat_data", 400, split("a b c d", 1, 2, 3, 4)),
    Same("doubles", "records", 200, records(ABCD, ABCD)),
    Same("doubles", "records_reordered", 200, records({"d": 4, "b": 2, "a": 1, "c": 3})),
    Same("doubles", "records_orders_differ", 200, records(ABCD, dict(reversed(ABCD.items())))),
    Same("doubles", "records_key_absent_once", 200, records(ABCD, {"a": 1, "b": 2, "c": 3})),
    Same("doubles", "records_key_absent_first", 200, records({"a": 1, "b": 2, "c": 3}, ABCD)),
    Same("doubles", "records_missing_column", 400, records({"a": 1, "b": 2, "c": 3})),
    Same("doubles", "records_object", 400, body({"dataframe_records": ABCD})),
    Same("doubles", "records_number", 400, body({"dataframe_records": 5})),
    Same("doubles", "records_null", 400, body({"dataframe_records": None})),
    Same("doubles", "records_of_arrays", 400, records([1, 2, 3, 4])),
    Same("doubles", "records_of_numbers", 400, records(1, 2)),
    Same("doubles", "records_mixed", 400, records(ABCD, 5)),
    Same("doubles", "inputs_columns", 200, inputs({name: [1, 2.5] for name in "abcd"})),
    Same("doubles", "inputs_columns_reordered", 200, inputs({name: [1, 2] for name in "dcba"})),
    Same(
        "doubles", "inputs_columns_ragged", 400, inputs({"a": [1, 2], "b": [1], "c": [1], "d": [1]})
    ),
    Same("doubles", "inputs_one_row", 200, inputs(ABCD)),
    Same(
        "doubles", "inputs_scalar_repeated", 200, inputs({"a": [1, 2], "b": 5, "c": 6, "d": [3, 4]})
    ),
    Same("doubles", "inputs_records", 200, inputs([ABCD, ABCD])),
    Same("doubles", "inputs_record_short", 200, inputs([ABCD, {"a": 1, "b": 2, "c": 3}])),
    Same("doubles", "inputs_rows", 400, inputs([[1, 2, 3, 4]])),
    Same("doubles", "inputs_flat", 400, inputs([1, 2, 3, 4])),
    Same("doubles", "inputs_number", 400, inputs(5)),
    Same("doubles", "inputs_null", 400, inputs(None)),
    Same("doubles", "inputs_text", 400, inputs("abcd")),
    Same("doubles", "inputs_missing_column", 400, inputs({"a": [1], "b": [1], "c": [1]})),
    Same("doubles", "inputs_empty_object", 400, inputs({})),
    Same("doubles", "instances_records", 200, instances([ABCD, ABCD])),
    Same("doubles", "instances_columns", 200, instances({name: [1, 2] for name in "abcd"})),
    Same("doubles", "instances_short_column", 400, instances([ABCD, {"a": 1, "b": 2, "c": 3}])),
    Same("doubles", "instances_missing_column", 400, instances([{"a": 1}])),
    Same("doubles", "instances_rows", 400, instances([[1, 2, 3, 4]])),
    Same("doubles", "instances_null", 400, instances(None)),
    Same("one_long", "split_flat", 200, split("n", 1, 2)),
    Same("one_long", "inputs_flat", 200, inputs([1, 2])),
    Same("one_long", "inputs_column", 400, inputs([[1], [2]])),
    Same("one_long", "instances_flat", 200, instances([1, 2])),
    Same("one_long", "instances_column", 400, instances([[1], [2]])),
    Same("one_long", "inputs_scalar", 400, inputs(5)),
    Same("one_long", "inputs_scalar_by_name", 200, inputs({"n": 5})),
    Same("one_string", "inputs_texts", 200, inputs(["a", "b"])),
    Same("one_string", "inputs_by_name", 200, inputs({"text": ["a", "b"]})),
    Same("one_string", "inputs_text_by_name", 200, inputs({"text": "a"})),
    Same("one_string", "inputs_bare_text", 400, inputs("a")),
    Same("integer_names", "split", 200, split([0, 1], [1, 2])),
    Same("integer_names", "split_reordered", 200, split([1, 0], [1, 2])),
    Same("integer_names", "split_without_names", 200, rows([1, 2])),
    Same("integer_names", "inputs_rows", 200, inputs([[1, 2], [3, 4]])),
    Same("integer_names", "instances_rows", 200, instances([[1, 2], [3, 4]])),
    Same("integer_names", "split_missing", 400, split([0], [1])),
    Same("unnamed", "split_without_names", 200, rows([1, 2.5])),
    Same("unnamed", "split_names", 200, split(["x", "y"], [1, 2.5])),
    Same("unnamed", "split_too_few", 400, rows([1])),
    Same("unnamed", "records", 200, records({"x": 1, "y": 2})),
    Same("unnamed", "inputs_rows", 200, inputs([[1, 2], [3, 4.5]])),
    Same("unnamed", "instances_rows", 200, instances([[1, 2], [3, 4.5]])),
    Same("unnamed", "inputs_too_few", 400, inputs([[1], [2]])),
    Same("unnamed", "inputs_scalar", 400, inputs(5)),
    Same("unnamed", "csv", 200, csv("x,y", "1,2.5")),
    Same("unnamed", "csv_text", 400, csv("x,y", "1,SECRET")),
    Same("unnamed", "parquet", 200, parquet({"x": [1.0], "y": [2.5]})),
    Same("unnamed_mixed", "split_without_names", 200, rows([1, "a"])),
    Same("unnamed_mixed", "records", 200, records({"x": 1, "y": "a"})),
    Same("unnamed_mixed", "csv", 200, csv("x,y", "1,a")),
    Same("two_longs", "inputs_columns", 200, inputs({"a": [1, 2], "b": [3, 4]})),
    Same("two_longs", "inputs_one_row", 200, inputs({"a": 1, "b": 2})),
    Same("two_longs", "inputs_rows", 400, inputs([[1, 2]])),
    Same("doubles", "split_name_twice", 400, split("a b c d a", [1, 2, 3, 4, 5])),
    Same("doubles", "split_short_first_row", 400, split("a b c d", [1, 2, 3])),
    Same("doubles", "records_empty", 400, records()),
    Same("doubles", "inputs_empty", 400, inputs([])),
    Same("doubles", "instances_empty", 400, instances([])),
    Same("unnamed", "split_name_twice", 400, split("a a", [1, 2])),
    Same("unnamed", "records_too_few", 400, records({"x": 1})),
    Same("unnamed", "inputs_flat", 400, inputs([1, 2])),
    Same("unnamed", "inputs_null", 200, inputs([[1, None]])),
    Same("unnamed", "csv_too_few", 400, csv("x", "1")),
]

CELLS = [
    Same("all_types", "records_whole", 200, records(WHOLE)),
    Same("all_types", "records_texts", 200, records(TEXTS)),
    Same("all_types", "split_whole", 200, split(WHOLE, list(WHOLE.values()))),
    Same("all_types", "split_texts", 200, split(TEXTS, list(TEXTS.values()))),
    *(
        Same("all_types", f"{name}_is_an_object", 400, records(WHOLE | {name: {"x": "SECRET"}}))
        for name in WHOLE
        if name not in ("boolean", "string")
    ),
    *(
        Same("all_types", f"{name}_is_an_array", 400, records(WHOLE | {name: ["SECRET"]}))
        for name in WHOLE
        if name not in ("boolean", "string")
    ),
    *each(
        "doubles",
        "cell",
        200,
        lambda v: records(ABCD | {"a": v}),
        {
            "null": None,
            "true": True,
            "text": "0.5",
            "text_nan": "nan",
            "text_inf": "inf",
            "text_minus_infinity": "-Infinity",
            "text_exponent": "1E-5",
            "text_spaces": " 0.5 ",
            "tiny": 5e-324,
            "underflow": 1e-400,
            "zero": 0,
            "digits": 0.1234567890123456789,
            "big_integer": 10**18 + 1,
            "text_plus": "+1",
        },
    ),
    Same("doubles", "cell_huge_integer", 200, records(ABCD | {"a": 10**30})),
    *each(
        "doubles",
        "cell",
        400,
        lambda v: records(ABCD | {"a": v}),
        {
            "word": "SECRET",
            "empty_text": "",
            "date": "2024-01-02",
            "comma": "1,5",
            "hexadecimal": "0x10",
            "array": [1],
            "object": {"x": 1},
            "empty_array": [],
            "gigantic_integer": 10**400,
        },
    ),
    *each(
        "doubles",
        "cell_inputs",
        200,
        lambda v: inputs([ABCD | {"a": v}]),
        {"null": None, "true": True, "text": "0.5", "text_nan": "nan"},
    ),
    *each(
        "doubles",
        "cell_inputs",
        400,
        lambda v: inputs([ABCD | {"a": v}]),
        {"word": "SECRET", "array": [1], "object": {"x": 1}},
    ),
    Same("doubles", "column_of_nulls", 200, split("a b c d", [None, 1, 2, 3], [None, 1, 2, 3])),
    Same(
        "doubles",
        "column_mixed",
        200,
        split("a b c d", [None, 1, 2, 3], ["0.5", 1, 2, 3], [True, 1, 2, 3]),
    ),
    *each(
        "one_long",
        "cell",
        200,
        lambda v: split("n", [v]),
        {
            "integer": 5,
            "negative": -5,
            "float": 3.0,
            "true": True,
            "text": "12",
            "text_negative": "-12",
            "text_spaces": " 12 ",
            "text_plus": "+1",
            "largest": 2**63 - 1,
            "smallest": -(2**63),
            "exponent": 1e3,
            "beyond_double": 2**53 + 1,
        },
    ),
    *each(
        "one_long",
        "cell",
        400,
        lambda v: split("n", [v]),
        {
            "null": None,
            "word": "SECRET",
            "empty_text": "",
            "array": [1],
            "object": {"x": 1},
            "text_fraction": "1.5",
            "date": "2024-01-02",
            "text_too_large": str(2**63),
        },
    ),
    Same("one_long", "column_with_null", 400, split("n", [1], [None])),
    Same("one_long", "column_mixed", 200, split("n", [1], ["2"], [3.0], [True])),
    *each(
        "one_long",
        "inputs",
        200,
        lambda v: inputs([v]),
        {"float": 3.0, "true": True, "text": "12", "largest": 2**63 - 1},
    ),
    *each(
        "one_long",
        "inputs",
        400,
        lambda v: inputs([v]),
        {"null": None, "word": "SECRET", "text_fraction": "1.5", "too_large": 2**63},
    ),
    *each(
        "one_boolean",
        "cell",
        200,
        lambda v: split("flag", [v]),
        {"true": True, "false": False, "one": 1, "zero": 0, "float": 1.0},
    ),
    Same("one_boolean", "inputs", 200, inputs([True, False])),
    Same("one_boolean", "inputs_numbers", 200, inputs([1, 0])),
    Same("one_boolean", "column_mixed", 200, split("flag", [True], [0], [1.0])),
    *each(
        "one_string",
        "cell",
        200,
        lambda v: split("text", [v]),
        {
            "text": "a",
            "empty": "",
            "null_word": "null",
            "number": "007",
            "spaces": " a ",
            "unicode": "日本\U0001f377",
            "quotes": '"\\\n\t',
            "long": "x" * 10_000,
            "zero": "\0",
            "na_word": "NA",
            "nan_word": "nan",
        },
    ),
    Same("one_string", "column_with_null", 200, split("text", ["a"], [None])),
    Same("one_string", "inputs_integer", 200, inputs([5])),
    Same("one_string", "inputs_integer_of_71_bits", 200, inputs([2**70])),
    Same("one_string", "inputs_date", 200, inputs(["2024-01-02"])),
    *each(
        "one_datetime",
        "cell",
        200,
        lambda v: split("when", [v]),
        {
            "date": "2024-01-02",
            "seconds": "2024-01-02T03:04:05",
            "blank": "2024-01-02 03:04:05",
            "millis": "2024-01-02T03:04:05.123",
            "micros": "2024-01-02T03:04:05.123456",
            "nanos": "2024-01-02T03:04:05.123456789",
            "minutes": "2024-01-02T03:04",
            "null": None,
            "empty": "",
            "nat": "NaT",
            "leap_day": "2024-02-29",
            "early": "1677-09-22",
            "late": "2262-04-11",
        },
    ),
    *each(
        "one_datetime",
        "cell",
        400,
        lambda v: split("when", [v]),
        {
            "word": "SECRET",
            "no_such_day": "2024-02-30",
            "no_such_month": "2024-13-01",
            "too_early": "1600-01-01",
            "too_late": "2300-01-01",
            "array": ["2024-01-02"],
            "object": {"x": 1},
            "true": True,
        },
    ),
    *each(
        "one_datetime",
        "inputs",
        200,
        lambda v: inputs([v]),
        {
            "date": "2024-01-02",
            "seconds": "2024-01-02T03:04:05",
            "null": None,
            "nanos": "2024-01-02T03:04:05.123456789",
        },
    ),
    *each(
        "one_datetime",
        "inputs",
        400,
        lambda v: inputs([v]),
        {"word": "SECRET", "no_such_day": "2024-02-30"},
    ),
    Same("one_datetime", "column", 200, split("when", ["2024-01-02"], ["2024-01-03"], [None])),
    *each(
        "one_binary",
        "cell",
        200,
        lambda v: split("data", [v]),
        {"base64": "AP+A", "empty": "", "padded": "YQ==", "lines": "YWJj\nYWJj\n"},
    ),
    *each(
        "one_binary",
        "cell",
        400,
        lambda v: split("data", [v]),
        {"null": None, "number": 5, "padding_missing": "YQ", "array": [1]},
    ),
    Same("one_binary", "parquet", 200, parquet({"data": [b"abc", b"\0\xff"]})),
    Same("all_optional", "only_required", 200, records({"id": 1})),
    Same("all_optional", "required_missing", 400, records({"long": 1})),
    Same("all_optional", "some", 200, records(OPTIONAL)),
    Same("all_optional", "inputs", 200, inputs([OPTIONAL])),
    Same("all_optional", "instances", 200, instances([OPTIONAL])),
    Same("all_optional", "inputs_columns", 200, inputs({"id": [1, 2], "double": [0.5, None]})),
    Same("all_optional", "largest_float", 200, records({"id": 1, "float": 3.4028235677973362e38})),
    Same("all_optional", "floats_null", 200, records({"id": 1, "float": None, "double": None})),
    Same("all_optional", "datetime_null", 200, records({"id": 1, "datetime": None})),
    Same("all_optional", "string_absent_once", 200, records({"id": 1, "string": "a"}, {"id": 2})),
    Same("all_optional", "double_absent_once", 200, records({"id": 1, "double": 0.5}, {"id": 2})),
    Same(
        "all_optional",
        "datetime_absent_once",
        200,
        records({"id": 1, "datetime": "2024-01-02"}, {"id": 2}),
    ),
    Same("all_optional", "id_null", 400, records({"id": None})),
    Same("all_optional", "bad_optional", 400, records({"id": 1, "double": "SECRET"})),
    Same("all_optional", "csv", 200, csv("id,double,long,boolean", "1,0.5,2,true")),
    Same("all_optional", "csv_empty_double", 200, csv("id,double", "1,", "2,0.5")),
    Same("all_optional", "csv_required_empty", 400, csv("id,double", ",0.5", "2,0.5")),
    Same("all_optional", "parquet", 200, parquet({"id": [1, 2], "double": [0.5, np.nan]})),
    *each(
        "one_long",
        "inputs_bad",
        400,
        lambda v: inputs([v]),
        {"above": 2**63, "below": -(2**63) - 1, "inf": "inf", "nan": "nan", "true_text": "true"},
    ),
    *each(
        "one_long",
        "cell_bad",
        400,
        lambda v: split("n", [v]),
        {"below": -(2**63) - 1, "inf": "inf", "nan": "nan", "true_text": "true"},
    ),
    *each(
        "all_optional",
        "integer_inputs",
        400,
        lambda v: inputs([OPTIONAL | {"integer": v}]),
        {"above": 2**31, "below": -(2**31) - 1, "word": "SECRET"},
    ),
    *each("one_binary", "cell_bad", 400, lambda v: split("data", [v]), {"url_safe": "_-8="}),
    *each(
        "one_datetime",
        "inputs",
        200,
        lambda v: inputs([v]),
        {"z": "2024-01-02T03:04:05Z", "offset": "2024-01-02T03:04:05+02:00"},
    ),
    Same("one_datetime", "inputs_precisions", 200, inputs(["2024-01-02", "2024-01-02T03:04:05.5"])),
    *each(
        "one_datetime",
        "cell_bad",
        400,
        lambda v: split("when", [v]),
        {
            "hour_24": "2024-01-02T24:00:00",
            "second_60": "2024-01-02T03:04:60",
            "week": "2024-W01-1",
            "after_2262": "2262-04-12",
            "digits": "1704164645000000000",
            "none": "None",
        },
    ),
    *each(
        "one_datetime",
        "inputs_bad",
        400,
        lambda v: inputs([v]),
        {
            "month_first": "02/29/2024",
            "day_first": "13/01/2024",
            "slashes": "2024/01/02",
            "blanks": " 2024-01-02 ",
            "fraction": 1.5,
        },
    ),
    Same("one_string", "inputs_text_and_integer", 200, inputs(["a", 5])),
    Same("all_optional", "csv_without_datetime", 200, csv("id", "1")),
    Same("one_datetime", "decimal_comma", 200, split("when", ["2024-01-02T03:04:05,5"])),
    Same("one_datetime", "small_letter", 200, split("when", ["2024-01-02t03:04:05"])),
    Same("chat", "no_message", 400, body({"messages": []})),
    Same("all_optional", "record_empty", 400, records({})),
    Same(
        "all_optional",
        "long_inexact_beside_null",
        400,
        records({"id": 1, "long": 2**53 + 1}, {"id": 2, "long": None}),
    ),
]

NESTED_CELLS = [
    Same("nested", "records", 200, nested()),
    Same("nested", "split", 200, split(NESTED, list(NESTED.values()))),
    Same("nested", "optional_absent", 200, records(UNPLACED)),
    Same("nested", "optional_null", 200, nested(points=None)),
    Same("nested", "numbers_empty", 200, nested(numbers=[])),
    Same("nested", "numbers_null", 400, nested(numbers=None)),
    Same("nested", "numbers_text", 400, nested(numbers=["0.5"])),
    Same("nested", "numbers_scalar", 400, nested(numbers=0.5)),
    Same("nested", "numbers_too_deep", 400, nested(numbers=[[0.5]])),
    Same("nested", "person_optional_absent", 200, nested(person={"name": "Ann"})),
    Same("nested", "person_optional_null", 200, nested(person={"name": "Ann", "age": None})),
    Same("nested", "person_required_absent", 400, nested(person={"age": 3})),
    Same("nested", "person_unknown_property", 400, nested(person={"name": "Ann", "agee": 3})),
    Same("nested", "person_text_age", 400, nested(person={"name": "Ann", "age": "3"})),
    Same("nested", "person_fraction", 400, nested(person={"name": "Ann", "age": 3.5})),
    Same("nested", "person_number_name", 400, nested(person={"name": 5})),
    Same("nested", "person_array", 400, nested(person=["Ann"])),
    Same("nested", "person_text", 400, nested(person="Ann")),
    Same("nested", "counts_empty", 200, nested(counts={})),
    Same("nested", "counts_text", 400, nested(counts={"x": "1"})),
    Same("nested", "counts_array", 400, nested(counts=[1])),
    Same("nested", "anything_number", 200, nested(anything=5)),
    Same("nested", "anything_text", 200, nested(anything="a")),
    Same("nested", "points_empty", 200, nested(points=[])),
    Same("nested", "points_text", 400, nested(points=[{"x": "1"}])),
    Same("nested", "points_unknown_property", 400, nested(points=[{"x": 0.5, "z": 1}])),
    Same("nested", "points_object", 400, nested(points={"x": 0.5})),
    Same("nested", "column_missing", 400, records({"numbers": [0.5]})),
    Same("nested", "csv", 400, csv("numbers,person,counts,anything", "1,2,3,4")),
    Same("array_only", "split", 200, split("numbers", [[0.5, 1.5]], [[2.5]])),
    Same("array_only", "records", 200, records({"numbers": [0.5]}, {"numbers": []})),
    Same("array_only", "null_inside", 200, records({"numbers": [0.5, None]})),
    Same("array_only", "boolean_inside", 400, records({"numbers": [True]})),
    Same("map_only", "records", 200, records({"names": {"a": "x", "b": "y"}})),
    Same("map_only", "inputs", 200, inputs([{"names": {"a": "x"}}])),
    Same("map_only", "null_inside", 400, records({"names": {"a": None}})),
    Same("map_only", "number_inside", 400, records({"names": {"a": 1}})),
    *each(
        "any_only",
        "cell",
        200,
        lambda v: records({"anything": v}),
        {
            "text": "a",
            "number": 0.5,
            "array": [1, "a", None],
            "object": {"a": {"b": []}},
            "null": None,
            "boolean": True,
        },
    ),
    Same("any_only", "inputs", 200, inputs([{"anything": "a"}])),
    Same("any_only", "cells_mixed", 200, records({"anything": 1}, {"anything": "a"})),
    *each(
        "nested",
        "counts",
        400,
        lambda v: nested(counts=v),
        {
            "boolean": {"x": True},
            "too_large": {"x": 2**63},
            "null": {"x": None},
            "missing": None,
            "word": {"x": "SECRET"},
        },
    ),
    Same("nested", "person_null", 400, nested(person=None)),
    Same("nested", "person_word_age", 400, nested(person={"name": "Ann", "age": "SECRET"})),
    Same("nested", "numbers_boolean", 400, nested(numbers=[True])),
    Same("nested", "points_integers", 200, nested(points=[{"x": 1}])),
    Same("nested", "points_null_item", 200, nested(points=[None])),
    Same("nested", "anything_null", 200, nested(anything=None)),
    Same(
        "nested", "inputs_columns", 400, inputs({name: [value] for name, value in NESTED.items()})
    ),
    Same("array_only", "zeros_and_ones", 200, records({"numbers": [0, 1]})),
    Same("array_only", "integer_beside_float", 200, records({"numbers": [1, 2.5]})),
    Same("array_only", "inputs_columns", 400, inputs({"numbers": [[0.5], [1.5, 2.5]]})),
    Same("map_only", "instances", 200, instances([{"names": {"a": "x"}}])),
    Same("map_only", "empty", 200, records({"names": {}})),
    Same("map_only", "inputs_bare", 400, inputs([{"a": "x"}])),
    Same("map_only", "parquet", 200, parquet({"names": [{"a": "x"}]})),
    Same("any_only", "absent", 400, records({})),
    Same("any_only", "inputs_mixed", 200, inputs({"anything": [1, "a"]})),
]

CONSTANTS = [
    *each(
        "doubles",
        "constant",
        200,
        raw,
        {
            "nan": '{"dataframe_records": [{"a": NaN, "b": 2, "c": 3, "d": 4}]}',
            "infinity": '{"inputs": [{"a": -Infinity, "b": Infinity, "c": 3, "d": 4}]}',
            "columns": '{"inputs": {"a": [NaN, 1], "b": [1, 2], "c": [3, NaN], "d": [4, 5]}}',
            "split": '{"dataframe_split": {"columns": ["a", "b", "c", "d"], '
            '"data": [[NaN, 2, Infinity, 4], [1, 2, 3, -Infinity]]}}',
            "instances": '{"instances": [{"a": NaN, "b": 2, "c": 3, "d": 4}]}',
        },
    ),
    *each(
        "one_long",
        "constant",
        400,
        raw,
        {
            "nan": '{"dataframe_split": {"columns": ["n"], "data": [[1], [NaN]]}}',
            "infinity": '{"dataframe_split": {"columns": ["n"], "data": [[Infinity]]}}',
            "inputs": '{"inputs": [NaN]}',
        },
    ),
    Same("one_string", "constant_text", 200, body({"inputs": ["NaN", "Infinity", "-Infinity"]})),
    Same(
        "one_datetime",
        "constant_nan",
        200,
        raw('{"dataframe_split": {"columns": ["when"], "data": [["2024-01-02"], [NaN]]}}'),
    ),
    Same("all_optional", "constant", 200, raw('{"inputs": [{"id": 1, "double": NaN}]}')),
    Same("array_only", "constant", 200, raw('{"dataframe_records": [{"numbers": [1.5, NaN]}]}')),
    Same("any_only", "constant", 200, raw('{"dataframe_records": [{"anything": NaN}]}')),
    Same("tensor", "constant", 200, raw('{"inputs": [[NaN, 1.5], [Infinity, -Infinity]]}')),
    Same("no_signature", "constant", 200, raw('{"inputs": [NaN, 1.5, Infinity]}')),
    Same(
        "no_signature",
        "constant_split",
        200,
        raw('{"dataframe_split": {"columns": ["a", "b"], "data": [[NaN, "x"], [1, NaN]]}}'),
    ),
    Same("hint_numbers", "constant", 200, raw('{"inputs": [1.5, 2.5]}')),
    Same(
        "with_params",
        "constant_param",
        200,
        raw('{"inputs": {"a": [1.0]}, "params": {"rate": NaN, "weights": [Infinity]}}'),
    ),
    *each(
        "doubles",
        "constant_bad",
        400,
        raw,
        {
            "lower_case": '{"inputs": [{"a": nan}]}',
            "minus_nan": '{"inputs": [{"a": -NaN}]}',
            "plus_infinity": '{"inputs": [{"a": +Infinity}]}',
            "short": '{"inputs": [{"a": Inf}]}',
            "trailing_comma": '{"inputs": [{"a": NaN,}]}',
        },
    ),
    Same("no_signature", "records_other_keys", 200, records({"a": 1}, {"b": "x"}, {"a": None})),
    Same("no_signature", "instances_unequal", 400, instances({"a": [1, 2], "b": [1]})),
    Same("no_signature", "inputs_unequal", 200, inputs({"a": [1, 2], "b": [1]})),
    Same("one_long", "whole_float_2**53", 200, split("n", [9007199254740992.0])),
    Same("one_long", "inputs_whole_float_2**53", 200, inputs([9007199254740992.0])),
    Same("one_long", "whole_float_1e18", 200, split("n", [1e18], [-1e18])),
]

PARAMS = [
    Same("with_params", "defaults", 200, split("a", [1.0])),
    Same("with_params", "defaults_csv", 200, csv("a", "1.0")),
    Same("with_params", "defaults_parquet", 200, parquet({"a": [1.0]})),
    Same("with_params", "empty", 200, params()),
    Same("with_params", "unknown_key", 200, split("a", [1.0], params={"count": 3}, stream=True)),
    Same("with_params", "null", 200, split("a", [1.0], params=None)),
    Same("with_params", "array", 400, split("a", [1.0], params=[1])),
    Same("with_params", "text", 400, split("a", [1.0], params="count")),
    Same(
        "with_params",
        "all",
        200,
        params(
            flag=True,
            count=5,
            size=6,
            ratio=1.5,
            rate=2.5,
            label="b",
            when="2024-05-06T07:08:09",
            weights=[3.0, 4.0],
            nested={"x": 7},
        ),
    ),
    Same("with_params", "inputs", 200, inputs({"a": [1.0]}, params={"count": 3})),
    Same("with_params", "instances", 200, instances([{"a": 1.0}], params={"count": 3})),
    *each(
        "with_params",
        "given",
        200,
        lambda v: params(**v),
        {
            "integer_for_double": {"rate": 3},
            "integer_for_float": {"ratio": 3},
            "negative": {"count": -1},
            "empty_label": {"label": ""},
            "no_weights": {"weights": []},
            "integer_weights": {"weights": [1, 2]},
            "null_count": {"count": None},
            "null_label": {"label": None},
            "big_size": {"size": 2**62},
            "date": {"when": "2024-05-06"},
            "micros": {"when": "2024-05-06T07:08:09.123456"},
            "blank": {"when": "2024-05-06 07:08:09"},
        },
    ),
    *each(
        "with_params",
        "given",
        400,
        lambda v: params(**v),
        {
            "number_for_boolean": {"flag": 1},
            "text_for_boolean": {"flag": "true"},
            "text_for_integer": {"count": "5"},
            "boolean_for_integer": {"count": True},
            "fraction_for_long": {"size": 1.5},
            "text_for_double": {"rate": "0.5"},
            "boolean_for_double": {"rate": True},
            "number_for_string": {"label": 5},
            "word_for_datetime": {"when": "SECRET"},
            "array_for_integer": {"count": [5]},
            "object_for_integer": {"count": {"x": 5}},
            "scalar_for_array": {"weights": 1.0},
            "text_in_array": {"weights": [1.0, "a"]},
            "nested_array": {"weights": [[1.0]]},
            "object_without_property": {"nested": {}},
            "object_wrong_type": {"nested": {"x": "a"}},
            "object_unknown_property": {"nested": {"x": 1, "y": 2}},
            "array_for_object": {"nested": [1]},
            "nanos": {"when": "2024-05-06T07:08:09.123456789"},
            "number_for_datetime": {"when": 5},
        },
    ),
    *each(
        "with_params",
        "given",
        200,
        lambda v: params(**v),
        {
            "z": {"when": "2024-05-06T07:08:09Z"},
            "offset": {"when": "2024-05-06T07:08:09+02:00"},
            "tenths": {"when": "2024-05-06T07:08:09.1"},
            "null_when": {"when": None},
            "null_flag": {"flag": None},
            "null_weight": {"weights": [None]},
            "count_of_33_bits": {"count": 2**32},
            "rate_inexact": {"rate": 2**60 + 1},
            "ratio_large": {"ratio": 1e300},
        },
    ),
    *each(
        "with_params",
        "given",
        400,
        lambda v: params(**v),
        {
            "null_weights": {"weights": None},
            "null_nested": {"nested": None},
            "month_first": {"when": "05/06/2024"},
            "boolean_in_array": {"weights": [True]},
            "object_for_array": {"weights": {"x": 1}},
            "boolean_in_object": {"nested": {"x": True}},
            "word_in_object": {"nested": {"x": "SECRET"}},
            "word_for_count": {"count": "SECRET"},
        },
    ),
    Same("with_params", "prompt_and_bad_param", 400, body({"prompt": "hello", "count": "SECRET"})),
]

FILES = [
    Same("doubles", "csv", 200, csv("a,b,c,d", "1,2,3,4", "0.5,1.5,2.5,3.5")),
    Same("doubles", "csv_reordered", 200, csv("d,c,b,a", "1,2,3,4")),
    Same("doubles", "csv_crlf", 200, raw("a,b,c,d\r\n1,2,3,4\r\n", CSV)),
    Same("doubles", "csv_no_last_newline", 200, raw("a,b,c,d\n1,2,3,4", CSV)),
    Same("doubles", "csv_blank_lines", 200, csv("a,b,c,d", "", "1,2,3,4", "", "5,6,7,8")),
    Same("doubles", "csv_mark", 200, raw("\ufeffa,b,c,d\n1,2,3,4\n", CSV)),
    Same("doubles", "csv_quoted", 200, csv('"a","b","c","d"', '"1",2,"3.5",4')),
    Same("doubles", "csv_spaces", 200, csv("a,b,c,d", "1, 2,3 , 4 ")),
    Same("doubles", "csv_exponents", 200, csv("a,b,c,d", "1e3,1E-5,-.5,+1")),
    Same(
        "doubles",
        "csv_digits",
        200,
        csv("a,b,c,d", "0.1234567890123456789,1e308,5e-324,0.30000000000000004"),
    ),
    Same("doubles", "csv_missing", 200, csv("a,b,c,d", ",NA,nan,null", "1,2,3,4")),
    Same("doubles", "csv_infinity", 200, csv("a,b,c,d", "inf,-inf,Infinity,-Infinity")),
    Same("doubles", "csv_word", 400, csv("a,b,c,d", "1,2,3,SECRET")),
    Same("doubles", "csv_missing_column", 400, csv("a,b,c", "1,2,3")),
    Same("doubles", "csv_grouped_numbers", 400, csv("a;b;c;d", "1.234,5;2;3;4")),
    Same("doubles", "csv_empty", 400, raw("", CSV)),
    Same("doubles", "csv_blank", 400, raw("\n\n", CSV)),
    Same("doubles", "csv_latin_1", 400, Request("a,b,c,d,ä\n1,2,3,4,5".encode("latin-1"), CSV)),
    Same("doubles", "csv_later_long_row", 400, csv("a,b,c,d", "1,2,3,4", "1,2,3,4,5")),
    Same("doubles", "csv_open_quote", 400, csv("a,b,c,d", '1,2,3,"4')),
    Same("doubles", "csv_is_json", 400, raw('{"inputs": [[1, 2, 3, 4]]}', CSV)),
    Same("doubles", "csv_names_with_blanks", 400, csv("a, b, c, d", "1,2,3,4")),
    Same("one_long", "csv", 200, csv("n", "1", "-2", "9223372036854775807")),
    Same("one_long", "csv_fraction", 400, csv("n", "1.5")),
    Same("one_long", "csv_word", 400, csv("n", "SECRET")),
    Same("one_long", "csv_too_large", 400, csv("n", "9223372036854775808")),
    Same("two_longs", "csv_null", 400, csv("a,b", "1,", "2,3")),
    Same("one_boolean", "csv_words", 200, csv("flag", "true", "False", "TRUE")),
    Same("one_boolean", "csv_digits", 200, csv("flag", "1", "0")),
    Same("one_boolean", "csv_yes", 400, csv("flag", "yes")),
    Same("one_boolean", "csv_two", 400, csv("flag", "2")),
    Same("tensor", "csv", 400, csv("a,b", "1,2")),
    Same("array_only", "csv", 400, csv("numbers", "[1]")),
    Same("map_only", "csv", 400, csv("names", "{}")),
    Same("any_only", "csv", 400, csv("anything", "a")),
    Same("doubles", "parquet", 200, parquet({name: [0.5, 1.5] for name in "abcd"})),
    Same("doubles", "parquet_reordered", 200, parquet({name: [0.5, 1.5] for name in "dcba"})),
    Same(
        "doubles", "parquet_index", 200, parquet({name: [0.5, 1.5] for name in "abcd"}, ["x", "y"])
    ),
    Same(
        "doubles", "parquet_int32", 200, parquet({name: np.array([1, 2], "i4") for name in "abcd"})
    ),
    Same(
        "doubles", "parquet_float32", 200, parquet({name: np.array([0.1], "f4") for name in "abcd"})
    ),
    Same("doubles", "parquet_nan", 200, parquet({name: [0.5, np.nan] for name in "abcd"})),
    Same("doubles", "parquet_words", 400, parquet({name: ["x"] for name in "abcd"})),
    Same("doubles", "parquet_missing_column", 400, parquet({name: [0.5] for name in "abc"})),
    Same("doubles", "parquet_datetimes", 400, parquet({name: [MOMENT] for name in "abcd"})),
    Same("doubles", "parquet_garbage", 400, Request(b"PAR1 no table PAR1", PARQUET)),
    Same("doubles", "parquet_empty", 400, Request(b"", PARQUET)),
    Same("one_long", "parquet", 200, parquet({"n": [1, -2]})),
    Same("one_long", "parquet_int32", 200, parquet({"n": np.array([1, 2], "i4")})),
    Same("one_long", "parquet_fractions", 400, parquet({"n": [1.5]})),
    Same("one_long", "parquet_nulls", 400, parquet({"n": pd.array([1, None], "Int64")})),
    Same("one_string", "parquet", 200, parquet({"text": ["a", "ü"]})),
    Same("one_string", "parquet_null", 200, parquet({"text": ["a", None]})),
    Same("one_boolean", "parquet", 200, parquet({"flag": [True, False]})),
    Same("one_datetime", "parquet", 200, parquet({"when": [MOMENT, None]})),
    Same(
        "one_datetime", "parquet_micros", 200, parquet({"when": np.array(["2024-01-02"], "M8[us]")})
    ),
    Same(
        "all_types",
        "parquet",
        200,
        parquet(
            {
                "boolean": [True],
                "integer": np.array([1], "i4"),
                "long": [2],
                "float": np.array([0.5], "f4"),
                "double": [0.25],
                "string": ["a"],
                "binary": [b"abc"],
                "datetime": [MOMENT],
            }
        ),
    ),
    Same("doubles", "csv_row_labels", 200, csv(",a,b,c,d", "7,1,2,3,4")),
    Same("doubles", "csv_numbers_only", 400, csv("1,2,3,4")),
    Same("doubles", "csv_true", 200, csv("a,b,c,d", "true,1,2,3")),
    Same("doubles", "csv_thousands", 400, csv("a,b,c,d", '"1,000",2,3,4')),
    Same("doubles", "csv_names_in_single_quotes", 400, csv("'a',b,c,d", "1,2,3,4")),
    Same("one_long", "csv_floats", 200, csv("n", "1.0", "2")),
    Same("one_long", "csv_exponent", 200, csv("n", "1e3")),
    Same("one_long", "csv_true", 200, csv("n", "true")),
    Same("one_long", "csv_quoted", 200, csv("n", '"5"')),
    Same("one_long", "csv_comment", 400, csv("n", "# SECRET")),
    Same("two_longs", "csv_beyond_doubles", 200, csv("a,b", "9007199254740993,1")),
    Same("two_longs", "csv_fraction_below", 400, csv("a,b", "1,2", "3,4.5")),
    Same("all_optional", "csv_integer_too_large", 400, csv("id,integer", "1,2147483648")),
    Same(
        "all_optional", "parquet_integer_too_large", 400, parquet({"id": [1], "integer": [2**31]})
    ),
    Same("doubles", "parquet_zeros_and_ones", 200, parquet({name: [0, 1] for name in "abcd"})),
    Same("one_long", "parquet_uint8", 200, parquet({"n": np.array([1], "u1")})),
    Same("one_long", "parquet_uint64", 400, parquet({"n": np.array([2**63], "u8")})),
    Same("one_datetime", "parquet_dates", 200, parquet({"when": [MOMENT.astype("M8[D]").item()]})),
    Same("no_signature", "csv_blanks", 400, raw("  \n \n", CSV)),
    Same("one_boolean", "csv_float", 200, csv("flag", "1.0", "0.0")),
    Same("doubles", "csv_last_comma", 200, csv("a,b,c,d,", "1,2,3,4,", "5,6,7,8,")),
    Same("doubles", "csv_last_commas", 200, csv("a,b,c,d,,", "1,2,3,4,,")),
    Same("no_signature", "csv_spaces", 200, csv("a, b", "1, x")),
    Same("no_signature", "csv_unsigned", 200, csv("a", "9223372036854775808")),
    Same("no_signature", "csv_unicode", 200, csv("ä", "ü")),
    Same("no_signature", "csv_line_break_in_quotes", 200, csv("a,b", '"x', 'y",1')),
    Same("no_signature", "csv_hash", 200, csv("#a", "1")),
    Same("no_signature", "csv_carriage_returns", 200, raw("a,b\r1,2\r", CSV)),
    Same("no_signature", "csv_blank_first_lines", 200, raw("\n\na\n1\n", CSV)),
    Same("no_signature", "csv_blank_line_in_one_column", 200, csv("a", "1", "", "2")),
]

TENSORS = [
    Same("tensor", "inputs", 200, inputs([[1, 2], [3.5, 4.5]])),
    Same("tensor", "instances", 200, instances([[1, 2], [3.5, 4.5]])),
    Same("tensor", "texts", 200, inputs([["1.5", "2"]])),
    Same("tensor", "nulls", 200, inputs([[None, 2]])),
    Same("tensor", "booleans", 200, inputs([[True, False]])),
    Same("tensor", "split", 200, rows([1.0, 2.0], [3.0, 4.0])),
    Same("tensor", "split_names", 200, split("x y", [1.0, 2.0])),
    Same("tensor", "records", 200, records({"x": 1.5, "y": 2.5})),
    Same("tensor", "parquet", 200, parquet({"x": [1.5], "y": [2.5]})),
    Same("tensor", "wrong_width", 400, inputs([[1, 2, 3]])),
    Same("tensor", "flat", 400, inputs([1, 2])),
    Same("tensor", "too_deep", 400, inputs([[[1, 2]]])),
    Same("tensor", "scalar", 400, inputs(5)),
    Same("tensor", "null", 400, inputs(None)),
    Same("tensor", "ragged", 400, inputs([[1, 2], [3]])),
    Same("tensor", "words", 400, inputs([["a", "b"]])),
    Same("tensor", "objects", 400, inputs([[{"x": 1}, 2]])),
    Same("tensor", "object", 400, inputs({"x": [[1, 2]]})),
    Same("tensor", "split_wrong_width", 400, rows([1.0, 2.0, 3.0])),
    Same("tensor", "split_words", 400, rows(["a", "b"])),
    Same("tensor_long", "inputs", 200, inputs([1, 2])),
    Same("tensor_long", "texts", 200, inputs(["1", "2"])),
    Same("tensor_long", "booleans", 200, inputs([True, False])),
    Same("tensor_long", "floats", 200, inputs([1.0, 2.0])),
    Same("tensor_long", "null", 400, inputs([1, None])),
    Same("tensor_long", "words", 400, inputs(["a"])),
    Same("tensor_long", "too_large", 400, inputs([2**63])),
    Same("tensor_text", "inputs", 200, inputs(["a", "longer", ""])),
    Same("tensor_text", "integers", 200, inputs([1, 2])),
    Same("tensor_text", "too_deep", 400, inputs([["a"]])),
    Same("tensor_image", "inputs", 200, inputs([[[0, 1], [2, 255]]])),
    Same("tensor_image", "instances", 200, instances([[[0, 1], [2, 255]]] * 2)),
    Same("tensor_image", "split_flat_cells", 200, rows([[0, 1, 2, 3]], [[4, 5, 6, 7]])),
    Same("tensor_image", "wrong_shape", 400, inputs([[[0, 1, 2], [3, 4, 5]]])),
    Same("tensor_image", "too_large", 400, inputs([[[0, 1], [2, 256]]])),
    Same("tensor_image", "negative", 400, inputs([[[0, 1], [2, -1]]])),
    Same("tensors", "inputs", 200, inputs({"x": [[0.1, 2], [3, 4]], "n": [1, 2]})),
    Same("tensors", "instances_columns", 200, instances({"x": [[0.1, 2]], "n": [1]})),
    Same(
        "tensors",
        "instances_records",
        200,
        instances([{"x": [1, 2], "n": 1}, {"x": [3, 4], "n": 2}]),
    ),
    Same("tensors", "reordered", 200, inputs({"n": [1], "x": [[1, 2]]})),
    Same("tensors", "records", 200, records({"x": [1.5, 2.5], "n": 1})),
    Same("tensors", "lengths_differ", 200, inputs({"x": [[1, 2]], "n": [1, 2, 3]})),
    Same("tensors", "missing", 400, inputs({"x": [[1, 2]]})),
    Same("tensors", "array", 400, inputs([[1, 2]])),
    Same("tensors", "wrong_shape", 400, inputs({"x": [1, 2], "n": [1]})),
    Same("tensors", "words", 400, inputs({"x": [[1, 2]], "n": ["a"]})),
    Same("tensor", "text_nan", 200, inputs([["nan", 1]])),
    Same("tensor", "huge_integer", 200, inputs([[10**30, 1]])),
    Same("tensor", "split_integers", 200, rows([1, 2], [3, 4])),
    Same("tensor", "split_texts", 200, rows(["1", "2"])),
    Same("tensor", "split_null", 200, rows([None, 2])),
    Same("tensor", "split_one_column", 200, rows([[1, 2]], [[3, 4]])),
    Same("tensor", "empty", 400, inputs([])),
    Same("tensor", "empty_row", 400, inputs([[]])),
    Same("tensor", "instances_of_objects", 400, instances([{"x": 1, "y": 2}])),
    Same("tensor_long", "empty", 400, inputs([])),
    Same("tensor_long", "split", 200, rows([1], [2])),
    Same("tensor_long", "records", 200, records({"x": 1})),
    Same("tensor_long", "parquet", 200, parquet({"x": [1]})),
    Same("tensor_long", "scalar", 400, inputs(1)),
    Same("tensor_long", "text_fraction", 400, inputs(["1.9"])),
    Same("tensor_text", "split", 200, rows(["a"], ["b"])),
    Same("tensor_text", "text_and_integer", 200, inputs(["a", 1])),
    Same("tensor_text", "parquet", 200, parquet({"x": ["a"]})),
    Same("tensor_image", "records", 200, records({"x": [0, 1, 2, 3]})),
    Same("tensor_image", "true", 200, inputs([[[True, 1], [2, 3]]])),
    Same("tensor_image", "split_wrong_size", 400, rows([[0, 1, 2]])),
    Same("tensor_image", "split_empty", 400, rows()),
    Same("tensors", "split_integers", 200, split("x n", [[1, 2], 1])),
    Same("tensors", "records_wrong_size", 400, records({"x": [1.5], "n": 1})),
    Same("tensors", "null", 200, inputs({"x": [[None, 1]], "n": [1]})),
]

UNTYPED = [
    Same("no_signature", "split", 200, split("a b", [1, "x"], [2.5, None])),
    Same(
        "no_signature",
        "split_index",
        200,
        body({"dataframe_split": {"columns": ["a"], "index": ["x"], "data": [[1]]}}),
    ),
    Same("no_signature", "split_without_names", 200, rows([1, 2])),
    Same("no_signature", "split_nested", 200, split("a", [[1, 2]], [{"x": 1}])),
    Same("no_signature", "split_long_row", 400, split("a", [1, 2])),
    Same("no_signature", "split_booleans", 200, split("a", [True], [False])),
    Same("no_signature", "split_dates", 200, split("a", ["2024-01-02"])),
    Same("no_signature", "split_nulls", 200, split("a", [None], [None])),
    Same("no_signature", "split_flat", 200, split("a", 1, 2)),
    Same("no_signature", "split_huge", 200, split("a", [2**70])),
    Same("no_signature", "split_unsigned", 200, split("a", [2**63])),
    Same("no_signature", "records", 200, records({"a": 1, "b": "x"}, {"a": 2, "b": "y"})),
    Same("no_signature", "records_keys_differ", 200, records({"a": 1}, {"b": "x"})),
    Same("no_signature", "records_nested", 200, records({"a": [1], "b": {"c": 1}})),
    Same("no_signature", "records_of_arrays", 200, records([1, 2], [3, 4])),
    Same("no_signature", "inputs_rows", 200, inputs([[1, 2], [3, 4]])),
    Same("no_signature", "inputs_flat", 200, inputs([1.5, 2])),
    Same("no_signature", "inputs_texts", 200, inputs(["a", "bc"])),
    Same("no_signature", "inputs_mixed", 200, inputs([1, "a", None])),
    Same("no_signature", "inputs_nulls", 200, inputs([1.5, None])),
    Same("no_signature", "inputs_scalar", 200, inputs(5)),
    Same("no_signature", "inputs_text", 200, inputs("a")),
    Same("no_signature", "inputs_null", 200, inputs(None)),
    Same("no_signature", "inputs_empty", 200, inputs([])),
    Same("no_signature", "inputs_empty_object", 200, inputs({})),
    Same("no_signature", "inputs_columns", 200, inputs({"a": [1, 2], "b": ["x", "y"], "c": 5})),
    Same("no_signature", "inputs_columns_ragged", 200, inputs({"a": [1, 2], "b": [1]})),
    Same("no_signature", "inputs_records", 200, inputs([{"a": 1, "b": [1, 2]}, {"a": 2}])),
    Same("no_signature", "inputs_ragged", 400, inputs([[1, 2], [3]])),
    Same("no_signature", "inputs_huge", 200, inputs([2**70])),
    Same("no_signature", "instances_rows", 200, instances([[1, 2], [3, 4]])),
    Same(
        "no_signature",
        "instances_records",
        200,
        instances([{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]),
    ),
    Same("no_signature", "instances_columns", 200, instances({"a": [1, 2]})),
    Same("no_signature", "instances_unequal_keys", 400, instances([{"a": 1, "b": 2}, {"a": 2}])),
    Same("no_signature", "instances_empty", 200, instances([])),
    Same("no_signature", "csv", 200, csv("a,b,c", "1,x,", "2,y,0.5")),
    Same("no_signature", "csv_words", 200, csv("a", "NA", "x")),
    Same("no_signature", "csv_booleans", 200, csv("a", "true", "False")),
    Same("no_signature", "csv_dates", 200, csv("a", "2024-01-02")),
    Same("no_signature", "csv_empty", 400, raw("", CSV)),
    Same("no_signature", "parquet", 200, parquet({"a": [1, 2], "b": ["x", None]})),
    Same("no_signature", "parquet_index", 200, parquet({"a": [1, 2]}, ["x", "y"])),
    Same("no_signature", "messages", 200, body({"messages": HELLO, "temperature": 0.5})),
    Same("no_signature", "prompt", 200, body({"prompt": "hello", "stream": True})),
    Same("no_signature", "input", 200, body({"input": ["a", "b"], "params": {"x": 1}})),
    Same("no_signature", "messages_beside_inputs", 200, body({"messages": HELLO, "inputs": [1]})),
    Same("with_params", "prompt_and_param", 400, body({"prompt": "hello", "count": 3})),
    Same("no_signature", "params_empty", 200, inputs([1], params={})),
    Same("no_signature", "split_name_twice", 400, split("a a", [1, 2])),
    Same("no_signature", "split_integer_names", 200, split([0, 1], [1, 2])),
    Same("no_signature", "split_row_and_number", 400, rows([1], 5)),
    Same("no_signature", "records_of_texts", 200, records("ab", "cd")),
    Same("no_signature", "records_of_null", 200, records(None)),
    Same("no_signature", "records_and_null", 400, records({"a": 1}, None)),
    Same("no_signature", "instances_object_then_number", 400, instances([{"a": 1}, 5])),
    Same("no_signature", "instances_number_then_object", 200, instances([5, {"a": 1}])),
    Same("no_signature", "inputs_object_and_number", 200, inputs([{"a": 1}, 5])),
]

WINES = [
    Same("wine", "null", 400, records(WINE | {"alcohol": None})),
    Same("wine", "split", 200, split(WINE, list(WINE.values()))),
    Same("wine", "records", 200, records(WINE, WINE | {"color": "pale", "alcohol": 11.5})),
    Same("wine", "inputs_columns", 200, inputs({name: [value] for name, value in WINE.items()})),
    Same("wine", "inputs_one_row", 200, inputs(WINE)),
    Same("wine", "inputs_records", 200, inputs([WINE, WINE])),
    Same("wine", "instances_records", 200, instances([WINE, WINE])),
    Same("wine", "csv", 200, csv(",".join(WINE), "14.23,1.71,3.06,127,1065,deep,false")),
    Same("wine", "parquet", 200, parquet({name: [value] for name, value in WINE.items()})),
    Same("wine", "unknown_color", 200, records(WINE | {"color": "violet"})),
    Same("wine", "text_number", 200, records(WINE | {"alcohol": "14.23"})),
    Same("wine", "alcohol_word", 400, records(WINE | {"alcohol": "SECRET"})),
    Same("wine", "magnesium_null", 400, records(WINE | {"magnesium": None})),
    Same("wine", "magnesium_word", 400, records(WINE | {"magnesium": "SECRET"})),
    Same("wine", "color_absent", 400, records({k: v for k, v in WINE.items() if k != "color"})),
    Same("wine", "csv_word", 400, csv(",".join(WINE), "SECRET,1.71,3.06,127,1065,deep,false")),
    Same("wine", "rows_without_names", 400, rows(list(WINE.values()))),
    Same("wine", "ping", 200, Request(method="GET", path="/ping")),
    Same("wine", "color_null", 200, records(WINE | {"color": None})),
    Same("wine", "color_integer", 200, records(WINE | {"color": 5})),
    Same("wine", "csv_color_missing", 200, csv(",".join(WINE), "14.23,1.71,3.06,127,1065,,false")),
    Same("wine", "csv_color_na", 200, csv(",".join(WINE), "14.23,1.71,3.06,127,1065,NA,false")),
    Same(
        "wine",
        "csv_magnesium_missing",
        400,
        csv(",".join(WINE), "14.23,1.71,3.06,,1065,deep,false"),
    ),
    Same("wine", "csv_yes", 400, csv(",".join(WINE), "14.23,1.71,3.06,127,1065,deep,SECRET")),
]

# What MLflow's server crashes at, or does not write as valid JSON or not as it was meant: these are
# rows of `tests/whole/test_against_mlflow.py`.
ENCODED_BY_OURS_ONLY = {
    *("nan", "nan_list", "frame_nan", "nat", "datetime64", "timedelta", "timedelta64", "decimal"),
    *("set", "na", "sparse", "bytes", "long_bytes", "nested_frame", "numpy_keys", "multi_index"),
    *("twice", "generator"),
}

ANSWERS = [
    *(
        Same("returns", name, 200, split("how", [name]))
        for name in OUTPUTS
        if name not in ENCODED_BY_OURS_ONLY | {"complex", "object", "endless"}
    ),
    *(
        Same("returns", name, 500, split("how", [name]))
        for name in ("complex", "object", "endless")
    ),
    Same("raises", "nothing", 200, split("how", ["fine"])),
    Same("raises", "mlflow_exception_busy", 429, split("how", ["busy"])),
    Same("raises", "mlflow_exception_internal", 500, split("how", ["internal"])),
]

CHATS = [
    Same("chat", "no_messages", 400, body({"prompt": "hello"})),
    Same("chat", "messages_text", 400, body({"messages": "hello"})),
    Same("hint_numbers", "inputs", 200, inputs([1.5, 2.5])),
    Same("hint_numbers", "integers", 400, inputs([1, 2])),
    Same("hint_numbers", "empty", 200, inputs([])),
    Same("hint_numbers", "texts", 400, inputs(["1.5"])),
    Same("hint_numbers", "null", 400, inputs([None])),
    Same("hint_numbers", "scalar", 400, inputs(5)),
    Same("hint_numbers", "object", 400, inputs({"x": 5})),
    Same("hint_numbers", "instances", 400, instances([1.5])),
    Same("hint_numbers", "split", 400, rows([1.5])),
    Same("hint_numbers", "records", 400, records({"x": 1.5})),
    Same("hint_example", "inputs", 200, inputs(["a", "b", "c"])),
    Same("hint_example", "split", 200, split("0", ["a"])),
    Same("hint_texts", "inputs", 200, inputs(["a", "ß"])),
    Same("hint_texts", "numbers", 400, inputs([1])),
    Same("hint_texts", "csv", 200, csv("x", "a", "b")),
    Same("hint_numbers", "csv", 200, csv("x", "1.5", "2.5")),
    Same("hint_people", "inputs", 200, inputs([{"name": "Ann", "age": 30}])),
    Same("hint_people", "optional", 200, inputs([{"name": "Ann", "age": 30, "email": "a@b"}])),
    Same("hint_people", "text_age", 400, inputs([{"name": "Ann", "age": "30"}])),
    Same("hint_people", "missing", 400, inputs([{"name": "Ann"}])),
    Same("hint_people", "unknown", 200, inputs([{"name": "Ann", "age": 30, "x": 1}])),
    Same("hint_people", "object", 400, inputs({"name": "Ann", "age": 30})),
    Same("chat", "messages", 200, body({"messages": HELLO})),
    Same("chat", "temperature", 200, body({"messages": HELLO, "temperature": 0.1})),
    Same("chat", "temperature_integer", 200, body({"messages": HELLO, "temperature": 1})),
    Same("chat", "stream", 200, body({"messages": HELLO, "stream": True})),
    Same("chat", "unknown_key", 200, body({"messages": HELLO, "temprature": 0.1})),
    Same("chat", "inputs", 200, inputs({"messages": HELLO})),
    Same("chat", "inputs_records", 200, inputs([{"messages": HELLO}])),
    Same("chat", "records", 200, records({"messages": HELLO})),
    Same("chat", "temperature_word", 400, body({"messages": HELLO, "temperature": "SECRET"})),
    Same("chat", "content_number", 400, body({"messages": [{"role": "user", "content": 5}]})),
    Same("chat", "no_role", 400, body({"messages": [{"content": "SECRET"}]})),
    Same("chat", "messages_null", 400, body({"messages": None})),
    Same("chat", "input", 400, body({"input": "hello"})),
    Same("hint_numbers", "boolean", 400, inputs([True])),
    Same("hint_numbers", "csv_integers", 200, csv("x", "1", "2")),
    Same("hint_numbers", "csv_word", 400, csv("x", "SECRET")),
    Same("hint_numbers", "parquet", 200, parquet({"x": [1.5]})),
    Same("hint_texts", "csv_digits", 200, csv("x", "007")),
    Same("hint_texts", "parquet", 200, parquet({"x": ["a"]})),
    Same("hint_texts", "null", 400, inputs([None])),
    Same("hint_texts", "messages", 400, body({"messages": HELLO})),
    Same("hint_people", "csv", 400, csv("name,age", "Ann,30")),
    Same("hint_people", "float_age", 400, inputs([{"name": "SECRET", "age": 30.0}])),
    Same("hint_people", "text", 400, inputs(["SECRET"])),
    Same("hint_people", "number_for_name", 400, inputs([{"name": 5, "age": 3}])),
]

HTTP = [
    *each(
        "doubles",
        "type",
        200,
        lambda v: inputs([ABCD])._replace(content_type=v),
        {
            "charset": "application/json; charset=utf-8",
            "charset_upper": "application/json; charset=UTF-8",
        },
    ),
    *each(
        "doubles",
        "type",
        415,
        lambda v: inputs([ABCD])._replace(content_type=v),
        {
            "charset_latin_1": "application/json; charset=latin-1",
            "html": "text/html",
            "xml": "application/xml",
            "application_csv": "application/csv",
            "vendor_json": "application/vnd.api+json",
            "multipart": "multipart/form-data; boundary=x",
            "nonsense": "json",
        },
    ),
    *each(
        "doubles",
        "type",
        400,
        lambda v: inputs([ABCD])._replace(content_type=v),
        {"csv_for_json": "text/csv", "parquet_for_json": PARQUET},
    ),
    Same(
        "doubles",
        "csv_charset",
        200,
        csv("a,b,c,d", "1,2,3,4")._replace(content_type="text/csv; charset=utf-8"),
    ),
    Same("doubles", "json_for_csv", 400, csv("a,b,c,d", "1,2,3,4")._replace(content_type=JSON)),
    Same("doubles", "ping", 200, Request(method="GET", path="/ping")),
    Same("doubles", "version", 200, Request(method="GET", path="/version")),
    Same("doubles", "get_invocations", 405, Request(method="GET")),
    Same("doubles", "put_invocations", 405, inputs([ABCD])._replace(method="PUT")),
    Same("doubles", "post_ping", 405, Request(path="/ping")),
    Same("doubles", "options_invocations", 405, Request(method="OPTIONS")),
    Same("doubles", "unknown_path", 404, Request(method="GET", path="/nowhere")),
    Same("doubles", "upper_case_path", 404, inputs([ABCD])._replace(path="/Invocations")),
    Same("doubles", "query", 200, inputs([ABCD])._replace(path="/invocations?format=json")),
]

SAME = [
    *ENVELOPE,
    *SHAPES,
    *CELLS,
    *NESTED_CELLS,
    *CONSTANTS,
    *PARAMS,
    *FILES,
    *TENSORS,
    *UNTYPED,
    *WINES,
    *ANSWERS,
    *CHATS,
    *HTTP,
]
