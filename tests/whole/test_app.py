"""Endpoints, errors, ids and limits of the HTTP side, around real models."""

import asyncio
import gzip
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import mlflow
import pytest
from starlette.testclient import TestClient

from modelserver.app import PATHS, create_app, unrouted
from modelserver.errors import ShuttingDown
from modelserver.hosting.authentication import KeyCheck
from modelserver.hosting.settings import read_settings
from modelserver.middleware import RequestTrace
from tests.support.processes import ROOT, wait_for
from tests.support.zoo import SECONDS, Echo, save_pyfunc

Open = Callable[..., TestClient]


def split(*cells: Any) -> dict[str, Any]:
    return {"dataframe_split": {"columns": ["how"], "data": [[cell] for cell in cells]}}


def seconds(count: float) -> dict[str, Any]:
    return {"dataframe_split": {"columns": ["seconds"], "data": [[count]]}}


def test_ping_and_version_answer_as_mlflows_server(client: Open, mlflow_client: Open) -> None:
    ours, theirs = client("wine"), mlflow_client("wine")
    for path in ("/ping", "/version"):
        ping, oracle = ours.get(path), theirs.get(path)
        assert (ping.status_code, ping.content) == (oracle.status_code, oracle.content)
        assert ping.headers["content-type"] == oracle.headers["content-type"]


@pytest.mark.processes
def test_the_version_is_that_of_the_package_that_is_imported(tmp_path: Path) -> None:
    """mlflow and mlflow-skinny may be installed in two versions: the later hides the other."""
    package = tmp_path / "mlflow"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "version.py").write_text('VERSION = "9.9.dev0"')
    program = "from modelserver.app import MLFLOW_VERSION; print(MLFLOW_VERSION)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, env=environment)
    assert ran.stdout.decode().strip() == "9.9.dev0", ran.stderr


def test_a_content_length_that_is_no_number(client: Open) -> None:
    """A web server refuses it. Where one hands it on, it is not our fault either."""

    async def ask() -> int:
        transport = httpx.ASGITransport(client("wine").app)
        headers = [(b"content-length", b"\xb2"), (b"content-type", b"application/json")]
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as asking:
            return (await asking.post("/invocations", content=b"{}", headers=headers)).status_code

    assert asyncio.run(ask()) == 400


@pytest.mark.parametrize("path", ["/", "/ping", "/health", "/version", "/metadata"])
def test_head_on_each_get(path: str, client: Open) -> None:
    answer = client("wine").head(path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == client("wine").get(path).headers["content-length"]


@pytest.mark.parametrize("path", ["/ping", "/health", "/version", "/metadata"])
def test_trailing_slashes_need_no_redirect(path: str, client: Open) -> None:
    plain, slashed = (
        client("wine").get(f"{path}{end}", follow_redirects=False) for end in ("", "/")
    )
    assert (slashed.status_code, len(slashed.content)) == (200, len(plain.content))


def test_health(client: Open) -> None:
    health = client("wine").get("/health").json()
    assert (health["state"], health["warnings"]) == ("ready", [])
    assert health["flavor"] == "sklearn"
    assert health["model_uri"] == "file:…/wine"
    assert health["mlflow_version"] == health["model_mlflow_version"] == mlflow.__version__
    assert health["load_seconds"] > 0
    assert health["uptime_seconds"] > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", health["loaded_at"])


def test_metadata(client: Open) -> None:
    metadata = client("with_params").get("/metadata").json()
    assert metadata["signature"]["inputs"] == [{"type": "double", "name": "a", "required": True}]
    assert metadata["signature"]["params"][0]["name"] == "flag"
    assert metadata["has_example"] is False


def test_metadata_without_a_signature(client: Open) -> None:
    assert client("no_signature").get("/metadata").json()["signature"] == {}


def test_unknown_path(client: Open) -> None:
    answer = client("wine").get("/nowhere")
    assert answer.status_code == 404
    assert answer.json() == {
        "error_code": "ENDPOINT_NOT_FOUND",
        "message": f"there is no such path; there are: {', '.join(PATHS)}",
        "details": [],
        "request_id": answer.headers["x-request-id"],
    }
    assert {"/", "/invocations", "/docs", "/v2/models/{name}", "/v2/models/{name}/infer"} < {*PATHS}
    assert not any("assets" in path or "{version}" in path for path in PATHS)


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/invocation", "/invocations"),
        ("/invoke", "/invocations"),
        ("/Invocations/", "/invocations"),
        ("/api/invocations", "/invocations"),
    ],
)
@pytest.mark.parametrize("root", ["", "/content/1"])
def test_a_path_that_was_probably_meant(root: str, path: str, meant: str, client: Open) -> None:
    asked = TestClient(client("wine").app, root_path=root)
    assert asked.post(f"{root}{path}").json()["message"] == (
        f"there is no such path; did you mean '{meant}'?"
    )


