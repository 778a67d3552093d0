"""Python models are asked as MLflow's wrapper asks them, without it where it does no more."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from mlflow.pyfunc.model import PythonModel, PythonModelContext, _PythonModelPyfuncWrapper

from modelserver.scoring.ways import _unwrapped
from tests.scoring.test_batching import load

FRAME = pd.DataFrame({"a": [1.0, 2.0]})
CONTEXT = PythonModelContext({}, {"factor": 3})


class WithContext(PythonModel):
    def predict(self, context: Any, model_input: Any) -> Any:  # type: ignore[override]
        return [context.model_config, model_input]


class WithContextAndParams(PythonModel):
    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        return [context.model_config, model_input, params]


class OtherNames(PythonModel):
    def predict(self, ctx: Any, x: pd.DataFrame) -> Any:  # type: ignore[override]
        return [ctx.model_config, x]


class WithoutContext(PythonModel):
    def predict(self, model_input: pd.DataFrame, params: Any = None) -> Any:  # type: ignore[override]
        return [model_input, params]


class OnlyInput(PythonModel):
    def predict(self, model_input: Any) -> Any:  # type: ignore[override]
        return [model_input]


class Texts(PythonModel):
    def predict(self, model_input: list[str]) -> Any:  # type: ignore[override]
        return model_input


class Records(PythonModel):
    def predict(self, context: Any, model_input: list[dict[str, str]]) -> Any:  # type: ignore[override]
        return model_input


class Variadic(PythonModel):
    def predict(self, *args: Any, **params: Any) -> Any:
        return [*args, params]


def wrapped(model: type[PythonModel]) -> Any:
    return _PythonModelPyfuncWrapper(model(), CONTEXT, None)


@pytest.mark.parametrize(
    "model", [WithContext, WithContextAndParams, OtherNames, WithoutContext, OnlyInput]
)
def test_asked_as_by_the_wrapper(model: type[PythonModel]) -> None:
    wrapper = wrapped(model)
    predict = _unwrapped(wrapper)
    assert predict is not None
    expected, found = wrapper.predict(FRAME), predict(FRAME)
    assert len(expected) == len(found)
    for one, other in zip(expected, found, strict=True):
        assert one is other


@pytest.mark.parametrize("model", [Texts, Records, Variadic])
def test_models_that_need_the_wrapper(model: type[PythonModel]) -> None:
    assert _unwrapped(wrapped(model)) is None


def test_other_models() -> None:
    assert _unwrapped(object()) is None


@pytest.mark.parametrize(
    ("name", "filled"), [("imputed", "'b', 'c'"), ("tolerant", "'b'"), ("fragile", None)]
)
def test_the_log_names_absent_columns_that_are_filled(
    name: str,
    filled: str | None,
    model_path: Callable[[str], Path],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    load(model_path(name))
    said = "absent optional columns reach the model as missing values: "
    assert [text for text in caplog.messages if text.startswith(said)] == (
        [said + filled] if filled else []
    )
