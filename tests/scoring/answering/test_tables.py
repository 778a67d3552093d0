"""Predictions as tables: names, and what is no table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel

from modelserver.scoring.answering.encoding import cells_of
from modelserver.scoring.answering.tables import NoTable, beside, length_of, table_of
from tests.support.outputs import OUTPUTS


@dataclass
class Point:
    x: int
    y: int


class Size(BaseModel):
    width: int


ONE_BY_TWO_BY_TWO = np.zeros((1, 2, 2))

OF_OUTPUTS: dict[str, dict[str, list[Any]]] = {
    "ints": {"prediction": [1, 2]},
    "matrix": {"prediction_0": [1.0, 3.0], "prediction_1": [2.0, 4.0]},
    "empty": {"prediction": []},
    "frame": {"a": [1, 2], "b": ["x", "y"], "c": [0.5, 1.5]},
    "frame_integer_names": {"0": [1], "1": [2]},
    "series": {"prediction": [1, 2]},
    "series_named": {"p": [1, 2]},
    "list": {"prediction": [1, 2.5, "a", None, True]},
    "dict_arrays": {"a": [1, 2]},
    "sparse": {"prediction_0": [1, 0], "prediction_1": [0, 2]},
    "twice": {"a": [1], "a.1": [2], "b": [3]},
    "multi_index": {"a_b": [1]},
    "generator": {"prediction": [0, 1, 2]},
    "set": {"prediction": [1]},
}

TABLES: dict[str, tuple[Callable[[], Any], dict[str, list[Any]]]] = {
    **{name: (OUTPUTS[name], columns) for name, columns in OF_OUTPUTS.items()},
    "one column": (lambda: np.array([[1], [2]]), {"prediction": [1, 2]}),
    "three dimensions": (
        lambda: ONE_BY_TWO_BY_TWO,
        {"prediction_0": [[0.0, 0.0]], "prediction_1": [[0.0, 0.0]]},
    ),
    "masked": (lambda: np.ma.masked_array([1, 2], [False, True]), {"prediction": [1, None]}),
    "index": (lambda: pd.Index(["a"]), {"prediction": ["a"]}),
    "no rows": (lambda: [], {"prediction": []}),
    "records": (
        lambda: [{"a": 1}, {"b": "x", "a": 2}],
        {"a": [1, 2], "b": [None, "x"]},
    ),
    "dataclasses": (lambda: [Point(1, 2), Point(3, 4)], {"x": [1, 3], "y": [2, 4]}),
    "pydantic": (lambda: [Size(width=1)], {"width": [1]}),
    "rows": (lambda: [[1, 2], (3, 4)], {"prediction_0": [1, 3], "prediction_1": [2, 4]}),
    "rows of one": (lambda: [[1], [2]], {"prediction": [1, 2]}),
    "embeddings": (
        lambda: [np.array([1.0, 2.0])],
        {"prediction_0": [1.0], "prediction_1": [2.0]},
    ),
    "columns": (
        lambda: {"a": [1, 2], 3: np.array([[1, 2], [3, 4]])},
        {"a": [1, 2], "3": [[1, 2], [3, 4]]},
    ),
    "a class of columns": (lambda: Point([1], [2]), {"x": [1], "y": [2]}),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", TABLES)
def test_tables(name: str) -> None:
    output, columns = TABLES[name]
    table = table_of(output())
    assert {key: cells_of(column) for key, column in table.items()} == columns
    assert length_of(table) == len(next(iter(columns.values())))


NO_COLUMNS = "the prediction is an object whose values are no columns of one length"
NO_ROWS = "the rows of the prediction have different lengths or kinds"


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (5, "the prediction is a single int"),
        ("text", "the prediction is a single str"),
        (np.float64(1), "the prediction is a single float64"),
        (np.array(5), "the prediction is a single value"),
        (pd.DataFrame(), "the prediction has no columns"),
        (np.empty((2, 0)), "the rows of the prediction are empty"),
        ([[], []], "the rows of the prediction are empty"),
        ([{}, {}], "the rows of the prediction are empty"),
        ([[1], [1, 2]], NO_ROWS),
        ([[1], 2], NO_ROWS),
        ([{"a": 1}, 2], NO_ROWS),
        ([np.array(1), pd.Series([1])], NO_ROWS),
        ({}, NO_COLUMNS),
        ({"a": 1}, NO_COLUMNS),
        ({"a": "text"}, NO_COLUMNS),
        ({"a": [1], "b": [1, 2]}, NO_COLUMNS),
        ({"a": np.array(1)}, NO_COLUMNS),
        (Point(1, 2), NO_COLUMNS),
    ],
    ids=repr,
)
def test_what_is_no_table(output: Any, message: str) -> None:
    with pytest.raises(NoTable, match=message):
        table_of(output)


def test_columns_of_the_request_stand_before_those_of_the_prediction() -> None:
    carried, predicted = {"id": [7], "prediction": [1]}, {"prediction": [0.5], "id": [2]}
    table = beside(carried, predicted)
    assert list(table.items()) == [
        ("id", [7]),
        ("prediction", [1]),
        ("prediction.1", [0.5]),
        ("id.1", [2]),
    ]
