"""What the server knows of MLflow beyond its public interface: private names, words of messages.

`loading` and `scoring` ask here. No other module names a private part of MLflow, which ruff's SLF
holds, or looks for words in its messages. Any version of MLflow may change these; they were seen in
2.20 to 3.18 unless they say otherwise, and a test proves each with the version that is installed.
MLflow is imported inside functions, since that takes seconds.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

if TYPE_CHECKING:
    from mlflow.pyfunc import PyFuncModel

# How a loaded model is asked.


def wrapper_of(pyfunc: "PyFuncModel") -> Any:
    """MLflow's wrapper of a model, which `PyFuncModel.predict` calls after it checked the input."""
    return pyfunc._model_impl


def type_hints_of(wrapper: Any) -> Any:
    """The `input` and the `output` hint of a Python model; None for models of other kinds."""
    return getattr(getattr(wrapper, "python_model", None), "predict_type_hints", None)


def comes_from_type_hints(signature: Any) -> bool:
    """Whether MLflow made the signature of the type hints of the model's predict function."""
    return bool(getattr(signature, "_is_signature_from_type_hint", False))


def only_checks_input(pyfunc: "PyFuncModel") -> bool:
    """Whether `PyFuncModel.predict` does no more than check the input and call the wrapper. It may
    also convert the input to the type of the logged example, or note what the model depends on."""
    from_example = getattr(pyfunc.metadata.signature, "_is_type_hint_from_example", False)
    return not (from_example or (pyfunc.metadata.metadata or {}).get("dependencies_schemas"))


def prediction_context(pyfunc: "PyFuncModel") -> Callable[[], AbstractContextManager[Any]]:
    """A function that opens the context in which `PyFuncModel.predict` calls the wrapper. Since
    MLflow 3 the context has the model's id, under which its traces are filed."""
    from mlflow.pyfunc.context import Context, set_prediction_context

    model_id = getattr(pyfunc, "model_id", None)

    def opened() -> AbstractContextManager[Any]:
        context = Context()
        if model_id:
            context.update(model_id=model_id)
        return set_prediction_context(context)

    return opened


VARIADIC: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def unwrapped(wrapper: Any) -> Callable[..., Any] | None:
    """What the wrapper of a `PythonModel` calls after it looked at the parameters of that function,
    as it does for each prediction anew; None where it also converts the input."""
    hints = type_hints_of(wrapper)
    if hints is None or hints.input not in (None, Any, pd.DataFrame):
        return None
    predict = wrapper.python_model.predict
    parameters = inspect.signature(predict).parameters
    if any(parameter.kind in VARIADIC for parameter in parameters.values()):
        return None
    names = parameters.keys() - {"params"}
    # MLflow's rule (mlflow.models.signature): one of two, the context may have any name.
    takes_context = "context" in names or len(names) == 2
    return partial(predict, wrapper.context) if takes_context else predict


REQUESTS: Final[Mapping[str, tuple[str, str]]] = {
    "_ChatAgentPyfuncWrapper": ("mlflow.types.agent", "ChatAgentRequest"),
    "_ResponsesAgentPyfuncWrapper": ("mlflow.types.responses", "ResponsesAgentRequest"),
}
"""Wrappers of agents, and the pydantic class that MLflow makes of a request. The second since 3."""

CHAT_MODEL: Final = "_ChatModelPyfuncWrapper"


def request_class(wrapper: Any) -> Any:
    """The pydantic class that the wrapper makes of a whole request; None for one that does not."""
    named = REQUESTS.get(type(wrapper).__name__)
    return getattr(import_module(named[0]), named[1]) if named else None


def is_chat_model(wrapper: Any) -> bool:
    """Whether the wrapper makes a conversation of the request, for a `ChatModel`."""
    return type(wrapper).__name__ == CHAT_MODEL


# What its exceptions come from, and say.

CONVERTERS: Final = frozenset(
    {
        "_convert_input",
        "_validate_model_input",
        "_validate_prediction_input",
        "_convert_dataframe_to_example_format",
    }
)
"""MLflow's functions that take the input apart and call no model."""

