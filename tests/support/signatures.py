"""Signatures written down in tests, and bodies read by them."""

import json
from collections.abc import Mapping
from typing import Any

from modelserver.reading.formats import FORMATS, JSON
from modelserver.reading.signatures.compiling import compile_signature
from modelserver.reading.signatures.signature import Payload, Signature

LIMIT = 1024 * 1024


def column(kind: str, name: Any = None, required: bool = True) -> dict[str, Any]:
    """A column of a signature as MLflow saves it. `kind`: a key of `KINDS`."""
    return {"type": kind, "required": required} | ({} if name is None else {"name": name})


def tensor(dtype: str, *shape: int, **name: str) -> dict[str, Any]:
    """A tensor of a signature as MLflow saves it."""
    return {"type": "tensor", "tensor-spec": {"dtype": dtype, "shape": list(shape)}, **name}


def signature(
    *inputs: Mapping[str, Any], params: Any = None, from_type_hint: bool = False
) -> Signature:
    """A signature with these columns or tensors."""
    return compile_signature(
        {"inputs": json.dumps(inputs), "outputs": None, "params": params and json.dumps(params)},
        from_type_hint,
    )


def read(declared: Signature, body: Any, media_type: str = JSON) -> Payload:
    """The payload in a body: in bytes, or in a value that is sent as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return FORMATS[media_type].read(data, declared, LIMIT)
