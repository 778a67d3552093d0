"""What the server knows of MLflow beyond its public interface: private names, words of messages.

`loading`, `scoring` and `deployment` use this module. No other module uses a private name of MLflow
(ruff's rule SLF checks that), imports a module that MLflow does not document, or looks for words in
its messages. Any version of MLflow may change these. They hold for 2.20 to 3.18, unless a docstring
says otherwise; a test checks each with the installed version. MLflow is imported inside functions,
since that takes seconds.
"""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from runpy import run_path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.pyfunc import PyFuncModel
    from mlflow.store.artifact.artifact_repo import ArtifactRepository


def installed_version() -> str:
    """The value of `mlflow.__version__`, without importing MLflow. Raises `ModuleNotFoundError`."""
    package = find_spec("mlflow")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("there is no mlflow", name="mlflow")
    return str(run_path(str(Path(package.origin).with_name("version.py")))["VERSION"])


# How a loaded model is called.


def wrapper_of(pyfunc: "PyFuncModel") -> Any:
    """MLflow's wrapper of a model; `PyFuncModel.predict` checks the input and then calls it."""
    return pyfunc._model_impl


def type_hints_of(wrapper: Any) -> Any:
    """The type hints of a Python model, as `input` and `output`; None for any other model."""
    return getattr(getattr(wrapper, "python_model", None), "predict_type_hints", None)


def comes_from_type_hints(signature: Any) -> bool:
    """Whether MLflow made the signature from the type hints of the model's predict function."""
    return bool(getattr(signature, "_is_signature_from_type_hint", False))


def only_checks_input(pyfunc: "PyFuncModel") -> bool:
    """Whether `PyFuncModel.predict` only checks the input and calls the wrapper. For some models it
    also converts the input to the type of the logged example, or records what the model uses."""
    from_example = getattr(pyfunc.metadata.signature, "_is_type_hint_from_example", False)
    return not (from_example or (pyfunc.metadata.metadata or {}).get("dependencies_schemas"))


def prediction_context(pyfunc: "PyFuncModel") -> Callable[[], AbstractContextManager[Any]]:
    """A function that opens the context in which `PyFuncModel.predict` calls the wrapper. Since
    MLflow 3 the context has the model's id, which MLflow writes to the model's traces."""
    from mlflow.pyfunc.context import Context, set_prediction_context

    model_id = getattr(pyfunc, "model_id", None)

    def opened() -> AbstractContextManager[Any]:
        context = Context()
        if model_id:
            context.update(model_id=model_id)
        return set_prediction_context(context)

    return opened


VARIADIC: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def fast_predict(wrapper: Any) -> Callable[..., Any] | None:
    """A fast way to call a `PythonModel`: its own function, which the plain way, the wrapper's
    `predict`, calls too, but only after inspecting its parameters for each prediction. Here that is
    done once. None if the wrapper also converts the input."""
    hints = type_hints_of(wrapper)
    if hints is None or hints.input not in (None, Any, pd.DataFrame):
        return None
    predict = wrapper.python_model.predict
    parameters = inspect.signature(predict).parameters
    if any(parameter.kind in VARIADIC for parameter in parameters.values()):
        return None
    names = parameters.keys() - {"params"}
    # MLflow's rule (mlflow.models.signature): if there are two, one is the context, of any name.
    takes_context = "context" in names or len(names) == 2
    return partial(predict, wrapper.context) if takes_context else predict


REQUESTS: Final[Mapping[str, tuple[str, str]]] = {
    "_ChatAgentPyfuncWrapper": ("mlflow.types.agent", "ChatAgentRequest"),
    "_ResponsesAgentPyfuncWrapper": ("mlflow.types.responses", "ResponsesAgentRequest"),
}
"""MLflow's wrappers of agents, and the pydantic class into which each converts a request. The
second exists since MLflow 3."""

CHAT_MODEL: Final = "_ChatModelPyfuncWrapper"


def request_class(wrapper: Any) -> Any:
    """The pydantic class into which the wrapper converts a whole request; None if it has none."""
    named = REQUESTS.get(type(wrapper).__name__)
    return getattr(import_module(named[0]), named[1]) if named else None


def is_chat_model(wrapper: Any) -> bool:
    """Whether it is the wrapper of a `ChatModel`, which converts a request to a conversation."""
    return type(wrapper).__name__ == CHAT_MODEL


# Where MLflow's exceptions come from, and what they say.

CONVERTERS: Final = frozenset(
    {
        "_convert_input",
        "_validate_model_input",
        "_validate_prediction_input",
        "_convert_dataframe_to_example_format",
    }
)
"""MLflow's functions that convert the input before the model is called."""

ANSWERING: Final = frozenset({"_response_to_dict"})
"""MLflow's functions that convert a model's answer."""

NO_CONTENT: Final = "Either 'content' or 'tool_calls' must be provided."
"""The fault of a message in a conversation."""

NO_TOOL: Final = "Both 'name' and 'tool_call_id' must be provided for tool messages."
"""The fault of a message to an agent, since MLflow 2.21."""

DATACLASS_FAULT: Final = re.compile(
    r"^`(?P<name>\w+)` (?:must be of type (?P<type>\w+),|must be a (?P<list>list)|is required)"
    r"|missing \d+ required positional arguments?: '(?P<missing>\w+)'"
)
"""The messages of the dataclasses of a conversation (`mlflow.types.llm`) that repeat no value."""


