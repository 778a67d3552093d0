"""The protocol's paths in the model's OpenAPI document: its name, its version, an example."""

from copy import deepcopy
from typing import Any, Final

import orjson

from modelserver.protocols.open_inference.about import MODEL, VERSION, input_names
from modelserver.protocols.open_inference.answer_writer import tensors_of
from modelserver.protocols.open_inference.tensors import write_tensor
from modelserver.reading.json_reader import json_payload
from modelserver.reading.signatures.columns import TypeHintSignature
from modelserver.scoring.answering.encoding import encode_json
from modelserver.scoring.answering.tables import UNNAMED, NoTable
from modelserver.scoring.model import Model
from modelserver.types.kind import objects

Document = dict[str, Any]

JSON: Final = "application/json"


def complete(document: Document, model: Model, body: Any) -> None:
    """Fills in the paths that the document has. `body`: an input of /invocations."""
    paths, version = document["paths"], model.registration.version
    if name := document["components"].get("parameters", {}).get("ModelName"):
        name["schema"] = {"type": "string", "enum": [model.title]}
    infer = paths.get(f"{MODEL}/infer", {}).get("post")
    if infer and body is not None and (example := _example(model, body)) is not None:
        content = infer["requestBody"]["content"][JSON]
        content["examples"] = {"inputs": {"summary": "Inputs", "value": example}}
    for path in [path for path in paths if path.startswith(MODEL) and version is not None]:
        paths[path.replace(MODEL, VERSION)] = _versioned(paths[path], str(version))


def _example(model: Model, body: Any) -> Any:
    """An input of /invocations as a request; None if it holds no tensors."""
    signature = model.signature
    payload = json_payload(encode_json(body), signature, 0)
    data = payload.data
    if isinstance(signature, TypeHintSignature):
        data = {UNNAMED: objects(data)}
    if isinstance(data, list) or not payload.wrapped:
        return None
    try:
        content_type, tensors = tensors_of(data)
    except NoTable:
        return None
    nameless = signature.columns or signature.tensors or list(tensors) == [UNNAMED]
    names = input_names(len(tensors)) if nameless and not signature.names else tensors
    written = [write_tensor(*pair) for pair in zip(names, tensors.values(), strict=True)]
    request = {"parameters": {"content_type": content_type}, "inputs": written}
    return orjson.loads(encode_json(request))


def _versioned(item: Document, version: str) -> Document:
    """The same operations for this version of the model."""
    item = deepcopy(item)
    schema = {"type": "string", "enum": [version]}
    parameter = {"name": "version", "in": "path", "required": True, "schema": schema}
    item["parameters"] = [*item["parameters"], parameter]
    for operation in (item[method] for method in ("get", "post") if method in item):
        operation["operationId"] += "OfVersion"
    return item
