"""What the protocol says of the server and of its model: names, versions, inputs and outputs."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from modelserver.errors import BadRequest, RoutingFailed
from modelserver.protocols.open_inference.inputs import NO_BINARY
from modelserver.protocols.open_inference.tensors import column_type, datatype_of
from modelserver.scoring.answering.tables import unnamed
from modelserver.scoring.mlflow_internals import installed_version
from modelserver.scoring.model import Model
from modelserver.types.names import quoted
from modelserver.types.nested.kinds import kind_of

MODEL: Final = "/v2/models/{name}"

VERSION: Final = f"{MODEL}/versions/{{version}}"

MODELS: Final = (VERSION, MODEL)
"""The paths of a model, with and without its version."""

SERVER: Final = {"name": "modelserver", "version": installed_version(), "extensions": []}
"""What /v2 answers. The version is MLflow's, as at /version."""

BINARY: Final = "inference-header-content-length"

Tensor = Mapping[str, Any]


def admit(model: Model, parts: Mapping[str, str], headers: Mapping[str, str]) -> None:
    """Raises `RoutingFailed` (404) if the path names another model or version, and `BadRequest` if
    the body holds binary data."""
    name, version = model.title, model.registration.version
    if parts.get("name", name) != name:
        said = f"there is no model {quoted(parts['name'])}; the name of the model is {name!r}"
        raise RoutingFailed(404, said, None)
    if parts.get("version", version) != version:
        there = f"its version is {version!r}" if version else "it has no versions"
        said = f"the model {name!r} has no version {quoted(parts['version'])}; {there}"
        raise RoutingFailed(404, said, None)
    if BINARY in headers:
        raise BadRequest(NO_BINARY)


def show_ready(model: Model, document: Mapping[str, Any]) -> dict[str, Any]:
    """That the server can predict."""
    return {"ready": True}


def show_model_ready(model: Model, document: Mapping[str, Any]) -> dict[str, Any]:
    """That the model can predict."""
    return {"name": model.title, "ready": True}


def show_model(model: Model, document: Mapping[str, Any]) -> dict[str, Any]:
    """The model's name and version, and the tensors that it takes and returns."""
    version = model.registration.version
    return {
        "name": model.title,
        **({"versions": [version]} if version else {}),
        "platform": f"mlflow_{model.flavor}",
        "inputs": declared(model, "inputs"),
        "outputs": declared(model, "outputs"),
    }


def declared(model: Model, part: str) -> Sequence[Tensor]:
    """The tensors that the model's signature declares as its `inputs` or `outputs`."""
    return _declared((model.metadata.get("signature") or {}).get(part), part)


@lru_cache(maxsize=8)
def _declared(specs: str | None, part: str) -> Sequence[Tensor]:
    """The tensors of a part of a signature, which is a JSON text."""
    found = json.loads(specs) if specs else []
    names = unnamed(len(found)) if part == "outputs" else input_names(len(found))
    return [_tensor(spec, name) for spec, name in zip(found, names, strict=True)]


def input_names(number: int) -> list[str]:
    """The names of inputs to which the model gives none, as in MLServer."""
    return [f"input-{place}" for place in range(number)]


def _tensor(spec: Mapping[str, Any], unnamed: str) -> Tensor:
    """What the protocol says of a tensor or column. `unnamed`: its name, if it has none."""
    name = spec.get("name")
    if spec["type"] == "tensor":
        declared = spec["tensor-spec"]
        datatype, content_type = datatype_of(declared["dtype"]), None
        shape = list(declared["shape"])
    else:
        datatype, content_type = column_type(kind_of(spec))
        shape = [-1]
    tensor = {"name": unnamed if name is None else str(name), "datatype": datatype, "shape": shape}
    return tensor | ({"parameters": {"content_type": content_type}} if content_type else {})
