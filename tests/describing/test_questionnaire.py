"""What the page asks a person for, from the signature of a model."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from modelserver.describing.description import base_description, describe
from modelserver.describing.document import Answered, Subject
from modelserver.describing.forms import Example
from modelserver.describing.inputs import inputs_of
from modelserver.describing.questionnaire import BLANK, Field, Questionnaire, questionnaire
from modelserver.hosting.settings import read_settings
from modelserver.loading.loader import load_model
from modelserver.reading.signatures.compiling import compile_signature
from tests.support.signatures import column, tensor

Ask = Callable[[str], Questionnaire]


@pytest.fixture
def asked(client: Callable[..., TestClient]) -> Ask:
    def of(name: str) -> Questionnaire:
        app: Any = client(name).app
        made: Questionnaire = app.state.service.lifecycle.description.questionnaire
        return made

    return of


def test_columns_by_names(asked: Ask) -> None:
    wine = asked("wine")
    assert (wine.sends, wine.params, wine.takes_csv) == ("records", [], True)
    assert wine.fields == wine.inputs
    assert wine.fields[0] == Field("alcohol", "double", True, "14.23")
    assert [(field.control, field.example) for field in wine.fields[3:]] == [
        ("number", "127"),
        ("number", "1065"),
        ("text", "deep"),
        ("boolean", "false"),
    ]


@pytest.mark.parametrize(
    ("name", "takes_include"),
    [
        ("wine", True),
        ("unnamed_mixed", False),
        ("no_signature", False),
        ("chat", False),
    ],
)
def test_whether_columns_may_stand_in_the_answer(
    name: str, takes_include: bool, asked: Ask
) -> None:
    assert asked(name).takes_include is takes_include


@pytest.mark.parametrize(
    ("name", "sends", "fields", "takes_csv"),
    [
        ("unnamed_mixed", "rows", ["0", "1"], True),
        ("integer_names", "records", ["0", "1"], True),
        ("nested", "records", ["numbers", "person", "counts", "anything", "points"], False),
        ("tensor", "inputs", ["inputs"], False),
        ("tensors", "inputs", ["inputs"], False),
        ("hint_people", "inputs", ["inputs"], False),
        ("hint_example", "rows", ["0"], True),
        ("chat", "body", ["Request"], False),
        ("no_signature", "body", ["Request"], True),
    ],
)
def test_what_is_sent(
    name: str, sends: str, fields: list[str], takes_csv: bool, asked: Ask
) -> None:
    of_model = asked(name)
    names = [field.name for field in of_model.fields]
    assert (of_model.sends, names, of_model.takes_csv) == (sends, fields, takes_csv)


def test_json_is_typed_as_json(asked: Ask) -> None:
    examples = {field.name: field.example for field in asked("nested").fields}
    assert examples["anything"] == '"text"'
    assert examples["person"] == '{"age": 1, "name": "text"}'


def test_long_json_stands_on_several_lines(asked: Ask) -> None:
    (field,) = asked("chat").fields
    assert field.example.startswith('{\n  "messages": [\n    {\n      "role": "')
    assert '"Hello!"\n    }\n  ],\n  "temperature": 1.0,\n' in field.example


def test_null_stands_in_json_at_any_depth() -> None:
    example = '{\n  "inputs": null\n}'
    answered = [Answered(Example("inputs", "", "application/json", {"inputs": None}), None)]
    inputs = inputs_of(compile_signature(None, from_type_hint=False), {})
    subject = Subject("m", "1", "", inputs, (), "", examples=answered)
    assert questionnaire(subject).fields == [Field("Request", "JSON", example=example)]


def test_a_model_without_signature_and_example_has_an_empty_field(asked: Ask) -> None:
    assert asked("no_signature").fields == BLANK.fields == [Field("Request", "JSON")]


def test_params_show_their_defaults(asked: Ask) -> None:
    params = {param.name: param for param in asked("with_params").params}
    assert params["ratio"] == Field("ratio", "float", False, "0.5")
    assert params["weights"].example == "[1.0, 2.0]"
    assert params["flag"].example == "false"


def test_inputs_as_they_are_declared(asked: Ask) -> None:
    assert asked("tensor").inputs == [Field("inputs", "array of float64, any length by 2")]
    assert [field.name for field in asked("tensors").inputs] == ["x", "n"]
    assert asked("hint_texts").inputs == [Field("inputs", "string", example="text")]
    optional = asked("all_optional").inputs
    assert [field.name for field in optional if field.required] == [optional[0].name]


@pytest.mark.parametrize(
    ("spec", "shown"),
    [
        (tensor("object", -1), "array of any type, any length"),
        (tensor("str", -1, 3), "array of string, any length by 3"),
        (tensor("bytes", 2), "array of bytes, 2"),
        (column("long"), "long"),
    ],
)
def test_types_in_plain_words(spec: dict[str, Any], shown: str) -> None:
    inputs = inputs_of(compile_signature(None, from_type_hint=False), {})
    (output,) = questionnaire(Subject("m", "1", "", inputs, [spec], "")).outputs
    assert output.type == shown


def test_outputs_that_the_model_keeps_to(asked: Ask) -> None:
    assert asked("hint_texts").outputs == [Field("", "string")]
    assert [field.type for field in asked("sums").outputs] == [
        "Array(double)",
        "Array({gaps: Array(double)})",
        "string",
    ]
    assert asked("nested").outputs == []


def test_an_edited_document_changes_nothing(model_path: Callable[[str], Path]) -> None:
    """Of what an editor may write or take out, nothing reaches the page's form."""
    base = base_description().document
    base["paths"] = {"/invocations": base["paths"]["/invocations"]}
    post = base["paths"]["/invocations"]["post"]
    post["requestBody"]["content"] = {"application/json": {"examples": {"inputs": {"value": 1}}}}
    base["components"]["schemas"] |= {"Row": {}, "Tensors": {}, "ChatInput": {}}
    for name in ("wine", "tensor", "no_signature"):
        model = load_model(read_settings({"MODEL_URI": str(model_path(name))}))
        edited = describe(base, model, "").questionnaire
        assert edited == describe(base_description().document, model, "").questionnaire


@pytest.mark.parametrize(
    ("name", "methods", "formats"),
    [
        ("wine", 4, ["json", "csv", "ndjson", "parquet", "arrow"]),
        ("no_signature", 1, ["json", "csv", "ndjson", "parquet", "arrow"]),
        ("chat", 1, []),
    ],
)
def test_what_can_be_chosen(name: str, methods: int, formats: list[str], asked: Ask) -> None:
    of_model = asked(name)
    assert len(of_model.methods) == methods
    assert [row.name for row in of_model.formats] == formats
