"""Secrets as canaries: none comes out by an answer, a page, a document, a log line or a command."""

import base64
import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from modelserver.app import PATHS, create_app
from modelserver.deployment.command_line import ours, variable
from modelserver.deployment.commands import run
from modelserver.deployment.packages.own_lines import own_faults
from modelserver.deployment.publishing import ADDRESS, shown
from modelserver.hosting.settings import read_settings
from modelserver.loading.attempt import public_uri
from tests.support.canaries import MARK, canary, leaks
from tests.support.processes import (
    QuietHandler,
    free_port,
    handled_by,
    running,
    status,
    wait_for,
)

pytestmark = [pytest.mark.repeats, pytest.mark.usefixtures("mlflow_as_before")]

API_KEY = f"{MARK}-of-the-server-itself"

SECRETS = {
    name: canary(name.lower())
    for name in (
        "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AZURE_CLIENT_SECRET", "MYSQL_PWD",
        "CONNECT_API_KEY", "OPENAI_API_KEY", "GH_PAT", "OUR_CREDENTIALS", "SESSION_COOKIE",
    )
}  # fmt: skip
CONFIG = {"SERVING_MODEL_CONFIG": json.dumps({"db": {"password": canary("config")}, "scale": 1})}
AROUND = {**SECRETS, **CONFIG, "API_KEY": API_KEY, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}

TOKEN = {"MLFLOW_TRACKING_TOKEN": canary("token")}
BASIC = {"MLFLOW_TRACKING_USERNAME": "me", "MLFLOW_TRACKING_PASSWORD": canary("password")}
SHORT = {"MLFLOW_TRACKING_USERNAME": "me", "MLFLOW_TRACKING_PASSWORD": MARK}
IN_URL = f"me:{quote(canary('url'), safe='')}@"
QUERY = f"?sig={quote(canary('query'), safe='')}"


class Echo(QuietHandler):
    """Answers with all that it was sent, as a text or as an error of MLflow."""

    def do_GET(self) -> None:
        _, status, form, *_ = self.path.split("/")
        text = f"refused {self.path} {dict(self.headers)}"
        if form == "json":
            text = json.dumps({"error_code": "INTERNAL_ERROR", "message": text})
        self.send_response(int(status))
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    do_POST = do_GET


@pytest.fixture(scope="module")
def echo() -> Iterator[str]:
    """The host and port of a server that answers with all that it was sent."""
    with handled_by(Echo) as address:
        yield address


def told(environment: Mapping[str, str]) -> Iterator[str]:
    """All that the app says in its final state, to people and to programs."""
    headers = {"Authorization": f"Key {API_KEY}"}
    with TestClient(create_app(read_settings(environment)), headers=headers) as client:
        client.get("/")
        wait_for(lambda: client.get("/health").json()["state"] != "loading")
        for path in (*PATHS, "/nowhere"):
            answer = client.get(path)
            yield f"{answer.headers} {answer.text}"
        yield client.get("/", headers={"Accept": "application/json"}).text
        for body in ('{"inputs": ["x"]}', "{"):
            answer = client.post("/invocations", content=body)
            yield f"{answer.headers} {answer.text}"


def set_all(monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str]) -> None:
    """MLflow reads the environment itself."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("login", "answered"),
    [
        (TOKEN, "400/text"),
        (TOKEN, "400/json"),
        (BASIC, "400/text"),
        (BASIC, "400/json"),
        (BASIC, "403/json"),
        (BASIC, "500/json"),
        (SHORT, "400/text"),
        (SHORT, "400/json"),
    ],
)
def test_a_tracking_server_that_tells_what_it_was_sent(
    login: dict[str, str],
    answered: str,
    echo: str,
    log: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    environment = {
        **AROUND, **login, "MODEL_URI": "models:/m/1", "LOG_LEVEL": "debug",
        "MLFLOW_TRACKING_URI": f"http://{echo}/{answered}",
    }  # fmt: skip
    set_all(monkeypatch, environment)
    said = [*told(environment), log.getvalue()]
    assert "could not be loaded" in "".join(said)
    assert [leak for text in said for leak in leaks(text)] == []


@pytest.mark.parametrize(
    "named",
    [
        {"MLFLOW_TRACKING_URI": f"http://{IN_URL}{{echo}}/400/json"},
        {"MLFLOW_TRACKING_URI": f"http://{IN_URL}{{echo}}/400/text"},
        {"MLFLOW_TRACKING_URI": f"http://me:{MARK}@{{echo}}/400/text"},
        {"MLFLOW_TRACKING_URI": f"http://{{echo}}/400/json/{QUERY}"},
        {"MLFLOW_TRACKING_URI": f"http://{IN_URL}127.0.0.1:{{closed}}/{QUERY}"},
        {"MLFLOW_TRACKING_URI": f"http:/{IN_URL}{{echo}}/"},
        {"MLFLOW_TRACKING_URI": f"http://me:a/{MARK}@{{echo}}/"},
        {"MLFLOW_TRACKING_URI": f"{IN_URL}{{echo}}/"},
        {"MLFLOW_TRACKING_URI": f"htp://me:{MARK}@{{echo}}/"},
        {"MODEL_URI": f"http://{IN_URL}{{echo}}/404/text/m{QUERY}"},
        {"MODEL_URI": f"http://{IN_URL}127.0.0.1:{{closed}}/m{QUERY}"},
        {"MODEL_URI": f"http:/{IN_URL}{{echo}}/m"},
        {"CONNECT_SERVER": "http://{echo}/400/json/", "RSTUDIO_PRODUCT": "CONNECT"},
    ],
)
def test_logins_in_urls(
    named: dict[str, str], echo: str, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = free_port()
    given = {name: text.format(echo=echo, closed=closed) for name, text in named.items()}
    environment = {**AROUND, "MODEL_URI": "models:/m/1", "LOG_LEVEL": "debug", **given}
    set_all(monkeypatch, environment)
    said = [*told(environment), log.getvalue()]
    assert "could not be loaded" in "".join(said)
    assert [leak for text in said for leak in leaks(text)] == []


LEAKY = """
import base64, html, json, logging, os, threading, warnings
from urllib.parse import quote

