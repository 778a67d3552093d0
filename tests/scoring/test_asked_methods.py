"""`?method=`: a model is asked by its other methods, in all formats, together and alone."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.models import infer_signature
from sklearn.linear_model import LogisticRegression
from starlette.testclient import TestClient

from modelserver.app import create_app
from modelserver.hosting.settings import read_settings
from modelserver.loading.loader import load_model
from modelserver.reading.formats import JSON
from modelserver.scoring.batching import score_together
from modelserver.scoring.request import Request, Scored, Work, score
from modelserver.types.params import NO_PARAMS

Open = Callable[..., TestClient]

ROWS = [[13.2, 1.8, 2.6, 100, 1050, "medium", False], [12.1, 2.0, 0.9, 90, 500, "light", True]]
NAMES = ["alcohol", "malic_acid", "flavanoids", "magnesium", "proline", "color", "alkaline_ash"]
BODY = {"dataframe_split": {"columns": NAMES, "data": ROWS}}


def asked(client: TestClient, query: str, body: Any = BODY) -> Any:
    answer = client.post(f"/invocations?{query}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["predictions"]


@pytest.fixture(scope="module")
def estimator(model_path: Callable[[str], Path]) -> Any:
    return mlflow.sklearn.load_model(str(model_path("wine")))


@pytest.mark.parametrize("method", ["predict_proba", "predict_log_proba"])
def test_probabilities_by_class(method: str, client: Open, estimator: Any) -> None:
    table = pd.DataFrame(ROWS, columns=NAMES)
    expected = pd.DataFrame(getattr(estimator, method)(table), columns=estimator.classes_)
    found = asked(client("wine"), f"method={method}")
    assert list(found[0]) == list(estimator.classes_)
    np.testing.assert_allclose(pd.DataFrame(found).to_numpy(), expected.to_numpy(), rtol=1e-12)


def test_decisions_and_predict_itself(client: Open, estimator: Any) -> None:
    table = pd.DataFrame(ROWS, columns=NAMES)
    found = asked(client("wine"), "method=decision_function")
    np.testing.assert_allclose(found, estimator.decision_function(table), rtol=1e-12)
    assert asked(client("wine"), "method=predict") == estimator.predict(table).tolist()


def test_in_other_formats_beside_columns_of_the_request(client: Open) -> None:
    url = "/invocations?method=predict_proba&format=csv&include=color"
    table = pd.read_csv(io.StringIO(client("wine").post(url, json=BODY).text))
    assert list(table) == ["color", "cultivar 1", "cultivar 2", "cultivar 3"]
    assert table["color"].tolist() == ["medium", "light"]


@pytest.mark.parametrize(
    ("name", "has"),
    [
        ("wine", "'predict', 'predict_proba', 'predict_log_proba', 'decision_function'"),
        ("linear", "'predict'"),
        ("two_longs", "'predict'"),
    ],
)
def test_a_method_that_the_model_has_not(name: str, has: str, client: Open) -> None:
    answer = client(name).post("/invocations?method=fit", json=BODY)
    assert answer.status_code == 400
    assert answer.json()["message"] == f"the model has no method 'fit'; it has {has}"


def test_it_is_described(client: Open) -> None:
    methods = ["predict", "predict_proba", "predict_log_proba", "decision_function"]
    assert client("wine").get("/metadata").json()["methods"] == methods

    def described(name: str) -> Any:
        document = client(name).get("/openapi.json").json()
        parameters = document["paths"]["/invocations"]["post"]["parameters"]
        return {row["name"]: row["schema"] for row in parameters if "name" in row}

    assert described("wine")["method"]["enum"] == methods
    assert "method" not in described("two_longs")


def test_the_methods_of_a_model_whose_default_is_another(client: Open) -> None:
    """It was logged with `pyfunc_predict_fn`."""
    body = {"dataframe_split": {"columns": list("abcd"), "data": [[1.0, 2.0, 3.0, 4.0]]}}
    default = asked(client("probabilities"), "method=predict", body)
    named = asked(client("probabilities"), "method=predict_proba", body)
    assert [list(row.values()) for row in named] == default


def test_requests_of_several_methods_are_not_mixed(model_path: Callable[[str], Path]) -> None:
    settings = read_settings({"MODEL_URI": str(model_path("wine"))})
    model = load_model(settings, lambda step: None)
    body = json.dumps(BODY).encode()
    names = ["predict", "predict_proba", "predict", "predict_proba", "decision_function"]
    works = [Work(model.asked(name), Request(body, JSON, None, 10_000)) for name in names]
    together = score_together(works)
    for work, outcome in zip(works, together, strict=True):
        assert isinstance(outcome, Scored)
        alone = json.loads(score(work.model, work.request).body)["predictions"]
        joined = json.loads(outcome.body)["predictions"]
        assert pd.DataFrame(alone).shape == pd.DataFrame(joined).shape
    assert all(one.row_wise for one in model.methods.values())
    settings = read_settings({"MODEL_URI": str(model_path("wine")), "BATCHING": "off"})
    alone_only = load_model(settings, lambda step: None)
    assert not any(one.row_wise for one in [alone_only, *alone_only.methods.values()])


def test_a_model_without_a_signature(tmp_path: Path) -> None:
    table = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0]})
    model = LogisticRegression().fit(table, [0, 0, 1, 1])
    mlflow.sklearn.save_model(model, tmp_path / "model", pip_requirements=[])
    loaded = load_model(read_settings({"MODEL_URI": str(tmp_path / "model")}), lambda step: None)
    request = Request(b'{"dataframe_records": [{"a": 0.5}]}', JSON, None, 1000)
    found = json.loads(score(loaded.asked("predict_proba"), request).body)["predictions"]
    assert [list(row) for row in found] == [["0", "1"]]


def test_other_methods_than_predict_refuse_params(tmp_path: Path) -> None:
    table = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0]})
    model = LogisticRegression().fit(table, [0, 0, 1, 1])
    signature = infer_signature(table, params={"depth": 2})
    mlflow.sklearn.save_model(model, tmp_path / "m", signature=signature, pip_requirements=[])
    with TestClient(create_app(read_settings({"MODEL_URI": str(tmp_path / "m")}))) as opened:
        rows: dict[str, Any] = {"dataframe_records": [{"a": 0.5}]}
        for body in (rows, {**rows, "params": None}, {**rows, "params": {}}):
            assert list(asked(opened, "method=predict_proba", body)[0]) == ["0", "1"]
        body = {**rows, "params": {"depth": 3}}
        assert asked(opened, "method=predict", body) == [0]
        refused = opened.post("/invocations?method=predict_proba", json=body)
    assert (refused.status_code, refused.json()["message"]) == (400, NO_PARAMS)
