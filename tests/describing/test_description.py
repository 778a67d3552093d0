"""The OpenAPI document: what is filled in for each kind of model, and what is left alone."""

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from jsonschema import Draft202012Validator
from mlflow.models import ModelSignature
from mlflow.types import ParamSchema, ParamSpec, Schema, TensorSpec
from openapi_spec_validator import validate as validate_openapi
from starlette.testclient import TestClient

from modelserver.app import PATHS, create_app
from modelserver.describing.description import BASE, base_description, describe
from modelserver.describing.document import BaseError, Document, read_base
from modelserver.errors import ModelFailed
from modelserver.hosting.settings import read_settings
from modelserver.lifecycle import Lifecycle
from modelserver.loading.loader import load_model
from modelserver.reading.formats import CSV, FORMATS, JSON, PARQUET
from modelserver.scoring.answering.formats import ANSWER_FORMATS
from modelserver.scoring.model import Model
from modelserver.scoring.query import PARAMETERS
from tests.support.measuring import unmeasured
from tests.support.zoo import MODELS, Echo, _columns, save_pyfunc

Open = Callable[..., TestClient]

QUICK = sorted(MODELS.keys() - {"sleeps"})

# Models that predict nothing of what can be made up for them.
WITHOUT_EXAMPLES = {
    "always_down",
    "ends",
    "hint_customers",
    "no_signature",
    "unsigned",
    "unsigned_array",
    "unsigned_numbers",
}

FORMS = ["records", "split", "inputs", "instances"]

NESTED_FILES = [row.name.lower() for row in FORMATS.values() if row.write and row.nested]
FILES = [row.name.lower() for row in FORMATS.values() if row.write]


@pytest.fixture
def document(client: Open) -> Callable[[str], Document]:
    return lambda name: client(name).get("/openapi.json").json()


@pytest.fixture
def loaded(model_path: Callable[[str], Path]) -> Callable[[str], Model]:
    return lambda name: load_model(read_settings({"MODEL_URI": str(model_path(name))}))


def described(model: Model, logged: bytes | None = None) -> Document:
    """The document of a model, as if the body `logged` had been logged with it."""
    with_example = model if logged is None else replace(model, example=logged)
    return describe(base_description().document, with_example, "").document


def saved(path: Path, names: list[str], types: str = "double", **options: Any) -> Model:
    signature = ModelSignature(_columns(*((types, name) for name in names)))
    save_pyfunc(path, Echo(), signature=signature, **options)
    return load_model(read_settings({"MODEL_URI": str(path)}))


def post(document: Document) -> Document:
    operation: Document = document["paths"]["/invocations"]["post"]
    return operation


def request_examples(document: Document) -> dict[str, tuple[str, Any]]:
    """Name → media type and body."""
    return {
        name: (media_type, example["value"])
        for media_type, content in post(document)["requestBody"]["content"].items()
        for name, example in content.get("examples", {}).items()
    }


def answer_examples(document: Document) -> dict[str, Any]:
    content = post(document)["responses"]["200"]["content"]["application/json"]
    return {name: example["value"] for name, example in content.get("examples", {}).items()}


def validate(document: Document) -> None:
    with unmeasured():
        validate_openapi(document)


def faults(document: Document, component: str, value: Any) -> list[str]:
    """What of the value is not as the component's schema says."""
    schema = {"$ref": f"#/components/schemas/{component}", "components": document["components"]}
    return [error.message for error in Draft202012Validator(schema).iter_errors(value)]


@pytest.mark.repeats
@pytest.mark.parametrize("name", QUICK)
def test_valid_for_every_model(name: str, document: Callable[[str], Document]) -> None:
    validate(document(name))


