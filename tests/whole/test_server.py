"""The whole thing as a user starts it: `python main.py`, uvicorn, a real tracking server."""

import json
import logging
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import mlflow
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.pyfunc.scoring_server.client import ScoringServerClient
from starlette.testclient import TestClient

import example_test
from modelserver.app import create_app
from modelserver.hosting.processes.serving import listen
from modelserver.hosting.settings import read_settings
from tests.support.connect.door import Door
from tests.support.processes import (
    ROOT,
    Server,
    free_port,
    our_server,
    running,
    status,
    wait_for,
)
from tests.support.request_rows import WINE
from tests.support.serving import serving

pytestmark = pytest.mark.processes

MLFLOW_3 = int(mlflow.__version__.partition(".")[0]) >= 3

BODY = {"dataframe_records": [WINE]}


def ready(server: Server) -> None:
    wait_for(lambda: status(f"{server.url}/ping") == 200, server)


def predict(server: Server, body: Any = BODY) -> httpx.Response:
    return httpx.post(f"{server.url}/invocations", json=body, timeout=90)


def test_without_a_model_says_what_to_set(tmp_path: Path) -> None:
    with our_server(tmp_path / "log") as server:
        page = httpx.get(server.url, timeout=90)
        answer = predict(server)
        first, second, *_ = server.output().splitlines()
    assert first == f"Listening on {server.url}, without a model (Ctrl-C ends it)"
    assert "Start again with one: MODEL_URI=models:/my-model/1 python main.py (in" in second
    assert page.status_code == 200
    assert "MODEL_URI" in page.text
    assert answer.status_code == 503
    assert answer.json()["error_code"] == "TEMPORARILY_UNAVAILABLE"
    assert "MODEL_URI" in answer.json()["message"]


@pytest.mark.usefixtures("mlflow_as_before")
@pytest.mark.parametrize(
    ("uri", "version"),
    [
        ("models:/wine/1", "1"),
        ("models:/wine@champion", "1"),
        ("models:/wine/Production", "1"),
        ("models:/wine/production", "1"),
        ("models:/wine/latest", "2"),
        ("runs:/{run}/model", None),
        pytest.param(
            "models:/{logged}",
            None,
            marks=pytest.mark.skipif(not MLFLOW_3, reason="MLflow 2 has no logged models"),
        ),
    ],
)
def test_serves_every_form_of_uri(uri: str, version: str | None, wine_registry: str) -> None:
    client: Any = MlflowClient(wine_registry)
    run = client.get_model_version("wine", "1").run_id
    if "{logged}" in uri:
        (logged,) = client.get_run(run).outputs.model_outputs
        uri = uri.format(logged=logged.model_id)
    uri = uri.format(run=run)
    settings = read_settings({"MLFLOW_TRACKING_URI": wine_registry, "MODEL_URI": uri})
    with TestClient(create_app(settings)) as server:
        answer = server.post("/invocations", json=BODY)
        health = server.get("/health").json()
    assert answer.json() == {"predictions": ["cultivar 1"]}
    assert (health["state"], health["version"]) == ("ready", version)


