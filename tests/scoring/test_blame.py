"""Who is to blame when a model fails, in what words, and what nobody is told."""

import io
import json
import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_EXHAUSTED
from starlette.testclient import TestClient

from modelserver.errors import ModelFailed
from modelserver.scoring.blaming.blame import LOGGED, Telling, advised_form
from tests.support.request_rows import CSV, JSON, parquet
from tests.support.zoo import SECRET_KEY

Open = Callable[..., TestClient]

GOOD = {"a": 1.0, "b": 2.0, "how": "ok"}
GAP = {"a": 1.0, "b": None, "how": "ok"}
DOWN = {"a": 1.0, "b": 2.0, "how": "down"}
NULL = {"row": 0, "column": "b", "expected": "a number (64-bit float)", "found": "null"}

EXAMPLE = "the model failed on rows with missing values in 'b', and predicts its logged example"
OTHERS = "the model failed on rows with missing values in 'b', and predicts the others"
MISSING = "there are missing values in 'b'"


def in_forms(*rows: dict[str, Any]) -> list[tuple[bytes, str]]:
    """The rows in every form that holds a table: bodies and their media types."""
    names = list(rows[0])
    table = {"columns": names, "data": [list(row.values()) for row in rows]}
    columns = {name: [row[name] for row in rows] for name in names}
    lines = [names, *(["" if v is None else str(v) for v in row.values()] for row in rows)]
    bodies: list[Any] = [
        {"dataframe_split": table},
        {"dataframe_records": list(rows)},
        {"inputs": columns},
        {"instances": list(rows)},
    ]
    return [
        *((json.dumps(body).encode(), JSON) for body in bodies),
        ("\n".join(map(",".join, lines)).encode(), CSV),
        (parquet(columns).body, "application/vnd.apache.parquet"),
    ]


def post(client: TestClient, body: Any, kind: str = JSON) -> tuple[int, str, Any]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = client.post("/invocations", content=content, headers={"Content-Type": kind})
    error = answer.json()
    return answer.status_code, error.get("message"), error.get("details")


@pytest.mark.parametrize(
    ("rows", "status", "message", "details"),
    [
        ([GAP], 400, f"{EXAMPLE}; the model raised ValueError", [NULL]),
        ([GOOD, GAP], 400, f"{OTHERS}; the model raised ValueError", [{**NULL, "row": 1}]),
        ([DOWN], 500, f"the model raised ConnectionError; {LOGGED}", []),
        ([DOWN, GAP], 500, f"the model raised ConnectionError; {MISSING}; {LOGGED}", []),
    ],
    ids=["the null", "one null", "the model", "the model beside a null"],
)
def test_a_null_is_to_blame_where_the_model_predicts_without(
    rows: list[dict[str, Any]], status: int, message: str, details: Any, client: Open
) -> None:
    for body, kind in in_forms(*rows):
        assert post(client("delicate"), body, kind) == (status, message, details)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("delicate_unproven", f"the model raised ValueError; {MISSING}; {LOGGED}"),
        ("always_down", f"the model raised ConnectionError; {MISSING}; {LOGGED}"),
    ],
    ids=["no example", "the example fails, too"],
)
def test_a_null_is_not_blamed_unproven(model: str, message: str, client: Open) -> None:
    for body, kind in in_forms(GAP):
        assert post(client(model), body, kind) == (500, message, [])


NUMBER = {"expected": "a number of type float64", "found": "null"}
TENSOR = "the model failed on rows with missing values in the tensor"
RAISED = "the model raised ValueError"


