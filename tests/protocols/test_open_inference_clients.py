"""What clients of the Open Inference Protocol send, exactly as they sent it.

`recorded_requests.json` holds requests that KServe's `InferenceRESTClient` (kserve 0.21.0), codecs
of MLServer (mlserver 1.7.1) and `mlserver infer` sent to this server. None of them can be installed
beside the server: KServe needs pandas 2, MLServer an old FastAPI. Their answers were read by these
clients, too; here `decoded` reads them by the same rules.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlflow.models import ModelSignature
from mlflow.pyfunc.model import PythonModel
from mlflow.types import ParamSchema, ParamSpec, Schema, TensorSpec
from starlette.testclient import TestClient

from modelserver.app import create_app
from modelserver.hosting.settings import read_settings
from tests.protocols.open_inference import decoded
from tests.support.zoo import _columns, save_pyfunc

RECORDED = json.loads((Path(__file__).parent / "recorded_requests.json").read_text())


class Same(PythonModel):
    """Returns what it gets."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        return model_input


SIGNATURES = {
    "table": ModelSignature(
        _columns(
            ("double", "x", False),
            ("long", "n"),
            ("integer", "i"),
            ("float", "f"),
            ("string", "s", False),
            ("boolean", "b"),
            ("datetime", "d", False),
            ("binary", "raw"),
        ),
        params=ParamSchema([ParamSpec("k", "long", 1)]),
    ),
    "tensors": ModelSignature(
        Schema(
            [
                TensorSpec(np.dtype("float32"), (-1, 2), "t"),
                TensorSpec(np.dtype("int64"), (-1,), "u"),
                TensorSpec(np.dtype("str"), (-1,), "w"),
            ]
        )
    ),
}


@pytest.fixture(scope="module")
def same(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], TestClient]]:
    folder = tmp_path_factory.mktemp("same")
    opened = {}
    for name, signature in SIGNATURES.items():
        path = save_pyfunc(folder / name, Same(), signature=signature)
        opened[name] = TestClient(create_app(read_settings({"MODEL_URI": str(path)})))
        opened[name].__enter__()
    yield lambda name: opened[name]
    for client in opened.values():
        client.__exit__(None, None, None)


def elements(tensor: Any) -> list[Any]:
    return [None if value != value else value for value in decoded(tensor).ravel().tolist()]


MEANT = {"d": "datetime", "raw": "base64"}
"""The columns of texts that have another content type, also if a client does not name it."""


@pytest.mark.parametrize("request_", RECORDED, ids=lambda recorded: recorded["client"])
def test_clients_get_back_what_they_sent(
    request_: dict[str, Any], same: Callable[[str], TestClient]
) -> None:
    path, body = f"/v2/models/{request_['model']}/infer", request_["body"].encode()
    answered = same(request_["model"]).post(path, content=body, headers=request_["headers"])
    assert answered.status_code == 200, answered.text
    sent, answer = json.loads(body), answered.json()
    assert (answer["model_name"], answer.get("id")) == (request_["model"], sent.get("id"))
    assert {output["name"]: elements(output) for output in answer["outputs"]} == {
        item["name"]: elements(item | {"parameters": {"content_type": MEANT.get(item["name"])}})
        for item in sent["inputs"]
    }


BINARY = (
    b'{"inputs":[{"name":"t","shape":[1],"datatype":"FP64","parameters":{"binary_data_size":8}}]}'
)


def test_binary_data_is_refused(same: Callable[[str], TestClient]) -> None:
    """What KServe's client sends unless it is told to send JSON."""
    headers = {
        "inference-header-content-length": str(len(BINARY)),
        "content-type": "application/octet-stream",
    }
    content = BINARY + np.array([0.1]).tobytes()
    answered = same("tensors").post("/v2/models/tensors/infer", content=content, headers=headers)
    assert answered.status_code == 400
    assert answered.json()["error"].startswith("tensors as binary data are not supported")
