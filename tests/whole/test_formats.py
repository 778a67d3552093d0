"""The format table: what stands in it is read, listed and shown, and nothing else is."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from modelserver.describing.description import base_description, describe
from modelserver.errors import ApiError, BadRequest, UnsupportedMediaType
from modelserver.hosting.settings import read_settings
from modelserver.loading.loader import load_model
from modelserver.reading.formats import CSV, FORMATS, JSON, PARQUET, Format
from modelserver.reading.json_text import decode_json
from modelserver.reading.signatures.compiling import compile_signature
from modelserver.reading.signatures.signature import Payload, Signature
from modelserver.scoring.model import Model
from modelserver.scoring.request import Request, score
from modelserver.types.kind import what_is
from modelserver.types.tables import read_records

LINES = "application/x-lines"


def lines_payload(body: bytes, signature: Signature, limit: int) -> Payload:
    """A table from a JSON object per line. Each line is checked by itself, so that no line can end
    the table or hold two rows. Blank lines are left out."""
    lines = enumerate(body.splitlines(), start=1)
    rows = [_object(line, number) for number, line in lines if line.strip()]
    return signature.read_table(read_records(rows))


def _object(line: bytes, number: int) -> Any:
    try:
        value = decode_json(line, exact_integers=True)
    except BadRequest as error:
        raise BadRequest(f"line {number}, read by itself: {error.message}") from None
    if not isinstance(value, dict):
        raise BadRequest(f"line {number} is {what_is(value)}, not an object")
    return value


def lines_text(names: Sequence[object], rows: Sequence[Sequence[Any]]) -> str:
    """Rows of JSON values as an object per line."""
    objects = (dict(zip(map(str, names), row, strict=True)) for row in rows)
    return "".join(f"{json.dumps(each)}\n" for each in objects)


NEW = Format(
    LINES,
    "LINES",
    reader=lines_payload,
    about="One JSON object per line.",
    write=lines_text,
)


@pytest.fixture
def with_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FORMATS, LINES, NEW)


@pytest.fixture
def loaded(model_path: Callable[[str], Path]) -> Callable[[str], Model]:
    return lambda name: load_model(read_settings({"MODEL_URI": str(model_path(name))}))


def content_of(model: Model) -> dict[str, Any]:
    document = describe(base_description().document, model, "").document
    content: dict[str, Any] = document["paths"]["/invocations"]["post"]["requestBody"]["content"]
    return content


def refusal(model: Model, body: bytes, content_type: str) -> ApiError:
    with pytest.raises(ApiError) as raised:
        score(model, Request(body, content_type, None, 1000))
    return raised.value


@pytest.mark.usefixtures("with_new")
def test_a_new_row_is_all_that_a_format_needs(loaded: Callable[[str], Model]) -> None:
    model = loaded("two_longs")
    shown = content_of(model)[LINES]
    assert shown["schema"] == {"type": "string", "description": "One JSON object per line."}
    example = shown["examples"]["lines"]
    assert example == {
        "summary": "A table as LINES, with made-up values",
        "value": '{"a": 1, "b": 1}\n',
    }
    scored = score(model, Request(example["value"].encode(), LINES, None, 1000))
    same = b'{"dataframe_records": [{"a": 1, "b": 1}]}'
    assert scored == score(model, Request(same, JSON, None, 1000))
    assert refusal(model, b"{}", "text/html").headers == {"Accept-Post": ", ".join([*FORMATS])}
    assert (
        LINES
        in base_description().document["paths"]["/invocations"]["post"]["requestBody"]["content"]
    )


@pytest.mark.usefixtures("with_new")
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            b'{"a": 1, "b": 2}\n{"a": 1, "b": x}',
            "line 2, read by itself: the body is not valid",
        ),
        (
            b'{"a": 1, "b": 2}, {"a": 3, "b": 4}',
            "line 1, read by itself: the body is not valid",
        ),
        (b'{"a": 1, "b": 2}\n{"a": 1, "b": "x"}', "row 1, column 'b': expected a whole number"),
        (b'{"a": 1, "b": 2}\n\n[1]', "line 3 is an array, not an object"),
    ],
)
def test_what_is_wrong_has_its_place(
    body: bytes, message: str, loaded: Callable[[str], Model]
) -> None:
    assert message in refusal(loaded("two_longs"), body, LINES).message


@pytest.mark.usefixtures("with_new")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nested", "column 'numbers' takes an array, which LINES cannot hold; send JSON"),
        ("tensor", "the model takes tensors, which LINES cannot hold; send JSON"),
    ],
)
def test_what_a_row_does_not_name_is_refused_and_not_shown(
    name: str, message: str, loaded: Callable[[str], Model]
) -> None:
    model = loaded(name)
    assert refusal(model, b"{}", LINES).message == message
    assert {JSON, PARQUET} == content_of(model).keys() & {JSON, CSV, LINES, PARQUET}


@pytest.mark.usefixtures("with_new")
@pytest.mark.parametrize("name", ["chat", "hint_texts"])
def test_chats_and_values_are_documented_as_json(name: str, loaded: Callable[[str], Model]) -> None:
    assert list(content_of(loaded(name))) == [JSON]


@pytest.mark.parametrize("needs", ["no_such_package", "pyarrow>=999"])
def test_without_its_package_a_format_is_unsupported(needs: str) -> None:
    row = replace(FORMATS[PARQUET], needs=needs)
    with pytest.raises(UnsupportedMediaType) as raised:
        row.read(b"PAR1", compile_signature(None, False), 1000)
    assert raised.value.message == f"this server cannot read Parquet: {needs} is not installed"


def test_a_new_media_type_is_refused_before_it_is_a_row(loaded: Callable[[str], Model]) -> None:
    assert refusal(loaded("two_longs"), b"{}", "application/x-other").status == 415
