"""Bodies that are broken, hostile or odd, sent to real models: what each answer says.

Each answer names the fault with MLflow's keys and repeats nothing of the data, and the same client
is served afterwards. Odd but valid bodies get a prediction.
"""

import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from starlette.testclient import TestClient

from modelserver.reading.csv import dialect
from modelserver.reading.csv.encoding import HOW
from modelserver.reading.formats import ARROW, CSV, FORMATS, JSON, NDJSON, PARQUET
from modelserver.scoring.answering.formats import JSON_ANSWER
from modelserver.scoring.chunking.large_bodies import formats_in_chunks
from modelserver.types.frames import CARRIED, NO_GAPS

Open = Callable[..., TestClient]

SECRET = "secret-4711"


GOOD: dict[str, tuple[str, bytes]] = {
    "two_longs": (JSON, b'{"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2]]}}'),
    "all_types": (JSON, json.dumps({"dataframe_records": [{
        "boolean": True, "integer": 1, "long": 2, "float": 0.5, "double": 0.5, "string": "a",
        "binary": "YQ==", "datetime": "2024-01-02"}]}).encode()),
    "one_string": (JSON, b'{"inputs": ["a"]}'),
    "one_binary": (JSON, b'{"inputs": ["YQ=="]}'),
    "any_only": (JSON, b'{"inputs": ["a"]}'),
    "nested": (JSON, json.dumps({"dataframe_records": [{
        "numbers": [1.5], "person": {"name": "a"}, "counts": {}, "anything": None}]}).encode()),
    "tensor": (JSON, b'{"inputs": [[1, 2]]}'),
    "with_params": (JSON, b'{"inputs": [1], "params": {"count": 2}}'),
    "no_signature": (JSON, b'{"inputs": [1]}'),
    "hint_people": (JSON, b'{"inputs": [{"name": "a", "age": 1}]}'),
}  # fmt: skip


def post(client: TestClient, body: bytes, content_type: str | None = JSON, **headers: str) -> Any:
    if content_type is not None:
        headers["Content-Type"] = content_type
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/invocations", content=body, headers=named)


def check_refusal(
    client: TestClient, model: str, answer: Any, status: int, code: str, message: str
) -> None:
    """The answer is an error of ours, and the client can still be served."""
    error = answer.json()
    assert (answer.status_code, error["error_code"], error["message"]) == (status, code, message)
    assert set(error) == {"error_code", "message", "details", "request_id"}
    for leak in (SECRET, "Traceback", 'File "'):
        assert leak not in answer.text
    kind, body = GOOD[model]
    assert post(client, body, kind).status_code == 200


def test_the_good_requests_are_good(client: Open) -> None:
    answers = {name: post(client(name), body, kind) for name, (kind, body) in GOOD.items()}
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(
        GOOD, 200
    )


def split(columns: list[Any], *rows: list[Any], **more: Any) -> bytes:
    value = {"columns": columns, "data": rows, **more}
    return json.dumps({"dataframe_split": value}).encode()


def two(*rows: list[Any]) -> bytes:
    return split(["a", "b"], *rows)


def inputs(value: Any) -> bytes:
    return json.dumps({"inputs": value}).encode()


def parquet(table: Any) -> bytes:
    file = io.BytesIO()
    pyarrow.parquet.write_table(table, file)
    return file.getvalue()


def feather(frame: pd.DataFrame) -> bytes:
    file = io.BytesIO()
    frame.to_feather(file)
    return file.getvalue()


def parquet_of_pandas(frame: pd.DataFrame) -> bytes:
    file = io.BytesIO()
    frame.to_parquet(file)
    return file.getvalue()


NESTED = json.dumps(
    {
        "dataframe_records": [
            {"numbers": [1, SECRET], "person": {"name": "a"}, "counts": {}, "anything": None}
        ]
    }
).encode()
BROKEN_FOOTER = pa.table({"a": [1], "b": [2]}).replace_schema_metadata({b"pandas": b"{}"})
DATES_AS_NAMES = pd.DataFrame([[1, 2]], columns=pd.to_datetime(["2024-01-01", "2024-01-02"]))