@pytest.mark.repeats
@pytest.mark.parametrize("name", QUICK)
def test_every_example_is_predicted_as_shown(
    name: str, document: Callable[[str], Document], client: Open
) -> None:
    requests, answers = request_examples(document(name)), answer_examples(document(name))
    assert requests.keys() == answers.keys()
    assert bool(requests) is (name not in WITHOUT_EXAMPLES)
    for form, (media_type, value) in requests.items():
        body = json.dumps(value).encode() if media_type == JSON else value.encode()
        headers = {"Content-Type": media_type}
        response = client(name).post("/invocations", content=body, headers=headers)
        assert response.status_code == 200, (form, response.text)
        if name != "chat":  # which says when it was asked
            assert response.json() == answers[form], form


@pytest.mark.repeats
@pytest.mark.parametrize("name", QUICK)
def test_examples_and_answers_fit_their_schemas(
    name: str, document: Callable[[str], Document]
) -> None:
    for media_type, value in request_examples(document(name)).values():
        assert media_type != JSON or faults(document(name), "Input", value) == []
    for answer in answer_examples(document(name)).values():
        assert faults(document(name), "Answer", answer) == []


@pytest.mark.parametrize("name", QUICK)
def test_answers_may_hold_more_than_is_declared(
    name: str, document: Callable[[str], Document]
) -> None:
    schemas = document(name)["components"]["schemas"]
    assert '"additionalProperties": false' not in json.dumps(schemas["Predictions"])


ANSWERED = {
    "chat_agent": "object",
    "halves": "object",
    "hint_orders": "array",
    "probabilities": "array",
    "responses_agent": "object",
    "sums": "object",
}


@pytest.mark.parametrize("name", sorted(ANSWERED.keys() & MODELS.keys()))
def test_answers_are_described_where_the_model_keeps_to_its_outputs(
    name: str, document: Callable[[str], Document]
) -> None:
    schema = document(name)["components"]["schemas"]["Predictions"]
    assert ANSWERED[name] in schema["type"]
    assert schema["properties" if ANSWERED[name] == "object" else "items"]


def test_what_has_a_default_is_optional(document: Callable[[str], Document], client: Open) -> None:
    orders = document("hint_orders")
    row = orders["components"]["schemas"]["Row"]
    assert row["required"] == ["name"]
    assert row["properties"]["parts"]["items"]["required"] == ["size"]
    assert row["properties"]["first"]["required"] == ["size"]
    assert row["properties"]["count"]["type"] == "integer"
    receipt = orders["components"]["schemas"]["Predictions"]["items"]
    assert receipt["required"] == ["total"]
    body = {"inputs": [{"name": "a"}]}
    assert faults(orders, "Input", body) == []
    assert client("hint_orders").post("/invocations", json=body).json() == {
        "predictions": [{"total": 1.5}]
    }
    partly = request_examples(document("hint_orders_partly"))["inputs"][1]
    assert partly == {"inputs": [{"name": "a", "parts": [{"size": 1.5}]}]}


@pytest.mark.parametrize(
    ("name", "forms"),
    [
        ("wine", [*FORMS, *FILES]),
        ("all_types", [*FORMS, *FILES]),
        ("integer_names", [*FORMS, *FILES]),
        ("nested", [*FORMS, *NESTED_FILES]),
        ("unnamed_mixed", ["split", "inputs", "instances", *FILES]),
        ("tensors", ["inputs", "instances"]),
        ("tensor_image", ["inputs", "instances"]),
        ("hint_people", ["inputs"]),
        ("chat", ["chat"]),
        ("no_signature", []),
    ],
)
def test_one_example_per_form(
    name: str, forms: list[str], document: Callable[[str], Document]
) -> None:
    assert list(request_examples(document(name))) == forms
    assert bool(forms) is ("x-codeSamples" in post(document(name)))


