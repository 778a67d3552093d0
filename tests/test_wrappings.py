"""Bodies of other servers: what each is told to wrap into what."""

from typing import Any

import pytest

from modelserver.input_forms import FORM_READERS
from modelserver.wrappings import wrapping_advice

SPLIT = {"columns": ["a"], "data": [[1]]}

ADVICE: list[tuple[str, Any, str]] = [
    ("MLflow 1, split", SPLIT, "Send the whole body as the value of 'dataframe_split'"),
    ("MLflow 1, with index", {**SPLIT, "index": [0]},
     "Send the whole body as the value of 'dataframe_split'"),
    ("rows only", {"data": [[1]]}, "Send the whole body as the value of 'dataframe_split'"),
    ("records", [{"a": 1}], "Send the whole body as the value of 'dataframe_records'"),
    ("arrays", [[1, 2]], "Send the whole body as the value of 'inputs'"),
    ("no rows", [], "Send the whole body as the value of 'inputs'"),
    ("Azure, table", {"input_data": SPLIT}, "Send the value of 'input_data' under "
     "'dataframe_split'"),
    ("Azure, records", {"input_data": [{"a": 1}], "params": {}},
     "Send the value of 'input_data' under 'dataframe_records'"),
    ("Azure, arrays", {"input_data": [[1]]}, "Send the value of 'input_data' under 'inputs'"),
    ("Seldon", {"data": {"names": ["a"], "ndarray": [[1]]}},
     "Send its 'names' and 'ndarray' as 'columns' and 'data' of 'dataframe_split'"),
    ("bare record", {"a": 1, "b": 2},
     "Send the whole body in an array as the value of 'dataframe_records'"),
    ("bare columns", {"a": [1], "b": [2]}, "Send the whole body under 'inputs'"),
    ("misspelt form", {"dataframe_record": []}, "Did you mean 'dataframe_records'?"),
    ("form in capitals", {"Inputs": []}, "Did you mean 'inputs'?"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "advice"), [row[1:] for row in ADVICE], ids=[row[0] for row in ADVICE]
)
def test_advice(body: Any, advice: str) -> None:
    assert wrapping_advice(body, list(FORM_READERS), {"a", "b"}) == f". {advice}"


@pytest.mark.parametrize("body", [None, 5, {}, {"x": 1}, {"data": 5}], ids=str)
def test_nothing_is_said_of_other_bodies(body: Any) -> None:
    assert wrapping_advice(body, list(FORM_READERS), set()) == ""
