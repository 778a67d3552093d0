"""The states of a process, with real models that load, do not load, or load later."""

import asyncio
import logging
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import pytest
from starlette.testclient import TestClient

from modelserver.app import create_app
from modelserver.describing.description import base_description
from modelserver.hosting.settings import read_settings
from modelserver.hosting.threads import in_daemon_thread
from modelserver.lifecycle import FIRST_PAUSES, NOT_AGAIN, Lifecycle, _pause_after
from modelserver.states import LONGEST_PAUSE
from tests.support.processes import wait_for
from tests.support.zoo import SlowModel, save_wine

NEEDS_A_PACKAGE = "import skimage_of_nobody.transform\n"


def app_for(uri: str | Path, **environment: str) -> Any:
    return create_app(read_settings({"MODEL_URI": str(uri), **environment}))


def with_loader(source: Path, target: Path, code: str) -> Path:
    """A copy of a model whose loader module is `code`."""
    shutil.copytree(source, target)
    name = f"loader_{abs(hash(str(target)))}"
    (target / "code").mkdir(exist_ok=True)
    (target / "code" / f"{name}.py").write_text(code)
    meta = (target / "MLmodel").read_text()
    assert "loader_module: mlflow.sklearn" in meta
    meta = meta.replace("loader_module: mlflow.sklearn", f"loader_module: {name}\n    code: code")
    (target / "MLmodel").write_text(meta)
    return target


def settled(client: TestClient) -> Any:
    client.get("/")
    return client.get("/health").json()


def test_unconfigured() -> None:
    with TestClient(create_app(read_settings({}))) as client:
        answers = {path: client.get(path).status_code for path in ("/", "/ping", "/health")}
        health = client.get("/health").json()
        assert client.post("/invocations", json={}).status_code == 503
    assert answers == {"/": 200, "/ping": 503, "/health": 503}
    assert health["state"] == "unconfigured"
    assert "Vars" in health["reason"]


def test_a_misnamed_variable_is_told_in_the_log_and_on_the_page(
    caplog: pytest.LogCaptureFixture,
) -> None:
    said = "MODEL_URL is set; did you mean MODEL_URI?"
    with TestClient(create_app(read_settings({"MODEL_URL": "models:/secret/1"}))) as client:
        page, health = client.get("/").text, client.get("/health").text
    assert all(said in text and "secret" not in text for text in (page, health, caplog.text))


def test_loading_then_ready(slow_model: SlowModel) -> None:
    with TestClient(app_for(slow_model.path)) as client:
        loading = client.get("/ping"), client.get("/health")
        slow_model.go()
        page = client.get("/")
        ready = client.get("/ping"), client.get("/health")
    assert [answer.status_code for answer in loading] == [503, 503]
    assert loading[1].json()["state"] == "loading"
    assert isinstance(loading[1].json()["step"], str)
    assert "still loading" in loading[0].json()["message"]
    assert page.status_code == 200
    assert [answer.status_code for answer in ready] == [200, 200]
    assert ready[1].json()["step"] is None


def test_requests_wait_no_longer_than_the_timeout(slow_model: SlowModel) -> None:
    with TestClient(app_for(slow_model.path, REQUEST_TIMEOUT="0.2")) as client:
        answer = client.post("/invocations", json={"inputs": []})
        assert client.get("/health").json()["state"] == "loading"
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"


def test_the_first_page_does_not_wait_for_ever(
    slow_model: SlowModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelserver.pages.site.FIRST_PAGE_WAITS", 0.1)
    with TestClient(app_for(slow_model.path)) as client:
        page = client.get("/")
    assert (page.status_code, "being loaded" in page.text) == (200, True)


def test_a_missing_package_names_the_line_to_add(
    model_path: Callable[[str], Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = with_loader(model_path("wine"), tmp_path / "model", NEEDS_A_PACKAGE)
    with (path / "requirements.txt").open("a") as file:
        file.write("\nskimage-of.Nobody==1.2.3\n")
    caplog.set_level(logging.INFO)
    with TestClient(app_for(path)) as client:
        page = client.get("/")
        health = client.get("/health").json()
    assert page.status_code == 503
    assert health["state"] == "failed"
    assert health["reason"] == (
        "the model needs the package skimage-of.Nobody, which is not installed; add the line "
        "`skimage-of.Nobody==1.2.3` to requirements.txt and deploy again"
    )
    assert health["next_try"] is not None


def test_a_module_of_the_authors_own(model_path: Callable[[str], Path], tmp_path: Path) -> None:
    path = with_loader(model_path("wine"), tmp_path / "model", "import custom_transformer\n")
    with TestClient(app_for(path)) as client:
        reason = settled(client)["reason"]
    assert "if it is your own code, log the model with code_paths=" in reason
    assert "requirements.txt" not in reason


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"MODEL_URI": "http://localhost:abc/model"}, "MODEL_URI http:… cannot be read as a model"),
        ({"MODEL_URI": "http://[bad/model"}, "MODEL_URI http:… cannot be read as a model URI"),
        (
            {"MODEL_URI": "models:/x/1", "MLFLOW_TRACKING_URI": "http://user:p/w@host/mlflow"},
            "MLFLOW_TRACKING_URI cannot be read as a URI",
        ),
    ],
)
def test_a_broken_uri(environment: dict[str, str], reason: str) -> None:
    with TestClient(create_app(read_settings(environment))) as client:
        health = settled(client)
        assert client.get("/docs").status_code == 200
    mlflow.set_tracking_uri(None)  # type: ignore[arg-type]
    assert health["state"] == "failed"
    assert health["reason"].startswith(reason)


