"""A model's signature as JSON, compiled once per load to a `Signature`."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from modelserver.reading.signatures.columns import ColumnSignature, TypeHintSignature
from modelserver.reading.signatures.signature import Signature
from modelserver.reading.signatures.tensors import TensorSignature
from modelserver.reading.signatures.untyped import Untyped
from modelserver.types.frames import Column, Columns
from modelserver.types.nested.kinds import kind_of
from modelserver.types.params import Params
from modelserver.types.tensors import Tensor


def compile_signature(declared: Mapping[str, Any] | None, from_type_hint: bool) -> Signature:
    """The signature of a model. `declared`: its parts as JSON texts, as
    `mlflow.models.ModelSignature.to_dict` writes them; `from_type_hint`: whether MLflow made them
    from the type hints of the model's `predict`."""
    parts = {key: json.loads(text) for key, text in (declared or {}).items() if text}
    inputs = parts.get("inputs") or []
    params = Params.compile(parts.get("params") or [])
    if not inputs:
        return Untyped(params=params)
    if inputs[0]["type"] == "tensor":
        return TensorSignature.of([Tensor.compile(spec) for spec in inputs], params)
    columns = _compile_columns(inputs, params)
    if from_type_hint:
        return TypeHintSignature.of(columns, params)
    return ColumnSignature.of(columns, params)


def _compile_columns(inputs: Sequence[Mapping[str, Any]], params: Params) -> Columns:
    columns = [_compile_column(spec, position) for position, spec in enumerate(inputs)]
    return Columns.of(columns, inputs[0].get("name") is not None, params.names)


def _compile_column(spec: Mapping[str, Any], position: int) -> Column:
    required = bool(spec.get("required", True))
    name = spec.get("name")
    return Column(position if name is None else name, kind_of(spec, required), required)
