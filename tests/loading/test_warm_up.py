"""A logged input example that the model does not predict: said once, and wherever people look."""

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow.models import ModelSignature
from mlflow.pyfunc.model import PythonModel
from mlflow.types import ColSpec, Schema
from starlette.testclient import TestClient

from modelserver.app import create_app
from modelserver.hosting.log import LineFormatter
from modelserver.hosting.settings import read_settings
from modelserver.lifecycle import UNSIGNED
from tests.support.processes import wait_for
from tests.support.zoo import save_pyfunc

COULD_NOT = "the input example that was logged with the model could not be predicted: "
CANNOT = "the input example that was logged with the model cannot be read: "
ADVICE = "; log the model again with an input_example that it predicts"


def table(name: str, *cells: Any) -> str:
    return json.dumps({"dataframe_split": {"columns": [name], "data": [[cell] for cell in cells]}})


@pytest.fixture
def served(
    model_path: Callable[[str], Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> Callable[..., Any]:
    """What is said of a model of the zoo with another body as its logged example."""

    def serve(name: str, body: str, **environment: str) -> dict[str, Any]:
        folder = shutil.copytree(model_path(name), tmp_path / "model")
        (folder / "serving_input_example.json").write_text(body)
        caplog.set_level(logging.INFO)
        app = create_app(read_settings({"MODEL_URI": str(folder), **environment}))
        with TestClient(app) as client:
            wait_for(lambda: client.get("/ping").status_code == 200)
            page = client.get("/", headers={"Accept": "text/html"})
            summary = client.get("/", headers={"Accept": "application/json"}).json()
            health = client.get("/health").json()
            document = client.get("/openapi.json").json()
        assert health["state"] == "ready"
        assert summary["warnings"] == health["warnings"]
        return {"page": page.text, "warnings": health["warnings"], "document": document}

    return serve


@pytest.mark.parametrize(
    ("name", "body", "fault", "logged"),
    [
        ("raises", table("how", "value"), "the model raised ValueError",
         "ValueError: secret 4711 in the data"),
        ("raises", table("how", "address"), "the model raised ValueError",
         "ValueError: asked http://…@host/x?key=…"),
        ("raises", table("how", "exit"), "the model raised SystemExit", "SystemExit: 3"),
        ("raises", table("how", "busy"), "the model raised MlflowException",
         "mlflow.exceptions.MlflowException: come back later"),
        ("one_long", table("n", "4711 or so"),
         "row 0, column 'n': expected a whole number of 64 bits, found text", None),
        ("one_long", "{", "the body is not valid JSON", None),
        ("no_signature", '{"inputs": 1, "instances": 1}', "the body ", None),
    ],
)  # fmt: skip
def test_an_example_that_fails(
    served: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
    name: str,
    body: str,
    fault: str,
    logged: str | None,
) -> None:
    said = served(name, body)
    warning, *others = said["warnings"]
    assert others == ([UNSIGNED] if name == "no_signature" else [])
    assert warning.startswith(COULD_NOT + fault)
    assert warning.endswith(ADVICE)
    ours = [record for record in caplog.records if record.name.startswith("modelserver")]
    told, *more = [record for record in ours if record.levelno >= logging.WARNING]
    assert [told.getMessage(), *(record.getMessage() for record in more)] == said["warnings"]
    lines = LineFormatter().format(told).splitlines()
    assert (lines[-1].strip() == logged) if logged else len(lines) == 1
    assert "request id" not in caplog.text
    assert "Ready, with a warning" in said["page"]
    assert f"**Warning:** {COULD_NOT}" in said["document"]["info"]["description"]
    for text in (said["page"], json.dumps(said["document"]), warning):
        assert "4711" not in text
        assert "come back later" not in text
        assert "Traceback" not in text


def test_the_example_that_stands_in_is_made_up(served: Callable[..., Any]) -> None:
    said = served("raises", table("how", "value"))
    content = said["document"]["paths"]["/invocations"]["post"]["requestBody"]["content"]
    for media_type in ("application/json", "text/csv"):
        summaries = [example["summary"] for example in content[media_type]["examples"].values()]
        assert all(summary.endswith(", with made-up values") for summary in summaries)
    assert "The values are made up from the signature" in said["page"]


def test_a_text_that_may_be_told(served: Callable[..., Any]) -> None:
    said = served("raises", table("how", "value"), MODEL_ERRORS="message")
    assert said["warnings"] == [
        f"{COULD_NOT}the model raised ValueError: secret 4711 in the data{ADVICE}"
    ]


def test_an_example_that_is_predicted(
    served: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    said = served("raises", table("how", "well"))
    assert said["warnings"] == []
    assert "made up" not in said["page"] + json.dumps(said["document"])
    assert "Ready</p>" in said["page"]
    assert "warm-up: predicted the logged example" in caplog.text


def test_an_example_that_cannot_be_read(
    model_path: Callable[[str], Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = shutil.copytree(model_path("wine"), tmp_path / "model")
    (folder / "serving_input_example.json").unlink()
    (folder / "input_example.json").unlink()
    with TestClient(create_app(read_settings({"MODEL_URI": str(folder)}))) as client:
        wait_for(lambda: client.get("/ping").status_code == 200)
        (warning,) = client.get("/health").json()["warnings"]
    assert warning == f"{CANNOT}its file is not there{ADVICE}"
    assert caplog.messages.count(warning) == 1


class Breaks(PythonModel):
    """As a model does whose packages do not fit."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        raise AttributeError("monotonic_cst")


def test_a_model_that_predicts_nothing(tmp_path: Path) -> None:
    save_pyfunc(tmp_path / "model", Breaks(), signature=ModelSignature(Schema([ColSpec("long")])))
    with TestClient(create_app(read_settings({"MODEL_URI": str(tmp_path / "model")}))) as client:
        wait_for(lambda: client.get("/ping").status_code == 200)
        page = client.get("/", headers={"Accept": "text/html"}).text
        (warning,) = client.get("/health").json()["warnings"]
        description = client.get("/openapi.json").json()["info"]["description"]
    assert warning == (
        "the model could not be tried with values made up from its signature: the model raised "
        "AttributeError; log it again with an input_example that it predicts"
    )
    assert "Ready, with a warning" in page
    assert f"**Warning:** {warning}." in description
