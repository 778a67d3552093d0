"""Fixtures: saved models, loaded once; clients of our app and of MLflow's server around them; a
browser and the pages that it visits. A plugin of pytest, of the processes that run tests."""

import contextlib
import csv
import fcntl
import gc
import io
import logging
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import mlflow
import pytest
from hypothesis import settings
from mlflow import MlflowClient
from mlflow.pyfunc import PyFuncModel, scoring_server
from playwright.sync_api import Browser, Page
from starlette.applications import Starlette
from starlette.testclient import TestClient

import example_test
from modelserver.app import create_app
from modelserver.hosting.log import configure_logging
from modelserver.hosting.memory import settle_memory
from modelserver.hosting.settings import read_settings
from modelserver.scoring.request import SMALL
from tests.support.browser import Visit, chromium, deployed
from tests.support.connect.publisher import register
from tests.support.measuring import measured, threads_measured, unmeasured
from tests.support.needs import need
from tests.support.processes import MEASURED, free_port, tracking_server, wait_for
from tests.support.zoo import MODELS, SlowModel, save_slow

STARTING = {"browser", "certificate", "wine_registry"}
"""Fixtures that start a program, so that whoever asks for one of them has the mark, too."""

starting_is_allowed = True


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    for item in items:
        if not STARTING.isdisjoint(item.fixturenames):
            item.add_marker("processes")


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makeitem() -> Generator[None, object, object]:
    with unmeasured():
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """What pytest does around a test does not count. A test, its fixtures and their ends do."""
    with unmeasured():
        return (yield)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_fixture_setup() -> Generator[None, object, object]:
    with measured():
        return (yield)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_teardown() -> Generator[None, object, object]:
    with measured():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Generated examples do not count for coverage, which named ones have to reach, and most of
    their time is Hypothesis'. Nor do tests marked `repeats`. In `make mutate` they count: it asks
    which lines they reach."""
    repeats = not {"hypothesis", "repeats"}.isdisjoint(pyfuncitem.keywords)
    named = settings.get_current_profile_name() == "same"
    with unmeasured() if repeats and named else measured():
        return (yield)


@pytest.fixture(autouse=True)
def _only_marked_tests_start_programs(request: pytest.FixtureRequest) -> Iterator[None]:
    global starting_is_allowed
    starting_is_allowed = "processes" in request.keywords
    yield
    starting_is_allowed = True


@pytest.fixture(autouse=True)
def _tracking_uri_as_before() -> Iterator[None]:
    """Whom MLflow asks in this process is a matter of one test."""
    yield
    mlflow.set_tracking_uri(None)  # type: ignore[arg-type]


def _refuse_programs(event: str, arguments: tuple[Any, ...]) -> None:
    """Called by Python at each event. Libraries ask `git` and `uname`, which are quick."""
    if event == "subprocess.Popen" and not starting_is_allowed and os.path.isabs(arguments[0]):
        pytest.fail(f"{arguments[0]} is started; mark the test `processes`")


sys.addaudithook(_refuse_programs)


@pytest.fixture(scope="session", autouse=True)
def _measurement() -> dict[str, str]:
    """The variables that have a child process measured. They are taken away: measured, a program
    needs twice as long to start, and most of what it runs is measured in this process anyway."""
    return {name: os.environ.pop(name) for name in MEASURED if name in os.environ}


@pytest.fixture(autouse=True)
def _measured(request: pytest.FixtureRequest, _measurement: dict[str, str]) -> None:
    if "measured" in request.keywords:
        monkeypatch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
        for name, value in _measurement.items():
            monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of one run of the tests have."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def model_path(shared: Path) -> Callable[[str], Path]:
    """The folder of a model of the zoo, saved by the first process of the tests that asks."""
    zoo = shared / "zoo"
    zoo.mkdir(exist_ok=True)

    @cache
    def path(name: str) -> Path:
        folder = zoo / name
        with unmeasured(), (zoo / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return folder if folder.exists() else MODELS[name](folder)

    return path


LIGHT = """\
class Model:
    def predict(self, table, params=None):
        return ["cultivar 1"] * len(table)


