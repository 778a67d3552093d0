"""Which properties of a model with type hints have a default, and so need not be sent or returned.

In: a column's spec as JSON, and the type hint that it was made from. Out: the spec, with the key
`DEFAULT` in each property for which the hint's pydantic model has a default. MLflow accepts input
without such a property, but its signature calls the property required. Pure.
"""

from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin

from modelserver.describing.schemas import Spec
from modelserver.types.nested.kinds import DEFAULT

INNER: Final = {"array": "items", "map": "values"}
"""The key under which the spec of a list or dict has the spec of its values."""


def with_defaults(spec: Spec, hint: Any) -> Spec:
    """The spec of a value with this type hint, with `DEFAULT` in its properties that have one."""
    inner = [argument for argument in get_args(hint) if argument is not NoneType]
    if inner and get_origin(hint) in (Union, UnionType):
        return with_defaults(spec, inner[0])
    if inner and (key := INNER.get(spec["type"])):
        return {**spec, key: with_defaults(spec[key], inner[-1])}
    fields = getattr(hint, "model_fields", {})
    if spec["type"] != "object" or not fields:
        return spec
    properties = {n: _property(part, fields[n]) for n, part in spec["properties"].items()}
    return {**spec, "properties": properties}


def _property(spec: Spec, field: Any) -> Spec:
    inner = with_defaults(spec, field.annotation)
    return inner if field.is_required() else {**inner, DEFAULT: True}
