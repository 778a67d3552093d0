"""Predicted together, answered apart: what each request gets alone, floats but for rounding."""

import asyncio
import contextlib
import itertools
import json
import logging
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from starlette.types import Receive, Scope, Send

from modelserver.app import create_app
from modelserver.errors import ApiError
from modelserver.hosting.settings import read_settings
from modelserver.loading.loader import load_model
from modelserver.reading.signatures.signature import Payload
from modelserver.scoring.answering.formats import ANSWER_FORMATS
from modelserver.scoring.batching import score_together
from modelserver.scoring.model import Model
from modelserver.scoring.request import Request, Scored, Times, Work
from tests.support.processes import wait_for
from tests.support.request_rows import WINE
from tests.support.signatures import column, signature

JSON = "application/json"

Paths = Callable[[str], Path]

AT_ONCE = Times(0.0, 0.0, 0.0)


def load(path: Path, **environment: str) -> Model:
    return load_model(read_settings({"MODEL_URI": str(path), **environment}))


def counted(model: Model) -> tuple[Model, list[int]]:
    """The model, and the number of rows of each prediction it is asked for."""
    rows: list[int] = []

    def predict(payload: Payload) -> Any:
        rows.append(len(payload.data))
        return model.predict(payload)

    return replace(model, predict=predict), rows


def split(*rows: list[Any], names: str = "abcd", **more: Any) -> bytes:
    table = {"columns": list(names), "data": list(rows), **more}
    return json.dumps({"dataframe_split": table}).encode()


def records(**cells: Any) -> bytes:
    return json.dumps({"dataframe_records": [{**WINE, **cells}]}).encode()


def work(model: Model, body: bytes, content_type: str = "application/json") -> Work:
    return Work(model, Request(body, content_type, None, 10**7))


def alone(one: Work) -> Any:
    try:
        return one()
    except ApiError as error:
        return error


def account(outcome: Any) -> Any:
    """What a caller gets, comparable."""
    if isinstance(outcome, Scored):
        return outcome
    return type(outcome), outcome.message, outcome.details


def check(works: list[Work]) -> None:
    assert list(map(account, score_together(works))) == [account(alone(one)) for one in works]


@pytest.mark.parametrize(
    ("name", "environment", "row_wise"),
    [
        ("regression", {}, True),
        ("wine", {}, True),
        ("regression", {"BATCHING": "off"}, False),
        ("regression_one_row", {}, False),
        ("linear", {}, True),
        ("ridge", {}, True),
        ("ridge_pipeline", {}, True),
        ("perceptron", {}, True),
        ("perceptron_32", {}, True),
        ("probabilities", {}, True),
        ("imputed", {}, True),
        ("centred", {}, False),
        ("centred_ridge", {}, False),
        ("batch_imputed", {}, False),
        ("doubles", {}, False),
    ],
)
def test_which_models_take_requests_together(
    name: str, environment: dict[str, str], row_wise: bool, model_path: Paths
) -> None:
    assert load(model_path(name), **environment).row_wise is row_wise


APART = "waiting requests are not predicted together: "


