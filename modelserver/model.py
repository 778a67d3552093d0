"""Settings to a loaded model. The only module that loads through MLflow.

`load_model` fetches the model, loads it as a pyfunc and compiles its signature. It raises
`LoadFailed`, whose text says in words what to do, with no path, key or traceback in it. MLflow is
imported inside functions, so that a server listens before those seconds are spent.
"""

import contextlib
import json
import logging
import platform
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from modelserver.advice import LoadFailed, advice, public_uri
from modelserver.blame import Telling
from modelserver.input_forms import Payload
from modelserver.logged_example import logged_example
from modelserver.predictor import ways_to_predict
from modelserver.registry import Registration, resolve
from modelserver.settings import Settings
from modelserver.signature import Signature, compile_signature
from modelserver.tracking import set_mlflow_up

if TYPE_CHECKING:
    from mlflow.pyfunc import PyFuncModel

logger = logging.getLogger(__name__)

Report: TypeAlias = Callable[[str], None]
"""Told what is being done, for those who wait."""


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
    example_payload: Payload | None
    """The same as it is read; None where it cannot be."""
    predict: Callable[[Payload], Any]
    row_wise: bool
    """Whether rows of several requests may be predicted together."""
    loaded_at: datetime
    load_seconds: float
    hints: tuple[Any, Any] = (None, None)
    """What types the input and the output of a model whose signature comes from type hints."""
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
    _compare_python(path)
    config = {"model_config": dict(settings.model_config)} if settings.model_config else {}
    pyfunc = mlflow.pyfunc.load_model(str(path), **config)
    signature = _signature(pyfunc)
    example = logged_example(path, pyfunc.metadata.saved_input_example_info)
    telling = Telling(settings.model_errors == "message", settings.secrets)
    ways = ways_to_predict(pyfunc, signature, example, settings.batching == "auto", telling)
    model = Model(
        uri=public_uri(uri),
        registration=registration,
        metadata=pyfunc.metadata.to_dict(),
        signature=ways.signature,
        example=example,
        example_payload=ways.example,
        predict=ways.predict,
        row_wise=ways.row_wise,
        loaded_at=datetime.now(timezone.utc),
        load_seconds=time.perf_counter() - start,
        hints=_hints(pyfunc, signature),
        folder=folder,
    )
    logger.info("loaded the model in %.1f s: %s", model.load_seconds, flavor(model))
    return model


def _compare_python(path: Path) -> None:
    """A pickle of another version of Python may end the process, so it is said before."""
    from mlflow.models import Model as Saved

    flavor = Saved.load(str(path)).flavors.get("python_function", {})
    saved, here = str(flavor.get("python_version", "")), platform.python_version()
    if saved and saved.split(".")[:2] != here.split(".")[:2]:
        logger.warning(
            "the model was saved with Python %s, here is %s: what was pickled may not load, or may "
            "end this process",
            saved,
            here,
        )


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


def _hints(pyfunc: "PyFuncModel", signature: Signature) -> tuple[Any, Any]:
    if not signature.from_type_hint:
        return None, None
    hints = pyfunc._model_impl.python_model.predict_type_hints
    return hints.input, hints.output


def signature_json(model: Model) -> dict[str, Any]:
    """The signature for people and programs: its parts as JSON values, null where undeclared."""
    declared = model.metadata.get("signature") or {}
    return {part: json.loads(text) if text else None for part, text in declared.items()}