def _load_pyfunc(path):
    return Model()
"""


@pytest.fixture(scope="session")
def light_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that asks for scikit-learn and answers as the sample model does, but does not import
    it, which takes seconds."""
    folder = tmp_path_factory.mktemp("light")
    (folder / "MLmodel").write_text(
        "flavors: {python_function: {loader_module: light, code: code, python_version: 3.10.1}}"
    )
    (folder / "requirements.txt").write_text(f"scikit-learn=={version('scikit-learn')}\n")
    (folder / "code").mkdir()
    (folder / "code" / "light.py").write_text(LIGHT)
    return folder


@pytest.fixture(scope="session")
def light(light_folder: Path, wine_registry: str) -> str:
    """The URI of that model, registered. Its first version is `models:/light/1`."""
    return register(light_folder, "light", wine_registry)


@pytest.fixture(scope="session")
def client(model_path: Callable[[str], Path]) -> Iterator[Callable[..., TestClient]]:
    """A client of our app around a model of the zoo; settings as environment variables."""
    opened: list[TestClient] = []

    @cache
    def open_client(name: str, **environment: str) -> TestClient:
        read = read_settings({"MODEL_URI": str(model_path(name)), **environment})
        test_client = TestClient(create_app(read))
        with threads_measured():
            test_client.__enter__()
            test_client.get("/")  # waits for the model, but not for ever
            wait_for(lambda: test_client.get("/health").json()["state"] != "loading")
            test_client.post("/invocations", content=b"[" * 2 * SMALL)  # starts its worker threads
        opened.append(test_client)
        return test_client

    yield open_client
    for test_client in opened:
        test_client.__exit__(None, None, None)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What our own log lines say, in their final form. pytest does not see them: xdist cannot send
    those that are no UTF-8."""
    configure_logging("info")
    logger = logging.getLogger("modelserver")
    (handler,) = logger.handlers
    assert isinstance(handler, logging.StreamHandler)
    before, written = handler.stream, io.StringIO()
    handler.setStream(written)
    root, logger.parent = logger.parent, None
    yield written
    logger.parent = root
    handler.setStream(before)
    configure_logging("info")  # the level and the secrets are the process's: back to none


@pytest.fixture(scope="session")
def mlflow_client(model_path: Callable[[str], Path]) -> Iterator[Callable[[str], httpx.Client]]:
    """A client of MLflow's own server around the same model: the oracle."""
    with contextlib.ExitStack() as stack:

        @cache
        def open_client(name: str) -> httpx.Client:
            model: PyFuncModel = mlflow.pyfunc.load_model(str(model_path(name)))
            app: Any = scoring_server.init(model)
            if isinstance(app, Starlette):
                return stack.enter_context(TestClient(app, raise_server_exceptions=False))
            transport = httpx.WSGITransport(app=app)  # MLflow 2 serves with Flask
            return httpx.Client(transport=transport, base_url="http://testserver")

        yield open_client


@pytest.fixture
def mlflow_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a command tells MLflow in this process does not reach the next test."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")
    yield
    mlflow.set_tracking_uri(None)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def empty_store(shared: Path) -> Path:
    """The file of a tracking store with nothing in it, which takes MLflow seconds to make."""
    folder = shared / "store"
    folder.mkdir(exist_ok=True)
    file = folder / "mlflow.db"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            with unmeasured():
                MlflowClient(f"sqlite:///{folder}/new.db").search_experiments()
            (folder / "new.db").rename(file)
    return file


@pytest.fixture
def store(empty_store: Path, tmp_path: Path) -> str:
    """The tracking URI of a new store, `mlflow.db` in the test's folder."""
    return f"sqlite:///{shutil.copy(empty_store, tmp_path / 'mlflow.db')}"


