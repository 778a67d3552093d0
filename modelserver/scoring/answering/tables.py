"""What a model returns as a table: its columns by name. Pure.

In: a prediction. Out: a `Columns`, in which each column is a list, or an array of NumPy or pandas
that keeps its type. DataFrames, Series and dicts have names. What has none is named `prediction`,
or `prediction_0`, `prediction_1`, … if each row has several values. What is no table, such as a
text or rows of several lengths, raises `NoTable`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modelserver.scoring.answering.encoding import dumped, unique_names

Columns: TypeAlias = Mapping[str, Any]
"""The columns of a table by name, in order and of one length. There is at least one."""

UNNAMED: Final = "prediction"


class NoTable(Exception):
    """The prediction is no table, or none that the format can hold. The text says why."""


def table_of(prediction: Any) -> Columns:
    """The prediction as a table. Raises `NoTable`."""
    prediction = dumped(prediction)
    for known, columns in SHAPES:
        if isinstance(prediction, known):
            return columns(prediction)
    if hasattr(prediction, "toarray"):  # scipy.sparse
        return _of_array(prediction.toarray())
    raise NoTable(f"the prediction is a single {type(prediction).__name__}")


def beside(carried: Columns, predicted: Columns) -> Columns:
    """The columns of the request, then those of the prediction. If both have a name, a number is
    added to the prediction's."""
    names = unique_names([*carried, *predicted])
    return dict(zip(names, [*carried.values(), *predicted.values()], strict=True))


def length_of(columns: Columns) -> int:
    """The number of rows."""
    return len(next(iter(columns.values())))


def unnamed(number: int) -> list[str]:
    """The names of so many columns that have none."""
    return [UNNAMED] if number == 1 else [f"{UNNAMED}_{place}" for place in range(number)]


def _of_frame(frame: pd.DataFrame) -> Columns:
    if not len(frame.columns):
        raise NoTable("the prediction has no columns")
    names = unique_names(frame.columns)
    return {name: frame.iloc[:, place] for place, name in enumerate(names)}


def _of_series(series: "pd.Series[Any]") -> Columns:
    return {UNNAMED: series} if series.name is None else _of_frame(series.to_frame())


def _of_array(array: NDArray[Any]) -> Columns:
    if isinstance(array, np.ma.MaskedArray):
        array = np.array(array.tolist(), object)  # None is where a value is masked
    if not array.ndim:
        raise NoTable("the prediction is a single value")
    if array.ndim == 1:
        return {UNNAMED: array}
    return _numbered([array[:, place] for place in range(array.shape[1])])


def _numbered(columns: Sequence[Any]) -> Columns:
    """Columns without names. Raises `NoTable` if there is none."""
    if not columns:
        raise NoTable("the rows of the prediction are empty")
    return dict(zip(unnamed(len(columns)), columns, strict=True))


def _of_columns(columns: Mapping[Any, Any]) -> Columns:
    """The table in a dict, whose values are columns."""
    lengths = {_size(column, COLUMN) for column in columns.values()}
    if len(lengths) != 1 or None in lengths:
        raise NoTable("the prediction is an object whose values are no columns of one length")
    return dict(zip(unique_names(columns), columns.values(), strict=True))


def _of_items(items: Any) -> Columns:
    """The table in a list, whose items are rows: objects, arrays or values."""
    rows = [dumped(item) for item in items]
    if rows and all(isinstance(row, Mapping) for row in rows):
        return _of_records(rows)
    widths = {_size(row, ARRAY) for row in rows}
    if len(widths) > 1 or any(isinstance(row, NESTED) for row in rows):
        raise NoTable("the rows of the prediction have different lengths or kinds")
    if widths <= {None}:
        return {UNNAMED: rows}
    return _numbered(list(zip(*rows, strict=True)))


def _size(value: Any, types: tuple[Any, ...]) -> int | None:
    """How many values it holds; None if it is of none of the types, or an array of no dimension."""
    no_dimension = isinstance(value, np.ndarray) and not value.ndim
    return None if no_dimension or not isinstance(value, types) else len(value)


def _of_records(rows: Sequence[Mapping[Any, Any]]) -> Columns:
    """The table of objects. If a row lacks a name, its cell is missing."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    if not keys:
        raise NoTable("the rows of the prediction are empty")
    cells = [[row.get(key) for row in rows] for key in keys]
    return dict(zip(unique_names(keys), cells, strict=True))


ARRAY: Final = (list, tuple, np.ndarray)

COLUMN: Final = (*ARRAY, pd.Series, pd.Index, pd.api.extensions.ExtensionArray)

NESTED: Final = (Mapping, pd.DataFrame, pd.Series)

SHAPES: Final[Sequence[tuple[Any, Callable[[Any], Columns]]]] = (
    (pd.DataFrame, _of_frame),
    (pd.Series, _of_series),
    (np.ndarray, _of_array),
    ((pd.Index, pd.api.extensions.ExtensionArray), lambda array: {UNNAMED: array}),
    (Mapping, _of_columns),
    ((list, tuple, range, set, frozenset, Iterator), _of_items),
)
"""The types of predictions that may be tables, and the function that makes the table of each."""
