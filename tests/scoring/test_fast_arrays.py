"""scikit-learn on arrays: only where nothing could depend on the DataFrame."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from modelserver.scoring.fast_arrays import array_predict

NAMES = ["a", "b"]
FRAME = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 2)), columns=NAMES)
TARGET = (FRAME["a"] > 0).astype(int)


class Own(LogisticRegression):  # type: ignore[misc]
    """An estimator that is not scikit-learn's."""


class Rule(BaseEstimator):  # type: ignore[misc]
    def fit(self, table: Any, target: Any) -> "Rule":
        return self


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(),
        RandomForestClassifier(n_estimators=3),
        KNeighborsRegressor(),
        make_pipeline(StandardScaler(), LogisticRegression()),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_predicts_the_same(estimator: Any) -> None:
    estimator.fit(FRAME, TARGET)
    predict = array_predict(estimator, "predict", NAMES)
    assert predict is not None
    assert np.array_equal(predict(FRAME), estimator.predict(FRAME))
    assert estimator.feature_names_in_.tolist() == NAMES  # the model itself is left as it was


def test_other_methods() -> None:
    estimator = LogisticRegression().fit(FRAME, TARGET)
    predict = array_predict(estimator, "predict_proba", NAMES)
    assert predict is not None
    assert np.array_equal(predict(FRAME), estimator.predict_proba(FRAME))


@pytest.mark.parametrize(
    "estimator",
    [
        Own(),
        Rule(),
        make_pipeline(FunctionTransformer(lambda table: table - 1), LogisticRegression()),
        make_pipeline(make_pipeline(StandardScaler()), LogisticRegression()),
        make_pipeline("passthrough", LogisticRegression()),
        make_pipeline(make_column_transformer((StandardScaler(), ["b"])), LogisticRegression()),
        VotingClassifier([("one", LogisticRegression())]),
        GridSearchCV(LogisticRegression(), {"C": [1, 2]}),
    ],
    ids=[
        "own class",
        "no names",
        "function",
        "nested pipeline",
        "passthrough",
        "column names",
        "voting",
        "search",
    ],
)
def test_what_may_need_the_frame(estimator: Any) -> None:
    assert array_predict(estimator.fit(FRAME, TARGET), "predict", NAMES) is None


def test_columns_in_another_order() -> None:
    estimator = LogisticRegression().fit(FRAME, TARGET)
    assert array_predict(estimator, "predict", ["b", "a"]) is None