BAD, INVALID = "BAD_REQUEST", "INVALID_PARAMETER_VALUE"
NO_ROWS = "the table is empty: it has no rows"
NO_BODY = "the body is empty; send a table or an array of inputs"
FORMS = "one of 'dataframe_split', 'dataframe_records', 'instances', 'inputs'"
NO_FORM = f"the body must have exactly {FORMS}"
NO_PARQUET = "the body is not a Parquet file that can be read"
NO_ARROW = "the body is not an Arrow stream or file that can be read"
NO_METADATA = "what pandas says of the Parquet file cannot be read"
NOT_CLOSED = "the body is not valid CSV: a quoted cell does not end"
LONG = "expected a whole number of 64 bits"

# An id, the model, the content type, the body, the error code and the message.
REFUSED: list[tuple[str, str, str | None, bytes, str, str]] = [
    ("no body", "two_longs", JSON, b"", BAD, NO_BODY),
    ("no body and no type", "two_longs", None, b"", BAD, NO_BODY),
    ("no CSV", "two_longs", CSV, b"", BAD, "the body is empty; send a header and rows"),
    ("no Parquet", "two_longs", PARQUET, b"", BAD, NO_PARQUET),
    ("no Arrow", "two_longs", ARROW, b"", BAD, NO_ARROW),
    ("no NDJSON", "two_longs", NDJSON, b"\n", BAD,
     "the body is empty; send a JSON object per line"),
    ("blanks", "two_longs", JSON, b" \n ", BAD, NO_BODY),
    ("null", "two_longs", JSON, b"null", BAD,
     f"the body must be a JSON object with {FORMS}, not null"),
    ("empty object", "two_longs", JSON, b"{}", BAD, f"{NO_FORM}; it is empty"),
    ("no form", "two_longs", JSON, b'{"data": ["secret-4711"]}', BAD,
     f"{NO_FORM}; it has 'data'. Send the rows as 'data' of 'dataframe_split', with the names of "
     "the columns under 'columns'"),
    ("no rows", "two_longs", JSON, two(), INVALID, NO_ROWS),
    ("no rows in records", "two_longs", JSON, b'{"dataframe_records": []}', INVALID, NO_ROWS),
    ("rows without names", "two_longs", JSON, b'{"instances": [[1, 2]]}', INVALID,
     "the rows have no names, which the model needs: send 'dataframe_split' with 'columns', or "
     "'dataframe_records'. The model takes: 'a', 'b'"),
    ("CSV without a header", "two_longs", CSV, b"SECRET,5\nSECRET,6\n", BAD,
     "the first line holds none of the model's columns; CSV needs a header (with curl, send it "
     "with --data-binary, not with -d)"),
    ("no rows in CSV", "two_longs", CSV, b"a,b\n", INVALID, dialect.ONLY_A_HEADER),
    ("no rows in Parquet", "two_longs", PARQUET, parquet(pa.table({"a": pa.array([], pa.int64())})),
     BAD, NO_ROWS),
    ("empty tensor", "tensor", JSON, b'{"inputs": []}', INVALID, "the tensor is empty"),
    ("nothing untyped", "no_signature", JSON, b'{"dataframe_split": {"data": []}}', BAD, NO_ROWS),
    ("columns that are false", "two_longs", JSON,
     b'{"dataframe_split": {"columns": false, "data": []}}', BAD,
     "'columns' in 'dataframe_split' must be an array, not a boolean"),
    ("index that is 0", "two_longs", JSON,
     b'{"dataframe_split": {"columns": ["a", "b"], "index": 0, "data": []}}', BAD,
     "'index' in 'dataframe_split' must be an array, not an integer"),
    ("index of arrays", "two_longs", JSON, split(["a", "b"], [1, 2], index=[[[SECRET]]]), BAD,
     "label 0 of 'index' in 'dataframe_split' is an array: labels are single values, or arrays of "
     "as many single values each"),
    ("key twice", "two_longs", JSON, b'{"inputs": {"a": 1, "b": 2, "a": "secret-4711"}}', BAD,
     "the key 'a' is given twice in one JSON object"),
    ("form twice", "two_longs", JSON, b'{"inputs": {"a": 1, "b": 2}, "inputs": []}', BAD,
     "the key 'inputs' is given twice in one JSON object"),
    ("column twice", "two_longs", JSON, split(["a", "b", "a"], [1, 2, 3]), BAD,
     "columns given twice: 'a'"),
    ("NaN", "two_longs", JSON, b'{"inputs": {"a": [1], "b": [NaN]}}', INVALID,
     f"row 0, column 'b': {LONG}, found null{NO_GAPS}"),
    ("Infinity", "two_longs", JSON, b'{"inputs":\n {"a": [Infinity], "b": [1]}}', INVALID,
     f"row 0, column 'a': {LONG}, found a number that is not finite"),
    ("2**63", "two_longs", JSON, two([2**63, 1]), INVALID,
     f"row 0, column 'a': {LONG}, found an integer beyond 64 bits"),
    ("2**70", "two_longs", JSON, two([1, 2], [1, 2**70]), INVALID,
     f"row 1, column 'b': {LONG}, found an integer beyond 64 bits"),
    ("fraction", "two_longs", JSON, two([1, 2.5]), INVALID,
     f"row 0, column 'b': {LONG}, found a number with a fraction"),
    ("fraction beside text", "two_longs", JSON, two(["1", 2], [1.5, 2]), INVALID,
     f"row 1, column 'a': {LONG}, found a number with a fraction"),
    ("fraction in CSV", "two_longs", CSV, b"a,b\n1,2.5\n", INVALID,
     f"row 0, column 'b': {LONG}, found a number with a fraction"),
    ("text", "two_longs", JSON, two([1, SECRET]), INVALID,
     f"row 0, column 'b': {LONG}, found text"),
    ("text in CSV", "two_longs", CSV, f"a,b\n1,{SECRET}\n".encode(), INVALID,
     f"row 0, column 'b': {LONG}, found text"),
    ("no base64", "one_binary", JSON, inputs([SECRET + "?"]), INVALID,
     "row 0, column 'data': expected base64 text, found text that is no base64"),
    ("path in a cell", "nested", JSON, NESTED, INVALID,
     "row 0, column 'numbers': expected an array, found text at [1] where a number (64-bit float) "
     "belongs"),
    ("ragged tensor", "tensor", JSON, inputs([[1, 2], [SECRET]]), INVALID,
     "the tensor is ragged: [1] holds 1 values, [0] holds 2 values"),
    ("text in tensor", "tensor", JSON, inputs([[1, SECRET]]), INVALID,
     "the tensor at [0, 1]: expected a number of type float64, found text"),
    ("ragged array", "no_signature", JSON, inputs([[1], [SECRET, 2]]), BAD,
     "the values of 'inputs' are no array: their lengths differ, or they are nested more than 64 "
     "deep"),
    ("wrong param", "with_params", JSON,
     json.dumps({"inputs": [1], "params": {"count": SECRET}}).encode(), INVALID,
     "param 'count': expected a whole number of 32 bits, found text. The model takes: 'flag', "
     "'count', 'size', 'ratio', 'rate', 'label', 'when', 'weights', 'nested'"),
    ("wrong object for a hint", "hint_people", JSON, inputs([{"name": SECRET}]), INVALID,
     "the input at [0].age: expected a value, found nothing"),
    ("wrong UTF-8 in CSV", "one_string", CSV, b"text\nsecret-4711 \xff\n", BAD,
     "the body is not UTF-8 text, but probably Windows-1252 (Latin-1): byte 17 (line 2, column "
     f"13); save it as UTF-8{HOW}"),
    ("wrong UTF-8", "one_string", JSON, b'{"inputs":\n ["secret-4711 \xff"]}', BAD,
     "the body is not UTF-8 text: byte 26 (line 2, column 16); save it as UTF-8"),
    ("surrogate in UTF-8", "one_string", JSON, b'{"inputs": ["\xed\xa0\x80"]}', BAD,
     "the body is not UTF-8 text: byte 13 (line 1, column 14); save it as UTF-8"),
    ("UTF-16 cut off", "one_string", JSON, inputs(["a"]).decode().encode("utf-16")[:-1], BAD,
     "the body is not valid UTF-16 text"),
    ("short row in CSV", "two_longs", CSV, b"a,b\n1,2\n3\n", BAD,
     "row 1 has 1 cells, the header has 2"),
    ("long row in CSV", "two_longs", CSV, b"a,b\n1,2\n3,4,secret-4711\n", BAD,
     "row 1 has 3 cells, the header has 2"),
    ("long first row in CSV", "two_longs", CSV, b"a,b\n1,2,3\n", BAD,
     "row 0 has 3 cells, the header has 2"),
    ("open quote in CSV", "one_string", CSV, b'text\n"secret-4711\n', BAD, NOT_CLOSED),
    ("open quote in the header", "one_string", CSV, b'"text\nsecret-4711\n', BAD, NOT_CLOSED),
    ("a header of two readings", "two_longs", CSV, b"a;b,b\nsecret-4711;1,1\n", BAD,
     "the header can be read with the separator ',' (columns: 2) or ';' (columns: 2); state the "
     "right one in a line above it, such as sep=;"),
    ("thousands", "two_longs", CSV, b"a;b\n4.711,0;2\n", INVALID,
     f"row 0, column 'a': {LONG}, found a number with thousands separators"),
    ("UTF-16 in CSV", "two_longs", CSV, "a,b\n1,2\n".encode("utf-16"), BAD,
     f"the body is UTF-16 text; save it as UTF-8{HOW}"),
    ("missing cell in CSV", "two_longs", CSV, b"a,b\n1,\n", INVALID,
     f"row 0, column 'b': {LONG}, found null{NO_GAPS}"),
    ("unknown column in CSV", "two_longs", CSV, b"a,b,c\n1,2,secret-4711\n", INVALID,
     f"unknown columns: 'c'. The model takes: 'a', 'b'. {CARRIED}"),
    ("text in NDJSON", "two_longs", NDJSON, b'{"a": 1, "b": "secret-4711"}', INVALID,
     f"line 1, column 'b': {LONG}, found text"),
    ("broken line", "two_longs", NDJSON, b'{"a": 1, "b": 2}\n{"a": secret-4711}', BAD,
     "line 2: it is not valid JSON: unexpected character, expected a JSON value at column 7"),
    ("text in Arrow", "two_longs", ARROW, feather(pd.DataFrame({"a": [1], "b": [SECRET]})), INVALID,
     f"row 0, column 'b': {LONG}, found text"),
    ("text as Arrow", "two_longs", ARROW, b"ARROW1 secret-4711 ARROW1", BAD, NO_ARROW),
    ("text as Parquet", "two_longs", PARQUET, b"PAR1 secret-4711 PAR1", BAD, NO_PARQUET),
    ("cut off Parquet", "two_longs", PARQUET, parquet(pa.table({"a": [1], "b": [2]}))[:-20], BAD,
     NO_PARQUET),
    ("Parquet with pandas' metadata broken", "two_longs", PARQUET, parquet(BROKEN_FOOTER), BAD,
     NO_METADATA),
    ("Parquet with dates as names", "two_longs", PARQUET, parquet_of_pandas(DATES_AS_NAMES),
     INVALID, "missing columns: 'a', 'b'; unknown columns: Timestamp('2024-01-01 00:00:00'), "
     "Timestamp('2024-01-02 00:00:00'). The model takes: 'a', 'b'"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("model", "content_type", "body", "code", "message"),
    [row[1:] for row in REFUSED],
    ids=[row[0] for row in REFUSED],
)
def test_refused_bodies(
    model: str, content_type: str | None, body: bytes, code: str, message: str, client: Open
) -> None:
    answer = post(client(model), body, content_type)
    check_refusal(client(model), model, answer, 400, code, message)


# Where orjson words the fault: these are refused by the place alone.
NO_JSON: dict[str, tuple[bytes, str]] = {
    "cut off": (two([1, 2])[:-3], "line 1, column 6"),
    "100,000 levels": (b'{"inputs": ' + b"[" * 100_000, "line 1, column 10"),
    "100,000 closed levels": (b'{"inputs": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "line 1"),
    "lone surrogate": (b'{"inputs": ["\\ud800 secret-4711"]}', "line 1, column "),
    "lone surrogate in a key": (b'{"\\udfff": 1}', "line 1, column "),
    "text as JSON": (b"secret-4711, c\n", "line 1, column 1"),
    "1e400": (b'{"inputs": {"a": [1e400], "b": [1]}}', "line 1, column 19"),
    "5,000 digits": (b'{"inputs": {"a": [' + b"9" * 5000 + b'], "b": [1]}}', "line 1, column 19"),
    "two bodies": (two([1, 2]) * 2, "line 1, column 63"),
}


@pytest.mark.parametrize("model", ["two_longs", "no_signature", "any_only", "nested", "tensor"])
@pytest.mark.parametrize("name", NO_JSON)
def test_what_is_no_json(name: str, model: str, client: Open) -> None:
    body, place = NO_JSON[name]
    answer = post(client(model), body)
    message = answer.json()["message"]
    assert message.startswith("the body is not valid JSON: ")
    assert f" at {place}" in message
    check_refusal(client(model), model, answer, 400, BAD, message)


# A model that takes any value gets deep ones too.
@pytest.mark.parametrize("model", [name for name in GOOD if name != "any_only"])
@pytest.mark.parametrize("levels", [70, 500, 1000])
def test_deep_bodies_are_refused(levels: int, model: str, client: Open) -> None:
    answer = post(client(model), b'{"inputs": ' + b"[" * levels + b"]" * levels + b"}")
    code, message = answer.json()["error_code"], answer.json()["message"]
    assert re.search("found an array|have no names|nested (too deeply|more than 64)", message)
    check_refusal(client(model), model, answer, 400, code, message)


LARGE = "the body is larger than 1000 bytes (MAX_REQUEST_BYTES)"
IN_CHUNKS = formats_in_chunks(FORMATS[JSON], JSON_ANSWER)
TOO_LARGE = f"{LARGE}; a larger table is read in chunks if {IN_CHUNKS}"
BOMB = gzip.compress(two([1, 2]) + b" " * 10_000_000)
PACKED = gzip.compress(two([1, 2]))


def chunks(body: bytes) -> Iterator[bytes]:
    """A body whose length is not announced."""
    for start in range(0, len(body), 100):
        yield body[start : start + 100]


PARQUET_BOMBS = {
    "rows": pa.table({"a": np.zeros(100_000, int)}),
    "list": pa.table({"a": [np.zeros(100_000, int)]}),
    "texts": pa.table({"a": pa.DictionaryArray.from_arrays(np.zeros(100_000, "i4"), ["x" * 100])}),
}


@pytest.mark.parametrize("name", PARQUET_BOMBS)
def test_small_parquet_files_of_large_tables(name: str, client: Open) -> None:
    body = parquet(PARQUET_BOMBS[name])
    assert len(body) < 5000
    small = client("two_longs", MAX_REQUEST_BYTES="5000")
    condition = formats_in_chunks(FORMATS[PARQUET], JSON_ANSWER)
    message = f"{LARGE.replace('1000', '5000')}; a larger table is read in chunks if {condition}"
    answer = post(small, body, PARQUET)
    check_refusal(small, "two_longs", answer, 413, "MAX_READ_SIZE_EXCEEDED", message)


@pytest.mark.parametrize(
    ("body", "headers", "status", "code", "message"),
    [
        (two([1, 2]) + b" " * 1000, {}, 413, "MAX_READ_SIZE_EXCEEDED", TOO_LARGE),
        (b"", {"Content_Length": "1001"}, 413, "MAX_READ_SIZE_EXCEEDED", TOO_LARGE),
        (BOMB[:1000], {"Content_Encoding": "gzip"}, 413, "MAX_READ_SIZE_EXCEEDED", TOO_LARGE),
        (gzip.compress(BOMB), {"Content_Encoding": "gzip, gzip"}, 413, "MAX_READ_SIZE_EXCEEDED",
         TOO_LARGE),
        (PACKED[:-5], {"Content_Encoding": "gzip"}, 400, BAD,
         "the gzip data of the body is cut off"),
        (b"secret-4711", {"Content_Encoding": "gzip"}, 400, BAD,
         "the body is not valid gzip data"),
        (PACKED[:-8] + bytes(8), {"Content_Encoding": "gzip"}, 400, BAD,
         "the body is not valid gzip data"),
        (PACKED, {"Content_Encoding": "deflate"}, 400, BAD, "the body is not valid deflate data"),
        (PACKED, {"Content_Encoding": "br"}, 415, BAD,
         "the content encoding must be gzip or deflate"),
        (PACKED, {"Content_Encoding": "gzip, secret-4711"}, 415, BAD,
         "the content encoding must be gzip or deflate"),
        (b"", {"Content_Encoding": "gzip"}, 400, BAD, NO_BODY),
    ],
    ids=["length", "length announced", "gzip bomb", "nested gzip bomb", "cut off gzip", "no gzip",
         "broken gzip", "no deflate", "brotli", "unknown", "no body"],
)  # fmt: skip
def test_sizes_and_encodings(
    body: bytes, headers: dict[str, str], status: int, code: str, message: str, client: Open
) -> None:
    small = client("two_longs", MAX_REQUEST_BYTES="1000")
    answer = post(small, body, **headers)
    check_refusal(small, "two_longs", answer, status, code, message)


def test_a_body_that_grows_beyond_the_limit(client: Open) -> None:
    small = client("two_longs", MAX_REQUEST_BYTES="1000")
    answer = small.post("/invocations", content=chunks(b" " * 1100), headers={"Content-Type": JSON})
    check_refusal(small, "two_longs", answer, 413, "MAX_READ_SIZE_EXCEEDED", TOO_LARGE)


LOOKS = "; the body looks like JSON, which is application/json"
LISTED = f"the content type must be one of {', '.join(FORMATS)}"
NO_UTF8 = "the charset must be UTF-8; save the body as UTF-8"


@pytest.mark.parametrize(
    ("content_type", "message"),
    [
        ("application/xml", LISTED + LOOKS),
        (
            "multipart/form-data; boundary=x",
            f"{LISTED}; send the file itself (curl: --data-binary @file, Python's requests: data= "
            "in place of files=)",
        ),
        ("secret-4711/json", LISTED + LOOKS),
        ("json", LISTED + LOOKS),
        ("application/json; charset=latin-1", NO_UTF8),
        ('text/csv; charset="utf-16"', f"{NO_UTF8}{HOW}"),
        ("text/plain; charset=secret-4711", NO_UTF8),
    ],
)
def test_odd_media_types(content_type: str, message: str, client: Open) -> None:
    answer = post(client("two_longs"), two([1, 2]), content_type)
    check_refusal(client("two_longs"), "two_longs", answer, 415, BAD, message)


def account(name: str, dtype: str, *cells: str) -> dict[str, Any]:
    """What the echo models answer for one column."""
    return {"frame": [[name, dtype, list(cells)]], "index": [str(n) for n in range(len(cells))]}


TEXT = str(pd.Series(["a"]).dtype)

VALID: list[tuple[str, str, str | None, bytes, dict[str, str], Any]] = [
    ("CSV with BOM", "one_string", CSV, b"\xef\xbb\xbftext\na\n", {},
     account("text", TEXT, "str 'a'")),
    ("CSV with quotes and newlines", "one_string", CSV, b'"text"\r\n"a, ""b""\r\nc"\r\nd\r\n', {},
     account("text", TEXT, "str 'a, \"b\"\\r\\nc'", "str 'd'")),
    ("CSV with blank lines", "one_string", CSV, b"\ntext\n\na\n\n", {},
     account("text", TEXT, "str 'a'")),
    ("CSV with blank texts", "one_string", CSV, b"text\n a \n  \n", {},
     account("text", TEXT, "str ' a '", "str '  '")),
    ("CSV with a large cell", "one_string", CSV, b"text\n" + b"x" * 200_000, {},
     account("text", TEXT, f"str {'x' * 200_000!r}")),
    ("base64 that spells null", "one_binary", CSV, b"data\nnull\n", {},
     account("data", "object", "bytes b'\\x9e\\xe9e'")),
    ("JSON with BOM", "one_string", JSON, b"\xef\xbb\xbf" + inputs(["a"]), {},
     account("text", TEXT, "str 'a'")),
    ("JSON in UTF-16", "one_string", JSON, inputs(["a"]).decode().encode("utf-16"), {},
     account("text", TEXT, "str 'a'")),
    ("odd media type", "one_string", 'APPLICATION/JSON;charset="UTF-8" ; x=y', inputs(["a"]), {},
     account("text", TEXT, "str 'a'")),
    ("no media type", "one_string", None, inputs(["a"]), {}, account("text", TEXT, "str 'a'")),
    ("form", "one_string", "application/x-www-form-urlencoded", b"text\na", {},
     account("text", TEXT, "str 'a'")),
    ("gzip of two members", "one_string", JSON,
     gzip.compress(inputs(["a"])[:5]) + gzip.compress(inputs(["a"])[5:]),
     {"Content_Encoding": "x-gzip"}, account("text", TEXT, "str 'a'")),
    ("deflate", "one_string", JSON, zlib.compress(inputs(["a"])), {"Content_Encoding": "deflate"},
     account("text", TEXT, "str 'a'")),
    ("large integer of any type", "any_only", JSON, inputs([{"anything": 2**70}]), {},
     account("anything", "object", f"int {2**70}")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("model", "content_type", "body", "headers", "predicted"),
    [row[1:] for row in VALID],
    ids=[row[0] for row in VALID],
)
def test_odd_but_valid_bodies(
    model: str,
    content_type: str | None,
    body: bytes,
    headers: dict[str, str],
    predicted: Any,
    client: Open,
) -> None:
    answer = post(client(model), body, content_type, **headers)
    assert answer.status_code == 200
    assert answer.json()["predictions"]["input"] == predicted
