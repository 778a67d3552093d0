"""Bodies of other servers: what each is told to wrap into what."""

import json
from typing import Any

import pytest

from modelserver.errors import BadRequest
from modelserver.reading.input_forms import FORM_READERS
from modelserver.reading.signatures.compiling import compile_signature
from modelserver.reading.signatures.signature import Signature
from modelserver.reading.wrappings import (
    BY_PANDAS,
    EMPTY,
    NAMES_BESIDE,
    ONE_EACH,
    OPEN_INFERENCE,
    TWICE,
    wrapping_advice,
)
from tests.support.signatures import column, read, signature, tensor

SPLIT = {"columns": ["a"], "data": [[1]]}

ADVICE: list[tuple[str, Any, str]] = [
    ("MLflow 1, split", SPLIT, "Send the whole body under 'dataframe_split'"),
    ("MLflow 1, with index", {**SPLIT, "index": [0]},
     "Send the whole body under 'dataframe_split'"),
    ("rows only", {"data": [[1]]}, NAMES_BESIDE),
    ("records", [{"a": 1}], "Send the whole body under 'dataframe_records'"),
    ("arrays", [[1, 2]], NAMES_BESIDE),
    ("no rows", [], EMPTY),
    ("values", [1, 2], ONE_EACH),
    ("nulls", [None], ONE_EACH),
    ("Azure, table", {"input_data": SPLIT}, "Send the value of 'input_data' under "
     "'dataframe_split'"),
    ("Azure, records", {"input_data": [{"a": 1}], "params": {}},
     "Send the value of 'input_data' under 'dataframe_records'"),
    ("Azure, arrays", {"input_data": [[1]]}, NAMES_BESIDE),
    ("Azure, values", {"input_data": [1]}, ONE_EACH),
    ("Azure, no rows", {"input_data": []}, EMPTY),
    ("pandas, columns", {"a": {"0": 1}, "b": {"0": 2}}, BY_PANDAS),
    ("pandas, table", {"schema": {}, "data": [{"index": 0, "a": 1}]}, BY_PANDAS),
    ("Seldon", {"data": {"names": ["a"], "ndarray": [[1]]}},
     "Send its 'names' and 'ndarray' as 'columns' and 'data' of 'dataframe_split'"),
    ("bare record", {"a": 1, "b": 2},
     "Send the whole body in an array under 'dataframe_records'"),
    ("bare columns", {"a": [1], "b": [2]}, "Send the whole body under 'inputs'"),
    ("misspelt form", {"dataframe_record": []}, "Did you mean 'dataframe_records'?"),
    ("form in capitals", {"Inputs": []}, "Did you mean 'inputs'?"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "advice"), [row[1:] for row in ADVICE], ids=[row[0] for row in ADVICE]
)
def test_advice(body: Any, advice: str) -> None:
    assert wrapping_advice(body, list(FORM_READERS), {"a", "b"}) == f". {advice}"


HERE = "Send the value of"

MISPLACED: list[tuple[str, str, Any, str]] = [
    ("records under split", "dataframe_split", [{"a": 1}],
     f"{HERE} 'dataframe_split' under 'dataframe_records'"),
    ("arrays under split", "dataframe_split", [[1, 2]], NAMES_BESIDE),
    ("a record under split", "dataframe_split", {"a": 1, "b": 2},
     f"{HERE} 'dataframe_split' in an array under 'dataframe_records'"),
    ("columns under split", "dataframe_split", {"a": [1], "b": [2]},
     f"{HERE} 'dataframe_split' under 'inputs'"),
    ("split under records", "dataframe_records", SPLIT,
     f"{HERE} 'dataframe_records' under 'dataframe_split'"),
    ("a record under records", "dataframe_records", {"a": 1, "b": 2},
     f"{HERE} 'dataframe_records' in an array under 'dataframe_records'"),
    ("pandas' default under records", "dataframe_records", {"a": {"0": 1}, "b": {"0": 2}},
     BY_PANDAS),
    ("a text under split", "dataframe_split", '{"columns": ["a"]}', TWICE[2:]),
    ("a text under records", "dataframe_records", ' [{"a": 1}]', TWICE[2:]),
    ("a text under inputs", "inputs", "[1]", TWICE[2:]),
    ("a text under instances", "instances", "[1]", TWICE[2:]),
]  # fmt: skip

