"""A model's signature, compiled once per load: what a request must hold to be predicted.

In: the signature as its JSON spells it (`mlflow.models.ModelSignature.to_dict`). Out: a
`Signature`, whose columns, tensors and params turn what was sent into what the model gets.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from modelserver.types.frames import Column, Columns
from modelserver.types.nested import kind_of
from modelserver.types.params import Params
from modelserver.types.tensors import Tensor

Code: TypeAlias = Literal["d", "i"]
"""What a body of nothing but numbers is read as: doubles, or integers of 64 bits."""

TENSOR_NUMBERS: Final[Mapping[str, Code]] = {"f": "d", "i": "i", "u": "i"}
"""NumPy's kinds of dtype that hold numbers."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What the model declares: columns or tensors or neither, params, and how predict is typed."""

    columns: Columns | None = None
    tensors: tuple[Tensor, ...] = ()
    params: Params = field(default_factory=lambda: Params(()))
    from_type_hint: bool = False
    numbers: Code | None = None
    """As what a body of nothing but numbers may be read; None where it may not."""
    exact_integers: bool = False
    """Whether integers may reach the model unchecked, so that none may be rounded on the way."""
    nan_is_null: bool = False
    """Whether NaN and null mean the same in all columns."""

    @property
    def names(self) -> frozenset[str]:
        """The names of the columns or tensors, as texts; none where they go by position."""
        if self.columns is not None:
            return frozenset(self.columns.positions) if self.columns.named else frozenset()
        return frozenset(str(tensor.name) for tensor in self.tensors if tensor.name is not None)


def compile_signature(declared: Mapping[str, Any] | None, from_type_hint: bool) -> Signature:
    """The signature of a model. `declared`: `ModelSignature.to_dict()`, JSON texts per part."""
    parts = {key: json.loads(text) for key, text in (declared or {}).items() if text}
    inputs = parts.get("inputs") or []
    tensors = tuple(Tensor.compile(spec) for spec in inputs if spec["type"] == "tensor")
    params = Params.compile(parts.get("params") or [])
    columns = _compile_columns(inputs, params.names) if inputs and not tensors else None
    return Signature(
        columns=columns,
        tensors=tensors,
        params=params,
        from_type_hint=from_type_hint,
        numbers=None if from_type_hint else _numbers(columns, tensors),
        exact_integers=from_type_hint
        or not inputs
        or (columns is not None and columns.takes_anything),
        nan_is_null=columns is not None and columns.only_scalars and not from_type_hint,
    )


def _numbers(columns: Columns | None, tensors: Sequence[Tensor]) -> Code | None:
    if tensors:
        return TENSOR_NUMBERS.get(tensors[0].dtype.kind) if len(tensors) == 1 else None
    return "d" if columns is not None and columns.only_numbers else None


def _compile_columns(inputs: Sequence[Mapping[str, Any]], params: frozenset[str]) -> Columns:
    columns = [_compile_column(spec, position) for position, spec in enumerate(inputs)]
    return Columns.of(columns, inputs[0].get("name") is not None, params)


def _compile_column(spec: Mapping[str, Any], position: int) -> Column:
    required = bool(spec.get("required", True))
    name = spec.get("name")
    return Column(position if name is None else name, kind_of(spec, required), required)