def test_the_logged_example_is_the_example(document: Callable[[str], Document]) -> None:
    examples = request_examples(document("wine"))
    first = {
        "alcohol": 14.23,
        "malic_acid": 1.71,
        "flavanoids": 3.06,
        "magnesium": 127,
        "proline": 1065,
        "color": "deep",
        "alkaline_ash": False,
    }
    assert examples["records"][1]["dataframe_records"][0] == first
    assert examples["split"][1]["dataframe_split"]["columns"] == list(first)
    assert examples["inputs"][1]["inputs"]["alcohol"] == [14.23, 13.2]
    assert examples["csv"][1].splitlines()[:2] == [
        "alcohol,malic_acid,flavanoids,magnesium,proline,color,alkaline_ash",
        "14.23,1.71,3.06,127,1065,deep,false",
    ]
    row = document("wine")["components"]["schemas"]["Row"]
    assert row["properties"]["alcohol"]["examples"] == [14.23]
    assert row["required"] == list(first)
    assert answer_examples(document("wine"))["csv"] == {"predictions": ["cultivar 1"] * 2}


def test_params_stand_in_every_form_with_their_defaults(
    document: Callable[[str], Document],
) -> None:
    schemas = document("with_params")["components"]["schemas"]
    assert schemas["Params"]["properties"]["count"]["default"] == 1
    for form in FORMS:
        assert schemas[f"{form.title()}Input"]["properties"]["params"] == {
            "$ref": "#/components/schemas/Params"
        }
        body = request_examples(document("with_params"))[form][1]
        assert body["params"]["nested"] == {"x": 1}


def test_forms_are_told_apart_by_the_schema(document: Callable[[str], Document]) -> None:
    of_one = document("one_long")
    records, split = (request_examples(of_one)[form][1] for form in ("records", "split"))
    assert faults(of_one, "Input", records) == []
    assert faults(of_one, "Input", records | split) != []
    assert faults(of_one, "Input", {}) != []
    assert faults(of_one, "Input", {"dataframe_records": [{"n": 1, "m": 2}]}) != []


def test_a_generic_document_is_honest(document: Callable[[str], Document]) -> None:
    generic = document("no_signature")
    schemas = generic["components"]["schemas"]
    assert "Row" not in schemas
    assert faults(generic, "Input", {"inputs": {"anything": ["goes"]}}) == []
    assert "params" not in schemas["InputsInput"]["properties"]
    assert faults(generic, "Answer", {"predictions": 1}) == []


ANSWERS = [row.media_type for row in ANSWER_FORMATS.values()]


@pytest.mark.parametrize(
    ("name", "answers", "parameters"),
    [
        ("wine", ANSWERS, list(PARAMETERS)),
        ("sleeps", ANSWERS, ["format", "include", "chunked"]),
        ("two_longs", [JSON], []),
        ("chat", [JSON], []),
    ],
    ids=["a table", "not known", "an object", "a chat"],
)
def test_formats_of_answers_are_those_that_can_be(
    name: str, answers: list[str], parameters: list[str], loaded: Callable[[str], Model]
) -> None:
    model = replace(loaded(name), predict=no_prediction) if name == "sleeps" else loaded(name)
    operation = post(described(model))
    assert list(operation["responses"]["200"]["content"]) == answers
    named = [each["name"] for each in operation["parameters"] if "name" in each]
    assert named == parameters


def no_prediction(payload: Any) -> Any:
    raise ModelFailed("it fails")


def test_the_base_is_valid_and_has_every_path() -> None:
    base = base_description().document
    validate(base)
    assert base["paths"].keys() == {*PATHS}


def test_the_base_is_not_written_into(loaded: Callable[[str], Model]) -> None:
    base = base_description().document
    before = deepcopy(base)
    first = describe(base, loaded("with_params"), "")
    assert base == before
    assert describe(base, loaded("with_params"), "") == first


def test_prose_of_the_base_is_kept(loaded: Callable[[str], Model]) -> None:
    base = base_description().document
    base["info"]["contact"] = {"name": "The wine team"}
    post(base)["description"] = "Ours."
    edited = describe(base, loaded("wine"), "").document
    assert edited["info"]["contact"] == {"name": "The wine team"}
    assert post(edited)["description"] == "Ours."


