"""Settings to a loaded model. The only module that loads through MLflow.

`load_model` fetches the model, loads it as a pyfunc and compiles its signature. It raises
`LoadFailed`, whose text says what to do, without a path, key or traceback. Importing MLflow takes
seconds, so it is imported inside functions, when the server already listens.
"""

import contextlib
import logging
import os
import platform
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from modelserver.hosting.memory import collector_paused
from modelserver.hosting.redaction import struck
from modelserver.hosting.settings import Settings
from modelserver.loading.attempt import Attempt, LoadFailed, Report, local_path, public_uri
from modelserver.loading.downloads import Download, remove_left_downloads
from modelserver.loading.explaining.advice import advice
from modelserver.loading.explaining.model_packages import other_packages, requirements_of
from modelserver.loading.importing import import_mlflow
from modelserver.loading.logged_example import logged_example
from modelserver.loading.registry import find
from modelserver.loading.tracking import check_store, set_mlflow_up
from modelserver.reading.signatures.columns import TypeHintSignature
from modelserver.reading.signatures.compiling import compile_signature
from modelserver.reading.signatures.signature import Signature
from modelserver.scoring.blaming.blame import Telling
from modelserver.scoring.mlflow_internals import comes_from_type_hints, type_hints_of, wrapper_of
from modelserver.scoring.model import Model, Registration
from modelserver.scoring.ways import Ways, ways_to_predict
from modelserver.types.params import NoParams

if TYPE_CHECKING:
    from mlflow.pyfunc import PyFuncModel

logger = logging.getLogger(__name__)


def load_model(settings: Settings, report: Report = lambda step: None) -> Model:
    """The model at `settings.model_uri`. `report` is called with each step. Raises `LoadFailed`."""
    assert settings.model_uri is not None
    start = time.perf_counter()
    with explained(settings) as attempt:
        attempt.report = report
        registration = _find(settings, attempt)
        with contextlib.ExitStack() as failing:
            folder, path = _fetch(registration.uri)
            if folder is not None:
                failing.callback(folder.cleanup)
            check_flavor(path, attempt.uri)
            logger.info("looked up and fetched the model in %.1f s", time.perf_counter() - start)
            model = _load(settings, attempt, registration, path)
            failing.pop_all()
    seconds = time.perf_counter() - start
    logger.info("loaded the model in %.1f s: %s", seconds, model.flavor)
    return replace(model, load_seconds=seconds, folder=folder)


@contextlib.contextmanager
def explained(settings: Settings) -> Iterator[Attempt]:
    """A context that turns every exception in it into a `LoadFailed` with advice. It gives the
    `Attempt`; the code inside must call `Attempt.begin` for each step."""
    attempt = Attempt(settings.model_uri or "", settings.tracking_uri, settings.login)
    attempt.secrets = settings.secrets
    try:
        yield attempt
    except LoadFailed:  # its text is advice already
        raise
    except (Exception, SystemExit) as error:  # from MLflow, its stores, or the model's own code
        said = struck(advice(error, attempt), settings.secrets)
        raise LoadFailed(said, attempt.again) from error


def _find(settings: Settings, attempt: Attempt) -> Registration:
    attempt.begin("configuring")
    import_mlflow()
    import mlflow

    set_mlflow_up(settings)
    if attempt.uri.startswith(("models:/", "runs:/")):
        store = mlflow.get_tracking_uri()
        logger.info("loading %s from %s", attempt.uri, public_uri(store))
        check_store(store)
    else:
        logger.info("loading %s", attempt.uri)
    return find(attempt)