PREDICTIONS = "predictions are at /invocations, /predict, /v2/models/{name}/infer"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/predictions", f"did you mean '/predict'? {PREDICTIONS}"),
        ("/api/predict", f"did you mean '/predict'? {PREDICTIONS}"),
        ("/v2/models/wine/predict", f"did you mean '/v2/models/{{name}}/infer'? {PREDICTIONS}"),
        ("/score", PREDICTIONS),
    ],
)
def test_a_path_for_predictions_that_does_not_exist(path: str, said: str, client: Open) -> None:
    answer = client("wine").post(path)
    assert answer.status_code == 404
    assert answer.json()["message"] == f"there is no such path; {said}"


@pytest.mark.parametrize("path", ["/", "/docs", "/metadata"])
def test_a_prediction_at_a_path_to_read(path: str, client: Open) -> None:
    answer = client("wine").post(path, json=[])
    assert (answer.status_code, {*answer.headers["allow"].split(", ")}) == (405, {"GET", "HEAD"})
    assert answer.json()["message"] == f"this path takes GET, HEAD, not POST; {PREDICTIONS}"


def test_wrong_method(client: Open) -> None:
    answer = client("wine").get("/invocations")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert answer.json()["error_code"] == "BAD_REQUEST"
    assert answer.json()["message"] == "this path takes POST, not GET"


def test_a_file_that_curl_would_put(client: Open) -> None:
    """`curl -T file` sends a PUT."""
    answer = client("wine").put("/invocations", content=b"[]")
    assert answer.status_code == 405
    assert answer.json()["message"] == "this path takes POST, not PUT; with curl -T, add -X POST"


def test_a_list_may_be_sent_in_several_headers(client: Open) -> None:
    body = gzip.compress(b'{"dataframe_records": [{"text": "a"}]}')
    headers = [
        ("Content-Type", "application/json"),
        ("Accept", "text/csv;q=0.1"),
        ("Accept", "application/json"),
        ("Content-Encoding", "identity"),
        ("Content-Encoding", "gzip"),
    ]
    answer = client("one_string").post("/invocations", content=body, headers=headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")


def test_request_ids_are_taken_made_and_not_trusted(client: Open) -> None:
    given = ["abc-123", "", "x" * 129, "new\tline", "1 GET /ping 200"]
    answers = [client("wine").get("/ping", headers={"X-Request-ID": text}) for text in given]
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert ids[0] == "abc-123"
    assert all(re.fullmatch("[0-9a-f]{32}", made) for made in ids[1:])


@pytest.mark.parametrize(
    ("how", "status", "code", "message"),
    [
        ("value", 500, "INTERNAL_ERROR", "the model raised ValueError"),
        ("exit", 500, "INTERNAL_ERROR", "the model raised SystemExit"),
        ("memory", 500, "INTERNAL_ERROR", "the model raised MemoryError"),
        ("busy", 429, "RESOURCE_EXHAUSTED", "come back later"),
        ("internal", 500, "INTERNAL_ERROR", "no code given"),
    ],
)
def test_models_that_raise(how: str, status: int, code: str, message: str, client: Open) -> None:
    answer = client("raises").post("/invocations", json=split(how))
    assert answer.status_code == status
    assert answer.json()["error_code"] == code
    assert answer.json()["message"].startswith(message)
    assert "4711" not in answer.text
    assert client("raises").post("/invocations", json=split("not")).status_code == 200


def test_the_traceback_goes_to_the_log_under_the_request_id(
    client: Open, caplog: pytest.LogCaptureFixture, propagated_logs: None
) -> None:
    client("raises").post("/invocations", json=split("value"), headers={"X-Request-ID": "id-7"})
    (record,) = [r for r in caplog.records if r.levelname == "ERROR"]
    assert record.getMessage().startswith("id-7 failed: the model raised ValueError")
    assert "ValueError: secret 4711 in the data" in record.getMessage()
    assert record.getMessage().count("Traceback") == 1


def test_a_timeout_is_504(client: Open) -> None:
    slow = client("sleeps", REQUEST_TIMEOUT="0.5", PREDICT_WORKERS="2")
    answer = slow.post("/invocations", json=seconds(1))
    assert answer.status_code == 504
    assert answer.json()["error_code"] == "DEADLINE_EXCEEDED"
    assert slow.post("/invocations", json=seconds(0)).status_code == 200


def test_ping_answers_while_the_model_works_and_the_queue_is_bounded(tmp_path: Path) -> None:
    path = save_pyfunc(tmp_path / "model", Waits(), signature=SECONDS)
    settings = {"MODEL_URI": str(path), "PREDICT_WORKERS": "1", "MAX_QUEUE": "1"}
    with TestClient(create_app(read_settings(settings))) as slow, ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(slow.post, "/invocations", json=seconds(-1)) for _ in range(4)]
        wait_for(lambda: sum(one.done() for one in asked) == 2)
        refused = [one.result().status_code for one in asked if one.done()]
        assert slow.get("/ping").status_code == 200
        GO.set()
        answers = [one.result().status_code for one in asked]
    assert (refused, sorted(answers)) == ([503, 503], [200, 200, 503, 503])


GO = threading.Event()