@pytest.mark.parametrize("left", [{}, {"/predict": {}}])
def test_a_base_may_lack_the_paths_of_other_protocols(
    left: Any, loaded: Callable[[str], Model]
) -> None:
    base = base_description().document
    base["paths"] = {"/invocations": base["paths"]["/invocations"], **left}
    assert describe(base, loaded("wine"), "").document["paths"].keys() == base["paths"].keys()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: [\n", "line 2, column 1"),
        ("a:\n  b: 1\n  'b': 2\n", "line 3, column 3: the key b is there twice"),
        ("a: 1\n\tb: 2\n", "line 2, column 1: a tab; indent with spaces"),
        ("a:\n  b: 1\n \t c: 2\n", ": a tab; indent with spaces"),
        ("a: \x00", "characters are not allowed"),
        (
            "a0: &a0 [some, words]\n"
            + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)),
            "with its aliases written out, it has more than 5000000 characters",
        ),
        ("just text", "there is no info > description"),
        (
            BASE.read_text(encoding="utf-8").replace("  /invocations:\n", "  /scores:\n"),
            "there is no paths > /invocations > post > requestBody > content > application/json",
        ),
        (
            BASE.read_text(encoding="utf-8").replace('"200":', "200:", 1),
            "there is no paths > /invocations > post > responses > 200 > content > "
            "application/json: write '200' in quotes",
        ),
        ("info: {description: 5}", "info > description is not text"),
    ],
)
def test_a_base_that_cannot_be_used(text: str, fault: str) -> None:
    with pytest.raises(BaseError, match=re.escape(fault)):
        read_base(text)


def test_a_missing_base_is_named(tmp_path: Path) -> None:
    with pytest.raises(BaseError, match=r"openapi_base.yaml: "):
        base_description(tmp_path / "openapi_base.yaml")


def test_a_base_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("a: 1", encoding="utf-16")
    with pytest.raises(BaseError, match=r"base.yaml: it is no UTF-8 text; save it as UTF-8"):
        base_description(tmp_path / "base.yaml")


@pytest.mark.parametrize(
    ("more", "fault"),
    [("x-a: &a [*a]", "it refers to itself"), (f"x-i: {'9' * 5000}", "Exceeds the limit")],
)
def test_a_base_that_cannot_be_written_out(more: str, fault: str, tmp_path: Path) -> None:
    file = tmp_path / "base.yaml"
    file.write_text(f"{BASE.read_text(encoding='utf-8')}\n{more}\n", encoding="utf-8")
    with pytest.raises(BaseError, match=f"base.yaml: .*{fault}"):
        base_description(file)


def test_parts_that_an_editor_took_out_are_not_needed(loaded: Callable[[str], Model]) -> None:
    base = base_description().document
    content = post(base)["requestBody"]["content"]
    content[CSV] = None
    del content[PARQUET]
    post(base)["responses"]["200"]["content"]["application/json"]["examples"] = None
    edited = describe(base, loaded("wine"), "").document
    assert list(answer_examples(edited)) == [*FORMS, *FILES]


def test_calls_of_an_editor_are_not_those_of_the_page(loaded: Callable[[str], Model]) -> None:
    base = base_description().document
    post(base)["x-codeSamples"] = "none yet"
    edited = describe(base, loaded("no_signature"), "")
    assert (post(edited.document)["x-codeSamples"], edited.calls) == ("none yet", ())


def test_what_an_editor_says_of_a_format_is_kept() -> None:
    text = BASE.read_text(encoding="utf-8")
    place = "          # model: the server's other formats"
    own = {"schema": {"title": "Ours"}}
    edited = read_base(text.replace(place, f"          {CSV}: {json.dumps(own)}\n{place}"))
    content = post(edited)["requestBody"]["content"]
    assert (content[CSV], content.keys()) == (own, FORMATS.keys())