@pytest.mark.parametrize(
    ("raised", "said"),
    [("SystemExit(3)", "called sys.exit; log it without"), ("KeyboardInterrupt", "RuntimeError")],
)
def test_a_model_that_ends_the_process(
    raised: str, said: str, model_path: Callable[[str], Path], tmp_path: Path
) -> None:
    path = with_loader(model_path("wine"), tmp_path / "model", f"raise {raised}\n")
    with TestClient(app_for(path)) as client:
        health = settled(client)
    assert health["state"] == "failed"
    assert said in health["reason"]


def test_a_corrupt_model(model_path: Callable[[str], Path], tmp_path: Path) -> None:
    shutil.copytree(model_path("wine"), tmp_path / "broken")
    (tmp_path / "broken" / "MLmodel").write_text("{")
    with TestClient(app_for(tmp_path / "broken")) as client:
        assert settled(client)["reason"] == (
            "what is at file:…/broken is not a complete MLflow model; log it again"
        )


def test_a_folder_that_is_no_model(tmp_path: Path) -> None:
    with TestClient(app_for(tmp_path)) as client:
        reason = settled(client)["reason"]
    assert "is not a complete MLflow model" in reason


def test_an_unknown_path(tmp_path: Path) -> None:
    with TestClient(app_for(tmp_path / "nowhere")) as client:
        reason = settled(client)["reason"]
    assert reason == ("there is no folder nowhere; a registered model is written models:/nowhere/1")