import mlflow.utils.logging_utils
from mlflow.exceptions import MlflowException


def said():
    secret = os.environ["AWS_SECRET_ACCESS_KEY"]
    basic = base64.b64encode(f"me:{secret}".encode()).decode()
    spelt = [secret, quote(secret), json.dumps(secret), repr(secret), html.escape(secret), basic]
    return " | ".join([*spelt, f"https://me:{quote(secret, safe='')}@host/?sig={quote(secret)}"])


KINDS = {
    "value": ValueError,
    "key": KeyError,
    "exit": SystemExit,
    "attribute": AttributeError,
    "mlflow": MlflowException,
    "module": lambda text: ModuleNotFoundError(text, name=text),
    "file": lambda text: FileNotFoundError(2, text, text),
}


class Model:
    def predict(self, table, params=None):
        raise KINDS[table.iloc[0, 0]](said())


def shout():
    print("printed", said())
    logging.getLogger("somebody").warning("logged %s", said())
    mlflow.utils.logging_utils.eprint("printed by MLflow", said())
    warnings.warn("warned " + said())
    threading.Thread(target=lambda: [][said()]).start()


def _load_pyfunc(path):
    how = os.environ.get("RAISED_AT_LOAD")
    if how == "nothing":
        shout()
    elif how:
        raise KINDS[how](said())
    return Model()