def test_both_spellings_are_the_same_document_under_a_tag(client: Open) -> None:
    as_json, as_yaml = (client("wine").get(f"/openapi.{kind}") for kind in ("json", "yaml"))
    assert yaml.safe_load(as_yaml.text) == as_json.json()
    assert as_yaml.headers["content-type"] == "application/yaml"
    for answer in as_json, as_yaml:
        again = {"If-None-Match": answer.headers["etag"]}
        known = client("wine").get(answer.request.url.path, headers=again)
        assert (known.status_code, known.content) == (304, b"")
        assert answer.headers["cache-control"] == "no-cache"


def test_without_a_model_the_base_is_served() -> None:
    with TestClient(create_app(read_settings({}))) as client:
        assert client.get("/openapi.json").json() == base_description().document


def test_on_connect_the_calls_send_the_key(model_path: Callable[[str], Path]) -> None:
    environment = {"POSIT_PRODUCT": "CONNECT", "MODEL_URI": str(model_path("one_long"))}
    with TestClient(create_app(read_settings(environment))) as client:
        samples = post(client.get("/openapi.json").json())["x-codeSamples"]
    assert all("Authorization" in sample["source"] for sample in samples)


def test_odd_names(tmp_path: Path) -> None:
    names = ["with space", "ünï", "</script>", "a.b", "x/y", "quo\"te'", "~tilde", "", "$ref"]
    odd = described(saved(tmp_path / "model", names))
    validate(odd)
    assert list(odd["components"]["schemas"]["Row"]["properties"]) == names
    assert list(request_examples(odd)) == [*FORMS, *FILES]


@pytest.mark.repeats
def test_a_thousand_columns(tmp_path: Path) -> None:
    wide = described(saved(tmp_path / "model", [f"column {i}" for i in range(1000)]))
    validate(wide)
    assert len(wide["components"]["schemas"]["Row"]["required"]) == 1000
    assert list(request_examples(wide)) == [*FORMS, *FILES]


def test_dates_of_an_example_get_an_offset(tmp_path: Path) -> None:
    example = pd.DataFrame({"when": pd.to_datetime(["2024-01-02 03:04:05.5", "NaT"])})
    dated = described(saved(tmp_path / "model", ["when"], "datetime", input_example=example))
    rows = request_examples(dated)["split"][1]["dataframe_split"]["data"]
    assert rows == [["2024-01-02T03:04:05.500000Z"], [None]]


def test_a_required_column_may_have_gaps_where_its_example_has_some(tmp_path: Path) -> None:
    example = pd.DataFrame({"a": [0.5, np.nan]})
    gaps = described(saved(tmp_path / "model", ["a"], input_example=example))
    assert list(request_examples(gaps)) == [*FORMS, *FILES]
    for media_type, body in request_examples(gaps).values():
        assert media_type != JSON or faults(gaps, "Input", body) == []
    assert gaps["components"]["schemas"]["Row"]["required"] == ["a"]


def test_an_example_that_does_not_fit_its_schema_is_not_shown(
    loaded: Callable[[str], Model], caplog: pytest.LogCaptureFixture
) -> None:
    """The server reads the text as a number, which the document does not promise."""
    logged = b'{"dataframe_split": {"columns": ["a", "b"], "data": [["4711", 2]]}}'
    document = described(loaded("two_longs"), logged)
    told = [line for line in caplog.messages if "'records' does not fit its schema" in line]
    assert len(told) == 1
    assert "4711" not in caplog.text
    # The made example stands in.
    assert request_examples(document)["records"][1] == {"dataframe_records": [{"a": 1, "b": 1}]}


def test_an_example_of_an_editor_that_does_not_fit_is_told(
    loaded: Callable[[str], Model], caplog: pytest.LogCaptureFixture
) -> None:
    base = base_description().document
    content = post(base)["requestBody"]["content"]["application/json"]
    content["examples"] = {"ours": {"value": {"dataframe_records": [{"n": "SECRET"}]}}}
    document = describe(base, loaded("one_long"), "").document
    assert "the example 'ours' does not fit its schema" in caplog.text
    assert "SECRET" not in caplog.text
    assert list(request_examples(document)) == ["ours", *FORMS, *FILES]


