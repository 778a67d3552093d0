"""The methods that a model has besides `predict`, and the names of their columns."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from modelserver.scoring.methods import methods_of, named, names_of

TABLE = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [1.0, 0.0, 2.0, 5.0]})
WORDS = ["no", "no", "yes", "yes"]
PROBABILITIES = ["predict_proba", "predict_log_proba", "decision_function"]


@pytest.mark.parametrize(
    ("estimator", "methods"),
    [
        (LogisticRegression(), PROBABILITIES),
        (make_pipeline(StandardScaler(), LogisticRegression()), PROBABILITIES),
        (LinearRegression(), []),
        (SVC(), ["decision_function"]),
        (SGDClassifier(loss="hinge"), ["decision_function"]),
        (SGDClassifier(loss="log_loss"), PROBABILITIES),
        (StandardScaler(), ["transform"]),
        (GaussianMixture(), ["predict_proba", "score_samples"]),
        (None, []),
    ],
    ids=str,
)
def test_methods(estimator: Any, methods: Sequence[str]) -> None:
    if hasattr(estimator, "fit"):
        estimator.fit(TABLE, [0, 0, 1, 1])
    assert methods_of(estimator) == methods


def test_probabilities_are_named_by_class() -> None:
    model = LogisticRegression().fit(TABLE, WORDS)
    names = names_of(model, "predict_proba")
    assert names == names_of(model, "predict_log_proba") == ["no", "yes"]
    assert names_of(model, "decision_function") == []
    frame = named(model.predict_proba(TABLE), names)
    assert frame["yes"].tolist() == model.predict_proba(TABLE)[:, 1].tolist()


def test_features_are_named() -> None:
    scaler = StandardScaler().fit(TABLE)
    assert names_of(scaler, "transform") == ["a", "b"]
    counter = CountVectorizer().fit(WORDS)
    frame = named(counter.transform(["yes"]), names_of(counter, "transform"))
    assert frame.to_dict("list") == {"no": [0], "yes": [1]}
    assert names_of(object(), "transform") == []


@pytest.mark.parametrize(
    "prediction", [np.zeros(2), np.zeros((2, 3)), [np.zeros((1, 2))], scipy.sparse.eye(3)]
)
def test_what_has_another_shape_stays_as_it_is(prediction: Any) -> None:
    assert named(prediction, ["a", "b"]) is prediction
    assert named(np.zeros((1, 2)), []).shape == (1, 2)


def test_without_classes() -> None:
    assert names_of(LinearRegression(), "predict_proba") == []
    several = LogisticRegression()
    several.classes_ = [np.array([0, 1]), np.array([0, 1])]
    assert names_of(several, "predict_proba") == []
