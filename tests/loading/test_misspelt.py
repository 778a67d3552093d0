"""Settings that are not as MLflow reads them, tried with MLflow itself."""

import socket
from pathlib import Path

import pytest
from mlflow.version import VERSION
from packaging.version import Version

from modelserver.hosting.settings import read_settings
from modelserver.loading.attempt import LoadFailed
from modelserver.loading.loader import load_model
from tests.support.needs import need

pytestmark = pytest.mark.usefixtures("mlflow_as_before")


def reason(uri: str = "models:/wine/1", **environment: str) -> str:
    with pytest.raises(LoadFailed) as failed:
        load_model(read_settings({"MODEL_URI": uri, **environment}))
    return str(failed.value)


@pytest.mark.parametrize(
    ("tracking_uri", "said"),
    [
        ("localhost:5000", "has no scheme; was http://localhost:5000 meant?"),
        ("me:pw@models.example.com:80/mlflow", "has no scheme; was http://models.example.com:80/"),
        ("htp://host", "has a scheme that MLflow does not know; was http://host meant?"),
        ("htps://me:pw@host", "has a scheme that MLflow does not know; was https://host meant?"),
        ("gopher://me:pw@host", "has a scheme that MLflow does not know; correct it"),
        ("http://127.0.0.1:1/#/models/wine", "is the address of a page, not of the server; was "
         "http://127.0.0.1:1 meant?"),
        ("https://me:pw@h/mlflow/#/", "is the address of a page, not of the server; was "
         "https://h/mlflow meant?"),
        ("http://h:99x/#", "is the address of a page, not of the server; correct it"),
        ("http://h:99999", "has a port that is no number up to 65535"),
        ("http://me:p@h:99x/mlflow", "has a port that is no number up to 65535"),
        ("http://me:p/w@h", "cannot be read as a URI; characters of a password need %-codes"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("uri", ["models:/wine/1", "runs:/0a/model"])
def test_tracking_uris(uri: str, tracking_uri: str, said: str) -> None:
    told = reason(uri, MLFLOW_TRACKING_URI=tracking_uri)
    assert told.startswith(f"MLFLOW_TRACKING_URI {said}")
    assert "pw" not in told


def test_a_registry_of_an_unknown_scheme(
    wine_registry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", "htp://me:pw@host")
    assert reason(MLFLOW_TRACKING_URI=wine_registry) == (
        "MLFLOW_REGISTRY_URI has a scheme that MLflow does not know; correct or unset it"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MLFLOW_HTTP_REQUEST_TIMEOUT", "x"),
        ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "many"),
        ("MLFLOW_TRACKING_INSECURE_TLS", "maybe"),
    ],
)
def test_other_settings_of_mlflow(
    name: str, value: str, wine_registry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert reason(MLFLOW_TRACKING_URI=wine_registry) == (
        f"{name} has a value that MLflow cannot read; correct or unset it"
    )


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_a_folder_of_files_as_older_versions_had_it(form: str, tmp_path: Path) -> None:
    need(Version(VERSION) >= Version("3.13"), "this MLflow reads folders of files")
    (tmp_path / "mlruns").mkdir()
    told = reason(MLFLOW_TRACKING_URI=form.format(tmp_path / "mlruns"))
    assert told.startswith("the tracking server file:…/mlruns is a folder of files, which this")
    assert "`mlflow migrate-filestore`" in told


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("no database, for sure" * 100)
    assert reason(MLFLOW_TRACKING_URI=f"sqlite:///{tmp_path}/mlflow.db") == (
        "the tracking server sqlite:…/mlflow.db cannot be opened as a database; "
        "check MLFLOW_TRACKING_URI"
    )


@pytest.mark.parametrize("file", ["mlflow.db", "missing/mlflow.db", "mlflow.db?timeout=9"])
def test_a_store_that_is_not_there(file: str, tmp_path: Path) -> None:
    """MLflow would make one, and try for two minutes where it cannot."""
    assert reason(MLFLOW_TRACKING_URI=f"sqlite:///{tmp_path}/{file}") == (
        "there is no MLflow store sqlite:…/mlflow.db; set MLFLOW_TRACKING_URI to the tracking "
        "server or the store that has the model"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_store_with_options(store: str) -> None:
    told = reason("models:/nope/1", MLFLOW_TRACKING_URI=f"{store}?timeout=9")
    assert told.endswith("it has no registered models at all")


def test_databricks_is_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/nowhere")
    told = reason(MLFLOW_TRACKING_URI="databricks")
    assert told.startswith("the tracking server databricks was asked without a login; set DATA")


@pytest.mark.parametrize("uri", ["models:/wine/1", "mlflow-artifacts:/0/model"])
@pytest.mark.parametrize("token", ["", "t"])
def test_a_server_that_is_asked_by_another_name(
    uri: str, token: str, wine_registry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    need(Version(VERSION) >= Version("3.5"), "this MLflow takes every name")
    if token:
        monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", token)
    url = wine_registry.replace("127.0.0.1", socket.gethostname())
    told = reason(uri, MLFLOW_TRACKING_URI=url, MLFLOW_TRACKING_TOKEN=token)
    assert told.startswith(f"the tracking server {url} does not take this name of its machine, wh")
    assert "--allowed-hosts" in told