def test_columns_that_an_example_lacks_or_has_too_many(tmp_path: Path) -> None:
    signature = ModelSignature(_columns(("double", "a"), ("double", "b", False)))
    example = pd.DataFrame({"a": [1.5, np.nan], "more": [1, 2]})
    path = save_pyfunc(tmp_path / "model", Echo(), signature=signature, input_example=example)
    uneven = described(load_model(read_settings({"MODEL_URI": str(path)})))
    records = request_examples(uneven)["records"][1]
    assert records == {"dataframe_records": [{"a": 1.5}, {"a": None}]}


@pytest.mark.parametrize(
    "logged", ["no json", "[1]", '{"inputs": {"n": ["SECRET"]}}', '{"neither": 1}', '{"inputs": 1}']
)
def test_an_example_that_does_not_fit_is_replaced_by_a_made_one(
    logged: str, loaded: Callable[[str], Model], caplog: pytest.LogCaptureFixture
) -> None:
    document = described(loaded("two_longs"), logged.encode())
    assert request_examples(document)["records"][1] == {"dataframe_records": [{"a": 1, "b": 1}]}
    assert "SECRET" not in caplog.text


def test_an_example_that_the_model_cannot_predict_is_logged_and_left_out(
    loaded: Callable[[str], Model], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="modelserver")
    logged = b'{"dataframe_split": {"columns": ["how"], "data": [["value"]]}}'
    document = described(loaded("raises"), logged)
    left_out = f"{', '.join([*FORMS, *FILES])}: the model raised ValueError"
    assert caplog.messages.count(f"not shown as examples: {left_out}") == 1
    # The made example, which the model predicts, stands in.
    assert request_examples(document)["records"][1] == {"dataframe_records": [{"how": "text"}]}


