"""The paths of the Open Inference Protocol: who is there, which model, and its errors."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import mlflow
import pytest
from starlette.testclient import TestClient

from modelserver.app import MLFLOW_VERSION, create_app
from modelserver.describing.description import base_description
from modelserver.hosting.settings import read_settings
from modelserver.protocols.open_inference.openapi import complete
from tests.protocols.open_inference import infer, tensor
from tests.support.processes import wait_for
from tests.support.zoo import SlowModel

Open = Callable[..., TestClient]

NAME = "wine & cheese, №1 (50 %)"


@pytest.fixture
def registered(store: str, model_path: Callable[[str], Path]) -> Iterator[TestClient]:
    """The client of a registered model of two versions, whose name needs quotes in a URL."""
    mlflow.set_tracking_uri(store)
    for _ in range(2):
        mlflow.register_model(model_path("one_long").as_uri(), NAME)
    uri = f"models:/{NAME.replace(':', '')}/2"
    with TestClient(
        create_app(read_settings({"MODEL_URI": uri, "MLFLOW_TRACKING_URI": store}))
    ) as opened:
        opened.get("/metadata")
        yield opened


def test_a_registered_model(registered: TestClient) -> None:
    path = f"/v2/models/{quote(NAME, safe='')}"
    metadata = registered.get(path).json()
    assert (metadata["name"], metadata["versions"]) == (NAME, ["2"])
    assert registered.get(f"{path}/versions/2").json() == metadata
    assert registered.get(f"{path}/versions/2/ready").json() == {"name": NAME, "ready": True}
    answered = registered.post(
        f"{path}/versions/2/infer", json={"inputs": [tensor("n", "INT64", [1])]}
    )
    assert answered.json()["model_version"] == answered.headers["x-model-version"] == "2"
    assert answered.headers["server-timing"].startswith("read;dur=")
    for wrong in ("", "/ready"):
        refused = registered.get(f"{path}/versions/1{wrong}")
        assert (refused.status_code, refused.json()["error"]) == (
            404, f"the model {NAME!r} has no version '1'; its version is '2'"
        )  # fmt: skip


def test_the_document_names_a_registered_model(registered: TestClient) -> None:
    document = registered.get("/openapi.json").json()
    paths = [path for path in document["paths"] if path.startswith("/v2/models")]
    assert len(paths) == 6
    _, version = document["paths"]["/v2/models/{name}/versions/{version}/infer"]["parameters"]
    assert version["schema"]["enum"] == ["2"]
    assert document["components"]["parameters"]["ModelName"]["schema"]["enum"] == [NAME]


def test_a_model_without_a_registry(client: Open) -> None:
    opened = client("wine")
    assert opened.get("/metadata").json()["title"] == "wine"
    metadata = opened.get("/v2/models/wine/").json()
    assert "versions" not in metadata
    assert metadata["platform"] == "mlflow_sklearn"
    assert metadata["inputs"][:1] == [{"name": "alcohol", "datatype": "FP64", "shape": [-1]}]
    assert metadata["inputs"][5] == {
        "name": "color", "datatype": "BYTES", "shape": [-1], "parameters": {"content_type": "str"}
    }  # fmt: skip
    refused = opened.get("/v2/models/wine/versions/1/ready")
    assert refused.json()["error"] == "the model 'wine' has no version '1'; it has no versions"
    paths = opened.get("/openapi.json").json()["paths"]
    assert not [path for path in paths if "{version}" in path]


def test_metadata_of_tensors(client: Open) -> None:
    assert client("tensors").get("/v2/models/tensors").json()["inputs"] == [
        {"name": "x", "datatype": "FP32", "shape": [-1, 2]},
        {"name": "n", "datatype": "INT64", "shape": [-1]},
    ]
    assert client("tensor_text").get("/v2/models/tensor_text").json()["inputs"] == [
        {"name": "input-0", "datatype": "BYTES", "shape": [-1]}
    ]
    nothing = client("no_signature").get("/v2/models/no_signature").json()
    assert (nothing["inputs"], nothing["outputs"]) == ([], [])


@pytest.mark.parametrize("path", ["", "/ready", "/infer", "/versions/1/infer"])
def test_another_model(path: str, client: Open) -> None:
    method = "POST" if path.endswith("infer") else "GET"
    refused = client("wine").request(method, f"/v2/models/win{path}", json={})
    assert refused.status_code == 404
    assert refused.json()["error"] == "there is no model 'win'; the name of the model is 'wine'"


READY = ["/v2/health/ready", "/v2/models/slow/ready"]


def test_while_the_model_is_loading(slow_model: SlowModel) -> None:
    with TestClient(create_app(read_settings({"MODEL_URI": str(slow_model.path)}))) as opened:
        assert opened.get("/v2/health/live").json() == {"live": True}
        assert opened.get("/v2").json() == {
            "name": "modelserver", "version": MLFLOW_VERSION, "extensions": []
        }  # fmt: skip
        for path in READY:
            waiting = opened.get(path)
            assert waiting.status_code == 503
            assert waiting.headers["retry-after"]
            assert waiting.json()["error"].startswith("the model is still loading")
        slow_model.go()
        wait_for(lambda: opened.get("/ping").status_code == 200)
        assert opened.get(READY[0]).json() == {"ready": True}
        assert opened.get(READY[1]).json() == {"name": "slow", "ready": True}


def test_errors_have_the_message_where_clients_look(model_path: Callable[[str], Path]) -> None:
    settings = {"MODEL_URI": str(model_path("one_long")), "API_KEY": "k" * 16}
    secured = TestClient(create_app(read_settings(settings)))
    headers = {"Authorization": f"Key {'k' * 16}"}
    answers = [
        secured.get("/v2"),
        secured.get("/v2/nowhere", headers=headers),
        secured.get("/v2/models/one_long/infer", headers=headers),
        secured.post("/v2/models/one_long/infer", headers=headers, content=b"["),
    ]
    assert [answered.status_code for answered in answers] == [401, 404, 405, 400]
    for body in (answered.json() for answered in answers):
        assert body["error"] == body["message"]
    assert "error" not in secured.get("/nowhere").json()


def test_a_prefix_before_the_paths(client: Open) -> None:
    opened = TestClient(client("one_long").app, root_path="/content/7")
    assert "error" in opened.get("/content/7/v2/nowhere").json()


def test_the_example_of_the_document(client: Open) -> None:
    paths = client("wine").get("/openapi.json").json()["paths"]
    content = paths["/v2/models/{name}/infer"]["post"]["requestBody"]["content"]
    sent = content["application/json"]["examples"]["inputs"]["value"]
    answered = infer(client("wine"), *sent["inputs"])
    assert answered.json()["outputs"][0]["data"] == ["cultivar 1", "cultivar 1"]


def test_a_document_may_lack_the_paths(client: Open) -> None:
    model = client("no_signature").app.state.service.lifecycle.model  # type: ignore[attr-defined]
    document: dict[str, Any] = {"paths": {}, "components": {}}
    complete(document, model, None)
    assert document == {"paths": {}, "components": {}}


def test_what_is_no_tensor_is_no_example(client: Open) -> None:
    model = client("no_signature").app.state.service.lifecycle.model  # type: ignore[attr-defined]
    document = base_description().document
    complete(document, model, {"inputs": 5})
    content = document["paths"]["/v2/models/{name}/infer"]["post"]["requestBody"]["content"]
    assert "examples" not in content["application/json"]
    complete(document, model, {"inputs": [5]})
    assert content["application/json"]["examples"]["inputs"]["value"] == {
        "parameters": {"content_type": "np"},
        "inputs": [{"name": "input-0", "shape": [1], "datatype": "INT64", "data": [5]}],
    }


SMALL = {"inputs": [tensor("input-0", "INT64", [5])]}


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/json; charset=utf-8"},
        {"Content-Type": "application/octet-stream"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "text/plain"},
        {},
        {"Accept": "application/json"},
        {"Accept": "text/csv, */*;q=0.1"},
    ],
    ids=str,
)
def test_requests_are_json(headers: dict[str, str], client: Open) -> None:
    path = "/v2/models/no_signature/infer?format=json"
    for asked in (path, path.partition("?")[0]):
        content = json.dumps(SMALL).encode()
        answer = client("no_signature").post(asked, content=content, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")


@pytest.mark.parametrize(
    ("query", "headers", "status", "message"),
    [
        ("", {"Content-Type": "text/csv"}, 415, "the content type must be application/json"),
        ("", {"Content-Type": "application/x-ndjson"}, 415, "the content type must be"),
        ("?format=csv", {}, 406, "an answer is always application/json at this path"),
        ("?format=parquet", {"Accept": "*/*"}, 406, "an answer is always application/json"),
        ("", {"Accept": "text/csv"}, 406, "an answer is always application/json"),
    ],
)
def test_other_formats_are_refused(
    query: str, headers: dict[str, str], status: int, message: str, client: Open
) -> None:
    path = f"/v2/models/no_signature/infer{query}"
    answer = client("no_signature").post(path, content=json.dumps(SMALL), headers=headers)
    assert answer.status_code == status
    assert message in answer.json()["error"]


def test_the_query_string_is_that_of_invocations(client: Open) -> None:
    table = {"alcohol": 13.2, "malic_acid": 1.8, "flavanoids": 2.6}
    inputs = [
        *(tensor(name, "FP64", [cell]) for name, cell in table.items()),
        tensor("magnesium", "INT64", [100]),
        tensor("proline", "INT64", [1050]),
        tensor("color", "BYTES", ["medium"]),
        tensor("alkaline_ash", "BOOL", [False]),
        tensor("id", "BYTES", ["x7"]),
    ]
    path = "/v2/models/wine/infer?include=id&method=predict_proba"
    outputs = client("wine").post(path, json={"inputs": inputs}).json()["outputs"]
    assert [output["name"] for output in outputs] == [
        "id", "cultivar 1", "cultivar 2", "cultivar 3"
    ]  # fmt: skip
    assert outputs[0]["data"] == ["x7"]
    assert [output["datatype"] for output in outputs[1:]] == ["FP64"] * 3