@pytest.mark.parametrize(
    ("name", "value", "status", "message", "details"),
    [
        ("full_tensor", [[1, 2], [3, None]], 400, f"{TENSOR}, and predicts the others; {RAISED}",
         [{"tensor": None, "index": [1, 1], **NUMBER}]),
        ("full_tensor_proven", [[None, 2]], 400,
         f"{TENSOR}, and predicts its logged example; {RAISED}",
         [{"tensor": None, "index": [0, 0], **NUMBER}]),
        ("full_tensor", [[None, 2]], 500,
         f"{RAISED}; there are missing values in the tensor; {LOGGED}", []),
        ("full_fixed", [1, None], 500,
         f"{RAISED}; there are missing values in the tensor; {LOGGED}", []),
        ("full_tensors", {"x": [[1, None], [3, 4]], "n": [1, 2]}, 400,
         f"{TENSOR.replace('the tensor', repr('x'))}, and predicts the others; {RAISED}",
         [{"tensor": "x", "index": [0, 1], "expected": "a number of type float32",
           "found": "null"}]),
    ],
)  # fmt: skip
def test_a_null_in_a_tensor(
    name: str, value: Any, status: int, message: str, details: Any, client: Open
) -> None:
    assert post(client(name), {"inputs": value}) == (status, message, details)


def test_a_null_is_not_blamed_where_the_model_fails_now_and_then(client: Open) -> None:
    body = {"dataframe_records": [GAP, GOOD]}
    status, message, _ = post(client("fails_once"), body)
    assert (status, message) == (500, f"the model raised ConnectionError; {MISSING}; {LOGGED}")
    assert post(client("fails_once"), body)[0] == 200


def test_rows_without_gaps_have_the_dtypes_of_such_rows(client: Open) -> None:
    rows: list[dict[str, Any]] = [{"flag": True, "size": 1.0}, {"flag": None, "size": 2.0}]
    said = OTHERS.replace("'b'", "'flag'") + "; the model raised TypeError"
    for body, kind in in_forms(*rows):
        assert post(client("only_booleans"), body, kind)[:2] == (400, said)


