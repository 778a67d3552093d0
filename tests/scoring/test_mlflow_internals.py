"""What the server takes for granted of MLflow, held against the version that is installed."""

from collections.abc import Callable
from errno import ENOSPC
from os import strerror
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import mlflow
import pandas as pd
import pytest
from mlflow import MlflowClient, environment_variables
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PyFuncModel
from mlflow.pyfunc.model import PythonModel, PythonModelContext, _PythonModelPyfuncWrapper
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository
from mlflow.tracking.request_auth.registry import fetch_auth
from mlflow.types.agent import ChatAgentMessage
from mlflow.types.llm import ChatMessage
from packaging.version import Version

from modelserver.hosting.connect import Connect
from modelserver.hosting.login import KeyAuth
from modelserver.loading.explaining.causes import is_page, status_of
from modelserver.loading.registry import resolve
from modelserver.loading.tracking import AuthProvider
from modelserver.scoring import mlflow_internals
from modelserver.scoring.mlflow_internals import (
    ANSWERING,
    BAD_URI,
    CONVERTERS,
    DATACLASS_FAULT,
    FOREIGN_HOST,
    GONE,
    HEADING,
    NO_CONTENT,
    NO_ENDPOINT,
    NO_LOGIN,
    NO_SPACE,
    NO_TOOL,
    NO_VERSIONS,
    OLD_STORE,
    RESPONSE,
    UNKNOWN_STORE,
    artifact_repository,
    auth_providers,
    comes_from_type_hints,
    fast_predict,
    gone,
    installed_version,
    is_chat_model,
    is_error_of_another,
    is_mlflow_exception,
    only_checks_input,
    prediction_context,
    request_class,
    says,
    setting_in,
    status_in,
    take_texts_for_values,
    type_hints_of,
    wrapper_of,
)
from tests.support.processes import answering

pytestmark = pytest.mark.usefixtures("mlflow_as_before")

Load = Callable[[str], PyFuncModel]


def raised(act: Callable[[], Any]) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011
        act()
    return caught.value


def fetch(uri: str) -> Callable[[], Any]:
    return lambda: mlflow.artifacts.download_artifacts(uri)


def ask(url: str) -> Callable[[], Any]:
    return lambda: MlflowClient(url).get_registered_model("m")


@pytest.fixture
def load(model_path: Callable[[str], Path]) -> Load:
    return lambda name: mlflow.pyfunc.load_model(str(model_path(name)))


def test_the_wrapper_is_what_predict_calls(load: Load) -> None:
    pyfunc = load("hint_numbers")
    assert wrapper_of(pyfunc).predict([1.5]) == pyfunc.predict([1.5])


def test_type_hints(load: Load) -> None:
    typed, untyped = load("hint_numbers"), load("one_long")
    assert type_hints_of(wrapper_of(typed)).input == list[float]
    assert type_hints_of(wrapper_of(untyped)).input in (None, Any)
    assert type_hints_of(wrapper_of(load("chat"))) is None
    signatures = [typed.metadata.signature, untyped.metadata.signature, None]
    assert [comes_from_type_hints(signature) for signature in signatures] == [True, False, False]


def test_what_predict_does_beside_checking(load: Load) -> None:
    assert only_checks_input(load("one_long"))
    assert not only_checks_input(load("hint_example"))
    pyfunc = load("one_long")
    pyfunc.metadata.metadata = {"dependencies_schemas": {"retrievers": []}}
    assert not only_checks_input(pyfunc)


