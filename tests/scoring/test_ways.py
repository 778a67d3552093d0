"""How a model is asked: by each way the same answer, and what the log says of it."""

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest

from modelserver.reading.formats import JSON
from modelserver.scoring import ways
from modelserver.scoring.model import Model
from modelserver.scoring.request import Request, Work, score
from tests.scoring.test_batching import account, alone, load
from tests.support.bench.without import WAYS, switched_off
from tests.support.request_rows import SAME, split
from tests.support.zoo import TEXT, Forks, save_pyfunc

WAYS_TO_PREDICT = [way for way, (place, _) in WAYS.items() if place.startswith("scoring.")]

NUMBERS = [
    split("a b c d", [1.5, -2, 0, 1e5]),
    split("d a c b", *([row, 0.5, -1, row / 3] for row in range(9))),
    split("a b c d", [1, 2, 3, None]),
    split("a b c", [1, 2, 3]),
    split("a b c d", [1, 2, 3, "x"]),
]

ESTIMATORS = ["linear", "perceptron_32", "probabilities", "ridge_pipeline"]

OTHERS = ["doubles", "hint_example", "hint_people", "hint_texts", "nested", "no_signature"]
OTHERS += ["tensors", "unnamed", "wine", "with_params"]

REQUESTS = {
    **dict.fromkeys(ESTIMATORS, NUMBERS),
    **{name: [row.request for row in SAME if row.model == name] for name in OTHERS},
}
"""By model."""


def answers(model: Model, name: str) -> list[Any]:
    asked = [one for one in REQUESTS[name] if one.path == "/invocations"]
    requests = [Request(one.body, one.content_type, one.encoding, 10**7) for one in asked]
    return [account(alone(Work(model, request))) for request in requests]


@pytest.mark.repeats
@pytest.mark.parametrize("name", REQUESTS)
def test_answers_are_the_same_without_each_way(
    name: str, model_path: Callable[[str], Path]
) -> None:
    expected = answers(load(model_path(name)), name)
    for way in WAYS_TO_PREDICT:
        with switched_off(way):
            assert (way, answers(load(model_path(name)), name)) == (way, expected)


@pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")
def test_a_process_that_a_model_forks_ends_with_its_prediction(tmp_path: Path) -> None:
    model = load(save_pyfunc(tmp_path / "model", Forks(), signature=TEXT))
    request = Request(b'{"inputs": ["x"]}', JSON, None, 100)
    answer = json.loads(score(model, request).body)
    _, status = os.waitpid(answer["predictions"][0], 0)
    assert status == 0


@pytest.mark.parametrize(
    ("name", "may"), [("linear", True), ("wine", False), ("boosted", False), ("doubles", False)]
)
def test_only_scikit_learn_on_doubles_may_get_arrays(
    name: str, may: bool, model_path: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(ways, "array_predict", lambda *about: asked.append(about))
    load(model_path(name))
    assert bool(asked) is may


@pytest.mark.parametrize(
    ("name", "filled"), [("imputed", "'b', 'c'"), ("tolerant", "'b'"), ("fragile", None)]
)
def test_the_log_names_absent_columns_that_are_filled(
    name: str,
    filled: str | None,
    model_path: Callable[[str], Path],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    load(model_path(name))
    said = "absent optional columns reach the model as missing values: "
    assert [text for text in caplog.messages if text.startswith(said)] == (
        [said + filled] if filled else []
    )


@pytest.mark.parametrize("form", ["dataframe_split", "dataframe_records", "inputs"])
def test_answers_have_the_last_digits_that_python_gets(
    form: str, model_path: Callable[[str], Path]
) -> None:
    model = load(model_path("probabilities"))
    estimator = mlflow.sklearn.load_model(str(model_path("probabilities")))
    random = np.random.default_rng(1)
    for rows in [2, 3, 17] * 20:
        frame = pd.DataFrame(random.normal(size=(rows, 4)), columns=list("abcd"))
        orient = {"dataframe_split": "split", "dataframe_records": "records", "inputs": "list"}
        body = json.dumps({form: frame.to_dict(orient[form])}).encode()  # type: ignore[call-overload]
        answer = json.loads(score(model, Request(body, JSON, None, 10_000)).body)
        assert answer["predictions"] == estimator.predict_proba(frame).tolist()
