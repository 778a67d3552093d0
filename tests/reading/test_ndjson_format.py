"""NDJSON to model input: every line is one record, and a fault names its line."""

import io
import json
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from modelserver.errors import BadRequest, InvalidInput
from modelserver.reading import json_text
from modelserver.reading.formats import JSON, NDJSON
from modelserver.reading.ndjson_format import ndjson_text
from modelserver.reading.signatures.compiling import compile_signature
from modelserver.types.frames import CARRIED
from tests.support.signatures import column, read, signature, tensor

ANY = {"type": "any", "name": "v", "required": False}
TYPED = signature(column("long", "a"), column("string", "b", required=False))
BIG = 12345678901234567890123


def lines(*records: Any) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


READ: list[tuple[str, bytes, dict[str, list[Any]]]] = [
    ("lines", b'{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n', {"a": [1, 2], "b": ["x", "y"]}),
    ("no line feed at the end", b'{"a": 1}\n{"a": 2}', {"a": [1, 2]}),
    ("line ends of Windows", b'{"a": 1}\r\n{"a": 2}\r\n', {"a": [1, 2]}),
    ("blank lines", b'\n{"a": 1}\n \t\r\n\n{"a": 2}\n\n', {"a": [1, 2]}),
    ("byte order mark", b'\xef\xbb\xbf{"a": 1}\n', {"a": [1]}),
    ("UTF-16", '{"a": 1}\n{"a": 2}\n'.encode("utf-16"), {"a": [1, 2]}),
    ("order of keys", b'{"b": "x", "a": 1}\n{"a": 2, "b": "y"}', {"a": [1, 2], "b": ["x", "y"]}),
    ("escapes", b'{"\\u0061": 1, "b": "\\n:{\\""}\n', {"a": [1], "b": ['\n:{"']}),
    ("more digits than 64 bits", lines({"a": 1, "b": BIG}), {"a": [1], "b": [str(BIG)]}),
    ("line separators in a text", '{"a": 1, "b": "\u2028\x85"}\n'.encode(),
     {"a": [1], "b": ["\u2028\x85"]}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "expected"), [row[1:] for row in READ], ids=[row[0] for row in READ]
)
def test_lines_are_records(body: bytes, expected: dict[str, list[Any]]) -> None:
    payload = read(TYPED, body, NDJSON)
    assert payload.data.to_dict("list") == expected
    assert payload.rows == len(expected["a"])


def test_a_key_that_a_line_lacks_is_a_missing_value() -> None:
    body = b'{"a": 1}\n{"a": NaN, "b": "x"}\n{"b": null, "a": 3}'
    gaps = signature(column("double", "a"), column("string", "b"))
    frame = read(gaps, body, NDJSON).data
    assert frame.isna().to_numpy().tolist() == [[False, True], [True, False], [False, True]]


def test_what_cells_hold_is_as_in_records() -> None:
    records = [{"v": BIG}, {"v": [1, {"x": 1.5}]}, {}, {"v": "2024-01-02"}]
    anything = signature(ANY)
    frame = read(anything, lines(*records), NDJSON).data
    pd.testing.assert_frame_equal(frame, read(anything, {"dataframe_records": records}).data)


def test_tensors_by_name() -> None:
    pair = signature(tensor("float64", -1, 2, name="x"), tensor("int64", -1, name="n"))
    data = read(pair, lines({"x": [1, 2], "n": 1}, {"x": [3, 4], "n": 2}), NDJSON).data
    assert {name: array.tolist() for name, array in data.items()} == {
        "x": [[1.0, 2.0], [3.0, 4.0]],
        "n": [1, 2],
    }


def test_without_a_signature_gaps_are_those_of_pandas() -> None:
    frame = read(compile_signature(None, False), b'{"a": 1}\n{"b": "x"}\n', NDJSON).data
    pd.testing.assert_frame_equal(
        frame, pd.DataFrame({"a": [1, np.nan], "b": np.array([np.nan, "x"], object)})
    )


LONG = "expected a whole number of 64 bits, found"