def test_the_context_is_that_of_predict(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow.pyfunc.context import get_prediction_context

    pyfunc = load("one_long")
    if hasattr(PyFuncModel, "model_id"):  # since MLflow 3
        monkeypatch.setattr(PyFuncModel, "model_id", "m-1")
    model = wrapper_of(pyfunc).python_model
    monkeypatch.setattr(model, "predict", lambda context, data: get_prediction_context())
    with prediction_context(pyfunc)():
        ours = get_prediction_context()
    assert ours is not None
    assert ours == pyfunc.predict(pd.DataFrame({"n": [1]}))


@pytest.mark.parametrize(
    ("name", "request_name", "chat"),
    [
        ("chat", None, True),
        ("chat_agent", "ChatAgentRequest", False),
        ("responses_agent", "ResponsesAgentRequest", False),
        ("one_long", None, False),
    ],
)
def test_wrappers_of_conversations(
    name: str, request_name: str | None, chat: bool, load: Load
) -> None:
    if name == "responses_agent":
        pytest.importorskip("mlflow.types.responses")
    wrapper = wrapper_of(load(name))
    assert getattr(request_class(wrapper), "__name__", None) == request_name
    assert is_chat_model(wrapper) == chat


PLACES = {
    "mlflow.pyfunc._validate_prediction_input",
    "mlflow.pyfunc.loaders.chat_agent._ChatAgentPyfuncWrapper._convert_input",
    "mlflow.pyfunc.loaders.chat_agent._ChatAgentPyfuncWrapper._response_to_dict",
    "mlflow.pyfunc.loaders.chat_model._ChatModelPyfuncWrapper._convert_input",
    "mlflow.pyfunc.loaders.chat_model._ChatModelPyfuncWrapper._response_to_dict",
    "mlflow.pyfunc.model._PythonModelPyfuncWrapper._convert_input",
    "mlflow.pyfunc.utils.data_validation._validate_model_input",
    "mlflow.types.type_hints._convert_dataframe_to_example_format",
}
"""Where MLflow has the functions that tell what an exception is of."""


def test_the_functions_that_an_exception_comes_from() -> None:
    assert {place.rpartition(".")[2] for place in PLACES} == CONVERTERS | ANSWERING
    for place in sorted(PLACES):
        assert callable(resolve_name(place))


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ({"role": "user", "content": 5}, {"name": "content", "type": "str"}),
        ({"content": "x"}, {"missing": "role"}),
        ({"role": "assistant", "tool_calls": 5}, {"name": "tool_calls", "list": "list"}),
    ],
)
def test_what_dataclasses_say(message: dict[str, Any], fault: dict[str, str]) -> None:
    found = DATACLASS_FAULT.search(str(raised(lambda: ChatMessage.from_dict(message))))
    assert found is not None
    assert {name: said for name, said in found.groupdict().items() if said} == fault


def test_what_messages_lack() -> None:
    assert says(raised(lambda: ChatAgentMessage(role="user")), NO_CONTENT)
    if Version(mlflow.__version__) >= Version("2.21"):
        assert says(raised(lambda: ChatAgentMessage(role="tool", content="x")), NO_TOOL)


def test_its_exceptions() -> None:
    class Own(MlflowException):
        pass

    errors = [MlflowException("x"), Own("x"), ValueError("x")]
    assert [is_mlflow_exception(error) for error in errors] == [True, True, False]


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
    predict = fast_predict(wrapper)
    assert predict is not None
    expected, found = wrapper.predict(FRAME), predict(FRAME)
    assert len(expected) == len(found)
    for one, other in zip(expected, found, strict=True):
        assert one is other


@pytest.mark.parametrize("model", [Texts, Records, Variadic])
def test_models_that_need_the_wrapper(model: type[PythonModel]) -> None:
    assert fast_predict(wrapped(model)) is None


def test_other_models() -> None:
    assert fast_predict(object()) is None


@pytest.mark.parametrize("uri", ["models:/", "models:/a/b/c", "models:/a@", "runs:/"])
def test_uris_that_cannot_be_read(uri: str, store: str) -> None:
    mlflow.set_tracking_uri(store)
    assert says(raised(lambda: resolve(uri)), BAD_URI[0])


@pytest.mark.parametrize("uri", ["gopher://x/y", "modelz:/a/1"])
def test_schemes_that_nothing_stands_for(uri: str) -> None:
    assert says(raised(fetch(uri)), BAD_URI[1])


def test_files_that_are_not_there(tmp_path: Path, store: str) -> None:
    assert says(raised(fetch(str(tmp_path / "nothing"))), *GONE)
    assert says(gone("models:/m/1"), *GONE)
    mlflow.set_tracking_uri(store)
    experiment = mlflow.create_experiment("e", artifact_location=str(tmp_path / "files"))
    with mlflow.start_run(experiment_id=experiment) as run:
        mlflow.log_text("x", "other.txt")
    assert says(raised(fetch(f"runs:/{run.info.run_id}/model")), *GONE)