"""

KINDS = ("value", "key", "exit", "attribute", "mlflow", "module", "file")


@pytest.fixture(scope="module")
def leaky(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a model that knows a secret of the server, and tells it."""
    folder = tmp_path_factory.mktemp("leaky")
    flavor = "{loader_module: leaky, code: code, python_version: 3.10.1}"
    (folder / "MLmodel").write_text(f"flavors: {{python_function: {flavor}}}")
    (folder / "code").mkdir()
    (folder / "code" / "leaky.py").write_text(LEAKY)
    return str(folder)


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_that_tells_a_secret_when_it_is_loaded(
    kind: str, leaky: str, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_all(monkeypatch, AROUND | {"RAISED_AT_LOAD": kind})
    said = [*told(AROUND | {"MODEL_URI": leaky}), log.getvalue()]
    assert "Traceback" in log.getvalue()
    assert [leak for text in said for leak in leaks(text)] == []


@pytest.mark.parametrize("shown", ["type", "message"])
def test_a_model_that_tells_a_secret_when_it_predicts(
    shown: str, leaky: str, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_all(monkeypatch, AROUND)
    settings = read_settings({**AROUND, "MODEL_URI": leaky, "MODEL_ERRORS": shown})
    headers = {"Authorization": f"Key {API_KEY}"}
    with TestClient(create_app(settings), headers=headers) as client:
        body = {"dataframe_split": {"columns": ["kind"], "data": [["value"]]}}
        for kind in KINDS:
            body["dataframe_split"]["data"] = [[kind]]
            answer = client.post("/invocations", json=body)
            assert answer.status_code >= 400
            assert leaks(answer.text) == []
    assert log.getvalue().count("Traceback") >= len(KINDS)
    assert leaks(log.getvalue()) == []


@pytest.mark.processes
def test_what_others_write_to_the_log(leaky: str, tmp_path: Path) -> None:
    environment = {**AROUND, "MODEL_URI": leaky, "RAISED_AT_LOAD": "nothing"}
    port = free_port()
    command = [sys.executable, "main.py"]
    environment["PORT"] = str(port)
    with running(command, environment, tmp_path / "log", port) as server:
        wait_for(lambda: status(f"{server.url}/ping") == 200, server)
    said = server.output()
    for word in ("printed …", "logged …", "printed by MLflow …", "warned …", "TypeError"):
        assert word in said
    assert leaks(said) == []


SENT = {
    "Authorization": f"Bearer {canary('sent')}",
    "Cookie": f"session={MARK}",
    "X-Api-Key": canary("sent"),
    "Proxy-Authorization": f"Basic {base64.b64encode(canary('sent').encode()).decode()}",
    "Referer": f"https://host/?token={MARK}",
}
CELL = canary("cell")


@pytest.mark.parametrize(
    ("model", "method", "path", "request_", "expected"),
    [
        ("two_longs", "POST", "/invocations", {"json": {"inputs": {"a": [CELL], "b": [1]}}}, 400),
        ("two_longs", "POST", "/invocations", {"content": f"[{CELL}"}, 400),
        ("two_longs", "POST", "/invocations", {"json": {"dataframe_records": [{"a": CELL}]}}, 400),
        ("two_longs", "GET", f"/nowhere?key={MARK}", {}, 404),
        ("two_longs", "DELETE", f"/ping?key={MARK}", {}, 405),
        ("two_longs", "POST", "/invocations", {"content": CELL, "headers": {"Content-Type": CELL}},
         415),
        ("two_longs", "POST", "/invocations",
         {"content": CELL, "headers": {"Content-Encoding": CELL}}, 415),
        ("two_longs", "GET", "/ping", {"headers": {"X": CELL * 4000}}, 431),
        ("two_longs", "GET", "/ping", {"headers": {"Host": CELL}}, 400),
        ("delicate", "POST", "/invocations",
         {"json": {"dataframe_records": [{"a": 1, "b": 1, "how": f"down {CELL}"}]}}, 200),
    ],
)  # fmt: skip
def test_what_a_caller_sends_is_not_repeated(
    model: str,
    method: str,
    path: str,
    request_: dict[str, Any],
    expected: int,
    client: Callable[..., TestClient],
    log: io.StringIO,
) -> None:
    headers = {**SENT, **request_.pop("headers", {})}
    raw = {name: text.encode() for name, text in headers.items()}
    answer = client(model).request(method, path, headers=raw, **request_)
    assert answer.status_code == expected
    assert leaks(f"{answer.headers} {answer.text}") == []
    assert f" {expected} " in log.getvalue()
    assert leaks(log.getvalue()) == []


@pytest.mark.parametrize(
    "uri",
    [
        f"https://me:{MARK}@host/m",
        f"https://me:a/{MARK}@host/m",
        f"https://me:a@{MARK}@host/m",
        f"https:/me:{MARK}@host/m",
        f"https:me:{MARK}@host/m",
        f"me:{MARK}@host/m",
        f"{MARK}@host:5000/m",
        f"//me:{MARK}@host/m",
        f"https://me:{MARK}@[::1/m",
        f"https://me:a#{MARK}@host/m",
        f"https://host/m?sig={MARK}",
        f"https://host/m#{MARK}",
        f"https://host/m;token={MARK}",
        f"wasbs://box:{MARK}@me.net/m",
        f"models:/m/1?token={MARK}",
    ],
)
def test_uris_as_they_are_shown(uri: str) -> None:
    assert leaks(public_uri(uri)) == []
    assert leaks(variable("MODEL_URI", uri) + ours("check", uri)) == []
    if ADDRESS.search(uri):
        assert leaks(str(shown(("--server", uri)))) == []


@pytest.mark.parametrize(
    ("command", "named"),
    [
        (command, named)
        for command in ("check", "update", "install", "download", "deploy --dry-run")
        for named in (
            {**BASIC, "MLFLOW_TRACKING_URI": "http://{echo}/400/json"},
            {
                "MODEL_URI": f"http:/{IN_URL}{{echo}}/m{QUERY}",
                "MLFLOW_TRACKING_URI": "http://{echo}/404/json",
            },
            {"SERVING_MODEL_CONFIG": f"{{{{{MARK}"},
        )
    ],
)
def test_commands(
    command: str,
    named: dict[str, str],
    echo: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    given = {name: text.format(echo=echo) for name, text in named.items()}
    environment = {**AROUND, "MODEL_URI": "models:/m/1", **given}
    set_all(monkeypatch, environment)
    monkeypatch.chdir(tmp_path)
    run(command.split(), environment)
    said = "".join(capfd.readouterr())
    assert said
    assert leaks(said) == []


def test_logins_in_requirements(
    light_folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    lines = [
        f"--extra-index-url https://me:{MARK}@pypi.example.com/simple",
        f"own @ git+https://me:a/{MARK}@example.com/own",
        f"git+https:/me:{MARK}@example.com/own",
        "pandas",
    ]
    file = tmp_path / "requirements.txt"
    file.write_text("\n".join(lines))
    assert leaks(repr(own_faults(file.read_text()))) == []
    run(["update", str(file), "--dry-run", str(light_folder)], {})
    assert leaks("".join(capfd.readouterr())) == []
