"""The table of answer formats: which one a client gets."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from modelserver.errors import ModelFailed, NotAcceptable
from modelserver.scoring.answering.formats import (
    ANSWER_FORMATS,
    CSV_ANSWER,
    JSON_ANSWER,
    QUOTED_CSV,
    accepted,
    chosen,
    named,
)
from tests.scoring.answering.test_accept import BROWSER

ALL = (
    "application/json, text/csv, application/x-ndjson, application/jsonl, "
    "application/json-lines, application/vnd.apache.parquet, application/vnd.apache.arrow.stream"
)


@pytest.fixture
def without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("parquet", "arrow"):
        row = replace(ANSWER_FORMATS[name], needs="no_such_package")
        monkeypatch.setitem(ANSWER_FORMATS, name, row)
    accepted.cache_clear()
    yield
    accepted.cache_clear()


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (None, "json"),
        ("", "json"),
        ("*/*", "json"),
        (BROWSER, "json"),
        ("application/*", "json"),
        ("application/json, text/xml, application/xml, */*", "json"),
        ("application/json, text/csv", "json"),
        ("text/plain, */*;q=0.1", "json"),
        ("text/csv", "csv"),
        ("text/csv, */*;q=0.1", "csv"),
        ("text/*", "csv"),
        ("text/csv;q=0.5, application/x-ndjson", "ndjson"),
        ("application/jsonl", "ndjson"),
        ("Application/vnd.apache.parquet", "parquet"),
        ("application/vnd.apache.arrow.stream;q=1", "arrow"),
    ],
)
def test_the_accept_header(header: str | None, name: str) -> None:
    assert accepted(header).name == name


@pytest.mark.parametrize("header", ["image/png", "text/html", "application/json;q=0"])
def test_nothing_that_is_accepted(header: str) -> None:
    with pytest.raises(NotAcceptable) as raised:
        accepted(header)
    assert raised.value.message == f"an answer can be one of {ALL}; Accept has none of them"


def test_the_parameter_wins_and_the_setting_quotes() -> None:
    assert chosen(None, None, True) is JSON_ANSWER
    assert chosen(CSV_ANSWER, "application/json", False) is CSV_ANSWER
    assert chosen(None, "text/csv", True) is QUOTED_CSV
    assert QUOTED_CSV.write({"a": ["=b"]}) == b"a\r\n'=b\r\n"


@pytest.mark.usefixtures("without_pyarrow")
def test_without_its_package_a_format_is_not_offered() -> None:
    with pytest.raises(NotAcceptable) as raised:
        accepted("application/vnd.apache.parquet")
    assert "application/json-lines; Accept" in raised.value.message
    with pytest.raises(NotAcceptable) as raised:
        named("parquet")
    assert raised.value.message == (
        "this server cannot write Parquet: no_such_package is not installed; "
        "format can be one of json, csv, ndjson"
    )


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("json", b'{"predictions":[{"a":1,"b":null},{"a":2,"b":"x"}]}'),
        ("csv", b"a,b\r\n1,\r\n2,x\r\n"),
        ("ndjson", b'{"a":1,"b":null}\n{"a":2,"b":"x"}\n'),
    ],
)
def test_texts(name: str, body: bytes) -> None:
    assert named(name).write({"a": [1, 2], "b": [None, "x"]}) == body


@pytest.mark.parametrize("name", ["csv", "ndjson", "parquet"])
def test_what_no_format_holds(name: str) -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(ModelFailed, match="nested too deeply"):
        named(name).write({"a": endless})