@pytest.mark.parametrize("status", [401, 403, 404, 500, 503])
def test_a_status_of_the_rest_api_and_of_proxied_artifacts(status: int) -> None:
    with answering(status, "<title>no</title>", "text/html") as url:
        asked = raised(ask(url))
        mlflow.set_tracking_uri(url)
        fetched = raised(fetch("mlflow-artifacts:/0/model"))
    assert (status_in(asked), status_of(fetched), status_in(fetched)) == (status,) * 3
    assert RESPONSE.search(str(asked)) or status >= 500  # after retries, the answer is left out
    assert says(asked, NO_ENDPOINT) == (status == 404)


def test_an_error_in_json_that_is_none_of_mlflows() -> None:
    with answering(501, "{}", "application/json") as url:
        assert is_error_of_another(raised(ask(url)))
    with answering(400, '{"error_code": "INVALID_PARAMETER_VALUE"}', "application/json") as url:
        assert not is_error_of_another(raised(ask(url)))


def test_a_web_page() -> None:
    with answering(200, "<title>Log in</title>", "text/html") as url:
        assert is_page(raised(ask(url)))
        mlflow.set_tracking_uri(url)
        assert is_page(raised(fetch("mlflow-artifacts:/0/model")))


def test_a_stage_without_versions(store: str) -> None:
    mlflow.set_tracking_uri(store)
    MlflowClient().create_registered_model("m")
    assert says(raised(fetch("models:/m/latest")), NO_VERSIONS)
    assert says(raised(fetch("models:/m/Production")), NO_VERSIONS)


def test_databricks_without_a_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/nowhere")
    mlflow.set_tracking_uri("databricks")
    assert says(raised(lambda: MlflowClient().get_registered_model("m")), *NO_LOGIN)


def test_a_setting_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "soon")
    error = raised(environment_variables.MLFLOW_HTTP_REQUEST_TIMEOUT.get)
    assert setting_in(error) == "MLFLOW_HTTP_REQUEST_TIMEOUT"


def test_stores_that_nothing_stands_for() -> None:
    assert says(raised(ask("gopher://x")), UNKNOWN_STORE)


def test_a_folder_as_the_tracking_store(tmp_path: Path) -> None:
    if Version(mlflow.__version__) < Version("3.13"):
        ask(str(tmp_path))
    else:
        assert says(raised(ask(str(tmp_path))), OLD_STORE)


def test_a_server_that_is_asked_by_another_name() -> None:
    module = pytest.importorskip("mlflow.server.security_utils")  # since MLflow 3.5
    assert FOREIGN_HOST in module.INVALID_HOST_MSG


def test_a_store_of_files(tmp_path: Path) -> None:
    (tmp_path / "MLmodel").touch()
    store = artifact_repository(str(tmp_path))
    assert [file.path for file in store.list_artifacts("")] == ["MLmodel"]
    assert Path(store.download_artifacts("MLmodel")).is_file()


def test_a_full_disk_in_the_list_of_downloads_that_failed(tmp_path: Path) -> None:
    class Full(LocalArtifactRepository):
        def _download_file(self, remote_file_path: Any, local_path: Any) -> None:
            raise OSError(ENOSPC, strerror(ENOSPC))

    (tmp_path / "file").touch()
    download: Any = ArtifactRepository.download_artifacts
    error = raised(lambda: download(Full(str(tmp_path)), "", str(tmp_path)))
    assert says(error, NO_SPACE)
    assert any(line.startswith(HEADING) for line in str(error).splitlines())


def test_texts_are_taken_for_values(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_MLFLOW_IS_IN_SERVING_ENVIRONMENT", "false")
    pyfunc = load("hint_dates")
    raised(lambda: pyfunc.predict(["2024-01-02"]))
    take_texts_for_values()
    assert pyfunc.predict(["2024-01-02"]) == [2024]


def test_providers_of_authentication() -> None:
    providers = auth_providers()
    before = list(providers)
    provider = AuthProvider("of-a-test", KeyAuth(Connect(None, None)))
    providers.register(lambda: provider)
    assert [one for one in providers if one not in before] == [provider]
    assert fetch_auth("of-a-test") is provider.auth


def test_an_environment_without_mlflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """`main.py` then says which package to install."""
    assert installed_version() == mlflow.__version__
    monkeypatch.setattr(mlflow_internals, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError) as raised:
        installed_version()
    assert raised.value.name == "mlflow"