MODEL = signature(column("long", "a"), column("long", "b"))


@pytest.mark.parametrize(
    ("form", "value", "advice"), [row[1:] for row in MISPLACED], ids=[row[0] for row in MISPLACED]
)
def test_values_under_the_key_of_another_form(form: str, value: Any, advice: str) -> None:
    with pytest.raises(BadRequest) as plain:
        FORM_READERS[form](MODEL, value, None)
    with pytest.raises(BadRequest) as refusal:
        read(MODEL, {form: value})
    assert refusal.value.message == f"{plain.value.message}. {advice}"
    assert str(refusal.value) == refusal.value.message


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("dataframe_split", {"columns": ["a", "b"], "data": [[1, "x"]]}),
        ("dataframe_split", []),
        ("dataframe_split", "a"),
        ("dataframe_split", {"x": 1}),
        ("dataframe_records", [{"a": 1, "b": "x"}]),
        ("dataframe_records", 5),
        ("inputs", {"a": ["x"], "b": [1]}),
        ("inputs", "a"),
        ("instances", [{"a": 1, "b": "x"}]),
    ],
)
def test_other_faults_get_no_advice(form: str, value: Any) -> None:
    with pytest.raises(BadRequest) as plain:
        FORM_READERS[form](MODEL, value, None)
    with pytest.raises(BadRequest) as refusal:
        read(MODEL, {form: value})
    assert refusal.value.message == plain.value.message
    assert refusal.value.details == plain.value.details


def test_a_body_that_was_encoded_twice() -> None:
    body = json.dumps({"dataframe_records": [{"a": 1, "b": 2}]})
    for declared in (MODEL, signature(tensor("float64", -1)), compile_signature(None, False)):
        with pytest.raises(BadRequest) as refusal:
            read(declared, body)
        assert refusal.value.message.endswith(f"not text{TWICE}")
        with pytest.raises(BadRequest) as refusal:
            read(declared, "hello")
        assert "twice" not in refusal.value.message


TENSORS = [{"name": "a", "shape": [1], "datatype": "INT64", "data": [1]}]


@pytest.mark.parametrize("declared", [MODEL, signature(tensor("float64", -1))])
def test_a_request_of_the_open_inference_protocol(declared: Signature) -> None:
    with pytest.raises(BadRequest) as refusal:
        read(declared, {"id": "x", "inputs": TENSORS, "outputs": []})
    assert refusal.value.message == OPEN_INFERENCE
    assert refusal.value.details == ()


def test_columns_may_have_the_names_of_that_protocol() -> None:
    names = [column("string", name) for name in ("name", "shape", "datatype", "data")]
    with pytest.raises(BadRequest) as refusal:
        read(signature(*names), {"inputs": TENSORS})
    assert refusal.value.message.startswith("row 0, column 'shape': expected text, found an array")


@pytest.mark.parametrize("body", [None, 5, {}, {"x": 1}, {"data": 5}], ids=str)
def test_nothing_is_said_of_other_bodies(body: Any) -> None:
    assert wrapping_advice(body, list(FORM_READERS), set()) == ""


@pytest.mark.parametrize(
    ("body", "names", "one_row", "advice"),
    [
        ([[1, 2]], set(), False, "Send the whole body under 'inputs'"),
        ([], set(), False, "Send the whole body under 'inputs'"),
        ([1, None], {"x"}, False, "Send the whole body under 'inputs'"),
        ({"x": [1.5], "n": [[1]]}, {"x", "n"}, False, "Send the whole body under 'inputs'"),
        ({"o": {"k": 1}}, {"o"}, True, "Send the whole body under 'inputs'"),
        ({"l": [1], "k": "a"}, {"l", "k"}, True, "Send the whole body under 'inputs'"),
    ],
)
def test_advice_depends_on_the_signature(
    body: Any, names: set[str], one_row: bool, advice: str
) -> None:
    assert wrapping_advice(body, list(FORM_READERS), names, one_row) == f". {advice}"
