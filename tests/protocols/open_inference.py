"""Requests and answers of the Open Inference Protocol, for its tests."""

import base64
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx
import numpy as np
from starlette.testclient import TestClient

NUMPY = {
    "BOOL": "bool",
    **{
        f"{kind}{bits}": f"{kind.lower()}{bits}"
        for kind in ("INT", "UINT")
        for bits in (8, 16, 32, 64)
    },
    **{f"FP{bits}": f"float{bits}" for bits in (16, 32, 64)},
    "BYTES": "object",
}

DECODERS: dict[str | None, Callable[[Any], Any]] = {
    None: lambda element: element,
    "str": str,
    "base64": lambda element: base64.b64decode(element, validate=True),
    "datetime": datetime.fromisoformat,
    "pd_json": json.loads,
}
"""How MLServer's codecs read the elements of BYTES."""


def tensor(
    name: str, datatype: str, data: list[Any], content_type: str = "", shape: Any = None
) -> dict[str, Any]:
    """An input. Without a shape it has as many elements as `data`."""
    sent = {"name": name, "datatype": datatype, "data": data, "shape": shape or [len(data)]}
    return sent | ({"parameters": {"content_type": content_type}} if content_type else {})


def infer(client: TestClient, *inputs: Any, **others: Any) -> httpx.Response:
    """The answer to a request with these inputs. `others`: further keys of the request."""
    (path,) = [p for p in client.get("/openapi.json").json()["paths"] if p.endswith("{name}/infer")]
    name = client.get("/metadata").json()["title"]
    response: httpx.Response = client.post(
        path.format(name=name), json={"inputs": inputs, **others}
    )
    return response


def decoded(output: Any) -> Any:
    """An output as clients read it: KServe's by datatype and shape, MLServer's by content type."""
    decode = DECODERS[output.get("parameters", {}).get("content_type")]
    elements = [None if element is None else decode(element) for element in output["data"]]
    if output["datatype"] == "BYTES":
        array = np.fromiter(elements, object, len(elements))
    else:
        array = np.array(elements, NUMPY[output["datatype"]])
    return array.reshape(output["shape"])


def seen(response: httpx.Response) -> Any:
    """What an echo model got."""
    assert response.status_code == 200, response.text
    (output,) = response.json()["outputs"]
    return decoded(output)[0]
