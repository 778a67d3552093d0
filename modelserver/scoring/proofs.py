"""What a model's logged example shows: may its predictions be made otherwise than one by one?

`ways` calls these functions once per load. In: functions that predict a DataFrame, and the example
as the model gets it. Out: whether their predictions agree: to the last bit where the same rows are
predicted by another function, but for rounding where rows are predicted together that were apart
before. A function that raises does not agree. Nor does another function than the model's own if it
warns; warnings of the model's own function do not count.
"""

import warnings
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd

from modelserver.types.frames import Columns

Predict: TypeAlias = Callable[[pd.DataFrame], Any]

ROWS: Final = 4
"""Rows of the example that are predicted apart; more cost time at the start."""

TIMES: Final = 512
"""How often these rows stand in a table that is as long as one of the most and longest requests."""

ROUNDING: Final[Mapping[str, float]] = {"float64": 1e-9, "float32": 1e-6}
"""By how much of itself a float may differ, since sums of many rows are rounded in other places.
Both are some bits of the last ones that a number of this type has."""

MOST_COLUMNS: Final = 16
"""Columns up to which each is tried alone, absent or missing; more cost time at the start."""


def predict_alike(first: Predict, second: Predict, frame: pd.DataFrame) -> bool:
    """Whether both predict the same for `frame`, and `second` without a warning."""

    def holds() -> bool:
        expected = first(frame.copy())
        warnings.simplefilter("error")
        return _equal(expected, second(frame.copy()))

    return _holds(holds)


def rows_are_independent(predict: Predict, frame: pd.DataFrame) -> bool:
    """Whether rows that differ are predicted together as they are apart. One row proves nothing."""
    return has_different_rows(frame) and _holds(lambda: _are_independent(predict, frame.head(ROWS)))


def gaps_are_independent(predict: Predict, columns: Columns, frame: pd.DataFrame) -> bool:
    """Whether a row with missing values is predicted beside others as it is alone, or fails as it
    does alone."""
    rows = frame.head(ROWS)
    names = [name for name in columns.may_be_missing() if name in rows]
    for missing in [*([name] for name in names[:MOST_COLUMNS]), names]:
        row = columns.with_gaps(rows.head(1), missing)
        if not _holds(partial(_is_alike_beside, predict, row, rows)):
            return False
    return True


def _is_alike_beside(predict: Predict, row: pd.DataFrame, rows: pd.DataFrame) -> bool:
    alone = _outcome(predict, row)
    together = _outcome(predict, pd.concat([row, rows], ignore_index=True))
    if alone is None or together is None:
        return alone is together
    return _close(together[:1], alone) and _close(together[1:], predict(rows))


def _outcome(predict: Predict, frame: pd.DataFrame) -> Any:
    """The prediction, or None where the model fails."""
    try:
        return predict(frame)
    except Exception:  # whatever a model raises for what it was not made for
        return None


def has_different_rows(frame: pd.DataFrame) -> bool:
    """Whether the rows that are predicted apart differ. Cells that cannot be compared do not."""
    return _holds(lambda: len(frame.head(ROWS).drop_duplicates()) > 1)


def absent_to_fill(predict: Predict, columns: Columns, frame: pd.DataFrame) -> frozenset[Hashable]:
    """The optional columns without which the model fails, and does not fail where they are there
    and full of missing values. None where the model fails on its example, which proves nothing."""
    optional = [column.name for column in columns.optional()]
    rows = frame.head(ROWS)
    given = [name for name in optional if name in rows]

    def works(without: Sequence[Hashable], filled: Collection[Hashable] = ()) -> bool:
        table = columns.with_gaps(rows.drop(columns=list(without)), filled)
        return _holds(lambda: [predict(table)] != [])

    if not given or not works([]):
        return frozenset()
    needed = frozenset(
        name for name in given[:MOST_COLUMNS] if not works([name]) and works([name], [name])
    )
    if works(given, needed) or not works(given, given):
        return needed
    return frozenset(given)


def _are_independent(predict: Predict, rows: pd.DataFrame) -> bool:
    apart = [predict(rows.iloc[[row]].reset_index(drop=True)) for row in range(len(rows))]
    if not all(isinstance(one, np.ndarray) and one.shape[:1] == (1,) for one in apart):
        return False
    expected = np.concatenate(apart)
    many = pd.concat([rows] * TIMES, ignore_index=True)
    return _close(predict(rows), expected) and _close(
        predict(many), np.concatenate([expected] * TIMES)
    )


def _close(first: Any, second: "np.ndarray[Any, Any]") -> bool:
    """Whether predictions are equal, floats but for rounding."""
    if not isinstance(first, np.ndarray) or first.dtype != second.dtype:
        return False
    if first.shape != second.shape:
        return False
    if (tolerance := ROUNDING.get(first.dtype.name)) is not None:
        return np.allclose(first, second, rtol=tolerance, atol=0.0, equal_nan=True)
    both_missing = (first != first) & (second != second)
    return bool(np.all((first == second) | both_missing))


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