def is_mlflow_exception(error: BaseException) -> bool:
    """Whether it is an MlflowException. Only names are compared, so MLflow is not imported."""
    named = ("mlflow.exceptions", "MlflowException")
    return any((kind.__module__, kind.__name__) == named for kind in type(error).__mro__)


NO_JSON: Final = "not in a valid JSON format"
"""The server answered a call of the REST API with something else than JSON, such as a login
page."""

BAD_URI: Final = ("Not a proper ", "Could not find a registered artifact repository")
"""A URI cannot be read, or MLflow does not know its scheme."""

NO_ENDPOINT: Final = "error code 404 !="
"""The server does not know the call of the REST API: it answered 404, and not in JSON."""

GONE: Final = ("No such artifact", "No such file or directory", "Failed to download artifacts from")
"""Files could not be downloaded because they do not exist. Only valid while fetching."""

NO_VERSIONS: Final = "No versions of model with name"
"""The model has no version in the stage, or no version at all."""

NO_LOGIN: Final = ("Reading Databricks credential", "Failed to get credentials for DBFS")
"""There is no login for Databricks."""

FOREIGN_HOST: Final = "Invalid Host header"
"""An MLflow server, since 3.5, was called by a host name that its settings do not allow."""

OLD_STORE: Final = "filesystem tracking backend"
"""The tracking store is a folder of files, which MLflow 3.13 and newer do not read."""

UNKNOWN_STORE: Final = "got unsupported URI"
"""MLflow does not know the scheme of the URI of the tracking server or the registry."""

NO_SPACE: Final = "No space left on device"
"""The words of the operating system, in MLflow's list of failed downloads."""

HEADING: Final = "#####"
"""The beginning of a line in that list that names a file."""

RESPONSE: Final = re.compile("Response (?:body|text)")
"""After these words MLflow quotes a server's answer, which may be any page."""

NO_CONNECTION: Final = "Max retries exceeded with url"
"""Words of urllib3 for a server that cannot be reached, in MLflow's list of failed downloads."""

CUT_OFF: Final = "IncompleteRead("
"""Words of urllib3 for an answer that ended before its end, in the same list."""

REDIRECTS: Final = re.compile(r"Exceeded \d+ redirects")
"""Words of requests for a server that redirects without end, in the same list."""

LOADING_ALLOWED: Final = "MLFLOW_ALLOW_PICKLE_DESERIALIZATION"
"""The setting of newer versions that may forbid to load models; the message names it."""

SETTING: Final = re.compile(r"\b(?:MLFLOW|DATABRICKS)_[A-Z_]+")
"""The name of a variable in a ValueError of MLflow, which cannot read its value."""

STATUS: Final = re.compile(
    r"error code (\d{3})\b|too many (\d{3}) error responses|"
    r"An error occurred \((\d{3})\)|\b(\d{3}) (?:Client|Server) Error:"
)
"""An HTTP status, as messages write it: for the REST API, after retries, for S3, for proxied
artifacts."""


def says(error: BaseException, *words: str) -> bool:
    """Whether one of `words` is in the exception's text."""
    text = str(error)
    return any(word in text for word in words)


def status_in(error: BaseException) -> int | None:
    """The HTTP status in the exception's text, if there is one."""
    found = STATUS.search(str(error))
    return int(next(filter(None, found.groups()))) if found else None


def is_error_of_another(error: BaseException) -> bool:
    """Whether a call of the REST API was answered with an error in JSON that is none of MLflow's,
    such as that of a proxy. MLflow then keeps the JSON and not the status."""
    answer = getattr(error, "json", None)
    return isinstance(answer, dict) and answer.get("error_code") != getattr(error, "error_code", "")


def setting_in(error: BaseException) -> str | None:
    """The name of the variable whose value MLflow could not read, if the exception names one."""
    found = SETTING.search(str(error)) if type(error) is ValueError else None
    return found[0] if found else None


# Where a model's files are.


def location_of_run(uri: str) -> str:
    """The location of the files at `runs:/…`."""
    from mlflow.store.artifact.runs_artifact_repo import RunsArtifactRepository

    return str(RunsArtifactRepository.get_underlying_uri(uri))


def name_and_version(client: "MlflowClient", uri: str) -> Sequence[str]:
    """The name and the version that `models:/…` means now; for a logged model outside the registry,
    only its id."""
    from mlflow.store.artifact.utils.models import get_model_name_and_version

    named: Sequence[str] = get_model_name_and_version(client, uri)
    return named


def artifact_repository(uri: str) -> "ArtifactRepository":
    """The store of the files at a URI: it lists them, and downloads each of them."""
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    return get_artifact_repository(uri)


def gone(uri: str) -> FileNotFoundError:
    """The error for a URI where no model is, in the words of MLflow's stores."""
    return FileNotFoundError(f"{GONE[0]}: {uri}")


# What MLflow keeps for the whole process.


def take_texts_for_values() -> None:
    """Makes MLflow accept ISO dates and base64 text for models with type hints, as it does when it
    serves them itself."""
    from mlflow import environment_variables

    environment_variables._MLFLOW_IS_IN_SERVING_ENVIRONMENT.set("true")


def auth_providers() -> Any:
    """MLflow's registry of providers for `MLFLOW_TRACKING_AUTH`. One can register a provider and
    iterate over all of them, but not replace one."""
    from mlflow.tracking.request_auth import registry

    return registry._request_auth_provider_registry