class Waits(Echo):
    """Does not predict a negative number before it is told to."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        return model_input.iloc[0, 0] >= 0 or GO.wait(90)


def test_model_config_reaches_the_model(tmp_path: Path) -> None:
    path = save_pyfunc(
        tmp_path / "model", Configured(), signature=SECONDS, model_config={"scale": 1}
    )
    settings = read_settings({"MODEL_URI": str(path), "SERVING_MODEL_CONFIG": '{"scale": 3}'})
    with TestClient(create_app(settings)) as configured:
        assert configured.post("/invocations", json=seconds(1)).json() == {"predictions": 3}


class Configured(Echo):
    """Answers with a value of its model_config."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        return context.model_config["scale"]


def test_our_own_failures_are_json_too(
    client: Open, caplog: pytest.LogCaptureFixture, propagated_logs: None
) -> None:
    broken = create_app(read_settings({}))
    broken.state.service = None  # our own mistake, which no request can make
    answer = TestClient(broken, raise_server_exceptions=False).get("/ping")
    assert answer.status_code == 500
    assert answer.json()["message"] == "the server failed; its log has more"
    assert "AttributeError" in caplog.text


def test_a_failure_after_the_response_began_is_logged_only(
    caplog: pytest.LogCaptureFixture, propagated_logs: None
) -> None:
    sent: list[Any] = []

    async def half(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise KeyError("late")

    async def send(message: Any) -> None:
        sent.append(message["type"])

    scope = {"type": "http", "headers": [], "method": "GET", "path": "/"}
    trace = RequestTrace(half, KeyCheck(None), unrouted)
    asyncio.run(trace(scope, None, send))  # type: ignore[arg-type]
    assert sent == ["http.response.start"]
    assert "KeyError: 'late'" in caplog.text


def test_websockets_are_refused(client: Open) -> None:
    from starlette.websockets import WebSocketDisconnect

    with pytest.raises(WebSocketDisconnect), client("wine").websocket_connect("/invocations"):
        pass


def test_log_lines_cannot_be_forged(
    client: Open, caplog: pytest.LogCaptureFixture, propagated_logs: None
) -> None:
    client("wine").get("/x%0aINFO forged")
    assert "\nINFO forged" not in caplog.text
    assert "%0AINFO%20forged" in caplog.text


def test_quiet_when_told_so(model_path: Callable[[str], Path], client: Open) -> None:
    quiet = TestClient(create_app(read_settings({"LOG_LEVEL": "error"})))
    try:
        assert quiet.get("/ping").status_code == 503
    finally:
        create_app(read_settings({}))  # the level is the process's: back to the default


@pytest.fixture
def propagated_logs(caplog: pytest.LogCaptureFixture) -> None:
    """caplog listens at the root logger."""
    caplog.set_level("INFO", logger="modelserver")


@pytest.mark.parametrize(
    ("headers", "version", "status"),
    [
        ([(b"host", b"a")], "1.1", 200),
        ([(b"host", b"[::1]:8000")], "1.1", 200),
        ([(b"host", b"")], "1.1", 200),
        ([], "1.0", 200),
        ([], "2", 200),
        ([], "1.1", 400),
        ([(b"host", b"a"), (b"host", b"a")], "1.1", 400),
        ([(b"host", b"a/b")], "1.1", 400),
        ([(b"host", b"a b")], "1.0", 400),
        ([(b"host", b"a"), (b"x", b"a" * 65_000)], "1.1", 200),
        ([(b"host", b"a"), (b"x", b"a" * 65_536)], "1.1", 431),
        ([(b"host", b"a"), *[(b"x", b"a")] * 12_000], "1.1", 431),
    ],
)
def test_headers(
    headers: list[tuple[bytes, bytes]], version: str, status: int, client: Open
) -> None:
    answer = bare(client("wine").app, headers=headers, http_version=version)
    assert answer[0] == status
    assert (b"error_code" in answer[1]) == (status != 200)


@pytest.mark.parametrize("part", ["query_string", "raw_path"])
def test_a_long_address_counts_as_headers(part: str, client: Open) -> None:
    long = {part: b"a" * 65_536}
    assert bare(client("wine").app, headers=[(b"host", b"a")], **long)[0] == 431


def bare(app: Any, **scope: Any) -> tuple[int, bytes]:
    """The status and body of the answer to `GET /version`, without a client that mends headers."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    whole = {"type": "http", "method": "GET", "path": "/version", "query_string": b"", **scope}
    asyncio.run(app(whole, None, send))
    return sent[0]["status"], sent[1]["body"]


def test_a_request_that_is_cancelled_at_the_end_is_answered(client: Open) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        await asyncio.sleep(60)

    async def cancel(app: Any) -> None:
        scope = {"type": "http", "method": "POST", "path": "/invocations", "query_string": b""}
        scope |= {"headers": [(b"host", b"a")], "http_version": "1.1"}
        request = asyncio.create_task(app(scope, receive, send))
        await asyncio.sleep(0.01)
        request.cancel()
        await request

    asyncio.run(cancel(client("wine").app))
    assert sent[0]["status"] == 503
    assert (b"connection", b"close") in sent[0]["headers"]
    assert json.loads(sent[1]["body"])["message"] == ShuttingDown().message