def test_the_log_has_the_model_s_traceback_when_a_null_is_blamed(
    client: Open, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    post(client("delicate"), {"dataframe_records": [GAP]})
    assert "ValueError: b is missing" in caplog.text
    assert caplog.text.count("Traceback") == 1


@pytest.mark.parametrize("name", ["imputed", "boosted"])
@pytest.mark.parametrize("row", [{"a": 1.5}, {"a": 1.5, "b": 2.5}, {"a": 1.5, "c": "x"}])
def test_absent_columns_that_a_model_needs_are_missing_values(
    name: str, row: dict[str, Any], client: Open
) -> None:
    full = {"dataframe_records": [{"b": None, "c": None, **row}]}
    expected = client(name).post("/invocations", json=full).json()
    for body, kind in in_forms(row, row):
        answer = client(name).post("/invocations", content=body, headers={"Content-Type": kind})
        np.testing.assert_allclose(answer.json()["predictions"], expected["predictions"] * 2)


@pytest.mark.parametrize(
    ("name", "row", "reached"),
    [
        ("tolerant", {"a": 1.5}, ["a", "b"]),
        ("tolerant", {"a": 1.5, "c": "x"}, ["a", "b", "c"]),
        ("strict", {"a": 1.5, "b": 2.5}, None),
    ],
)
def test_other_absent_columns_stay_absent(
    name: str, row: dict[str, Any], reached: list[str] | None, client: Open
) -> None:
    for body, kind in in_forms(row):
        answer = client(name).post("/invocations", content=body, headers={"Content-Type": kind})
        assert answer.status_code == 200
        if reached is not None:
            assert [column[0] for column in answer.json()["predictions"]["frame"]] == reached


@pytest.mark.parametrize(
    ("name", "row", "said"),
    [
        ("tolerant_unproven", {"a": 1.5}, "KeyError; optional columns were absent: 'b', 'c'"),
        ("tolerant_unproven", {"a": 1.5, "c": "x"}, "KeyError; optional columns were absent: 'b'"),
        ("fragile", {"a": 1.5}, "KeyError; optional columns were absent: 'b', 'c'"),
        ("strict", {"a": 1.5}, "ValueError; optional columns were absent: 'b'"),
    ],
)
def test_a_model_that_fails_without_optional_columns(
    name: str, row: dict[str, Any], said: str, client: Open
) -> None:
    for body, kind in in_forms(row):
        assert post(client(name), body, kind) == (500, f"the model raised {said}; {LOGGED}", [])


COLUMNS = {"a": [1.0], "b": [2.0], "how": ["ok"]}
TRY_SPLIT = "the model has no signature; try dataframe_split"
TRY_INPUTS = (
    "the model has no signature; check the names of the columns and their order; a model of arrays "
    "without names takes inputs"
)


@pytest.mark.parametrize(
    ("name", "body", "status", "message"),
    [
        ("unsigned", {"inputs": COLUMNS}, 400, f"{TRY_SPLIT}; the model raised AttributeError"),
        ("unsigned", {"instances": [GOOD]}, 400, f"{TRY_SPLIT}; the model raised AttributeError"),
        ("unsigned", {"inputs": {"a": [1]}}, 500,
         f"the model raised KeyError; {TRY_SPLIT}; {LOGGED}"),
        ("unsigned", {"inputs": {"a": [1], "b": [[1]]}}, 500,
         f"the model raised KeyError; {TRY_SPLIT}; {LOGGED}"),
        ("unsigned", {"inputs": {"a": [[1]]}}, 500,
         f"the model raised KeyError; {TRY_SPLIT}; {LOGGED}"),
        ("unsigned", {"inputs": [[1]]}, 500, f"the model raised IndexError; {TRY_SPLIT}; {LOGGED}"),
        ("unsigned", {"inputs": [1]}, 500, f"the model raised IndexError; {TRY_SPLIT}; {LOGGED}"),
        ("unsigned", {"inputs": [{"a": 1}]}, 500,
         f"the model raised TypeError; {TRY_SPLIT}; {LOGGED}"),
        ("unsigned_numbers", {"inputs": [[1, 2], [3, 4]]}, 400,
         f"{TRY_SPLIT}; the model raised AttributeError"),
        ("unsigned_numbers", {"inputs": [[[1, 2]], [[3, 4]]]}, 500,
         f"the model raised AttributeError; {TRY_SPLIT}; {LOGGED}"),
        ("unsigned", {"input": "x"}, 500, f"the model raised KeyError; {TRY_SPLIT}; {LOGGED}"),
        ("unsigned_array", {"dataframe_records": [{"a": 1, "b": 2}]}, 400,
         f"{TRY_INPUTS}; the model raised AttributeError"),
        ("unsigned_array", {"dataframe_records": [{"a": {}}]}, 500,
         f"the model raised AttributeError; {TRY_INPUTS}; {LOGGED}"),
    ],
)  # fmt: skip
def test_models_without_a_signature(
    name: str, body: Any, status: int, message: str, client: Open
) -> None:
    assert post(client(name), body) == (status, message, [])


def test_advice_for_a_form() -> None:
    assert advised_form(pd.DataFrame({"a": []})) == TRY_INPUTS
    assert "names of the columns" not in advised_form(pd.DataFrame([[1]]))
    assert advised_form(np.zeros(1)) == TRY_SPLIT


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    ("telling", "error", "said"),
    [
        (Telling(), ValueError("cell 4711"), "ValueError"),
        (Telling(True), ValueError("cell 4711"), "ValueError: cell 4711"),
        (Telling(True), ValueError("two\n  lines\t"), "ValueError: two lines"),
        (Telling(True), ValueError(), "ValueError"),
        (Telling(True), Mute(), "Mute"),
        (Telling(True), SystemExit(3), "SystemExit: 3"),
        (Telling(True, ["key-4711"]), OSError("https://key-4711@host"), "OSError: https://…@host"),
        (Telling(True), ValueError("x" * 1000), "ValueError: " + "x" * 299 + "…"),
    ],
)
def test_what_is_told_of_an_exception(telling: Telling, error: BaseException, said: str) -> None:
    answer = telling.failed(error)
    assert isinstance(answer, ModelFailed)
    assert answer.message == f"the model raised {said}; {LOGGED}"


def test_messages_of_the_model_where_they_are_wanted(client: Open) -> None:
    asked = client("delicate", MODEL_ERRORS="message", MLFLOW_TRACKING_TOKEN=SECRET_KEY)
    down = {"dataframe_records": [DOWN]}
    assert post(asked, down)[1] == f"the model raised ConnectionError: feature store down; {LOGGED}"
    gap = {"dataframe_records": [GAP]}
    assert post(asked, gap)[1] == f"{EXAMPLE}; the model raised ValueError: b is missing, …"