ANSWERING: Final = frozenset({"_response_to_dict"})
"""MLflow's functions that take a model's answer apart."""

NO_CONTENT: Final = "Either 'content' or 'tool_calls' must be provided."
"""Of a message in a conversation."""

NO_TOOL: Final = "Both 'name' and 'tool_call_id' must be provided for tool messages."
"""Of a message to an agent, since MLflow 2.21."""

DATACLASS_FAULT: Final = re.compile(
    r"^`(?P<name>\w+)` (?:must be of type (?P<type>\w+),|must be a (?P<list>list)|is required)"
    r"|missing \d+ required positional arguments?: '(?P<missing>\w+)'"
)
"""What the dataclasses of a conversation say (`mlflow.types.llm`), as far as it holds no value."""


def is_mlflow_exception(error: BaseException) -> bool:
    """Whether it is an MlflowException. It is known by its name, so MLflow need not be imported."""
    named = ("mlflow.exceptions", "MlflowException")
    return any((kind.__module__, kind.__name__) == named for kind in type(error).__mro__)


NO_JSON: Final = "not in a valid JSON format"
"""The server answered a call of the REST API with something else, as a login page is."""

BAD_URI: Final = ("Not a proper ", "Could not find a registered artifact repository")
"""A URI that cannot be read, or whose scheme nothing stands for."""

NO_ENDPOINT: Final = "error code 404 !="
"""The server has no such call: it answered 404, and not in JSON."""

GONE: Final = ("No such artifact", "No such file or directory", "Failed to download artifacts from")
"""Files that could not be downloaded since they are not there. Of use while fetching only."""

NO_VERSIONS: Final = "No versions of model with name"
"""No version is in the stage, or there is no version at all."""

NO_LOGIN: Final = ("Reading Databricks credential", "Failed to get credentials for DBFS")
"""Databricks was asked without a login."""

FOREIGN_HOST: Final = "Invalid Host header"
"""The answer of an MLflow server, since 3.5, that is asked by a name that it was not told of."""

OLD_STORE: Final = "filesystem tracking backend"
"""A folder of files as the tracking store, which MLflow 3.13 and newer do not read."""

UNKNOWN_STORE: Final = "got unsupported URI"
"""Of the tracking server or the registry: nothing stands for the scheme."""

NO_SPACE: Final = "No space left on device"
"""The system's words, in MLflow's list of downloads that failed."""

HEADING: Final = "#####"
"""What a line begins with in that list that says which file is meant."""

RESPONSE: Final = "Response body"
"""What a server answered follows, which may be a page of any content."""

SETTING: Final = re.compile(r"\b(?:MLFLOW|DATABRICKS)_[A-Z_]+")
"""In a ValueError of MLflow: a variable whose value it cannot read."""

STATUS: Final = re.compile(
    r"error code (\d{3})\b|too many (\d{3}) error responses|"
    r"An error occurred \((\d{3})\)|\b(\d{3}) (?:Client|Server) Error:"
)
"""A status of HTTP: of the REST API, after retries, of S3, of proxied artifacts."""


def says(error: BaseException, *words: str) -> bool:
    """Whether one of `words` is in the exception's text."""
    text = str(error)
    return any(word in text for word in words)


def status_in(error: BaseException) -> int | None:
    """The status of HTTP that the exception's text tells."""
    found = STATUS.search(str(error))
    return int(next(filter(None, found.groups()))) if found else None


def setting_in(error: BaseException) -> str | None:
    """The variable whose value MLflow could not read."""
    found = SETTING.search(str(error)) if type(error) is ValueError else None
    return found[0] if found else None


# What it keeps for the whole process.


def take_texts_for_values() -> None:
    """From now on, MLflow reads ISO dates and base64 text for models typed by hints, as it does
    when it serves them itself."""
    from mlflow import environment_variables

    environment_variables._MLFLOW_IS_IN_SERVING_ENVIRONMENT.set("true")


def auth_providers() -> Any:
    """MLflow's registry of providers for `MLFLOW_TRACKING_AUTH`: it has `register` and yields those
    that are registered, but cannot replace one."""
    from mlflow.tracking.request_auth import registry

    return registry._request_auth_provider_registry
