"""The models that are served, and their data."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import cloudpickle
import mlflow
import numpy as np
import pandas as pd
from mlflow.models import ModelSignature, infer_signature
from mlflow.pyfunc.model import PythonModel
from mlflow.types import Schema, TensorSpec

# The servers that load the models do not know this module.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


class Noop(PythonModel):
    """Returns at once."""

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> Any:
        """Zeros, one per row."""
        return np.zeros(len(model_input))


class Brightness(PythonModel):
    """Images to numbers."""

    def predict(self, context: Any, model_input: np.ndarray, params: Any = None) -> Any:
        """The mean of each image."""
        return model_input.mean(axis=(1, 2), dtype="float64")


def doubles(rows: int, digits: int = 2) -> pd.DataFrame:
    """Four columns of doubles of so many decimals."""
    cells = np.random.default_rng(0).normal(size=(rows, 4)).round(digits)
    return pd.DataFrame(cells, columns=["a", "b", "c", "d"])


def mixed(rows: int, dates: bool, digits: int = 3) -> pd.DataFrame:
    """50 columns: doubles of so many decimals, longs, strings, booleans and, if `dates`, one of
    datetimes."""
    rng = np.random.default_rng(0)
    words = np.array(["red", "green", "blue", "yellow"], object)
    columns: dict[str, Any] = {}
    columns |= {f"double{i}": rng.normal(size=rows).round(digits) for i in range(24)}
    columns |= {f"long{i}": rng.integers(0, 1000, rows) for i in range(12)}
    columns |= {f"text{i}": pd.Series(rng.choice(words, rows), dtype="str") for i in range(8)}
    columns |= {f"flag{i}": rng.random(rows) < 0.5 for i in range(5)}
    moments = np.datetime64("2024-01-01", "ns") + rng.integers(0, 10**6, rows).astype("m8[s]")
    columns |= {"when": moments} if dates else {"double24": rng.normal(size=rows).round(digits)}
    return pd.DataFrame(columns)


def texts(rows: int) -> pd.DataFrame:
    """Eight columns of words."""
    return mixed(rows, dates=False)[[f"text{i}" for i in range(8)]]


def images(count: int) -> "np.ndarray[Any, Any]":
    """Grey images of 28 by 28 pixels."""
    return np.random.default_rng(0).random((count, 28, 28)).round(4).astype("float32")


def targets(frame: pd.DataFrame) -> "np.ndarray[Any, Any]":
    """Something to learn: whether the first two columns are large."""
    return (frame.iloc[:, 0] + frame.iloc[:, 1] > 0).to_numpy().astype(int)


def save_sklearn(path: Path, model: Any, frame: pd.DataFrame) -> None:
    """The model, fitted to `frame`, with signature and input example."""
    model.fit(frame, targets(frame))
    mlflow.sklearn.save_model(
        model,
        path,
        signature=infer_signature(frame, model.predict(frame)),
        input_example=frame.head(2),
        pip_requirements=["scikit-learn"],
    )


def save_regression(path: Path) -> None:
    """LogisticRegression on four doubles."""
    from sklearn.linear_model import LogisticRegression

    save_sklearn(path, LogisticRegression(), doubles(200))


def save_wide(path: Path, dates: bool) -> None:
    """A pipeline on 50 mixed columns."""
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    frame = mixed(500, dates)
    kinds = ("double", "long", "text", "flag")
    named = {kind: [name for name in frame if str(name).startswith(kind)] for kind in kinds}
    columns = make_column_transformer(
        (StandardScaler(), named["double"] + named["long"]),
        (OneHotEncoder(), named["text"]),
        ("passthrough", named["flag"]),
        remainder="drop",
    )
    save_sklearn(path, make_pipeline(columns, LogisticRegression()), frame)


def save_noop(path: Path, example: pd.DataFrame) -> None:
    """A pyfunc that does nothing, with the signature of the example."""
    mlflow.pyfunc.save_model(
        path,
        python_model=Noop(),
        signature=infer_signature(example, np.zeros(1)),
        input_example=example,
        pip_requirements=["mlflow"],
    )


def save_tensor(path: Path) -> None:
    """A pyfunc that takes images."""
    mlflow.pyfunc.save_model(
        path,
        python_model=Brightness(),
        signature=ModelSignature(Schema([TensorSpec(np.dtype("float32"), (-1, 28, 28))])),
        input_example=images(1),
        pip_requirements=["mlflow"],
    )


MODELS: Final[Mapping[str, Callable[[Path], None]]] = {
    "LR": save_regression,
    "no-op": lambda path: save_noop(path, doubles(1)),
    "text no-op": lambda path: save_noop(path, texts(1)),
    "wide no-op": lambda path: save_noop(path, mixed(1, dates=True)),
    "wide": lambda path: save_wide(path, dates=True),
    "wide without dates": lambda path: save_wide(path, dates=False),
    "tensor": save_tensor,
}
"""How each model is saved."""