class Never(Echo):
    """Predicts nothing."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        raise ValueError


def test_a_model_that_predicts_no_example_shows_none(tmp_path: Path) -> None:
    signature = ModelSignature(_columns(("double", "a")))
    path = save_pyfunc(tmp_path / "model", Never(), signature=signature)
    document = described(load_model(read_settings({"MODEL_URI": str(path)})))
    validate(document)
    assert request_examples(document) == answer_examples(document) == {}
    assert "examples" not in document["components"]["schemas"]["Row"]["properties"]["a"]


@pytest.mark.parametrize(
    ("name", "logged", "shown"),
    [
        (
            "tensors",
            {"inputs": {"x": [[1, 2], [3, 4]], "n": [1, 2]}},
            {"inputs": {"x": [[1, 2]], "n": [1]}},
        ),
        ("tensor", {"instances": [[1, 2], [3, 4]]}, {"inputs": [[1, 2]]}),
    ],
)
def test_one_row_of_logged_tensors_is_shown(
    name: str, logged: Any, shown: Any, loaded: Callable[[str], Model]
) -> None:
    document = described(loaded(name), json.dumps(logged).encode())
    assert request_examples(document)["inputs"][1] == shown


def test_a_tensor_without_rows_is_shown_whole(tmp_path: Path) -> None:
    signature = ModelSignature(Schema([TensorSpec(np.dtype("float64"), (2, 2))]))
    path = save_pyfunc(
        tmp_path / "model", Echo(), signature=signature, input_example=np.array([[1, 2], [3, 4.5]])
    )
    document = described(load_model(read_settings({"MODEL_URI": str(path)})))
    assert request_examples(document)["inputs"][1] == {"inputs": [[1.0, 2.0], [3.0, 4.5]]}
    assert list(request_examples(document)) == ["inputs"]


def test_a_model_with_params_alone(tmp_path: Path) -> None:
    signature = ModelSignature(params=ParamSchema([ParamSpec("k", "long", 1)]))
    path = save_pyfunc(tmp_path / "model", Echo(), signature=signature)
    document = described(load_model(read_settings({"MODEL_URI": str(path)})))
    validate(document)
    assert "params" in document["components"]["schemas"]["InputsInput"]["properties"]


def test_a_model_is_served_even_if_it_cannot_be_described(
    model_path: Callable[[str], Path], caplog: pytest.LogCaptureFixture
) -> None:
    base = base_description()
    base.document["components"]["schemas"]["InputsInput"] = None  # as an editor might

    async def state() -> Lifecycle:
        lifecycle = Lifecycle(read_settings({"MODEL_URI": str(model_path("no_signature"))}), base)
        lifecycle.start()
        await lifecycle.settled(0)
        return lifecycle

    lifecycle = asyncio.run(state())
    assert lifecycle.state.name == "ready"
    assert lifecycle.description is base
    assert "without a description of its own" in caplog.text


def split_of(*cells: str) -> bytes:
    split = {"columns": ["text"], "data": [[cell] for cell in cells]}
    return json.dumps({"dataframe_split": split}).encode()


def test_examples_that_are_too_large_are_left_out(loaded: Callable[[str], Model]) -> None:
    document = described(loaded("one_string"), split_of("x" * 200_000))
    assert request_examples(document)["split"][1]["dataframe_split"]["data"] == [["text"]]


def test_answers_that_are_too_large_are_left_out(loaded: Callable[[str], Model]) -> None:
    document = described(loaded("one_string"), split_of("x" * 99_950))  # the echo is longer
    assert "csv" in request_examples(document)
    assert "csv" not in answer_examples(document)


def test_a_slow_model_is_ready_with_fewer_examples(
    loaded: Callable[[str], Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelserver.describing.description.PATIENCE", 0.2)
    document = described(loaded("sleeps"))  # half a second each
    assert list(request_examples(document)) == ["records"]


@pytest.mark.parametrize(
    ("logged", "forms"),
    [
        (
            b'{"dataframe_split": {"columns": ["a", 1], "data": [[1.5, NaN]]}}',
            ["records", "split", *FILES],
        ),
        (b'{"inputs": [[1, 2]]}', ["inputs"]),
        (b"[1]", []),
        (b'{"messages": [{"role": "user", "content": "Hi"}]}', ["chat"]),
    ],
)
def test_examples_of_a_model_without_a_signature(
    logged: bytes, forms: list[str], loaded: Callable[[str], Model]
) -> None:
    document = described(loaded("no_signature"), logged)
    validate(document)
    assert list(request_examples(document)) == forms
    assert list(answer_examples(document)) == forms


def test_a_table_that_was_logged_with_a_chat(loaded: Callable[[str], Model]) -> None:
    rows = [{"messages": [{"role": "user", "content": "A row"}]}]
    document = described(loaded("chat"), json.dumps({"dataframe_records": rows}).encode())
    _, body = request_examples(document)["chat"]
    assert body["messages"] == rows[0]["messages"]


ERRORS: dict[str, Any] = {
    "415": {"content": b"{}", "headers": {"Content-Type": "application/json; charset=latin-1"}},
    "413": {"content": b"x" * 104857601, "headers": {"Content-Type": "text/csv"}},
}


@pytest.mark.parametrize("status", ERRORS)
def test_error_examples_are_real(status: str, client: Open) -> None:
    answer = client("wine").post("/invocations", **ERRORS[status])
    content = post(base_description().document)["responses"][status]["content"]
    (example,) = content["application/json"]["examples"].values()
    assert answer.status_code == int(status)
    assert answer.json() | {"request_id": ""} == example["value"] | {"request_id": ""}


def test_error_examples_have_the_shape_of_errors() -> None:
    base = base_description().document
    shown = [
        example["value"]
        for response in _responses(base)
        for content in response.get("content", {}).values()
        for example in content.get("examples", {}).values()
    ]
    assert len(shown) >= 7
    assert [faults(base, "Error", example) for example in shown] == [[]] * len(shown)


def _responses(base: Document) -> list[Mapping[str, Any]]:
    return [*post(base)["responses"].values(), *base["components"]["responses"].values()]
