"""XGBoost, LightGBM and CatBoost with their own packages: their methods are called as those of
scikit-learn's estimators, alone and in a pipeline, with columns named by class and in batches."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.models import infer_signature
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from modelserver.hosting.settings import read_settings
from modelserver.loading.loader import load_model
from modelserver.reading.formats import JSON
from modelserver.scoring.batching import score_together
from modelserver.scoring.model import Model
from modelserver.scoring.request import Request, Scored, Work, score
from tests.support.needs import need

TABLE = pd.DataFrame(np.random.default_rng(4).normal(size=(60, 2)), columns=["a", "b"])
CLASSES = np.digitize(TABLE["a"], [-0.4, 0.4])
WORDS = np.array(["low", "middle", "high"])

PROBABILITIES = ["predict_proba", "predict_log_proba"]


class Booster(NamedTuple):
    """A classifier of a package, the classes that it learns, and its methods besides `predict`."""

    classifier: str
    options: dict[str, Any]
    classes: Any
    methods: list[str]


BOOSTERS = {
    "xgboost": Booster(
        "XGBClassifier", {"n_estimators": 3, "n_jobs": 1}, CLASSES, ["predict_proba"]
    ),
    "lightgbm": Booster(
        "LGBMClassifier",
        {"n_estimators": 3, "n_jobs": 1, "verbose": -1},
        WORDS[CLASSES],
        ["predict_proba", "decision_function"],
    ),
    "catboost": Booster(
        "CatBoostClassifier",
        {"iterations": 3, "thread_count": 1, "verbose": False, "allow_writing_files": False},
        WORDS[CLASSES],
        PROBABILITIES,
    ),
}


def fitted(package: str, in_pipeline: bool) -> Any:
    if package != "catboost":  # it takes 300 MB, so it is tried only where it is installed
        need(find_spec(package), f"{package} is not installed")
    booster = BOOSTERS[package]
    made = getattr(pytest.importorskip(package), booster.classifier)(**booster.options)
    if in_pipeline:
        made = make_pipeline(StandardScaler().set_output(transform="pandas"), made)
    return made.fit(TABLE, booster.classes)


def loaded(estimator: Any, flavor: Any, folder: Path, **options: Any) -> Model:
    signature = infer_signature(TABLE, estimator.predict(TABLE))
    options |= {"signature": signature, "input_example": TABLE.head(5), "pip_requirements": []}
    flavor.save_model(estimator, folder / "model", **options)
    return load_model(read_settings({"MODEL_URI": str(folder / "model")}), lambda step: None)


@pytest.mark.parametrize("in_pipeline", [False, True], ids=["alone", "pipeline"])
@pytest.mark.parametrize("package", BOOSTERS)
def test_methods_and_batches(package: str, in_pipeline: bool, tmp_path: Path) -> None:
    estimator = fitted(package, in_pipeline)
    flavor = mlflow.sklearn if in_pipeline else getattr(mlflow, package)
    options = {"serialization_format": "cloudpickle"} if in_pipeline else {}
    model = loaded(estimator, flavor, tmp_path, **options)
    assert list(model.methods) == [
        name for name in BOOSTERS[package].methods if hasattr(estimator, name)
    ]
    requests = [request(TABLE.iloc[[row]]) for row in range(3)]
    for method in model.method_names:
        asked = model.asked(method)
        assert asked.row_wise
        alone = [score(asked, one).body for one in requests]
        together = score_together([Work(asked, one) for one in requests])
        assert [one.body for one in together if isinstance(one, Scored)] == alone
        found = [json.loads(body)["predictions"][0] for body in alone]
        expected = getattr(estimator, method)(TABLE.head(3)).tolist()
        if method == "predict":
            assert found == expected
        else:
            np.testing.assert_allclose([cells_of(row) for row in found], expected, rtol=1e-6)
        if method in PROBABILITIES:
            assert list(found[0]) == [str(name) for name in estimator.classes_]


def request(table: pd.DataFrame) -> Request:
    body = json.dumps({"dataframe_split": table.to_dict("split")}).encode()
    return Request(body, JSON, None, 10_000)


def cells_of(row: Any) -> list[float]:
    return list(row.values()) if isinstance(row, dict) else row


def test_a_model_of_the_native_interface_has_no_further_methods(tmp_path: Path) -> None:
    need(find_spec("lightgbm"), "lightgbm is not installed")
    lightgbm = pytest.importorskip("lightgbm")
    booster = lightgbm.train({"verbose": -1}, lightgbm.Dataset(TABLE, CLASSES), 2)
    assert loaded(booster, mlflow.lightgbm, tmp_path).method_names == ["predict"]
