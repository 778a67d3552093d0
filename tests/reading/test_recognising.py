"""Bodies that are not what their content type says: the answer names the one to send."""

import io
import json
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pytest

from modelserver.errors import ApiError, BadRequest, UnsupportedMediaType
from modelserver.reading.formats import ARROW, CSV, FORMATS, JSON, NDJSON, PARQUET
from modelserver.reading.media import format_of
from modelserver.reading.recognising import BEGINNING, is_csv, is_json, is_ndjson, may_be_ndjson
from modelserver.reading.signatures.signature import Signature
from tests.support.signatures import LIMIT, column, signature, tensor

TWO = signature(column("long", "a"), column("string", "b"))

RECORDS = [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]

FRAME = pd.DataFrame(RECORDS)


def arrow() -> bytes:
    file, table = io.BytesIO(), pa.Table.from_pandas(FRAME)
    with pa.ipc.new_stream(file, table.schema) as stream:
        stream.write_table(table)
    return file.getvalue()


def feather() -> bytes:
    file = io.BytesIO()
    pyarrow.feather.write_feather(FRAME, file)
    return file.getvalue()


BODIES: dict[str, tuple[str, bytes]] = {
    "records": (JSON, json.dumps({"dataframe_records": RECORDS}).encode()),
    "bare records": (JSON, json.dumps(RECORDS).encode()),
    "indented": (JSON, json.dumps({"dataframe_records": RECORDS}, indent=2).encode()),
    "split without blanks": (
        JSON,
        b'{"dataframe_split":{"columns":["a","b"],"data":[[1,"x"],[2,"y"]]}}',
    ),
    "by Python's str": (JSON, b"{'dataframe_records': [{'a': 1, 'b': 'x'}]}"),
    "lines": (NDJSON, b'{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n'),
    "lines of Windows": (NDJSON, b'{"a": 1, "b": "x"}\r\n\r\n{"a": 2, "b": "y"}'),
    "commas": (CSV, b"a,b\n1,x\n2,y\n"),
    "semicolons": (CSV, b'\xef\xbb\xbf"a";"b"\r\n1;x\r\n'),
    "stated": (CSV, b"sep=|\nA|B\n1|x\n"),
    "Parquet": (PARQUET, FRAME.to_parquet()),
    "Arrow": (ARROW, arrow()),
    "Feather": (ARROW, feather()),
}


def refusal(body: bytes, media_type: str, declared: Signature = TWO) -> ApiError:
    with pytest.raises(ApiError) as refused:
        FORMATS[media_type].read(body, declared, LIMIT)
    return refused.value


@pytest.mark.parametrize(
    ("name", "media_type"),
    [(name, other) for name, (own, _) in BODIES.items() for other in FORMATS if other != own],
)
def test_a_body_of_another_format(name: str, media_type: str) -> None:
    meant, body = BODIES[name]
    fault = refusal(body, media_type)
    assert (type(fault), list(fault.details)) == (BadRequest, [])
    assert fault.message == (
        f"the body is not {FORMATS[media_type].name}, but looks like {FORMATS[meant].name}: send "
        f"it with the content type {meant}"
    )


@pytest.mark.parametrize("name", BODIES)
def test_a_body_of_its_own_format_is_told_its_own_fault(name: str) -> None:
    media_type, body = BODIES[name]
    other = signature(column("long", "a"), column("binary", "b"), column("long", "c"))
    assert "looks like" not in refusal(body, media_type, other).message


@pytest.mark.parametrize(
    ("media_type", "body", "said"),
    [
        (NDJSON, b'{"a": 1, "b": 5.5}', "line 1, column 'b': expected text"),
        (NDJSON, b'{"a": 1, "b": ', "line 1: it is not valid JSON"),
        (NDJSON, b'{"a": 1\n{"a": 2, "b": "x"}', "line 1: it is not valid JSON"),
        (NDJSON, b'{"a": 1,}\n{"a": 2, "b": "x"}', "line 1: it is not valid JSON"),
        (JSON, b'{"a": 1, "b": 5.5}', "row 0, column 'b': expected text"),
        (JSON, b'[{"a": 1}\n{"a": 2}]', "the body is not valid JSON: "),
        (JSON, b"alpha beta", "the body is not valid JSON: "),
        (JSON, b"Hello, how are you?\nFine, thanks", "the body is not valid JSON: "),
        (CSV, b"c,d\n1,2\n", "the first line holds none of the model's columns"),
        (CSV, b"PAR1,a\n1,2\n", "missing columns: 'b'"),
        (CSV, b"a,b\nx,{1}\n", "row 0, column 'a': expected a whole number"),
        (PARQUET, b"alpha beta", "the body is not a Parquet file that can be read"),
        (PARQUET, b"\0a,b\n1,2", "the body is not a Parquet file that can be read"),
        (PARQUET, b"", "the body is not a Parquet file that can be read"),
        (JSON, "a,b\n1,ü\n".encode("latin-1"), "the body is not UTF-8 text"),
    ],
)
def test_what_no_other_format_explains(media_type: str, body: bytes, said: str) -> None:
    assert refusal(body, media_type).message.startswith(said)


def test_a_column_may_have_the_name_of_an_input_form() -> None:
    declared = signature(column("long", "inputs"))
    body = b'{"inputs": "x"}\n'
    assert refusal(body, NDJSON, declared).message.startswith("line 1, column 'inputs': expected")
    assert "looks like JSON" in refusal(b'{"inputs": [1]}\n', NDJSON).message


