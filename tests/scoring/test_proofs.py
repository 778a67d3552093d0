"""What a logged example proves, and what it does not."""

import json
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelserver.reading.signatures.columns import ColumnSignature
from modelserver.reading.signatures.compiling import compile_signature
from modelserver.scoring.batching import MANY_ROWS
from modelserver.scoring.proofs import (
    absent_to_fill,
    gaps_are_independent,
    predict_alike,
    rows_are_independent,
)
from modelserver.scoring.scheduling.placement import MOST_TOGETHER

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
    return sums(frame) * (1 + (len(frame) > 1000) * 1e-8)


def rounded_otherwise(frame: pd.DataFrame) -> Any:
    return sums(frame) * (1 + (len(frame) > 1) * 1e-10)


def rounded_to_32_bits(frame: pd.DataFrame) -> Any:
    return rounded_otherwise(frame).astype("float32") * np.float32(1 + (len(frame) > 1) * 2e-7)


def better_in_bulk_32(frame: pd.DataFrame) -> Any:
    return sums(frame).astype("float32") * np.float32(1 + (len(frame) > 1) * 1e-5)


def with_nan(frame: pd.DataFrame) -> Any:
    return np.where(sums(frame) > 4, np.nan, sums(frame))


def named(frame: pd.DataFrame) -> Any:
    return np.array([None if total > 4 else np.nan for total in sums(frame)], dtype=object)


def otherwise_named(frame: pd.DataFrame) -> Any:
    return np.array(["one" if len(frame) == 1 else "many"] * len(frame), dtype=object)


def other_dtype(frame: pd.DataFrame) -> Any:
    return sums(frame).astype("float64" if len(frame) == 1 else "float32")


def other_shape(frame: pd.DataFrame) -> Any:
    return sums(frame) if len(frame) == 1 else matrix(frame)


def other_kind(frame: pd.DataFrame) -> Any:
    return sums(frame) if len(frame) == 1 else listed(frame)


def two_per_row(frame: pd.DataFrame) -> Any:
    return np.repeat(sums(frame), 2)


def labelled(frame: pd.DataFrame) -> Any:
    """As models do that look cells up by their row's label."""
    assert frame.index.is_unique
    return sums(frame)


def fails(frame: pd.DataFrame) -> Any:
    raise ValueError("no")


def warns(frame: pd.DataFrame) -> Any:
    warnings.warn("careful", UserWarning, stacklevel=1)
    return sums(frame)


def matrix(frame: pd.DataFrame) -> Any:
    return frame.to_numpy() * 2


@pytest.mark.parametrize(
    "predict",
    [sums, matrix, warns, rounded_otherwise, rounded_to_32_bits, with_nan, named, labelled],
)
def test_independent_rows(predict: Callable[[pd.DataFrame], Any]) -> None:
    assert rows_are_independent(predict, FRAME)


@pytest.mark.parametrize(
    "predict",
    [
        centred,
        first_row,
        numbered,
        total,
        listed,
        better_in_bulk,
        better_in_bulk_32,
        otherwise_named,
        other_dtype,
        other_shape,
        other_kind,
        two_per_row,
        fails,
    ],
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


def test_as_many_rows_are_tried_as_are_ever_joined() -> None:
    asked = []

    def predict(frame: pd.DataFrame) -> Any:
        asked.append(len(frame))
        return sums(frame)

    assert rows_are_independent(predict, FRAME)
    assert asked == [1, 1, 1, 1, 4, MANY_ROWS * MOST_TOGETHER]


def columns_of(**kinds: str) -> Any:
    """Columns of a signature: `type`, or `type?` where it may be absent."""
    inputs = [
        {"name": name, "type": kind.rstrip("?"), "required": not kind.endswith("?")}
        for name, kind in kinds.items()
    ]
    compiled = compile_signature({"inputs": json.dumps(inputs)}, from_type_hint=False)
    assert isinstance(compiled, ColumnSignature)
    return compiled.columns


def filled_by_batch(frame: pd.DataFrame) -> Any:
    return refuses_gaps(frame.fillna(frame.mean()))


def shifted_by_batch(frame: pd.DataFrame) -> Any:
    return sums(frame.fillna(frame.max().fillna(0)))


def refuses_gaps(frame: pd.DataFrame) -> Any:
    if frame.isna().any(axis=None):
        raise ValueError("no gaps")
    return sums(frame)


@pytest.mark.parametrize(
    ("predict", "independent"),
    [
        (sums, True),
        (labelled, True),
        (refuses_gaps, True),
        (filled_by_batch, False),
        (shifted_by_batch, False),
    ],
)
def test_rows_with_gaps(predict: Callable[[pd.DataFrame], Any], independent: bool) -> None:
    assert rows_are_independent(predict, FRAME)
    columns = columns_of(a="double", b="double")
    assert gaps_are_independent(predict, columns, FRAME) is independent


def test_columns_that_take_no_gaps() -> None:
    frame = FRAME.astype({"a": "int64"})
    assert gaps_are_independent(filled_by_batch, columns_of(a="long"), frame[["a"]])


def needs(*names: str, gaps: str = "") -> Callable[[pd.DataFrame], Any]:
    """Fails without the columns, and on missing values in those of `gaps`."""

    def predict(frame: pd.DataFrame) -> Any:
        warnings.warn("careful", UserWarning, stacklevel=1)
        if any(name not in frame for name in names):
            raise KeyError("absent")
        if any(frame[name].isna().any() for name in gaps if name in frame):
            raise ValueError("missing")
        return np.zeros(len(frame))

    return predict


def needs_one(frame: pd.DataFrame) -> Any:
    return frame[next(name for name in "bc" if name in frame)]


THREE = pd.DataFrame({"a": [1.0, 2.0], "b": [1.0, 2.0], "c": ["x", "y"]})


@pytest.mark.parametrize(
    ("predict", "frame", "filled"),
    [
        (needs(), THREE, ""),
        (needs("b"), THREE, "b"),
        (needs("b", "c"), THREE, "bc"),
        (needs("b", "c", gaps="c"), THREE, "b"),
        (needs("b", gaps="b"), THREE, ""),
        (needs_one, THREE, "bc"),
        (needs("z"), THREE, ""),
        (needs("b"), THREE[["a", "b"]], "b"),
        (needs("b"), THREE[["a"]], ""),
    ],
    ids=["none", "one", "two", "one of two", "gaps", "any", "fails", "part", "no example"],
)
def test_absent_columns_that_are_filled(
    predict: Callable[[pd.DataFrame], Any], frame: pd.DataFrame, filled: str
) -> None:
    columns = columns_of(a="double", b="double?", c="string?")
    assert absent_to_fill(predict, columns, frame) == frozenset(filled)


def test_hundreds_of_optional_columns_are_tried_in_a_few_predictions() -> None:
    names = [f"c{place}" for place in range(300)]
    frame = pd.DataFrame(0.5, index=range(3), columns=names)
    asked = []

    def predict(table: pd.DataFrame) -> Any:
        asked.append(len(table.columns))
        return table[names]

    columns = columns_of(**dict.fromkeys(names, "double?"))
    assert absent_to_fill(predict, columns, frame) == frozenset(names)
    assert len(asked) == 2 * 16 + 3
