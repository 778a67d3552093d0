"""A tracking server with logins and permissions: MLflow's own `basic-auth`."""

import importlib.util
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import mlflow
import pytest
from mlflow import MlflowClient

from modelserver.hosting.settings import read_settings
from modelserver.loading.attempt import LoadFailed
from modelserver.loading.loader import load_model
from tests.support.needs import need
from tests.support.processes import free_port, tracking_server

pytestmark = pytest.mark.processes

CONFIG = """\
[mlflow]
default_permission = NO_PERMISSIONS
database_uri = sqlite:///{folder}/users.db
admin_username = admin
admin_password = {password}
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
"""
PASSWORD = secrets.token_hex(8)


def login(user: str, password: str = PASSWORD) -> dict[str, str]:
    return {"MLFLOW_TRACKING_USERNAME": user, "MLFLOW_TRACKING_PASSWORD": password}


@pytest.fixture
def ask(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mlflow_as_before: None
) -> Iterator[Callable[..., str]]:
    """What is said to a user who may read the model `m`, but not the experiment of its files."""
    need(importlib.util.find_spec("flask_wtf"), "there is no Flask-WTF")
    config = tmp_path / "basic_auth.ini"
    config.write_text(CONFIG.format(folder=tmp_path, password=PASSWORD))
    variables = {"MLFLOW_AUTH_CONFIG_PATH": str(config), "MLFLOW_FLASK_SERVER_SECRET_KEY": "key"}
    options = ("--app-name", "basic-auth")
    with tracking_server(tmp_path, free_port(), *options, **variables) as server:

        def log_in(user: str, password: str) -> None:
            for name, value in login(user, password).items():
                monkeypatch.setenv(name, value)

        def said(model: str, user: str, password: str = PASSWORD) -> str:
            log_in(user, password)
            environment = {"MODEL_URI": model, "MLFLOW_TRACKING_URI": server.url}
            with pytest.raises(LoadFailed) as failed:
                load_model(read_settings(environment | login(user, password)))
            return str(failed.value).removeprefix(f"the tracking server {server.url} ")

        log_in("admin", PASSWORD)
        mlflow.set_tracking_uri(server.url)
        register()
        add_reader(server.url)
        yield said


def add_reader(url: str) -> None:
    """As MLflow's own client does, whose import takes seconds."""
    with httpx.Client(base_url=f"{url}/api", auth=("admin", PASSWORD), timeout=60) as admin:
        body = {"username": "reader", "password": PASSWORD}
        admin.post("2.0/mlflow/users/create", json=body).raise_for_status()
        of = {"resource_type": "registered_model", "resource_id": "m", "permission": "READ"}
        granted = admin.post(
            "3.0/mlflow/users/permissions/grant", json={"username": "reader", **of}
        )
        need(granted.status_code != 404, "this MLflow grants otherwise")
        granted.raise_for_status()


def register() -> None:
    client = MlflowClient()
    with mlflow.start_run(experiment_id=client.create_experiment("theirs")) as run:
        mlflow.log_text("flavors: {}", "model/MLmodel")
    for name in ("m", "hidden"):
        client.create_registered_model(name)
        client.create_model_version(name, f"{run.info.artifact_uri}/model", run.info.run_id)


def test_401_and_403_are_told_apart(ask: Callable[..., str]) -> None:
    reader = "the user in MLFLOW_TRACKING_USERNAME"
    assert ask("models:/m/1", "reader") == (
        "forbids to read the files (403), though the model may be looked up; give "
        f"{reader} the permission READ on experiment 1"
    )
    assert ask("models:/hidden/1", "reader") == (
        f"forbids {reader} to read the model (403); give the permission READ"
    )
    assert ask("models:/m/1", "reader", "wrong password").startswith(
        f"refused the login: it was asked as {reader}; check MLFLOW_TRACKING_PASSWORD"
    )
