"""scikit-learn without its DataFrames: the same prediction from the numbers alone.

scikit-learn spends 0.4 ms a call on the names and dtypes of a DataFrame before it takes the numbers
out; the signature has checked both. In: a fitted estimator and the signature's column names. Out:
a function of a DataFrame that hands on its numbers, or None where more could depend on the frame.
Whether both predict the same is for the caller to try, on the logged example.
"""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd


def array_predict(
    estimator: Any, method: str, names: Sequence[Any]
) -> Callable[[pd.DataFrame], Any] | None:
    """`estimator.<method>` for DataFrames of doubles with these columns in this order."""
    if list(getattr(estimator, "feature_names_in_", names)) != list(names):
        return None
    bare = _without_names(estimator)
    if bare is None:
        return None
    predict = getattr(bare, method)
    return lambda frame: predict(frame.to_numpy())


def _without_names(estimator: Any) -> Any:
    """A shallow copy that expects no column names; None for what is not known to need none."""
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
    """Whether it is scikit-learn's own, holds no other estimator and calls no function of users."""
    name = _qualified_name(estimator)
    if not name.startswith("sklearn.") or name.endswith(".FunctionTransformer"):
        return False
    return bool(estimator.get_params(deep=True).keys() == estimator.get_params(deep=False).keys())


def _qualified_name(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"
