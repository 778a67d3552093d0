"""Settings to a loaded model. The only module that loads through MLflow.

`load_model` fetches the model, loads it as a pyfunc and compiles its signature. It raises
`LoadFailed`, whose text says in words what to do, with no path, key or traceback in it. MLflow is
imported inside functions, so that a server listens before those seconds are spent.
"""

import contextlib
import inspect
import json
import logging
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import pandas as pd

from modelserver.advice import LoadFailed, advice, public_uri
from modelserver.arrays import array_predict
from modelserver.errors import ApiError, InvalidInput, ModelFailed, ModelRaised
from modelserver.media import JSON
from modelserver.payload import Payload, read_payload
from modelserver.proofs import predict_alike, rows_are_independent
from modelserver.registry import Registration, resolve
from modelserver.settings import Settings
from modelserver.signature import Signature, compile_signature
from modelserver.tracking import set_mlflow_up

if TYPE_CHECKING:
    from mlflow.pyfunc import PyFuncModel

logger = logging.getLogger(__name__)

Report: TypeAlias = Callable[[str], None]
"""Told what is being done, for those who wait."""

SKLEARN: Final = "mlflow.sklearn"

ROW_WISE: Final = frozenset({SKLEARN, "mlflow.xgboost", "mlflow.lightgbm", "mlflow.catboost"})
"""Flavors whose predict takes each row for itself, unless a model does otherwise."""

UNPROVEN: Final = "its example does not have two different rows that are predicted alike alone"


@dataclass(frozen=True, slots=True)
class Model:
    """A model that is ready to predict, and what is known of it."""

    uri: str
    registration: Registration
    metadata: Mapping[str, Any]
    """The MLmodel file: flavors, signature, run id, times, versions."""
    signature: Signature
    example: bytes | None
    """A body for /invocations, logged with the model."""
    predict: Callable[[Payload], Any]
    row_wise: bool
    """Whether rows of several requests may be predicted together."""
    loaded_at: datetime
    load_seconds: float
    folder: "tempfile.TemporaryDirectory[str] | None" = field(default=None, repr=False)
    """Where the model was downloaded to; removed with the model."""


def load_model(settings: Settings, report: Report = lambda step: None) -> Model:
    """The model at `settings.model_uri`. `report` is told each step. Raises `LoadFailed`."""
    assert settings.model_uri is not None
    start = time.perf_counter()
    requirements: list[str] = []
    with explained(settings, requirements):
        return _load(settings, settings.model_uri, start, requirements, report)


@contextlib.contextmanager
def explained(settings: Settings, requirements: Sequence[str] = ()) -> Iterator[None]:
    """Turns what goes wrong inside into `LoadFailed` with advice."""
    try:
        yield
    except LoadFailed:  # has its advice already
        raise
    except Exception as error:  # whatever MLflow, its stores and a model's own code raise
        uri, server = settings.model_uri or "", settings.tracking_uri
        reason = advice(error, uri, server, requirements, settings.login.check)
        raise LoadFailed(reason) from error


def _load(
    settings: Settings, uri: str, start: float, requirements: list[str], report: Report
) -> Model:
    report("importing MLflow")
    import mlflow

    set_mlflow_up(settings)
    logger.info("loading %s from %s", public_uri(uri), public_uri(mlflow.get_tracking_uri()))
    report("looking the model up")
    registration = resolve(uri)
    report("fetching the model")
    fetching = time.perf_counter()
    folder, path = _fetch(registration.uri)
    logger.info("fetched the model in %.1f s", time.perf_counter() - fetching)
    report("loading the model")
    requirements += _lines(path / "requirements.txt")
    config = {"model_config": dict(settings.model_config)} if settings.model_config else {}
    pyfunc = mlflow.pyfunc.load_model(str(path), **config)
    model = Model(
        uri=public_uri(uri),
        registration=registration,
        **_ways_to_predict(pyfunc, path, settings),
        loaded_at=datetime.now(timezone.utc),
        load_seconds=time.perf_counter() - start,
        folder=folder,
    )
    logger.info("loaded the model in %.1f s: %s", model.load_seconds, flavor(model))
    return model


def _ways_to_predict(pyfunc: "PyFuncModel", path: Path, settings: Settings) -> dict[str, Any]:
    """What the model in `path` says of itself, and how it is asked."""
    signature, example = _signature(pyfunc), _example(path)
    sample = _sample(signature, example)
    predict = _predictor(pyfunc, _direct_call(pyfunc, _own_predict(pyfunc, signature, sample)))
    return {
        "metadata": pyfunc.metadata.to_dict(),
        "signature": signature,
        "example": example,
        "predict": predict,
        "row_wise": settings.batching == "auto" and _is_row_wise(pyfunc, predict, sample),
    }


def flavor(model: Model) -> str:
    """The library that made the model: the module that loads it, without MLflow's prefix."""
    loader = str(model.metadata["flavors"]["python_function"]["loader_module"])
    return loader.removeprefix("mlflow.")


def _fetch(uri: str) -> "tuple[tempfile.TemporaryDirectory[str] | None, Path]":
    """The model's folder, downloaded unless it is here already."""
    import mlflow

    local = Path(uri.removeprefix("file://"))
    if local.exists():
        return None, local
    folder = tempfile.TemporaryDirectory(prefix="model-")
    try:
        return folder, Path(mlflow.artifacts.download_artifacts(uri, dst_path=folder.name))
    except BaseException:
        folder.cleanup()
        raise


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.is_file() else []


def _signature(pyfunc: "PyFuncModel") -> Signature:
    declared = pyfunc.metadata.signature
    from_type_hint = bool(getattr(declared, "_is_signature_from_type_hint", False))
    return compile_signature(declared.to_dict() if declared else None, from_type_hint)


def _example(path: Path) -> bytes | None:
    file = path / "serving_input_example.json"
    return file.read_bytes() if file.is_file() else None


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
    columns = signature.columns
    if sample is None or columns is None or not columns.block or _loader(pyfunc) != SKLEARN:
        return predict
    fast = array_predict(pyfunc.get_raw_model(), name, columns.names)
    return fast if fast and predict_alike(predict, fast, sample) else predict


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


def signature_json(model: Model) -> dict[str, Any]:
    """The signature for people and programs: its parts as JSON values, null where undeclared."""
    declared = model.metadata.get("signature") or {}
    return {part: json.loads(text) if text else None for part, text in declared.items()}
