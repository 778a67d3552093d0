"""Advice on models that cannot be loaded, for exceptions that MLflow really raises."""

import importlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest
import requests
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, PERMISSION_DENIED

from modelserver.advice import advice, missing_package, public_uri


def raised(act: Callable[[], Any]) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011
        act()
    return caught.value


def load(path: Path, mlmodel: str | None) -> Callable[[], Any]:
    if mlmodel is not None:
        (path / "MLmodel").write_text(mlmodel)
    return lambda: mlflow.pyfunc.load_model(str(path))


NO_COMPLETE_MODEL = "what is at file:…/model is not a complete MLflow model; log it again"


@pytest.mark.parametrize(
    ("mlmodel", "text"),
    [
        (None, NO_COMPLETE_MODEL),
        ("a: [b", NO_COMPLETE_MODEL),
        ("flavors: {}", NO_COMPLETE_MODEL),
        (
            "flavors: {python_function: {loader_module: no_such.module}}",
            "the model needs the package no_such, which is not installed; add the line "
            "`No.Such>=2` to requirements.txt and deploy again",
        ),
    ],
    ids=["no file", "broken file", "no pyfunc", "missing package"],
)
def test_folders_that_are_no_models(tmp_path: Path, mlmodel: str | None, text: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    error = raised(load(folder, mlmodel))
    requirements = ["# pinned", "mlflow==3.0", " No.Such>=2 "]
    assert advice(error, str(folder), None, requirements) == text


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An empty store, and MLflow asking it."""
    before = mlflow.get_tracking_uri()
    uri = f"sqlite:///{tmp_path_factory.mktemp('store')}/mlflow.db"
    mlflow.set_tracking_uri(uri)
    yield uri
    mlflow.set_tracking_uri(before)


@pytest.mark.parametrize("model_uri", ["models:/nope/1", "models:/nope@best", "runs:/abc/model"])
def test_models_that_are_not_there(store: str, model_uri: str) -> None:
    error = raised(lambda: mlflow.artifacts.download_artifacts(model_uri))
    assert advice(error, model_uri, store, []) == (
        f"there is no model {model_uri} in the tracking server sqlite:…/mlflow.db; "
        "check MODEL_URI and MLFLOW_TRACKING_URI"
    )


def test_folders_that_are_not_there() -> None:
    error = raised(lambda: mlflow.pyfunc.load_model("/nowhere/model"))
    assert advice(error, "/nowhere/model", None, []) == (
        "there is no folder model; a registered model is written models:/model/1"
    )


def test_a_name_without_a_version(store: str) -> None:
    error = raised(lambda: mlflow.artifacts.download_artifacts("models:/nope"))
    assert advice(error, "models:/nope", store, []) == (
        "MODEL_URI models:/nope names no version; write models:/nope/1 or models:/nope@alias"
    )


def test_a_server_that_cannot_be_reached() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # not listening
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        error = raised(lambda: requests.get(url, timeout=5))
    assert advice(error, "models:/m/1", url, []) == (
        f"the tracking server {url} cannot be reached; "
        "check MLFLOW_TRACKING_URI and that it is running"
    )


def refused_by_server() -> None:
    response = requests.Response()
    response.status_code = 401
    response.raise_for_status()


def refused_in_words() -> None:
    raise MlflowException("API request failed with error code 403 != 200")


def refused_by_code() -> None:
    raise MlflowException("no", PERMISSION_DENIED)


@pytest.mark.parametrize("act", [refused_by_server, refused_in_words, refused_by_code])
def test_refused_logins(act: Callable[[], None]) -> None:
    url = "https://me:secret@example.com:8443/mlflow?key=secret"
    assert advice(raised(act), "models:/m/1", url, [], "check this") == (
        "the tracking server https://example.com:8443/mlflow refused the login: check this"
    )


def page_for_json() -> None:
    raise MlflowException(
        "API request to endpoint was successful but the response body was not in a valid JSON "
        "format. Response body: '<title>code 404, not found</title>'"
    )


def page_for_a_listing() -> None:
    response = requests.Response()
    response._content = b"<title>Log in</title>"
    response.json()


@pytest.mark.parametrize("act", [page_for_json, page_for_a_listing])
def test_login_pages(act: Callable[[], None]) -> None:
    assert advice(raised(act), "models:/m/1", "http://x/mlflow", [], "check this") == (
        "the tracking server http://x/mlflow refused the login (it answered with a web page): "
        "check this"
    )


def test_a_server_that_is_no_tracking_server() -> None:
    error = MlflowException("API request to endpoint /api/2.0 failed with error code 404 != 200.")
    assert advice(error, "models:/m/1", "http://x/mlflow", []) == (
        "the tracking server http://x/mlflow does not know what it was asked: it is no MLflow "
        "server, or an older one; check MLFLOW_TRACKING_URI"
    )


def from_cause() -> None:
    try:
        importlib.import_module("no_such_package.part")
    except ModuleNotFoundError as error:
        raise MlflowException("loading failed") from error


def without_name() -> None:
    raise ModuleNotFoundError("some loader's own words")


def odd_uri() -> None:
    raise MlflowException("odd", INVALID_PARAMETER_VALUE)


@pytest.mark.parametrize(
    ("act", "text"),
    [
        (
            from_cause,
            "the model needs the package no_such_package, which is not installed; add the line "
            "`no_such_package` to requirements.txt and deploy again",
        ),
        (
            without_name,
            "the model s3://bucket/model could not be loaded (ModuleNotFoundError); the server's "
            "log has the traceback",
        ),
        (
            odd_uri,
            "MODEL_URI s3://bucket/model cannot be read as a model URI; see the README for its "
            "forms",
        ),
        (
            lambda: int("x"),
            "the model s3://bucket/model could not be loaded (ValueError); the server's log has "
            "the traceback. Often a package has another version than the model was saved with",
        ),
        (
            lambda: mlflow.pyfunc.load_model("gopher://x/y"),
            "the model s3://bucket/model could not be loaded (MlflowException); the server's log "
            "has the traceback. Often a package has another version than the model was saved with",
        ),
    ],
    ids=["cause", "module without name", "URI", "anything", "scheme"],
)
def test_other_errors(act: Callable[[], Any], text: str) -> None:
    assert advice(raised(act), "s3://key:secret@bucket/model", None, []).startswith(text)


@pytest.mark.parametrize(
    ("module", "requirements", "line"),
    [
        ("sklearn.tree", ["scikit_learn==1.5"], "scikit_learn==1.5"),
        ("cv2", [], "opencv-python"),
        ("xgboost", ["xgboost[gpu]>=2 ; python_version > '3'"],
         "xgboost[gpu]>=2 ; python_version > '3'"),
    ],
)  # fmt: skip
def test_packages_are_known_by_their_modules(
    module: str, requirements: list[str], line: str
) -> None:
    assert f"add the line `{line}` to requirements.txt" in missing_package(module, requirements)


@pytest.mark.parametrize(
    ("uri", "public"),
    [
        ("/home/me/secret/model/", "file:…/model"),
        ("file:///home/me/model", "file:…/model"),
        ("sqlite:////data/mlflow.db", "sqlite:…/mlflow.db"),
        ("models:/name@alias", "models:/name@alias"),
        ("https://user:key@host/path?token=x#y", "https://host/path"),
        ("postgresql://user:key@host:5432/db", "postgresql://host:5432/db"),
        ("http://user:key@host:99x/mlflow", "http:…"),
        ("http://[bad/model", "http:…"),
        ("https://user:key/with/slash@host", "https:…"),
        ("https://user:12/with/slash@host", "https:…"),
    ],
)
def test_what_of_a_uri_is_shown(uri: str, public: str) -> None:
    assert public_uri(uri) == public
