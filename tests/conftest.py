"""Fixtures: saved models, loaded once; clients of our app and of MLflow's server around them."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.pyfunc import PyFuncModel, scoring_server
from starlette.applications import Starlette
from starlette.testclient import TestClient

import example_test
from modelserver.app import create_app
from modelserver.settings import read_settings
from tests.processes import Server, free_port, tracking_server
from tests.zoo import MODELS


@pytest.fixture(scope="session")
def model_path() -> Iterator[Callable[[str], Path]]:
    """The folder of a model of the zoo, saved when it is first asked for."""
    root = Path(tempfile.mkdtemp(prefix="zoo-"))

    @cache
    def path(name: str) -> Path:
        return MODELS[name](root / name)

    yield path
    shutil.rmtree(root)


@pytest.fixture(scope="session")
def client(model_path: Callable[[str], Path]) -> Iterator[Callable[..., TestClient]]:
    """A client of our app around a model of the zoo; settings as environment variables."""
    opened: list[TestClient] = []

    @cache
    def open_client(name: str, **environment: str) -> TestClient:
        settings = read_settings({"MODEL_URI": str(model_path(name)), **environment})
        test_client = TestClient(create_app(settings))
        test_client.__enter__()
        test_client.get("/")  # waits for the model
        opened.append(test_client)
        return test_client

    yield open_client
    for test_client in opened:
        test_client.__exit__(None, None, None)


@pytest.fixture(scope="session")
def mlflow_client(model_path: Callable[[str], Path]) -> Callable[[str], httpx.Client]:
    """A client of MLflow's own server around the same model: the oracle."""

    @cache
    def open_client(name: str) -> httpx.Client:
        model: PyFuncModel = mlflow.pyfunc.load_model(str(model_path(name)))
        app: Any = scoring_server.init(model)
        if isinstance(app, Starlette):
            return TestClient(app, raise_server_exceptions=False)
        transport = httpx.WSGITransport(app=app)  # MLflow 2 serves with Flask
        return httpx.Client(transport=transport, base_url="http://testserver")

    return open_client


@pytest.fixture
def mlflow_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a command tells MLflow in this process does not reach the next test."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")
    yield
    mlflow.set_tracking_uri(None)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def wine_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A tracking server with two versions of the sample model; `champion` is the first."""
    with tracking_server(tmp_path_factory.mktemp("tracking"), free_port()) as server:
        mlflow.set_tracking_uri(server.url)
        table, cultivars = example_test.wine_table()
        for _ in range(2):
            example_test.log_and_register(example_test.train(table, cultivars), table.head(2))
        MlflowClient(server.url).set_registered_model_alias("wine", "champion", "1")
        mlflow.set_tracking_uri(None)  # type: ignore[arg-type]
        yield server
