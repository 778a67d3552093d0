"""What a model's logged example shows: may its predictions be made otherwise than one by one?

In: ways to predict, and the example as the model gets it. Out: whether they agree to the last bit.
A way that fails does not agree, nor does another way that warns; what the model's own way warns of
proves nothing.
"""

import warnings
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd

Predict: TypeAlias = Callable[[pd.DataFrame], Any]

ROWS: Final = 4
"""Rows of the example that are predicted apart; more cost time at the start."""

TIMES: Final = 16
"""How often these rows stand in a table that is as long as one of many requests."""


def predict_alike(first: Predict, second: Predict, frame: pd.DataFrame) -> bool:
    """Whether both predict the same for `frame`, and `second` without a warning."""

    def holds() -> bool:
        expected = first(frame)
        warnings.simplefilter("error")
        return _equal(expected, second(frame))

    return _holds(holds)


def rows_are_independent(predict: Predict, frame: pd.DataFrame) -> bool:
    """Whether rows that differ are predicted together as they are apart. One row proves nothing."""
    return _holds(lambda: _are_independent(predict, frame.head(ROWS)))


def _are_independent(predict: Predict, rows: pd.DataFrame) -> bool:
    if len(rows.drop_duplicates()) < 2:
        return False
    apart = [predict(rows.iloc[[row]].reset_index(drop=True)) for row in range(len(rows))]
    if not all(isinstance(one, np.ndarray) and one.shape[:1] == (1,) for one in apart):
        return False
    expected = np.concatenate(apart)
    many = pd.concat([rows] * TIMES, ignore_index=True)
    return _equal(predict(rows), expected) and _equal(
        predict(many), np.concatenate([expected] * TIMES)
    )


def _equal(first: Any, second: Any) -> bool:
    return (
        isinstance(first, np.ndarray)
        and isinstance(second, np.ndarray)
        and first.dtype == second.dtype
        and np.array_equal(first, second)
    )


def _holds(condition: Callable[[], bool]) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return condition()
        except Exception:  # whatever a model raises for what it was not made for
            return False