@pytest.fixture(scope="session")
def wine_registry(
    shared: Path, empty_store: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URL of a tracking server with two versions of the sample model; the first, which is
    `champion` and in the stage `Production`, has a tag, and the model a description.

    All processes of the tests ask the same server, so that tests change nothing of that, and add
    models with names of their own. The first that asks starts it, and ends it after the others.
    """
    folder = shared / "registry"
    folder.mkdir(exist_ok=True)
    address = folder / "url"
    with (
        (folder / "lock").open("w") as lock,
        (folder / "users").open("w") as users,
        contextlib.ExitStack() as stack,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not address.exists():
            served = tmp_path_factory.mktemp("tracking")
            shutil.copy(empty_store, served / "mlflow.db")
            server = stack.enter_context(tracking_server(served, free_port()))
            with unmeasured():
                _register_wine(server.url)
            address.write_text(server.url)
            stack.callback(address.unlink)
            stack.callback(fcntl.flock, users, fcntl.LOCK_EX)  # once nobody shares it any more
            stack.callback(fcntl.flock, lock, fcntl.LOCK_EX)
        fcntl.flock(users, fcntl.LOCK_SH)
        fcntl.flock(lock, fcntl.LOCK_UN)
        yield address.read_text()


def _register_wine(url: str) -> None:
    mlflow.set_tracking_uri(url)
    table, cultivars = example_test.wine_table()
    model = example_test.train(table, cultivars)
    run_uri, _ = example_test.log_and_register(model, table.head(2))
    mlflow.register_model(run_uri, "wine")
    client = MlflowClient(url)
    client.set_registered_model_alias("wine", "champion", "1")
    client.set_model_version_tag("wine", "1", "approved", "yes")
    client.update_registered_model("wine", "Cultivars of wines")
    with pytest.warns(FutureWarning, match="stages"):
        client.transition_model_version_stage("wine", "1", "Production")
    mlflow.set_tracking_uri(None)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for this machine, in one file."""
    need(shutil.which("openssl"), "there is no openssl")
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=here", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", str(file), "-out", str(file.with_suffix(".crt"))]
    subprocess.run(command, check=True, capture_output=True)
    file.write_text(file.read_text() + file.with_suffix(".crt").read_text())
    return file


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless browser; not longer than a module, since it keeps the thread's event loop."""
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def base(model_path: Callable[[str], Path]) -> Iterator[Callable[..., str]]:
    """The base URL of a model of the zoo, deployed once in each way."""
    with contextlib.ExitStack() as stack:

        @cache
        def url(name: str, how: str = "root") -> str:
            app = create_app(read_settings({"MODEL_URI": str(model_path(name))}))
            return stack.enter_context(deployed(app, how))

        yield url


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page. At the end nothing may have gone wrong but what the test allows."""
    visits: list[tuple[Visit, re.Pattern[str] | None]] = []

    def open_page(
        base: str, path: str = "", allowed: re.Pattern[str] | None = None, **options: Any
    ) -> Page:
        made = Visit(browser.new_context(**options).new_page(), base)
        made.watch()
        made.page.goto(base + path)
        visits.append((made, allowed))
        return made.page

    yield open_page
    # Before a page is closed, since that ends the requests of one that follows the state.
    problems = [
        text
        for made, allowed in visits
        for text in made.problems
        if not (allowed and allowed.search(text))
    ]
    for made, _ in visits:
        made.page.context.close()
    assert problems == []


@pytest.fixture
def settled_memory() -> Iterator[None]:
    """What is set for the whole process once a model was loaded; afterwards it is as before."""
    thresholds, longest_cell = gc.get_threshold(), csv.field_size_limit()
    settle_memory()
    yield
    gc.set_threshold(*thresholds)
    csv.field_size_limit(longest_cell)


@pytest.fixture
def slow_model(tmp_path: Path) -> Iterator[SlowModel]:
    """A model that does not load before it is told to."""
    model = save_slow(tmp_path)
    yield model
    model.go()
