"""What the installed version of MLflow says in words only."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient

from modelserver.loading.explaining.causes import is_page, status_of
from modelserver.loading.explaining.mlflow_words import (
    BAD_URI,
    GONE,
    NO_ENDPOINT,
    NO_LOGIN,
    NO_VERSIONS,
    RESPONSE,
    says,
    status_in,
)
from modelserver.loading.registry import resolve
from tests.support.processes import answering

pytestmark = pytest.mark.usefixtures("mlflow_as_before")


def raised(act: Callable[[], Any]) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011
        act()
    return caught.value


def fetch(uri: str) -> Callable[[], Any]:
    return lambda: mlflow.artifacts.download_artifacts(uri)


def ask(url: str) -> Callable[[], Any]:
    return lambda: MlflowClient(url).get_registered_model("m")


@pytest.mark.parametrize("uri", ["models:/", "models:/a/b/c", "models:/a@", "runs:/"])
def test_uris_that_cannot_be_read(uri: str) -> None:
    assert says(raised(lambda: resolve(uri)), BAD_URI[0])


@pytest.mark.parametrize("uri", ["gopher://x/y", "modelz:/a/1"])
def test_schemes_that_nothing_stands_for(uri: str) -> None:
    assert says(raised(fetch(uri)), BAD_URI[1])


def test_files_that_are_not_there(tmp_path: Path) -> None:
    assert says(raised(fetch(str(tmp_path / "nothing"))), *GONE)
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
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
    assert says(asked, RESPONSE) or status >= 500  # after retries, the answer is left out
    assert says(asked, NO_ENDPOINT) == (status == 404)


def test_a_web_page() -> None:
    with answering(200, "<title>Log in</title>", "text/html") as url:
        assert is_page(raised(ask(url)))
        mlflow.set_tracking_uri(url)
        assert is_page(raised(fetch("mlflow-artifacts:/0/model")))


def test_a_stage_without_versions(tmp_path: Path) -> None:
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    MlflowClient().create_registered_model("m")
    assert says(raised(fetch("models:/m/latest")), NO_VERSIONS)
    assert says(raised(fetch("models:/m/Production")), NO_VERSIONS)


def test_databricks_without_a_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/nowhere")
    mlflow.set_tracking_uri("databricks")
    assert says(raised(lambda: MlflowClient().get_registered_model("m")), *NO_LOGIN)
