"""Bodies of other servers: what each is told to wrap into what."""

from typing import Any

import pytest

from modelserver.reading.input_forms import FORM_READERS
from modelserver.reading.wrappings import BY_PANDAS, EMPTY, NAMES_BESIDE, ONE_EACH, wrapping_advice

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