@pytest.fixture(scope="module")
def wine_server(wine_registry: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`python main.py` with a model of the registry."""
    environment = {
        "MLFLOW_TRACKING_URI": wine_registry,
        "MODEL_URI": "models:/wine@champion",
    }
    with our_server(tmp_path_factory.mktemp("server") / "log", **environment) as server:
        # The server listens while the model loads; the request waits for it.
        assert predict(server).json() == {"predictions": ["cultivar 1"]}
        yield server


def test_the_metadata_of_a_model_of_the_registry(wine_server: Server) -> None:
    metadata = httpx.get(f"{wine_server.url}/metadata", timeout=90).json()
    assert metadata["description"] == "Cultivars of wines"
    assert metadata["tags"] == {"approved": "yes"}
    assert metadata["has_example"] is True
    assert metadata["signature"]["inputs"][0] == {
        "type": "double",
        "name": "alcohol",
        "required": True,
    }
    assert str(wine_server.log.parents[1]) not in json.dumps(metadata)


def test_mlflows_own_client(wine_server: Server) -> None:
    host, port = wine_server.url.removeprefix("http://").split(":")
    client = ScoringServerClient(host, port)
    client.wait_server_ready(timeout=90)
    assert client.get_version() == mlflow.__version__
    predictions = client.invoke(pd.DataFrame([WINE])).get_predictions()
    assert predictions.iloc[:, 0].tolist() == ["cultivar 1"]


def test_one_log_line_per_request_and_start_step(wine_server: Server) -> None:
    headers = {"X-Request-ID": "my-id"}
    url = f"{wine_server.url}/invocations"
    httpx.post(url, json=BODY, headers=headers, timeout=90)
    wait_for(lambda: "my-id" in wine_server.output(), wine_server)
    lines = [line for line in wine_server.output().splitlines() if " INFO " in line]
    steps = [line for line in lines if "GET" not in line and "POST" not in line]
    assert [step.split(" INFO ")[1].split()[0] for step in steps] == [
        "loading",
        "looked",
        "loaded",
        "warm-up:",
        "ready",
    ]
    assert [line.split(" INFO ")[1].split(" ")[:5] for line in lines if "my-id" in line] == [
        ["my-id", "POST", "/invocations", "200", "rows=1"]
    ]


@pytest.mark.usefixtures("mlflow_as_before")
def test_serves_the_sample_model_from_a_local_store(
    store: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """`python example_test.py` as a process: `test_older_guide.py`."""
    experiment = MlflowClient(store).create_experiment("e", str(tmp_path / "files"))
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", experiment)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    example_test.main()
    assert re.search("MODEL_URI=models:/wine/1 .*python main.py", capsys.readouterr().out)
    environment = {"MLFLOW_TRACKING_URI": store, "MODEL_URI": "models:/wine/1"}
    with (
        caplog.at_level("INFO", "modelserver"),
        TestClient(create_app(read_settings(environment))) as client,
    ):
        assert client.post("/invocations", json=BODY).json() == {"predictions": ["cultivar 1"]}
    assert "ready" in caplog.text
    assert str(tmp_path) not in caplog.text
    # A process that has not imported MLflow for anything else yet.
    with our_server(tmp_path / "log", **environment) as server:
        wait_for(lambda: status(f"{server.url}/ping") == 200, server)
        assert "trying again" not in server.output()


def test_uvicorn_serves_main_app(model_path: Callable[[str], Path], tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "main:app", "--port", str(port)]
    command += ["--root-path", "/content/5f6f3a9c"]
    environment = {"MODEL_URI": str(model_path("one_long"))}
    with running(command, environment, tmp_path / "log", port) as server:
        ready(server)
        answer = predict(server, {"inputs": {"n": [1]}})
        assert answer.json()["predictions"]["input"]["frame"] == [["n", "int64", ["int 1"]]]


def test_a_busy_port_gives_one_line() -> None:
    with listen("127.0.0.1", 0) as busy:
        busy.listen()
        port = busy.getsockname()[1]
        with pytest.raises(SystemExit) as end:
            listen("127.0.0.1", port)
    assert str(end.value) == (
        f"cannot listen on 127.0.0.1:{port} (Address already in use); choose another HOST or PORT"
    )


def test_a_malformed_setting_stops_the_start(tmp_path: Path) -> None:
    started = subprocess.run(
        [sys.executable, "main.py"],
        cwd=ROOT,
        env={**os.environ, "PORT": "eighty"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode == 1
    assert started.stderr == (
        "cannot start: PORT='eighty': expected a whole number from 0 to 65535\n"
    )


@pytest.mark.usefixtures("mlflow_as_before")
def test_a_tracking_server_that_comes_back(
    wine_registry: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def errors() -> list[logging.LogRecord]:
        return [record for record in caplog.records if record.levelname == "ERROR"]

    port = free_port()
    url = f"http://127.0.0.1:{port}"
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    settings = read_settings({"MLFLOW_TRACKING_URI": url, "MODEL_URI": "models:/wine@champion"})
    with TestClient(create_app(settings)) as client:
        wait_for(lambda: len(errors()) == 2)
        page = client.get("/")
        answer = client.post("/invocations", json=BODY)
        with serving(Door(wine_registry), port=port):
            wait_for(lambda: client.get("/ping").status_code == 200)
            assert client.post("/invocations", json=BODY).json() == {"predictions": ["cultivar 1"]}
    assert page.status_code == 503
    assert answer.status_code == 503
    assert answer.json()["message"] == (
        f"the model could not be loaded: the tracking server {url} cannot be reached; check "
        "MLFLOW_TRACKING_URI and that it is running"
    )
    assert int(answer.headers["Retry-After"]) >= 1
    assert all(record.getMessage().startswith("the tracking server") for record in errors())
    assert any(record.exc_info for record in errors())


def test_a_client_that_leaves_is_one_log_line(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("INFO", "modelserver")
    with serving(create_app(read_settings({}))) as url:
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as leaving:
            leaving.sendall(
                b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"
            )
        wait_for(lambda: "/invocations 499" in caplog.text)
    assert "Traceback" not in caplog.text + capsys.readouterr().err


def test_a_start_imports_neither_fastapi_nor_jsonschema() -> None:
    code = (
        "import sys, main; sys.exit(not sys.modules.keys().isdisjoint({'fastapi', 'jsonschema'}))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_answers_are_not_held_back_by_nagle() -> None:
    listener = listen("127.0.0.1", 0)
    # asyncio sets TCP_NODELAY on the connections of such a listener only.
    assert listener.proto == socket.IPPROTO_TCP
    listener.close()