def test_an_mlflow_exception_of_the_model_is_the_answer_without_secrets() -> None:
    error = MlflowException(f"the store refused {SECRET_KEY}", RESOURCE_EXHAUSTED)
    answer = Telling(secrets=[SECRET_KEY]).failed(error)
    assert (answer.status, answer.error_code) == (429, "RESOURCE_EXHAUSTED")
    assert answer.message == "the store refused …"


@pytest.mark.parametrize("name", ["regression", "linear"])
def test_an_infinity_is_to_blame_where_the_model_predicts_without(name: str, client: Open) -> None:
    good = dict.fromkeys("abcd", 0.5)
    status, message, details = post(
        client(name), {"dataframe_records": [good, good | {"b": "-inf"}]}
    )
    assert status == 400
    assert message.startswith(
        "the model failed on rows with infinite values in 'b', and predicts the others"
    )
    assert details == [
        {"row": 1, "column": "b", "expected": "a number (64-bit float)", "found": "infinity"}
    ]
    both = {"dataframe_records": [good, good | {"a": None, "b": "inf"}]}
    status, message, details = post(client(name), both)
    assert (status, len(details)) == (400, 2)
    assert "missing or infinite values in 'a', 'b'" in message


def pair(a: Any, b: Any) -> dict[str, Any]:
    return {"a": a, "b": b}


@pytest.mark.parametrize("model", ["writes", "writes_proven"])
def test_a_model_may_write_into_what_it_gets(model: str, client: Open) -> None:
    for body, kind in in_forms(pair(-1.0, 2.0), pair(1.5, 3.0)):
        headers = {"Content-Type": kind}
        answer = client(model).post("/invocations", content=body, headers=headers)
        assert answer.json() == {"predictions": [2.0, 4.5]}


@pytest.mark.parametrize("model", ["writes", "writes_proven"])
def test_blame_looks_at_what_was_sent(model: str, client: Open) -> None:
    for body, kind in in_forms(pair(1.0, 2.0), pair(200.0, 3.0)):
        assert post(client(model), body, kind) == (
            500, f"the model raised ConnectionError; {LOGGED}", [],
        )  # fmt: skip
    details = [{"row": 1, "column": "b", "expected": "a number (64-bit float)", "found": "null"}]
    for body, kind in in_forms(pair(1.0, 2.0), pair(1.5, None)):
        assert post(client(model), body, kind) == (
            400, f"{OTHERS}; the model raised ConnectionError", details,
        )  # fmt: skip


def test_blame_looks_at_the_tensors_that_were_sent(client: Open) -> None:
    value = {"x": [[1, None], [3, 4]], "n": [1, 2]}
    status, message, _ = post(client("writes_tensors"), {"inputs": value})
    assert status == 400
    assert message.startswith("the model failed on rows with missing values in 'x', and predicts")


@pytest.mark.parametrize(
    ("how", "name"),
    [
        ("cancelled", "CancelledError"),
        ("interrupt", "KeyboardInterrupt"),
        ("generator", "GeneratorExit"),
        ("unspeakable", "Unspeakable"),
    ],
)
@pytest.mark.parametrize("told", ["type", "message"])
def test_whatever_a_model_raises_is_told(how: str, name: str, told: str, client: Open) -> None:
    test_client = client("ends", MODEL_ERRORS=told)
    assert post(test_client, {"inputs": [how]}) == (500, f"the model raised {name}; {LOGGED}", [])


def test_cells_without_another_form_are_not_tried_in_one(client: Open) -> None:
    file = io.BytesIO()
    far = pa.array([2**60, 1], pa.timestamp("us", "Europe/Berlin"))
    pyarrow.parquet.write_table(pa.table({"t": far}), file)
    status, message, _ = post(client("unsigned"), file.getvalue(), "application/vnd.apache.parquet")
    assert status == 500
    assert TRY_INPUTS in message
