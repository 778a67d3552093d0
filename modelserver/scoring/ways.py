"""How a model is called: from a payload to a prediction, chosen once per load, for `predict` and
for each other method that the model has.

In: a loaded pyfunc, its compiled signature and the logged example, with which `proofs` shows which
faster ways are allowed. Out: `Ways`. Its `predict` raises `ApiError` for faults of the caller and
of the model.
"""

import inspect
import logging
import os
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from modelserver.errors import ApiError, InvalidInput
from modelserver.reading.json_reader import json_payload
from modelserver.reading.signatures.columns import TypeHintSignature
from modelserver.reading.signatures.signature import Payload, Signature
from modelserver.scoring.blaming.blame import UNFIT, Telling, advised_form, is_untyped
from modelserver.scoring.blaming.conversion import is_refused
from modelserver.scoring.blaming.misfits import misfit, reads_texts, takes_one_conversation
from modelserver.scoring.fast_arrays import array_predict
from modelserver.scoring.methods import methods_of, names_of
from modelserver.scoring.mlflow_internals import (
    fast_predict,
    only_checks_input,
    prediction_context,
    wrapper_of,
)
from modelserver.scoring.model import loader_module
from modelserver.scoring.proofs import (
    absent_to_fill,
    gaps_are_independent,
    has_different_rows,
    predict_alike,
    rows_are_independent,
)
from modelserver.types.frames import Columns
from modelserver.types.names import listed

if TYPE_CHECKING:
    from mlflow.pyfunc import PyFuncModel

logger = logging.getLogger(__name__)

SKLEARN: Final = "mlflow.sklearn"
PYTHON_MODEL: Final = "mlflow.pyfunc.model"
"""Loader modules, as the file MLmodel names them."""

ROW_WISE: Final = frozenset({SKLEARN, "mlflow.xgboost", "mlflow.lightgbm", "mlflow.catboost"})
"""The loader modules of flavors that predict each row independently, as long as the logged example
does not show otherwise."""


def _read_example(signature: Signature, example: bytes | None) -> Payload | None:
    """The logged example as the model gets it; None if there is none or it cannot be read."""
    if example is None:
        return None
    try:
        return json_payload(example, signature, len(example))
    except (ApiError, RecursionError):
        return None


def _why_apart(
    loader: str,
    predict: Callable[[pd.DataFrame], Any],
    columns: Columns | None,
    sample: pd.DataFrame | None,
) -> str:
    """The reason why requests may not be predicted together; empty if they may."""
    if loader not in ROW_WISE:
        return f"models of the flavor {loader} are not known to take each row for itself"
    if sample is None or columns is None:
        return "no table without params was logged as the model's example"
    if not has_different_rows(sample):
        return "the logged example has no two different rows"
    if not rows_are_independent(predict, sample):
        return "the rows of the logged example are predicted otherwise together than alone"
    if not gaps_are_independent(predict, columns, sample):
        return "rows with missing values are predicted otherwise together than alone"
    return ""


def _loader(pyfunc: "PyFuncModel") -> str:
    return loader_module(pyfunc.metadata.flavors)


def _own_predict(
    pyfunc: "PyFuncModel", signature: Signature, sample: pd.DataFrame | None
) -> Callable[..., Any]:
    """The predict function of the model's flavor. For scikit-learn it is one that takes an array of
    numbers, if the example shows that both predict the same."""
    name = pyfunc.metadata.flavors["python_function"].get("predict_fn", "predict")
    wrapper = wrapper_of(pyfunc)
    predict: Callable[..., Any] = getattr(wrapper, name)
    if _loader(pyfunc) == PYTHON_MODEL and not signature.params.declared:
        return fast_predict(wrapper) or predict
    return _fast_method(pyfunc, name, predict, signature, sample)


def _fast_method(
    pyfunc: "PyFuncModel",
    name: str,
    plain: Callable[..., Any],
    signature: Signature,
    sample: pd.DataFrame | None,
) -> Callable[..., Any]:
    """A fast way that does what `plain` does, the method of this name, if the example shows that;
    otherwise `plain` itself."""
    if sample is None or _loader(pyfunc) != SKLEARN:
        return plain
    columns = signature.columns
    assert columns is not None  # those of the sample
    if not columns.only_doubles:
        return plain
    fast = array_predict(pyfunc.get_raw_model(), name, columns.names)
    return fast if fast and predict_alike(plain, fast, sample) else plain


def _predictor(
    wrapper: Any,
    plain: Callable[[Any, Any], Any],
    direct: Callable[[Any, Any], Any] | None,
    signature: Signature,
    telling: Telling,
) -> Callable[[Payload], Any]:
    """The function from a payload to a prediction. It calls `direct` with input that already has
    the signature's types, and `plain` with all other input."""

    checked = isinstance(signature, TypeHintSignature) and reads_texts(wrapper)
    single = takes_one_conversation(wrapper)

    def predict(payload: Payload) -> Any:
        if checked and (found := misfit(wrapper, None, payload.data)):
            raise found
        if single and payload.rows is not None and payload.rows > 1:
            raise InvalidInput(f"the model takes one conversation at a time, got {payload.rows}")
        process = os.getpid()
        try:
            if payload.typed and direct is not None:
                return direct(payload.data, payload.params)
            return plain(payload.data, payload.params)
        except BaseException as error:  # a model may raise SystemExit, or CancelledError of asyncio
            if is_refused(error, payload.typed):
                raise _refused(wrapper, signature, payload.data) from error
            raise telling.failed(error) from error
        finally:
            if os.getpid() != process:  # the model forked, and a second server would go on
                os._exit(0)

    return predict