def _load(settings: Settings, attempt: Attempt, registration: Registration, path: Path) -> Model:
    """Loads the model from the folder `path`."""
    attempt.begin("loading")
    import mlflow

    attempt.folder, attempt.requirements = path, requirements_of(path)
    _compare(path, attempt.requirements)
    config = {"model_config": dict(settings.model_config)} if settings.model_config else {}
    with collector_paused():
        # Their comparison of packages takes a third of a second.
        pyfunc = mlflow.pyfunc.load_model(str(path), suppress_warnings=True, **config)
    signature = _signature(pyfunc)
    example, fault = logged_example(path, pyfunc.metadata.saved_input_example_info)
    attempt.begin("predicting")
    telling = Telling(settings.model_errors == "message", settings.secrets)
    ways = ways_to_predict(pyfunc, signature, example, settings.batching == "auto", telling)
    model = Model(
        uri=attempt.uri,
        registration=registration,
        metadata=pyfunc.metadata.to_dict(),
        signature=ways.signature,
        example=example,
        example_fault=fault,
        example_payload=ways.example,
        predict=ways.default.predict,
        row_wise=ways.default.row_wise,
        loaded_at=datetime.now(timezone.utc),
        hints=_hints(pyfunc, signature),
    )
    return replace(model, methods=_methods(model, ways))


def _methods(model: Model, ways: Ways) -> dict[str, Model]:
    """The model as it is asked by each method besides `predict`; such a method takes no params."""
    asked = replace(model, signature=replace(ways.signature, params=NoParams()))
    return {
        name: replace(asked, predict=way.predict, row_wise=way.row_wise, names=way.names)
        for name, way in ways.others.items()
    }


def _compare(path: Path, requirements: Sequence[str]) -> None:
    """Warns if the model was saved with another Python version or other packages. It must run
    before the model is loaded, since a pickle from another version may crash the process."""
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
    if others := other_packages(requirements):
        logger.warning("the model was saved with other packages: %s", others)


def _fetch(uri: str) -> tuple[Download | None, Path]:
    """The folder with the model's files, and the temporary folder into which they were downloaded;
    None for the latter if the files are on this machine already."""
    import mlflow

    if local := local_path(uri):
        return None, local
    folder = Download()
    remove_left_downloads()
    try:
        path = Path(mlflow.artifacts.download_artifacts(uri, dst_path=folder.name))
        if path.is_dir() and not any(path.iterdir()):  # some stores give this if there is nothing
            raise FileNotFoundError(uri)
        return folder, path
    except BaseException:
        folder.cleanup()
        raise


def check_flavor(path: Path, uri: str) -> None:
    """Raises `LoadFailed` if the folder is no MLflow model, or one that Python cannot serve."""
    try:
        flavors = yaml.safe_load((path / "MLmodel").read_bytes())["flavors"]
        names = list(flavors.keys())
    except (OSError, yaml.YAMLError, TypeError, KeyError, AttributeError):
        names = []
    if not names:
        said = f"what is at {uri} is not a complete MLflow model; {_whole(path)}"
        raise LoadFailed(said, "later")
    if "python_function" not in names:
        told = FOREIGN.get(names[0], "log it with the flavor python_function, too")
        raise LoadFailed(
            f"the model {uri} has only the flavor {', '.join(names)}, which cannot be served from "
            f"Python; {told}",
            "later",
        )


def _whole(path: Path) -> str:
    """The advice for a path that is no whole model: which folder to name instead, if a model is
    above or below it; otherwise, to log it again."""
    if path.name == "MLmodel" and path.is_file():
        return "name the folder that this file is in"
    folders = islice(os.walk(path), FOLDERS)
    below = next((Path(folder) for folder, _, files in folders if "MLmodel" in files), path)
    if below != path:
        return f"there is one below it, at …/{below.relative_to(path).as_posix()}; name that folder"
    return "log it again"


FOLDERS: Final = 1000
"""The most folders that are searched for a model."""

FOREIGN: Final = {
    "crate": "it was logged from R: deploy it there, on Posit Connect with plumber or vetiver",
    "mleap": "it is for Java: serve it there, or log it from Python",
}
"""Flavors of other languages, and the advice where to serve such a model."""


def _signature(pyfunc: "PyFuncModel") -> Signature:
    declared = pyfunc.metadata.signature
    document = declared.to_dict() if declared else None
    return compile_signature(document, comes_from_type_hints(declared))


def _hints(pyfunc: "PyFuncModel", signature: Signature) -> tuple[Any, Any]:
    if not isinstance(signature, TypeHintSignature):
        return None, None
    hints = type_hints_of(wrapper_of(pyfunc))
    return hints.input, hints.output