@pytest.mark.parametrize("declared", [signature(column("double"), column("double")), None])
@pytest.mark.parametrize("media_type", [JSON, PARQUET])
def test_csv_for_a_model_without_names_is_a_header_above_numbers(
    media_type: str, declared: Signature | None
) -> None:
    declared = declared or signature(tensor("float64", -1, 2))
    assert "looks like CSV" in refusal(b"a;b\n1.5;2\n", media_type, declared).message
    for body in (b"a;b\nx;y\n", b"1;2\n3;4\n", b"a;b\n1;2;3\n", b"a\n1\n", b"a;b"):
        assert "looks like" not in refusal(body, media_type, declared).message


@pytest.mark.parametrize("media_type", FORMATS)
@pytest.mark.parametrize(
    ("start", "said"),
    [
        (b"\x1f\x8b\x08", "gzip data; send the header Content-Encoding: gzip with it"),
        (b"PK\x03\x04", "a ZIP archive, as Excel's workbooks are; save it as CSV (UTF-8), and send "
         "that with the content type text/csv"),
        (b"\xd0\xcf\x11\xe0", "a file of an older Microsoft Office; save it as CSV (UTF-8), and "
         "send that with the content type text/csv"),
    ],
)  # fmt: skip
def test_kinds_of_files_that_are_not_read(start: bytes, said: str, media_type: str) -> None:
    assert refusal(start + bytes(100), media_type).message == f"the body is {said}"


def test_a_format_whose_package_is_absent_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelserver.reading.formats._is_installed", lambda requirement: False)
    assert refusal(FRAME.to_parquet(), JSON).message.startswith("the body is not UTF-8 text")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (BODIES["records"][1], "the body looks like JSON, which is application/json"),
        (BODIES["lines"][1], "the body looks like NDJSON, which is application/x-ndjson"),
        (BODIES["commas"][1], "the body looks like CSV, which is text/csv"),
        (BODIES["Parquet"][1], f"the body looks like Parquet, which is {PARQUET}"),
        (b"PK\x03\x04", "the body is a ZIP archive, as Excel's workbooks are; save it as CSV "
         "(UTF-8), and send that with the content type text/csv"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("media_type", ["application/octet-stream", "application/csv", "text/json"])
def test_a_content_type_that_is_not_read(media_type: str, body: bytes, said: str) -> None:
    with pytest.raises(UnsupportedMediaType) as refused:
        format_of(media_type, body)
    assert refused.value.message == f"the content type must be one of {', '.join(FORMATS)}; {said}"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"a": 1}\n{"a": 2}', NDJSON),
        (b'\xef\xbb\xbf\r\n{"a": 1}\r\n \r\n{"a": 2}\r\n', NDJSON),
        (b'{"a": 1}\n{"a": 2', NDJSON),
        (b'{"a": 1}\n{', NDJSON),
        (b'{"a": 1}', JSON),
        (b'{"a": 1}\n', JSON),
        (b'{"a": 1}\n\n', JSON),
        (b'{"a": {}\n, "b": 1}', JSON),
        (b'{"a": 1,}\n{"a": 2}', JSON),
        (b'{\n"a": [{"b": 1}\n, {"b": 2}]}', JSON),
        (b'[{"a": 1}]\n[{"a": 2}]', JSON),
        (b'{"a": 1}\n[1]', JSON),
    ],
)
def test_lines_of_objects_are_recognised_without_a_content_type(body: bytes, expected: str) -> None:
    for content_type in (None, "text/plain", "application/x-www-form-urlencoded"):
        assert format_of(content_type, body).media_type == expected
    assert format_of(JSON, body).media_type == JSON


def test_the_end_of_a_long_first_line_is_not_searched_for() -> None:
    body = json.dumps({"a": 1, "b": "x" * BEGINNING}).encode() + b'\n{"a": 2, "b": "y"}'
    assert not is_ndjson(body)
    assert "looks like NDJSON" in refusal(body, JSON).message


def test_lines_without_a_content_type_are_read() -> None:
    body = BODIES["lines"][1]
    assert format_of(None, body).read(body, TWO, LIMIT).data["a"].tolist() == [1, 2]


@pytest.mark.parametrize("value", [1, "x", None, [1, [2]], {"a": {"b": [{}]}}, [], {}, [[]]])
@pytest.mark.parametrize("indent", [None, 1])
def test_no_json_is_taken_for_lines_or_csv(value: Any, indent: int | None) -> None:
    body = json.dumps({"a": [value, {"a": value}]}, indent=indent).encode()
    assert (is_json(body), is_ndjson(body), is_csv(body, {"a"})) == (True, False, False)


def test_what_may_be_lines_has_no_key_of_a_form() -> None:
    assert may_be_ndjson(b' {"a": 1}', ())
    assert not may_be_ndjson(b' { "instances" : 1}', ())
    assert may_be_ndjson(b'{"instances": 1}', {"instances"})
    assert not may_be_ndjson(b"[1]", ())
    assert not may_be_ndjson(b'{\n"a": 1}', ())


def test_a_long_first_line_does_not_matter() -> None:
    names = [f"column{number}" for number in range(20_000)]
    body = (",".join(names) + "\n" + ",".join(["1"] * len(names)) + "\n").encode()
    assert len(body) > 100_000
    assert is_csv(body, {"column7"})


def test_letters_that_are_cut_in_the_middle() -> None:
    body = b"a,b\n" + "ü".encode() * 40_000
    assert is_csv(body, {"a"})
    assert is_csv(b"x" + body, {"b"})
