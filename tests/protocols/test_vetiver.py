"""vetiver's clients at /predict: what they send reaches the model, and they can read the answer."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import requests
from mlflow.models import ModelSignature
from starlette.testclient import TestClient

from modelserver.app import create_app
from modelserver.hosting.settings import read_settings
from modelserver.protocols.table import PROTOCOLS, Protocol
from tests.support.needs import need_r_packages
from tests.support.processes import ROOT, status, wait_for
from tests.support.serving import serving
from tests.support.zoo import Echo, _columns, account_of, save_pyfunc

Open = Callable[..., TestClient]

SIGNATURE = ModelSignature(
    _columns(
        ("double", "x", False),
        ("long", "n", False),
        ("string", "s", False),
        ("boolean", "b", False),
    )
)

WINE = {
    "alcohol": 13.2,
    "malic_acid": 1.8,
    "flavanoids": 2.6,
    "magnesium": 100,
    "proline": 1050,
    "color": "medium",
    "alkaline_ash": False,
}

FRAME = pd.DataFrame(
    {"x": [0.1, np.nan], "n": [1.0, np.nan], "s": ["a", None], "b": [True, None]}
).astype({"b": object})


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = save_pyfunc(tmp_path_factory.mktemp("echo") / "model", Echo(), signature=SIGNATURE)
    with serving(create_app(read_settings({"MODEL_URI": str(path)}))) as base:
        wait_for(lambda: status(f"{base}/ping") == 200)
        yield f"{base}/predict"


def seen(sent: dict[str, Any]) -> Any:
    """What reached the model, in the answer to a request of vetiver's client for Python. The client
    makes a DataFrame of the answer."""
    response = requests.post(timeout=60, **sent)
    response.raise_for_status()
    return pd.DataFrame.from_dict(response.json())["predict"]["input"]


def test_python_sends_a_table(endpoint: str) -> None:
    body = FRAME.to_json(orient="records")
    assert seen({"url": endpoint, "data": body}) == account_of(FRAME)


@pytest.mark.parametrize(
    "rows", [[FRAME.iloc[0].to_dict()], [{"x": 0.1, "n": 1, "s": "a", "b": True}]]
)
def test_python_sends_a_row(rows: Any, endpoint: str) -> None:
    expected = FRAME.head(1).astype({"n": "int64", "b": bool})
    assert seen({"url": endpoint, "json": rows}) == account_of(expected)


def test_python_shows_a_message(endpoint: str) -> None:
    """The client shows the body of a 422, and only the status of other errors."""
    response = requests.post(endpoint, data='[{"x":"SECRET"}]', timeout=60)
    assert response.status_code == 422
    assert response.json()["message"] == (
        "row 0, column 'x': expected a number (64-bit float), found text"
    )


R_CLIENT = """
call <- function(table) {
  data_json <- jsonlite::toJSON(table, na = "string")
  ret <- httr::POST("URL", body = data_json)
  resp <- httr::content(ret, "text", encoding = "UTF-8")
  if (httr::status_code(ret) >= 300) stop(jsonlite::fromJSON(resp)$message)
  cat(resp)
}
"""
"""The calls by which vetiver for R predicts."""

R_FRAME = "data.frame(x = c(0.1, NA), n = c(1L, NA), s = factor(c('a', NA)), b = c(TRUE, NA))"


def run_r(endpoint: str, code: str) -> subprocess.CompletedProcess[str]:
    need_r_packages("httr", "jsonlite")
    command = ["Rscript", "-e", R_CLIENT.replace("URL", endpoint) + code]
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.mark.processes
def test_r_sends_a_table(endpoint: str) -> None:
    ran = run_r(endpoint, f"call({R_FRAME})")
    assert ran.returncode == 0, ran.stderr
    answered = json.loads(ran.stdout)["predict"]["input"]
    assert answered == account_of(FRAME.assign(s=["a", "NA"]))


@pytest.mark.processes
def test_r_shows_a_message(endpoint: str) -> None:
    ran = run_r(endpoint, "call(data.frame(z = 1))")
    assert "unknown columns: 'z'. The model takes: 'x', 'n', 's', 'b'" in ran.stderr


def test_the_very_request_of_r(endpoint: str) -> None:
    """httr names no media type of a text; curl then names that of a form."""
    body = '[{"x":0.1,"n":1,"s":"a","b":true},{"x":"NA","n":"NA","b":"NA"}]'
    headers = {
        "Accept": "application/json, text/xml, application/xml, */*",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    assert seen({"url": endpoint, "data": body, "headers": headers}) == account_of(FRAME)


def test_the_answer_is_that_of_invocations(client: Open) -> None:
    paths = client("wine").get("/openapi.json").json()["paths"]
    content = paths["/invocations"]["post"]["requestBody"]["content"]["application/json"]
    rows = content["examples"]["records"]["value"]["dataframe_records"]
    ours, theirs = (client("wine").post(path, json=rows) for path in ("/predict", "/invocations"))
    assert ours.json() == {"predict": theirs.json()["predictions"]}
    content = paths["/predict"]["post"]["requestBody"]["content"]["application/json"]
    assert content["schema"]["items"] == {"$ref": "#/components/schemas/Row"}


def test_errors_are_those_of_invocations(client: Open) -> None:
    asked = [
        client("wine").post(path, json=[{"alcohol": 1}]) for path in ("/predict", "/invocations")
    ]
    assert [answered.status_code for answered in asked] == [422, 400]
    ours, theirs = (answered.json() | {"request_id": ""} for answered in asked)
    assert ours == theirs


@pytest.mark.parametrize("query", ["methd=predict", "method=fit", "format=", "format=\xff"])
def test_a_wrong_query_has_the_status_that_the_client_shows(query: str, client: Open) -> None:
    """Most are found before the body is read."""
    paths = ("/predict", "/invocations")
    refused = [client("wine").post(f"{path}?{query}", content="[{}]") for path in paths]
    assert [answered.status_code for answered in refused] == [422, 400]


def test_what_is_not_wrapped_stays_as_it_is(client: Open) -> None:
    chat = {"messages": [{"role": "user", "content": "Hi"}]}
    asked = [client("chat").post(path, json=chat) for path in ("/predict", "/invocations")]
    ours, theirs = (answered.json() | {"id": "", "created": 0} for answered in asked)
    assert "predict" not in ours
    assert ours == theirs


def test_columns_of_the_request_stand_before_the_predictions(client: Open) -> None:
    answered = client("wine").post("/predict?include=id", json=[{**WINE, "id": 7}])
    assert answered.json() == {"predict": [{"id": 7, "prediction": "cultivar 1"}]}


def test_prototype(client: Open) -> None:
    shown = client("one_long").get("/prototype").json()
    assert (shown["title"], shown["type"], shown["required"]) == ("prototype", "object", ["n"])
    assert shown["properties"]["n"]["type"] == "integer"


@pytest.mark.parametrize("model", ["no_signature", "unnamed", "tensor"])
def test_models_without_named_columns_have_no_prototype(model: str, client: Open) -> None:
    answered = client(model).get("/prototype")
    assert (answered.status_code, answered.json()["message"]) == (
        404, "the model declares no columns with names, so it has no prototype"
    )  # fmt: skip
    paths = client(model).get("/openapi.json").json()["paths"]
    assert paths.keys().isdisjoint({"/predict", "/prototype"})


def test_before_there_is_a_model() -> None:
    with TestClient(create_app(read_settings({}))) as client:
        assert client.get("/prototype").status_code == 503
        assert client.post("/predict", json=[{"a": 1}]).status_code == 503


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
def test_each_protocol_is_described(protocol: Protocol) -> None:
    assert f"\n## {protocol.name}\n" in (ROOT / "docs" / "protocol.md").read_text()
