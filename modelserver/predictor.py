"""How a model is asked: from a payload to a prediction, chosen once per load.

In: a loaded pyfunc, its compiled signature and the logged example, which proves what is allowed
(`proofs.py`). Out: `Ways`. A call raises `ApiError` for what is the caller's or the model's fault.
"""

import inspect
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from modelserver.arrays import array_predict
from modelserver.errors import ApiError, InvalidInput, ModelFailed, ModelRaised
from modelserver.media import JSON
from modelserver.payload import Payload, read_payload
from modelserver.proofs import predict_alike, rows_are_independent
from modelserver.signature import Signature

if TYPE_CHECKING:
    from mlflow.pyfunc import PyFuncModel

logger = logging.getLogger(__name__)

SKLEARN: Final = "mlflow.sklearn"
PYTHON_MODEL: Final = "mlflow.pyfunc.model"
"""Modules that load models, as MLmodel names them."""

VARIADIC: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)

ROW_WISE: Final = frozenset({SKLEARN, "mlflow.xgboost", "mlflow.lightgbm", "mlflow.catboost"})
"""Flavors whose predict takes each row for itself, unless a model does otherwise."""

UNPROVEN: Final = (
    "its logged example has no two different rows, or predicts them otherwise alone than together"
)


def _sample(signature: Signature, example: bytes | None) -> pd.DataFrame | None:
    """The logged example as the model gets it, if that is a typed DataFrame without params."""
    if example is None:
        return None
    try:
        payload = read_payload(JSON, example, signature, len(example))
    except (ApiError, RecursionError):
        return None
    tabular = payload.typed and signature.columns is not None and not payload.params
    return payload.data if tabular else None


def _is_row_wise(
    pyfunc: "PyFuncModel", predict: Callable[[Payload], Any], sample: pd.DataFrame | None
) -> bool:
    """Whether requests may be predicted together: by the flavor, and by the example."""
    if _loader(pyfunc) not in ROW_WISE:
        return False
    if sample is None or not rows_are_independent(
        lambda f: predict(Payload(f, typed=True)), sample
    ):
        logger.info("waiting requests are not predicted together: %s", UNPROVEN)
        return False
    return True


def _loader(pyfunc: "PyFuncModel") -> str:
    return str(pyfunc.metadata.flavors["python_function"]["loader_module"])


def _own_predict(
    pyfunc: "PyFuncModel", signature: Signature, sample: pd.DataFrame | None
) -> Callable[..., Any]:
    """The predict function of the model's own flavor, on numbers alone where that is the same."""
    name = pyfunc.metadata.flavors["python_function"].get("predict_fn", "predict")
    predict: Callable[..., Any] = getattr(pyfunc._model_impl, name)
    if _loader(pyfunc) == PYTHON_MODEL and not signature.params.declared:
        return _unwrapped(pyfunc._model_impl) or predict
    columns = signature.columns
    if sample is None or columns is None or not columns.block or _loader(pyfunc) != SKLEARN:
        return predict
    fast = array_predict(pyfunc.get_raw_model(), name, columns.names)
    return fast if fast and predict_alike(predict, fast, sample) else predict


def _unwrapped(wrapper: Any) -> Callable[..., Any] | None:
    """What MLflow's wrapper of a `PythonModel` calls after it looked at that function's parameters,
    as it does for each prediction anew; None where it also converts the input."""
    model = getattr(wrapper, "python_model", None)
    hints = getattr(model, "predict_type_hints", None)
    if model is None or hints is None or hints.input not in (None, Any, pd.DataFrame):
        return None
    parameters = inspect.signature(model.predict).parameters
    if any(parameter.kind in VARIADIC for parameter in parameters.values()):
        return None
    names = parameters.keys() - {"params"}
    # MLflow's rule (mlflow.models.signature): one of two, the context may have any name.
    takes_context = "context" in names or len(names) == 2
    return partial(model.predict, wrapper.context) if takes_context else model.predict


def _predictor(
    pyfunc: "PyFuncModel", direct: Callable[[Any, Any], Any] | None
) -> Callable[[Payload], Any]:
    """One call from a payload to a prediction, chosen once.

    Typed input goes to the model's own predict; MLflow's generic enforcement, which would check
    it again, sees the rest.
    """
    from mlflow.exceptions import MlflowException

    def predict(payload: Payload) -> Any:
        try:
            if payload.typed and direct is not None:
                return direct(payload.data, payload.params)
            return pyfunc.predict(payload.data, params=payload.params)
        except MlflowException as error:
            raise _translated(error, payload) from error
        except (Exception, SystemExit) as error:
            if not payload.typed and _raised_by_mlflow(error):
                raise InvalidInput("the input does not fit the model's signature") from error
            raise ModelFailed(
                f"the model raised {type(error).__name__}; the server's log has the traceback "
                "under this request id"
            ) from error

    return predict


def _raised_by_mlflow(error: BaseException) -> bool:
    """Whether MLflow's own code raised it, on the way from the input to the model."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals.get("__name__", "").startswith("mlflow.")


def _direct_call(
    pyfunc: "PyFuncModel", own_predict: Callable[..., Any]
) -> Callable[[Any, Any], Any] | None:
    """The model's own predict in the context that `PyFuncModel.predict` gives it, or None where
    that method does more than check the signature."""
    from mlflow.pyfunc.context import Context, set_prediction_context

    declared = pyfunc.metadata.signature
    dependencies = (pyfunc.metadata.metadata or {}).get("dependencies_schemas")
    if getattr(declared, "_is_type_hint_from_example", False) or dependencies:
        return None
    params = inspect.signature(own_predict).parameters.get("params")
    takes_params = params is not None and params.kind is not inspect.Parameter.VAR_KEYWORD
    model_id = getattr(pyfunc, "model_id", None)

    def call(data: Any, params: Any) -> Any:
        context = Context()
        if model_id:
            context.update(model_id=model_id)
        with set_prediction_context(context):
            return own_predict(data, params=params) if takes_params else own_predict(data)

    return call


def _translated(error: Any, payload: Payload) -> ApiError:
    """An MlflowException on the model's behalf, or MLflow's own about the input.

    MLflow's own messages repeat the input, so only what they say of types is kept.
    """
    text = str(error.message)
    if not payload.typed and any(mark in text for mark in ABOUT_THE_INPUT):
        return InvalidInput("the input does not fit the model's signature" + _types_in(text))
    return ModelRaised(text, error.error_code, error.get_http_status_code())


def _types_in(text: str) -> str:
    found = re.search(r"[Ee]xpected type (\S{1,40}?), (?:but got|received type) (\w{1,40})", text)
    return f": expected {found[1]}, found {found[2]}" if found else ""


ABOUT_THE_INPUT = (
    "Failed to enforce schema of data",
    "Failed to enforce model input schema",
    "type hint",
    "Expected type",
    "Expected model input",
)


@dataclass(frozen=True, slots=True)
class Ways:
    """The one call from a payload to a prediction, and whether rows of several requests may be
    predicted together."""

    predict: Callable[[Payload], Any]
    row_wise: bool


def ways_to_predict(
    pyfunc: "PyFuncModel", signature: Signature, example: bytes | None, batching: bool
) -> Ways:
    """How the model is asked. `example`: the body that was logged with it; `batching`: whether
    rows of several requests are wanted together at all."""
    sample = _sample(signature, example)
    predict = _predictor(pyfunc, _direct_call(pyfunc, _own_predict(pyfunc, signature, sample)))
    return Ways(predict, batching and _is_row_wise(pyfunc, predict, sample))
