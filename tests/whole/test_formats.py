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
from modelserver.reading.formats import ARROW, CSV, FORMATS, JSON, PARQUET, Format
from modelserver.reading.json_text import decode_json
from modelserver.reading.signatures.compiling import compile_signature
from modelserver.reading.signatures.signature import Payload, Signature
from modelserver.scoring.model import Model
from modelserver.scoring.request import Request, score
from modelserver.types.kind import what_is
from modelserver.types.tables import read_records

SEQUENCE = "application/json-seq"


def sequence_payload(body: bytes, signature: Signature, limit: int) -> Payload:
    """A table from a sequence of JSON objects, each after the character 0x1E (RFC 7464)."""
    texts = enumerate(body.split(b"\x1e")[1:])
    return signature.read_table(read_records([_object(text, row) for row, text in texts]))


def _object(text: bytes, row: int) -> Any:
    try:
        value = decode_json(text, exact_integers=True)
    except BadRequest as error:
        raise BadRequest(f"row {row}, read by itself: {error.message}") from None
    if not isinstance(value, dict):
        raise BadRequest(f"row {row} is {what_is(value)}, not an object")
    return value


def sequence_text(names: Sequence[object], rows: Sequence[Sequence[Any]]) -> str:
    """Rows of JSON values as a sequence of objects."""
    objects = (dict(zip(map(str, names), row, strict=True)) for row in rows)
    return "".join(f"\x1e{json.dumps(each)}\n" for each in objects)


NEW = Format(
    SEQUENCE,
    "SEQUENCE",
    reader=sequence_payload,
    about="A sequence of JSON objects.",
    write=sequence_text,
)


@pytest.fixture
def with_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FORMATS, SEQUENCE, NEW)


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
    shown = content_of(model)[SEQUENCE]
    assert shown["schema"] == {"type": "string", "description": "A sequence of JSON objects."}
    example = shown["examples"]["sequence"]
    assert example == {
        "summary": "A table as SEQUENCE, with made-up values",
        "value": '\x1e{"a": 1, "b": 1}\n',
    }
    scored = score(model, Request(example["value"].encode(), SEQUENCE, None, 1000))
    same = b'{"dataframe_records": [{"a": 1, "b": 1}]}'
    assert scored == score(model, Request(same, JSON, None, 1000))
    assert refusal(model, b"{}", "text/html").headers == {"Accept-Post": ", ".join([*FORMATS])}
    assert (
        SEQUENCE
        in base_description().document["paths"]["/invocations"]["post"]["requestBody"]["content"]
    )


@pytest.mark.usefixtures("with_new")
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            b'\x1e{"a": 1, "b": 2}\n\x1e{"a": 1, "b": x}',
            "row 1, read by itself: the body is not valid",
        ),
        (
            b'\x1e{"a": 1, "b": 2}\x1e{"a": 1, "b": "x"}',
            "row 1, column 'b': expected a whole number",
        ),
        (b'\x1e{"a": 1, "b": 2}\x1e[1]', "row 1 is an array, not an object"),
    ],
)
def test_what_is_wrong_has_its_place(
    body: bytes, message: str, loaded: Callable[[str], Model]
) -> None:
    assert message in refusal(loaded("two_longs"), body, SEQUENCE).message


def test_a_body_of_a_new_format_is_known_by_its_beginning(
    loaded: Callable[[str], Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FORMATS, SEQUENCE, replace(NEW, starts=(b"\x1e",)))
    meant = f"looks like SEQUENCE: send it with the content type {SEQUENCE}"
    fault = refusal(loaded("two_longs"), b'\n\x1e{"a": 1, "b": 2}', JSON)
    assert fault.message == f"the body is not JSON, but {meant}"
    fault = refusal(loaded("two_longs"), b'\n\x1e{"a": 1}', SEQUENCE)
    assert fault.message.startswith("missing columns: 'b'")


@pytest.mark.usefixtures("with_new")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nested", "column 'numbers' takes an array, which SEQUENCE cannot hold; send JSON"),
        ("tensor", "the model takes tensors, which SEQUENCE cannot hold; send JSON"),
    ],
)
def test_what_a_row_does_not_name_is_refused_and_not_shown(
    name: str, message: str, loaded: Callable[[str], Model]
) -> None:
    model = loaded(name)
    assert refusal(model, b"{}", SEQUENCE).message == message
    assert {JSON, PARQUET} == content_of(model).keys() & {JSON, CSV, SEQUENCE, PARQUET}


@pytest.mark.usefixtures("with_new")
@pytest.mark.parametrize("name", ["chat", "hint_texts"])
def test_chats_and_values_are_documented_as_json(name: str, loaded: Callable[[str], Model]) -> None:
    assert list(content_of(loaded(name))) == [JSON]


@pytest.mark.parametrize("needs", ["no_such_package", "pyarrow>=999"])
@pytest.mark.parametrize("media_type", [PARQUET, ARROW])
def test_without_its_package_a_format_is_unsupported(needs: str, media_type: str) -> None:
    row = replace(FORMATS[media_type], needs=needs)
    with pytest.raises(UnsupportedMediaType) as raised:
        row.read(b"PAR1", compile_signature(None, False), 1000)
    assert raised.value.message == f"this server cannot read {row.name}: {needs} is not installed"


def test_without_its_package_a_format_is_not_documented(
    loaded: Callable[[str], Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = loaded("two_longs")
    assert {PARQUET, ARROW} <= content_of(model).keys()
    for media_type in (PARQUET, ARROW):
        row = replace(FORMATS[media_type], needs="no_such_package")
        monkeypatch.setitem(FORMATS, media_type, row)
    base = base_description().document["paths"]["/invocations"]["post"]["requestBody"]["content"]
    assert not {PARQUET, ARROW} & (content_of(model).keys() | base.keys())


def test_a_new_media_type_is_refused_before_it_is_a_row(loaded: Callable[[str], Model]) -> None:
    assert refusal(loaded("two_longs"), b"{}", "application/x-other").status == 415
