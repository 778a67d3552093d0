"""The input examples of older versions of MLflow."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from starlette.testclient import TestClient

from modelserver.app import create_app
from modelserver.hosting.settings import read_settings
from modelserver.loading.logged_example import logged_example
from tests.support.processes import wait_for

SPLIT = {"columns": ["a", "b"], "data": [[1, 2.5], [3, None]]}
RECORDS = [{"a": 1, "b": 2.5}, {"a": 3, "b": None}]
ROWS = [[1.0, 2.0]]
CHAT = {"messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize(
    ("logged", "info", "body"),
    [
        (SPLIT, {"type": "dataframe", "pandas_orient": "split"}, {"dataframe_split": SPLIT}),
        ({"data": ROWS}, {"type": "dataframe"}, {"inputs": ROWS}),
        (
            RECORDS,
            {"type": "dataframe", "pandas_orient": "records"},
            {"dataframe_records": RECORDS},
        ),
        (
            {"0": {"a": 1, "b": 2.5}},
            {"type": "dataframe", "pandas_orient": "index"},
            {"dataframe_records": [{"a": 1, "b": 2.5}]},
        ),
        (
            {"a": {"0": 1, "1": 3}, "b": {"0": 2.5, "1": None}},
            {"type": "dataframe", "pandas_orient": "columns"},
            {"dataframe_split": SPLIT},
        ),
        (ROWS, {"type": "dataframe", "pandas_orient": "values"}, {"inputs": ROWS}),
        (ROWS, {"type": "dataframe", "pandas_orient": "columns"}, None),
        (ROWS, {"type": "dataframe", "pandas_orient": "table"}, None),
        (3, {"type": "dataframe", "pandas_orient": "records"}, None),
        ({"inputs": ROWS}, {"type": "ndarray", "format": "tf-serving"}, {"inputs": ROWS}),
        ({"inputs": {"x": ROWS}}, {"type": "ndarray"}, {"inputs": {"x": ROWS}}),
        (ROWS, {"type": "json_object"}, {"inputs": ROWS}),
        ({"question": "why"}, {"type": "json_object"}, {"inputs": {"question": "why"}}),
        (CHAT, {"type": "json_object"}, CHAT),
        (
            {"inputs": SPLIT, "params": {"n": 2}},
            {"type": "dataframe", "params": "params"},
            {"dataframe_split": SPLIT, "params": {"n": 2}},
        ),
        (ROWS, {"type": "sparse_matrix_csr"}, None),
        (ROWS, {"type": "dataframe"}, None),
        (ROWS, {}, None),
    ],
)
def test_an_older_example(logged: Any, info: dict[str, str], body: Any, tmp_path: Path) -> None:
    (tmp_path / "input_example.json").write_text(json.dumps(logged))
    found, fault = logged_example(tmp_path, {"artifact_path": "input_example.json", **info})
    assert (found and json.loads(found)) == body
    assert (fault == "") == (body is not None)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (None, "its file is not there"),
        ("{", "its file is not JSON"),
        ("\xff", "its file is not JSON"),
        ("3", "it is of another kind than its MLmodel file says"),
    ],
)
def test_an_example_that_cannot_be_read(text: str | None, fault: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "input_example.json").write_text(text, encoding="latin-1")
    info = {"artifact_path": "../input_example.json", "type": "dataframe"}
    assert logged_example(tmp_path, info) == (None, fault)
    assert logged_example(tmp_path, None) == (None, "")


@pytest.mark.parametrize("orient", ["split", "records", "columns", "index"])
def test_a_model_as_older_versions_saved_it(
    orient: str, model_path: Callable[[str], Path], tmp_path: Path
) -> None:
    """Its example is predicted at the load, and shown in the documentation."""
    folder = shutil.copytree(model_path("wine"), tmp_path / "model")
    body = json.loads((folder / "serving_input_example.json").read_text())
    (folder / "serving_input_example.json").unlink()
    table = pd.DataFrame(**body["dataframe_split"])
    table.to_json(folder / "input_example.json", orient=orient)  # type: ignore[call-overload]
    mlmodel = yaml.safe_load((folder / "MLmodel").read_text())
    del mlmodel["saved_input_example_info"]["serving_input_path"]
    mlmodel["saved_input_example_info"]["pandas_orient"] = orient
    (folder / "MLmodel").write_text(yaml.safe_dump(mlmodel))
    with TestClient(create_app(read_settings({"MODEL_URI": str(folder)}))) as client:
        wait_for(lambda: client.get("/ping").status_code == 200)
        assert client.get("/health").json()["warnings"] == []
        content = client.get("/openapi.json").json()["paths"]["/invocations"]["post"]["requestBody"]
    example = content["content"]["application/json"]["examples"]["records"]["value"]
    assert example == {"dataframe_records": json.loads(table.to_json(orient="records"))}