def _refused(wrapper: Any, signature: Signature, data: Any) -> InvalidInput:
    """The error for an input that MLflow refused before it reached the model."""
    # In a variable, the error would refer to itself, as it knows the frame that called `misfit`.
    return misfit(wrapper, signature.columns, data) or InvalidInput(
        advised_form(data) if is_untyped(signature) else UNFIT
    )


def _fast_call(
    pyfunc: "PyFuncModel", own_predict: Callable[..., Any]
) -> Callable[[Any, Any], Any] | None:
    """A fast way to call the model: its own predict, in the same context as in the plain way,
    `PyFuncModel.predict`, but without checking the input. None if that method does more than check
    the input."""
    if not only_checks_input(pyfunc):
        return None
    params = inspect.signature(own_predict).parameters.get("params")
    takes_params = params is not None and params.kind is not inspect.Parameter.VAR_KEYWORD
    opened = prediction_context(pyfunc)

    def call(data: Any, params: Any) -> Any:
        with opened():
            return own_predict(data, params=params) if takes_params else own_predict(data)

    return call


@dataclass(frozen=True, slots=True)
class Way:
    """How one method is called: the function from a payload to a prediction, whether rows of
    several requests may be predicted together, and the names of the columns of the prediction, if
    the method does not say them itself."""

    predict: Callable[[Payload], Any]
    row_wise: bool
    names: Sequence[Hashable] = ()


@dataclass(frozen=True, slots=True)
class Ways:
    """How a model is called: the signature with which payloads are read, the logged example as the
    model gets it, the way of `predict`, and the ways of the other methods by name."""

    signature: Signature
    example: Payload | None
    default: Way
    others: Mapping[str, Way] = field(default_factory=dict)


def ways_to_predict(
    pyfunc: "PyFuncModel",
    signature: Signature,
    example: bytes | None,
    batching: bool,
    telling: Telling,
) -> Ways:
    """How a model is called. `example`: the body that was logged with it; `batching`: whether the
    settings allow that requests are predicted together; `telling`: what answers may say of the
    model's exceptions."""
    read = _read_example(signature, example)
    columns = signature.columns
    table = read.data if columns is not None and read is not None and read.typed else None
    sample = None if read and read.params else table
    predict = _default_predictor(pyfunc, signature, sample, telling)
    on_frames = _on_frames(predict, read.params if read else None)
    if columns is not None and table is not None:
        signature = _filling_absent(signature, columns, on_frames, table)
    why = "BATCHING is off"
    if batching:
        why = _why_apart(_loader(pyfunc), on_frames, signature.columns, sample)
    if why:
        logger.info("waiting requests are not predicted together: %s", why)
    others = _other_ways(pyfunc, signature, sample, telling)
    if not why and sample is not None:
        # Gaps reach all methods in the same way, so they are not tried again.
        others = {
            name: replace(way, row_wise=rows_are_independent(_on_frames(way.predict), sample))
            for name, way in others.items()
        }
    return Ways(signature, read, Way(predict, row_wise=not why), others)


def _on_frames(
    predict: Callable[[Payload], Any], params: Any = None
) -> Callable[[pd.DataFrame], Any]:
    """The function from a typed DataFrame to a prediction. It predicts a copy, since a model may
    write into what it gets."""
    return lambda frame: predict(Payload(frame.copy(), params, typed=True))


def _default_predictor(
    pyfunc: "PyFuncModel", signature: Signature, sample: pd.DataFrame | None, telling: Telling
) -> Callable[[Payload], Any]:
    """How `predict` is called."""
    own = _own_predict(pyfunc, signature, sample)
    return _predictor(
        wrapper_of(pyfunc),
        lambda data, params: pyfunc.predict(data, params=params),
        _fast_call(pyfunc, own),
        signature,
        telling,
    )


def _other_ways(
    pyfunc: "PyFuncModel", signature: Signature, sample: pd.DataFrame | None, telling: Telling
) -> Mapping[str, Way]:
    """How the methods besides `predict` are called."""
    if _loader(pyfunc) not in ROW_WISE:
        return {}
    estimator = pyfunc.get_raw_model()
    ways = {}
    for name in methods_of(estimator):
        own = _fast_method(pyfunc, name, getattr(estimator, name), signature, sample)
        call = partial(_called_alone, own)
        predict = _predictor(wrapper_of(pyfunc), call, call, signature, telling)
        ways[name] = Way(predict, row_wise=False, names=names_of(estimator, name))
    return ways


def _called_alone(method: Callable[[Any], Any], data: Any, params: Any) -> Any:
    """What a method returns, which takes no params."""
    return method(data)


def _filling_absent(
    signature: Signature,
    columns: Columns,
    predict: Callable[[pd.DataFrame], Any],
    example: pd.DataFrame,
) -> Signature:
    """The signature in which those optional columns that the model needs are marked: if they are
    absent, they will be filled with missing values."""
    needed = absent_to_fill(predict, columns, example)
    if not needed:
        return signature
    names = listed(name for name in columns.names if name in needed)
    logger.info("absent optional columns reach the model as missing values: %s", names)
    return replace(signature, columns=replace(columns, filled=needed))
