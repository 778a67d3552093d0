"""What a logged example proves, and what it does not."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelserver.proofs import predict_alike, rows_are_independent

FRAME = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0, 5.0], "b": [0.0, 0.0, 1.0, 1.0, 1.0]})


def sums(frame: pd.DataFrame) -> Any:
    return frame.sum(axis=1).to_numpy()


def centred(frame: pd.DataFrame) -> Any:
    return sums(frame - frame.mean())


def first_row(frame: pd.DataFrame) -> Any:
    return np.repeat(frame["a"].to_numpy()[0], len(frame))


def numbered(frame: pd.DataFrame) -> Any:
    return sums(frame) + np.arange(len(frame))


def total(frame: pd.DataFrame) -> Any:
    return sums(frame).sum()


def listed(frame: pd.DataFrame) -> Any:
    return sums(frame).tolist()


def better_in_bulk(frame: pd.DataFrame) -> Any:
    return sums(frame) + (len(frame) > 10) * 1e-12


def fails(frame: pd.DataFrame) -> Any:
    raise ValueError("no")


def warns(frame: pd.DataFrame) -> Any:
    warnings.warn("careful", UserWarning, stacklevel=1)
    return sums(frame)


def matrix(frame: pd.DataFrame) -> Any:
    return frame.to_numpy() * 2


@pytest.mark.parametrize("predict", [sums, matrix, warns])
def test_independent_rows(predict: Callable[[pd.DataFrame], Any]) -> None:
    assert rows_are_independent(predict, FRAME)


@pytest.mark.parametrize(
    "predict", [centred, first_row, numbered, total, listed, better_in_bulk, fails]
)
def test_rows_that_are_not_known_to_be(predict: Callable[[pd.DataFrame], Any]) -> None:
    assert not rows_are_independent(predict, FRAME)


@pytest.mark.parametrize("rows", [[0], [0, 0]], ids=["one row", "equal rows"])
def test_one_row_proves_nothing(rows: list[int]) -> None:
    assert not rows_are_independent(sums, FRAME.iloc[rows])


@pytest.mark.parametrize(
    ("second", "alike"),
    [
        (sums, True),
        (numbered, False),
        (fails, False),
        (warns, False),
        (listed, False),
        (lambda frame: sums(frame).astype("float32"), False),
    ],
)
def test_predict_alike(second: Callable[[pd.DataFrame], Any], alike: bool) -> None:
    assert predict_alike(sums, second, FRAME) is alike
