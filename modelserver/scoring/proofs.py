"""What a model's logged example proves: which faster ways to predict give the same predictions.

`ways` calls these functions once per load. In: functions that predict a DataFrame, and the logged
example as the model gets it. Out: whether predictions agree. Two functions agree on the same rows
if all bits are equal; rows that are predicted together agree with rows predicted alone if they
differ by rounding only. A function that raises does not agree. A faster function that warns does
not agree either; warnings of the model's own function are ignored.
"""

import warnings
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modelserver.scoring.batching import MANY_ROWS
from modelserver.scoring.scheduling.placement import MOST_TOGETHER
from modelserver.types.frames import Columns

Predict: TypeAlias = Callable[[pd.DataFrame], Any]

ROWS: Final = 4
"""How many rows of the example are predicted alone; more would make the start slower."""

REPEATS: Final = MANY_ROWS * MOST_TOGETHER // ROWS
"""How often these rows are repeated. Together they are as many as batching joins at most."""

ROUNDING: Final[Mapping[str, float]] = {"float64": 1e-9, "float32": 1e-6}
"""The relative difference that counts as rounding, by dtype: only the last bits of a float differ.
NumPy may add numbers in another order if there are more rows."""

MOST_COLUMNS: Final = 16
"""How many columns are tried one by one, as absent or missing; more would make the start slower."""


def predict_alike(first: Predict, second: Predict, frame: pd.DataFrame) -> bool:
    """Whether both functions predict the same for `frame`, and `second` does not warn."""

    def holds() -> bool:
        expected = first(frame.copy())
        warnings.simplefilter("error")
        return _equal(expected, second(frame.copy()))

    return _holds(holds)


def rows_are_independent(predict: Predict, frame: pd.DataFrame) -> bool:
    """Whether rows get the same predictions together as alone. False if all rows are equal, since
    they prove nothing."""
    return has_different_rows(frame) and _holds(lambda: _are_independent(predict, frame.head(ROWS)))


def gaps_are_independent(predict: Predict, columns: Columns, frame: pd.DataFrame) -> bool:
    """Whether a row with missing values gets the same prediction beside other rows as alone, or
    makes the model fail both times."""
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
    """The prediction, or None if the model fails."""
    try:
        return predict(frame)
    except Exception:  # a model may raise anything for input that it was not made for
        return None


def has_different_rows(frame: pd.DataFrame) -> bool:
    """Whether the first `ROWS` rows are not all equal. False if pandas cannot compare their
    cells."""
    return _holds(lambda: len(frame.head(ROWS).drop_duplicates()) > 1)


def absent_to_fill(predict: Predict, columns: Columns, frame: pd.DataFrame) -> frozenset[Hashable]:
    """The optional columns to fill with missing values if a request lacks them: the model fails
    without them, and works if all their values are missing. Empty if it fails on its own
    example."""
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
    many = pd.concat([rows] * REPEATS, ignore_index=True)
    return _close(predict(rows), expected) and _close(
        predict(many), np.concatenate([expected] * REPEATS)
    )


def _close(first: Any, second: NDArray[Any]) -> bool:
    """Whether predictions are equal, apart from the rounding of floats."""
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
        except Exception:  # a model may raise anything for input that it was not made for
            return False