def test_failures_are_retried_and_logged_once_in_full(
    model_path: Callable[[str], Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = with_loader(model_path("wine"), tmp_path / "model", NEEDS_A_PACKAGE)
    with TestClient(app_for(path)) as client:
        first = settled(client)
        assert first["state"] == "failed"
        wait_for(lambda: client.get("/health").json()["next_try"] != first["next_try"])
        shutil.rmtree(path)
        save_wine(path)
        wait_for(lambda: client.get("/ping").status_code == 200)
        health = client.get("/health").json()
    assert (health["state"], health["reason"], health["next_try"]) == ("ready", None, None)
    failures = [record for record in caplog.records if "trying again in" in record.getMessage()]
    assert [bool(record.exc_info) for record in failures][:2] == [True, False]
    assert [record.getMessage().rpartition(" in ")[2] for record in failures][:2] == ["1 s", "2 s"]


def test_a_model_that_is_missing_may_come_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert FIRST_PAUSES["later"] > FIRST_PAUSES["soon"]
    monkeypatch.setitem(FIRST_PAUSES, "later", 1.4)
    caplog.set_level(logging.DEBUG)
    path = tmp_path / "later"
    with TestClient(app_for(path, LOG_LEVEL="debug")) as client:
        settled(client)
        save_wine(path)
        wait_for(lambda: client.get("/ping").status_code == 200)
    failure, cause, *_ = (r for r in caplog.records if r.name == "modelserver.lifecycle")
    assert failure.getMessage().endswith("written models:/later/1; trying again in 1 s")
    assert failure.exc_info is None
    assert (cause.levelname, bool(cause.exc_info)) == ("DEBUG", True)


@pytest.mark.parametrize(
    "uri",
    [
        "models:/wine",
        "models:/",
        "models:wine/1",
        "runs:/",
        "nosuch:/wine",
        "http://localhost:abc/model",
    ],
)
def test_a_uri_at_which_no_model_can_be_is_not_tried_again(
    uri: str, store: str, caplog: pytest.LogCaptureFixture
) -> None:
    with TestClient(app_for(uri, MLFLOW_TRACKING_URI=store)) as client:
        health = settled(client)
        ping, page = client.get("/ping"), client.get("/")
    mlflow.set_tracking_uri(None)  # type: ignore[arg-type]
    assert (health["state"], health["next_try"]) == ("failed", None)
    assert health["reason"].endswith(f"; {NOT_AGAIN}")
    assert (ping.status_code, page.status_code) == (503, 503)
    assert "Retry-After" not in ping.headers
    assert "tries again by itself" not in page.text
    (failure,) = (record for record in caplog.records if record.levelname == "ERROR")
    assert (failure.getMessage(), failure.exc_info) == (health["reason"], None)


def test_pauses_grow() -> None:
    soon, later = FIRST_PAUSES["soon"], FIRST_PAUSES["later"]
    assert [_pause_after("soon", before) for before in (None, 1, 40)] == [soon, 2, LONGEST_PAUSE]
    assert [_pause_after("later", before) for before in (None, 1, 16)] == [later, later, 32]
    assert _pause_after("never", 1) is None


def test_a_traceback_is_logged_after_a_failure_without_one(
    tmp_path: Path,
    model_path: Callable[[str], Path],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(FIRST_PAUSES, "later", 0.2)
    path = tmp_path / "later"
    with TestClient(app_for(path)) as client:
        settled(client)
        with_loader(model_path("wine"), tmp_path / "model", NEEDS_A_PACKAGE).rename(path)
        wait_for(lambda: "skimage_of_nobody" in client.get("/health").json()["reason"])
    failures = [record for record in caplog.records if "skimage_of_nobody" in record.getMessage()]
    assert failures[0].exc_info


def test_without_a_lifespan_the_first_request_starts_the_load(
    model_path: Callable[[str], Path],
) -> None:
    async def ask() -> Any:
        import httpx

        app = app_for(model_path("wine"))
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            await client.get("/")
            return (await client.get("/health")).json()["state"]

    assert asyncio.run(ask()) == "ready"


def test_an_example_that_fails_is_logged_and_no_obstacle(
    model_path: Callable[[str], Path], tmp_path: Path
) -> None:
    shutil.copytree(model_path("wine"), tmp_path / "model")
    (tmp_path / "model" / "serving_input_example.json").write_text('{"inputs": "nonsense"}')
    with TestClient(app_for(tmp_path / "model")) as client:
        assert settled(client)["state"] == "ready"


def test_the_download_is_removed_at_the_end(
    model_path: Callable[[str], Path], store: str, tmp_path: Path
) -> None:
    mlflow.set_tracking_uri(store)
    experiment = mlflow.create_experiment("e", artifact_location=str(tmp_path / "artifacts"))
    with mlflow.start_run(experiment_id=experiment) as run:
        mlflow.log_artifacts(str(model_path("wine")), "model")
    uri = f"runs:/{run.info.run_id}/model"
    try:
        with TestClient(app_for(uri, MLFLOW_TRACKING_URI=store)) as client:
            assert settled(client)["state"] == "ready"
            folder = client.app.state.service.lifecycle.state.model.folder.name  # type: ignore[attr-defined]
            assert Path(folder).exists()
        assert not Path(folder).exists()
    finally:
        mlflow.set_tracking_uri(None)  # type: ignore[arg-type]


def test_stops_while_loading(slow_model: SlowModel) -> None:
    async def start_and_stop() -> str:
        settings = read_settings({"MODEL_URI": str(slow_model.path)})
        lifecycle = Lifecycle(settings, base_description())
        lifecycle.start()
        await lifecycle.settled(0.01)
        await lifecycle.stop()
        slow_model.go()
        await asyncio.to_thread(join_loading_threads)
        return lifecycle.state.name

    assert asyncio.run(start_and_stop()) == "loading"


def test_daemon_work_survives_a_closed_loop() -> None:
    began, end, done = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        end.wait()
        done.set()

    async def leave() -> None:
        task = asyncio.ensure_future(in_daemon_thread(work, "load-model"))
        await asyncio.to_thread(began.wait)
        task.cancel()

    asyncio.run(leave())
    end.set()
    join_loading_threads()
    assert done.is_set()


def join_loading_threads() -> None:
    """Returns once no model is being loaded; a failure of such a thread fails the test."""
    for thread in threading.enumerate():
        if thread.name == "load-model":
            thread.join()
