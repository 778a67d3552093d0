"""scikit-learn without its DataFrames: the same prediction from an array of the numbers alone.

For each call, scikit-learn spends 0.4 ms on checking the names and dtypes of a DataFrame, which the
signature has checked already. In: a fitted estimator and the signature's column names. Out: a
function that passes only the numbers of a DataFrame to the estimator, or None if the prediction
could depend on more. The caller must try, on the logged example, that both predict the same.
"""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd


def array_predict(
    estimator: Any, method: str, names: Sequence[Any]
) -> Callable[[pd.DataFrame], Any] | None:
    """A function that does what `estimator.<method>` does, for DataFrames of doubles with the
    columns `names` in this order; None if it could predict differently."""
    if list(getattr(estimator, "feature_names_in_", names)) != list(names):
        return None
    bare = _without_names(estimator)
    if bare is None:
        return None
    predict = getattr(bare, method)
    return lambda frame: predict(frame.to_numpy())


def _without_names(estimator: Any) -> Any:
    """A shallow copy of the estimator that expects no column names; None if it may need them."""
    if _is_pipeline(estimator):
        steps = [(name, _without_names(step)) for name, step in estimator.steps]
        if any(step is None or _is_pipeline(step) for _, step in steps):
            return None
        bare = copy.copy(estimator)
        bare.steps = steps
        return bare
    if not _is_plain(estimator):
        return None
    bare = copy.copy(estimator)
    vars(bare).pop("feature_names_in_", None)
    return bare


def _is_pipeline(estimator: Any) -> bool:
    return _qualified_name(estimator) == "sklearn.pipeline.Pipeline"


def _is_plain(estimator: Any) -> bool:
    """Whether an estimator is one of scikit-learn's own, holds no other estimator and calls no
    function that a user wrote."""
    name = _qualified_name(estimator)
    if not name.startswith("sklearn.") or name.endswith(".FunctionTransformer"):
        return False
    return bool(estimator.get_params(deep=True).keys() == estimator.get_params(deep=False).keys())


def _qualified_name(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"