@pytest.mark.parametrize(
    ("name", "environment", "why"),
    [
        ("regression_one_row", {}, "the logged example has no two different rows"),
        ("regression_no_example", {}, "no table without params was logged as the model's example"),
        ("centred", {}, "the rows of the logged example are predicted otherwise together"),
        ("batch_imputed", {}, "rows with missing values are predicted otherwise together"),
        ("doubles", {}, "models of the flavor mlflow.pyfunc.model are not known to take each row"),
        ("regression", {"BATCHING": "off"}, "BATCHING is off"),
    ],
)
def test_the_log_says_why_not(
    name: str,
    environment: dict[str, str],
    why: str,
    model_path: Paths,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    load(model_path(name), **environment)
    assert APART + why in caplog.text


def numbers_of(outcome: Any) -> Any:
    return json.loads(outcome.body)["predictions"]


@pytest.mark.parametrize(
    "name", ["linear", "ridge", "ridge_pipeline", "perceptron", "probabilities", "imputed"]
)
def test_together_but_for_rounding(name: str, model_path: Paths) -> None:
    model, rows = counted(load(model_path(name)))
    if name == "imputed":
        bodies = [json.dumps({"inputs": {"a": [i / 7]}}).encode() for i in range(20)]
        bodies += [b"a,c\n0.25,x\n", b"a,b\n0.25,\n"]
    else:
        bodies = [split(*[[i / 7, -i / 3, 1, k] for k in range(1 + i % 3)]) for i in range(20)]
    works = [work(model, body, "text/csv" if body[:1] == b"a" else JSON) for body in bodies]
    together = [numbers_of(outcome) for outcome in score_together(works)]
    assert len(rows) == 1
    for one, other in zip(together, works, strict=True):
        np.testing.assert_allclose(one, numbers_of(alone(other)), rtol=1e-9, atol=0)


def test_an_example_that_cannot_be_read_proves_nothing(model_path: Paths, tmp_path: Path) -> None:
    path = Path(shutil.copytree(model_path("regression"), tmp_path / "model"))
    (path / "serving_input_example.json").write_text('{"inputs": "nonsense"}')
    assert load(path).row_wise is False


def test_one_prediction_for_all(model_path: Paths) -> None:
    model, rows = counted(load(model_path("regression")))
    works = [work(model, split([i, -i, 0, 1])) for i in range(5)]
    works.append(work(model, split([1, 2, 3, 4], [-5, 6, 7, 8])))
    works.append(work(model, b"d,c,b,a\n1,2,-3,1\n", "text/csv"))
    outcomes = score_together(works)
    assert rows == [8]
    assert outcomes == [alone(one) for one in works]
    assert [one.rows for one in outcomes if isinstance(one, Scored)] == [1] * 5 + [2, 1]


def test_as_many_rows_as_are_still_joined(model_path: Paths) -> None:
    model, rows = counted(load(model_path("regression")))
    works = [work(model, split(*[[1, 2, 3, 4]] * count)) for count in (64, 1)]
    assert score_together(works) == [alone(one) for one in works]
    assert rows == [65, 64, 1]


def test_mixed_columns_together(model_path: Paths) -> None:
    model, rows = counted(load(model_path("wine")))
    works = [work(model, records(alcohol=11.0 + i / 3, color="pale")) for i in range(6)]
    outcomes = score_together(works)
    assert rows == [6]
    assert outcomes == [alone(one) for one in works]


def test_errors_reach_only_who_made_them(model_path: Paths) -> None:
    model = load(model_path("regression"))
    bodies = [
        split([1, 2, 3, 4]),
        b"nonsense",
        split([1, 2, 3, "x"]),
        split([1, 2, 3, 4], [5, 6, 7, None]),  # the model fails on it
        split([1, 2, 3], names="abc"),
        split([-1, -2, 3, 4]),
        split([1, 2, 3, 4], names="abce"),
        b"",
    ]
    works = [work(model, body) for body in bodies]
    check([*works, work(model, b"a", "image/png")])


@pytest.mark.parametrize(
    ("body", "count"),
    [
        (split([1, 2, 3, 4], index=[7]), 1),
        (split(*[[1, 2, 3, 4]] * 65), 65),
    ],
    ids=["row labels", "many rows"],
)
def test_predicted_alone(body: bytes, count: int, model_path: Paths) -> None:
    model, rows = counted(load(model_path("regression")))
    works = [work(model, one) for one in (split([1, 2, 3, 4]), body, split([0, 0, 0, 0]))]
    outcomes = score_together(works)
    assert sorted(rows) == sorted([2, count])
    assert outcomes == [alone(one) for one in works]


def test_input_that_is_no_typed_table(model_path: Paths) -> None:
    model = load(model_path("with_params"))
    body = json.dumps({"inputs": {"a": [1.5]}, "params": {"size": 3}}).encode()
    assert score_together([work(model, body)] * 2) == [alone(work(model, body))] * 2


def test_a_prediction_that_is_not_one_entry_per_row(model_path: Paths) -> None:
    model = load(model_path("regression"))
    odd = replace(model, predict=lambda payload: [len(payload.data)])
    works = [work(odd, split([1, 2, 3, 4])) for _ in range(2)]
    assert score_together(works) == [Scored(b'{"predictions":[1]}', 1, AT_ONCE)] * 2


def test_tables_with_other_columns_are_not_joined(model_path: Paths) -> None:
    """Joined, they would all have three columns."""
    declared = signature(column("double", "a"), *(column("double", name, False) for name in "bc"))
    model = replace(
        load(model_path("regression")),
        signature=declared,
        predict=lambda payload: [sum(map(ord, payload.data.columns))] * len(payload.data),
    )
    sent = ("ab", "ac", "abc", "a")
    bodies = [json.dumps({"inputs": {name: [1.5] for name in names}}).encode() for names in sent]
    outcomes = score_together([work(model, body) for body in bodies])
    assert list(map(numbers_of, outcomes)) == [[sum(map(ord, names))] for names in sent]


def test_a_request_alone_is_predicted_once(model_path: Paths) -> None:
    model = load(model_path("regression"))
    odd, rows = counted(replace(model, predict=lambda payload: [len(payload.data)]))
    assert score_together([work(odd, split([1, 2, 3, 4]))]) == [
        Scored(b'{"predictions":[1]}', 1, AT_ONCE)
    ]
    assert rows == [1]


def test_under_load_each_gets_its_own(model_path: Paths) -> None:
    environment = {"MODEL_URI": str(model_path("regression")), "PREDICT_WORKERS": "1"}
    app = create_app(read_settings(environment))
    bodies = [split([i, -i / 3, 1, 1]) if i % 7 else split([i, "x", 1, 1]) for i in range(60)]
    calls: list[int] = []

    def held_until_others_wait(predict: Callable[[Payload], Any]) -> Callable[[Payload], Any]:
        """On a busy machine no prediction is short, so they go to the thread: the first of them
        waits there until others can be joined, if others come."""
        waited = threading.Event()

        def held(payload: Payload) -> Any:
            if threading.current_thread() is not threading.main_thread() and not waited.is_set():
                waited.set()
                with contextlib.suppress(AssertionError):
                    wait_for(lambda: app.state.service.workers.load.in_threads > 2, seconds=5)
            return predict(payload)

        return held

    ports = itertools.count(1)

    async def over_own_connection(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "client": ("127.0.0.1", next(ports))}, receive, send)

    async def ask(client: httpx.AsyncClient, number: int) -> tuple[Any, ...]:
        headers = {"X-Request-ID": f"id-{number}"}
        answer = await client.post("/invocations", content=bodies[number], headers=headers)
        assert answer.headers["X-Request-ID"] == f"id-{number}"
        return answer.status_code, answer.json().get("predictions")

    async def run() -> tuple[Any, Any]:
        transport = httpx.ASGITransport(app=over_own_connection)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            apart = [await ask(client, number) for number in range(60)]
            lifecycle = app.state.service.lifecycle
            model, counts = counted(lifecycle.state.model)
            model = replace(model, predict=held_until_others_wait(model.predict))
            lifecycle.state = replace(lifecycle.state, model=model)
            together = [await asyncio.gather(*(ask(client, n) for n in range(60))) for _ in "ab"]
            calls.extend(counts)
            return apart, together

    apart, together = asyncio.run(run())
    assert [status for status, _ in apart] == [200 if i % 7 else 400 for i in range(60)]
    assert together == [apart, apart]
    assert sum(calls) == 2 * sum(status == 200 for status, _ in apart)
    assert max(calls) > 1


def test_each_request_gets_its_own_format_and_columns(model_path: Paths) -> None:
    model, rows = counted(load(model_path("ridge")))
    works = [work(model, split([1, 2, 3, 4])) for _ in ANSWER_FORMATS]
    works = [
        replace(one, request=replace(one.request, answer=answer, include=("a",)))
        for one, answer in zip(works, ANSWER_FORMATS.values(), strict=True)
    ]
    together = score_together(works)
    assert rows == [len(ANSWER_FORMATS)]
    assert list(map(account, together)) == [account(alone(one)) for one in works]
