"""What a model can do besides `predict`: the methods of scikit-learn's estimators, and of the
scikit-learn interfaces of XGBoost, LightGBM and CatBoost.

In: a fitted estimator, which may be a pipeline. Out: which of `METHODS` it has, and the names of
the columns that they return. Other methods cannot be called, whatever a caller asks for.
"""

from collections.abc import Hashable, Sequence
from contextlib import suppress
from typing import Any, Final

import numpy as np
import pandas as pd

PREDICT: Final = "predict"

METHODS: Final = (
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "transform",
    "score_samples",
)
"""The methods that may be called, in the order of all lists of methods."""

BY_CLASS: Final = ("predict_proba", "predict_log_proba")
"""Those that return a column for each class."""


def methods_of(estimator: Any) -> Sequence[str]:
    """Those of `METHODS` that the estimator has. An estimator may lack one by its settings, such as
    `SVC(probability=False)`."""
    return [name for name in METHODS if callable(getattr(estimator, name, None))]


def names_of(estimator: Any, method: str) -> Sequence[Hashable]:
    """The names of the columns that a method returns: the classes for probabilities, the features
    for `transform`; empty if they have none."""
    if method in BY_CLASS:
        classes = getattr(estimator, "classes_", None)
        return classes.tolist() if isinstance(classes, np.ndarray) and classes.ndim == 1 else []
    if method == "transform":
        with suppress(Exception):  # an estimator that a user wrote may have none
            return list(estimator.get_feature_names_out())
    return []


def named(prediction: Any, names: Sequence[Hashable]) -> Any:
    """The prediction as a DataFrame with these columns; as it is, if it has another number of
    columns or is no table."""
    if not names or np.ndim(prediction) != 2 or prediction.shape[1] != len(names):
        return prediction
    cells = prediction.toarray() if hasattr(prediction, "toarray") else prediction
    return pd.DataFrame(cells, columns=list(names))