REFUSED: list[tuple[str, bytes, str]] = [
    ("nothing", b"", "the body is empty; send a JSON object per line"),
    ("only blanks", b" \n\r\n\n", "the body is empty; send a JSON object per line"),
    ("array", b'{"a": 1}\n\n[1]', "line 3 is an array, not an object"),
    ("records in an array", b'[{"a": 1}]',
     "the body is not NDJSON, but looks like JSON: send it with the content type application/json"),
    ("array of numbers first", b'[1]\n[2]', "line 1 is an array, not an object"),
    ("null", b"null\n", "line 1 is null, not an object"),
    ("two records", b'{"a": 1}, {"a": 2}',
     "line 1: it is not valid JSON: unexpected content after document at column 9"),
    ("a record over lines", b'{"a": 1}\n{"a":\n2}',
     "line 2: it is not valid JSON: unexpected end of data at column 6"),
    ("lines that are valid together", b'{"a": 1}, {"b": [{}\n{}]}',
     "line 1: it is not valid JSON: unexpected content after document at column 9"),
    ("cut off", b'{"a": 1}\n{"a": 2',
     "line 2: it is not valid JSON: unexpected end of data at column 8"),
    ("key twice", b'{"a": 1}\n{"a": 1, "a": 2}',
     "line 2: the key 'a' is given twice in one JSON object"),
    ("key twice beside NaN", b'{"a": NaN}\n{"a": 1, "a": 2}',
     "line 2: the key 'a' is given twice in one JSON object"),
    ("wrong UTF-8", b'{"a": 1}\n{"b": "\xff"}',
     "the body is not UTF-8 text: byte 16 (line 2, column 8); save it as UTF-8"),
    ("gzip", b"\x1f\x8b123",
     "the body is gzip data; send the header Content-Encoding: gzip with it"),
    ("cell", b'{"a": 1}\n{"a": "x"}\n', f"line 2, column 'a': {LONG} text"),
    ("cell after blanks", b'\n\n{"a": 1}\n\n{"a": 1.5}', f"line 5, column 'a': {LONG} a number with"
     " a fraction"),
    ("Infinity", b'{"a": 1}\n{"a": -Infinity}', f"line 2, column 'a': {LONG} a number that is not "
     "finite"),
    ("beyond 64 bits", b'{"a": 9223372036854775808}',
     f"line 1, column 'a': {LONG} an integer beyond 64 bits"),
    ("lines of ever new keys", lines(*({f"k{row}": 1} for row in range(3000))),
     "the rows of 'NDJSON' have too many different keys"),
    ("unknown column", b'{"a": 1, "B": "x"}',
     f"line 1: unknown columns: 'B' (did you mean 'b'?). The model takes: 'a', 'b'. {CARRIED}"),
    ("unknown column in a later line", b'{"a": 1}\n\n{"a": 1, "c": 2}\n{"a": 1, "c": 2}',
     f"line 3: unknown columns: 'c'. The model takes: 'a', 'b'. {CARRIED}"),
    ("unknown column with a long name", b'{"a": 1, "%s": 2}' % (b"c" * 81),
     f"unknown columns: '{'c' * 79}…'. The model takes: 'a', 'b'. {CARRIED}"),
    ("no column that the model takes", b'{"x": 1}',
     "missing columns: 'a'; unknown columns: 'x'. The model takes: 'a', 'b'"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "message"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_refused_lines(body: bytes, message: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        read(TYPED, body, NDJSON)
    assert refusal.value.message == message


@pytest.mark.parametrize("body", [b'{"a":' * 2000, b'{"a":' + b"[" * 2000 + b"]" * 2000 + b"}"])
def test_too_many_levels(body: bytes) -> None:
    with pytest.raises(BadRequest, match="line 1: it is not valid JSON"):
        read(TYPED, body, NDJSON)


def test_details_have_the_row_and_the_line() -> None:
    with pytest.raises(InvalidInput) as refusal:
        read(TYPED, b'\n{"a": 1}\n{"a": "x", "b": [1]}', NDJSON)
    assert refusal.value.details == [
        {"row": 1, "line": 3, "column": name, "expected": expected, "found": found}
        for name, expected, found in (
            ("a", "a whole number of 64 bits", "text"),
            ("b", "text", "an array"),
        )
    ]


@pytest.mark.parametrize("second", [b'{"a": 2}', b'{"a": NaN}'])
def test_lines_sent_as_json_are_told_their_media_type(second: bytes) -> None:
    with pytest.raises(BadRequest) as refusal:
        read(TYPED, b'{"a": 1}\r\n' + second, JSON)
    assert refusal.value.message == (
        "the body is not JSON, but looks like NDJSON: send it with the content type "
        "application/x-ndjson"
    )


FRAME = pd.DataFrame({"a": [1, 2], "b": ['x "y"\n', None]})


def by_polars() -> bytes:
    file = io.BytesIO()
    pl.DataFrame({"a": [1, 2], "b": ['x "y"\n', None]}).write_ndjson(file)
    return file.getvalue()


@pytest.mark.parametrize(
    "body",
    [
        FRAME.to_json(orient="records", lines=True).encode(),
        by_polars(),
        ndjson_text(["a", "b"], [[1, 'x "y"\n'], [2, None]]).encode(),
    ],
    ids=["pandas", "polars", "ours"],
)
def test_what_writers_of_lines_write(body: bytes) -> None:
    pd.testing.assert_frame_equal(read(TYPED, body, NDJSON).data, FRAME)


def test_too_many_lines_are_refused_also_blank_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_text, "MOST_PARTS", 3)
    declared = signature(column("long", "a"))
    assert read(declared, b'\n\n{"a": 1}\n', NDJSON).rows == 1
    many = b'{"a": 1}\n' * 4  # one in 9 bytes
    assert read(declared, many, NDJSON).rows == 4
    for body in (b'\n\n\n{"a": 1}\n', b" \n{}\n{}\n{}\n"):
        with pytest.raises(BadRequest, match="the body has more than 3 lines"):
            read(declared, body, NDJSON)
