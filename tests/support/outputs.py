"""What models return: one function per kind of output, so that each call makes a new value."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse

OUTPUTS: dict[str, Callable[[], Any]] = {
    "ints": lambda: np.array([1, 2]),
    "floats": lambda: np.array([0.5, 1e300]),
    "float32": lambda: np.array([0.1, 2.5], np.float32),
    "booleans": lambda: np.array([True, False]),
    "texts": lambda: np.array(["a", "ü"]),
    "matrix": lambda: np.array([[1.0, 2.0], [3.0, 4.0]]),
    "fortran": lambda: np.array([[1.0, 2.0], [3.0, 4.0]], order="F"),
    "objects": lambda: np.array([1, "a", None, 2.5], object),
    "zero_d": lambda: np.array(5),
    "empty": lambda: np.array([]),
    "frame": lambda: pd.DataFrame({"a": [1, 2], "b": ["x", "y"], "c": [0.5, 1.5]}),
    "frame_integer_names": lambda: pd.DataFrame({0: [1], 1: [2]}),
    "frame_index": lambda: pd.DataFrame({"a": [1, 2]}, index=[7, 8]),
    "frame_empty": lambda: pd.DataFrame(),
    "series": lambda: pd.Series([1, 2]),
    "series_named": lambda: pd.Series([1, 2], name="p"),
    "list": lambda: [1, 2.5, "a", None, True],
    "tuple": lambda: (1, 2),
    "dict": lambda: {"a": [1, 2], "b": {"c": None}},
    "dict_arrays": lambda: {"a": np.array([1, 2])},
    "dict_scalar_keys": lambda: {1: "a", None: "b"},
    "scalar": lambda: 5,
    "numpy_scalar": lambda: np.float64(0.5),
    "numpy_scalars": lambda: [np.int64(1), np.float32(0.1), np.bool_(True)],
    "text": lambda: "hello",
    "none": lambda: None,
    "big_integer": lambda: 2**70,
    "unicode": lambda: ["é", "日本", "\U0001f377", "\u2028"],
    "formulas": lambda: ["=1+1", "-1"],
    "datetime": lambda: [datetime(2024, 1, 2, 3, 4, 5, 6), date(2024, 1, 2), time(3, 4, 5)],
    "timestamps": lambda: pd.DataFrame({"t": pd.to_datetime(["2024-01-02T03:04:05"])}),
    "bytes": lambda: [b"abc"],
    # From here on MLflow's server crashes or writes what is not JSON, or not what was meant.
    "nan": lambda: np.array([np.nan, np.inf, -np.inf, 1.0]),
    "nan_list": lambda: [float("nan"), {"x": float("inf")}],
    "frame_nan": lambda: pd.DataFrame({"a": [1.0, np.nan], "b": ["x", None]}),
    "nat": lambda: pd.DataFrame({"t": pd.to_datetime(["2024-01-02", "NaT"])}),
    "datetime64": lambda: np.array(["2024-01-02T03:04:05", "NaT"], "M8[ns]"),
    "datetime64_scalar": lambda: [np.datetime64("2024-01-02")],
    "timedelta": lambda: [timedelta(days=1, seconds=2), pd.Timedelta("1s"), np.timedelta64(3, "s")],
    "timedelta64": lambda: np.array([1, 2], "m8[s]"),
    "decimal": lambda: [Decimal("1.10"), Decimal("NaN")],
    "set": lambda: {1},
    "na": lambda: [pd.NA, pd.NaT],
    "nullable": lambda: pd.DataFrame({"a": pd.array([1, None], "Int64")}),
    "category": lambda: pd.DataFrame({"a": pd.Categorical(["x", "y"])}),
    "sparse": lambda: scipy.sparse.csr_matrix([[1, 0], [0, 2]]),
    "sparse_frame": lambda: pd.DataFrame({"a": pd.arrays.SparseArray([0, 1])}),
    "long_bytes": lambda: b"x" * 100,
    "nested_frame": lambda: {"f": pd.DataFrame({"a": [1]}), "s": pd.Series([1, 2])},
    "numpy_keys": lambda: {np.int64(7): 1},
    "multi_index": lambda: pd.DataFrame({("a", "b"): [1]}),
    "twice": lambda: pd.DataFrame([[1, 2, 3]], columns=["a", "a", "b"]),
    "generator": lambda: (number for number in range(3)),
    "surrogate": lambda: ["\ud800"],
    "complex": lambda: 1j,
    "object": lambda: object(),
    "endless": lambda: _endless(),
}


def _endless() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value
